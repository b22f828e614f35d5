"""Gates read as people write them: a mix of two, z h + (1 - z) n, which Torch computes as (h - n) z + n.

The two are the same function, and relevance goes by products and sums as they are written.
"""

from __future__ import annotations

import torch

from dlexplain.frameworks.graph.torch_run import Run
from dlexplain.frameworks.graph.torch_tape import Step, Value

_OPS = torch.ops.aten


def mixes_spelled(run: Run) -> list[Step]:
    """The run's steps, with each such mix as two products and their sum."""
    readers: dict[Value, int] = {}
    for step in run.steps:
        for value in step.values():
            readers[value] = readers.get(value, 0) + 1
    made = {out: step for step in run.steps for out in step.outs if out is not None}
    spelled: list[Step] = []
    gone: set[Step] = set()
    for step in run.steps:
        found = _mix(step, made, readers)
        if found is None:
            spelled.append(step)
            continue
        before, after, (z, h, n) = *found[:2], found[2:]
        gone |= {before, after}
        spelled += _products(z, h, n, step.outs[0])
    return [step for step in spelled if step not in gone]


def _mix(step: Step, made: dict[Value, Step], readers: dict[Value, int]) -> tuple | None:
    """For `step` the last sum of (h - n) z + n: the difference, the product, z, h and n."""
    if step.name != "add" or step.kwargs or not all(isinstance(a, Value) for a in step.args[:2]):
        return None
    product, n = made.get(step.args[0]), step.args[1]
    if product is None or product.name != "mul" or readers[step.args[0]] > 1:
        return None
    for at in (0, 1):
        difference = made.get(product.args[at]) if isinstance(product.args[at], Value) else None
        plain = difference is not None and difference.name == "sub" and not difference.kwargs
        if plain and difference.args[1] is n and readers[product.args[at]] == 1:
            z, h = product.args[1 - at], difference.args[0]
            return (difference, product, z, h, n) if isinstance(z, Value) and isinstance(h, Value) else None
    return None


def _products(z: Value, h: Value, n: Value, out: Value) -> list[Step]:
    def value(tensor: torch.Tensor, *parts: Value) -> Value:
        return Value(tensor, any(p.active for p in parts))

    kept, rest = value(z.tensor * h.tensor, z, h), value(1 - z.tensor, z)
    new = value(rest.tensor * n.tensor, rest, n)
    steps = [
        Step(_OPS.mul.Tensor, "mul", (z, h), {}, [kept]),
        Step(_OPS.rsub.Scalar, "rsub", (z, 1), {}, [rest]),
        Step(_OPS.mul.Tensor, "mul", (rest, n), {}, [new]),
        Step(_OPS.add.Tensor, "add", (kept, new), {}, [out]),
    ]
    return [step for step in steps if any(v.active for v in step.values())]
