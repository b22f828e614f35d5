"""The many-masks question as Shapley's values, RISE and LIME ask it: the same masks for every sample."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dlexplain.attribution.case import Case
from dlexplain.frameworks.questions import Inputs, Masks


def scores(case: Case, count: int, block: Callable[[int, int], Inputs]) -> np.ndarray:
    """`(n, count)`: the target under each mask, its mean over the background; `block(start, stop)` gives masks
    `(1, stop - start, *shape)` an input, of which True (or 1) keeps."""
    masks = Masks(count, lambda _samples, start, stop: block(start, stop), shared=True)
    return case.model.many_masks(case.inputs, case.target, masks, case.baseline, case.rows)
