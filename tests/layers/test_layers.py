"""Activations against the frameworks' own; pictures that really excite their unit."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch
from torch import nn

import dlexplain as dlx
from tests.networks import BY_NAME, NETWORKS, one_or_all


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_the_table_lists_layers_with_shapes_weights_and_calls(network):
    model, inputs = network.make(), one_or_all(network.inputs())
    table = dlx.layers(model, inputs)
    own = sum(p.numel() for p in model.parameters()) if network.framework == "torch" else model.count_params()
    top = (
        table[~table.layer.str.contains(r"[./]")]
        if network.framework == "torch"
        else table[~table.layer.str.contains("/")]
    )
    assert top.parameters.sum() == own
    called = table[table.calls > 0]
    assert called.output_shape.notna().all()
    if "residual" in str(network):
        assert table.set_index("layer").calls["shared"] == 2


def test_activations_are_the_frameworks_own():
    network = BY_NAME["keras-convolution"]
    model, (x,) = network.make(), network.inputs()
    inner = keras.Model(model.inputs, [layer.output for layer in model.layers])
    for name, expected in zip([layer.name for layer in model.layers], inner(x, training=False), strict=True):
        np.testing.assert_allclose(dlx.activations(model, x)[name], expected, atol=1e-5)
    model, (x,) = BY_NAME["torch-convolution"].make().eval(), BY_NAME["torch-convolution"].inputs()
    found, step = dlx.activations(model, x), torch.tensor(x)
    for name, module in model.named_children():
        # The ReLU works in place: the convolution's own output must still be what it was before.
        step = module(step.clone())
        np.testing.assert_allclose(found[name], step.detach().numpy(), atol=1e-5)


@pytest.mark.parametrize("name", ["keras-residual", "torch-residual"])
def test_the_second_call_of_a_layer_has_a_name(name):
    model, (x,) = BY_NAME[name].make(), BY_NAME[name].inputs()
    found = dlx.activations(model, x, ["shared", "shared:2"])
    assert not np.allclose(found["shared"], found["shared:2"])
    with pytest.raises(dlx.InputError, match="shared:3"):
        dlx.activations(model, x, "shared:3")
    with pytest.raises(dlx.InputError, match="Did you mean 'shared'"):
        dlx.activations(model, x, "shaerd")


def test_layers_inside_a_nested_backbone_are_reached():
    model, (x,) = BY_NAME["keras-nested"].make(), BY_NAME["keras-nested"].inputs()
    inner = model.get_layer("backbone").get_layer("inner")
    np.testing.assert_allclose(dlx.activations(model, x, "backbone/inner")["backbone/inner"], inner(x * 0.5), atol=1e-5)
    assert dlx.explain(model, x, "gradcam").options["layer"] == "backbone/inner"


def _dead_pair():
    kernel = np.array([[1.0, -1.0, 0.0], [0.0, 1.0, 0.0]], np.float32)
    bias = np.array([0.0, 0.0, -1.0], np.float32)
    km = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, name="d"), keras.layers.ReLU(name="r")])
    km.layers[0].set_weights([kernel, bias])
    tm = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    tm[0].weight.data, tm[0].bias.data = torch.tensor(kernel.T.copy()), torch.tensor(bias)
    return {"keras": (km, "r"), "torch": (tm, "1")}


@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_dead_units_are_those_that_never_speak(framework):
    model, layer = _dead_pair()[framework]
    table = dlx.activations(model, np.array([[1.0, 0.5], [0.2, 0.1]])).dead_units().set_index("layer")
    assert table.dead[layer] == 2
    assert table.units[layer] == 3
    assert table.share[layer] == pytest.approx(2 / 3)


def test_maps_have_channels_first_whichever_the_layout():
    for name, layer in (("keras-convolution", "conv2d"), ("torch-convolution", "0")):
        model, (x,) = BY_NAME[name].make(), BY_NAME[name].inputs()
        found = dlx.activations(model, x)
        first = next(n for n in found.layers if layer in n)
        assert found.maps(first).shape == (4, 4, 6, 6)
        with pytest.raises(dlx.InputError, match="not channels of pictures"):
            found.maps(found.layers[-1])


@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_a_visualised_feature_excites_its_unit_more_than_any_noise(framework):
    network = BY_NAME[f"{framework}-convolution"]
    model, layer = network.make(), None
    layer = next(name for name in dlx.layers(model, network.inputs()[0]).layer if "conv" in name or name == "0")
    found = dlx.visualise_feature(model, layer, [0, 3], input_shape=network.shapes[0], seed=1)
    noise = np.random.default_rng(0).random((200, *network.shapes[0]), np.float32)
    reached = dlx.activations(model, noise, layer)
    by_unit = reached.units(layer).mean(1)
    assert (found.activation > by_unit[:, [0, 3]].max(0)).all()
    assert (found.activation > found.start_activation).all()
    again = dlx.activations(model, found.images, layer).units(layer).mean(1)
    np.testing.assert_allclose(found.activation, again[[0, 1], [0, 3]], atol=1e-4)
    assert found.images.min() >= 0
    assert found.images.max() <= 1
    assert found.pictures().shape == (2, 8, 8, 2)
    with pytest.raises(dlx.InputError, match="units 0 to 3"):
        dlx.visualise_feature(model, layer, 4, input_shape=network.shapes[0])
