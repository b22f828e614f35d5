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
