"""Faithfulness along a curve: does the output fall when what the map calls relevant is taken away first?"""

from __future__ import annotations

import numpy as np

from dlexplain.evaluation.curves import area, curve, ranking, span, stops
from dlexplain.evaluation.metric import metric
from dlexplain.evaluation.trial import Trial


@metric(
    family="faithfulness",
    answers="how fast the output falls when the most relevant features go first",
    better="lower",
    best=None,
    cost="steps (at most 32) passes",
    cannot="tell a wrong map from a model that answers inputs it never saw; see the size of the values",
    paper="Petsiuk, Das and Saenko 2018, RISE",
    default=True,
)
def deletion(trial: Trial, *, steps: int | None = None, absolute: bool = False) -> np.ndarray:
    """The area under `(f(x without the k most relevant) - f(b))` over the share of features gone.

    In units of the mean size of `f(x) - f(b)` over the samples, so that one sample whose output hardly changes does not
    drown the others. `absolute`: ordered by size.
    """
    gone = stops(trial.count, steps)
    curves = curve(trial, ranking(trial.per_feature(), absolute=absolute), gone)
    return area(curves - trial.baseline_output[:, None], gone) / span(trial)


@metric(
    family="faithfulness",
    answers="how fast the output rises when the most relevant features come first into the baseline",
    better="higher",
    best=None,
    cost="steps (at most 32) passes",
    cannot="tell a wrong map from a model that answers inputs it never saw; see the size of the values",
    paper="Petsiuk, Das and Saenko 2018, RISE",
    default=True,
)
def insertion(trial: Trial, *, steps: int | None = None, absolute: bool = False) -> np.ndarray:
    """The area under `(f(b with the k most relevant) - f(b))` over the share of features come, in units as in `deletion`."""
    gone = stops(trial.count, steps)
    curves = curve(trial, ranking(trial.per_feature(), absolute=absolute), gone, insert=True)
    return area(curves - trial.baseline_output[:, None], gone) / span(trial)
