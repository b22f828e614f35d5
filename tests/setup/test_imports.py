"""`import dlexplain` brings in no framework, works without any, and says what an absent one would add."""

from __future__ import annotations

import pytest
from processes import ROOT, python, succeeded

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


@pytest.mark.parametrize(
    ("absent", "call"),
    [
        ({"torch"}, "dlx.load('model.pt2')"),
        ({"tensorflow", "keras"}, "dlx.load('model.keras')"),
        ({"torch"}, "dlx.convert(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]), to='torch')"),
        ({"tensorflow", "keras"}, "dlx.convert(torch.nn.Sequential(torch.nn.Linear(2, 1)), to='keras')"),
    ],
)
def test_the_call_that_needs_the_absent_framework_names_its_extra(absent, call, tmp_path):
    extra = "torch" if "torch" in absent else "keras"
    code = f"""
import dlexplain as dlx
from dlexplain.errors import MissingPackageError
from zipfile import ZipFile
import os, sys
os.chdir(sys.argv[1])
for name in ("model.pt2", "model.keras"):
    with ZipFile(name, "w") as file:
        file.writestr("metadata.json", "{{}}")
if "convert" in {call!r}:
    import {"torch" if extra == "keras" else "keras"}
try:
    {call}
except MissingPackageError as error:
    print(error)
"""
    said = succeeded(python(code, str(tmp_path), without=absent, PYTHONPATH=str(ROOT)))
    assert f"dlexplain[{extra}]" in said
