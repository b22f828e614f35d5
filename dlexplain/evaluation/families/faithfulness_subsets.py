"""Faithfulness of sums: do the values of some features foretell what taking them away does to the output?"""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np

from dlexplain.errors import InputError
from dlexplain.evaluation.correlation import pearson, spearman
from dlexplain.evaluation.curves import part, ranking, whole
from dlexplain.evaluation.metric import metric
from dlexplain.evaluation.places import moved, moved_back
from dlexplain.evaluation.trial import Trial
from dlexplain.frameworks.questions import Inputs


@metric(
    family="faithfulness",
    answers="Does the output fall as far as the values of a random set of features say?",
    better="higher",
    best=1.0,
    cost="samples x 1 forward",
    cannot="blind to a wrong scale or offset; says little of a map of slopes",
    paper="arXiv:2005.00631",
    default=True,
)
def faithfulness_correlation(trial: Trial, *, samples: int = 100, share: float = 0.25) -> np.ndarray:
    """Pearson's correlation of `sum over S of a` with `f(x) - f(x, S at the baseline)` over `samples` random sets S of a
    `share` of the features, the same for every sample.

    Bhatt, Weller, Moura (2020), Evaluating and Aggregating Feature-based Model Explanations, arXiv:2005.00631.
    """
    size = max(1, round(part("share", share) * trial.count))
    removed = drawn(trial.rng("faithfulness_correlation"), trial.count, [size] * whole("samples", samples, 2))
    return pearson(trial.per_feature() @ removed.T, falls(trial, "faithfulness_correlation", removed))


@metric(
    family="faithfulness",
    answers="Does the output fall as far as the value of each feature says, taken away alone?",
    better="higher",
    best=1.0,
    cost="features (at most 256) x 1 forward",
    cannot="blind to what features do together, and to a wrong scale or offset",
    paper="arXiv:1806.07538",
)
def faithfulness_estimate(trial: Trial, *, together: int | None = None) -> np.ndarray:
    """Pearson's correlation of `a_i` with `f(x) - f(x, i at the baseline)` over the features.

    `together`: so many features, neighbours in the order of relevance, go as one (None: as many as leave 256 passes).

    Alvarez-Melis, Jaakkola (2018), Towards Robust Interpretability with Self-Explaining Neural Networks,
    arXiv:1806.07538.
    """
    sums, changes = _one_by_one(trial, trial.per_feature(), together)
    return pearson(sums, changes)


@metric(
    family="faithfulness",
    answers="Do larger values belong to features whose loss changes the output more, whichever way?",
    better="higher",
    best=1.0,
    cost="features (at most 256) x references x 1 forward",
    cannot="blind to a wrong sign or scale: only the order of sizes counts",
    paper="arXiv:2007.07584",
)
def monotonicity(trial: Trial, *, together: int | None = None) -> np.ndarray:
    """Spearman's correlation of `|a_i|` with the mean of `(f(x) - f(x, i replaced))^2` over the references of the baseline.

    Give a background set as baseline for the expectation of the paper. `together` as in `faithfulness_estimate`.

    Nguyen, Martinez (2020), On quantitative aspects of model interpretability, arXiv:2007.07584.
    """
    sizes, squares, many = np.abs(trial.per_feature()), [], len(trial.baseline[0])
    for j in range(many):
        one = trial if many == 1 else _with_reference(trial, j)
        sums, changes = _one_by_one(one, sizes, together)
        squares.append(np.square(changes))
    return spearman(sums, np.mean(squares, 0))


@metric(
    family="faithfulness",
    answers="How wrong are the values about what a random disturbance does to the output?",
    better="lower",
    best=0.0,
    cost="samples x 1 forward",
    cannot="says little alone: a map of slopes does well at it and may fail faithfulness_correlation",
    paper="arXiv:1901.09392",
)
def infidelity(
    trial: Trial,
    *,
    samples: int = 100,
    share: float = 0.25,
    noise: float | None = None,
    relative: bool = True,
    scaled: bool | None = None,
) -> np.ndarray:
    """`E[(I . a - (f(x) - f(x - I)))^2]` over random disturbances I.

    I takes a random `share` of the features to the baseline; or with `noise` it is Gaussian, of that many standard
    deviations of the input. `a` is a slope: contributions are divided by `x - b`. `relative`: divided by
    `E[(f(x) - f(x - I))^2]`, so that 1 is what a map of zeros gets; False: as in the paper. `scaled`: the map times the
    factor that suits it best, sample by sample (None: only maps that do not claim to be in the output's units).

    Yeh, Hsieh, Suggala, Inouye, Ravikumar (2019), On the (In)fidelity and Sensitivity of Explanations,
    arXiv:1901.09392.
    """
    rng, count = trial.rng("infidelity"), whole("samples", samples)
    if noise is not None:
        said, happened = _under_noise(trial, rng, count, noise)
    else:
        removed = drawn(rng, trial.count, [max(1, round(part("share", share) * trial.count))] * count)
        said, happened = trial.per_feature(_contributions(trial)) @ removed.T, falls(trial, "infidelity", removed)
    if scaled or (scaled is None and not trial.contribution):
        together, own = (said * happened).sum(1, keepdims=True), np.square(said).sum(1, keepdims=True)
        said = said * np.divide(together, own, out=np.zeros_like(own), where=own > 0)
    missed, size = np.square(said - happened).mean(1), np.square(happened).mean(1)
    if not relative:
        return missed
    return np.divide(missed, size, out=np.full(len(trial), np.nan), where=size > 0)


@metric(
    family="faithfulness",
    answers="Does the output fall as far as the values say, for sets of any size?",
    better="higher",
    best=1.0,
    cost="sizes x samples (200) x 1 forward",
    cannot="blind to a wrong scale or offset; large sets leave the data far behind",
    paper="arXiv:1711.06104",
)
def sensitivity_n(trial: Trial, *, sizes: tuple[int, ...] | None = None, samples: int = 25) -> np.ndarray:
    """The mean over n of Pearson's correlation of `sum over S of a` with `f(x) - f(x, S at the baseline)` over random
    sets S of n features. `sizes`: the n (None: eight from 1 to four fifths of the features, evenly spread in their log).

    Ancona, Ceolini, Öztireli, Gross (2018), Towards better understanding of gradient-based attribution,
    arXiv:1711.06104.
    """
    d, count = trial.count, whole("samples", samples, 2)
    if sizes is None:
        sizes = np.unique(np.geomspace(1, max(1, 0.8 * d), 8).round().astype(int))
    sizes = [whole("sizes", int(n)) for n in np.atleast_1d(sizes)]
    if max(sizes) > d:
        raise InputError(f"sensitivity_n: sizes={max(sizes)} is more than the {d} features of a sample.")
    removed = drawn(trial.rng("sensitivity_n"), d, [n for n in sizes for _ in range(count)])
    said, happened = trial.per_feature() @ removed.T, falls(trial, "sensitivity_n", removed)
    each = np.stack(
        [pearson(said[:, i : i + count], happened[:, i : i + count]) for i in range(0, len(removed), count)]
    )
    known = np.isfinite(each)
    total = np.where(known, each, 0).sum(0)
    return np.divide(total, known.sum(0), out=np.full(len(trial), np.nan), where=known.any(0))


def drawn(rng: np.random.Generator, features: int, sizes: list[int]) -> np.ndarray:
    """Bool `(len(sizes), features)`: random sets of these sizes."""
    removed = np.zeros((len(sizes), features), bool)
    for row, size in zip(removed, sizes, strict=True):
        row[rng.permutation(features)[:size]] = True
    return removed


def falls(trial: Trial, metric: str, removed: np.ndarray) -> np.ndarray:
    """`(n, k)`: how far the output falls when each set of features is at the baseline, the same sets for every sample
    and every row."""

    def make() -> np.ndarray:
        scores = trial.scores(lambda samples, start, stop: ~removed[None, start:stop], len(removed), shared=True)
        return trial.output[:, None] - scores

    return trial.once((metric, removed.shape, zlib.crc32(removed.tobytes())), make)


def _with_reference(trial: Trial, j: int) -> Trial:
    """The trial with one reference of its baseline, whose answers are kept apart."""
    kept = trial.kept.setdefault(("reference", j), {})
    return replace(trial, baseline=tuple(b[j : j + 1] for b in trial.baseline), kept=kept)


def _one_by_one(trial: Trial, values: np.ndarray, together: int | None) -> tuple[np.ndarray, np.ndarray]:
    """`(n, steps)` each: the summed values of few features at a time, and the fall of the output without them."""
    size = max(1, -(-trial.count // 256)) if together is None else whole("together", together)
    if size == 1:  # whatever their order
        return values, falls(trial, "alone", np.eye(trial.count, dtype=bool))
    steps = -(-trial.count // size)
    group = ranking(values) // size
    sums = np.zeros((len(trial), steps))
    np.add.at(sums, (np.arange(len(trial))[:, None], group), values)
    scores = trial.scores(lambda ns, start, stop: group[ns, None] != np.arange(start, stop)[:, None], steps)
    return sums, trial.output[:, None] - scores


def _contributions(trial: Trial) -> Inputs:
    """What each value adds: a slope times its distance from the baseline; token ids have no distance."""
    if trial.contribution:
        return trial.values
    distances = (x.astype(np.float64) - b.mean(0) for x, b in zip(trial.inputs, trial.baseline, strict=True))
    return tuple(
        v if kind == "tokens" else v * d for v, d, kind in zip(trial.values, distances, trial.kinds, strict=True)
    )


def _slopes(trial: Trial) -> Inputs:
    if not trial.contribution:
        return trial.values
    found = []
    for value, x, b in zip(trial.values, trial.inputs, trial.baseline, strict=True):
        away = x.astype(np.float64) - b.mean(0)
        found.append(np.divide(value, away, out=np.zeros_like(value), where=np.abs(away) > 1e-6 * np.abs(x).max()))
    return tuple(found)


def _under_noise(trial: Trial, rng: np.random.Generator, count: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    if "tokens" in trial.kinds:
        raise InputError(
            "infidelity: noise= cannot be added to token ids. Leave it out: tokens then go to the baseline."
        )
    if not noise > 0:
        raise InputError(f"infidelity: noise={noise!r} must be more than 0, in standard deviations of the input.")
    layout = trial.model.layout
    scales = [noise * float(np.std(x)) for x in trial.inputs]
    if "table" in trial.kinds:  # columns have units of their own
        scales = [
            noise * (x.std(0) if kind == "table" and len(x) > 1 else np.std(x))
            for x, kind in zip(trial.inputs, trial.kinds, strict=True)
        ]
    shapes = [moved(x[:1], kind, layout).shape[1:] for x, kind in zip(trial.inputs, trial.kinds, strict=True)]
    disturbances = tuple(
        scale * moved_back(rng.standard_normal((count, *shape)), kind, layout)
        for scale, shape, kind in zip(scales, shapes, trial.kinds, strict=True)
    )

    def near(samples: slice, start: int, stop: int) -> Inputs:
        return tuple(x[samples, None] - d[None, start:stop] for x, d in zip(trial.inputs, disturbances, strict=True))

    happened = trial.output[:, None] - trial.once(
        ("infidelity", count, float(noise)), lambda: trial.scores_near(near, count)
    )
    said = sum(
        np.reshape(v, (len(v), -1)) @ np.reshape(d, (count, -1)).T
        for v, d in zip(_slopes(trial), disturbances, strict=True)
    )
    return said, happened
