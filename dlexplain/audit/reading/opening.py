"""Data for an audit from files: never unpickled, and every refusal names the file, the row and the column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dlexplain.audit.reading import archives, pictures, tables
from dlexplain.audit.reading.data import AuditData
from dlexplain.errors import InputError, suggest

if TYPE_CHECKING:
    from dlexplain.frameworks.model import Model

TABLES = (".csv", ".tsv", ".txt", ".parquet", ".pq")


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
        return pictures.folder(path, model, pixels, names)
    kind = path.suffix.lower()
    if kind == ".npz":
        return archives.archive(path)
    if kind in TABLES:
        return tables.table(path, model, labels, slices, names)
    raise InputError(
        f"{path.name}: files that end in {kind or 'nothing'!r} are not read. Give .npz (arrays `inputs` and `labels`), "
        ".csv, .parquet, or a folder with one folder of pictures a class."
    )


def _classes_of(path: Path | str, labels: str | None) -> list[str]:
    """The names of the classes where labels are words, so that two files number them alike."""
    path = Path(path)
    if path.is_dir():
        return pictures.class_names(path)
    return tables.class_names(path, labels) if path.suffix.lower() in TABLES and path.exists() else []


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
