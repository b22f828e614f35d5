"""A model seen from a layer: it ends there or begins there, and the user's own is untouched."""

from __future__ import annotations

import numpy as np
import pytest

import dlexplain as dlx
from dlexplain.frameworks.questions import Target
from tests.networks import NETWORKS, one_or_all


def middle(model, inputs):
    """A layer half way through that has weights, by name, with its activations."""
    known = {layer.name for layer in model.layers if layer.parameters}
    names = [name for name, shape in model.shapes(inputs).items() if name in known and shape]
    # Of two outputs' own heads the other output knows nothing.
    name = names[0] if len(model.outputs(inputs)) > 1 else names[len(names) // 2]
    return name, model.inside(inputs, (name,))[name]


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_what_ends_at_a_layer_and_begins_there_is_the_whole(network):
    raw, inputs = network.make(), network.inputs()
    model = dlx.wrap(raw)
    before = model.outputs(model.inputs(one_or_all(inputs)))
    name, activations = middle(model, inputs)
    ending, entering = model.ending_at(name, inputs), model.entering_at(name)
    np.testing.assert_allclose(ending.outputs(inputs)[0], activations, atol=1e-5)
    for own, again in zip(before, entering.outputs((activations, *inputs)), strict=True):
        np.testing.assert_allclose(own, again, atol=1e-5)
    target = Target(np.zeros((len(inputs[0]), before[0].ndim - 1 or 1), np.int64))
    _, (gradient, *_) = entering.one_gradient((activations, *inputs), target)
    _, (expected,) = model.one_gradient(inputs, target, name)
    np.testing.assert_allclose(gradient, expected, atol=1e-5)
    assert ending.fingerprint == model.fingerprint == entering.fingerprint
    for own, again in zip(before, dlx.wrap(raw).outputs(inputs), strict=True):
        np.testing.assert_array_equal(own, again)


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_a_units_mean_over_its_places_is_an_output(network):
    model, inputs = dlx.wrap(network.make()), network.inputs()
    name, activations = middle(model, inputs)
    last = np.moveaxis(activations, 1, -1) if model.channels_first(name, activations.ndim) else activations
    expected = last.reshape(len(last), -1, last.shape[-1]).mean(1)
    ending = model.ending_at(name, inputs, mean=True)
    np.testing.assert_allclose(ending.outputs(inputs)[0], expected, atol=1e-5)
    target = Target(np.ones((len(inputs[0]), 1), np.int64))
    _, gradients = ending.one_gradient(inputs, target)
    value, own = model.unit_gradient(inputs, name, np.ones(len(inputs[0]), np.int64))
    np.testing.assert_allclose(expected[:, 1], value, atol=1e-5)
    for one, other in zip(gradients, own, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_layers_inside_a_view_have_names():
    for network in NETWORKS[:3] + NETWORKS[-3:]:
        model, inputs = dlx.wrap(network.make()), network.inputs()
        name, activations = middle(model, inputs)
        view = model.ending_at(name, inputs)
        found = view.inside(view.inputs(one_or_all(inputs)), (model.within(name),))
        np.testing.assert_allclose(found[model.within(name)], activations, atol=1e-5)


def test_a_view_leaves_no_trace_on_the_keras_model():
    network = NETWORKS[2]
    raw, inputs = network.make(), network.inputs()
    before = set(raw.__dict__), [set(layer.__dict__) for layer in raw.layers]
    model = dlx.wrap(raw)
    model.ending_at(raw.layers[0].name, inputs).outputs(inputs)
    assert before == (set(raw.__dict__), [set(layer.__dict__) for layer in raw.layers])
