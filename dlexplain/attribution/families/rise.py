"""What the output is on average while a place can be seen through a random mask."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlexplain.attribution.case import Case, Found
from dlexplain.attribution.families.gradients import count
from dlexplain.attribution.families.groups import check_segments, parts_of
from dlexplain.attribution.families.masked import scores
from dlexplain.attribution.method import method
from dlexplain.errors import InputError

_BLOCK = 64


@method(
    family="perturbation",
    answers="How high is the output on average while this place can be seen?",
    cost="samples x background forward",
    cannot="a sample mean with a floor of its own: only differences between places count; smooth at the grid's size",
    paper="arXiv:1806.07421",
    baseline="zeros",
    background=True,
)
def rise(case: Case, *, samples: int = 1000, segments: Any = None, keep: float = 0.5) -> Found:
    """The outputs under random masks, summed with the masks as weights, over samples times `keep`.

    A mask is a grid of `segments` cells an axis (None: 7 of a picture, 20 of a series), each kept with probability
    `keep`, enlarged linearly and shifted by less than a cell; of a table or of tokens every feature is a cell. The same
    masks serve every sample. Petsiuk, Das, Saenko (2018), RISE, arXiv:1806.07421.
    """
    size = count(samples, "samples")
    if isinstance(keep, bool) or not isinstance(keep, (int, float, np.floating)) or not 0 < keep < 1:
        raise InputError(f"keep={keep!r} must be a share above 0 and below 1, such as 0.5.")
    chosen: dict[str, Any] = {}
    curtains = [_curtain(case, i, size, segments, float(keep), chosen) for i in range(len(case.inputs))]
    check_segments(segments, chosen)

    found = scores(case, size, lambda start, stop: tuple(c.masks(start, stop)[None] for c in curtains))
    values = []
    for curtain, x in zip(curtains, case.inputs, strict=True):
        total = 0.0
        for start in range(0, size, _BLOCK):
            shown = curtain.masks(start, min(start + _BLOCK, size))
            total = total + np.tensordot(found[:, start : start + len(shown)], shown, 1)
        channels = x[0].size / total[0].size
        values.append(np.broadcast_to(total / (size * keep * channels), x.shape))
    return Found(tuple(values), chosen)


class _Curtain:
    """Random grids `(k, *cells)` and shifts `(k, axes)` of one input, enlarged on demand, so that memory is bounded."""

    def __init__(self, grids: np.ndarray, shifts: np.ndarray, sizes: tuple[int, ...], shape: tuple[int, ...]) -> None:
        self.grids, self.shifts, self.sizes, self.shape = grids, shifts, sizes, shape
        # A cell more than fits on each axis is enlarged, so that a shift finds something to uncover.
        self.ramps = [_ramp(c, -(-s // c)) for c, s in zip(grids.shape[1:], sizes, strict=True)]

    def masks(self, start: int, stop: int) -> np.ndarray:
        """`(stop - start, *shape)`, size 1 along channels."""
        shown = self.grids[start:stop].astype(np.float32)
        for axis, (ramp, size) in enumerate(zip(self.ramps, self.sizes, strict=True), start=1):
            window = ramp[self.shifts[start:stop, axis - 1, None] + np.arange(size)]
            moved = np.moveaxis(shown, axis, 1)
            flat = window @ moved.reshape(*moved.shape[:2], -1)
            shown = np.moveaxis(flat.reshape(len(flat), size, *moved.shape[2:]), 1, axis)
        return shown.reshape(len(shown), *self.shape)


class _Sieve:
    """Every feature kept or not: masks of a table or of tokens."""

    def __init__(self, kept: np.ndarray) -> None:
        self.kept = kept

    def masks(self, start: int, stop: int) -> np.ndarray:
        return self.kept[start:stop]


def _curtain(case: Case, i: int, size: int, segments: Any, keep: float, chosen: dict[str, Any]) -> _Curtain | _Sieve:
    generator = np.random.default_rng([case.seed, i])
    shape = case.inputs[i].shape[1:]
    if case.kinds[i] not in ("image", "series"):
        return _Sieve(generator.random((size, *shape)) < keep)
    cells, chosen["segments"] = (parts_of(case, i, segments, 7 if case.kinds[i] == "image" else 20),) * 2
    sizes = tuple(shape[a] for a in case.spatial(i))
    grids = generator.random((size, *cells)) < keep
    shifts = generator.integers(0, [-(-s // c) for s, c in zip(sizes, cells, strict=True)], (size, len(cells)))
    narrow = tuple(s if a in case.spatial(i) else 1 for a, s in enumerate(shape))
    return _Curtain(grids, shifts, sizes, narrow)


def _ramp(cells: int, width: int) -> np.ndarray:
    """`((cells + 1) width, cells)`: linear interpolation of a row of cells (pixels as areas, edges held)."""
    place = np.clip((np.arange((cells + 1) * width) + 0.5) * cells / ((cells + 1) * width) - 0.5, 0, cells - 1)
    return np.maximum(0, 1 - np.abs(place[:, None] - np.arange(cells))).astype(np.float32)
