"""A layer's weights beside the distribution that its framework draws them from before training. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Initial:
    """`shape`: "uniform" between `low` and `high`; "normal" or "truncated normal" (cut at two deviations) with mean
    `low` and deviation `high`."""

    shape: str
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Kernel:
    """One weight of a layer that training moves. `initial`: None where the framework draws it in no way known here."""

    layer: str
    role: str
    values: np.ndarray
    initial: Initial | None


def fans(shape: tuple[int, ...], *, outputs_last: bool) -> tuple[int, int]:
    """Inputs and outputs of one unit of a dense layer or a convolution, as the initialisers count them."""
    if len(shape) < 2:
        return shape[0], shape[0]
    places = int(np.prod(shape[:-2] if outputs_last else shape[2:]))
    into, out = (shape[-2], shape[-1]) if outputs_last else (shape[1], shape[0])
    return into * places, out * places
