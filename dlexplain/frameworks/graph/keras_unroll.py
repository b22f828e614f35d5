"""A traced TensorFlow graph written again, operation by operation, for an input and its reference side by side.

Functions are opened and loops of known length unrolled, so that what is left is a straight list of steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from dlexplain.frameworks.graph import keras_lists as lists
from dlexplain.frameworks.graph.keras_constants import known
from dlexplain.frameworks.graph.keras_refusals import NeedsBatch, NotPaired, refusal

SITE = "dlexplain_site"
# The forward function counts: a stop_gradient or a custom gradient changes nothing in it.
_SAME = {"Identity", "IdentityN", "StopGradient", "PreventGradient", "Snapshot", "CheckNumerics", "EnsureShape"}
_OF_SHAPE = {"Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike"}
_CALLS = {"PartitionedCall", "StatefulPartitionedCall"}
_READS = {
    "ReadVariableOp", "VarHandleOp", "ResourceGather", "ResourceGatherNd", "HashTableV2", "LookupTableFindV2",
    "LookupTableSizeV2", "Placeholder", "ImmutableConst",
}  # fmt: skip
_LONGEST_LOOP = 10_000


@dataclass(eq=False)
class Step:
    """One operation as it runs on the inputs (`x`), on the references (`r`) and, for shapes only, on the pairs (`p`)."""

    x: tf.Operation
    r: tf.Operation
    p: tf.Operation
    inputs: tuple[Value, ...]
    name: str
    outputs: tuple[Value, ...] = ()

    @property
    def type(self) -> str:
        return self.x.type

    def attr(self, name: str) -> Any:
        return self.x.get_attr(name)


@dataclass(eq=False)
class Value:
    """One tensor in the runs. `active`: differs between them; `shared`: independent of the samples, shapes included;
    `toward`: the entries asked about flow into it."""

    x: tf.Tensor
    r: tf.Tensor
    p: tf.Tensor
    active: bool = False
    shared: bool = True
    toward: bool = False
    step: Step | None = None
    index: int = 0
    constant: np.ndarray | None = None


@dataclass(eq=False)
class Unrolled:
    """`steps` in the order in which they run. `unknown`: where inputs, references and pairs differ in their number,
    a scalar of which nothing is known beforehand. `alone`: there are no references. `one`: there is one reference for
    all inputs, and the pairs are as many as these."""

    unknown: tf.Tensor | None = None
    alone: bool = False
    one: bool = False
    steps: list[Step] = field(default_factory=list)
    sites: list[Value] = field(default_factory=list)
    _stand_ins: dict[tuple, tf.Tensor] = field(default_factory=dict)

    def graph(self, graph: Any, given: dict[str, Value], wanted: Sequence[tf.Tensor]) -> list[Any]:
        """The wanted tensors of the graph, its placeholders bound by name to what is given."""
        found: dict[str, Any] = dict(given)
        needed = _ancestors(wanted, found)
        for operation in graph.get_operations():
            if operation.name not in needed:
                continue
            outputs = self._operation(operation, [found[i.name] for i in operation.inputs])
            found.update((t.name, v) for t, v in zip(operation.outputs, outputs, strict=True))
        return [found[t.name] for t in wanted]

    def make(self, kind: str, inputs: Sequence[Value], attributes: dict, name: str) -> tuple[Value, ...]:
        """A step: the operation written once for each run in which it may differ."""
        shared = all(v.shared for v in inputs)
        active = any(v.active for v in inputs) and kind not in _OF_SHAPE
        twice = not self.alone and (active or ((self.paired or self.one) and not shared))
        x = write(kind, [v.x for v in inputs], attributes)
        try:
            r = write(kind, [v.r for v in inputs], attributes) if twice else x
            p = write(kind, [v.p for v in inputs], attributes) if self.paired and not shared else x
        except ValueError:  # written for one number of samples, such as a loop over them
            if not (self.paired or self.one):
                raise
            raise NotPaired(name) from None
        step = Step(x, r, p, tuple(inputs), name)
        toward = active and any(v.toward for v in inputs)
        step.outputs = tuple(
            Value(a, b, self._of_pairs(c) if active and self.paired else c, active, shared, toward, step, i)
            for i, (a, b, c) in enumerate(zip(x.outputs, r.outputs, p.outputs, strict=True))
        )
        if active:
            self.steps.append(step)
        return step.outputs

    def _of_pairs(self, tensor: tf.Tensor) -> tf.Tensor:
        if not tensor.shape.is_fully_defined():
            raise NotPaired(tensor.name)
        return self.stand_in(tuple(tensor.shape), tensor.dtype)

    def stand_in(self, shape: tuple[int, ...], dtype: tf.DType) -> tf.Tensor:
        """A tensor of the pairs' shape: only that is asked of it, so that nothing runs on all the pairs for it."""
        key = (shape, dtype)
        if key not in self._stand_ins:
            self._stand_ins[key] = tf.fill(shape, tf.cast(self.unknown, dtype))
        return self._stand_ins[key]

    def reach(self, site: Value) -> None:
        """Marks what the site flows into."""
        site.toward = True
        for step in self.steps:
            if any(v.toward for v in step.inputs):
                for value in step.outputs:
                    value.toward = True

    @property
    def paired(self) -> bool:
        return self.unknown is not None

    # ---- one operation of the traced graph -----------------------------------------------------------------------

    def _operation(self, operation: tf.Operation, inputs: list[Any]) -> Sequence[Any]:
        kind = operation.type
        if kind in _SAME:
            if operation.name.rpartition("/")[2].startswith(SITE):
                (value,) = self.make("Identity", inputs, attributes_of(operation), operation.name)
                self.sites.append(value)
                return (value,)
            return inputs
        if kind in _CALLS:
            return self._call(operation, operation.get_attr("f").name, inputs)
        if kind in ("If", "StatelessIf", "Case", "StatelessCase"):
            return self._branch(operation, inputs)
        if kind in ("While", "StatelessWhile"):
            return self._loop(operation, inputs)
        if kind in lists.OPERATIONS:
            return lists.OPERATIONS[kind](self, operation, inputs)
        if "Random" in kind or "Multinomial" in kind:
            seeds = inputs if kind.endswith("KeyCounter") else inputs[1:]
            if operation.op_def.is_stateful or any(known(seed) is None for seed in seeds):
                raise refusal(operation, "draws random numbers")
        elif operation.op_def.is_stateful and kind not in _READS:
            raise refusal(operation, "keeps a state")
        if kind in ("Merge", "Switch", "Enter", "Exit", "NextIteration", "LoopCond"):
            raise refusal(operation, "is control flow of TensorFlow 1")
        return self.make(kind, inputs, attributes_of(operation), operation.name)

    def _call(self, operation: tf.Operation, function: str, inputs: list[Any]) -> list[Any]:
        inner = _function(operation, function)
        return self.graph(inner, {t.name: v for t, v in zip(inner.inputs, inputs, strict=True)}, inner.outputs)

    def _branch(self, operation: tf.Operation, inputs: list[Any]) -> list[Any]:
        condition = self.decided(operation, inputs[0])
        if "Case" in operation.type:
            branches = [f.name for f in operation.get_attr("branches")]
            return self._call(operation, branches[min(max(int(condition), 0), len(branches) - 1)], inputs[1:])
        return self._call(operation, operation.get_attr("then_branch" if condition else "else_branch").name, inputs[1:])

    def _loop(self, operation: tf.Operation, carried: list[Any]) -> list[Any]:
        condition, body = operation.get_attr("cond").name, operation.get_attr("body").name
        for _ in range(_LONGEST_LOOP):
            (more,) = self._call(operation, condition, carried)
            if not self.decided(operation, more):
                return carried
            carried = self._call(operation, body, carried)
        raise refusal(operation, f"runs more than {_LONGEST_LOOP} times")

    def decided(self, operation: tf.Operation, condition: Value) -> np.ndarray:
        if condition.active:
            raise refusal(operation, "branches or loops on what the input holds")
        decided = known(condition)
        if decided is None:
            raise NeedsBatch(str(refusal(operation, "branches or loops on something not known beforehand")))
        return decided


def attributes_of(operation: tf.Operation) -> dict:
    """As they stand in its definition, without the marks that belong to its own graph."""
    return {name: value for name, value in operation.node_def.attr.items() if not name.startswith("_")}


def write(kind: str, inputs: list[tf.Tensor], attributes: dict) -> tf.Operation:
    return tf.compat.v1.get_default_graph()._create_op_internal(kind, inputs, attrs=attributes)


def _ancestors(wanted: Sequence[tf.Tensor], given: dict[str, Any]) -> set[str]:
    """Names of the operations that the wanted tensors are computed from."""
    needed: set[str] = set()
    ahead = [t for t in wanted if t.name not in given]
    while ahead:
        operation = ahead.pop().op
        if operation.name not in needed:
            needed.add(operation.name)
            ahead += [t for t in operation.inputs if t.name not in given]
    return needed


def _function(operation: tf.Operation, name: str) -> Any:
    graph = operation.graph
    while graph is not None:
        found = graph._get_function(name)
        if found is not None:
            return found.graph
        graph = getattr(graph, "outer_graph", None)
    raise refusal(operation, f"calls {name!r}, which is not in the graph")
