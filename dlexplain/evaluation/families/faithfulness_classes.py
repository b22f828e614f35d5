"""Faithfulness of the decision: does the predicted class go with the map?"""

from __future__ import annotations

from typing import Literal

import numpy as np

from dlexplain.errors import InputError
from dlexplain.evaluation.curves import part, ranking, whole
from dlexplain.evaluation.imputation import Imputer
from dlexplain.evaluation.metric import metric
from dlexplain.evaluation.places import moved, moved_back
from dlexplain.evaluation.trial import Trial
from dlexplain.frameworks.questions import Inputs, Target


@metric(
    family="faithfulness",
    answers="How often does the class survive when the most relevant pixels are filled in from their neighbours?",
    better="lower",
    best=0.0,
    cost="shares (7) x (1 forward, 1 banded system)",
    cannot="coarse for one sample (each share is a yes or no); neighbours may give the evidence away",
    paper="arXiv:2202.00449",
    kinds=("image",),
)
def road(
    trial: Trial,
    *,
    shares: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9),
    order: Literal["most", "least"] = "most",
    noise: float = 0.01,
) -> np.ndarray:
    """The share of `shares` at which the model still predicts the target, after so many pixels gave way to noisy linear
    imputation, the most relevant first. For a model of one output, the output's mean instead.

    `order="least"`: the least relevant first; then higher is better. `noise`: standard deviation of what is added.

    Rong, Leemann, Borisov, Kasneci, Kasneci (2022), A Consistent and Efficient Evaluation Strategy for Attribution
    Methods, arXiv:2202.00449.
    """
    if order not in ("most", "least"):
        raise InputError(f"road: order={order!r} is not one of 'most', 'least'.")
    values = trial.per_feature()
    places = ranking(values if order == "most" else -values)
    limits = np.array([int(part("shares", share) * trial.count) for share in np.atleast_1d(shares)])
    last = [moved(x, kind, trial.model.layout) for x, kind in zip(trial.inputs, trial.kinds, strict=True)]
    imputers = [Imputer(*x.shape[1:3]) for x in last]
    rng = trial.rng("road")
    grain = [noise * rng.standard_normal((len(limits), *x.shape[1:])) for x in last]

    def changed(samples: slice, start: int, stop: int) -> Inputs:
        arrays, first = [], 0
        for x, kind, imputer, grains in zip(last, trial.kinds, imputers, grain, strict=True):
            size, shape = len(imputer.near), x.shape[1:]
            removed = places[samples, None, first : first + size] < limits[start:stop, None]
            pictures = np.repeat(x[samples, None].astype(np.float64), stop - start, 1)
            filled = imputer(pictures.reshape(-1, *shape[:2], x[0].size // size), removed.reshape(-1, size))
            filled = filled.reshape(pictures.shape)
            filled += grains[None, start:stop] * removed.reshape(
                *removed.shape[:2], *shape[:2], *(1,) * (len(shape) - 2)
            )
            flat = moved_back(filled.reshape(-1, *shape), kind, trial.model.layout)
            arrays.append(flat.reshape(*removed.shape[:2], *flat.shape[1:]))
            first += size
        return tuple(arrays)

    several = len(_predicted(trial)) > 0
    return trial.scores_near(changed, len(limits), _still if several else None).mean(1)


@metric(
    family="faithfulness",
    answers="How often do samples with a similar map have the same predicted class?",
    better="higher",
    best=1.0,
    cost="1 forward",
    cannot="says nothing where most samples have one class: compare with the control rows",
    paper="arXiv:2202.00734",
)
def sufficiency(
    trial: Trial, *, neighbours: int | None = None, within: float | None = None, absolute: bool = False
) -> np.ndarray:
    """Of the other samples whose map is like this one, the share that has the same predicted class.

    Like: among the `neighbours` nearest maps (None: a tenth of the samples, one at least); or with `within`, at most that
    share of the largest distance away (NaN where no map is). Distance: Euclidean, of maps scaled to a largest size of 1,
    each feature in its standard deviations over the samples. Not defined for a model of one output.

    Dasgupta, Frost, Moshkovitz (2022), Framework for Evaluating Faithfulness of Local Explanations, arXiv:2202.00734.
    """
    classes, n = _predicted(trial), len(trial)
    found = np.full(n, np.nan)
    if not len(classes) or n < 2:
        return found
    distances = _distances(np.abs(trial.per_feature()) if absolute else trial.per_feature())
    if within is None:
        nearest = max(1, n // 10) if neighbours is None else min(whole("neighbours", neighbours), n - 1)
        limit = np.sort(distances + np.diag(np.full(n, np.inf)), 1)[:, nearest - 1, None]
        near = distances <= limit * (1 + 1e-6)
    else:
        near = distances <= part("within", within) * distances.max()
    np.fill_diagonal(near, False)
    alike = (near & (classes[:, None] == classes)).sum(1)
    return np.divide(alike, near.sum(1), out=found, where=near.any(1))


def _distances(values: np.ndarray) -> np.ndarray:
    """`(n, n)`: between maps `(n, d)`, see `sufficiency`."""
    size = np.abs(values).max(1, keepdims=True)
    maps = np.divide(values, size, out=np.zeros_like(values), where=size > 0)
    spread = maps.std(0, ddof=1)
    maps = maps[:, spread > 0] / spread[spread > 0]
    squares = np.square(maps).sum(1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares - 2 * maps @ maps.T, 0))
    np.fill_diagonal(distances, 0)
    return distances


def _still(outputs: Inputs, goal: Target) -> np.ndarray:
    """Whether each row's largest output is the target."""
    return outputs[goal.head].argmax(1) == goal.index[:, 0]


def _predicted(trial: Trial) -> np.ndarray:
    """`(n,)` class numbers; empty where the head is not a row of class scores."""

    def make() -> np.ndarray:
        output = trial.model.all_outputs(trial.inputs, trial.rows)[trial.target.head]
        return output.argmax(1) if output.ndim == 2 and output.shape[1] > 1 else np.zeros(0, int)

    return trial.once("predicted", make)
