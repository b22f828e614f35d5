"""Lesson 14's own pictures: learning curves with error bars, maps of several networks, the square of confusions."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import numpy as np

from dlexplain.classroom import drawing as draw
from dlexplain.figures.canvas import Figure, Frame, canvas
from dlexplain.figures.pictures import map_panel, picture_panel
from dlexplain.figures.theme import CATEGORIES, rgb

_CELL, _EDGE = 27, 34


def learning_curves(sizes: Sequence[int], right: Mapping[str, np.ndarray], *, title: str) -> Figure:
    """A line a way over pictures a class, from scores `(sizes, draws)`; the bar: one standard deviation of the draws."""
    figure = draw.curves(
        sizes,
        {name: found.mean(1) for name, found in right.items()},
        spread={name: found.std(1, ddof=1) for name, found in right.items()},
        title=title,
        across_title="digits a class to learn from",
        up_title="read right",
    )
    figure.update_xaxes(type="log", tickmode="array", tickvals=list(sizes), ticktext=[str(size) for size in sizes])
    figure.update_yaxes(tickformat=".0%")
    return figure


def maps(found: Mapping[str, np.ndarray], pictures: np.ndarray, *, title: str) -> Figure:
    """The pictures, and below a row a network: maps `(n, height, width)` over faint pictures, a scale a row."""
    names = [name if column == 0 else "" for name in ("the digit", *found) for column in range(len(pictures))]
    figure = canvas(
        Frame(title, f"{title}. A row a network: {', '.join(found)}.", ["Orange: for it. Blue: against it. Each row of maps has its own scale."]),
        rows=1 + len(found), columns=len(pictures), row_height=112, gap_x=10, gap_y=10,
        titles=[[f"<b>{html.escape(name)}</b>" if name else ""] for name in names],
    )  # fmt: skip
    for column, picture in enumerate(pictures, 1):
        picture_panel(figure, 1, column, picture, grey=True)
    for row, values in enumerate(found.values(), 2):
        limit = float(np.abs(values).max()) or 1.0
        for column, (one, picture) in enumerate(zip(values, pictures, strict=True), 1):
            map_panel(figure, row, column, one / limit, behind=picture)
    from dlexplain.figures.theme import LIGHT, diverging

    figure.update_layout(coloraxis={"cmin": -1, "cmax": 1, "showscale": False, "colorscale": diverging(LIGHT)})
    return figure


def confusions(truth: np.ndarray, read: np.ndarray) -> str:
    """The square of digits, as SVG: a row what stands there, a column what was read. Orange: mistakes."""
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (truth, read), 1)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    text = 'text-anchor="middle" font-size="11.5" fill="currentColor"'
    parts = []
    for (i, j), count in np.ndenumerate(counts):
        colour = ",".join(map(str, rgb(CATEGORIES[0] if i == j else CATEGORIES[5])))
        depth = 0.55 * shares[i, j] if i == j else min(0.75, 0.12 + 2.2 * shares[i, j]) if count else 0
        x, y = _EDGE + j * _CELL, _EDGE + i * _CELL
        parts.append(f'<rect x="{x}" y="{y}" width="{_CELL}" height="{_CELL}" fill="rgba({colour},{depth:.2f})"/>')
        if count:
            parts.append(f'<text x="{x + _CELL / 2}" y="{y + 18}" {text}>{count}</text>')
    for k in range(10):
        middle = _EDGE + (k + 0.5) * _CELL
        parts.append(f'<text x="{middle}" y="{_EDGE - 6}" {text} font-weight="600">{k}</text>')
        parts.append(f'<text x="{_EDGE - 9}" y="{middle + 4}" {text} font-weight="600">{k}</text>')
    side = 10 * _CELL
    parts.append(
        f'<rect x="{_EDGE}" y="{_EDGE}" width="{side}" height="{side}" fill="none" stroke="currentColor" '
        f'stroke-opacity=".4"/><text x="{_EDGE + side / 2}" y="12" {text}>was read as</text>'
        f'<text transform="translate(11 {_EDGE + side / 2}) rotate(-90)" {text}>stands there</text>'
    )
    whole = _EDGE + side + 2
    return f'<svg aria-hidden="true" viewBox="0 0 {whole} {whole}" style="width:{whole}px;max-width:100%">{"".join(parts)}</svg>'
