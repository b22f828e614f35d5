"""What is left of maps as a network's layers are made anew: a line a method, signed values beside sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dlexplain.figures.canvas import Figure, Frame, canvas
from dlexplain.figures.learning import DASHES, SYMBOLS
from dlexplain.figures.theme import CATEGORIES, ThemeName
from dlexplain.figures.wording import literal, method_title, number

if TYPE_CHECKING:
    from dlexplain.evaluation.families.randomisation_curve import RandomisationCurve

_GREY = CATEGORIES[-1]
_NAMES = {"spearman": "rank", "pearson": "linear", "ssim": "structural"}


def randomisation(
    curve: RandomisationCurve, *, title: str = "Does the map know the weights?", theme: ThemeName = "auto"
) -> Figure:
    """Similarity with the trained network's map over the layers made anew; left signed values, right sizes alone."""
    panels = {"Signed values": curve.scores, "Sizes alone": curve.unsigned}
    last = {name: float(values[-1]) for name, values in _means(curve.scores).items()}
    way = "from the output on" if curve.order == "top" else "from the input on"
    how = f"layers are made anew {way}" if curve.mode == "cascading" else "one layer is made anew at a time"
    draws, n = next(iter(curve.scores.values())).shape[::2]
    facts = [
        f"{how.capitalize()}; {_NAMES[curve.similarity]} similarity with the map of the trained network, mean over {n} samples"
        f"{f' and {draws} draws' if draws > 1 else ''}.",
        "A map that explains the model falls to 0. Sizes alone may stay high: they follow the input.",
    ]
    said = "; ".join(f"{name} {number(value, 2)}" for name, value in last.items())
    figure = canvas(
        Frame(title, f"{title} {facts[0]} After the last step, signed: {said}.", facts, theme=theme),
        columns=2,
        row_height=300,
        titles=[[name] for name in panels],
        gap_x=46,
        left=56,
        right=20,
        bottom=88,
    )
    places = ["trained", *curve.layers] if curve.mode == "cascading" else list(curve.layers)
    for column, rows in enumerate(panels.values(), 1):
        colours = 0
        for i, (name, values) in enumerate(rows.items()):
            control = name in curve.controls
            _line(figure, curve, name, values, i, _GREY if control else CATEGORIES[colours % 6], control, column)
            colours += not control
        figure.update_xaxes(
            tickmode="array",
            tickvals=list(range(len(places))),
            ticktext=[literal(p, longest=16) for p in places],
            showgrid=False,
            title={"text": "made anew", "standoff": 6},
            range=[-0.3, len(places) - 0.7],
            row=1,
            col=column,
        )
        figure.update_yaxes(range=[min(-0.2, _least(panels) - 0.05), 1.06], zeroline=True, row=1, col=column)
    figure.update_yaxes(title={"text": "similarity", "standoff": 4}, row=1, col=1)
    figure.update_layout(
        showlegend=True, legend={"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"}
    )
    return figure


def _line(
    figure: Figure,
    curve: RandomisationCurve,
    name: str,
    values: np.ndarray,
    index: int,
    colour: str,
    control: bool,
    column: int,
) -> None:
    draws = np.ma.masked_invalid(values).mean(2)
    mean, spread = draws.mean(0).filled(np.nan), draws.std(0).filled(0.0)
    cascade = curve.mode == "cascading"
    # A cascade begins at the trained network, whose map is the same: drawn as a place to start, never counted.
    heights = [1.0, *mean] if cascade else list(mean)
    ranges = [0.0, *spread] if cascade else list(spread)
    figure.add_scatter(
        x=list(range(len(heights))),
        y=heights,
        error_y={"array": ranges, "visible": len(values) > 1, "thickness": 1, "width": 3},
        mode="lines+markers" if cascade else "markers",
        name=literal(name if control else method_title(name), longest=32),
        legendgroup=name,
        showlegend=column == 1,
        line={"color": colour, "width": 2, "dash": "dot" if control else DASHES[0]},
        marker={"color": colour, "size": 8, "symbol": SYMBOLS[index % len(SYMBOLS)]},
        hovertemplate="%{x}: %{y:.2f}",
        row=1,
        col=column,
    )


def _least(panels: dict) -> float:
    return float(
        min((m for rows in panels.values() for v in _means(rows).values() for m in v[np.isfinite(v)]), default=0)
    )


def _means(rows) -> dict[str, np.ndarray]:
    return {name: np.ma.masked_invalid(values).mean((0, 2)).filled(np.nan) for name, values in rows.items()}
