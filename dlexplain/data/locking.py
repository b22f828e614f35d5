"""One process at a time at one file."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Hold `lock`; the system lets go of it when the process ends, however it ends."""
    with open(lock, "a+b") as stream:
        _hold(stream.fileno())
        try:
            yield
        finally:
            if os.name == "nt":
                import msvcrt

                stream.seek(0)
                msvcrt.locking(stream.fileno(), msvcrt.LK_UNLCK, 1)


def _hold(handle: int) -> None:
    if os.name == "nt":
        import msvcrt

        while True:
            os.lseek(handle, 0, os.SEEK_SET)
            with contextlib.suppress(OSError):  # raised after ten seconds of waiting: wait on
                msvcrt.locking(handle, msvcrt.LK_LOCK, 1)
                return
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX)
