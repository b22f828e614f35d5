"""Keras: attention in its spellings, and transformers."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers as L
from keras import ops

from tests.zoo.keras_specimens import keras_specimen


def _functional(shape, call, dtype="float32"):
    x = keras.Input(shape, dtype=dtype)
    return keras.Model(x, call(x))


class Positions(L.Layer):
    """Adds a learned vector a place; with `token`, puts a learned class token first."""

    def __init__(self, token=False, **kwargs):
        super().__init__(**kwargs)
        self.token = token

    def build(self, shape):
        size = shape[1] + int(self.token)
        self.places = self.add_weight(shape=(size, shape[-1]), initializer="random_normal", name="places")
        self.first = self.add_weight(shape=(1, 1, shape[-1]), initializer="random_normal", name="first")

    def call(self, x):
        if self.token:
            first = ops.broadcast_to(self.first, (ops.shape(x)[0], 1, x.shape[-1]))
            x = ops.concatenate([first, x], 1)
        return x + 5 * self.places


def _block(x, width, pre, mask=False, activation="gelu"):
    attend = L.MultiHeadAttention(2, width // 2)
    if pre:
        y = L.LayerNormalization()(x)
        x = x + attend(y, y, use_causal_mask=mask)
        return x + L.Dense(width)(L.Dense(2 * width, activation)(L.LayerNormalization()(x)))
    x = L.LayerNormalization()(x + attend(x, x, use_causal_mask=mask))
    return L.LayerNormalization()(x + L.Dense(width)(L.Dense(2 * width, activation)(x)))


@keras_specimen("attention pooling", (6, 3))
def attention_pooling():
    def call(x):
        h = L.Dense(5, "tanh")(x)
        return L.Dense(3)(ops.sum(ops.softmax(L.Dense(1)(h), 1) * h, 1))

    return _functional((6, 3), call)


@keras_specimen("multi-head attention", (6, 4))
def multi_head():
    return _functional((6, 4), lambda x: L.Dense(3)(L.GlobalAveragePooling1D()(L.MultiHeadAttention(2, 3)(x, x))))


@keras_specimen("attention, einsum", (6, 4))
def einsum_attention():
    def call(x):
        q, k, v = (L.Dense(4)(x) for _ in range(3))
        weights = ops.softmax(ops.einsum("nqc,nkc->nqk", q, k) / 2.0)
        return L.Dense(3)(ops.mean(ops.einsum("nqk,nkc->nqc", weights, v), 1))

    return _functional((6, 4), call)


@keras_specimen("attention, dot_product_attention", (6, 4))
def dot_product():
    def call(x):
        q, k, v = (L.Reshape((6, 2, 4))(L.Dense(8)(x)) for _ in range(3))
        return L.Dense(3)(L.Flatten()(ops.nn.dot_product_attention(q, k, v)))

    return _functional((6, 4), call)


@keras_specimen("attention, softmax spelled out", (6, 4))
def spelled_attention():
    def call(x):
        q, k, v = (L.Dense(4)(x) for _ in range(3))
        scores = ops.exp(0.3 * ops.matmul(q, ops.transpose(k, (0, 2, 1))))
        return L.Dense(3)(ops.mean(ops.matmul(scores / ops.sum(scores, -1, keepdims=True), v), 1))

    return _functional((6, 4), call)


@keras_specimen("linear attention", (6, 4))
def linear_attention():
    def call(x):
        q, k, v = ops.elu(L.Dense(4)(x)) + 1, ops.elu(L.Dense(4)(x)) + 1, L.Dense(4)(x)
        summed = ops.einsum("nqc,ncd->nqd", q, ops.einsum("nkc,nkd->ncd", k, v))
        return L.Dense(3)(ops.mean(summed / ops.einsum("nqc,nc->nq", q, ops.sum(k, 1))[..., None], 1))

    return _functional((6, 4), call)


@keras_specimen("additive attention", (6, 4))
def additive_attention():
    def call(x):
        return L.Dense(3)(L.GlobalMaxPooling1D()(L.AdditiveAttention()([L.Dense(4)(x), L.Dense(4, "tanh")(x)])))

    return _functional((6, 4), call)


@keras_specimen("grouped-query attention", (6, 4))
def grouped_query():
    return _functional((6, 4), lambda x: L.Dense(3)(L.GlobalAveragePooling1D()(L.GroupQueryAttention(3, 4, 2)(x, x))))


@keras_specimen("transformer, post-norm", (6, 4))
def post_norm():
    return _functional((6, 4), lambda x: L.Dense(3)(L.GlobalAveragePooling1D()(_block(Positions()(x), 4, False))))


@keras_specimen("transformer, pre-norm, two blocks", (6, 4))
def pre_norm():
    def call(x):
        x = _block(_block(Positions()(x), 4, True), 4, True)
        return L.Dense(3)(ops.mean(L.LayerNormalization()(x), 1))

    return _functional((6, 4), call)


@keras_specimen("vision transformer, class token", (8, 8, 1))
def vision_transformer():
    def call(x):
        x = Positions(token=True)(L.Reshape((4, 6))(L.Conv2D(6, 4, strides=4)(x)))
        x = L.LayerNormalization()(_block(_block(x, 6, True), 6, True))
        return L.Dense(3)(x[:, 0])

    return _functional((8, 8, 1), call)


@keras_specimen("transformer of words", (6,), vocabulary=12)
def words():
    def call(ids):
        return L.Dense(3)(ops.mean(_block(Positions()(L.Embedding(12, 4)(ids)), 4, False), 1))

    return _functional((6,), call, "int32")


@keras_specimen("causal decoder", (6,), vocabulary=12, target=(4, 3))
def causal():
    def call(ids):
        x = Positions()(L.Embedding(12, 6)(ids))
        for _ in range(2):
            x = _block(x, 6, True, mask=True)
        return L.Dense(12)(L.LayerNormalization()(x))

    return _functional((6,), call, "int32")


@keras_specimen("rotary causal decoder, SwiGLU", (6,), vocabulary=12, target=(5, 2))
def rotary():
    angle = np.outer(np.arange(6), [1.0, 0.1]).astype("float32")
    cosine, sine = np.cos(angle), np.sin(angle)
    hidden = np.triu(np.full((6, 6), -1e9, "float32"), 1)

    def turned(x):
        a, b = x[..., :2], x[..., 2:]
        return ops.concatenate([a * cosine - b * sine, a * sine + b * cosine], -1)

    def call(ids):
        x = L.Embedding(12, 4, embeddings_initializer="glorot_normal")(ids)
        y = L.RMSNormalization()(x)
        q, k, v = turned(L.Dense(4)(y)), turned(L.Dense(4)(y)), L.Dense(4)(y)
        x = x + L.Dense(4)(ops.matmul(ops.softmax(ops.matmul(q, ops.transpose(k, (0, 2, 1))) / 2 + hidden), v))
        y = L.RMSNormalization()(x)
        return L.Dense(12)(x + L.Dense(4)(L.Dense(8, "silu")(y) * L.Dense(8)(y)))

    return _functional((6,), call, "int32")


@keras_specimen("encoder-decoder, cross-attention", (5, 3), (4, 3), target=(2, 1))
def cross_attention():
    a, b = keras.Input((5, 3)), keras.Input((4, 3))
    memory = _block(L.Dense(4)(a), 4, False)
    state = L.Dense(4)(b)
    state = L.LayerNormalization()(state + L.MultiHeadAttention(2, 2)(state, state, use_causal_mask=True))
    state = L.LayerNormalization()(state + L.MultiHeadAttention(2, 2)(state, memory))
    return keras.Model([a, b], L.Dense(3)(L.LayerNormalization()(state + L.Dense(4, "relu")(state))))


@keras_specimen("MLP-Mixer", (6, 4))
def mixer():
    def call(x):
        x = L.Dense(4)(x)
        y = L.Permute((2, 1))(L.LayerNormalization()(x))
        x = x + L.Permute((2, 1))(L.Dense(6)(L.Dense(8, "gelu")(y)))
        x = x + L.Dense(4)(L.Dense(8, "gelu")(L.LayerNormalization()(x)))
        return L.Dense(3)(L.GlobalAveragePooling1D()(x))

    return _functional((6, 4), call)


@keras_specimen("graph attention", (5, 4))
def graph_attention():
    ring = np.eye(5) + np.roll(np.eye(5), 1, 1) + np.roll(np.eye(5), -1, 1)
    hidden = np.where(ring > 0, 0, -1e9).astype("float32")

    def call(x):
        h = L.Dense(6)(x)
        # A difference, since Keras 3.15 takes the second of two terms for a bias where there is one sample.
        scores = L.LeakyReLU(0.2)(L.Dense(1)(h) - ops.transpose(L.Dense(1)(h), (0, 2, 1)))
        return L.Dense(3)(ops.mean(ops.elu(ops.matmul(ops.softmax(scores + hidden), h)), 1))

    return _functional((5, 4), call)
