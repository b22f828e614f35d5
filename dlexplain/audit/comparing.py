"""Two records side by side: what changed between an earlier audit and a later one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dlexplain.audit.plain import text
from dlexplain.audit.record import Check
from dlexplain.audit.result import AuditRecord

_RANK = {"PASS": 0, "NOT RUN": 1, "INCONCLUSIVE": 2, "FAIL": 3}
_STILL = 1e-3  # a figure that moved by less, as its share, is told as unmoved


@dataclass(frozen=True, kw_only=True)
class Changed:
    """One check in two records; None where a record does not have it."""

    name: str
    title: str
    before: Check | None
    after: Check | None

    @property
    def worse(self) -> bool:
        """Whether it answers less well than before; a check that fell out does."""
        if self.before is None or self.after is None:
            return self.before is not None or self.after.status in ("FAIL", "INCONCLUSIVE")
        return _RANK[self.after.status] > _RANK[self.before.status]

    def __str__(self) -> str:
        if self.before is None:
            return f"{self.title}: new, {_answer(self.after)}"
        if self.after is None:
            return f"{self.title}: was {_answer(self.before)}, is not in the later record"
        return f"{self.title}: {_answer(self.before)} -> {_answer(self.after)}"


@dataclass(frozen=True, kw_only=True)
class Changes:
    """`statuses`: checks that changed their status, came or went. `figures`: those whose figure alone moved.

    `thresholds`: those judged by another threshold. `identity`: label, before, after.
    """

    verdict: tuple[str, str]
    statuses: tuple[Changed, ...]
    figures: tuple[Changed, ...]
    thresholds: tuple[Changed, ...]
    identity: tuple[tuple[str, Any, Any], ...]

    def __bool__(self) -> bool:
        before, after = self.verdict
        return before != after or bool(self.statuses or self.figures or self.thresholds or self.identity)

    @property
    def worse(self) -> tuple[Changed, ...]:
        """What got worse: statuses only."""
        return tuple(change for change in self.statuses if change.worse)

    def sections(self) -> list[tuple[str, list[str]]]:
        """Headings with their lines, in plain words; those without lines are left out."""
        before, after = self.verdict
        same = before == after
        found = [
            ("Verdict", [f"{after}, as before" if same else f"{before} -> {after}"]),
            ("Worse", [str(change) + _why(change) for change in self.worse]),
            ("Better, or answered otherwise", [str(change) for change in self.statuses if not change.worse]),
            ("Figures that moved", [str(change) for change in self.figures]),
            ("Judged by another threshold", [_thresholds(change) for change in self.thresholds]),
            ("What was audited", [f"{label}: {_short(old)} -> {_short(new)}" for label, old, new in self.identity]),
        ]
        return [(heading, lines) for heading, lines in found if lines]

    def text(self) -> str:
        """The changes for a terminal."""
        if not self:
            return f"Nothing changed: {self.verdict[1]}, as before.\n"
        lines = []
        for heading, items in self.sections():
            lines += [heading, *("  " + " ".join(text(item).split()) for item in items)]
        return "\n".join(lines) + "\n"

    def markdown(self) -> str:
        """The changes as Markdown, in which nothing of the records is markup."""
        from dlexplain.audit.report.model_card import escape

        blocks = ["# What changed"]
        if not self:
            return f"{blocks[0]}\n\nNothing: {self.verdict[1]}, as before.\n"
        for heading, items in self.sections():
            blocks += [f"## {heading}", "\n".join(f"- {escape(item)}" for item in items)]
        return "\n\n".join(blocks) + "\n"

    def __repr__(self) -> str:
        return self.text().rstrip("\n")


def compare(earlier: AuditRecord, later: AuditRecord) -> Changes:
    """What changed from the earlier record to the later one: answers, figures, thresholds, and what was audited."""
    old, new = _by_name(earlier), _by_name(later)
    pairs = [
        Changed(name=key[1], title=(new.get(key) or old[key]).title, before=old.get(key), after=new.get(key))
        for key in sorted({*old, *new})
    ]
    both = [p for p in pairs if p.before is not None and p.after is not None]
    statuses = [p for p in pairs if p not in both or p.before.status != p.after.status]
    return Changes(
        verdict=(earlier.verdict, later.verdict),
        statuses=tuple(statuses),
        figures=tuple(p for p in both if p not in statuses and _moved(p.before.figure, p.after.figure)),
        thresholds=tuple(p for p in both if (p.before.threshold, p.before.gate) != (p.after.threshold, p.after.gate)),
        identity=_identity(earlier, later),
    )


def _by_name(record: AuditRecord) -> dict[tuple[int, str], Check]:
    return {(check.section, check.name): check for check in record.checks}


def _moved(before: float | None, after: float | None) -> bool:
    if before is None or after is None:
        return before is not after
    return abs(after - before) > _STILL * max(abs(before), abs(after), 1e-9)


def _identity(earlier: AuditRecord, later: AuditRecord) -> tuple[tuple[str, Any, Any], ...]:
    old, new = _facts(earlier), _facts(later)
    return tuple(
        (label, old.get(label), new.get(label)) for label in {**old, **new} if old.get(label) != new.get(label)
    )


def _facts(record: AuditRecord) -> dict[str, Any]:
    """What was audited, with what and for which use: the facts of sections 1 and 2, the versions."""
    found: dict[str, Any] = {"Profile of thresholds": record.profile, "Seed": record.seed, "dlexplain": record.version}
    for part in record.parts:
        if part.number in (1, 2):
            found.update(part.facts)
            for table in part.tables:
                if table.id == "identity-versions":
                    found.update({str(row[0]): row[1] for row in table.rows})
    return found


def _answer(check: Check) -> str:
    return check.status if check.figure is None else f"{check.status} ({check.figure:.3g})"


def _why(change: Changed) -> str:
    return "" if change.after is None else f". {change.after.reason}"


def _thresholds(change: Changed) -> str:
    def said(check: Check) -> str:
        return f"{check.threshold or 'none'}{'' if check.gate else ', does not gate'}"

    return f"{change.title}: {said(change.before)} -> {said(change.after)}"


def _short(value: Any) -> str:
    """A hash by its first places."""
    said = "nothing" if value is None else str(value)
    return said[:12] + "…" if len(said) == 64 and set(said) <= set("0123456789abcdef") else said
