"""Does the map lie where the evidence is known to be? Wants data whose evidence is known, and a model that uses it."""

from __future__ import annotations

from typing import Literal

import numpy as np

from dlexplain.attribution.families.gradients import count
from dlexplain.errors import InputError
from dlexplain.evaluation.metric import metric
from dlexplain.evaluation.trial import Trial

Of = Literal["signed", "positive", "absolute"]
_FACTS = {"family": "localisation", "better": "higher", "best": 1.0, "cost": "none beyond the map", "needs": ("truth",)}
_USE = "blames the map when the model looks elsewhere than the truth says"


@metric(
    answers="Does the map's strongest value hit the evidence?",
    cannot=_USE + "; looks at one value only",
    paper="arXiv:1608.00507",
    default=True,
    **_FACTS,
)
def pointing_game(trial: Trial, *, of: Of = "signed") -> np.ndarray:
    """1 where the largest value of the map lies in the truth, else 0; among equal largest values the share that does.

    So an even map gets what a blind guess would: the truth's share of the features. NaN without truth in a sample.
    Zhang, Bargal, Lin, Brandt, Shen, Sclaroff (2018), Top-Down Neural Attention by Excitation Backprop,
    arXiv:1608.00507.
    """
    values, truth = _maps(trial, of)
    return _defined(_hits(values, truth, np.ones(len(values), np.int64)), truth)


@metric(
    answers="Which share of the map's mass lies on the evidence?",
    cannot=_USE + "; rewards few strong values",
    paper="arXiv:2003.07258",
    default=True,
    **_FACTS,
)
def relevance_mass(trial: Trial, *, of: Of = "positive") -> np.ndarray:
    """Sum of the map within the truth by its sum over the sample: of positive values, or of all sizes ("absolute").

    NaN without truth, or where the map is empty. Arras, Osman, Samek (2022), CLEVR-XAI, arXiv:2003.07258. For positive
    values it is also attribution localisation (Kohlbrenner et al. 2020, arXiv:1910.09840).
    """
    if of == "signed":
        raise InputError("relevance_mass: of='signed' has no shares, its sum may be zero. Choose positive or absolute.")
    values, truth = _maps(trial, of)
    whole = values.sum(1)
    share = (values * truth).sum(1) / np.where(whole > 0, whole, 1)
    return _defined(np.where(whole > 0, share, np.nan), truth)


@metric(
    answers="Which share of the evidence is among as many of the map's strongest values?",
    cannot=_USE + "; the order within the strongest does not count",
    paper="arXiv:2003.07258",
    **_FACTS,
)
def relevance_rank(trial: Trial, *, of: Of = "signed") -> np.ndarray:
    """Of the K largest values, K the size of the truth, the share that lies within it; ties count by their share.

    Arras, Osman, Samek (2022), CLEVR-XAI, arXiv:2003.07258.
    """
    values, truth = _maps(trial, of)
    size = truth.sum(1)
    return _defined(_hits(values, truth, np.maximum(size, 1)) / np.maximum(size, 1), truth)


@metric(
    answers="Is a feature of the evidence stronger in the map than one beside it?",
    cannot=_USE + "; counts weak values as much as strong ones",
    paper="10.1016/j.patrec.2005.10.010",
    default=True,
    **_FACTS,
)
def localisation_auc(trial: Trial, *, of: Of = "signed") -> np.ndarray:
    """Area under the ROC curve of the map's values as a detector of the truth: 0.5 is chance, ties count half.

    The chance that a feature within has a larger value than one outside (Mann, Whitney). NaN where the truth is nothing
    or all. Fawcett (2006), An introduction to ROC analysis, 10.1016/j.patrec.2005.10.010.
    """
    from scipy.stats import rankdata

    values, truth = _maps(trial, of)
    inside, outside = truth.sum(1), (~truth).sum(1)
    above = (rankdata(values, axis=1) * truth).sum(1) - inside * (inside + 1) / 2
    pairs = inside * outside
    return np.where(pairs > 0, above / np.maximum(pairs, 1), np.nan)


@metric(
    answers="Which share of the map's k strongest values lies on the evidence?",
    cannot=_USE + "; cannot reach 1 where the truth has fewer than k features",
    paper="arXiv:2104.14995",
    **_FACTS,
)
def top_k_intersection(trial: Trial, *, k: int = 10, of: Of = "signed") -> np.ndarray:
    """Share of the k largest values (of all, if there are fewer) that lies within the truth; ties count by their share.

    Theiner, Mueller-Budack, Ewerth (2021), Interpretable Semantic Photo Geolocalization,
    arXiv:2104.14995.
    """
    values, truth = _maps(trial, of)
    size = min(count(k, "k"), values.shape[1])
    return _defined(_hits(values, truth, np.full(len(values), size)) / size, truth)


def _maps(trial: Trial, of: Of) -> tuple[np.ndarray, np.ndarray]:
    """`(n, features)`: the map as asked, and whether a feature is evidence in any of its values."""
    values = trial.per_feature()
    if of not in ("signed", "positive", "absolute"):
        raise InputError(f"of={of!r} is not one of 'signed', 'positive', 'absolute'.")
    values = np.abs(values) if of == "absolute" else np.maximum(values, 0) if of == "positive" else values
    if trial.truth is None:
        raise InputError("localisation: no truth. Give truth=, True where the evidence is, in the shape of the inputs.")
    return values, trial.per_feature(tuple(np.asarray(t, np.float64) for t in trial.truth)) > 0


def _hits(values: np.ndarray, truth: np.ndarray, size: np.ndarray) -> np.ndarray:
    """`(n,)`: how many of the `size` largest values are true; of those that tie for the last places, their share."""
    edge = np.take_along_axis(-np.sort(-values, 1), size[:, None] - 1, 1)
    above, tied = values > edge, values == edge
    places = size - above.sum(1)
    return (above & truth).sum(1) + places * (tied & truth).sum(1) / tied.sum(1)


def _defined(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return np.where(truth.any(1), scores, np.nan)
