"""What happens to the output when a part of the input is taken away: windows, features, groups of features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dlexplain.attribution.case import Case, Found
from dlexplain.attribution.families.groups import numbered
from dlexplain.attribution.method import method
from dlexplain.errors import InputError
from dlexplain.frameworks.questions import Inputs, Masks


@method(
    family="perturbation",
    answers="How far does the output fall when a window is covered?",
    cost="1 forward a window",
    cannot="misses parts that stand in for each other; the cover is not natural",
    paper="arXiv:1311.2901",
    baseline="zeros",
    background=True,
)
def occlusion(
    case: Case, *, window: int | Sequence[int] | None = None, stride: int | Sequence[int] | None = None
) -> Found:
    """At each place, the mean fall of the output over the windows that cover it, filled with the baseline.

    `window`, `stride`: in pixels, steps or columns, one number or one an axis, all channels at once. None: an eighth
    of each axis, in strides of half a window. Zeiler, Fergus (2014), Visualizing and Understanding Convolutional
    Networks, arXiv:1311.2901.
    """
    corners, windows, chosen = [], [], {}
    for i in range(len(case.inputs)):
        sizes = [case.inputs[i].shape[1:][axis] for axis in case.spatial(i)]
        wide = _per_axis(
            window,
            [max(1, round(s / 8)) if case.kinds[i] in ("image", "series") else 1 for s in sizes],
            "window",
            case.kinds[i],
        )
        step = _per_axis(stride, [max(1, w // 2) for w in wide], "stride", case.kinds[i])
        for w, s, size in zip(wide, step, sizes, strict=True):
            if w > size:
                raise InputError(f"window={w} is larger than the input, which is {size} along that axis.")
            if s > w:
                raise InputError(f"stride={s} is larger than window={w}: some places would never be covered.")
        places = np.meshgrid(
            *[_starts(size, w, s) for size, w, s in zip(sizes, wide, step, strict=True)], indexing="ij"
        )
        corners.append(np.stack([p.ravel() for p in places], 1))
        windows.append(wide)
        chosen = chosen or {"window": tuple(wide), "stride": tuple(step)}
    counts = [len(c) for c in corners]

    def cover(i: int, number: int) -> tuple[slice, ...]:
        where = [slice(None)] * (case.inputs[i].ndim - 1)
        for axis, start, w in zip(case.spatial(i), corners[i][number], windows[i], strict=True):
            where[axis] = slice(start, start + w)
        return tuple(where)

    shapes = [
        tuple(s if a in case.spatial(i) else 1 for a, s in enumerate(x.shape[1:])) for i, x in enumerate(case.inputs)
    ]
    falls = _falls(case, [[cover(i, k) for k in range(c)] for i, c in enumerate(counts)], shapes)
    values, first = [], 0
    for i, size in enumerate(counts):
        shape = shapes[i]
        total, times = np.zeros((len(case), *shape)), np.zeros(shape)
        for k in range(size):
            where = cover(i, k)
            total[(slice(None), *where)] += falls[:, first + k].reshape(-1, *[1] * len(shape))
            times[where] += 1
        channels = np.prod(case.inputs[i].shape[1:]) / np.prod(shape)
        values.append(np.broadcast_to(total / times / channels, case.inputs[i].shape))
        first += size
    return Found(tuple(values), chosen)


@method(
    family="perturbation",
    answers="How far does the output fall when one feature is taken away?",
    cost="1 forward a feature or group",
    cannot="misses features that stand in for each other",
    paper="Fisher, Rudin, Dominici (2019), JMLR 20(177)",
    baseline="zeros",
    background=True,
)
def feature_ablation(case: Case, *, groups: Any = None) -> Found:
    """The fall of the output when each feature alone, or each group of features, is set to the baseline.

    `groups`: whole numbers in the shape of one sample (equal number, same group), or a list of lists of column numbers
    or names; a group's fall is spread evenly over its members.
    """
    members = [numbered(case, i, groups) for i in range(len(case.inputs))]
    counts = [int(m.max()) + 1 for m in members]
    covers = [[np.nonzero(m == g) for g in range(c)] for m, c in zip(members, counts, strict=True)]
    falls = _falls(case, covers, [a.shape[1:] for a in case.inputs])
    values, first = [], 0
    for member, size in zip(members, counts, strict=True):
        share = falls[:, first : first + size] / np.bincount(member.ravel(), minlength=size)
        values.append(share[:, member])
        first += size
    return Found(tuple(values), {} if groups is None else {"groups": groups})


def _falls(case: Case, covers: list[list[tuple]], shapes: list[tuple[int, ...]]) -> np.ndarray:
    """`(n, covers)`: how far the output falls when each cover (places of one input, inputs in order) is filled.

    `shapes`: of the masks, one an input; an axis of size 1 is covered as a whole.
    """
    owners = [(i, where) for i, wheres in enumerate(covers) for where in wheres]

    def block(_samples: slice, start: int, stop: int) -> Inputs:
        masks = tuple(np.ones((1, stop - start, *shape), bool) for shape in shapes)
        for row, (i, where) in enumerate(owners[start:stop]):
            masks[i][(0, row, *where)] = False
        return masks

    masked = case.model.many_masks(case.inputs, case.target, Masks(len(owners), block, shared=True), case.baseline, case.rows)
    return case.output[:, None] - masked


def _starts(size: int, window: int, stride: int) -> np.ndarray:
    """Where windows begin, the last one flush with the end."""
    return np.unique(np.append(np.arange(0, size - window + 1, stride), size - window))


def _per_axis(value: int | Sequence[int] | None, default: list[int], name: str, kind: str) -> list[int]:
    if value is None:
        return default
    numbers = [value] * len(default) if np.ndim(value) == 0 else list(value)
    if len(numbers) != len(default):
        raise InputError(
            f"{name}={value!r}: give one number or {len(default)}, one an axis of this {kind} (without channels)."
        )
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < 1:
            raise InputError(f"{name}={value!r}: each must be a whole number from 1 on.")
    return [int(number) for number in numbers]
