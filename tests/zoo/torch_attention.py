"""Torch: attention in its spellings, and transformers."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from tests.zoo.torch_specimens import Of, torch_specimen


def _mean(m, x):
    return m.out(m.mix(x).mean(1))


class _Self(nn.Module):
    """Self-attention with a function of queries, keys and values."""

    def __init__(self, width, inner, function):
        super().__init__()
        self.q, self.k, self.v = (nn.Linear(width, inner) for _ in range(3))
        self.function = function

    def forward(self, x):
        return self.function(self.q(x), self.k(x), self.v(x))


def _spelled(function):
    return lambda: Of(_mean, mix=_Self(4, 4, function), out=nn.Linear(4, 3))


def _einsum(q, k, v):
    weights = torch.softmax(torch.einsum("nqc,nkc->nqk", q, k) / 2.0, -1)
    return torch.einsum("nqk,nkc->nqc", weights, v)


def _exponentials(q, k, v):
    scores = torch.exp(0.3 * q @ k.mT)
    return (scores / scores.sum(-1, keepdim=True)) @ v


def _linear(q, k, v):
    q, k = F.elu(q) + 1, F.elu(k) + 1
    summed = torch.einsum("nqc,ncd->nqd", q, torch.einsum("nkc,nkd->ncd", k, v))
    return summed / torch.einsum("nqc,nc->nq", q, k.sum(1))[..., None]


def _heads(q, k, v, **options):
    q, k, v = (t.unflatten(-1, (2, 2)).transpose(1, 2) for t in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v, **options).transpose(1, 2).flatten(2)


def _bmm(q, k, v):
    return torch.bmm(torch.baddbmm(torch.zeros(()), q, k.mT, alpha=0.5).softmax(-1), v)


for _name, _function in {
    "attention, einsum": _einsum,
    "attention, softmax spelled out": _exponentials,
    "attention, scaled_dot_product_attention": _heads,
    "attention, bmm": _bmm,
    "linear attention": _linear,
}.items():
    torch_specimen(_name, (6, 4))(_spelled(_function))


@torch_specimen("attention, causal scaled_dot_product_attention", (6, 4), target=(4, 1))
def causal_sdpa():
    mix = _Self(4, 4, lambda q, k, v: _heads(q, k, v, is_causal=True))
    return nn.Sequential(mix, nn.Linear(4, 3))


@torch_specimen("attention pooling", (6, 3))
def attention_pooling():
    def forward(m, x):
        h = torch.tanh(m.a(x))
        return m.c((torch.softmax(m.b(h), 1) * h).sum(1))

    return Of(forward, a=nn.Linear(3, 5), b=nn.Linear(5, 1), c=nn.Linear(5, 3))


@torch_specimen("multi-head attention", (6, 4))
def multi_head():
    return Of(
        lambda m, x: m.out(m.mix(x, x, x)[0].mean(1)),
        mix=nn.MultiheadAttention(4, 2, batch_first=True),
        out=nn.Linear(4, 3),
    )


@torch_specimen("multi-head attention, no weights, time first", (6, 4))
def multi_head_fast():
    def forward(m, x):
        x = x.transpose(0, 1)
        return m.out(m.mix(x, x, x, need_weights=False)[0].mean(0))

    return Of(forward, mix=nn.MultiheadAttention(4, 2), out=nn.Linear(4, 3))


def _stock(width, pre, layers=1):
    layer = nn.TransformerEncoderLayer(width, 2, 2 * width, activation="gelu", batch_first=True, norm_first=pre)
    return nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)


def _places(*shape):
    return nn.Parameter(0.3 * torch.randn(shape))


@torch_specimen("transformer, post-norm", (6, 4))
def post_norm():
    return Of(
        lambda m, x: m.out(m.mix(x + m.places).mean(1)), places=_places(6, 4), mix=_stock(4, False), out=nn.Linear(4, 3)
    )


@torch_specimen("transformer, pre-norm, two blocks", (6, 4))
def pre_norm():
    return Of(
        lambda m, x: m.out(m.norm(m.mix(x + m.places)).mean(1)),
        places=_places(6, 4),
        mix=_stock(4, True, 2),
        norm=nn.LayerNorm(4),
        out=nn.Linear(4, 3),
    )


@torch_specimen("vision transformer, class token", (1, 8, 8))
def vision_transformer():
    def forward(m, x):
        x = m.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([m.token.expand(len(x), -1, -1), x], 1) + m.places
        return m.out(m.norm(m.mix(x))[:, 0])

    return Of(
        forward,
        patches=nn.Conv2d(1, 6, 4, 4),
        token=_places(1, 1, 6),
        places=_places(5, 6),
        mix=_stock(6, True, 2),
        norm=nn.LayerNorm(6),
        out=nn.Linear(6, 3),
    )


@torch_specimen("transformer of words", (6,), vocabulary=12)
def words():
    def forward(m, ids):
        return m.out(m.mix(m.words(ids) + m.places).mean(1))

    return Of(forward, words=nn.Embedding(12, 4), places=_places(6, 4), mix=_stock(4, False), out=nn.Linear(4, 3))


@torch_specimen("causal decoder", (6,), vocabulary=12, target=(4, 3))
def causal():
    def forward(m, ids):
        mask = nn.Transformer.generate_square_subsequent_mask(ids.shape[1])
        return m.out(m.norm(m.mix(m.words(ids) + m.places, mask=mask, is_causal=True)))

    return Of(
        forward,
        words=nn.Embedding(12, 6),
        places=_places(6, 6),
        mix=_stock(6, True, 2),
        norm=nn.LayerNorm(6),
        out=nn.Linear(6, 12),
    )


@torch_specimen("rotary causal decoder, SwiGLU", (6,), vocabulary=12, target=(5, 2))
def rotary():
    angle = torch.outer(torch.arange(6.0), torch.tensor([1.0, 0.1]))
    cosine, sine = angle.cos(), angle.sin()

    def turned(x):
        a, b = x.chunk(2, -1)
        return torch.cat([a * cosine - b * sine, a * sine + b * cosine], -1)

    def forward(m, ids):
        x = m.words(ids)
        y = m.one(x)
        mixed = F.scaled_dot_product_attention(turned(m.q(y)), turned(m.k(y)), m.v(y), is_causal=True)
        x = x + m.o(mixed)
        y = m.two(x)
        return m.out(x + m.down(F.silu(m.gate(y)) * m.up(y)))

    four = {name: nn.Linear(4, 4) for name in "qkvo"}
    return Of(
        forward,
        words=nn.Embedding(12, 4),
        one=nn.RMSNorm(4),
        two=nn.RMSNorm(4),
        gate=nn.Linear(4, 8),
        up=nn.Linear(4, 8),
        down=nn.Linear(8, 4),
        out=nn.Linear(4, 12),
        **four,
    )


@torch_specimen("encoder-decoder, cross-attention", (5, 3), (4, 3), target=(2, 1))
def cross_attention():
    def forward(m, a, b):
        mask = nn.Transformer.generate_square_subsequent_mask(4)
        return m.out(m.mix(m.a(a), m.b(b), tgt_mask=mask))

    mix = nn.Transformer(4, 2, 1, 1, 8, batch_first=True)
    return Of(forward, a=nn.Linear(3, 4), b=nn.Linear(3, 4), mix=mix, out=nn.Linear(4, 3))


@torch_specimen("MLP-Mixer", (6, 4))
def mixer():
    def forward(m, x):
        x = m.stem(x)
        x = x + m.over_time(m.one(x).mT).mT
        return m.out((x + m.over_width(m.two(x))).mean(1))

    return Of(
        forward,
        stem=nn.Linear(4, 4),
        one=nn.LayerNorm(4),
        two=nn.LayerNorm(4),
        over_time=nn.Sequential(nn.Linear(6, 8), nn.GELU(), nn.Linear(8, 6)),
        over_width=nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 4)),
        out=nn.Linear(4, 3),
    )


@torch_specimen("graph attention", (5, 4))
def graph_attention():
    ring = torch.eye(5) + torch.eye(5).roll(1, 1) + torch.eye(5).roll(-1, 1)

    def forward(m, x):
        h = m.a(x)
        scores = F.leaky_relu(m.one(h) + m.two(h).mT, 0.2).masked_fill(ring == 0, float("-inf"))
        return m.out(F.elu(torch.softmax(scores, -1) @ h).mean(1))

    return Of(forward, a=nn.Linear(4, 6), one=nn.Linear(6, 1), two=nn.Linear(6, 1), out=nn.Linear(6, 3))
