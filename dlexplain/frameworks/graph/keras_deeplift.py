"""DeepLIFT on a Keras model's operation graph, a block of pairs of inputs and references at a time."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from dlexplain.errors import GapWarning, UnsupportedModelError
from dlexplain.frameworks.graph.keras_double import in_double
from dlexplain.frameworks.graph.keras_refusals import NeedsBatch, NotPaired
from dlexplain.frameworks.graph.keras_walk import Asked, Walked
from dlexplain.frameworks.questions import Inputs, Target, blocks, grid

if TYPE_CHECKING:
    from dlexplain.frameworks.keras_model import KerasModel

# Over this share of the output's change rounding shows, and the walk is repeated in double precision; over the other one
# the operation whose books do not balance is named.
_ROUGH, _ASTRAY = 8e-5, 1e-3


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
    case = Case(inputs, references, target, rows, background, layer)
    values, gaps = _walk(model, case)
    rough = np.flatnonzero(gaps > _ROUGH)
    twin = in_double(model, inputs) if len(rough) else None
    if twin is not None:
        again, gaps[rough] = _walk(twin, case.take(rough))
        for value, better in zip(values, again, strict=True):
            value[rough] = better
    if gaps.max(initial=0) > _ASTRAY:
        culprit = _culprit(model, case.take(np.array([int(gaps.argmax())])))
        warnings.warn(f"The books of the operation {culprit} do not balance.", GapWarning, stacklevel=6)
    return values


@dataclass(frozen=True, eq=False)
class Case:
    """What `Model.contributions` was asked."""

    inputs: Inputs
    references: Inputs
    target: Target
    rows: int
    background: bool
    layer: str | None

    def take(self, samples: np.ndarray) -> Case:
        own = self.references
        if not self.background:
            own = tuple(r if len(r) == 1 else r[samples] for r in own)
        return replace(
            self, inputs=tuple(a[samples] for a in self.inputs), references=own, target=self.target.take(samples)
        )


def _prepared(model: KerasModel, case: Case) -> tuple[Asked, tuple[tf.Tensor, ...], tuple[tf.Tensor, ...]]:
    """What is traced; each input's target, inputs and entries; the references' entries."""
    tensors = model._tensors(case.inputs)
    entries, others = model._entries(tensors), model._entries(model._tensors(case.references))
    given = (tf.constant(case.target.index, tf.int64), *tensors, *entries)
    specs = tuple((tuple(t.shape[1:]), t.dtype) for t in given)
    return Asked(case.target.head, case.layer, tuple(model._entry_sites), specs), given, others


def _walk(model: KerasModel, case: Case) -> tuple[Inputs, np.ndarray]:
    """The contributions of each sample, and their relative gaps (0 for a layer)."""
    asked, given, others = _prepared(model, case)
    n, m = len(case.inputs[0]), len(case.references[0]) if case.background else 1
    total = None
    if not model._entry_sites:  # token ids stay the sample's own on the reference
        if m > 1:
            total = _crossed(model, asked, given, others, case.rows)
        elif len(others[0]) == 1:
            total = _with_one(model, asked, given, others, case.rows)
    if total is None:
        total = Total(n, m)
        for ns, ms in grid(n, m, case.rows):
            many, count = ns.stop - ns.start, ms.stop - ms.start
            x = [tf.repeat(t[ns], count, 0) for t in given] if count > 1 or many < n else given
            r = [_against(o, ns, ms, many, case.background) for o in others]
            total.add(ns, count, *_in_pairs(model, asked, x, r))
    return total.mean, np.zeros(n) if case.layer is not None else total.gaps


def _culprit(model: KerasModel, case: Case) -> str | None:
    asked, given, others = _prepared(model, case)
    few = min(len(others[0]), case.rows) if case.background else 1
    x, r = [tf.repeat(t, few, 0) for t in given], [o[:few] for o in others]
    try:
        return Walked(model, asked, books=True).unbalanced(x, r)
    except NeedsBatch:
        return Walked(model, replace(asked, batch=few), books=True).unbalanced(x, r)


class Total:
    """Contributions and scores summed over the references, a block of pairs at a time."""

    def __init__(self, n: int, m: int) -> None:
        self._n, self._m, self._sums = n, m, ()
        self._scores = np.zeros((2, n))

    def add(self, samples: slice, count: int, parts: list[np.ndarray], scores: np.ndarray) -> None:
        many = samples.stop - samples.start
        self._sums = self._sums or tuple(np.zeros((self._n, *p.shape[1:])) for p in parts)
        for total, part in zip((*self._sums, *self._scores), (*parts, *scores.astype(np.float64)), strict=True):
            total[samples] += part.reshape(-1, count, *part.shape[1:])[:many].sum(1)

    @property
    def mean(self) -> Inputs:
        return tuple(total / self._m for total in self._sums)

    @property
    def gaps(self) -> np.ndarray:
        """`(n,)`: how far the contributions miss the scores' change, as its share; a hundredth of the scores at least."""
        after, before = self._scores / self._m
        missed = np.abs(sum(v.reshape(self._n, -1).sum(1) for v in self.mean) - (after - before))
        floor = np.maximum(np.abs(after - before), 1e-2 * np.maximum(np.abs(after), np.abs(before)))
        return missed / np.maximum(floor, np.finfo(np.float32).tiny)


def _against(other: tf.Tensor, ns: slice, ms: slice, many: int, background: bool) -> tf.Tensor:
    """The references of a block's pairs, a row each."""
    if background:
        part = other[ms]
        return tf.tile(part, [many] + [1] * (len(part.shape) - 1))
    return tf.repeat(other, many, 0) if len(other) == 1 else other if many == len(other) else other[ns]


def _in_pairs(model: KerasModel, asked: Asked, x: Sequence[tf.Tensor], r: Sequence[tf.Tensor]):
    """A block, a row a pair; traced for any number of rows, or for just as many where it must be."""
    try:
        return _walked(model, asked)(x, r)
    except NeedsBatch:
        try:
            return _walked(model, replace(asked, batch=len(x[0])))(x, r)
        except NeedsBatch as problem:
            raise UnsupportedModelError(str(problem)) from None


def _crossed(model: KerasModel, asked: Asked, given, others, rows: int) -> Total | None:
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
                total.add(ns, wide, *_walked(model, replace(asked, paired=(many, wide)))(x, r))
    except (NotPaired, NeedsBatch):
        model._traces[("not crossed", asked)] = True
        return None
    return total


def _with_one(model: KerasModel, asked: Asked, given, others, rows: int) -> Total | None:
    """Every input with the one reference, which is run once a block. None as in `_crossed`."""
    if model._traces.get(("not with one", asked)):
        return None
    total = Total(len(given[0]), 1)
    try:
        for ns in blocks(len(given[0]), rows):
            total.add(ns, 1, *_walked(model, replace(asked, paired=(None, 1)))([t[ns] for t in given], others))
    except (NotPaired, NeedsBatch):
        model._traces[("not with one", asked)] = True
        return None
    return total


def _traced_already(model: KerasModel, asked: Asked, many: int, wide: int, rows: int) -> int | None:
    """A number of samples, not much larger, for which a graph stands ready."""
    ready = [
        key[1].paired[0]
        for key in list(model._traces)
        if key[0] == "contributions" and key[1].paired and not key[1].one
        if key[1] == replace(asked, paired=key[1].paired)
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
