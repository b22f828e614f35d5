"""How like two maps are: by rank, by value, by structure."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal, get_args

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from dlexplain.errors import InputError
from dlexplain.evaluation.correlation import pearson, spearman
from dlexplain.evaluation.places import moved
from dlexplain.evaluation.trial import Trial

Measure = Literal["spearman", "pearson", "ssim"]
_WINDOW = 7


def measure(trial: Trial, similarity: Measure, signed: bool) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """A function of two maps `(n, features)` that gives `(n,)`: 1 for the same map, NaN where one is constant.

    "ssim" is the structural similarity of Wang, Bovik, Sheikh, Simoncelli (2004), 10.1109/TIP.2003.819861, with even
    windows of seven pixels, of maps divided by their largest size; for pictures and series alone.
    """
    if similarity not in get_args(Measure):
        raise InputError(f"similarity={similarity!r} is not one of {', '.join(map(repr, get_args(Measure)))}.")
    if similarity == "ssim":
        compare = partial(_structural, shapes=_planes(trial), span=2.0 if signed else 1.0)
    else:
        compare = spearman if similarity == "spearman" else pearson
    return compare if signed else lambda a, b: compare(np.abs(a), np.abs(b))


def known_mean(values: np.ndarray, axes: int | tuple[int, ...]) -> np.ndarray:
    """The mean of what is a number; NaN where nothing is."""
    known = np.isfinite(values)
    number = known.sum(axes)
    return np.where(number > 0, np.where(known, values, 0).sum(axes) / np.maximum(number, 1), np.nan)


def _planes(trial: Trial) -> list[tuple[int, ...]]:
    """The features of each input as a plane."""
    shapes = []
    for values, kind in zip(trial.inputs, trial.kinds, strict=True):
        shape = moved(values[:1], kind, trial.model.layout).shape[1:]
        if kind not in ("image", "series") or len(shape) < 2 or min(shape[:2]) < 2:
            raise InputError(f"similarity='ssim' wants pictures or series; a {kind} has no places. Take 'spearman'.")
        shapes.append(shape[:2])
    return shapes


def _structural(a: np.ndarray, b: np.ndarray, shapes: list[tuple[int, ...]], span: float) -> np.ndarray:
    total, first = np.zeros(len(a)), 0
    for shape in shapes:
        size = int(np.prod(shape))
        planes = [_to_one(m[:, first : first + size]).reshape(-1, *shape) for m in (a, b)]
        total += _ssim(*planes, span) * size
        first += size
    empty = (np.ptp(a, 1) == 0) | (np.ptp(b, 1) == 0)
    return np.where(empty, np.nan, total / first)


def _to_one(maps: np.ndarray) -> np.ndarray:
    size = np.abs(maps).max(1, keepdims=True)
    return maps / np.where(size > 0, size, 1)


def _ssim(a: np.ndarray, b: np.ndarray, span: float) -> np.ndarray:
    """Mean over all whole windows of `(n, height, width)`."""
    window = tuple(min(_WINDOW, s) for s in a.shape[1:])

    def mean(x: np.ndarray) -> np.ndarray:
        return sliding_window_view(x, window, (1, 2)).mean((-1, -2))

    one, two = mean(a), mean(b)
    # The sample's variance, as the paper's reference has it.
    size = window[0] * window[1]
    unbiased = size / (size - 1)
    spread = [unbiased * (mean(x * y) - m * k) for x, y, m, k in ((a, a, one, one), (b, b, two, two), (a, b, one, two))]
    c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
    top = (2 * one * two + c1) * (2 * spread[2] + c2)
    return (top / ((one**2 + two**2 + c1) * (spread[0] + spread[1] + c2))).mean((1, 2))
