"""DeepLIFT along a tape: two runs recorded, multipliers handed back operation by operation, pairs in blocks."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from dlexplain.errors import InputError
from dlexplain.frameworks.graph import torch_sequences, torch_sets  # noqa: F401 (they enter their rules)
from dlexplain.frameworks.graph.torch_pairs import Pair, real
from dlexplain.frameworks.graph.torch_rewrites import REWRITES
from dlexplain.frameworks.graph.torch_rules import back
from dlexplain.frameworks.graph.torch_tape import Refusal, Step, Tape, Value
from dlexplain.frameworks.questions import Inputs, Target
from dlexplain.frameworks.torch_tensors import numpy_of

# Over this share of the output's change rounding shows, and the walk is repeated in double precision; over the other one
# the books of each operation are looked through.
_ROUGH, _ASTRAY = 5e-5, 1e-3


class Run:
    """One recorded run: its steps, the values of the entries, the score `(rows,)`, and a layer's output if asked."""

    def __init__(self, model: Any, tensors: tuple, entries: tuple, target: Target, layer: str | None = None) -> None:
        try:
            # Asking for gradients keeps Torch from its fused kernels for inference. No gradient is ever taken.
            self._record(model, tensors, [e.detach().requires_grad_().clone() for e in entries], target, layer)
        except RuntimeError:  # the model does something that may not have a gradient, such as `out=` or `.numpy()`
            with torch.no_grad():
                self._record(model, tensors, [e.detach().clone() for e in entries], target, layer)

    def _record(self, model: Any, tensors: tuple, given: list, target: Target, layer: str | None) -> None:
        tape = Tape(REWRITES)
        self.inside: Value | None = None

        def tap(output: torch.Tensor) -> None:
            with torch.utils._python_dispatch._disable_current_modes():
                self.inside = self.inside or tape.value(output)

        with torch.set_grad_enabled(given[0].requires_grad):
            self.entries = [tape.enter(e) for e in given]
            try:
                with tape:
                    outputs = model._feed(tensors, given, {layer: tap} if layer else None)
                    score = model._score(outputs, target)
                self.score = tape.value(score)
            finally:
                self.steps, self.decided = tape.steps, tape.decided
                tape.close()


def checked(x: Run, r: Run) -> None:
    """Both runs took the same way. Raises `Refusal`."""
    read = next((i for (i, a), (_, b) in zip(x.decided, r.decided, strict=False) if a != b), None)
    for i, (a, b) in enumerate(zip(x.steps, r.steps, strict=False)):
        if not _alike(a, b, constants=read is not None):
            if read is not None and read <= i:
                break
            raise Refusal(a.name, "the model takes another way on the reference than on the input.", i)
    else:
        if len(x.steps) == len(r.steps):
            return
    at = min(len(x.steps), len(r.steps)) - 1 if read is None else read
    raise Refusal("item", "a number read from the activations steers the model, and differs on the reference.", at)


def _alike(a: Step, b: Step, constants: bool) -> bool:
    """The same operation with the same numbers, on tensors of the same shapes (and the same constants, if asked)."""
    if a.op is not b.op or [o and o.tensor.shape for o in a.outs] != [o and o.tensor.shape for o in b.outs]:
        return False
    pairs = zip((*a.args, *a.kwargs.values()), (*b.args, *b.kwargs.values()), strict=True)
    return all(_same(u, v, constants) for u, v in pairs)


def _same(u: Any, v: Any, constants: bool) -> bool:
    if isinstance(u, (list, tuple)) and isinstance(v, (list, tuple)):
        return len(u) == len(v) and all(_same(p, q, constants) for p, q in zip(u, v, strict=True))
    if isinstance(u, Value) and isinstance(v, Value):
        return u.active == v.active and (u.active or not constants or _equal(u, v))
    return u == v or u is v


def _equal(u: Value, v: Value) -> bool:
    return u.tensor.data_ptr() == v.tensor.data_ptr() or torch.equal(u.tensor, v.tensor)


def multipliers(x: Run, r: Run, wanted: list[Value], audit: list | None = None) -> list[torch.Tensor | None]:
    """For each wanted value of the run on the inputs, what one unit of its difference adds to the score."""
    checked(x, r)
    held: dict[Value, torch.Tensor] = {x.score: torch.ones_like(x.score.tensor)}
    stop = set(wanted)
    for i in range(len(x.steps) - 1, -1, -1):
        a, b = x.steps[i], r.steps[i]
        ms = [held.get(o) if o in stop else held.pop(o, None) if o is not None else None for o in a.outs]
        if all(m is None for m in ms):
            continue
        pair = Pair(a, b)
        try:
            found = back(pair, ms)
        except Refusal as refusal:
            refusal.index = i
            raise
        if audit is not None:
            audit.append((i, pair, ms, found))
        for value, m in zip(pair.values, found, strict=True):
            if m is not None:
                held[value] = held[value] + m if value in held else m
    return [held.get(value) for value in wanted]


def unbalanced(x: Run, r: Run, wanted: list[Value]) -> tuple[int, str, str] | None:
    """The first operation whose inputs do not account for its output: its step, its name, and what is wrong; None
    where every one does (rounding that adds up)."""
    if not x.score.active:
        return len(x.steps), "output", "it does not come from the inputs by operations that Torch records (NumPy?)."
    for i, (a, b) in enumerate(zip(x.steps, r.steps, strict=True)):
        for v, w in zip(a.values(), b.values(), strict=True):
            if not v.active and not _equal(v, w):
                return i, a.name, "it reads something that varies with the input by ways that Torch does not record."
    audit: list = []
    multipliers(x, r, wanted, audit)
    change = max((x.score.tensor - r.score.tensor).abs().sum().item(), 1e-30)
    for i, pair, ms, found in reversed(audit):
        outs = [(m, a, b) for m, a, b in zip(ms, pair.x.outs, pair.r.outs, strict=False) if m is not None]
        out = sum(_book(m, a.tensor, b.tensor) for m, a, b in outs)
        into = sum(_book(m, a, b) for m, a, b in zip(found, pair.xs, pair.rs, strict=True) if m is not None)
        if not abs(out - into) <= _ASTRAY * change:
            share = abs(out - into) / change
            return i, pair.name, f"its inputs do not account for its output (off by {share:.2g} of the change)."
    return None


def _book(m: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> float:
    d = real(a) - real(b)
    product = (m.conj() * d).real.double() if m.is_complex() else m.double() * d.double()
    return float(torch.where(m == 0, 0, product).sum())


def contributions(
    model: Any,
    inputs: Inputs,
    references: Inputs,
    target: Target,
    rows: int,
    *,
    background: bool = False,
    layer: str | None = None,
) -> Inputs:
    """See `Model.contributions`; `model` is the `TorchModel`."""
    case = Case(model, inputs, references, target, rows, background, layer)
    sums, gaps = case.walked(np.arange(len(inputs[0])))
    rough = np.flatnonzero(gaps > _ROUGH)
    if len(rough):
        finer = case.finer()
        if finer is not None:
            again, gaps[rough] = finer.walked(rough)
            for total, better in zip(sums, again, strict=True):
                total[rough] = better
    if gaps.max(initial=0) > _ASTRAY:
        case.blame(int(np.argmax(gaps)))
    return tuple(sums)


@dataclass(frozen=True, eq=False)
class Case:
    """What `Model.contributions` was asked."""

    model: Any
    inputs: Inputs
    references: Inputs
    target: Target
    rows: int
    background: bool
    layer: str | None

    def walked(self, samples: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        """For these samples, what each entry adds `(len(samples), *shape)`, and the relative gaps (0 for a layer)."""
        model, n, m = self.model, len(samples), len(self.references[0]) if self.background else 1
        sums: list[np.ndarray] = []
        scores = np.zeros((2, n))
        tensors, others = model._tensors(tuple(a[samples] for a in self.inputs)), model._tensors(self.references)
        goal = self.target.take(samples)
        with model._asked():
            with torch.no_grad():
                entries, absent = model._entries(tensors), model._entries(others)
            if not self.background:
                absent = tuple(a[samples] if len(a) > 1 else a.expand(n, *a.shape[1:]) for a in absent)
            for start in range(0, n * m, self.rows):
                ns, js = np.divmod(np.arange(start, min(start + self.rows, n * m)), m)
                js = js if self.background else ns
                block = tuple(t[ns] for t in tensors), tuple(e[ns] for e in entries), tuple(a[js] for a in absent)
                shares, both = _block(model, *block, goal.take(ns), self.layer)
                sums = sums or [np.zeros((n, *s.shape[1:])) for s in shares]
                for total, share in zip((*sums, *scores), (*shares, *both), strict=True):
                    np.add.at(total, ns, share)
        shared, scores = [total / m for total in sums], scores / m
        change, size = scores[0] - scores[1], 1e-2 * np.abs(scores).max(0)
        missed = np.abs(sum(s.reshape(n, -1).sum(1) for s in shared) - change)
        floor = np.maximum(np.maximum(np.abs(change), size), np.finfo(np.float32).tiny)
        return shared, missed / floor if self.layer is None else np.zeros(n)

    def finer(self) -> Case | None:
        """The same of a copy of the model in double precision; None where the model does not run in it."""
        if self.model._dtype == torch.float64:
            return None
        try:
            twin = type(self.model)(
                copy.deepcopy(self.model.raw).double(), input_shapes=self.model.input_shapes, **self.model.options()
            )
            with twin._asked(), torch.no_grad():
                twin._run(twin._tensors(tuple(a[:1] for a in self.inputs)))
        except (RuntimeError, TypeError, ValueError):  # types fixed by hand, or parts that cannot be copied
            return None
        return replace(self, model=twin)

    def blame(self, sample: int) -> None:
        """Raises `UnsupportedModelError` that names the first operation whose books do not balance, if there is one."""
        model, one = self.model, np.array([sample])
        tensors, others = model._tensors(tuple(a[one] for a in self.inputs)), model._tensors(self.references)
        with model._asked():
            with torch.no_grad():
                entries, absent = model._entries(tensors), model._entries(others)
            absent = tuple(a[one] if len(a) > 1 and not self.background else a[:1] for a in absent)
            goal = self.target.take(one)
            x, r = Run(model, tensors, entries, goal), Run(model, tensors, absent, goal)
            found = unbalanced(x, r, x.entries)
            if found is None:
                return
            index, name, why = found
            raise Refusal(name, why).told(located(model, tensors, entries, index))


def _block(model: Any, tensors: tuple, entries: tuple, absent: tuple, target: Target, layer: str | None) -> tuple:
    """For pairs, row by row: what each entry adds, and both scores."""
    try:
        x, r = Run(model, tensors, entries, target, layer), Run(model, tensors, absent, target, layer)
        wanted, lower = (x.entries, r.entries) if layer is None else (_layered(x, layer), _layered(r, layer))
        found = multipliers(x, r, wanted)
        shares = [_share(f, a, b) for f, a, b in zip(found, wanted, lower, strict=True)]
    except Refusal as refusal:
        raise refusal.told(located(model, tensors, entries, refusal.index)) from None
    return [numpy_of(s) for s in shares], (numpy_of(x.score.tensor), numpy_of(r.score.tensor))


def _layered(run: Run, layer: str) -> list[Value]:
    if run.inside is None:
        raise InputError(f"layer {layer!r} is not called by the model on these inputs.")
    return [run.inside]


def _share(m: torch.Tensor | None, x: Value, r: Value) -> torch.Tensor:
    difference = x.tensor.double() - r.tensor.double()
    return torch.zeros_like(difference) if m is None else torch.where(m == 0, 0, m.double() * difference)


def located(model: Any, tensors: tuple, entries: tuple, index: int) -> str | None:
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
        with torch.enable_grad():
            given = [e.detach().requires_grad_().clone() for e in entries]
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
