"""Tables in the report: numbers aligned, names of the record linked, long ones folded."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dlexplain.audit.record import Table
from dlexplain.audit.report.html_text import STATUSES, Index, chip, escaped, paragraphs, short

_LONG = 14
_LEADING = ("check", "checks", "evidence", "tables and figures", "rests on", "section", "sections")
Cell = str | float | int | bool | None


def table(piece: Table, index: Index, *, folded: bool = False) -> str:
    """A table with its label, title and note; a long one folded."""
    spot, label = index.at(piece)
    if not piece.rows:
        body = '<p class="none">The table is empty.</p>'
    else:
        body = grid(piece.columns, piece.rows, named=f"{spot}-title", index=index)
        if folded or len(piece.rows) > _LONG:
            body = f"<details><summary>Show {_rows(len(piece.rows))}</summary>{body}</details>"
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
            _cell(value, first=i == 0, right=numeric[i], index=index, column=columns[i])
            for i, value in enumerate(row[: len(columns)])
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


def _cell(value: Cell, *, first: bool, right: bool, index: Index | None, column: str) -> str:
    exact = f' data-value="{value!r}"' if isinstance(value, int | float) and not isinstance(value, bool) else ""
    shown = _shown(value, index, column)
    return f'<th scope="row"{exact}>{shown}</th>' if first else f"<td{_kind(right)}{exact}>{shown}</td>"


def _shown(value: Cell, index: Index | None, column: str) -> str:
    if value in STATUSES:
        return chip(str(value))
    # A cell leads to what it names, in columns that name nothing else: a feature may be called as a check is.
    if index is None or column.lower() not in _LEADING or value is None:
        return escaped(short(value))
    whole, each = _linked(str(value), index), [_linked(name, index) for name in str(value).split(", ")]
    return whole or (", ".join(each) if all(each) else escaped(short(value)))


def _linked(name: str, index: Index) -> str:
    bare, more = re.fullmatch(r"(.*?)( \((?:PASS|FAIL|INCONCLUSIVE|NOT RUN)\))?", name, re.DOTALL).groups(default="")
    of_section = bare.isdigit()
    place = index.place(f"section {bare}" if of_section else bare)
    return f'<a href="#{place[0]}">{escaped(bare if of_section else place[1])}</a>{escaped(more)}' if place else ""


def _rows(count: int) -> str:
    return "one row" if count == 1 else f"{count} rows"
