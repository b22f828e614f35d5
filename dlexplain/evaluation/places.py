"""What counts as one feature of a sample, and arrays with their channels last, so that twins meet."""

from __future__ import annotations

import numpy as np

from dlexplain.frameworks.inputs import matches
from dlexplain.frameworks.model import Model
from dlexplain.frameworks.questions import Inputs


def features(model: Model, inputs: Inputs) -> Inputs:
    """The number of the feature of every value, an input each, shaped like one sample with 1 along a picture's channels.

    A feature is a pixel with all its channels, a column, a token, or one sensor at one time. Numbers run row by row,
    channels or sensors last, whichever the layout.
    """
    numbers = []
    for array, kind in zip(inputs, model.kinds(inputs), strict=True):
        shape = moved(np.empty((1, *array.shape[1:]), np.bool_), kind, model.layout).shape[1:]
        alone = (*shape[:2], 1) if kind == "image" and len(shape) == 3 else shape
        counted = np.arange(int(np.prod(alone))).reshape(1, *alone)
        numbers.append(moved_back(counted, kind, model.layout)[0])
    return tuple(numbers)


def moved(array: np.ndarray, kind: str, layout: str | None) -> np.ndarray:
    """Values `(n, *sample)` with their channels or sensors on the last axis."""
    first = layout == "channels_first" and (
        (kind == "image" and array.ndim == 4) or (kind == "series" and array.ndim == 3)
    )
    return np.moveaxis(array, 1, -1) if first else array


def moved_back(array: np.ndarray, kind: str, layout: str | None) -> np.ndarray:
    """What `moved` gave, in the model's own layout again."""
    first = layout == "channels_first" and (
        (kind == "image" and array.ndim == 4) or (kind == "series" and array.ndim == 3)
    )
    return np.moveaxis(array, -1, 1) if first else array


def for_twin(arrays: Inputs, kinds: tuple[str, ...], model: Model, twin: Model) -> Inputs:
    """Arrays `(n, *sample)` of a model as its twin takes them: channels moved where the twin has them elsewhere."""
    if model.layout == twin.layout:
        return arrays
    found = []
    for i, (array, kind) in enumerate(zip(arrays, kinds, strict=True)):
        other = np.ascontiguousarray(moved_back(moved(array, kind, model.layout), kind, twin.layout))
        wanted = None if twin.input_shapes is None else twin.input_shapes[i]
        as_it_is = kind == "series" and wanted is not None and not matches(other.shape[1:], wanted)
        found.append(array if as_it_is else other)
    return tuple(found)


def regions(model: Model, inputs: Inputs, window: int | None) -> np.ndarray:
    """`(d,)`: the number of the region that each feature lies in, regions of several inputs numbered on.

    A region is a square of `window` pixels (None: an eighth of a picture's side, 2 at least), `window` steps of one sensor
    (None: a sixteenth of the series), one column or one token. At the far edges it is cut off.
    """
    found, first = [], 0
    for array, kind in zip(inputs, model.kinds(inputs), strict=True):
        shape = moved(np.empty((1, *array.shape[1:]), np.bool_), kind, model.layout).shape[1:]
        if kind == "image":
            side = window or max(2, min(shape[:2]) // 8)
            down, across = (np.arange(size) // side for size in shape[:2])
            cells = down[:, None] * (across[-1] + 1) + across
        elif kind == "series" and len(shape) == 2:
            times = np.arange(shape[0]) // (window or max(1, shape[0] // 16))
            cells = times[:, None] * shape[1] + np.arange(shape[1])
        else:
            cells = np.arange(int(np.prod(shape)))
        found.append(cells.ravel() + first)
        first += int(cells.max()) + 1
    return np.concatenate(found)
