"""A layer's activations as one row of numbers a sample: what probes, similarity and concepts read."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dlexplain.errors import InputError
from dlexplain.frameworks import Model
from dlexplain.frameworks.questions import Inputs, blocks


@dataclass(frozen=True, eq=False)
class Features:
    """`values`: `(n, width)`; `reduction`: in words, how the activations became them."""

    values: np.ndarray
    reduction: str


def check_seed(seed: int) -> None:
    """Raises `InputError` unless random numbers can start from it."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"seed={seed!r} must be a whole number from 0 on.")


def named(model: Model, inputs: Inputs, layer: str | Sequence[str] | None) -> list[str]:
    """The layers meant: those given, or all that are called, in the order of their calls. Raises `InputError`."""
    if layer is None:
        known = {known.name for known in model.layers}
        return [name for name, shape in model.shapes(inputs).items() if name in known and len(shape)]
    names = [layer] if isinstance(layer, str) else list(layer)
    if not names:
        raise InputError("layer: the list is empty. Name at least one layer, or leave it None for all.")
    for name in names:
        model.check_layer(name)
    return names


def channels_last(model: Model, layer: str, values: np.ndarray) -> np.ndarray:
    """Activations `(n, *places, units)`, whichever the layout."""
    return np.moveaxis(values, 1, -1) if model.channels_first(layer, values.ndim) else values


def gather(
    model: Model,
    inputs: Inputs,
    names: Sequence[str],
    limit: int,
    *,
    seed: int = 0,
    batch_size: int | None = None,
    positions: int | None = None,
) -> dict[str, Features]:
    """Rows of at most `limit` numbers for each layer, from one pass over the samples.

    `positions`: a row a position instead of a sample, from the layers that hold so many; the others are left out.
    """
    parts: dict[str, list[np.ndarray]] = {name: [] for name in names}
    words: dict[str, str] = {}
    for block in blocks(len(inputs[0]), model.rows(inputs, batch_size)):
        found = model.inside(tuple(a[block] for a in inputs), names)
        for name, values in found.items():
            values = channels_last(model, name, values)
            if values.dtype.kind != "f" or (positions is not None and values.shape[1:-1] != (positions,)):
                continue
            rows = values.reshape(-1, values.shape[-1]) if positions is not None else values
            reduced, words[name] = reduce(rows, limit, seed)
            parts[name].append(reduced)
    kept = {name: Features(np.concatenate(rows), words[name]) for name, rows in parts.items() if rows}
    if not kept:
        raise InputError(
            "layer: none of the layers is called on these inputs"
            + (f" with {positions} positions a sample." if positions is not None else " or holds numbers.")
        )
    return kept


def reduce(values: np.ndarray, limit: int, seed: int) -> tuple[np.ndarray, str]:
    """`(n, *places, units)` as `(n, at most limit)` and, in words, how.

    All values where they are few; else means over a grid of places as fine as fits; else, for more units than that,
    a random projection (Johnson and Lindenstrauss 1984), the same for every model and batch.
    """
    places, units, size = values.shape[1:-1], values.shape[-1], values[0].size
    if size <= limit:
        return values.reshape(len(values), -1), f"all {size} values"
    side = max(1, int((limit / units) ** (1 / max(len(places), 1))))
    grid = tuple(min(place, side) for place in places)
    words = []
    for axis, cells in enumerate(grid, start=1):
        values = _means(values, axis, cells)
    if places:
        words.append("means over all places" if side == 1 else f"means over {' × '.join(map(str, grid))} areas")
    flat = values.reshape(len(values), -1)
    if flat.shape[1] > limit:
        matrix = np.random.default_rng(seed).standard_normal((flat.shape[1], limit), np.float32) / np.sqrt(limit)
        flat = flat @ matrix
        words.append(f"a random projection of {units} units to {limit}")
    return flat, ", ".join(words)


def _means(values: np.ndarray, axis: int, cells: int) -> np.ndarray:
    """Means over `cells` areas of one axis, as even as they come."""
    edges = np.linspace(0, values.shape[axis], cells + 1).astype(int)
    return np.stack([values.take(range(a, b), axis).mean(axis) for a, b in itertools.pairwise(edges)], axis)
