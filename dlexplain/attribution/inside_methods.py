"""The methods that attribute to a layer's activations, each a function of what was asked; and what they must sum to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from dlexplain.attribution import along
from dlexplain.attribution.case import Case
from dlexplain.attribution.families import gradients, paths
from dlexplain.errors import InputError
from dlexplain.frameworks import Model
from dlexplain.frameworks.questions import Inputs, Points, Target, blocks


@dataclass(frozen=True, eq=False)
class Asked:
    """Samples of one output head. `absent`: the inputs' baseline; `at`, `at_absent`: the layer's activations."""

    model: Model
    layer: str
    inputs: Inputs
    target: Target
    absent: Inputs | None
    at: np.ndarray
    at_absent: np.ndarray | None
    output: np.ndarray
    rows: int
    seed: int
    background: bool = False

    def begun(self) -> tuple[Model, Inputs]:
        """The network from the layer on, and its inputs."""
        return self.model.entering_at(self.layer), (self.at, *self.inputs)

    def passes(self) -> bool:
        """Whether the layer's activations alone make the output: run on from the baseline, it is that of the input."""
        few = slice(0, 8)
        own = tuple(a[few] for a in self.inputs)
        other = tuple(
            np.repeat(b[:1], len(a), 0) if self.background or len(b) == 1 else b[few]
            for a, b in zip(own, self.absent, strict=True)
        )
        goal, rows = self.target.take(few), self.rows
        ahead = self.model.entering_at(self.layer).scores((self.at[few], *other), goal, rows)
        here = self.model.scores(own, goal, rows)
        return bool(np.allclose(here, ahead, rtol=1e-3, atol=1e-4 * max(float(np.abs(here).max()), 1e-12)))


def saliency(asked: Asked) -> np.ndarray:
    return _slopes(asked)


def input_x_gradient(asked: Asked) -> np.ndarray:
    return asked.at * _slopes(asked)


def smoothgrad(asked: Asked, *, samples: int = 50, noise: float = 0.1) -> np.ndarray:
    return _noisy(asked, samples, noise)[0]


def vargrad(asked: Asked, *, samples: int = 50, noise: float = 0.1) -> np.ndarray:
    mean, square = _noisy(asked, samples, noise)
    return np.maximum(square - mean**2, 0)


def integrated_gradients(asked: Asked, *, steps: int | None = None, tolerance: float = 1e-3) -> np.ndarray:
    """From the layer's activations at the baseline to those at the input, all else as at the input."""
    model, inputs = asked.begun()
    absent = (asked.at_absent, *asked.inputs)
    lower = at_layers_baseline(asked)
    kinds, rows = model.kinds(inputs), asked.rows
    case = Case(model, inputs, asked.target, absent, False, asked.output, lower, kinds, rows, asked.seed)
    return paths.integrated_gradients(case, steps=steps, tolerance=tolerance).values[0]


def expected_gradients(asked: Asked, *, samples: int = 512) -> np.ndarray:
    """Integrated gradients from each sample of a background set, a few points each, and their mean."""
    model, inputs = asked.begun()
    m = len(asked.at_absent)
    count = max(1, -(-gradients.count(samples, "samples") // m))
    total = np.zeros(asked.at.shape)
    for j in range(m):
        generator = np.random.default_rng([asked.seed, j])
        alphas = (np.arange(count) + generator.random(count)) / count
        absent = (asked.at_absent[j : j + 1], *asked.inputs)
        points = Points(np.full(count, 1 / count), alphas, absent, contribution=True)
        total += model.many_gradients(inputs, asked.target, points, asked.rows)[0][0]
    return total / m


def conductance(asked: Asked, *, tolerance: float = 1e-3, limit: int = 2048) -> np.ndarray:
    """What the movement of each unit adds while the inputs move; Dhamdhere, Sundararajan, Yan (2018), arXiv:1805.12233."""
    if any(v is not None for v in asked.model.token_inputs(asked.inputs)) and asked.layer in _embeddings(asked.model):
        return integrated_gradients(asked, tolerance=tolerance)
    walk = along.walk(asked.model, asked.layer, asked.inputs, asked.absent, asked.target, asked.rows)
    values = np.stack([along.conductance(walk.evaluate(i), tolerance, limit)[0] for i in range(len(asked.at))])
    if not asked.passes():
        return values
    # Where all passes through the layer its sum is known, and a small one among large values asks for finer pieces.
    missing = shortfall(values, asked.output, at_inputs_baseline(asked))
    for i in np.flatnonzero(missing > tolerance):
        values[i] = along.conductance(walk.evaluate(i), tolerance / 32, 4 * limit)[0]
    return values


def internal_influence(asked: Asked, *, steps: int = 64) -> np.ndarray:
    """The mean gradient at the layer while the inputs move; Leino and others (2018), arXiv:1802.03788."""
    walk = along.walk(asked.model, asked.layer, asked.inputs, asked.absent, asked.target, asked.rows)
    return np.stack([along.influence(walk.evaluate(i), steps) for i in range(len(asked.at))])


def deeplift(asked: Asked) -> np.ndarray:
    return asked.model.contributions(asked.inputs, asked.absent, asked.target, asked.rows, layer=asked.layer)[0]


def deepshap(asked: Asked) -> np.ndarray:
    return asked.model.contributions(
        asked.inputs, asked.absent, asked.target, asked.rows, background=True, layer=asked.layer
    )[0]


@dataclass(frozen=True)
class Kind:
    """`complete`: sums to the output's change, from the `"layer"`'s activations or the `"inputs"` at the baseline."""

    function: Callable[..., np.ndarray]
    based: bool = False
    background: bool = False
    complete: str | None = None
    tolerance: float | None = None
    known: Mapping[str, Any] | None = None  # options that are not the function's own


METHODS = {
    "saliency": Kind(saliency),
    "input_x_gradient": Kind(input_x_gradient),
    "smoothgrad": Kind(smoothgrad),
    "vargrad": Kind(vargrad),
    "integrated_gradients": Kind(integrated_gradients, True, False, "layer", 1e-3),
    "expected_gradients": Kind(expected_gradients, True, True, "layer", 1e-2),
    "conductance": Kind(conductance, True, False, "inputs", 1e-2),
    "internal_influence": Kind(internal_influence, True),
    "deeplift": Kind(deeplift, True, False, "inputs", 1e-4),
    "deepshap": Kind(deepshap, True, True, "inputs", 1e-4),
}


def shortfall(values: np.ndarray, output: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """`(n,)`: how far the values are from summing to the output's change, as its share."""
    gap = np.abs(values.reshape(len(values), -1).sum(1, dtype=np.float64) - (output - lower))
    # Below a thousandth of the outputs' own size a difference is rounding, not something to explain.
    floor = np.maximum(np.abs(output - lower), 1e-3 * np.maximum(np.abs(output), np.abs(lower)))
    return gap / np.maximum(floor, np.finfo(np.float32).tiny)


def at_layers_baseline(asked: Asked) -> np.ndarray:
    """`(n,)`: the target with the layer's activations of the baseline, all else as at the input; its mean over a set."""
    model, n = asked.model.entering_at(asked.layer), len(asked.at)
    # A set is never paired with the samples: one start at a time. Else there is one for all, or one a sample.
    starts = [row[None] for row in asked.at_absent] if asked.background else [asked.at_absent]
    total = np.zeros(n)
    for start in starts:
        start = np.repeat(start, n, 0) if len(start) == 1 else start
        total += model.scores((start, *asked.inputs), asked.target, asked.rows).astype(np.float64)
    return total / len(starts)


def at_inputs_baseline(asked: Asked) -> np.ndarray:
    """`(n,)`: the target at the inputs' baseline; its mean over a background set."""
    if any(v is not None for v in asked.model.token_inputs(asked.inputs)):
        return asked.model.embedded_scores(
            asked.inputs, asked.absent, asked.target, asked.rows, background=asked.background
        )
    return asked.model.outputs_at(asked.absent, asked.target, asked.rows)


def _slopes(asked: Asked) -> np.ndarray:
    parts = [
        asked.model.one_gradient(tuple(a[b] for a in asked.inputs), asked.target.take(b), asked.layer)[1][0]
        for b in blocks(len(asked.at), asked.rows)
    ]
    return np.concatenate(parts)


def _noisy(asked: Asked, samples: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean gradient and mean square over activations with noise; the inputs themselves stay as they are."""
    gradients.count(samples, "samples")
    if not np.isfinite(noise) or noise <= 0:
        raise InputError(f"noise={noise!r} must be a share of the activations' range above 0, such as 0.1.")
    model, inputs = asked.begun()
    shapes = [e.shape[1:] for e in model.entries(tuple(a[:1] for a in inputs))]
    first = asked.model.channels_first(asked.layer, asked.at.ndim)

    @lru_cache(maxsize=1)  # asked again for each batch of samples
    def draw(start: int, stop: int) -> Inputs:
        # A stream a draw, channels last, so that twins and batches get the same.
        drawn = []
        for k in range(start, stop):
            shape = (*shapes[0][1:], shapes[0][0]) if first else shapes[0]
            one = np.random.default_rng([asked.seed, k, 0]).standard_normal(shape, np.float32)
            drawn.append(np.moveaxis(one, -1, 0) if first else one)
        return (np.stack(drawn), *(np.zeros((stop - start, *shape), np.float32) for shape in shapes[1:]))

    scale = (noise * gradients.spread(asked.at), *(np.zeros(len(asked.at)) for _ in shapes[1:]))
    points = Points(np.full(samples, 1 / samples), np.ones(samples), noise=draw, scale=scale, squares=True)
    mean, squares = model.many_gradients(inputs, asked.target, points, asked.rows)
    return mean[0], squares[0]


def _embeddings(model: Model) -> list[str]:
    return [known.name for known in model.layers if known.type == "Embedding"]
