"""The figures' colour scales as lists of red, green and blue, for the front ends."""

from __future__ import annotations

import plotly.colors

from dlexplain.figures.theme import DARK, LIGHT, SEQUENTIAL, Palette, rgb

Scale = list[list[int]]


def _diverging(palette: Palette) -> Scale:
    """At zero the paper shows through, as in the figures."""
    return [list(rgb(colour)) for colour in (palette.negative, palette.paper, palette.positive)]


def scales() -> dict[str, dict[str, Scale]]:
    """`{"light" or "dark": {"diverging" or "sequential": colours at even steps}}`."""
    one_sided = [list(rgb(colour)) for colour in getattr(plotly.colors.sequential, SEQUENTIAL)]
    return {
        name: {"diverging": _diverging(palette), "sequential": one_sided}
        for name, palette in (("light", LIGHT), ("dark", DARK))
    }
