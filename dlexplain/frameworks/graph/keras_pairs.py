"""Pairs of an input and a reference: what a rule asks of them, and gradients of single operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import ops

from dlexplain.frameworks.graph.keras_refusals import NotPaired
from dlexplain.frameworks.graph.keras_unroll import Step, Value, attributes_of, write

# As they stood when this was imported: other libraries exchange entries while they run.
_GRADIENTS = {name: entry["type"] for name, entry in ops._gradient_registry._registry.items()}


class Pairs:
    """`counts`: the rows of inputs, references and pairs where they differ; else each row is a pair already. `one`: as
    many pairs as there are inputs, all with one reference."""

    def __init__(self, counts: tuple[int, int, int] | None = None, one: tf.Tensor | None = None) -> None:
        self.counts, self._one = counts, one
        self.checks: list[tuple[Step, str, tf.Tensor]] = []
        self._of: dict[tuple[int, str], tf.Tensor] = {}
        self._kept: list[Value] = []

    def x(self, value: Value) -> tf.Tensor:
        return self._paired(value, "x")

    def r(self, value: Value) -> tf.Tensor:
        return self._paired(value, "r")

    @property
    def apart(self) -> bool:
        """Whether the rows of inputs, references and pairs differ in number."""
        return self.counts is not None or self._one is not None

    def wide(self, value: Value, run: str) -> tf.Tensor:
        """The run's own rows, shaped to broadcast over all pairs: `(n, 1, ...)` and `(1, m, ...)` where they differ."""
        tensor = getattr(value, run)
        if not self.apart or value.shared or not self._by_rows(value) or self._one is not None:
            return tensor
        return tf.expand_dims(tensor, 1 if run == "x" else 0)

    def opened(self, tensor: tf.Tensor) -> tf.Tensor:
        """Rows of pairs as `(n, m, ...)`, to meet what is wide."""
        return tensor if self.counts is None else tf.reshape(tensor, (*self.counts[:2], *tensor.shape[1:]))

    def closed(self, tensor: tf.Tensor) -> tf.Tensor:
        return tensor if self.counts is None else tf.reshape(tensor, (-1, *tensor.shape[2:]))

    def difference(self, value: Value) -> tf.Tensor:
        key = (id(value), "difference")
        if key not in self._of:
            difference = real(self.wide(value, "x")) - real(self.wide(value, "r"))
            self._keep(value, key, self.closed(difference) if self.counts and self._by_rows(value) else difference)
        return self._of[key]

    def mean(self, value: Value) -> tf.Tensor:
        if not value.active:
            return real(self.x(value))
        key = (id(value), "mean")
        if key not in self._of:
            self._keep(value, key, (real(self.x(value)) + real(self.r(value))) / 2)
        return self._of[key]

    def require_same(self, step: Step, value: Value, why: str) -> None:
        """The walk holds only where the value is the same in both runs, which is looked at when it runs."""
        self.checks.append((step, why, tf.reduce_all(tf.equal(self.x(value), self.r(value)))))

    def _keep(self, value: Value, key: tuple[int, str], tensor: tf.Tensor) -> None:
        self._of[key] = tensor
        self._kept.append(value)  # so that its id stays its own

    def _by_rows(self, value: Value) -> bool:
        """Whether the value has a row a sample; not so, it must be the same for all."""
        n, m, pairs = self.counts or (None, 1, None)
        shapes = [tuple(t.shape) if t.shape.rank is not None else None for t in (value.x, value.r, value.p)]
        if shapes[0] == shapes[1] == shapes[2] and not value.active:
            return False
        if None in shapes or [s[:1] for s in shapes] != [(n,), (m,), (pairs,)] or len({s[1:] for s in shapes}) > 1:
            raise NotPaired(value.step.name if value.step is not None else "an input")
        return True

    def _paired(self, value: Value, run: str) -> tf.Tensor:
        tensor = getattr(value, run)
        if not self.apart or value.shared:
            return tensor
        key = (id(value), run)
        if key not in self._of:
            self._keep(value, key, self.gathered(tensor, run) if self._by_rows(value) else value.p)
        return self._of[key]

    def gathered(self, tensor: tf.Tensor, run: str) -> tf.Tensor:
        """One run's rows, a row a pair."""
        if self._one is not None:
            return tensor if run == "x" else tf.repeat(tensor, tf.shape(self._one)[0], 0)
        if self.counts is None:
            return tensor
        n, m, _ = self.counts
        return tf.gather(tensor, tf.repeat(tf.range(n), m) if run == "x" else tf.tile(tf.range(m), [n]))


def real(tensor: tf.Tensor) -> tf.Tensor:
    """Truth values and whole numbers as floating-point ones."""
    return tensor if tensor.dtype.is_floating or tensor.dtype.is_complex else tf.cast(tensor, tf.float32)


def at(step: Step, inputs: Sequence[tf.Tensor]) -> tf.Operation:
    """The step's operation on other inputs."""
    for run in (step.x, step.r):
        if all(a is b for a, b in zip(inputs, run.inputs, strict=True)):
            return run
    return write(step.type, list(inputs), attributes_of(step.x))


def transposed(operation: tf.Operation, multipliers: Sequence[tf.Tensor | None]) -> list[tf.Tensor | None]:
    """The operation's own gradient, one an input; None where it has none."""
    function = _GRADIENTS.get(operation.type)
    if function is None:
        return [None] * len(operation.inputs)
    given = [
        tf.zeros_like(t, t.dtype if t.dtype.is_floating else tf.float32) if m is None else m
        for m, t in zip(multipliers, operation.outputs, strict=True)
    ]
    found = function(operation, *given)
    found = list(found) if isinstance(found, (list, tuple)) else [found]
    return [None if g is None else tf.convert_to_tensor(g) for g in found]


def has_gradient(operation: tf.Operation) -> bool:
    return _GRADIENTS.get(operation.type) is not None


def registered(operation: tf.Operation) -> bool:
    """TensorFlow knows its gradient, or that it is zero everywhere."""
    return operation.type in _GRADIENTS


def summed_to(multiplier: tf.Tensor, tensor: tf.Tensor) -> tf.Tensor:
    """Summed over the axes along which the tensor was broadcast."""
    if alike(multiplier, tensor):
        return multiplier
    shape = tf.shape(tensor)
    axes, _ = tf.raw_ops.BroadcastGradientArgs(s0=shape, s1=tf.shape(multiplier))
    return tf.reshape(tf.reduce_sum(multiplier, axes), shape)


def alike(a: tf.Tensor, b: tf.Tensor) -> bool:
    """Of one shape; only the number of samples may be unknown."""
    if a.shape.rank is None or a.shape.rank != b.shape.rank or a.shape.rank == 0:
        return a.shape.rank == b.shape.rank == 0
    return a.shape[1:].is_fully_defined() and a.shape.as_list() == b.shape.as_list()


def spread(tensor: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    if alike(tensor, like):
        return tensor
    return tf.broadcast_to(tensor, tf.shape(like))


Multipliers = list[Any]
