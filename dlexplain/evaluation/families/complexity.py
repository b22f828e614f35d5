"""Complexity: on how few features does an explanation rest?"""

from __future__ import annotations

import numpy as np

from dlexplain.evaluation.curves import curve, part, ranking, stops
from dlexplain.evaluation.metric import metric
from dlexplain.evaluation.trial import Trial


@metric(
    family="complexity",
    answers="how unequally the map spreads over the features",
    better="higher",
    best=1.0,
    cost="none",
    cannot="tell whether the map is true: one wrong pixel alone scores best",
    paper="Chalasani et al. 2020; Hurley and Rickard 2009",
    default=True,
)
def sparseness(trial: Trial) -> np.ndarray:
    """The Gini index of the sizes of the values: 0 when all features are equal, `1 - 1/d` when one holds everything."""
    sizes = np.sort(np.abs(trial.per_feature()), 1)
    d, total = sizes.shape[1], sizes.sum(1)
    weight = 2 * np.arange(1, d + 1) - d - 1
    found = np.full(len(sizes), np.nan)
    return np.divide(sizes @ weight, d * total, out=found, where=total > 0)


@metric(
    family="complexity",
    answers="how evenly the map spreads over the features",
    better="lower",
    best=0.0,
    cost="none",
    cannot="tell whether the map is true: one wrong pixel alone scores best",
    paper="Bhatt, Weller and Moura 2020",
)
def complexity(trial: Trial) -> np.ndarray:
    """The entropy, in nats, of each feature's share of the sizes: 0 when one holds everything, `log d` when all are equal."""
    sizes = np.abs(trial.per_feature())
    total = sizes.sum(1, keepdims=True)
    shares = np.divide(sizes, total, out=np.zeros_like(sizes), where=total > 0)
    entropy = -(shares * np.log(np.where(shares > 0, shares, 1))).sum(1)
    return np.where(total[:, 0] > 0, entropy + 0.0, np.nan)


@metric(
    family="complexity",
    answers="how many of the most relevant features suffice for the output",
    better="lower",
    best=1.0,
    cost="steps (at most 32) passes",
    cannot="count finer than its steps; tell a wrong map from an output that needs many features",
    paper="Nguyen and Martinez 2020",
)
def effective_complexity(trial: Trial, *, tolerance: float = 0.1, steps: int | None = None) -> np.ndarray:
    """The least k for which the k features of largest size alone, the rest at the baseline, give the output to within
    `tolerance` of its change from the baseline."""
    part("tolerance", tolerance)
    kept = stops(trial.count, steps)
    curves = curve(trial, ranking(trial.per_feature(), absolute=True), kept, insert=True)
    allowed = tolerance * np.abs(trial.output - trial.baseline_output)
    enough = np.abs(curves - trial.output[:, None]) <= allowed[:, None]
    return kept[enough.argmax(1)].astype(np.float64)
