"""Sensors over time: a lane each, its line over the strip of its attributions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dlexplain.errors import InputError
from dlexplain.figures.canvas import Figure, Frame, canvas, colour_scale, robust_limit
from dlexplain.figures.theme import ThemeName
from dlexplain.figures.wording import listed, literal, number

LANE = 44  # pixels a sensor


def sensors(
    values: np.ndarray,
    series: np.ndarray,
    names: Sequence[object] | None = None,
    *,
    limit: float | None = None,
    top: int = 16,
    title: str = "Attribution over time",
    facts: Sequence[str] = (),
    warnings: Sequence[str] = (),
    alt: str | None = None,
    theme: ThemeName = "auto",
) -> Figure:
    """`values`, `series`: `(time, sensors)`; the `top` sensors of largest total size, in their order."""
    values, series = np.asarray(values, np.float32), np.asarray(series)
    if values.ndim != 2 or values.shape != series.shape:
        raise InputError(
            f"sensors: wants values and series of one shape (time, sensors), not {values.shape} "
            f"and {series.shape}."
        )
    names = sensor_names(names, values.shape[1])
    end = robust_limit([values], limit)
    count = min(top, values.shape[1])
    sentence = alt or f"{title}. {busiest(values, names)}"
    figure = canvas(
        Frame(title, sentence, [*facts, end.fact], warnings, theme),
        row_height=count * LANE,
        bottom=48,
        right=84,
    )
    colour_scale(figure, end, height=count * LANE)
    sensor_panel(figure, 1, 1, values, series, names, top=top)
    return figure


def sensor_names(names: Sequence[object] | None, count: int) -> list[str]:
    """The names given, else `sensor 0`, `sensor 1`, …"""
    if names is not None and len(names) == count:
        return [str(name) for name in names]
    return [f"sensor {i}" for i in range(count)]


def busiest(values: np.ndarray, names: Sequence[str]) -> str:
    """A sentence that names the sensors with the largest total size, and the moment of the largest value."""
    values = np.nan_to_num(values)
    totals = np.abs(values).sum(0)
    if not np.any(totals):
        return "All values are zero."
    order = np.argsort(-totals, kind="stable")[:3]
    time, sensor = np.unravel_index(np.argmax(np.abs(values)), values.shape)
    return (
        f"Largest in total: {listed([names[i] for i in order if totals[i] > 0])}. The largest single value "
        f"is {number(values[time, sensor])}, of {names[sensor]} at step {time}."
    )


def sensor_panel(
    figure: Figure,
    row: int,
    column: int,
    values: np.ndarray,
    series: np.ndarray,
    names: Sequence[str],
    *,
    top: int = 16,
    longest: int = 24,
) -> None:
    """Draws lanes into a panel: colour is attribution, the line the input, each in its own range."""
    values = np.nan_to_num(np.asarray(values, np.float32))
    series = np.asarray(series, np.float32)
    chosen = np.sort(np.argsort(-np.abs(values).sum(0), kind="stable")[:top])
    time = np.arange(len(values))
    figure.add_heatmap(
        z=values[:, chosen].T,
        x0=0,
        dx=1,
        y0=0,
        dy=1,
        ygap=3,
        coloraxis="coloraxis",
        row=row,
        col=column,
        customdata=series[:, chosen].T,
        hovertemplate="step %{x}: input %{customdata:.4g}, attribution %{z:.4g}<extra></extra>",
    )
    for lane, sensor in enumerate(chosen):
        line = np.nan_to_num(series[:, sensor])
        span = float(np.ptp(line)) if line.size else 0.0
        height = (line - line.min()) / span - 0.5 if span > 0 else np.zeros(len(line))
        figure.add_scatter(
            x=time,
            y=(lane - 0.76 * height).astype(np.float32),
            mode="lines" if len(line) > 1 else "markers",
            line={"width": 1.6},
            hoverinfo="skip",
            row=row,
            col=column,
            name=literal(names[sensor]),
        )
    ticks = [literal(names[i], longest=longest) for i in chosen]
    if len(names) > len(chosen):
        figure.add_annotation(
            text=f"{len(names) - len(chosen)} more sensors, of smaller total, are not drawn",
            showarrow=False,
            xref="paper",
            yref="paper",
            x=1,
            y=0,
            xanchor="right",
            yanchor="top",
            yshift=-30,
            font={"size": 11},
        )
    figure.update_xaxes(
        range=[-0.5, max(len(values) - 0.5, 0.5)],
        title={"text": "time step", "standoff": 4},
        showgrid=False,
        row=row,
        col=column,
    )
    figure.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(chosen))),
        ticktext=ticks,
        showgrid=False,
        ticks="",
        range=[len(chosen) - 0.5, -0.5],
        row=row,
        col=column,
    )
