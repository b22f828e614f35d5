"""Values as a record may hold them: text that shows no tricks, finite numbers that do not tremble, plain containers."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from dlexplain.audit.record import Check, Exhibit, Part, Table

DIGITS = 6  # significant ones: the last bits of a float differ between machines, and mean nothing
_PICTURE_DIGITS = 4
# Control characters, lone surrogates, and those that turn the direction of writing: none has a place in a report.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)


def text(value: object) -> str:
    """Text in which every character shows."""
    return _UNSEEN.sub("\ufffd", str(value).replace("\r\n", "\n").replace("\r", "\n"))


def number(value: float, digits: int = DIGITS) -> float | None:
    """Rounded to significant digits; None where it is not finite."""
    value = float(value)
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None


def cell(value: Any) -> str | float | int | bool | None:
    """One value of a table or a fact."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int)):
        return value
    return number(value) if isinstance(value, float) else text(value)


def part(made: Part) -> Part:
    """A section's part as it stands in the record."""
    return replace(
        made,
        title=text(made.title),
        question=text(made.question),
        summary=tuple(map(text, made.summary)),
        facts=tuple((text(label), cell(value)) for label, value in made.facts),
        checks=tuple(map(check, made.checks)),
        tables=tuple(map(_table, made.tables)),
        exhibits=tuple(map(_exhibit, made.exhibits)),
        limits=tuple(map(text, made.limits)),
        stamps={text(label): cell(value) for label, value in made.stamps.items()},
    )


def check(made: Check) -> Check:
    """A check as it stands in the record."""
    return replace(
        made,
        title=text(made.title),
        reason=text(made.reason),
        advice=text(made.advice),
        threshold=text(made.threshold),
        figure=None if made.figure is None or made.status == "NOT RUN" else number(made.figure),
        interval=None if made.interval is None else tuple(number(v) for v in made.interval),
        gate=bool(made.gate),
        evidence=tuple(map(text, made.evidence)),
    )


def _table(made: Table) -> Table:
    rows = tuple(tuple(map(cell, row)) for row in made.rows)
    columns = tuple(map(text, made.columns))
    return replace(made, title=text(made.title), columns=columns, rows=rows, note=text(made.note))


def _exhibit(made: Exhibit) -> Exhibit:
    drawn = _drawn(made.figure)
    return replace(made, title=text(made.title), alt=text(made.alt), figure=drawn, note=text(made.note))


def _drawn(value: Any) -> Any:
    """A Plotly figure's value as JSON holds it; long numeric arrays in Plotly's own compact form."""
    if isinstance(value, Mapping):
        return {text(key): _drawn(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, (list, tuple)):
        return [_drawn(item) for item in value]
    return cell(value)


def _array(values: np.ndarray) -> Any:
    if values.dtype.kind == "f" and values.size > 16 and values.ndim in (1, 2) and np.isfinite(values).all():
        values = _rounded(values).astype("<f4")
    elif values.dtype == np.uint8 and values.size > 16 and values.ndim in (1, 2):
        values = np.ascontiguousarray(values)
    else:
        return _drawn(values.tolist())
    data = {"dtype": "f4" if values.dtype.kind == "f" else "u1", "bdata": base64.b64encode(values.tobytes()).decode()}
    return data if values.ndim == 1 else {**data, "shape": ", ".join(map(str, values.shape))}


def _rounded(values: np.ndarray) -> np.ndarray:
    """To significant digits, one by one."""
    size = np.abs(values)
    power = np.floor(np.log10(np.where(size > 0, size, 1.0)))
    scale = 10.0 ** (_PICTURE_DIGITS - 1 - power)
    return np.round(values.astype(np.float64) * scale) / scale
