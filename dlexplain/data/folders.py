"""Where data files live: the user's own folders (read only), then the cache; all proved before use."""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterable
from pathlib import Path

from dlexplain.data.entries import DataFile, Entry
from dlexplain.errors import DataError

FOLDERS_VARIABLE = "DLEXPLAIN_DATA"
_BLOCK = 1 << 20


def own_folders() -> list[Path]:
    """The folders named in DLEXPLAIN_DATA, in order. Nothing is ever written there."""
    return [
        Path(part).expanduser() for part in os.environ.get(FOLDERS_VARIABLE, "").split(os.pathsep) if part
    ]


def cache_folder() -> Path:
    """The user's cache for downloads (XDG_CACHE_HOME is respected). Not created by asking."""
    from platformdirs import user_cache_path

    return user_cache_path("dlexplain", appauthor=False) / "data"


def places(entry: Entry, file: DataFile) -> list[Path]:
    """Where `file` may lie, in the order in which it is looked for."""
    own = [
        place for folder in own_folders() for place in (folder / entry.folder / file.name, folder / file.name)
    ]
    return [*own, cache_folder() / entry.folder / file.name]


def locate(entry: Entry, file: DataFile) -> Path | None:
    """The proved file on this machine, or None.

    Raises DataError for a file of that name with other content.
    """
    for place in places(entry, file):
        if place.is_file():
            found = mismatch(place, file)
            if found is None:
                return place
            raise DataError(
                f"{place} is not the {file.name} of {entry.name!r}: {found}. The file was left as it is. "
                f"Move it away, or put the right one in its place, and ask again."
            )
    return None


def mismatch(path: Path, file: DataFile) -> str | None:
    """None where the file is the promised one, else what was got and what was expected."""
    try:
        size, got = path.stat().st_size, checksum(path)
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror or error}. Check its permissions."
        ) from error
    if got == file.sha256:
        return None
    if file.unpacked_sha256 and unpacked_checksum(path) == file.unpacked_sha256:
        return None  # the same content, packed again by someone else
    return f"got {size:,} bytes with SHA-256 {got}, expected {file.size:,} bytes with SHA-256 {file.sha256}"


def checksum(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def unpacked_checksum(path: Path) -> str | None:
    """SHA-256 of what a gzip file holds; None where it cannot be unpacked."""
    digest = hashlib.sha256()
    try:
        with gzip.open(path, "rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
    except (OSError, EOFError, zlib.error):
        return None
    return digest.hexdigest()


def how_to_place(entry: Entry, missing: Iterable[DataFile]) -> str:
    """What to put where, for someone who has to carry the files over by hand."""
    own = own_folders()
    folder = (own[0] if own else cache_folder()) / entry.folder
    archive_note = ""
    if entry.archives:
        names = " or ".join(
            f"{archive.name} ({archive.size:,} bytes, SHA-256 {archive.sha256}, from {archive.urls[0]})"
            for archive in entry.archives
        )
        archive_note = f"\nInstead of them, the archive that holds them will do: {names}."
    missing = list(missing)
    lines = [
        f"  {file.name}  {file.size:,} bytes  SHA-256 {file.sha256}"
        + (f"  from {file.urls[0]}" if file.urls else "")
        for file in missing[:12]
    ]
    if len(missing) > len(lines):
        lines.append(f"  and {len(missing) - len(lines)} more of the same kind")
    return (
        f"Put by hand into {folder}:\n"
        + "\n".join(lines)
        + archive_note
        + f"\nThe publisher's page: {entry.source}. "
        f"Any other folder will do that is named in the environment variable {FOLDERS_VARIABLE}."
    )
