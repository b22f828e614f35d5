"""MovieLens (GroupLens, University of Minnesota): who liked which films, one after the other.

F. M. Harper, J. A. Konstan, 2015, The MovieLens Datasets: History and Context.
"""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np

from dlexplain.data.dataset import Dataset
from dlexplain.data.entries import Entry
from dlexplain.data.fetch import obtain
from dlexplain.data.tastes import seen_before
from dlexplain.errors import DataError, InputError

_MOST = 1 << 27  # bytes in one file, many times those of the two small sets
_NO_GENRE = ("(no genres listed)", "unknown")

Reader = Callable[[str], str | None]  # the text of a file by its bare name, None where it is not there


def ratings(
    entry: Entry,
    *,
    split: str | None = None,
    path: str | Path | None = None,
    films: int = 300,
    longest: int = 20,
    liked: float = 4.0,
    progress: bool = True,
) -> Dataset:
    """The form of `tastes`: `inputs` `(people, films)`, 1 where a film was liked, without the last; `labels`: that last.

    `path`: a folder or zip of the caller's own, as GroupLens packs it (ml-latest-small or ml-100k), taken as it is;
    None: the catalogue's file, proved. `films`: the most liked ones are kept. `longest`: the last so many of a
    person. `liked`: stars from which a film counts as liked. People who liked fewer than three of the films are left
    out. Extras: `watched` `(people, longest)`, filled up with -1. `truth`: `genres`, `film_genres`.
    """
    for name, value in (("films", films), ("longest", longest)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 3:
            raise InputError(f"`{name}` is a whole number, 3 or more, not {value!r}.")
    where = Path(path).expanduser() if path is not None else next(iter(obtain(entry, progress=progress).values()))
    rows, titles, genres, flags = _read(where)
    rows = rows[rows[:, 2] >= liked]
    kept, counts = np.unique(rows[:, 1], return_counts=True)
    kept = np.sort(kept[np.lexsort((kept, -counts))][:films]).astype(np.int64)
    rows = rows[np.isin(rows[:, 1], kept)]
    watched = _in_order(rows, kept, longest)
    if not len(watched):
        raise DataError(f"{where} has nobody who gave {liked:g} stars or more to three films.")
    names = tuple(titles[number] for number in kept)
    lengths = (watched >= 0).sum(1)
    before = watched.copy()
    before[np.arange(len(watched)), lengths - 1] = -1
    return Dataset.of(
        entry,
        seen_before(before, len(kept)),
        watched[np.arange(len(watched)), lengths - 1],
        feature_names=names,
        class_names=names,
        extras={"watched": watched},
        truth={"genres": genres, "film_genres": np.stack([flags[number] for number in kept])},
    )


def _in_order(rows: np.ndarray, kept: np.ndarray, longest: int) -> np.ndarray:
    """A row of film positions for each person, the earliest first, filled up with -1."""
    rows = rows[np.lexsort((rows[:, 1], rows[:, 3], rows[:, 0]))]
    found = []
    for person in np.unique(rows[:, 0]):
        mine = np.searchsorted(kept, rows[rows[:, 0] == person, 1])[-longest:]
        if len(mine) >= 3:
            found.append(np.pad(mine, (0, longest - len(mine)), constant_values=-1))
    return np.array(found, np.int64).reshape(len(found), longest)


Read = tuple[np.ndarray, dict[int, str], tuple[str, ...], dict[int, np.ndarray]]


def _read(where: Path) -> Read:
    """Ratings `(n, 4)`: person, film, stars, time; titles; the names of genres; each film's genres as ones."""
    get = _reader(where)
    try:
        new = get("ratings.csv"), get("movies.csv")
        if None not in new:
            return _latest(*new)
        old = get("u.data"), get("u.item"), get("u.genre")
        if None not in old:
            return _hundred_thousand(*old)
    except (ValueError, KeyError, IndexError, csv.Error) as error:
        raise DataError(f"{where} is not packed as MovieLens packs its files: {error}.") from error
    raise DataError(
        f"{where} holds neither `ratings.csv` with `movies.csv` (ml-latest-small) nor `u.data`, `u.item` and `u.genre` "
        "(ml-100k). Hand over the folder or the zip as GroupLens gives it out."
    )


def _reader(where: Path) -> Reader:
    if where.is_dir():

        def from_folder(name: str) -> str | None:
            found = next(iter(sorted(where.rglob(name))), None)
            return _text(found.read_bytes()) if found and found.stat().st_size <= _MOST else None

        return from_folder
    if not where.is_file():
        raise DataError(f"{where} is not there. `path` names a folder or a zip of MovieLens.")

    def from_zip(name: str) -> str | None:
        try:
            with zipfile.ZipFile(where) as opened:
                found = [info for info in opened.infolist() if PurePosixPath(info.filename).name == name]
                return _text(opened.read(found[0])) if found and found[0].file_size <= _MOST else None
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise DataError(f"{where} cannot be unpacked: {error}. Fetch it again.") from error

    return from_zip


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")  # u.item


def _latest(ratings: str, movies: str) -> Read:
    told = csv.DictReader(io.StringIO(ratings))
    rows = [[float(row[key]) for key in ("userId", "movieId", "rating", "timestamp")] for row in told]
    films = list(csv.DictReader(io.StringIO(movies)))
    of = {int(film["movieId"]): film["genres"].split("|") for film in films}
    return _whole(rows, {int(film["movieId"]): film["title"] for film in films}, of)


def _hundred_thousand(data: str, item: str, genre: str) -> Read:
    rows = [[float(value) for value in line.split()] for line in data.splitlines() if line.strip()]
    names = [line.split("|")[0] for line in genre.splitlines() if "|" in line]
    films = [line.split("|") for line in item.splitlines() if line.strip()]
    of = {int(film[0]): [name for name, flag in zip(names, film[5:], strict=True) if flag == "1"] for film in films}
    return _whole(rows, {int(film[0]): film[1] for film in films}, of)


def _whole(rows: list[list[float]], titles: dict[int, str], of: dict[int, list[str]]) -> Read:
    table = np.array(rows, np.float64)
    if table.ndim != 2 or table.shape[1] != 4:
        raise ValueError("a rating has a person, a film, stars and a time")
    missing = set(table[:, 1].astype(int)) - set(titles)
    if missing:
        raise ValueError(f"film {min(missing)} is rated and has no title")
    genres = tuple(sorted({name for mine in of.values() for name in mine} - set(_NO_GENRE)))
    flags = {film: np.array([name in mine for name in genres], np.float32) for film, mine in of.items()}
    return table, titles, genres, flags
