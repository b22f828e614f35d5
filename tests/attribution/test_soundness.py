"""What is not finite is named with the layer where it begins."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch
from torch import nn

import dlexplain as dlx


class _Function(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


@keras.saving.register_keras_serializable("tests")
class _Root(keras.layers.Layer):
    def call(self, x):
        return keras.ops.sqrt(x)


@keras.saving.register_keras_serializable("tests")
class _Logarithm(keras.layers.Layer):
    def call(self, x):
        return keras.ops.log(x)


def _positive(framework: str, kind: str):
    """Dense with the identity, then a root or a logarithm named `curve`, then a sum."""
    if framework == "torch":
        first, last = nn.Linear(3, 3), nn.Linear(3, 1)
        first.weight.data, first.bias.data = torch.eye(3), torch.zeros(3)
        curve = _Function(torch.sqrt if kind == "root" else torch.log)
        model = nn.Sequential()
        for name, layer in (("first", first), ("curve", curve), ("last", last)):
            model.add_module(name, layer)
        return model
    first = keras.layers.Dense(3, name="first")
    curve = (_Root if kind == "root" else _Logarithm)(name="curve")
    model = keras.Sequential([keras.Input((3,)), first, curve, keras.layers.Dense(1, name="last")])
    first.set_weights([np.eye(3, dtype=np.float32), np.zeros(3, np.float32)])
    return model


def test_a_gradient_that_overflows_is_named_with_its_layer(framework):
    x = np.array([[1, 2, 3], [0, 1, 4]], np.float32)
    with pytest.raises(dlx.UnsupportedModelError, match=r"sample 1 .* first behind layer 'first'.*occlusion"):
        dlx.explain(_positive(framework, "root"), x, "saliency")
    assert np.isfinite(dlx.explain(_positive(framework, "root"), x, "occlusion", window=1).values).all()


@pytest.mark.parametrize("method", ["integrated_gradients", "occlusion", "deeplift"])
def test_a_baseline_without_a_finite_output_is_named_with_its_layer(framework, method):
    model, x = _positive(framework, "logarithm"), np.array([[1, 2, 3]], np.float32)
    with pytest.raises(dlx.UnsupportedModelError, match=r"baseline is not finite.*'curve'.*another baseline"):
        dlx.explain(model, x, method)
    assert dlx.explain(model, x, method, baseline=0.5).baseline_output is not None


def test_a_background_sample_without_a_finite_output_is_counted(framework):
    background = np.array([[1, 1, 1], [1, 0, 1]], np.float32)
    with pytest.raises(dlx.UnsupportedModelError, match=r"baseline \(number 1\)"):
        dlx.explain(_positive(framework, "logarithm"), background + 1, "deepshap", baseline=background)


def test_an_output_that_is_not_finite_is_named_with_its_layer(framework):
    with pytest.raises(dlx.UnsupportedModelError, match=r"sample 0 is not finite.*'curve'"):
        dlx.explain(_positive(framework, "logarithm"), np.zeros((1, 3), np.float32), "saliency")
