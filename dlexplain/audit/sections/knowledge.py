"""Section 13: does the model know when it does not know, far from its data and near its errors?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dlexplain.audit.check import check, section
from dlexplain.audit.record import Check, Exhibit, Part, Table
from dlexplain.audit.sections.knowledge_far import Far, certainty, far
from dlexplain.audit.subject import Subject

_TITLE, _QUESTION = "Knowledge limits", "Does the model show when it is asked about what it does not know?"
_COVERAGES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.5)
_ABSTAIN, _FEWEST = 0.8, 5


@dataclass(frozen=True, eq=False)
class Abstention:
    """Samples from the surest on. `error`: `(n,)`, the error among the k + 1 surest; `sure`: their probabilities."""

    error: np.ndarray
    sure: np.ndarray

    def at(self, coverage: float) -> tuple[float, float]:
        """The error when the model answers this share of the samples, and the probability it then asks for."""
        k = max(1, round(coverage * len(self.error))) - 1
        return float(self.error[k]), float(self.sure[k])


def abstaining(subject: Subject) -> Abstention:
    """Errors by coverage: the model answers the samples it is surest of first (El-Yaniv and Wiener 2010)."""
    sure = subject.probabilities.max(1)
    wrong = (subject.predicted != subject.labels).astype(float)
    # Among equals the errors come evenly, or their order would decide.
    order = np.argsort(-sure, kind="stable")
    levels, place = np.unique(-sure[order], return_inverse=True)
    even = np.bincount(place, wrong[order]) / np.bincount(place)
    return Abstention(np.cumsum(even[place]) / np.arange(1, len(sure) + 1), -levels[place])


def rows(subject: Subject) -> list[Far]:
    return subject.once("far from the data", lambda: far(subject))


@check(section=13, title="The model is not surer far from its data", tasks=("classification",))
def far_confidence(subject: Subject) -> Check:
    """The largest, over ways of leaving the data, of the mean confidence far from it over that on it, both above
    chance: 1 is as sure of noise as of the data, 0 is chance."""
    data, *others = rows(subject)
    if not others:
        return subject.judged(
            "far_confidence", None, reason="The outputs far from the data are not finite.", status="INCONCLUSIVE"
        )
    worst = max(others, key=lambda r: r.confidence)
    return subject.judged(
        "far_confidence",
        certainty(subject, worst, data),
        reason=(
            f"Mean confidence is {data.confidence:.0%} on the data and {worst.confidence:.0%} on inputs far from it "
            f"({worst.name}: {worst.what}). Confidence tells the two apart in {worst.told:.0%} of pairs (chance: 50%)."
        ),
        advice=(
            "High confidence does not show that an input is of the kind that the model knows. Check inputs before the model "
            "sees them (ranges, a detector of unusual inputs), and do not use its confidence for that."
        ),
        evidence=("far-confidence",),
    )


@check(section=13, title="Abstaining where the model is least sure avoids errors", tasks=("classification",))
def abstention(subject: Subject) -> Check:
    """The error among the surest 80 % of the samples over the error of all: 1 is an abstention that does not help."""
    wrong = int((subject.predicted != subject.labels).sum())
    if wrong < _FEWEST:
        return subject.judged(
            "abstention",
            None,
            reason=f"{wrong} errors in {len(subject)} samples are too few to say whether abstaining avoids them.",
            advice="Give more samples.",
            status="INCONCLUSIVE" if wrong else "NOT RUN",
        )
    curve = abstaining(subject)
    whole, (left, asked) = wrong / len(subject), curve.at(_ABSTAIN)
    return subject.judged(
        "abstention",
        left / whole,
        reason=(
            f"The error is {whole:.1%} on all samples, {curve.at(0.9)[0]:.1%} on the 90% the model is surest of and "
            f"{left:.1%} on the surest 80% (confidence of {asked:.3f} or more)."
        ),
        advice="The model's confidence does not point at its errors: do not route cases to people by it. Calibrate it first.",
        evidence=("risk-coverage-table", "risk-coverage"),
    )


@section(13, _TITLE, _QUESTION)
def knowledge(subject: Subject, checks: tuple[Check, ...]) -> Part:
    tables = [_far(subject)]
    exhibits: list[Exhibit] = []
    summary = [c.reason for c in checks if c.status != "NOT RUN"]
    if subject.task == "classification":
        curve = abstaining(subject)
        tables.append(_coverage(curve))
        exhibits.append(_risk(curve))
    else:
        data, *others = rows(subject)
        wide = max(others, key=lambda r: max(r.high - data.high, data.low - r.low), default=data)
        summary.append(
            f"A regression states no confidence. Its answers lie between {data.low:.4g} and {data.high:.4g} on the data (5th to "
            f"95th percentile), and between {wide.low:.4g} and {wide.high:.4g} for {wide.name}."
        )
    return Part(
        number=13,
        title=_TITLE,
        question=_QUESTION,
        summary=tuple(summary),
        checks=checks,
        tables=tuple(tables),
        exhibits=tuple(exhibits),
        limits=(
            "Sound networks too are sure of inputs that are nothing (Hein 2019), so the confidence far from the data is reported "
            "and fails no model.",
            "The inputs far from the data are made by rule. What the model will meet in use may be far in other ways.",
        ),
    )


def _far(subject: Subject) -> Table:
    found = rows(subject)
    if subject.task == "regression":
        return Table(
            id="far-outputs",
            title="Answers far from the data",
            columns=("inputs", "how they are made", "5th percentile", "95th percentile"),
            rows=tuple((r.name, r.what, r.low, r.high) for r in found),
        )
    return Table(
        id="far-confidence",
        title="Confidence far from the data",
        columns=("inputs", "how they are made", "mean confidence", "told from the data by confidence"),
        rows=tuple((r.name, r.what, r.confidence, None if r.name == "the data" else r.told) for r in found),
        note="Told: area under the ROC curve; 1 is always, 0.5 is chance, below 0.5 the model is surer of the far inputs.",
    )


def _coverage(curve: Abstention) -> Table:
    return Table(
        id="risk-coverage-table",
        title="What abstaining would leave",
        columns=("answered", "accuracy", "confidence asked for"),
        rows=tuple((c, 1 - curve.at(c)[0], curve.at(c)[1]) for c in _COVERAGES),
    )


def _risk(curve: Abstention) -> Exhibit:
    from dlexplain.figures.intervened import curves

    n = len(curve.error)
    points = np.unique(np.linspace(max(1, n // 20), n, 60).round().astype(int)) - 1
    share, whole = (points + 1) / n, float(curve.error[-1])
    alt = f"Error by share answered: {whole:.1%} at 100%, {curve.at(0.9)[0]:.1%} at 90%, {curve.at(0.8)[0]:.1%} at 80%."
    best = np.maximum(0, 1 - (1 - whole) / share)
    lines = {
        "this model": (share.tolist(), curve.error[points].tolist()),
        "confidence at random": ([float(share[0]), 1.0], [whole, whole]),
        "best possible": (share.tolist(), best.tolist()),
    }
    title = "Error by share of samples answered"
    figure = curves(lines, title=title, alt=alt, x="share answered, the surest first", y="error")
    return Exhibit(id="risk-coverage", title=title, alt=alt, figure=figure)
