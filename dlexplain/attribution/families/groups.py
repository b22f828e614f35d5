"""Features that go together: what the user calls a group, or pieces of a picture or series cut on a grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlexplain.attribution.case import Case
from dlexplain.errors import InputError, suggest
from dlexplain.frameworks.questions import Inputs


@dataclass(frozen=True, eq=False)
class Players:
    """The parts of a sample that are kept or taken away as one, numbered from 0 through all inputs.

    `numbers`: an input each, the player of every value, shaped like one sample with 1 along the axes (channels)
    whose values always go together. `sizes`: `(d,)`, how many values a player holds. `shapes`: of one sample.
    """

    numbers: Inputs
    sizes: np.ndarray
    shapes: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.sizes)

    def masks(self, kept: np.ndarray) -> Inputs:
        """Rows `(k, d)` of who is kept as masks `(1, k, *shape)`, small where channels go together."""
        return tuple(np.take(kept, n, axis=1)[None] for n in self.numbers)

    def spread(self, values: np.ndarray) -> Inputs:
        """`(n, d)` in the shapes of the inputs: each player's value spread evenly over what it holds."""
        share = values / self.sizes
        return tuple(
            np.broadcast_to(np.take(share, n, axis=1), (len(values), *s))
            for n, s in zip(self.numbers, self.shapes, strict=True)
        )


def players(case: Case, groups: Any, segments: Any, pieces: int, times: int) -> tuple[Players, dict[str, Any]]:
    """Who plays, and what to record of it: the user's groups, else every feature of a table and every token alone,
    and pictures and series cut into `segments` (None: `pieces` an axis of a picture, `times` pieces of a series)."""
    numbers, chosen = [], {} if groups is None else {"groups": groups}
    for i, kind in enumerate(case.kinds):
        given = of_input(groups, i, len(case.inputs))
        if given is None and kind in ("image", "series"):
            cells, parts = cut(case, i, segments, pieces if kind == "image" else times)
            chosen.setdefault("segments", parts)
            numbers.append(cells)
        else:
            numbers.append(narrow(numbered(case, i, groups), case.spatial(i)))
    check_segments(segments, chosen)
    return joined(case, numbers), chosen


def joined(case: Case, numbers: Sequence[np.ndarray]) -> Players:
    """Players of several inputs, numbered on from one input to the next."""
    shapes, sizes, shifted, first = tuple(a.shape[1:] for a in case.inputs), [], [], 0
    for own, shape in zip(numbers, shapes, strict=True):
        held = np.bincount(own.ravel()) * (int(np.prod(shape)) // own.size)
        shifted.append(own + first)
        sizes.append(held)
        first += len(held)
    return Players(tuple(shifted), np.concatenate(sizes), shapes)


def check_segments(segments: Any, chosen: dict[str, Any]) -> None:
    """Raises `InputError` when `segments` was given and cut nothing."""
    if segments is not None and "segments" not in chosen:
        raise InputError(
            f"segments={segments!r}: nothing here is cut into segments. Only pictures and series are, where no groups say "
            "otherwise. Leave it out."
        )


def cut(case: Case, i: int, segments: Any, default: int) -> tuple[np.ndarray, tuple[int, ...]]:
    """A grid of nearly equal pieces over the places of input `i`, channels together; and the pieces an axis."""
    shape, axes = case.inputs[i].shape[1:], case.spatial(i)
    sizes, parts = [shape[a] for a in axes], parts_of(case, i, segments, default)
    cells = np.zeros([1] * len(shape), np.int64)
    for axis, size, count in zip(axes, sizes, parts, strict=True):
        along = [-1 if a == axis else 1 for a in range(len(shape))]
        cells = cells * count + (np.arange(size) * count // size).reshape(along)
    return cells, parts


def of_input(groups: Any, i: int, inputs: int) -> Any:
    """What was given for input `i`: a tuple holds one an input where there are several."""
    if inputs == 1 or groups is None or not isinstance(groups, tuple):
        return groups
    if len(groups) != inputs:
        raise InputError(f"groups: {len(groups)} were given for {inputs} inputs. Give a tuple with one an input.")
    return groups[i]


def numbered(case: Case, i: int, groups: Any) -> np.ndarray:
    """Group numbers from 0 on in the shape of one sample; every feature alone where None."""
    shape = case.inputs[i].shape[1:]
    groups = of_input(groups, i, len(case.inputs))
    if groups is None:
        return np.arange(int(np.prod(shape))).reshape(shape)
    ragged = isinstance(groups, (list, tuple)) and all(isinstance(g, (list, tuple, set)) for g in groups)
    if ragged and len(shape) == 1:
        return _named(groups, case.model.feature_names, shape[0])
    try:
        numbers = np.asarray(groups)
    except ValueError:  # lists of unequal lengths
        numbers = np.empty(0, object)
    if numbers.dtype.kind not in "iu":
        raise InputError(
            f"groups: give whole numbers in the shape of one sample, {shape}, or (one axis only) a list of lists of columns."
        )
    axes = case.spatial(i)
    if len(axes) < len(shape) and numbers.shape == tuple(shape[a] for a in axes):
        numbers = np.expand_dims(numbers, tuple(a for a in range(len(shape)) if a not in axes))
    try:
        numbers = np.broadcast_to(numbers, shape)
    except ValueError as error:
        raise InputError(f"groups: shape {numbers.shape} does not fit one sample, which has shape {shape}.") from error
    return np.unique(numbers, return_inverse=True)[1].reshape(shape)


def _named(groups: Sequence[Any], names: Sequence[str] | None, width: int) -> np.ndarray:
    """Lists of column numbers or names as numbers; columns of no list stand alone."""
    numbers = np.full(width, -1)
    for number, group in enumerate(groups):
        for feature in group:
            column = _column(feature, names, width)
            if numbers[column] not in (-1, number):
                raise InputError(f"groups: column {feature!r} is in two groups.")
            numbers[column] = number
    alone = np.flatnonzero(numbers < 0)
    numbers[alone] = len(groups) + np.arange(len(alone))
    return np.unique(numbers, return_inverse=True)[1]


def _column(feature: Any, names: Sequence[str] | None, width: int) -> int:
    if isinstance(feature, str):
        if names is None or feature not in names:
            raise InputError(f"groups: no feature is named {feature!r}. {suggest(feature, names or ())}")
        return list(names).index(feature)
    if isinstance(feature, bool) or not isinstance(feature, (int, np.integer)) or not 0 <= feature < width:
        raise InputError(f"groups: column {feature!r} is out of range; columns are 0 to {width - 1}.")
    return int(feature)


def narrow(numbers: np.ndarray, places: Sequence[int]) -> np.ndarray:
    """With size 1 along the axes that are no places (channels) where the number never changes."""
    for axis in set(range(numbers.ndim)) - set(places):
        first = numbers.take([0], axis)
        numbers = first if (numbers == first).all() else numbers
    return numbers


def parts_of(case: Case, i: int, segments: Any, default: int) -> tuple[int, ...]:
    """Pieces an axis of input `i`: as asked, or `default`, where there are places enough."""
    sizes = [case.inputs[i].shape[1:][a] for a in case.spatial(i)]
    if segments is None:
        return tuple(min(default, s) for s in sizes)
    counts = [segments] * len(sizes) if np.ndim(segments) == 0 else list(segments)
    whole = all(isinstance(c, (int, np.integer)) and not isinstance(c, bool) for c in counts)
    if len(counts) != len(sizes) or not whole or any(not 1 <= c <= s for c, s in zip(counts, sizes, strict=True)):
        limits = " and ".join(f"1 to {s}" for s in sizes)
        raise InputError(
            f"segments={segments!r}: give how many pieces an axis, whole numbers ({limits}), or one for all."
        )
    return tuple(int(c) for c in counts)
