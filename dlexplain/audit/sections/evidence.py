"""Section 17: which clause rests on which evidence of this record, and which on none."""

from __future__ import annotations

from collections.abc import Mapping

from dlexplain.audit.check import section
from dlexplain.audit.record import Check, Part, Table
from dlexplain.audit.sections.clauses import CLAUSES, Clause
from dlexplain.audit.subject import Subject

WHOLE, SOME, NONE = "all that an audit can give", "in part", "none in this record"


@section(17, "Evidence index", "Which clause of law or framework rests on which evidence here?")
def evidence(subject: Subject, checks: tuple[Check, ...]) -> Part:
    """`checks`: of the whole record."""
    rows = tuple(_row(clause, checks, subject.told, subject.card) for clause in CLAUSES)
    bare = [(source, clause) for source, clause, *_, state in rows if state == NONE]
    summary = [
        f"{len(rows) - len(bare)} of {len(rows)} clauses have evidence in this record; each is named with where it stands."
    ]
    if bare:
        sources = dict.fromkeys(source for source, _ in bare)
        named = (f"{s}: {', '.join(c for source, c in bare if source == s)}" for s in sources)
        summary.append(f"Without evidence here: {'; '.join(named)}.")
    columns = ("source", "clause", "asks, in short", "checks", "tables and figures", "sections", "card", "evidence")
    return Part(
        number=17,
        title="Evidence index",
        question="Which clause of law or framework rests on which evidence here?",
        summary=tuple(summary),
        tables=(
            Table(
                id="evidence-clauses",
                title="Clauses and their evidence",
                columns=columns,
                rows=rows,
                note="A check is named with its status. Tables and figures are named by their identifiers.",
            ),
        ),
        limits=(
            "This index says where evidence lies. It is no legal opinion: whether a clause is met is for people to judge.",
            "The clauses are given in short words of our own; the wording that binds is that of the law.",
        ),
    )


def _row(
    clause: Clause, checks: tuple[Check, ...], told: Mapping[int, Part], card: Mapping[str, str]
) -> tuple[str, str, str, str, str, str, str, str]:
    """What of the record serves the clause: only what is really there."""
    named = [check for check in checks if check.name in clause.checks]
    answered = [check for check in named if check.status in ("PASS", "FAIL")]
    parts = [told[number] for number in clause.sections if number in told]
    shown = [part for part in parts if _shows(part)]
    ids = [item.id for part in shown for item in (*part.tables, *part.exhibits)]
    filled, blank = [k for k in clause.card if k in card], [k for k in clause.card if k not in card]
    there = bool(answered or shown or filled)
    whole = there and len(answered) == len(clause.checks) and len(shown) == len(clause.sections) and not blank
    return (
        clause.source,
        clause.clause,
        clause.asks,
        ", ".join(f"{check.name} ({check.status})" for check in named),
        ", ".join(ids),
        ", ".join(str(part.number) for part in shown),
        ", ".join([*filled, *(f"{key} (blank)" for key in blank)]),
        WHOLE if whole else SOME if there else NONE,
    )


def _shows(part: Part) -> bool:
    """Whether a section holds more than words: tables, figures, or facts that do not stand beside unanswered checks."""
    answered = not part.checks or any(check.status in ("PASS", "FAIL") for check in part.checks)
    return bool(part.tables or part.exhibits or (answered and any(value is not None for _, value in part.facts)))
