"""Section 9: single cases, chosen by a rule that is stated beforehand and not by how good they look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dlexplain.attribution.result import Attribution
from dlexplain.audit.check import section
from dlexplain.audit.examined import trusted, trusted_explainers
from dlexplain.audit.record import Check, Exhibit, Part, Table
from dlexplain.figures import audited_gallery
from dlexplain.frameworks.questions import Inputs

if TYPE_CHECKING:
    from dlexplain.audit.subject import Subject

TITLE, QUESTION = "Gallery of single cases", "What do single decisions rest on?"
EACH = 2


@dataclass(frozen=True, eq=False)
class Chosen:
    """Rows `part` of the data, chosen by `rule`."""

    name: str
    rule: str
    part: np.ndarray


@section(9, TITLE, QUESTION)
def gallery(subject: Subject, checks: tuple[Check, ...]) -> Part:
    """Maps of the first method that passed its exam, a figure a kind of case."""
    groups = chosen(subject)
    names = (*trusted(subject), *trusted_explainers(subject))
    rules = tuple((g.name, f"{g.rule} ({len(g.part)} found)") for g in groups)
    if not names:
        return Part(
            number=9,
            title=TITLE,
            question=QUESTION,
            summary=("No method passed its exam (section 7), so cases are named and no map is shown.",),
            facts=rules,
            checks=checks,
            tables=(_table(subject, groups, None),),
        )
    every = np.unique(np.concatenate([g.part for g in groups]))
    explained = attribution_of(subject, names[0], every)
    exhibits = []
    for group in groups:
        if len(group.part):
            title = f"{group.name[0].upper()}{group.name[1:]}, explained by {names[0]}"
            figure = audited_gallery.cases(explained[np.searchsorted(every, group.part)], group.part.tolist(), title)
            exhibits.append(
                Exhibit(
                    id=f"gallery-{len(exhibits)}",
                    title=title,
                    alt=figure.alt,
                    figure=figure.to_plotly_json(),
                    note=f"{group.rule} " + " ".join(_said(subject, i) for i in group.part),
                )
            )
    absent = [f"There is no case for: {g.name}." for g in groups if not len(g.part)]
    return Part(
        number=9,
        title=TITLE,
        question=QUESTION,
        summary=(
            f"{sum(len(g.part) for g in groups)} cases were chosen by rules stated here, with seed {subject.seed}, before any "
            f"map was seen. They are explained by {names[0]}, which passed its exam.",
            *absent,
        ),
        facts=rules,
        checks=checks,
        tables=(_table(subject, groups, explained),),
        exhibits=tuple(exhibits),
        limits=("Single cases show how the method reads them; what holds for all is in section 8.",),
    )


def chosen(subject: Subject) -> tuple[Chosen, ...]:
    """The cases of each kind, at most `EACH`, in the order of the data."""
    rng, n = subject.rng("gallery"), len(subject)

    def drawn(rows: np.ndarray) -> np.ndarray:
        return np.sort(rng.choice(rows, min(EACH, len(rows)), replace=False))

    def first(rows: np.ndarray, by: np.ndarray) -> np.ndarray:
        return np.sort(rows[np.argsort(by[rows], kind="stable")[:EACH]])

    everyone = np.arange(n)
    if subject.task == "regression":
        error = np.abs(subject.predicted - subject.labels)
        near = everyone[error <= np.median(error)]
        return (
            Chosen("close to the truth", f"{EACH} drawn among the half with the smaller errors.", drawn(near)),
            Chosen("far from the truth", f"The {EACH} with the largest errors.", first(everyone, -error)),
            Chosen("at random", f"{EACH} drawn among all.", drawn(everyone)),
        )
    right = subject.predicted == subject.labels
    ordered = np.sort(subject.probabilities, 1)
    margin = ordered[:, -1] - ordered[:, -2]
    return (
        Chosen("right", f"{EACH} drawn among those decided rightly.", drawn(everyone[right])),
        Chosen(
            "wrong", f"The {EACH} decided wrongly with the most confidence.", first(everyone[~right], -ordered[:, -1])
        ),
        Chosen("on the border", f"The {EACH} whose two likeliest classes are nearest.", first(everyone, margin)),
        Chosen("at random", f"{EACH} drawn among all.", drawn(everyone)),
    )


def attribution_of(subject: Subject, name: str, part: np.ndarray) -> Attribution:
    """A method's maps of some rows as a result; an explainer given as a function gets one round its values."""
    if name not in subject.explainers:
        return subject.explained(name, part)
    model, examinee = subject.model, subject.explainers[name]
    inputs, target = tuple(a[part] for a in subject.inputs), subject.target(part)
    values = tuple(np.asarray(v, np.float32) for v in examinee(model, inputs, target, subject.seed))
    output = model.scores(inputs, target, subject.rows)
    measured = {}
    if examinee.complete:
        lower = model.outputs_at(subject.baseline, target, subject.rows)
        total = sum(v.reshape(len(v), -1).sum(1, dtype=np.float64) for v in values)
        gap = np.abs(total - (output - lower))
        measured = {
            "baseline_output": lower,
            "gap": gap,
            "relative_gap": gap / np.maximum(np.abs(output - lower), 1e-12),
        }
    return Attribution(
        values=_one(values),
        inputs=_one(inputs),
        target=target.index[:, 0],
        method=name,
        options={},
        seed=subject.seed,
        baseline=None,
        framework=model.framework,
        fingerprint=model.fingerprint,
        output=output,
        kind=model.kinds(inputs),
        layout=model.layout,
        class_names=subject.class_names or None,
        feature_names=subject.feature_names or None,
        **measured,
    )


def _one(arrays: Inputs) -> np.ndarray | Inputs:
    return arrays[0] if len(arrays) == 1 else arrays


def _table(subject: Subject, groups: tuple[Chosen, ...], explained: Attribution | None) -> Table:
    every = np.unique(np.concatenate([g.part for g in groups]))
    lines = []
    for group in groups:
        for row in group.part:
            at = int(np.searchsorted(every, row))
            gap = None if explained is None or explained.relative_gap is None else float(explained.relative_gap[at])
            lines.append(
                (group.name, int(row), *_facts(subject, row), float(subject.outputs[row, _column(subject, row)]), gap)
            )
    return Table(
        id="gallery-cases",
        title="The cases",
        columns=("kind", "row", "label", "prediction", "probability", "output explained", "gap"),
        rows=tuple(lines),
        note="Gap: the share of the output's change from the baseline that the map misses, where the method claims to sum to it.",
    )


def _facts(subject: Subject, row: int) -> tuple:
    if subject.task == "regression":
        return float(subject.labels[row]), float(subject.predicted[row]), None
    label, predicted = int(subject.labels[row]), int(subject.predicted[row])
    return subject.class_names[label], subject.class_names[predicted], float(subject.probabilities[row, predicted])


def _column(subject: Subject, row: int) -> int:
    return int(subject.target(np.array([row])).index[0, 0])


def _said(subject: Subject, row: int) -> str:
    label, predicted, probability = _facts(subject, row)
    if probability is None:
        return f"Row {row}: predicted {predicted:.4g}, truth {label:.4g}."
    return f"Row {row}: predicted {predicted} ({probability:.0%}), label {label}."
