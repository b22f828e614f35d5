"""The transposes of the commonest linear operations, written down: what `torch_rules` would ask autograd for."""

from __future__ import annotations

import math

import torch

from dlexplain.frameworks.graph.torch_pairs import Pair, summed_to
from dlexplain.frameworks.graph.torch_rules import Multipliers, linear, rule


def _plain(pair: Pair) -> bool:
    """Floating-point numbers of one type, so that nothing is cast on the way."""
    kinds = {v.tensor.dtype for v in (*pair.values, pair.x.outs[0])}
    return len(kinds) == 1 and kinds.pop().is_floating_point


@rule("add", "sub", "rsub")
def _sum_of_two(pair: Pair, ms: Multipliers) -> Multipliers:
    if not _plain(pair):
        return linear(pair, ms)
    m, alpha = ms[0], pair.named("alpha", 1)
    signs = {"add": (1, alpha), "sub": (1, -alpha), "rsub": (-alpha, 1)}[pair.name]
    found: Multipliers = []
    for i, slots in enumerate(pair.slots):
        factor = sum(signs[position] for position, _ in slots)
        found.append(summed_to(m if factor == 1 else m * factor, pair.shape(i)))
    return found


@rule("transpose", "permute", "t", "unsqueeze")
def _turned(pair: Pair, ms: Multipliers) -> Multipliers:
    m, name = ms[0], pair.name
    if name == "t":
        return [m.t()]
    if name == "transpose":
        return [m.transpose(pair.given(1), pair.given(2))]
    if name == "unsqueeze":
        return [m.squeeze(pair.given(1))]
    order = [d % m.ndim for d in pair.given(1)]
    return [m.permute([order.index(d) for d in range(m.ndim)])]


@rule("sum", "mean")
def _total(pair: Pair, ms: Multipliers) -> Multipliers:
    shape = pair.shape(0)
    if not _plain(pair) or not shape:
        return linear(pair, ms)
    dims = pair.named("dim")
    dims = range(len(shape)) if dims is None or dims == [] else [dims] if isinstance(dims, int) else dims
    dims = [d % len(shape) for d in dims]
    m = ms[0].reshape([1 if d in dims else n for d, n in enumerate(shape)])
    count = math.prod(shape[d] for d in dims) if pair.name == "mean" else 1
    return [(m / count).expand(shape)]


@rule("cat")
def _joined(pair: Pair, ms: Multipliers) -> Multipliers:
    if not _plain(pair):
        return linear(pair, ms)
    dim, found = pair.given(1, 0), [None] * len(pair.values)
    parts = pair.x.args[0]
    lengths = [pair.length(part, dim) for part in parts]
    for part, m in zip(parts, torch.split(ms[0], lengths, dim), strict=True):
        if part.active:
            i = pair.values.index(part)
            found[i] = m if found[i] is None else found[i] + m
    return found
