"""Grids of numbers with names on both sides: what is told by layer and layer, by layer and position, by token and token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dlexplain.figures.canvas import Figure, drawn_height
from dlexplain.figures.theme import SEQUENTIAL
from dlexplain.figures.wording import literal, number

_DARK, _LIGHT = "#1b1e23", "#ffffff"


@dataclass(frozen=True)
class Scale:
    """A scale from dark to bright for values of one sign."""

    low: float
    high: float
    name: str


def side(rows: int) -> int:
    """Pixels a row: written in where there are few, thin where there are many."""
    return int(np.clip(620 // max(rows, 1), 7, 30))


def grid_panel(
    figure: Figure,
    row: int,
    column: int,
    values: np.ndarray,
    down: Sequence[object],
    across: Sequence[object],
    *,
    text: Sequence[Sequence[str]] | None = None,
    scale: Scale | None = None,
    longest: int = 22,
    hover: str = "%{y} · %{x}: %{z:.3g}",
) -> None:
    """Draws a grid, the first row above; what is not a number stays empty. `scale` None: the signed one, of the theme."""
    values = np.asarray(values, np.float32)
    known = [[None if not np.isfinite(v) else float(v) for v in line] for line in values]
    wide = max(values.shape) <= 40
    figure.add_heatmap(
        z=known,
        coloraxis="coloraxis",
        xgap=1 if wide else 0,
        ygap=1 if wide else 0,
        hoverongaps=False,
        row=row,
        col=column,
        customdata=[[f"{literal(a)} · {literal(b)}" for b in across] for a in down],
        hovertemplate=hover.replace("%{y} · %{x}", "%{customdata}") + "<extra></extra>",
    )
    if text is not None:
        _write(figure, row, column, values, text, scale)
    for names, update, backwards in ((across, figure.update_xaxes, False), (down, figure.update_yaxes, True)):
        span = [-0.5, len(names) - 0.5]
        every = max(1, -(-len(names) // (40 if backwards else 26)))
        update(
            tickmode="array",
            tickvals=list(range(0, len(names), every)),
            ticktext=[literal(name, longest=longest) for name in list(names)[::every]],
            showgrid=False,
            ticks="",
            range=span[::-1] if backwards else span,
            row=row,
            col=column,
        )


def _write(
    figure: Figure, row: int, column: int, values: np.ndarray, text: Sequence[Sequence[str]], scale: Scale | None
) -> None:
    """Words in the cells; on the scale from dark to bright in whichever of white and black stands out."""
    places = np.argwhere(np.isfinite(values))
    style = {"size": 11}
    if scale is not None:
        level = (values[tuple(places.T)] - scale.low) / max(scale.high - scale.low, 1e-30)
        style["color"] = [_DARK if bright > 0.55 else _LIGHT for bright in level]
    figure.add_scatter(
        x=places[:, 1],
        y=places[:, 0],
        text=[literal(text[i][j]) for i, j in places],
        mode="text",
        textfont=style,
        hoverinfo="skip",
        row=row,
        col=column,
    )


def sequential_scale(figure: Figure, scale: Scale) -> None:
    """The colour bar of a `Scale`, its ends stated."""
    figure.update_layout(
        coloraxis={
            "colorscale": SEQUENTIAL,
            "cmin": scale.low,
            "cmax": scale.high,
            "colorbar": {
                "title": {"text": scale.name + "<br>\u00a0", "side": "top"},
                "tickmode": "array",
                "tickvals": [scale.low, scale.high],
                "ticktext": [number(scale.low), number(scale.high)],
                "lenmode": "pixels",
                "len": max(100, min(drawn_height(figure), 250)),
                "y": 1,
                "yanchor": "top",
                "x": 1.01,
                "xanchor": "left",
                "ypad": 0,
            },
        }
    )
