"""The subject: inputs, backgrounds, names, columns, methods and profiles, read with care or refused by name."""

from __future__ import annotations

import keras
import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import dlexplain as dlx
from dlexplain.audit import examined, preparing, profile
from dlexplain.errors import InputError, UnsupportedModelError
from dlexplain.evaluation.explainer import of_method
from tests.networks import BY_NAME, one_or_all

RNG = np.random.default_rng(0)
TABLE = RNG.standard_normal((150, 4)).astype(np.float32)
LABELS = np.arange(150) % 3


def network(framework: str = "torch"):
    if framework == "torch":
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(6, "tanh"), keras.layers.Dense(3)])


def made(**options):
    return preparing.subject(network(), TABLE, LABELS, **options)


@pytest.mark.parametrize("framework", ["torch", "keras"])
def test_a_table_as_it_is_given(framework):
    model = network(framework)
    found = preparing.subject(model, TABLE, LABELS)
    assert (found.kind, found.task, found.profile.name) == ("table", "classification", "tables-1")
    assert np.allclose(found.outputs, dlx.wrap(model).predict(TABLE), atol=1e-6)
    assert np.array_equal(found.predicted, found.outputs.argmax(1))
    assert found.feature_names == tuple(f"feature {i}" for i in range(4))
    assert found.class_names == ("class 0", "class 1", "class 2")
    assert found.methods == examined.DEFAULTS["table"]
    assert found.baseline[0].shape == (1, 4)
    assert any("table" in words for words in found.assumed)


@pytest.mark.parametrize("name", ["convolution", "series", "recurrent tokens", "residual", "two inputs"])
@pytest.mark.parametrize("framework", ["torch", "keras"])
def test_every_kind_of_input(framework, name):
    given = BY_NAME[f"{framework}-{name}"]
    inputs = given.inputs(12)
    expected = {"convolution": "image", "series": "series", "recurrent tokens": "tokens"}.get(name, "table")
    regression = name in ("series", "residual")
    labels = np.linspace(0, 5, 12) if regression else np.arange(12) % 2
    found = preparing.subject(given.make(), one_or_all(inputs), labels)
    assert found.kind == expected
    assert found.profile.name == preparing.PROFILES[expected]
    assert found.task == ("regression" if regression else "classification")
    assert len(found.feature_names) == {"image": 0, "tokens": 0, "series": 3}.get(
        expected, sum(a.shape[1] for a in inputs)
    )
    assert found.explained(found.methods[0], np.arange(3)).output.shape == (3,)


def test_names_of_a_frame_are_those_of_its_columns():
    frame = pd.DataFrame(TABLE, columns=["age", "dose", "weight", "height"])
    found = preparing.subject(network(), frame, LABELS)
    assert found.feature_names == ("age", "dose", "weight", "height")
    assert np.array_equal(found.inputs[0], TABLE)
    assert made(feature_names=["a", "b", "c", "d"]).feature_names == ("a", "b", "c", "d")
    assert made(feature_names=[], class_names=[]).feature_names[0] == "feature 0"
    with pytest.raises(InputError, match="feature_names: 2 were given for 4 columns"):
        made(feature_names=["a", "b"])
    with pytest.raises(InputError, match="feature_names='ab' must be a list"):
        made(feature_names="ab")


def test_inputs_are_read_as_dlx_explain_reads_them():
    with pytest.raises(InputError, match=r"inputs: shape \(150, 5\)"):
        preparing.subject(network("keras"), np.zeros((150, 5)), LABELS)
    with pytest.raises(InputError, match=r"inputs: the model cannot be run on samples of shape \(5,\): mat1 and mat2"):
        preparing.subject(network("torch"), np.zeros((150, 5)), LABELS)
    holes = TABLE.copy()
    holes[7, 2] = np.nan
    with pytest.raises(InputError, match=r"inputs: 1 values are NaN or infinite, the first in sample 7"):
        preparing.subject(network(), holes, LABELS)
    with pytest.raises(InputError, match=r"train inputs: samples have shape \(3,\), those of the inputs \(4,\)"):
        made(train=(TABLE[:, :3], LABELS))
    with pytest.raises(InputError, match=r"neither a keras\.Model nor a torch.nn.Module"):
        preparing.subject(len, TABLE, LABELS)


def test_a_model_that_compares_across_its_batch_is_refused():
    class Across(nn.Module):
        def forward(self, x):
            return x[:, :3] - x[:, :3].mean(0)

    with pytest.raises(UnsupportedModelError, match="changes with the other samples of its batch"):
        preparing.subject(Across(), TABLE, LABELS)


def test_a_model_with_noise_left_on_is_audited_and_said():
    class Noisy(nn.Module):
        def forward(self, x):
            return nn.functional.dropout(x.repeat(1, 30), 0.5, True).reshape(-1, 3, 40).sum(-1)

    found = preparing.subject(Noisy(), TABLE, LABELS)
    assert any("different outputs in inference mode" in words for words in found.assumed)


def test_the_background_is_drawn_with_the_seed_from_the_training_data():
    first, again, other = made(), made(), made(seed=1)
    assert first.background[0].shape == (100, 4)
    assert np.array_equal(first.background[0], again.background[0])
    assert not np.array_equal(first.background[0], other.background[0])
    train = made(train=(TABLE[:40] + 10, LABELS[:40]))
    assert np.array_equal(train.background[0], TABLE[:40] + 10)
    assert any("40 of 40 training samples" in words for words in train.assumed)
    given = made(background=TABLE[:3])
    assert np.array_equal(given.background[0], TABLE[:3])
    with pytest.raises(InputError, match="background: samples have shape"):
        made(background=TABLE[:3, :2])


def test_training_data_come_with_labels_of_the_same_classes():
    found = made(class_names=["a", "b", "c"], train=(TABLE[:3], ["c", "b", "a"]))
    assert list(found.train[1]) == [2, 1, 0]
    for train, words in (
        ((TABLE[:3], ["c", "b", "x"]), "train labels: 'x' in row 2 is no class"),
        ((TABLE[:3], [0, 1]), "train labels: 2 were given for 3 samples"),
        (TABLE, "train must be a pair"),
        ((TABLE,), "train must be a pair"),
    ):
        with pytest.raises(InputError, match=words):
            made(class_names=["a", "b", "c"], train=train)


def test_slices_are_columns_of_the_table_or_beside_it():
    extra = {"site": np.array(["x", "y"] * 75), "age": pd.Series(range(150), index=range(150, 0, -1))}
    assert list(made(columns=extra).columns) == ["site", "age"]
    found = made(columns=extra, slices=["feature 2", "site"]).columns
    assert list(found) == ["feature 2", "site"]
    assert np.array_equal(found["feature 2"], TABLE[:, 2])
    for options, words in (
        ({"slices": ["feature 9"]}, r"slices: no column is named 'feature 9'\. Did you mean 'feature"),
        ({"slices": "site", "columns": extra}, "slices='site' must be a list"),
        ({"columns": {"site": [1, 2]}}, r"columns: 'site' has shape \(2,\)"),
    ):
        with pytest.raises(InputError, match=words):
            made(**options)


def test_methods_are_names_functions_or_both():
    def ours(model, inputs, target, seed):
        return tuple(np.zeros_like(a) for a in inputs)

    found = made(methods=["saliency", "saliency", of_method("occlusion")])
    assert found.methods == ("saliency",)
    assert list(found.explainers) == ["occlusion"]
    found = made(methods={"theirs": ours, "known": "saliency"})
    assert found.methods == ("saliency",)
    assert found.explainers["theirs"].function is ours
    assert made(methods="saliency").methods == ("saliency",)
    for methods, words in (
        (["saliensy"], "method 'saliensy' is unknown. Did you mean 'saliency'"),
        ([], "methods is empty"),
        ([ours], "neither a name of dlx.methods"),
        ({"saliency": ours, "x": "saliency"}, "'saliency' names both"),
    ):
        with pytest.raises(InputError, match=words):
            made(methods=methods)


def test_a_profile_is_for_one_kind_of_input():
    assert made(profile=profile.load("tables-1")).profile.name == "tables-1"
    with pytest.raises(InputError, match="profile 'images-1' was measured on inputs of kind 'image'"):
        made(profile="images-1")
    with pytest.raises(InputError, match=r"profile 'table-1' is unknown\. Did you mean 'tables-1'"):
        made(profile="table-1")


@pytest.mark.parametrize("seed", [-1, 1.5, True, "0", None])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(InputError, match="must be a whole number from 0 on"):
        made(seed=seed)
