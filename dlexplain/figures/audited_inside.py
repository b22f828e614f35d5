"""Figures of the audit's section on the inside of the model."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dlexplain.figures.canvas import Figure, Frame, canvas
from dlexplain.figures.theme import CATEGORIES, ThemeName
from dlexplain.figures.wording import literal

_MOST = 12


def active_units(layers: Mapping[str, np.ndarray], *, theme: ThemeName = "auto") -> Figure:
    """A line a layer, its units in order of how often they fire; `layers`: `{name: (units,)}`, shares of samples."""
    worst = sorted(layers, key=lambda name: -float((np.asarray(layers[name]) == 0).mean()))[:_MOST]
    shown = [name for name in layers if name in worst]
    dead = {name: int((np.asarray(layers[name]) == 0).sum()) for name in shown}
    words = "; ".join(f"{name}: {dead[name]} of {len(layers[name])} never fire" for name in shown)
    facts = ["Units of each layer in order; a line that starts on the floor has units that never fire."]
    if len(shown) < len(layers):
        facts.append(f"The {len(shown)} of {len(layers)} layers with the most units that never fire.")
    figure = canvas(
        Frame("How often each unit fires", words, facts, (), theme), row_height=260, left=56, right=16, bottom=48
    )
    for i, name in enumerate(shown):
        share = np.sort(np.asarray(layers[name], np.float64))
        keep = np.unique(np.linspace(0, len(share) - 1, min(len(share), 200)).astype(int))
        figure.add_scatter(
            x=(keep / max(len(share) - 1, 1)).round(4).tolist(),
            y=share[keep].round(4).tolist(),
            name=literal(name, longest=24),
            mode="lines",
            line={
                "shape": "hv",
                "color": CATEGORIES[i % len(CATEGORIES)],
                "dash": ("solid", "dash", "dot")[i % 3],
            },
        )
    figure.update_layout(showlegend=True)
    figure.update_xaxes(title_text="units, least active first", tickformat=".0%", range=[0, 1])
    figure.update_yaxes(title_text="samples", tickformat=".0%", range=[-0.02, 1.02])
    return figure
