"""Notebooks that learners hand in: whose they are, which lesson, and the record that their last cell left in them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlexplain.classroom.progress import PARTS, RECORD
from dlexplain.errors import InputError

_LESSON = re.compile(r"classroom\.lesson\(\s*(\d{1,2})\s*\)")
_NAMED = re.compile(r"\d\d_[a-z0-9_]*")  # a lesson's own name: small letters
LARGEST = 50_000_000  # bytes of a notebook


@dataclass(frozen=True)
class HandedIn:
    """One notebook. `record`: what the learner did, None where the last cell was not run; `fault`: why it can't be read."""

    path: Path
    learner: str
    number: int | None
    record: Mapping[str, Any] | None = field(default=None, repr=False)
    fault: str = ""


def handed_in(folder: Path) -> list[HandedIn]:
    """Every notebook under a folder; one that cannot be read is told, not raised. InputError where there is none.

    The learner's name is that of the folder the notebook lies in, else what its name has beside the lesson's.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.")
    paths = sorted(p for p in folder.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
    if not paths:
        raise InputError(f"No notebooks (*.ipynb) are under {folder}.")
    return [_read(path, folder) for path in paths]


def _read(path: Path, folder: Path) -> HandedIn:
    learner = _learner(path, folder)
    try:
        if path.stat().st_size > LARGEST:
            return HandedIn(path, learner, None, fault=f"larger than {LARGEST // 10**6} MB")
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        sources = "\n".join("".join(cell["source"]) for cell in code)
    except (OSError, UnicodeDecodeError, ValueError, TypeError, KeyError) as fault:
        return HandedIn(path, learner, None, fault=f"not a notebook ({type(fault).__name__})")
    found = _LESSON.search(sources)
    if not found:
        return HandedIn(path, learner, None, fault="not a lesson: no dlx.classroom.lesson(...) in it")
    return HandedIn(path, learner, int(found[1]), _record(code, int(found[1])))


def _learner(path: Path, folder: Path) -> str:
    inside = path.relative_to(folder).parts[:-1]
    return inside[0] if inside else _NAMED.sub("", path.stem, count=1).strip("-_ ") or path.stem


def _record(code: list[Mapping[str, Any]], number: int) -> Mapping[str, Any] | None:
    """The last record of that lesson in the outputs, if it has the form of one."""
    for cell in reversed(code):
        for output in reversed(cell.get("outputs") or []):
            record = (output.get("data") or {}).get(RECORD)
            if isinstance(record, dict) and record.get("lesson") == number:
                parts = {part: _entries(record.get(part)) for part in PARTS}
                return {"lesson": number, **parts}
    return None


def _entries(part: Any) -> dict[str, dict[str, Any]]:
    """The entries that have the form of one: a notebook can have been changed by anybody."""
    return (
        {str(name): entry for name, entry in part.items() if isinstance(entry, dict)} if isinstance(part, dict) else {}
    )
