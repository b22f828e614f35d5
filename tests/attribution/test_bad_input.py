"""A table of what users hand over: a right answer, or an error that names the argument and the mend."""

from __future__ import annotations

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
import torch
from torch import nn

import dlexplain as dlx
from tests.attribution.conftest import dense_pair, random_weights
from tests.networks import BY_NAME

WEIGHTS = random_weights((4, 6, 3), 0)
X = np.random.default_rng(0).standard_normal((5, 4)).astype(np.float32)


def _with(value):
    spoilt = X.copy()
    spoilt[2, 1] = value
    return spoilt


REFUSED = {
    "not a number": ({"inputs": _with(np.nan)}, "inputs: 1 values are NaN or infinite, the first in sample 2 at (1,)"),
    "infinite": ({"inputs": _with(np.inf)}, "inputs: 1 values are NaN or infinite"),
    "no sample axis": ({"inputs": X[0]}, "inputs[None]"),
    "wrong rank": ({"inputs": X[:, :, None]}, "inputs: shape (5, 4, 1) is not taken by the model"),
    "wrong width": ({"inputs": X[:, :3]}, "inputs: shape (5, 3) is not taken by the model"),
    "empty": ({"inputs": X[:0]}, "holds no values"),
    "one number": ({"inputs": 3.0}, "sample axis"),
    "none": ({"inputs": None}, "inputs is None"),
    "text": ({"inputs": np.array([["a"] * 4])}, "not numbers"),
    "ragged": ({"inputs": [[1.0, 2.0, 3.0, 4.0], [1.0]]}, "different lengths"),
    "complex": ({"inputs": X.astype(complex)}, "complex"),
    "text column": ({"inputs": pd.DataFrame({"a": [1.0], "b": ["x"], "c": [1.0], "d": [1.0]})}, "column 'b'"),
    "target too large": ({"target": 3}, "target: 3 of sample 0 is out of range"),
    "target negative": ({"target": -1}, "out of range"),
    "target fractional": ({"target": 0.5}, "target"),
    "target yes or no": ({"target": True}, "target"),
    "target too deep": ({"target": (0, 1)}, "has 2 numbers"),
    "targets too few": ({"target": [0, 1]}, "2 targets were given for 5 samples"),
    "one target out of range": ({"target": [0, 1, 2, 3, 0]}, "sample 3"),
    "unknown class": ({"target": "cat"}, "no class is named 'cat'"),
    "misspelt method": ({"method": "integrated_gradient"}, "Did you mean 'integrated_gradients'?"),
    "misspelt bridge": ({"method": "shap:Kernal"}, "Did you mean 'Kernel'?"),
    "misspelt captum": ({"method": "captum:Salency"}, "Did you mean 'Saliency'?"),
    "layer attribution by the bridge": ({"method": "captum:LayerConductance"}, "no values of the shape of the inputs"),
    "unknown option": ({"step": 10}, "Did you mean 'steps'?"),
    "steps zero": ({"steps": 0}, "steps=0 must be a whole number from 1 on"),
    "tolerance zero": ({"tolerance": 0}, "tolerance"),
    "noise zero": ({"method": "smoothgrad", "noise": 0}, "noise"),
    "window too large": ({"method": "occlusion", "window": 5}, "window=5 is larger"),
    "stride past the window": ({"method": "occlusion", "window": 1, "stride": 2}, "never be covered"),
    "window zero": ({"method": "occlusion", "window": 0}, "window=0"),
    "groups of another shape": ({"method": "feature_ablation", "groups": [0, 1]}, "groups"),
    "baseline of the wrong shape": ({"baseline": np.zeros(3)}, "baseline: shape (3,) fits neither one sample (4,)"),
    "baseline not a number": ({"baseline": np.nan}, "baseline"),
    "background where one is meant": ({"baseline": X}, "takes one baseline"),
    "baseline where there is none": ({"method": "saliency", "baseline": 0}, "saliency has no baseline"),
    "batch size zero": ({"batch_size": 0}, "batch_size=0"),
    "seed below zero": ({"seed": -1}, "seed=-1"),
    "several inputs for one": ({"inputs": (X, X)}, "2 were given"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_the_argument_named_and_nothing_lost(framework, name):
    changes, fragment = REFUSED[name]
    model = dlx.wrap(dense_pair(WEIGHTS)[framework], input_shape=(4,))
    before = model.fingerprint
    call = {"inputs": X, "method": "integrated_gradients", **changes}
    with pytest.raises(dlx.InputError) as caught:
        dlx.explain(model, call.pop("inputs"), call.pop("method"), **call)
    assert fragment in str(caught.value)
    assert model.fingerprint == before


TAKEN = {
    "float64": X.astype(np.float64),
    "list": X.tolist(),
    "frame": pd.DataFrame(X),
    "torch tensor": torch.tensor(X),
    "torch tensor with a gradient": torch.tensor(X, requires_grad=True),
    "tensorflow tensor": tf.constant(X),
    "not contiguous": np.asfortranarray(X),
    "read only": np.array(X),
    "float16": X.astype(np.float16),
}
TAKEN["read only"].flags.writeable = False


@pytest.mark.parametrize("name", TAKEN)
def test_taken_and_answered_rightly(framework, name):
    model = dense_pair(WEIGHTS)[framework]
    kept = np.array(TAKEN[name]) if not hasattr(TAKEN[name], "detach") else TAKEN[name].detach().numpy().copy()
    found = dlx.explain(model, TAKEN[name], target=1)
    np.testing.assert_allclose(
        found.values, dlx.explain(model, X, target=1).values, atol=1e-3 if name == "float16" else 1e-6
    )
    now = TAKEN[name].detach().numpy() if hasattr(TAKEN[name], "detach") else np.array(TAKEN[name])
    np.testing.assert_array_equal(now, kept)


def test_pictures_as_bytes_are_their_numbers(pictures, framework):
    model, x = pictures[framework]
    whole = (x * 255).astype(np.uint8)
    np.testing.assert_allclose(
        dlx.explain(model, whole, target=0).values,
        dlx.explain(model, whole.astype(np.float32), target=0).values,
        atol=1e-6,
    )


@pytest.mark.parametrize(
    "target",
    [
        2,
        (2,),
        [2] * 5,
        np.full(5, 2),
        torch.full((5,), 2),
        tf.fill((5,), 2),
        "c",
        [(2,)] * 5,
        np.full((5, 1), 2),
        pd.Series([2] * 5),
    ],
    ids=lambda t: type(t).__name__,
)
def test_every_way_to_say_a_target(framework, target):
    model = dlx.wrap(dense_pair(WEIGHTS)[framework], class_names=["a", "b", "c"])
    found = dlx.explain(model, X, "saliency", target=target)
    np.testing.assert_array_equal(found.values, dlx.explain(model, X, "saliency", target=2).values)
    assert found.target.tolist() == [2] * 5
    assert found.target_label() == "c"


def test_no_target_is_the_predicted_class(framework):
    model = dense_pair(WEIGHTS)[framework]
    predicted = dlx.wrap(model).predict(X).argmax(1)
    assert len(set(predicted.tolist())) > 1
    np.testing.assert_array_equal(dlx.explain(model, X, "saliency").target, predicted)


@pytest.mark.parametrize("name", ["keras-two outputs", "torch-two outputs"])
def test_several_outputs_are_told_by_the_first_number(name):
    network = BY_NAME[name]
    model, (x,) = network.make(), network.inputs()
    mixed = dlx.explain(model, x, target=[(0, 2), (1, 0, 1), (0, 0), (1, 1, 1)], tolerance=1e-4)
    for i, target in enumerate([(0, 2), (1, 0, 1), (0, 0), (1, 1, 1)]):
        np.testing.assert_allclose(
            mixed.values[i], dlx.explain(model, x[i : i + 1], target=target, tolerance=1e-4).values[0], atol=1e-4
        )
    with pytest.raises(dlx.InputError, match="outputs 0 to 1"):
        dlx.explain(model, x, target=(2, 0))


@pytest.mark.parametrize("name", ["keras-recurrent tokens", "torch-recurrent tokens", "keras-attended tokens"])
def test_token_ids(name):
    network = BY_NAME[name]
    model, (ids,) = network.make(), network.inputs()
    found = dlx.explain(model, ids)
    assert found.values.shape == ids.shape
    assert found.kind == ("tokens",)
    assert found.relative_gap.max() < 1e-3
    np.testing.assert_allclose(dlx.explain(model, ids.astype(np.float64)).values, found.values, atol=1e-6)
    for spoilt, fragment in (
        (ids + 0.5, "whole numbers"),
        (ids + 11, "outside the vocabulary of 11"),
        (ids - 20, "outside"),
    ):
        with pytest.raises(dlx.InputError, match=fragment):
            dlx.explain(model, spoilt)
    with pytest.raises(dlx.InputError, match="baseline"):
        dlx.explain(model, ids, baseline=99)
    covered = dlx.explain(model, ids, "feature_ablation", target=0, baseline=2)
    asked = dlx.wrap(model)
    without = ids.copy()
    without[:, 3] = 2
    np.testing.assert_allclose(covered.values[:, 3], asked.predict(ids)[:, 0] - asked.predict(without)[:, 0], atol=1e-5)


@pytest.mark.parametrize("name", ["keras-recurrent tokens", "torch-recurrent tokens"])
def test_padding_stays_padding(name):
    network = BY_NAME[name]
    model, (ids,) = network.make(), network.inputs()
    ids[:, 4:] = 0
    found = dlx.explain(model, ids, baseline=5)
    assert (found.values[:, 4:] == 0).all()
    assert np.abs(found.values[:, :4]).max() > 1e-4
    assert found.relative_gap.max() < 1e-3


def test_dictionaries_by_the_inputs_names():
    network = BY_NAME["keras-two inputs"]
    model, (left, right) = network.make(), network.inputs()
    expected = dlx.explain(model, (left, right), target=0).values
    found = dlx.explain(model, {"right": right, "left": left}, target=0).values
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(dlx.InputError, match="left, right"):
        dlx.explain(model, {"left": left}, target=0)


def test_models_that_cannot_be_explained_say_why():
    class Cut(nn.Module):
        def forward(self, x):
            return x.detach() * 2

    with pytest.raises(dlx.UnsupportedModelError, match="occlusion"):
        dlx.explain(Cut(), X)
    assert dlx.explain(Cut(), X, "occlusion", target=0).values.shape == X.shape
    with pytest.raises(dlx.UnsupportedModelError, match=r"'0'.*track_running_stats=False"):
        dlx.wrap(nn.Sequential(nn.BatchNorm1d(4, track_running_stats=False)))

    class Across(nn.Module):
        def forward(self, x):
            return x - x.mean(0)

    with pytest.raises(dlx.UnsupportedModelError, match="other samples of its batch"):
        dlx.explain(Across(), X)
    with pytest.raises(dlx.UnsupportedModelError, match="never built"):
        dlx.wrap(keras.Sequential([keras.layers.Dense(2)]))
    for strange in (None, "model.keras", lambda x: x, np.zeros(3)):
        with pytest.raises(dlx.InputError, match=r"keras.Model nor a torch.nn.Module"):
            dlx.wrap(strange)
    overflowing = dense_pair([(np.full((4, 2), 1e30), np.zeros(2)), (np.full((2, 2), 1e30), np.zeros(2))])
    for model in overflowing.values():
        with pytest.raises(dlx.UnsupportedModelError, match="not finite"):
            dlx.explain(model, np.abs(X))


def test_a_model_with_noise_always_on_is_explained_with_a_warning():
    class Noisy(nn.Module):
        def forward(self, x):
            return nn.functional.dropout(x, 0.5)

    with pytest.warns(UserWarning, match="different outputs in inference mode"):
        found = dlx.explain(Noisy(), np.ones((3, 64)), "saliency", target=0)
    assert found.warnings
    assert "WARNING" in repr(found)


def test_inference_mode_wins_over_a_dropout_told_to_train():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Dropout(0.5)(inputs, training=True))
    np.testing.assert_array_equal(dlx.explain(model, X, "saliency", target=0).values, np.eye(4)[[0] * 5])
