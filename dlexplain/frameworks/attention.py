"""What one attention gave its weight to, whichever the framework. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Attended:
    """One attention as it was called: `weights`, `(n, heads, queries, keys)`, rows that sum to 1.

    `gradient`: of the target with respect to the weights, in their shape. `whole`: False where samples were cut into
    windows, which then stand beside the heads.
    """

    layer: str
    weights: np.ndarray
    gradient: np.ndarray | None
    whole: bool = True


def shaped(values: np.ndarray, n: int) -> tuple[np.ndarray, bool] | None:
    """Weights as `(n, heads, queries, keys)` and whether a sample is whole; None where they are of another kind."""
    if values.ndim == 2 and n == 1:
        values = values[None, None]
    if values.ndim == 3:
        values = values[:, None]
    if values.ndim < 4 or values.ndim % 2 or len(values) % n:
        return None
    axes = (values.ndim - 2) // 2  # queries and keys may have several axes each, as height and width
    queries, keys = (int(np.prod(part)) for part in (values.shape[2 : 2 + axes], values.shape[2 + axes :]))
    heads = values.shape[1] * (len(values) // n)
    # One head a row and the heads of a sample side by side: `(n * heads, queries, keys)`.
    return values.reshape(n, heads, queries, keys), len(values) == n or values.shape[1] == 1
