"""Files that are written whole or not at all: who is interrupted leaves no half page."""

from __future__ import annotations

import os
from pathlib import Path


def write(path: Path, text: str, *, encoding: str = "utf-8") -> None:
    """Writes a text beside its place and moves it there; makes the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding=encoding, newline="")
    os.replace(part, path)
