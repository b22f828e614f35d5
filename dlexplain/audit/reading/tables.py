"""CSV and Parquet tables: one row a sample, one column a feature, one column of known answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dlexplain.audit.reading.data import AuditData, numbered
from dlexplain.errors import InputError, MissingPackageError, suggest

if TYPE_CHECKING:
    import pandas as pd

    from dlexplain.frameworks.model import Model

LABELS = ("label", "labels", "target", "class", "y")


def table(
    path: Path, model: Model | None, label: str | None, slices: Sequence[str], names: list[str] | None
) -> AuditData:
    """The table as data of an audit. Rows with an empty cell are set aside and counted."""
    frame, notes = _frame(path)
    asked = label
    label = label_column(frame, label, path)
    if asked is None:
        notes.append(f"Labels: column {label!r}.")
    _check_slices(frame, slices, path)
    features = _features(frame, label, slices, model, path, notes)
    numbers = np.stack([_numeric(frame[name], name, path) for name in features], 1)
    answers = _answers(frame[label], label, path)
    gaps = ~np.isfinite(numbers)
    unanswered = frame[label].isna().to_numpy()
    kept = ~(gaps.any(1) | unanswered)
    missing = {name: int(count) for name, count in zip(features, gaps.sum(0), strict=True) if count}
    if unanswered.any():
        missing[label] = int(unanswered.sum())
    if not kept.any():
        raise InputError(f"{path.name}: every row has an empty cell. Fill them as the model was trained.")
    if not kept.all():
        notes.append(
            f"{int((~kept).sum())} of {len(kept)} rows have empty cells ({_counts(missing)}) and were set aside, "
            "not audited."
        )
    labels, class_names = numbered(answers[kept], names, f"{path.name}, column {label!r}")
    if class_names:
        notes.append(f"Classes are numbered in the order of the alphabet: {', '.join(class_names[:12])}.")
    return AuditData(
        inputs=numbers[kept].astype(np.float32),
        labels=labels,
        feature_names=tuple(features),
        class_names=class_names,
        columns={name: _column(frame[name])[kept] for name in slices if name not in features},
        source=path.name,
        notes=tuple(notes),
        missing=missing,
        set_aside=int((~kept).sum()),
    )


def class_names(path: Path, label: str | None) -> list[str]:
    """The words that stand in the column of labels; none where it holds numbers."""
    frame, _ = _frame(path)
    found = label_column(frame, label, path)
    answers = _answers(frame[found], found, path)
    return sorted(set(answers[~frame[found].isna().to_numpy()].tolist())) if answers.dtype.kind == "U" else []


def label_column(frame: pd.DataFrame, asked: str | None, path: Path) -> str:
    """The column of labels: the one asked for, or one with a customary name. Never guessed by its place."""
    columns = [str(c) for c in frame.columns]
    if asked is not None:
        if asked not in columns:
            raise InputError(
                f"{path.name} has no column {asked!r}. {suggest(asked, columns)}Columns: {_some(columns)}."
            )
        return asked
    lower = {c.lower(): c for c in reversed(columns)}
    found = next((lower[name] for name in LABELS if name in lower), None)
    if found is None:
        raise InputError(
            f"{path.name}: which column holds the known answers? None is called {', '.join(LABELS[:-1])} or {LABELS[-1]}. "
            f"Name it: --labels COLUMN. Columns: {_some(columns)}."
        )
    return found


def _frame(path: Path) -> tuple[pd.DataFrame, list[str]]:
    import pandas as pd

    notes: list[str] = []
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            frame = _parquet(path)
        else:
            frame = pd.read_csv(path, sep="\t" if path.suffix.lower() == ".tsv" else ",", low_memory=False)
            header = str(frame.columns[0])
            for mark, word in ((";", "semicolons"), ("\t", "tabs")):
                if frame.shape[1] == 1 and mark in header:
                    frame = pd.read_csv(path, sep=mark, low_memory=False)
                    notes.append(f"Columns are parted by {word}.")
    except MissingPackageError:
        raise
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is not UTF-8 text ({error}). Save it as CSV in UTF-8.") from error
    except (ValueError, OSError, pd.errors.ParserError) as error:
        said = " ".join(str(error).split())
        raise InputError(f"{path.name} cannot be read as a table: {said[:300]}") from error
    frame.columns = [str(c) for c in frame.columns]
    doubled = frame.columns[frame.columns.duplicated()]
    if len(doubled):
        raise InputError(f"{path.name}: the column {doubled[0]!r} stands there twice. Give each its own name.")
    if not len(frame):
        raise InputError(f"{path.name} holds no rows.")
    return frame.reset_index(drop=True), notes


def _parquet(path: Path) -> pd.DataFrame:
    try:
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingPackageError(
            "Reading Parquet needs pyarrow, which is not installed. Install it with: pip install 'dlexplain[audit]', or "
            "save the table as CSV."
        ) from error
    # The file's own notes for pandas may name an index: taken as a plain column, nothing in it is evaluated.
    return pq.ParquetFile(path).read().to_pandas(ignore_metadata=True)


def _check_slices(frame: pd.DataFrame, slices: Sequence[str], path: Path) -> None:
    for name in slices:
        if name not in frame.columns:
            raise InputError(
                f"--slices: {path.name} has no column {name!r}. {suggest(name, list(frame.columns))}"
                f"Columns: {_some(list(frame.columns))}."
            )


def _features(
    frame: pd.DataFrame, label: str, slices: Sequence[str], model: Model | None, path: Path, notes: list[str]
) -> list[str]:
    """The columns that go into the model, in the order of the file."""
    numeric = [c for c in frame.columns if c != label and (c not in slices or _is_numeric(frame[c]))]
    shape = None if model is None or model.input_shapes is None else model.input_shapes[0]
    if shape is not None and len(shape) != 1:
        raise InputError(
            f"{path.name} is a table; the model takes samples of shape {tuple(shape)}. Give its data as .npz"
            " or, for pictures, as a folder with one folder a class."
        )
    width = None if shape is None else shape[0]
    if width is None or len(numeric) == width:
        return numeric
    without = [c for c in numeric if c not in slices]
    if len(without) == width:
        notes.append(f"Not given to the model, only used for slices: {', '.join(c for c in numeric if c in slices)}.")
        return without
    plain = [c for c in without if not _is_row_number(frame[c], c)]
    if len(plain) == width:
        notes.append(f"Left out, as it only counts the rows: {', '.join(c for c in without if c not in plain)}.")
        return plain
    for name in without:
        _numeric(frame[name], name, path)  # a column of words is told first: it is most often what is too many
    raise InputError(
        f"{path.name}: the model takes {width} features; beside the label {label!r} there are {len(numeric)} columns: "
        f"{_some(numeric)}. Leave out those that the model was not trained on, or name columns for slices: --slices."
    )


def _is_row_number(column: pd.Series, name: str) -> bool:
    if name and not (name.startswith("Unnamed:") or name.lower() in ("index", "id", "__index_level_0__")):
        return False
    return _is_numeric(column) and bool((column.diff().dropna() == 1).all())


def _is_numeric(column: pd.Series) -> bool:
    import pandas as pd

    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_complex_dtype(column)


def _numeric(column: pd.Series, name: str, path: Path) -> np.ndarray:
    """float64, NaN where empty. Raises `InputError` that names the first cell that is no number."""
    import pandas as pd

    if _is_numeric(column):
        values = column.to_numpy(np.float64, na_value=np.nan)
        endless = np.flatnonzero(np.isinf(values))
        if len(endless):
            raise InputError(f"{path.name}, row {endless[0] + 1}, column {name!r}: the value is infinite.")
        return values
    cells = pd.Series(column.astype(object))
    numbers = pd.to_numeric(cells, errors="coerce")
    bad = np.flatnonzero((numbers.isna() & cells.notna()).to_numpy())
    if not len(bad) and column.dtype == object:
        return numbers.to_numpy(np.float64)
    first = int(bad[0]) if len(bad) else 0
    cell = str(cells.iloc[first])[:60]
    where = f"{path.name}, row {first + 1} (after the header), column {name!r}: {cell!r} is not a number."
    if len(bad) > len(cells) / 2:
        kinds = len(set(cells.dropna().astype(str)))
        raise InputError(
            f"{where} The column holds {kinds} different texts or dates. Encode it as numbers as the model was trained, "
            f"or leave it to slices alone: --slices {name}."
        )
    comma = " Decimal commas must be points." if "," in cell else ""
    raise InputError(f"{where}{comma} Correct the cell, or leave it empty if the value is missing.")


def _answers(column: pd.Series, name: str, path: Path) -> np.ndarray:
    if _is_numeric(column):
        values = column.to_numpy(np.float64, na_value=np.nan)
        known = values[np.isfinite(values)]
        whole = column.dtype.kind in "iub" or (known.size and np.array_equal(known, np.round(known)))
        if not whole:
            return values
        return np.where(np.isfinite(values), values, 0).astype(np.int64)
    if str(column.dtype).startswith(("datetime", "timedelta")):
        raise InputError(f"{path.name}: the labels in {name!r} are dates. Give class names or numbers.")
    return np.array(["" if value is None else str(value) for value in column.to_numpy(object)], dtype=str)


def _column(column: pd.Series) -> np.ndarray:
    """Values for slices: numbers as they are, anything else as text; an empty cell is a group of its own."""
    if _is_numeric(column):
        return column.to_numpy(np.float64, na_value=np.nan)
    given: list[Any] = column.astype(object).tolist()
    return np.array(["missing" if empty else str(v) for v, empty in zip(given, column.isna(), strict=True)], dtype=str)


def _counts(missing: dict[str, int]) -> str:
    parts = [f"{name}: {count}" for name, count in missing.items()]
    return ", ".join(parts[:8]) + (", ..." if len(parts) > 8 else "")


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
