"""Whether a model's outputs can be explained at all: finite, its own, and the same again."""

from __future__ import annotations

import numpy as np

from dlexplain.attribution.case import Case
from dlexplain.errors import InputError, UnsupportedModelError
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


def refuse_non_finite_baseline(model: Model, absent: Inputs, lower: np.ndarray) -> None:
    """Raises `UnsupportedModelError` that names the layer where the baseline's activations cease to be finite."""
    if np.isfinite(lower).all():
        return
    for j in range(len(absent[0])):
        one = tuple(a[j : j + 1] for a in absent)
        where = _first_layer(model, one)
        if where is not None or not all(np.isfinite(o).all() for o in model.outputs(one)):
            raise UnsupportedModelError(
                f"The model's output at the baseline{f' (number {j})' if len(absent[0]) > 1 else ''} is not finite; the first "
                f"layer whose activations are not is {where or 'the output itself'!r}. Give another baseline, such as the "
                "mean of the data."
            )
    raise UnsupportedModelError("The model's output at the baseline is not finite. Give another baseline.")


def refuse_non_finite_values(case: Case, method: str, values: Inputs) -> None:
    """Raises `UnsupportedModelError` that names the layer behind which the gradient ceases to be finite."""
    bad = next((i for v in values for i in np.flatnonzero(~np.isfinite(v.reshape(len(v), -1)).all(1))), None)
    if bad is None:
        return
    part = np.array([bad])
    places = [("the sample", tuple(a[part] for a in case.inputs))]
    if case.baseline is not None:
        at = part if len(case.baseline[0]) == len(case) and not case.background else np.array([0])
        places.append(("the baseline", tuple(b[at] for b in case.baseline)))
    found = ((place, _broken_layer(case, part, one)) for place, one in places)
    place, layer = next(((p, found) for p, found in found if found is not None), ("a point between", None))
    behind = "" if layer is None else f", first behind layer {layer!r}"
    raise UnsupportedModelError(
        f"{method}: some values for sample {bad} are not finite although its input and output are: at {place} a gradient "
        f"overflows{behind} (often a square root or a division at zero). Methods that work without gradients: occlusion, "
        "feature_ablation."
    )


def _broken_layer(case: Case, part: np.ndarray, one: Inputs) -> str | None:
    """The layer nearest to the output whose gradient is not finite."""
    for name in reversed(list(case.model.shapes(one))):
        try:
            _, gradients = case.model.one_gradient(one, case.target.take(part), name)
        except (InputError, UnsupportedModelError):  # a layer that the target does not pass through
            continue
        if not all(np.isfinite(g).all() for g in gradients):
            return name
    return None


def _first_layer(model: Model, one: Inputs) -> str | None:
    """The first layer called whose activations are not finite."""
    inside = model.activations(one if len(one) > 1 else one[0])
    return next((name for name, values in inside.items() if not np.isfinite(values).all()), None)


def _refuse_non_finite(model: Model, inputs: Inputs, outputs: tuple[np.ndarray, ...]) -> None:
    bad = next(
        (i for output in outputs for i in np.flatnonzero(~np.isfinite(output.reshape(len(output), -1)).all(1))), None
    )
    if bad is None:
        return
    where = _first_layer(model, tuple(a[bad : bad + 1] for a in inputs)) or "the output itself"
    raise UnsupportedModelError(
        f"The model's output for sample {bad} is not finite; the first layer whose activations are not is {where!r}. "
        "Check its weights and the range of the inputs."
    )
