"""Widgets: one class each, a plain function behind it, and `to_html()` for a page without kernel or
network."""

from __future__ import annotations

from dlexplain.widgets.board import DrawingBoard
from dlexplain.widgets.explaining import explanation_figure
from dlexplain.widgets.explorer import ExplanationExplorer
from dlexplain.widgets.playground import Playground
from dlexplain.widgets.reading import Reading, read_drawing, to_input
from dlexplain.widgets.shell import Shell, living

__all__ = [
    "DrawingBoard",
    "ExplanationExplorer",
    "Playground",
    "Reading",
    "Shell",
    "explanation_figure",
    "living",
    "read_drawing",
    "to_input",
]
