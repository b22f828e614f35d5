"""Attention and recurrent layers spelled out, as in `torch_rewrites`: loops unrolled, scores and shares apart."""

from __future__ import annotations

import math

import torch

from dlexplain.frameworks.graph.torch_rewrites import rewrite
from dlexplain.frameworks.graph.torch_tape import Refusal

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
