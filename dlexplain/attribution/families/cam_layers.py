"""Which layer a class activation map is read from, how its activations lie over the input, and enlarging maps."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import isqrt, prod

import numpy as np

from dlexplain.attribution.case import Case
from dlexplain.errors import InputError, UnsupportedModelError

Shape = tuple[int, ...]

# Tokens in front of the patches: none, a class token, one more for distillation, or four registers beside it.
_EXTRA = (0, 1, 2, 5)
_CHOICES = 12
_INSTEAD = "integrated_gradients, saliency, occlusion, feature_ablation"

_LAST = ("LayerNorm", "RMSNorm", "Linear", "Attention", "LSTM", "GRU", "RNN", "EncoderLayer", "Embedding", "Dense")
_POINTWISE = ("Normalization", "Norm", "LU", "Activation", "Tanh", "Sigmoid", "Mish", "ish", "Softplus", "Identity")
_POINTWISE_WITH = ("BatchNorm", "InstanceNorm", "Dropout", "ReLU", "LeakyRe", "DropPath", "StochasticDepth")
_MERGES = ("Add", "Multiply", "Subtract", "Average", "Maximum", "Concatenate")
_RECURRENT = ("LSTM", "GRU", "RNN")


@dataclass(frozen=True)
class Sheet:
    """A layer's activations as places over the input: `grid` of them, after `extra` tokens that belong to no place.

    `axes`: of one input, along which the grid lies. `samples`: the axis of the activations that counts samples.
    """

    layer: str
    grid: Shape
    axes: Shape
    extra: int = 0
    first: bool = False
    samples: int = 0

    def lay(self, values: np.ndarray) -> np.ndarray:
        """Activations of a batch, or their gradients, as `(n, *grid, channels)`."""
        values = np.moveaxis(values, self.samples, 0)
        values = np.moveaxis(values, 1, -1) if self.first else values
        return values[:, self.extra :].reshape(len(values), *self.grid, values.shape[-1])


def sheets(case: Case, method: str, layer: str | None) -> Iterator[Sheet]:
    """The user's layer; or layers from the one nearest to the output backwards, which are all worth a try.

    The last convolution, normalisation or attention comes first, with what follows it in the same places: its
    activation, the addition of its shortcut, the end of its block. Raises `InputError`, `UnsupportedModelError`.
    """
    if len(case.inputs) > 1:
        raise UnsupportedModelError(
            f"{method}: the model has several inputs and a layer's map belongs to no single one. Use {_INSTEAD}."
        )
    shapes = case.model.shapes(case.inputs)
    types = {known.name: known.type for known in case.model.layers}
    found = {name: s for name in shapes if name in types and (s := _sheet(case, name, shapes[name], shapes, types))}
    found |= _time_first(case, shapes, types)
    if layer is not None:
        yield _named(case, method, layer, found, shapes, types)
        return
    found = {name: s for name, s in found.items() if min(s.grid) > 1 and not types[name].endswith(_RECURRENT)}
    if (case.kinds[0] == "table" and not case.places(0)) or not found:
        raise UnsupportedModelError(
            f"{method}: no layer of this model holds maps over the {case.kinds[0]}, so there is no map to draw. Methods "
            f"that work: {_INSTEAD}."
        )
    names = [n for n in found if _telling(types[n])]
    seen: set[str] = set()
    for name in reversed(names or list(found)):
        end = _end(case, name, found, types)
        if end not in seen and len(seen) < _CHOICES:
            seen.add(end)
            yield found[end]


def no_samples(method: str, layer: str) -> UnsupportedModelError:
    """What is said where the activations' first axis does not count samples."""
    return UnsupportedModelError(
        f"{method}: the first axis of layer {layer!r} does not hold the samples (perhaps time comes first), so its places "
        f"are unknown. Choose another layer, or use {_INSTEAD}."
    )


def _named(case: Case, method: str, layer: str, found: dict, shapes: dict, types: dict) -> Sheet:
    case.model.check_layer(layer)
    name = layer.partition(":")[0]
    if name in found:
        sheet = found[name]
        return replace(sheet, layer=layer)
    shape = shapes.get(name)
    if shape is None:
        raise InputError(f"layer {layer!r} is not called by the model on these inputs.")
    others = [n for n, s in found.items() if min(s.grid) > 1]
    raise InputError(
        f"{method}: layer {layer!r} has no places of the {case.kinds[0]}, only activations of shape {shape}. "
        + (f"Layers that have: {', '.join(others)}." if others else f"No layer has; use {_INSTEAD}.")
    )


def _sheet(case: Case, name: str, shape: Shape, shapes: dict[str, Shape], types: dict[str, str]) -> Sheet | None:
    """How activations of this shape lie over the input; None where they do not."""
    whole, axes = case.inputs[0].shape[1:], case.places(0) or case.spatial(0)
    sizes = tuple(whole[axis] for axis in axes)
    if (case.kinds[0] == "table" and not case.places(0)) or any(not s for s in shape):
        return None
    if len(shape) == len(sizes) + 1:
        first = _channels_first(case, name, shape, shapes, types, sizes)
        grid = shape[1:] if first else shape[:-1]
        if len(sizes) == 1 and not first:
            if grid[0] == sizes[0] + 1:
                return Sheet(name, sizes, axes, 1)
            if grid[0] != sizes[0] and grid[0] == whole[0] and not _any_first(case, types):
                return Sheet(name, grid, (0,))
        return Sheet(name, grid, axes, 0, first)
    if len(shape) == 2 and len(sizes) == 2 and "Flatten" not in types[name]:
        if len(whole) == 2 and shape[0] == whole[0] and not _any_first(case, types):
            return Sheet(name, shape[:1], (0,))  # a step for each row: rows are what the network reads one by one
        known = [s for n, s in shapes.items() if len(s) == 3 and "Conv" in types.get(n, "")]
        for extra in _EXTRA:
            grid = _grid(shape[0] - extra, sizes, [s for k in known for s in (k[1:], k[:-1])])
            if grid is not None:
                return Sheet(name, grid, axes, extra)
    return None


def _any_first(case: Case, types: dict[str, str]) -> bool:
    """Whether a layer says that channels come first. Where none does, the model's layout is only a guess."""
    return any(_told(case, name, kind, 3) for name, kind in types.items())


def _time_first(case: Case, shapes: dict[str, Shape], types: dict[str, str]) -> dict[str, Sheet]:
    """Layers whose activations are `(time, n, channels)`, seen where two samples come out beside each other."""
    whole = case.inputs[0].shape[1:]
    names = [name for name in shapes if name in types and len(shapes[name]) == 2 and shapes[name][0] == 1]
    names = [name for name in names if not types[name].endswith(_RECURRENT)]
    if len(whole) != 2 or not names:
        return {}
    two = tuple(np.repeat(a[:1], 2, 0) for a in case.inputs)
    held = {name: values.shape for name, values in case.model.inside(two, names).items()}
    return {
        name: Sheet(name, shape[:1], (whole.index(shape[0]),), samples=1)
        for name, shape in held.items()
        if len(shape) == 3 and shape[1] == 2 and shape[0] > 1 and shape[0] in whole
    }


def _grid(count: int, sizes: Shape, known: list[Shape]) -> Shape | None:
    """So many patches as rows and columns: as a convolution laid them, or in the proportions of the picture."""
    if count < 1:
        return None
    for grid in known:
        if prod(grid) == count and abs(grid[0] * sizes[1] - grid[1] * sizes[0]) <= max(sizes):
            return grid
    rows = isqrt(round(count * sizes[0] / sizes[1]))
    if rows and count % rows == 0 and rows * sizes[1] == (count // rows) * sizes[0]:
        return rows, count // rows
    return None


def _channels_first(case: Case, name: str, shape: Shape, shapes: dict, types: dict, sizes: Shape) -> bool:
    """Told by the layer's type, else by the last layer before it of a telling type and the same shape."""
    called = list(shapes)
    for before in reversed(called[: called.index(name) + 1]):
        told = _told(case, before, types.get(before, ""), len(shape) + 1) if shapes[before] == shape else None
        if told is not None:
            return told
    told = case.model.channels_first(name, len(shape) + 1) or (
        len(shape) == 2 and case.model.layout == "channels_first"
    )
    fits = [np.log(np.divide(places, sizes)) for places in (shape[1:], shape[:-1])]
    # A picture keeps its proportions on the way: an order that distorts them is not the right one.
    distorted = [float(np.ptp(f)) for f in fits]
    return bool(told if abs(distorted[0] - distorted[1]) < 0.3 else distorted[0] < distorted[1])


def _told(case: Case, name: str, kind: str, rank: int) -> bool | None:
    """Whether channels come first after a layer of this type; None where it works in either order."""
    if kind.endswith(("1d", "2d", "3d")) and not kind.startswith("Dropout"):
        return True
    if kind.endswith(("1D", "2D", "3D")) and not kind.startswith("SpatialDropout"):
        return case.model.layout == "channels_first" if rank == 3 else case.model.channels_first(name, rank)
    return False if kind.endswith(_LAST) else None


def _end(case: Case, name: str, found: dict[str, Sheet], types: dict[str, str]) -> str:
    """What a reader means by "this layer": its activation, the addition of its shortcut, the end of its block.

    Layers in the same places are followed up to the next convolution, normalisation or attention.
    """
    called, end, direct = list(found), name, True
    for after in called[called.index(name) + 1 :]:
        kind, whole = types[after], name.startswith((f"{after}/", f"{after}."))
        if found[after].grid != found[name].grid:
            continue
        if kind.endswith(_RECURRENT) or (_telling(kind) and not whole):
            break
        if whole and _same(case, end, after):
            continue  # only a box round what is already there
        merges = whole or kind in _MERGES
        direct = merges or (direct and _pointwise(kind))
        end = after if direct else end
    return end


def _same(case: Case, one: str, other: str) -> bool:
    values = case.model.inside(tuple(a[:1] for a in case.inputs), (one, other))
    return np.array_equal(values[one], values[other])


def _telling(kind: str) -> bool:
    """Convolutions, normalisations and attention: where a network finds things rather than passes them on."""
    normalises = kind.endswith(("Normalization", "Norm")) or "BatchNorm" in kind or "InstanceNorm" in kind
    return normalises or "Conv" in kind or kind.endswith(("Attention", "attention"))


def _pointwise(kind: str) -> bool:
    """A normalisation, an activation or a dropout, by the name of its type in either framework."""
    return kind.endswith(_POINTWISE) or any(word in kind for word in _POINTWISE_WITH)


def spread(maps: np.ndarray, case: Case, axes: Shape | None = None) -> np.ndarray:
    """Maps `(n, *grid)` enlarged to the input's size along `axes` and spread evenly over the others."""
    inputs, axes = case.inputs[0], axes or case.places(0) or case.spatial(0)
    maps = enlarge(maps, tuple(inputs.shape[1:][axis] for axis in axes))
    shape = [len(maps), *[1] * (inputs.ndim - 1)]
    for axis, size in zip(axes, maps.shape[1:], strict=True):
        shape[axis + 1] = size
    return np.broadcast_to(maps.reshape(shape) / (inputs[0].size / maps[0].size), inputs.shape)


def enlarge(maps: np.ndarray, sizes: Shape) -> np.ndarray:
    """`(n, *grid)` to `(n, *sizes)` by linear interpolation: pixels are areas (half-pixel centres), edges held."""
    for axis, size in enumerate(sizes, start=1):
        if maps.shape[axis] != size:
            maps = np.moveaxis(np.moveaxis(maps, axis, -1) @ _weights(maps.shape[axis], size, maps.dtype), -1, axis)
    return maps


@functools.lru_cache(64)
def _weights(old: int, new: int, dtype: np.dtype) -> np.ndarray:
    """`(old, new)`: what each old place gives to each new one."""
    place = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
    low = np.floor(place).astype(int)
    weights = np.zeros((old, new), dtype)
    np.add.at(weights, (low, np.arange(new)), 1 - (place - low))
    np.add.at(weights, (np.minimum(low + 1, old - 1), np.arange(new)), place - low)
    weights.flags.writeable = False  # kept and given out again
    return weights
