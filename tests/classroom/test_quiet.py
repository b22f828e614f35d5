"""TensorFlow's log stays out of a notebook's cells; an import that fails is still told in full."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOISE = 'import os\nos.write(2, b"oneDNN custom operations are on\\n")\n'
ASK = (
    "import logging, os\n"
    "from dlexplain.frameworks.quiet import hush_tensorflow\n"
    "hush_tensorflow()\n"
    "os.write(2, b'afterwards')\n"
    "print(logging.getLogger('tensorflow').level, os.environ['TF_CPP_MIN_LOG_LEVEL'])\n"
)


def _asked(folder: Path, module: str, code: str = ASK, **environ: str) -> subprocess.CompletedProcess[str]:
    """Python with a TensorFlow of the test's own."""
    (folder / "tensorflow.py").write_text(module, encoding="utf-8")
    clean = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    clean |= {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", **environ}
    return subprocess.run([sys.executable, "-c", code], env=clean, capture_output=True, text=True, cwd=folder)


def test_what_the_import_writes_is_withheld_and_nothing_after_it(tmp_path: Path) -> None:
    loud = "import logging\nlogging.getLogger('tensorflow').setLevel('INFO')\n"
    done = _asked(tmp_path, NOISE + loud)
    assert done.stderr == "afterwards"
    assert done.stdout.split() == ["40", "3"]


def test_a_level_that_the_learner_set_stays(tmp_path: Path) -> None:
    assert _asked(tmp_path, "", TF_CPP_MIN_LOG_LEVEL="0").stdout.split() == ["40", "0"]


def test_an_import_that_fails_tells_all(tmp_path: Path) -> None:
    done = _asked(tmp_path, NOISE + 'raise ImportError("a library is missing")\n')
    assert done.returncode == 1
    assert "oneDNN" in done.stderr
    assert "a library is missing" in done.stderr


def test_outside_a_notebook_a_lesson_imports_nothing(tmp_path: Path) -> None:
    code = "import sys, dlexplain as dlx\ndlx.classroom.lesson(0)\nprint('tensorflow' in sys.modules)"
    assert _asked(tmp_path, "", code).stdout.strip() == "False"


@pytest.mark.slow
def test_in_a_notebook_a_lesson_and_keras_write_nothing_red(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("keras", reason="Keras is not installed")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    from nbformat.v4 import new_code_cell, new_notebook

    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("DLEXPLAIN_HOME", str(tmp_path))
    train = (
        "import keras, numpy as np\n"
        "net = keras.Sequential([keras.layers.Input((8,)), keras.layers.Dense(2)])\n"
        "net.compile('adam', 'mse')\n"
        "net.fit(np.zeros((8, 8)), np.zeros((8, 2)), verbose=0)\n"
        "dlx.explain(net, np.ones((2, 8), 'float32'), target=0);"
    )
    cells = ["import dlexplain as dlx\nlesson = dlx.classroom.lesson(0)", train]
    book = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(book, timeout=300, kernel_name="python3").execute()
    red = [out["text"] for cell in book.cells for out in cell.outputs if out.get("name") == "stderr"]
    assert red == []
