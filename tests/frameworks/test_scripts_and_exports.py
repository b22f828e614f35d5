"""Torch models that are no longer plain modules: scripts, which cannot be looked into, and exported programs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import dlexplain as dlx


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3)).eval()


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).random((3, 1, 8, 8)).astype(np.float32)


@pytest.mark.parametrize("method", ["integrated_gradients", "saliency", "deeplift", "occlusion", "lime"])
def test_a_script_is_explained_as_its_source(network, pictures, method):
    script = torch.jit.script(network)
    plain = dlx.explain(network, pictures, method)
    np.testing.assert_allclose(dlx.explain(script, pictures, method).values, plain.values, atol=1e-6)


def test_a_script_has_no_layers_to_look_into(network, pictures):
    with pytest.raises(dlx.UnsupportedModelError, match="Methods that work"):
        dlx.explain(torch.jit.script(network), pictures, "gradcam")


def test_the_layers_of_an_exported_program_are_found_by_their_weights(network, pictures):
    samples = torch.export.Dim("samples", min=1)
    program = torch.export.export(network, (torch.tensor(pictures),), dynamic_shapes=({0: samples},)).module()
    model = dlx.wrap(program)
    assert model.weighted((pictures,)) == ("0", "3")
    assert [(k.layer, k.role) for k in model.kernels()] == [("0", "weight"), ("3", "weight")]
    assert [k.initial for k in model.kernels()] == [k.initial for k in dlx.wrap(network).kernels()]
    fresh = model.reinitialised(("0", "3"), seed=0)
    assert np.abs(fresh.predict(pictures) - model.predict(pictures)).max() > 1e-3
    np.testing.assert_array_equal(model.predict(pictures), dlx.wrap(network).predict(pictures))
