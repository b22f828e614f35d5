"""Lesson 18's figure of four maps side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dlexplain.figures.canvas import Figure, Frame, canvas
from dlexplain.figures.theme import LIGHT


def panels(maps: Mapping[str, np.ndarray], names: Sequence[str]) -> Figure:
    """A panel of bars a map, all over the same columns and on one scale: orange for, blue against."""
    limit = max(float(np.abs(values).max()) for values in maps.values())
    leads = [f"{letter} names {names[int(np.abs(values).argmax())]} first" for letter, values in maps.items()]
    frame = Frame("Four maps: what speaks for “sick”?", f"Four panels of bars. {'; '.join(leads)}.")
    figure = canvas(frame, columns=len(maps), row_height=270, left=118, bottom=40, titles=[[letter] for letter in maps])
    for place, values in enumerate(maps.values(), start=1):
        colours = [LIGHT.positive if v > 0 else LIGHT.negative for v in values]
        figure.add_bar(
            x=[float(v) for v in values], y=list(names), orientation="h", marker={"color": colours}, showlegend=False,
            hovertemplate="%{y}: %{x:.1%}<extra></extra>", row=1, col=place,
        )  # fmt: skip
        figure.update_xaxes(range=[-1.08 * limit, 1.08 * limit], tickformat=".0%", nticks=4, row=1, col=place)
        figure.update_yaxes(autorange="reversed", showticklabels=place == 1, row=1, col=place)
    return figure
