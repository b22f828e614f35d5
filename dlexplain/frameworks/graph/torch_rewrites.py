"""Fused operations spelled out in simpler ones, as they are met while a run is recorded.

Each has its operation's own signature. `NotImplemented`: as it is. Called with the tape entered, so that what they call
is recorded; autograd is off.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from dlexplain.frameworks.graph.torch_tape import Refusal

REWRITES: dict[str, Callable] = {}


def rewrite(*names: str) -> Callable[[Callable], Callable]:
    def enter(function: Callable) -> Callable:
        REWRITES.update(dict.fromkeys(names, function))
        return function

    return enter


# ---- normalisations ------------------------------------------------------------------------------------------------


def _normalised(x: Tensor, dims: list[int], eps: float) -> tuple[Tensor, Tensor, Tensor]:
    mean = x.mean(dims, True)
    centred = x - mean
    scale = ((centred * centred).mean(dims, True) + eps).rsqrt()
    return centred * scale, mean, scale


@rewrite("native_layer_norm")
def _layer_norm(x, shape, weight, bias, eps):
    y, mean, scale = _normalised(x, list(range(-len(shape), 0)), eps)
    y = y if weight is None else y * weight
    return (y if bias is None else y + bias), mean, scale


@rewrite("native_group_norm")
def _group_norm(x, weight, bias, n, c, size, groups, eps):
    y, mean, scale = _normalised(x.reshape(n, groups, -1), [-1], eps)
    y, one = y.reshape(x.shape), [1, c] + [1] * (x.ndim - 2)
    y = y if weight is None else y * weight.reshape(one)
    return (y if bias is None else y + bias.reshape(one)), mean.reshape(n, groups), scale.reshape(n, groups)


@rewrite("native_batch_norm")
def _batch_norm(x, weight, bias, mean, variance, training, momentum, eps):
    if not training:
        return NotImplemented
    if mean is not None:
        raise Refusal("native_batch_norm", "it normalises by the batch at hand.")
    return _by_channel(x, weight, bias, eps)


@rewrite("_native_batch_norm_legit")
def _batch_norm_legit(x, weight, bias, *rest):
    if len(rest) != 3:  # with running statistics that it would change
        raise Refusal("_native_batch_norm_legit", "it normalises by the batch at hand.")
    return _by_channel(x, weight, bias, rest[2])


def _by_channel(x, weight, bias, eps):
    y, mean, scale = _normalised(x, [d for d in range(x.ndim) if d != 1], eps)
    one = [1, -1] + [1] * (x.ndim - 2)
    y = y if weight is None else y * weight.reshape(one)
    return (y if bias is None else y + bias.reshape(one)), mean.flatten(), scale.flatten()


@rewrite("_fused_rms_norm")
def _rms_norm(x, shape, weight, eps):
    dims = list(range(-len(shape), 0))
    scale = ((x * x).mean(dims, True) + (torch.finfo(x.dtype).eps if eps is None else eps)).rsqrt()
    return (x * scale if weight is None else x * scale * weight), scale


@rewrite("var")
def _var(x, dim=None, unbiased=True, keepdim=False, *, correction=None):
    if isinstance(dim, bool):  # var.default: the second argument tells whether it is unbiased
        dim, unbiased = None, dim
    dims = list(range(x.ndim)) if dim is None or dim == [] else [dim] if isinstance(dim, int) else list(dim)
    correction = (1 if unbiased else 0) if correction is None else correction
    centred = x - x.mean(dims, True)
    count = math.prod(x.shape[d] for d in dims)
    return (centred * centred).sum(dims, keepdim) / max(count - correction, 0)


@rewrite("std")
def _std(x, dim=None, unbiased=True, keepdim=False, *, correction=None):
    return _var(x, dim, unbiased, keepdim, correction=correction).sqrt()


@rewrite("var_mean")
def _var_mean(x, dim=None, unbiased=True, keepdim=False, *, correction=None):
    dims = list(range(x.ndim)) if dim is None or isinstance(dim, bool) or dim == [] else dim
    return _var(x, dim, unbiased, keepdim, correction=correction), x.mean(dims, keepdim)


@rewrite("std_mean")
def _std_mean(x, dim=None, unbiased=True, keepdim=False, *, correction=None):
    variance, mean = _var_mean(x, dim, unbiased, keepdim, correction=correction)
    return variance.sqrt(), mean


@rewrite("linalg_vector_norm")
def _vector_norm(x, ord=2, dim=None, keepdim=False, *, dtype=None):
    dims = list(range(x.ndim)) if dim is None else [dim] if isinstance(dim, int) else list(dim)
    if math.isinf(ord):
        return x.abs().amax(dims, keepdim) if ord > 0 else x.abs().amin(dims, keepdim)
    if ord == 0:
        return (x != 0).to(x.dtype).sum(dims, keepdim)
    if ord == 1:
        return x.abs().sum(dims, keepdim)
    if ord == 2:
        return (x * x).sum(dims, keepdim).sqrt()
    return (x.abs() ** ord).sum(dims, keepdim) ** (1 / ord)


@rewrite("norm")
def _norm(x, p=2, dim=None, keepdim=False, *, dtype=None):
    return _vector_norm(x, 2 if p is None else float(p), dim, keepdim)


@rewrite("_cdist_forward")
def _cdist(a, b, p, mode=None):
    return _vector_norm(a.unsqueeze(-2) - b.unsqueeze(-3), p, -1)


@rewrite("_euclidean_dist")
def _euclidean(a, b):
    return _vector_norm(a.unsqueeze(-2) - b.unsqueeze(-3), 2, -1)


@rewrite("_pdist_forward")
def _pdist(x, p=2):
    i, j = torch.triu_indices(len(x), len(x), 1, device=x.device)
    return _vector_norm(x[i] - x[j], p, -1)


# ---- activations ---------------------------------------------------------------------------------------------------


@rewrite("glu")
def _glu(x, dim=-1):
    left, right = x.split(x.shape[dim] // 2, dim)
    return left * right.sigmoid()


@rewrite("rrelu_with_noise", "rrelu_with_noise_functional")
def _rrelu(x, noise, lower=0.125, upper=1 / 3, training=False, generator=None):
    return NotImplemented if training else torch.where(x > 0, x, x * ((float(lower) + float(upper)) / 2))


@rewrite("masked_fill")
def _masked_fill(x, mask, value):
    return torch.where(mask, value, x)


@rewrite("clamp")
def _clamp(x, low=None, high=None):
    if isinstance(low, Tensor):
        x, low = torch.maximum(x, low), None
        return x if high is None else _clamp(x, None, high)
    return torch.minimum(x, high) if isinstance(high, Tensor) else NotImplemented


@rewrite("prod")
def _prod(x, dim=None, keepdim=False, *, dtype=None):
    parts = x.flatten().unbind() if dim is None else x.unbind(dim)
    made = parts[0]
    for part in parts[1:]:
        made = made * part
    return made.unsqueeze(dim) if keepdim and dim is not None else made


def _running(x: Tensor, dim: int, joined: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    parts = list(x.unbind(dim))
    for i in range(1, len(parts)):
        parts[i] = joined(parts[i - 1], parts[i])
    return torch.stack(parts, dim)


@rewrite("cumprod")
def _cumprod(x, dim, *, dtype=None):
    return _running(x, dim, torch.mul)


@rewrite("logcumsumexp")
def _logcumsumexp(x, dim):
    return _running(x, dim, torch.logaddexp)


@rewrite("cummax")
def _cummax(x, dim):
    return _running(x, dim, torch.maximum), torch.zeros_like(x, dtype=torch.long)


@rewrite("cummin")
def _cummin(x, dim):
    return _running(x, dim, torch.minimum), torch.zeros_like(x, dtype=torch.long)


@rewrite("aminmax")
def _aminmax(x, *, dim=None, keepdim=False):
    dims = list(range(x.ndim)) if dim is None else [dim]
    return x.amin(dims, keepdim), x.amax(dims, keepdim)


@rewrite("max_pool1d")
def _max_pool1d(x, size, stride=(), padding=0, dilation=1, ceil_mode=False):
    def wide(value, one):
        return [one, *([value] if isinstance(value, int) else value)]

    step = wide(stride, 1) if stride else wide(size, 1)
    made = torch.ops.aten.max_pool2d_with_indices(
        x.unsqueeze(-2), wide(size, 1), step, wide(padding, 0), wide(dilation, 1), ceil_mode
    )
    return made[0].squeeze(-2)


# ---- attention -----------------------------------------------------------------------------------------------------


def _attention(q, k, v, mask, causal, scale):
    if k.shape[-3] != q.shape[-3]:
        k, v = (t.repeat_interleave(q.shape[-3] // t.shape[-3], -3) for t in (k, v))
    scores = (q @ k.transpose(-2, -1)) * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    if causal:
        above = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu(1)
        scores = scores + torch.zeros_like(above, dtype=q.dtype).masked_fill(above, -torch.inf)
    if mask is not None:
        scores = scores + mask
    return torch.ops.aten._safe_softmax(scores, -1) @ v, scores.detach().logsumexp(-1)


@rewrite("_scaled_dot_product_flash_attention_for_cpu")
def _flash_cpu(q, k, v, dropout=0.0, causal=False, *, attn_mask=None, scale=None):
    _no_dropout(dropout)
    return _attention(q, k, v, attn_mask, causal, scale)


@rewrite("_scaled_dot_product_efficient_attention")
def _efficient(q, k, v, bias, with_logs, dropout=0.0, causal=False, *, scale=None):
    _no_dropout(dropout)
    y, logs = _attention(q, k, v, bias, causal, scale)
    empty = torch.zeros((), dtype=torch.long, device=q.device)
    return y, logs, empty, empty


@rewrite("_scaled_dot_product_fused_attention_overrideable", "_scaled_dot_product_cudnn_attention")
def _fused(q, k, v, bias=None, *rest, scale=None, **more):
    _no_dropout(next((r for r in rest if isinstance(r, float)), 0.0))
    return _flashed(q, k, v, bias, any(r is True for r in rest[-2:-1]), scale)


@rewrite("_scaled_dot_product_flash_attention")
def _flash(q, k, v, dropout=0.0, causal=False, debug=False, *, scale=None):
    _no_dropout(dropout)
    return _flashed(q, k, v, None, causal, scale)


def _flashed(q, k, v, bias, causal, scale):
    y, logs = _attention(q, k, v, bias, causal, scale)
    empty = torch.zeros((), dtype=torch.long, device=q.device)
    return y, logs, empty, empty, q.shape[-2], k.shape[-2], empty, empty, torch.zeros(0, device=q.device)


def _no_dropout(p: float) -> None:
    if p:
        raise Refusal("scaled_dot_product_attention", "its dropout is on, so its result is left to chance.")


@rewrite("_native_multi_head_attention")
def _heads(q, k, v, width, heads, in_weight, in_bias, weight, bias, mask=None, need=True, average=True, kind=None):
    parts = zip((q, k, v), in_weight.split(width), in_bias.split(width), strict=True)
    q, k, v = (torch.nn.functional.linear(t, w, b).unflatten(-1, (heads, -1)).transpose(1, 2) for t, w, b in parts)
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if mask is not None:
        wide = mask if mask.ndim == 4 or kind == 0 else mask[:, None, None]
        scores = torch.where(wide, -torch.inf, scores) if wide.dtype == torch.bool else scores + wide
    shares = scores.softmax(-1)
    y = torch.nn.functional.linear((shares @ v).transpose(1, 2).flatten(2), weight, bias)
    return y, (shares.mean(1) if average else shares)


@rewrite("_transformer_encoder_layer_fwd")
def _encoder_layer(
    x,
    width,
    heads,
    in_weight,
    in_bias,
    weight,
    bias,
    gelu,
    first,
    eps,
    g1,
    b1,
    g2,
    b2,
    w1,
    c1,
    w2,
    c2,
    mask=None,
    kind=None,
):
    f = torch.nn.functional

    def attended(t):
        return _heads(t, t, t, width, heads, in_weight, in_bias, weight, bias, mask, kind=kind)[0]

    def fed(t):
        hidden = f.linear(t, w1, c1)
        return f.linear(f.gelu(hidden) if gelu else f.relu(hidden), w2, c2)

    if first:
        x = x + attended(f.layer_norm(x, (width,), g1, b1, eps))
        return x + fed(f.layer_norm(x, (width,), g2, b2, eps))
    x = f.layer_norm(x + attended(x), (width,), g1, b1, eps)
    return f.layer_norm(x + fed(x), (width,), g2, b2, eps)


# ---- recurrent layers ----------------------------------------------------------------------------------------------


def _lstm_step(gates, c):
    i, f, g, o = gates.split(gates.shape[-1] // 4, -1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


@rewrite("mkldnn_rnn_layer")
def _mkldnn_lstm(x, w, u, b, d, h, c, reverse, sizes, mode, hidden, layers, biased, both, batch_first, train):
    if mode != 2 or len(sizes):
        return NotImplemented
    b, d = (b, d) if biased else (None, None)
    steps = torch.nn.functional.linear(x, w, b).unbind(0)
    made = []
    for step in reversed(steps) if reverse else steps:
        h, c = _lstm_step(step + torch.nn.functional.linear(h, u, d), c)
        made.append(h)
    return torch.stack(made[::-1] if reverse else made), h, c, torch.zeros(0, device=x.device)


@rewrite("_thnn_fused_lstm_cell")
def _fused_lstm(x, h, c, b=None, d=None):
    gates = x + h
    gates = gates if b is None else gates + b + d
    h, c = _lstm_step(gates, c)
    return h, c, gates


@rewrite("_thnn_fused_gru_cell")
def _fused_gru(x, u, h, b=None, d=None):
    (xr, xz, xn), (hr, hz, hn) = (t.chunk(3, -1) for t in ((x, u) if b is None else (x + b, u + d)))
    z = (xz + hz).sigmoid()
    n = (xn + (xr + hr).sigmoid() * hn).tanh()
    return (h - n) * z + n, torch.zeros(0, device=x.device)


@rewrite("unsafe_split")
def _split(x, size, dim=0):
    """Its parts promise never to be read through one another: apart at once, writing to one costs nothing."""
    return [part.clone() for part in x.split(size, dim)]
