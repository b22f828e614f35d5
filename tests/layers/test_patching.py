"""Patching against networks run by hand, and where the answer is known to pass."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import dlexplain as dlx
from tests.attribution.conftest import dense_pair, image_pair, random_weights
from tests.layers.transformers import IDS, Decoder
from tests.networks import BY_NAME


@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_on_one_path_each_layer_carries_all(framework):
    model = dense_pair(random_weights((6, 10, 8, 3)))[framework]
    clean, corrupted = np.random.default_rng(0).standard_normal((2, 5, 6)).astype(np.float32)
    for direction in ("restore", "break"):
        found = dlx.patch(model, clean, corrupted, target=1, direction=direction)
        for effect in found.effects.values():
            np.testing.assert_allclose(effect, 1, atol=1e-3)
    asked = dlx.wrap(model)
    np.testing.assert_allclose(found.clean_score, asked.predict(clean)[:, 1], atol=1e-6)
    np.testing.assert_allclose(found.corrupted_score, asked.predict(corrupted)[:, 1], atol=1e-6)


@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_units_are_patched_one_at_a_time(framework):
    weights = random_weights((6, 10, 3))
    model = dense_pair(weights)[framework]
    clean, corrupted = np.random.default_rng(1).standard_normal((2, 4, 6)).astype(np.float32)
    layer = dlx.wrap(model).layers[0].name if framework == "keras" else "1"
    found = dlx.patch(model, clean, corrupted, layer, target=2, by="unit")
    hidden = [np.maximum(x @ weights[0][0] + weights[0][1], 0) for x in (clean, corrupted)]
    way = (hidden[0] - hidden[1]) * weights[1][0][:, 2]
    np.testing.assert_allclose(found.effects[layer], way / way.sum(1, keepdims=True), rtol=2e-3, atol=1e-4)
    assert len(found.table) == 10
    assert found.matrix().shape == (1, 10)


def test_positions_of_a_decoder_are_those_run_by_hand():
    model = Decoder().eval()
    corrupted = IDS.copy()
    corrupted[:, 2] = (corrupted[:, 2] + 3) % 11
    found = dlx.patch(model, IDS, corrupted, ["blocks.0", "blocks.1"], target=(5, 4), by="position", batch_size=4)

    def stream(ids, change=None):
        with torch.no_grad():
            x = model.words(torch.tensor(ids)) + model.places
            kept = []
            for i, block in enumerate(model.blocks):
                x = block(x)
                if change is not None and change[0] == i:
                    x = x.clone()
                    x[:, change[1]] = change[2][:, change[1]]
                kept.append(x)
            return kept, model.head(model.norm(x))[:, 5, 4].numpy()

    kept, clean = stream(IDS)
    _, low = stream(corrupted)
    for i, name in enumerate(found.layers):
        for position in range(6):
            _, score = stream(corrupted, (i, position, kept[i]))
            np.testing.assert_allclose(found.effects[name][:, position], (score - low) / (clean - low), atol=2e-3)
    # Nothing before the change differs, so nothing there can carry the answer.
    assert all(np.abs(effect[:, :2]).max() == 0 for effect in found.effects.values())


def test_twins_patch_alike_whichever_the_layout():
    pictures = image_pair()
    found = []
    for framework in ("keras", "torch"):
        model, x = pictures[framework]
        found.append(dlx.patch(model, x[:2], x[2:], ["early"], target=0, by="unit"))
        places = dlx.patch(model, x[:2], x[2:], ["early"], target=0, by="position")
        assert places.effects["early"].shape == (2, 36)
    if dlx.activations(pictures["torch"][0], pictures["torch"][1], "early")["early"].min() >= 0:
        np.testing.assert_allclose(found[0].effects["early"], found[1].effects["early"], atol=1e-3)


def test_predicted_class_of_the_clean_sample_is_the_default():
    model = dense_pair(random_weights((6, 10, 3)))["torch"]
    clean, corrupted = np.random.default_rng(2).standard_normal((2, 5, 6)).astype(np.float32)
    found = dlx.patch(model, clean, corrupted)
    np.testing.assert_array_equal(found.target, dlx.wrap(model).predict(clean).argmax(1))


def test_pairs_that_do_not_differ_are_said_to():
    model = dense_pair(random_weights((6, 10, 3)))["torch"]
    clean, corrupted = np.random.default_rng(2).standard_normal((2, 3, 6)).astype(np.float32)
    corrupted[1] = clean[1]
    with pytest.warns(UserWarning, match=r"samples \[1\]"):
        found = dlx.patch(model, clean, corrupted, target=0)
    assert np.isnan(found.effects["0"][1]).all()
    np.testing.assert_allclose(found.matrix()[:, 0], 1, atol=1e-3)


def test_bad_requests_are_refused_in_words():
    model = nn.Sequential(nn.Linear(4, 3))
    x = np.zeros((2, 4), np.float32)
    with pytest.raises(dlx.InputError, match="needs its partner"):
        dlx.patch(model, x, x[:1])
    with pytest.raises(dlx.InputError, match="'layer', 'position', 'unit'"):
        dlx.patch(model, x, x, by="head")
    with pytest.raises(dlx.InputError, match="has such parts"):
        dlx.patch(model, x, x + 1, by="position")
    network = BY_NAME["torch-residual"]
    x = network.inputs()[0]
    found = dlx.patch(network.make(), x[:2], x[2:], ["shared", "shared:2"])
    assert found.layers == ("shared", "shared:2")
