"""Complexity: on how few features does an explanation rest?"""

from __future__ import annotations

import numpy as np

from dlexplain.evaluation.curves import curve, part, ranking, stops
from dlexplain.evaluation.metric import metric
from dlexplain.evaluation.trial import Trial


@metric(
    family="complexity",
    answers="How unequally does the map spread over the features?",
    better="higher",
    best=1.0,
    cost="none beyond the map",
    cannot="does not ask whether the map is true: one wrong pixel alone scores best",
    paper="arXiv:1810.06583",
    default=True,
)
def sparseness(trial: Trial) -> np.ndarray:
    """The Gini index of the sizes of the values: 0 when all features are equal, `1 - 1/d` when one holds everything.

    Chalasani, Chen, Roy Chowdhury, Jha, Wu (2018), Concise Explanations of Neural Networks, arXiv:1810.06583.
    """
    sizes = np.sort(np.abs(trial.per_feature()), 1)
    d, total = sizes.shape[1], sizes.sum(1)
    weight = 2 * np.arange(1, d + 1) - d - 1
    found = np.full(len(sizes), np.nan)
    return np.divide(sizes @ weight, d * total, out=found, where=total > 0)


@metric(
    family="complexity",
    answers="How evenly does the map spread over the features?",
    better="lower",
    best=0.0,
    cost="none beyond the map",
    cannot="does not ask whether the map is true: one wrong pixel alone scores best",
    paper="arXiv:2005.00631",
)
def complexity(trial: Trial) -> np.ndarray:
    """The entropy, in nats, of each feature's share of the sizes: 0 when one holds everything, `log d` when all are equal.

    Bhatt, Weller, Moura (2020), Evaluating and Aggregating Feature-based Model Explanations, arXiv:2005.00631.
    """
    sizes = np.abs(trial.per_feature())
    total = sizes.sum(1, keepdims=True)
    shares = np.divide(sizes, total, out=np.zeros_like(sizes), where=total > 0)
    entropy = -(shares * np.log(np.where(shares > 0, shares, 1))).sum(1)
    return np.where(total[:, 0] > 0, entropy + 0.0, np.nan)


@metric(
    family="complexity",
    answers="How many of the most relevant features suffice for the output?",
    better="lower",
    best=1.0,
    cost="steps (at most 32) x 1 forward",
    cannot="counts no finer than its steps; an output that needs many features looks like a wrong map",
    paper="arXiv:2007.07584",
)
def effective_complexity(trial: Trial, *, tolerance: float = 0.1, steps: int | None = None) -> np.ndarray:
    """The least k for which the k features of largest size alone, the rest at the baseline, give the output to within
    `tolerance` of its change from the baseline.

    Nguyen, Martinez (2020), On quantitative aspects of model interpretability, arXiv:2007.07584.
    """
    part("tolerance", tolerance)
    kept = stops(trial.count, steps)
    curves = curve(trial, ranking(trial.per_feature(), absolute=True), kept, insert=True)
    allowed = tolerance * np.abs(trial.output - trial.baseline_output)
    enough = np.abs(curves - trial.output[:, None]) <= allowed[:, None]
    return kept[enough.argmax(1)].astype(np.float64)
