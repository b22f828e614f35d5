"""Downloads that are resumed when cut, checked before they count, and never seen half-done.

A file arrives as `NAME.part` in the cache and takes its name only after its SHA-256 was proved.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from dlexplain.data.entries import DataFile, Entry
from dlexplain.data.folders import cache_folder, how_to_place, locate, mismatch
from dlexplain.data.locking import alone
from dlexplain.data.unpack import unpack
from dlexplain.errors import DataError

OFFLINE_VARIABLE = "DLEXPLAIN_OFFLINE"
BARREN_TRIES = 4  # tries of one address that bring not a byte before it is given up
PAUSE = 0.5  # seconds before the second try; doubled each time
TIMEOUT = (10, 30)  # seconds to connect, and between two blocks
_BLOCK = 1 << 16

Meter = Callable[[int], object]  # told how many bytes of the present file are here


def obtain(entry: Entry, names: list[str] | None = None, *, progress: bool = True) -> dict[str, Path]:
    """Proved files of `entry` by name; what is not on this machine is downloaded into the cache.

    Raises DataError where a file cannot be had; the message says which file to put where.
    """
    wanted = [file for file in entry.files if names is None or file.name in names]
    found = {file.name: path for file in wanted if (path := locate(entry, file))}
    missing = [file for file in wanted if file.name not in found]
    if not missing:
        return found
    try:
        if entry.archives:
            found.update(_from_archive(entry, missing, progress))
        else:
            _download_all(entry, missing, found, progress)
    except DataError as error:
        left = [file for file in missing if file.name not in found]
        raise DataError(
            f"{entry.name!r} is not complete on this machine. {error}.\n{how_to_place(entry, left)}"
        ) from error
    return found


def _from_archive(entry: Entry, missing: list[DataFile], progress: bool) -> dict[str, Path]:
    """Unpack from an archive that is here, else from the first that can be downloaded."""
    target = cache_folder() / entry.folder
    for archive in entry.archives:
        path = locate(entry, archive)
        if path is not None:
            return unpack(path, missing, target)
    faults = []
    for archive in entry.archives:
        got: dict[str, Path] = {}
        try:
            _download_all(entry, [archive], got, progress)
        except DataError as error:
            faults.append(str(error))
        else:
            return unpack(got[archive.name], missing, target)
    raise DataError("; ".join(dict.fromkeys(faults)))


def _download_all(entry: Entry, files: list[DataFile], got: dict[str, Path], progress: bool) -> None:
    """Download `files` one after the other into `got`, with one bar for all of them."""
    from tqdm.auto import tqdm

    if os.environ.get(OFFLINE_VARIABLE, "") not in ("", "0"):
        raise DataError(f"{OFFLINE_VARIABLE} is set, so nothing is downloaded")
    total = sum(file.size for file in files)
    with tqdm(total=total, desc=entry.name, unit="B", unit_scale=True, disable=not progress) as bar:
        before = 0
        for file in files:
            got[file.name] = download(file, cache_folder() / entry.folder, _meter(bar, before))
            before += file.size


def _meter(bar, before: int) -> Meter:
    return lambda arrived: bar.update(before + arrived - bar.n)


def download(file: DataFile, folder: Path, meter: Meter = lambda arrived: None) -> Path:
    """Fetch one file into `folder` and prove it.

    Two processes at once: the second waits and finds it done.
    """
    path, part = folder / file.name, folder / (file.name + ".part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with alone(folder / f".{file.name}.lock"):
            if not (path.is_file() and mismatch(path, file) is None):
                _from_any(file, part, meter)
                os.replace(part, path)
    except OSError as error:
        raise DataError(f"{folder} cannot take {file.name}: {error.strerror or error}") from error
    meter(file.size)
    return path


def _from_any(file: DataFile, part: Path, meter: Meter) -> None:
    """Fill `part` from the first address that gives the promised bytes."""
    faults = []
    for url in file.urls:
        resumed = part.exists()
        fault = _from(url, file, part, meter)
        if (
            fault and resumed and not part.exists()
        ):  # the half kept from an earlier try may have been the wrong one
            fault = _from(url, file, part, meter)
        if fault is None:
            return
        faults.append(f"{url}: {fault}")
    raise DataError(f"{file.name} could not be downloaded: " + "; ".join(faults))


def _from(url: str, file: DataFile, part: Path, meter: Meter) -> str | None:
    """None where `part` now holds the promised bytes, else the fault; whole but wrong bytes are removed."""
    for fault, again in _tries(url, file, part, meter):
        if fault is not None and not again:
            return fault
    if fault is not None:
        return fault
    wrong = mismatch(part, file)
    if wrong:
        part.unlink()
    return wrong


def _tries(url: str, file: DataFile, part: Path, meter: Meter) -> Iterator[tuple[str | None, bool]]:
    """A (fault or None, whether another try may help) for each request, until all is here or none helps."""
    import requests
    import urllib3

    barren = 0
    while barren < BARREN_TRIES:
        if barren:
            time.sleep(PAUSE * 2 ** (barren - 1))
        before = _bytes_of(part)
        try:
            fault, again = _request(url, file, part, meter)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            again, have = not _never_reached(error), _bytes_of(part)
            where = f"was cut at {have:,} of {file.size:,} bytes" if again and have else "failed"
            fault = f"the connection {where} ({_in_short(error)})"
        yield fault, again
        if fault is None:
            return
        barren = 0 if _bytes_of(part) > before else barren + 1


def _request(url: str, file: DataFile, part: Path, meter: Meter) -> tuple[str | None, bool]:
    """One request, going on from what `part` holds."""
    import requests

    have = _bytes_of(part)
    if have >= file.size:
        return None, False
    headers = {"Accept-Encoding": "identity"}  # the bytes as they are: a gzip file must stay one
    if have:
        headers["Range"] = f"bytes={have}-"
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        if answer.status_code not in (200, 206, 416):
            return f"the server answered {answer.status_code} {answer.reason}", answer.status_code >= 500
        goes_on = answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if answer.status_code != 200 and not goes_on:
            part.unlink(missing_ok=True)  # from the beginning next time
            return "the server would not go on where the download was cut", True
        start = have if answer.status_code == 206 else 0
        length = answer.headers.get("Content-Length")
        if length and start + int(length) != file.size:
            offer = f"the server offers {start + int(length):,} bytes"
            return f"{offer}, expected {file.size:,} bytes with SHA-256 {file.sha256}", False
        _write(answer, part, start, file.size, meter)
    arrived = _bytes_of(part)
    if arrived >= file.size:
        return None, False
    return f"the connection was cut at {arrived:,} of {file.size:,} bytes", True


def _write(answer, part: Path, start: int, limit: int, meter: Meter) -> None:
    """Write the body to `part` from byte `start`, never more than one block over `limit`."""
    with open(part, "ab" if start else "wb") as stream:
        arrived = start
        for block in answer.raw.stream(_BLOCK, decode_content=False):
            stream.write(block)
            arrived += len(block)
            meter(min(arrived, limit))
            if arrived > limit:
                break
        stream.flush()
        os.fsync(stream.fileno())


def _bytes_of(part: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        return part.stat().st_size
    return 0


def _never_reached(error: BaseException) -> bool:
    """True where no connection came about at all: better the next address than the same again."""
    import requests
    import urllib3

    inner = error.args[0] if error.args else None
    return isinstance(error, requests.ConnectTimeout) or isinstance(inner, urllib3.exceptions.MaxRetryError)


def _in_short(error: BaseException) -> str:
    """The innermost reason, without the wrappings of urllib3."""
    while inner := getattr(error, "reason", None) or next(iter(error.args), None):
        if not isinstance(inner, BaseException):
            break
        error = inner
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 160 else text[:157] + "..."
