"""DeepLIFT along a tape: two runs recorded, multipliers handed back operation by operation, pairs in blocks."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from dlexplain.errors import InputError
from dlexplain.frameworks.graph import torch_linear, torch_sets  # noqa: F401 (they enter their rules)
from dlexplain.frameworks.graph.torch_pairs import Pair, real
from dlexplain.frameworks.graph.torch_rows import Rows, crossed
from dlexplain.frameworks.graph.torch_rules import Rule, back
from dlexplain.frameworks.graph.torch_run import Run, checked, constants_differ, located
from dlexplain.frameworks.graph.torch_tape import Refusal, Value
from dlexplain.frameworks.questions import Inputs, Target
from dlexplain.frameworks.torch_tensors import numpy_of

# Over this share of the output's change rounding shows, and the walk is repeated in double precision; over the other one
# the books of each operation are looked through.
_ROUGH, _ASTRAY = 8e-5, 1e-3
# Over this one rows may have been paired wrongly: every pair is then run in full.
_MIXED = 1e-2


def handed_back(
    x: Run, r: Run, head: int, start: torch.Tensor, rows: Rows, rule: Rule = back, audit: list | None = None
) -> list[torch.Tensor | None]:
    """For each wanted value of the run on the inputs what arrives when each operation hands `start` back by the rule: for
    DeepLIFT's, what one unit of the value's difference adds to the outputs times `start`."""
    held: dict[Value, torch.Tensor] = {x.outputs[head]: start}
    stop = set(x.wanted)
    for i in range(len(x.steps) - 1, -1, -1):
        a, b = x.steps[i], r.steps[i]
        ms = [None if o is None else held.get(o) if o in stop else held.pop(o, None) for o in a.outs]
        if all(m is None for m in ms):
            continue
        pair = Pair(a, b, rows)
        try:
            found = rule(pair, ms)
        except Refusal as refusal:
            refusal.index = i
            raise
        except torch.OutOfMemoryError:
            raise
        except (RuntimeError, TypeError, IndexError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise Refusal(pair.name, f"its rule does not fit how it is used here ({reason}).", i) from error
        if audit is not None:
            audit.append((i, pair, ms, found))
        for value, m in zip(pair.values, found, strict=True):
            if m is not None:
                held[value] = held[value] + m if value in held else m
    return [held.get(value) for value in x.wanted]


def unbalanced(x: Run, r: Run, head: int, start: torch.Tensor) -> tuple[int, str, str] | None:
    """The first operation whose inputs do not account for its output: its step, its name, and what is wrong; None
    where every one does (rounding that adds up)."""
    if not x.outputs[head].active:
        return len(x.steps), "output", "it does not come from the inputs by operations that Torch records (NumPy?)."
    hidden = constants_differ(x, r)
    if hidden is not None:
        return *hidden, "it reads something that varies with the input by ways that Torch does not record."
    audit: list = []
    handed_back(x, r, head, start, Rows(), audit=audit)
    change = max(abs(_book(start, x.outputs[head].tensor, r.outputs[head].tensor)), 1e-30)
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
    asked = Asked(model, inputs, references, target, rows, background, layer)
    sums, gaps, astray = asked.walked(np.arange(len(inputs[0])))
    rough = np.flatnonzero(gaps > _ROUGH)
    finer = asked.finer() if len(rough) else None
    if finer is not None:
        again, _, missed = finer.walked(rough)
        # Only digits may differ: constants that go by the type would make another function of the copy.
        close = 1e-2 if model._dtype == torch.float32 else 0.5
        if all(_near(total[rough], better, close) for total, better in zip(sums, again, strict=True)):
            astray[rough] = missed
            for total, better in zip(sums, again, strict=True):
                total[rough] = better
    if not astray.max(initial=0) <= _ASTRAY:
        asked.blame(int(np.argmax(astray)))
    return tuple(sums)


@dataclass(frozen=True, eq=False)
class Asked:
    """What `Model.contributions` was asked."""

    model: Any
    inputs: Inputs
    references: Inputs
    target: Target
    rows: int
    background: bool
    layer: str | None

    def walked(self, samples: np.ndarray) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
        """For these samples, what each entry or place of the layer adds `(len(samples), *shape)`, and by how much
        the entries miss the output's change: as its share, and as that of a hundredth of the output if it is less."""
        model = self.model
        tensors, others = model._tensors(tuple(a[samples] for a in self.inputs)), model._tensors(self.references)
        with model._asked():
            with torch.no_grad():
                entries, absent = model._entries(tensors), model._entries(others)
            if len(absent[0]) > 1 and not self.background:
                absent = tuple(a[samples] for a in absent)
            # Token ids stay the sample's own on the reference, so each pair is a run of its own.
            apart = any(model._entry_sites.get(i) for i in range(len(tensors)))
            together = self.background or len(absent[0]) == 1
            if together and not apart and self.rows > 2:
                try:
                    runs = crossed(model, tensors, entries, absent, self.rows, self.layer)
                    found = self._summed(samples, runs, len(absent[0]))
                    if found[2].max(initial=0) <= _MIXED:
                        return found
                except (Refusal, RuntimeError):
                    found = None  # the samples are not along an axis of their own everywhere
            return self._summed(
                samples, self._paired(tensors, entries, absent), len(absent[0]) if self.background else 1
            )

    def _paired(self, tensors: tuple, entries: tuple, absent: tuple) -> Iterator[tuple]:
        """Blocks of pairs, each run in full: samples, references, both runs, and their rows as they are."""
        n, m = len(entries[0]), len(absent[0]) if self.background else 1
        for start in range(0, n * m, self.rows):
            ns, js = np.divmod(np.arange(start, min(start + self.rows, n * m)), m)
            js = ns if not self.background and len(absent[0]) > 1 else js
            block = tuple(t[ns] for t in tensors)
            x = None
            try:
                x = Run(self.model, block, tuple(e[ns] for e in entries), self.layer)
                r = Run(self.model, block, tuple(a[js] for a in absent), self.layer)
                checked(x, r)
                yield ns, x, r, Rows()
            except Refusal as refusal:
                where = located(self.model, block, tuple(e[ns] for e in entries), refusal.index, x)
                raise refusal.told(where) from None

    def _summed(self, samples: np.ndarray, runs: Iterator[tuple], m: int) -> tuple:
        n, head = len(samples), self.target.head
        sums: list[torch.Tensor] = []
        scores = np.zeros((2, n))
        for ns, x, r, rows in runs:
            goal = self.target.take(samples[ns])
            shape = rows.shape(x.outputs[head])
            try:
                found = handed_back(x, r, head, _start(goal, shape, x.outputs[head].tensor), rows)
            except Refusal as refusal:
                runs.throw(refusal)  # who ran them knows where it is
                raise
            np.add.at(scores[0], ns, _score(goal, rows.x(x.outputs[head])))
            np.add.at(scores[1], ns, _score(goal, rows.r(r.outputs[head])))
            where = torch.as_tensor(ns, device=x.entries[0].tensor.device)
            for i, (f, a, b) in enumerate(zip(found, x.wanted, r.wanted, strict=True)):
                share = _share(f, rows.x(a), rows.r(b))
                if len(share) != len(ns) or not rows.leads(a):
                    raise InputError(
                        f"layer {self.layer!r}: its activations {tuple(a.tensor.shape)} do not hold the samples on their "
                        "first axis. Choose the layer after it."
                    )
                if i == len(sums):
                    sums.append(share.new_zeros((n, *share.shape[1:])))
                sums[i].index_add_(0, where, share)
        shared, scores = [numpy_of(total / m) for total in sums], scores / m
        inside = shared[:1] if self.layer is not None else shared
        shared = shared[1:] if self.layer is not None else shared
        change, size = np.abs(scores[0] - scores[1]), np.abs(scores).max(0)
        missed = np.abs(sum(s.reshape(n, -1).sum(1) for s in shared) - (scores[0] - scores[1]))
        # The first as a method's gap is judged; in the second rounding does not show.
        floors = (np.maximum(np.maximum(change, share * size), np.finfo(np.float32).tiny) for share in (1e-3, 1e-2))
        return inside, *(missed / floor for floor in floors)

    def finer(self) -> Asked | None:
        """The same of a copy of the model in double precision; None where the model does not run in it."""
        if self.model._dtype == torch.float64:
            return None
        try:
            raw = copy.deepcopy(self.model.raw).double()
            for module in raw.modules():
                if isinstance(module, nn.RMSNorm) and module.eps is None:
                    module.eps = torch.finfo(self.model._dtype).eps
            twin = type(self.model)(raw, input_shapes=self.model.input_shapes, **self.model.options())
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
            x, r = Run(model, tensors, entries), Run(model, tensors, absent)
            found = unbalanced(x, r, goal.head, started(goal, x))
            if found is None:
                return
            index, name, why = found
            raise Refusal(name, why).told(located(model, tensors, entries, index, x))


def _near(coarse: np.ndarray, fine: np.ndarray, close: float) -> bool:
    return bool(np.abs(coarse - fine).max(initial=0) <= close * np.abs(coarse).max(initial=0))


def started(target: Target, run: Run) -> torch.Tensor:
    """One at each row's target of a run."""
    output = run.outputs[target.head].tensor
    return _start(target, output.shape, output)


def _start(target: Target, shape: torch.Size, like: torch.Tensor) -> torch.Tensor:
    """One at each row's target."""
    start = torch.zeros(shape, dtype=real(like).dtype, device=like.device)
    wide = start.reshape(len(start), 1) if start.ndim == 1 else start
    wide[(torch.arange(len(start)), *torch.as_tensor(target.index.T))] = 1
    return start


def _score(target: Target, output: torch.Tensor) -> np.ndarray:
    return Target(target.index).of((numpy_of(output),))


def _share(m: torch.Tensor | None, x: torch.Tensor, r: torch.Tensor) -> torch.Tensor:
    difference = x.double() - r.double()
    return torch.zeros_like(difference) if m is None else torch.where(m == 0, 0, m.double() * difference)
