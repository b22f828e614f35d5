"""Section 1: what exactly was audited, and with what."""

from __future__ import annotations

import datetime
import hashlib
import platform
from functools import cache
from importlib import metadata, resources
from importlib.resources.abc import Traversable

import numpy as np

from dlexplain.audit.check import section
from dlexplain.audit.examined import methods
from dlexplain.audit.record import Check, Part, Table
from dlexplain.audit.subject import Subject
from dlexplain.frameworks.questions import Inputs

_CODE = ("attribution", "audit", "evaluation", "frameworks")  # the rooms that an audit's figures come from
_NAMES = {"keras": "Keras", "torch": "Torch"}
_PACKAGES = {"keras": ("keras", "tensorflow"), "torch": ("torch",)}
_OTHERS = ("numpy", "scipy", "pandas", "scikit-learn", "cleanlab", "fairlearn", "pandera")


@section(1, "Identity", "What exactly was audited, and with what?")
def identity(subject: Subject, checks: tuple[Check, ...]) -> Part:
    prints = fingerprints(subject)
    model, n = subject.model, len(subject)
    shapes = " + ".join(str(a.shape[1:]) for a in subject.inputs)
    facts = [
        ("Model, SHA-256 of structure and weights", prints["model"]),
        ("Data, SHA-256 of inputs and labels", prints["data"]),
        ("Training data, SHA-256", prints.get("train", "not given")),
        ("Background, SHA-256", prints["background"]),
        ("dlexplain's own code, SHA-256", prints["code"]),
        ("Framework", _NAMES.get(model.framework, model.framework)),
        ("Model class", type(model.raw).__name__),
        ("Layers", len(model.layers)),
        ("Parameters", sum(layer.parameters for layer in model.layers)),
        ("Device", str(model.device)),
        ("Samples audited", n),
        ("Shape of one sample", shapes),
        ("Kind of input", subject.kind),
        ("Task", subject.task),
        ("Classes", len(subject.class_names) if subject.task == "classification" else "none, a regression"),
        ("Training samples", len(subject.train[1]) if subject.train else "not given"),
        ("Methods examined", ", ".join([*methods(subject), *subject.explainers])),
        ("Profile of thresholds", subject.profile.name),
        ("Seed", subject.seed),
    ]
    words = f"A {_NAMES.get(model.framework, model.framework)} model for {subject.task} was audited on {n} samples with seed {subject.seed}."
    return Part(
        number=1,
        title="Identity",
        question="What exactly was audited, and with what?",
        summary=(words, *subject.assumed),
        facts=tuple(facts),
        checks=checks,
        tables=(_versions(subject), _layers(subject)),
        limits=(
            "A hash tells that two models or data sets are the same; it does not tell where they came from.",
            "What was assumed of the model's scores and of the task stands above; if it is wrong, so is what follows.",
        ),
        stamps={
            "written": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "system": platform.platform(),
        },
    )


def fingerprints(subject: Subject) -> dict[str, str]:
    """SHA-256 of the model, of each data set and of dlexplain's code."""

    def make() -> dict[str, str]:
        found = {
            "model": subject.model.fingerprint,
            "data": _of_arrays(subject.inputs, subject.labels, *_sorted(subject)),
            "background": _of_arrays(subject.background),
            "code": code(),
        }
        if subject.train is not None:
            found["train"] = _of_arrays(subject.train[0], subject.train[1])
        return found

    return subject.once("fingerprints", make)


@cache  # of the files as they were when this process began to audit: what it runs
def code() -> str:
    """SHA-256 over the files that an audit's figures come from, by name."""
    digest, root = hashlib.sha256(), resources.files("dlexplain")
    for room in _CODE:
        for name, file in sorted(_files(root / room, room)):
            digest.update(name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _files(folder: Traversable, name: str):
    for item in folder.iterdir():
        if item.is_dir() and item.name != "__pycache__":
            yield from _files(item, f"{name}/{item.name}")
        elif item.name.endswith((".py", ".json")):
            yield f"{name}/{item.name}", item


def _sorted(subject: Subject) -> list[np.ndarray]:
    return [values for _, values in sorted(subject.columns.items())]


def _of_arrays(inputs: Inputs, *others: np.ndarray) -> str:
    digest = hashlib.sha256()
    for array in (*inputs, *others):
        if array.dtype == object:
            array = np.array([str(v) for v in array.ravel()], dtype=str)
        array = np.ascontiguousarray(array)
        digest.update(f"{array.shape} {array.dtype.str}".encode())
        digest.update(array.reshape(-1).view(np.uint8))  # its own bytes: a copy would double the memory
    return digest.hexdigest()


def _versions(subject: Subject) -> Table:
    import dlexplain

    rows = [("dlexplain", dlexplain.__version__), ("Python", platform.python_version())]
    for name in (*_PACKAGES.get(subject.model.framework, ()), *_OTHERS):
        try:
            rows.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            rows.append((name, "not installed"))
    return Table(id="identity-versions", title="Versions", columns=("package", "version"), rows=tuple(rows))


def _layers(subject: Subject) -> Table:
    rows = tuple(
        (layer.name, layer.type, "" if layer.output_shape is None else str(layer.output_shape), layer.parameters)
        for layer in subject.model.layers
    )
    columns = ("layer", "type", "output shape", "parameters")
    return Table(id="identity-layers", title="Layers of the model", columns=columns, rows=rows)
