"""DeepLIFT on a Keras model's operation graph: traced once, unrolled for inputs and references, walked backwards."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from dlexplain.errors import InputError, UnsupportedModelError
from dlexplain.frameworks.graph.keras_pairs import Pairs, real
from dlexplain.frameworks.graph.keras_refusals import NeedsBatch, refusal
from dlexplain.frameworks.graph.keras_rules import hand_on
from dlexplain.frameworks.graph.keras_unroll import SITE, Unrolled, Value
from dlexplain.frameworks.keras_inside import feed
from dlexplain.frameworks.keras_tensors import score_of
from dlexplain.frameworks.questions import Inputs, Target, grid

if TYPE_CHECKING:
    from dlexplain.frameworks.keras_model import KerasModel


@dataclass(frozen=True)
class Asked:
    """What is traced: which output, what its inputs look like, and at which layer the walk ends (None: the inputs)."""

    head: int
    layer: str | None
    sites: tuple[int, ...]
    specs: tuple[tf.TensorSpec, ...]


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
    sums: list[np.ndarray] = []
    for ns, ms in grid(n, m, rows):
        many, count = ns.stop - ns.start, ms.stop - ms.start
        index = np.repeat(target.index[ns], count, 0)
        given = [tf.repeat(t[ns], count, 0) for t in tensors]
        x = [tf.repeat(e[ns], count, 0) for e in entries]
        r = [_against(o, ns, ms, many, background) for o in others]
        parts = _run(model, target.head, layer, index, given, x, r)
        if not sums:
            sums = [np.zeros((n, *p.shape[1:])) for p in parts]
        for total, part in zip(sums, parts, strict=True):
            total[ns] += part.reshape(many, count, *part.shape[1:]).sum(1)
    return tuple(total / m for total in sums)


def _against(other: tf.Tensor, ns: slice, ms: slice, many: int, background: bool) -> tf.Tensor:
    """The references of a block's pairs, a row each."""
    if background:
        part = other[ms]
        return tf.tile(part, [many] + [1] * (len(part.shape) - 1))
    return tf.repeat(other, many, 0) if len(other) == 1 else other[ns]


def _run(model: KerasModel, head: int, layer: str | None, index, given, x, r) -> list[np.ndarray]:
    """The contributions of a block of pairs; traced for any number of them, or for just as many where it must be."""
    arguments = (tf.constant(index, tf.int64), *given, *x, *r)
    sites = tuple(model._entry_sites)
    for batch in (None, len(index)):
        specs = tuple(tf.TensorSpec((batch, *t.shape[1:]), t.dtype) for t in arguments)
        key = ("contributions", head, layer, sites, *((s.shape, s.dtype) for s in specs), model.device)
        try:
            walked = model._traces.get(key)
            if walked is None:
                walked = model._traces[key] = Walked(model, Asked(head, layer, sites, specs))
            return walked(arguments)
        except NeedsBatch as problem:
            model._traces.pop(key, None)
            stopped = problem
        except BaseException:
            model._traces.pop(key, None)
            raise
    raise UnsupportedModelError(str(stopped))


class Walked:
    """One compiled walk for pairs in equal batches. Holds the model weakly."""

    def __init__(self, model: KerasModel, asked: Asked) -> None:
        self._model, self._sites, self._asked = weakref.ref(model.raw), dict(model._entry_sites), asked
        self._checks: list[tuple[Any, str]] = []
        self._graph = tf.function(self._body, input_signature=asked.specs, autograph=False)

    def __call__(self, arguments: Sequence[tf.Tensor]) -> list[np.ndarray]:
        parts, checks = self._graph(*arguments)
        for (step, why), same in zip(self._checks, checks, strict=True):
            if not same:
                raise refusal(step, why)
        return [p.numpy() for p in parts]

    def _body(self, index: tf.Tensor, *flat: tf.Tensor) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        count = len(flat) // 3
        given, x, r = flat[:count], flat[count : 2 * count], flat[2 * count :]
        score, walk, sources = unrolled(
            self._model(), self._sites, self._asked, (index, *given), [Value(a, b, a, True, False) for a, b in zip(x, r, strict=True)]
        )
        pairs = Pairs()
        found = backwards(walk, score, sources, pairs)
        self._checks = [(step, why) for step, why, _ in pairs.checks]
        values = [
            tf.zeros(tf.shape(s.x), tf.float64)
            if f is None
            else tf.cast(f, tf.float64) * (tf.cast(s.x, tf.float64) - tf.cast(s.r, tf.float64))
            for f, s in zip(found, sources, strict=True)
        ]
        return values, [same for *_, same in pairs.checks]


def unrolled(
    raw: Any, sites: dict, asked: Asked, given: Sequence[tf.Tensor], entries: list[Value], paired: bool = False
) -> tuple[Value, Unrolled, list[Value]]:
    """The score, the steps on the way to it, and where the walk ends: the entries or the layer's activations."""
    graph, output = traced(raw, sites, asked)
    count = len(graph.inputs) - len(graph.captures)
    bound = {t.name: Value(outer, outer, outer) for outer, t in graph.captures}
    names = [t.name for t in graph.inputs[:count]]
    bound.update((name, Value(t, t, t, False, False)) for name, t in zip(names, given, strict=False))
    if asked.layer is None:
        for entry in entries:
            entry.toward = True
    bound.update(zip(names[len(given) :], entries, strict=True))
    walk = Unrolled(paired)
    (score,) = walk.graph(graph, bound, [output])
    if asked.layer is None:
        return score, walk, entries
    if len(walk.sites) != 1:
        raise UnsupportedModelError(
            f"layer {asked.layer!r} runs {len(walk.sites)} times in one call (a loop); name a layer outside of it."
        )
    walk.reach(walk.sites[0])
    return score, walk, walk.sites


def traced(raw: Any, sites: dict, asked: Asked) -> tuple[Any, tf.Tensor]:
    """The model's call up to the score as a graph of its own."""
    caught: list[tf.Tensor] = []

    def tap(output: tf.Tensor) -> tf.Tensor:
        caught.append(output)
        return tf.identity(output, name=SITE)

    def body(index: tf.Tensor, *both: tf.Tensor) -> tf.Tensor:
        x, where = both[: len(both) // 2], both[len(both) // 2 :]
        taps = {} if asked.layer is None else {asked.layer: tap}
        return score_of(feed(raw, sites, x, where, taps)[asked.head], index)

    count = 1 + 2 * ((len(asked.specs) - 1) // 3)
    graph = tf.function(body, autograph=False).get_concrete_function(*asked.specs[:count]).graph
    if asked.layer is not None and not caught:
        raise InputError(f"layer {asked.layer!r} is not called by the model on these inputs.")
    return graph, graph.outputs[0]


def backwards(walk: Unrolled, score: Value, sources: Sequence[Value], pairs: Pairs) -> list[tf.Tensor | None]:
    """Multipliers of the sources: from the score's, which is one, through every step towards them."""
    found: dict[int, tf.Tensor] = {id(score): tf.ones_like(real(score.p))}
    for step in reversed(walk.steps):
        multipliers = [found.get(id(v)) for v in step.outputs]
        if all(m is None for m in multipliers) or not any(v.toward for v in step.outputs):
            continue
        for value, m in zip(step.inputs, hand_on(step, multipliers, pairs), strict=True):
            if m is not None and value.toward:
                found[id(value)] = found[id(value)] + m if id(value) in found else m
    return [found.get(id(s)) for s in sources]
