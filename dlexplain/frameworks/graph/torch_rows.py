"""Samples and references run once each, and their rows brought together in pairs: n + m rows forward for n m pairs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from dlexplain.frameworks.graph.torch_run import Run, alike
from dlexplain.frameworks.graph.torch_tape import Refusal, Step, Value
from dlexplain.frameworks.questions import blocks

# Along which axis a value holds the rows; how often they come there one after the other, and how many places each takes.
Place = tuple[int, int, int]
Axes = dict[Value, Place]
Pick = tuple[int, int] | torch.Tensor  # rows from one number to another, or by their numbers

# Their numbers may hold the count of rows: their rules go by shapes alone.
RESHAPING = frozenset(("view", "_unsafe_view", "reshape", "_reshape_alias", "expand"))


class Rows:
    """How the values of two runs become rows of pairs. Without axes both runs hold the pairs row by row."""

    def __init__(self, axes: Axes | None = None, xs: Pick = (0, 0), rs: Pick = (0, 0), count: int = 0) -> None:
        self._axes, self._xs, self._rs, self.count = axes or {}, xs, rs, count

    def x(self, value: Value) -> torch.Tensor:
        return self._taken(value, self._xs)

    def r(self, value: Value) -> torch.Tensor:
        return self._taken(value, self._rs)

    def shape(self, value: Value) -> torch.Size:
        shape, at = list(value.tensor.shape), self._axes.get(value)
        if at is not None:
            shape[at[0]] = self.count * at[1] * at[2]
        return torch.Size(shape)

    def leads(self, value: Value) -> bool:
        """Whether its first axis is that of the rows alone, as far as is known."""
        return self._axes.get(value, (0, 1, 1)) == (0, 1, 1)

    def _taken(self, value: Value, pick: Pick) -> torch.Tensor:
        t, at = value.tensor, self._axes.get(value)
        if at is None:
            return t
        axis, times, k = at
        # Rows alone on their axis are taken without a copy where they lie together.
        wide = t if times == k == 1 else t.unflatten(axis, (times, -1, k))
        at_rows = axis if times == k == 1 else axis + 1
        if isinstance(pick, torch.Tensor):
            wide = wide.index_select(at_rows, pick)
        else:
            wide = wide.narrow(at_rows, pick[0], pick[1] - pick[0])
            shape = list(wide.shape)
            shape[at_rows] = self.count
            wide = wide.expand(shape)
        return wide if times == k == 1 else wide.flatten(axis, axis + 2)


def crossed(
    model: Any, tensors: tuple, entries: tuple, absent: tuple, rows: int, layer: str | None = None
) -> Iterator[tuple[np.ndarray, Run, Run, Rows]]:
    """Blocks of at most `rows` (from 3 on) pairs of a sample and a reference: which samples, both runs, and their rows.

    Raises `Refusal` where some value does not hold its rows along an axis of their own.
    """
    model._learn_order(tensors)
    entries, absent = model._fast(entries), model._fast(absent)
    below: tuple[slice, Run] | None = None
    for ns in blocks(len(entries[0]), rows - 1):
        size = max(ns.stop - ns.start, 2)
        part, given = (tuple(_at_least(t[ns], size) for t in ts) for ts in (tensors, entries))
        x = Run(model, part, given, layer)
        for ms in blocks(len(absent[0]), rows - 1):
            if below is None or below[0] != ms or below[1].rows == size:
                given = tuple(_at_least(a[ms], 2) for a in absent)
                given = tuple(_at_least(g, size + 1) for g in given) if len(given[0]) == size else given
                below = ms, Run(model, given, given, layer)
            r = below[1]
            axes = _axes(x, r, size, r.rows)
            for a, b in _grid(ns.stop - ns.start, ms.stop - ms.start, rows):
                yield _block(ns.start, a, b, axes, x, r)


def _at_least(rows: torch.Tensor, count: int) -> torch.Tensor:
    """With its first row again as often as it takes. Axes are told apart by their lengths, and operations take another
    way on a single row; what is more than asked is not used."""
    lacking = count - len(rows)
    return torch.cat([rows, rows[:1].expand(lacking, *rows.shape[1:])]) if lacking > 0 else rows


def _block(start: int, a: slice, b: slice, axes: Axes, x: Run, r: Run) -> tuple[np.ndarray, Run, Run, Rows]:
    n, m = a.stop - a.start, b.stop - b.start
    i, j = np.divmod(np.arange(n * m), m)
    if n == 1 or m == 1:
        xs, rs = (a.start, a.stop), (b.start, b.stop)
    else:
        device = x.entries[0].tensor.device
        xs, rs = (torch.as_tensor(k, device=device) for k in (a.start + i, b.start + j))
    return start + a.start + i, x, r, Rows(axes, xs, rs, n * m)


def _grid(n: int, m: int, rows: int) -> Iterator[tuple[slice, slice]]:
    """Blocks of n x m pairs, as even as they can be."""
    wide = math.ceil(m / math.ceil(m / rows))
    for b in blocks(m, wide):
        for a in blocks(n, max(1, rows // wide)):
            yield a, b


def _axes(x: Run, r: Run, n: int, m: int) -> Axes:
    """Along which axis each value of the two runs holds the rows. Raises `Refusal`."""
    axes: Axes = {}
    if x.decided != r.decided or len(x.steps) != len(r.steps):
        raise Refusal("run", "the runs differ.")
    for u, v in zip(x.entries, r.entries, strict=True):
        _place(axes, u, v, n, m)
    for a, b in zip(x.steps, r.steps, strict=True):
        if a.op is not b.op or not (a.name in RESHAPING or alike(a, b, constants=False, shapes=False)):
            raise Refusal(a.name, "the runs differ.")
        for u, v in zip(a.values(), b.values(), strict=True):
            if not _place(axes, u, v, n, m):
                raise Refusal(a.name, "the rows are not along one axis.")
        like = [axes[v] for v in a.values() if v in axes]
        for u, v in zip((o for o in a.outs if o), (o for o in b.outs if o), strict=True):
            _place(axes, u, v, n, m, like)  # what is not along one axis may stay unused
        if a.name in RESHAPING and a.outs[0] in axes:
            axes[a.outs[0]] = axes[b.outs[0]] = _reshaped(axes, a, n)
        if any(not v.active and not v.tensor.is_floating_point() and v in axes for v in a.values()):
            raise Refusal(a.name, "it goes by the numbers of the rows.")
    if not all(v in axes for v in (*x.outputs, *x.wanted)):
        raise Refusal("output", "the rows are not along one axis.")
    return axes


def _place(axes: Axes, u: Value, v: Value, n: int, m: int, like: list[Place] = ()) -> bool:
    """Whether the value's rows are known to be along an axis, or it is a constant that has none. Rows joined with
    other axes are joined as in what the value was made of."""
    if u in axes:
        return True
    a, b = u.tensor.shape, v.tensor.shape
    differ = [d for d in range(len(a)) if len(a) == len(b) and a[d] != b[d]]
    if len(a) == len(b) and not differ:
        return not u.active
    if len(differ) != 1 or a[differ[0]] % n or a[differ[0]] * m != b[differ[0]] * n:
        return False
    joined = a[differ[0]] // n
    times = next((t for _, t, k in like if t * k == joined), 1)
    axes[u] = axes[v] = differ[0], times, joined // times
    return True


def _reshaped(axes: Axes, step: Step, n: int) -> Place:
    """What comes before the rows before they are joined with other axes comes before them afterwards."""
    value, out = step.args[0].tensor, step.outs[0].tensor
    (i, times, _), (o, joined, k) = axes[step.args[0]], axes[step.outs[0]]
    before, outside = math.prod(value.shape[:i]) * times, math.prod(out.shape[:o])
    if step.name == "expand":
        return o, joined, k
    if before % outside or joined * k % (before // outside):
        raise Refusal(step.name, "the rows are not along one axis.")
    return o, before // outside, joined * k * outside // before
