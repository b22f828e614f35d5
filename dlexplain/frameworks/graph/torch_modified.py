"""Gradients along a tape whose way back through each ReLU is changed: guided backpropagation, deconvolutional networks."""

from __future__ import annotations

from typing import Any

import torch

from dlexplain.errors import UnsupportedModelError
from dlexplain.frameworks.graph.torch_pairs import Pair, pulled_partly
from dlexplain.frameworks.graph.torch_rows import Rows
from dlexplain.frameworks.graph.torch_rules import Multipliers
from dlexplain.frameworks.graph.torch_run import Run, located
from dlexplain.frameworks.graph.torch_tape import Refusal, Value
from dlexplain.frameworks.graph.torch_walk import handed_back, started
from dlexplain.frameworks.questions import Inputs, Target
from dlexplain.frameworks.torch_tensors import numpy_of


def modified_gradient(model: Any, inputs: Inputs, target: Target, rule: str) -> Inputs:
    """See `Model.modified_gradient`."""
    met: list[str] = []

    def back(pair: Pair, ms: Multipliers) -> Multipliers:
        if not pair.values:
            return []
        if not _rectifies(pair):
            return gradient(pair, ms)
        met.append(pair.name)
        i = next(i for i, v in enumerate(pair.values) if v.tensor.is_floating_point())
        kept = ms[0].clamp_min(0)
        return [kept * (pair.xs[i] > 0) if rule == "guided" else kept]

    found = single(model, inputs, lambda run: handed_back(run, run, target.head, started(target, run), Rows(), back))
    if not met:
        raise UnsupportedModelError(
            f"The model has no ReLU between its inputs and the target, so {rule} would be the plain gradient. Methods that "
            "work on this model: saliency, input_x_gradient, integrated_gradients, deeplift."
        )
    return found


def single(model: Any, inputs: Inputs, walk: Any) -> Inputs:
    """What a walk over one recorded run hands to the entries, zeros where nothing arrives. Raises
    `UnsupportedModelError`."""
    tensors = model._tensors(inputs)
    with model._asked():
        with torch.no_grad():
            entries = model._entries(tensors)
        run = None
        try:
            run = Run(model, tensors, entries)
            found = walk(run)
        except Refusal as refusal:
            raise refusal.told(located(model, tensors, entries, refusal.index, run)) from None
    return tuple(numpy_of(torch.zeros_like(e) if f is None else f) for f, e in zip(found, entries, strict=True))


def gradient(pair: Pair, ms: Multipliers) -> Multipliers:
    """The operation's own transpose at its inputs; whole numbers and truth values have none."""
    return pulled_partly(pair, ms, [not (v.tensor.is_floating_point() or v.tensor.is_complex()) for v in pair.values])


def _rectifies(pair: Pair) -> bool:
    """ReLU and ReLU6 in all their spellings: zero for what is below zero, the input itself right above."""
    if pair.name in ("relu", "hardtanh", "threshold", "clamp", "clamp_min"):
        name = {"relu": None, "hardtanh": "min_val", "threshold": "threshold"}.get(pair.name, "min")
        below = 0 if name is None else pair.named(name)
        # Between other bounds it is a clipping, not a rectifier.
        return _is_zero(below) and (pair.name != "threshold" or pair.named("value") == 0)
    if pair.name != "maximum" or len(pair.values) != 1:
        return False
    return any(isinstance(a, Value) and not a.active and _is_zero(a.tensor) for a in pair.x.args)


def _is_zero(value: Any) -> bool:
    return bool((value == 0).all()) if isinstance(value, torch.Tensor) else value is not None and value == 0
