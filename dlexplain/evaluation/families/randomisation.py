"""Does the map depend on what the model has learned? Its weights are made anew, and the map should be another.

The similarity of signed values is what tells: with absolute values the map of a path method stays much the same, because
its size follows the input's. Steps are always compared with the trained network's map, and the trained network is never
one of the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np

from dlexplain.attribution.families.gradients import count, spread
from dlexplain.errors import InputError, UnsupportedModelError
from dlexplain.evaluation.families.randomisation_similarity import Measure, known_mean, measure
from dlexplain.evaluation.metric import metric
from dlexplain.evaluation.places import moved, moved_back
from dlexplain.evaluation.trial import Trial
from dlexplain.frameworks.model import Model
from dlexplain.frameworks.questions import Inputs, blocks

Order = Literal["top", "bottom"]
Mode = Literal["cascading", "independent"]
Taken = Literal["last", "mean"]
_FACTS = {"family": "randomisation", "needs": ("explain",)}
_CHANCE = "a map of chance passes it; a noisy map passes it easily"
_STREAM = 912  # of random numbers, apart from those of other families
_BYTES = 32 << 20  # of noisy inputs at a time


@metric(
    answers="How much of the map is left when the network's weights are made anew?",
    better="lower",
    best=0.0,
    cost="repeats x steps x (1 copy of the model, 1 explanation)",
    cannot=_CHANCE,
    paper="arXiv:1810.03292",
    default=True,
    **_FACTS,
)
def parameter_randomisation(
    trial: Trial,
    *,
    order: Order = "top",
    mode: Mode = "cascading",
    taken: Taken | None = None,
    similarity: Measure = "spearman",
    signed: bool = True,
    repeats: int = 3,
) -> np.ndarray:
    """Size of the similarity of the map with that of the network with fresh weights, its mean over `repeats` draws.

    `mode`: "cascading" makes ever more layers anew, from the output on (`order="top"`) or from the input on; "independent"
    one layer at a time. `taken`: "last" is after the last step, when no learned weight is left; "mean" over all steps;
    None is "last" for cascades and "mean" for single layers. A map that becomes constant has no likeness and does not
    count. Fresh weights are the framework's own: twins differ by chance. Adebayo, Gilmer, Muelly, Goodfellow, Hardt, Kim (2018),
    Sanity Checks for Saliency Maps, arXiv:1810.03292.
    """

    def maps(model: Model | None) -> np.ndarray:
        return trial.per_feature(trial.values if model is None else trial.explain(model=model))

    return _left(trial, maps, order, mode, taken, similarity, signed, repeats)


@metric(
    answers="How much of the map, its noise averaged out, is left when the weights are made anew?",
    better="lower",
    best=0.0,
    cost="samples x the cost of parameter_randomisation",
    cannot="a map of chance passes it",
    paper="arXiv:2401.06465",
    kinds=("image", "table", "series"),
    **_FACTS,
)
def smooth_parameter_randomisation(
    trial: Trial,
    *,
    samples: int = 10,
    noise: float = 0.1,
    order: Order = "top",
    mode: Mode = "cascading",
    taken: Taken | None = None,
    similarity: Measure = "spearman",
    signed: bool = True,
    repeats: int = 1,
) -> np.ndarray:
    """As `parameter_randomisation`, of maps averaged over `samples` noisy inputs, of both networks alike.

    `noise`: deviation as a share of each sample's range. Hedstroem, Weber, Lapuschkin, Hoehne (2024), A Fresh Look at
    Sanity Checks for Saliency Maps, arXiv:2401.06465.
    """
    count(samples, "samples")
    n = len(trial)
    held = _BYTES // max(sum(a.nbytes for a in trial.inputs), 1)

    def maps(model: Model | None) -> np.ndarray:
        total = np.zeros((n, trial.count))
        for draws in blocks(samples, max(1, held)):
            wide = draws.stop - draws.start
            inputs = _noisy(trial, noise, draws)
            goal = trial.target.take(np.tile(np.arange(n), wide))
            values = trial.explainer(model or trial.model, inputs, goal, trial.seed)
            found = trial.per_feature(tuple(np.asarray(v, np.float64) for v in values))
            total += found.reshape(wide, n, -1).sum(0)
        return total / samples

    return _left(trial, maps, order, mode, taken, similarity, signed, repeats)


@metric(
    answers="Does the map become more complex when the network's weights are made anew?",
    better="higher",
    best=None,
    cost="repeats x (1 copy of the model, 1 explanation)",
    cannot="no likeness is asked: a map of any other kind passes that is only more even",
    paper="arXiv:2401.06465",
    **_FACTS,
)
def efficient_parameter_randomisation(trial: Trial, *, bins: int = 100, repeats: int = 1) -> np.ndarray:
    """Rise of the map's complexity after the whole network is made anew, as a share: the entropy of the histogram of its
    values in `bins` even bins between its smallest and its largest; the mean over `repeats` draws.

    Hedstroem, Weber, Lapuschkin, Hoehne (2024), A Fresh Look at Sanity Checks for Saliency Maps, arXiv:2401.06465.
    NaN where the map is constant.
    """
    own = _entropy(trial.per_feature(), count(bins, "bins"))
    every = weighted(trial)
    rises = np.zeros(len(trial))
    for repeat in range(count(repeats, "repeats")):
        fresh = trial.model.reinitialised(every[::-1], _seed(trial, repeat))
        rises += _entropy(trial.per_feature(trial.explain(model=fresh)), bins) - own
    return np.where(own > 0, rises / repeats / np.where(own > 0, own, 1), np.nan)


@metric(
    answers="Is the map of another class another map?",
    better="lower",
    best=None,
    cost="draws x 1 explanation",
    cannot="with two classes another map may rightly be the same with the other sign",
    paper="arXiv:1912.09818",
    **_FACTS,
)
def random_logit(trial: Trial, *, similarity: Measure = "spearman", signed: bool = True, draws: int = 1) -> np.ndarray:
    """Similarity of the map with that of another output of the same head, drawn evenly; the mean over `draws` of them.

    Sixt, Granz, Landgraf (2020), When Explanations Lie, arXiv:1912.09818. NaN where the head has one output.
    """
    alike = measure(trial, similarity, signed)
    row = tuple(a[:1] for a in trial.inputs)
    head = trial.model.all_outputs(row, 1)[trial.target.head]
    classes = head.shape[-1] if head.ndim > 1 else 1
    if classes < 2:
        return np.full(len(trial), np.nan)
    own, total = trial.per_feature(), np.zeros(len(trial))
    # A stream a draw and not a sample: a sample's other class does not depend on its neighbours.
    for k in range(count(draws, "draws")):
        step = int(np.random.default_rng([trial.seed, _STREAM, k]).integers(1, classes))
        index = trial.target.index.copy()
        index[:, -1] = (index[:, -1] + step) % classes
        other = trial.explainer(trial.model, trial.inputs, type(trial.target)(index, trial.target.head), trial.seed)
        total += alike(own, trial.per_feature(tuple(np.asarray(v, np.float64) for v in other)))
    return total / draws


def steps(layers: tuple[str, ...], order: Order, mode: Mode) -> list[tuple[str, ...]]:
    """Which layers are made anew at each step; the order within a step is that of the cascade."""
    if order not in ("top", "bottom"):
        raise InputError(f"order={order!r} is not one of 'top' (from the output on), 'bottom' (from the input on).")
    if mode not in ("cascading", "independent"):
        raise InputError(f"mode={mode!r} is not one of 'cascading', 'independent'.")
    way = layers[::-1] if order == "top" else layers
    return [way[: i + 1] for i in range(len(way))] if mode == "cascading" else [(name,) for name in way]


def weighted(trial: Trial) -> tuple[str, ...]:
    """The layers that can be made anew. Raises `UnsupportedModelError` where there is none."""
    layers = trial.model.weighted(trial.inputs)
    if not layers:
        raise UnsupportedModelError(
            f"randomisation: {type(trial.model.raw).__name__} has no weights to make anew; metrics of the other families "
            "can be asked."
        )
    return layers


def randomised(trial: Trial, chosen: list[tuple[str, ...]], repeat: int) -> Iterator[Model]:
    """The trial's model with the layers of each step made anew: always a copy of the trained one."""
    for layers in chosen:
        yield trial.model.reinitialised(layers, _seed(trial, repeat))


def _left(
    trial: Trial,
    maps: Callable[[Model | None], np.ndarray],
    order: Order,
    mode: Mode,
    taken: Taken | None,
    similarity: Measure,
    signed: bool,
    repeats: int,
) -> np.ndarray:
    """The score from `maps(model)`, `(n, features)`; None: the trained one."""
    if taken not in (None, "last", "mean"):
        raise InputError(f"taken={taken!r} is not one of 'last', 'mean'.")
    alike = measure(trial, similarity, signed)
    chosen = steps(weighted(trial), order, mode)
    chosen = chosen[-1:] if (taken or ("last" if mode == "cascading" else "mean")) == "last" else chosen
    own, found = maps(None), []
    for repeat in range(count(repeats, "repeats")):
        found += [alike(own, maps(model)) for model in randomised(trial, chosen, repeat)]
    return np.abs(known_mean(np.array(found), 0))


def _seed(trial: Trial, repeat: int) -> int:
    return int(np.random.default_rng([trial.seed, _STREAM, 7, repeat]).integers(2**31))


def _noisy(trial: Trial, noise: float, draws: slice) -> Inputs:
    """`(draws * n, *shape)`: all samples of a draw, then the next. Its noise is the same for every sample but for its
    size, and for twins."""
    arrays = []
    for i, (values, kind) in enumerate(zip(trial.inputs, trial.kinds, strict=True)):
        copies = [values] * (draws.stop - draws.start)
        if kind != "tokens":
            shape = moved(values[:1], kind, trial.model.layout).shape
            size = noise * spread(values).reshape(-1, *(1,) * (values.ndim - 1))
            streams = (np.random.default_rng([trial.seed, _STREAM, 8, i, k]) for k in range(draws.start, draws.stop))
            drawn = (moved_back(s.standard_normal(shape), kind, trial.model.layout) for s in streams)
            copies = [values + (size * noisy).astype(values.dtype) for noisy in drawn]
        arrays.append(np.concatenate(copies))
    return tuple(arrays)


def _entropy(maps: np.ndarray, bins: int) -> np.ndarray:
    """`(n,)`: entropy in nats of each row's histogram; 0 for a constant row."""
    low, width = maps.min(1, keepdims=True), np.ptp(maps, 1)[:, None]
    places = np.minimum((maps - low) / np.where(width > 0, width, 1) * bins, bins - 1).astype(np.int64)
    counts = np.zeros((len(maps), bins))
    np.add.at(counts, (np.arange(len(maps))[:, None], places), 1)
    share = counts / maps.shape[1]
    return -np.sum(share * np.log(np.where(share > 0, share, 1)), 1)
