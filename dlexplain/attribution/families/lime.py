"""A straight line fitted to the output round the sample, and how well it fits."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlexplain.attribution.case import Case, Found
from dlexplain.attribution.families import coalitions
from dlexplain.attribution.families.gradients import count
from dlexplain.attribution.families.groups import Players, players
from dlexplain.attribution.families.masked import scores
from dlexplain.attribution.method import method
from dlexplain.errors import InputError
from dlexplain.frameworks.questions import Target

_POOR = 0.5


@method(
    family="surrogate",
    answers="What does each part add, were the model a straight line round this sample?",
    cost="samples x background forward",
    cannot="as true as its line fits: see fit among the options; depends on the width of the neighbourhood",
    paper="arXiv:1602.04938",
    baseline="zeros",
    background=True,
)
def lime(
    case: Case,
    *,
    samples: int = 1000,
    groups: Any = None,
    segments: Any = None,
    width: float | None = None,
    ridge: float = 1e-3,
) -> Found:
    """Weights of a ridge regression on `samples` neighbours, which count by their nearness.

    Pictures, series, tokens, and tables with one baseline or with groups: each part is kept or filled with the baseline
    at random (`groups`, `segments` as in permutation_shapley; all ways where there are few parts), nearness is
    exp(-(1 - cosine)^2 / width^2), `width=None` is 0.25, and a part's value is its weight, spread evenly over it. A table
    with a background set: normal noise with the background's deviations, nearness exp(-distance^2 / width^2) in
    deviations, `width=None` is 0.75 sqrt(columns), and a value is weight x (column - the background's mean).
    `ridge`: the penalty as a share of a part's mean variance among the neighbours. Option `fit`: R^2 of each sample's line.
    Ribeiro, Singh, Guestrin (2016), "Why Should I Trust You?", arXiv:1602.04938.
    """
    size = count(samples, "samples")
    for name, value in (("width", width), ("ridge", ridge)):
        if value is not None and (isinstance(value, bool) or not np.isfinite(value) or value <= 0):
            raise InputError(f"{name}={value!r} must be a number above 0.")
    if case.kinds == ("table",) and len(case.baseline[0]) > 1 and groups is None and segments is None:
        wide = 0.75 * np.sqrt(case.inputs[0][0].size) if width is None else width
        weights, fit = _by_noise(case, size, wide, ridge)
        values, chosen = (weights,), {}
    else:
        wide = 0.25 if width is None else width
        who, chosen = players(case, groups, segments, 7, 20)
        weights, fit = _by_masks(case, who, size, wide, ridge)
        values = who.spread(weights)
    poor = np.flatnonzero(fit < _POOR)
    warnings = (
        (
            f"lime: the straight line fits {len(poor)} of {len(fit)} samples poorly (R² at least {fit.min():.2g}, where 1 is "
            f"a perfect fit and below {_POOR} is poor): its weights say little of the model. Give more samples, another "
            "width, or use kernel_shap.",
        )
        if len(poor)
        else ()
    )
    return Found(values, {**chosen, "width": float(wide), "fit": [float(r) for r in fit]}, warnings)


def _by_masks(case: Case, who: Players, size: int, width: float, ridge: float) -> tuple[np.ndarray, np.ndarray]:
    d = len(who)
    if 2**d <= size:
        kept = coalitions.members(np.arange(2**d - 1), d)
    else:
        kept = np.random.default_rng(case.seed).random((size, d)) < 0.5
    found = scores(case, len(kept), lambda start, stop: who.masks(kept[start:stop]))
    # The sample itself is the nearest of its neighbours.
    design = np.concatenate([np.ones((1, d)), kept])
    nearness = np.exp(-((1 - np.sqrt(design.mean(1))) ** 2) / width**2)
    return _line(design, nearness, np.concatenate([case.output[:, None], found], 1), ridge)


def _by_noise(case: Case, size: int, width: float, ridge: float) -> tuple[np.ndarray, np.ndarray]:
    x, background = case.inputs[0].astype(np.float64), case.baseline[0].astype(np.float64)
    noise = np.random.default_rng(case.seed).standard_normal((size, x.shape[1]))
    away, deviation = x - background.mean(0), background.std(0)
    found = np.empty((len(x), size))
    # A column that never varies in the background is moved by the sample's own distance from it.
    scale = np.where(deviation > 0, deviation, np.abs(away))
    for k, row in enumerate(x):
        neighbours = (row + scale[k] * noise).astype(case.inputs[0].dtype)
        target = Target(np.repeat(case.target.index[k : k + 1], size, 0), case.target.head)
        found[k] = case.model.scores((neighbours,), target, case.rows)
    design = np.concatenate([np.zeros((1, x.shape[1])), noise])
    nearness = np.exp(-np.square(design).sum(1) / width**2)
    weights, fit = _line(design, nearness, np.concatenate([case.output[:, None], found], 1), ridge)
    still = scale == 0
    return np.where(still, 0, weights * away / np.where(still, 1, scale)), fit


def _line(design: np.ndarray, nearness: np.ndarray, scores: np.ndarray, ridge: float) -> tuple[np.ndarray, np.ndarray]:
    """`(n, d)` weights of the ridge regression of each row of scores `(n, k)` on the design `(k, d)`; `(n,)` its R^2."""
    share = nearness / nearness.sum()
    x, y = design - share @ design, scores - (scores @ share)[:, None]
    weighted = x * share[:, None]
    spread = weighted.T @ x
    penalty = ridge * max(spread.trace() / len(spread), np.finfo(np.float32).tiny)
    weights = np.linalg.solve(spread + penalty * np.eye(len(spread)), weighted.T @ y.T).T
    left, whole = ((y - weights @ x.T) ** 2) @ share, (y**2) @ share
    # Scores that differ by rounding alone are a constant, and any line fits a constant.
    constant = whole <= (1e-6 * np.abs(scores).max(1)) ** 2
    return weights, np.where(constant, 1.0, 1 - left / np.where(constant, 1, whole))
