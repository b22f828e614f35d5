"""`dlexplain doctor`: what is installed here, what is wrong with it, and what to do about each fault.

A check is a function that returns findings. What it looks at can be handed in, so that a fault can be planted
in a test. TensorFlow and Torch are imported in processes of their own: a broken one may end its process.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

OK, NOTE, FAULT = "ok", "note", "FAULT"
PATIENCE = 180  # seconds that a first import of a framework may take on a slow disk

ADDS = {
    "keras": "explaining Keras models",
    "torch": "explaining Torch models",
    "shap": "the methods 'shap:...' and Attribution.to_shap()",
    "captum": "the methods 'captum:...'",
    "data": "the data sets bundled with scikit-learn and scikit-image",
    "lab": "the lessons in JupyterLab",
    "test": "the test suite",
}
FRAMEWORKS = {"keras": "tensorflow", "torch": "torch"}  # extra: the module that a probe imports
DEVICES = {
    "tensorflow": "import keras, tensorflow as tf; print(len(tf.config.list_physical_devices('GPU')), 'GPU')",
    "torch": (
        "import torch; torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0); "
        "print(torch.cuda.device_count() + torch.backends.mps.is_available(), 'GPU')"
    ),
}
BOTH_GUARDED = (
    "from dlexplain.frameworks import guard; guard.install(); import tensorflow, torch; "
    "torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0); import torch._dynamo"
)
KERNEL_LINE = 'c.InteractiveShellApp.extensions.append("dlexplain.frameworks.guard")'
KERNEL_CONFIG = Path(sys.prefix, "etc", "ipython", "ipython_kernel_config.py")
FRONT_ENDS = {"ipywidgets": "@jupyter-widgets/jupyterlab-manager", "anywidget": "anywidget"}


@dataclass(frozen=True)
class Finding:
    """One line of the report; `status` is OK, NOTE or FAULT, `advice` what to do."""

    name: str
    status: str
    found: str
    advice: str = ""


@dataclass(frozen=True)
class Probe:
    """How a process that ran a line of Python ended: `fault` is empty, or its last words."""

    out: str
    fault: str = ""


def run_probe(code: str) -> Probe:
    """Run `code` in a Python of its own, from here, so that the same packages are found."""
    command = [sys.executable, "-c", code]
    environ = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=environ)
    except subprocess.TimeoutExpired:
        return Probe("", f"no answer within {PATIENCE} s")
    out = done.stdout.strip().splitlines()
    last = done.stderr.strip().splitlines()
    if done.returncode:
        return Probe("", last[-1] if last else f"ended with code {done.returncode}")
    return Probe(out[-1] if out else "")


def installed_version(package: str) -> str | None:
    """Version of an installed package by its metadata, without importing it; None where it is absent."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def own_requirements() -> list[str] | None:
    """What the metadata of the installed dlexplain asks for; None where it runs without being installed."""
    try:
        return importlib.metadata.requires("dlexplain") or []
    except importlib.metadata.PackageNotFoundError:
        return None


def check_python(version: tuple[int, ...] = tuple(sys.version_info[:3])) -> list[Finding]:
    found = ".".join(map(str, version))
    if version < (3, 11):
        return [Finding("Python", FAULT, found, "Install Python 3.11 or later, and dlexplain with it.")]
    return [Finding("Python", OK, f"{found} in {sys.prefix}")]


def check_requirements(
    requirements: list[str] | None, version_of: Callable[[str], str | None] = installed_version
) -> list[Finding]:
    """One finding for what is always needed, one for each extra, one for each package that does not fit."""
    from packaging.requirements import Requirement
    from packaging.version import Version

    if requirements is None:
        advice = "In its folder: make install, or: pip install -e ."
        return [Finding("dlexplain", FAULT, "runs from a folder without being installed", advice)]
    findings: list[Finding] = []
    absent: dict[str, list[str]] = {"": []}
    for requirement in map(Requirement, requirements):
        for extra in ("", *ADDS):
            if not _wanted_by(requirement.marker, extra):
                continue
            missing = absent.setdefault(extra, [])
            version = version_of(requirement.name)
            if version is None:
                missing.append(requirement.name)
            elif not requirement.specifier.contains(Version(version), prereleases=True):
                findings.append(
                    Finding(
                        requirement.name,
                        FAULT,
                        f"{version}, but dlexplain needs {requirement.specifier}",
                        f'pip install "{requirement.name}{requirement.specifier}"',
                    )
                )
            break
    return [*_groups(absent), *findings]


def _wanted_by(marker: object, extra: str) -> bool:
    return marker is None or marker.evaluate({"extra": extra})


def _groups(absent: Mapping[str, list[str]]) -> Iterable[Finding]:
    if absent[""]:
        names = " ".join(absent[""])
        yield Finding("dependencies", FAULT, f"missing: {names}", f"pip install {names}")
    else:
        yield Finding("dependencies", OK, "all here")
    for extra, missing in absent.items():
        if extra and missing:
            found = f"missing: {', '.join(missing)}"
            yield Finding(f"[{extra}]", NOTE, found, f'For {ADDS[extra]}: pip install "dlexplain[{extra}]"')
        elif extra:
            yield Finding(f"[{extra}]", OK, "all here")


def check_frameworks(
    version_of: Callable[[str], str | None] = installed_version, probe: Callable[[str], Probe] = run_probe
) -> list[Finding]:
    """Does each framework import, and on which devices; at least one is needed."""
    findings = []
    for extra, module in FRAMEWORKS.items():
        version = version_of(module)
        if version is None:
            continue
        answer = probe(DEVICES[module])
        if answer.fault:
            advice = f'Reinstall it: pip install --force-reinstall "dlexplain[{extra}]"'
            findings.append(
                Finding(module, FAULT, f"{version} cannot be imported and used: {answer.fault}", advice)
            )
        else:
            findings.append(Finding(module, OK, f"{version}, {answer.out}"))
    if not findings:
        advice = 'pip install "dlexplain[keras]" or "dlexplain[torch]", for the kind of model that you have.'
        return [Finding("frameworks", FAULT, "neither Keras with TensorFlow nor Torch", advice)]
    return findings


def check_backend(
    environ: Mapping[str, str] = os.environ,
    home: Path | None = None,
    version_of: Callable[[str], str | None] = installed_version,
) -> list[Finding]:
    """Keras models are read through TensorFlow: Keras must be set to that backend, as it is by default."""
    if version_of("keras") is None:
        return []
    config = Path(environ.get("KERAS_HOME") or (home or Path.home()) / ".keras") / "keras.json"
    backend, where = environ.get("KERAS_BACKEND"), "the environment variable KERAS_BACKEND"
    if not backend:
        try:
            backend, where = json.loads(config.read_text(encoding="utf-8")).get("backend"), str(config)
        except FileNotFoundError:
            backend = None
        except (OSError, ValueError, AttributeError) as error:
            return [
                Finding("Keras backend", FAULT, f"{config} cannot be read: {error}", "Mend or remove it.")
            ]
    if backend in (None, "", "tensorflow"):
        return [Finding("Keras backend", OK, "tensorflow")]
    return [Finding("Keras backend", FAULT, f"{backend!r}, from {where}", "Set it to tensorflow.")]


def check_triton(
    version_of: Callable[[str], str | None] = installed_version,
    probe: Callable[[str], Probe] = run_probe,
    config: Path = KERNEL_CONFIG,
) -> list[Finding]:
    """TensorFlow and Triton in one process: see dlexplain/frameworks/guard.py."""
    triton, tensorflow, torch = map(version_of, ("triton", "tensorflow", "torch"))
    if not (triton and tensorflow and torch):
        return [Finding("Triton beside TensorFlow", OK, "not both here")]
    name, both = "Triton beside TensorFlow", f"triton {triton}, tensorflow {tensorflow}"
    guarded = probe(BOTH_GUARDED)
    if guarded.fault:
        advice = "Use one framework a process, or Torch's CPU build, which comes without Triton."
        return [Finding(name, FAULT, f"{both}; even with the guard: {guarded.fault}", advice)]
    if not probe("import tensorflow, triton").fault:
        return [Finding(name, OK, f"{both}; they get on in either order")]
    found = f"{both}: TensorFlow first, then torch.optim, ends Python"
    if _guards_kernels(config):
        return [Finding(name, OK, f"{found}; notebooks here are guarded from their start")]
    advice = "Import dlexplain first. For all notebooks of this environment: dlexplain doctor --guard-kernels"
    return [Finding(name, NOTE, f"{found}, unless dlexplain is imported before", advice)]


def _guards_kernels(config: Path) -> bool:
    return config.is_file() and KERNEL_LINE in config.read_text(encoding="utf-8")


def guard_kernels(config: Path = KERNEL_CONFIG) -> Finding:
    """Have every IPython kernel of this environment install the guard first; what is set there stays."""
    if not _guards_kernels(config):
        config.parent.mkdir(parents=True, exist_ok=True)
        with config.open("a", encoding="utf-8") as file:
            file.write(f"\n# dlexplain: TensorFlow and Triton in one kernel\n{KERNEL_LINE}\n")
    return Finding("kernels", OK, f"guarded by {config}")


def check_jupyter(
    version_of: Callable[[str], str | None] = installed_version, folders: list[str] | None = None
) -> list[Finding]:
    """JupyterLab must find the front ends of the widgets, which come with packages of its environment."""
    if version_of("jupyterlab") is None:
        advice = 'For the lessons: pip install "dlexplain[lab]"'
        return [Finding("JupyterLab", NOTE, "absent", advice)]
    if folders is None:
        from jupyter_core.paths import jupyter_path

        folders = jupyter_path("labextensions")
    findings = [Finding("JupyterLab", OK, str(version_of("jupyterlab")))]
    for package, front_end in FRONT_ENDS.items():
        if not any(Path(folder, front_end, "package.json").is_file() for folder in folders):
            advice = f"pip install --force-reinstall {package}, then restart JupyterLab and reload its page."
            findings.append(Finding(f"{package} in JupyterLab", FAULT, "front end not found", advice))
    return findings


def check_data() -> list[Finding]:
    """Which of the data sets that are downloaded are here. Absent ones are no fault."""
    from dlexplain.data.entries import DOWNLOAD
    from dlexplain.data.folders import locate
    from dlexplain.data.listing import ENTRIES
    from dlexplain.errors import DataError

    here, absent, findings = [], [], []
    for entry in (entry for entry in ENTRIES if entry.how == DOWNLOAD):
        try:
            complete = all(locate(entry, file) for file in entry.files)
        except DataError as error:
            findings.append(Finding(f"data {entry.name}", FAULT, "a file is wrong", str(error)))
        else:
            (here if complete else absent).append(entry.name)
    if here:
        findings.append(Finding("data here", OK, ", ".join(here)))
    if absent:
        findings.append(Finding("data to fetch", NOTE, ", ".join(absent), "dlexplain data get NAME"))
    return findings


def find_chromium() -> str | None:
    """Path of the system's Chromium or Chrome, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next(filter(None, map(shutil.which, names)), None)


def check_browser(
    version_of: Callable[[str], str | None] = installed_version,
    chromium: Callable[[], str | None] = find_chromium,
) -> list[Finding]:
    """Only the browser tests need one, so it is asked for only where the test tools are."""
    if version_of("playwright") is None:
        return []
    found = chromium()
    if found:
        return [Finding("Chromium, for tests", OK, found)]
    advice = "python -m playwright install chromium, unless that was done (its own copy is not looked for)"
    return [Finding("Chromium, for tests", NOTE, "not on the path", advice)]


def check_all() -> Iterable[Finding]:
    """Every check, in the order of the report; slow ones come as they are done."""
    yield from check_python()
    yield from check_requirements(own_requirements())
    yield from check_frameworks()
    yield from check_backend()
    yield from check_triton()
    yield from check_jupyter()
    yield from check_data()
    yield from check_browser()


def report(findings: Iterable[Finding]) -> int:
    """Print a line a finding, with the advice under it. Returns 1 where there was a fault, else 0."""
    faults = 0
    for finding in findings:
        faults += finding.status == FAULT
        print(f"{finding.status:5}  {finding.name}: {finding.found}", flush=True)
        if finding.advice and finding.status != OK:
            print(f"       -> {finding.advice}", flush=True)
    print(f"{faults} fault{'s' * (faults != 1)}." if faults else "No fault found.")
    return 1 if faults else 0
