"""Lesson 05's own pictures: rankings side by side, columns that go together, and SHAP's plots with words to them."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence

import numpy as np

from dlexplain.classroom.desk import Note
from dlexplain.classroom.lessons.lesson_04_drawing import curves, table
from dlexplain.figures.canvas import Figure, Frame, canvas
from dlexplain.figures.learning import SYMBOLS
from dlexplain.figures.theme import CATEGORIES

__all__ = ["curves", "from_matplotlib", "groups", "points", "table"]

_LINES = {"fillmode": "overlay", "fgcolor": "rgba(255,255,255,0.75)", "size": 6}
_PATTERNS = ({"shape": ""}, {"shape": "/", "solidity": 0.25, **_LINES}, {"shape": ".", "solidity": 0.35, **_LINES})


def groups(
    series: Mapping[str, Sequence[float]],
    names: Sequence[str],
    *,
    title: str,
    axis: str,
    facts: Sequence[str] = (),
) -> Figure:
    """A bar a name and series, beside each other; names in the order of the first series, the largest on top."""
    order = np.argsort(np.asarray(next(iter(series.values())), np.float64), kind="stable")
    heads = [
        f"{label}: largest {names[int(np.argmax(values))]} ({float(np.max(values)):.2f})"
        for label, values in series.items()
    ]
    frame = Frame(title, f"{title}. {'; '.join(heads)}.", facts)
    figure = canvas(frame, row_height=len(names) * (12 + 11 * len(series)) + 10, left=130, bottom=84)
    # Plotly stacks the bars of a name from below: drawn in reverse, the first series lies on top.
    for index, (label, values) in reversed(list(enumerate(series.items()))):
        figure.add_bar(
            x=[float(values[i]) for i in order],
            y=[names[i] for i in order],
            orientation="h",
            name=label,
            marker={"color": CATEGORIES[index], "pattern": _PATTERNS[index % 3]},
            hovertemplate="%{y}: %{x:.2f}",
        )
    legend = {"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom", "traceorder": "reversed"}
    figure.update_layout(barmode="group", bargap=0.25, showlegend=True, legend=legend)
    figure.update_xaxes(title={"text": axis, "standoff": 4})
    figure.update_yaxes(showgrid=False)
    return figure


def points(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    title: str,
    across: str,
    up: str,
    facts: Sequence[str] = (),
    names: Sequence[str] | None = None,
    diagonal: bool = False,
) -> Figure:
    """Clouds of points told apart by colour and symbol; `names` stand beside the points of the first cloud."""
    counts = [f"{len(x)} points of {label}" for label, (x, _) in series.items()]
    frame = Frame(title, f"{title}. {'; '.join(counts)}; across: {across}; up: {up}.", facts)
    single = len(series) == 1
    figure = canvas(frame, row_height=330, left=64, bottom=52 if single else 92)
    if diagonal:
        every = np.concatenate([np.concatenate([x, y]) for x, y in series.values()])
        ends = [float(every.min()), float(every.max())]
        figure.add_scatter(
            x=ends, y=ends, mode="lines", line={"width": 1, "dash": "dot"}, showlegend=False, hoverinfo="skip"
        )
    for index, (label, (x, y)) in enumerate(series.items()):
        named = names is not None and index == 0
        figure.add_scatter(
            x=[float(value) for value in x],
            y=[float(value) for value in y],
            name=label,
            mode="markers+text" if named else "markers",
            text=list(names) if named else None,
            textposition="middle right",
            cliponaxis=False,
            marker={"color": CATEGORIES[index], "symbol": SYMBOLS[index % len(SYMBOLS)], "size": 7, "opacity": 0.75},
            hovertemplate="%{x:.2f}, %{y:.2f}",
        )
    legend = {"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"}
    figure.update_layout(showlegend=not single, legend=legend)
    figure.update_xaxes(title={"text": across, "standoff": 4})
    figure.update_yaxes(title={"text": up})
    if names is not None:  # room for the last name
        x = np.asarray(next(iter(series.values()))[0], np.float64)
        pad = float(np.ptp(x)) or 1.0
        figure.update_xaxes(range=[float(x.min()) - 0.06 * pad, float(x.max()) + 0.24 * pad])
    return figure


def from_matplotlib(words: str, *, width: float = 7.0, height: float | None = None) -> Note:
    """The figure that a plot of SHAP's has just drawn, as a picture with words for a screen reader. Inches."""
    import matplotlib.pyplot as plt

    figure = plt.gcf()
    figure.set_size_inches(width, height or figure.get_size_inches()[1])
    kept = io.BytesIO()
    figure.savefig(kept, format="png", dpi=110, bbox_inches="tight", facecolor="white")
    plt.close(figure)
    picture = base64.b64encode(kept.getvalue()).decode()
    page = (
        f'<img alt="{html.escape(words, quote=True)}" src="data:image/png;base64,{picture}" '
        'style="max-width:100%;background:white"/>'
    )
    return Note(page, words)
