"""Where rounding shows, a Keras model is walked again in double precision, if there is a copy that is the same model."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import dlexplain as dlx
from dlexplain.frameworks.graph.keras_double import in_double


def _normed() -> keras.Model:
    """A reference of zeros is divided by all but nothing: contributions of 1e3 cancel."""
    keras.utils.set_random_seed(0)
    layers = [keras.layers.LayerNormalization(epsilon=1e-6), keras.layers.Dense(6, "tanh"), keras.layers.Dense(3)]
    return keras.Sequential([keras.Input((8,)), *layers])


def test_rounding_is_walked_again_and_gone(monkeypatch):
    model = _normed()
    x, zeros = np.random.default_rng(0).random((3, 8), np.float32), np.zeros((1, 8), np.float32)
    asked = dlx.wrap(model)
    ((_, goal),) = asked.targets((x,), 1, 8)
    rough = asked.contributions((x,), (zeros,), goal, 8)[0]
    monkeypatch.setattr("dlexplain.frameworks.graph.keras_deeplift._ROUGH", 0.0)  # every sample is rough
    fine = asked.contributions((x,), (zeros,), goal, 8)[0]
    np.testing.assert_allclose(fine, rough, atol=1e-3 * np.abs(fine).max())
    double = in_double(asked, (x,))
    change = double.outputs((x,))[0][:, 1] - double.outputs((zeros,))[0][:, 1]
    # What cancels is thousands of times what is left: single precision cannot hold the sum, double can.
    np.testing.assert_allclose(fine.sum(1), change, rtol=1e-8)
    assert {layer.compute_dtype for layer in double.raw.layers} == {"float64"}


def test_the_copy_has_the_weights_of_now_and_leaves_the_model_alone():
    model, x = _normed(), np.random.default_rng(0).random((2, 8), np.float32)
    asked = dlx.wrap(model)
    first = in_double(asked, (x,)).outputs((x,))[0]
    model.layers[-1].set_weights([2 * w for w in model.layers[-1].get_weights()])
    second = in_double(asked, (x,))
    np.testing.assert_allclose(second.outputs((x,))[0], 2 * first, rtol=1e-6)
    assert first.dtype == np.float64
    assert {layer.compute_dtype for layer in model.layers} == {"float32"}


@pytest.mark.parametrize("kind", ["subclassed", "mixed"])
def test_a_model_without_a_faithful_copy_has_none(kind):
    if kind == "mixed":
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, dtype="mixed_bfloat16")])
    else:

        class Own(keras.Model):
            def __init__(self):
                super().__init__()
                self.last = keras.layers.Dense(3)

            def call(self, x):
                return self.last(x)

        model = Own()
        model(np.zeros((1, 4), np.float32))
    x = np.ones((2, 4), np.float32)
    asked = dlx.wrap(model, input_shape=(4,))
    assert in_double(asked, asked.inputs(x)) is None
