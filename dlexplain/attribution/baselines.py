"""What "absent" means: the user's `baseline` as arrays, told by its rank."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlexplain.attribution.method import Method
from dlexplain.errors import InputError
from dlexplain.frameworks.inputs import as_array, check_finite, check_tokens
from dlexplain.frameworks.model import Model
from dlexplain.frameworks.questions import Inputs


def resolve(baseline: Any, method: Method, model: Model, inputs: Inputs) -> Inputs | None:
    """One array an input: `(1, *shape)`, or `(m, *shape)` for a background set; None where the method has none."""
    if method.baseline == "none":
        if baseline is not None:
            raise InputError(f"baseline: {method.name} has no baseline. Leave it out, or choose integrated_gradients.")
        return None
    if baseline is None:
        baseline = 0.0
    parts = baseline if isinstance(baseline, tuple) and len(inputs) > 1 else (baseline,) * len(inputs)
    if isinstance(baseline, tuple) and len(inputs) > 1 and len(baseline) != len(inputs):
        raise InputError(f"baseline: {len(baseline)} were given for {len(inputs)} inputs.")
    vocabularies = model.token_inputs(inputs)
    names = ["baseline" if len(inputs) == 1 else f"baseline[{i}]" for i in range(len(inputs))]
    found = tuple(_one(p, a, v, n) for p, a, v, n in zip(parts, inputs, vocabularies, names, strict=True))
    sizes = {len(array) for array in found if len(array) > 1}
    if sizes and not method.background:
        raise InputError(
            f"baseline: {method.name} takes one baseline (shape {inputs[0].shape[1:]}), and a background set of {sizes.pop()} "
            "was given. A baseline is never paired with the samples. Methods that average over a background set: "
            "expected_gradients, occlusion, feature_ablation."
        )
    if len(sizes) > 1:
        raise InputError(
            f"baseline: the background sets hold {sorted(sizes)} samples; all inputs need the same number."
        )
    return tuple(np.repeat(a, sizes.copy().pop(), 0) if sizes and len(a) == 1 else a for a in found)


def with_padding(baseline: Inputs, model: Model, inputs: Inputs) -> Inputs:
    """Token ids with padding stay padding: where a sample is padded, so is its baseline. `(1 or n, *shape)`."""
    padded = []
    for i, (b, x) in enumerate(zip(baseline, inputs, strict=True)):
        padding = model.padding(i) if model.token_inputs(inputs)[i] is not None else None
        padded.append(b if padding is None or len(b) > 1 else np.where(x == padding, x, b))
    return tuple(padded)


def _one(value: Any, inputs: np.ndarray, vocabulary: int | None, name: str) -> np.ndarray:
    shape = inputs.shape[1:]
    array = as_array(value, name)
    check_finite(array, name)
    if array.ndim == 0:
        array = np.broadcast_to(array, (1, *shape))
    elif array.ndim == len(shape) and array.shape == shape:
        array = array[None]
    elif array.ndim != len(shape) + 1 or array.shape[1:] != shape or not len(array):
        raise InputError(
            f"{name}: shape {array.shape} fits neither one sample {shape} nor a background set (m, "
            f"{', '.join(map(str, shape))}). Give a number, one sample, or several."
        )
    if vocabulary is not None:
        check_tokens(array, vocabulary, name)
        return array.astype(inputs.dtype)
    return np.asarray(array, np.float64 if array.dtype == np.float64 else np.float32, order="C")
