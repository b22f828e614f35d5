"""Faithfulness along a curve: does the output fall when what the map calls relevant is taken away first?"""

from __future__ import annotations

import numpy as np

from dlexplain.evaluation.curves import area, curve, ranking, span, stops, whole
from dlexplain.evaluation.metric import metric
from dlexplain.evaluation.places import regions
from dlexplain.evaluation.trial import Trial


@metric(
    family="faithfulness",
    answers="How fast does the output fall when the most relevant features go first?",
    better="lower",
    best=None,
    cost="steps (at most 32) x 1 forward",
    cannot="takes a model that answers inputs it never saw for a wrong map",
    paper="arXiv:1806.07421",
    default=True,
)
def deletion(trial: Trial, *, steps: int | None = None, absolute: bool = False) -> np.ndarray:
    """The area under `(f(x without the k most relevant) - f(b))` over the share of features gone.

    In units of the mean size of `f(x) - f(b)` over the samples, so that one sample whose output hardly changes does not
    drown the others. `absolute`: ordered by size.

    Petsiuk, Das, Saenko (2018), RISE, arXiv:1806.07421.
    """
    gone = stops(trial.count, steps)
    curves = curve(trial, ranking(trial.per_feature(), absolute=absolute), gone)
    return area(curves - trial.baseline_output[:, None], gone) / span(trial)


@metric(
    family="faithfulness",
    answers="How fast does the output rise when the most relevant features come first?",
    better="higher",
    best=None,
    cost="steps (at most 32) x 1 forward",
    cannot="takes a model that answers inputs it never saw for a wrong map",
    paper="arXiv:1806.07421",
    default=True,
)
def insertion(trial: Trial, *, steps: int | None = None, absolute: bool = False) -> np.ndarray:
    """The area under `(f(b with the k most relevant) - f(b))` over the share of features come, in units as in `deletion`.

    Petsiuk, Das, Saenko (2018), RISE, arXiv:1806.07421.
    """
    gone = stops(trial.count, steps)
    curves = curve(trial, ranking(trial.per_feature(), absolute=absolute), gone, insert=True)
    return area(curves - trial.baseline_output[:, None], gone) / span(trial)


@metric(
    family="faithfulness",
    answers="How high is the output on average while features go, the most relevant first?",
    better="lower",
    best=None,
    cost="steps (at most 32) x 1 forward",
    cannot="in the output's own units: compares neither models nor targets",
    paper="doi:10.1371/journal.pone.0130140",
)
def pixel_flipping(trial: Trial, *, steps: int | None = None, absolute: bool = False) -> np.ndarray:
    """The area under `f(x without the k most relevant)` over the share of features gone, in the output's units.

    Bach, Binder, Montavon, Klauschen, Müller, Samek (2015), doi:10.1371/journal.pone.0130140.
    """
    gone = stops(trial.count, steps)
    return area(curve(trial, ranking(trial.per_feature(), absolute=absolute), gone), gone)


@metric(
    family="faithfulness",
    answers="How far has the output fallen on average while regions go, the most relevant first?",
    better="higher",
    best=None,
    cost="regions (at most 100) x 1 forward",
    cannot="in the output's own units; judges nothing finer than a region",
    paper="arXiv:1509.06321",
)
def region_perturbation(
    trial: Trial, *, window: int | None = None, most: int = 100, absolute: bool = False
) -> np.ndarray:
    """The area over the perturbation curve, `sum over k = 0..L of (f(x) - f(x without k regions)) / (L + 1)`.

    Regions: see `places.regions`; a region's relevance is the sum of its features'. `most`: L, if there are more.

    Samek, Binder, Montavon, Lapuschkin, Müller (2015), arXiv:1509.06321.
    """
    cells = regions(trial.model, trial.inputs, None if window is None else whole("window", window))
    total = int(cells.max()) + 1
    relevance = np.zeros((total, len(trial)))
    np.add.at(relevance, cells, trial.per_feature().T)
    places = ranking(relevance.T, absolute=absolute)[:, cells]
    gone = np.arange(min(total, whole("most", most)) + 1)
    return (trial.output[:, None] - curve(trial, places, gone, total=total)).mean(1)


@metric(
    family="faithfulness",
    answers="Does the output never fall while features come in, the least relevant first?",
    better="higher",
    best=1.0,
    cost="steps (at most 32) x 1 forward",
    cannot="a true map that holds evidence against the target cannot reach 1: those features come first and lower the output",
    paper="arXiv:1909.03012",
)
def monotonicity_arya(trial: Trial, *, steps: int | None = None, absolute: bool = False) -> np.ndarray:
    """The share of steps at which the output does not fall as features are put back in ascending order of relevance.

    The paper asks whether all steps are so, which is a share of 1.

    Arya et al. (2019), One Explanation Does Not Fit All, arXiv:1909.03012.
    """
    gone, values = stops(trial.count, steps), trial.per_feature()
    curves = curve(trial, ranking(-np.abs(values) if absolute else -values), gone, insert=True)
    rounding = 1e-6 * np.abs(curves).max(1, keepdims=True)
    return (np.diff(curves) >= -rounding).mean(1)
