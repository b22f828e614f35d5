"""Section 8: what the model looks at over all, with intervals, and features that say the same taken together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dlexplain.audit.check import section
from dlexplain.audit.record import Check, Exhibit, Part, Table
from dlexplain.audit.sections.groups import CLOSE, collinear, columns
from dlexplain.audit.sections.named import View, rows, shown, views
from dlexplain.figures import audited_global

if TYPE_CHECKING:
    from dlexplain.audit.subject import Subject

RESAMPLES, TOP = 400, 20
TITLE, QUESTION = "Global explanations", "What does the model look at, over all samples, and how sure is that?"


@section(8, TITLE, QUESTION)
def global_explanations(subject: Subject, checks: tuple[Check, ...]) -> Part:
    """Mean sizes of the attributions of every method that passed its exam, the first of them drawn."""
    methods = shown(subject)
    if not methods:
        return Part(
            number=8,
            title=TITLE,
            question=QUESTION,
            summary=("No method passed its exam (section 7), so nothing is shown here.",),
            checks=checks,
        )
    summary, tables, exhibits = [], [], []
    every = {name: views(subject, name) for name in methods}
    for i, view in enumerate(every[methods[0]]):
        others = {name: found[i] for name, found in every.items()}
        weights = _weights(subject, len(view.sizes))
        mean, low, high = _intervals(view.sizes, weights)
        first = float((np.argmax(weights @ view.sizes, 1) == np.argmax(mean)).mean())
        leader = view.names[int(np.argmax(mean))]
        summary.append(
            f"By {methods[0]} the {view.what} that counts most is {leader}: {_share(mean)} of the total. It came first in "
            f"{first:.0%} of {RESAMPLES} resamples of the samples."
        )
        tables.append(_table(view, i, others, mean, low, high))
        figure = audited_global.importance(view.what, view.names, mean, low, high, shape=view.shape, method=methods[0])
        exhibits.append(
            Exhibit(
                id=f"global-{i}",
                title=f"Mean size of the attribution by {view.what}",
                alt=figure.alt,
                figure=figure.to_plotly_json(),
            )
        )
    grouped = _grouped(subject, every[methods[0]], methods[0])
    if grouped is not None:
        tables.append(grouped[0])
        summary.append(grouped[1])
    return Part(
        number=8,
        title=TITLE,
        question=QUESTION,
        summary=tuple(summary),
        facts=(("samples explained", len(rows(subject))), ("methods", ", ".join(methods)), ("resamples", RESAMPLES)),
        checks=checks,
        tables=tuple(tables),
        exhibits=tuple(exhibits),
        limits=(
            "A mean over samples hides that different samples may rest on different evidence: see the single cases.",
            "The intervals are of the choice of samples, not of the choice of model: a second training may rank otherwise.",
            "Where features say the same, how a method shares the credit among them is a convention.",
        ),
    )


def _weights(subject: Subject, n: int) -> np.ndarray:
    """`(RESAMPLES, n)`: how often each sample is drawn, as shares."""
    return subject.rng("global resamples").multinomial(n, np.full(n, 1 / n), RESAMPLES) / n


def _intervals(sizes: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means over samples and the middle 95 % of their resamples."""
    low, high = np.quantile(weights @ sizes, (0.025, 0.975), axis=0)
    return sizes.mean(0), low, high


def _table(
    view: View, number: int, others: dict[str, View], mean: np.ndarray, low: np.ndarray, high: np.ndarray
) -> Table:
    order = np.argsort(-mean, kind="stable")[:TOP]
    first, *rest = others
    places = {name: (-v.sizes.mean(0)).argsort(kind="stable").argsort() + 1 for name, v in others.items()}
    total = float(mean.sum()) or 1.0
    return Table(
        id=f"global-table-{number}",
        title=f"Mean size of the attribution by {view.what} ({first})",
        columns=(
            view.what,
            "mean size",
            "lowest",
            "highest",
            "share",
            "mean with sign",
            *(f"rank by {n}" for n in rest),
        ),
        rows=tuple(
            (
                view.names[i],
                float(mean[i]),
                float(low[i]),
                float(high[i]),
                float(mean[i] / total),
                float(view.values[:, i].mean()),
                *(int(places[name][i]) for name in rest),
            )
            for i in order
        ),
        note=f"The {len(order)} largest of {len(mean)}. Lowest and highest: the middle 95 % of {RESAMPLES} resamples.",
    )


def _grouped(subject: Subject, found: tuple[View, ...], method: str) -> tuple[Table, str] | None:
    """Groups of features that say the same, their values summed before their size is taken; None where none can be."""
    data = columns(subject)
    view = next((v for v in found if v.what in ("feature", "sensor")), None)
    if data is None or view is None or data.shape[1] != len(view.names):
        return None
    groups = collinear(data)
    together = np.stack([np.abs(view.values[:, g].sum(1)) for g in groups], 1)
    mean, low, high = _intervals(together, _weights(subject, len(together)))
    order = np.argsort(-mean, kind="stable")[:TOP]
    several = [g for g in groups if len(g) > 1]
    table = Table(
        id="global-groups",
        title=f"Groups of {view.what}s that say the same, attributed together by {method}",
        columns=(f"{view.what}s", "how many", "mean size together", "lowest", "highest"),
        rows=tuple(
            (_members(view, groups[i]), len(groups[i]), float(mean[i]), float(low[i]), float(high[i])) for i in order
        ),
        note=f"In a group every two have a rank correlation of over {CLOSE} in size; values are summed before the size is taken.",
    )
    if not several:
        return table, f"No two {view.what}s have a rank correlation of over {CLOSE} in size."
    words = (
        f"{sum(map(len, several))} of {len(view.names)} {view.what}s fall into {len(several)} groups that say the same; the "
        f"largest is {_members(view, several[0])}. Together, {_members(view, groups[int(np.argmax(mean))])} counts most."
    )
    return table, words


def _members(view: View, group: list[int]) -> str:
    names = [view.names[i] for i in group]
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _share(mean: np.ndarray) -> str:
    total = float(mean.sum())
    return f"{100 * float(mean.max()) / total:.2g} %" if total else "nothing"
