"""Weighted sums as relevance sees them: a product with weights and the bias and scales that follow, one affine map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import tensorflow as tf

from dlexplain.frameworks.graph.keras_pairs import at, transposed
from dlexplain.frameworks.graph.keras_unroll import Step, Value

CONVOLUTIONS = {"Conv2D", "Conv3D", "DepthwiseConv2dNative", "Conv2DBackpropInput", "Conv3DBackpropInputV2"}
_WEIGHTED = CONVOLUTIONS | {"MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum"}
_SHAPES = {"Reshape", "Squeeze", "ExpandDims", "Transpose", "Identity"}
_ADDING = {"BiasAdd", "AddV2", "Add", "Sub"}
_NORMS = {"FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"}


def is_weighted(step: Step) -> bool:
    return step.type in _WEIGHTED and sum(v.active for v in step.inputs) == 1


@dataclass(eq=False)
class Affine:
    """`steps`: the product first, then what follows it alone, each with the place of its one changing input."""

    steps: list[tuple[Step, int]] = field(default_factory=list)

    @property
    def input(self) -> Value:
        step, place = self.steps[0]
        return step.inputs[place]

    @property
    def output(self) -> Value:
        return self.steps[-1][0].outputs[0]

    @property
    def is_convolution(self) -> bool:
        return self.steps[0][0].type in CONVOLUTIONS

    def bias(self) -> tf.Tensor:
        """What the map gives where the product gives zero."""
        value = tf.zeros_like(self.steps[0][0].outputs[0].x)
        for step, place in self.steps[1:]:
            inputs = [value if i == place else v.x for i, v in enumerate(step.inputs)]
            value = at(step, inputs).outputs[0]
        return value

    def product(self, x: tf.Tensor, weights: tf.Tensor) -> tf.Operation:
        step, place = self.steps[0]
        kernel = _kernel(step, place)
        return at(step, [x if i == place else weights if i == kernel else v.x for i, v in enumerate(step.inputs)])

    @property
    def weights(self) -> tf.Tensor:
        step, place = self.steps[0]
        return step.inputs[_kernel(step, place)].x

    def back(self, operation: tf.Operation, relevance: tf.Tensor) -> tf.Tensor:
        """The product's transpose."""
        return transposed(operation, [relevance])[self.steps[0][1]]

    def plain_back(self, relevance: tf.Tensor) -> tf.Tensor:
        """The whole map's transpose."""
        for step, place in reversed(self.steps[1:]):
            if step.type in _ADDING:
                relevance = -relevance if step.type == "Sub" and place else relevance
            else:
                relevance = transposed(step.x, _padded(step, relevance))[place]
        return self.back(self.steps[0][0].x, relevance)

    def shapes_back(self, relevance: tf.Tensor) -> tf.Tensor:
        """Past what only reshapes; scales and biases left out."""
        for step, place in reversed(self.steps[1:]):
            if step.type in _SHAPES:
                relevance = transposed(step.x, [relevance])[place]
        return relevance

    def parts(self) -> Parts:
        return Parts(self)


class Parts:
    """The sums of the positive and of the negative products a_jk x_j, through the scales and shapes that follow."""

    def __init__(self, map: Affine) -> None:
        self._map = map
        x, w = map.input.x, map.weights
        self._x = tf.nn.relu(x), -tf.nn.relu(-x)
        w = tf.nn.relu(w), -tf.nn.relu(-w)
        # (positive x, positive w), (negative, negative): positive products; then the negative ones
        self._products = [[map.product(self._x[i], w[i ^ sign]) for i in (0, 1)] for sign in (0, 1)]
        self._scales: list[tuple[Step, int, tf.Tensor | None]] = []
        up, down = (tf.add_n([p.outputs[0] for p in pair]) for pair in self._products)
        for step, place in map.steps[1:]:
            if step.type in _ADDING and not (step.type == "Sub" and place):
                continue
            scale = None if step.type in _SHAPES else _scale(step, place)
            self._scales.append((step, place, scale))
            if scale is None:
                up, down = (_reshaped(step, place, t) for t in (up, down))
            else:
                up, down = _crossed(up, down, scale)
        self.up, self.down = up, down

    def back(self, up: tf.Tensor | None, down: tf.Tensor | None) -> tf.Tensor:
        """What each x_j gets when `up` comes back for every positive product and `down` for every negative one."""
        zero = tf.zeros_like(self.up)
        up, down = zero if up is None else up, zero if down is None else down
        for step, place, scale in reversed(self._scales):
            if scale is None:
                up, down = (transposed(step.x, [t])[place] for t in (up, down))
            else:
                up, down = _crossed(up, down, scale)
        gained = [tf.zeros((), up.dtype)] * 2
        for sign, relevance in ((0, up), (1, down)):
            for i in (0, 1):
                gained[i] += self._map.back(self._products[sign][i], relevance)
        return self._x[0] * gained[0] + self._x[1] * gained[1]


def _crossed(up: tf.Tensor, down: tf.Tensor, scale: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """A negative scale turns positive products into negative ones."""
    more, less = tf.nn.relu(scale), -tf.nn.relu(-scale)
    return up * more + down * less, up * less + down * more


def _scale(step: Step, place: int) -> tf.Tensor:
    if step.type in _NORMS:
        return transposed(step.x, _padded(step, tf.ones_like(step.outputs[0].x)))[0]
    if step.type in ("Neg", "Sub"):
        return tf.constant(-1, step.outputs[0].x.dtype)
    other = step.inputs[1 - place].x
    return 1 / other if step.type in ("RealDiv", "Div") else other


def _reshaped(step: Step, place: int, tensor: tf.Tensor) -> tf.Tensor:
    return at(step, [tensor if i == place else v.x for i, v in enumerate(step.inputs)]).outputs[0]


def _padded(step: Step, relevance: tf.Tensor) -> list[tf.Tensor | None]:
    return [relevance, *[None] * (len(step.outputs) - 1)]


def _kernel(step: Step, place: int) -> int:
    return 1 if "Backprop" in step.type else 1 - place


def maps(steps: Sequence[Step], output: Value) -> dict[int, Affine]:
    """Each affine map by the id of its last step."""
    uses: dict[int, list[tuple[Step, int]]] = {}
    for step in steps:
        for place, value in enumerate(step.inputs):
            if value.active:
                uses.setdefault(id(value), []).append((step, place))
    found: dict[int, Affine] = {}
    for step in steps:
        if is_weighted(step):
            place = next(i for i, v in enumerate(step.inputs) if v.active)
            map = Affine([(step, place)])
            while map.output is not output and len(after := uses.get(id(map.output), ())) == 1 and _follows(*after[0]):
                map.steps.append(after[0])
            found[id(map.steps[-1][0])] = map
    return found


def _follows(step: Step, place: int) -> bool:
    """Adds to, scales or reshapes what comes before, by something that does not change."""
    if sum(v.active for v in step.inputs) != 1:
        return False
    if step.type in _SHAPES or step.type == "Neg":
        return True
    if step.type in _NORMS:
        return not step.attr("is_training")
    if step.type not in _ADDING | {"Mul", "RealDiv", "Div"} or (step.type in ("RealDiv", "Div") and place):
        return False
    return step.inputs[place].x.shape.rank == step.outputs[0].x.shape.rank and (
        step.inputs[place].x.shape[1:] == step.outputs[0].x.shape[1:]
    )
