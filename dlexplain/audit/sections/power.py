"""Section 14: what this audit would have found, measured by faults planted on purpose and by sound models."""

from __future__ import annotations

from dlexplain.audit import power
from dlexplain.audit.check import section
from dlexplain.audit.power import Power, Row, percent
from dlexplain.audit.record import Check, Part, Table
from dlexplain.audit.subject import Subject

_QUESTION = "What would this audit have found, had it been there, and how often does it accuse a sound model?"
_TITLE = "Power statement"
# A fault caught less often than this is named in the first sentences.
_OFTEN = 0.95


@section(14, _TITLE, _QUESTION)
def stated(subject: Subject, checks: tuple[Check, ...]) -> Part:
    found = power.measured()
    if found is None:
        words = (
            "The audit's own exam was never run with this copy of the package, so its power is not known: make exam."
        )
        return Part(number=14, title=_TITLE, question=_QUESTION, summary=(words,), checks=checks)
    frameworks = sorted({f for row in (*found.faults, *found.clean) for f in row.hits})
    same = found.code == power.code_fingerprint()
    versions = ", ".join(f"{name} {version}" for name, version in sorted(found.packages.items()))
    return Part(
        number=14,
        title=_TITLE,
        question=_QUESTION,
        summary=tuple(_summary(subject, found)),
        facts=(
            ("planted faults caught", str(found.caught())),
            *((f"planted faults caught, {f}", str(found.caught(f))) for f in frameworks),
            ("sound models accused", str(found.accused())),
            *((f"sound models accused, {f}", str(found.accused(f))) for f in frameworks),
            ("measured with dlexplain", found.version),
            ("measured with", versions),
            ("code examined", found.code + (", the same as here" if same else ", not the same as here")),
        ),
        checks=checks,
        tables=(_faults(found, frameworks), _clean(found, frameworks)),
        limits=tuple(_limits(found, same)),
    )


def _summary(subject: Subject, found: Power) -> list[str]:
    caught, accused = found.caught(), found.accused()
    gaps = power.gaps(found, kind=subject.kind, framework=subject.model.framework, profile=subject.profile.name)
    told = [f"This statement does not cover the model audited here in full. {' '.join(gaps)}"] if gaps else []
    told += [
        f"Of {caught.of} faults planted on purpose the audit caught {caught.count}: {percent(caught.share)}, "
        f"95 % interval {_span(caught.interval)}.",
    ]
    if accused.of:
        told.append(
            f"Of {accused.of} sound models it accused {accused.count} falsely: {percent(accused.share, up=True)}, "
            f"95 % interval {_span(accused.interval)}."
        )
    weak = [row for row in found.faults if row.total.of and row.total.share < _OFTEN]
    if weak:
        listed = "; ".join(f"{row.name.replace('_', ' ')} ({row.total.count} of {row.total.of})" for row in weak)
        told.append(f"Caught less often than {percent(_OFTEN)}: {listed}. A PASS says little about these.")
    told.append("What this audit did not report was not detected. That does not say that it is not there.")
    return told


def _limits(found: Power, same: bool) -> list[str]:
    limits = [
        "The faults are as strong as the table says. A weaker shortcut, or one that these data do not show, may not be "
        "detected.",
        "Small networks trained on small data sets were examined. On larger ones the shares may differ.",
        "A fault of a kind that was never planted has no share at all.",
    ]
    if not same:
        limits.append(
            "The audit's code or thresholds have changed since the exam: run make exam to measure what stands here."
        )
    if found.unplanted:
        limits.append(f"Not counted, because they could not be made: {', '.join(found.unplanted)}.")
    return limits


def _faults(found: Power, frameworks: list[str]) -> Table:
    return Table(
        id="power-faults",
        title="Planted faults, and how many were caught",
        columns=(
            "fault",
            "what was planted",
            "in",
            *(f"caught, {f}" for f in frameworks),
            "in all",
            "from",
            "to",
            "by",
        ),
        rows=tuple(
            (
                row.name.replace("_", " "),
                row.what,
                ", ".join(row.modalities),
                *_each(row, frameworks),
                _of(row.total),
                *map(_round, row.total.interval),
                _by(row),
            )
            for row in found.faults
        ),
        note="Caught: one of the checks that should fail did, and named the column or layer concerned. From, to: Wilson's "
        "95 % interval of the share. By: how many of the catches each check has a part in.",
    )


def _clean(found: Power, frameworks: list[str]) -> Table:
    return Table(
        id="power-sound",
        title="Sound models, and how many were accused",
        columns=("kind", "inputs", *(f"accused, {f}" for f in frameworks), "in all", "from", "to", "by"),
        rows=tuple(
            (
                row.name,
                ", ".join(row.modalities),
                *_each(row, frameworks),
                _of(row.total),
                *map(_round, row.total.interval),
                _by(row),
            )
            for row in found.clean
        ),
        note="Accused: any check that may fail the whole did. Architectures, widths, activations and seeds vary.",
    )


def _each(row: Row, frameworks: list[str]) -> list[str | None]:
    return [_of(row.hits[f]) if f in row.hits else None for f in frameworks]


def _of(share: power.Share) -> str:
    return f"{share.count} of {share.of}"


def _by(row: Row) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in row.by.items()) or "none"


def _round(value: float) -> float:
    return round(value, 3)


def _span(interval: tuple[float, float]) -> str:
    return f"{percent(interval[0])} to {percent(interval[1], up=True)}"
