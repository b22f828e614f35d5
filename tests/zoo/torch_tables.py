"""Torch: perceptrons, gates, normalisations, products, several inputs and outputs."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tests.zoo.torch_specimens import Of, torch_specimen

_ACTIVATIONS = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "softplus": nn.Softplus,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "mish": nn.Mish,
    "hard_silu": nn.Hardswish,
    "celu": nn.CELU,
    "leaky_relu": nn.LeakyReLU,
    "prelu": nn.PReLU,
    "relu6": nn.ReLU6,
    "sigmoid": nn.Sigmoid,
    "hard_sigmoid": nn.Hardsigmoid,
    "softsign": nn.Softsign,
    "hard_tanh": nn.Hardtanh,
    "log_sigmoid": nn.LogSigmoid,
    "soft_shrink": lambda: nn.Softshrink(0.1),
    "rrelu": nn.RReLU,
    "glu": nn.GLU,
    "threshold (jumps)": lambda: nn.Threshold(0.1, 0.05),
}


def _perceptron(activation):
    def make():
        width = 4 if activation is nn.GLU else 8
        return nn.Sequential(nn.Linear(6, 8), activation(), nn.Linear(width, 8), activation(), nn.Linear(width, 3))

    return make


for _name, _activation in _ACTIVATIONS.items():
    torch_specimen(f"perceptron {_name}", (6,))(_perceptron(_activation))


@torch_specimen("softmax head", (6,))
def softmax_head():
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4), nn.Softmax(-1))


@torch_specimen("batch norm perceptron", (6,))
def batch_norm():
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 3))


@torch_specimen("layer norm", (6,))
def layer_norm():
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.LayerNorm(8), nn.Linear(8, 3))


@torch_specimen("RMS norm", (6,))
def rms_norm():
    return nn.Sequential(nn.Linear(6, 8), nn.SiLU(), nn.RMSNorm(8), nn.Linear(8, 3))


@torch_specimen("unit norm", (6,))
def unit_norm():
    return Of(lambda m, x: m.b(F.normalize(torch.tanh(m.a(x)), dim=-1)), a=nn.Linear(6, 8), b=nn.Linear(8, 3))


@torch_specimen("functional relu", (6,))
def functional_relu():
    return Of(
        lambda m, x: m.c(F.relu(m.b(torch.relu(m.a(x))))), a=nn.Linear(6, 8), b=nn.Linear(8, 8), c=nn.Linear(8, 3)
    )


@torch_specimen("reused activation", (6,))
def reused_activation():
    act = nn.ReLU()
    return nn.Sequential(nn.Linear(6, 8), act, nn.Linear(8, 8), act, nn.Linear(8, 3))


@torch_specimen("in-place activations and sums", (6,))
def in_place():
    def forward(m, x):
        y = F.relu_(m.a(x))
        y = y + m.b(y)
        y.mul_(0.5).add_(0.1)
        y[:, 0] = torch.tanh(y[:, 1])
        return m.c(F.leaky_relu(y, inplace=True))

    return Of(forward, a=nn.Linear(6, 8), b=nn.Linear(8, 8), c=nn.Linear(8, 3))


@torch_specimen("reused linear, residual", (6,))
def reused_dense():
    def forward(m, x):
        shared = lambda v: F.gelu(m.a(v))  # noqa: E731
        return m.b(shared(x) + shared(x + shared(x)))

    return Of(forward, a=nn.Linear(6, 6), b=nn.Linear(6, 3))


@torch_specimen("control flow of fixed length", (6,))
def refining():
    """Three turns of the same layers, with a step that shrinks."""

    def forward(m, x):
        state = x
        for turn in range(3):
            state = state + m.outer(torch.tanh(m.inner(state) + 0.1 * turn)) / (turn + 1)
        return m.last(torch.where(state > 0, state, 0.3 * state))

    return Of(forward, inner=nn.Linear(6, 8), outer=nn.Linear(8, 6), last=nn.Linear(6, 3))


@torch_specimen("custom layer: radial basis", (4,))
def radial_basis():
    return Of(
        lambda m, x: m.last(torch.exp(-0.3 * (x[:, None] - m.centres).square().sum(-1))),
        centres=nn.Parameter(0.3 * torch.randn(8, 4)),
        last=nn.Linear(8, 3),
    )


@torch_specimen("highway", (6,))
def highway():
    def forward(m, x):
        for gate, value in zip(m.gates, m.values, strict=True):
            g = torch.sigmoid(gate(x))
            x = g * F.relu(value(x)) + (1 - g) * x
        return m.last(x)

    two = lambda: nn.ModuleList(nn.Linear(6, 6) for _ in range(2))  # noqa: E731
    return Of(forward, gates=two(), values=two(), last=nn.Linear(6, 3))


@torch_specimen("GLU gate", (6,))
def glu():
    return Of(lambda m, x: m.b(F.glu(m.a(x))), a=nn.Linear(6, 16), b=nn.Linear(8, 3))


@torch_specimen("SwiGLU gate", (6,))
def swiglu():
    def forward(m, x):
        x = m.stem(x)
        y = m.norm(x)
        return m.last(x + m.down(F.silu(m.gate(y)) * m.up(y)))

    return Of(
        forward,
        stem=nn.Linear(6, 6),
        norm=nn.RMSNorm(6),
        gate=nn.Linear(6, 8),
        up=nn.Linear(6, 8),
        down=nn.Linear(8, 6),
        last=nn.Linear(6, 3),
    )


@torch_specimen("norm on the raw input", (6,))
def norm_first():
    """At a reference of zeros the norm divides by the root of its epsilon."""
    return nn.Sequential(nn.RMSNorm(6), nn.Linear(6, 8), nn.SiLU(), nn.Linear(8, 3))


@torch_specimen("maxout", (6,))
def maxout():
    return Of(lambda m, x: m.b(m.a(x).unflatten(-1, (8, 3)).amax(-1)), a=nn.Linear(6, 24), b=nn.Linear(8, 3))


@torch_specimen("mixture of experts, soft gates", (6,))
def mixture():
    def forward(m, x):
        experts = torch.stack([torch.relu(m.one(x)), torch.tanh(m.two(x)), F.gelu(m.three(x))], 1)
        return m.last(torch.einsum("ne,nef->nf", torch.softmax(m.gate(x), -1), experts))

    parts = {name: nn.Linear(6, 5) for name in ("one", "two", "three")}
    return Of(forward, gate=nn.Linear(6, 3), last=nn.Linear(5, 3), **parts)


@torch_specimen("deep and cross", (6,))
def deep_cross():
    def forward(m, x):
        crossed = x
        for layer in (m.one, m.two):
            crossed = x * layer(crossed) + crossed
        return m.last(torch.cat([crossed, torch.relu(m.deep(x))], -1))

    return Of(forward, one=nn.Linear(6, 6), two=nn.Linear(6, 6), deep=nn.Linear(6, 8), last=nn.Linear(14, 2))


@torch_specimen("factorisation machine", (6,), target=0)
def factorisation():
    def forward(m, x):
        pairs = 0.5 * ((x @ m.factors) ** 2 - x**2 @ m.factors**2).sum(-1, keepdim=True)
        return m.linear(x) + pairs

    return Of(forward, linear=nn.Linear(6, 1), factors=nn.Parameter(0.5 * torch.randn(6, 4)))


def adjacency(nodes: int) -> torch.Tensor:
    """A ring with loops, its rows summing to one."""
    ring = np.eye(nodes) + np.roll(np.eye(nodes), 1, 1) + np.roll(np.eye(nodes), -1, 1)
    return torch.from_numpy((ring / ring.sum(1, keepdims=True)).astype(np.float32))


@torch_specimen("graph convolution", (5, 4))
def graph_convolution():
    ring = adjacency(5)

    def forward(m, x):
        for layer in (m.one, m.two):
            x = torch.relu(ring @ layer(x))
        return m.last(x.mean(1))

    return Of(forward, one=nn.Linear(4, 6), two=nn.Linear(6, 6), last=nn.Linear(6, 3))


@torch_specimen("siamese, cosine similarity", (5,), (5,), target=None)
def siamese():
    shared = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 4))
    return Of(lambda m, a, b: F.cosine_similarity(m.shared(a), m.shared(b)), shared=shared)


@torch_specimen("two towers, cosine similarity", (5,), (4,), target=0)
def two_towers():
    def forward(m, a, b):
        left, right = F.normalize(m.left(a), dim=-1), F.normalize(m.right(b), dim=-1)
        return 5 * (left * right).sum(-1, keepdim=True)

    left = nn.Sequential(nn.Linear(5, 8), nn.GELU(), nn.Linear(8, 4))
    return Of(forward, left=left, right=nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 4)))


@torch_specimen("siamese, distance", (5,), (5,), target=0)
def siamese_distance():
    def forward(m, a, b):
        difference = torch.relu(m.shared(a)) - torch.relu(m.shared(b))
        return torch.sigmoid(m.last(torch.sqrt(difference.square().sum(-1, keepdim=True) + 0.1)))

    return Of(forward, shared=nn.Linear(5, 8), last=nn.Linear(1, 1))


@torch_specimen("two inputs, picture and table", (1, 6, 6), (4,))
def picture_and_table():
    def forward(m, picture, table):
        seen = F.max_pool2d(torch.relu(m.conv(picture)), 2).flatten(1)
        return m.last(torch.cat([seen, torch.tanh(m.table(table))], -1))

    return Of(forward, conv=nn.Conv2d(1, 3, 3), table=nn.Linear(4, 4), last=nn.Linear(16, 3))


@torch_specimen("bilinear of two inputs", (4,), (5,))
def bilinear():
    return Of(lambda m, a, b: m.mix(torch.tanh(m.a(a)), b), a=nn.Linear(4, 4), mix=nn.Bilinear(4, 5, 3))


@torch_specimen("two outputs", (6,), target=(1, 0, 1))
def two_outputs():
    def forward(m, x):
        hidden = torch.tanh(m.hidden(x))
        return m.one(hidden), m.two(hidden).reshape(-1, 2, 2)

    return Of(forward, hidden=nn.Linear(6, 8), one=nn.Linear(8, 3), two=nn.Linear(8, 4))


@torch_specimen("autoencoder", (6,), target=2)
def autoencoder():
    return nn.Sequential(
        nn.Linear(6, 5),
        nn.ReLU(),
        nn.Linear(5, 2),
        nn.Tanh(),
        nn.Linear(2, 5),
        nn.ReLU(),
        nn.Linear(5, 6),
        nn.Sigmoid(),
    )


@torch_specimen("no logits, log-softmax", (6,))
def log_softmax():
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4), nn.LogSoftmax(-1))


@torch_specimen("polynomial of activations", (5,), target=0)
def polynomial():
    def forward(m, x):
        h = F.softplus(m.a(x))
        return (h**2 / (1 + h.flip(1)) + torch.maximum(h, h.flip(1))).sum(-1, keepdim=True)

    return Of(forward, a=nn.Linear(5, 6))
