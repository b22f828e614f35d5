"""DeepLIFT on a Keras model's operation graph: traced once, unrolled for inputs and references, walked backwards."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from dlexplain.errors import InputError, UnsupportedModelError
from dlexplain.frameworks.graph.keras_pairs import Pairs, real
from dlexplain.frameworks.graph.keras_refusals import NeedsBatch, NotPaired, refusal
from dlexplain.frameworks.graph.keras_rules import hand_on
from dlexplain.frameworks.graph.keras_unroll import SITE, Unrolled, Value
from dlexplain.frameworks.keras_inside import feed
from dlexplain.frameworks.questions import Inputs, Target, blocks, grid

if TYPE_CHECKING:
    from dlexplain.frameworks.keras_model import KerasModel


@dataclass(frozen=True)
class Asked:
    """What is traced: which output, what the samples look like (target's place, inputs, their entries), the number of
    rows (None: any), and at which layer the walk ends (None: at the entries). `paired`: rows of inputs and of
    references that are all compared with each other; None: a row each of a pair."""

    head: int
    layer: str | None
    sites: tuple[int, ...]
    specs: tuple[tuple[tuple[int | None, ...], tf.DType], ...]
    batch: int | None = None
    paired: tuple[int, int] | None = None

    def signature(self, batch: int | None) -> list[tf.TensorSpec]:
        return [tf.TensorSpec((batch, *shape), dtype) for shape, dtype in self.specs]


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
        x = [tf.repeat(t[ns], count, 0) for t in given]
        r = [_against(o, ns, ms, many, background) for o in others]
        total.add(ns, count, _in_pairs(model, asked, x, r))
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
    return tf.repeat(other, many, 0) if len(other) == 1 else other[ns]


def _in_pairs(model: KerasModel, asked: Asked, x: Sequence[tf.Tensor], r: Sequence[tf.Tensor]) -> list[np.ndarray]:
    """A block, a row a pair; traced for any number of rows, or for just as many where it must be."""
    try:
        return _walked(model, asked)(x, r)
    except NeedsBatch:
        try:
            return _walked(model, replace(asked, batch=len(x[0])))(x, r)
        except NeedsBatch as problem:
            raise UnsupportedModelError(str(problem)) from None


def _crossed(model: KerasModel, asked: Asked, given, others, rows: int) -> Inputs | None:
    """Every input with every reference, each run once: n + m rows forward. None where some tensor of the model does
    not keep the samples on its first axis."""
    n, m = len(given[0]), len(others[0])
    wide = next(w for w in range(min(m, rows), 0, -1) if m % w == 0)
    many = max(1, min(n, rows // wide))
    many += (many == wide) * (-1 if many > 1 else 0)  # told apart by their number
    if many == wide or model._traces.get(("not crossed", asked)):
        return None
    total = Total(n, m)
    try:
        for ns in blocks(n, many):
            x = [_filled(t[ns], many) for t in given]
            for ms in blocks(m, wide):
                total.add(ns, wide, _walked(model, replace(asked, paired=(many, wide)))(x, [o[ms] for o in others]))
    except (NotPaired, NeedsBatch):
        model._traces[("not crossed", asked)] = True
        return None
    return total.mean


def _filled(tensor: tf.Tensor, many: int) -> tf.Tensor:
    """The last row again until there are as many rows as were traced."""
    return tf.concat([tensor, tf.repeat(tensor[-1:], many - len(tensor), 0)], 0) if len(tensor) < many else tensor


def _walked(model: KerasModel, asked: Asked) -> Walked:
    key = ("contributions", asked, model.device)
    if key not in model._traces:
        model._traces[key] = Walked(model, asked)
    return model._traces[key]


class Walked:
    """One compiled walk. Holds the model weakly."""

    def __init__(self, model: KerasModel, asked: Asked) -> None:
        self._model, self._sites, self._asked = weakref.ref(model.raw), dict(model._entry_sites), asked
        self._checks: list[tuple[Any, str]] = []
        self._stopped: Exception | None = None
        n, m = asked.paired or (asked.batch, asked.batch)
        count = len(asked.specs) // 2
        signature = (*asked.signature(n), *asked.signature(m)[count + 1 :])
        self._graph = tf.function(self._body, input_signature=signature, autograph=False)

    def __call__(self, x: Sequence[tf.Tensor], r: Sequence[tf.Tensor]) -> list[np.ndarray]:
        if self._stopped is not None:
            raise self._stopped
        try:
            parts, checks = self._graph(*x, *r)
        except (NeedsBatch, NotPaired, UnsupportedModelError) as problem:
            self._stopped = problem.with_traceback(None)
            raise
        for (step, why), same in zip(self._checks, checks, strict=True):
            if not same:
                raise refusal(step, why)
        return [p.numpy() for p in parts]

    def _body(self, index: tf.Tensor, *flat: tf.Tensor) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        count = len(flat) // 3
        given, x, r = flat[:count], flat[count : 2 * count], flat[2 * count :]
        entries = [self._entry(a, b) for a, b in zip(x, r, strict=True)]
        output, walk, sources = unrolled(self._model(), self._sites, self._asked, given, entries)
        counts = None
        if self._asked.paired is not None:
            n, m = self._asked.paired
            counts, index = (n, m, n * m), tf.repeat(index, m, 0)
        pairs = Pairs(counts)
        found = backwards(walk, {id(output): chosen(output.p, index)}, sources, pairs)
        self._checks = [(step, why) for step, why, _ in pairs.checks]
        values = [
            tf.zeros(tf.shape(s.p), tf.float64)
            if f is None
            else tf.cast(f, tf.float64) * (tf.cast(pairs.x(s), tf.float64) - tf.cast(pairs.r(s), tf.float64))
            for f, s in zip(found, sources, strict=True)
        ]
        return values, [same for *_, same in pairs.checks]

    def _entry(self, x: tf.Tensor, r: tf.Tensor) -> Value:
        p = x if self._asked.paired is None else tf.zeros((x.shape[0] * r.shape[0], *x.shape[1:]), x.dtype)
        return Value(x, r, p, True, False)


def chosen(output: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
    """One at the place asked of each row's output, zero elsewhere."""
    shape = tf.shape(output, tf.int64)
    places = tf.concat([tf.range(shape[0])[:, None], index], 1)[:, : output.shape.rank]
    return tf.scatter_nd(places, tf.ones(shape[:1], real(output).dtype), shape)


def unrolled(
    raw: Any, sites: dict, asked: Asked, given: Sequence[tf.Tensor], entries: list[Value]
) -> tuple[Value, Unrolled, list[Value]]:
    """The output, the steps on the way to it, and where the walk ends: the entries or the layer's activations."""
    graph, wanted = traced(raw, sites, asked)
    bound = {t.name: Value(outer, outer, outer) for outer, t in graph.captures}
    names = [t.name for t in graph.inputs[: 2 * len(given)]]
    bound.update((name, Value(t, t, t, False, False)) for name, t in zip(names, given, strict=False))
    for entry in entries:
        entry.toward = asked.layer is None
    bound.update(zip(names[len(given) :], entries, strict=True))
    walk = Unrolled(asked.paired is not None)
    (output,) = walk.graph(graph, bound, [wanted])
    if asked.layer is None:
        return output, walk, entries
    if len(walk.sites) != 1:
        raise UnsupportedModelError(
            f"layer {asked.layer!r} runs {len(walk.sites)} times in one call (a loop); name a layer outside of it."
        )
    walk.reach(walk.sites[0])
    return output, walk, walk.sites


def traced(raw: Any, sites: dict, asked: Asked) -> tuple[Any, tf.Tensor]:
    """The model's call up to the output as a graph of its own."""
    caught: list[tf.Tensor] = []

    def tap(output: tf.Tensor) -> tf.Tensor:
        caught.append(output)
        return tf.identity(output, name=SITE)

    def body(*both: tf.Tensor) -> tf.Tensor:
        x, where = both[: len(both) // 2], both[len(both) // 2 :]
        taps = {} if asked.layer is None else {asked.layer: tap}
        return tf.identity(feed(raw, sites, x, where, taps)[asked.head])

    graph = tf.function(body, autograph=False).get_concrete_function(*asked.signature(asked.batch)[1:]).graph
    if asked.layer is not None and not caught:
        raise InputError(f"layer {asked.layer!r} is not called by the model on these inputs.")
    return graph, graph.outputs[0]


def backwards(
    walk: Unrolled, start: dict[int, tf.Tensor], sources: Sequence[Value], pairs: Pairs, books: list | None = None
) -> list[tf.Tensor | None]:
    """Multipliers of the sources: from the output's, by its id in `start`, through every step towards them.

    `books` gets, a step, what its outputs' multipliers account for and what its inputs' do; only for steps all of
    whose changing inputs are walked.
    """
    found = dict(start)
    for step in reversed(walk.steps):
        multipliers = [found.get(id(v)) for v in step.outputs]
        if all(m is None for m in multipliers) or not any(v.toward for v in step.outputs):
            continue
        handed = hand_on(step, multipliers, pairs)
        if books is not None:
            books.append((step, _worth(multipliers, step.outputs, pairs), _worth(handed, step.inputs, pairs)))
        for value, m in zip(step.inputs, handed, strict=True):
            if m is not None and value.toward:
                found[id(value)] = found[id(value)] + m if id(value) in found else m
    return [found.get(id(s)) for s in sources]


def _worth(multipliers: Sequence[tf.Tensor | None], values: Sequence[Value], pairs: Pairs) -> tf.Tensor:
    """The sum of multipliers times differences over everything."""
    worths = [
        tf.reduce_sum(tf.cast(m, tf.float64) * (tf.cast(pairs.x(v), tf.float64) - tf.cast(pairs.r(v), tf.float64)))
        for m, v in zip(multipliers, values, strict=True)
        if m is not None
    ]
    return tf.add_n(worths) if worths else tf.zeros((), tf.float64)
