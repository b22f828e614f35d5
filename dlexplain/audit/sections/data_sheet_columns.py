"""Of the data sheet, what can be said column by column: schema, missing values, constant columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dlexplain.audit.check import check
from dlexplain.audit.record import Check
from dlexplain.errors import MissingPackageError

if TYPE_CHECKING:
    from dlexplain.audit.reading import AuditData
    from dlexplain.audit.subject import Subject
    from dlexplain.frameworks.questions import Inputs

BEYOND = 2.0  # widths of the training range that a value may lie outside of it
STRAY = 0.01  # share of a column's rows that may lie that far outside: one odd sample is no other scale
OFTEN = 10  # training rows of each of two values, from which on a third one is no member of the column
GIVE_TRAIN = "Give the training data: train=(inputs, labels), or --train on the command line."
_REPEATED = 0.01  # share of rows that hold one extreme value before it is taken for a code
_SAMPLES = 20_000


@check(section=3, title="Data fit the training schema", kinds=("table", "series", "image"))
def schema(subject: Subject) -> Check:
    """How many columns hold values that the training data rule out: far outside of their range, or a third value in a
    column of two."""
    if subject.train is None:
        return subject.judged(
            "schema", None, status="NOT RUN", reason="No training data were given.", advice=GIVE_TRAIN
        )
    names = column_names(subject)
    breaches = _breaches(_extremes(subject, subject.train[0]), _extremes(subject, subject.inputs), names)
    what = {"table": "columns", "series": "channels", "image": "channels"}[subject.kind]
    if not breaches:
        many = f"All {len(names)} {what} hold" if len(names) > 1 else f"The one {what[:-1]} holds"
        reason = f"{many} only values that the training data allow."
    else:
        one = what[:-1].capitalize()
        said = [f"{one} {name!r} holds {words}" for name, words in breaches]
        reason = "; ".join(said[:4]) + (f"; and {len(said) - 4} more" if len(said) > 4 else "") + "."
    return subject.judged(
        "schema",
        len(breaches),
        reason=reason,
        advice="Prepare these data exactly as the training data were: the same units, scale, codes and order of columns.",
        evidence=("columns",),
    )


def _extremes(subject: Subject, inputs: Inputs) -> np.ndarray:
    """A table as it is; of pictures and series each sample's lowest and highest value, a column a channel."""
    values = columns(subject, inputs)
    if subject.kind == "table":
        return values
    each = values.reshape(len(inputs[0]), -1, values.shape[1])
    return np.concatenate([each.min(1), each.max(1)]).astype(np.float64)


def _breaches(train: np.ndarray, data: np.ndarray, names: tuple[str, ...]) -> list[tuple[str, str]]:
    """Columns that pandera finds outside of the schema taken from the training columns `(rows, columns)`."""
    try:
        import pandera.pandas as pa
    except ImportError as error:
        raise MissingPackageError(
            "Checking the schema needs pandera, which is not installed. Install it with: pip install 'dlexplain[audit]'."
        ) from error
    import pandas as pd

    keys = [f"c{i}" for i in range(len(names))]  # names from outside are no part of the schema
    frame = pd.DataFrame(data, columns=keys)
    rules = {key: pa.Column(float, _rule(pa, train[:, i]), nullable=False) for i, key in enumerate(keys)}
    try:
        pa.DataFrameSchema(rules, strict=True).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases
        found = []
        for i, key in enumerate(keys):
            bad = cases[cases["column"] == key]
            if len(bad) and not _stray(bad, len(frame)):
                first, low, high = bad.iloc[0], train[:, i].min(), train[:, i].max()
                value = float(first["failure_case"])
                ends = (
                    f"only {low:.4g} and {high:.4g}"
                    if bad["check"].iloc[0].startswith("isin")
                    else f"{low:.4g} to {high:.4g}"
                )
                words = f"{len(bad)} {'value' if len(bad) == 1 else 'values'} such as {value:.4g}, where training has {ends}"
                found.append((names[i], words))
        return found
    return []


def _stray(bad, rows: int) -> bool:
    """Whether values outside of a range are so few that the sample, not its preparation, explains them."""
    return not bad["check"].iloc[0].startswith("isin") and len(bad) < max(2, STRAY * rows)


def _rule(pa, values: np.ndarray):
    kinds, counts = np.unique(values, return_counts=True)
    if len(kinds) == 2 and counts.min() >= OFTEN:
        return pa.Check.isin(kinds.tolist())
    if len(kinds) == 1:  # says nothing of how far a value may go; constant columns have a check of their own
        return None
    width = float(kinds[-1] - kinds[0])
    return pa.Check.in_range(float(kinds[0]) - BEYOND * width, float(kinds[-1]) + BEYOND * width)


@check(section=3, title="No values are missing")
def missing_values(subject: Subject) -> Check:
    """The share of rows that were set aside for an empty cell, or that hold what looks like a code for one."""
    read: AuditData | None = subject.kept.get("read")
    aside = 0 if read is None else read.set_aside
    codes = suspected_codes(subject)
    total, coded = len(subject) + aside, np.zeros(len(subject), bool)
    for _, _, rows in codes:
        coded |= rows
    said = []
    if aside:
        cells = ", ".join(f"{name}: {count}" for name, count in list(read.missing.items())[:6])
        said.append(f"{aside} of {total} rows have empty cells and were not audited ({cells}).")
    for name, value, rows in codes[:4]:
        said.append(
            f"{name} is {value:g} in {int(rows.sum())} rows, far from all other values: does it stand for missing?"
        )
    return subject.judged(
        "missing_values",
        (aside + int(coded.sum())) / total,
        reason=" ".join(said) or f"None of the {total} rows has an empty cell or what looks like a code for one.",
        advice="Find out why they are missing, and treat them here as in training: the model answers such rows in use too.",
        evidence=("columns",),
    )


def suspected_codes(subject: Subject) -> list[tuple[str, float, np.ndarray]]:
    """Columns of a table whose lowest or highest value stands apart and is repeated: `(name, value, rows)`."""
    if subject.kind != "table":
        return []
    found = []
    for name, values in zip(column_names(subject), columns(subject, subject.inputs).T, strict=True):
        kinds, counts = np.unique(values, return_counts=True)
        if len(kinds) < 8:
            continue
        for end, rest in ((0, kinds[1:]), (-1, kinds[:-1])):
            gap = rest[0] - kinds[0] if end == 0 else kinds[-1] - rest[-1]
            often = counts[end] >= max(3, _REPEATED * len(values))
            if often and gap > 2 * (rest[-1] - rest[0]):
                found.append((name, float(kinds[end]), values == kinds[end]))
    return found


@check(section=3, title="No column is constant", kinds=("table", "series"))
def constant_columns(subject: Subject) -> Check:
    """How many columns hold one value in every row."""
    values = columns(subject, subject.inputs)
    flat = [n for n, v in zip(column_names(subject), values.T, strict=True) if np.ptp(v) == 0]
    if not flat:
        reason = f"Each of the {values.shape[1]} columns varies."
    else:
        reason = f"One value in every row: {', '.join(flat[:8])}" + (
            f" and {len(flat) - 8} more." if len(flat) > 8 else "."
        )
    return subject.judged(
        "constant_columns",
        len(flat),
        reason=reason,
        advice="Such a column decides nothing here, and what the model does when it changes is not tested. Drop it, or give "
        "rows in which it varies.",
        evidence=("columns",),
    )


def column_names(subject: Subject) -> tuple[str, ...]:
    """Names of what `columns` gives."""
    if subject.kind == "image":
        count = columns(subject, tuple(a[:1] for a in subject.inputs)).shape[1]
        return ("brightness",) if count == 1 else tuple(f"channel {i}" for i in range(count))
    return subject.feature_names


def columns(subject: Subject, inputs: Inputs) -> np.ndarray:
    """`(rows, columns)`: a table's own; of series and pictures a row a time step or pixel, a column a channel."""
    if subject.kind == "table":
        return np.concatenate([a.reshape(len(a), -1) for a in inputs], 1).astype(np.float64)
    array = inputs[0]
    first = subject.model.layout == "channels_first" if subject.model is not None else False
    if array.ndim == 2 or (subject.kind == "image" and array.ndim == 3):
        return array.reshape(-1, 1)
    return (np.moveaxis(array, 1, -1) if first else array).reshape(-1, array.shape[1 if first else -1])


@dataclass(frozen=True)
class Column:
    """What the sheet shows of one column."""

    name: str
    low: float
    quartiles: tuple[float, float, float]
    high: float
    distinct: int


def summaries(subject: Subject) -> list[Column]:
    """A line a column."""
    found = []
    for name, values in zip(column_names(subject), columns(subject, subject.inputs).T, strict=True):
        part = values if len(values) <= _SAMPLES else values[:: len(values) // _SAMPLES]
        quartiles = tuple(float(q) for q in np.quantile(part, (0.25, 0.5, 0.75)))
        found.append(Column(name, float(values.min()), quartiles, float(values.max()), len(np.unique(part))))
    return found
