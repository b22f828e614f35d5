"""Why an operation cannot be walked, and which methods remain."""

from __future__ import annotations

from typing import Any

from dlexplain.errors import UnsupportedModelError

ADVICE = " Methods that work on this model: integrated_gradients, expected_gradients, occlusion, feature_ablation."


class NeedsBatch(Exception):
    """A loop's length depends on the number of samples: trace again for a fixed number of them."""


class NotPaired(Exception):
    """Some tensor does not hold the samples on its first axis: run input and reference in equal batches."""


def refusal(operation: Any, why: str) -> UnsupportedModelError:
    """`operation`: anything with a type and a name; the name begins with the layer's."""
    return UnsupportedModelError(f"The operation {operation.type} ({operation.name}) {why}." + ADVICE)
