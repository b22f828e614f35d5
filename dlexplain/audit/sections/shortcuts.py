"""Section 10: does the model lean on a mark that has nothing to do with its task, or on a column that gives the answer away?"""

from __future__ import annotations

from typing import Any

from dlexplain.audit.check import check, section
from dlexplain.audit.examined import trusted, trusted_explainers
from dlexplain.audit.record import Check, Exhibit, Part, Table
from dlexplain.audit.sections.shortcuts_columns import ALONE, Column, columns
from dlexplain.audit.sections.shortcuts_tokens import inserted
from dlexplain.audit.sections.shortcuts_transplant import Found, transplanted
from dlexplain.audit.subject import Subject
from dlexplain.evaluation.explainer import claims

_NONE_TRUSTED = (
    "No explainer passed its exam (section 7), so nothing that can be relied on says where to look for a shortcut."
)
_ANOTHER = "Find a method that passes section 7 (methods=[...], --methods on the command line), then audit again."
_ELSEWHERE = {"image": "at random places", "series": "at other times", "tokens": "with random tokens"}
_WEAK = (
    "Not detected is not absent: a weak shortcut, one that lies at different places, or one that these samples do not show "
    "(a mark that only the training data has) stays unseen."
)


def relied_on(subject: Subject) -> str | None:
    """The method whose values say where to look: the first that passed its exam and says what a feature adds."""
    names = (*trusted(subject), *trusted_explainers(subject))

    def adds(name: str) -> bool:
        return subject.explainers[name].contribution if name in subject.explainers else claims(name, {})["contribution"]

    return next((name for name in names if adds(name)), names[0] if names else None)


def found(subject: Subject) -> list[Found]:
    """The interventions of this section, the strongest first; none where no explainer can be relied on."""

    def make() -> list[Found]:
        method = relied_on(subject)
        if method is None or subject.kind == "table":
            return []
        made = (inserted if subject.kind == "tokens" else transplanted)(subject, method)
        return sorted(made, key=lambda f: -f.figure)

    return subject.once("shortcuts", make)


def leaning(subject: Subject) -> list[Column]:
    """The columns of a table, the one with most attribution first; none where no explainer can be relied on."""

    def make() -> list[Column]:
        method = relied_on(subject)
        return columns(subject, method) if method is not None and subject.kind == "table" else []

    return subject.once("leakage", make)


def _unanswered(subject: Subject, name: str) -> Check:
    return subject.judged(name, None, reason=_NONE_TRUSTED, advice=_ANOTHER, status="INCONCLUSIVE")


@check(section=10, title="No small mark takes other samples over to a class", kinds=("image", "series", "tokens"))
def shortcut_flip(subject: Subject) -> Check:
    """The largest share, over classes, of other samples that go over to the class when they are given the two small
    places (or the token) that lead its attribution, taken from its own samples; in a series, less the share that the same
    sensors take over at other times."""
    if relied_on(subject) is None:
        return _unanswered(subject, "shortcut_flip")
    strongest = found(subject)
    if not strongest:
        return subject.judged(
            "shortcut_flip",
            None,
            reason="No class has six samples or more with attribution in its favour, and six outside it.",
            advice="Give more samples of each class.",
            status="INCONCLUSIVE",
        )
    worst = strongest[0]
    went = "go over to" if subject.task == "classification" else "come nearer to"
    return subject.judged(
        "shortcut_flip",
        worst.figure,
        reason=(
            f"What leads the attribution of {worst.group.name!r} ({worst.words}) was taken from its samples and put into "
            f"{len(worst.flipped)} others: {worst.share:.0%} of them {went} {worst.group.name!r} "
            f"({_ELSEWHERE[subject.kind]} {worst.control:.0%})."
        ),
        advice=(
            f"Look at what stands at {worst.words} in samples of {worst.group.name!r}. If it is a mark and not the thing "
            "itself, remove it from the training data (or put it on all classes alike) and train again."
        ),
        interval=worst.interval,
        evidence=("shortcut-flips",) + (("shortcut-places",) if worst.plane is not None else ()),
    )


@check(section=10, title="A column that alone gives the answer away", kinds=("table",))
def univariate_leakage(subject: Subject) -> Check:
    """How many times the attribution of the second column the first one has, if it alone tells the answer (area under
    the ROC curve of 0.99 or more); 0 if it does not."""
    if relied_on(subject) is None:
        return _unanswered(subject, "univariate_leakage")
    rows = leaning(subject)
    if len(rows) < 2:
        return subject.judged(
            "univariate_leakage", None, reason="The table has one column only: none can lead.", status="NOT RUN"
        )
    first, second = rows[0], rows[1]
    lead = first.share / max(second.share, 1e-12)
    told = f"Column {first.name!r} has most attribution, {lead:.1f} times as much as {second.name!r}"
    leaks = first.alone >= ALONE
    reason = (
        f"{told}, and alone it tells the answer (area under the curve {first.alone:.3f})."
        if leaks
        else f"{told}; alone it does not tell the answer (area under the curve {first.alone:.3f}, under {ALONE})."
    )
    return subject.judged(
        "univariate_leakage",
        lead if leaks else 0.0,
        reason=reason,
        advice=(
            f"Ask when and how {first.name!r} is recorded: if it is known only with or after the answer, take it out and "
            "train again."
        ),
        evidence=("leakage-columns",),
    )


@section(10, "Shortcuts and leakage", "Does the model decide by something that will not be there when it is used?")
def shortcuts(subject: Subject, checks: tuple[Check, ...]) -> Part:
    method = relied_on(subject)
    told = [_WEAK]
    if method is not None:
        told.insert(0, f"Where to look was taken from {method}, which passed its exam in section 7.")
    tables, exhibits = [], []
    if found(subject):
        tables.append(_flips(found(subject), _ELSEWHERE[subject.kind]))
        exhibits = _shown(subject, found(subject))
    if leaning(subject):
        tables.append(_columns(leaning(subject)))
    return Part(
        number=10,
        title="Shortcuts and leakage",
        question="Does the model decide by something that will not be there when it is used?",
        summary=tuple(c.reason for c in checks if c.status != "NOT RUN") or (_NONE_TRUSTED,),
        checks=checks,
        tables=tuple(tables),
        exhibits=tuple(exhibits),
        limits=tuple(told),
    )


def _flips(rows: list[Found], elsewhere: str) -> Table:
    return Table(
        id="shortcut-flips",
        title="Each class's leading places, put into samples of the others",
        columns=("class", "what was taken from it", "samples changed", "go over", elsewhere, "judged", "from", "to"),
        rows=tuple((f.group.name, f.words, len(f.flipped), f.share, f.control, f.figure, *f.interval) for f in rows),
        note="Rows and columns count from 0. Judged: what goes over, in a series less what does at other times; from, to: its "
        "95 % interval (Wilson).",
    )


def _columns(rows: list[Column]) -> Table:
    return Table(
        id="leakage-columns",
        title="How much the model leans on each column, and what the column tells alone",
        columns=("column", "share of attribution", "area under the curve, alone"),
        rows=tuple((c.name, c.share, c.alone) for c in rows[:20]),
        note="Alone: the smallest area under the ROC curve over pairs of classes; the 20 columns with most attribution.",
    )


def _shown(subject: Subject, rows: list[Found]) -> list[Exhibit]:
    pictured = [f for f in rows if f.plane is not None]
    if not pictured:
        return []
    from dlexplain.figures.intervened import transplants

    panels: list[dict[str, Any]] = []
    for f in pictured[:3]:
        i = f.plane.input
        places = [(r, c, *f.plane.window) for r, c in f.places]
        mean = subject.inputs[i][f.group.members].mean(0, keepdims=True)
        panels.append({"picture": f.plane.laid(mean)[0].mean(-1), "places": places, "title": f"mean of {f.group.name}"})
        k = int(f.flipped.argmax())
        receiver = subject.inputs[i][f.receivers[k : k + 1]]
        changed = f.plane.put(receiver, subject.inputs[i][f.donors[k : k + 1]], f.places)
        was = subject.predicted[f.receivers[k]]
        own = subject.class_names[int(was)] if subject.task == "classification" else f"{was:.3g}"
        end = f.group.name if f.flipped[k] else "stays"
        panels.append({"picture": f.plane.laid(changed)[0].mean(-1), "places": places, "title": f"{own} → {end}"})
    alt = "; ".join(f"{f.words} of {f.group.name}: {f.share:.0%} go over" for f in pictured[:3])
    return [
        Exhibit(
            id="shortcut-places",
            title="The places that were put into other samples",
            alt=alt,
            figure=transplants(panels, series=pictured[0].plane.kind == "series", alt=alt),
        )
    ]
