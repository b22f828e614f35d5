"""The sections of the record on the page, and the list of contents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dlexplain.audit.record import Part
from dlexplain.audit.report.html_checks import in_full
from dlexplain.audit.report.html_exhibits import Gallery
from dlexplain.audit.report.html_tables import table
from dlexplain.audit.report.html_text import Index, escaped, paragraphs, shape, short, worst


def contents(parts: Sequence[Part], *, changed: bool = False) -> str:
    """Links to all sections, each with the worst status in it."""
    other = '<li><a href="#changes"><span class="at">±</span><span>What changed</span></a></li>' if changed else ""
    items = "".join(
        f'<li><a href="#section-{part.number}"><span class="at">{part.number}</span><span>{escaped(part.title)}</span>'
        f"{_state(part)}</a></li>"
        for part in parts
    )
    return (
        '<nav class="contents" aria-label="Contents"><details open><summary>Contents</summary>'
        f"<ol>{other}{items}</ol></details></nav>"
    )


def _state(part: Part) -> str:
    status = worst(check.status for check in part.checks)
    if status is None:
        return ""
    return f'<span class="state" data-status="{status}" title="{status}">{shape(status)}<span class="unseen">{status}</span></span>'


def section(part: Part, index: Index, gallery: Gallery) -> str:
    """A section: question, summary, facts, checks, tables, figures, limits."""
    spot = f"section-{part.number}"
    return (
        f'<section class="part" id="{spot}" aria-labelledby="{spot}-title"><header><p class="at">Section {part.number}</p>'
        f'<h2 id="{spot}-title">{escaped(part.title)}</h2>{paragraphs([part.question], "question")}</header>'
        f"{content(part, index, gallery)}</section>"
    )


def content(part: Part, index: Index, gallery: Gallery, *, opening: bool = False) -> str:
    """What stands under a section's heading. `opening`: summary and counts are told already, tables are for looking up."""
    summary = f'<div class="summary">{paragraphs(part.summary)}</div>' if part.summary else ""
    told = "" if opening else summary + facts(part.facts)
    checks = "".join(in_full(check, index) for check in part.checks)
    return (
        told
        + (f'<div class="checks">{checks}</div>' if checks else "")
        + "".join(table(piece, index, folded=opening) for piece in part.tables)
        + "".join(gallery.exhibit(piece, index) for piece in part.exhibits)
        + _closing(part)
    )


def _closing(part: Part) -> str:
    """A section's limits, and what differs from run to run."""
    items = "".join(f"<li>{escaped(text)}</li>" for text in part.limits)
    limits = f'<div class="limits"><h3>Limits</h3><ul>{items}</ul></div>' if items else ""
    return limits + _stamps({label: value for label, value in part.stamps.items() if (label, value) != ("seconds", 0)})


def _stamps(stamps: Mapping[str, str | float]) -> str:
    if len(stamps) > 3:
        return f'<div class="stamps"><h3>Differs from run to run</h3>{facts(tuple(stamps.items()))}</div>'
    if list(stamps) == ["seconds"]:
        return f'<p class="stamps">Took {escaped(short(stamps["seconds"]))} seconds, which differs from run to run.</p>'
    said = "; ".join(f"{escaped(label)} {escaped(short(value))}" for label, value in stamps.items())
    return f'<p class="stamps">Differs from run to run: {said}.</p>' if said else ""


def facts(pairs: Sequence[tuple[str, str | float | int | None]]) -> str:
    """Labels and values; a blank is shown as a blank."""
    if not pairs:
        return ""
    items = "".join(f"<div><dt>{escaped(label)}</dt><dd>{_value(value)}</dd></div>" for label, value in pairs)
    return f'<dl class="facts">{items}</dl>'


def _value(value: str | float | int | None) -> str:
    if value is None or value == "":
        return '<span class="blank">not given</span>'
    text = escaped(short(value)).replace("\n", "<br>")
    return f"<code>{text}</code>" if isinstance(value, str) and _is_code(value) else text


def _is_code(value: str) -> bool:
    """A hash: long, without spaces, of hexadecimal digits."""
    return len(value) >= 16 and all(sign in "0123456789abcdefABCDEF" for sign in value.removeprefix("sha256:"))
