"""Section 7: the explainers' own exam. A method that fails it is named, and its maps are not shown."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dlexplain.audit.check import check, section
from dlexplain.audit.criteria import CRITERIA
from dlexplain.audit.examined import Exam, controls, examined, methods, misses, relied_on, trusted, trusted_explainers
from dlexplain.audit.record import Check, Part, Table
from dlexplain.audit.sections.explainers_reported import reported
from dlexplain.audit.setting import DRAWS, setting

if TYPE_CHECKING:
    from dlexplain.audit.subject import Subject


_NOISY = (
    "the model itself answers the same sample differently each time (a dropout or noise that is always on), so no map of it "
    "can be repeated or add up"
)
_MEND = (
    "Mend the model before its explainers: let the dropout or noise follow the model's mode (in Keras no training=True and no "
    "layer that ignores it, in Torch F.dropout with training=self.training), then audit again."
)


@dataclass(frozen=True)
class _Criterion:
    """`asks`: what a good figure means; `fault`: what a bad one means; `silent`: why there may be none; `open_`: what to
    do then."""

    name: str
    title: str
    asks: str
    fault: str
    silent: str
    open_: str = "Ask for other methods: methods=[...], --methods on the command line."
    kinds: tuple[str, ...] = ("image", "table", "series", "tokens")
    tasks: tuple[str, ...] = ("classification", "regression")


_CRITERIA = (
    _Criterion(
        "repeatability",
        "The same question gets the same answer",
        "the largest change of a map between two calls, as a share of its largest value",
        "chance is at work where none was declared, in the explainer or in the model (dropout left on)",
        "no method is asked",
    ),
    _Criterion(
        "completeness",
        "The values sum to the output they claim to explain",
        "the share of the output's change from the baseline that the values miss, the median over samples",
        "another output is explained than the one claimed (a probability instead of its logit), or the method is not exact",
        "none of these methods claims that its values sum to the output's change",
    ),
    _Criterion(
        "faithfulness_correlation",
        "What is called important matters",
        f"how well the values of a random quarter of the features follow the fall of the output when they are removed "
        f"({DRAWS} draws)",
        "the values do not say what moves the output: a map of chance, of another class, with the wrong sign, or shifted",
        "none of these methods claims that its values are contributions",
    ),
    _Criterion(
        "deletion_lift",
        "Removing the important first works faster than chance",
        "how much smaller the area under the deletion curve is than with a random order",
        "removing what the method calls important is no better than removing at random",
        "the model's output at the baseline is not below its outputs of the samples",
    ),
    _Criterion(
        "wrong_target",
        "The map is of the class that it says",
        "the share of samples whose map follows another class's score better than that of the class explained",
        "another class is explained than the one named",
        "no method's values are contributions, or the model has one output",
        tasks=("classification",),
    ),
    _Criterion(
        "sensitivity_axiom",
        "What moves the output has a value",
        "the share of features that move the output when removed although their value is zero",
        "the method is blind to features that the model uses",
        "none of these methods claims that its values are contributions",
    ),
    _Criterion(
        "sensitivity",
        "A small change of the input changes the map little",
        "the relative change of a map under noise of 5 % of each feature's deviation",
        "maps jump under noise that no one would see",
        "every input is token ids, which cannot be moved a little",
        kinds=("image", "table", "series"),
    ),
    _Criterion(
        "randomisation",
        "The map is of this model",
        "how much a map resembles that of a model with random weights (Spearman, signed values)",
        "the map hardly depends on what the model learned",
        "the model cannot be copied with random weights, or has fewer than four features",
        open_="Give the model's own classes a get_config (Keras: and register them), or layers that can be reset (Torch: "
        "reset_parameters), then audit again.",
    ),
)


def _enter(criterion: _Criterion) -> None:
    def decide(subject: Subject) -> Check:
        return _judged(subject, criterion)

    decide.__name__ = criterion.name
    decide.__doc__ = f"{criterion.title}: {criterion.asks}."
    check(section=7, title=criterion.title, kinds=criterion.kinds, tasks=criterion.tasks)(decide)


for _criterion in _CRITERIA:
    _enter(_criterion)


@check(section=7, title="At least one method may be used as evidence")
def usable_explainers(subject: Subject) -> Check:
    """How many methods passed every criterion."""
    exams = examined(subject)
    passed = [name for name, exam in exams.items() if exam.passed]
    if passed:
        reason = f"{len(passed)} of {len(exams)} methods passed every criterion: {_listed(passed)}."
    else:
        reason = f"None of {len(exams)} methods passed every criterion, so no map is shown as evidence."
    return subject.judged(
        "usable_explainers",
        len(passed),
        reason=" ".join([reason, *_put_aside(exams)]),
        advice=_MEND
        if subject.noisy
        else "Explain the model with other methods (dlx.methods() lists them), and find out why these fail: the "
        "criteria above name the fault.",
        evidence=("exam",),
        status="PASS" if passed else "FAIL",
    )


@section(
    7,
    "The explainers' own exam",
    "May the explanations be believed? Each method is examined on this model before its maps are shown.",
)
def explainers(subject: Subject, checks: tuple[Check, ...]) -> Part:
    """The table of figures, a row a method, with the control rows."""
    exams, rows = examined(subject), controls(subject)
    asked = setting(subject)
    shown = (*trusted(subject), *trusted_explainers(subject))
    summary = [
        f"{len(shown)} of {len(exams)} methods may be used as evidence"
        + (f": {_listed(shown)}." if shown else ", so that no map is shown."),
        *_put_aside(exams),
        "A check fails when a method fails that the audit was asked to rely on. "
        + (
            f"Here it was asked to rely on {_listed(relied_on(subject))}."
            if relied_on(subject)
            else "Here nobody named methods: the audit tried its own, put aside those that fail, and relies on the rest."
        ),
    ]
    return Part(
        number=7,
        title="The explainers' own exam",
        question="May the explanations be believed?",
        summary=tuple(summary),
        facts=(
            ("samples asked on", len(asked.trial)),
            ("features of a sample", asked.trial.count),
            ("random removals", DRAWS),
            ("models with random weights", len(asked.copies)),
        ),
        checks=checks,
        tables=tuple(table for table in (_table(subject, exams, rows), reported(subject)) if table is not None),
        limits=tuple(_limits(subject)),
    )


def _judged(subject: Subject, criterion: _Criterion) -> Check:
    exams, name = examined(subject), criterion.name
    threshold = subject.profile.thresholds.get(name)
    known = {m: e.figures[name] for m, e in exams.items() if math.isfinite(e.figures[name])}
    control = [
        f"{m} {_figure(e.figures[name])}" for m, e in controls(subject).items() if math.isfinite(e.figures[name])
    ]
    if not known:
        refused = [f"{m} stopped: {e.refused}" for m, e in exams.items() if e.refused]
        reason = f"Not measured: {_NOISY if subject.noisy else criterion.silent}."
        advice = _MEND if subject.noisy else criterion.open_
        return subject.judged(name, None, reason=" ".join([reason, *refused]), advice=advice, evidence=("exam",))
    best = min if threshold is None or threshold.passes == "at most" else max
    worst = max if best is min else min
    asked = relied_on(subject)
    counted, aside = {m: f for m, f in known.items() if m in asked}, []
    if not counted:
        kept = {m: f for m, f in known.items() if exams[m].passed}
        # With no method left to rely on, the best one tells whether this criterion is why.
        counted = kept or {m: f for m, f in known.items() if f == best(known.values())}
    if any(exam.passed for exam in exams.values()):
        aside = [m for m in known if m not in asked and misses(subject, name, known[m])]
    figure = worst(counted.values())
    which = next(m for m, f in counted.items() if f == figure)
    missed = misses(subject, name, figure)
    fault = _NOISY if subject.noisy else criterion.fault
    words = f"{criterion.asks[0].upper()}{criterion.asks[1:]}: " + ", ".join(
        f"{m} {_figure(f)}" for m, f in known.items()
    )
    sentences = [f"{words}. Beside them {' and '.join(control)}." if control else f"{words}."]
    if missed:
        sentences.append(f"Beyond the threshold of {threshold}: {which}. What that means: {fault}.")
    if aside:
        sentences.append(f"Put aside for it: {_listed(aside)}. What that means: {fault}.")
    return subject.judged(
        name,
        figure,
        reason=" ".join(sentences),
        advice=_MEND
        if subject.noisy
        else f"Do not use the maps of {which}. Leave it out of the methods, or find the fault in it.",
        evidence=("exam",),
    )


def _table(subject: Subject, exams: dict[str, Exam], rows: dict[str, Exam]) -> Table:
    thresholds = subject.profile.thresholds
    gates = ("threshold", None, *(str(thresholds[n]) if n in thresholds else None for n in CRITERIA))
    lines = [(m, _verdict(e), *(_rounded(e.figures[n]) for n in CRITERIA)) for m, e in exams.items()] + [
        (f"{m} (control)", "control", *(_rounded(e.figures[n]) for n in CRITERIA)) for m, e in rows.items()
    ]
    return Table(
        id="exam",
        title="Every method's figures, beside a map of chance and one that never looked at the model",
        columns=("method", "verdict", *(n.replace("_", " ") for n in CRITERIA)),
        rows=(*lines, gates),
        note="Empty where the criterion does not apply: completeness is asked only of methods that claim it.",
    )


def _verdict(exam: Exam) -> str:
    if exam.refused:
        return "could not explain this model"
    return "passed" if exam.passed else "failed: " + ", ".join(n.replace("_", " ") for n in exam.failed)


def _put_aside(exams: dict[str, Exam]) -> list[str]:
    """A sentence for each method that is not shown."""
    failed = [
        f"Not shown as evidence: {m}, which failed {_listed(n.replace('_', ' ') for n in e.failed)}."
        for m, e in exams.items()
        if e.failed
    ]
    return failed + [
        f"Not examined to the end: {m} could not explain this model. {e.refused}" for m, e in exams.items() if e.refused
    ]


def _limits(subject: Subject) -> list[str]:
    asked = setting(subject)
    found = [
        "Passing means that no fault was found with these criteria on these samples, not that a map is the whole truth.",
        "A map of chance passes randomisation and a model-blind one passes sensitivity: no criterion decides alone.",
    ]
    if asked.unreset:
        found.append(f"Not re-initialised, because the framework does not know how: {_listed(asked.unreset)}.")
    left = [name for name in subject.methods if name not in methods(subject)]
    if left:
        found.append(
            f"{_listed(left)} was not tried: it takes a recurrent layer apart step by step, which is slow. Ask for it by name "
            "with others to have it examined."
        )
    return found


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + f" and {names[-1]}" if names else "none"


def _rounded(value: float) -> float | None:
    return float(f"{value:.3g}") if math.isfinite(value) else None


def _figure(value: float) -> str:
    return (
        "0"
        if value == 0
        else f"{np.format_float_positional(value, 2, fractional=False, trim='-')}"
        if 1e-3 <= abs(value) < 1e4
        else f"{value:.1g}"
    )
