"""How each operation hands its output's multiplier back, so that its inputs account for its output's difference.

A rule takes the operation in both runs and the multipliers of its outputs (None where nothing arrived), and gives one
multiplier for each active input, None for nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from dlexplain.frameworks.graph.torch_pairs import Pair, pulled, pulled_partly, real, sane, shapley, slope, summed_to
from dlexplain.frameworks.graph.torch_tape import WORKING, Refusal, Value

Multipliers = list[torch.Tensor | None]
Rule = Callable[[Pair, Multipliers], Multipliers]

_OWN_TRANSPOSE = """
    add sub rsub neg sum mean cumsum trace copy contiguous view reshape _unsafe_view _reshape_alias expand permute transpose
    t squeeze unsqueeze flatten movedim select slice split split_with_sizes unsafe_split unsafe_split_with_sizes unbind chunk
    narrow diagonal unfold as_strided slice_scatter select_scatter diagonal_scatter slice_backward select_backward cat stack
    hstack vstack repeat repeat_interleave tile flip roll rot90 tril triu diag diag_embed constant_pad_nd reflection_pad1d
    reflection_pad2d reflection_pad3d replication_pad1d replication_pad2d replication_pad3d im2col col2im pixel_shuffle
    pixel_unshuffle channel_shuffle native_channel_shuffle avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d
    _adaptive_avg_pool2d _adaptive_avg_pool3d upsample_nearest1d upsample_nearest2d upsample_nearest3d
    _upsample_nearest_exact1d _upsample_nearest_exact2d _upsample_nearest_exact3d upsample_linear1d upsample_bilinear2d
    upsample_trilinear3d upsample_bicubic2d _upsample_bilinear2d_aa _upsample_bicubic2d_aa _upsample_lanczos2d_aa view_copy
    expand_copy permute_copy select_copy slice_copy squeeze_copy unsqueeze_copy transpose_copy t_copy fill zero conj _conj
    resolve_conj resolve_neg real imag complex view_as_real view_as_complex _fft_r2c _fft_c2r _fft_c2c
"""
# Linear in all their active inputs together.
LINEAR = frozenset(_OWN_TRANSPOSE.split())
# Linear in what they gather or scatter; the places (by argument position) must be the same in both runs.
_SECOND_OR_THIRD = {
    1: "index _unsafe_index embedding take take_along_dim grid_sampler_2d grid_sampler_3d index_put _unsafe_index_put "
    "_index_put_impl masked_select masked_scatter max_unpool2d max_unpool3d",
    2: "gather index_select scatter scatter_add index_add index_copy",
}
PLACED = {name: {at} for at, names in _SECOND_OR_THIRD.items() for name in names.split()} | {"_embedding_bag": {1, 2}}
# Functions of one place each although Torch's own tag does not say so.
_ALSO_POINTWISE = "floor_divide hardswish _prelu_kernel _to_copy log_sigmoid_forward bucketize searchsorted isin"
POINTWISE = frozenset(_ALSO_POINTWISE.split())
_SORTING = ("sort", "topk", "median", "nanmedian", "kthvalue", "mode")

RULES: dict[str, Rule] = {}


def rule(*names: str) -> Callable[[Rule], Rule]:
    def enter(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(names, function))
        return function

    return enter


def back(pair: Pair, ms: Multipliers) -> Multipliers:
    """The multipliers of the active inputs. Raises `Refusal`."""
    name = pair.name
    if name in RULES:
        return RULES[name](pair, ms)
    if name in LINEAR:
        return linear(pair, ms)
    if name in PLACED:
        return _placed(pair, ms)
    if not pair.values:
        if not any(m is not None and bool(m.any()) for m in ms):
            return []
        raise pair.refuse("its result is left to chance, so the input alone does not explain the output.")
    if torch.Tag.pointwise in pair.op.tags or name in POINTWISE:
        return _pointwise(pair, ms)
    if name in _SORTING:
        return _sorted(pair, ms)
    raise pair.refuse("there is no rule for it.")


def linear(pair: Pair, ms: Multipliers) -> Multipliers:
    out = pair.x.outs[0].tensor
    drop = () if out.is_floating_point() or out.is_complex() else ("dtype",)
    # A transpose of its own asks for shapes only, but where strides tell what is read.
    at = pair.xs if pair.name == "as_strided" else [pair.blank(i) for i in range(len(pair.values))]
    return pulled(pair, at, ms, drop)


@rule("view", "_unsafe_view", "reshape", "_reshape_alias")
def _reshaped(pair: Pair, ms: Multipliers) -> Multipliers:
    return [ms[0].reshape(pair.shape(0))]


@rule("expand")
def _expanded(pair: Pair, ms: Multipliers) -> Multipliers:
    return [summed_to(ms[0], pair.shape(0))]


def _placed(pair: Pair, ms: Multipliers) -> Multipliers:
    places = PLACED[pair.name]
    fixed = [any(s[0] in places for s in slots) for slots in pair.slots]
    for i, is_place in enumerate(fixed):
        if is_place and not pair.equal(i):
            raise pair.refuse("it reads or writes other places on the reference than on the input.")
    return pulled_partly(pair, ms, fixed)


def _pointwise(pair: Pair, ms: Multipliers) -> Multipliers:
    if ms[0] is None:
        return [None] * len(pair.values)
    if pair.y.is_complex() or any(x.is_complex() for x in pair.xs):
        raise pair.refuse("it works on complex numbers.")
    return slope(pair, ms[0]) if len(pair.values) == 1 else shapley(pair, ms[0])


def _sorted(pair: Pair, ms: Multipliers) -> Multipliers:
    if not torch.equal(*pair.outs(1)):
        raise pair.refuse("it orders or selects differently on the reference than on the input.")
    return pulled(pair, pair.xs, ms)


# ---- element-wise operations whose slope has a closed form ---------------------------------------------------------


@rule("detach", "alias", "clone", "lift", "lift_fresh", "positive", "view_as")
def _same(pair: Pair, ms: Multipliers) -> Multipliers:
    """What is explained is the function computed, so cutting a gradient cuts nothing."""
    return [ms[0]]


@rule("relu")
def _relu(pair: Pair, ms: Multipliers) -> Multipliers:
    """Δf/Δx in few passes: the larger of both over their distance, which is 1 from there on and 0 below 0."""
    x, r = pair.xs[0], pair.rs[0]
    distance = (x - r).abs_().clamp_min_(torch.finfo(x.dtype).tiny)
    return [torch.maximum(x, r).div_(distance).clamp_(0, 1).mul_(ms[0])]


@rule("hardtanh")
def _clipped(pair: Pair, ms: Multipliers) -> Multipliers:
    """As any function of one place, in fewer passes: with both inside the slope is exactly 1, outside on one side 0."""
    x, low, high = pair.xs[0], pair.named("min_val"), pair.named("max_val")
    d = x - pair.rs[0]
    slopes = (pair.y - pair.yr).div_(d)
    inside = ((x > low) & (x < high)).to(x.dtype)
    return [torch.where(d.abs_() < 1e-6, inside, slopes).mul_(ms[0])]


@rule("mul")
def _product(pair: Pair, ms: Multipliers) -> Multipliers:
    """Each factor's Shapley value: the mean of the other over both runs."""
    m, found = ms[0], []
    for i, slots in enumerate(pair.slots):
        total = 0
        for position, _ in slots:
            other = _mean(pair, 1 - position)
            other = (
                other.conj() if isinstance(other, complex) or (torch.is_tensor(other) and other.is_complex()) else other
            )
            product = m * other
            product = product.real if product.is_complex() and not pair.values[i].tensor.is_complex() else product
            total = total + summed_to(sane(product).expand(m.shape), pair.shape(i))
        found.append(total)
    return found


@rule("div")
def _quotient(pair: Pair, ms: Multipliers) -> Multipliers:
    if pair.x.kwargs.get("rounding_mode") is not None or len(pair.values) != sum(map(len, pair.slots)):
        return _pointwise(pair, ms)
    m, found = ms[0], []
    for i, ((position, _),) in enumerate(pair.slots):
        if position == 0:
            if not isinstance(pair.x.args[1], Value):
                factor = 1 / pair.x.args[1]
            else:
                b, br = map(real, pair.both(1))
                factor = (1 / b + 1 / br) / 2 if pair.x.args[1].active else 1 / b
        else:
            b, br = map(real, pair.both(1))
            factor = -_mean(pair, 0) / (b * br)
        found.append(summed_to(sane(m * factor).expand(m.shape), pair.shape(i)))
    return found


def _mean(pair: Pair, position: int) -> torch.Tensor | float:
    """An argument's mean over both runs; what it is where it is a number or does not vary."""
    value = pair.x.args[position]
    if not isinstance(value, Value):
        return value
    if not value.active:
        return real(pair.given(position))
    x, r = pair.both(position)
    return (real(x) + real(r)) / 2


@rule("_to_copy")
def _cast(pair: Pair, ms: Multipliers) -> Multipliers:
    exact = (torch.float32, torch.float64)
    if pair.y.is_complex() or (pair.xs[0].is_floating_point() and pair.y.dtype in exact):
        return [ms[0].real if ms[0].is_complex() and not pair.xs[0].is_complex() else ms[0]]
    return _pointwise(pair, ms)


@rule("as_strided_scatter")
def _written(pair: Pair, ms: Multipliers) -> Multipliers:
    """What was written takes its place's multiplier; what was there before keeps the others."""
    m, place = ms[0].contiguous(), pair.x.args[2:]
    found: Multipliers = []
    for slots in pair.slots:
        part = m.as_strided(*place)
        before = torch.as_strided_scatter(m, torch.zeros_like(part), *place)
        found.append(sum(before if position == 0 else part for position, _ in slots))
    return found


@rule("where")
def _where(pair: Pair, ms: Multipliers) -> Multipliers:
    """Where both runs choose alike the chosen one gets all. Elsewhere the Shapley value; the condition gets all
    where a branch not chosen is not finite."""
    m, condition = ms[0], pair.active(0)
    if condition is None:
        return pulled(pair, pair.xs, ms)
    c, cr = pair.both(0)
    alike = c == cr
    with torch.enable_grad():
        leaves = [x if i == condition else real(x).detach().requires_grad_() for i, x in enumerate(pair.xs)]
        out = pair.run(leaves)
        free = [leaf for i, leaf in enumerate(leaves) if i != condition]
        plain = list(torch.autograd.grad(out, free, torch.where(alike, m, 0))) if free else []
    if bool(alike.all()):
        plain.insert(condition, None)
        return plain
    wide = torch.where(alike, 0, m)
    change = torch.where(alike, 0, real(pair.y) - real(pair.yr))
    a, ar, b, br = (real(t) for p in (1, 2) for t in _either(pair, p))
    da, db = a - ar, b - br
    # Shapley over condition, a and b, with values v(c, a, b): a counts where the condition holds in one run only.
    shares = {1: 0.5 * da * (c.to(da.dtype) + cr.to(da.dtype)), 2: 0.5 * db * (2 - c.to(db.dtype) - cr.to(db.dtype))}
    finite = (a.isfinite() & ar.isfinite() & b.isfinite() & br.isfinite()).expand(m.shape)
    given = sum(
        (torch.where(finite, shares[s[0]], 0) for i, slots in enumerate(pair.slots) if i != condition for s in slots),
        torch.zeros_like(m),
    )
    sign = c.to(m.dtype) - cr.to(m.dtype)
    found: Multipliers = []
    rest = iter(plain)
    for i, slots in enumerate(pair.slots):
        if i == condition:
            found.append(summed_to((wide * (change - given) * sign).expand(m.shape), c.shape))
            continue
        half = sum(0.5 * torch.where(finite, wide, 0) for s in slots)
        found.append(next(rest) + summed_to(half.expand(m.shape), pair.shape(i)))
    return found


def _either(pair: Pair, position: int) -> tuple[torch.Tensor, torch.Tensor]:
    value = pair.x.args[position]
    if isinstance(value, Value):
        return pair.both(position)
    number = torch.as_tensor(float(value), device=pair.y.device)
    return number, number


# ---- products of matrices and kernels ------------------------------------------------------------------------------


@rule(
    "mm",
    "bmm",
    "mv",
    "dot",
    "matmul",
    "convolution",
    "_trilinear",
    "addmm",
    "baddbmm",
    "addmv",
    "addbmm",
    "linear",
    "_sparse_addmm",
    "_sparse_mm",
)
def _bilinear(pair: Pair, ms: Multipliers) -> Multipliers:
    """Linear in each factor: its transpose at the mean of the other factor."""
    if len(pair.values) == 1 and len(pair.slots[0]) == 1:
        return _one_factor(pair, ms)
    means = [(x + r) / 2 for x, r in zip(pair.xs, pair.rs, strict=True)]
    if pair.name == "_trilinear" and len(pair.values) > 2:
        raise pair.refuse("all of its three factors vary.")
    return pulled(pair, means, ms)


def _one_factor(pair: Pair, ms: Multipliers) -> Multipliers:
    m, at = ms[0], pair.slots[0][0][0]
    if pair.name == "addmm" and at == 1 and not pair.x.kwargs:
        return [m @ pair.given(2).t()]
    if pair.name == "mm":
        return [m @ pair.given(1).t() if at == 0 else pair.given(0).t() @ m]
    if pair.name == "bmm":
        left, right = pair.given(0), pair.given(1)
        return [torch.bmm(m, right.transpose(1, 2)) if at == 0 else torch.bmm(left.transpose(1, 2), m)]
    if pair.name == "convolution" and at == 0:
        weight, _, *rest = (pair.given(i) for i in range(1, 9))
        # Asked for the input's shape and order only. Channels last is several times as fast on large blocks.
        order = torch.channels_last if m.ndim == 4 else torch.contiguous_format
        room = torch.empty(pair.shape(0), dtype=m.dtype, device=m.device, memory_format=order)
        m = m.contiguous(memory_format=order)
        found = torch.ops.aten.convolution_backward(m, room, weight, None, *rest, [True, False, False])
        return [found[0]]
    return pulled(pair, pair.xs, ms)


@rule("native_batch_norm", "_native_batch_norm_legit_no_training", "cudnn_batch_norm")
def _batch_norm(pair: Pair, ms: Multipliers) -> Multipliers:
    """With running statistics: a scale and a shift."""
    if pair.active(0) is None or len(pair.values) > 1 or pair.named("training", False):
        raise pair.refuse("its statistics or its weights vary with the input.")
    weight, variance, eps = pair.named("weight"), pair.named("running_var"), pair.named("eps")
    scale = (variance + eps).rsqrt() * (1 if weight is None else weight)
    return [ms[0] * scale.reshape(-1, *[1] * (ms[0].ndim - 2))]


__all__ = ["RULES", "WORKING", "Refusal", "back"]
