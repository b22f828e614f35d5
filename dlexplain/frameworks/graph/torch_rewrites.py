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


@rewrite("abs")
def _abs(x):
    if not x.is_complex():
        return NotImplemented
    parts = torch.view_as_real(x)
    return (parts * parts).sum(-1).sqrt()


@rewrite("any")
def _any(x, dim=None, keepdim=False):
    dims = list(range(x.ndim)) if dim is None else [dim] if isinstance(dim, int) else list(dim)
    return (x != 0).to(torch.float32).amax(dims, keepdim) != 0


@rewrite("all")
def _all(x, dim=None, keepdim=False):
    dims = list(range(x.ndim)) if dim is None else [dim] if isinstance(dim, int) else list(dim)
    return (x != 0).to(torch.float32).amin(dims, keepdim) != 0


@rewrite("index_put", "_unsafe_index_put")
def _index_put(x, indices, values, accumulate=False):
    """One value written by a mask, as in `x[x < 0] = 0`: where the mask holds. The mask may differ on the reference."""
    mask = indices[0] if len(indices) == 1 else None
    if accumulate or mask is None or mask.dtype != torch.bool or values.numel() != 1:
        return NotImplemented
    return torch.where(mask.reshape(*mask.shape, *[1] * (x.ndim - mask.ndim)), values.reshape(()), x)


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


# ---- copies ------------------------------------------------------------------------------------------------------


@rewrite("unsafe_split")
def _split(x, size, dim=0):
    """Its parts promise never to be read through one another: apart at once, writing to one costs nothing."""
    return [part.clone() for part in x.split(size, dim)]
