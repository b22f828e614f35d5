"""Layer-wise relevance on a Keras model's operation graph: the score handed back by the shares of each operation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import tensorflow as tf

from dlexplain.errors import InputError
from dlexplain.frameworks.graph.keras_affine import Affine, maps
from dlexplain.frameworks.graph.keras_once import once
from dlexplain.frameworks.graph.keras_pairs import real, summed_to, transposed
from dlexplain.frameworks.graph.keras_refusals import refusal
from dlexplain.frameworks.graph.keras_rules import COPYING, ELEMENTWISE, MIXING
from dlexplain.frameworks.graph.keras_sets import first_place
from dlexplain.frameworks.graph.keras_unroll import Step, Value
from dlexplain.frameworks.questions import Inputs, Target

if TYPE_CHECKING:
    from dlexplain.frameworks.keras_model import KerasModel

Options = Mapping[str, float]
# (first weighted map, convolutions, dense): None for the rule of its kind
_COMPOSITES = {
    "epsilon_plus_flat": ("flat", "z_plus", "epsilon"),
    "epsilon_alpha2_beta1_flat": ("flat", "alpha_beta", "epsilon"),
    "epsilon_gamma": (None, "gamma", "epsilon"),
}
_SIMPLE = ("epsilon", "gamma", "alpha_beta", "z_plus", "flat")
_SCALES = {"Mul", "RealDiv", "Div", "DivNoNan", "MulNoNan"}


def relevance(model: KerasModel, inputs: Inputs, target: Target, rule: str, options: Options) -> Inputs:
    """See `Model.relevance`."""
    if rule not in _COMPOSITES and rule not in _SIMPLE:
        raise InputError(f"rule={rule!r} is unknown. Rules: {', '.join((*_SIMPLE, *_COMPOSITES))}.")
    options = {"epsilon": 1e-6, "gamma": 0.25, "alpha": 2.0, "beta": 1.0} | dict(options)
    if rule == "epsilon_alpha2_beta1_flat":
        options |= {"alpha": 2.0, "beta": 1.0}

    def backwards(steps, output, start, entries):
        return _Walk(steps, output, rule, options).back(start, entries)

    return once(model, inputs, target, ("relevance", rule, *sorted(options.items())), backwards)


class _Walk:
    def __init__(self, steps: Sequence[Step], output: Value, rule: str, options: Options) -> None:
        self._steps, self._output, self._rule, self._options = steps, output, rule, options
        self._maps = maps(steps, output)
        self._inside = {id(step) for map in self._maps.values() for step, _ in map.steps}
        self._first = _first_maps(steps, self._maps)
        self._users: dict[int, int] = {}
        for step in steps:
            for value in step.inputs:
                self._users[id(value)] = self._users.get(id(value), 0) + 1

    def back(self, start: tf.Tensor, entries: Sequence[Value]) -> list[tf.Tensor | None]:
        found = {id(self._output): start * real(self._output.x)}

        def give(value: Value, part: tf.Tensor | None) -> None:
            if part is not None and value.active:
                found[id(value)] = found[id(value)] + part if id(value) in found else part

        for step in reversed(self._steps):
            incoming = [found.get(id(v)) for v in step.outputs]
            if all(r is None for r in incoming):
                continue
            if id(step) in self._maps:
                map = self._maps[id(step)]
                give(map.input, self._affine(map, incoming[0]))
            elif id(step) not in self._inside:
                for value, part in self._shares(step, incoming):
                    give(value, part)
        return [found.get(id(e)) for e in entries]

    # ---- weighted sums -------------------------------------------------------------------------------------------

    def _affine(self, map: Affine, relevance: tf.Tensor) -> tf.Tensor:
        rule = self._rule
        if rule in _COMPOSITES:
            first, convolution, dense = _COMPOSITES[rule]
            rule = convolution if map.is_convolution else dense
            rule = first if first is not None and id(map) in self._first else rule
        return getattr(self, f"_{rule}")(map, relevance)

    def _epsilon(self, map: Affine, relevance: tf.Tensor) -> tf.Tensor:
        return map.input.x * map.plain_back(self._over(relevance, map.output.x))

    def _z_plus(self, map: Affine, relevance: tf.Tensor) -> tf.Tensor:
        parts = map.parts()
        return parts.back(_quotient(relevance, parts.up + tf.nn.relu(map.bias())), None)

    def _alpha_beta(self, map: Affine, relevance: tf.Tensor) -> tf.Tensor:
        parts, bias = map.parts(), map.bias()
        up = self._options["alpha"] * _quotient(relevance, parts.up + tf.nn.relu(bias))
        down = self._options["beta"] * _quotient(relevance, parts.down - tf.nn.relu(-bias))
        return parts.back(up, -down)

    def _gamma(self, map: Affine, relevance: tf.Tensor) -> tf.Tensor:
        """Where the sum is positive its positive products weigh 1 + gamma, where it is negative the negative ones."""
        gamma, z, parts, bias = self._options["gamma"], map.output.x, map.parts(), map.bias()
        up = _quotient(relevance, z + gamma * (parts.up + tf.nn.relu(bias))) * tf.cast(z >= 0, z.dtype)
        down = _quotient(relevance, z + gamma * (parts.down - tf.nn.relu(-bias))) * tf.cast(z < 0, z.dtype)
        return map.input.x * map.plain_back(up + down) + gamma * parts.back(up, down)

    def _flat(self, map: Affine, relevance: tf.Tensor) -> tf.Tensor:
        """Evenly over the inputs that are no padding."""
        operation = map.product(tf.ones_like(map.input.x), tf.ones_like(map.weights))
        return map.back(operation, _quotient(map.shapes_back(relevance), operation.outputs[0]))

    # ---- everything else -----------------------------------------------------------------------------------------

    def _shares(self, step: Step, incoming: list[tf.Tensor | None]) -> list[tuple[Value, tf.Tensor | None]]:
        relevance, active = incoming[0], [v for v in step.inputs if v.active]
        if step.type in ("AddV2", "Add", "Sub", "AddN") and len(active) > 1:
            return self._sum(step, relevance)
        if step.type in ("AddV2", "Add", "Sub", "Neg", "BiasAdd", "SquaredDifference") and len(active) == 1:
            return [(active[0], summed_to(relevance, active[0].x))]
        if step.type in COPYING:
            return list(zip(step.inputs, transposed(step.x, incoming), strict=True))
        if step.type in MIXING:
            over = [None if r is None else self._over(r, v.x) for r, v in zip(incoming, step.outputs, strict=True)]
            return [
                (v, None if g is None or not v.active else v.x * g)
                for v, g in zip(step.inputs, transposed(step.x, over), strict=True)
            ]
        if step.type in _SCALES:
            return self._product(step, relevance, active)
        if step.type in ("Softmax", "LogSoftmax"):
            x, y = active[0].x, tf.nn.softmax(active[0].x)
            total = tf.reduce_sum(relevance, -1, keepdims=True)
            return [(active[0], x * (relevance - y * total))]
        if step.type in ("MaxPool", "MaxPool3D", "MaxPoolWithArgmax", "TopK", "TopKV2"):
            return [(active[0], transposed(step.x, incoming)[0])]
        if step.type in ("Max", "Min"):
            return [(active[0], first_place(step) * _kept(step, relevance))]
        if step.type in ("Select", "SelectV2"):
            chosen, yes, no = step.inputs
            c = tf.cast(chosen.x, relevance.dtype)
            return [(yes, summed_to(c * relevance, yes.x)), (no, summed_to((1 - c) * relevance, no.x))]
        if step.type in ("Maximum", "Minimum") and len(active) == 2:
            a, b = active
            wins = tf.cast(a.x >= b.x if step.type == "Maximum" else a.x <= b.x, relevance.dtype)
            return [(a, summed_to(wins * relevance, a.x)), (b, summed_to((1 - wins) * relevance, b.x))]
        if len(active) == 2 and step.type in ("MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum"):
            back = transposed(step.x, [self._over(relevance, step.outputs[0].x)])
            return [(v, v.x * g / 2) for v, g in zip(step.inputs, back, strict=True)]
        if (step.type in ELEMENTWISE or step.type == "Square") and len(active) == 1:
            passes = step.outputs[0].x.dtype.is_floating and active[0].x.dtype.is_floating
            return [(active[0], summed_to(relevance, active[0].x))] if passes else []
        raise refusal(step, "has no rule of relevance")

    def _sum(self, step: Step, relevance: tf.Tensor) -> list[tuple[Value, tf.Tensor]]:
        """Shares of a sum of activations; constants added on the way to it take none."""
        parts = []
        for i, value in enumerate(step.inputs):
            if value.active:
                sign, inner = self._without_constants(value)
                parts.append((value, -sign if step.type == "Sub" and i == 1 else sign, inner))
        # x d - mean d with the same deviation d is (x - mean) d: the shares are those of the centred value.
        factors = [_factored(inner) for *_, inner in parts]
        if all(factors) and len({id(d) for _, d in factors}) == 1:
            parts = [(value, sign, plain) for (value, sign, _), (plain, _) in zip(parts, factors, strict=True)]
        signed = [sign * part.x for _, sign, part in parts]
        over = self._over(relevance, tf.add_n([tf.broadcast_to(t, tf.shape(relevance)) for t in signed]))
        return [(value, summed_to(t * over, value.x)) for (value, *_), t in zip(parts, signed, strict=True)]

    def _without_constants(self, value: Value) -> tuple[int, Value]:
        """What a value is, up to its sign, before constants are added to it for this sum alone."""
        sign = 1
        while (step := value.step) is not None and step.type in ("AddV2", "Add", "Sub"):
            active = [i for i, v in enumerate(step.inputs) if v.active]
            if len(active) != 1 or self._users.get(id(value)) != 1 or id(step) in self._inside:
                break
            inner = step.inputs[active[0]]
            if inner.x.shape[1:] != value.x.shape[1:]:
                break
            sign, value = (-sign if step.type == "Sub" and active[0] == 1 else sign), inner
        return sign, value

    def _product(self, step: Step, relevance: tf.Tensor, active: list[Value]) -> list[tuple[Value, tf.Tensor]]:
        """Half to each factor; all to the one that is not the other's deviation (a normalisation) or divisor."""
        if step.type in ("Mul", "MulNoNan"):
            y = step.outputs[0].x
            if len(active) == 2 and (factored := _factored(step.outputs[0])):
                return [(factored[0], summed_to(relevance, factored[0].x))]
            relevance = y * self._over(relevance, y) / len(active)
            return [(v, summed_to(relevance, v.x)) for v in active]
        value = step.inputs[0] if step.inputs[0].active else step.inputs[1]
        return [(value, summed_to(relevance, value.x))]

    def _over(self, relevance: tf.Tensor, z: tf.Tensor) -> tf.Tensor:
        epsilon = tf.constant(self._options["epsilon"], z.dtype)
        return _quotient(relevance, z + tf.where(z >= 0, epsilon, -epsilon))


def _quotient(relevance: tf.Tensor, by: tf.Tensor) -> tf.Tensor:
    return tf.math.divide_no_nan(relevance, by)


def _kept(step: Step, tensor: tf.Tensor) -> tf.Tensor:
    """A reduced tensor with its axes of length one again."""
    value, axes = step.inputs
    rank = value.x.shape.rank
    flags = tf.reduce_any(tf.one_hot(tf.reshape(axes.x, [-1]) % rank, rank, True, False), 0)
    shape = tf.shape(value.x)
    return tf.reshape(tensor, tf.where(flags, tf.ones_like(shape), shape))


def _is_deviation(value: Value) -> bool:
    """One over a root, perhaps scaled by what does not change, on its way into a product."""
    step = value.step
    while step is not None:
        active = [v for v in step.inputs if v.active]
        if step.type in ("Rsqrt", "Reciprocal"):
            return True
        if len(active) != 1 or step.type not in (
            "Mul",
            "Reshape",
            "BroadcastTo",
            "Cast",
            "Identity",
            "ExpandDims",
            "Tile",
        ):
            return False
        step = active[0].step
    return False


def _factored(value: Value) -> tuple[Value, Value] | None:
    """The value and the deviation whose product it is."""
    step = value.step
    if step is None or step.type != "Mul" or sum(v.active for v in step.inputs) != 2:
        return None
    deviations = [_is_deviation(v) for v in step.inputs]
    if deviations[0] == deviations[1]:
        return None
    return (step.inputs[0], step.inputs[1]) if deviations[1] else (step.inputs[1], step.inputs[0])


def _first_maps(steps: Sequence[Step], found: Mapping[int, Affine]) -> set[int]:
    """Maps before which no other stands on any way from the entries."""
    weighted = {id(map.steps[0][0]): map for map in found.values()}
    after: set[int] = set()
    first: set[int] = set()
    for step in steps:
        behind = any(id(v) in after for v in step.inputs)
        if id(step) in weighted and not behind:
            first.add(id(weighted[id(step)]))
        if behind or id(step) in weighted:
            after |= {id(v) for v in step.outputs}
    return first
