"""The many-masks question as Shapley's values, RISE and LIME ask it: the same masks for every sample."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dlexplain.attribution.case import Case
from dlexplain.frameworks.questions import Inputs, Masks

# Small rows run in larger batches than gradients of them would: starting a batch costs more than its rows.
_BYTES, _MOST = 16 << 20, 16384


def scores(case: Case, count: int, block: Callable[[int, int], Inputs]) -> np.ndarray:
    """`(n, count)`: the target under each mask, its mean over the background; `block(start, stop)` gives masks
    `(1, stop - start, *shape)` an input, of which True (or 1) keeps."""
    masks = Masks(count, lambda _samples, start, stop: block(start, stop), shared=True)
    return case.model.many_masks(case.inputs, case.target, masks, case.baseline, _rows(case))


def _rows(case: Case) -> int:
    """The user's own batch size, or what fits."""
    if case.rows != case.model.rows(case.inputs):
        return case.rows
    return max(case.rows, min(_MOST, _BYTES // max(case.model.row_bytes(case.inputs), 1)))
