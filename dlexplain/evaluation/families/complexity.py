"""Complexity: on how few features does an explanation rest?"""

from __future__ import annotations

import numpy as np

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
