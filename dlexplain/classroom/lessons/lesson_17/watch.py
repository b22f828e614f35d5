"""Lesson 17's monitors: of readings, of alarms, of explanations and of outcomes, a number a week each."""

from __future__ import annotations

import numpy as np

from dlexplain.classroom.lessons.lesson_17.stream import DELAY, Stream

BINS = 10


def psi(before: np.ndarray, now: np.ndarray) -> float:
    """The population stability index of one sensor: `before` `(n,)` is cut into ten equal parts, `now` `(m,)` dealt out."""
    edges = np.quantile(before, np.arange(1, BINS) / BINS)
    parts = [np.bincount(np.searchsorted(edges, each), minlength=BINS) / len(each) for each in (before, now)]
    old, new = (np.maximum(part, 1e-3) for part in parts)
    return float(((new - old) * np.log(new / old)).sum())


def reading_drift(before: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """PSI by week and sensor `(weeks, sensors)`; `before` `(n, sensors)`, `inputs` `(weeks, pumps, sensors)`."""
    return np.array([[psi(before[:, k], week[:, k]) for k in range(before.shape[1])] for week in inputs])


def shares(credit: np.ndarray) -> np.ndarray:
    """Each sensor's share of all credit, sizes only: `(..., pumps, sensors)` to `(..., sensors)`."""
    sizes = np.abs(credit).mean(-2)
    return sizes / sizes.sum(-1, keepdims=True)


def share_drift(weekly: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """How far the share of any sensor moved, the largest move `(weeks,)`; `weekly` `(weeks, sensors)`."""
    return np.abs(weekly - usual).max(-1)


def errors(stream: Stream, chances: np.ndarray) -> np.ndarray:
    """The share of pumps judged wrongly, as reported, by the week in which it is known: NaN in the first `DELAY` weeks."""
    wrong = ((chances > 0.5) != stream.reported).mean(1)
    return np.concatenate([np.full(DELAY, np.nan), wrong])[: len(wrong)]


def limit(quiet: np.ndarray) -> float:
    """Twice the largest value of a stretch in which nothing happened."""
    return float(2 * np.nanmax(quiet))


def monitors(
    stream: Stream, chances: np.ndarray, credit: np.ndarray, *, before: np.ndarray, rate: float, usual: np.ndarray
) -> dict[str, np.ndarray]:
    """The four monitors of one network `(weeks,)` each. `before`: readings `(n, sensors)`; `rate` and `usual`: the share
    of alarms and the sensors' shares of credit in normal times."""
    return {
        "readings": reading_drift(before, stream.inputs).max(1),
        "alarms": np.abs((chances > 0.5).mean(1) - rate),
        "explanations": share_drift(shares(credit), usual),
        "outcomes": errors(stream, chances),
    }


def first_over(values: np.ndarray, allowed: float, weeks: np.ndarray) -> int | None:
    """The first week whose value is over the limit, or None."""
    over = np.flatnonzero(np.asarray(values) > allowed)
    return int(weeks[over[0]]) if len(over) else None
