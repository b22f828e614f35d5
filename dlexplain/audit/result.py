"""The record of an audit: the verdict, every part, and the files that it can be written to."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from dlexplain.audit.record import Check, Part, Verdict
from dlexplain.errors import InputError

WRITERS = {".html": "html", ".json": "as_json", ".xml": "junit", ".md": "model_card"}
# What a finding of a section puts in doubt, gravest first: a leak makes every other figure worthless, a shortcut or an
# unfair slice harms people, a broken layer the model, a failed explainer the explanations.
_GRAVITY = (3, 10, 5, 11, 6, 4, 7, 13, 12, 8, 9, 14, 15)


@dataclass(frozen=True, kw_only=True)
class AuditRecord:
    """What was found, with what it rests on. The same model, data and seed give the same record, stamps apart.

    `fingerprint`: SHA-256 of model, data, settings and dlexplain's own code.
    """

    verdict: Verdict
    parts: tuple[Part, ...]
    fingerprint: str
    seed: int
    profile: str
    version: str

    @property
    def checks(self) -> list[Check]:
        """Every check in the order of the sections."""
        return [check for part in self.parts for check in part.checks]

    @property
    def stamps(self) -> dict[int, Mapping[str, str | float]]:
        """What differs from run to run, by section: times, memory, energy."""
        return {part.number: part.stamps for part in self.parts if part.stamps}

    @property
    def findings(self) -> list[Check]:
        """What did not pass, gravest first; checks that were not run are left out."""
        return findings(self.checks)

    @property
    def table(self):
        """A row a check, as a DataFrame."""
        import pandas as pd

        columns = ("name", "section", "title", "status", "figure", "threshold", "gate", "reason", "advice")
        return pd.DataFrame([{c: getattr(check, c) for c in columns} for check in self.checks], columns=list(columns))

    def part(self, number: int) -> Part:
        """One section. Raises `InputError` where the record has none of that number."""
        for part in self.parts:
            if part.number == number:
                return part
        raise InputError(
            f"section {number!r} is not in this record; it has {', '.join(str(p.number) for p in self.parts)}."
        )

    def save(self, path: str | os.PathLike) -> Path:
        """Writes .html, .json, .xml (JUnit) or .md (a model card): the whole file, or none."""
        path = Path(path)
        if path.suffix.lower() not in WRITERS:
            raise InputError(f"save: {path.name!r} does not end on one of {', '.join(WRITERS)}.")
        if not path.parent.is_dir():
            raise InputError(f"save: the folder {path.parent} does not exist.")
        write = import_module(f"dlexplain.audit.report.{WRITERS[path.suffix.lower()]}").write
        put(path, write(self))
        return path

    @classmethod
    def load(cls, path: str | os.PathLike) -> AuditRecord:
        """Reads what `save` wrote as .json. Raises `InputError` for any other file."""
        from dlexplain.audit.report import as_json

        return as_json.load(Path(path))

    def __repr__(self) -> str:
        counts = Counter(check.status for check in self.checks)
        said = ", ".join(
            f"{counts[status]} {status}" for status in ("PASS", "FAIL", "INCONCLUSIVE", "NOT RUN") if counts[status]
        )
        lines = [f"AuditRecord: {self.verdict}. {len(self.checks)} checks: {said or 'none'}"]
        for check in self.findings[:5]:
            lines.append(f"  {check.status}{'' if check.gate else ' (does not gate)'}: {check.title}. {check.reason}")
        if len(self.findings) > 5:
            lines.append(f"  and {len(self.findings) - 5} more: see .table")
        return "\n".join(lines)


def verdict_of(checks: Iterable[Check]) -> Verdict:
    """FAIL if a check that gates failed; else INCONCLUSIVE if one is, or none passed; else PASS."""
    statuses = {check.status for check in checks if check.gate}
    if "FAIL" in statuses:
        return "FAIL"
    return "PASS" if "PASS" in statuses and "INCONCLUSIVE" not in statuses else "INCONCLUSIVE"


def findings(checks: Iterable[Check]) -> list[Check]:
    """What did not pass: checks that gate before those that do not, FAIL before INCONCLUSIVE, then by gravity."""
    return sorted((check for check in checks if check.status in ("FAIL", "INCONCLUSIVE")), key=_gravity)


def _gravity(check: Check) -> tuple[bool, bool, int]:
    place = _GRAVITY.index(check.section) if check.section in _GRAVITY else len(_GRAVITY)
    return not check.gate, check.status != "FAIL", place


def put(path: Path, text: str) -> None:
    """The whole text or nothing: whoever is interrupted leaves what was there before."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
