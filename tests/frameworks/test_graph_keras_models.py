"""Whole Keras models on the operation graph: styles of model, layers as entries, SHAP's values, nothing left behind."""

from __future__ import annotations

import gc
import threading
import warnings
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers as L
from tensorflow.python.eager import context
from tensorflow.python.framework import ops as registry

import dlexplain as dlx
from dlexplain.errors import GapWarning, InputError, UnsupportedModelError
from dlexplain.frameworks.graph import keras_rules, keras_walk
from dlexplain.frameworks.questions import Target
from tests.networks import NETWORKS, one_or_all

pytestmark = pytest.mark.slow  # a sweep: each case is quick, all together are not

KERAS = [n for n in NETWORKS if n.framework == "keras"]


def target(n: int, *index: int, head: int = 0) -> Target:
    return Target(np.tile(np.array(index, np.int64), (n, 1)), head)


def relu_network(kind: str) -> tuple[keras.Model, tuple[int, ...]]:
    keras.utils.set_random_seed(5)
    if kind == "dense":
        shape, body = (7,), [L.Dense(8, "relu"), L.Dense(6, "relu")]
    else:
        shape = (9, 9, 2)
        body = [
            L.Conv2D(4, 3), L.BatchNormalization(), L.ReLU(), L.MaxPooling2D(2),
            L.Conv2D(3, 2, activation="relu"), L.Flatten(), L.Dense(6, "relu"),
        ]  # fmt: skip
    model = keras.Sequential([keras.Input(shape), *body, L.Dense(3)])
    generator = np.random.default_rng(5)
    for weight in model.weights:
        if weight.path.rpartition("/")[2] in ("moving_mean", "moving_variance", "bias"):
            weight.assign(generator.uniform(0.2, 1, weight.shape))
    return model, shape


@pytest.mark.parametrize("network", KERAS, ids=str)
@pytest.mark.parametrize("method", ["deeplift", "deepshap"])
def test_every_style_of_model_balances(network, method):
    model, x = network.make(), network.inputs(4)
    place = (0, 1) if network.name == "two outputs" else None
    baseline = one_or_all(tuple(v[:3] for v in network.inputs(7))) if method == "deepshap" else None
    result = dlx.explain(model, one_or_all(x), method, target=place, baseline=baseline)
    assert result.relative_gap.max() < 1e-4
    if network.vocabulary is None:
        assert (
            max(np.abs(v).max() for v in (result.values if isinstance(result.values, tuple) else [result.values])) > 0
        )


@pytest.mark.parametrize("kind", ["dense", "convolution"])
def test_shaps_own_values_where_it_is_exact(kind):
    shap = pytest.importorskip("shap")
    model, shape = relu_network(kind)
    g = np.random.default_rng(0)
    x, background = (g.standard_normal((n, *shape)).astype(np.float32) for n in (3, 5))
    with dlx.wrap(model).preserved(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = np.asarray(shap.DeepExplainer(model, background).shap_values(x))[..., 1]
    ours = dlx.explain(model, x, "deepshap", target=1, baseline=background).values
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5 * np.abs(theirs).max())


def test_running_each_once_gives_what_running_pairs_gives():
    model, shape = relu_network("convolution")
    g = np.random.default_rng(1)
    x, background = (g.standard_normal((n, *shape)).astype(np.float32) for n in (3, 4))
    asked = dlx.wrap(model)
    together = asked.contributions((x,), (background,), target(3, 2), 64, background=True)[0]
    alone = [asked.contributions((x,), (b[None],), target(3, 2), 64)[0] for b in background]
    np.testing.assert_allclose(together, np.mean(alone, 0), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("background", [False, True])
def test_a_layers_activations_as_entries(background):
    """A bottleneck: everything passes through it, so its contributions add up to the output's change."""
    keras.utils.set_random_seed(2)
    inner = keras.Sequential([keras.Input((4,)), L.Dense(5, "tanh", name="narrow")], name="inner")
    model = keras.Sequential([keras.Input((6,)), L.Dense(4, "relu", name="early"), inner, L.Dense(2, "softmax")])
    g = np.random.default_rng(0)
    x, r = (
        g.standard_normal((3, 6)).astype(np.float32),
        g.standard_normal((2 if background else 1, 6)).astype(np.float32),
    )
    asked = dlx.wrap(model)
    change = asked.outputs((x,))[0][:, 1] - asked.outputs((r,))[0][:, 1].mean()
    for name, width in (("early", 4), ("inner/narrow", 5), ("inner", 5)):
        (found,) = asked.contributions((x,), (r,), target(3, 1), 64, background=background, layer=name)
        assert found.shape == (3, width)
        np.testing.assert_allclose(found.sum(1), change, rtol=1e-4, atol=1e-6)


def test_a_layer_beside_another_path_gets_its_own_share():
    """y = tanh(a) * x with a = 2x: the layer's part of the product is its change times the mean of x."""
    x = keras.Input((1,))
    dense = L.Dense(1, "tanh", use_bias=False, name="gate")
    model = keras.Model(x, L.Multiply()([dense(x), x]))
    dense.set_weights([np.array([[2.0]])])
    (found,) = dlx.wrap(model).contributions(
        (np.array([[1.5]], np.float32),), (np.array([[-0.5]], np.float32),), target(1, 0), 8, layer="gate"
    )
    np.testing.assert_allclose(found, [[(np.tanh(3) - np.tanh(-1)) * 0.5]], rtol=1e-5)


def test_the_second_call_of_a_shared_layer():
    keras.utils.set_random_seed(0)
    x = keras.Input((3,))
    shared = L.Dense(3, "tanh", name="shared")
    model = keras.Model(x, L.Dense(1)(shared(shared(x))))
    a, r = np.random.default_rng(0).standard_normal((2, 2, 3)).astype(np.float32)
    asked = dlx.wrap(model)
    change = asked.outputs((a,))[0][:, 0] - asked.outputs((r,))[0][:, 0]
    for name in ("shared", "shared:2"):
        (found,) = asked.contributions((a,), (r,), target(2, 0), 8, layer=name)
        np.testing.assert_allclose(found.sum(1), change, rtol=1e-4, atol=1e-6)
    with pytest.raises(InputError, match="shared:3"):
        asked.contributions((a,), (r,), target(2, 0), 8, layer="shared:3")


def test_new_weights_count_at_once():
    model, shape = relu_network("dense")
    x = np.random.default_rng(0).standard_normal((2, *shape)).astype(np.float32)
    asked = dlx.wrap(model)
    zero = (np.zeros((1, *shape), np.float32),)
    before = asked.contributions((x,), zero, target(2, 0), 8)[0]
    model.layers[-1].set_weights([2 * w for w in model.layers[-1].get_weights()])
    np.testing.assert_allclose(asked.contributions((x,), zero, target(2, 0), 8)[0], 2 * before, rtol=1e-5)


def test_any_number_of_samples_is_traced_once():
    model, shape = relu_network("dense")
    asked, calls = dlx.wrap(model), []
    zero = (np.zeros((1, *shape), np.float32),)
    with pytest.MonkeyPatch.context() as patch:
        traced = keras_walk.traced
        patch.setattr(keras_walk, "traced", lambda *given: calls.append(1) or traced(*given))
        for n in (1, 3, 8):
            asked.contributions((np.ones((n, *shape), np.float32),), zero, target(n, 0), 4)
    assert len(calls) == 1


def test_a_few_samples_less_are_not_traced_again():
    model, shape = relu_network("dense")
    asked, calls = dlx.wrap(model), []
    g = np.random.default_rng(0)
    x, r = (g.standard_normal((n, *shape)).astype(np.float32) for n in (5, 3))
    with pytest.MonkeyPatch.context() as patch:
        traced = keras_walk.traced
        patch.setattr(keras_walk, "traced", lambda *given: calls.append(1) or traced(*given))
        whole = asked.contributions((x,), (r,), target(5, 0), 64, background=True)[0]
        part = asked.contributions((x[:4],), (r,), target(4, 0), 64, background=True)[0]
    assert len(calls) == 1
    np.testing.assert_allclose(part, whole[:4], rtol=1e-5, atol=1e-7)


def state(model: keras.Model) -> tuple:
    """What a walk might leave changed: the gradient registry, the layers' own attributes, options, random numbers."""
    entries = {name: dict(entry) for name, entry in registry._gradient_registry._registry.items()}
    layers = [model, *model._flatten_layers(include_self=False)]
    kept = [
        {k: v for k, v in vars(layer).items() if k in ("call", "unroll", "use_cudnn", "trainable")} for layer in layers
    ]
    options = context.context().function_call_options.config_proto_serialized
    return entries, kept, options, tf.random.get_global_generator().state.numpy().tolist()


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_is_left_behind(fails):
    x = keras.Input((5, 3))
    hidden = L.LSTM(4, name="memory")(x)
    if fails:
        hidden = L.Lambda(lambda v: tf.linalg.inv(v[:, :2, None] * v[:, None, :2] + tf.eye(2)))(hidden)
    model = keras.Model(x, L.Dense(2)(L.Flatten()(hidden)))
    before, given = state(model), (np.ones((2, 5, 3), np.float32),)
    asked = dlx.wrap(model)
    weights = [w.numpy() for w in model.weights]
    for layer in (None, "memory"):
        if fails and layer is None:
            with pytest.raises(UnsupportedModelError, match="MatrixInverse"):
                asked.contributions(given, (np.zeros((1, 5, 3), np.float32),), target(2, 0), 8)
        elif not fails:
            asked.contributions(given, (np.zeros((1, 5, 3), np.float32),), target(2, 0), 8, layer=layer)
    assert state(model) == before
    assert all(np.array_equal(a, b) for a, b in zip(weights, model.get_weights(), strict=True))


def test_a_wrapped_model_can_be_forgotten():
    model, shape = relu_network("dense")
    asked = dlx.wrap(model)
    asked.contributions(
        (np.ones((2, *shape), np.float32),), (np.zeros((3, *shape), np.float32),), target(2, 0), 8, background=True
    )
    gone = weakref.ref(model)
    del model, asked
    keras.utils.clear_session()
    gc.collect()
    assert gone() is None


def test_threads_do_not_disturb_each_other():
    models = [relu_network(kind) for kind in ("dense", "convolution")]
    g = np.random.default_rng(0)
    tasks = [
        (dlx.wrap(m), g.standard_normal((2, *s)).astype(np.float32), (np.zeros((1, *s), np.float32),))
        for m, s in models
    ]
    expected = [a.contributions((x,), zero, target(2, 0), 8)[0] for a, x, zero in tasks]
    for asked, *_ in tasks:
        asked._traces.clear()
    found: list[list] = [[], []]

    def work(i: int) -> None:
        asked, x, zero = tasks[i]
        found[i] += [asked.contributions((x,), zero, target(2, 0), 8)[0] for _ in range(3)]

    threads = [threading.Thread(target=work, args=(i,)) for i in (0, 1, 0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for mine, right in zip(found, expected, strict=True):
        assert len(mine) == 6
        for values in mine:
            np.testing.assert_allclose(values, right, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("crossed", [False, True])
def test_no_more_rows_than_asked_run_at_once(crossed):
    model, shape = relu_network("dense")
    seen: list[int] = []
    g = np.random.default_rng(0)
    x, r = (g.standard_normal((n, *shape)).astype(np.float32) for n in (7, 6))
    asked = dlx.wrap(model)
    whole = asked.contributions((x,), (r if crossed else r[:1],), target(7, 0), 64, background=crossed)[0]

    class Counted(keras_walk.Walked):
        def __call__(self, x, r):
            seen.append(len(x[0]) * len(r[0]) if self._asked.paired else len(x[0]))
            return super().__call__(x, r)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dlexplain.frameworks.graph.keras_deeplift.Walked", Counted)
        asked._traces.clear()
        blocks = asked.contributions((x,), (r if crossed else r[:1],), target(7, 0), 4, background=crossed)[0]
    assert max(seen) <= 4
    np.testing.assert_allclose(blocks, whole, rtol=1e-4, atol=1e-7)


def test_books_that_do_not_balance_name_the_operation():
    model, shape = relu_network("dense")
    wrong = keras_rules._RULES | {"Relu": lambda step, multipliers, pairs: [multipliers[0] * 0.5]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras_rules, "_RULES", wrong)
        with pytest.warns(GapWarning, match=r"Relu \(.*dense"):
            dlx.wrap(model).contributions(
                (np.ones((2, *shape), np.float32),), (np.zeros((1, *shape), np.float32),), target(2, 0), 8
            )
    dlx.wrap(model)._traces.clear()
