"""What a unit looks for: the input that excites it, found by gradient ascent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dlexplain.errors import InputError, UnsupportedModelError
from dlexplain.frameworks import Model, wrap
from dlexplain.layers.results import FeatureVisualisation


def visualise_feature(
    model: Any,
    layer: str,
    unit: int | Sequence[int] = 0,
    *,
    input_shape: Sequence[int] | None = None,
    steps: int = 128,
    rate: float = 0.05,
    blur: float = 0.5,
    decay: float = 0.01,
    low: float = 0.0,
    high: float = 1.0,
    seed: int = 0,
) -> FeatureVisualisation:
    """Activation maximisation: noise moved up the gradient of a unit's mean activation, kept in `[low, high]`.

    `unit`: one channel (or neuron) or several. `blur`: deviation in pixels of a Gaussian between steps, fading to none;
    `decay`: pull towards the middle of the range; both keep the picture from ringing. `rate`: step as a share of the
    range. Erhan, Bengio, Courville, Vincent (2009), Visualizing Higher-Layer Features of a Deep Network.
    """
    asked = wrap(model)
    asked.check_layer(layer)
    shape = _shape(asked, input_shape)
    units = np.atleast_1d(np.asarray(unit))
    if units.dtype.kind not in "iu" or units.ndim != 1 or not units.size or units.min() < 0:
        raise InputError(f"unit={unit!r} must be a whole number from 0 on, or a list of them.")
    if not (steps >= 1 and rate > 0 and high > low):
        raise InputError(
            f"visualise_feature: needs steps >= 1, rate > 0 and high > low, got {steps}, {rate}, {low}, {high}."
        )
    images = _noise(shape, asked, low, high, seed, len(units))
    span, middle = high - low, (high + low) / 2
    start = best = None
    kept = images
    velocity = np.zeros_like(images)
    for step in range(steps):
        score, (gradient,) = asked.unit_gradient((images,), layer, units)
        start = score if start is None else start
        best = score if best is None else best
        better = score >= best
        kept, best = np.where(_wide(better, images), images, kept), np.where(better, score, best)
        norm = np.sqrt(np.square(gradient).reshape(len(units), -1).mean(1))
        direction = gradient / _wide(np.where(norm > 0, norm, 1), images)
        if not norm.all():  # a silent unit has no slope: walk at random until it speaks
            step_noise = _drawn(shape, asked, [seed, step])
            direction = np.where(_wide(norm > 0, images), direction, 4 * step_noise)
        velocity = 0.8 * velocity + 0.2 * direction
        images = images + rate * span * velocity - decay * (images - middle)
        images = np.clip(_blurred(images, blur * (1 - step / steps), asked), low, high).astype(np.float32)
    score, _ = asked.unit_gradient((images,), layer, units)
    better = score >= best
    options = {"steps": steps, "rate": rate, "blur": blur, "decay": decay, "low": low, "high": high}
    return FeatureVisualisation(
        np.where(_wide(better, images), images, kept),
        layer,
        tuple(map(int, units)),
        np.where(better, score, best),
        start,
        options,
        seed,
        asked.framework,
        asked.fingerprint,
        asked.layout,
    )


def _shape(model: Model, given: Sequence[int] | None) -> tuple[int, ...]:
    shape = tuple(given) if given is not None else model.input_shapes[0] if model.input_shapes else None
    if shape is None:
        raise InputError(
            "visualise_feature: the shape of one sample is unknown. Give input_shape=…, or "
            "dlx.wrap(model, input_shape=…)."
        )
    if any(size is None for size in shape):
        raise InputError(f"visualise_feature: the model takes inputs of any size {shape}. Give input_shape=… in full.")
    if model.input_shapes and len(model.input_shapes) > 1:
        raise UnsupportedModelError(
            "visualise_feature: the model has several inputs; take the branch of one as a model."
        )
    blank = np.zeros((1, *shape), np.float32)
    if any(v is not None for v in model.token_inputs((blank,))):
        raise UnsupportedModelError(
            "visualise_feature: token ids have no in-between, so there is no gradient to climb."
        )
    return shape


def _noise(shape: tuple[int, ...], model: Model, low: float, high: float, seed: int, count: int) -> np.ndarray:
    """The same faint noise for every unit, so that units start alike."""
    image = (high + low) / 2 + 0.05 * (high - low) * _drawn(shape, model, [seed])
    return np.repeat(image[None], count, 0).astype(np.float32)


def _drawn(shape: tuple[int, ...], model: Model, seed: list[int]) -> np.ndarray:
    """Standard normal numbers drawn channels-last, so that twins get the same."""
    first = model.layout == "channels_first" and len(shape) == 3
    drawn = np.random.default_rng(seed).standard_normal((*shape[1:], shape[0]) if first else shape)
    return np.moveaxis(drawn, -1, 0) if first else drawn


def _blurred(images: np.ndarray, deviation: float, model: Model) -> np.ndarray:
    """A Gaussian along height and width; other inputs as they are."""
    if images.ndim not in (3, 4) or deviation < 0.05:
        return images
    axes = (2, 3) if images.ndim == 4 and model.layout == "channels_first" else (1, 2)
    reach = max(1, int(np.ceil(3 * deviation)))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    kernel /= kernel.sum()
    for axis in axes:
        padded = np.pad(images, [(reach, reach) if a == axis else (0, 0) for a in range(images.ndim)], mode="edge")
        size = images.shape[axis]
        images = sum(w * padded.take(range(i, i + size), axis) for i, w in enumerate(kernel))
    return images


def _wide(values: np.ndarray, like: np.ndarray) -> np.ndarray:
    return values.reshape(-1, *[1] * (like.ndim - 1))
