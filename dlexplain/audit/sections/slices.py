"""Section 5: for whom is the model worse? Slices by one column or two, with control of false discoveries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dlexplain.audit.check import check, section
from dlexplain.audit.record import Check, Exhibit, Part, Table
from dlexplain.audit.sections import slices_search as searching
from dlexplain.audit.sections.performance_numbers import wilson
from dlexplain.audit.sections.slices_rates import Rates, rates
from dlexplain.audit.sections.slices_search import Slice

if TYPE_CHECKING:
    from dlexplain.audit.subject import Subject

TITLE, QUESTION = "Slices", "Is the model worse for some group of rows, by one property or by two together?"
SHOWN = 30
WORST = 0.8  # of a regression an error counts as large from this quantile of all errors on
_ASK = "Name columns with slices=[...] (--slices on the command line), or give them with columns={name: values}."


@dataclass(frozen=True, eq=False)
class Found:
    """`used`: the columns that rows were grouped by; `left`: those that were not, with the reason."""

    used: tuple[str, ...]
    left: tuple[tuple[str, str], ...]
    tested: tuple[Slice, ...]
    worse: tuple[Slice, ...]
    wrong: np.ndarray


@check(section=5, title="No slice is much worse than the rest")
def slices(subject: Subject) -> Check:
    """How many slices of 30 rows or more, by one column or two, have a share of errors higher by .10 or more, beyond
    chance."""
    found = searched(subject)
    if not found.used:
        return subject.judged(
            "slices",
            None,
            status="NOT RUN",
            reason=_no_column(found),
            advice=_ASK,
        )
    if not found.tested:
        return subject.judged(
            "slices",
            None,
            status="INCONCLUSIVE",
            reason=f"No slice by {_listed(found.used)} has {searching.LEAST} rows.",
            advice="Give more rows, or columns with fewer values.",
        )
    what = "errors" if subject.task == "classification" else "large errors"
    reason = (
        f"Not detected: among {len(found.tested)} slices by {_listed(found.used)}, none has a share of {what} that is higher "
        f"by {searching.EFFECT:g} or more beyond chance."
    )
    if found.worse:
        reason = " ".join(
            f"Where {s.name} ({s.count} rows) the share of {what} is {s.wrong:.1%}, elsewhere {s.others:.1%} (p = {s.p:.2g})."
            for s in found.worse[:3]
        ) + (f" And {len(found.worse) - 3} more." if len(found.worse) > 3 else "")
    return subject.judged(
        "slices",
        len(found.worse),
        reason=reason,
        advice=(
            "Look at these rows: are their labels right, are they rare in training? Collect more of them, correct them, or "
            "forbid the use for this group."
        ),
        evidence=("slices",),
    )


@check(section=5, title="Groups get the same rates", tasks=("classification",))
def group_rates(subject: Subject) -> Check:
    """The largest difference between groups in true or false positive rate (equalised odds; Hardt 2016)."""
    found = searched(subject)
    if len(subject.class_names) != 2:
        return subject.judged(
            "group_rates",
            None,
            status="NOT RUN",
            reason=f"Rates of a positive answer are defined for two classes; this model has {len(subject.class_names)}.",
        )
    given = group_rates_of(subject)
    if not given:
        said = _no_column(found) if not found.used else (
            f"No two groups by {_listed(found.used)} have {searching.LEAST} rows each, with both classes among them."
        )  # fmt: skip
        return subject.judged("group_rates", None, status="NOT RUN", reason=said, advice=_ASK)
    worst = max(given, key=lambda r: r.odds)
    positive = subject.class_names[1]
    return subject.judged(
        "group_rates",
        worst.odds,
        reason=(
            f"By {worst.column}, groups differ by up to {worst.true_positive:.3g} in how many of the class {positive} are found "
            f"and by up to {worst.false_positive:.3g} in how many others are taken for it."
        ),
        advice="Ask whom the difference harms, and whether it comes from the labels, from few rows or from the model.",
        evidence=("group_rates",),
    )


def searched(subject: Subject) -> Found:
    def make() -> Found:
        columns, left = chosen(subject)
        wrong = missed(subject)
        tested, worse = searching.search(columns, wrong) if columns else ([], [])
        return Found(tuple(columns), tuple(left), tuple(tested), tuple(worse), wrong)

    return subject.once("slices", make)


def missed(subject: Subject) -> np.ndarray:
    """`(n,)` bool: wrong answers; of a regression the largest fifth of the errors."""
    if subject.task == "classification":
        return subject.predicted != subject.labels
    size = np.abs(np.asarray(subject.predicted, float).reshape(len(subject)) - subject.labels)
    return size > np.quantile(size, WORST)


def chosen(subject: Subject) -> tuple[dict[str, np.ndarray], list[tuple[str, str]]]:
    """The columns asked for; else a table's columns of few values. Those left out come with the reason."""
    given, asked = dict(subject.columns), bool(subject.columns)
    left: list[tuple[str, str]] = []
    if not given and subject.kind == "table" and len(subject.inputs) == 1 and subject.inputs[0].ndim == 2:
        for i, values in enumerate(subject.inputs[0].T):
            distinct = len(np.unique(values))
            if distinct <= searching.DISTINCT:
                given[subject.feature_names[i]] = values
            else:
                left.append(
                    (subject.feature_names[i], f"more than {searching.DISTINCT} different values, and not asked for")
                )
    used: dict[str, np.ndarray] = {}
    for name, values in given.items():
        kinds = len(np.unique([str(v) for v in values] if values.dtype.kind not in "iufb" else values))
        if kinds < 2:
            left.append((name, "it has one value only"))
        elif values.dtype.kind not in "iufb" and kinds > max(50, len(subject) // searching.LEAST):
            left.append((name, f"{kinds} different words: it names single rows, not groups"))
        elif len(used) >= searching.COLUMNS and not asked:
            left.append((name, f"only the first {searching.COLUMNS} are taken unless slices are named"))
        else:
            used[name] = np.asarray(values)
    return used, left


def group_rates_of(subject: Subject) -> tuple[Rates, ...]:
    def make() -> tuple[Rates, ...]:
        columns, _ = chosen(subject)
        found = (rates(n, searching.levels(n, v), subject.labels, subject.predicted) for n, v in columns.items())
        return tuple(r for r in found if r is not None)

    return subject.once("group rates", make) if len(subject.class_names) == 2 else ()


@section(5, TITLE, QUESTION)
def slices_part(subject: Subject, checks: tuple[Check, ...]) -> Part:
    found, given = searched(subject), group_rates_of(subject)
    tables, exhibits = [], []
    if found.tested:
        tables.append(_table(found))
        exhibits.append(_forest(subject, found))
    if given:
        tables.append(_rates_table(subject, given))
    return Part(
        number=5,
        title=TITLE,
        question=QUESTION,
        summary=tuple(dict.fromkeys(c.reason for c in checks)),
        facts=(
            ("Columns", ", ".join(found.used) or "none"),
            ("Columns left out", _why(found) or "none"),
            ("Slices tested", len(found.tested)),
            ("Least rows of a slice", searching.LEAST),
            ("False discoveries put up with", searching.FALSE),
            ("Least difference", searching.EFFECT),
        ),
        checks=checks,
        tables=tuple(tables),
        exhibits=tuple(exhibits),
        limits=(
            "Groups that no column names stay unseen, and so do slices of three properties and slices of fewer than "
            f"{searching.LEAST} rows.",
            "A difference is not yet an injustice, and equal figures are not yet justice: that is for people to judge.",
        ),
    )


def _table(found: Found) -> Table:
    worse = {s.name for s in found.worse}
    rows = tuple(
        (s.name, s.count, s.wrong, s.others, s.effect, s.p, s.name in worse)
        for s in sorted(found.tested, key=lambda s: (s.name not in worse, s.p, s.name))[:SHOWN]
    )
    note = (
        "Fisher's exact test, one-sided; Benjamini and Hochberg over all slices. Of slices that overlap the one that "
    )
    note += "explains the errors best is named."
    if len(found.tested) > SHOWN:
        note += f" The {SHOWN} of least p among {len(found.tested)}."
    columns = ("slice", "rows", "share of errors", "elsewhere", "difference", "p", "named")
    return Table(id="slices", title="Slices tested", columns=columns, rows=rows, note=note)


def _forest(subject: Subject, found: Found) -> Exhibit:
    from dlexplain.audit.sections.performance_figures import exhibit, forest

    single = [s for s in found.tested if len(s.columns) == 1][:SHOWN]
    shown = [*(s for s in found.worse if len(s.columns) == 2), *single] or list(found.tested[:SHOWN])
    estimates = [wilson(s.count - s.wrong * s.count, s.count) for s in shown]
    right = "share of right answers" if subject.task == "classification" else "share of rows without a large error"
    figure = forest(
        [f"{s.name} ({s.count})" for s in shown], estimates, float(1 - found.wrong.mean()), title="By slice", axis=right
    )
    return exhibit("slices_figure", "How often the model is right, slice by slice", figure)


def _rates_table(subject: Subject, given: tuple[Rates, ...]) -> Table:
    rows = tuple((r.column, name, *figures) for r in given for name, figures in r.groups)
    return Table(
        id="group_rates",
        title=f"Rates by group, the positive answer being {subject.class_names[1]}",
        columns=("column", "group", "rows", "selection rate", "true positive rate", "false positive rate"),
        rows=rows,
        note="Groups of fewer than 30 rows, or without both classes, are left out. "
        + (
            "Computed with Fairlearn's MetricFrame."
            if given[0].fairlearn
            else "Fairlearn is not installed: computed directly."
        ),
    )


def _no_column(found: Found) -> str:
    why = _why(found)
    return f"There is no column to group rows by. Left out: {why}." if why else "There is no column to group rows by."


def _why(found: Found) -> str:
    """The columns left out, those of one reason together."""
    reasons: dict[str, list[str]] = {}
    for name, reason in found.left:
        reasons.setdefault(reason, []).append(name)
    return "; ".join(f"{_listed(tuple(names))}: {reason}" for reason, names in reasons.items())


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
