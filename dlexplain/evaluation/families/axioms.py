"""Does the map keep the promises that a method makes: that it sums up, sees what matters, and only the function counts?"""

from __future__ import annotations

import numpy as np

from dlexplain.attribution.families.gradients import count
from dlexplain.errors import InputError
from dlexplain.evaluation.metric import metric
from dlexplain.evaluation.places import moved
from dlexplain.evaluation.trial import Trial

_FACTS = {"family": "axioms", "better": "lower", "best": 0.0}
_ABLATION = {**_FACTS, "cost": "features x 1 forward, at most `most` of them"}


@metric(
    answers="Do the values sum to the output's change from the baseline?",
    cost="none beyond the map",
    cannot="says nothing of how the sum is shared out; judges only maps that claim it",
    paper="arXiv:1703.01365",
    default=True,
    **_FACTS,
)
def completeness_error(trial: Trial, *, tolerance: float | None = None, floor: float = 1e-3) -> np.ndarray:
    """How far the values' sum is from the output's change from the baseline that the map names, as a share of the larger
    of that change and `floor`.

    `tolerance`: None gives the share; a number gives 1 where the share is above it, else 0. A share is never held
    against zero: sums of float32 are not exact. Sundararajan, Taly, Yan (2017), Axiomatic Attribution for Deep
    Networks, arXiv:1703.01365.
    """
    lower = trial.baseline_output if trial.reference is None else trial.reference
    change = trial.output - lower
    if floor <= 0:
        raise InputError(f"floor={floor!r} must be above 0, in the unit of the output: nearer changes are not shares.")
    error = np.abs(trial.per_feature().sum(1) - change) / np.maximum(np.abs(change), floor)
    return error if tolerance is None else (error > tolerance).astype(np.float64)


@metric(
    answers="Which share of the features moves the output although the map gives them nothing?",
    cannot="takes features one at a time: misses what only several together decide",
    paper="arXiv:1703.01365",
    default=True,
    **_ABLATION,
)
def sensitivity_axiom(trial: Trial, *, change: float = 0.2, tiny: float = 1e-6, most: int = 1024) -> np.ndarray:
    """Share of features whose fall to the baseline moves the output by more than `change` though their value's size is
    under `tiny`; of at most `most` features, drawn once for all samples.

    Sundararajan, Taly, Yan (2017), Axiomatic Attribution for Deep Networks, arXiv:1703.01365.
    """
    values, effects = _alone(trial, most)
    return ((np.abs(values) < tiny) & (effects > change)).mean(1)


@metric(
    answers="For which share of the features do map and model disagree on whether they matter at all?",
    cannot="takes features one at a time; a tiny value counts as much as none only up to `tiny`",
    paper="arXiv:2007.07584",
    **_ABLATION,
)
def non_sensitivity(trial: Trial, *, change: float = 1e-5, tiny: float = 1e-6, most: int = 1024) -> np.ndarray:
    """Share of features where exactly one holds: the value is nothing, the output does not move.

    Nothing is under `tiny` of the sample's largest value; not moving is by at most `change` of the output's own size,
    which is rounding. Nguyen, Martinez (2020), On quantitative aspects of model interpretability, arXiv:2007.07584: the
    symmetric difference of the two sets.
    """
    values, effects = _alone(trial, most)
    largest = np.abs(trial.per_feature()).max(1, keepdims=True)
    size = np.maximum(np.abs(trial.output), np.abs(trial.baseline_output))[:, None]
    empty, still = np.abs(values) <= tiny * largest, effects <= change * size
    return (empty ^ still).mean(1)


@metric(
    answers="Does the map stay when all inputs are shifted and the model takes the shift back?",
    cost="1 explanation",
    cannot="blames a method whose baseline was not shifted along",
    paper="arXiv:1711.00867",
    needs=("explain",),
    kinds=("image", "table", "series"),
    **_FACTS,
)
def input_invariance(trial: Trial, *, shift: float = 1.0) -> np.ndarray:
    """Length of the map's change, in lengths of the map, when `shift` is added to every value of the input and the
    model first takes it away again: the same function of the same evidence.

    Kindermans, Hooker, Adebayo, Alber, Schuett, Daehne, Erhan, Kim (2017), The (Un)reliability of Saliency Methods,
    arXiv:1711.00867. There the shift is absorbed by the first bias; here by a layer before it, which suits any network.
    """
    if not np.isfinite(shift) or shift == 0:
        raise InputError(f"shift={shift!r} must be a number other than 0, in the unit of the inputs.")
    plain = [kind == "tokens" for kind in trial.kinds]
    shifts = tuple(
        None if p else np.full(a.shape[1:], shift, a.dtype) for p, a in zip(plain, trial.inputs, strict=True)
    )
    inputs = tuple(a if s is None else a + s for a, s in zip(trial.inputs, shifts, strict=True))
    there = trial.per_feature(trial.explain(inputs, model=trial.model.shifted(shifts)))
    return _apart(trial.per_feature(), there)


@metric(
    answers="Does another model of the same function get the same map?",
    cost="1 explanation of the twin",
    cannot="sees only this twin's difference",
    paper="arXiv:1703.01365",
    needs=("twin",),
    default=True,
    **_FACTS,
)
def implementation_invariance(trial: Trial) -> np.ndarray:
    """Largest difference of the twin's map from the model's, as a share of the model's largest value.

    Sundararajan, Taly, Yan (2017), Axiomatic Attribution for Deep Networks, arXiv:1703.01365.
    """
    if trial.twin_values is None:
        raise InputError("implementation_invariance: no twin. Give twin=, a model of the same function.")
    own = trial.per_feature()
    twins = trial.per_feature(tuple(map(_like, trial.twin_values, trial.values, trial.kinds)))
    size, apart = np.abs(own).max(1), np.abs(twins - own).max(1)
    return np.where(apart == 0, 0.0, np.where(size > 0, apart / np.where(size > 0, size, 1), np.nan))


def _alone(trial: Trial, most: int) -> tuple[np.ndarray, np.ndarray]:
    """`(n, features)` each: values, and how far the output moves when that feature alone falls to the baseline."""
    every = trial.count
    chosen = np.arange(every)
    if every > count(most, "most"):
        chosen = np.sort(trial.rng("sensitivity_axiom").choice(every, most, replace=False))

    def masks(samples: slice, start: int, stop: int) -> np.ndarray:
        kept = np.ones((1, stop - start, every), bool)
        kept[0, np.arange(stop - start), chosen[start:stop]] = False
        return kept

    scores = trial.scores(masks, len(chosen), shared=True)
    return trial.per_feature()[:, chosen], np.abs(scores - trial.output[:, None])


def _apart(own: np.ndarray, there: np.ndarray) -> np.ndarray:
    """`(n,)`: length of the difference in lengths of the map; NaN where an empty map does not stay empty."""
    size, change = np.linalg.norm(own, axis=1), np.linalg.norm(there - own, axis=1)
    return np.where(change == 0, 0.0, np.where(size > 0, change / np.where(size > 0, size, 1), np.nan))


def _like(twins: np.ndarray, own: np.ndarray, kind: str) -> np.ndarray:
    """The twin's values in the layout of the model's own."""
    if twins.shape == own.shape:
        return twins
    for changed in (moved(twins, kind, "channels_first"), np.moveaxis(twins, -1, 1)):
        if changed.shape == own.shape:
            return changed
    raise InputError(f"implementation_invariance: maps of shapes {own.shape} and {twins.shape} cannot be compared.")
