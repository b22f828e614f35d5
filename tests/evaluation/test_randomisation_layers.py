"""Which layers are made anew, in which order, and that the rest of each copy is as it was trained."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch
from torch import nn

import dlexplain as dlx
from dlexplain.evaluation.families import randomisation
from tests.evaluation.by_hand import image_pair, trial
from tests.networks import NETWORKS, one_or_all


@pytest.fixture(params=["keras", "torch"], scope="module")
def pictures(request):
    return image_pair()[request.param]


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_every_learned_weight_belongs_to_one_layer_and_all_can_be_made_anew(network):
    raw = network.make()
    model = dlx.wrap(raw)
    inputs = model.inputs(one_or_all(network.inputs()))
    layers = model.weighted(inputs)
    called = list(model.shapes(inputs))
    assert [called.index(name) for name in layers] == sorted(called.index(name) for name in layers)
    held = {layer.name: layer.parameters for layer in model.layers}
    weights = weights_of(raw)
    assert sum(held[name] for name in layers) == sum(w.size for w in weights)
    fresh = weights_of(model.reinitialised(layers, 1).raw)
    for old, new in zip(weights, fresh, strict=True):
        # What is drawn is another number; what begins as zeros or ones is that again.
        assert old.shape == new.shape
        assert np.ptp(new) == 0 or not np.isclose(old, new)[new != 0].any()


def weights_of(raw):
    if isinstance(raw, nn.Module):
        return [p.detach().numpy().copy() for p in raw.parameters()]
    return [w.numpy() for w in raw.weights]


def test_weights_beside_the_layers_are_made_anew_too():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale, self.inner = nn.Parameter(torch.tensor([1.0, 2.0, 4.0])), nn.Linear(3, 2)

        def forward(self, x):
            return self.inner(x * self.scale)

    class Scaled(keras.Model):
        def __init__(self, **options):
            super().__init__(**options)
            self.inner = keras.layers.Dense(2)
            self.scale = self.add_weight(shape=(3,), initializer="ones", name="scale")

        def call(self, x):
            return self.inner(x * self.scale)

    known = Scaled()
    x = np.ones((2, 3), np.float32)
    known(x)
    known.scale.assign([1.0, 2.0, 4.0])
    for raw, own in ((Own(), lambda m: m.scale.detach().numpy()), (known, lambda m: m.scale.numpy())):
        model = dlx.wrap(raw)
        layers = model.weighted(model.inputs(x))
        assert layers[0] == ""
        assert len(layers) == 2
        before = own(raw).copy()
        only = model.reinitialised([""], 0).raw
        assert not np.isclose(own(only), before).any()
        inner = [np.array_equal(a, b) for a, b in zip(inner_of(only), inner_of(raw), strict=True)]
        assert all(inner)
        np.testing.assert_array_equal(own(raw), before)


def inner_of(raw):
    part = raw.inner
    return [p.detach().numpy() for p in part.parameters()] if isinstance(part, nn.Module) else part.get_weights()


def test_attention_of_torch_is_made_anew_whole():
    """Its own way to begin, beside that of the projection inside it."""
    torch.manual_seed(0)
    raw = nn.MultiheadAttention(4, 2, batch_first=True)
    raw.in_proj_bias.data.normal_()

    class Around(nn.Module):
        def __init__(self):
            super().__init__()
            self.mix, self.out = raw, nn.Linear(4, 2)

        def forward(self, x):
            return self.out(self.mix(x, x, x)[0].mean(1))

    model = dlx.wrap(Around())
    x = np.random.default_rng(0).standard_normal((2, 5, 4)).astype(np.float32)
    assert model.weighted((x,)) == ("mix", "out")
    copy = model.reinitialised(["mix"], 0).raw
    assert not torch.isclose(copy.mix.in_proj_weight, raw.in_proj_weight).any()
    assert not copy.mix.in_proj_bias.any()
    assert torch.equal(copy.out.weight, model.raw.out.weight)


def test_normalisation_learned_from_data_and_not_from_answers_stays():
    layer = keras.layers.Normalization()
    layer.adapt(np.random.default_rng(0).normal(3, 2, (50, 4)))
    model = dlx.wrap(keras.Sequential([keras.Input((4,)), layer, keras.layers.Dense(2, name="head")]))
    assert model.weighted((np.ones((1, 4), np.float32),)) == ("head",)


@pytest.mark.parametrize(
    ("order", "mode", "expected"),
    [
        ("top", "cascading", [("head",), ("head", "late"), ("head", "late", "early")]),
        ("bottom", "cascading", [("early",), ("early", "late"), ("early", "late", "head")]),
        ("top", "independent", [("head",), ("late",), ("early",)]),
        ("bottom", "independent", [("early",), ("late",), ("head",)]),
    ],
)
def test_the_steps_of_each_way(order, mode, expected):
    assert randomisation.steps(("early", "late", "head"), order, mode) == expected


@pytest.mark.parametrize("mode", ["cascading", "independent"])
def test_a_step_is_the_trained_network_but_for_its_layers(pictures, mode):
    """Never a network that begins anew as a whole: what is not yet the turn of is as it was trained."""
    raw, x = pictures
    made = trial(raw, x)
    layers = made.model.weighted(made.inputs)
    chosen = randomisation.steps(layers, "top", mode)
    previous = None
    for names, model in zip(chosen, randomisation.randomised(made, chosen, 0), strict=True):
        trained, changed = by_layer(raw, layers), by_layer(model.raw, layers)
        for name in layers:
            same = all(np.array_equal(a, b) for a, b in zip(trained[name], changed[name], strict=True))
            assert same == (name not in names)
        if mode == "cascading" and previous is not None:
            before, _ = previous
            for name in before:
                for a, b in zip(previous[1][name], changed[name], strict=True):
                    np.testing.assert_array_equal(a, b)
        previous = (names, changed)


def by_layer(raw, layers):
    if isinstance(raw, nn.Module):
        modules = dict(raw.named_modules())
        return {name: [p.detach().numpy().copy() for p in modules[name].parameters()] for name in layers}
    return {name: raw.get_layer(name).get_weights() for name in layers}
