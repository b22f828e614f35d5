"""Figures of sections 3 to 5: reliability, predicted against known, slices, drift. From numbers to exhibits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dlexplain.audit.record import Exhibit
from dlexplain.audit.sections.performance_numbers import wilson
from dlexplain.figures.canvas import Figure, Frame, alt_text, canvas
from dlexplain.figures.theme import CATEGORIES
from dlexplain.figures.wording import literal, number, share

if TYPE_CHECKING:
    from dlexplain.audit.sections.data_sheet_drift import Shift
    from dlexplain.audit.sections.performance_numbers import Calibration, Estimate

POINTS = 600


def exhibit(id: str, title: str, figure: Figure, note: str = "") -> Exhibit:
    """A figure as part of a record."""
    return Exhibit(id=id, title=title, alt=alt_text(figure), figure=json.loads(figure.to_json()), note=note)


def reliability(found: Calibration) -> Figure:
    """The share of right answers over the predicted probability, a point a bin."""
    bins = len(found.count)
    figure = canvas(
        Frame(
            "Reliability",
            f"Share of right answers over the model's own confidence in {bins} bins of equal size. Expected calibration "
            f"error {number(found.error.value)}; a perfectly calibrated model would show {number(found.chance)} on so many "
            "rows.",
            [
                f"Expected calibration error {number(found.error.value)}; by chance alone {number(found.chance)}.",
                "On the dashed line the model is as often right as it says. Bars are 95 % intervals.",
            ],
        ),
        row_height=320,
        left=56,
        bottom=56,
    )
    bars = [wilson(a * n, n) for a, n in zip(found.accuracy, found.count, strict=True)]
    low = float(min(found.confidence.min(), *(e.low for e in bars)))
    start = max(0.0, np.floor(low * 10) / 10 - 0.05)
    figure.add_scatter(
        x=[start, 1],
        y=[start, 1],
        mode="lines",
        name="as it says",
        line={"dash": "dash", "width": 1.4, "color": CATEGORIES[6]},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=found.confidence.round(5),
        y=found.accuracy.round(5),
        mode="lines+markers",
        name="this model",
        marker={"size": 8, "color": CATEGORIES[0]},
        line={"color": CATEGORIES[0]},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": _short(np.array([e.high - e.value for e in bars])),
            "arrayminus": _short(np.array([e.value - e.low for e in bars])),
            "thickness": 1,
        },
        customdata=found.count,
        hovertemplate="says %{x:.3f}, is right %{y:.3f} (%{customdata} rows)<extra></extra>",
    )
    figure.update_xaxes(title={"text": "the model's confidence"}, range=[start, 1.02])
    figure.update_yaxes(title={"text": "share of right answers"}, range=[start, 1.04])
    return figure


def predicted_against_known(labels: np.ndarray, predicted: np.ndarray, chosen: np.ndarray) -> Figure:
    """A point a row of a regression, at most `POINTS` of them."""
    x, y = labels[chosen].astype(float), predicted[chosen].astype(float)
    figure = canvas(
        Frame(
            "Predicted against known",
            f"{len(chosen)} rows: the model's answer over the known one. Their correlation is "
            f"{number(_correlation(labels, predicted))}.",
            ["On the dashed line the answer is exact."],
        ),
        row_height=340,
        left=56,
        bottom=56,
    )
    ends = [float(min(x.min(), y.min())), float(max(x.max(), y.max()))]
    figure.add_scatter(
        x=_short(np.array(ends)),
        y=_short(np.array(ends)),
        mode="lines",
        name="exact",
        line={"dash": "dash", "width": 1.4, "color": CATEGORIES[6]},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=_short(x),
        y=_short(y),
        mode="markers",
        name="rows",
        marker={"size": 6, "color": CATEGORIES[0], "opacity": 0.55},
        hovertemplate="known %{x:.4g}, predicted %{y:.4g}<extra></extra>",
    )
    figure.update_xaxes(title={"text": "known"})
    figure.update_yaxes(title={"text": "predicted"})
    return figure


def forest(names: Sequence[str], found: Sequence[Estimate], whole: float, *, title: str, axis: str) -> Figure:
    """A line a group: its figure with the interval; dashed, the figure of all rows."""
    names, found = list(names)[::-1], list(found)[::-1]
    worst = min(range(len(found)), key=lambda i: found[i].value)
    figure = canvas(
        Frame(
            title,
            f"{title}: {len(names)} groups. The lowest is {names[worst]} with {number(found[worst].value)} (interval "
            f"{number(found[worst].low)} to {number(found[worst].high)}); all rows together {number(whole)}.",
            [f"Lines are 95 % intervals; the dashed line is the figure of all rows, {number(whole)}."],
        ),
        row_height=max(90, 24 * len(names) + 30),
        left=16,
        bottom=52,
    )
    value = np.array([e.value for e in found])
    figure.add_scatter(
        x=_short(value),
        y=[literal(n, longest=60) for n in names],
        mode="markers",
        marker={"size": 9, "color": CATEGORIES[0]},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": _short(np.array([e.high for e in found]) - value),
            "arrayminus": _short(value - np.array([e.low for e in found])),
        },
        hovertemplate="%{y}: %{x:.3f}<extra></extra>",
    )
    figure.add_vline(x=float(whole), line={"dash": "dash", "width": 1.4, "color": CATEGORIES[6]})
    figure.update_xaxes(title={"text": axis})
    return figure


def shares(
    names: Sequence[str], first: Sequence[float], second: Sequence[float] | None, labels: tuple[str, str]
) -> Figure:
    """The classes' shares, in the audited data and beside them in the training data."""
    large, small = int(np.argmax(first)), int(np.argmin(first))
    figure = canvas(
        Frame(
            "Classes",
            f"{len(names)} classes. The largest is {names[large]} with {share(first[large])}, the smallest {names[small]} "
            f"with {share(first[small])} of the rows.",
            [f"Largest: {names[large]}, {share(first[large])}. Smallest: {names[small]}, {share(first[small])}."],
        ),
        row_height=max(110, 30 * len(names) + 20),
        bottom=70 if second is not None else 48,
    )
    for values, label, colour in ((first, labels[0], CATEGORIES[0]), (second, labels[1], CATEGORIES[1])):
        if values is None:
            continue
        figure.add_bar(
            x=_short(np.asarray(values, float)),
            y=[literal(n, longest=40) for n in names],
            orientation="h",
            name=label,
            marker={"color": colour},
            hovertemplate="%{y}: %{x:.1%}<extra>" + label + "</extra>",
        )
    figure.update_layout(
        showlegend=second is not None,
        barmode="group",
        legend={"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"},
    )
    figure.update_xaxes(title={"text": "share of rows"}, tickformat=".0%")
    figure.update_yaxes(autorange="reversed", type="category")
    return figure


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def _short(values: np.ndarray) -> list[float]:
    """Five digits are more than a screen shows, and keep the record small."""
    return [float(f"{v:.5g}") for v in values]


def distances(shifts: Sequence[Shift], limit: float) -> Figure:
    """The properties that are farthest from training, a bar each; dashed, the distance that counts."""
    found = sorted(shifts, key=lambda s: (s.distance, s.name))[-20:]
    far = [s for s in found if s.drifted]
    figure = canvas(
        Frame(
            "Drift",
            f"Distance of the audited from the training data for {len(found)} properties. {len(far)} drifted; the largest "
            f"distance is {number(found[-1].distance)}, of {found[-1].name}.",
            [f"0: the same distribution, 1: none in common. From {number(limit)} on (dashed) a distance counts."],
        ),
        row_height=max(90, 22 * len(found) + 24),
        bottom=48,
    )
    figure.add_bar(
        x=_short(np.array([s.distance for s in found])),
        y=[literal(s.name, longest=40) for s in found],
        orientation="h",
        marker={"color": [CATEGORIES[5] if s.drifted else CATEGORIES[0] for s in found]},
        hovertemplate="%{y}: %{x:.3f}<extra></extra>",
    )
    figure.add_vline(x=limit, line={"dash": "dash", "width": 1.4, "color": CATEGORIES[6]})
    figure.update_xaxes(title={"text": "Kolmogorov-Smirnov distance"}, rangemode="tozero")
    figure.update_yaxes(type="category")
    return figure
