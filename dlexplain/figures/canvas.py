"""The figure class, and what all figures share: heading, facts, warnings, panels, colour scale, alt text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dlexplain.figures.theme import WARNING_LINE, WARNING_PAPER, WARNING_TEXT, ThemeName, theme
from dlexplain.figures.wording import broken, literal, number

_LINE = 17
_WIDTH = 640  # pixels: the plotting width that spacing and line breaks are made for; wider only gives air


class Figure(go.Figure):
    """A Plotly figure that carries its alternative text and shows itself without a network."""

    @property
    def alt(self) -> str:
        """What the figure shows, in words."""
        return alt_text(self)

    def _ipython_display_(self) -> None:
        from dlexplain.figures.showing import display, is_notebook_default

        if is_notebook_default():
            display(self)
        else:
            super()._ipython_display_()

    def _repr_mimebundle_(self, *args, **options):
        from dlexplain.figures.showing import is_notebook_default, mimebundle

        return mimebundle(self) if is_notebook_default() else super()._repr_mimebundle_(*args, **options)

    def _repr_html_(self) -> str:
        from dlexplain.figures.showing import carrier, fragment

        return carrier() + fragment(self)

    def show(self, *args, **options):
        from dlexplain.figures.showing import display, is_notebook_default

        if args or options or not is_notebook_default():
            return super().show(*args, **options)
        return display(self)


def alt_text(figure: go.Figure) -> str:
    """The alternative text of any figure that carries one, else an empty string."""
    meta = figure.layout.meta
    return str(meta.get("alt", "")) if isinstance(meta, dict) else ""


@dataclass(frozen=True)
class Frame:
    """What stands round the panels. `facts` and `warnings`: a sentence or two each, in plain text."""

    title: str
    alt: str
    facts: Sequence[str] = ()
    warnings: Sequence[str] = ()
    theme: ThemeName = "auto"


def canvas(
    frame: Frame,
    *,
    rows: int = 1,
    columns: int = 1,
    row_height: float | Sequence[float] = 300,
    widths: Sequence[float] | None = None,
    titles: Sequence[Sequence[str]] | None = None,
    gap_x: int = 24,
    gap_y: int = 14,
    left: int = 16,
    right: int = 16,
    bottom: int = 16,
    specs: list[list[dict | None]] | None = None,
) -> Figure:
    """An empty figure with panels. `titles`: the lines of literal text over each panel, row by row."""
    heights = [float(row_height)] * rows if np.isscalar(row_height) else [float(h) for h in row_height]
    lines = max((len(t) for t in titles), default=0) if titles else 0
    above = lines * _LINE + (6 if lines else 0)
    lower = max((len(t) for t in titles[columns:]), default=0) if titles else 0
    between = gap_y + lower * _LINE + (6 if lower else 0)
    inner = sum(heights) + between * (rows - 1)
    figure = make_subplots(
        rows=rows,
        cols=columns,
        figure=Figure(),
        row_heights=heights,
        column_widths=widths,
        vertical_spacing=between / inner if rows > 1 else 0,
        horizontal_spacing=min(gap_x / _WIDTH, 0.9 / max(columns - 1, 1)) if columns > 1 else 0,
        specs=specs,
    )
    facts = [line for fact in frame.facts for line in broken(fact)]
    warned = [line for text in frame.warnings for line in broken(f"⚠ {text}", 88)]
    top = 46 + _LINE * len(facts) + (8 if facts else 0)
    warning_height = len(warned) * _LINE + 14 if warned else 0
    figure.update_layout(
        template=theme(frame.theme),
        height=top + warning_height + above + inner + bottom,
        margin={"l": left, "r": right, "t": top + warning_height + above, "b": bottom},
        title={
            "text": f"<b>{literal(frame.title, longest=90)}</b>",
            "x": 0,
            "xref": "container",
            "xanchor": "left",
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            "pad": {"l": 16, "t": 14},
            "subtitle": {"text": "<br>".join(facts), "font": {"size": 12}},
        },
        showlegend=False,
        meta={
            "alt": " ".join(frame.alt.split()),
            # The sentences whole, for show.js to break them where the figure ends; here its width is unknown.
            "dlexplain": {
                "theme": frame.theme,
                "facts": [literal(fact) for fact in frame.facts],
                "warnings": [literal(f"⚠ {text}") for text in frame.warnings],
            },
        },
    )
    if warned:
        figure.add_annotation(
            text="<br>".join(warned),
            xref="paper",
            yref="paper",
            x=0,
            y=1,
            xanchor="left",
            yanchor="bottom",
            yshift=above + 4,
            xshift=0,
            showarrow=False,
            align="left",
            bgcolor=WARNING_PAPER,
            borderpad=4,
            bordercolor=WARNING_LINE,
            borderwidth=1,
            font={"color": WARNING_TEXT, "size": 12},
            name="warning",
        )
    for index, panel in enumerate(titles or ()):
        if panel:
            label(figure, panel, index // columns + 1, index % columns + 1)
    return figure


def drawn_height(figure: Figure) -> float:
    """Pixels from the upper edge of the first row of panels to the lower edge of the last."""
    return figure.layout.height - figure.layout.margin.t - figure.layout.margin.b


def axes(figure: Figure, row: int, column: int) -> tuple[str, str]:
    """The names of a panel's axes as traces name them: `("x2", "y2")`."""
    panel = figure.get_subplot(row, column)
    return tuple(axis.plotly_name.replace("axis", "") for axis in (panel.xaxis, panel.yaxis))


def label(figure: Figure, lines: Sequence[str], row: int, column: int) -> None:
    """A panel's title: at its left upper corner, the first line strong, the others quiet."""
    x, y = axes(figure, row, column)
    text = "<br>".join([f"<b>{lines[0]}</b>", *lines[1:]])
    figure.add_annotation(
        text=text,
        xref=f"{x} domain",
        yref=f"{y} domain",
        x=0,
        y=1,
        xanchor="left",
        yanchor="bottom",
        yshift=3,
        showarrow=False,
        align="left",
        borderpad=0,
        font={"size": 12},
        name="panel",
    )


@dataclass(frozen=True)
class Limit:
    """Where a signed colour scale ends. `most`: the largest size there is; `chosen`: given by the caller."""

    value: float
    most: float
    chosen: bool = False

    @property
    def fact(self) -> str:
        """The limit in words."""
        if self.most == 0:
            return "All values are zero."
        if self.chosen:
            return f"Colours end at ±{number(self.value)}, as asked; the largest size is {number(self.most)}."
        if self.value < self.most:
            return (
                f"Colours end at ±{number(self.value)} (99th percentile of the sizes); "
                f"the largest is {number(self.most)}."
            )
        return f"Colours end at ±{number(self.value)}, the largest size."


def robust_limit(values: Sequence[np.ndarray], limit: float | None = None) -> Limit:
    """A symmetrical limit: `limit`, else the 99th percentile of sizes, which one hot pixel cannot stretch."""
    sizes = (
        np.concatenate([np.abs(np.asarray(v, np.float64)).ravel() for v in values]) if values else np.zeros(0)
    )
    sizes = sizes[np.isfinite(sizes)]
    most = float(sizes.max()) if sizes.size else 0.0
    if limit is not None and limit > 0:
        return Limit(float(limit), most, chosen=True)
    if most == 0:
        return Limit(1.0, 0.0)
    robust = float(np.percentile(sizes, 99)) if sizes.size > 100 else most
    # Sparse maps: the percentile falls into the zeros and would paint everything at full strength.
    return Limit(robust if robust > most / 20 else most, most)


def colour_scale(
    figure: Figure, limit: Limit, *, name: str = "attribution", height: float = 220, shown: bool = True
) -> None:
    """The diverging scale of all panels: centred on zero, its ends stated."""
    cut = limit.value < limit.most
    ends = [("≤ " if cut else "") + number(-limit.value), "0", ("≥ " if cut else "") + number(limit.value)]
    figure.update_layout(
        coloraxis={
            "cmin": -limit.value,
            "cmax": limit.value,
            "cmid": 0,
            "showscale": shown,
            "colorbar": {
                "title": {"text": name + "<br>\u00a0", "side": "top"},
                "tickmode": "array",
                "tickvals": [-limit.value, 0, limit.value],
                "ticktext": ends,
                "lenmode": "pixels",
                "len": max(100, min(height, 250)),
                "y": 1,
                "yanchor": "top",
                "x": 1.01,
                "xanchor": "left",
                "ypad": 0,
            },
        }
    )
