"""Layer-wise relevance against its rules written out for each output and input; conservation; known identities."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import dlexplain as dlx
from dlexplain.attribution.families.lrp import RULES
from tests.attribution import plain_networks
from tests.attribution.test_modified import close, convolutions, twin
from tests.networks import BY_NAME, NETWORKS, one_or_all

pytestmark = pytest.mark.slow  # a sweep: each case is quick, all together are not


def dense() -> tuple[nn.Sequential, np.ndarray]:
    torch.manual_seed(8)
    network = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 7), nn.ReLU(), nn.Linear(7, 3))
    return network.eval(), np.random.default_rng(8).standard_normal((4, 6)).astype(np.float32)


def explained(network: nn.Module, x: np.ndarray, framework: str, **options) -> np.ndarray:
    """By the network or its Keras twin, in Torch's layout."""
    if framework == "torch":
        return dlx.explain(network, x, "lrp", target=1, **options).values
    turned = np.moveaxis(x, 1, -1).copy() if x.ndim > 2 else x
    values = dlx.explain(twin(network, x.shape[1:]), turned, "lrp", target=1, **options).values
    return np.moveaxis(values, -1, 1) if x.ndim > 2 else values


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("make", [dense, convolutions])
def test_every_rule_is_its_formula(make, rule, framework):
    network, x = make()
    steps = plain_networks.steps_of(network, x.shape[1:])
    expected = np.stack([plain_networks.relevance(steps, one, 1, rule) for one in x])
    close(explained(network, x, framework, rule=rule), expected)


@pytest.mark.parametrize(
    ("rule", "options"),
    [("epsilon", {"epsilon": 0.3}), ("gamma", {"gamma": 2.0}), ("alpha_beta", {"alpha": 3, "beta": 2}), ("epsilon_plus_flat", {"epsilon": 0.3})],
)  # fmt: skip
def test_the_rules_numbers_count(rule, options, framework):
    network, x = convolutions()
    steps = plain_networks.steps_of(network, x.shape[1:])
    expected = np.stack([plain_networks.relevance(steps, one, 1, rule, **options) for one in x])
    close(explained(network, x, framework, rule=rule, **options), expected)
    assert not np.allclose(explained(network, x, framework, rule=rule), expected)


@pytest.mark.parametrize("rule", RULES)
def test_without_biases_nothing_is_lost(rule, framework):
    # What the flat rule hands to a silent window of a pooling goes no further, for its inputs have no shares in it.
    network, x = dense() if rule == "flat" else convolutions()
    for module in network:
        if hasattr(module, "bias") and module.bias is not None:
            module.bias.data.zero_()
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.zero_()
    values = explained(network, x, framework, rule=rule)
    output = dlx.wrap(network).predict(x)[:, 1]
    np.testing.assert_allclose(values.reshape(len(x), -1).sum(1), output, atol=1e-4 * np.abs(output).max())


def test_the_epsilon_rule_is_gradient_times_input_on_relu_networks(framework):
    """Ancona and others (2018), Towards Better Understanding of Gradient-Based Attribution Methods."""
    for make in (dense, convolutions):
        network, x = make()
        expected = dlx.explain(network, x, "input_x_gradient", target=1).values
        close(explained(network, x, framework, rule="epsilon", epsilon=1e-9), expected, 1e-4)


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_every_network_answers_or_is_refused_by_name(network):
    model, x = network.make(), one_or_all(network.inputs(2))
    try:
        found = dlx.explain(model, x, "lrp", target=(0, 1) if "two outputs" in str(network) else 0)
    except dlx.UnsupportedModelError as error:
        refused = str(error)
        assert "integrated_gradients" in refused
        return
    values = found.values if isinstance(found.values, tuple) else (found.values,)
    assert [v.shape for v in values] == [a.shape for a in network.inputs(2)]
    assert all(np.isfinite(v).all() for v in values)
    assert any(v.any() for v in values)


def test_batches_change_nothing(framework):
    network = BY_NAME[f"{framework}-convolution"]
    model, x = network.make(), network.inputs(4)[0]
    whole = dlx.explain(model, x, "lrp", target=0).values
    close(dlx.explain(model, x, "lrp", target=0, batch_size=3).values, whole)
    close(dlx.explain(model, x[2:], "lrp", target=0).values, whole[2:])


def test_wrong_options_are_said_to_be_wrong():
    network, x = dense()
    wrong = [
        ({"rule": "epsilom"}, "Did you mean 'epsilon'"),
        ({"epsilon": -1}, "epsilon=-1"),
        ({"gamma": "high"}, "gamma='high'"),
        ({"alpha": 2, "beta": 2}, "alpha less beta must be 1"),
        ({"rules": "epsilon"}, "Did you mean 'rule'"),
        ({"baseline": 0}, "has no baseline"),
    ]
    for options, words in wrong:
        with pytest.raises(dlx.InputError, match=words):
            dlx.explain(network, x, "lrp", target=0, **options)


# LSTMs are left out. Relevance depends on how a function is written, not on the function alone: Keras adds a gate's bias
# behind the sum of its two products, Torch within each of them.
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", ["residual", "two inputs", "attended tokens", "series", "convolution", "nested"])
def test_twins_hand_back_alike(name, rule):
    network = BY_NAME[f"keras-{name}"]
    model, inputs = network.make(), network.inputs(3)
    pictures = name in ("series", "convolution", "nested")
    turned = tuple(np.moveaxis(x, -1, 1).copy() if pictures else x for x in inputs)
    one = dlx.explain(model, one_or_all(inputs), "lrp", target=0, rule=rule).values
    two = dlx.explain(dlx.convert(model, to="torch"), one_or_all(turned), "lrp", target=0, rule=rule).values
    for a, b in zip(*(v if isinstance(v, tuple) else (v,) for v in (one, two)), strict=True):
        close(np.moveaxis(b, 1, -1) if pictures else b, a, 1e-4)  # small sums magnify rounding
