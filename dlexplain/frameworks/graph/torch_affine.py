"""Weighted linear operations with what is added and scaled right after them: one affine map z = s (W x) + t each."""

from __future__ import annotations

import functools

import torch

from dlexplain.frameworks.graph.torch_pairs import Pair
from dlexplain.frameworks.graph.torch_rows import Rows
from dlexplain.frameworks.graph.torch_run import Run
from dlexplain.frameworks.graph.torch_tape import Step, Value

_WEIGHTED = {  # the arguments that are multiplied
    **dict.fromkeys(("mm", "bmm", "mv", "matmul", "dot"), (0, 1)),
    **dict.fromkeys(("addmm", "baddbmm", "addmv"), (1, 2)),
    "convolution": (0, 1),
}
_SHAPED = frozenset(("view", "_unsafe_view", "reshape", "_reshape_alias", "squeeze", "unsqueeze"))
_SCALED = frozenset(
    ("add", "sub", "rsub", "mul", "div", "neg", "native_batch_norm", "_native_batch_norm_legit_no_training")
)
_PLAIN = {"addmm": torch.mm, "baddbmm": torch.bmm, "addmv": torch.mv}


class Affine:
    """One such map: the steps from the product to the last one, and whether it is the `first` from the entries."""

    def __init__(self, steps: list[Step], first: bool) -> None:
        self.steps, self.first = steps, first
        head = steps[0]
        at = _WEIGHTED[head.name]
        self._x_at = next(i for i in at if head.args[i].active)
        self._w_at = next(i for i in at if i != self._x_at)
        self.x, self.weight = head.args[self._x_at].tensor, head.args[self._w_at].tensor

    @property
    def convolves(self) -> bool:
        return self.steps[0].name == "convolution"

    @functools.cached_property
    def z(self) -> torch.Tensor:
        return self.steps[-1].outs[0].tensor

    @functools.cached_property
    def bias(self) -> torch.Tensor:
        """What comes out at x = 0, in the shape of z."""
        head = self.steps[0]
        values = [torch.zeros_like(self.x) if a is head.args[self._x_at] else a for a in head.args]
        return self._followed(head.op(*map(_tensor, values), **{k: _tensor(v) for k, v in head.kwargs.items()}))

    @functools.cached_property
    def scale(self) -> torch.Tensor:
        """The factor of each product, in the shape of the product."""
        empty = torch.zeros_like(self.steps[0].outs[0].tensor)
        return (self._followed(empty + 1) - self._followed(empty)).reshape(empty.shape)

    def product(self, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """W x, with other weights and inputs in their places."""
        head = self.steps[0]
        if self.convolves:
            return head.op(x, weight, None, *head.args[3:])
        left, right = (x, weight) if self._x_at < self._w_at else (weight, x)
        made = _PLAIN[head.name](left, right) if head.name in _PLAIN else head.op(left, right)
        return made * head.kwargs.get("alpha", 1)

    def transposed(self, weight: torch.Tensor, given: torch.Tensor) -> torch.Tensor:
        """Wᵀ given, in the shape of x."""
        with torch.enable_grad():
            leaf = torch.zeros_like(self.x).requires_grad_()
            return torch.autograd.grad(self.product(leaf, weight), leaf, given)[0]

    def in_product(self, given: torch.Tensor) -> torch.Tensor:
        """What is in the shape of z, in the shape of the product."""
        return given.reshape(self.steps[0].outs[0].tensor.shape)

    def _followed(self, y: torch.Tensor) -> torch.Tensor:
        for step in self.steps[1:]:
            y = Pair(step, step, Rows()).run([y])
            y = y if isinstance(y, torch.Tensor) else y[0]
        return y


def affine_maps(run: Run, head: int) -> dict[Step, Affine]:
    """By its last step each map on the way to an output."""
    needed = _needed(run, head)
    readers: dict[Value, list[Step]] = {}
    behind: set[Value] = set()  # values that come after some weighted operation
    for step in needed:
        for value in set(step.values()):
            readers.setdefault(value, []).append(step)
    found: dict[Step, Affine] = {}
    for step in needed:
        later = any(v in behind for v in step.values())
        if _weighs(step):
            steps = [step]
            while (after := _after(steps[-1], readers, run.outputs[head])) is not None:
                steps.append(after)
            found[steps[-1]] = Affine(steps, not later)
            later = True
        if later:
            behind.update(o for o in step.outs if o is not None)
    return found


def _needed(run: Run, head: int) -> list[Step]:
    """The steps on which the output depends, in order."""
    wanted, kept = {run.outputs[head]}, []
    for step in reversed(run.steps):
        if any(o in wanted for o in step.outs if o is not None):
            kept.append(step)
            wanted.update(v for v in step.values() if v.active)
    return kept[::-1]


def _weighs(step: Step) -> bool:
    at = _WEIGHTED.get(step.name)
    if at is None or sum(v.active for v in step.values()) != 1:
        return False
    return any(step.args[i].active for i in at)


def _after(step: Step, readers: dict[Value, list[Step]], output: Value) -> Step | None:
    """The only step that reads the step's output, where it shifts, scales or reshapes it by constants."""
    made = step.outs[0]
    after = readers.get(made, [])
    if made is output or len(after) != 1 or after[0].name not in _SHAPED | _SCALED:
        return None
    # Squares and what reads it twice are not affine; broadcasting would read it more than once.
    once = sum(v.active for v in after[0].values()) == 1
    alike = after[0].outs[0].tensor.numel() == made.tensor.numel()
    return after[0] if once and alike and not _divides(after[0], made) else None


def _divides(step: Step, made: Value) -> bool:
    return step.name == "div" and (step.args[0] is not made or step.kwargs.get("rounding_mode") is not None)


def _tensor(value: object) -> object:
    return value.tensor if isinstance(value, Value) else value
