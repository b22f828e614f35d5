"""What lessons draw with: Plotly figures, SVG for benches, tables. A lesson's own pictures stand in its room."""

from __future__ import annotations

from dlexplain.classroom.drawing.notes import from_matplotlib, table
from dlexplain.classroom.drawing.plots import clouds, curves, groups, layer_lines, points, reading_lines
from dlexplain.classroom.drawing.svg import SIDE, Line, chart, grey, number, panel, plain, row, signed

__all__ = [
    "SIDE",
    "Line",
    "chart",
    "clouds",
    "curves",
    "from_matplotlib",
    "grey",
    "groups",
    "layer_lines",
    "number",
    "panel",
    "plain",
    "points",
    "reading_lines",
    "row",
    "signed",
    "table",
]
