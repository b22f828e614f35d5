"""One list of versions: pyproject's ranges, the lock and conda's environment say the same."""

from __future__ import annotations

import importlib.metadata
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from processes import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]


def lock() -> dict[str, Requirement]:
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    requirements = [Requirement(line) for line in lines if line and not line.startswith("#")]
    pins = {canonicalize_name(r.name): r for r in requirements}
    assert len(pins) == len(requirements), "a package is pinned twice"
    return pins


def pin(requirement: Requirement) -> Version:
    (specifier,) = requirement.specifier
    assert specifier.operator == "==", f"{requirement} is not pinned to one version"
    return Version(specifier.version)


def asked() -> list[Requirement]:
    texts = PROJECT["dependencies"] + [text for extra in EXTRAS if extra != "all" for text in EXTRAS[extra]]
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize("requirement", asked(), ids=str)
def test_the_pin_lies_in_the_range(requirement):
    pins, name = lock(), canonicalize_name(requirement.name)
    assert name in pins, f"{name} has no pin; run make lock"
    assert requirement.specifier.contains(pin(pins[name]))


def test_every_pin_is_what_is_installed_here():
    installed = {name: Version(importlib.metadata.version(name)).public for name in lock()}
    assert installed == {name: str(pin(requirement)) for name, requirement in lock().items()}


def test_the_lock_holds_all_that_its_packages_need_on_this_system():
    pins = lock()
    missing = {
        f"{name} needs {needed.name}"
        for name in pins
        for needed in map(Requirement, importlib.metadata.requires(name) or [])
        if (needed.marker is None or needed.marker.evaluate({"extra": ""}))
        and canonicalize_name(needed.name) not in pins
    }
    assert not missing


def test_what_does_not_exist_on_windows_is_not_asked_for_there():
    for name in ("pexpect", "ptyprocess"):
        assert not lock()[name].marker.evaluate({"sys_platform": "win32"})
        assert lock()[name].marker.evaluate({"sys_platform": "darwin"})


def test_no_pin_names_one_build_or_one_machine():
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "+" not in text
    assert "@" not in text
    assert "--" not in text


def test_conda_takes_the_same_list():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    *conda, pip = environment["dependencies"]
    assert pip == {"pip": ["-r requirements.lock", "-e ."]}
    python = next(Requirement(text.replace("=", "==") + ".0") for text in conda if text.startswith("python="))
    assert python.specifier.contains("3.11.0")
    assert {text.partition("=")[0] for text in conda} == {"python", "pip"}, "a version outside the lock"


def test_all_means_every_extra():
    (everything,) = map(Requirement, EXTRAS["all"])
    assert everything.extras == set(EXTRAS) - {"all"}


def test_the_core_brings_no_framework():
    names = {Requirement(text).name for text in PROJECT["dependencies"]}
    assert not names & {"tensorflow", "keras", "torch", "shap", "captum", "scikit-learn", "jupyterlab"}
