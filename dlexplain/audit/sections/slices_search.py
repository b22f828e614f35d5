"""Groups of rows by one column or two, and those in which the model errs more often than in the others."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

LEAST = 30  # rows of a slice
FALSE = 0.05  # share of false discoveries that is put up with
EFFECT = 0.10  # by how much the share of errors must be higher
DISTINCT = 6  # a numeric column of more values is cut at its quartiles
LEVELS = 12  # the most frequent values of a column of words
COLUMNS = 12


@dataclass(frozen=True, eq=False)
class Slice:
    """`rows`: bool `(n,)`. `wrong`: the share of errors in it, `others`: in all other rows."""

    name: str
    columns: tuple[str, ...]
    rows: np.ndarray
    wrong: float
    others: float
    p: float

    @property
    def count(self) -> int:
        return int(self.rows.sum())

    @property
    def effect(self) -> float:
        return self.wrong - self.others


def levels(name: str, values: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """The groups of one column: its values as they are, or a number's quarters; each with its rows."""
    if values.dtype.kind in "iufb":
        number = values.astype(np.float64)
        known = np.unique(number[np.isfinite(number)])
        if len(known) <= DISTINCT:
            found = [(f"{name} = {v:.4g}", number == v) for v in known]
        else:
            found = _quarters(name, number)
        gaps = ~np.isfinite(number)
        return found + ([(f"{name} is missing", gaps)] if gaps.any() else [])
    words = np.array([str(v) for v in values])
    kinds, counts = np.unique(words, return_counts=True)
    frequent = kinds[np.lexsort((kinds, -counts))][:LEVELS]
    return [(f"{name} = {word}", words == word) for word in frequent]


def _quarters(name: str, number: np.ndarray) -> list[tuple[str, np.ndarray]]:
    cuts = np.unique(np.nanquantile(number[np.isfinite(number)], (0.25, 0.5, 0.75)))
    ends = [-np.inf, *cuts, np.inf]
    found = []
    for low, high in itertools.pairwise(ends):
        words = f"{low:.4g} < {name} <= {high:.4g}"
        words = f"{name} <= {high:.4g}" if low == -np.inf else f"{name} > {low:.4g}" if high == np.inf else words
        found.append((words, (number > low) & (number <= high)))
    return found


def search(columns: Mapping[str, np.ndarray], wrong: np.ndarray) -> tuple[list[Slice], list[Slice]]:
    """Every slice of one column or two with enough rows; and those that explain where the errors are.

    `wrong`: bool `(n,)`. Fisher's exact test, one-sided, all slices together by Benjamini and Hochberg (1995). Of slices
    that overlap, the one with the least p stays; another must still err more often in the rows outside of it.
    """
    single = {name: levels(name, values) for name, values in columns.items()}
    named = [(words, (name,), rows) for name, groups in single.items() for words, rows in groups]
    for a, b in itertools.combinations(single, 2):
        pairs = itertools.product(single[a], single[b])
        named += [(f"{first} and {second}", (a, b), one & two) for (first, one), (second, two) in pairs]
    tested = _tested([t for t in named if LEAST <= t[2].sum() <= len(wrong) - LEAST], wrong)
    if not tested:
        return [], []
    limit = largest_discovery([s.p for s in tested])
    open_, found = [s for s in tested if s.p <= limit and s.effect >= EFFECT], []
    left = np.ones(len(wrong), bool)
    while open_:
        again = [(p, len(s.columns), s) for s in open_ if (p := _still(s, wrong, left)) <= limit]
        if not again:
            break
        best = min(again, key=lambda a: (*a[:2], -a[2].effect))[2]
        found.append(best)
        left = left & ~best.rows
        open_ = [s for *_, s in again if s is not best]
    return tested, found


def _tested(named: Sequence[tuple[str, tuple[str, ...], np.ndarray]], wrong: np.ndarray) -> list[Slice]:
    if not named:
        return []
    rows = np.stack([r for _, _, r in named])
    size, hits, n, total = rows.sum(1), (rows & wrong).sum(1), len(wrong), int(wrong.sum())
    p = higher(hits, size, n, total)
    return [
        Slice(words, of, mask, h / s, (total - h) / (n - s), float(q))
        for (words, of, mask), s, h, q in zip(named, size.tolist(), hits.tolist(), p, strict=True)
    ]


def higher(hits: np.ndarray, size: np.ndarray, n: int, total: int) -> np.ndarray:
    """Fisher's exact p, one-sided: as many hits or more in a group of this size, drawn without regard to them."""
    from scipy.stats import hypergeom

    return np.clip(hypergeom.sf(np.asarray(hits) - 1, n, total, size), 0, 1)


def _still(s: Slice, wrong: np.ndarray, left: np.ndarray) -> float:
    """The p of a slice among the rows that no slice found has yet; 1 where it no longer errs more often there."""
    inside, n, total = s.rows & left, int(left.sum()), int((wrong & left).sum())
    size, hits = int(inside.sum()), int((inside & wrong).sum())
    if size < LEAST or n - size < LEAST or hits / size - (total - hits) / (n - size) < EFFECT:
        return 1.0
    return float(higher(np.array([hits]), np.array([size]), n, total)[0])


def largest_discovery(p: Sequence[float], share: float = FALSE) -> float:
    """The largest p that is a discovery when so many are made together (Benjamini and Hochberg 1995); -1 for none."""
    ordered = np.sort(np.asarray(p, np.float64))
    passed = ordered <= share * np.arange(1, len(ordered) + 1) / len(ordered)
    return float(ordered[np.flatnonzero(passed)[-1]]) if passed.any() else -1.0
