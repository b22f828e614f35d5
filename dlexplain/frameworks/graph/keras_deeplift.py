"""DeepLIFT on a Keras model's operation graph, a block of pairs of inputs and references at a time."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from dlexplain.errors import GapWarning, UnsupportedModelError
from dlexplain.frameworks.graph.keras_refusals import NeedsBatch, NotPaired
from dlexplain.frameworks.graph.keras_walk import Asked, Walked
from dlexplain.frameworks.questions import Inputs, Target, blocks, grid

if TYPE_CHECKING:
    from dlexplain.frameworks.keras_model import KerasModel

_GAP = 1e-3


def contributions(
    model: KerasModel,
    inputs: Inputs,
    references: Inputs,
    target: Target,
    rows: int,
    *,
    background: bool = False,
    layer: str | None = None,
) -> Inputs:
    """See `Model.contributions`. Runs under the model's lock and device."""
    tensors = model._tensors(inputs)
    entries, others = model._entries(tensors), model._entries(model._tensors(references))
    n, m = len(inputs[0]), len(references[0]) if background else 1
    given = (tf.constant(target.index, tf.int64), *tensors, *entries)
    specs = tuple((tuple(t.shape[1:]), t.dtype) for t in given)
    asked = Asked(target.head, layer, tuple(model._entry_sites), specs)
    found = _crossed(model, asked, given, others, rows) if m > 1 and not model._entry_sites else None
    if found is not None:
        return found
    total = Total(n, m)
    for ns, ms in grid(n, m, rows):
        many, count = ns.stop - ns.start, ms.stop - ms.start
        x = [tf.repeat(t[ns], count, 0) for t in given] if count > 1 or many < n else given
        r = [_against(o, ns, ms, many, background) for o in others]
        _add(total, model, asked, ns, count, x, r)
    return total.mean


class Total:
    """Contributions summed over the references, a block of pairs at a time."""

    def __init__(self, n: int, m: int) -> None:
        self._n, self._m, self._sums = n, m, ()

    def add(self, samples: slice, count: int, parts: list[np.ndarray]) -> None:
        many = samples.stop - samples.start
        self._sums = self._sums or tuple(np.zeros((self._n, *p.shape[1:])) for p in parts)
        for total, part in zip(self._sums, parts, strict=True):
            total[samples] += part.reshape(-1, count, *part.shape[1:])[:many].sum(1)

    @property
    def mean(self) -> Inputs:
        return tuple(total / self._m for total in self._sums)


def _against(other: tf.Tensor, ns: slice, ms: slice, many: int, background: bool) -> tf.Tensor:
    """The references of a block's pairs, a row each."""
    if background:
        part = other[ms]
        return tf.tile(part, [many] + [1] * (len(part.shape) - 1))
    return tf.repeat(other, many, 0) if len(other) == 1 else other if many == len(other) else other[ns]


def _add(
    total: Total,
    model: KerasModel,
    asked: Asked,
    ns: slice,
    count: int,
    x: Sequence[tf.Tensor],
    r: Sequence[tf.Tensor],
) -> None:
    """A block, a row a pair; traced for any number of rows, or for just as many where it must be."""
    try:
        _checked(total, model, asked, ns, count, x, r)
    except NeedsBatch:
        try:
            _checked(total, model, replace(asked, batch=len(x[0])), ns, count, x, r)
        except NeedsBatch as problem:
            raise UnsupportedModelError(str(problem)) from None


def _checked(total: Total, model: KerasModel, asked: Asked, ns: slice, count: int, x, r) -> None:
    """Adds a block's contributions; where they miss the scores' change the operation at fault is named."""
    parts, (after, before) = _walked(model, asked)(x, r)
    total.add(ns, count, parts)
    if asked.layer is None:
        gap = np.abs(sum(p.reshape(len(p), -1).sum(1) for p in parts) - (after.astype(np.float64) - before))
        floor = np.maximum(np.abs(after - before), 1e-2 * np.maximum(np.abs(after), np.abs(before)))
        if (gap > _GAP * np.maximum(floor, np.finfo(np.float32).tiny)).any():
            culprit = Walked(model, asked, books=True).unbalanced(x, r)
            warnings.warn(f"The books of the operation {culprit} do not balance.", GapWarning, stacklevel=6)


def _crossed(model: KerasModel, asked: Asked, given, others, rows: int) -> Inputs | None:
    """Every input with every reference, each run once: n + m rows forward. None where some tensor of the model does
    not keep the samples on its first axis."""
    n, m = len(given[0]), len(others[0])
    wide = next(w for w in range(min(m, rows), 0, -1) if m % w == 0)
    many = max(1, min(n, rows // wide))
    many += (many == wide) * (-1 if many > 1 else 0)  # told apart by their number
    if many == wide or model._traces.get(("not crossed", asked)):
        return None
    many = _traced_already(model, asked, many, wide, rows) or many
    total = Total(n, m)
    try:
        for ns in blocks(n, many):
            x = [_filled(t[ns], many) for t in given]
            for ms in blocks(m, wide):
                r = [o[ms] for o in others]
                _checked(total, model, replace(asked, paired=(many, wide)), ns, wide, x, r)
    except (NotPaired, NeedsBatch):
        model._traces[("not crossed", asked)] = True
        return None
    return total.mean


def _traced_already(model: KerasModel, asked: Asked, many: int, wide: int, rows: int) -> int | None:
    """A number of samples, not much larger, for which a graph stands ready."""
    ready = [
        key[1].paired[0]
        for key in list(model._traces)
        if key[0] == "contributions" and key[1].paired and key[1] == replace(asked, paired=key[1].paired)
        if key[1].paired[1] == wide and key[2] == model.device
    ]
    return min((size for size in ready if many <= size <= min(2 * many, rows // wide)), default=None)


def _filled(tensor: tf.Tensor, many: int) -> tf.Tensor:
    """The last row again until there are as many rows as were traced."""
    return tf.concat([tensor, tf.repeat(tensor[-1:], many - len(tensor), 0)], 0) if len(tensor) < many else tensor


def _walked(model: KerasModel, asked: Asked) -> Walked:
    key = ("contributions", asked, model.device)
    if key not in model._traces:
        model._traces[key] = Walked(model, asked)
    return model._traces[key]
