"""The one look of all figures, in light and dark: colours, scales and the pair of Plotly templates.

Every colour of a figure that depends on the theme stands in the template, so that
`figure.update_layout(template=theme("dark"))` changes the whole figure.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import plotly.graph_objects as go

from dlexplain.errors import InputError

ThemeName = Literal["light", "dark", "auto"]


@dataclass(frozen=True)
class Palette:
    """Colours as `#rrggbb`. `text` and `quiet` have a contrast of 4.5 on `paper`; `text` on both ends too."""

    paper: str
    text: str
    quiet: str
    line: str
    negative: str
    positive: str


# Both ends are about as bright: every kind of colour vision parts blue and orange, strength reads as depth.
LIGHT = Palette("#ffffff", "#1b1e23", "#59616b", "#d5dae0", "#2b8cd9", "#d97700")
DARK = Palette("#16181d", "#ffffff", "#a4adb8", "#3a4049", "#2a78c6", "#b55f00")

# Okabe and Ito (2008), without the yellow that white hides; the order keeps neighbours apart.
CATEGORIES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8A8F98")
SEQUENTIAL = "Cividis"
WARNING_PAPER, WARNING_TEXT, WARNING_LINE = "#ffe9b0", "#5a3800", "#b97a00"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', Arial, sans-serif"


def rgb(colour: str) -> tuple[int, int, int]:
    """`#rrggbb` as three numbers of 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def diverging(palette: Palette) -> list[list]:
    """Blue through clear to orange: at zero the paper, or the picture below, shows through."""
    low, high = (",".join(map(str, rgb(c))) for c in (palette.negative, palette.positive))
    return [[0, f"rgba({low},1)"], [0.5, f"rgba({low},0)"], [0.5, f"rgba({high},0)"], [1, f"rgba({high},1)"]]


def _template(palette: Palette) -> go.layout.Template:
    axis = {
        "gridcolor": palette.line,
        "linecolor": palette.line,
        "zerolinecolor": palette.quiet,
        "tickcolor": palette.line,
        "tickfont": {"color": palette.quiet, "size": 11},
        "title": {"font": {"color": palette.quiet, "size": 12}},
        "zeroline": False,
        "automargin": True,
    }
    return go.layout.Template(
        layout={
            "paper_bgcolor": palette.paper,
            "plot_bgcolor": palette.paper,
            "font": {"family": FONT, "size": 12, "color": palette.text},
            "title": {
                "font": {"size": 16, "color": palette.text},
                "subtitle": {"font": {"color": palette.quiet}},
            },
            "colorway": list(CATEGORIES),
            "colorscale": {
                "diverging": diverging(palette),
                "sequential": SEQUENTIAL,
                "sequentialminus": SEQUENTIAL,
            },
            "coloraxis": {
                "colorscale": diverging(palette),
                "colorbar": {
                    "outlinewidth": 1,
                    "outlinecolor": palette.line,
                    "thickness": 12,
                    "tickcolor": palette.line,
                    "tickfont": {"color": palette.quiet, "size": 11},
                    "title": {"font": {"color": palette.text, "size": 12}},
                },
            },
            "xaxis": axis,
            "yaxis": axis,
            "legend": {"font": {"size": 12}, "bgcolor": "rgba(0,0,0,0)"},
            "hoverlabel": {
                "bgcolor": palette.paper,
                "bordercolor": palette.quiet,
                "font": {"family": FONT, "color": palette.text, "size": 12},
            },
            "annotationdefaults": {"font": {"color": palette.text}},
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": palette.quiet, "activecolor": palette.text},
        },
        data={
            "heatmap": [{"textfont": {"color": palette.text}}],
            "bar": [{"marker": {"line": {"width": 0}}, "textfont": {"color": palette.text}}],
            "scatter": [{"textfont": {"color": palette.text}, "line": {"color": palette.text}}],
        },
    )


@cache
def _templates() -> dict[str, go.layout.Template]:
    return {"light": _template(LIGHT), "dark": _template(DARK)}


def theme(name: ThemeName = "auto") -> go.layout.Template:
    """The Plotly template of a theme. `auto`: the light one, which a dark notebook or page turns dark."""
    if name not in ("light", "dark", "auto"):
        raise InputError(f"theme: {name!r} is not one of 'light', 'dark', 'auto'.")
    return _templates()["dark" if name == "dark" else "light"]
