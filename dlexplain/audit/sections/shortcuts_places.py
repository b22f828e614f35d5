"""Where a class might have its shortcut: the small places whose attribution is high and steady over its samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dlexplain.audit.subject import Subject

# A window is a ninth of a picture's shorter side: single pixels up to 13 x 13, 3 x 3 of 28 x 28, 25 x 25 of 224 x 224. A
# larger part would be the thing itself: in a series it is a 32nd of the time.
_PARTS, _TIMES = 9, 32
PLACES = 2
# The deviation is held above this share of the largest mean, or pixels that nothing reaches would lead the ranking.
_FLOOR = 0.01


@dataclass(frozen=True)
class Plane:
    """Input `input` seen as rows by columns: height and width of a picture, time and sensors of a series."""

    input: int
    kind: str
    axes: tuple[int, int]  # of a batch
    size: tuple[int, int]
    window: tuple[int, int]

    def laid(self, array: np.ndarray) -> np.ndarray:
        """`(n, rows, columns, rest)`, a view."""
        moved = np.moveaxis(array, self.axes, (1, 2))
        return moved.reshape(*moved.shape[:3], -1) if moved.ndim != 4 else moved

    def sums(self, values: np.ndarray) -> np.ndarray:
        """`(n, rows', columns')`: values summed over every window, all channels together."""
        flat = self.laid(values.astype(np.float64)).sum(3)
        total = np.pad(flat, ((0, 0), (1, 0), (1, 0))).cumsum(1).cumsum(2)
        a, b = self.window
        return total[:, a:, b:] - total[:, :-a, b:] - total[:, a:, :-b] + total[:, :-a, :-b]

    def put(self, receivers: np.ndarray, donors: np.ndarray, places: tuple[tuple[int, int], ...]) -> np.ndarray:
        """A copy of the receivers with the donors' values in the windows that begin at the places."""
        changed = receivers.copy()
        into, out = (np.moveaxis(array, self.axes, (1, 2)) for array in (changed, donors))
        a, b = self.window
        for row, column in places:
            into[:, row : row + a, column : column + b] = out[:, row : row + a, column : column + b]
        return changed

    def named(self, place: tuple[int, int], subject: Subject) -> str:
        """The place in words, rows and columns counted from 0."""
        (row, column), (a, b) = place, self.window
        if self.kind == "series":
            names = subject.feature_names
            sensor = names[column] if column < len(names) == self.size[1] else f"sensor {column}"
            return f"{sensor}, {_span('step', row, a)}"
        return f"{_span('row', row, a)}, {_span('column', column, b)}"


def _span(word: str, start: int, length: int) -> str:
    return f"{word} {start}" if length == 1 else f"{word}s {start} to {start + length - 1}"


def planes(subject: Subject) -> list[Plane]:
    """Every input that has places: pictures and series."""
    found, first = [], subject.model.layout == "channels_first"
    for i, (array, kind) in enumerate(zip(subject.inputs, subject.model.kinds(subject.inputs), strict=True)):
        kind = subject.kind if len(subject.inputs) == 1 else kind
        if kind == "image" and array.ndim in (3, 4):
            axes = (2, 3) if array.ndim == 4 and first else (1, 2)
            size = (array.shape[axes[0]], array.shape[axes[1]])
            side = max(1, round(min(size) / _PARTS))
            found.append(Plane(i, kind, axes, size, (side, side)))
        elif kind == "series" and array.ndim == 3:
            axes = (2, 1) if first else (1, 2)
            size = (array.shape[axes[0]], array.shape[axes[1]])
            found.append(Plane(i, kind, axes, size, (max(1, round(size[0] / _TIMES)), 1)))
    return found


def steadiest(plane: Plane, values: np.ndarray) -> tuple[tuple[int, int], ...]:
    """The places to try for one class, given the attributions of its samples; none where nothing speaks for it."""
    sums = plane.sums(values)
    mean, deviation = sums.mean(0), sums.std(0)
    return _apart(mean / (deviation + _FLOOR * mean.max()), plane.window) if mean.max() > 0 else ()


def _apart(ranking: np.ndarray, window: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    """The leading places whose windows do not overlap."""
    chosen: list[tuple[int, int]] = []
    for flat in np.argsort(-ranking, axis=None, kind="stable"):
        place = divmod(int(flat), ranking.shape[1])
        if all(any(abs(p - q) >= w for p, q, w in zip(place, other, window, strict=True)) for other in chosen):
            chosen.append(place)
        if len(chosen) == PLACES:
            break
    return tuple(sorted(chosen))
