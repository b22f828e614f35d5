"""The user's model and process are as they were, after success and after failures forced half-way."""

from __future__ import annotations

import random
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch

import dlexplain as dlx
from tests.networks import BY_NAME, NETWORKS, one_or_all

METHODS = ("saliency", "smoothgrad", "integrated_gradients", "gradcam", "occlusion")


def state(model) -> dict:
    """All that explaining could change in a model and in the process."""
    seen = {
        "numpy": np.random.get_state()[1].tolist(),
        "python": random.getstate(),
        "torch": torch.get_rng_state().tolist(),
        "grad": torch.is_grad_enabled(),
        "threads": torch.get_num_threads(),
        "floatx": keras.config.floatx(),
    }
    if isinstance(model, torch.nn.Module):
        seen["modules"] = [
            (n, m.training, sorted(m.__dict__), [len(m.__dict__[h]) for h in m.__dict__ if h.endswith("_hooks")])
            for n, m in model.named_modules()
        ]
        seen["weights"] = [
            (n, p.requires_grad, p.grad is None, p.detach().numpy().tobytes()) for n, p in model.named_parameters()
        ]
        seen["buffers"] = [(n, b.numpy().tobytes()) for n, b in model.named_buffers()]
    else:
        layers = list(model._flatten_layers())
        seen["layers"] = [
            (layer.name, layer.trainable, "call" in layer.__dict__, sorted(layer.__dict__)) for layer in layers
        ]
        seen["weights"] = [w.numpy().tobytes() for w in model.weights]
        from tensorflow.python.framework import ops

        registry = ops._gradient_registry._registry
        seen["registry"] = {
            name: id(entry["type"]) for name, entry in registry.items() if not name.startswith("CustomGradient")
        }  # TensorFlow adds one a trace, in training too
    return seen


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_as_it_was_after_success(network, training):
    model, inputs = network.make(), one_or_all(network.inputs(3))
    if network.framework == "torch":
        model.train(training)
        next(iter(model.parameters())).requires_grad_(False)
    dlx.wrap(model).predict(inputs)
    target = (0, 1) if "two outputs" in str(network) else None
    before = state(model)
    for method in METHODS:
        if method == "gradcam" and "convolution" not in str(network):
            continue
        dlx.explain(model, inputs, method, target=target, **({"samples": 3} if method == "smoothgrad" else {}))
    dlx.activations(model, inputs)
    assert state(model) == before


class Halfway(Exception):
    pass


@pytest.mark.parametrize("after", [1, 3, 5])
def test_as_it_was_after_a_failure_in_a_torch_model(after):
    model = BY_NAME["torch-convolution"].make().train()
    inputs = one_or_all(BY_NAME["torch-convolution"].inputs(3))
    calls = {"count": 0}

    def fail(_module, _inputs, _output):
        calls["count"] += 1
        if calls["count"] >= after:
            raise Halfway

    handle = model[2].register_forward_hook(fail)
    before = state(model)
    for method in METHODS:
        calls["count"] = 0
        with pytest.raises(Halfway):
            dlx.explain(
                model,
                inputs,
                method,
                **({"batch_size": 2, "steps": 8} if "integrated" in method else {"batch_size": 2}),
            )
        assert state(model) == before, method
    calls["count"] = 99
    with pytest.raises(Halfway):
        dlx.activations(model, inputs)
    assert state(model) == before
    handle.remove()
    assert dlx.explain(model, inputs).relative_gap.max() < 1e-3


@keras.saving.register_keras_serializable("tests")
class Failing(keras.layers.Layer):
    allowed = 10**9

    def call(self, x):
        Failing.allowed -= 1
        if Failing.allowed < 0:
            raise Halfway
        return x * 1.0


@pytest.mark.parametrize("after", [0, 1])
def test_as_it_was_after_a_failure_in_a_keras_model(after):
    Failing.allowed = 10**9
    inputs = keras.Input((6, 6, 1))
    hidden = keras.layers.Conv2D(2, 3)(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(Failing()(hidden))))
    x = np.random.default_rng(0).random((3, 6, 6, 1), np.float32)
    model(x)
    before = state(model)
    for method in METHODS:
        Failing.allowed = after
        with pytest.raises(Halfway):
            dlx.explain(model, x, method)
        assert state(model) == before, method
    Failing.allowed = 10**9
    assert dlx.explain(model, x).relative_gap.max() < 1e-3


@pytest.mark.parametrize("name", ["keras-convolution", "torch-convolution", "keras-residual", "torch-residual"])
def test_bridges_leave_nothing_behind_even_when_the_library_stops(name):
    network = BY_NAME[name]
    model, (x,) = network.make(), network.inputs(3)
    before = state(model)
    methods = ["shap:Deep", "shap:Gradient", "shap:Kernel"] + (
        ["captum:DeepLift", "captum:GuidedBackprop"] if "torch" in name else []
    )
    for method in methods:
        options = {"samples": 20} if method != "shap:Deep" and "shap" in method else {}
        baseline = {} if method == "captum:GuidedBackprop" else {"baseline": x[0] if "DeepLift" in method else x}
        refused = None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", dlx.GapWarning)  # the point here is what stays behind
                dlx.explain(model, x, method, target=0, **baseline, **options)
        except dlx.UnsupportedModelError as error:
            refused = str(error)
        assert refused is None or "Methods that work" in refused
        assert state(model) == before, method


def test_a_valid_deep_explainer_still_works_after_a_failed_one():
    """Measured of SHAP 0.51 alone: after one failure on Keras, later explainers of the process fail too."""
    bad, good = BY_NAME["keras-residual"], BY_NAME["keras-convolution"]
    model, (x,) = bad.make(), bad.inputs(3)
    with pytest.raises(dlx.UnsupportedModelError, match="SHAP's own limit"):
        dlx.explain(model, x, "shap:Deep", baseline=x)
    model, (x,) = good.make(), good.inputs(3)
    relu = keras.Model(model.inputs, model.layers[-2].output)
    assert dlx.explain(relu, x, "shap:Deep", target=3, baseline=x).relative_gap.max() < 1e-2


def test_a_keras_model_changed_after_an_explanation_is_explained_as_it_now_is():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax", name="last")])
    x = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
    soft = dlx.explain(model, x, "saliency", target=1).values
    model.get_layer("last").activation = keras.activations.linear
    straight = dlx.explain(model, x, "saliency", target=1).values
    np.testing.assert_allclose(straight, np.repeat(model.get_layer("last").kernel.numpy()[None, :, 1], 3, 0), atol=1e-6)
    assert not np.allclose(soft, straight)


def test_a_torch_part_replaced_after_wrapping_is_explained_as_it_now_is():
    model = BY_NAME["torch-sequential"].make()
    wrapped, (x,) = dlx.wrap(model), BY_NAME["torch-sequential"].inputs()
    before = dlx.explain(wrapped, x, "saliency", target=0).values
    model[2] = torch.nn.Linear(6, 3)
    after = dlx.explain(wrapped, x, "saliency", target=0).values
    np.testing.assert_allclose(after, dlx.explain(model, x, "saliency", target=0).values)
    assert not np.allclose(before, after)


def test_asked_inside_the_users_own_contexts(pictures):
    for model, x in pictures.values():
        expected = dlx.explain(model, x, target=1).values
        with torch.no_grad():
            np.testing.assert_allclose(dlx.explain(model, x, target=1).values, expected, atol=1e-6)
        with torch.inference_mode():
            np.testing.assert_allclose(dlx.explain(model, x, target=1).values, expected, atol=1e-6)
        with tf.GradientTape():
            np.testing.assert_allclose(dlx.explain(model, x, target=1).values, expected, atol=1e-6)
