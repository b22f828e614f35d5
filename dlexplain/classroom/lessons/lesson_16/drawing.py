"""Lesson 16's own pictures: the bill with the budget, the widths over time, p-values of columns."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import numpy as np

from dlexplain.classroom import drawing as draw
from dlexplain.classroom.lessons.lesson_16.costs import Line, money
from dlexplain.figures.canvas import Figure, Frame, canvas
from dlexplain.figures.learning import SYMBOLS
from dlexplain.figures.theme import CATEGORIES

WIDE, LEFT, RIGHT, TOP, LANE = 620, 104, 110, 34, 34
_SMALL = 'font-size="12.5" fill="currentColor"'


def bill_bars(lines: Mapping[str, Line], budget: float) -> str:
    """A bar a line and one for their sum: blue people or machine, orange electricity; dashed: the budget."""
    whole = sum(line.total for line in lines.values())
    high = 1.04 * max(whole, budget, 1e-9)

    def x(value: float) -> float:
        return LEFT + value / high * (WIDE - LEFT - RIGHT)

    parts = _keys()
    for index, (name, line) in enumerate(lines.items()):
        parts += _bar(name, line.money, line.electricity, TOP + index * LANE, x)
    bottom = TOP + len(lines) * LANE
    parts.append(
        f'<line x1="8" x2="{WIDE - 8}" y1="{bottom + 1}" y2="{bottom + 1}" stroke="currentColor" stroke-opacity=".35"/>'
    )
    electricity = sum(line.electricity for line in lines.values())
    parts += _bar("in all", whole - electricity, electricity, bottom + 8, x, bold=True)
    end = bottom + 8 + LANE
    parts.append(
        f'<line x1="{x(budget):.1f}" x2="{x(budget):.1f}" y1="{bottom + 4}" y2="{end}" stroke="{CATEGORIES[5]}" '
        f'stroke-width="2.4" stroke-dasharray="7 4"/>'
    )
    return (
        f'<svg aria-hidden="true" viewBox="0 0 {WIDE} {end + 4}" '
        f'style="width:{WIDE}px;max-width:100%;flex:0 1 auto">{"".join(parts)}</svg>'
    )


def _keys() -> list[str]:
    return [
        f'<rect x="{LEFT}" y="6" width="14" height="10" fill="{CATEGORIES[0]}"/><text x="{LEFT + 20}" y="15" {_SMALL}>'
        "people or machine hours</text>",
        f'<rect x="{LEFT + 186}" y="6" width="14" height="10" fill="{CATEGORIES[1]}"/><text x="{LEFT + 206}" y="15" '
        f"{_SMALL}>electricity</text>",
        f'<line x1="{LEFT + 292}" x2="{LEFT + 316}" y1="11" y2="11" stroke="{CATEGORIES[5]}" stroke-width="2.4" '
        f'stroke-dasharray="7 4"/><text x="{LEFT + 322}" y="15" {_SMALL}>budget</text>',
    ]


def _bar(name: str, first: float, second: float, top: float, x, *, bold: bool = False) -> list[str]:
    weight = ' font-weight="700"' if bold else ""
    return [
        f'<text x="{LEFT - 8}" y="{top + 19}" text-anchor="end" {_SMALL}{weight}>{html.escape(name)}</text>',
        f'<rect x="{LEFT}" y="{top + 4}" width="{max(0.0, x(first) - LEFT):.1f}" height="{LANE - 12}" '
        f'fill="{CATEGORIES[0]}"/>',
        f'<rect x="{x(first):.1f}" y="{top + 4}" width="{max(0.0, x(first + second) - x(first)):.1f}" '
        f'height="{LANE - 12}" fill="{CATEGORIES[1]}"/>',
        f'<text x="{x(first + second) + 6:.1f}" y="{top + 19}" {_SMALL}{weight}>{money(first + second)}</text>',
    ]


def widths(operations: Sequence[float], seconds: Mapping[str, Sequence[float]], *, title: str) -> Figure:
    """Time over operations, both axes logarithmic; dotted: what time would be if it grew with the operations."""
    series = {name: [1e6 * value for value in values] for name, values in seconds.items()}
    figure = draw.curves(
        operations,
        series,
        title=title,
        across_title="operations of one batch",
        up_title="microseconds",
        doubling=True,
    )
    first = next(iter(series.values()))
    figure.add_scatter(
        x=list(operations),
        y=[first[0] * each / operations[0] for each in operations],
        name="if time grew with operations",
        mode="lines",
        line={"color": CATEGORIES[6], "dash": "dot", "width": 1.8},
    )
    figure.update_yaxes(tickformat=",.0f", dtick=1)
    figure.update_xaxes(ticktext=[_short(each) for each in operations])
    return figure


def _short(value: float) -> str:
    return f"{value / 1e6:.3g} million"


def pvalues(tests: Mapping[str, np.ndarray], names: Sequence[str], limit: float, *, title: str) -> Figure:
    """A row of dots for each comparison: each column's p-value, logarithmic; dotted lines at 5 % and at `limit`."""
    said = "; ".join(
        f"{label}: {int((values < limit).sum())} columns under the limit" for label, values in tests.items()
    )
    figure = canvas(Frame(title, f"{title}. {said}."), row_height=50 + 84 * len(tests), left=150, bottom=52)
    spread = 0.24 * np.sin(2.4 * np.arange(len(names)))  # apart from each other, the same in each row
    for index, (label, values) in enumerate(tests.items()):
        named = [str(names[k]) if values[k] < limit else "" for k in range(len(names))]
        figure.add_scatter(
            x=np.maximum(values, 1e-16).tolist(), y=(index + spread).tolist(), mode="markers+text", text=named,
            textposition="top center", name=label, showlegend=False, cliponaxis=False, customdata=list(map(str, names)),
            marker={"color": CATEGORIES[index], "symbol": SYMBOLS[index % len(SYMBOLS)], "size": 8, "opacity": 0.65},
            hovertemplate="%{customdata}: %{x:.2g}<extra></extra>",
        )  # fmt: skip
    for place, words, side in ((0.05, "0.05", "left"), (limit, f"{limit:.2g}", "right")):
        figure.add_vline(x=place, line={"dash": "dot", "width": 1.6, "color": CATEGORIES[6]})
        figure.add_annotation(
            x=float(np.log10(place)), y=1, yref="paper", text=words, showarrow=False, xanchor=side, yanchor="top"
        )
    figure.update_xaxes(
        type="log", title={"text": "p: how often chance alone does this", "standoff": 4}, exponentformat="power",
        dtick=4, range=[-16.5, 0.3], showgrid=False,
    )  # fmt: skip
    figure.update_yaxes(
        showgrid=False, range=[-0.5, len(tests) - 0.4], tickvals=list(range(len(tests))), ticktext=list(tests)
    )
    return figure
