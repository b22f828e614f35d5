"""Tables in the report: numbers aligned, names of the record linked, long ones folded."""

from __future__ import annotations

from collections.abc import Sequence

from dlexplain.audit.record import Table
from dlexplain.audit.report.html_text import STATUSES, Index, chip, escaped, paragraphs, short

_LONG = 14
Cell = str | float | int | bool | None


def table(piece: Table, index: Index) -> str:
    """A table with its label, title and note."""
    spot, label = index.at(piece)
    if not piece.rows:
        body = '<p class="none">The table is empty.</p>'
    else:
        body = grid(piece.columns, piece.rows, named=f"{spot}-title", index=index)
        if len(piece.rows) > _LONG:
            body = f"<details><summary>Show {len(piece.rows)} rows</summary>{body}</details>"
    return (
        f'<div class="piece table-piece" id="{spot}"><h3 id="{spot}-title"><span class="label">{label}</span> '
        f"{escaped(piece.title)}</h3>{body}{paragraphs([piece.note], 'note')}</div>"
    )


def grid(columns: Sequence[str], rows: Sequence[Sequence[Cell]], *, named: str, index: Index | None = None) -> str:
    """Rows under columns; `named` is the element that names the table. The first column names the row."""
    numeric = [_numeric([row[i] for row in rows if i < len(row)]) for i in range(len(columns))]
    head = "".join(
        f'<th scope="col"{_kind(right)}>{escaped(name)}</th>' for name, right in zip(columns, numeric, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            _cell(value, first=i == 0, right=numeric[i], index=index) for i, value in enumerate(row[: len(columns)])
        )
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll" role="region" aria-labelledby="{named}" tabindex="0"><table class="sortable" '
        f'aria-labelledby="{named}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _numeric(values: Sequence[Cell]) -> bool:
    told = [value for value in values if value is not None]
    return bool(told) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in told)


def _kind(right: bool) -> str:
    return ' class="number"' if right else ""


def _cell(value: Cell, *, first: bool, right: bool, index: Index | None) -> str:
    exact = f' data-value="{value!r}"' if isinstance(value, int | float) and not isinstance(value, bool) else ""
    shown = _shown(value, index)
    return f'<th scope="row"{exact}>{shown}</th>' if first else f"<td{_kind(right)}{exact}>{shown}</td>"


def _shown(value: Cell, index: Index | None) -> str:
    if not isinstance(value, str):
        return escaped(short(value))
    if value in STATUSES:
        return chip(value)
    if index is not None:
        # A cell that only names checks, tables, figures or sections leads to them.
        names = value.split(", ")
        places = [index.place(name) for name in names]
        if all(places):
            return ", ".join(f'<a href="#{place[0]}">{escaped(place[1])}</a>' for place in places if place)
    return escaped(value)
