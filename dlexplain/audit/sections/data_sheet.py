"""Section 3: what the data are, and what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dlexplain.audit.check import section
from dlexplain.audit.record import Check, Exhibit, Part, Table
from dlexplain.audit.sections import data_sheet_columns as of_columns
from dlexplain.audit.sections import data_sheet_copies as copies
from dlexplain.audit.sections import data_sheet_drift as drifting
from dlexplain.audit.sections import data_sheet_labels as of_labels
from dlexplain.errors import MissingPackageError

if TYPE_CHECKING:
    from dlexplain.audit.subject import Subject

TITLE, QUESTION = "Data sheet", "What are the data, and may conclusions be drawn from them?"
SHOWN = 40


@section(3, TITLE, QUESTION)
def data_sheet(subject: Subject, checks: tuple[Check, ...]) -> Part:
    open_ = [c for c in checks if c.status in ("FAIL", "INCONCLUSIVE")]
    lead = f"{len(subject)} rows, {_shape(subject)}"
    lead += f"; {len(subject.train[1])} training rows." if subject.train else "; no training data were given."
    return Part(
        number=3,
        title=TITLE,
        question=QUESTION,
        summary=(lead, *(c.reason for c in open_)) if open_ else (lead, "No fault of the data was detected."),
        facts=_facts(subject),
        checks=checks,
        tables=tuple(
            filter(None, (_columns(subject), _copies(subject), _leaked(subject), _suspects(subject), _drift(subject)))
        ),
        exhibits=_exhibits(subject),
        limits=(
            "Near copies that were turned, cropped or rewritten are not found.",
            "Where the model was trained on these very rows, its probabilities hide wrong labels.",
            "Rows cut from one source, such as windows of one machine's record, are not independent: their drift looks surer "
            "than it is.",
            "Drift is looked for in one property at a time and by a simple classifier; a change that spares both stays unseen.",
        ),
    )


def _shape(subject: Subject) -> str:
    shape = subject.inputs[0].shape[1:]
    if subject.kind == "table":
        return f"{sum(int(np.prod(a.shape[1:])) for a in subject.inputs)} columns"
    word = {"image": "pictures", "series": "series", "tokens": "sequences of token ids"}[subject.kind]
    return f"{word} of shape {' by '.join(map(str, shape))}"


def _facts(subject: Subject) -> tuple[tuple[str, str | float | int | None], ...]:
    read = subject.kept.get("read")
    facts: list[tuple[str, str | float | int | None]] = [("Rows", len(subject)), ("Kind", subject.kind)]
    if read is not None:
        facts += [("Read from", read.source), ("Rows set aside for empty cells", read.set_aside)]
    facts.append(("Training rows", len(subject.train[1]) if subject.train else None))
    if subject.task == "regression":
        facts.append(("Known answers", f"{subject.labels.min():.4g} to {subject.labels.max():.4g}"))
    else:
        facts.append(("Classes", len(subject.class_names)))
        facts.append(("Copies with another label", int(copies.contradictions(subject))))
    if subject.train is not None:
        facts.append(("AUC of telling training from audited rows", drifting.measured(subject).auc))
    return tuple(facts)


def _columns(subject: Subject) -> Table | None:
    if subject.kind == "tokens":
        return None
    read = subject.kept.get("read")
    missing = {} if read is None else read.missing
    found = of_columns.summaries(subject)
    rows = tuple((c.name, c.low, *c.quartiles, c.high, c.distinct, missing.get(c.name, 0)) for c in found[:SHOWN])
    note = f"The first {SHOWN} of {len(found)}." if len(found) > SHOWN else ""
    heads = (
        "column",
        "lowest",
        "first quarter",
        "middle",
        "third quarter",
        "highest",
        "different values",
        "empty cells",
    )
    return Table(id="columns", title="Columns", columns=heads, rows=rows, note=note)


def _copies(subject: Subject) -> Table | None:
    found = copies.copies_within(subject)
    pairs = [(a, b, "exactly") for a, b in found.exact] + [(a, b, "nearly") for a, b in found.near]
    rows = tuple((a, b, how, _name(subject, a), _name(subject, b)) for a, b, how in pairs[:SHOWN])
    heads = ("row", "repeats row", "how", "its label", "label of the other")
    return (
        Table(id="copies", title="Rows that repeat another", columns=heads, rows=rows, note=_first(pairs))
        if rows
        else None
    )


def _leaked(subject: Subject) -> Table | None:
    if subject.train is None:
        return None
    found, _ = copies.copies_in_train(subject)
    pairs = [(a, b, "exactly") for a, b in found.exact] + [(a, b, "nearly") for a, b in found.near]
    rows = tuple((a, b, how) for a, b, how in pairs[:SHOWN])
    heads = ("audited row", "training row", "how")
    return (
        Table(id="leaked", title="Audited rows that were trained on", columns=heads, rows=rows, note=_first(pairs))
        if rows
        else None
    )


def _suspects(subject: Subject) -> Table | None:
    if subject.task != "classification" or len(np.unique(subject.labels)) < 2:
        return None
    try:
        found = of_labels.suspects(subject)
    except MissingPackageError:
        return None  # the check says so
    rows = tuple(
        (
            int(i),
            _name(subject, i),
            float(subject.probabilities[i, int(subject.labels[i])]),
            subject.class_names[int(subject.predicted[i])],
            float(subject.probabilities[i, int(subject.predicted[i])]),
        )
        for i in found[:SHOWN]
    )
    heads = ("row", "label", "its probability", "the model says", "with probability")
    title = "Labels to look at again"
    return Table(id="suspects", title=title, columns=heads, rows=rows, note=_first(found)) if rows else None


def _drift(subject: Subject) -> Table | None:
    if subject.train is None:
        return None
    found = sorted(drifting.measured(subject).shifts, key=lambda s: (-s.distance, s.name))
    rows = tuple((s.name, s.train, s.here, s.distance, s.p, s.drifted) for s in found[:SHOWN])
    heads = ("property", "mean in training", "mean here", "distance", "p", "drifted")
    note = "Distance: Kolmogorov-Smirnov. Drifted: at least .10, and a discovery by Benjamini and Hochberg at 5 %."
    return Table(id="drift", title="Training against audited data", columns=heads, rows=rows, note=note)


def _exhibits(subject: Subject) -> tuple[Exhibit, ...]:
    from dlexplain.audit.sections.performance_figures import distances, exhibit, shares

    found = []
    if subject.task == "classification" and len(subject.class_names) <= SHOWN:
        count = len(subject.class_names)
        here = np.bincount(subject.labels.astype(int), minlength=count) / len(subject)
        train = None
        if subject.train is not None:
            train = np.bincount(subject.train[1].astype(int), minlength=count) / len(subject.train[1])
        figure = shares(subject.class_names, here, train, ("audited", "training"))
        found.append(exhibit("classes", "How many rows each class has", figure))
    if subject.train is not None:
        figure = distances(drifting.measured(subject).shifts, drifting.EFFECT)
        found.append(exhibit("drift_figure", "How far each property is from training", figure))
    return tuple(found)


def _name(subject: Subject, row: int) -> str | float:
    if subject.task == "classification":
        return subject.class_names[int(subject.labels[row])]
    return float(subject.labels[row])


def _first(found) -> str:
    return (
        f"Rows are counted from 0. The first {SHOWN} of {len(found)}."
        if len(found) > SHOWN
        else "Rows are counted from 0."
    )
