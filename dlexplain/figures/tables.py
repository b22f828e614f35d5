"""Bars: one number a name, the largest first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dlexplain.errors import InputError
from dlexplain.figures.canvas import Figure, Frame, canvas
from dlexplain.figures.theme import CATEGORIES, LIGHT, ThemeName
from dlexplain.figures.wording import listed, literal, number

BAR = 22  # pixels a bar


def bars(
    values: np.ndarray | Sequence[float],
    names: Sequence[object],
    *,
    inputs: np.ndarray | Sequence[float] | None = None,
    top: int = 20,
    title: str = "Attribution by feature",
    axis: str = "attribution",
    facts: Sequence[str] = (),
    warnings: Sequence[str] = (),
    alt: str | None = None,
    theme: ThemeName = "auto",
) -> Figure:
    """Horizontal bars sorted by size: the `top` largest, then all the others in one bar with their sum."""
    values = np.asarray(values, np.float32).ravel()
    if len(names) != len(values):
        raise InputError(f"bars: {len(values)} values but {len(names)} names.")
    rows = min(len(values), top) + (len(values) > top)
    sentence = alt or f"{title}. Horizontal bars, sorted by size. {largest(values, [str(n) for n in names])}"
    figure = canvas(
        Frame(title, sentence, facts, warnings, theme), row_height=max(1, rows) * BAR + 10, bottom=48
    )
    bar_panel(figure, 1, 1, values, names, inputs=inputs, top=top, axis=axis)
    return figure


def largest(values: np.ndarray, names: Sequence[str], count: int = 3) -> str:
    """A sentence that names the values of largest size."""
    flat = np.nan_to_num(np.asarray(values, np.float64).ravel())
    if not flat.size or not np.any(flat):
        return "All values are zero."
    order = np.argsort(-np.abs(flat), kind="stable")[:count]
    return "Largest: " + listed([f"{names[i]} ({number(flat[i])})" for i in order if flat[i] != 0]) + "."


def bar_panel(
    figure: Figure,
    row: int,
    column: int,
    values: np.ndarray,
    names: Sequence[object],
    *,
    inputs: np.ndarray | Sequence[float] | None = None,
    top: int = 20,
    axis: str = "attribution",
    extent: float | None = None,
    order: np.ndarray | None = None,
    narrow: bool = False,
    named: bool = True,
) -> None:
    """Draws sorted bars into a panel. `extent`, `order`: common to several panels; None: its own."""
    values = np.nan_to_num(np.asarray(values, np.float32).ravel())
    order = np.argsort(-np.abs(values), kind="stable") if order is None else order
    longest = 18 if narrow else 34
    shown, rest = order[:top], order[top:]
    labels = [_label(names[i], None if inputs is None else np.ravel(inputs)[i], longest) for i in shown]
    _bars(
        figure,
        row,
        column,
        values[shown],
        labels,
        0,
        {"color": np.where(values[shown] < 0, LIGHT.negative, LIGHT.positive).tolist()},
    )
    lengths = values[shown]
    if len(rest):
        together = np.array([values[rest].sum()])
        labels.append(f"<i>{len(rest)} more, together</i>")
        _bars(
            figure,
            row,
            column,
            together,
            labels[-1:],
            len(shown),
            {"color": CATEGORIES[-1], "pattern": {"shape": "/", "size": 6, "solidity": 0.4}},
        )
        lengths = np.append(lengths, together)
    places = np.arange(len(labels))
    fixed = extent is not None
    extent = extent or float(np.abs(lengths).max(initial=0)) or 1.0
    # Room for the numbers beyond the bars, only on the sides where bars are.
    room = 2.1 if narrow else 1.24
    low = -room * extent if np.any(lengths < 0) or fixed else -0.04 * extent
    high = room * extent if np.any(lengths > 0) or fixed or low > -extent else 0.04 * extent
    figure.update_xaxes(
        range=[low, high],
        zeroline=True,
        title={"text": literal(axis), "standoff": 4},
        nticks=4 if narrow else 6,
        tickangle=0,
        row=row,
        col=column,
    )
    figure.update_yaxes(
        tickmode="array",
        tickvals=places,
        ticktext=labels,
        showticklabels=named,
        range=[len(labels) - 0.4, -0.6],
        showgrid=False,
        ticks="",
        row=row,
        col=column,
    )


def _bars(
    figure: Figure, row: int, column: int, lengths: np.ndarray, labels: list[str], first: int, marker: dict
) -> None:
    figure.add_bar(
        x=lengths,
        y=first + np.arange(len(lengths)),
        orientation="h",
        row=row,
        col=column,
        customdata=labels,
        marker=marker,
        width=0.72,
        text=[number(v) for v in lengths],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{customdata}: %{x:.4g}<extra></extra>",
    )


def _label(name: object, value: float | None, longest: int) -> str:
    return literal(name, longest=longest) + ("" if value is None else f" = {number(value)}")
