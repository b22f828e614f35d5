"""What people write between two layers, in any style of Torch: exact all the same, or refused by name."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

import dlexplain as dlx
from dlexplain.errors import UnsupportedModelError


class Straight(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return (x > 0).float()

    @staticmethod
    def backward(ctx, m):
        return m


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.mul_(2)

    @staticmethod
    def backward(ctx, m):
        return 2 * m


def written_by_place(x):
    b = torch.zeros(len(x), 4, 3)
    b[:, :, 0] = x[:, :4]
    b[:, 1:3, 1] = x[:, 2:4] * 2
    b[:, :, 2].copy_(x[:, :4].tanh())
    b[:, 0] += 1
    return b.relu_()


def views_written_through(x):
    y = x * 1
    left, halves = y[:, :3], y.view(-1, 2, 4)
    y.add_(1)
    left.mul_(2)
    halves[:, 1].sigmoid_()
    return torch.cat([y, left, halves.flatten(1)], 1)


def overwritten(x):
    y = x * 1
    first = y[:, :2].tanh()
    y.copy_(torch.ones(8))
    y.mul_(3)  # a constant by now
    y[:, 0] = x[:, 3]
    z = torch.zeros(len(x), 8)
    z += x
    z.zero_()
    z.add_(2)
    return torch.cat([first, y * x, z * x], 1)


def masked_write(x):
    y = x.clone()
    y[y < 0] = 0.1
    return y


def spelled_attention(x):
    a = x.view(-1, 4, 2)
    scores = (a @ a.transpose(1, 2) / 2).masked_fill(torch.ones(4, 4).triu(1).bool(), -torch.inf)
    return scores.softmax(-1) @ a


def mixture(x):
    gates = (x[:, :3] * 2).softmax(-1)
    return (gates[:, :, None] * torch.stack([x.tanh(), x.relu(), x * x], 1)).sum(1)


def loop(x):
    h = torch.zeros_like(x)
    for t in range(4):
        h = torch.tanh(h + x * 0.3 + t)
    return h


def sampled(x):
    grid = torch.linspace(-0.9, 0.8, 18).reshape(1, 3, 3, 2).expand(len(x), -1, -1, -1)
    return F.grid_sample(x.view(-1, 1, 2, 4), grid, align_corners=False)


def without_gradients(x):
    with torch.no_grad():
        return x.tanh() * x


def written_out(x):
    made = torch.empty_like(x)
    torch.mul(x, x, out=made)
    return made


def running(x):
    return torch.cat([x.cumsum(-1), x.cumprod(-1), x.cummax(-1).values, x.cummin(-1).values, x.logcumsumexp(-1)], 1)


def summaries(x):
    kinds = [x.mean(-1), x.std(-1), x.var(-1, unbiased=False), x.amax(-1), x.amin(-1), x.logsumexp(-1), x.norm(dim=-1)]
    return torch.stack(
        [*kinds, x.prod(-1), x.max(-1).values, x.min(-1).values, x.norm(p=3, dim=-1), x.norm(p=1, dim=-1)], -1
    )


def pointwise(x):
    other = x.flip(1)
    one = [
        x.pow(2),
        x.abs().pow(1.5),
        2**x,
        x.abs() ** x.sigmoid(),
        x // 1,
        x % 1,
        x.round(),
        x.sign(),
        x.clamp(-0.5, 0.5),
    ]
    two = [torch.atan2(x, other), torch.maximum(x, other), torch.hypot(x, other), torch.lerp(x, other, x.sigmoid())]
    return torch.cat([*one, *two, torch.addcmul(x, x, other), x.clamp(min=other * 0.1), x.logaddexp(other)], 1)


def gathered(x):
    places = torch.tensor([[0, 3, 3]]).expand(len(x), 3)
    added = torch.zeros_like(x).scatter_add(1, torch.zeros_like(x).long(), x)
    return torch.cat([x.gather(1, places), x[:, [1, 1, 2]], x.index_select(1, torch.tensor([0, 7])), added], 1)


def shaped(x):
    kinds = [x.repeat(1, 2), x.repeat_interleave(2, 1), x.roll(1, 1), x.tile(2), x.unfold(-1, 3, 1).flatten(1)]
    return torch.cat(
        [*kinds, x.flip(1), x.view(-1, 2, 4).transpose(1, 2).flatten(1), x.view(-1, 2, 4).triu().flatten(1)], 1
    )


def gradient_inside(x):
    with torch.enable_grad():
        y = x if x.requires_grad else x.detach().requires_grad_()
        return torch.autograd.grad((y**3).sum(), y, create_graph=True)[0]


def hard_choice(x):
    shares = x.softmax(-1)
    return (shares == shares.amax(-1, keepdim=True)).float() - shares.detach() + shares


EXACT = {
    "written by place": written_by_place,
    "views written through": views_written_through,
    "overwritten": overwritten,
    "a write by a mask": masked_write,
    "out=": written_out,
    "einsum": lambda x: torch.einsum(
        "bij,bkj,bk->bi", x.view(-1, 2, 4), x.view(-1, 2, 4).tanh(), x.view(-1, 2, 4).mean(-1)
    ),
    "outer product": lambda x: torch.einsum("bi,bj->bij", x, x),
    "attention spelled out": spelled_attention,
    "softmax spelled out": lambda x: (x - x.amax(-1, True)).exp() / (x - x.amax(-1, True)).exp().sum(-1, True),
    "causal attention": lambda x: F.scaled_dot_product_attention(
        x.view(-1, 1, 4, 2), x.view(-1, 1, 4, 2) * 0.5, x.view(-1, 1, 4, 2) + 1, is_causal=True
    ),
    "shared heads": lambda x: F.scaled_dot_product_attention(
        x.view(-1, 2, 2, 2), x.view(-1, 2, 2, 2)[:, :1], x.view(-1, 2, 2, 2)[:, 1:], enable_gqa=True
    ),
    "a branch that is not finite": lambda x: torch.where(x > 0, x.sqrt(), 0.1 * x),
    "soft gates": mixture,
    "a loop": loop,
    "sampled at places": sampled,
    "without gradients": without_gradients,
    "data": lambda x: x.tanh().data * x,
    "checkpointed": lambda x: checkpoint(lambda t: t.tanh() * t, x, use_reentrant=False),
    "vmap": lambda x: torch.vmap(lambda row: row * row.tanh())(x),
    "a gradient inside": gradient_inside,
    "straight-through": Straight.apply,
    "a function in place": lambda x: Doubled.apply(x * 1),
    "hard choice": hard_choice,
    "spectrum": lambda x: torch.fft.rfft(x).abs(),
    "spectrogram": lambda x: torch.stft(x, 4, return_complex=True, window=torch.hann_window(4)).abs() ** 2,
    "running": running,
    "summaries": summaries,
    "element-wise": pointwise,
    "counting": lambda x: ((x > 0).sum(-1, keepdim=True) + 1).float() * x,
    "logic": lambda x: ((x > 0) & (x < 1)).float() * x + (x > 0).any(-1, keepdim=True).float(),
    "gathered": gathered,
    "shaped": shaped,
    "distances": lambda x: torch.cdist(x.view(-1, 4, 2), x.view(-1, 4, 2).tanh() + 1),
    "normalised by another norm": lambda x: F.normalize(x, p=3),
}


class Between(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function, self.before = function, nn.Linear(8, 8)
        self.after = nn.Linear(function(torch.randn(4, 8)).flatten(1).shape[1], 2)

    def forward(self, x):
        return self.after(self.function(self.before(x)).flatten(1))


@pytest.mark.parametrize("name", EXACT)
def test_every_style_is_exact(name):
    torch.manual_seed(0)
    network = Between(EXACT[name])
    x = np.random.default_rng(0).standard_normal((4, 8)).astype(np.float32)
    explained = dlx.explain(network, x, "deeplift", target=0, baseline=0.1)
    assert explained.relative_gap.max() <= 1e-4
    background = np.random.default_rng(1).standard_normal((3, 8)).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a mean over references may hardly change: judged below in the output's size
        shared = dlx.explain(network, x, "deepshap", target=0, baseline=background)
    size = np.maximum(np.abs(shared.output), np.abs(shared.baseline_output))
    assert (shared.gap / np.maximum(np.abs(shared.output - shared.baseline_output), 1e-2 * size)).max() <= 1e-4


REFUSED = {
    "another order": (lambda x: x.sort(-1).values, "sort"),
    "a mask that picks": (lambda x: F.pad(x[:1][x[:1] > 0][None], (0, 8))[:, :8].expand(len(x), 8), "index"),
    "places that move": (lambda x: F.one_hot(x.argmax(-1), 8).float(), "scatter"),
    "chance": (lambda x: F.dropout(x, 0.5), "bernoulli_|native_dropout"),
    "gumbel": (F.gumbel_softmax, "exponential_"),
    "inverse": (lambda x: torch.linalg.inv(x.view(-1, 2, 4) @ x.view(-1, 2, 4).mT + torch.eye(2)), "linalg_inv_ex"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_exact_is_refused(name):
    torch.manual_seed(0)
    function, operation = REFUSED[name]
    network = Between(function)
    x = np.random.default_rng(0).standard_normal((4, 8)).astype(np.float32)
    named = rf"({operation}).*integrated_gradients|changes with the other samples"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the outputs of chance differ, which is said as well
        with pytest.raises(UnsupportedModelError, match=named):
            dlx.explain(network, x, "deeplift", target=0, baseline=0.1)


class Kept(nn.Module):
    """A sparse constant, and a buffer that counts the calls."""

    def __init__(self):
        super().__init__()
        self.near = torch.eye(6).roll(1, 0).to_sparse()
        self.register_buffer("calls", torch.zeros(()))
        self.each, self.out = nn.Linear(3, 5), nn.Linear(30, 2)

    def forward(self, x):
        self.calls += 1
        return self.out(torch.stack([torch.sparse.mm(self.near, self.each(row)) for row in x]).relu().flatten(1))


def test_sparse_constants_and_buffers_that_change_are_no_hindrance():
    torch.manual_seed(0)
    x = np.random.default_rng(0).standard_normal((3, 6, 3)).astype(np.float32)
    assert dlx.explain(Kept(), x, "deeplift", target=0).relative_gap.max() <= 1e-4


def test_compiled_and_exported_models_are_walked_too():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(8, 8), nn.GELU(), nn.LayerNorm(8), nn.Linear(8, 2)).eval()
    x = np.random.default_rng(0).standard_normal((4, 8)).astype(np.float32)
    plain = dlx.explain(network, x, "deeplift", target=0).values
    traced = torch.jit.trace(network, torch.tensor(x))
    rows = torch.export.Dim("rows", min=1)
    exported = torch.export.export(network, (torch.tensor(x),), dynamic_shapes=({0: rows},)).module()
    compiled = torch.compile(network, backend="eager")
    for other in (traced, exported, compiled):
        np.testing.assert_allclose(dlx.explain(other, x, "deeplift", target=0).values, plain, rtol=1e-4, atol=1e-6)
