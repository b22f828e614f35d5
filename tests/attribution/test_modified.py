"""Guided backpropagation and deconvolution against ReLUs gone back through by hand; Adebayo's sanity check."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch
from torch import nn

import dlexplain as dlx
from tests.attribution import plain_networks
from tests.networks import BY_NAME, one_or_all

RULES = {"guided_backprop": "guided", "deconvnet": "deconvnet"}


def convolutions() -> tuple[nn.Sequential, np.ndarray]:
    torch.manual_seed(2)
    network = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 5, 3, padding=1),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(20, 8),
        nn.ReLU(),
        nn.Linear(8, 3),
    )
    network[1].running_mean.normal_(generator=torch.Generator().manual_seed(0))
    network[1].running_var.uniform_(0.5, 2, generator=torch.Generator().manual_seed(1))
    network[-1].weight.data *= 20
    return network.eval(), np.random.default_rng(2).standard_normal((3, 2, 8, 8)).astype(np.float32)


def close(found: np.ndarray, expected: np.ndarray, share: float = 1e-5) -> None:
    assert np.abs(expected).max() > 0
    np.testing.assert_allclose(found, expected, rtol=0, atol=share * np.abs(expected).max())


def twin(network: nn.Module, shape: tuple[int, ...]):
    return dlx.convert(network, to="keras", input_shape=shape)


@pytest.mark.parametrize("method", RULES)
def test_relus_are_gone_back_through_as_in_the_paper(method, framework):
    network, x = convolutions()
    steps = plain_networks.steps_of(network, x.shape[1:])
    expected = np.stack([plain_networks.backward(steps, one, 1, RULES[method]) for one in x])
    if framework == "keras":
        found = dlx.explain(twin(network, x.shape[1:]), np.moveaxis(x, 1, -1).copy(), method, target=1)
        close(np.moveaxis(found.values, -1, 1), expected)
    else:
        close(dlx.explain(network, x, method, target=1).values, expected)
    # The oracle itself: without the change it gives the gradient.
    plain = np.stack([plain_networks.backward(steps, one, 1, "plain") for one in x])
    close(dlx.explain(network, x, "saliency", target=1).values, plain)
    assert not np.allclose(plain, expected)


class Spelled(nn.Module):
    """One and the same network with its ReLUs written in other words."""

    def __init__(self, relu):
        super().__init__()
        torch.manual_seed(5)
        self.first, self.second, self.out, self.relu = nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(8, 3), relu

    def forward(self, x):
        return self.out(self.relu(self.second(self.relu(self.first(x)))))


@pytest.mark.parametrize("method", RULES)
def test_a_relu_is_a_relu_however_it_is_spelled(method):
    x = np.random.default_rng(5).standard_normal((4, 6)).astype(np.float32)
    module = nn.ReLU()
    expected = dlx.explain(Spelled(module), x, method, target=2).values
    zero = torch.zeros(())
    spellings = (
        torch.relu,
        lambda t: torch.relu_(t.clone()),
        lambda t: t.clamp(min=0),
        lambda t: torch.maximum(t, zero),
    )
    for relu in spellings:
        close(dlx.explain(Spelled(relu), x, method, target=2).values, expected)
    sizes = [(m.weight.detach().numpy().T, m.bias.detach().numpy()) for m in list(Spelled(module).children())[:3]]
    for relu in (keras.ops.relu, lambda t: keras.ops.maximum(t, 0.0), lambda t: keras.ops.clip(t, 0.0, 1e9)):
        inputs = keras.Input((6,))
        layers = [keras.layers.Dense(len(b)) for _, b in sizes]
        model = keras.Model(inputs, layers[2](relu(layers[1](relu(layers[0](inputs))))))
        for layer, weights in zip(layers, sizes, strict=True):
            layer.set_weights(weights)
        close(dlx.explain(model, x, method, target=2).values, expected)


def test_guided_gradcam_is_the_product_of_its_two_parts(framework):
    network, x = convolutions()
    model, given = (network, x) if framework == "torch" else (twin(network, x.shape[1:]), np.moveaxis(x, 1, -1).copy())
    found = dlx.explain(model, given, "guided_gradcam", target=1)
    fine = dlx.explain(model, given, "guided_backprop", target=1)
    coarse = dlx.explain(model, given, "gradcam", target=1)
    axis = 1 if framework == "torch" else -1
    close(found.values, fine.values * np.expand_dims(coarse.heatmap(), axis))
    assert found.options["layer"] == coarse.options["layer"]
    early = dlx.explain(model, given, "guided_gradcam", target=1, layer=dlx.wrap(model).layers[0].name)
    assert not np.allclose(early.values, found.values)


@pytest.mark.parametrize("method", [*RULES, "guided_gradcam"])
def test_without_a_relu_or_a_map_it_is_refused(method, framework):
    network = BY_NAME[f"{framework}-sequential"]
    with pytest.raises(dlx.UnsupportedModelError, match="integrated_gradients"):
        dlx.explain(network.make(), network.inputs(2)[0], method, target=0)
    with pytest.raises(dlx.InputError, match="unknown option"):
        dlx.explain(network.make(), network.inputs(2)[0], method, target=0, rule="guided")


@pytest.mark.parametrize("method", RULES)
@pytest.mark.parametrize(
    "name", ["keras-convolution", "torch-functional", "keras-nested", "torch-series", "keras-series"]
)
def test_samples_alone_and_in_batches_get_the_same_and_nothing_is_left(method, name):
    network = BY_NAME[name]
    model, x = network.make(), one_or_all(network.inputs(4))
    before = dlx.wrap(model).gradient(x, 0)
    whole = dlx.explain(model, x, method, target=0).values
    close(dlx.explain(model, x, method, target=0, batch_size=3).values, whole)
    close(dlx.explain(model, x[2:], method, target=0).values, whole[2:])
    np.testing.assert_array_equal(dlx.wrap(model).gradient(x, 0), before)


def test_gradient_and_gradcam_hear_of_random_weights_and_guided_backpropagation_hardly_does():
    """Adebayo and others (2018): the later half of the layers made random, rank agreement with the map before."""
    model, x = _discs_and_bars()
    asked = dlx.wrap(model)
    agreement = {}
    for method in ("saliency", "gradcam", "guided_backprop"):
        before, *after = (
            np.abs(dlx.explain(m, x, method, target=0).heatmap("abs_max")).reshape(len(x), -1)
            for m in (asked, *(asked.reinitialised(["6", "9", "11"], seed) for seed in range(3)))
        )
        agreement[method] = np.mean([_rank_agreement(*pair) for a in after for pair in zip(before, a, strict=True)])
    assert agreement["guided_backprop"] > 0.6
    assert agreement["saliency"] < agreement["guided_backprop"] - 0.15
    assert agreement["gradcam"] < agreement["guided_backprop"] - 0.4


def _discs_and_bars() -> tuple[nn.Sequential, np.ndarray]:
    """A network that tells discs from bars, and pictures of both."""
    generator = np.random.default_rng(0)
    rows, columns = np.mgrid[:16, :16]
    pictures = np.zeros((96, 1, 16, 16), np.float32)
    for i in range(len(pictures)):
        row, column = generator.integers(4, 12, 2)
        disc = (rows - row) ** 2 + (columns - column) ** 2 < 10
        bar = (abs(rows - row) < 1) & (abs(columns - column) < 4)
        pictures[i, 0] = disc if i % 2 else bar
    pictures += 0.1 * generator.standard_normal(pictures.shape).astype(np.float32)
    torch.manual_seed(1)
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.Flatten(),
        nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 2),
    )  # fmt: skip
    optimiser, labels = torch.optim.Adam(model.parameters(), 5e-3), torch.arange(len(pictures)) % 2
    for _ in range(60):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(torch.tensor(pictures)), labels).backward()
        optimiser.step()
    assert (model(torch.tensor(pictures)).argmax(1) == labels).float().mean() > 0.95
    return model.eval(), pictures[:12]


def _rank_agreement(a: np.ndarray, b: np.ndarray) -> float:
    ranks = [np.argsort(np.argsort(v)) for v in (a, b)]
    return float(np.corrcoef(*ranks)[0, 1])
