"""The record as a model card in Markdown, under the headings of Mitchell et al. 2019, Model Cards for Model Reporting.

Names of classes and features, the card and every reason may come from anywhere: no character of theirs is markup here.
"""

from __future__ import annotations

import re

from dlexplain.audit.card import FIELDS
from dlexplain.audit.plain import text
from dlexplain.audit.record import Check, Part
from dlexplain.audit.result import AuditRecord

_BLANK = "*blank*"
# In one pass, so that no replacement is replaced again. "@" would name somebody, "#" an issue, "$" begin a formula.
_PLAIN = str.maketrans(
    {**{c: f"\\{c}" for c in "\\`*_{}[]#|~$^"}, "&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"}
)
_LINK = re.compile(r"(?i)\b(https?|ftp|mailto|xmpp):|\b(www)\.")  # what a renderer turns into a link by itself
_OPENING = re.compile(r"^(\d*)([-+=.)])")  # at the start of a line: a list, a rule or a heading


def write(record: AuditRecord) -> str:
    """The model card."""
    answers = _answers(record)
    blocks = ["# Model card", _verdict(record)]
    for heading, body in (
        ("Model Details", [*_asked(answers, "name", "owner", "auditor", "licence", "contact"), *_facts(record, 1)]),
        ("Intended Use", _asked(answers, "use", "users", "misuse", "out_of_scope", "oversight")),
        ("Factors", [*_asked(answers, "affected"), *_told(record, 5)]),
        ("Metrics", _told(record, 16)),
        ("Evaluation Data", [*_asked(answers, "evaluation_data"), *_told(record, 3)]),
        ("Training Data", _asked(answers, "training_data")),
        ("Quantitative Analyses", [*_told(record, 4), _table(record.checks)]),
        ("Ethical Considerations", _asked(answers, "harm")),
        ("Caveats and Recommendations", _caveats(record)),
    ):
        blocks += [f"## {heading}", *(body or [_BLANK])]
    blocks.append(f"Made by dlexplain {escape(record.version)}; record `{record.fingerprint}`, seed {record.seed}.")
    return "\n\n".join(_grouped(blocks)) + "\n"


def escape(value: object) -> str:
    """Text on one line in which nothing is markup, a link, a mention or HTML, in a paragraph or a table's cell."""
    line = " ".join(text(value).split()).translate(_PLAIN)
    line = _LINK.sub(lambda m: f"{m[1]}&#58;" if m[1] else f"{m[2]}&#46;", line)
    return _OPENING.sub(r"\1\\\2", line)


def _grouped(blocks: list[str]) -> list[str]:
    """Items of a list stand together, without empty lines between."""
    joined: list[str] = []
    for block in blocks:
        if joined and block.startswith("- ") and joined[-1].rsplit("\n", 1)[-1].startswith("- "):
            joined[-1] += "\n" + block
        else:
            joined.append(block)
    return joined


def _part(record: AuditRecord, number: int) -> Part | None:
    return next((part for part in record.parts if part.number == number), None)


def _answers(record: AuditRecord) -> dict[str, object]:
    part = _part(record, 2)
    said = dict(part.facts) if part else {}
    return {key: said.get(question) for key, question in FIELDS.items()}


def _asked(answers: dict[str, object], *keys: str) -> list[str]:
    return [f"- **{escape(FIELDS[key])}** {escape(answers[key]) if answers[key] else _BLANK}" for key in keys]


def _facts(record: AuditRecord, number: int) -> list[str]:
    part = _part(record, number)
    return [f"- {escape(label)}: {_shown(value)}" for label, value in part.facts] if part else []


def _told(record: AuditRecord, number: int) -> list[str]:
    part = _part(record, number)
    return [f"- {escape(line)}" for line in part.summary] if part else []


def _verdict(record: AuditRecord) -> str:
    part = _part(record, 0)
    lines = [f"**Verdict of the audit: {record.verdict}**"]
    return "\n\n".join([*lines, "\n".join(f"- {escape(line)}" for line in part.summary)] if part else lines)


def _caveats(record: AuditRecord) -> list[str]:
    advice = [f"- {escape(check.title)}: {escape(check.advice)}" for check in record.findings if check.advice]
    limits = [f"- {escape(line)}" for part in record.parts for line in part.limits]
    return list(dict.fromkeys([*advice, *limits]))


def _table(checks: list[Check]) -> str:
    if not checks:
        return _BLANK
    lines = [
        "| section | check | status | figure | passes | gates | reason |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for check in checks:
        cells = (
            check.section,
            check.title,
            check.status,
            check.figure,
            check.threshold,
            "yes" if check.gate else "no",
            check.reason,
        )
        lines.append("| " + " | ".join("" if cell is None else _shown(cell) for cell in cells) + " |")
    return "\n".join(lines)


def _shown(value: object) -> str:
    if value is None:
        return _BLANK
    return escape(f"{value:g}" if isinstance(value, float) else value)
