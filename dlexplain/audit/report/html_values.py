"""The values of a figure as a table: for those who cannot see it, or whose reader draws none."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from typing import Any

import numpy as np

_ROWS, _CELLS = 200, 400


@dataclass(frozen=True)
class Values:
    """Rows under columns; `note` says what is not listed."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    note: str = ""


def values(traces: Sequence[Mapping[str, Any]]) -> Values | None:
    """The points of bars, lines and small heat maps; None where there are none, or where a list would tell nothing."""
    rows, left = [], 0
    for place, trace in enumerate(traces, 1):
        if trace.get("visible") is False or trace.get("hoverinfo") == "skip":
            continue
        name = unescape(str(trace.get("name") or f"series {place}"))
        found = [(name, *(_cell(v) for v in point)) for point in _points(trace)]
        left += len(found) if len(rows) + len(found) > _ROWS else 0
        rows += found if len(rows) + len(found) <= _ROWS else []
    if not rows:
        return None
    wide = max(len(row) for row in rows)
    columns = ("Series", "x", "y", "value")[:wide] if wide == 4 else ("Series", "x", "y")[:wide]
    note = f"{left} more values are not listed." if left else ""
    if len({row[0] for row in rows}) == 1:
        columns, rows = columns[1:], [row[1:] for row in rows]
    full = [tuple(row) + (None,) * (len(columns) - len(row)) for row in rows]
    return Values(columns, tuple(full), note)


def _points(trace: Mapping[str, Any]) -> Iterable[tuple[Any, ...]]:
    if trace.get("type") == "heatmap":
        z = array(trace.get("z"))
        if z.ndim != 2 or z.size > _CELLS:
            return []
        x, y = (array(trace.get(axis)) for axis in "xy")
        return [
            (x[j] if len(x) == z.shape[1] else j, y[i] if len(y) == z.shape[0] else i, z[i, j])
            for i, j in np.ndindex(z.shape)
        ]
    if trace.get("type", "scatter") not in ("bar", "scatter"):
        return []
    x, y = (array(trace.get(axis)) for axis in "xy")
    if not len(x) or not len(y):
        only = x if len(x) else y
        numbered = np.arange(len(only))
        x, y = (x, numbered) if len(x) else (numbered, y)
    return list(zip(x, y, strict=False))


def array(given: Any) -> np.ndarray:
    """An array of a Plotly figure: a list, or its packed form `{dtype, bdata, shape}`."""
    if isinstance(given, Mapping) and "bdata" in given:
        flat = np.frombuffer(base64.b64decode(given["bdata"]), np.dtype(given["dtype"]).newbyteorder("<"))
        shape = [int(n) for n in str(given.get("shape", flat.size)).split(",")]
        return flat.reshape(shape)
    if given is None:
        return np.zeros(0)
    rows = list(given)
    if rows and isinstance(rows[0], list) and all(isinstance(row, list) and len(row) == len(rows[0]) for row in rows):
        made = np.empty((len(rows), len(rows[0])), object)
        for i, row in enumerate(rows):
            made[i] = row
        return made
    made = np.empty(len(rows), object)
    made[:] = (
        rows
        if rows and not isinstance(rows[0], list)
        else [", ".join(map(str, r)) if isinstance(r, list) else r for r in rows]
    )
    return made


def _cell(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    return (
        unescape(value).replace("<br>", " ").replace("<b>", "").replace("</b>", "") if isinstance(value, str) else value
    )
