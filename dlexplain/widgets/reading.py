"""What networks make of a drawing: from pen strokes to the picture they were trained on, to everything
they answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlexplain.attribution.result import Attribution
from dlexplain.errors import InputError
from dlexplain.layers.results import Activations
from dlexplain.widgets.twins import wrapped_twins

Stroke = Sequence[tuple[float, float]]
_INK = 0.08

# Strokes as (x, y), from the upper left corner (0, 0) to the lower right (1, 1).
EXAMPLES: dict[str, tuple[Stroke, ...]] = {
    "a zero": (
        (*[(0.5 - 0.19 * np.sin(t), 0.5 - 0.32 * np.cos(t)) for t in np.linspace(0, 2 * np.pi, 25)],),
    ),
    "a one": (((0.4, 0.3), (0.53, 0.18), (0.53, 0.84)),),
    "a three": (
        ((0.33, 0.2), (0.62, 0.19), (0.47, 0.43), (0.62, 0.52), (0.64, 0.7), (0.52, 0.82), (0.33, 0.79)),
    ),
    "a four": (((0.52, 0.16), (0.3, 0.58), (0.72, 0.58)), ((0.58, 0.4), (0.56, 0.86))),
    "a seven": (((0.3, 0.2), (0.7, 0.2), (0.46, 0.84)),),
    "no digit": (
        ((0.25, 0.3), (0.35, 0.3)),
        ((0.65, 0.3), (0.75, 0.3)),
        ((0.25, 0.6), (0.38, 0.74), (0.5, 0.78), (0.62, 0.74), (0.75, 0.6)),
    ),
}


@dataclass(frozen=True, eq=False)
class Reading:
    """One drawing read by every model, keyed by the models' labels.

    `picture`: `(height, width)`, 0 to 1, what the models saw. `predictions`: `(classes,)` each, as the model
    gives them. `activations` is empty where no layer was asked for.
    """

    picture: np.ndarray
    predictions: Mapping[str, np.ndarray]
    attributions: Mapping[str, Attribution]
    activations: Mapping[str, Activations]


def board_size(size: tuple[int, int]) -> tuple[int, int]:
    """The cells of the drawing board for models of `size`: a whole number of them a pixel, at least 32 a
    side."""
    factor = max(2, -(-32 // max(size)))
    return size[0] * factor, size[1] * factor


def pen_radius(size: tuple[int, int]) -> float:
    """The pen's radius, as a part of the board: strokes come out as thick as those of the data of that
    size."""
    return 0.068 if max(size) <= 16 else 0.048


def draw(strokes: Sequence[Stroke], size: tuple[int, int], pen: float = 0.06) -> np.ndarray:
    """Strokes as grey values `(height, width)`, 0 to 1: full within the pen's radius, fading over one
    cell."""
    height, width = size
    y, x = np.mgrid[0:height, 0:width] + 0.5
    drawing = np.zeros(size)
    scale = max(size)
    for stroke in strokes:
        points = np.asarray(stroke, np.float64) * (width, height)
        for start, end in zip(points, points[1:] if len(points) > 1 else points, strict=False):
            along = end - start
            length = float(along @ along)
            part = (
                np.clip(((x - start[0]) * along[0] + (y - start[1]) * along[1]) / length, 0, 1)
                if length
                else 0.0
            )
            distance = np.hypot(x - start[0] - part * along[0], y - start[1] - part * along[1])
            drawing = np.maximum(drawing, np.clip(pen * scale + 0.5 - distance, 0, 1))
    return drawing


def to_input(drawing: np.ndarray, size: tuple[int, int] = (8, 8)) -> np.ndarray:
    """A drawing `(height, width)` of grey values as the data sets hold theirs: `size`, 0 to 1.

    Both cut out the ink, scale it, keeping its proportions, and average blocks of fine cells. (8, 8) as in
    the UCI digits behind scikit-learn's: the ink fills the height. Larger as in MNIST: the ink fits 20 of 28
    pixels, and its centre of mass goes to the centre. Sources: Alpaydin and Kaynak (1998), Optical
    Recognition of Handwritten Digits; LeCun, Cortes and Burges, The MNIST Database. An empty drawing gives
    zeros. Raises `InputError` for another shape or values that are not finite.
    """
    drawing = np.asarray(drawing, np.float64)
    if drawing.ndim != 2 or not np.all(np.isfinite(drawing)):
        raise InputError(f"drawing: a finite (height, width) array is needed, not shape {drawing.shape}.")
    if drawing.max(initial=0.0) > 1:
        drawing = drawing / 255.0
    ink = drawing > _INK
    if not ink.any():
        return np.zeros(size, np.float32)
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    cut = drawing[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    block = 4
    fine = (size[0] * block, size[1] * block)
    small = max(size) <= 16
    share = 1.0 if small else 20 / 28
    zoom = min(fine[0] * share / cut.shape[0], fine[1] * share / cut.shape[1])
    scaled = _resampled(cut, (max(1, round(cut.shape[0] * zoom)), max(1, round(cut.shape[1] * zoom))))
    centre = np.array(scaled.shape) / 2 if small else _centre_of_mass(scaled)
    start = np.round(np.array(fine) / 2 - centre).astype(int)
    start = np.clip(start, 0, np.array(fine) - scaled.shape)
    canvas = np.zeros(fine)
    canvas[start[0] : start[0] + scaled.shape[0], start[1] : start[1] + scaled.shape[1]] = scaled
    return canvas.reshape(size[0], block, size[1], block).mean((1, 3)).astype(np.float32)


def _resampled(picture: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Linear interpolation between cell centres, along one axis after the other."""
    for axis in (0, 1):
        count = picture.shape[axis]
        places = np.clip((np.arange(shape[axis]) + 0.5) * count / shape[axis] - 0.5, 0, count - 1)
        low = np.minimum(places.astype(int), max(count - 2, 0))
        part = np.expand_dims(places - low, 1 - axis)
        high = np.minimum(low + 1, count - 1)
        picture = np.take(picture, low, axis) * (1 - part) + np.take(picture, high, axis) * part
    return picture


def _centre_of_mass(picture: np.ndarray) -> np.ndarray:
    total = picture.sum()
    rows, columns = np.arange(picture.shape[0]) + 0.5, np.arange(picture.shape[1]) + 0.5
    return np.array([picture.sum(1) @ rows / total, picture.sum(0) @ columns / total])


def as_batch(model: Any, picture: np.ndarray) -> np.ndarray:
    """One picture `(height, width)` in the shape that `model` takes: with a channel axis, without, or
    flat."""
    shape = model.input_shapes[0] if model.input_shapes else None
    if shape is None:
        first = (model.layout or "channels_first") == "channels_first" and model.framework == "torch"
        return picture[None, None] if first else picture[None, :, :, None]
    height, width = picture.shape
    for axes in ((height, width, 1), (1, height, width), (height, width), (height * width,)):
        if len(axes) == len(shape) and all(w is None or a == w for a, w in zip(axes, shape, strict=True)):
            return picture.reshape(1, *axes)
    raise InputError(
        f"drawing: the model takes {shape}, which no drawing of {picture.shape} fits. Give `size` as the "
        "model's height and width, or `prepare`, a function from the picture to the model's input."
    )


def read_drawing(
    models: Any,
    drawing: np.ndarray,
    *,
    size: tuple[int, int] = (8, 8),
    class_names: Sequence[str] | None = None,
    method: str = "input_x_gradient",
    target: int | None = None,
    layer: str | Mapping[str, str] | None = None,
    seed: int = 0,
    prepare: Callable[[np.ndarray], np.ndarray] | Mapping[str, Callable] | None = None,
    **options: Any,
) -> Reading:
    """Predictions, attributions and (of `layer`, a name or a dict with one a model) activations for one
    drawing.

    `drawing`: `(height, width)` grey values of any resolution, 0 to 1 or 0 to 255. `target` None: each
    model's own prediction. `prepare`: from the picture of `size` to a model's input batch. `options` go to
    the method.
    """
    from dlexplain.attribution import explain
    from dlexplain.layers import activations

    picture = to_input(drawing, size)
    predictions, attributions, inside = {}, {}, {}
    for label, model in wrapped_twins(models, class_names).items():
        own = prepare.get(label) if isinstance(prepare, Mapping) else prepare
        batch = np.asarray(own(picture)) if own else as_batch(model, picture)
        scores = model.predict(batch)
        predictions[label] = np.asarray(scores[0] if isinstance(scores, tuple) else scores)[0]
        attributions[label] = explain(model, batch, method, target=target, seed=seed, **options)
        name = layer.get(label) if isinstance(layer, Mapping) else layer
        if name:
            inside[label] = activations(model, batch, layers=[name])
    return Reading(picture, predictions, attributions, inside)
