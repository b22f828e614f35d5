"""The output along the way as features are taken away, or put back, one after the other in the order of a map."""

from __future__ import annotations

import numpy as np

from dlexplain.errors import InputError
from dlexplain.evaluation.trial import Trial


def ranking(values: np.ndarray, *, absolute: bool = False) -> np.ndarray:
    """`(n, d)`: each feature's place in its row, 0 for the largest value; of equal ones the first feature leads."""
    values = np.abs(values) if absolute else values
    order = np.argsort(-values, 1, kind="stable")
    places = np.empty_like(order)
    np.put_along_axis(places, order, np.broadcast_to(np.arange(values.shape[1]), values.shape), 1)
    return places


def stops(count: int, steps: int | None, most: int = 32) -> np.ndarray:
    """How many features are gone at each point of a curve: from 0 to all in `steps` (None: at most `most`) equal steps."""
    steps = min(count, most) if steps is None else whole("steps", steps)
    return np.unique(np.round(np.linspace(0, count, min(steps, count) + 1)).astype(np.int64))


def curve(
    trial: Trial, places: np.ndarray, gone: np.ndarray, *, insert: bool = False, total: int | None = None
) -> np.ndarray:
    """`(n, len(gone))`: the target when the features whose `places` `(n, d)` are below `gone[k]` are at the baseline;
    with `insert`, when only they are the sample's own. `total`: of places, where features share them. The ends are the
    known outputs."""
    total = trial.count if total is None else total
    inner = [k for k, number in enumerate(gone) if 0 < number < total]
    found = np.zeros((len(trial), len(gone)))
    empty, full = (trial.output, trial.baseline_output) if not insert else (trial.baseline_output, trial.output)
    found[:, gone == 0], found[:, gone == total] = empty[:, None], full[:, None]
    if inner:
        limits = gone[inner]

        def masks(samples: slice, start: int, stop: int) -> np.ndarray:
            reached = places[samples, None] < limits[start:stop, None]
            return reached if insert else ~reached

        found[:, inner] = trial.scores(masks, len(inner))
    return found


def area(curves: np.ndarray, gone: np.ndarray) -> np.ndarray:
    """`(n,)`: the mean height of each curve over the share of features gone, by the trapezoid rule."""
    share = gone / gone[-1]
    return ((curves[:, 1:] + curves[:, :-1]) / 2 * np.diff(share)).sum(1)


def span(trial: Trial) -> float:
    """The mean size, over the samples, of the output's change from the baseline; NaN where there is none."""
    change = np.abs(trial.output - trial.baseline_output)
    size = np.maximum(np.abs(trial.output), np.abs(trial.baseline_output))
    return float(change.mean()) if change.mean() > 1e-6 * size.mean() else float("nan")


def whole(name: str, value: object, least: int = 1) -> int:
    """An option that must be a whole number. Raises `InputError`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise InputError(f"{name}={value!r} must be a whole number from {least} on.")
    return int(value)


def part(name: str, value: object) -> float:
    """An option that must be a share between 0 and 1. Raises `InputError`."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not 0 < value < 1:
        raise InputError(f"{name}={value!r} must be a share between 0 and 1.")
    return float(value)
