"""Bars: one number a name, the largest first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dlexplain.errors import InputError
from dlexplain.figures.canvas import Figure, Frame, Limit, canvas, colour_scale
from dlexplain.figures.theme import ThemeName
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
    figure = canvas(Frame(title, sentence, facts, warnings, theme), row_height=max(1, rows) * BAR + 10, bottom=48)
    two_colours(figure)
    bar_panel(figure, 1, 1, values, names, inputs=inputs, top=top, axis=axis)
    return figure


def largest(values: np.ndarray, names: Sequence[str], count: int = 3) -> str:
    """A sentence that names the values of largest size."""
    flat = np.nan_to_num(np.asarray(values, np.float64).ravel())
    if not flat.size or not np.any(flat):
        return "All values are zero."
    order = np.argsort(-np.abs(flat), kind="stable")[:count]
    return "Largest: " + listed([f"{names[i]} ({number(flat[i])})" for i in order if flat[i] != 0]) + "."


def two_colours(figure: Figure) -> None:
    """The theme's two ends for the signs of bars."""
    colour_scale(figure, Limit(1, 1), shown=False)


def bar_panel(figure: Figure, row: int, column: int, values: np.ndarray, names: Sequence[object], *,
              inputs: np.ndarray | Sequence[float] | None = None, top: int = 20, axis: str = "attribution",
              extent: float | None = None, longest: int = 34) -> None:
    """Draws sorted bars into a panel. `extent`: half the width of its axis, to compare panels; None: its own."""
    values = np.nan_to_num(np.asarray(values, np.float32).ravel())
    order = np.argsort(-np.abs(values), kind="stable")
    shown, rest = order[:top], order[top:]
    labels = [_label(names[i], None if inputs is None else np.ravel(inputs)[i], longest) for i in shown]
    lengths = values[shown]
    if len(rest):
        lengths = np.append(lengths, values[rest].sum())
        labels.append(f"<i>{len(rest)} more, together</i>")
    places = np.arange(len(labels))
    figure.add_bar(
        x=lengths, y=places, orientation="h", row=row, col=column, customdata=labels, width=0.72,
        marker={
            "color": np.sign(lengths), "coloraxis": "coloraxis",
            "pattern": {"shape": [""] * len(shown) + ["/"] * bool(len(rest)), "size": 6, "solidity": 0.4},
        },
        text=[number(v) for v in lengths], textposition="outside", cliponaxis=False,
        hovertemplate="%{customdata}: %{x:.4g}<extra></extra>",
    )
    extent = extent or float(np.abs(lengths).max(initial=0)) or 1.0
    # Room for the numbers beyond the bars, only on the sides where bars are.
    low = -1.28 * extent if np.any(lengths < 0) else -0.04 * extent
    high = 1.28 * extent if np.any(lengths > 0) or low > -extent else 0.04 * extent
    figure.update_xaxes(range=[low, high], zeroline=True, title={"text": literal(axis), "standoff": 4}, nticks=6,
                        row=row, col=column)
    figure.update_yaxes(tickmode="array", tickvals=places, ticktext=labels, range=[len(labels) - 0.4, -0.6],
                        showgrid=False, ticks="", row=row, col=column)


def _label(name: object, value: float | None, longest: int) -> str:
    return literal(name, longest=longest) + ("" if value is None else f" = {number(value)}")
