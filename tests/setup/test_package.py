"""The wheel: built from this checkout, whole, and alone on a path it imports."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email.parser import Parser

import pytest
from processes import ROOT, python, succeeded

import dlexplain


def tracked(folder: str) -> list[str]:
    listing = subprocess.run(
        ["git", "ls-files", folder], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [name for name in listing.splitlines() if (ROOT / name).exists()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


def test_it_holds_every_file_of_the_package_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert set(tracked("dlexplain")) <= held
    assert {name.partition("/")[0] for name in held} == {"dlexplain"}
    assert not [name for name in held if name.endswith((".pyc", ".ipynb"))]


def test_its_metadata_names_licence_version_python_and_extras(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("dist-info/METADATA")]
        metadata = Parser().parsestr(archive.read(name).decode())
        assert any(name.endswith("licenses/LICENSE") for name in archive.namelist())
    assert metadata["Name"] == "dlexplain"
    assert metadata["Version"] == dlexplain.__version__
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Requires-Python"] == ">=3.11"
    assert {"keras", "torch", "shap", "captum", "data", "lab", "test", "all"} <= set(
        metadata.get_all("Provides-Extra")
    )


def test_unpacked_alone_it_imports_without_any_framework(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = """
import os, sys
os.chdir(sys.argv[1])
sys.path[:] = [sys.argv[1], *(p for p in sys.path if p not in ("", sys.argv[2]))]
import dlexplain, dlexplain.cli, dlexplain.data, dlexplain.figures, dlexplain.widgets
print(dlexplain.__file__)
"""
    absent = ("tensorflow", "keras", "torch", "triton", "shap", "captum", "sklearn", "skimage")
    out = succeeded(python(code, str(tmp_path), str(ROOT), without=absent))
    assert out.strip() == str(tmp_path / "dlexplain" / "__init__.py")
