"""Plotly figures that more than one lesson draws: lines, grouped bars, clouds of points."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import numpy as np

from dlexplain.figures.canvas import Figure, Frame, canvas
from dlexplain.figures.learning import DASHES, SYMBOLS
from dlexplain.figures.theme import CATEGORIES
from dlexplain.figures.wording import literal

_BELOW = {"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"}
_LINES = {"fillmode": "overlay", "fgcolor": "rgba(255,255,255,0.75)", "size": 6}
_PATTERNS = ({"shape": ""}, {"shape": "/", "solidity": 0.25, **_LINES}, {"shape": ".", "solidity": 0.35, **_LINES})



def curves(
    across: Sequence[float],
    series: Mapping[str, Sequence[float]],
    *,
    title: str,
    across_title: str,
    up_title: str,
    facts: Sequence[str] = (),
    doubling: bool = False,
    spread: Mapping[str, Sequence[float]] | None = None,
) -> Figure:
    """Lines told apart by colour, dash and symbol; `doubling`: both axes logarithmic; `spread`: error bars."""
    places = [float(value) for value in across]
    ends = [f"{name} goes from {values[0]:.3g} to {values[-1]:.3g}" for name, values in series.items()]
    single = len(series) == 1
    frame = Frame(title, f"{title}. Over {across_title}: {'; '.join(ends)}.", facts)
    figure = canvas(frame, row_height=220 if single else 320, left=64, bottom=52 if single else 96)
    for index, (name, values) in enumerate(series.items()):
        figure.add_scatter(
            x=places,
            y=[float(value) for value in values],
            name=name,
            mode="lines+markers",
            line={"color": CATEGORIES[index], "dash": DASHES[index % len(DASHES)], "width": 2.2},
            marker={"symbol": SYMBOLS[index % len(SYMBOLS)], "size": 7},
            error_y={"array": list(spread[name]), "thickness": 1.4, "width": 4} if spread else None,
            hovertemplate="%{x}: %{y:.3g}",
        )
    figure.update_layout(showlegend=not single, legend=_BELOW)
    figure.update_xaxes(title={"text": across_title, "standoff": 4}, showgrid=False)
    figure.update_yaxes(title={"text": up_title})
    if doubling:
        shown = [f"{value:g}" for value in places]
        figure.update_xaxes(type="log", tickmode="array", tickvals=places, ticktext=shown)
        figure.update_yaxes(type="log", tickformat=".1%", dtick=1)
    return figure


def layer_lines(
    lines: Mapping[str, Mapping[str, float]],
    *,
    title: str,
    up: str,
    low: float = 0.0,
    facts: Sequence[str] = (),
    pairs: bool = False,
) -> Figure:
    """A line a name over layers, `{"Keras": {"first": 0.8}}`; told apart by colour, dash and symbol.

    `low`: where the axis begins, up to 1. `pairs`: two names share a colour, the second is dashed.
    """
    said = [
        f"{name}: " + ", ".join(f"{place} {value:.2f}" for place, value in steps.items())
        for name, steps in lines.items()
    ]
    if low:
        facts = [*facts, f"The axis begins at {low:g}."]
    figure = canvas(Frame(title, f"{title}. {'; '.join(said)}.", facts), row_height=310, bottom=84)
    for index, (name, steps) in enumerate(lines.items()):
        colour = CATEGORIES[(index // 2 if pairs else index) % len(CATEGORIES)]
        figure.add_scatter(
            x=list(steps), y=list(steps.values()), name=literal(name), mode="lines+markers",
            line={"color": colour, "dash": DASHES[index % (2 if pairs else len(DASHES))], "width": 2.6},
            marker={"size": 9, "symbol": SYMBOLS[index % len(SYMBOLS)], "color": colour},
            hovertemplate="%{x}: %{y:.2f}",
        )  # fmt: skip
    figure.update_layout(showlegend=True, legend=_BELOW)
    figure.update_xaxes(showgrid=False)
    figure.update_yaxes(title={"text": up}, range=[low, 1.03])
    return figure


def reading_lines(
    lines: Mapping[str, Mapping[str, float]], *, title: str, facts: Sequence[str] = (), low: float = 0.0
) -> Figure:
    """Shares read right, two lines a colour: `{"Keras": {"pixels": 0.8}, "Keras, shuffled": {…}}`."""
    figure = layer_lines(lines, title=title, up="read right", low=low, facts=facts, pairs=True)
    figure.update_yaxes(tickformat=".0%", range=[low, 1.01])
    return figure


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
    figure.update_layout(
        barmode="group", bargap=0.25, showlegend=True, legend={**_BELOW, "traceorder": "reversed"}
    )
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
    figure.update_layout(showlegend=not single, legend=_BELOW)
    figure.update_xaxes(title={"text": across, "standoff": 4})
    figure.update_yaxes(title={"text": up})
    if names is not None:  # room for the last name
        x = np.asarray(next(iter(series.values()))[0], np.float64)
        pad = float(np.ptp(x)) or 1.0
        figure.update_xaxes(range=[float(x.min()) - 0.06 * pad, float(x.max()) + 0.24 * pad])
    return figure


def clouds(clouds: Mapping[str, tuple[np.ndarray, np.ndarray]], *, title: str, across: str, up: str) -> Figure:
    """A panel a name: a dot for each pair `(x, y)`; all panels share the upright axis."""
    from dlexplain.figures.canvas import Frame, canvas

    said = "; ".join(f"{name}: correlation {np.corrcoef(x, y)[0, 1]:.2f}" for name, (x, y) in clouds.items())
    figure = canvas(
        Frame(title, f"{title}. {len(clouds)} panels of dots, {up} over {across}. {said}."),
        columns=len(clouds),
        row_height=250,
        titles=[[f"<b>{html.escape(name)}</b>"] for name in clouds],
        left=60,
        bottom=48,
        gap_x=34,
    )
    every = np.concatenate([y for _, y in clouds.values()])
    pad = 0.06 * np.ptp(every)
    for column, (name, (x, y)) in enumerate(clouds.items(), 1):
        figure.add_scatter(
            x=np.round(x, 3), y=np.round(y, 3), mode="markers", name=name, showlegend=False, row=1, col=column,
            marker={"color": CATEGORIES[0], "size": 7, "opacity": 0.65}, hovertemplate="%{x:.2f}: %{y:.2f}<extra></extra>",
        )  # fmt: skip
        figure.update_xaxes(title={"text": across, "standoff": 4}, nticks=5, row=1, col=column)
        figure.update_yaxes(range=[float(every.min() - pad), float(every.max() + pad)], row=1, col=column)
    figure.update_yaxes(title={"text": up}, row=1, col=1)
    return figure
