"""Relevance and modified gradients on Keras models against the formulas written out with whole matrices."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers as L

import dlexplain as dlx
from dlexplain.errors import UnsupportedModelError
from dlexplain.frameworks.questions import Target

OPTIONS = {"epsilon": 1e-6, "gamma": 0.25, "alpha": 2.0, "beta": 1.0}
RULES = ("epsilon", "gamma", "alpha_beta", "z_plus", "flat")
COMPOSITES = {
    "epsilon_plus_flat": ("flat", "z_plus", "epsilon"),
    "epsilon_alpha2_beta1_flat": ("flat", "alpha_beta", "epsilon"),
    "epsilon_gamma": ("gamma", "gamma", "epsilon"),
}


def network() -> keras.Model:
    keras.utils.set_random_seed(6)
    model = keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            L.Conv2D(3, 3, padding="same", name="c1"),
            L.BatchNormalization(name="n1"),
            L.ReLU(name="r1"),
            L.MaxPooling2D(2, name="p"),
            L.DepthwiseConv2D(2, depth_multiplier=2, activation="relu", name="c2"),
            L.Flatten(),
            L.Dense(5, "relu", name="d1"),
            L.Dense(3, name="d2"),
        ]
    )
    g = np.random.default_rng(4)
    for w in model.weights:
        kind = w.path.rpartition("/")[2]
        if kind in ("moving_mean", "beta", "bias"):
            w.assign(g.normal(0.1, 0.3, w.shape))
        elif "kernel" in kind:
            w.assign(g.normal(0, 0.5, w.shape))
        else:
            w.assign(g.uniform(0.5, 1.5, w.shape) * (g.choice([-1, 1], w.shape) if kind == "gamma" else 1))
    return model


def matrix(function, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """An affine function as `(inputs, outputs)` and its bias, by pushing unit vectors through it."""
    size = int(np.prod(shape))
    bias = np.array(function(np.zeros((1, *shape), np.float32))).reshape(-1).astype(float)
    rows = np.array(function(np.eye(size, dtype=np.float32).reshape(size, *shape))).reshape(size, -1).astype(float)
    return rows - bias, bias


def pattern(layer: L.Layer, shape: tuple[int, ...]) -> np.ndarray:
    """Which input takes part in which output."""
    copy = type(layer).from_config({**layer.get_config(), "activation": None})
    copy.build((None, *shape))
    copy.set_weights([np.ones(w.shape) if w.ndim > 1 else np.zeros(w.shape) for w in copy.get_weights()])
    return matrix(copy, shape)[0]


def handed(
    rule: str, x: np.ndarray, a: np.ndarray, b: np.ndarray, ones: np.ndarray, relevance: np.ndarray
) -> np.ndarray:
    """One weighted sum z = x a + b by the book, output by output."""
    found = np.zeros_like(x)
    for k in np.flatnonzero(relevance):
        products, bias = x * a[:, k], b[k]
        z = products.sum() + bias
        up, down = np.maximum(products, 0), np.minimum(products, 0)
        if rule == "epsilon":
            found += products / (z + OPTIONS["epsilon"] * (1 if z >= 0 else -1)) * relevance[k]
        elif rule == "flat":
            found += ones[:, k] / ones[:, k].sum() * relevance[k]
        elif rule == "gamma":
            part, own = (up, max(bias, 0)) if z >= 0 else (down, min(bias, 0))
            below = z + OPTIONS["gamma"] * (part.sum() + own)
            found += (products + OPTIONS["gamma"] * part) / below * relevance[k] if below else 0
        else:
            alpha, beta = (1, 0) if rule == "z_plus" else (OPTIONS["alpha"], OPTIONS["beta"])
            above, below = up.sum() + max(bias, 0), down.sum() + min(bias, 0)
            found += alpha * up / above * relevance[k] if above else 0
            found -= beta * down / below * relevance[k] if below else 0
    return found


def by_the_book(model: keras.Model, x: np.ndarray, target: int, rule: str) -> np.ndarray:
    layer = {layer.name: layer for layer in model.layers}
    maps = {
        "c1": (lambda v: layer["n1"](layer["c1"](v), training=False), (6, 6, 2)),
        "c2": (
            lambda v: tf.nn.depthwise_conv2d(v, layer["c2"].kernel, (1, 1, 1, 1), "VALID") + layer["c2"].bias,
            (3, 3, 3),
        ),
        "d1": (lambda v: v @ layer["d1"].kernel + layer["d1"].bias, (24,)),
        "d2": (lambda v: v @ layer["d2"].kernel + layer["d2"].bias, (5,)),
    }
    matrices = {name: matrix(*given) for name, given in maps.items()}
    ones = {name: pattern(layer[name], maps[name][1]) for name in maps}
    rules = dict.fromkeys(maps, rule)
    if rule in COMPOSITES:
        first, convolution, dense = COMPOSITES[rule]
        rules = {"c1": first, "c2": convolution, "d1": dense, "d2": dense}

    z1 = x.reshape(-1) @ matrices["c1"][0] + matrices["c1"][1]
    h1 = np.maximum(z1, 0).reshape(6, 6, 3)
    windows = h1.reshape(3, 2, 3, 2, 3).transpose(0, 2, 4, 1, 3).reshape(3, 3, 3, 4)
    h2 = windows.max(-1).reshape(-1)
    h3 = np.maximum(h2 @ matrices["c2"][0] + matrices["c2"][1], 0)
    h4 = np.maximum(h3 @ matrices["d1"][0] + matrices["d1"][1], 0)
    relevance = np.zeros(3)
    relevance[target] = (h4 @ matrices["d2"][0] + matrices["d2"][1])[target]
    for name, value in (("d2", h4), ("d1", h3), ("c2", h2)):
        relevance = handed(rules[name], value, *matrices[name], ones[name], relevance)
    back = np.zeros_like(windows)
    np.put_along_axis(back, windows.argmax(-1)[..., None], relevance.reshape(3, 3, 3, 1), -1)
    relevance = back.reshape(3, 3, 3, 2, 2).transpose(0, 3, 1, 4, 2).reshape(-1)
    return handed(rules["c1"], x.reshape(-1).astype(float), *matrices["c1"], ones["c1"], relevance).reshape(6, 6, 2)


@pytest.fixture(scope="module")
def known():
    model = network()
    return model, np.random.default_rng(0).standard_normal((2, 6, 6, 2)).astype(np.float32)


@pytest.mark.parametrize("rule", [*RULES, *COMPOSITES])
def test_every_rule_by_the_book(known, rule):
    model, x = known
    (found,) = dlx.wrap(model).relevance((x,), Target(np.array([[1], [2]])), rule, OPTIONS)
    for i, target in enumerate((1, 2)):
        expected = by_the_book(model, x[i], target, rule)
        assert np.abs(expected).max() > 1e-3
        np.testing.assert_allclose(found[i], expected, rtol=1e-3, atol=2e-5 * np.abs(expected).max())


def test_without_biases_relevance_is_kept():
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((7,)),
            L.Dense(6, "relu", use_bias=False),
            L.Dense(5, "gelu", use_bias=False),
            L.Dense(2, use_bias=False),
        ]
    )
    x = np.random.default_rng(0).standard_normal((3, 7)).astype(np.float32)
    asked = dlx.wrap(model)
    (found,) = asked.relevance((x,), Target(np.ones((3, 1), int)), "epsilon", OPTIONS | {"epsilon": 1e-9})
    np.testing.assert_allclose(found.sum(1), asked.outputs((x,))[0][:, 1], rtol=1e-3, atol=1e-5)


def small(layer, *shape):
    x = keras.Input(shape)
    return keras.Model(x, L.Dense(1, use_bias=False)(L.Flatten()(layer(x))))


def attention(x):
    return L.MultiHeadAttention(2, 3)(x, x)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (lambda x: L.LayerNormalization()(x), (4, 6)),
        (lambda x: L.GroupNormalization(2)(x), (4, 6)),
        (attention, (4, 6)),
        (lambda x: L.LSTM(3)(x), (4, 5)),
        (lambda x: L.GRU(3)(x), (4, 5)),
        (lambda x: L.Conv1D(3, 3, activation="silu")(x), (6, 4)),
        (lambda x: L.GlobalMaxPooling1D()(x), (6, 4)),
        (lambda x: L.UpSampling1D(2)(L.AveragePooling1D(2)(x)), (6, 4)),
        (lambda x: L.Maximum()([x, L.Dense(4)(x)]), (6, 4)),
        (lambda x: L.Softmax()(x), (6, 4)),
        (lambda x: L.UnitNormalization()(x), (6, 4)),
        (lambda x: L.Conv2DTranspose(3, 3, 2, activation="relu")(x), (4, 4, 2)),
        (lambda x: L.SeparableConv2D(3, 3, activation="relu")(x), (5, 5, 2)),
    ],
)
@pytest.mark.parametrize("rule", ["epsilon", "epsilon_plus_flat", "gamma"])
def test_every_kind_of_network_is_walked(layer, shape, rule):
    keras.utils.set_random_seed(2)
    model = small(layer, *shape)
    x = np.random.default_rng(1).standard_normal((2, *shape)).astype(np.float32)
    (found,) = dlx.wrap(model).relevance((x,), Target(np.zeros((2, 1), int)), rule, OPTIONS)
    assert np.isfinite(found).all()
    assert np.abs(found).max() > 0


def test_a_product_gives_half_to_each_factor():
    x = keras.Input((2,))
    model = keras.Model(x, L.Multiply()([x[:, :1], x[:, 1:]]))
    (found,) = dlx.wrap(model).relevance(
        (np.array([[3.0, 4.0]], np.float32),), Target(np.zeros((1, 1), int)), "epsilon", OPTIONS
    )
    np.testing.assert_allclose(found, [[6.0, 6.0]], rtol=1e-5)


def test_softmax_follows_attnlrp():
    model = keras.Sequential([keras.Input((3,)), L.Softmax()])
    x = np.array([[1.0, -0.5, 2.0]], np.float32)
    (found,) = dlx.wrap(model).relevance((x,), Target(np.array([[2]])), "epsilon", OPTIONS)
    y = np.exp(x[0]) / np.exp(x[0]).sum()
    relevance = np.array([0, 0, y[2]])
    np.testing.assert_allclose(found[0], x[0] * (relevance - y * relevance.sum()), rtol=1e-5)


def test_a_normalisations_deviation_is_a_constant():
    model = keras.Sequential([keras.Input((4,)), L.LayerNormalization(center=True)])
    model.layers[0].set_weights([np.array([1.0, 2.0, 0.5, 1.5]), np.array([0.3, -0.2, 0.1, 0.4])])
    x = np.array([[1.0, -0.5, 2.0, 0.7]], np.float32)
    asked = dlx.wrap(model)
    (found,) = asked.relevance((x,), Target(np.array([[2]])), "epsilon", OPTIONS)
    score, mean = asked.outputs((x,))[0][0, 2], x.mean()
    expected = -x[0] / 4 / (x[0, 2] - mean) * score
    expected[2] += x[0, 2] / (x[0, 2] - mean) * score
    np.testing.assert_allclose(found[0], expected, rtol=1e-4)


@pytest.mark.parametrize("rule", ["guided", "deconvnet"])
@pytest.mark.parametrize("spelling", ["layer", "maximum", "function"])
def test_modified_gradients_by_the_book(rule, spelling):
    g = np.random.default_rng(3)
    w, b, v = g.standard_normal((5, 6)), g.standard_normal(6), g.standard_normal((6, 2))
    relu = {"layer": L.ReLU(), "maximum": L.Lambda(lambda t: tf.maximum(0.0, t)), "function": L.Activation("relu")}[
        spelling
    ]
    model = keras.Sequential([keras.Input((5,)), L.Dense(6), relu, L.Dense(2, "tanh")])
    model.set_weights([w, b, v, np.zeros(2)])
    x = g.standard_normal((3, 5)).astype(np.float32)
    (found,) = dlx.wrap(model).modified_gradient((x,), Target(np.ones((3, 1), int)), rule)
    z = x @ w + b
    back = (1 - np.tanh(np.maximum(z, 0) @ v[:, 1]) ** 2)[:, None] * v[:, 1]
    back = np.maximum(back, 0) * (z > 0 if rule == "guided" else 1)
    np.testing.assert_allclose(found, back @ w.T, rtol=1e-4, atol=1e-6)


def test_without_a_relu_there_is_nothing_to_modify():
    model = keras.Sequential([keras.Input((5,)), L.Dense(6, "gelu"), L.Dense(2)])
    with pytest.raises(UnsupportedModelError, match=r"No ReLU.*saliency"):
        dlx.wrap(model).modified_gradient((np.ones((1, 5), np.float32),), Target(np.zeros((1, 1), int)), "guided")


def test_relevance_that_reaches_no_input_is_refused():
    model = small(lambda x: L.Lambda(lambda v: tf.cast(tf.cast(v, tf.int32), tf.float32))(x), 4)
    with pytest.raises(UnsupportedModelError, match="does not depend on the inputs by differentiable"):
        dlx.wrap(model).relevance((np.ones((1, 4), np.float32),), Target(np.zeros((1, 1), int)), "epsilon", OPTIONS)
