"""Keras: perceptrons, gates, normalisations, products, several inputs and outputs."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers as L
from keras import ops

from tests.zoo.keras_specimens import keras_specimen

_ACTIVATIONS = {
    **{name: name for name in ("relu", "gelu", "silu", "tanh", "softplus", "elu", "selu", "mish", "hard_silu", "celu")},
    "leaky_relu": L.LeakyReLU,
    "prelu": lambda: L.PReLU(alpha_initializer=keras.initializers.Constant(0.2)),
    "relu6": "relu6",
    "sigmoid": "sigmoid",
    "hard_sigmoid": "hard_sigmoid",
    "softsign": "softsign",
    "hard_tanh": "hard_tanh",
    "log_sigmoid": "log_sigmoid",
    "soft_shrink": "soft_shrink",
    "sparsemax (jumps)": "sparsemax",
    "exponential": "exponential",
}


def _perceptron(activation):
    def make():
        layer = (lambda: L.Activation(activation)) if isinstance(activation, str) else activation
        return keras.Sequential([keras.Input((6,)), L.Dense(8), layer(), L.Dense(8), layer(), L.Dense(3)])

    return make


for _name, _activation in _ACTIVATIONS.items():
    keras_specimen(f"perceptron {_name}", (6,))(_perceptron(_activation))


def _functional(shape, call):
    x = keras.Input(shape)
    return keras.Model(x, call(x))


@keras_specimen("softmax head", (6,))
def softmax_head():
    return keras.Sequential([keras.Input((6,)), L.Dense(8, "relu"), L.Dense(4, "softmax")])


@keras_specimen("undeclared sequential", (6,))
def undeclared():
    return keras.Sequential([L.Dense(8, "gelu"), L.Dropout(0.5), L.Dense(3)])


@keras_specimen("batch norm perceptron", (6,))
def batch_norm():
    return keras.Sequential(
        [keras.Input((6,)), L.Dense(8), L.BatchNormalization(), L.ReLU(), L.Dropout(0.3), L.Dense(3)]
    )


@keras_specimen("layer norm", (6,))
def layer_norm():
    return _functional((6,), lambda x: L.Dense(3)(L.LayerNormalization()(L.Dense(8, "relu")(x))))


@keras_specimen("RMS norm", (6,))
def rms_norm():
    return _functional((6,), lambda x: L.Dense(3)(L.RMSNormalization()(L.Dense(8, "silu")(x))))


@keras_specimen("unit norm", (6,))
def unit_norm():
    return _functional((6,), lambda x: L.Dense(3)(L.UnitNormalization()(L.Dense(8, "tanh")(x))))


@keras_specimen("reused activation", (6,))
def reused_activation():
    act = L.ReLU()
    return _functional((6,), lambda x: L.Dense(3)(act(L.Dense(8)(act(L.Dense(8)(x))))))


@keras_specimen("reused dense, residual", (6,))
def reused_dense():
    shared = L.Dense(6, "gelu")
    return _functional((6,), lambda x: L.Dense(3)(shared(x) + shared(x + shared(x))))


@keras_specimen("subclassed, functional relu", (6,))
class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.drop = L.Dense(8), L.Dense(3), L.Dropout(0.5)

    def call(self, x, training=None):
        return self.second(self.drop(ops.relu(self.first(x)), training=training))


@keras_specimen("control flow of fixed length", (6,))
class Refining(keras.Model):
    """Three turns of the same layers, with a step that shrinks."""

    def __init__(self):
        super().__init__()
        self.inner, self.outer, self.last = L.Dense(8), L.Dense(6), L.Dense(3)

    def call(self, x):
        state = x
        for turn in range(3):
            state = state + self.outer(ops.tanh(self.inner(state) + 0.1 * turn)) / (turn + 1)
        return self.last(ops.where(state > 0, state, 0.3 * state))


class RadialBasis(L.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, shape):
        self.centres = self.add_weight(shape=(self.units, shape[-1]), initializer="random_normal", name="centres")

    def call(self, x):
        return ops.exp(-0.3 * ops.sum(ops.square(x[:, None] - self.centres), -1))


@keras_specimen("custom layer: radial basis", (4,))
def radial_basis():
    return _functional((4,), lambda x: L.Dense(3)(RadialBasis(8)(x)))


@keras_specimen("highway", (6,))
def highway():
    def call(x):
        for _ in range(2):
            gate = L.Dense(6, "sigmoid")(x)
            x = gate * L.Dense(6, "relu")(x) + (1 - gate) * x
        return L.Dense(3)(x)

    return _functional((6,), call)


@keras_specimen("GLU gate", (6,))
def glu():
    return _functional((6,), lambda x: L.Dense(3)(ops.glu(L.Dense(16)(x))))


@keras_specimen("SwiGLU gate", (6,), target=0)
def swiglu():
    def call(x):
        x = L.Dense(6)(x)
        y = L.RMSNormalization()(x)
        return L.Dense(3)(x + L.Dense(6)(L.Dense(8, "silu")(y) * L.Dense(8)(y)))

    return _functional((6,), call)


@keras_specimen("norm on the raw input", (6,))
def norm_first():
    """At a reference of zeros the norm divides by the root of its epsilon."""
    return keras.Sequential([keras.Input((6,)), L.RMSNormalization(), L.Dense(8, "silu"), L.Dense(3)])


@keras_specimen("maxout", (6,))
def maxout():
    return _functional((6,), lambda x: L.Dense(3)(ops.max(L.Reshape((8, 3))(L.Dense(24)(x)), -1)))


@keras_specimen("mixture of experts, soft gates", (6,))
def mixture():
    def call(x):
        experts = ops.stack([L.Dense(5, a)(x) for a in ("relu", "tanh", "gelu")], 1)
        return L.Dense(3)(ops.einsum("ne,nef->nf", L.Dense(3, "softmax")(x), experts))

    return _functional((6,), call)


@keras_specimen("deep and cross", (6,))
def deep_cross():
    def call(x):
        crossed = x
        for _ in range(2):
            crossed = x * L.Dense(6)(crossed) + crossed
        return L.Dense(2)(L.Concatenate()([crossed, L.Dense(8, "relu")(x)]))

    return _functional((6,), call)


class Factorisation(L.Layer):
    def build(self, shape):
        self.factors = self.add_weight(shape=(shape[-1], 4), initializer="random_normal", name="factors")

    def call(self, x):
        return 0.5 * ops.sum(
            ops.square(x @ (10 * self.factors)) - ops.square(x) @ ops.square(10 * self.factors), -1, keepdims=True
        )


@keras_specimen("factorisation machine", (6,), target=0)
def factorisation():
    return _functional((6,), lambda x: L.Dense(1)(x) + Factorisation()(x))


class GraphConvolution(L.Layer):
    def __init__(self, units, adjacency, **kwargs):
        super().__init__(**kwargs)
        self.dense, self.adjacency = L.Dense(units), np.asarray(adjacency, np.float32)

    def call(self, x):
        return ops.relu(ops.matmul(ops.convert_to_tensor(self.adjacency), self.dense(x)))


def adjacency(nodes: int) -> np.ndarray:
    """A ring with loops, its rows summing to one."""
    ring = np.eye(nodes) + np.roll(np.eye(nodes), 1, 1) + np.roll(np.eye(nodes), -1, 1)
    return (ring / ring.sum(1, keepdims=True)).astype(np.float32)


@keras_specimen("graph convolution", (5, 4))
def graph_convolution():
    def call(x):
        for units in (6, 6):
            x = GraphConvolution(units, adjacency(5))(x)
        return L.Dense(3)(ops.mean(x, 1))

    return _functional((5, 4), call)


@keras_specimen("siamese, cosine similarity", (5,), (5,), target=0)
def siamese():
    shared = keras.Sequential([keras.Input((5,)), L.Dense(8, "relu"), L.Dense(4)])
    a, b = keras.Input((5,)), keras.Input((5,))
    return keras.Model([a, b], L.Dot(1, normalize=True)([shared(a), shared(b)]))


@keras_specimen("two towers, cosine similarity", (5,), (4,), target=0)
class TwoTowers(keras.Model):
    def __init__(self):
        super().__init__()
        self.left = keras.Sequential([L.Dense(8, "gelu"), L.Dense(4)])
        self.right = keras.Sequential([L.Dense(6, "tanh"), L.Dense(4)])

    def call(self, inputs):
        a, b = self.left(inputs[0]), self.right(inputs[1])
        return 5 * ops.sum(ops.normalize(a, -1) * ops.normalize(b, -1), -1, keepdims=True)


@keras_specimen("siamese, distance", (5,), (5,), target=0)
def siamese_distance():
    shared = L.Dense(8, "relu")
    a, b = keras.Input((5,)), keras.Input((5,))
    distance = ops.sqrt(ops.sum(ops.square(shared(a) - shared(b)), -1, keepdims=True) + 0.1)
    return keras.Model([a, b], L.Dense(1, "sigmoid")(distance))


@keras_specimen("two inputs, picture and table", (6, 6, 1), (4,))
def picture_and_table():
    picture, table = keras.Input((6, 6, 1)), keras.Input((4,))
    seen = L.Flatten()(L.MaxPooling2D(2)(L.Conv2D(3, 3, activation="relu")(picture)))
    return keras.Model([picture, table], L.Dense(3)(L.Concatenate()([seen, L.Dense(4, "tanh")(table)])))


@keras_specimen("bilinear of two inputs", (4,), (5,))
def bilinear():
    a, b = keras.Input((4,)), keras.Input((5,))
    both = ops.einsum("ni,nj->nij", L.Dense(4, "tanh")(a), b)
    return keras.Model([a, b], L.Dense(3)(L.Flatten()(both)))


@keras_specimen("two outputs", (6,), target=(1, 0, 1))
def two_outputs():
    x = keras.Input((6,))
    hidden = L.Dense(8, "tanh")(x)
    return keras.Model(x, [L.Dense(3)(hidden), L.Reshape((2, 2))(L.Dense(4)(hidden))])


@keras_specimen("autoencoder", (6,), target=2)
def autoencoder():
    return keras.Sequential(
        [keras.Input((6,)), L.Dense(5, "relu"), L.Dense(2, "tanh"), L.Dense(5, "relu"), L.Dense(6, "sigmoid")]
    )


@keras_specimen("no logits, log-softmax", (6,))
def log_softmax():
    return _functional((6,), lambda x: ops.log_softmax(L.Dense(4)(L.Dense(8, "relu")(x))))


@keras_specimen("polynomial of activations", (5,), target=0)
def polynomial():
    def call(x):
        h = L.Dense(6, "softplus")(x)
        return ops.sum(h**2 / (1 + h[:, ::-1]) + ops.maximum(h, ops.flip(h, 1)), -1, keepdims=True)

    return _functional((5,), call)
