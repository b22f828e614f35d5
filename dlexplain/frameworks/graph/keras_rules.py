"""DeepLIFT's rules for TensorFlow's operations: each hands the multipliers of its outputs to its active inputs.

`v` in the input's run, `v'` in the reference's; every rule makes the multipliers times the inputs' differences sum to
the outputs' multipliers times their differences.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import tensorflow as tf

from dlexplain.frameworks.graph import keras_sets as sets
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
LINEAR = {
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
# Each of their outputs is a sum of several inputs; the other linear ones only copy and place them.
MIXING = {
    "Sum", "Mean", "Cumsum", "SegmentSum", "SegmentMean", "UnsortedSegmentSum", "AvgPool", "AvgPool3D", "ResizeBilinear",
    "ResizeBicubic", "ScaleAndTranslate", "CropAndResize", "Trace", "ImageProjectiveTransformV3",
}  # fmt: skip
COPYING = (
    LINEAR.keys()
    - MIXING
    - {"AddV2", "Add", "Sub", "Neg", "AddN", "BiasAdd", "BiasAddV1", "LinSpace", "Complex", "Real", "Imag", "Conj"}
    - {name for name in LINEAR if "FFT" in name}
)
_BILINEAR = {
    "MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum", "Conv2D", "Conv3D", "DepthwiseConv2dNative",
    "Conv2DBackpropInput", "Conv3DBackpropInputV2", "Cross", "Mul",
}  # fmt: skip
ELEMENTWISE = {
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
# Their derivatives are finite everywhere.
_BOUNDED = {
    "Relu", "Relu6", "LeakyRelu", "Elu", "Selu", "Softplus", "Softsign", "Tanh", "Sigmoid", "Abs", "Sin", "Cos", "Atan",
    "Erf", "Erfc", "Maximum", "Minimum", "ClipByValue",
}  # fmt: skip
_SMALL = 1e-6


def hand_on(step: Step, multipliers: Multipliers, pairs: Pairs) -> Multipliers:
    """Multipliers of the step's inputs, None for those that do not differ. Raises `UnsupportedModelError`."""
    rule = _RULES.get(step.type)
    if rule is None:
        raise refusal(step, "has no rule on the operation graph")
    found = rule(step, multipliers, pairs)
    return [m if v.active else None for m, v in zip(found, step.inputs, strict=True)]


def _linear(step: Step, multipliers: Multipliers, pairs: Pairs) -> Multipliers:
    fixed = [range(len(step.inputs))[i] for i in LINEAR[step.type]]
    for i in fixed:
        if step.inputs[i].active:  # the same places in both runs: constants
            pairs.require_same(step, step.inputs[i], "takes its places from what the input holds")
    found = transposed(step.p, [_like(m, t) for m, t in zip(multipliers, step.p.outputs, strict=True)])
    if any(m is None and v.active and i not in fixed for i, (m, v) in enumerate(zip(found, step.inputs, strict=True))):
        raise refusal(step, "has no transpose in TensorFlow")
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
    if step.type == "Mul":
        other = [pairs.mean(step.inputs[1 - i]) for i in (0, 1)]
        return [summed_to(multipliers[0] * other[i], step.inputs[i].p) if i in active else None for i in (0, 1)]
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
    if len(players) == 1 and (own := _one_slope(step, multipliers[0], players[0], pairs)) is not None:
        return [own if i == players[0] else None for i in range(len(step.inputs))]
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
    m_type = multipliers[0].dtype
    smooth = out.x.dtype.is_floating and has_gradient(step.x)
    for a in players:
        others = [i for i in players if i != a]
        gain, slope = tf.zeros((), m_type), tf.zeros((), m_type)
        for size in range(len(players)):
            share = math.factorial(size) * math.factorial(len(others) - size) / math.factorial(len(players))
            for present in itertools.combinations(others, size):
                joined = tuple(sorted((*present, a)))
                change = worth(joined) - worth(present)
                gain += tf.cast(share * tf.where(tf.math.is_nan(change), tf.zeros_like(change), change), m_type)
                if smooth and x[a].dtype.is_floating:
                    derived = transposed(played(joined), [tf.ones_like(after)])[a]
                    slope += share * derived if derived is not None else 0
        slope = tf.where(tf.math.is_finite(slope), slope, tf.zeros((), m_type))
        m = tf.math.multiply_no_nan(_slope(gain, slope, real(x[a]), real(r[a])), multipliers[0])
        found[a] = summed_to(m, step.inputs[a].p)
    return found


def _one_slope(step: Step, multiplier: tf.Tensor, player: int, pairs: Pairs) -> tf.Tensor | None:
    """As `_elementwise`, where a single input of the output's own shape differs: nothing is written a row a pair but
    the slope itself."""
    value, out = step.inputs[player], step.outputs[0]
    if value.p.shape.rank != out.p.shape.rank or value.p.shape[1:] != out.p.shape[1:]:
        return None
    if any(not v.shared and v is not value for v in step.inputs) and pairs.apart:
        return None
    if not (value.p.shape[1:].is_fully_defined() and (len(step.inputs) == 1 or value.p.shape.rank > 0)):
        return None
    derivative: tf.Tensor | None = None
    if step.type == "Relu":
        derivative = tf.cast(pairs.wide(value, "x") > 0, out.x.dtype)
    elif out.x.dtype.is_floating and value.x.dtype.is_floating and has_gradient(step.x):
        derivative = transposed(step.x, [tf.ones_like(step.x.outputs[0])])[player]
        if derivative is not None and pairs.counts is not None:
            derivative = tf.expand_dims(derivative, 1)
    gain = real(pairs.wide(out, "x")) - real(pairs.wide(out, "r"))
    if derivative is not None and step.type not in _BOUNDED:
        derivative = tf.where(tf.math.is_finite(derivative), derivative, tf.zeros((), derivative.dtype))
    slope = _slope(gain, derivative, real(pairs.wide(value, "x")), real(pairs.wide(value, "r")))
    multiplier = tf.cast(pairs.opened(multiplier), slope.dtype)
    found = slope * multiplier if step.type in _BOUNDED else tf.math.multiply_no_nan(slope, multiplier)
    return summed_to(pairs.closed(found), value.p)


def _slope(gain: tf.Tensor, derivative: tf.Tensor | None, x: tf.Tensor, r: tf.Tensor) -> tf.Tensor:
    """The gain over the change; the derivative where the change is rounding (or not a number: of two infinities)."""
    change = x - r
    large = tf.abs(change) >= _SMALL * tf.maximum(tf.abs(x), 1)
    if derivative is None:
        derivative = tf.zeros((), x.dtype)
    return tf.where(large, tf.cast(gain, x.dtype) / change, derivative)


def _batch_norm(step: Step, multipliers: Multipliers, pairs: Pairs) -> Multipliers:
    """With kept statistics: a scale a channel."""
    if step.attr("is_training") or any(v.active for v in step.inputs[1:]):
        raise refusal(step, "normalises by the batch's own statistics")
    _, scale, _, _, variance = (v.p for v in step.inputs)
    factor = scale * tf.math.rsqrt(variance + step.attr("epsilon"))
    if step.attr("data_format").startswith(b"NC"):
        factor = tf.reshape(factor, [-1] + [1] * (step.p.inputs[0].shape.rank - 2))
    return [multipliers[0] * tf.cast(factor, multipliers[0].dtype), *[None] * 4]


_RULES: dict[str, Rule] = {
    **dict.fromkeys(LINEAR, _linear),
    **dict.fromkeys(_BILINEAR, _bilinear),
    **dict.fromkeys(ELEMENTWISE, _elementwise),
    **dict.fromkeys(_DIVISIONS, _division),
    **dict.fromkeys(("MaxPool", "MaxPool3D", "MaxPoolWithArgmax"), sets.pool),
    **dict.fromkeys(("Max", "Min", "Any", "All"), sets.reduced),
    **dict.fromkeys(("Softmax", "LogSoftmax"), sets.softmax),
    **dict.fromkeys(("Select", "SelectV2"), _select),
    **dict.fromkeys(("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"), _batch_norm),
    **dict.fromkeys(("ArgMax", "ArgMin", "Where"), sets.whole),
    **dict.fromkeys(("TopK", "TopKV2"), sets.top),
    "DynamicStitch": _stitch,
    "DenseBincount": sets.counted,
    "LookupTableFindV2": sets.looked_up,
    "OneHot": sets.one_hot,
    "ResizeArea": sets.area,
    "Square": _square,
    "SquaredDifference": _squared_difference,
    "L2Loss": _half_square,
}
