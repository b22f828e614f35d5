"""Rules of operations that look at a set of values: maxima, softmax and logsumexp."""

from __future__ import annotations

from collections.abc import Callable

import torch

from dlexplain.frameworks.graph.torch_pairs import Pair
from dlexplain.frameworks.graph.torch_rules import Multipliers, rule

# ---- the largest of a set: DeepSHAP's cross-maximum ----------------------------------------------------------------


@rule(
    "max_pool2d_with_indices",
    "max_pool3d_with_indices",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
    "fractional_max_pool2d",
    "fractional_max_pool3d",
)
def _max_pool(pair: Pair, ms: Multipliers) -> Multipliers:
    if pair.active(0) is None or len(pair.values) > 1:
        raise pair.refuse("its windows are drawn by chance at every call, or vary with the input.")
    x = pair.xs[0]
    spatial = 3 if "3d" in pair.name else 2
    # Places count over height and width; channels stay last where they are, which spares copies.
    last = x.ndim == 4 and x.stride(1) == 1
    order = (0, 2, 3, 1) if last else tuple(range(x.ndim))
    axis = 1 if last else x.ndim - spatial

    def flat(t: torch.Tensor) -> torch.Tensor:
        t = t.permute(order)
        return t.flatten(axis, axis + spatial - 1)

    given = _crossed(*map(flat, (x, pair.rs[0], *pair.outs(1), pair.y, pair.yr, ms[0])), axis)
    return [given.reshape(x.permute(order).shape).permute(*(order.index(d) for d in range(x.ndim)))]


@rule("max", "min", "amax", "amin", "aminmax")
def _largest(pair: Pair, ms: Multipliers) -> Multipliers:
    if len(pair.values) > 1 or pair.name == "aminmax":
        raise pair.refuse("there is no rule for it.")
    if ms[0] is None:
        return [None]
    sign = -1 if pair.name.endswith("min") else 1
    flat, whole = _gathered(pair)
    a, b, m = sign * flat(pair.xs[0]), sign * flat(pair.rs[0]), sign * ms[0]
    ia, ib = a.argmax(-1, keepdim=True), b.argmax(-1, keepdim=True)
    given = _crossed(a, b, ia, ib, a.gather(-1, ia), b.gather(-1, ib), m.reshape(*a.shape[:-1], 1))
    return [sign * whole(given)]


def winner(pair: Pair, r: torch.Tensor) -> torch.Tensor:
    """What a maximum or minimum over axes was given, at the first place that has it."""
    flat, whole = _gathered(pair)
    a = flat(pair.xs[0])
    place = (a.argmin if pair.name.endswith("min") else a.argmax)(-1, keepdim=True)
    return whole(torch.zeros_like(a).scatter(-1, place, r.reshape(place.shape)))


def _gathered(pair: Pair) -> tuple[Callable, Callable]:
    """To the set of values that is looked at along the last axis, and back."""
    shape = pair.shape(0)
    dims = pair.named("dim", None)
    dims = list(range(len(shape))) if dims is None or dims == [] else [dims] if isinstance(dims, int) else list(dims)
    dims = [d % len(shape) for d in dims] if shape else []
    kept = [d for d in range(len(shape)) if d not in dims]
    order = [*kept, *dims]

    def flat(t: torch.Tensor) -> torch.Tensor:
        return t.permute(order).reshape(*(shape[d] for d in kept), -1)

    def whole(t: torch.Tensor) -> torch.Tensor:
        return t.reshape([shape[d] for d in order]).permute([order.index(d) for d in range(len(shape))])

    return flat, whole


def _crossed(x, r, places, places_r, y, yr, m, axis: int = -1) -> torch.Tensor:
    """With c the larger of both maxima: (c - y') m to the place of x's maximum, (y - c) m to that of r's."""
    c = torch.maximum(y, yr)
    first = _over((c - yr) * m, y - r.gather(axis, places))
    second = _over((y - c) * m, x.gather(axis, places_r) - yr)
    given = torch.zeros(x.shape, dtype=m.dtype, device=m.device)
    return given.scatter_add_(axis, places, first).scatter_add_(axis, places_r, second)


def _over(given: torch.Tensor, d: torch.Tensor) -> torch.Tensor:
    return (given / d).masked_fill_(d.abs() < 1e-7, 0)


# ---- softmax and its kin: exp(x - logsumexp(x)), composed ----------------------------------------------------------


def log_mean(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The logarithmic mean (e^a - e^b) / (a - b) of two numbers given by their logarithms."""
    high, d = torch.maximum(a, b), (a - b).abs()
    near = d < 1e-4
    share = torch.where(near, 1 - d / 2 + d * d / 6, -torch.expm1(-d) / torch.where(near, 1, d))
    return torch.where(high == -torch.inf, 0, high.exp() * share)


def _weights(x: torch.Tensor, r: torch.Tensor, dims: list[int]) -> tuple[torch.Tensor, ...]:
    """The multipliers of logsumexp, and both logsumexps."""
    s, sr = x.logsumexp(dims, True), r.logsumexp(dims, True)
    c = torch.maximum(s, sr)
    c = torch.where(c.isfinite(), c, 0)
    below = log_mean(s - c, sr - c)
    return log_mean(x - c, r - c) / torch.where(below == 0, 1, below), s, sr


def _logs(x: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
    return torch.where(s == -torch.inf, -torch.inf, x - s)


@rule("_softmax", "_safe_softmax")
def _softmax(pair: Pair, ms: Multipliers) -> Multipliers:
    x, r, m, dims = pair.xs[0].double(), pair.rs[0].double(), ms[0].double(), [pair.given(1)]
    w, s, sr = _weights(x, r, dims)
    carried = log_mean(_logs(x, s), _logs(r, sr)) * m
    return [(carried - w * carried.sum(dims, keepdim=True)).to(pair.xs[0].dtype)]


@rule("_log_softmax")
def _log_softmax(pair: Pair, ms: Multipliers) -> Multipliers:
    dims = [pair.given(1)]
    w, _, _ = _weights(pair.xs[0].double(), pair.rs[0].double(), dims)
    m = ms[0].double()
    return [(m - w * m.sum(dims, keepdim=True)).to(pair.xs[0].dtype)]


@rule("logsumexp")
def _logsumexp(pair: Pair, ms: Multipliers) -> Multipliers:
    x, dims = pair.xs[0].double(), pair.given(1)
    dims = [dims] if isinstance(dims, int) else list(dims)
    m = ms[0].double()
    if not pair.given(2, False):
        for d in sorted(d % x.ndim for d in dims):
            m = m.unsqueeze(d)
    return [(m * _weights(x, pair.rs[0].double(), dims)[0]).to(pair.xs[0].dtype)]
