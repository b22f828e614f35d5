"""DeepLIFT's rules for operations over a set: maxima, softmax, sorting, counting, places."""

from __future__ import annotations

import tensorflow as tf

from dlexplain.frameworks.graph.keras_pairs import Multipliers, Pairs, at, real, transposed
from dlexplain.frameworks.graph.keras_refusals import refusal
from dlexplain.frameworks.graph.keras_unroll import Step


def pool(step: Step, multipliers: Multipliers, pairs: Pairs) -> Multipliers:
    """The cross maximum: each run's own maximum gets what it adds beyond the other run's output."""
    (m, *_), (value, *rest) = multipliers, step.inputs
    out = step.outputs[0]
    y, z = pairs.x(out), pairs.r(out)
    top = tf.maximum(y, z)
    others = [None] * (len(step.outputs) - 1)
    fixed = [v.p for v in rest]
    if step.type == "MaxPool" and step.attr("data_format") == b"NHWC" and step.attr("padding") != b"EXPLICIT":
        contribution = _to_places(step, m * (top - z), pairs, "x") + _to_places(step, m * (y - top), pairs, "r")
        return [over_change(contribution, pairs.difference(value))]
    gained = transposed(at(step, [pairs.x(value), *fixed]), [m * (top - z), *others])[0]
    lost = transposed(at(step, [pairs.r(value), *fixed]), [m * (y - top), *others])[0]
    return [over_change(gained + lost, pairs.difference(value)), *[None] * len(rest)]


def _to_places(step: Step, multiplier: tf.Tensor, pairs: Pairs, run: str) -> tf.Tensor:
    """The pool's transpose at one run's maxima. They are looked up once a row; TensorFlow's own gradient of the pool
    seeks them again for every pair, ten times as slow."""
    value = step.inputs[0]
    window = {name: step.attr(name) for name in ("ksize", "strides", "padding")}
    if pairs.apart:
        pairs.wide(value, run)  # raises where the rows are not samples
    places = tf.raw_ops.MaxPoolWithArgmax(input=getattr(value, run), **window).argmax
    places = pairs.gathered(places, run)
    return tf.raw_ops.MaxPoolGradWithArgmax(input=value.p, grad=multiplier, argmax=places, **window)


def over_change(contribution: tf.Tensor, change: tf.Tensor) -> tf.Tensor:
    return tf.where(tf.abs(change) >= 1e-7, contribution / change, tf.zeros((), contribution.dtype))


def first_place(step: Step) -> tf.Tensor:
    """One at the first place that holds the maximum (or minimum) of the input alone."""
    value, axes = step.inputs
    sign = -1.0 if step.type == "Min" else 1.0
    shape = tf.shape(value.x)
    flags = tf.reduce_any(tf.one_hot(tf.reshape(axes.x, [-1]) % value.x.shape.rank, value.x.shape.rank, True, False), 0)
    top = tf.reshape(step.outputs[0].x, tf.where(flags, tf.ones_like(shape), shape))
    return _first(sign * value.x, sign * top, flags)


def reduced(step: Step, multipliers: Multipliers, pairs: Pairs) -> Multipliers:
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
    return [over_change(contribution, pairs.difference(value)), None]


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


def softmax(step: Step, multipliers: Multipliers, pairs: Pairs) -> Multipliers:
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


def whole(step: Step, multipliers: Multipliers, pairs: Pairs) -> Multipliers:
    """Whole numbers that choose a place: constants where both runs agree."""
    for value in step.outputs:
        pairs.require_same(step, value, "chooses other places for the input than for the reference")
    return [None] * len(step.inputs)


def top(step: Step, multipliers: Multipliers, pairs: Pairs) -> Multipliers:
    """The largest values, as long as both runs choose the same ones."""
    pairs.require_same(step, step.outputs[1], "sorts the input in another order than the reference")
    if multipliers[0] is None:
        return [None] * len(step.inputs)
    operation = at(step, [pairs.x(step.inputs[0]), *(v.p for v in step.inputs[1:])])
    return [transposed(operation, multipliers)[0], *[None] * (len(step.inputs) - 1)]


def one_hot(step: Step, multipliers: Multipliers, pairs: Pairs) -> Multipliers:
    """Each output is a function of one index: the slopes of all are added."""
    axis, out, index = step.attr("axis"), step.outputs[0], step.inputs[0]
    gain = tf.reduce_sum(multipliers[0] * pairs.difference(out), axis)
    change = pairs.difference(index)
    return [over_change(gain, change), None, None, None]


def counted(step: Step, multipliers: Multipliers, pairs: Pairs) -> Multipliers:
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
    return [over_change(contribution, pairs.difference(value)), None, None]


def looked_up(step: Step, multipliers: Multipliers, pairs: Pairs) -> Multipliers:
    """A table's answer is a function of one key."""
    _, keys, default = step.inputs
    if default.active or not (keys.x.dtype.is_integer and step.outputs[0].x.dtype.is_integer):
        raise refusal(step, "looks up words, which have no difference")
    gain = multipliers[0] * pairs.difference(step.outputs[0])
    return [None, over_change(gain, pairs.difference(keys)), None]


def area(step: Step, multipliers: Multipliers, pairs: Pairs) -> Multipliers:
    """TensorFlow has no gradient of it: two matrices, one for the rows and one for the columns, found by resizing
    an identity."""
    (_, high, wide, _), (_, to_high, to_wide, _) = step.p.inputs[0].shape, step.p.outputs[0].shape

    def matrix(size: int, to: int) -> tf.Tensor:
        image = tf.reshape(tf.eye(size), (1, size, 1, size))
        return tf.reshape(tf.raw_ops.ResizeArea(images=image, size=(to, 1)), (to, size))

    m = tf.einsum("nhwc,hi,wj->nijc", multipliers[0], matrix(high, to_high), matrix(wide, to_wide))
    return [m, None]
