"""How the change from the background is shared fairly: Shapley's value and Owen's, exact or by sampling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlexplain.attribution.case import Case, Found
from dlexplain.attribution.families import coalitions
from dlexplain.attribution.families.gradients import count
from dlexplain.attribution.families.groups import (
    Players,
    check_segments,
    cut,
    joined,
    narrow,
    numbered,
    of_input,
    players,
)
from dlexplain.attribution.families.masked import scores
from dlexplain.attribution.method import method
from dlexplain.errors import InputError
from dlexplain.frameworks.questions import Inputs, blocks

# Players that are enumerated at most, coalitions of Owen values that are, and worths held at once.
_EXACT, _OWEN, _HELD = 16, 1 << 14, 1 << 22
_FACTS: dict[str, Any] = {
    "family": "Shapley",
    "complete": True,
    "baseline": "zeros",
    "background": True,
    "tolerance": 1e-3,
}


@method(
    answers="How is the change from the background shared fairly, exactly?",
    cost="2^features x background forward",
    cannot="at most 16 features or groups; takes features away that belong together",
    paper="Shapley (1953), Contributions to the Theory of Games II; arXiv:1705.07874",
    **_FACTS,
)
def exact_shapley(case: Case, *, groups: Any = None, segments: Any = None) -> Found:
    """Each feature's (or group's) mean addition to the output over all orders in which the features come in.

    All 2^d coalitions are run, those who are absent filled with the background. `groups`: as in feature_ablation; a
    group's value is spread evenly over its members. `segments`: pieces an axis into which a picture (None: 3) or a
    series (None: 8) is cut. Raises `InputError` above 16 features.
    """
    who, chosen = players(case, groups, segments, 3, 8)
    d = len(who)
    if d > _EXACT:
        raise InputError(
            f"exact_shapley: {d} features would take 2^{d} forward passes; the limit is {_EXACT}. Put features together "
            "with groups=..., or use method='kernel_shap' or 'permutation_shapley'."
        )
    kept = coalitions.members(np.arange(1, 2**d - 1), d)
    weights, whole = coalitions.shapley_weights(kept), np.full(d, 1 / d)
    return Found(_shared(case, who, kept, lambda worth, change: worth @ weights + np.outer(change, whole)), chosen)


@method(
    answers="How is the change from the background shared fairly, by random orders?",
    cost="2 x samples x features x background forward",
    cannot="each value is a sample mean, though their sum is exact",
    paper="doi:10.1016/j.cor.2008.04.004; arXiv:2104.12199",
    **_FACTS,
)
def permutation_shapley(case: Case, *, samples: int = 10, groups: Any = None, segments: Any = None) -> Found:
    """Each feature's mean addition to the output over `samples` random orders and their reverses.

    Exact where at most two features act together. `groups`, `segments` (None: 7 an axis of a picture, 20 of a
    series): as in exact_shapley. Castro, Gómez, Tejada (2009); Mitchell, Cooper, Frank, Holmes (2022).
    """
    who, chosen = players(case, groups, segments, 7, 20)
    orders = coalitions.orders_of(np.arange(len(who)), count(samples, "samples"), np.random.default_rng(case.seed))
    return Found(_along(case, who, orders), chosen)


@method(
    answers="How is the change from the background shared fairly, by regression?",
    cost="samples x background forward",
    cannot="each value is an estimate where features are many, though their sum is exact",
    paper="arXiv:1705.07874",
    **_FACTS,
)
def kernel_shap(case: Case, *, samples: int | None = None, groups: Any = None, segments: Any = None) -> Found:
    """Shapley values by weighted least squares on `samples` coalitions, constrained to sum to the output's change.

    `samples=None`: 2 x features + 2048. Where all 2^d coalitions fit, all are run and the values are exact; else sizes
    are run whole while they fit, and the rest drawn in pairs. The same coalitions serve every sample. `groups`,
    `segments` (None: 7 an axis of a picture, 20 of a series): as in exact_shapley.
    Lundberg, Lee (2017), A Unified Approach to Interpreting Model Predictions, arXiv:1705.07874.
    """
    who, chosen = players(case, groups, segments, 7, 20)
    d = len(who)
    size = 2 * d + 2048 if samples is None else count(samples, "samples")
    chosen["samples"] = size
    if d == 1:
        return Found(who.spread(case.difference[:, None]), chosen)
    if size < min(2 * d, 2**d - 2):
        raise InputError(f"samples={size} is too few for {d} features: give {2 * d} or more, or larger groups.")
    kept, weights = coalitions.kernel_coalitions(d, size, np.random.default_rng(case.seed))
    solution, whole = coalitions.kernel_solution(kept, weights)
    return Found(_shared(case, who, kept, lambda worth, change: worth @ solution + np.outer(change, whole)), chosen)


@method(
    answers="How is the change shared fairly between groups, and then within each?",
    cost="2^(groups + features of one) or 2 x samples x features, x background forward",
    cannot="the answer depends on the groups; a sample mean where groups are many",
    paper="Owen (1977), Values of Games with a Priori Unions",
    **_FACTS,
)
def owen_values(case: Case, *, groups: Any = None, samples: int | None = None, segments: Any = None) -> Found:
    """Each feature's mean addition to the output over the orders in which the members of a group come together.

    `groups=None`: each of several inputs is a group; else each feature is one (the values are then Shapley's), and four
    neighbouring pieces of a picture, or two of a series, are. Pieces are cut by `segments` (None: 8 an axis of a
    picture, 20 of a series), and again where a group ends. `samples=None`: exact up to 16384 coalitions, else 10 random
    orders and their reverses; a number: that many orders, exact or not.
    """
    who, group, chosen = _unions(case, groups, segments)
    if samples is None and coalitions.owen_cost(group) <= _OWEN:
        kept, weights = coalitions.owen_weights(group)
        asked, whole = kept[1:-1], weights[-1]  # sorted: none comes first, all last
        inner = weights[1:-1]
        found = _shared(case, who, asked, lambda worth, change: worth @ inner + np.outer(change, whole))
        return Found(found, {**chosen, "exact": True})
    size = 10 if samples is None else count(samples, "samples")
    orders = coalitions.orders_of(group, size, np.random.default_rng(case.seed))
    return Found(_along(case, who, orders), {**chosen, "samples": size, "exact": False})


def _unions(case: Case, groups: Any, segments: Any) -> tuple[Players, np.ndarray, dict[str, Any]]:
    """Players, the group of each `(d,)`, and what to record. A player is a feature, or a piece within one group."""
    numbers, belongs, first = [], [], 0
    chosen: dict[str, Any] = {} if groups is None else {"groups": groups}
    for i, kind in enumerate(case.kinds):
        given = of_input(groups, i, len(case.inputs))
        shape = case.inputs[i].shape[1:]
        pieces = np.arange(int(np.prod(shape))).reshape(shape)
        if kind in ("image", "series"):
            pieces, parts = cut(case, i, segments, 8 if kind == "image" else 20)
            chosen.setdefault("segments", parts)
        if given is not None:
            union = narrow(numbered(case, i, groups), case.spatial(i))
        elif len(case.inputs) > 1:
            union = np.zeros_like(pieces)
        elif kind in ("image", "series"):
            union = cut(case, i, tuple(-(-p // 2) for p in parts), 1)[0]
        else:
            union = pieces
        both = np.broadcast_arrays(union, pieces)
        found, place = np.unique(np.stack([b.ravel() for b in both]), axis=1, return_inverse=True)
        numbers.append(place.reshape(both[0].shape))
        own = np.unique(found[0], return_inverse=True)[1]
        belongs.append(own + first)
        first += int(own.max()) + 1
    check_segments(segments, chosen)
    return joined(case, numbers), np.concatenate(belongs), chosen


def _shared(case: Case, who: Players, kept: np.ndarray, share: Callable[..., np.ndarray]) -> Inputs:
    """Values from the worth of each coalition `(samples, k)`, over that of the empty one, and the change `(samples,)`."""
    return _stream(case, who, len(kept), lambda start, stop: kept[start:stop], share)


def _along(case: Case, who: Players, orders: np.ndarray) -> Inputs:
    """Values from the chains of coalitions that grow along each order; they sum to the change by construction."""
    d = len(who)
    rank = np.argsort(orders, 1)

    def grown(start: int, stop: int) -> np.ndarray:
        order, step = np.divmod(np.arange(start, stop), d - 1)
        return rank[order] <= step[:, None]

    def share(worth: np.ndarray, change: np.ndarray) -> np.ndarray:
        chains = np.zeros((len(worth), len(orders), d + 1))
        chains[:, :, 1:d] = worth.reshape(len(worth), len(orders), d - 1)
        chains[:, :, d] = change[:, None]
        return np.take_along_axis(np.diff(chains), rank[None], 2).mean(1)

    return _stream(case, who, len(orders) * (d - 1), grown, share)


def _stream(
    case: Case, who: Players, size: int, kept: Callable[[int, int], np.ndarray], share: Callable[..., np.ndarray]
) -> Inputs:
    """Runs the coalitions for as many samples at a time as keep their worths in bounds."""
    values = np.zeros((len(case), len(who)))
    for rows in blocks(len(case), max(1, _HELD // max(size, 1))):
        part = case.take(np.arange(rows.start, rows.stop))
        worth = scores(part, size, lambda start, stop: who.masks(kept(start, stop)))
        values[rows] = share(worth - part.baseline_output[:, None], part.difference)
    return who.spread(values)
