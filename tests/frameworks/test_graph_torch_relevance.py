"""Relevance on Torch's graph, against the rules re-derived on whole matrices in NumPy, slowly and plainly."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import dlexplain as dlx
from dlexplain.errors import UnsupportedModelError

OPTIONS = {"epsilon": 1e-6, "gamma": 0.25, "alpha": 2.0, "beta": 1.0}
RULES = (
    "epsilon",
    "gamma",
    "alpha_beta",
    "z_plus",
    "flat",
    "epsilon_plus_flat",
    "epsilon_alpha2_beta1_flat",
    "epsilon_gamma",
)


# ---- the oracle: every layer a matrix ------------------------------------------------------------------------------


def matrix(layer, shape):
    """A, b and which inputs each output really reads, by asking the layer for one unit vector after another."""
    layer = layer.double()
    size = int(np.prod(shape))
    with torch.no_grad():
        bias = layer(torch.zeros(1, *shape, dtype=torch.float64)).flatten().numpy()
        columns = layer(torch.eye(size, dtype=torch.float64).reshape(size, *shape)).flatten(1).numpy() - bias
    return columns.T, bias, np.abs(columns.T) > 0


def share(a, b, reads, x, r, rule, options):
    """One weighted layer of one sample by a rule: a `(outputs, inputs)`."""
    given = np.zeros_like(x)
    for k in range(len(b)):
        products = a[k] * x
        z = products.sum() + b[k]
        plus, minus = np.maximum(products, 0), np.minimum(products, 0)
        all_plus, all_minus = plus.sum() + max(b[k], 0), minus.sum() + min(b[k], 0)
        if rule == "epsilon":
            given += products * r[k] / (z + options["epsilon"] * (1 if z >= 0 else -1))
        elif rule == "flat":
            given += reads[k] * r[k] / reads[k].sum()
        elif rule == "z_plus":
            given += plus * r[k] / all_plus if all_plus else 0
        elif rule == "alpha_beta":
            given += options["alpha"] * plus * r[k] / all_plus if all_plus else 0
            given -= options["beta"] * minus * r[k] / all_minus if all_minus else 0
        elif rule == "gamma":
            some, total = (plus, all_plus) if z >= 0 else (minus, all_minus)
            given += (products + options["gamma"] * some) * r[k] / (z + options["gamma"] * total)
    return given


def rule_of(rule, kind, first):
    inner = {"epsilon_plus_flat": "z_plus", "epsilon_alpha2_beta1_flat": "alpha_beta", "epsilon_gamma": "gamma"}.get(
        rule
    )
    if inner is None:
        return rule
    if first and rule.endswith("flat"):
        return "flat"
    return inner if kind == "convolution" else "epsilon"


def slowly(stages, x, target, rule):
    """`stages`: ("convolution" or "dense", layer) or ("relu",) or ("pool", k), run on one sample in double precision."""
    values, places = [x.astype(np.float64)], []
    for stage in stages:
        v = torch.tensor(values[-1])[None]
        if stage[0] == "relu":
            values.append(F.relu(v)[0].numpy())
        elif stage[0] == "pool":
            made, place = F.max_pool2d(v, stage[1], return_indices=True)
            places.append(place[0].numpy())
            values.append(made[0].numpy())
        elif stage[0] == "flatten":
            values.append(v.flatten(1)[0].numpy())
        else:
            with torch.no_grad():
                values.append(stage[1].double()(v)[0].numpy())
    r = np.zeros_like(values[-1])
    r[target] = values[-1][target]
    weighted = [i for i, s in enumerate(stages) if s[0] in ("convolution", "dense")]
    for i in range(len(stages) - 1, -1, -1):
        stage, before = stages[i], values[i]
        if stage[0] == "pool":
            back, place = np.zeros((len(before), before[0].size)), places.pop()
            for c in range(len(before)):
                np.add.at(back[c], place[c].ravel(), r[c].ravel())
            r = back.reshape(before.shape)
        elif stage[0] == "flatten":
            r = r.reshape(before.shape)
        elif stage[0] != "relu":
            a, b, reads = matrix(stage[1], before.shape)
            chosen = rule_of(rule, stage[0], i == weighted[0])
            r = share(a, b, reads, before.ravel(), r.ravel(), chosen, OPTIONS).reshape(before.shape)
    return r


def _statistics(norm, generator):
    norm.running_mean.normal_(generator=generator)
    norm.running_var.uniform_(0.5, 2, generator=generator)
    nn.init.normal_(norm.weight, generator=generator)
    return norm


def _dense():
    layers = [nn.Linear(5, 7), nn.Linear(7, 6, bias=False), nn.Linear(6, 3)]
    stages = [("dense", layers[0]), ("relu",), ("dense", layers[1]), ("relu",), ("dense", layers[2])]
    return nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2]), stages, (5,)


def _pictures():
    g = torch.Generator().manual_seed(3)
    first = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), _statistics(nn.BatchNorm2d(4), g)).eval()
    second = nn.Conv2d(4, 4, 3, stride=2, groups=2)
    last = nn.Sequential(nn.Linear(4, 5), _statistics(nn.BatchNorm1d(5), g)).eval()
    out = nn.Linear(5, 3)
    whole = nn.Sequential(first, nn.ReLU(), nn.MaxPool2d(2), second, nn.ReLU(), nn.Flatten(), last, nn.ReLU(), out)
    stages = [("convolution", first), ("relu",), ("pool", 2), ("convolution", second), ("relu",), ("flatten",)]
    return whole, [*stages, ("dense", last), ("relu",), ("dense", out)], (2, 8, 8)


class Added(nn.Module):
    """A dense layer over three axes whose bias and scale are added by hand."""

    def __init__(self):
        super().__init__()
        self.weight, self.scale, self.bias = (nn.Parameter(torch.randn(s)) for s in ((4, 3), (4,), (4,)))

    def forward(self, x):
        return (x @ self.weight.T) * self.scale + self.bias


def _spelled():
    added, out = Added(), nn.Linear(12, 3)
    return (
        nn.Sequential(added, nn.ReLU(), nn.Flatten(), out),
        [("dense", added), ("relu",), ("flatten",), ("dense", out)],
        (3, 3),
    )


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("build", [_dense, _pictures, _spelled])
def test_each_rule_against_whole_matrices(build, rule):
    torch.manual_seed(4)
    network, stages, shape = build()
    x = np.random.default_rng(1).standard_normal((3, *shape)).astype(np.float32)
    model = dlx.wrap(network.eval())
    ((_, target),) = model.targets((x,), [0, 2, 1], 8)
    (found,) = model.relevance((x,), target, rule, OPTIONS)
    expected = np.stack([slowly(stages, sample, t, rule) for sample, t in zip(x, [0, 2, 1], strict=True)])
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=2e-5 * np.abs(expected).max())


def _relevance(function, x, rule="epsilon", width=None):
    class Network(nn.Module):
        def forward(self, v):
            return function(v)

    x = np.asarray([x], np.float32)
    model = dlx.wrap(Network())
    ((_, target),) = model.targets((x,), 0, 8)
    return model.relevance((x,), target, rule, {**OPTIONS, "epsilon": 1e-9})[0][0]


BY_HAND = {
    "sum": (lambda x: x.sum(1, True), [1, 2, 3], [1, 2, 3]),
    "a constant takes nothing": (lambda x: x.sum(1, True) + 4, [1, 2, 3], np.array([1, 2, 3]) * 10 / 6),
    "mean of what differs in sign": (lambda x: x.mean(1, True), [4, -1, 0], [4 / 3, -1 / 3, 0]),
    "element-wise": (lambda x: torch.tanh(x).sum(1, True), [1, 2], np.tanh([1, 2])),
    "product": (lambda x: (x[:, 0] * x[:, 1])[:, None], [3, 5], [7.5, 7.5]),
    "square": (lambda x: (x * x).sum(1, True), [3, 1], [9, 1]),
    "maximum": (lambda x: x.amax(1, True), [3, 1], [3, 0]),
    "chosen": (lambda x: torch.where(x > 0, x, 0.5 * x).sum(1, True), [3, -1], [3, -0.5]),
    "softmax": (
        lambda x: x.softmax(1),
        [1.0, 2.0],
        np.array([1, 2]) * (np.array([1, 0]) - np.exp([1, 2]) / np.exp([1, 2]).sum()) * np.e / (np.e + np.e**2),
    ),
    "a normaliser is a constant": (
        lambda x: (x * (x * x).mean(1, True).rsqrt()).sum(1, True),
        [3, 4],
        np.array([3, 4]) / 12.5**0.5,
    ),
    "a quotient": (lambda x: (x[:, 0] / x[:, 1])[:, None], [6, 2], [3, 0]),
    "attention": (
        lambda x: (x[:, :2].reshape(-1, 1, 2) @ x[:, 2:].reshape(-1, 2, 1)).reshape(-1, 1),
        [1, 2, 3, 4],
        [1.5, 4, 1.5, 4],
    ),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_an_operation_by_hand(name):
    function, x, expected = BY_HAND[name]
    np.testing.assert_allclose(_relevance(function, x), expected, rtol=1e-5, atol=1e-6)


def test_without_biases_normalised_blocks_conserve_the_score():
    torch.manual_seed(0)

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two, self.out = (nn.Linear(8, k, bias=False) for k in (8, 8, 2))
            self.norm, self.time = nn.LayerNorm(8, bias=False), nn.LSTM(8, 8, bias=False, batch_first=True)

        def forward(self, x):
            x = self.norm(x + F.gelu(self.one(x)))
            return self.out((x * torch.sigmoid(self.two(x))).mean(1))

    x = np.random.default_rng(0).standard_normal((3, 5, 8)).astype(np.float32)
    model = dlx.wrap(Network())
    ((_, target),) = model.targets((x,), 0, 8)
    (found,) = model.relevance((x,), target, "epsilon", {**OPTIONS, "epsilon": 1e-12})
    np.testing.assert_allclose(found.sum((1, 2)), target.of(model.outputs((x,))), rtol=1e-3)


def test_recurrent_and_attended_networks_hand_back_finite_relevance_in_their_entries_shape():
    torch.manual_seed(0)

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.words = nn.Embedding(9, 8)
            self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
            self.time, self.out = nn.LSTM(8, 8, batch_first=True), nn.Linear(8, 2)

        def forward(self, ids):
            return self.out(self.time(self.layer(self.words(ids)))[0][:, -1])

    ids = np.array([[1, 2, 3], [4, 5, 6]])
    model = dlx.wrap(Network())
    ((_, target),) = model.targets((ids,), 1, 8)
    for rule in RULES:
        (found,) = model.relevance((ids,), target, rule, OPTIONS)
        assert found.shape == (2, 3, 8)
        assert np.isfinite(found).all()
        assert np.abs(found).sum((0, 2)).min() > 0


def test_an_operation_without_a_rule_is_named():
    with pytest.raises(UnsupportedModelError, match=r"Operation _linalg_det.*relevance has no rule"):
        _relevance(lambda x: torch.linalg.det(x.reshape(-1, 2, 2))[:, None], [1, 2, 3, 5])
