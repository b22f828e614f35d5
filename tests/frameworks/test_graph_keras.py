"""DeepLIFT's rules on TensorFlow's operations against values derived by hand or by brute force."""

from __future__ import annotations

import itertools
import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

import dlexplain as dlx
from dlexplain.errors import UnsupportedModelError
from dlexplain.frameworks.questions import Target

SEEDS = keras.random.SeedGenerator(1)


def shared(function, x, r, *, rows=64, background=False):
    """Contributions of each input of `function` (inputs with a sample axis) to the sum of what it gives."""
    many = isinstance(x, tuple)
    x, r = (tuple(np.asarray(v, np.float32) for v in (w if many else (w,))) for w in (x, r))
    inputs = [keras.Input(v.shape[1:]) for v in x]
    outputs = keras.layers.Lambda(lambda v: tf.reshape(function(*v), (tf.shape(v[0])[0], -1)), output_shape=(None,))(
        inputs
    )
    model = dlx.wrap(keras.Model(inputs, keras.layers.Lambda(lambda v: tf.reduce_sum(v, 1, keepdims=True))(outputs)))
    target = Target(np.zeros((len(x[0]), 1), np.int64))
    found = model.contributions(x, r, target, rows, background=background)
    if not background:
        change = (
            model.outputs(x)[0]
            - model.outputs(tuple(np.broadcast_to(b, a.shape) for a, b in zip(x, r, strict=True)))[0]
        )
        total = sum(f.reshape(len(f), -1).sum(1) for f in found)
        np.testing.assert_allclose(total, change[:, 0], rtol=1e-4, atol=1e-5)
    return found if many else found[0]


def shapley(function, x, r):
    """By definition, for scalar players."""
    n, found = len(x), []
    for i in range(n):
        others, value = [j for j in range(n) if j != i], 0.0
        for size in range(n):
            for present in itertools.combinations(others, size):
                share = math.factorial(size) * math.factorial(n - 1 - size) / math.factorial(n)
                with_i = [x[j] if j in present or j == i else r[j] for j in range(n)]
                without = [x[j] if j in present else r[j] for j in range(n)]
                value += share * (float(function(*with_i)) - float(function(*without)))
        found.append(value)
    return found


def test_linear_operations_pass_the_weights_on():
    w = np.array([[2.0], [-3.0], [0.5]], np.float32)
    x, r = np.array([[1.0, 2.0, 3.0]]), np.array([[0.5, 0.0, -1.0]])
    np.testing.assert_allclose(shared(lambda v: v @ w + 7.0, x, r), [[1.0, -6.0, 2.0]], rtol=1e-6)


@pytest.mark.parametrize(
    ("function", "plain"),
    [
        (tf.nn.relu, lambda v: np.maximum(v, 0)),
        (tf.tanh, np.tanh),
        (tf.exp, np.exp),
        (tf.square, np.square),
        (lambda v: 1 / v, lambda v: 1 / v),
        (lambda v: tf.where(v > 0, v, 0.1 * v), lambda v: np.where(v > 0, v, 0.1 * v)),
        (lambda v: tf.floor(v), np.floor),
        (lambda v: tf.cast(v > 0.5, tf.float32), lambda v: (v > 0.5) * 1.0),
        (lambda v: tf.maximum(v, 0.3), lambda v: np.maximum(v, 0.3)),
        (lambda v: tf.stop_gradient(tf.tanh(v)), np.tanh),
        (lambda v: v + tf.stop_gradient(tf.round(v) - v), np.round),
        (lambda v: tf.clip_by_value(v, -0.5, 0.5), lambda v: np.clip(v, -0.5, 0.5)),
    ],
)
def test_an_element_wise_function_of_one_input_accounts_for_itself(function, plain):
    x, r = np.array([[1.3, -0.7, 0.2]]), np.array([[-0.4, 0.9, 0.25]])
    np.testing.assert_allclose(shared(function, x, r), plain(x) - plain(r), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("function", "plain", "x", "r"),
    [
        (lambda a, b: a * b, lambda a, b: a * b, (2.0, -1.0), (0.5, 3.0)),
        (tf.maximum, max, (2.0, -1.0), (0.5, 3.0)),
        (tf.minimum, min, (2.0, -1.0), (0.5, 3.0)),
        (tf.pow, pow, (2.0, 1.5), (0.5, 3.0)),
        (tf.math.atan2, math.atan2, (2.0, 1.5), (0.5, -3.0)),
        (tf.math.squared_difference, lambda a, b: (a - b) ** 2, (2.0, -1.0), (0.5, 3.0)),
        (lambda a, b: tf.cast(a > b, tf.float32), lambda a, b: float(a > b), (2.0, -1.0), (0.5, 3.0)),
        (tf.math.divide_no_nan, lambda a, b: a / b if b else 0.0, (2.0, 0.0), (0.5, 3.0)),
    ],
)
def test_element_wise_functions_of_two_inputs_give_shapley_values(function, plain, x, r):
    found = shared(function, tuple([[v]] for v in x), tuple([[v]] for v in r))
    np.testing.assert_allclose([f.item() for f in found], shapley(plain, x, r), rtol=1e-5, atol=1e-6)


def test_a_choice_between_three_changing_inputs_gives_shapley_values():
    x, r = (1.0, 2.0, -1.0), (-1.0, 0.5, 3.0)
    found = shared(lambda c, a, b: tf.where(c > 0, a, b), tuple([[v]] for v in x), tuple([[v]] for v in r))
    np.testing.assert_allclose(
        [f.item() for f in found], shapley(lambda c, a, b: a if c > 0 else b, x, r), rtol=1e-5, atol=1e-6
    )


def test_a_quotient_is_a_product_with_the_reciprocal():
    a, b, c, d = 2.0, 4.0, -1.0, 0.5  # a / b against c / d
    found = shared(lambda u, v: u / v, ([[a]], [[b]]), ([[c]], [[d]]))
    expected = [(a - c) * (1 / b + 1 / d) / 2, (a + c) / 2 * (1 / b - 1 / d)]
    np.testing.assert_allclose([f.item() for f in found], expected, rtol=1e-6)


def test_a_matrix_product_of_two_inputs_takes_the_mean_of_the_other():
    g = np.random.default_rng(0)
    a, c = g.standard_normal((2, 2, 3, 4))
    b, d = g.standard_normal((2, 2, 4, 5))
    found = shared(tf.matmul, (a, b), (c, d))
    np.testing.assert_allclose(found[0], (a - c) * ((b + d) / 2).sum(2)[:, None], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found[1], (b - d) * ((a + c) / 2).sum(1)[:, :, None], rtol=1e-4, atol=1e-5)
    square = shared(lambda v: tf.einsum("bij,bij->b", v, v), a, c)
    np.testing.assert_allclose(square, a**2 - c**2, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("top", ["pool", "reduce"])
def test_a_maximum_credits_both_places(top):
    """x's maximum 3 at place 2, the reference's 2 at place 0: c = 3, so place 2 gets 3 - 2 = 1 and place 0 nothing;
    then the other way round."""

    def function(v):
        return tf.nn.max_pool2d(v[:, None, :, None], (1, 3), 1, "VALID") if top == "pool" else tf.reduce_max(v, 1)

    x, r = np.array([[1.0, 0.0, 3.0], [2.0, 1.0, 0.0]]), np.array([[2.0, 0.5, 1.0], [1.0, 5.0, 0.0]])
    np.testing.assert_allclose(shared(function, x, r), [[0, 0, 1.0], [0, -3.0, 0]], atol=1e-6)
    if top == "reduce":
        np.testing.assert_allclose(
            shared(lambda v: -tf.reduce_min(-v, 1), x, r), [[0, 0, 1.0], [0, -3.0, 0]], atol=1e-6
        )


def test_the_first_of_equal_maxima_wins():
    x, r = np.array([[4.0, 4.0]]), np.array([[0.0, 0.0]])
    np.testing.assert_allclose(shared(lambda v: tf.reduce_max(v, 1), x, r), [[4.0, 0.0]], atol=1e-6)


def mean_log(a, b):
    return a if a == b else (a - b) / (math.log(a) - math.log(b))


@pytest.mark.parametrize("log", [False, True])
def test_softmax_shares_by_logarithmic_means(log):
    x, r = np.array([1.0, -0.5, 2.0]), np.array([0.3, 0.3, -1.0])
    y, z = np.exp(x) / np.exp(x).sum(), np.exp(r) / np.exp(r).sum()
    w = [mean_log(a, b) / mean_log(np.exp(x).sum(), np.exp(r).sum()) for a, b in zip(np.exp(x), np.exp(r), strict=True)]
    lift = [1.0] * 3 if log else [mean_log(a, b) for a, b in zip(y, z, strict=True)]
    expected = [(lift[1] * ((j == 1) - w[j])) * (x[j] - r[j]) for j in range(3)]
    function = tf.nn.log_softmax if log else tf.nn.softmax
    np.testing.assert_allclose(shared(lambda v: function(v)[:, 1], [x], [r]), [expected], rtol=1e-4, atol=1e-6)


def test_softmax_with_masked_places_and_far_logits_stays_finite():
    mask = np.array([0.0, -np.inf, 0.0, -1e9], np.float32)
    x, r = [[200.0, 5.0, -300.0, 1.0]], [[-100.0, 1.0, 50.0, 2.0]]
    found = shared(lambda v: tf.nn.softmax(v + mask)[:, 0], x, r)
    assert np.isfinite(found).all()
    assert found[0, 1] == 0


def test_where_nothing_changes_the_derivative_is_passed_on():
    """tanh(a - b) with a - b the same in both runs: a gets tanh'(0) of its change, b as much less."""
    found = shared(lambda a, b: tf.tanh(a - b), ([[3.0]], [[3.0]]), ([[1.0]], [[1.0]]))
    np.testing.assert_allclose([f.item() for f in found], [2.0, -2.0], rtol=1e-6)


def test_places_that_agree_are_constants_and_others_are_refused():
    def chosen(v):
        return tf.gather(v, tf.argmax(v, 1), batch_dims=1)

    np.testing.assert_allclose(shared(chosen, [[1.0, 3.0]], [[0.0, 2.0]]), [[0.0, 1.0]], atol=1e-6)
    with pytest.raises(UnsupportedModelError, match=r"GatherV2.*takes its places.*integrated_gradients"):
        shared(chosen, [[1.0, 3.0]], [[2.0, 0.0]])
    np.testing.assert_allclose(shared(lambda v: tf.sort(v)[:, -1], [[1.0, 3.0]], [[0.0, 2.0]]), [[0.0, 1.0]], atol=1e-6)
    with pytest.raises(UnsupportedModelError, match=r"TopKV2.*another order"):
        shared(lambda v: tf.sort(v)[:, -1], [[1.0, 3.0]], [[2.0, 0.0]])


def test_the_undefined_side_of_a_choice_does_not_spread():
    x, r = [[2.0, -1.0]], [[0.5, -3.0]]
    found = shared(lambda v: tf.where(v > 0, tf.math.log(v), 0.0), x, r)
    np.testing.assert_allclose(found, [[math.log(4), 0.0]], rtol=1e-5)


@pytest.mark.parametrize(
    "function",
    [
        lambda v: tf.where(tf.reduce_any(v > 1, 1, keepdims=True), v, -v),
        lambda v: tf.where(tf.reduce_all(v > -1, 1), tf.reduce_sum(v, 1), tf.reduce_max(v, 1)),
        lambda v: tf.where(tf.math.logical_xor(v > 0, tf.reverse(v, (1,)) > 0.5), v, 0.0),
        lambda v: tf.cast(tf.cast(v * 3, tf.int32) * tf.cast(v, tf.int32), tf.float32),
        lambda v: tf.norm(v, axis=1) + tf.math.reduce_std(v, 1),
        lambda v: tf.nn.elu(v) / (1e-3 + tf.reduce_sum(tf.abs(v), 1, keepdims=True)),
        lambda v: tf.reduce_logsumexp(v, 1) * tf.reduce_max(v, 1) - tf.reduce_min(tf.abs(v), 1),
        lambda v: tf.square(v) * tf.random.stateless_uniform((4,), (1, 2)),
        lambda v: tf.math.floormod(v, 0.7) + tf.math.igamma(1.0 + tf.abs(v), 2.0),
        lambda v: tf.math.erfinv(tf.tanh(v) * 0.9) * tf.nn.crelu(v)[:, 2:6],
    ],
)
def test_compositions_balance(function):
    g = np.random.default_rng(4)
    shared(function, g.standard_normal((3, 4)), g.standard_normal((3, 4)))


def loops():
    def while_loop(v):
        return tf.while_loop(lambda i, s: i < 3, lambda i, s: (i + 1, tf.tanh(s * v)), (0, v))[1]

    def fori(v):
        return ops.fori_loop(0, 4, lambda i, s: s * 0.5 + ops.sin(s), v)

    def scan(v):
        return ops.transpose(ops.scan(lambda s, x: (s + ops.tanh(x * s), s * x), v[:, 0], ops.transpose(v))[1])

    def over_samples(v):
        return ops.map(lambda row: ops.tanh(row) * ops.sum(row), v)

    def vectorised(v):
        return ops.vectorized_map(lambda row: ops.tanh(row) * ops.sum(row), v)

    def associative(v):
        return ops.associative_scan(lambda a, b: a * b, v, axis=1)

    def inside_function(v):
        return tf.function(lambda w: tf.function(tf.tanh)(w) * w)(v)

    def known_branch(v):
        return tf.cond(tf.constant(2) > 1, lambda: v * v, lambda: v)

    def array(v):
        items = tf.TensorArray(tf.float32, 3)
        for i in range(3):
            items = items.write(i, v * float(i + 1))
        return tf.transpose(tf.square(items.stack()), (1, 0, 2))

    return [while_loop, fori, scan, over_samples, vectorised, associative, inside_function, known_branch, array]


@pytest.mark.parametrize("function", loops(), ids=lambda f: f.__name__)
def test_loops_and_functions_are_opened(function):
    g = np.random.default_rng(1)
    x, r = g.standard_normal((2, 3, 4))
    found = shared(function, x, r)
    if function.__name__ == "known_branch":
        np.testing.assert_allclose(found, x**2 - r**2, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("function", "named"),
    [
        (lambda v: v + tf.random.normal(tf.shape(v)), "RandomStandardNormal.*draws random numbers"),
        (lambda v: keras.random.dropout(v, 0.5, seed=SEEDS), "Random.*draws random numbers"),
        (lambda v: tf.numpy_function(np.tanh, [v], tf.float32) + 0 * v, "PyFunc.*keeps a state"),
        (
            lambda v: tf.while_loop(lambda s: tf.reduce_sum(s) < 9, lambda s: (s + 1,), (v,))[0],
            "While.*branches or loops on what the input holds",
        ),
        (lambda v: tf.linalg.inv(v[:, :2, None] * v[:, None, :2] + tf.eye(2)), "MatrixInverse.*has no rule"),
    ],
)
def test_what_cannot_be_walked_is_refused_by_name(function, named):
    with pytest.raises(UnsupportedModelError, match=rf"{named}.*integrated_gradients"):
        shared(function, [[1.0, 2.0, 3.0]], [[0.5, 1.0, 0.0]])


@pytest.mark.parametrize("function", loops(), ids=lambda f: f.__name__)
def test_a_background_of_another_size_than_the_samples(function):
    g = np.random.default_rng(2)
    x, r = g.standard_normal((3, 4)), g.standard_normal((2, 4))
    expected = np.mean([shared(function, x, r[j : j + 1]) for j in range(2)], 0)
    np.testing.assert_allclose(shared(function, x, r, background=True), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rows", [1, 2, 5, 64])
def test_a_background_is_the_mean_whatever_the_blocks(rows):
    g = np.random.default_rng(2)
    x, r = g.standard_normal((3, 5)), g.standard_normal((4, 5))
    function = loops()[0]
    expected = np.mean([shared(function, x, r[j : j + 1]) for j in range(4)], 0)
    np.testing.assert_allclose(shared(function, x, r, rows=rows, background=True), expected, rtol=1e-4, atol=1e-6)
