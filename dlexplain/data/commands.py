"""What `dlexplain data list` and `dlexplain data get NAME` do. Each prints, and returns the exit code."""

from __future__ import annotations

import sys

from dlexplain.data.entries import DOWNLOAD, Entry
from dlexplain.data.fetch import obtain
from dlexplain.data.folders import locate
from dlexplain.data.listing import ENTRIES, find
from dlexplain.data.loading import load
from dlexplain.errors import DataError, DlexplainError


def command_list() -> int:
    """Print the catalogue, a line a data set. Returns 0."""
    rows = [("NAME", "KIND", "SAMPLES", "SIZE", "HOW IT IS HAD", "WHAT")]
    rows += [(e.name, e.kind, str(e.samples), _size(e.size), _how(e), e.what) for e in ENTRIES]
    widths = [max(len(row[k]) for row in rows) for k in range(5)]
    for row in rows:
        print("  ".join([cell.ljust(width) for cell, width in zip(row, widths, strict=False)] + [row[5]]))
    return 0


def command_get(name: str) -> int:
    """Fetch a data set, or say where to put it by hand.

    Returns 0, or 1 with the reason on the error stream.
    """
    try:
        entry = find(name)
        if entry.how == DOWNLOAD:
            paths = obtain(entry)
            folders = sorted({str(path.parent) for path in paths.values()})
            print(
                f"{name}: {len(paths)} files, {_size(entry.size)}, checksums right, in {', '.join(folders)}"
            )
        else:
            load(name)
            print(f"{name}: {entry.how}; it is here, and nothing needs to be downloaded.")
    except DlexplainError as error:
        print(f"dlexplain data get: {error}", file=sys.stderr)
        return 1
    print(f"Licence: {entry.licence}. Source: {entry.source}")
    return 0


def _how(entry: Entry) -> str:
    if entry.how != DOWNLOAD:
        return entry.how
    try:
        here = all(locate(entry, file) for file in entry.files)
    except DataError:
        return "download (a file here is not the right one)"
    return "download (here)" if here else "download"


def _size(count: int) -> str:
    if not count:
        return "-"
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"
