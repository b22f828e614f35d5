"""Arithmetic on TensorFlow's tensors for the two *many* questions: points placed, inputs masked, gradients summed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from dlexplain.errors import UnsupportedModelError
from dlexplain.frameworks.questions import Points


def score_of(output: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
    output = tf.reshape(output, (-1, 1)) if len(output.shape) == 1 else output
    return tf.gather_nd(output, index, batch_dims=1)


def nonempty(gradients: Sequence[tf.Tensor | None], where: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    if all(gradient is None for gradient in gradients):
        raise UnsupportedModelError(
            "The output does not depend on the inputs by differentiable operations (a rounding, an argmax, a "
            "stop_gradient or whole-number inputs stand between). Methods that work without gradients: occlusion, "
            "feature_ablation, shap:Kernel, shap:Permutation."
        )
    return [tf.zeros_like(w) if g is None else tf.convert_to_tensor(g) for g, w in zip(gradients, where, strict=True)]


def place(x: tuple[tf.Tensor, ...], baseline, points: Points, ns: slice, ks: slice):
    """For a block: inputs `(n, 1, ...)`, baselines that broadcast to `(n, k, ...)`, and the points."""
    n, k = len(x[0]), ks.stop - ks.start
    noise = None if points.noise is None else points.noise(ks.start, ks.stop)
    starts, begins, placed = [], [], []
    for i, entry in enumerate(x):
        entry = entry[:, None]
        ones = (1,) * (len(entry.shape) - 2)
        point = entry
        begin = tf.zeros_like(entry)
        if baseline is not None:
            b = baseline[i]
            begin = (
                tf.gather(b, points.draws[ks])[None]
                if points.draws is not None
                else b[:, None]
                if len(b) == 1
                else b[ns][:, None]
            )
            point = begin + tf.reshape(tf.constant(points.alphas[ks], entry.dtype), (1, k, *ones)) * (entry - begin)
        if noise is not None:
            scale = tf.reshape(tf.constant(points.scale[i][ns], entry.dtype), (n, 1, *ones))
            point = point + scale * tf.constant(noise[i], entry.dtype)[None]
        starts.append(entry), begins.append(begin)
        whole = (n, k, *entry.shape[2:])
        placed.append(point if tuple(point.shape) == whole else tf.broadcast_to(point, whole))
    return starts, begins, placed


def weighted(gradient: tf.Tensor, weights: np.ndarray) -> np.ndarray:
    """The weighted sum over the second axis, as one matrix product."""
    n, k = gradient.shape[:2]
    row = tf.constant(weights[None], gradient.dtype)
    return tf.reshape(row @ tf.reshape(gradient, (n, k, -1)), (n, *gradient.shape[2:])).numpy()


def mixed_by(tensor: tf.Tensor, fill: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    whole, tensor = tensor.shape[1:], tensor[:, None]
    if mask.dtype == tf.bool:
        mixed = tf.where(mask, tensor, fill)
    else:
        mixed = fill + tf.cast(mask, tensor.dtype) * (tensor - fill)
    mixed = tf.broadcast_to(mixed, (len(tensor), mask.shape[1], *whole))
    return tf.reshape(mixed, (-1, *whole))


def array_of(tensor: tf.Tensor) -> np.ndarray:
    tensor = tf.cast(tensor, tf.float32) if tensor.dtype in (tf.bfloat16, tf.float16) else tensor
    return np.array(tensor)


def arrays_of(tensors: Sequence[tf.Tensor]) -> tuple[np.ndarray, ...]:
    return tuple(map(array_of, tensors))
