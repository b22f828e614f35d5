"""A path from the baseline that takes the calm ways first: guided integrated gradients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dlexplain.attribution.case import Case, Found, to_tokens
from dlexplain.attribution.families import curves
from dlexplain.attribution.families.embedded import embedded, moving
from dlexplain.attribution.families.gradients import count
from dlexplain.attribution.method import method
from dlexplain.errors import InputError
from dlexplain.frameworks.questions import Inputs, blocks

_STEPS = 64


@method(
    family="path",
    answers="How is the change from the baseline shared, on a path that avoids steep ground?",
    cost="65 x (1 forward, 1 backward) one after the other, more by the gap",
    cannot="the answer is relative to the baseline and to the path, which follows the model",
    paper="arXiv:2106.09788",
    complete=True,
    baseline="zeros",
    at_embedding=True,
    tolerance=0.01,
)
def guided_integrated_gradients(
    case: Case,
    *,
    steps: int | None = None,
    tolerance: float = 1e-2,
    fraction: float = 0.25,
    distance: float = 0.02,
) -> Found:
    """At each step the features of least gradient go on towards the input; gradients are summed along the moves.

    A step covers 1/`steps` of the way in the sum of absolute differences; the `fraction` of features with the smallest
    gradients moves first, none further than `distance` (a share of its way) off the straight line. `steps=None`: 64.
    Moves that miss more than their share of the `tolerance` are cut up, each piece with its own gradients. Of token ids
    the numbers of their embeddings are the features; a token's value is their sum.
    Kapishnikov and others (2021), Guided Integrated Gradients, arXiv:2106.09788, algorithm 1 and its anchors.
    """
    _check(tolerance, fraction, distance)
    given = case
    case, owners = embedded(case, "guided_integrated_gradients")
    number = _STEPS if steps is None else count(steps, "steps")
    size = np.maximum(np.abs(case.output), np.abs(case.baseline_output))
    allowed = tolerance * np.maximum(np.abs(case.difference), 1e-3 * size) / 2 / number
    start, end = _flat(case, case.baseline), _flat(case, case.inputs)
    way = np.abs(end - start)
    place, total = np.zeros(start.shape), np.zeros(start.shape)
    gradient, score = _gradients(case, start), case.baseline_output
    for step in range(1, number + 1):
        bounds = max(step / number - distance, 0), min(step / number + distance, 1)
        moved = [
            _moved(p, w, np.abs(g), *bounds, w.sum() * (1 - step / number), fraction)
            for p, w, g in zip(place, way, gradient, strict=True)
        ]
        line = _Line(case, start + place * (end - start), start + np.stack(moved) * (end - start))
        before, gradient = gradient, _gradients(case, line.high)
        share = (before + gradient) / 2 * (line.high - line.low)  # the trapezoidal rule
        below, score = score, case.model.scores(_points(case, line.high), case.target, case.rows).astype(np.float64)
        gap = np.abs(share.sum(1) - (score - below))
        missing = np.flatnonzero(gap > np.maximum(allowed, 2 * np.finfo(np.float32).eps * size))
        if len(missing):
            finer, _ = curves.halving(case.take(missing), line.take(missing), allowed[missing], 1)
            share[missing] = _flat(case.take(missing), finer)
        total, place = total + share, np.stack(moved)
    return Found(_summed(case, given, owners, total), {"steps": number})


@dataclass(frozen=True, eq=False)
class _Line:
    """A straight piece a sample, `(n, features)` at both ends."""

    case: Case
    low: np.ndarray
    high: np.ndarray

    def at(self, rows: np.ndarray, t: np.ndarray) -> Inputs:
        return _points(self.case.take(rows), self.low[rows] + t[:, None] * (self.high - self.low)[rows])

    def speed(self, rows: np.ndarray, _t: np.ndarray) -> tuple[np.ndarray | None, ...]:
        return _shaped(self.case, (self.high - self.low)[rows])

    def take(self, rows: np.ndarray) -> _Line:
        return _Line(self.case.take(rows), self.low[rows], self.high[rows])


def _moved(
    place: np.ndarray, way: np.ndarray, slope: np.ndarray, near: float, far: float, left: float, fraction: float
) -> np.ndarray:
    """Where each feature stands (share of its way, `(d,)`) when no more than `left` of all ways remains."""
    place = np.where(way > 0, np.maximum(place, near), 1)
    while True:
        open_ = place < far
        remaining = (way * (1 - place)).sum()
        if remaining <= left or not open_.any():
            return place
        slopes = np.where(open_, slope, np.inf)
        threshold = np.partition(slopes, int(fraction * (len(slopes) - 1)))[int(fraction * (len(slopes) - 1))]
        # Slopes that differ by rounding alone count as equal, so that twins take the same way.
        calm = open_ & (slope <= threshold * (1 + 1e-4))
        gain = (way * (far - place))[calm].sum()
        if gain >= remaining - left:
            place[calm] += (remaining - left) / gain * (far - place[calm])
            return place
        place[calm] = far


def _flat(case: Case, arrays: tuple[np.ndarray, ...]) -> np.ndarray:
    """`(n, features)`: all inputs that move, side by side."""
    every = zip(arrays, case.inputs, moving(case), strict=True)
    parts = [np.broadcast_to(a, x.shape).reshape(len(case), -1) for a, x, moves in every if moves]
    return np.concatenate(parts, 1, dtype=np.float64)


def _shaped(case: Case, flat: np.ndarray) -> tuple[np.ndarray | None, ...]:
    """`(n, features)` as the inputs they are; None for one that stays."""
    moves = moving(case)
    ends = np.cumsum([x[0].size for x, one in zip(case.inputs, moves, strict=True) if one])[:-1]
    parts = iter(np.split(flat, ends, 1))
    return tuple(
        next(parts).reshape(-1, *x.shape[1:]) if one else None for x, one in zip(case.inputs, moves, strict=True)
    )


def _points(case: Case, flat: np.ndarray) -> Inputs:
    """What the model is given where the features stand: the inputs that move there, the others as they are."""
    return tuple(
        x if p is None else p.astype(np.result_type(x.dtype, np.float32))
        for p, x in zip(_shaped(case, flat), case.inputs, strict=True)
    )


def _gradients(case: Case, points: np.ndarray) -> np.ndarray:
    """`(n, features)`: the gradients where the features stand."""
    parts = []
    for b in blocks(len(case), case.rows):
        part = case.take(np.arange(b.start, b.stop))
        _, gradients = case.model.one_gradient(_points(part, points[b]), part.target)
        few = [g.reshape(len(g), -1) for g, moves in zip(gradients, moving(case), strict=True) if moves]
        parts.append(np.concatenate(few, 1, dtype=np.float64))
    return np.concatenate(parts)


def _summed(case: Case, given: Case, owners: tuple[int, ...], flat: np.ndarray) -> Inputs:
    """Values in the user's inputs' shapes: those of embeddings summed to one a token."""
    values = [np.zeros(x.shape) for x in given.inputs]
    for owner, part in zip(owners, _shaped(case, flat), strict=True):
        if part is not None:
            values[owner] += to_tokens(part, given.inputs[owner])
    return tuple(values)


def _check(tolerance: float, fraction: float, distance: float) -> None:
    if not np.isfinite(tolerance) or tolerance <= 0:
        raise InputError(f"tolerance={tolerance!r} must be a share above 0, such as 1e-2.")
    if not 0 < fraction <= 1:
        raise InputError(f"fraction={fraction!r} must be a share of the features, above 0 and at most 1.")
    if not 0 <= distance <= 1:
        raise InputError(f"distance={distance!r} must be a share of the way, from 0 (the straight line) to 1.")
