"""Between TensorFlow's tensors and arrays: the score asked for, gradients that exist."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from dlexplain.errors import UnsupportedModelError


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


def array_of(tensor: tf.Tensor) -> np.ndarray:
    tensor = tf.cast(tensor, tf.float32) if tensor.dtype in (tf.bfloat16, tf.float16) else tensor
    return np.array(tensor)


def arrays_of(tensors: Sequence[tf.Tensor]) -> tuple[np.ndarray, ...]:
    return tuple(map(array_of, tensors))
