"""Concepts nobody named: directions that a layer's activations are sums of, found by non-negative factorisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dlexplain.errors import InputError
from dlexplain.frameworks import Model, wrap
from dlexplain.frameworks.questions import Inputs, blocks
from dlexplain.layers.features import channels_last, check_seed

_ROWS = 8192  # places from which the directions are learnt; all places are then written in them


@dataclass(frozen=True, eq=False)
class DiscoveredConcepts:
    """`directions`: `(count, units)`, each of length 1; `maps`: `(n, *places, count)`, how much of each is where.

    `error`: the share of the activations' size (Frobenius) that the sum of concepts misses. `importance`: `(count,)`, by how
    much the target falls, a mean over the samples, when a concept's part is taken out of the activations; concepts are in
    this order.
    """

    directions: np.ndarray
    maps: np.ndarray
    importance: np.ndarray
    error: float
    layer: str
    inputs: np.ndarray | tuple[np.ndarray, ...]
    samples: int
    seed: int
    framework: str
    fingerprint: str
    layout: str | None = None
    kind: str = "table"

    def __len__(self) -> int:
        return len(self.directions)

    @property
    def table(self):
        """A row a concept: importance, its share of all parts' size, the three samples that hold most of it."""
        import pandas as pd

        held = self.maps.reshape(self.samples, -1, len(self)).sum(1)
        rows = [
            {
                "concept": k,
                "importance": float(self.importance[k]),
                "share": float(held[:, k].sum() / max(held.sum(), 1e-30)),
                "samples": tuple(map(int, np.argsort(-held[:, k], kind="stable")[:3])),
            }
            for k in range(len(self))
        ]
        return pd.DataFrame(rows)

    def plot(self, **options: Any):
        """A Plotly figure: each concept's importance, and the samples that hold most of it with where they do."""
        from dlexplain import figures

        return figures.discovered_concepts(self, **options)

    def __repr__(self) -> str:
        return (
            f"DiscoveredConcepts: {len(self)} at {self.layer!r} ({self.framework}) from {self.samples} samples, missing "
            f"{self.error:.1%} of the activations; most important: concept 0, {self.importance[0]:.3g}"
        )


def discover_concepts(
    model: Any,
    inputs: Any,
    layer: str,
    count: int = 10,
    *,
    target: Any = None,
    steps: int = 300,
    batch_size: int | None = None,
    seed: int = 0,
) -> DiscoveredConcepts:
    """Non-negative matrix factorisation of a layer's activations, `places × units ≈ maps × directions`.

    The layer must be one whose values are not negative: after a ReLU. Importance is measured, not guessed: the network
    runs on from activations without the concept.
    Zhang, Madumal, Miller, Ehinger, Rubinstein (2021), arXiv:2006.15417; Fel and others (2023), CRAFT, arXiv:2211.10154.
    """
    asked = wrap(model)
    check_seed(seed)
    arrays = asked.inputs(inputs)
    asked.check_layer(layer)
    if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 1:
        raise InputError(f"count={count!r} must be a whole number from 1 on.")
    rows = asked.rows(arrays, batch_size)
    values = np.concatenate([_inside(asked, arrays, b, layer) for b in blocks(len(arrays[0]), rows)])
    flat = values.reshape(-1, values.shape[-1]).astype(np.float64)
    if flat.min() < 0:
        raise InputError(
            f"layer {layer!r}: {np.mean(flat < 0):.0%} of its values are negative, and a sum of parts has none. Choose a "
            f"layer after a ReLU{_positive(asked, arrays)}."
        )
    if count > min(flat.shape):
        raise InputError(f"count={count}: the activations {flat.shape} have no more than {min(flat.shape)} directions.")
    if not flat.any():
        raise InputError(f"layer {layer!r}: all values are zero on these inputs.")
    generator = np.random.default_rng(seed)
    some = flat if len(flat) <= _ROWS else flat[np.sort(generator.choice(len(flat), _ROWS, replace=False))]
    _, directions = factorise(some, count, generator, steps)
    maps = written_in(flat, directions, steps)
    importance = _importance(asked, arrays, layer, values, maps, directions, target, rows)
    order = np.argsort(-importance, kind="stable")
    maps, directions = maps[:, order], directions[order]
    return DiscoveredConcepts(
        directions.astype(np.float32),
        maps.reshape(*values.shape[:-1], count).astype(np.float32),
        importance[order],
        float(np.linalg.norm(flat - maps @ directions) / np.linalg.norm(flat)),
        layer,
        arrays[0] if len(arrays) == 1 else arrays,
        len(arrays[0]),
        seed,
        asked.framework,
        asked.fingerprint,
        asked.layout,
        asked.kinds(arrays)[0],
    )


def factorise(
    x: np.ndarray, count: int, generator: np.random.Generator, steps: int = 300
) -> tuple[np.ndarray, np.ndarray]:
    """`x ≈ maps @ directions`, none negative, least squares; directions of length 1.

    One column of either at a time, each the best there is with the others held (Cichocki, Phan 2009, HALS).
    """
    scale = np.sqrt(x.mean() / count)
    maps = scale * generator.uniform(0.5, 1.5, (len(x), count))
    directions = scale * generator.uniform(0.5, 1.5, (count, x.shape[1]))
    before = np.inf
    for _ in range(steps):
        _column_by_column(maps, x @ directions.T, directions @ directions.T)
        _column_by_column(directions.T, x.T @ maps, maps.T @ maps)
        size = np.linalg.norm(directions, axis=1)
        size = np.where(size > 0, size, 1)
        directions /= size[:, None]
        maps *= size
        missed = np.linalg.norm(x - maps @ directions)
        if before - missed < 1e-6 * missed:
            break
        before = missed
    return maps, directions


def written_in(x: np.ndarray, directions: np.ndarray, steps: int = 300) -> np.ndarray:
    """`(rows, count)`: each row as a sum of the directions, none negative, least squares."""
    own = directions @ directions.T
    maps = np.full((len(x), len(directions)), np.sqrt(max(x.mean(), 0)))
    along = x @ directions.T
    for _ in range(steps):
        before = maps.copy()
        _column_by_column(maps, along, own)
        if np.abs(maps - before).max() <= 1e-7 * max(maps.max(), 1e-30):
            break
    return maps


def _column_by_column(factor: np.ndarray, along: np.ndarray, own: np.ndarray) -> None:
    """Moves each column to the least error, in place; one whose other side is nothing stays."""
    for k in range(factor.shape[1]):
        if own[k, k] > 0:
            factor[:, k] = np.maximum(factor[:, k] + (along[:, k] - factor @ own[:, k]) / own[k, k], 0)


def _importance(
    model: Model,
    inputs: Inputs,
    layer: str,
    values: np.ndarray,
    maps: np.ndarray,
    directions: np.ndarray,
    target: Any,
    rows: int,
) -> np.ndarray:
    """`(count,)`: the mean fall of the target when a concept's part is taken out of the activations."""
    fall = np.zeros(len(directions))
    maps = maps.reshape(*values.shape[:-1], -1)
    for part, goal in model.targets(inputs, target, rows):
        for block in blocks(len(part), rows):
            own, sample = part[block], tuple(a[part[block]] for a in inputs)
            whole = goal.take(block).of(model.outputs(sample)).astype(np.float64)
            for k, direction in enumerate(directions):
                without = values[own] - maps[own][..., k : k + 1] * direction
                turned = np.moveaxis(without, -1, 1) if model.channels_first(layer, without.ndim) else without
                outputs = model.run_from(layer, turned.astype(np.float32), sample if len(sample) > 1 else sample[0])
                outputs = outputs if isinstance(outputs, tuple) else (outputs,)
                fall[k] += (whole - goal.take(block).of(outputs)).sum()
    return fall / len(values)


def _inside(model: Model, inputs: Inputs, block: slice, layer: str) -> np.ndarray:
    found = model.inside(tuple(a[block] for a in inputs), (layer,))
    if layer not in found:
        raise InputError(f"layer {layer!r} is not called by the model on these inputs.")
    return channels_last(model, layer, found[layer])


def _positive(model: Model, inputs: Inputs) -> str:
    few = tuple(a[:8] for a in inputs)
    values = model.inside(few, list(model.shapes(few)))
    names = [name for name, v in values.items() if v.dtype.kind == "f" and v.ndim > 1 and v.min() >= 0 and v.any()]
    return f", such as {', '.join(map(repr, names[-4:]))}" if names else "; this model has none on these inputs"
