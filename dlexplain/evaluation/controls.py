"""The two rows beside every score: a map of chance, and a map that never asks the model."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np

from dlexplain.evaluation.explainer import Examinee
from dlexplain.evaluation.places import moved, moved_back
from dlexplain.frameworks.model import Model
from dlexplain.frameworks.questions import Inputs, Target

RANDOM, BLIND = "random", "model-blind"


def controls(model: Model, inputs: Inputs, baseline: Inputs, *, twin: Model | None = None) -> dict[str, Examinee]:
    """Both control rows for these samples of this model (and its twin), as explainers that can be asked again."""
    return {RANDOM: random_map(model, twin), BLIND: model_blind(model, inputs, baseline)}


def random_map(model: Model, twin: Model | None = None) -> Examinee:
    """Gaussian values that know nothing.

    Asked again for the same sample it gives the same map; for any other sample or any other weights a new one. So it is
    repeatable and agrees with its twin, has the worst robustness, and passes a test of randomisation, as chance does.
    """
    home = {model.fingerprint, *(() if twin is None else (twin.fingerprint,))}

    def function(model: Model, inputs: Inputs, target: Target, seed: int) -> Inputs:
        found = model.fingerprint
        weights = 0 if found in home else zlib.crc32(found.encode())
        kinds = model.kinds(inputs)
        last = [moved(a, kind, model.layout) for a, kind in zip(inputs, kinds, strict=True)]
        drawn = [np.zeros(a.shape) for a in last]
        for i in range(len(inputs[0])):
            generator = np.random.default_rng([seed, weights, *(_mark(a[i]) for a in last)])
            for values in drawn:
                values[i] = generator.standard_normal(values.shape[1:])
        return tuple(moved_back(v, kind, model.layout) for v, kind in zip(drawn, kinds, strict=True))

    return Examinee(name=RANDOM, function=function, contribution=False, random=True)


def model_blind(model: Model, inputs: Inputs, baseline: Inputs) -> Examinee:
    """Values that look at the sample and never at the model, none below zero.

    Pictures: the strength of edges. Tables and series: the distance from the mean of these samples (of one sample alone,
    from the baseline) in their standard deviations. Tokens: how rare the token is among these samples, the earlier the
    more; padding has none.
    """
    kinds = model.kinds(inputs)
    draws: list[Callable[[np.ndarray], np.ndarray]] = []
    for i, (array, kind) in enumerate(zip(inputs, kinds, strict=True)):
        last = moved(array, kind, model.layout)
        if kind == "image":
            draw = _edges
        elif kind == "tokens":
            draw = _rarity(last, model.padding(i))
        else:
            draw = _distance(last, moved(baseline[i], kind, model.layout), kind)
        size = float(draw(last).mean())
        draws.append(lambda a, draw=draw, size=size: draw(a) / (size or 1.0))

    def function(model: Model, inputs: Inputs, target: Target, seed: int) -> Inputs:
        return tuple(
            moved_back(draw(moved(a, kind, model.layout)), kind, model.layout)
            for a, kind, draw in zip(inputs, kinds, draws, strict=True)
        )

    return Examinee(name=BLIND, function=function, contribution=False, signed=False)


def _mark(sample: np.ndarray) -> int:
    return zlib.crc32(np.ascontiguousarray(sample, np.float32).tobytes())


def _edges(pictures: np.ndarray) -> np.ndarray:
    """Sobel's estimate of the steepness at each pixel of `(n, height, width[, channels])`, over all channels alike."""
    x = np.asarray(pictures, np.float64)
    x = x[..., None] if x.ndim == 3 else x
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    rows = padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]
    columns = padded[:, :, :-2] + 2 * padded[:, :, 1:-1] + padded[:, :, 2:]
    across, down = rows[:, :, 2:] - rows[:, :, :-2], columns[:, 2:] - columns[:, :-2]
    steepness = np.sqrt(np.square(across) + np.square(down)).mean(-1, keepdims=True)
    return np.broadcast_to(steepness, x.shape).reshape(pictures.shape).copy()


def _distance(known: np.ndarray, baseline: np.ndarray, kind: str) -> Callable[[np.ndarray], np.ndarray]:
    axes = (0, 1) if kind == "series" and known.ndim == 3 else (0,)
    alone = all(known.shape[a] == 1 for a in axes)
    centre = np.asarray(baseline if alone else known, np.float64).mean(axes, keepdims=True)
    spread = np.asarray(known, np.float64).std(axes, keepdims=True)
    spread = np.where(spread > 0, spread, 1.0)
    return lambda x: np.abs(np.asarray(x, np.float64) - centre) / spread


def _rarity(known: np.ndarray, padding: int | None) -> Callable[[np.ndarray], np.ndarray]:
    ids, counts = np.unique(known, return_counts=True)
    frequency = dict(zip(ids.tolist(), (counts / counts.sum()).tolist(), strict=True))

    def draw(x: np.ndarray) -> np.ndarray:
        share = np.vectorize(lambda token: frequency.get(token, 0.5 / counts.sum()), otypes=[np.float64])(x)
        earlier = np.linspace(1.01, 1.0, x.shape[1]).reshape(1, -1, *(1,) * (x.ndim - 2))
        return (
            np.where(x == padding, 0.0, -np.log(share) * earlier) if padding is not None else -np.log(share) * earlier
        )

    return draw
