"""One operation as it ran twice, on the inputs and on the references, and the arithmetic that its rules share."""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any

import torch

from dlexplain.frameworks.graph.torch_rows import Rows
from dlexplain.frameworks.graph.torch_tape import Refusal, Step, Value

Slot = tuple[int | str, int | None]  # argument by position or name, and the place within a list of tensors


class Pair:
    """`values`: its active inputs, once each although used twice; `slots`: where each is used.

    `xs`, `rs`: their tensors in the two runs, made when asked for; `y`, `yr`: the first output's.
    """

    def __init__(self, x: Step, r: Step, rows: Rows) -> None:
        self.x, self.r, self.op, self.name, self._rows = x, r, x.op, x.name, rows
        self.values: list[Value] = []
        self._lower: list[Value] = []
        self.slots: list[list[Slot]] = []
        for slot, value in _slots(x):
            if not value.active:
                continue
            if value in self.values:
                self.slots[self.values.index(value)].append(slot)
            else:
                self.values.append(value), self.slots.append([slot]), self._lower.append(_at(r, slot))

    @functools.cached_property
    def xs(self) -> list[torch.Tensor]:
        return [self._rows.x(v) for v in self.values]

    @functools.cached_property
    def rs(self) -> list[torch.Tensor]:
        return [self._rows.r(v) for v in self._lower]

    @functools.cached_property
    def y(self) -> torch.Tensor:
        return self._rows.x(self.x.outs[0])

    @functools.cached_property
    def yr(self) -> torch.Tensor:
        return self._rows.r(self.r.outs[0])

    def outs(self, i: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self._rows.x(self.x.outs[i]), self._rows.r(self.r.outs[i])

    def shape(self, i: int) -> torch.Size:
        """The shape of an active input, without making it."""
        return self._rows.shape(self.values[i])

    def length(self, value: Value, dim: int) -> int:
        """How long one of its inputs is along an axis; empty ones that are joined to others may have but one axis."""
        shape = self._rows.shape(value)
        return shape[dim] if len(shape) > 1 or len(self.x.outs[0].tensor.shape) == 1 else 0

    def blank(self, i: int) -> torch.Tensor:
        """A tensor of that shape and type, for operations whose transpose asks for no more."""
        like = self.values[i].tensor
        like = (
            like.new_zeros(())
            if like.is_floating_point() or like.is_complex()
            else like.new_zeros((), dtype=torch.float32)
        )
        return like.expand(self.shape(i))

    def active(self, position: int | str) -> int | None:
        """Which active input stands at an argument."""
        return next((i for i, slots in enumerate(self.slots) for s in slots if s[0] == position), None)

    def given(self, position: int, default: Any = None) -> Any:
        """An argument of the run on the inputs: a tensor, or what it is."""
        value = self.x.args[position] if position < len(self.x.args) else default
        return self._rows.x(value) if isinstance(value, Value) else value

    def both(self, position: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self._rows.x(self.x.args[position]), self._rows.r(self.r.args[position])

    def named(self, name: str, default: Any = None) -> Any:
        """An argument by its name in the operation's schema."""
        for position, argument in enumerate(self.op._schema.arguments):
            if argument.name == name:
                found = self.x.kwargs.get(name, self.given(position, argument.default_value))
                return self._plain(found)
        return default

    def run(self, actives: list[torch.Tensor], drop: tuple[str, ...] = ()) -> Any:
        """The operation again, on other tensors in the places of its active inputs."""
        args = [self._plain(a) for a in self.x.args]
        kwargs = {k: self._plain(v) for k, v in self.x.kwargs.items() if k not in drop}
        for tensor, slots in zip(actives, self.slots, strict=True):
            for position, part in slots:
                holder = args if isinstance(position, int) else kwargs
                if part is None:
                    holder[position] = tensor
                else:
                    holder[position][part] = tensor
        return self.op(*args, **kwargs)

    def _plain(self, arg: Any) -> Any:
        """Constants as tensors; what is active is left for who asks."""
        if isinstance(arg, Value):
            return None if arg.active else self._rows.x(arg)
        return [self._plain(p) for p in arg] if isinstance(arg, (list, tuple)) else arg

    def equal(self, i: int) -> bool:
        return torch.equal(self.xs[i], self.rs[i])

    def refuse(self, why: str) -> Refusal:
        return Refusal(self.name, why)


def _slots(step: Step) -> list[tuple[Slot, Value]]:
    found: list[tuple[Slot, Value]] = []
    for position, arg in (*enumerate(step.args), *step.kwargs.items()):
        if isinstance(arg, Value):
            found.append(((position, None), arg))
        elif isinstance(arg, (list, tuple)):
            found += [((position, i), part) for i, part in enumerate(arg) if isinstance(part, Value)]
    return found


def _at(step: Step, slot: Slot) -> Value:
    position, part = slot
    arg = step.args[position] if isinstance(position, int) else step.kwargs[position]
    return arg if part is None else arg[part]


def real(tensor: torch.Tensor) -> torch.Tensor:
    """Numbers whose difference can be taken: truth values and whole numbers become 0/1 and floats."""
    return tensor if tensor.is_floating_point() or tensor.is_complex() else tensor.to(torch.float32)


def summed_to(tensor: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """Back over what broadcasting repeated."""
    return tensor if tensor.shape == shape else tensor.sum_to_size(shape)


def pulled(pair: Pair, at: list[torch.Tensor], ms: list[torch.Tensor | None], drop: tuple[str, ...] = ()) -> list:
    """The operation's own transpose (VJP) at these values of its active inputs; None where there is none."""
    with torch.enable_grad():
        leaves = [real(t).detach().requires_grad_() for t in at]
        outs = pair.run(leaves, drop)
        outs = [outs] if isinstance(outs, torch.Tensor) else list(outs)
        wanted = [(o, m) for o, m in zip(outs, ms, strict=False) if m is not None and o.requires_grad]
        if not wanted:
            return [None] * len(leaves)
        return list(
            torch.autograd.grad([o for o, _ in wanted], leaves, [m.to(o.dtype) for o, m in wanted], allow_unused=True)
        )


def pulled_partly(pair: Pair, ms: list, fixed: list[bool]) -> list:
    """The transpose with respect to the inputs that are not places."""
    if all(fixed):
        return [None] * len(fixed)
    with torch.enable_grad():
        leaves = [x if f else real(x).detach().requires_grad_() for x, f in zip(pair.xs, fixed, strict=True)]
        outs = pair.run(leaves)
        outs = [outs] if isinstance(outs, torch.Tensor) else list(outs)
        wanted = [(o, m) for o, m in zip(outs, ms, strict=False) if m is not None and o.requires_grad]
        free = [leaf for leaf, f in zip(leaves, fixed, strict=True) if not f]
        if not wanted:
            return [None] * len(fixed)
        found = iter(
            torch.autograd.grad([o for o, _ in wanted], free, [m.to(o.dtype) for o, m in wanted], allow_unused=True)
        )
    return [None if f else next(found) for f in fixed]


def tiny(x: torch.Tensor, r: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The difference, and where it is too small to divide by."""
    d = x - r
    return d, d.abs() < 1e-6 * torch.maximum(x.abs(), r.abs()).clamp_min(1)


def ratio(top: torch.Tensor, d: torch.Tensor, small: torch.Tensor, otherwise: torch.Tensor | float) -> torch.Tensor:
    return sane(torch.where(small, otherwise, top / d.masked_fill(small, 1)))


def sane(product: torch.Tensor) -> torch.Tensor:
    """Nothing times something that is not finite is nothing: such a branch was computed and not used."""
    return torch.nan_to_num(product, nan=0.0, posinf=torch.inf, neginf=-torch.inf)


def slope(pair: Pair, m: torch.Tensor) -> list[torch.Tensor]:
    """Element-wise, one active input: m Δf/Δx, and m f' where Δx is next to nothing."""
    x, r = real(pair.xs[0]), real(pair.rs[0])
    d, small = tiny(x, r)
    still: torch.Tensor | float = 0.0
    if bool(small.any()):
        still = _derivative(pair, [x], m)[0]
    return [_summed(ratio(m * (real(pair.y) - real(pair.yr)), d, small, still), m, x)]


def _derivative(pair: Pair, at: list[torch.Tensor], m: torch.Tensor) -> list[torch.Tensor]:
    """m f' for each active input in the output's shape; 0 where the operation has no finite derivative."""
    wide = [a.expand(m.shape) for a in at]
    try:
        found = pulled(pair, wide, [m])
    except (RuntimeError, NotImplementedError):  # rounding, comparison and the like: no derivative to ask for
        found = [None] * len(at)
    return [torch.zeros_like(m) if f is None else torch.where(f.isfinite(), f, 0) for f in found]


def _summed(product: torch.Tensor, m: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return summed_to(product.expand(m.shape), x.shape)


def shapley(pair: Pair, m: torch.Tensor) -> list[torch.Tensor]:
    """Element-wise, two or three active inputs: each one's exact Shapley value over its difference."""
    n = len(pair.xs)
    if n > 4:
        raise pair.refuse("it has more than four inputs that vary.")
    corners = {c: real(pair.run([(pair.xs, pair.rs)[s][i] for i, s in enumerate(c)])) for c in _corners(n)}
    return [_player(pair, m, i, corners) for i in range(n)]


def _player(pair: Pair, m: torch.Tensor, i: int, corners: dict) -> torch.Tensor:
    n = len(pair.xs)
    x, r = real(pair.xs[i]), real(pair.rs[i])
    d, small = tiny(x, r)
    share = torch.zeros_like(m)
    slopes = torch.zeros_like(m) if bool(small.any()) else None
    for others in _corners(n - 1):
        k = others.count(0)
        weight = math.factorial(k) * math.factorial(n - 1 - k) / math.factorial(n)
        with_x, with_r = ((*others[:i], s, *others[i:]) for s in (0, 1))
        share = share + weight * (corners[with_x] - corners[with_r])
        if slopes is not None:
            at = [(real(pair.xs[j]), real(pair.rs[j]))[s] for j, s in enumerate(with_x)]
            kept = [a if real(p).dtype == p.dtype else a.to(p.dtype) for a, p in zip(at, pair.xs, strict=True)]
            slopes = slopes + weight * _one_derivative(pair, kept, i, m)
    return _summed(ratio(m * share, d, small, 0.0 if slopes is None else slopes), m, x)


def _one_derivative(pair: Pair, at: list[torch.Tensor], i: int, m: torch.Tensor) -> torch.Tensor:
    with torch.enable_grad():
        leaf = real(at[i]).expand(m.shape).detach().requires_grad_()
        try:
            out = pair.run([leaf if j == i else a for j, a in enumerate(at)])
        except RuntimeError:  # a truth value has no neighbour to differ from
            return torch.zeros_like(m)
        if not out.requires_grad:
            return torch.zeros_like(m)
        (found,) = torch.autograd.grad(out, leaf, m.to(out.dtype))
    return torch.where(found.isfinite(), found, 0)


def _corners(n: int) -> list[tuple[int, ...]]:
    """0: the input's value, 1: the reference's."""
    return list(itertools.product((0, 1), repeat=n))
