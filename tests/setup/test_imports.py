"""`import dlexplain` brings in no framework, works without any, and says what an absent one would add."""

from __future__ import annotations

import pytest
from processes import python, succeeded

FRAMEWORKS = ("tensorflow", "keras", "torch", "triton")
OTHERS = ("shap", "captum", "sklearn", "skimage", "IPython", "jupyterlab", "matplotlib")


def test_import_brings_in_no_framework():
    code = "import sys, dlexplain; print(*(m for m in sys.argv[1:] if m in sys.modules))"
    assert succeeded(python(code, *FRAMEWORKS, *OTHERS, "pandas", "plotly")).split() == []


def test_the_package_imports_where_no_framework_is_installed():
    code = "import dlexplain, dlexplain.cli, dlexplain.doctor, dlexplain.data; print(dlexplain.__version__)"
    absent = (*FRAMEWORKS, *OTHERS, "safetensors")
    assert succeeded(python(code, without=absent)).strip()


def test_doctor_says_what_the_absent_framework_would_add():
    absent = {"keras", "tensorflow"}
    out = succeeded(
        python("from dlexplain.cli import main; raise SystemExit(main(['doctor']))", without=absent)
    )
    line, advice = out[out.index("[keras]") :].splitlines()[:2]
    assert "tensorflow" in line
    assert "explaining Keras models" in advice
    assert 'pip install "dlexplain[keras]"' in advice


def test_doctor_without_any_framework_is_a_fault():
    done = python("from dlexplain.cli import main; raise SystemExit(main(['doctor']))", without=FRAMEWORKS)
    assert done.returncode == 1
    assert 'pip install "dlexplain[keras]" or "dlexplain[torch]"' in done.stdout


SAVED = {
    "keras": "import keras; keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save('model.keras')",
    "torch": """
import torch
program = torch.export.export(torch.nn.Linear(2, 1).eval(), (torch.ones(3, 2),))
torch.export.save(program, "model.pt2")
""",
}
MODEL = {
    "keras": "import keras; model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])",
    "torch": "import torch; model = torch.nn.Sequential(torch.nn.Linear(2, 1))",
}
WITHOUT = {"keras": {"tensorflow", "keras"}, "torch": {"torch"}}
ASKED = """
import dlexplain as dlx
try:
    {call}
except dlx.MissingPackageError as error:
    print(error)
"""


@pytest.mark.parametrize(("framework", "file"), [("keras", "model.keras"), ("torch", "model.pt2")])
def test_opening_a_file_names_the_framework_that_is_absent(framework, file, tmp_path):
    succeeded(python(SAVED[framework].replace(file, str(tmp_path / file))))
    call = ASKED.format(call=f"dlx.load({str(tmp_path / file)!r})")
    assert f"dlexplain[{framework}]" in succeeded(python(call, without=WITHOUT[framework]))


@pytest.mark.parametrize(("framework", "absent"), [("keras", "torch"), ("torch", "keras")])
def test_making_a_twin_names_the_framework_that_is_absent(framework, absent):
    call = ASKED.format(call=f"dlx.convert(model, to={absent!r}, input_shape=(2,))")
    said = succeeded(python(f"{MODEL[framework]}\n{call}", without=WITHOUT[absent]))
    assert f"dlexplain[{absent}]" in said
