"""How far explanations of the same samples agree: on which features, in which order, with which sign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlexplain.attribution.comparison import comparable
from dlexplain.attribution.result import Attribution
from dlexplain.errors import InputError
from dlexplain.evaluation.correlation import spearman

MEASURES = (
    "feature_agreement",  # of the k strongest, those that both have
    "rank_agreement",  # and at the same rank
    "sign_agreement",  # or with the same sign
    "signed_rank_agreement",  # or both
    "rank_correlation",  # Spearman's, of the sizes
    "pairwise_rank_agreement",  # of all pairs of features, those that both order alike
)
_PAIRS = 200_000  # of features that are held against each other at most


@dataclass(frozen=True, eq=False)
class Agreement:
    """`scores[measure]`: `(methods, methods, n)`, NaN where a map is constant or empty. `k`: how many of the `count`
    features, the strongest, the first four measures look at; `features`: how many the last two look at."""

    names: tuple[str, ...]
    scores: Mapping[str, np.ndarray]
    k: int
    features: int
    count: int

    def __post_init__(self) -> None:
        for values in self.scores.values():
            values.flags.writeable = False

    def __len__(self) -> int:
        return next(iter(self.scores.values())).shape[-1]

    @property
    def means(self) -> dict[str, np.ndarray]:
        """`(methods, methods)` a measure: the mean over the samples where it is defined."""
        known = {name: np.isfinite(values) for name, values in self.scores.items()}
        return {
            name: np.where(known[name].any(-1), np.where(known[name], v, 0).sum(-1), np.nan)
            / np.maximum(known[name].sum(-1), 1)
            for name, v in self.scores.items()
        }

    @property
    def table(self):
        """A row a measure and method, a column a method."""
        import pandas as pd

        index = pd.MultiIndex.from_product([list(self.scores), self.names], names=["measure", "method"])
        return pd.DataFrame(np.concatenate(list(self.means.values())), index=index, columns=list(self.names))

    @property
    def pairs(self):
        """A row a pair of methods, a column a measure."""
        import pandas as pd

        upper = [(i, j) for i in range(len(self.names)) for j in range(i + 1, len(self.names))]
        rows = [
            {"a": self.names[i], "b": self.names[j], **{m: v[i, j] for m, v in self.means.items()}} for i, j in upper
        ]
        return pd.DataFrame(rows, columns=["a", "b", *self.scores])

    def plot(self, **options: Any):
        """A Plotly figure: a square of methods a measure, values written in."""
        from dlexplain.figures import agreeing

        return agreeing.agreements(self, **options)

    def __repr__(self) -> str:
        head = f"Agreement of {', '.join(self.names)} on {len(self)} samples, the {self.k} strongest of {self.count}"
        return f"{head}\n{self.pairs.to_string(index=False, float_format=lambda v: f'{v:.2f}')}"


def agreement(
    attributions: Mapping[str, Attribution | np.ndarray] | Any,
    *,
    k: int | None = None,
    features: Sequence[int] | None = None,
    seed: int = 0,
) -> Agreement:
    """The six measures of agreement between each two of at least two explanations of the same samples.

    `attributions`: by name, as `dlx.explain` gives them or arrays `(n, ...)`; or a `Comparison`. Pictures count by pixel,
    channels summed. Strength is a value's size. `k`: None is a tenth of the features, at least three. `features`: numbers
    of those that count in the last two measures; None: all. Equal strengths go by the feature's number. Of many features
    the last measure holds 200,000 pairs, drawn with `seed`, against each other. Krishna, Han, Gu, Pombra, Jabbari, Wu,
    Lakkaraju (2022), The Disagreement Problem in Explainable Machine Learning, arXiv:2202.01602.
    """
    maps = _maps(attributions)
    count = next(iter(maps.values())).shape[1]
    size = min(count, max(3, round(count / 10))) if k is None else k
    if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or not 1 <= size <= count:
        raise InputError(f"k={k!r} must be a whole number from 1 to the number of features, {count}.")
    chosen = _chosen(features, count)
    firsts = {name: np.argsort(-np.abs(values), 1, kind="stable")[:, :size] for name, values in maps.items()}
    one, other = _held(len(chosen), seed)
    names, n = tuple(maps), len(next(iter(maps.values())))
    scores = {measure: np.ones((len(names), len(names), n)) for measure in MEASURES}
    for i, a in enumerate(names):
        for j, b in enumerate(names[: i + 1]):
            found = _top(maps[a], maps[b], firsts[a], firsts[b])
            sized = np.abs(maps[a][:, chosen]), np.abs(maps[b][:, chosen])
            found["rank_correlation"] = spearman(*sized) if len(chosen) > 1 else np.full(n, np.nan)
            found["pairwise_rank_agreement"] = _pairwise(*sized, one, other)
            for measure, values in found.items():
                scores[measure][i, j] = scores[measure][j, i] = values
    return Agreement(names, scores, int(size), len(chosen), count)


def _top(a: np.ndarray, b: np.ndarray, first: np.ndarray, second: np.ndarray) -> dict[str, np.ndarray]:
    """`(n,)` each: what the k strongest of two maps share. Empty maps have no strongest: NaN."""
    k, rows = first.shape[1], np.arange(len(a))[:, None]
    among = np.zeros(a.shape, bool)
    among[rows, second] = True
    both = among[rows, first]
    signs = np.sign(a[rows, first]) == np.sign(b[rows, first])
    same = first == second
    empty = ~(a.any(1) & b.any(1))
    found = {
        "feature_agreement": both,
        "rank_agreement": same,
        "sign_agreement": both & signs,
        "signed_rank_agreement": same & signs,
    }
    return {name: np.where(empty, np.nan, hits.sum(1) / k) for name, hits in found.items()}


def _pairwise(a: np.ndarray, b: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """`(n,)`: of the pairs of features, the share that both maps order alike; NaN where there is no pair."""
    if not len(one):
        return np.full(len(a), np.nan)
    return np.array(
        [np.mean(np.sign(x[one] - x[other]) == np.sign(y[one] - y[other])) for x, y in zip(a, b, strict=True)]
    )


def _held(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of features, or as many as are held against each other, drawn."""
    if count * (count - 1) // 2 <= _PAIRS:
        return np.triu_indices(count, 1)
    generator = np.random.default_rng(seed)
    one = generator.integers(0, count, _PAIRS)
    return one, (one + generator.integers(1, count, _PAIRS)) % count


def _chosen(features: Sequence[int] | None, count: int) -> np.ndarray:
    if features is None:
        return np.arange(count)
    chosen = np.unique(np.asarray(features))
    if chosen.dtype.kind not in "iu" or not len(chosen) or chosen.min() < 0 or chosen.max() >= count:
        raise InputError(f"features={features!r} must be numbers of features from 0 to {count - 1}.")
    return chosen


def _maps(attributions: Any) -> dict[str, np.ndarray]:
    """`(n, features)` float64 by name. Raises `InputError`."""
    given = getattr(attributions, "attributions", attributions)
    if not isinstance(given, Mapping) or len(given) < 2:
        raise InputError("agreement: give at least two explanations by name, such as {'one': a, 'other': b}.")
    maps = {str(name): _flat(name, value) for name, value in given.items()}
    shapes = {name: values.shape for name, values in maps.items()}
    if len(set(shapes.values())) > 1:
        said = ", ".join(f"{name} {shape[0]} samples of {shape[1]} features" for name, shape in shapes.items())
        raise InputError(f"agreement: the explanations are not of the same samples: {said}.")
    return maps


def _flat(name: str, value: Any) -> np.ndarray:
    values = comparable(value) if isinstance(value, Attribution) else np.asarray(value)
    if values.dtype.kind not in "fiu" or values.ndim < 2 or not values[0].size:
        raise InputError(
            f"agreement: {name!r} must be an Attribution or an array of numbers with samples first, (n, ...), not "
            f"{type(value).__name__} of shape {np.shape(values)}."
        )
    values = values.reshape(len(values), -1).astype(np.float64)
    if not np.isfinite(values).all():
        raise InputError(f"agreement: {name!r} holds values that are not finite.")
    return values
