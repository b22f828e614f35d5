"""The lessons' notebooks as they look after a run, kept until the notebook or the package changes."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from dlexplain.classroom import building, running
from dlexplain.errors import InputError

Notebook = dict[str, Any]


@dataclass(frozen=True)
class Executed:
    """A lesson's notebook with its outputs; `faults` says in words what went wrong in its run."""

    number: int
    title: str
    faults: tuple[str, ...]
    notebook: Notebook


def notebooks(folder: Path, only: Sequence[int] = (), *, solutions: bool = False) -> list[Path]:
    """The lessons' notebooks of a checkout, by number; InputError for a number without one."""
    books = folder / "notebooks" / ("solutions" if solutions else "")
    found = {int(path.name[:2]): path for path in sorted(books.glob("[0-9][0-9]_*.ipynb"))}
    missing = [number for number in only if number not in found]
    if missing or not found:
        raise InputError(
            f"There is no notebook of lesson {', '.join(f'{n:02d}' for n in missing) or 'any number'} in {books}. "
            f"There are: {', '.join(f'{n:02d}' for n in found) or 'none; run dlexplain lessons build first'}."
        )
    return [found[number] for number in (only or found)]


def executed(paths: Iterable[Path], kept: Path, *, jobs: int = 2) -> Iterator[Executed]:
    """Runs each notebook without a network, or takes its last run from the folder `kept`; in order of `paths`."""
    package = _package()
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        asked = [pool.submit(_one, path, kept, package) for path in paths]
        try:
            for each in asked:
                yield each.result()
        except BaseException:
            for each in asked:
                each.cancel()
            raise


def _one(path: Path, kept: Path, package: str) -> Executed:
    mark = hashlib.sha256(path.read_bytes() + package.encode()).hexdigest()
    file = kept / f"{path.parent.name}-{path.stem}.json"
    if file.exists():
        record = json.loads(file.read_text(encoding="utf-8"))
        if record["mark"] == mark:
            return Executed(int(path.name[:2]), path.stem, (), record["notebook"])
    run = running.run(path, sweep=False)
    print(f"ran {path.name}: {run.wall_seconds:.0f} s", file=sys.stderr, flush=True)
    if not run.faults:  # a run that failed is run again
        kept.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"mark": mark, "notebook": run.notebook}), encoding="utf-8")
    return Executed(int(path.name[:2]), path.stem, run.faults, dict(run.notebook))


def _package() -> str:
    """A fingerprint of the package's code: what a lesson shows hangs on it."""
    root, digest = building.__file__, hashlib.sha256()
    for path in sorted(Path(root).resolve().parents[1].rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
