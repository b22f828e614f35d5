"""Data for an audit from files: never unpickled, and every refusal names the file, the row and the column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dlexplain.errors import InputError, suggest

if TYPE_CHECKING:
    from dlexplain.frameworks.model import Model

TABLES = (".csv", ".tsv", ".txt", ".parquet", ".pq")
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


def read(
    path: Path | str,
    *,
    model: Model | None = None,
    labels: str | None = None,
    slices: Sequence[str] = (),
    train: Path | str | None = None,
    limit: int | None = None,
    seed: int = 0,
    pixels: str | None = None,
) -> AuditData:
    """The data in a `.npz` archive, a CSV or Parquet table, or a folder with a folder of pictures for each class.

    `model`: tells how many features or which pictures fit. `labels`: the table's column of known answers. `slices`:
    columns that may hold text. `train`: the training part, read by the same rules. `pixels`: how pictures are scaled,
    "unit" (0 to 1), "byte" (0 to 255), "signed" (-1 to 1); None: as the model's first layers tell.
    Raises `InputError`, `MissingPackageError`.
    """
    names: list[str] | None = None
    if train is not None:
        # One numbering of the classes for both parts.
        names = sorted({*_classes_of(path, labels), *_classes_of(train, labels)}) or None
    data = _read(Path(path), model, labels, slices, pixels, names)
    if train is not None:
        given = _read(Path(train), model, labels, slices, pixels, names)
        _same_columns(data, given)
        data = replace(data, train=(given.inputs, given.labels), notes=(*data.notes, *_of_train(given)))
    return data.limited(limit, seed)


def _read(
    path: Path,
    model: Model | None,
    labels: str | None,
    slices: Sequence[str],
    pixels: str | None,
    names: list[str] | None,
) -> AuditData:
    from dlexplain.audit import reading_archives, reading_pictures, reading_tables

    if not path.exists():
        folder = path.parent
        near = suggest(path.name, [item.name for item in folder.iterdir()] if folder.is_dir() else [])
        raise InputError(f"{path} does not exist. {near}".rstrip())
    several = model is not None and model.input_shapes is not None and len(model.input_shapes) > 1
    if several:
        raise InputError(
            f"The model takes {len(model.input_shapes)} inputs ({', '.join(model.input_names)}); the audit's data files "
            "hold one. Audit it from Python: dlx.audit(model, (first, second), labels)."
        )
    if path.is_dir():
        return reading_pictures.folder(path, model, pixels, names)
    kind = path.suffix.lower()
    if kind == ".npz":
        return reading_archives.archive(path)
    if kind in TABLES:
        return reading_tables.table(path, model, labels, slices, names)
    raise InputError(
        f"{path.name}: files that end in {kind or 'nothing'!r} are not read. Give .npz (arrays `inputs` and `labels`), "
        ".csv, .parquet, or a folder with one folder of pictures a class."
    )


def _classes_of(path: Path | str, labels: str | None) -> list[str]:
    """The names of the classes where labels are words, so that two files number them alike."""
    from dlexplain.audit import reading_pictures, reading_tables

    path = Path(path)
    if path.is_dir():
        return reading_pictures.class_names(path)
    return reading_tables.class_names(path, labels) if path.suffix.lower() in TABLES and path.exists() else []


def _same_columns(data: AuditData, train: AuditData) -> None:
    if data.inputs.shape[1:] != train.inputs.shape[1:]:
        raise InputError(
            f"The training data {train.source} have samples of shape {train.inputs.shape[1:]}, {data.source} of "
            f"{data.inputs.shape[1:]}. Both must hold the same inputs."
        )
    if data.feature_names and train.feature_names and data.feature_names != train.feature_names:
        pairs = zip(data.feature_names, train.feature_names, strict=True)
        first = next((a, b) for a, b in pairs if a != b)
        raise InputError(
            f"The columns of {train.source} and {data.source} differ or stand in another order: {first[1]!r} where "
            f"{first[0]!r} is expected. Give both files the same columns in the same order."
        )


def _of_train(train: AuditData) -> list[str]:
    return [f"Training data {train.source}: {len(train)} rows.", *(f"Training data: {note}" for note in train.notes)]


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
