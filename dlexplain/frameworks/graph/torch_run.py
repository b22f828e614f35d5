"""One run of a model, recorded; two runs compared; a step told where it stands in the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from dlexplain.errors import InputError
from dlexplain.frameworks.graph import torch_sequences  # noqa: F401 (enters its rewrites)
from dlexplain.frameworks.graph.torch_rewrites import REWRITES
from dlexplain.frameworks.graph.torch_tape import Refusal, Step, Tape, Value

_FUSED = (nn.MultiheadAttention, nn.TransformerEncoderLayer, nn.TransformerEncoder)


class Run:
    """One recorded run: its steps, the values of the entries and of the outputs, and a layer's if asked."""

    def __init__(self, model: Any, tensors: tuple, entries: tuple, layer: str | None = None) -> None:
        # Asking for gradients, which are never taken, keeps Torch's attention from its fused kernels for inference. Some
        # models may not be asked: they work with `out=`, or go through NumPy.
        self.gradients = _attends(model)
        try:
            self._record(model, tensors, entries, layer)
        except RuntimeError:
            if not self.gradients:
                raise
            self.gradients = False
            self._record(model, tensors, entries, layer)

    def _record(self, model: Any, tensors: tuple, entries: tuple, layer: str | None) -> None:
        tape = Tape(REWRITES)
        inside: list[Value] = []

        def tap(output: torch.Tensor) -> None:
            with torch.utils._python_dispatch._disable_current_modes():
                inside.append(tape.value(output))

        self.rows = len(entries[0])
        with torch.set_grad_enabled(self.gradients):
            given = [e.detach().requires_grad_(self.gradients).clone() for e in entries]
            self.entries = [tape.enter(e) for e in given]
            try:
                with tape:
                    outputs = model._feed(tensors, given, {layer: tap} if layer else None)
                self.outputs = [tape.value(o) for o in outputs]
            finally:
                self.steps, self.decided = tape.steps, tape.decided
                tape.close()
        if layer and not inside:
            raise InputError(f"layer {layer!r} is not called by the model on these inputs.")
        # The entries are asked for with a layer too: their sum tells whether the walk is exact.
        self.wanted = [*inside[:1], *self.entries]


def _attends(model: Any) -> bool:
    return any(isinstance(module, _FUSED) for module in model.raw.modules())


def checked(x: Run, r: Run) -> None:
    """Both runs took the same way. Raises `Refusal`."""
    read = next((i for (i, a), (_, b) in zip(x.decided, r.decided, strict=False) if a != b), None)
    for i, (a, b) in enumerate(zip(x.steps, r.steps, strict=False)):
        if not alike(a, b, constants=read is not None):
            if read is not None and read <= i:
                break
            raise Refusal(a.name, "the model takes another way on the reference than on the input.", i)
    else:
        if len(x.steps) == len(r.steps):
            return
    at = min(len(x.steps), len(r.steps)) - 1 if read is None else read
    raise Refusal("item", "a number read from the activations steers the model, and differs on the reference.", at)


def alike(a: Step, b: Step, constants: bool, shapes: bool = True) -> bool:
    """The same operation with the same numbers, on tensors of the same shapes and the same constants, if asked."""
    if a.op is not b.op or (
        shapes and [o and o.tensor.shape for o in a.outs] != [o and o.tensor.shape for o in b.outs]
    ):
        return False
    pairs = zip((*a.args, *a.kwargs.values()), (*b.args, *b.kwargs.values()), strict=True)
    return all(_same(u, v, constants) for u, v in pairs)


def constants_differ(x: Run, r: Run) -> tuple[int, str] | None:
    """The first step, and its name, that reads a tensor which is not from the entries and yet differs."""
    for i, (a, b) in enumerate(zip(x.steps, r.steps, strict=True)):
        for v, w in zip(a.values(), b.values(), strict=True):
            if not v.active and not _equal(v, w):
                return i, a.name
    return None


def _same(u: Any, v: Any, constants: bool) -> bool:
    if isinstance(u, (list, tuple)) and isinstance(v, (list, tuple)):
        return len(u) == len(v) and all(_same(p, q, constants) for p, q in zip(u, v, strict=True))
    if isinstance(u, Value) and isinstance(v, Value):
        return u.active == v.active and (u.active or not constants or _equal(u, v))
    return u == v or u is v


def _equal(u: Value, v: Value) -> bool:
    return u.tensor.data_ptr() == v.tensor.data_ptr() or torch.equal(u.tensor, v.tensor)


def located(model: Any, tensors: tuple, entries: tuple, index: int, run: Run | None = None) -> str | None:
    """The layer in which the step with this number is made: the run is repeated with every layer watched."""
    tape = Tape(REWRITES)
    stack: list[str] = []
    found: list[str] = []
    handles = []

    def look() -> None:
        if len(tape.steps) > index >= 0 and not found:
            found.append(stack[-1] if stack else "")

    def entering(name: str) -> Callable:
        return lambda *_: (look(), stack.append(name))[0]

    def leaving(*_: Any) -> None:
        look()
        stack.pop()

    try:
        for name, module in model._modules.items():
            handles.append(module.register_forward_pre_hook(entering(name)))
            handles.append(module.register_forward_hook(leaving))
        gradients = run.gradients if run is not None else _attends(model)
        with torch.set_grad_enabled(gradients):
            given = [e.detach().requires_grad_(gradients).clone() for e in entries]
            for e in given:
                tape.enter(e)
            with tape:
                model._feed(tensors, given)
        look()
    except Refusal:
        return stack[-1] if stack else None
    finally:
        for handle in handles:
            handle.remove()
        tape.close()
    return found[0] if found and found[0] else None
