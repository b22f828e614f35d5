"""Taking named files out of a zip archive, each proved before it takes its name."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from dlexplain.data.entries import DataFile
from dlexplain.data.folders import mismatch
from dlexplain.errors import DataError


def unpack(archive: Path, files: Iterable[DataFile], folder: Path) -> dict[str, Path]:
    """The named `files` out of `archive` (or of an archive inside it) into `folder`. Raises DataError."""
    got = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(archive) as opened:
            for file in files:
                got[file.name] = _take(opened, file, folder, archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise DataError(f"{archive} cannot be unpacked: {error}. Remove it and fetch it again.") from error
    except OSError as error:
        raise DataError(
            f"{folder} cannot take what {archive.name} holds: {error.strerror or error}."
        ) from error
    return got


def _take(opened: zipfile.ZipFile, file: DataFile, folder: Path, archive: Path) -> Path:
    """One member, found by its bare name, so that no path in the archive decides where a file goes."""
    members = {PurePosixPath(info.filename).name: info for info in opened.infolist() if not info.is_dir()}
    if file.name not in members:
        for name, info in members.items():
            if name.lower().endswith(".zip"):
                with zipfile.ZipFile(io.BytesIO(opened.read(info))) as inner:
                    return _take(inner, file, folder, archive)
        raise DataError(f"{archive} does not hold {file.name}. Fetch the archive again from its publisher.")
    # A name of its own for each process, so that two of them never write into one another's file.
    handle, name = tempfile.mkstemp(prefix=file.name, suffix=".part", dir=folder)
    part = Path(name)
    try:
        with opened.open(members[file.name]) as source, os.fdopen(handle, "wb") as target:
            shutil.copyfileobj(source, target)
        wrong = mismatch(part, file)
        if wrong:
            raise DataError(f"{file.name} in {archive} is not the promised one: {wrong}.")
        os.replace(part, folder / file.name)
    finally:
        part.unlink(missing_ok=True)
    return folder / file.name
