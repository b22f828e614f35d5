"""Linear operations of TensorFlow hand on exactly their own matrix, found by pushing unit vectors through them."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

import dlexplain as dlx
from dlexplain.frameworks.questions import Target

W = tf.constant(np.random.default_rng(9).standard_normal((3, 3, 2, 4)), tf.float32)
CHANNELS = {k: tf.constant(v, tf.float32) for k, v in {"scale": [2, -1], "offset": [0.5, 1], "mean": [1, 0.3], "variance": [2, 0.4]}.items()}  # fmt: skip

LINEAR = {
    "fused batch norm": lambda v: tf.raw_ops.FusedBatchNormV3(x=v, **CHANNELS, is_training=False).y,
    "space to depth": lambda v: tf.nn.space_to_depth(v, 2),
    "depth to space": lambda v: tf.nn.depth_to_space(tf.tile(v, (1, 1, 1, 2)), 2),
    "patches": lambda v: tf.image.extract_patches(v, (1, 2, 2, 1), (1, 1, 1, 1), (1, 1, 1, 1), "VALID"),
    "crop and resize": lambda v: tf.image.crop_and_resize(v, [[0.1, 0.1, 0.8, 0.9]], [0], (3, 3)),
    "mirror pad": lambda v: tf.pad(v, ((0, 0), (1, 1), (2, 0), (0, 0)), "REFLECT"),
    "cumsum": lambda v: tf.cumsum(v, 1, exclusive=True, reverse=True),
    "reverse": lambda v: tf.reverse(v, (1, 3)) * tf.range(1.0, 5.0)[None, :, None, None],
    "roll": lambda v: tf.roll(v, (1, 2), (1, 2)) * tf.range(1.0, 5.0)[None, :, None, None],
    "gather": lambda v: tf.gather(v, [3, 0, 0], axis=1),
    "gather nd": lambda v: tf.gather_nd(tf.transpose(v, (1, 2, 0, 3)), [[0, 1], [2, 2]])[:, 0][None] * 2,
    "band": lambda v: tf.linalg.band_part(tf.transpose(v, (0, 3, 1, 2)), 1, 0),
    "diagonal": lambda v: tf.linalg.diag_part(tf.transpose(v, (0, 3, 1, 2)), k=1),
    "set diagonal": lambda v: tf.linalg.set_diag(tf.transpose(v, (0, 3, 1, 2)), tf.transpose(v[:, 0], (0, 2, 1))),
    "stitch": lambda v: tf.dynamic_stitch([[0, 2], [1, 3]], [v[0, :2], 3 * v[0, 2:]])[None],
    "scatter": lambda v: tf.scatter_nd([[1], [0], [1], [2]], v[0], (3, 4, 2))[None],
    "tensor scatter": lambda v: tf.tensor_scatter_nd_update(v[0], [[1], [2]], 2 * v[0, :2])[None],
    "segments": lambda v: tf.math.segment_sum(v[0], [0, 0, 1, 1])[None],
    "unsorted segments": lambda v: tf.math.unsorted_segment_sum(v[0], [1, 0, 1, 1], 2)[None],
    "unstack and stack": lambda v: tf.stack(tf.unstack(v, axis=1)[::-1], 2) * 3,
    "strided slice": lambda v: v[:, ::2, 1:, None, :1],
    "batch to space": lambda v: tf.batch_to_space(tf.space_to_batch(v, (2, 2), ((0, 0), (0, 0))), (2, 2), ((0, 0), (0, 0))) * 2,
    "dilated": lambda v: tf.nn.conv2d(v, W, 1, "SAME", dilations=2),
    "atrous pool": lambda v: tf.nn.pool(v, (2, 2), "AVG", padding="VALID", dilations=(2, 2)),
    "transposed": lambda v: tf.nn.conv2d_transpose(v, tf.transpose(W, (0, 1, 3, 2)), (1, 8, 8, 4), 2),
    "einsum": lambda v: tf.einsum("nijc,ijcd->nd", v[:, :3, :3], W),
    "fourier": lambda v: tf.math.real(tf.signal.rfft(v[..., 0])) + tf.math.imag(tf.signal.rfft(v[..., 1])),
    "real inverse": lambda v: tf.signal.irfft(tf.complex(v[..., 0], v[..., 1])),
    "add_n": lambda v: tf.add_n([v, 2 * v, tf.reverse(v, (1,))]),
    "trace": lambda v: tf.linalg.trace(tf.transpose(v, (0, 3, 1, 2))),
    "fill": lambda v: tf.reshape(tf.fill((3,), tf.reduce_sum(v)), (1, 3)),
}  # fmt: skip


@pytest.mark.parametrize("name", LINEAR)
def test_a_linear_operation_hands_on_its_matrix(name):
    function, shape = LINEAR[name], (4, 4, 2)
    g = np.random.default_rng(len(name))
    x, r = (g.standard_normal((1, *shape)).astype(np.float32) for _ in range(2))
    outputs = np.array(function(tf.constant(x))).size
    mix = tf.constant(g.standard_normal((outputs, 1)), tf.float32)

    def score(v):
        return tf.reshape(function(v), (1, -1)) @ mix

    inputs = keras.Input(shape, batch_size=1)
    model = dlx.wrap(keras.Model(inputs, keras.layers.Lambda(score, output_shape=(1,))(inputs)))
    (found,) = model.contributions((x,), (r,), Target(np.zeros((1, 1), np.int64)), 1)
    zero = score(tf.zeros_like(x)).numpy().item()
    size = int(np.prod(shape))
    matrix = [score(tf.reshape(row, (1, *shape))).numpy().item() - zero for row in tf.eye(size)]
    np.testing.assert_allclose(found.reshape(-1), np.array(matrix) * (x - r).reshape(-1), rtol=1e-4, atol=1e-5)
