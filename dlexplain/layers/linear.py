"""Linear readers: logistic and ridge regression, with their strength chosen inside the training samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

STRENGTHS = (1.0, 1e-1, 1e-2, 1e-3, 1e-4)  # strong to weak, so that each fit starts from the one before


@dataclass(frozen=True, eq=False)
class Reader:
    """A fitted reader: `scores(x)` is `(n, classes)`, or `(n, 1)` of a regression."""

    mean: np.ndarray
    scale: np.ndarray
    weights: np.ndarray  # (width, classes), for standardised features
    bias: np.ndarray  # (classes,)
    strength: float

    def scores(self, x: np.ndarray) -> np.ndarray:
        return (x - self.mean) / self.scale @ self.weights + self.bias


def fit(x: np.ndarray, y: np.ndarray, classes: int | None, folds: np.ndarray) -> Reader:
    """A reader of features `(n, width)`: `y` is class numbers, or with `classes=None` real numbers.

    The strength is lowered as long as the loss on each part of `folds` (a part's number a sample), left out, falls.
    """
    tracks = []
    for part in np.unique(folds):
        train, test = folds != part, folds == part
        tracks.append((path(x[train], y[train], classes, STRENGTHS), x[test], y[test]))
    losses: list[float] = []
    for _ in STRENGTHS:
        losses.append(
            sum(len(wanted) * loss(next(readers).scores(given), wanted, classes) for readers, given, wanted in tracks)
        )
        if losses[-1] > min(losses):
            break
    *_, reader = path(x, y, classes, STRENGTHS[: int(np.argmin(losses)) + 1])
    return reader


def path(x: np.ndarray, y: np.ndarray, classes: int | None, strengths: tuple[float, ...]) -> Iterator[Reader]:
    """Readers of falling strength on the same samples, each fitted when it is asked for."""
    mean, scale = x.mean(0, dtype=np.float64), x.std(0, dtype=np.float64)
    # Below rounding a feature is constant, and dividing by its noise would make noise of it.
    scale = np.where(scale > 1e-6 * (np.abs(mean) + 1e-30), scale, np.inf)
    standard = (x - mean) / scale
    # The penalty has no direction, so the best weights lie in the span of the samples: as many columns suffice.
    basis, squares = span(standard)
    turned = standard @ basis
    start = None
    for strength in strengths:
        if classes is None:
            bias = y.mean(keepdims=True)
            inner = (turned.T @ (y - bias)) / (squares + strength * len(y))
            weights = inner[:, None]
        else:
            start = logistic(turned, y, classes, strength, start)
            weights, bias = start[:-1], start[-1]
        yield Reader(mean, scale, basis @ weights, bias, strength)


def span(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Orthonormal columns `(width, rank)` that the samples span, and the square of their size along each."""
    n, width = x.shape
    squares, vectors = np.linalg.eigh(x @ x.T if n < width else x.T @ x)
    keep = squares > 1e-10 * max(squares[-1], 1e-30)
    squares, vectors = squares[keep][::-1], vectors[:, keep][:, ::-1]
    return (x.T @ vectors / np.sqrt(squares) if n < width else vectors), squares


def loss(scores: np.ndarray, y: np.ndarray, classes: int | None) -> float:
    """Cross-entropy, or the squared error."""
    if classes is None:
        return float(np.square(scores[:, 0] - y).mean())
    return float((_log_sum(scores)[:, 0] - scores[np.arange(len(y)), y]).mean())


def logistic(x: np.ndarray, y: np.ndarray, classes: int, strength: float, start: np.ndarray | None) -> np.ndarray:
    """`(width + 1, classes)`, bias last: mean cross-entropy plus `strength / 2` times the squared weights, at its least."""
    n, width = x.shape
    wanted = np.eye(classes)[y]
    design = np.concatenate([x, np.ones((n, 1))], 1)

    def value(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(width + 1, classes)
        scores = design @ weights
        total = _log_sum(scores)
        slope = design.T @ ((np.exp(scores - total) - wanted) / n)
        slope[:-1] += strength * weights[:-1]
        least = (total[:, 0] - (scores * wanted).sum(1)).mean() + strength / 2 * np.square(weights[:-1]).sum()
        return float(least), slope.ravel()

    begin = np.zeros((width + 1) * classes) if start is None else start.ravel()
    return minimise(value, begin).reshape(width + 1, classes)


def minimise(
    value: Callable[[np.ndarray], tuple[float, np.ndarray]], x: np.ndarray, *, steps: int = 300, memory: int = 12
) -> np.ndarray:
    """L-BFGS with a halving line search (Nocedal and Wright, Numerical Optimization, algorithms 7.4 and 7.5)."""
    here, slope = value(x)
    pairs: list[tuple[np.ndarray, np.ndarray]] = []
    for _ in range(steps):
        if np.abs(slope).max(initial=0) < 1e-5:
            break
        direction = -_inverse(slope, pairs)
        descent = float(direction @ slope)
        length = 1.0 if pairs else 1 / max(float(np.linalg.norm(slope)), 1e-30)
        for _ in range(40):
            there, new = value(x + length * direction)
            if there <= here + 1e-4 * length * descent:
                break
            length /= 2
        else:
            break
        moved, turned = length * direction, new - slope
        if moved @ turned > 1e-12 * (turned @ turned):
            pairs = [*pairs[1 - memory :], (moved, turned)]
        x, here, slope = x + moved, there, new
    return x


def _inverse(slope: np.ndarray, pairs: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """The slope times the inverse curvature that the last moves tell of."""
    product, shares = slope.copy(), []
    for moved, turned in reversed(pairs):
        shares.append((moved @ product) / (moved @ turned))
        product -= shares[-1] * turned
    if pairs:
        moved, turned = pairs[-1]
        product *= (moved @ turned) / (turned @ turned)
    for (moved, turned), part in zip(pairs, reversed(shares), strict=True):
        product += (part - (turned @ product) / (moved @ turned)) * moved
    return product


def _log_sum(scores: np.ndarray) -> np.ndarray:
    most = scores.max(1, keepdims=True)
    return most + np.log(np.exp(scores - most).sum(1, keepdims=True))


def dealt(y: np.ndarray, count: int, generator: np.random.Generator, groups: np.ndarray | None = None) -> np.ndarray:
    """`(n,)`: which of `count` parts each sample is in: classes spread evenly, and no group in two parts."""
    part = np.zeros(len(y), np.int64)
    if groups is not None:
        known, place = np.unique(groups, return_inverse=True)
        return (generator.permutation(len(known)) % count)[place.reshape(-1)]
    offset = 0
    for label in np.unique(y) if y.dtype.kind in "iu" else [None]:
        of = np.flatnonzero(y == label) if label is not None else np.arange(len(y))
        part[generator.permutation(of)] = (np.arange(len(of)) + offset) % count
        offset += len(of)
    return part
