"""DeepLIFT's rules for TensorFlow's operations: each hands the multipliers of its outputs to its active inputs.

`v` in the input's run, `v'` in the reference's; every rule makes the multipliers times the inputs' differences sum to
the outputs' multipliers times their differences.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import tensorflow as tf

from dlexplain.frameworks.graph.keras_pairs import (
    Multipliers,
    Pairs,
    at,
    has_gradient,
    real,
    spread,
    summed_to,
    transposed,
)
from dlexplain.frameworks.graph.keras_refusals import refusal
from dlexplain.frameworks.graph.keras_unroll import Step

Rule = Callable[[Step, Multipliers, Pairs], Multipliers]

# Linear in all the inputs that may be active; which inputs may not be is said beside.
_LINEAR = {
    "Identity": (), "Reshape": (1,), "Transpose": (1,), "ExpandDims": (1,), "Squeeze": (), "Pack": (), "Unpack": (),
    "Concat": (0,), "ConcatV2": (-1,), "Split": (0,), "SplitV": (1, 2), "Slice": (1, 2), "StridedSlice": (1, 2, 3),
    "Pad": (1,), "PadV2": (1,), "MirrorPad": (1,), "Tile": (1,), "BroadcastTo": (1,), "Fill": (0,), "Reverse": (1,),
    "ReverseV2": (1,), "ReverseSequence": (1,), "Roll": (1, 2), "GatherV2": (1, 2), "Gather": (1,), "GatherNd": (1,),
    "SpaceToBatchND": (1, 2), "BatchToSpaceND": (1, 2), "SpaceToDepth": (), "DepthToSpace": (), "MatrixBandPart": (1, 2),
    "MatrixDiag": (), "MatrixDiagV3": (1, 2, 3), "MatrixDiagPart": (), "MatrixDiagPartV3": (1,), "MatrixSetDiag": (),
    "MatrixSetDiagV3": (2,), "Diag": (), "DiagPart": (), "DynamicStitch": (), "ScatterNd": (0, 2),
    "TensorScatterUpdate": (1,), "TensorScatterAdd": (1,), "TensorScatterSub": (1,), "Cumsum": (1,),
    "ExtractImagePatches": (), "ExtractVolumePatches": (), "AddV2": (), "Add": (), "Sub": (), "Neg": (), "AddN": (),
    "BiasAdd": (), "BiasAddV1": (), "Sum": (1,), "Mean": (1,), "SegmentSum": (1,), "SegmentMean": (1,),
    "UnsortedSegmentSum": (1, 2), "AvgPool": (), "AvgPool3D": (), "ResizeBilinear": (1,), "ResizeBicubic": (1,),
    "ResizeNearestNeighbor": (1,), "ScaleAndTranslate": (1, 2, 3), "CropAndResize": (1, 2, 3), "Trace": (),
    "LinSpace": (2,), "Real": (), "Imag": (), "Conj": (), "Complex": (), "RFFT": (1,), "IRFFT": (1,), "RFFT2D": (1,),
    "IRFFT2D": (1,), "FFT": (), "IFFT": (), "FFT2D": (), "IFFT2D": (), "ImageProjectiveTransformV3": (1, 2, 3),
}  # fmt: skip
_BILINEAR = {
    "MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum", "Conv2D", "Conv3D", "DepthwiseConv2dNative",
    "Conv2DBackpropInput", "Conv3DBackpropInputV2", "Cross", "Mul",
}  # fmt: skip
_ELEMENTWISE = {
    "Relu", "Relu6", "LeakyRelu", "Elu", "Selu", "Softplus", "Softsign", "Tanh", "Sigmoid", "Exp", "Expm1", "Log",
    "Log1p", "Sqrt", "Rsqrt", "Reciprocal", "Inv", "Abs", "Sign", "Sin", "Cos", "Tan", "Asin", "Acos", "Atan", "Sinh",
    "Cosh", "Asinh", "Acosh", "Atanh", "Erf", "Erfc", "Erfinv", "Ndtri", "Lgamma", "Digamma", "BesselI0e", "BesselI1e",
    "BesselI0", "BesselI1", "Floor", "Ceil", "Round", "Rint", "IsNan", "IsInf", "IsFinite", "LogicalNot", "Cast",
    "Bucketize", "DivNoNan", "MulNoNan", "Xdivy", "Xlogy", "Xlog1py", "Maximum", "Minimum", "Pow", "FloorMod", "Mod",
    "FloorDiv", "TruncateDiv", "TruncateMod", "Atan2", "Less", "LessEqual", "Greater", "GreaterEqual", "Equal",
    "NotEqual", "ApproximateEqual", "LogicalAnd", "LogicalOr", "ClipByValue", "NextAfter", "Igamma", "Igammac",
    "Polygamma", "Zeta", "Betainc", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Invert", "LeftShift", "RightShift",
}  # fmt: skip
_DIVISIONS = {"RealDiv", "Div"}
_SMALL = 1e-6


def hand_on(step: Step, multipliers: Multipliers, pairs: Pairs) -> Multipliers:
    """Multipliers of the step's inputs, None for those that do not differ. Raises `UnsupportedModelError`."""
    rule = _RULES.get(step.type)
    if rule is None:
        raise refusal(step, "has no rule on the operation graph")
    found = rule(step, multipliers, pairs)
    return [m if v.active else None for m, v in zip(found, step.inputs, strict=True)]


def _linear(step: Step, multipliers: Multipliers, pairs: Pairs) -> Multipliers:
    fixed = [range(len(step.inputs))[i] for i in _LINEAR[step.type]]
    for i in fixed:
        if step.inputs[i].active:  # the same places in both runs: constants
            pairs.require_same(step, step.inputs[i], "takes its places from what the input holds")
    found = transposed(step.p, [_like(m, t) for m, t in zip(multipliers, step.p.outputs, strict=True)])
    return [None if i in fixed else m for i, m in enumerate(found)]


def _like(multiplier: tf.Tensor | None, output: tf.Tensor) -> tf.Tensor | None:
    if multiplier is None or not output.dtype.is_floating:
        return multiplier
    return tf.cast(multiplier, output.dtype)


def _stitch(step: Step, multipliers: Multipliers, pairs: Pairs) -> Multipliers:
    half = len(step.inputs) // 2
    for value in step.inputs[:half]:
        if value.active:
            pairs.require_same(step, value, "takes its places from what the input holds")
    return [None] * half + transposed(step.p, multipliers)[half:]


def _bilinear(step: Step, multipliers: Multipliers, pairs: Pairs) -> Multipliers:
    """The multiplier of a factor is the transpose at the mean of the other."""
    if not step.outputs[0].x.dtype.is_floating and step.type == "Mul":
        return _elementwise(step, multipliers, pairs)
    active = [i for i, v in enumerate(step.inputs) if v.active]
    if len(active) == 1:
        return transposed(step.p, multipliers)
    if len(step.inputs) > 2 and step.type == "Einsum":
        raise refusal(step, "multiplies more than two tensors at once")
    return transposed(at(step, [pairs.mean(v) if v.active else v.p for v in step.inputs]), multipliers)


def _division(step: Step, multipliers: Multipliers, pairs: Pairs) -> Multipliers:
    """a / b as a times 1 / b: a gets the mean of 1/b, b gets - mean(a) / (b b')."""
    (m,), (above, below) = multipliers, step.inputs
    b, c = pairs.x(below), pairs.r(below)
    if not below.active:
        return [summed_to(m / b, above.p), None]
    one = summed_to(m * ((1 / b + 1 / c) / 2), above.p) if above.active else None
    return [one, summed_to(-m * (pairs.mean(above) / b / c), below.p)]


def _square(step: Step, multipliers: Multipliers, pairs: Pairs) -> Multipliers:
    value = step.inputs[0]
    return [multipliers[0] * (pairs.x(value) + pairs.r(value))]


def _squared_difference(step: Step, multipliers: Multipliers, pairs: Pairs) -> Multipliers:
    """(a - b)^2: its slope in a - b is (a - b) + (a' - b')."""
    a, b = step.inputs
    m = multipliers[0] * ((pairs.x(a) - pairs.x(b)) + (pairs.r(a) - pairs.r(b)))
    return [summed_to(m, a.p) if a.active else None, summed_to(-m, b.p) if b.active else None]


def _half_square(step: Step, multipliers: Multipliers, pairs: Pairs) -> Multipliers:
    return [multipliers[0] * pairs.mean(step.inputs[0])]


def _select(step: Step, multipliers: Multipliers, pairs: Pairs) -> Multipliers:
    """c a + (1 - c) b with c one or zero: the Shapley value of its three players."""
    (m,), (chosen, yes, no) = multipliers, step.inputs
    c = pairs.mean(chosen)
    if step.type == "Select" and c.shape.rank not in (0, m.shape.rank):
        c = tf.reshape(c, [-1] + [1] * (m.shape.rank - 1))
    found: Multipliers = [None, None, None]
    if yes.active:
        found[1] = summed_to(tf.math.multiply_no_nan(m, spread(tf.cast(c, m.dtype), m)), yes.p)
    if no.active:
        found[2] = summed_to(tf.math.multiply_no_nan(m, spread(1 - tf.cast(c, m.dtype), m)), no.p)
    if chosen.active:
        moved = tf.abs(pairs.difference(chosen))
        if step.type == "Select" and moved.shape.rank not in (0, m.shape.rank):
            moved = tf.reshape(moved, [-1] + [1] * (m.shape.rank - 1))
        gain = m * (pairs.mean(yes) - pairs.mean(no))
        found[0] = summed_to(tf.where(moved > 0, gain, tf.zeros_like(gain)), chosen.p)
        if step.type == "Select" and chosen.p.shape.rank not in (0, m.shape.rank):
            found[0] = tf.reduce_sum(gain * tf.cast(moved > 0, gain.dtype), list(range(1, m.shape.rank)))
    return found


def _elementwise(step: Step, multipliers: Multipliers, pairs: Pairs) -> Multipliers:
    """The slope of one input; of several the Shapley value of each, the others before or after their change."""
    players = [i for i, v in enumerate(step.inputs) if v.active]
    if len(players) == 1 and step.outputs[0].x.dtype.is_floating and step.type in ("Cast",):
        source = step.inputs[0].x.dtype
        return [multipliers[0] if not source.is_floating else tf.cast(multipliers[0], source)]
    x, r = [pairs.x(v) for v in step.inputs], [pairs.r(v) for v in step.inputs]
    out = step.outputs[0]
    after, before = pairs.x(out), pairs.r(out)
    if len(step.inputs) > 1:
        x, r = [spread(t, after) for t in x], [spread(t, after) for t in r]
    operations: dict[tuple[int, ...], tf.Operation] = {}

    def played(present: tuple[int, ...]) -> tf.Operation:
        if present not in operations:
            operations[present] = at(step, [r[i] if i in players and i not in present else x[i] for i in range(len(x))])
        return operations[present]

    def worth(present: tuple[int, ...]) -> tf.Tensor:
        if len(present) in (0, len(players)):
            return real(after if present else before)
        return real(played(present).outputs[0])

    found: Multipliers = [None] * len(step.inputs)
    smooth = out.x.dtype.is_floating and has_gradient(step.x)
    for a in players:
        others = [i for i in players if i != a]
        gain, slope = 0.0, 0.0
        for size in range(len(players)):
            share = math.factorial(size) * math.factorial(len(others) - size) / math.factorial(len(players))
            for present in itertools.combinations(others, size):
                joined = tuple(sorted((*present, a)))
                change = worth(joined) - worth(present)
                gain += share * tf.where(tf.math.is_nan(change), tf.zeros_like(change), change)
                if smooth and x[a].dtype.is_floating:
                    derived = transposed(played(joined), [tf.ones_like(after)])[a]
                    slope += share * (derived if derived is not None else 0.0)
        m = multipliers[0] * _slope(gain, slope, real(x[a]), real(r[a]))
        m = tf.where(tf.equal(multipliers[0], 0), tf.zeros_like(m), m)
        found[a] = summed_to(m, step.inputs[a].p)
    return found


def _slope(gain: tf.Tensor, derivative: tf.Tensor | float, x: tf.Tensor, r: tf.Tensor) -> tf.Tensor:
    """The gain over the change; the derivative where the change is rounding."""
    change = tf.where(tf.equal(x, r), tf.zeros_like(x), x - r)
    small = tf.abs(change) < _SMALL * tf.maximum(tf.maximum(tf.abs(x), tf.abs(r)), 1)
    derivative = tf.zeros_like(gain) + derivative
    derivative = tf.where(tf.math.is_finite(derivative), derivative, tf.zeros_like(derivative))
    return tf.where(small, derivative, tf.cast(gain, x.dtype) / tf.where(small, tf.ones_like(change), change))


def _pool(step: Step, multipliers: Multipliers, pairs: Pairs) -> Multipliers:
    """The cross maximum: each run's own maximum gets what it adds beyond the other run's output."""
    (m, *_), (value, *rest) = multipliers, step.inputs
    out = step.outputs[0]
    y, z = pairs.x(out), pairs.r(out)
    top = tf.maximum(y, z)
    others = [None] * (len(step.outputs) - 1)
    fixed = [v.p for v in rest]
    gained = transposed(at(step, [pairs.x(value), *fixed]), [m * (top - z), *others])[0]
    lost = transposed(at(step, [pairs.r(value), *fixed]), [m * (y - top), *others])[0]
    return [_over_change(gained + lost, pairs.difference(value)), *[None] * len(rest)]


def _over_change(contribution: tf.Tensor, change: tf.Tensor) -> tf.Tensor:
    small = tf.abs(change) < 1e-7
    return tf.where(small, tf.zeros_like(change), contribution / tf.where(small, tf.ones_like(change), change))


def _reduced(step: Step, multipliers: Multipliers, pairs: Pairs) -> Multipliers:
    """The cross maximum over whole axes; a minimum is the maximum of the negated."""
    value, axes = step.inputs
    sign = -1.0 if step.type in ("Min", "All") else 1.0
    x, r = sign * real(pairs.x(value)), sign * real(pairs.r(value))
    shape = tf.shape(x)
    flags = tf.reduce_any(tf.one_hot(tf.reshape(axes.p, [-1]) % x.shape.rank, x.shape.rank, True, False), 0)
    kept = tf.where(flags, tf.ones_like(shape), shape)
    y, z = (tf.reshape(sign * real(t), kept) for t in (pairs.x(step.outputs[0]), pairs.r(step.outputs[0])))
    m, top = tf.reshape(multipliers[0], kept), tf.maximum(y, z)
    contribution = sign * m * ((top - z) * _first(x, y, flags) + (y - top) * _first(r, z, flags))
    return [_over_change(contribution, pairs.difference(value)), None]


def _first(tensor: tf.Tensor, top: tf.Tensor, flags: tf.Tensor) -> tf.Tensor:
    """One at the first place, in row-major order over the reduced axes, that holds the maximum."""
    rank = tensor.shape.rank
    order = tf.concat([tf.reshape(tf.where(~flags), [-1]), tf.reshape(tf.where(flags), [-1])], 0)
    count = tf.reduce_sum(tf.cast(~flags, tf.int32))
    hit = tf.transpose(tf.cast(tf.equal(tensor, top), tf.float32), order)
    flat = tf.reshape(hit, tf.concat([tf.shape(hit)[:count], [-1]], 0))
    one = tf.one_hot(tf.argmax(flat, -1), tf.shape(flat)[-1], dtype=tensor.dtype)
    back = tf.math.invert_permutation(tf.cast(order, tf.int32))
    return tf.ensure_shape(tf.transpose(tf.reshape(one, tf.shape(hit)), back), [None] * rank)


def _softmax(step: Step, multipliers: Multipliers, pairs: Pairs) -> Multipliers:
    """y_i = exp(x_i - logsumexp(x)): M_ij = L(y_i, y'_i) (d_ij - w_j), L the logarithmic mean."""
    m, value = multipliers[0], step.inputs[0]
    x, r = pairs.x(value), pairs.r(value)
    total, before = (tf.reduce_logsumexp(t, -1, keepdims=True) for t in (x, r))
    weight = tf.exp(tf.maximum(x, r) - tf.maximum(total, before)) * _shrink(x, r) / _shrink(total, before)
    if step.type == "Softmax":
        a, b = x - total, r - before
        m = tf.exp(tf.maximum(a, b)) * _shrink(a, b) * m
    return [m - weight * tf.reduce_sum(m, -1, keepdims=True)]


def _shrink(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """(1 - exp(-|d|)) / |d|: the logarithmic mean of two numbers over the larger, from their logarithms."""
    d = tf.where(tf.equal(a, b), tf.zeros_like(a), tf.abs(a - b))
    small = d < 1e-4
    return tf.where(small, 1 - d / 2, -tf.math.expm1(-d) / tf.where(small, tf.ones_like(d), d))


def _batch_norm(step: Step, multipliers: Multipliers, pairs: Pairs) -> Multipliers:
    """With kept statistics: a scale a channel."""
    if step.attr("is_training") or any(v.active for v in step.inputs[1:]):
        raise refusal(step, "normalises by the batch's own statistics")
    _, scale, _, _, variance = (v.p for v in step.inputs)
    factor = scale * tf.math.rsqrt(variance + step.attr("epsilon"))
    if step.attr("data_format").startswith(b"NC"):
        factor = tf.reshape(factor, [-1] + [1] * (step.p.inputs[0].shape.rank - 2))
    return [multipliers[0] * tf.cast(factor, multipliers[0].dtype), *[None] * 4]


def _whole(step: Step, multipliers: Multipliers, pairs: Pairs) -> Multipliers:
    """Whole numbers that choose a place: constants where both runs agree."""
    for value in step.outputs:
        pairs.require_same(step, value, "chooses other places for the input than for the reference")
    return [None] * len(step.inputs)


def _top(step: Step, multipliers: Multipliers, pairs: Pairs) -> Multipliers:
    """The largest values, as long as both runs choose the same ones."""
    pairs.require_same(step, step.outputs[1], "sorts the input in another order than the reference")
    if multipliers[0] is None:
        return [None] * len(step.inputs)
    operation = at(step, [pairs.x(step.inputs[0]), *(v.p for v in step.inputs[1:])])
    return [transposed(operation, multipliers)[0], *[None] * (len(step.inputs) - 1)]


def _one_hot(step: Step, multipliers: Multipliers, pairs: Pairs) -> Multipliers:
    """Each output is a function of one index: the slopes of all are added."""
    axis, out, index = step.attr("axis"), step.outputs[0], step.inputs[0]
    gain = tf.reduce_sum(multipliers[0] * pairs.difference(out), axis)
    change = pairs.difference(index)
    return [_over_change(gain, change), None, None, None]


def _counted(step: Step, multipliers: Multipliers, pairs: Pairs) -> Multipliers:
    """How often each number occurs: an entry takes one from the count of its reference and adds one to its own.
    Whether it occurs: the cross maximum over the entries."""
    value, _, weights = step.inputs
    if weights.active or weights.p.shape.num_elements() != 0:
        raise refusal(step, "counts with weights")
    m, out = multipliers[0], step.outputs[0]
    axis = value.p.shape.rank - 1
    x, r = (tf.one_hot(run(value), tf.shape(m)[-1], dtype=m.dtype) for run in (pairs.x, pairs.r))
    gained, lost = m, -m
    if step.attr("binary_output"):
        x, r = (h * tf.cast(tf.equal(tf.cumsum(h, axis), 1), h.dtype) for h in (x, r))
        top = tf.maximum(pairs.x(out), pairs.r(out))
        gained, lost = m * (top - pairs.r(out)), m * (pairs.x(out) - top)
    contribution = tf.linalg.matvec(x, gained) + tf.linalg.matvec(r, lost)
    return [_over_change(contribution, pairs.difference(value)), None, None]


def _looked_up(step: Step, multipliers: Multipliers, pairs: Pairs) -> Multipliers:
    """A table's answer is a function of one key."""
    _, keys, default = step.inputs
    if default.active or not (keys.x.dtype.is_integer and step.outputs[0].x.dtype.is_integer):
        raise refusal(step, "looks up words, which have no difference")
    gain = multipliers[0] * pairs.difference(step.outputs[0])
    return [None, _over_change(gain, pairs.difference(keys)), None]


def _area(step: Step, multipliers: Multipliers, pairs: Pairs) -> Multipliers:
    """TensorFlow has no gradient of it: two matrices, one for the rows and one for the columns, found by resizing
    an identity."""
    (_, high, wide, _), (_, to_high, to_wide, _) = step.p.inputs[0].shape, step.p.outputs[0].shape

    def matrix(size: int, to: int) -> tf.Tensor:
        image = tf.reshape(tf.eye(size), (1, size, 1, size))
        return tf.reshape(tf.raw_ops.ResizeArea(images=image, size=(to, 1)), (to, size))

    m = tf.einsum("nhwc,hi,wj->nijc", multipliers[0], matrix(high, to_high), matrix(wide, to_wide))
    return [m, None]


_RULES: dict[str, Rule] = {
    **dict.fromkeys(_LINEAR, _linear),
    **dict.fromkeys(_BILINEAR, _bilinear),
    **dict.fromkeys(_ELEMENTWISE, _elementwise),
    **dict.fromkeys(_DIVISIONS, _division),
    **dict.fromkeys(("MaxPool", "MaxPool3D", "MaxPoolWithArgmax"), _pool),
    **dict.fromkeys(("Max", "Min", "Any", "All"), _reduced),
    **dict.fromkeys(("Softmax", "LogSoftmax"), _softmax),
    **dict.fromkeys(("Select", "SelectV2"), _select),
    **dict.fromkeys(("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"), _batch_norm),
    **dict.fromkeys(("ArgMax", "ArgMin", "Where"), _whole),
    **dict.fromkeys(("TopK", "TopKV2"), _top),
    "DynamicStitch": _stitch,
    "DenseBincount": _counted,
    "LookupTableFindV2": _looked_up,
    "OneHot": _one_hot,
    "ResizeArea": _area,
    "Square": _square,
    "SquaredDifference": _squared_difference,
    "L2Loss": _half_square,
}


def knows(kind: str) -> bool:
    return kind in _RULES
