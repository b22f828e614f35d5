"""What is different from an earlier record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dlexplain.audit.record import Check
from dlexplain.audit.report.html_text import Index, chip, escaped, paragraphs, short

if TYPE_CHECKING:
    from dlexplain.audit.comparing import Changed, Changes


def changed(changes: Changes, index: Index) -> str:
    """A section of its own: answers that got worse first, then the others, figures, thresholds, identity."""
    before, after = changes.verdict
    verdict = (
        f'<p class="summary">The verdict is {chip(after)}, as before.</p>'
        if before == after
        else f'<p class="summary">The verdict was {chip(before)} and is {chip(after)}.</p>'
    )
    worse = {id(change) for change in changes.worse}
    tables = (
        _answers("Worse than before", [c for c in changes.statuses if id(c) in worse], index),
        _answers("Better, or answered otherwise", [c for c in changes.statuses if id(c) not in worse], index),
        _table(
            "Figures that moved",
            ("Check", "Before", "Now"),
            [(_title(c, index), _figure(c.before), _figure(c.after)) for c in changes.figures],
        ),
        _table(
            "Judged by another threshold",
            ("Check", "Before", "Now"),
            [(_title(c, index), _threshold(c.before), _threshold(c.after)) for c in changes.thresholds],
        ),
        _table(
            "What was audited",
            ("Fact", "Before", "Now"),
            [(escaped(label), _value(old), _value(new)) for label, old, new in changes.identity],
        ),
    )
    nothing = "" if changes else paragraphs(["Nothing else changed."])
    return (
        '<section class="part" id="changes" aria-labelledby="changes-title"><header>'
        '<h2 id="changes-title">What changed since the earlier record</h2></header>'
        f"{verdict}{nothing}{''.join(tables)}</section>"
    )


def _answers(title: str, changes: Sequence[Changed], index: Index) -> str:
    rows = [
        (
            _title(c, index),
            _status(c.before),
            _status(c.after),
            escaped(c.after.reason if c.after else "Not asked this time."),
        )
        for c in changes
    ]
    return _table(title, ("Check", "Before", "Now", "Why"), rows)


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Cells are markup already."""
    if not rows:
        return ""
    spot = "changes-" + title.lower().replace(" ", "-").replace(",", "")
    head = "".join(f'<th scope="col">{name}</th>' for name in columns)
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>{"".join(f"<td>{cell}</td>" for cell in row[1:])}</tr>' for row in rows
    )
    return (
        f'<div class="piece"><h3 id="{spot}">{title}</h3><div class="scroll" role="region" aria-labelledby="{spot}" '
        f'tabindex="0"><table aria-labelledby="{spot}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></div>'
    )


def _title(change: Changed, index: Index) -> str:
    place = index.checks.get(change.name) if change.after is not None else None
    return f'<a href="#{place[0]}">{escaped(change.title)}</a>' if place else escaped(change.title)


def _status(check: Check | None) -> str:
    return "not in that record" if check is None else chip(check.status)


def _figure(check: Check | None) -> str:
    return "–" if check is None or check.figure is None else escaped(short(float(check.figure)))


def _threshold(check: Check | None) -> str:
    if check is None:
        return "–"
    return escaped(f"{check.threshold or 'none'}{'' if check.gate else '; does not count in the verdict'}")


def _value(value: Any) -> str:
    return '<span class="blank">not given</span>' if value is None else escaped(short(value))
