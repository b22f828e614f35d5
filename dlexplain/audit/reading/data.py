"""What data for an audit are once they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from dlexplain.errors import InputError

PIXELS = ("unit", "byte", "signed")


@dataclass(frozen=True, eq=False)
class AuditData:
    """What `dlx.audit` takes besides the model.

    `inputs`: `(n, *shape)`. `labels`: `(n,)`, class numbers or values. `columns`: values for slices, `{name: (n,)}`.
    `train`: inputs and labels of the training part. `missing`: how many cells of each column are empty; rows with an
    empty cell are in none of the arrays. `notes`: what was decided while reading, a sentence each.
    """

    inputs: np.ndarray
    labels: np.ndarray
    feature_names: tuple[str, ...] | None = None
    class_names: tuple[str, ...] | None = None
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)
    train: tuple[np.ndarray, np.ndarray] | None = None
    source: str = ""
    notes: tuple[str, ...] = ()
    missing: Mapping[str, int] = field(default_factory=dict)
    set_aside: int = 0

    def __len__(self) -> int:
        return len(self.labels)

    def limited(self, most: int | None, seed: int) -> AuditData:
        """At most so many rows, drawn without regard to the answer, in order."""
        if most is None or most >= len(self):
            return self
        if most < 1:
            raise InputError(f"--limit {most}: give a whole number of rows, 1 or more.")
        kept = np.sort(np.random.default_rng(seed).choice(len(self), most, replace=False))
        note = f"{most} of {len(self)} rows, drawn at random with seed {seed}."
        return replace(
            self,
            inputs=self.inputs[kept],
            labels=self.labels[kept],
            columns={name: values[kept] for name, values in self.columns.items()},
            notes=(*self.notes, note),
        )


def numbered(labels: np.ndarray, names: Sequence[str] | None, where: str) -> tuple[np.ndarray, tuple[str, ...] | None]:
    """Labels as class numbers or values; words are numbered in the order of `names`, or of the alphabet."""
    if labels.dtype.kind in "US":
        words = labels.astype(str)
        known = tuple(names) if names else tuple(np.unique(words).tolist())
        place = {name: i for i, name in enumerate(known)}
        unknown = next((i for i, word in enumerate(words) if word not in place), None)
        if unknown is not None:
            raise InputError(
                f"{where}: the label {str(words[unknown])!r} of row {unknown + 1} is none of the classes "
                f"{', '.join(map(repr, known[:12]))}."
            )
        return np.array([place[word] for word in words], np.int64), known
    if labels.dtype.kind == "b":
        return labels.astype(np.int64), tuple(names) if names else None
    if labels.dtype.kind in "iu":
        return labels.astype(np.int64), tuple(names) if names else None
    if labels.dtype.kind != "f":
        raise InputError(f"{where}: labels of type {labels.dtype} are neither numbers nor words.")
    bad = np.flatnonzero(~np.isfinite(labels))
    if len(bad):
        raise InputError(
            f"{where}: {len(bad)} labels are missing or infinite, the first in row {bad[0] + 1}. An audit needs the "
            "known answer of every row: drop the rows without one."
        )
    whole = np.array_equal(labels, np.round(labels)) and len(np.unique(labels)) <= 1000
    return labels.astype(np.int64 if whole and names else np.float64), tuple(names) if names else None
