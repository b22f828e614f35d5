"""A path from the baseline that takes the calm ways first: guided integrated gradients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dlexplain.attribution.case import Case, Found
from dlexplain.attribution.families import curves
from dlexplain.attribution.families.gradients import count
from dlexplain.attribution.method import method
from dlexplain.errors import InputError, UnsupportedModelError
from dlexplain.frameworks.questions import Inputs, blocks

_STEPS = 64


@method(
    family="path",
    answers="How is the change from the baseline shared, on a path that avoids steep ground?",
    cost="65 x (1 forward, 1 backward) one after the other, more by the gap",
    cannot="the answer is relative to the baseline and to the path, which follows the model; not for token ids",
    paper="arXiv:2106.09788",
    complete=True,
    baseline="zeros",
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
    Moves that miss more than their share of the `tolerance` are cut up, each piece with its own gradients.
    Kapishnikov and others (2021), Guided Integrated Gradients, arXiv:2106.09788, algorithm 1 and its anchors.
    """
    _check(case, tolerance, fraction, distance)
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
        below, score = score, case.model.scores(line.shaped(line.high), case.target, case.rows).astype(np.float64)
        gap = np.abs(share.sum(1) - (score - below))
        missing = np.flatnonzero(gap > np.maximum(allowed, 2 * np.finfo(np.float32).eps * size))
        if len(missing):
            finer, _ = curves.halving(case.take(missing), line.take(missing), allowed[missing], 1)
            share[missing] = _flat(case.take(missing), finer)
        total, place = total + share, np.stack(moved)
    return Found(_Line(case, start, end).shaped(total), {"steps": number})


@dataclass(frozen=True, eq=False)
class _Line:
    """A straight piece a sample, `(n, features)` at both ends."""

    case: Case
    low: np.ndarray
    high: np.ndarray

    def at(self, rows: np.ndarray, t: np.ndarray) -> Inputs:
        points = self.shaped(self.low[rows] + t[:, None] * (self.high - self.low)[rows])
        return tuple(
            p.astype(np.result_type(x.dtype, np.float32)) for p, x in zip(points, self.case.inputs, strict=True)
        )

    def speed(self, rows: np.ndarray, _t: np.ndarray) -> Inputs:
        return self.shaped((self.high - self.low)[rows])

    def take(self, rows: np.ndarray) -> _Line:
        return _Line(self.case, self.low[rows], self.high[rows])

    def shaped(self, flat: np.ndarray) -> Inputs:
        """`(n, features)` as the inputs they are."""
        ends = np.cumsum([x[0].size for x in self.case.inputs])[:-1]
        parts = np.split(flat, ends, 1)
        return tuple(p.reshape(-1, *x.shape[1:]) for p, x in zip(parts, self.case.inputs, strict=True))


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
    """`(n, features)`: all inputs side by side."""
    parts = [np.broadcast_to(a, x.shape).reshape(len(case), -1) for a, x in zip(arrays, case.inputs, strict=True)]
    return np.concatenate(parts, 1, dtype=np.float64)


def _gradients(case: Case, points: np.ndarray) -> np.ndarray:
    line, parts = _Line(case, points, points), []
    for b in blocks(len(case), case.rows):
        rows = np.arange(b.start, b.stop)
        _, gradients = case.model.one_gradient(line.at(rows, np.zeros(len(rows))), case.target.take(b))
        parts.append(np.concatenate([g.reshape(len(g), -1) for g in gradients], 1, dtype=np.float64))
    return np.concatenate(parts)


def _check(case: Case, tolerance: float, fraction: float, distance: float) -> None:
    if any(vocabulary is not None for vocabulary in case.model.token_inputs(case.inputs)):
        raise UnsupportedModelError(
            "guided_integrated_gradients: between two token ids there is no id to stand on. Methods that work: "
            "integrated_gradients, expected_gradients, deeplift."
        )
    if not np.isfinite(tolerance) or tolerance <= 0:
        raise InputError(f"tolerance={tolerance!r} must be a share above 0, such as 1e-2.")
    if not 0 < fraction <= 1:
        raise InputError(f"fraction={fraction!r} must be a share of the features, above 0 and at most 1.")
    if not 0 <= distance <= 1:
        raise InputError(f"distance={distance!r} must be a share of the way, from 0 (the straight line) to 1.")
