"""DeepLIFT along a tape: two runs recorded, multipliers handed back operation by operation, pairs in blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from dlexplain.frameworks.graph import torch_sets  # noqa: F401 (enters its rules)
from dlexplain.frameworks.graph.torch_pairs import Pair, real
from dlexplain.frameworks.graph.torch_rewrites import REWRITES
from dlexplain.frameworks.graph.torch_rules import back
from dlexplain.frameworks.graph.torch_tape import Refusal, Tape, Value
from dlexplain.frameworks.questions import Inputs, Target
from dlexplain.frameworks.torch_tensors import numpy_of

# Over this share of the output's change the books of each operation are looked through.
_ASTRAY = 1e-3


class Run:
    """One recorded run: its steps, the values of the entries, the score `(rows,)`, and a layer's output if asked."""

    def __init__(self, model: Any, tensors: tuple, entries: tuple, target: Target, layer: str | None = None) -> None:
        tape = Tape(REWRITES)
        self.inside: Value | None = None

        def tap(output: torch.Tensor) -> None:
            with torch.utils._python_dispatch._disable_current_modes():
                self.inside = self.inside or tape.value(output)

        try:
            with torch.enable_grad():
                # Asking for gradients keeps Torch from its fused kernels for inference. No gradient is ever taken.
                given = [e.detach().requires_grad_().clone() for e in entries]
                self.entries = [tape.enter(e) for e in given]
                with tape:
                    outputs = model._feed(tensors, given, {layer: tap} if layer else None)
                    score = model._score(outputs, target)
                self.score = tape.value(score)
        finally:
            self.steps, self.decided = tape.steps, tape.decided
            tape.close()


def checked(x: Run, r: Run) -> None:
    """Both runs took the same way. Raises `Refusal`."""
    for i, (a, b) in enumerate(zip(x.steps, r.steps, strict=False)):
        if a.op is not b.op or [o and o.tensor.shape for o in a.outs] != [o and o.tensor.shape for o in b.outs]:
            raise Refusal(a.name, "the model takes another way on the reference than on the input.", i)
    if x.decided != r.decided or len(x.steps) != len(r.steps):
        at = next((i for (i, a), (_, b) in zip(x.decided, r.decided, strict=False) if a != b), len(x.steps))
        raise Refusal("item", "a number read from the activations steers the model, and differs on the reference.", at)


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


def unbalanced(x: Run, r: Run, wanted: list[Value]) -> tuple[int, str, float] | None:
    """The first operation whose inputs do not account for its output: its step, its name, and by how much of the
    score's change; None where every one does (rounding that adds up)."""
    audit: list = []
    multipliers(x, r, wanted, audit)
    change = (x.score.tensor - r.score.tensor).abs().sum().item()
    for i, pair, ms, found in reversed(audit):
        outs = [(m, a, b) for m, a, b in zip(ms, pair.x.outs, pair.r.outs, strict=False) if m is not None]
        out = sum(_book(m, a.tensor, b.tensor) for m, a, b in outs)
        into = sum(_book(m, a, b) for m, a, b in zip(found, pair.xs, pair.rs, strict=True) if m is not None)
        if abs(out - into) > _ASTRAY * max(change, 1e-30):
            return i, pair.name, abs(out - into) / max(change, 1e-30)
    return None


def _book(m: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> float:
    product = m.double() * (real(a).double() - real(b).double())
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
    n, m = len(inputs[0]), len(references[0]) if background else 1
    tensors, others = model._tensors(inputs), model._tensors(references)
    sums: list[np.ndarray] = []
    with model._asked():
        with torch.no_grad():
            entries, absent = model._entries(tensors), model._entries(others)
        for ns, js in _blocks(n, m, rows):
            part = tuple(t[ns] for t in tensors)
            goal = target.take(ns)
            given = tuple(e[ns] for e in entries)
            lower = tuple(
                a[js] if background else a[ns] if len(a) == n else a.expand(len(ns), *a.shape[1:]) for a in absent
            )
            shares = _block(model, part, given, lower, goal, layer)
            if not sums:
                sums = [np.zeros((n, *s.shape[1:])) for s in shares]
            for total, share in zip(sums, shares, strict=True):
                np.add.at(total, ns, share)
    return tuple(total / m for total in sums)


def _blocks(n: int, m: int, rows: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Every pair of a sample and a reference, in blocks of at most `rows`."""
    for start in range(0, n * m, rows):
        pair = np.arange(start, min(start + rows, n * m))
        yield pair // m, pair % m


def _block(model: Any, tensors: tuple, entries: tuple, absent: tuple, target: Target, layer: str | None) -> list:
    runs: list[Run] = []

    def run(given: tuple) -> Run:
        runs.append(Run(model, tensors, given, target, layer))
        return runs[-1]

    try:
        x, r = run(entries), run(absent)
        wanted, lower = (x.entries, r.entries) if layer is None else (_layered(x, layer), _layered(r, layer))
        found = multipliers(x, r, wanted)
        shares = [_share(f, a, b) for f, a, b in zip(found, wanted, lower, strict=True)]
        if layer is None:
            _account(shares, x, r, wanted)
    except Refusal as refusal:
        where = located(model, tensors, entries, refusal.index)
        raise refusal.told(where) from None
    return [numpy_of(s) for s in shares]


def _layered(run: Run, layer: str) -> list[Value]:
    if run.inside is None:
        from dlexplain.errors import InputError

        raise InputError(f"layer {layer!r} is not called by the model on these inputs.")
    return [run.inside]


def _share(m: torch.Tensor | None, x: Value, r: Value) -> torch.Tensor:
    difference = x.tensor.double() - r.tensor.double()
    return torch.zeros_like(difference) if m is None else torch.where(m == 0, 0, m.double() * difference)


def _account(shares: list[torch.Tensor], x: Run, r: Run, wanted: list[Value]) -> None:
    """Raises `Refusal` with the operation whose books do not balance, where the sum of the shares is far astray."""
    change = x.score.tensor.double() - r.score.tensor.double()
    gap = (sum(s.flatten(1).sum(1) for s in shares) - change).abs()
    size = torch.maximum(x.score.tensor.abs(), r.score.tensor.abs())
    floor = torch.maximum(change.abs(), 1e-3 * size.double()).clamp_min(1e-30)
    if bool((gap / floor <= _ASTRAY).all()):
        return
    found = unbalanced(x, r, wanted)
    if found is not None:
        i, name, share = found
        raise Refusal(name, f"its inputs do not account for its output (off by {share:.2g} of the change).", i)


def located(model: Any, tensors: tuple, entries: tuple, index: int) -> str | None:
    """The layer in which the step with this number is made: the run is repeated with every layer watched."""
    tape = Tape(REWRITES)
    stack: list[str] = []
    found: list[str] = []
    handles = []

    def entering(name: str) -> Callable:
        return lambda *_: stack.append(name)

    def leaving(*_: Any) -> None:
        name = stack.pop()
        if len(tape.steps) > index >= 0 and not found:
            found.append(name)

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
    except Refusal:
        return stack[-1] if stack else None
    finally:
        for handle in handles:
            handle.remove()
        tape.close()
    return found[0] if found else None
