"""C-MAPSS: turbofan engines that run until they fail (A. Saxena, K. Goebel, D. Simon, N.

Eklund, PHM 2008).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dlexplain.data.dataset import Dataset
from dlexplain.data.entries import Entry
from dlexplain.data.fetch import obtain
from dlexplain.errors import DataError, InputError

COLUMNS = tuple(f"setting_{k}" for k in range(1, 4)) + tuple(f"sensor_{k}" for k in range(1, 22))


@dataclass(frozen=True, eq=False, repr=False)
class EngineDataset(Dataset):
    """A row a cycle: `inputs` `(rows, 24)`, `labels` the cycles left until failure; extras `engine`, `cycle`.

    Engines of the training part run until they fail; those of the test part stop some cycles before. Where
    both parts are loaded, test engines are numbered on from the last training engine.
    """

    @property
    def engines(self) -> np.ndarray:
        """The engines' numbers, in order."""
        return np.unique(self.extras["engine"])

    def engine(self, number: int) -> EngineDataset:
        """The table of one engine, cycle after cycle."""
        rows = np.flatnonzero(self.extras["engine"] == number)
        if not len(rows):
            known = f"{self.engines[0]} to {self.engines[-1]}"
            raise InputError(f"There is no engine {number!r} here; the engines are {known}.")
        return self.take(rows)

    def windows(
        self, length: int = 30, stride: int = 1, *, cap: float | None = None, last_only: bool = False
    ) -> Dataset:
        """Stretches of `length` cycles of one engine, `(n, length, 24)`; labels: cycles left at the end.

        `stride`: cycles between the ends of two windows, counted back from each engine's last cycle. `cap`:
        labels above it count as it (125 is customary: an engine in good health shows no wear). `last_only`:
        one window an engine, as the benchmark scores it. Engines with fewer cycles than `length` give none.
        """
        for name, value in (("length", length), ("stride", stride)):
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
                raise InputError(f"`{name}` is a whole number of cycles, 1 or more, not {value!r}.")
        ends = np.concatenate([self._ends(number, length, stride, last_only) for number in self.engines])
        if not len(ends):
            raise InputError(f"No engine here ran for {length} cycles. Ask for shorter windows.")
        rows = ends[:, None] + np.arange(1 - length, 1)
        labels = self.labels[ends] if cap is None else np.minimum(self.labels[ends], np.float32(cap))
        return Dataset(
            self.name, self.inputs[rows], labels, "series", self.feature_names, None,
            self.licence, self.source, self.part, "channels_last",
            {key: value[ends] for key, value in self.extras.items()}, group="engine",
        )  # fmt: skip

    def _ends(self, number: int, length: int, stride: int, last_only: bool) -> np.ndarray:
        rows = np.flatnonzero(self.extras["engine"] == number)
        ends = rows[length - 1 :][::-1][::stride]
        cycles = self.extras["cycle"]
        ends = ends[cycles[ends] - cycles[ends - (length - 1)] == length - 1]  # no window over a gap
        return ends[:1] if last_only else ends[::-1]


def engines(entry: Entry, *, split: str | None = None, progress: bool = True) -> EngineDataset:
    """One of the four subsets; `split` None is train, then test."""
    subset = entry.options["subset"]
    parts = [split] if split else ["train", "test"]
    names = [f"{part}_{subset}.txt" for part in parts] + ([f"RUL_{subset}.txt"] if "test" in parts else [])
    paths = obtain(entry, names, progress=progress)
    tables = [read_rows(paths[f"{part}_{subset}.txt"]) for part in parts]
    left = [cycles_left(tables[k], _final(paths, subset, part)) for k, part in enumerate(parts)]
    if len(parts) == 2:
        tables[1][:, 0] += tables[0][-1, 0]
    rows = np.concatenate(tables)
    return EngineDataset.of(
        entry, rows[:, 2:].astype(np.float32), np.concatenate(left).astype(np.float32), split=split,
        class_names=None, feature_names=COLUMNS, group="engine",
        extras={"engine": rows[:, 0].astype(np.int64), "cycle": rows[:, 1].astype(np.int64)},
    )  # fmt: skip


def _final(paths: dict[str, Path], subset: str, part: str) -> np.ndarray | None:
    if part == "train":
        return None
    path = paths[f"RUL_{subset}.txt"]
    try:
        return np.loadtxt(path, ndmin=1)
    except ValueError as error:
        raise DataError(f"{path} should hold one number a line: {error}.") from error


def read_rows(path: Path | str) -> np.ndarray:
    """`(rows, 26)`: engine, cycle, 3 settings, 21 sensors. Raises DataError where a row has other columns."""
    try:
        rows = np.loadtxt(path, ndmin=2)
    except ValueError as error:
        raise DataError(f"{path} is not a C-MAPSS table: {error}.") from error
    if rows.shape[1:] != (26,) or not len(rows):
        raise DataError(f"{path} should have 26 columns and has shape {rows.shape}.")
    return rows


def cycles_left(rows: np.ndarray, final: np.ndarray | None = None) -> np.ndarray:
    """Cycles until failure at each row. `final`: what is left after each engine's last row; None: nothing."""
    numbers, last = np.unique(rows[::-1, 0], return_index=True)
    ends = rows[::-1][last, 1]
    if final is not None:
        if len(final) != len(numbers):
            raise DataError(
                f"There are {len(numbers)} engines and {len(final)} remaining lives: the files do not match."
            )
        ends = ends + final
    return ends[np.searchsorted(numbers, rows[:, 0])] - rows[:, 1]
