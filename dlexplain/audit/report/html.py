"""The record as one HTML page that needs no network: verdict and findings first, every claim a link to its evidence.

All text of the record is escaped, and the page's own rule (Content-Security-Policy) names its two scripts by their
hashes and allows no request at all: a name that slipped through could neither run nor call out.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from dlexplain.audit.card import FIELDS
from dlexplain.audit.record import Check, Part
from dlexplain.audit.report.html_changes import changed
from dlexplain.audit.report.html_checks import all_checks, counts, first_findings
from dlexplain.audit.report.html_exhibits import Gallery
from dlexplain.audit.report.html_parts import content, contents, section
from dlexplain.audit.report.html_text import Index, chip, escaped, paragraphs

if TYPE_CHECKING:
    from dlexplain.audit.comparing import Changes
    from dlexplain.audit.result import AuditRecord

_MEANING = {
    "PASS": "Every check that counts passed.",
    "FAIL": "At least one check that counts failed.",
    "INCONCLUSIVE": "No check that counts failed, but at least one could not be answered.",
}
_KINDS = {"image": "pictures", "table": "rows of a table", "series": "time series", "tokens": "texts (token ids)"}


def write(record: AuditRecord, changes: Changes | None = None) -> str:
    """The page. `changes`: what is different from an earlier record."""
    parts = sorted(record.parts, key=lambda part: part.number)
    index = Index.of(parts)
    gallery = Gallery.of(parts, index)
    script, code = _asset("html.js"), "" if gallery.empty else _plotly()[0]
    first = next((part for part in parts if part.number == 0), None)
    name = _name(parts)
    body = "".join(
        (
            '<a class="skip" href="#section-0">Skip to the verdict</a>',
            f'<div class="page">{contents(parts, changed=changes is not None)}<main>',
            _verdict(record, name, parts, first, index, gallery),
            changed(changes, index) if changes is not None else "",
            *(section(part, index, gallery) for part in parts if part is not first),
            "</main></div>",
            f"<footer><p>{_FOOT}</p></footer>",
        )
    )
    return (
        '<!DOCTYPE html>\n<html lang="en-GB"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(script)}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark">'
        '<meta name="referrer" content="no-referrer"><meta name="generator" content="dlexplain">'
        f"<title>{escaped(record.verdict)}: audit of {escaped(name)}</title>"
        f"<style>{_asset('html.css')}</style><script>{script}</script></head><body>{body}"
        f'<script type="text/plain" id="figures">{"" if gallery.empty else gallery.packed()}</script>'
        f'<script type="text/plain" id="drawing-code">{code}</script></body></html>\n'
    )


_FOOT = (
    "Written by dlexplain. The page needs no network and sends nothing. “Not detected” never means “absent”: "
    "section 14 says what share of planted faults an audit like this one catches."
)


def _verdict(
    record: AuditRecord, name: str, parts: Sequence[Part], first: Part | None, index: Index, gallery: Gallery
) -> str:
    checks = [check for part in parts for check in part.checks]
    lead, rest = _lead(record, first, checks)
    found = first_findings(checks, index)
    if not found and not rest:
        rest = ["No check failed, and none stayed open."]
    return (
        '<section class="part first" id="section-0" aria-labelledby="section-0-title" tabindex="-1">'
        f'<div class="opening"><header><p class="at">Audit record</p><h1 id="section-0-title">{escaped(name)}</h1>'
        f'<p class="quiet">{_origin(record)}</p></header><p class="sign">'
        f'<span class="unseen">Verdict: </span>{chip(record.verdict, large=True)}</p>'
        f'<div class="outcome"><div class="lead">{paragraphs([lead])}</div>{counts(checks)}</div></div>'
        f"<h2>First findings</h2>{found}{paragraphs(rest, 'rest')}"
        f"{all_checks(checks, index)}{content(first, index, gallery, opening=True) if first else ''}</section>"
    )


def _lead(record: AuditRecord, first: Part | None, checks: Sequence[Check]) -> tuple[str, list[str]]:
    """What section 0 says of the verdict, and what it says beside; its findings stand in the list with their links."""
    told = list(first.summary) if first and first.summary else [_MEANING[record.verdict]]
    found = [check for check in checks if check.status in ("FAIL", "INCONCLUSIVE")]
    rest = [text for text in told[1:] if not any(c.title in text and c.reason in text for c in found)]
    lead = told[0].removeprefix(f"{record.verdict}: ")
    return lead[:1].upper() + lead[1:], [text for text in rest if "more findings stand" not in text]


def _name(parts: Sequence[Part]) -> str:
    """What was audited: as the auditor's card names it, else as section 1 describes it."""
    told = {label: value for part in parts if part.number in (1, 2) for label, value in part.facts}
    given = str(told.get(FIELDS["name"]) or "").strip()
    if given:
        return given.splitlines()[0][:120]
    kind, task = told.get("Kind of input"), told.get("Task")
    made = f"A {told['Framework']} model" if told.get("Framework") else "A model"
    return f"{made} for {task} of {_KINDS.get(str(kind), kind)}" if kind and task else made


def _origin(record: AuditRecord) -> str:
    told = (
        f"Record {record.fingerprint.removeprefix('sha256:')[:12]}",
        f"profile {record.profile}",
        f"seed {record.seed}",
        f"dlexplain {record.version}",
    )
    return " · ".join(escaped(text) for text in told)


def _policy(script: str) -> str:
    own, drawing = _hash(script), _plotly()[1]
    # plotly.js writes style attributes; a style can fetch nothing here, since images may only be data.
    return (
        f"default-src 'none'; script-src {own} {drawing}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _plotly() -> tuple[str, str]:
    """plotly.js, compressed and in base64, and its hash."""
    from plotly.offline import get_plotlyjs

    code = get_plotlyjs()
    return base64.b64encode(gzip.compress(code.encode(), 9, mtime=0)).decode(), _hash(code)


@cache
def _asset(name: str) -> str:
    return (resources.files(__package__) / name).read_text(encoding="utf-8")
