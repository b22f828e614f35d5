"""Whether a model's outputs can be explained at all: finite, its own, and the same again."""

from __future__ import annotations

import numpy as np

from dlexplain.errors import UnsupportedModelError
from dlexplain.frameworks.model import Model
from dlexplain.frameworks.questions import Inputs

_CHANCE = (
    "The model gives the same sample different outputs in inference mode (a dropout or noise that is always on): "
    "every value here carries that noise. Let the layer follow the model's mode."
)


def settled_outputs(model: Model, inputs: Inputs, rows: int) -> tuple[tuple[np.ndarray, ...], list[str]]:
    """Every output, and what to warn of. Raises `UnsupportedModelError` where a sample's output is not finite, or
    depends on the other samples of its batch."""
    outputs = model.all_outputs(inputs, rows)
    # One sample alone, past anything prepared earlier, says what the model says now, whatever stands beside it.
    among = len(inputs[0]) > 1 and rows > 1  # the second sample ran beside the first
    sample = tuple(a[1:2] if among else a[:1] for a in inputs)
    alone = model.afresh(sample)
    _refuse_non_finite(model, inputs, outputs)
    if _near(alone, _beside(model, sample, outputs, among)):
        return outputs, []
    model.forget()
    outputs = model.all_outputs(inputs, rows)
    if _near(alone, _beside(model, sample, outputs, among)):
        return outputs, []
    twice = model.outputs(tuple(np.concatenate([a, a]) for a in sample))
    if not _near(tuple(t[:1] for t in twice), tuple(t[1:] for t in twice)):
        return outputs, [_CHANCE]
    raise UnsupportedModelError(
        "The model's output for a sample changes with the other samples of its batch (it normalises or compares across the "
        "batch), so a single sample has no explanation. Use running statistics, GroupNorm or LayerNorm instead."
    )


def _beside(model: Model, sample: Inputs, outputs: tuple[np.ndarray, ...], among: bool) -> tuple[np.ndarray, ...]:
    """The sample's outputs when another sample runs with it."""
    if among:
        return tuple(o[1:2] for o in outputs)
    return tuple(o[1:] for o in model.outputs(tuple(np.concatenate([np.flip(a, -1), a]) for a in sample)))


def _near(some: tuple[np.ndarray, ...], others: tuple[np.ndarray, ...]) -> bool:
    return len(some) == len(others) and all(
        a.shape == b.shape
        and np.allclose(a, b, rtol=1e-3, atol=1e-4 * max(float(np.abs(a).max(initial=0)), 1e-12), equal_nan=True)
        for a, b in zip(some, others, strict=True)
    )


def _refuse_non_finite(model: Model, inputs: Inputs, outputs: tuple[np.ndarray, ...]) -> None:
    bad = next(
        (i for output in outputs for i in np.flatnonzero(~np.isfinite(output.reshape(len(output), -1)).all(1))), None
    )
    if bad is None:
        return
    one = tuple(a[bad : bad + 1] for a in inputs)
    inside = model.activations(one if len(one) > 1 else one[0])
    where = next((name for name, values in inside.items() if not np.isfinite(values).all()), "the output itself")
    raise UnsupportedModelError(
        f"The model's output for sample {bad} is not finite; the first layer whose activations are not is {where!r}. "
        "Check its weights and the range of the inputs."
    )
