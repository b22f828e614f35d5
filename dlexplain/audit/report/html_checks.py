"""Checks in the report: the first findings, the list of all that can be narrowed, and each one in full."""

from __future__ import annotations

from collections.abc import Sequence

from dlexplain.audit.record import Check
from dlexplain.audit.report.html_text import STATUSES, WORDS, Index, chip, escaped, paragraphs, shape, short
from dlexplain.audit.result import findings

_MOST = 5


def first_findings(checks: Sequence[Check], index: Index) -> str:
    """The first few findings, gravest first, each with links to the check and to what it rests on; empty for none."""
    found = findings(checks)
    if not found:
        return ""
    items = "".join(
        f'<li data-status="{check.status}">{chip(check.status)}<div>'
        f'<p class="claim"><a href="#{index.at(check)[0]}">{escaped(check.title)}</a></p>'
        f"{paragraphs([check.reason])}{_beside_the_limit(check)}{_evidence(check, index)}</div></li>"
        for check in found[:_MOST]
    )
    more = len(found) - _MOST
    rest = f'<p class="more"><a href="#all-checks">{more} more below</a></p>' if more > 0 else ""
    return f'<ol class="findings">{items}</ol>{rest}'


def _beside_the_limit(check: Check) -> str:
    if check.figure is None or not check.threshold:
        return ""
    counts = "" if check.gate else "; it does not count in the verdict"
    return f'<p class="limit">Measured {_figure(check)}; passes {escaped(check.threshold)}{counts}.</p>'


def counts(checks: Sequence[Check]) -> str:
    """How many checks have which status."""
    totals = {status: sum(check.status == status for check in checks) for status in STATUSES}
    items = "".join(
        f'<li data-status="{status}"><a href="#all-checks" data-show="{status}">{shape(status)}<b>{totals[status]}</b> '
        f"{WORDS[status]}</a></li>"
        for status in STATUSES
    )
    return f'<ul class="counts" aria-label="How the {len(checks)} checks ended">{items}</ul>'


def all_checks(checks: Sequence[Check], index: Index) -> str:
    """Every check in one list. Radio buttons narrow it by a style rule, so that no script is needed."""
    choices = "".join(
        f'<label><input type="radio" name="show" value="{value}"{" checked" if not value else ""}>'
        f'<span data-status="{value}">{shape(value) if value else ""}{text} <b>{count}</b></span></label>'
        for value, text, count in (
            ("", "All", len(checks)),
            *((status, WORDS[status].capitalize(), sum(c.status == status for c in checks)) for status in STATUSES),
        )
    )
    rows = "".join(
        f'<tr data-status="{check.status}"><td>{chip(check.status)}</td>'
        f'<th scope="row"><a href="#{index.at(check)[0]}">{escaped(check.title)}</a></th>'
        f'<td class="number">{_figure(check)}</td><td>{escaped(check.threshold)}</td>'
        f"<td>{'yes' if check.gate else 'no'}</td>"
        f'<td><a href="#section-{check.section}">{check.section}</a></td></tr>'
        for check in checks
    )
    return (
        '<div class="all-checks" id="all-checks"><h2 id="all-checks-title">All checks</h2>'
        f'<form class="filter" autocomplete="off"><fieldset><legend>Show</legend>{choices}</fieldset>'
        '<label class="search" hidden>Search <input type="search" id="search"></label></form>'
        '<p class="none" role="status" hidden>No check matches.</p>'
        '<div class="scroll" role="region" aria-labelledby="all-checks-title" tabindex="0">'
        '<table class="sortable"><thead><tr><th scope="col">Status</th><th scope="col">Check</th>'
        '<th scope="col" class="number">Measured</th><th scope="col">Passes</th>'
        '<th scope="col">Counts</th><th scope="col">Section</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div></div>"
    )


def in_full(check: Check, index: Index) -> str:
    """One check: status, reason, figure, threshold, interval, advice, evidence."""
    spot, _ = index.at(check)
    measured = [("Measured", _figure(check))] if check.figure is not None else []
    if check.interval is not None:
        measured.append(("Interval", f"{short(float(check.interval[0]))} to {short(float(check.interval[1]))}"))
    if check.threshold:
        measured.append(("Passes", escaped(check.threshold)))
    measured.append(("Counts in the verdict", "yes" if check.gate else "no"))
    facts = "".join(f"<div><dt>{label}</dt><dd>{value}</dd></div>" for label, value in measured)
    reason = paragraphs([check.reason], "reason")
    if check.status in ("FAIL", "INCONCLUSIVE") and check.name in index.why:
        reason += f'<p class="why"><span>Why it matters</span> {escaped(index.why[check.name])}</p>'
    advice = f'<div class="advice"><b>What to do</b>{paragraphs([check.advice])}</div>' if check.advice else ""
    return (
        f'<article class="check" id="{spot}" data-status="{check.status}" aria-labelledby="{spot}-title">'
        f'<div class="verdict-of">{chip(check.status)}</div><div class="body">'
        f'<h3 id="{spot}-title">{escaped(check.title)}</h3>{reason}'
        f'<dl class="measured">{facts}</dl>{advice}{_evidence(check, index)}</div></article>'
    )


def _figure(check: Check) -> str:
    return "–" if check.figure is None else escaped(short(float(check.figure)))


def _evidence(check: Check, index: Index) -> str:
    if not check.evidence:
        return ""
    return f'<p class="evidence"><span>Evidence</span> {"; ".join(index.link(name) for name in check.evidence)}</p>'
