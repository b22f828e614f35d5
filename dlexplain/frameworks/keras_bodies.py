"""Bodies of traced graphs for Keras: points placed and gradients summed, masks laid on, the slope at a layer."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from dlexplain.errors import InputError, UnsupportedModelError
from dlexplain.frameworks.keras_inside import feed, run, tapped
from dlexplain.frameworks.keras_tensors import nonempty, score_of
from dlexplain.frameworks.questions import Points

Tensors = tuple[tf.Tensor, ...]


def gradient_sums(
    ref: weakref.ref[keras.Model], sites: Mapping[int, list[str]], head: int, points: Points, count: int
) -> Callable:
    """A body for one block of n samples and k points: `(index, alphas, weights, inputs, entries, and as far as the
    points have them, baselines, noise, scales)` to the sums over the points, and of the squares, a sample each."""
    based, noisy = points.baseline is not None, points.noise is not None
    drawn, contribution = points.draws is not None, points.contribution

    def body(index: tf.Tensor, alphas: tf.Tensor, weights: tf.Tensor, *rest: tf.Tensor) -> list[Tensors]:
        parts = iter(_groups(rest, count))
        inputs, entries = next(parts), next(parts)
        begins = next(parts) if based else (None,) * count
        noise, scale = (next(parts), next(parts)) if noisy else ((None,) * count, (None,) * count)
        n, k = tf.shape(index)[0], tf.shape(alphas)[0]
        ends = [e[:, None] for e in entries]
        begins = [None if b is None else b[None] if drawn else b[:, None] for b in begins]
        flat = [
            _flat(_place(e, b, alphas, d, s), n, k) for e, b, d, s in zip(ends, begins, noise, scale, strict=True)
        ]
        repeated = [tf.repeat(t, k, axis=0) if i in sites else f for i, (t, f) in enumerate(zip(inputs, flat, strict=True))]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(flat)
            score = score_of(feed(ref(), sites, repeated, flat)[head], tf.repeat(index, k, axis=0))
        sums, squares = [], []
        for gradient, end, begin in zip(nonempty(tape.gradient(score, flat), flat), ends, begins, strict=True):
            gradient = tf.reshape(gradient, (n, k, *gradient.shape[1:]))
            if contribution and drawn:
                gradient *= end - begin
            # One baseline a sample: the difference is the same at every point and multiplies the sum.
            later = (end - begin)[:, 0] if contribution and not drawn else 1
            sums.append(_weighted(gradient, weights) * later)
            if points.squares:
                wide = tf.square(tf.cast(gradient, tf.float64))
                squares.append(_weighted(wide, weights) * (1 if isinstance(later, int) else tf.cast(later, tf.float64) ** 2))
        return [tuple(sums), tuple(squares)]

    return body


def block_of(
    points: Points, baseline: Tensors | None, index: np.ndarray, inputs: Tensors, entries: Tensors, ns: slice, ks: slice
) -> Tensors:
    """What `gradient_sums` takes for one block."""
    dtype = entries[0].dtype
    given = [tf.constant(index[ns], tf.int64), tf.constant(points.alphas[ks], dtype)]
    given += [tf.constant(points.weights[ks], dtype), *(t[ns] for t in inputs), *(e[ns] for e in entries)]
    if baseline is not None and points.draws is not None:
        given += [tf.gather(b, points.draws[ks]) for b in baseline]
    elif baseline is not None:
        given += [b if len(b) == 1 else b[ns] for b in baseline]
    if points.noise is not None:
        given += [tf.constant(d, dtype) for d in points.noise(ks.start, ks.stop)]
        given += [tf.constant(s[ns], dtype) for s in points.scale]
    return tuple(given)


def masked_scores(ref: weakref.ref[keras.Model], head: int, count: int) -> Callable:
    """A body for one block: `(index, inputs, fills, masks)` to `(n, k)` scores; masks `(1 or n, k, *shape)`."""

    def body(index: tf.Tensor, *rest: tf.Tensor) -> tf.Tensor:
        inputs, fills, masks = _groups(rest, count)
        n, k = tf.shape(index)[0], tf.shape(masks[0])[1]
        mixed = [_flat(_mixed(x[:, None], f, m), n, k) for x, f, m in zip(inputs, fills, masks, strict=True)]
        score = score_of(run(ref(), mixed)[head], tf.repeat(index, k, axis=0))
        return tf.reshape(score, (n, k))

    return body


def slope_at(ref: weakref.ref[keras.Model], layer: str, head: int) -> Callable:
    """A body `(index, inputs)` to a layer's activations and the score's slope there: zeros where it does not lead to
    the score. Raises `InputError`, `UnsupportedModelError`."""
    name, _, call = layer.partition(":")

    def body(index, *x):
        caught, graphs = [], []
        with tf.GradientTape() as tape:

            def tap(output):
                graphs.append(output.graph)
                if len(graphs) != int(call or 1):
                    return None
                tape.watch(output)
                caught.append(output)
                return tf.identity(output)

            with tapped(ref(), {f"{name}:*": tap}):
                score = score_of(run(ref(), x)[head], index)
        if not caught:
            raise InputError(f"layer {layer!r} is not called by the model on these inputs.")
        if any(graph is not index.graph for graph in graphs):
            raise UnsupportedModelError(
                f"layer {layer!r} runs inside a loop, once a step: it has no one slope. Name the layer round it."
            )
        (slope,) = tape.gradient(score, caught)
        return caught[0], tf.zeros_like(caught[0]) if slope is None else tf.convert_to_tensor(slope)

    return body


def _groups(tensors: Sequence[tf.Tensor], size: int) -> list[Tensors]:
    return [tuple(tensors[i : i + size]) for i in range(0, len(tensors), size)]


def _place(end: tf.Tensor, begin: tf.Tensor | None, alphas: tf.Tensor, noise, scale) -> tf.Tensor:
    ones = (1,) * (len(end.shape) - 2)
    point = end
    if begin is not None:
        point = begin + tf.reshape(tf.cast(alphas, end.dtype), (1, -1, *ones)) * (end - begin)
    if noise is not None:
        point += tf.reshape(scale, (-1, 1, *ones)) * noise[None]
    return point


def _flat(placed: tf.Tensor, n: tf.Tensor, k: tf.Tensor) -> tf.Tensor:
    """`(n, k, ...)`, or what broadcasts to it, with the points of each sample one behind the other."""
    shape = placed.shape[2:]
    return tf.reshape(tf.broadcast_to(placed, (n, k, *shape)), (-1, *shape))


def _mixed(tensor: tf.Tensor, fill: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    if mask.dtype == tf.bool:
        return tf.where(mask, tensor, fill)
    return fill + tf.cast(mask, tensor.dtype) * (tensor - fill)


def _weighted(gradient: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """The weighted sum over the second axis, as one matrix product."""
    n, k, shape = tf.shape(gradient)[0], tf.shape(gradient)[1], gradient.shape[2:]
    row = tf.cast(weights, gradient.dtype)[None]
    return tf.reshape(row @ tf.reshape(gradient, (n, k, int(np.prod(shape)))), (n, *shape))
