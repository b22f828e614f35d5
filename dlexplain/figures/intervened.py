"""What an intervention changed: pictures and series with the changed places framed, and curves of what followed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dlexplain.figures.canvas import Figure, Frame, canvas
from dlexplain.figures.pictures import empty_panel, picture_panel
from dlexplain.figures.theme import CATEGORIES
from dlexplain.figures.wording import literal


def transplants(panels: Sequence[Mapping[str, Any]], *, series: bool = False, alt: str = "") -> dict[str, Any]:
    """Pairs of panels, each with `picture` `(rows, columns)`, `places` (row, column, height, width) and `title`.

    A series is drawn with time from left to right. The figure as its JSON dictionary.
    """
    columns = min(len(panels), 6)
    rows = -(-len(panels) // columns)
    figure = canvas(
        Frame("Places put into other samples", alt),
        rows=rows,
        columns=columns,
        row_height=120 if series else 110,
        titles=[[literal(p["title"], longest=20)] for p in panels],
        gap_x=10,
    )
    for k in range(rows * columns):
        row, column = k // columns + 1, k % columns + 1
        if k >= len(panels):
            empty_panel(figure, row, column)
            continue
        picture, places = np.asarray(panels[k]["picture"], np.float32), panels[k]["places"]
        if series:
            picture, places = picture.T, [(c, r, w, h) for r, c, h, w in places]
        if not series:
            picture_panel(figure, row, column, _greys(picture), grey=True)
        else:
            _lanes(figure, row, column, picture)
        for top, left, height, width in places:
            figure.add_shape(
                type="rect",
                x0=left - 0.5,
                y0=top - 0.5,
                x1=left + width - 0.5,
                y1=top + height - 0.5,
                line={"color": CATEGORIES[5], "width": 2},
                row=row,
                col=column,
            )
    return as_json(figure)


def as_json(figure: Figure) -> dict[str, Any]:
    """A figure as the dictionary that an exhibit holds."""
    return figure.to_plotly_json()


def _greys(picture: np.ndarray) -> np.ndarray:
    low, high = float(picture.min()), float(picture.max())
    return (picture - low) / (high - low) if high > low else np.zeros_like(picture)


def _lanes(figure: Figure, row: int, column: int, picture: np.ndarray) -> None:
    figure.add_heatmap(z=picture, colorscale="Greys", showscale=False, row=row, col=column)
    figure.update_xaxes(showticklabels=False, row=row, col=column)
    figure.update_yaxes(showticklabels=False, autorange="reversed", row=row, col=column)


def paired(
    names: Sequence[str], values: Mapping[str, Sequence[float]], *, title: str, alt: str, axis: str = "share"
) -> dict[str, Any]:
    """Bars side by side, one of each kind a name; the figure as its JSON dictionary."""
    height = 34 * len(names) + 40
    figure = canvas(Frame(title, alt), row_height=height, bottom=64)
    for (kind, lengths), colour in zip(values.items(), CATEGORIES, strict=False):
        figure.add_bar(
            x=list(lengths),
            y=[literal(name, longest=34) for name in names],
            name=literal(kind),
            orientation="h",
            marker={"color": colour},
            hovertemplate="%{y}: %{x:.3g}<extra>" + literal(kind) + "</extra>",
        )
    figure.update_xaxes(title={"text": literal(axis)}, rangemode="tozero")
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_layout(
        barmode="group",
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"},
    )
    return as_json(figure)


def curves(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]], *, title: str, alt: str, x: str, y: str
) -> dict[str, Any]:
    """Lines, each `(x values, y values)`; the figure as its JSON dictionary."""
    figure = canvas(Frame(title, alt), row_height=280, bottom=84)
    for k, ((name, (across, up)), colour) in enumerate(zip(lines.items(), CATEGORIES, strict=False)):
        figure.add_scatter(
            x=list(across),
            y=list(up),
            name=literal(name),
            mode="lines",
            line={"color": colour, "width": 2, "dash": ("solid", "dash", "dot", "dashdot")[k % 4]},
        )
    figure.update_xaxes(title={"text": literal(x)})
    figure.update_yaxes(title={"text": literal(y)})
    figure.update_layout(
        showlegend=True, legend={"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"}
    )
    return as_json(figure)
