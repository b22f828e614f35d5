"""What a learner has done, kept on the learner's own disk and nowhere else: one JSON file a lesson."""

from __future__ import annotations

import contextlib
import copy
import datetime
import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SCHEMA = 1
RECORD = "application/vnd.dlexplain.record+json"  # how a record travels in the output of a notebook's last cell
PARTS = ("exercises", "predictions", "quiz", "orders")


def home() -> Path:
    """The folder for a learner's data: `DLEXPLAIN_HOME` where set, else the system's usual place."""
    chosen = os.environ.get("DLEXPLAIN_HOME")
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "dlexplain"


class Progress:
    """The record of one lesson. Reading never fails; what cannot be read is moved aside, what cannot be
    written is said once and kept in memory."""

    def __init__(self, number: int, folder: Path | None = None) -> None:
        self.path = (folder or home() / "progress") / f"lesson_{number:02d}.json"
        self._memory = _empty()
        self._on_disk = True

    def read(self) -> dict[str, Any]:
        """The record as it stands now."""
        if not self._on_disk:
            return copy.deepcopy(self._memory)
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return copy.deepcopy(self._memory)
        except UnicodeDecodeError:
            return self._set_aside("it is not text")
        except OSError as fault:
            self._give_up(fault)
            return copy.deepcopy(self._memory)
        try:
            record = json.loads(text)
        except ValueError:
            return self._set_aside("it is not complete JSON")
        if not _fits(record):
            return self._set_aside("it was not written by this version")
        self._memory = record
        return copy.deepcopy(record)

    def update(self, part: str, name: str, change: Callable[[dict[str, Any]], None]) -> None:
        """Change the entry of one exercise, prediction, question or ordering; two open notebooks do not lose
        each other's entries."""
        with self._lock():
            record = self.read()
            change(record[part].setdefault(name, {}))
            self._memory = record
            self._write(record)

    def _write(self, record: dict[str, Any]) -> None:
        if not self._on_disk:
            return
        part = self.path.with_name(f"{self.path.stem}.{os.getpid()}.part")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(part, "w", encoding="utf-8") as file:
                file.write(json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, self.path)
        except OSError as fault:
            with contextlib.suppress(OSError):
                part.unlink()
            self._give_up(fault)

    def _set_aside(self, why: str) -> dict[str, Any]:
        stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S-%f")
        aside = self.path.with_name(f"{self.path.stem}.unreadable-{stamp}.json")
        try:
            os.replace(self.path, aside)
        except OSError as fault:
            self._give_up(fault)
        else:
            warnings.warn(
                f"The record of your progress, {self.path.name}, could not be read: {why}. "
                f"It was kept as {aside} and a new one begins.",
                stacklevel=4,
            )
        return copy.deepcopy(self._memory)

    def _give_up(self, fault: OSError) -> None:
        self._on_disk = False
        warnings.warn(
            f"Your progress cannot be kept in {self.path.parent} ({fault.strerror or fault}); it lasts "
            "until this notebook is closed. Set DLEXPLAIN_HOME to a folder that can be written to keep it.",
            stacklevel=4,
        )

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        try:
            import fcntl
        except (
            ImportError
        ):  # Windows: the replacement of the file is atomic, only simultaneous writers may cross
            yield
            return
        with contextlib.ExitStack() as stack:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                file = stack.enter_context(open(self.path.with_suffix(".lock"), "a"))
                fcntl.flock(file, fcntl.LOCK_EX)
            except OSError as fault:
                if self._on_disk:
                    self._give_up(fault)
            yield


def _empty() -> dict[str, Any]:
    return {"schema": SCHEMA, **{part: {} for part in PARTS}}


def _fits(record: Any) -> bool:
    return (
        isinstance(record, dict)
        and record.get("schema") == SCHEMA
        and all(
            isinstance(record.get(part), dict)
            and all(isinstance(entry, dict) for entry in record[part].values())
            for part in PARTS
        )
    )
