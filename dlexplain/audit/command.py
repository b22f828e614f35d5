"""`dlexplain audit`: reads the model and the data, runs the audit, leaves four files or none."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dlexplain.errors import DlexplainError, InputError, UnsafeFileError, UnsupportedModelError

if TYPE_CHECKING:
    from dlexplain.audit.comparing import Changes
    from dlexplain.audit.reading import AuditData
    from dlexplain.audit.result import AuditRecord
    from dlexplain.frameworks.model import Model

CODES = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 2}
ENDINGS = (".html", ".json", ".xml", ".md")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.epilog = "Exit code: 0 PASS, 1 FAIL, 2 INCONCLUSIVE, 3 could not run."
    parser.add_argument("model", metavar="MODEL", type=Path, help="a model file: .keras, .h5, .pt2, TorchScript")
    parser.add_argument(
        "data", metavar="DATA", type=Path, help=".npz, .csv, .parquet, or a folder with one folder of pictures a class"
    )
    add = parser.add_argument
    add("--out", metavar="FOLDER", type=Path, default=Path("audit"), help="where the record goes (default: ./audit)")
    add("--profile", metavar="NAME", help="the set of thresholds (default: the one for this kind of data)")
    add("--train", metavar="DATA", type=Path, help="what the model was trained on, for leakage and drift")
    add("--card", metavar="FILE", type=Path, help="YAML with the intended use, the users and foreseeable misuse")
    add("--slices", metavar="A,B", type=_listed, help="columns by which rows are grouped")
    add("--methods", metavar="A,B", type=_listed, help="methods of explanation to examine")
    add("--labels", metavar="COLUMN", help="a table's column of known answers (default: label, target, class or y)")
    add("--pixels", choices=("unit", "byte", "signed"), help="how pictures are scaled: 0 to 1, 0 to 255, -1 to 1")
    add("--seed", metavar="N", type=int, default=0, help="of every random draw (default: 0)")
    add("--limit", metavar="N", type=int, help="audit at most so many rows, drawn at random")
    add("--against", metavar="FILE", type=Path, help="an earlier audit.json: tells what changed")
    add(
        "--builder", metavar="MODULE:FUNCTION", help="your function that makes the network, for a file of weights alone"
    )
    add("--trust", action="store_true", help="open model files that can run code: only those you trust as a program")


def run(arguments: argparse.Namespace) -> int:
    """The exit code: 0 PASS, 1 FAIL, 2 INCONCLUSIVE. Raises a `DlexplainError` where it could not run."""
    from dlexplain.audit.comparing import compare

    earlier = _earlier(arguments.against)
    if arguments.card is not None and not arguments.card.is_file():
        raise InputError(f"--card: {arguments.card} is not a file.")
    with _folder(arguments.out) as workplace:
        _say(f"Opening the model {arguments.model.name}")
        model = opened(arguments.model, trust=arguments.trust, builder=arguments.builder)
        _say(f"Reading the data {arguments.data.name}")
        data = _read(arguments, model)
        for note in data.notes:
            _say(f"  {note}")
        _check_runs(model, data, arguments.model.name)
        record = _audited(arguments, model, data)
        changes = None if earlier is None else compare(earlier, record)
        _written(record, changes, workplace)
        _moved(workplace, arguments.out)
    _tell(record, arguments.out)
    if changes is not None:
        print(changes.text(), end="")
    return CODES[record.verdict]


def opened(path: Path, *, trust: bool = False, builder: str | None = None) -> Model:
    """The model in a file, refusals with what to do on the command line."""
    from dlexplain.frameworks.load import load
    from dlexplain.frameworks.quiet import hush_tensorflow

    if path.suffix.lower() in (".keras", ".h5", ".hdf5"):
        hush_tensorflow()
    try:
        model = load(path, trust=trust, builder=None if builder is None else _function(builder))
    except UnsafeFileError as error:
        raise UnsafeFileError(f"{error} On the command line: --trust.") from error
    except InputError as error:
        if "builder=" not in str(error) or builder is not None:
            raise
        raise InputError(f"{error} On the command line: --builder MODULE:FUNCTION.") from error
    if any(base.__name__ == "ScriptModule" for base in type(model.raw).__mro__):
        raise UnsupportedModelError(
            f"{path.name} is TorchScript, whose layers cannot be looked into, so that it cannot be audited. Export the network "
            "instead: torch.export.save(torch.export.export(model.eval(), (inputs,), dynamic_shapes=...), 'model.pt2'), or "
            "save its weights with safetensors and give --builder MODULE:FUNCTION."
        )
    return model


def _function(name: str) -> Callable[[], Any]:
    """The user's own function, from a module in the folder of work or installed."""
    module, _, function = name.partition(":")
    if not module or not function:
        raise InputError(f"--builder {name}: name a module and a function in it, such as mynet:make.")
    sys.path.insert(0, os.getcwd())
    try:
        found = getattr(importlib.import_module(module), function, None)
    except ImportError as error:
        raise InputError(f"--builder {name}: {error}. Run the command in the folder that holds {module}.py.") from error
    finally:
        sys.path.remove(os.getcwd())
    if not callable(found):
        raise InputError(f"--builder {name}: {module} has no function {function!r}.")
    return found


def _read(arguments: argparse.Namespace, model: Model) -> AuditData:
    from dlexplain.audit.reading import read

    return read(
        arguments.data,
        model=model,
        labels=arguments.labels,
        slices=arguments.slices or (),
        train=arguments.train,
        limit=arguments.limit,
        seed=arguments.seed,
        pixels=arguments.pixels,
    )


def _check_runs(model: Model, data: AuditData, name: str) -> None:
    """One sample through the model: what cannot be asked is said before the long work."""
    arrays = model.inputs(data.inputs, f"inputs in {data.source}")
    try:
        model.outputs(tuple(a[:1] for a in arrays))
    except DlexplainError:
        raise
    except Exception as error:  # whatever a framework raises for inputs that do not fit
        said = " ".join(str(error).split())
        raise InputError(
            f"{name} cannot be run on a sample of shape {data.inputs.shape[1:]} from {data.source}: "
            f"{type(error).__name__}: {said[:300]}"
        ) from error


def _audited(arguments: argparse.Namespace, model: Model, data: AuditData) -> AuditRecord:
    from dlexplain.audit import preparing, registry
    from dlexplain.audit.audit import record_of

    random.seed(0)  # of whatever library asks them, so that the record is the same in each run
    np.random.seed(0)
    subject = preparing.subject(
        model,
        data.inputs,
        data.labels,
        feature_names=data.feature_names,
        class_names=data.class_names,
        slices=arguments.slices,
        profile=arguments.profile,
        seed=arguments.seed,
        methods=arguments.methods,
        columns=data.columns,
        train=data.train,
        card=arguments.card,
    )
    subject = replace(subject, assumed=(*data.notes, *subject.assumed))
    subject.once("read", lambda: data)  # what was set aside while reading, for the data sheet
    return record_of(subject, registry.chosen(None), lambda number, title: _say(f"Section {number}: {title}"))


@contextlib.contextmanager
def _folder(out: Path) -> Iterator[Path]:
    """A workplace beside the record's folder, gone afterwards whatever happens."""
    if out.exists() and not out.is_dir():
        raise InputError(f"--out: {out} is a file. Name a folder.")
    place = out.absolute().parent
    place.mkdir(parents=True, exist_ok=True)
    workplace = Path(tempfile.mkdtemp(prefix=".audit-", dir=place))
    try:
        yield workplace
    finally:
        shutil.rmtree(workplace, ignore_errors=True)


def _written(record: AuditRecord, changes: Changes | None, folder: Path) -> None:
    from dlexplain.audit.report import html

    for ending in ENDINGS:
        record.save(folder / f"audit{ending}")
    if changes is not None:
        (folder / "audit.html").write_text(html.write(record, changes), encoding="utf-8", newline="\n")


def _moved(workplace: Path, out: Path) -> None:
    """All four files into the folder; an interruption waits until the last is there."""
    with _uninterrupted():
        out.mkdir(parents=True, exist_ok=True)
        for ending in ENDINGS:
            os.replace(workplace / f"audit{ending}", out / f"audit{ending}")


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _earlier(path: Path | None) -> AuditRecord | None:
    if path is None:
        return None
    if not path.is_file():
        raise InputError(f"--against: {path} is not a file. Give the audit.json of an earlier record.")
    from dlexplain.audit.result import AuditRecord

    return AuditRecord.load(path)


def _tell(record: AuditRecord, out: Path) -> None:
    print(record)
    print(f"Written: {', '.join(str(out / f'audit{ending}') for ending in ENDINGS)}")
