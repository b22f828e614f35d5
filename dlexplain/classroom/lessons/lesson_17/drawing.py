"""Lesson 17's own pictures: a year in panels, with limits and events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dlexplain.figures.canvas import Figure, Frame, canvas
from dlexplain.figures.theme import CATEGORIES

RINGS = CATEGORIES[5]
MEASURES = {  # what a monitor counts, said above its panel
    "readings": "readings: largest PSI of a sensor",
    "alarms": "alarms: move of the share called",
    "explanations": "explanations: largest move of a share",
    "outcomes": "outcomes: share wrong, four weeks late",
}


def year(
    weeks: Sequence[int],
    rows: Mapping[str, Sequence[float]],
    *,
    title: str,
    limits: Mapping[str, float] | None = None,
    events: Mapping[str, int] | None = None,
    facts: Sequence[str] = (),
    row_height: int = 74,
) -> Figure:
    """A panel a row over the weeks. What is over its limit is a red diamond; events are dotted lines with a name."""
    limits, events = limits or {}, events or {}
    said = []
    for name, values in rows.items():
        over = [int(w) for w, v in zip(weeks, values, strict=True) if name in limits and v > limits[name]]
        rang = f"rings in {len(over)} weeks, first in week {over[0]}" if over else "never rings"
        known = np.asarray(values, float)[np.isfinite(np.asarray(values, float))]
        said.append(f"{name}: from {known[0]:.3g} to {known[-1]:.3g}" + (f", {rang}" if name in limits else ""))
    if events:
        facts = [*facts, "Dotted: " + "; ".join(f"week {week}, {name}" for name, week in events.items()) + "."]
    if limits:
        facts = [*facts, "Dashed: the limit. Red diamonds: over it."]
    figure = canvas(
        Frame(title, f"{title}. {'; '.join(said)}.", facts),
        rows=len(rows), columns=1, row_height=row_height, gap_y=24, left=56, bottom=46,
        titles=[[MEASURES.get(name, name)] for name in rows],
    )  # fmt: skip
    for index, (name, values) in enumerate(rows.items(), 1):
        _panel(figure, index, weeks, np.asarray(values, float), limits.get(name))
        for week in events.values():
            figure.add_vline(x=week - 0.5, line={"dash": "dot", "width": 1.6, "color": CATEGORIES[6]}, row=index, col=1)
    figure.update_xaxes(range=[float(weeks[0]) - 0.8, float(weeks[-1]) + 0.8], dtick=4, tick0=0, showgrid=False)
    figure.update_xaxes(title={"text": "week", "standoff": 4}, row=len(rows), col=1)
    return figure


def _panel(figure: Figure, row: int, weeks: Sequence[int], values: np.ndarray, allowed: float | None) -> None:
    at = {"row": row, "col": 1}
    figure.add_scatter(
        x=list(weeks), y=values, mode="lines+markers", showlegend=False,
        line={"width": 1.8, "color": CATEGORIES[0]}, marker={"size": 4, "color": CATEGORIES[0]},
        hovertemplate="week %{x}: %{y:.3g}<extra></extra>", **at,
    )  # fmt: skip
    if allowed is None:
        return
    over = values > allowed
    figure.add_scatter(
        x=np.asarray(weeks)[over], y=values[over], mode="markers", showlegend=False,
        marker={"size": 9, "symbol": "diamond", "color": RINGS}, hovertemplate="week %{x}: %{y:.3g}, rings<extra></extra>",
        **at,
    )  # fmt: skip
    figure.add_hline(y=allowed, line={"dash": "dash", "width": 1.6, "color": RINGS}, **at)
    high = max(float(np.nanmax(values)), allowed)
    figure.update_yaxes(range=[0, 1.15 * high], nticks=4, **at)
