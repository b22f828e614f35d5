"""Section 0: the answer, on one page."""

from __future__ import annotations

from collections import Counter

from dlexplain.audit.check import section
from dlexplain.audit.record import Check, Part, Table
from dlexplain.audit.result import findings, verdict_of
from dlexplain.audit.subject import Subject

_TOP = 6
_MEANING = {
    "PASS": "PASS: no check that counts in the verdict failed or stayed open. Faults of the kinds tested were not detected; that is not "
    "proof that there are none.",
    "FAIL": "FAIL: at least one check that counts in the verdict found a fault. Do not rely on this model or its explanations for this use "
    "until it is mended.",
    "INCONCLUSIVE": "INCONCLUSIVE: at least one question that counts in the verdict stays open, or none was asked, so nothing can be "
    "signed yet.",
}
_STATUSES = ("PASS", "FAIL", "INCONCLUSIVE", "NOT RUN")


@section(0, "Verdict", "May this model, and these explanations of it, be relied on for this use?")
def verdict(subject: Subject, checks: tuple[Check, ...]) -> Part:
    """`checks`: of the whole record."""
    counts = Counter(check.status for check in checks)
    found = findings(checks)
    summary = [_MEANING[verdict_of(checks)], *(_sentence(check) for check in found[:_TOP])]
    if len(found) > _TOP:
        summary.append(f"{len(found) - _TOP} more findings stand in the sections below.")
    idle = [check for check in checks if check.status == "NOT RUN"]
    if idle:
        noun = "check was" if len(idle) == 1 else "checks were"
        summary.append(f"{len(idle)} {noun} not run: {'; '.join(f'“{check.title}”' for check in idle)}.")
    if not found and checks:
        summary.append("Every check that was run passed.")
    return Part(
        number=0,
        title="Verdict",
        question="May this model, and these explanations of it, be relied on for this use?",
        summary=tuple(summary),
        facts=(("Verdict", verdict_of(checks)), *((status, counts[status]) for status in _STATUSES)),
        tables=_tables(found, idle),
        limits=(
            "The verdict holds for this model, these data, this profile of thresholds and this seed; for nothing else.",
            "Whether the use itself is right is for people to judge; see the intended use and its blanks.",
        ),
    )


def _sentence(check: Check) -> str:
    grade = check.status if check.gate else f"{check.status}, does not gate"
    return " ".join(filter(None, (f"{grade}: {check.title}.", check.reason, check.advice)))


def _tables(found: list[Check], idle: list[Check]) -> tuple[Table, ...]:
    tables = []
    if found:
        rows = tuple(
            (c.section, c.title, c.status, c.figure, c.threshold, "yes" if c.gate else "no", c.reason, c.advice)
            for c in found
        )
        columns = ("section", "check", "status", "figure", "threshold", "gates", "reason", "what to do")
        tables.append(Table(id="verdict-findings", title="Findings, gravest first", columns=columns, rows=rows))
    if idle:
        rows = tuple((c.section, c.title, c.reason) for c in idle)
        columns = ("section", "check", "why not")
        tables.append(Table(id="verdict-not-run", title="Checks that were not run", columns=columns, rows=rows))
    return tuple(tables)
