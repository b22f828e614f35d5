"""Layer-wise relevance along a tape: the target's score handed back from each operation to its inputs.

Bach and others 2015; the rules as in Montavon and others 2019, An Overview, and for gamma with negative sums as Zennit
generalises it; softmax and products as in AttnLRP (arXiv:2402.05602). Where a denominator is zero nothing is handed on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from dlexplain.frameworks.graph.torch_affine import Affine, affine_maps
from dlexplain.frameworks.graph.torch_gates import mixes_spelled
from dlexplain.frameworks.graph.torch_modified import gradient, single
from dlexplain.frameworks.graph.torch_pairs import Pair, pulled, real, summed_to
from dlexplain.frameworks.graph.torch_rows import Rows
from dlexplain.frameworks.graph.torch_rules import LINEAR, PLACED, POINTWISE, Multipliers
from dlexplain.frameworks.graph.torch_run import Run
from dlexplain.frameworks.graph.torch_sets import winner
from dlexplain.frameworks.graph.torch_tape import Step, Value
from dlexplain.frameworks.graph.torch_walk import handed_back, started
from dlexplain.frameworks.questions import Inputs, Target

# Each output is one input or a copy of it: relevance moves as the values do.
_MOVED = """
    view reshape _unsafe_view _reshape_alias expand permute transpose t squeeze unsqueeze flatten movedim select slice split
    split_with_sizes unbind chunk narrow diagonal unfold as_strided as_strided_scatter slice_scatter select_scatter
    diagonal_scatter cat stack repeat repeat_interleave tile flip roll rot90 tril triu diag diag_embed constant_pad_nd
    reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d replication_pad2d replication_pad3d im2col
    pixel_shuffle pixel_unshuffle channel_shuffle native_channel_shuffle upsample_nearest1d upsample_nearest2d
    upsample_nearest3d _upsample_nearest_exact1d _upsample_nearest_exact2d _upsample_nearest_exact3d copy contiguous
    gather index_select index _unsafe_index embedding scatter index_copy index_put masked_select max_unpool2d max_unpool3d
    max_pool2d_with_indices max_pool3d_with_indices adaptive_max_pool2d adaptive_max_pool3d fractional_max_pool2d
    fractional_max_pool3d sort topk median kthvalue maximum minimum where fill
"""
MOVED = frozenset(_MOVED.split())
_BATCHED = ("native_batch_norm", "_native_batch_norm_legit_no_training", "cudnn_batch_norm")
_BILINEAR = frozenset(["mm", "bmm", "mv", "dot", "matmul", "addmm", "baddbmm", "addmv", "convolution", "_trilinear"])


def relevance(model: Any, inputs: Inputs, target: Target, rule: str, options: Mapping[str, float]) -> Inputs:
    """See `Model.relevance`."""

    def walk(run: Run) -> list[torch.Tensor | None]:
        run.steps = mixes_spelled(run)
        start = started(target, run) * real(run.outputs[target.head].tensor)
        hand = Hand(run, target.head, rule, options)
        return handed_back(run, run, target.head, start, Rows(), hand.back)

    return single(model, inputs, walk)


class Hand:
    """How each operation of one run hands its relevance back."""

    def __init__(self, run: Run, head: int, rule: str, options: Mapping[str, float]) -> None:
        self.rule, self.options = rule, options
        maps = affine_maps(run, head)
        self._first = {m.steps[0]: m for m in maps.values()}
        self._inner = {s for m in maps.values() for s in m.steps[1:]}
        self._made: dict[Value, Step] = {o: s for s in run.steps for o in s.outs if o is not None}

    def back(self, pair: Pair, rs: Multipliers) -> Multipliers:
        if not pair.values:
            return []
        if pair.x in self._inner:  # handed to the product in whole, which knows the map
            shape = pair.values[0].tensor.shape
            return [rs[0].reshape(shape)]
        if pair.x in self._first:
            return [self._weighted(self._first[pair.x], rs[0])]
        floats = [v.tensor.is_floating_point() for v in pair.values]
        if not any(floats) or not pair.x.outs[0].tensor.is_floating_point():
            return [None] * len(floats)  # a truth value or a whole number hands nothing on
        name = pair.name
        if name in MOVED:
            return gradient(pair, rs)
        if name in ("_softmax", "_safe_softmax", "_log_softmax", "logsumexp"):
            return [self._softened(pair, rs)]
        if name == "mul":
            return self._product(pair, rs[0], floats)
        if name in _BATCHED:
            z = pair.y - pair.run([torch.zeros_like(pair.xs[0])])[0]
            return [rs[0] * self.steadied(z, z)]
        if name in ("amax", "amin", "max", "min") and len(pair.values) == 1:
            return [winner(pair, rs[0])]
        if name in ("maximum", "minimum") and len(pair.values) == 2:
            a, b = pair.xs
            first = a >= b if name == "maximum" else a <= b
            return [summed_to(torch.where(first == f, rs[0], 0), x.shape) for f, x in ((True, a), (False, b))]
        if name == "div" and len(pair.values) == 2:  # what is divided by is a normaliser: a constant
            at = pair.active(0)
            return [summed_to(rs[0], x.shape) if i == at else None for i, x in enumerate(pair.xs)]
        if name in _BILINEAR and len(pair.values) > 1:
            shared = self.steadied(pair.y, rs[0])
            return [x * g / 2 for x, g in zip(pair.xs, pulled(pair, pair.xs, [shared]), strict=True)]
        if name in LINEAR | PLACED.keys() | _BILINEAR:
            return self._linear(pair, rs, floats)
        return self._elementwise(pair, rs)

    def steadied(self, z: torch.Tensor, r: torch.Tensor) -> torch.Tensor:
        return over(r, z + self.options["epsilon"] * torch.where(z >= 0, 1.0, -1.0).to(z.dtype))

    # ---- operations that are no weighted layer -------------------------------------------------------------------

    def _linear(self, pair: Pair, rs: Multipliers, floats: list[bool]) -> Multipliers:
        """The epsilon rule on what the active inputs add: constants get nothing and take nothing."""
        one = sum(map(len, pair.slots)) == 1
        if one and pair.name in ("add", "sub", "rsub", "neg"):
            return [summed_to(rs[0], pair.xs[0].shape)]
        outs = pair.run(pair.xs)
        rest = (
            None if one else pair.run([torch.zeros_like(x) if f else x for x, f in zip(pair.xs, floats, strict=True)])
        )
        if isinstance(outs, torch.Tensor):
            outs, rest = [outs], None if rest is None else [rest]
        zs = outs if rest is None else [o - q for o, q in zip(outs, rest, strict=True)]
        shared = [None if r is None else self.steadied(z, r) for z, r in zip(zs, rs, strict=False)]
        found = gradient(pair, shared)
        return [None if g is None else x * g for x, g in zip(pair.xs, found, strict=True)]

    def _product(self, pair: Pair, r: torch.Tensor, floats: list[bool]) -> Multipliers:
        """Half to each factor; all to the other one where a factor is a normaliser or a truth value."""
        constant = [not f or self._normalises(v) for f, v in zip(floats, pair.values, strict=True)]
        free = [i for i, c in enumerate(constant) if not c] or list(range(len(floats)))
        # A normaliser and the constant that scales what it gave are one factor, which takes nothing.
        share = r if any(constant) or self._normalised(pair) else r * self.steadied(pair.y, pair.y) / len(free)
        return [summed_to(share, x.shape) if i in free else None for i, x in enumerate(pair.xs)]

    def _normalised(self, pair: Pair) -> bool:
        step = self._made.get(pair.values[0]) if len(pair.values) == 1 else None
        while step is not None and step.name in ("view", "_unsafe_view", "reshape", "_reshape_alias"):
            step = self._made.get(step.args[0])
        return step is not None and step.name == "mul" and any(map(self._normalises, step.values()))

    def _normalises(self, value: Value) -> bool:
        """It is what a deviation is divided by, or a truth value as a number."""
        step = self._made.get(value)
        if step is None:
            return False
        power = step.name == "pow" and isinstance(step.args[1], (int, float)) and step.args[1] < 0
        below = step.name == "div" and not getattr(step.args[0], "active", False)
        truth = step.name == "_to_copy" and not step.args[0].tensor.is_floating_point()
        return power or below or truth or step.name in ("rsqrt", "reciprocal")

    def _softened(self, pair: Pair, rs: Multipliers) -> torch.Tensor:
        """The operation's linear part at x: for softmax x (R - y ΣR)."""
        x, y, r = pair.xs[0], pair.y, rs[0]
        if "softmax" in pair.name:
            shares = y.exp() if "log" in pair.name else y
            return x.nan_to_num(neginf=0.0) * (r - shares * r.sum(pair.given(1), keepdim=True))
        return x.nan_to_num(neginf=0.0) * pulled(pair, [x], [self.steadied(y, r)])[0]

    def _elementwise(self, pair: Pair, rs: Multipliers) -> Multipliers:
        """One place each: relevance passes; several inputs that vary share it evenly."""
        pointwise = torch.Tag.pointwise in pair.op.tags or pair.name in POINTWISE
        if not pointwise and pair.name not in ("detach", "alias", "lift"):
            raise pair.refuse("relevance has no rule for it.")
        r = rs[0] / len(pair.values)
        return [summed_to(r.expand_as(rs[0]), x.shape) for x in pair.xs]

    # ---- weighted layers -----------------------------------------------------------------------------------------

    def _weighted(self, layer: Affine, r: torch.Tensor) -> torch.Tensor:
        composite = self.rule if "_" in self.rule and self.rule not in ("alpha_beta", "z_plus") else None
        rule = self.rule
        if composite is not None:
            inner = {"epsilon_plus_flat": "z_plus", "epsilon_alpha2_beta1_flat": "alpha_beta", "epsilon_gamma": "gamma"}
            rule = inner[composite] if layer.convolves else "epsilon"
            rule = "flat" if layer.first and composite.endswith("flat") else rule
        r = layer.in_product(r)
        if rule == "flat":
            ones = torch.ones_like(layer.weight)
            return layer.transposed(ones, over(r, layer.product(torch.ones_like(layer.x), ones)))
        if rule == "epsilon":
            return layer.x * layer.transposed(layer.weight, layer.scale * self.steadied(layer.in_product(layer.z), r))
        parts = Parts(layer)
        if rule == "gamma":
            return self._gamma(parts, layer, r)
        alpha, beta = {"z_plus": (1, 0), "alpha_beta": (self.options["alpha"], self.options["beta"])}[rule]
        if composite == "epsilon_alpha2_beta1_flat":
            alpha, beta = 2, 1
        found = alpha * parts.back(over(r, parts.positive), positive=True)
        return found - beta * parts.back(over(r, parts.negative), positive=False) if beta else found

    def _gamma(self, parts: Parts, layer: Affine, r: torch.Tensor) -> torch.Tensor:
        """Where the sum is positive its positive parts weigh more, where it is negative its negative ones."""
        gamma, z = self.options["gamma"], layer.in_product(layer.z)
        upper = torch.where(z >= 0, over(r, z + gamma * parts.positive), 0)
        lower = torch.where(z < 0, over(r, z + gamma * parts.negative), 0)
        plain = layer.x * layer.transposed(layer.weight, layer.scale * (upper + lower))
        return plain + gamma * (parts.back(upper, positive=True) + parts.back(lower, positive=False))


class Parts:
    """The positive and the negative products a x of an affine map, apart."""

    def __init__(self, layer: Affine) -> None:
        self._layer = layer
        self._up, self._down = layer.weight.clamp(min=0), layer.weight.clamp(max=0)
        self._x_up, self._x_down = layer.x.clamp(min=0), layer.x.clamp(max=0)
        self._rises, self._falls = layer.scale.clamp(min=0), layer.scale.clamp(max=0)
        bias = layer.in_product(layer.bias)
        raised = layer.product(self._x_up, self._up) + layer.product(self._x_down, self._down)
        lowered = layer.product(self._x_down, self._up) + layer.product(self._x_up, self._down)
        self.positive = self._rises * raised + self._falls * lowered + bias.clamp(min=0)
        self.negative = self._rises * lowered + self._falls * raised + bias.clamp(max=0)

    def back(self, shared: torch.Tensor, positive: bool) -> torch.Tensor:
        """Each input's products of that sign times what their outputs hand back."""
        alike, other = (self._rises * shared, self._falls * shared)
        alike, other = (alike, other) if positive else (other, alike)
        t = self._layer.transposed
        return self._x_up * (t(self._up, alike) + t(self._down, other)) + self._x_down * (
            t(self._down, alike) + t(self._up, other)
        )


def over(r: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
    return torch.where(z == 0, 0, r / torch.where(z == 0, 1, z))
