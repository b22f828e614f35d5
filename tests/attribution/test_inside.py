"""Attribution to layers and of neurons: against Captum's, against algebra, and by what must sum to what."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import dlexplain as dlx
from tests.attribution.conftest import dense_pair, image_pair, random_weights
from tests.networks import BY_NAME, NETWORKS, one_or_all

pytestmark = pytest.mark.slow  # a sweep: each case is quick, all together are not

SMOOTH = dense_pair(random_weights((6, 9, 7, 3), seed=2), "tanh")
KINKED = dense_pair(random_weights((6, 9, 7, 3), seed=3), "relu")
X, B = np.random.default_rng(0).standard_normal((2, 5, 6)).astype(np.float32)
NAMES = ["saliency", "input_x_gradient", "smoothgrad", "vargrad", "integrated_gradients", "conductance"]


def layers_of(model):
    """Every layer called, by name."""
    return list(dlx.wrap(model).shapes((X[:1],)))


def near(found, expected, share):
    """Equal up to a share of the largest value."""
    np.testing.assert_allclose(found, expected, atol=share * max(np.abs(expected).max(), 1e-12))


@pytest.mark.parametrize("framework", ["keras", "torch"])
@pytest.mark.parametrize("pair", [SMOOTH, KINKED], ids=["smooth", "kinked"])
def test_conductance_sums_to_the_outputs_difference_at_every_layer(framework, pair):
    model = pair[framework]
    out = dlx.wrap(model).predict(X)[:, 1] - dlx.wrap(model).predict(B[:1])[0, 1]
    for layer in layers_of(model):
        found = dlx.layer_attribution(model, X, layer, "conductance", target=1, baseline=B[0], tolerance=1e-4)
        np.testing.assert_allclose(found.values.sum(1), out, rtol=2e-3, atol=2e-4)
        assert found.whole
        np.testing.assert_allclose(found.relative_gap, 0, atol=2e-3)


@pytest.mark.parametrize("framework", ["keras", "torch"])
@pytest.mark.parametrize("method", ["conductance", "deeplift", "integrated_gradients"])
def test_pictures_layers_sum_to_the_difference_too(framework, method):
    model, x = image_pair()[framework]
    out = dlx.wrap(model).predict(x)[:, 2] - dlx.wrap(model).predict(0 * x[:1])[0, 2]
    for layer in dlx.wrap(model).shapes((x[:1],)):
        found = dlx.layer_attribution(model, x, layer, method, target=2)
        np.testing.assert_allclose(found.values.reshape(4, -1).sum(1), out, rtol=1e-2, atol=1e-4)
        np.testing.assert_allclose(found.units().sum(1), found.values.reshape(4, -1).sum(1), rtol=1e-4, atol=1e-5)


def test_gradient_methods_are_captums():
    attr = pytest.importorskip("captum.attr", reason="Captum is the oracle here")
    x, b = torch.tensor(X), torch.tensor(B[:1])
    for pair, share in ((SMOOTH, 1e-3), (KINKED, 2e-2)):
        model = pair["torch"]
        for layer in ("0", "1", "3"):
            module = model[int(layer)]
            ask = {"target": 1, "baseline": B[0]}
            own = attr.LayerConductance(model, module).attribute(
                x, b, target=1, n_steps=2000, method="riemann_trapezoid"
            )
            near(dlx.layer_attribution(model, X, layer, "conductance", **ask).values, own.detach(), share)
            own = attr.LayerIntegratedGradients(model, module).attribute(
                x, b, target=1, n_steps=1000, method="riemann_middle"
            )
            near(dlx.layer_attribution(model, X, layer, **ask).values, own.detach(), share)
            own = attr.InternalInfluence(model, module).attribute(x, b, target=1, n_steps=1000, method="riemann_middle")
            near(
                dlx.layer_attribution(model, X, layer, "internal_influence", **ask, steps=400).values,
                own.detach(),
                share,
            )
            own = attr.LayerGradientXActivation(model, module).attribute(x, target=1)
            near(dlx.layer_attribution(model, X, layer, "input_x_gradient", target=1).values, own.detach(), 1e-5)


def test_neuron_methods_are_captums():
    attr = pytest.importorskip("captum.attr", reason="Captum is the oracle here")
    x, b = torch.tensor(X).requires_grad_(), torch.tensor(B[:1])
    for pair, share in ((SMOOTH, 1e-3), (KINKED, 2e-2)):
        model = pair["torch"]
        own = attr.NeuronGradient(model, model[3]).attribute(x, 4)
        near(dlx.neuron_attribution(model, X, "3", 4, "saliency").values, own.detach(), 1e-5)
        own = attr.NeuronIntegratedGradients(model, model[3]).attribute(x, 4, b, n_steps=1000, method="riemann_middle")
        near(dlx.neuron_attribution(model, X, "3", 4, baseline=B[0]).values, own.detach(), share)
        own = attr.NeuronConductance(model, model[3]).attribute(
            x, 4, b, target=1, n_steps=1000, method="riemann_middle"
        )
        found = dlx.neuron_attribution(model, X, "3", 4, "conductance", target=1, baseline=B[0], steps=1000)
        near(found.values, own.detach(), share)


def test_deeplift_of_layers_is_captums_where_that_one_is_exact():
    attr = pytest.importorskip("captum.attr", reason="Captum is the oracle here")
    model = KINKED["torch"]
    for layer in ("0", "2"):
        own = attr.LayerDeepLift(model, model[int(layer)]).attribute(torch.tensor(X), torch.tensor(B[:1]), target=1)
        near(dlx.layer_attribution(model, X, layer, "deeplift", target=1, baseline=B[0]).values, own.detach(), 1e-4)


@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_what_reaches_the_output_through_a_unit_is_the_units_conductance(framework):
    model = SMOOTH[framework]
    layer = layers_of(model)[1 if framework == "keras" else 3]
    whole = dlx.layer_attribution(model, X, layer, "conductance", target=1, baseline=B[0], tolerance=1e-5).values
    for unit in (0, 5):
        found = dlx.neuron_attribution(model, X, layer, unit, "conductance", target=1, baseline=B[0])
        np.testing.assert_allclose(found.values.sum(1), whole[:, unit], rtol=1e-3, atol=1e-4)
        assert found.options["unit"] == unit


@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_at_the_last_hidden_layer_all_are_the_weights_times_the_change(framework):
    weights = random_weights((6, 9, 3), seed=5)
    model = dense_pair(weights, "tanh")[framework]
    layer = layers_of(model)[0 if framework == "keras" else 1]
    hidden = [np.tanh(x @ weights[0][0] + weights[0][1]) for x in (X, B[:1])]
    expected = (hidden[0] - hidden[1]) * weights[1][0][:, 2]
    for method in ("integrated_gradients", "conductance", "deeplift"):
        found = dlx.layer_attribution(model, X, layer, method, target=2, baseline=B[0])
        near(found.values, expected, 1e-4)
    for method in ("expected_gradients", "deepshap"):
        found = dlx.layer_attribution(model, X, layer, method, target=2, baseline=B)
        mean = np.tanh(B @ weights[0][0] + weights[0][1]).mean(0)
        near(found.values, (hidden[0] - mean) * weights[1][0][:, 2], 1e-4)
        assert found.relative_gap.max() < 1e-3
    for method in ("saliency", "internal_influence", "smoothgrad"):
        found = dlx.layer_attribution(model, X, layer, method, target=2)
        near(found.values, np.broadcast_to(weights[1][0][:, 2], expected.shape), 1e-4)
    assert dlx.layer_attribution(model, X, layer, "vargrad", target=2).values.max() < 1e-6


@pytest.mark.parametrize("method", [*NAMES, "internal_influence", "deeplift"])
def test_twins_have_the_same_values(method):
    pictures = image_pair()
    found = []
    for framework in ("keras", "torch"):
        model, x = pictures[framework]
        # Keras holds the activation in the layer: its twin's is a layer of its own behind it.
        names = list(dlx.wrap(model).shapes((x[:1],)))
        at = {name: dlx.activations(model, x, name)[name] for name in names if "early" in name}
        layer = next(name for name, values in at.items() if values.min() >= 0)
        found.append(dlx.layer_attribution(model, x, layer, method, target=1))
    near(np.moveaxis(found[1].values, 1, -1), found[0].values, 1e-4 if method != "conductance" else 5e-3)
    near(found[0].units(), found[1].units(), 1e-3 if method != "conductance" else 5e-3)
    near(found[0].heatmap(), found[1].heatmap(), 1e-3 if method != "conductance" else 5e-3)


@pytest.mark.parametrize("method", ["saliency", "integrated_gradients", "deeplift", "occlusion"])
def test_twins_neurons_have_the_same_values(method):
    pictures = image_pair()
    channel, place = {}, {}
    for framework in ("keras", "torch"):
        model, x = pictures[framework]
        # Keras holds the activation in the layer: its twin's is a layer of its own behind it.
        late = [n for n in dlx.wrap(model).shapes((x[:1],)) if "late" in n]
        layer = next(n for n in late if dlx.activations(model, x, n)[n].min() >= 0)
        channel[framework] = dlx.neuron_attribution(model, x, layer, 2, method)
        at = (1, 3, 2) if framework == "keras" else (2, 1, 3)
        place[framework] = dlx.neuron_attribution(model, x, layer, at, method)
    np.testing.assert_allclose(channel["keras"].output, channel["torch"].output, atol=1e-5)
    near(np.moveaxis(channel["torch"].values, 1, -1), channel["keras"].values, 1e-3)
    near(np.moveaxis(place["torch"].values, 1, -1), place["keras"].values, 1e-3)
    assert channel["keras"].options["layer"] == "late"


@pytest.mark.parametrize("name", ["keras-residual", "torch-residual"])
def test_what_flows_past_a_layer_is_said_and_is_no_fault(name):
    network = BY_NAME[name]
    model, (x,) = network.make(), network.inputs()
    found = dlx.layer_attribution(model, x, "shared", "conductance", target=0)
    assert not found.whole
    assert "flows past" in found.warnings[0]
    assert "flows past" in repr(found)
    direct = dlx.layer_attribution(model, x, "shared", target=0)
    assert direct.relative_gap.max() < 2e-3


@pytest.mark.parametrize(
    "name", ["keras-attended tokens", "torch-attended tokens", "keras-recurrent tokens", "torch-recurrent tokens"]
)
def test_token_ids_move_as_their_embeddings(name):
    network = BY_NAME[name]
    model, (ids,) = network.make(), network.inputs()
    names = list(dlx.wrap(model).shapes((ids,)))
    words = next(n for n in names if "embedding" in n or n == "words")
    mixed = next(n for n in names if "/" not in n and ("attention" in n or "lstm" in n or n == "mix"))
    total = dlx.explain(model, ids, target=1)
    for layer in (words, mixed):
        found = dlx.layer_attribution(model, ids, layer, "conductance", target=1)
        np.testing.assert_allclose(found.values.reshape(4, -1).sum(1), total.output - total.baseline_output, atol=2e-3)
    at_words = dlx.layer_attribution(model, ids, words, target=1)
    np.testing.assert_allclose(at_words.values.sum(-1), total.values, atol=2e-3)


@pytest.mark.parametrize("name", ["keras-attended tokens", "torch-attended tokens", "torch-recurrent tokens"])
@pytest.mark.parametrize("method", ["saliency", "integrated_gradients", "deeplift", "occlusion"])
def test_neurons_that_read_tokens_are_explained(name, method):
    network = BY_NAME[name]
    model, (ids,) = network.make(), network.inputs()
    names = list(dlx.wrap(model).shapes((ids,)))
    mixed = next(n for n in names if "/" not in n and ("attention" in n or n == "mix"))
    found = dlx.neuron_attribution(model, ids, mixed, 1, method)
    assert found.values.shape == ids.shape
    at = dlx.activations(model, ids, mixed)[mixed]
    np.testing.assert_allclose(found.output, at[..., 1].mean(1), atol=1e-5)
    if found.gap is not None:
        np.testing.assert_allclose(found.values.sum(1), found.output - found.baseline_output, atol=1e-3)


@pytest.mark.parametrize("name", ["keras-residual", "torch-residual"])
def test_the_second_call_of_a_layer_is_a_layer_too(name):
    network = BY_NAME[name]
    model, (x,) = network.make(), network.inputs()
    for method in ("saliency", "conductance", "integrated_gradients", "deeplift"):
        one, two = (dlx.layer_attribution(model, x, layer, method, target=0) for layer in ("shared", "shared:2"))
        assert not np.allclose(one.values, two.values)
    own = dlx.wrap(model).one_gradient((x,), dlx.wrap(model).targets((x,), 0, 8)[0][1], "shared:2")[1][0]
    np.testing.assert_allclose(dlx.layer_attribution(model, x, "shared:2", "saliency", target=0).values, own, atol=1e-6)


def test_batches_and_samples_change_nothing():
    model, x = image_pair()["torch"]
    for method in ("smoothgrad", "conductance", "integrated_gradients"):
        whole = dlx.layer_attribution(model, x, "early", method, target=1).values
        near(dlx.layer_attribution(model, x, "early", method, target=1, batch_size=3).values, whole, 1e-4)
        near(dlx.layer_attribution(model, x[2:3], "early", method, target=1).values, whole[2:3], 1e-4)
    each = dlx.layer_attribution(model, x, "early", target=[0, 1, 2, 1]).values
    near(each[1], dlx.layer_attribution(model, x, "early", target=1).values[1], 1e-4)


def test_bad_requests_are_refused_in_words():
    model = KINKED["torch"]
    for options, message in (
        ({"method": "lime"}, "does not attribute to layers"),
        ({"method": "conductanse"}, "Did you mean 'conductance'"),
        ({"method": "saliency", "baseline": 0}, "has no baseline"),
        ({"steps": 4, "stepps": 3}, "Did you mean 'steps'"),
        ({"baseline": B}, "background set"),
        ({"seed": -1}, "seed"),
    ):
        with pytest.raises(dlx.InputError, match=message):
            dlx.layer_attribution(model, X, "1", **options)
    with pytest.raises(dlx.InputError, match="layer"):
        dlx.layer_attribution(model, X, "nine")
    with pytest.raises(dlx.InputError, match="one place"):
        dlx.neuron_attribution(model, X, "1", "first")
    with pytest.raises(dlx.InputError, match="out of range"):
        dlx.neuron_attribution(model, X, "1", 99)
    with pytest.raises(dlx.InputError, match="Only method='conductance'"):
        dlx.neuron_attribution(model, X, "1", 2, target=1)


def test_the_users_model_is_as_it_was():
    model = nn.Sequential(nn.Linear(6, 4), nn.ReLU(inplace=True), nn.Linear(4, 2)).train()
    before = [p.clone() for p in model.parameters()]
    for method in ("conductance", "integrated_gradients", "deeplift"):
        dlx.layer_attribution(model, X, "0", method, target=1)
        dlx.neuron_attribution(model, X, "0", 1, method if method != "conductance" else "saliency")
    assert model.training
    assert all(torch.equal(a, b) and a.grad is None for a, b in zip(model.parameters(), before, strict=True))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


@pytest.mark.parametrize("network", NETWORKS, ids=str)
@pytest.mark.parametrize("method", ["conductance", "deeplift"])
def test_where_everything_passes_through_a_layer_its_sum_is_the_change(network, method):
    """On every layer of every network: the sum, or the word that something flows past, or a refusal with its reason."""
    model, inputs = network.make(), network.inputs(3)
    asked = dlx.wrap(model)
    outputs = asked.outputs(asked.inputs(one_or_all(inputs)))
    target = 0 if len(outputs) == 1 else (0, 0)
    whole = 0
    for layer in asked.shapes(inputs):
        try:
            found = dlx.layer_attribution(model, one_or_all(inputs), layer, method, target=target)
        except dlx.UnsupportedModelError:
            # Of another output, or a recurrent layer's cell: neither is on the way.
            if "two outputs" in str(network) or "cell" in layer:
                continue
            raise
        if found.whole:
            whole += 1
            assert found.relative_gap.max() < 1e-2
    assert whole
