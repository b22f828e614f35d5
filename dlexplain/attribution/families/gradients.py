"""Which inputs the output reacts to just here: the gradient, alone or averaged over noisy copies."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from dlexplain.attribution.case import Case, Found, to_tokens
from dlexplain.attribution.method import method
from dlexplain.errors import InputError
from dlexplain.frameworks.questions import Inputs, Points, blocks


@method(
    family="gradient",
    answers="Which inputs does the output react to most just here?",
    cost="1 forward, 1 backward",
    cannot="says nothing of inputs where the output is saturated",
    paper="arXiv:1312.6034",
    at_embedding=True,
)
def saliency(case: Case) -> Found:
    """Signed gradient of the target to each input; for token ids the norm of the gradient to the embedding.

    Simonyan, Vedaldi, Zisserman (2014), Deep Inside Convolutional Networks, arXiv:1312.6034.
    """
    _, gradients = _gradient(case)
    return Found(tuple(to_tokens(g, x, norm=True) for g, x in zip(gradients, case.inputs, strict=True)))


@method(
    family="gradient",
    answers="What does each input add, were the model linear?",
    cost="1 forward, 1 backward",
    cannot="exact for piecewise linear models without bias only",
    paper="arXiv:1605.01713",
    at_embedding=True,
)
def input_x_gradient(case: Case) -> Found:
    """Gradient times input; for token ids summed over the embedding.

    Shrikumar, Greenside, Shcherbina, Kundaje (2016), Not Just a Black Box, arXiv:1605.01713.
    """
    entries, gradients = _gradient(case)
    return Found(tuple(to_tokens(e * g, x) for e, g, x in zip(entries, gradients, case.inputs, strict=True)))


@method(
    family="gradient",
    answers="Which inputs does the output react to hereabouts?",
    cost="samples x (1 forward, 1 backward)",
    cannot="depends on the noise chosen; leaves the data's own shape",
    paper="arXiv:1706.03825",
    at_embedding=True,
)
def smoothgrad(case: Case, *, samples: int = 50, noise: float = 0.1) -> Found:
    """Mean gradient over `samples` noisy copies; `noise` is the deviation as a share of each sample's range.

    Smilkov, Thorat, Kim, Viegas, Wattenberg (2017), SmoothGrad, arXiv:1706.03825.
    """
    mean, _ = _noisy(case, samples, noise)
    return Found(tuple(to_tokens(g, x, norm=True) for g, x in zip(mean, case.inputs, strict=True)))


@method(
    family="gradient",
    answers="Where does the reaction change most hereabouts?",
    cost="samples x (1 forward, 1 backward)",
    cannot="has no sign: does not tell for from against",
    paper="arXiv:1810.03307",
    at_embedding=True,
)
def vargrad(case: Case, *, samples: int = 50, noise: float = 0.1) -> Found:
    """Variance of the gradient over `samples` noisy copies; `noise` as in SmoothGrad. Not negative.

    Adebayo, Gilmer, Goodfellow, Kim (2018), Local Explanation Methods for Deep Neural Networks, arXiv:1810.03307.
    """
    mean, square = _noisy(case, samples, noise)
    variance = [np.maximum(s - m**2, 0) for m, s in zip(mean, square, strict=True)]
    return Found(tuple(to_tokens(v, x) for v, x in zip(variance, case.inputs, strict=True)))


def _gradient(case: Case) -> tuple[Inputs, Inputs]:
    parts = [
        case.model.one_gradient(tuple(a[b] for a in case.inputs), case.target.take(b))
        for b in blocks(len(case), case.rows)
    ]
    entries, gradients = zip(*parts, strict=True)
    return tuple(map(np.concatenate, zip(*entries, strict=True))), tuple(
        map(np.concatenate, zip(*gradients, strict=True))
    )


def _noisy(case: Case, samples: int, noise: float) -> tuple[Inputs, Inputs]:
    count(samples, "samples")
    if not np.isfinite(noise) or noise <= 0:
        raise InputError(f"noise={noise!r} must be a share of the inputs' range above 0, such as 0.1.")
    entries = case.model.entries(tuple(a[:1] for a in case.inputs))
    shapes = [e.shape[1:] for e in entries]
    scale = tuple(noise * spread(e) for e in _entries(case))

    @lru_cache(maxsize=1)  # asked again for each batch of samples
    def draw(start: int, stop: int) -> Inputs:
        # A stream a draw: the same noise whatever the batches, and for every sample, so that one explained alone
        # gets what it gets among others.
        drawn = [
            [normal(np.random.default_rng([case.seed, k, i]), shape, case, i) for k in range(start, stop)]
            for i, shape in enumerate(shapes)
        ]
        return tuple(np.stack(d) for d in drawn)

    points = Points(np.full(samples, 1 / samples), np.ones(samples), noise=draw, scale=scale, squares=True)
    return case.model.many_gradients(case.inputs, case.target, points, case.rows)


def normal(generator: np.random.Generator, shape: tuple[int, ...], case: Case, i: int) -> np.ndarray:
    """Standard normal numbers drawn in channels-last order, so that twins get the same."""
    if case.model.layout == "channels_first" and case.kinds[i] in ("image", "series") and len(shape) > 1:
        return np.moveaxis(generator.standard_normal((*shape[1:], shape[0]), np.float32), -1, 0)
    return generator.standard_normal(shape, np.float32)


def spread(values: np.ndarray) -> np.ndarray:
    """`(n,)`: the range of each sample's values; 1 where a sample is constant."""
    flat = values.reshape(len(values), -1).astype(np.float64)
    width = flat.max(1) - flat.min(1)
    return np.where(width > 0, width, 1.0)


def count(value: int, name: str) -> int:
    """Raises `InputError` unless the option is a whole number from 1 on."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise InputError(f"{name}={value!r} must be a whole number from 1 on.")
    return int(value)


def _entries(case: Case) -> Inputs:
    parts = [case.model.entries(tuple(a[b] for a in case.inputs)) for b in blocks(len(case), case.rows)]
    return tuple(map(np.concatenate, zip(*parts, strict=True)))
