"""What a unit looks for: the input that excites it, found by gradient ascent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dlexplain.errors import InputError, UnsupportedModelError
from dlexplain.frameworks import Model, wrap
from dlexplain.frameworks.questions import Target
from dlexplain.layers.features import check_seed
from dlexplain.layers.results import FeatureVisualisation
from dlexplain.layers.spectrum import Ask, Spectrum, climb


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
    parametrisation: str = "pixels",
    place: str = "mean",
    jitter: int | None = None,
    decorrelated: bool = False,
    seed: int = 0,
) -> FeatureVisualisation:
    """Activation maximisation: noise moved up the gradient of a unit's activation, kept in `[low, high]`.

    `unit`: one channel (or neuron) or several. `place`: the unit's `"mean"` over its places, or at the `"middle"` one.
    `parametrisation="pixels"`: steps of `rate` times the range; `blur`: deviation in pixels of a Gaussian between steps,
    fading to none, and `decay`: pull towards the middle of the range, both keep the picture from ringing.
    `"fourier"`: steps on the strengths of waves instead, pictures only; `jitter`: each step sees the picture shifted by up
    to so many pixels (None: a sixteenth of its side); `decorrelated`: colours that move as in photographs.
    Erhan, Bengio, Courville, Vincent (2009), Visualizing Higher-Layer Features of a Deep Network; Olah, Mordvintsev,
    Schubert (2017), Feature Visualization.
    """
    asked = wrap(model)
    asked.check_layer(layer)
    check_seed(seed)
    shape = _shape(asked, input_shape)
    units = np.atleast_1d(np.asarray(unit))
    if units.dtype.kind not in "iu" or units.ndim != 1 or not units.size or units.min() < 0:
        raise InputError(f"unit={unit!r} must be a whole number from 0 on, or a list of them.")
    if not (steps >= 1 and rate > 0 and high > low):
        raise InputError(
            f"visualise_feature: needs steps >= 1, rate > 0 and high > low, got {steps}, {rate}, {low}, {high}."
        )
    for name, value, known in (
        ("parametrisation", parametrisation, ("pixels", "fourier")),
        ("place", place, ("mean", "middle")),
    ):
        if value not in known:
            raise InputError(f"{name}={value!r} must be one of {', '.join(map(repr, known))}.")
    images = _noise(shape, asked, low, high, seed, len(units))
    ask = _question(asked, layer, units, place, images)
    if parametrisation == "fourier":
        used = _jitter(jitter, images, asked)
        start, _ = ask(images)
        images = _waves(asked, images, ask, steps, rate, used, decorrelated, low, high, seed)
        options = {"steps": steps, "rate": rate, "jitter": used, "decorrelated": decorrelated, "low": low, "high": high}
        options = {"parametrisation": parametrisation, "place": place, **options}
        return _result(asked, layer, units, images, ask(images)[0], start, options, seed)
    span, middle = high - low, (high + low) / 2
    start = best = None
    kept = images
    velocity = np.zeros_like(images)
    for step in range(steps):
        score, gradient = ask(images)
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
    score, _ = ask(images)
    better = score >= best
    options = {"steps": steps, "rate": rate, "blur": blur, "decay": decay, "low": low, "high": high}
    options = {"parametrisation": parametrisation, "place": place, **options}
    found = np.where(_wide(better, images), images, kept)
    return _result(asked, layer, units, found, np.where(better, score, best), start, options, seed)


def _result(
    model: Model,
    layer: str,
    units: np.ndarray,
    images: np.ndarray,
    reached: np.ndarray,
    start: np.ndarray,
    options: dict[str, Any],
    seed: int,
) -> FeatureVisualisation:
    names = tuple(map(int, units))
    return FeatureVisualisation(
        images, layer, names, reached, start, options, seed, model.framework, model.fingerprint, model.layout
    )


def _question(model: Model, layer: str, units: np.ndarray, place: str, images: np.ndarray) -> Ask:
    """Pictures to `(n,)` activations of each one's unit, and their gradient to the pictures."""
    if place == "mean":

        def mean(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            score, (gradient,) = model.unit_gradient((images,), layer, units)
            return score, gradient

        return mean
    view = model.ending_at(layer, (images[:1],))
    shape = view.outputs((images[:1],))[0].shape
    first = model.channels_first(layer, len(shape))
    places = shape[2:] if first else shape[1:-1]
    if not 0 <= units.min() <= units.max() < (shape[1] if first else shape[-1]):
        raise InputError(f"unit: layer {layer!r} has units 0 to {(shape[1] if first else shape[-1]) - 1}.")
    centre = np.repeat(np.array([[size // 2 for size in places]], np.int64), len(units), 0)
    index = np.concatenate([units[:, None], centre] if first else [centre, units[:, None]], 1)
    target = Target(index.astype(np.int64))

    def middle(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        _, (gradient,) = view.one_gradient((images,), target)
        return target.of(view.outputs((images,))), gradient

    return middle


def _waves(
    model: Model,
    images: np.ndarray,
    ask: Ask,
    steps: int,
    rate: float,
    jitter: int,
    decorrelated: bool,
    low: float,
    high: float,
    seed: int,
) -> np.ndarray:
    """Pictures climbed as sums of waves; the spectrum works channels last, the network in its own layout."""
    if images.ndim not in (3, 4):
        raise InputError(
            f"parametrisation='fourier': inputs of shape {images.shape[1:]} are not pictures. Use 'pixels'."
        )
    first = images.ndim == 4 and model.layout == "channels_first"

    def out(pictures: np.ndarray) -> np.ndarray:
        turned = np.moveaxis(pictures, -1, 1) if first else pictures[..., 0] if images.ndim == 3 else pictures
        return np.ascontiguousarray(turned)

    def back(values: np.ndarray) -> np.ndarray:
        return np.moveaxis(values, 1, -1) if first else values[..., None] if images.ndim == 3 else values

    def asked(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        score, gradient = ask(out(pictures))
        return score, back(gradient)

    begin = back(images).astype(np.float64)
    if decorrelated and begin.shape[-1] != 3:
        raise InputError(f"decorrelated=True: needs pictures of three colours, these have {begin.shape[-1]} channels.")
    share = np.clip((begin - low) / (high - low), 1e-3, 1 - 1e-3)
    start = np.log(share / (1 - share))
    spectrum = Spectrum(begin.shape[1:], low, high, decorrelated=decorrelated, start=start)
    return out(climb(spectrum, asked, steps, rate, jitter, seed))


def _jitter(given: int | None, images: np.ndarray, model: Model) -> int:
    sides = images.shape[2:4] if images.ndim == 4 and model.layout == "channels_first" else images.shape[1:3]
    if given is None:
        return min(sides) // 16
    if isinstance(given, bool) or not isinstance(given, (int, np.integer)) or given < 0:
        raise InputError(f"jitter={given!r} must be a whole number of pixels from 0 on, or None.")
    return int(given)


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
