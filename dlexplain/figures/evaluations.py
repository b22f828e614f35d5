"""Explanations judged: a panel a metric, each explanation beside the two rows that know nothing."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dlexplain.errors import InputError, suggest
from dlexplain.figures.canvas import Figure, Frame, canvas
from dlexplain.figures.theme import CATEGORIES, ThemeName
from dlexplain.figures.wording import listed, literal, method_title, number

if TYPE_CHECKING:
    from dlexplain.evaluation.result import Evaluation

_ROW = 26  # pixels a row
_METHOD, _CONTROL = CATEGORIES[0], CATEGORIES[-1]
_TITLES = {
    "road": "ROAD",
    "sensitivity_n": "Sensitivity-n",
    "localisation_auc": "Localisation AUC",
    "monotonicity_arya": "Monotonicity (Arya)",
}
_WAYS = {"higher": "higher is better →", "lower": "← lower is better", None: "neither way is better"}


@dataclass(frozen=True)
class _Panel:
    """One metric: means and intervals of every row, controls last; `ahead`: of all controls, by row."""

    metric: str
    better: str | None
    rows: tuple[str, ...]
    means: np.ndarray
    low: np.ndarray
    high: np.ndarray
    ahead: dict[str, bool | None]

    @property
    def range(self) -> list[float]:
        known = np.concatenate([self.means, self.low, self.high])
        known = known[np.isfinite(known)]
        if not known.size:
            return [0.0, 1.0]
        low, high = float(known.min()), float(known.max())
        margin = 0.08 * (high - low) or max(abs(high), 1.0) * 0.1
        return [low - margin, high + margin]


def evaluation(
    result: Evaluation,
    *,
    metrics: Sequence[str] | None = None,
    columns: int | None = None,
    level: float = 0.95,
    title: str = "Explanations beside chance",
    theme: ThemeName = "auto",
) -> Figure:
    """A panel a metric: dots are means over samples, lines their bootstrap intervals.

    A dot is filled where the explanation is surely better than both control rows. `metrics`: which, in this order.
    """
    names = list(result.metrics) if metrics is None else list(metrics)
    for name in names:
        if name not in result.metrics:
            raise InputError(
                f"evaluation: {name!r} was not asked. {suggest(name, result.metrics)}Metrics: {', '.join(result.metrics)}."
            )
    if not names:
        raise InputError("evaluation: no metric to draw.")
    panels = _panels(result, names, level)
    across = columns or min(len(panels), 3)
    down = -(-len(panels) // across)
    facts = _facts(result, panels, level)
    labels = [literal(method_title(row), longest=24) for row in panels[0].rows]
    figure = canvas(
        Frame(title, _said(title, panels, facts), facts, theme=theme),
        rows=down,
        columns=across,
        row_height=_ROW * len(labels) + 8,
        titles=[[*_heading(p.metric, across), _WAYS[p.better]] for p in panels] + [[]] * (down * across - len(panels)),
        left=30 + 7 * max(len(label) for label in labels),
        gap_x=26,
        gap_y=44,
        bottom=36,
    )
    for i, panel in enumerate(panels):
        row, column = i // across + 1, i % across + 1
        _draw(figure, panel, row, column, labels if column == 1 else None, len(result.controls))
    for i in range(len(panels), down * across):
        row, column = i // across + 1, i % across + 1
        figure.update_xaxes(visible=False, row=row, col=column)
        figure.update_yaxes(visible=False, row=row, col=column)
    return figure


def _panels(result: Evaluation, names: list[str], level: float) -> list[_Panel]:
    rows, means, intervals = (*result.rows, *result.controls), result.table, result.intervals(level)
    judged = [result.ahead(control, level) for control in result.controls]
    found = []
    for name in names:
        ahead = {}
        for row in result.rows:
            verdicts = [table.loc[row, name] for table in judged]
            ahead[row] = bool(verdicts) and all(v is True for v in verdicts)
        found.append(
            _Panel(
                name,
                result.metrics[name].better,
                rows,
                means[name].to_numpy(np.float64),
                intervals[name, "low"].to_numpy(np.float64),
                intervals[name, "high"].to_numpy(np.float64),
                ahead,
            )
        )
    return found


def _draw(figure: Figure, panel: _Panel, row: int, column: int, labels: list[str] | None, controls: int) -> None:
    count, first = len(panel.rows), len(panel.rows) - controls
    places = np.arange(count)
    known = np.isfinite(panel.means)
    for i in range(first, count):  # a line through the panel at what each control scores
        if known[i]:
            figure.add_scatter(
                x=[panel.means[i]] * 2, y=[-0.5, count - 0.5], mode="lines", hoverinfo="skip",
                line={"color": _CONTROL, "width": 1, "dash": "dot"}, row=row, col=column,
            )  # fmt: skip
    for which, colour, symbols in (
        (places < first, _METHOD, ["circle" if panel.ahead.get(r) else "circle-open" for r in panel.rows]),
        (places >= first, _CONTROL, ["diamond"] * count),
    ):
        at = places[which & known]
        x, low, high = panel.means[at], panel.low[at], panel.high[at]
        figure.add_scatter(
            x=x,
            y=at,
            mode="markers",
            marker={
                "color": colour,
                "size": 9,
                "symbol": [symbols[i] for i in at],
                "line": {"width": 2, "color": colour},
            },
            error_x={
                "type": "data",
                "symmetric": False,
                "array": np.nan_to_num(high - x),
                "arrayminus": np.nan_to_num(x - low),
                "color": colour,
                "thickness": 1.5,
                "width": 0,
            },
            customdata=[_hover(panel, i) for i in at],
            hovertemplate="%{customdata}<extra></extra>",
            row=row,
            col=column,
        )
    empty = places[~known]
    if len(empty):
        figure.add_scatter(
            x=[panel.range[0]] * len(empty), y=empty, text=["no score"] * len(empty), mode="text",
            textposition="middle right", hoverinfo="skip", textfont={"size": 11}, row=row, col=column,
        )  # fmt: skip
    if controls and first:
        figure.add_hline(y=first - 0.5, line={"color": _CONTROL, "width": 1}, row=row, col=column)
    figure.update_xaxes(range=panel.range, nticks=5, row=row, col=column)
    figure.update_yaxes(
        range=[count - 0.5, -0.5],
        tickmode="array",
        tickvals=list(places),
        ticktext=labels or [""] * count,
        showticklabels=labels is not None,
        ticks="",
        row=row,
        col=column,
    )


def _hover(panel: _Panel, i: int) -> str:
    text = f"{literal(panel.rows[i])}: {number(panel.means[i])}"
    if np.isfinite(panel.low[i]):
        text += f" ({number(panel.low[i])} to {number(panel.high[i])})"
    return text


def _facts(result: Evaluation, panels: list[_Panel], level: float) -> list[str]:
    n = len(result)
    interval = f", lines its {100 * level:g} % bootstrap interval" if n > 1 else ""
    facts = [f"{n} sample{'s' if n > 1 else ''}, {result.framework}. Dots are the mean over samples{interval}."]
    if result.controls:
        facts.append(
            "Grey diamonds and dotted lines: a random map, and a map that never asks the model. A dot is filled where the "
            "explanation is surely better than both; a score that they reach too says little."
        )
    if result.left_out:
        names = listed([_title(name) for name in result.left_out])
        facts.append(f"Left out, for some rows or all, for want of what they need: {names}.")
    return facts


def _title(metric: str) -> str:
    return _TITLES.get(metric) or method_title(metric)


def _heading(metric: str, columns: int) -> list[str]:
    """The title broken to fit its panel, the first line without its tags: `label` sets it strong."""
    lines = [literal(line) for line in textwrap.wrap(_title(metric), max(12, 66 // columns))[:3]]
    return [lines[0], *(f"<b>{line}</b>" for line in lines[1:])]


def _said(title: str, panels: list[_Panel], facts: list[str]) -> str:
    sentences = [f"{title}: {len(panels)} panels, one a metric."]
    for panel in panels:
        scores = ", ".join(f"{row} {number(mean)}" for row, mean in zip(panel.rows, panel.means, strict=True))
        winners = [row for row, ahead in panel.ahead.items() if ahead]
        way = {"higher": "higher is better", "lower": "lower is better", None: "neither way is better"}[panel.better]
        sentences.append(
            f"{_title(panel.metric)} ({way}): {scores}. Surely better than both controls: {listed(winners)}."
        )
    return " ".join([*sentences, *facts])
