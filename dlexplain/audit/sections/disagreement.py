"""Section 12: where methods that all passed their exam say different things. Reported, never averaged away."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from dlexplain.audit.check import check, section
from dlexplain.audit.examined import maps
from dlexplain.audit.record import Check, Exhibit, Part, Table
from dlexplain.audit.sections.named import rows, shown, views
from dlexplain.evaluation.agreement import Agreement, agreement
from dlexplain.figures import agreeing

if TYPE_CHECKING:
    from dlexplain.audit.subject import Subject

TITLE, QUESTION = "Disagreement between methods", "Do methods that passed their exam tell the same story?"
_TOP = 10


@check(section=12, title="Methods that passed agree")
def disagreement(subject: Subject) -> Check:
    """The lowest mean rank correlation of two methods that passed their exam."""
    found = agreed(subject)
    if found is None:
        return subject.judged(
            "disagreement",
            None,
            status="NOT RUN",
            reason=f"{len(shown(subject))} methods passed their exam; two are needed to disagree.",
            advice="Ask for further methods, so that one can be held against another.",
        )
    means = found.means["rank_correlation"]
    pairs = {(a, b): float(means[i, j]) for (i, a), (j, b) in combinations(enumerate(found.names), 2)}
    (a, b), figure = min(pairs.items(), key=lambda item: item[1] if np.isfinite(item[1]) else np.inf)
    where = contested(subject)
    names = ", ".join(name for name, *_ in where[:3])
    return subject.judged(
        "disagreement",
        figure,
        reason=f"The two methods that agree least are {a} and {b}: the mean rank correlation of their sizes is {figure:.2f}. "
        f"They part most over the share of {names}."
        if len(found.names) == 2
        else f"Of the methods {a} and {b} agree least: the mean rank correlation of their sizes is {figure:.2f}. All "
        f"methods together part most over the share of {names}.",
        advice=f"Do not rest a claim on one map where {a} and {b} part: say which question each answers, and test the "
        f"features in question ({names}) by intervention.",
        evidence=("disagreement-pairs", "disagreement-features"),
    )


@section(12, TITLE, QUESTION)
def disagreements(subject: Subject, checks: tuple[Check, ...]) -> Part:
    """All six measures of each pair, and the features over which the methods part."""
    found = agreed(subject)
    if found is None:
        summary = ("Fewer than two methods passed their exam, so there is nothing to hold against each other.",)
        return Part(number=12, title=TITLE, question=QUESTION, summary=summary, checks=checks)
    figure = agreeing.agreements(found)
    measures = list(found.scores)
    pairs = tuple(
        (a, b, *(float(found.means[m][i, j]) for m in measures))
        for (i, a), (j, b) in combinations(enumerate(found.names), 2)
    )
    where = contested(subject)
    return Part(
        number=12,
        title=TITLE,
        question=QUESTION,
        summary=tuple(c.reason for c in checks),
        facts=(("samples", len(found)), ("methods", ", ".join(found.names)), ("strongest features compared", found.k)),
        checks=checks,
        tables=(
            Table(
                id="disagreement-pairs",
                title="How far each two methods agree",
                columns=("method", "other method", *(m.replace("_", " ") for m in measures)),
                rows=pairs,
                note="Means over samples; 1 is full agreement (Krishna 2022).",
            ),
            Table(
                id="disagreement-features",
                title="Where they part",
                columns=("feature", "mean difference of share", *(f"median rank by {n}" for n in found.names)),
                rows=tuple(where[:_TOP]),
                note="A feature's share is its part of the sizes of a map; the difference is between the methods furthest apart. "
                "Rank 1 is the strongest in a sample.",
            ),
        ),
        exhibits=(
            Exhibit(
                id="disagreement", title="Agreement of the methods", alt=figure.alt, figure=figure.to_plotly_json()
            ),
        ),
        limits=(
            "Methods that agree may be wrong together; methods that disagree may each be right about its own question.",
        ),
    )


def agreed(subject: Subject) -> Agreement | None:
    """The agreement of all methods that passed on the same samples; None for fewer than two."""

    def make() -> Agreement | None:
        names = shown(subject)
        if len(names) < 2:
            return None
        return agreement({name: _flat(subject, name) for name in names}, seed=subject.seed)

    return subject.once("disagreement", make)


def _flat(subject: Subject, name: str) -> np.ndarray:
    """`(n, features)`, the channels of a pixel summed."""
    found = [
        view.values if view.what == "pixel" else np.asarray(array, np.float64).reshape(len(array), -1)
        for array, view in zip(maps(subject, name, rows(subject)), _firsts(subject, name), strict=True)
    ]
    return np.concatenate(found, 1)


def _firsts(subject: Subject, name: str):
    """One view an input: a series has a second one, over time."""
    return [view for view in views(subject, name) if view.what != "time"]


def contested(subject: Subject) -> list[tuple]:
    """Names with the mean difference of share between the methods furthest apart, and median ranks; the largest first."""
    names = shown(subject)
    if len(names) < 2:
        return []
    per_method = [_firsts(subject, name) for name in names]
    found = []
    for i, view in enumerate(per_method[0]):
        sizes = np.stack([method[i].sizes for method in per_method])
        shares = sizes / np.maximum(sizes.sum(2, keepdims=True), 1e-30)
        apart = np.max([np.abs(a - b).mean(0) for a, b in combinations(shares, 2)], axis=0)
        median = np.median((-sizes).argsort(2, kind="stable").argsort(2) + 1, 1)
        found += [(view.names[c], float(apart[c]), *map(float, median[:, c])) for c in range(len(view.names))]
    return sorted(found, key=lambda row: -row[1])
