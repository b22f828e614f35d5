"""Lesson 02's own figures: filters and maps of both frameworks, favourites, readings, loudness and credit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dlexplain.figures import png
from dlexplain.figures.canvas import Figure, Frame, axes, canvas, colour_scale, robust_limit
from dlexplain.figures.pictures import empty_panel, map_panel, picture_panel
from dlexplain.figures.theme import SEQUENTIAL
from dlexplain.figures.wording import listed, literal, number

_LINE = "#8A8F98"


def unit_rows(
    rows: Mapping[str, np.ndarray], *, title: str, name: str = "weight", facts: Sequence[str] = ()
) -> Figure:
    """Maps `(units, height, width)`, a row a name, one colour scale; centred on zero where some are below."""
    maps = {label: np.asarray(values, np.float32) for label, values in rows.items()}
    most = max(float(np.abs(values).max()) for values in maps.values())
    signed = any(values.min() < 0 for values in maps.values())
    said = "; ".join(
        f"{label}: {len(values)} units, {number(values.min())} to {number(values.max())}"
        for label, values in maps.items()
    )
    figure = _rows(maps, Frame(title, f"{title}. {said}.", facts), right=84)
    for row, values in enumerate(maps.values(), 1):
        for column, unit in enumerate(values, 1):
            map_panel(figure, row, column, unit, name=name)
            _framed(figure, row, column)
    if signed:
        colour_scale(figure, robust_limit([], most), name=name, height=120)
    else:
        bar = {
            "title": {"text": literal(name), "side": "top"},
            "x": 1.01,
            "y": 1,
            "yanchor": "top",
            "ypad": 0,
        }
        bar |= {"lenmode": "pixels", "len": 130, "nticks": 4, "xanchor": "left"}
        figure.update_layout(coloraxis={"colorscale": SEQUENTIAL, "cmin": 0, "cmax": most, "colorbar": bar})
    return figure


def picture_rows(
    rows: Mapping[str, np.ndarray],
    *,
    title: str,
    titles: Sequence[object] | None = None,
    stretch: bool = False,
    alt: str = "",
) -> Figure:
    """Pictures `(count, height, width)` of 0 to 1, a row a name; `stretch`: each over its own range."""
    pictures = {label: np.asarray(values, np.float32) for label, values in rows.items()}
    said = alt or "; ".join(f"{label}: {len(values)} pictures" for label, values in pictures.items())
    figure = _rows(pictures, Frame(title, f"{title}. {said}."), titles=titles)
    for row, values in enumerate(pictures.values(), 1):
        for column, picture in enumerate(values, 1):
            low, high = (picture.min(), picture.max()) if stretch and np.ptp(picture) > 0 else (0, 1)
            picture_panel(figure, row, column, png.to_bytes(picture, low=float(low), high=float(high)))
    return figure


def _rows(
    rows: Mapping[str, np.ndarray], frame: Frame, *, titles: Sequence[object] | None = None, right: int = 16
) -> Figure:
    """Panels with the name of each row at its left."""
    columns = max(len(values) for values in rows.values())
    above = [str(t) for t in (titles if titles is not None else range(columns))]
    figure = canvas(
        frame,
        rows=len(rows),
        columns=columns,
        row_height=max(56, min(88, 560 // columns)),
        titles=[[literal(t)] for t in above] + [[] for _ in range(columns * (len(rows) - 1))],
        gap_x=8,
        gap_y=8,
        left=104,
        right=right,
    )
    for row, (label, values) in enumerate(rows.items(), 1):
        _, y = axes(figure, row, 1)
        figure.add_annotation(
            text=f"<b>{literal(label, longest=16)}</b>", xref="paper", x=0, xanchor="right", xshift=-10,
            yref=f"{y} domain", y=0.5, yanchor="middle", showarrow=False, align="right", name="row",
        )  # fmt: skip
        for column in range(len(values) + 1, columns + 1):
            empty_panel(figure, row, column)
    return figure


def _framed(figure: Figure, row: int, column: int) -> None:
    """A thin line round a panel, so that white pictures show on white paper."""
    x, y = axes(figure, row, column)
    figure.add_shape(
        type="rect",
        xref=f"{x} domain",
        yref=f"{y} domain",
        x0=0,
        x1=1,
        y0=0,
        y1=1,
        line={"width": 1, "color": _LINE},
    )


def loud_and_credited(
    rows: Mapping[str, tuple[Sequence[float], Sequence[float]]], *, title: str, facts: Sequence[str] = ()
) -> Figure:
    """`{"Keras": (activity, credit)}` of each unit: a column a name, above how active, below what it adds."""
    said, titles = [], [[], []]
    for label, (active, credit) in rows.items():
        loudest = int(np.argmax(active))
        against = [str(i) for i in np.flatnonzero(np.asarray(credit) < 0)]
        said.append(
            f"{label}: {len(active)} units; the most active, {loudest}, adds {number(credit[loudest])}; "
            + (f"against the answer: {listed(against)}" if against else "none speaks against the answer")
        )
        titles[0].append([f"{label}: how active"])
        titles[1].append([f"{label}: what it adds to the score"])
    figure = canvas(
        Frame(title, f"{title}. {'. '.join(said)}.", facts), rows=2, columns=len(rows), row_height=[110, 150],
        bottom=48, gap_x=56, gap_y=26, titles=titles[0] + titles[1],
    )  # fmt: skip
    for column, (active, credit) in enumerate(rows.values(), 1):
        units, loud = np.arange(len(active)), np.asarray(active) >= np.median(active)
        figure.add_bar(
            x=units, y=np.asarray(active, np.float32), row=1, col=column,
            marker={"color": _LINE, "pattern": {"shape": np.where(loud, "", "/").tolist(), "solidity": 0.35}},
            hovertemplate="unit %{x}: %{y:.3g}<extra></extra>",
        )  # fmt: skip
        figure.add_bar(
            x=units, y=np.asarray(credit, np.float32), row=2, col=column,
            marker={"color": np.sign(credit), "coloraxis": "coloraxis"},
            hovertemplate="unit %{x}: %{y:+.3g}<extra></extra>",
        )  # fmt: skip
        figure.update_xaxes(title={"text": "unit", "standoff": 4}, row=2, col=column)
    colour_scale(figure, robust_limit([], 1.0), shown=False)
    figure.update_xaxes(showgrid=False, dtick=4)
    figure.update_yaxes(zeroline=True, nticks=5)
    return figure
