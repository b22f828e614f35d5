"""Guided backpropagation and the deconvolutional network on Torch's graph, against gradients with changed ReLUs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import dlexplain as dlx
from dlexplain.errors import UnsupportedModelError


class Changed(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, rule):
        ctx.save_for_backward(x)
        ctx.rule = rule
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, m):
        (x,) = ctx.saved_tensors
        kept = m * (m > 0)
        return (kept * (x > 0) if ctx.rule == "guided" else kept), None


def _spelled(kind):
    return {
        "relu": torch.relu,
        "in place": lambda x: F.relu(x * 1, inplace=True),
        "maximum": lambda x: torch.maximum(x, torch.zeros(())),
        "clamp": lambda x: x.clamp(min=0),
        "clamp_min": lambda x: x.clamp_min(0.0),
        "threshold": lambda x: F.threshold(x, 0, 0),
        "relu6": F.relu6,
    }[kind]


class Network(nn.Module):
    def __init__(self, relu):
        super().__init__()
        self.conv, self.norm, self.deep, self.out = (
            nn.Conv2d(2, 4, 3),
            nn.LayerNorm(6),
            nn.Linear(36, 8),
            nn.Linear(8, 3),
        )
        self.relu = relu

    def forward(self, x):
        x = F.max_pool2d(self.norm(self.relu(self.conv(x))), 2).flatten(1)
        return self.out(self.relu(self.deep(x)) * torch.sigmoid(self.deep(x))).softmax(-1)


@pytest.mark.parametrize("rule", ["guided", "deconvnet"])
@pytest.mark.parametrize("kind", ["relu", "in place", "maximum", "clamp", "clamp_min", "threshold", "relu6"])
def test_each_relu_lets_through_what_the_rule_says(kind, rule):
    torch.manual_seed(0)
    network = Network(_spelled(kind))
    x = np.random.default_rng(0).standard_normal((3, 2, 8, 8)).astype(np.float32)
    model = dlx.wrap(network)
    ((_, target),) = model.targets((x,), 1, 8)
    (found,) = model.modified_gradient((x,), target, rule)
    network.relu = lambda v: Changed.apply(v, rule)
    t = torch.tensor(x, requires_grad=True)
    (expected,) = torch.autograd.grad(network(t)[:, 1].sum(), t)
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-4, atol=1e-6 * float(expected.abs().max()))
    assert np.abs(found).max() > 0


def test_without_a_relu_it_is_refused():
    network = nn.Sequential(nn.Linear(4, 4), nn.Hardtanh(), nn.Linear(4, 2))
    x = np.ones((2, 4), np.float32)
    model = dlx.wrap(network)
    ((_, target),) = model.targets((x,), 1, 8)
    with pytest.raises(UnsupportedModelError, match=r"no ReLU.*saliency"):
        model.modified_gradient((x,), target, "guided")
