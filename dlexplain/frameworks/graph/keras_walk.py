"""One walk over a Keras model's operation graph: traced, unrolled, the rules applied backwards, all one compiled graph."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from dlexplain.errors import InputError, UnsupportedModelError
from dlexplain.frameworks.graph.keras_compiled import Compiled
from dlexplain.frameworks.graph.keras_pairs import Pairs, real
from dlexplain.frameworks.graph.keras_refusals import NeedsBatch, NotPaired, refusal
from dlexplain.frameworks.graph.keras_rules import hand_on
from dlexplain.frameworks.graph.keras_unroll import SITE, Unrolled, Value
from dlexplain.frameworks.keras_inside import feed, named_layers

if TYPE_CHECKING:
    from dlexplain.frameworks.keras_model import KerasModel


@dataclass(frozen=True)
class Asked:
    """What is traced: which output, what the samples look like (target's place, inputs, their entries), the number of
    rows (None: any), and at which layer the walk ends (None: at the entries). `paired`: rows of inputs and of
    references that are all compared with each other, (None, 1) for any number with one; None: a row each of a pair."""

    head: int
    layer: str | None
    sites: tuple[int, ...]
    specs: tuple[tuple[tuple[int | None, ...], tf.DType], ...]
    batch: int | None = None
    paired: tuple[int | None, int] | None = None

    @property
    def one(self) -> bool:
        return self.paired == (None, 1)

    def signature(self, batch: int | None) -> list[tf.TensorSpec]:
        return [tf.TensorSpec((batch, *shape), dtype) for shape, dtype in self.specs]


class Walked:
    """One compiled walk. Holds the model weakly."""

    def __init__(self, model: KerasModel, asked: Asked, books: bool = False) -> None:
        self._model, self._sites, self._asked = weakref.ref(model.raw), dict(model._entry_sites), asked
        self._books = [] if books else None
        self._checks: list[tuple[Any, str]] = []
        self._stopped: tuple | None = None
        self._graph: Compiled | None = None

    def __call__(self, x: Sequence[tf.Tensor], r: Sequence[tf.Tensor]) -> tuple[list[np.ndarray], np.ndarray]:
        """The contributions of each pair, and `(2, pairs)` the scores of its input and its reference."""
        parts, scores, _ = self._run(x, r)
        return [p.numpy() for p in parts], scores.numpy()

    def unbalanced(self, x: Sequence[tf.Tensor], r: Sequence[tf.Tensor]) -> str | None:
        """The first operation on the way back whose inputs account for something else than its outputs."""
        _, _, books = self._run(x, r)
        amiss = np.array([abs(float(out - put)) for out, put in books])
        if not amiss.any():
            return None
        step = self._books[int(np.argmax(amiss > amiss.max() / 4))]
        return f"{step.type} ({step.name})"

    def _run(self, x: Sequence[tf.Tensor], r: Sequence[tf.Tensor]):
        if self._stopped is not None:
            kind, *said = self._stopped
            raise kind(*said)
        try:
            if self._graph is None:
                self._graph = self._compiled()
        except (NeedsBatch, NotPaired, UnsupportedModelError) as problem:
            self._stopped = (type(problem), *problem.args)  # itself it would hold the frames, and they the model
            raise
        parts, scores, checks, books = self._graph(*x, *r)
        for (step, why), same in zip(self._checks, checks, strict=True):
            if not same:
                raise refusal(step, why)
        return parts, scores, books

    def _compiled(self) -> Compiled:
        n, m = self._asked.paired or (self._asked.batch,) * 2
        count = len(self._asked.specs) // 2
        return Compiled(self._body, (*self._asked.signature(n), *self._asked.signature(m)[count + 1 :]))

    def _body(self, index: tf.Tensor, *flat: tf.Tensor) -> tuple[list[tf.Tensor], ...]:
        count = len(flat) // 3
        given, x, r = flat[:count], flat[count : 2 * count], flat[2 * count :]
        apart = self._asked.paired is not None and not self._asked.one
        walk = Unrolled(index[0, 0] if apart else None, one=self._asked.one)
        entries = [
            Value(
                a, b, walk.stand_in((a.shape[0] * b.shape[0], *a.shape[1:]), a.dtype) if walk.paired else a, True, False
            )
            for a, b in zip(x, r, strict=True)
        ]
        output, sources = unrolled(walk, self._model(), self._sites, self._asked, given, entries)
        counts = None
        if apart:
            n, m = self._asked.paired
            counts, index = (n, m, n * m), tf.repeat(index, m, 0)
        pairs = Pairs(counts, x[0] if self._asked.one else None)
        start = chosen(output.p, index)
        books = None if self._books is None else []
        found = backwards(walk, {id(output): start}, sources, pairs, books)
        self._checks = [(step, why) for step, why, _ in pairs.checks]
        values = [
            tf.zeros(tf.shape(s.p), tf.float64)
            if f is None
            else tf.cast(f, tf.float64) * (tf.cast(pairs.x(s), tf.float64) - tf.cast(pairs.r(s), tf.float64))
            for f, s in zip(found, sources, strict=True)
        ]
        axes = list(range(1, output.p.shape.rank))
        scores = tf.stack([tf.reduce_sum(start * real(run(output)), axes) for run in (pairs.x, pairs.r)])
        if books is not None:
            self._books = [step for step, *_ in books]
        return values, scores, [same for *_, same in pairs.checks], [amounts for _, *amounts in books or ()]


def chosen(output: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
    """One at the place asked of each row's output, zero elsewhere."""
    shape = tf.shape(output, tf.int64)
    places = tf.concat([tf.range(shape[0])[:, None], index], 1)[:, : output.shape.rank]
    return tf.scatter_nd(places, tf.ones(shape[:1], real(output).dtype), shape)


def unrolled(
    walk: Unrolled, raw: Any, sites: dict, asked: Asked, given: Sequence[tf.Tensor], entries: list[Value]
) -> tuple[Value, list[Value]]:
    """The output, the walk holding the steps to it, and where it ends: the entries or the layer's activations."""
    graph, wanted = traced(raw, sites, asked)
    bound = {t.name: Value(outer, outer, outer) for outer, t in graph.captures}
    names = [t.name for t in graph.inputs[: 2 * len(given)]]
    bound.update((name, Value(t, t, t, False, False)) for name, t in zip(names, given, strict=False))
    for entry in entries:
        entry.toward = asked.layer is None
    bound.update(zip(names[len(given) :], entries, strict=True))
    (output,) = walk.graph(graph, bound, [wanted])
    if asked.layer is None:
        return output, entries
    if len(walk.sites) != 1:
        raise UnsupportedModelError(
            f"layer {asked.layer!r} runs {len(walk.sites)} times in one call (a loop); name a layer outside of it."
        )
    walk.reach(walk.sites[0])
    return output, walk.sites


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

    with opened_up(raw):
        graph = tf.function(body, autograph=False).get_concrete_function(*asked.signature(asked.batch)[1:]).graph
    if asked.layer is not None and not caught:
        raise InputError(f"layer {asked.layer!r} is not called by the model on these inputs.")
    return graph, graph.outputs[0]


@contextlib.contextmanager
def opened_up(raw: Any) -> Iterator[None]:
    """Recurrent layers written as loops, not as the graphics card's one operation; under the model's lock."""
    fused = [layer for layer in named_layers(raw).values() if layer.__dict__.get("use_cudnn") not in (None, False)]
    before = [layer.use_cudnn for layer in fused]
    try:
        for layer in fused:
            object.__setattr__(layer, "use_cudnn", False)
        yield
    finally:
        for layer, value in zip(fused, before, strict=True):
            object.__setattr__(layer, "use_cudnn", value)


def backwards(
    walk: Unrolled, start: dict[int, tf.Tensor], sources: Sequence[Value], pairs: Pairs, books: list | None = None
) -> list[tf.Tensor | None]:
    """Multipliers of the sources: from the output's, by its id in `start`, through every step towards them.

    `books` gets, a step, what its outputs' multipliers account for and what its inputs' do.
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
