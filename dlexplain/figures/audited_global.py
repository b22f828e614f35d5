"""Figures of the audit's section on what the model looks at over all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dlexplain.figures import png
from dlexplain.figures.canvas import Figure, Frame, canvas
from dlexplain.figures.grids import Scale, sequential_scale
from dlexplain.figures.pictures import FINEST, square
from dlexplain.figures.tables import BAR, largest
from dlexplain.figures.theme import CATEGORIES, ThemeName
from dlexplain.figures.wording import literal, method_title, number

_TOP = 20


def importance(
    what: str,
    names: Sequence[str],
    mean: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    *,
    shape: tuple[int, int] | None = None,
    method: str = "",
    theme: ThemeName = "auto",
) -> Figure:
    """Mean sizes of attributions, `(columns,)` with the ends of their intervals: a map of pixels (`shape`), a line over
    points in time or places, else bars with whiskers."""
    title = f"{method_title(method)}: mean size by {what}"
    alt = f"{title}, over all samples explained. {largest(mean, list(names))}"
    facts = ["Mean over samples of the attribution's absolute value; whiskers hold 95 % of resamples."]
    if shape is not None:
        return _map(
            mean.reshape(shape),
            Frame(title, alt, ["Mean over samples of the attribution's absolute value."], (), theme),
        )
    if what in ("time", "place"):
        return _line(what, mean, low, high, Frame(title, alt, ["The band holds 95 % of resamples."], (), theme))
    return _bars(names, mean, low, high, Frame(title, alt, facts, (), theme))


def _map(mean: np.ndarray, frame: Frame) -> Figure:
    figure = canvas(frame, row_height=320, right=96)
    block = max(1, -(-max(mean.shape) // FINEST))
    cells = png.blocks(np.asarray(mean, np.float32), block)
    offset = (block - 1) / 2
    figure.add_heatmap(
        z=cells,
        x0=offset,
        dx=block,
        y0=offset,
        dy=block,
        coloraxis="coloraxis",
        hovertemplate="row %{y}, column %{x}<br>mean size %{z:.3g}<extra></extra>",
    )
    square(figure, 1, 1, *mean.shape)
    sequential_scale(figure, Scale(0.0, float(cells.max()) or 1.0, "mean size"))
    return figure


def _line(what: str, mean: np.ndarray, low: np.ndarray, high: np.ndarray, frame: Frame) -> Figure:
    figure = canvas(frame, row_height=240, left=64, bottom=48)
    x = np.arange(len(mean))
    figure.add_scatter(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([high, low[::-1]]).astype(np.float32),
        fill="toself",
        mode="lines",
        line={"width": 0},
        opacity=0.35,
        fillcolor=CATEGORIES[4],
        hoverinfo="skip",
        showlegend=False,
    )
    figure.add_scatter(
        x=x,
        y=mean.astype(np.float32),
        mode="lines",
        line={"color": CATEGORIES[0]},
        showlegend=False,
        hovertemplate=f"{literal(what)} %{{x}}: %{{y:.3g}}<extra></extra>",
    )
    figure.update_xaxes(title_text=literal(what))
    figure.update_yaxes(title_text="mean size", rangemode="tozero")
    return figure


def _bars(names: Sequence[str], mean: np.ndarray, low: np.ndarray, high: np.ndarray, frame: Frame) -> Figure:
    order = np.argsort(-mean, kind="stable")[:_TOP][::-1]
    figure = canvas(frame, row_height=len(order) * BAR + 10, left=190, bottom=48)
    figure.add_bar(
        x=mean[order].astype(np.float32),
        y=list(range(len(order))),
        orientation="h",
        marker={"color": CATEGORIES[0]},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": (high - mean)[order].clip(min=0).astype(np.float32),
            "arrayminus": (mean - low)[order].clip(min=0).astype(np.float32),
            "thickness": 1.5,
            "width": 3,
        },
        customdata=[f"{literal(names[i])}: {number(mean[i])} ({number(low[i])} to {number(high[i])})" for i in order],
        hovertemplate="%{customdata}<extra></extra>",
        showlegend=False,
    )
    figure.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(order))),
        ticktext=[literal(names[i], longest=28) for i in order],
        showgrid=False,
        ticks="",
    )
    figure.update_xaxes(title_text="mean size of the attribution", rangemode="tozero")
    return figure
