"""Lesson 02's workbench: a filter of nine numbers slides over a digit; change it, and the map redraws."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from dlexplain.classroom.pages import folded
from dlexplain.classroom.widgets import Card, ipywidgets

FILTERS: dict[str, np.ndarray] = {
    "left edges": np.array([[-1, 0, 1]] * 3),
    "right edges": np.array([[1, 0, -1]] * 3),
    "upright strokes": np.array([[-1, 2, -1]] * 3),
    "level strokes": np.array([[-1, 2, -1]] * 3).T,
    "rising strokes": np.array([[-1, -1, 2], [-1, 2, -1], [2, -1, -1]]),
    "falling strokes": np.array([[2, -1, -1], [-1, 2, -1], [-1, -1, 2]]),
    "blur": np.ones((3, 3), int),
    "leave as it is": np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]]),
}
OWN = "my own"
# The colours of all our signed maps, thinned so that numbers read well upon them on light and dark paper.
_NEGATIVE, _POSITIVE, _STRONGEST = "43,140,217", "217,119,0", 0.72
_SIDE, _SMALL = 32, 26


def slid(picture: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The sums of a 3 x 3 filter laid on every pixel; outside the picture stands 0. Shape as `picture`."""
    height, width = picture.shape
    framed = np.pad(picture, 1)
    shifted = (weights[i, j] * framed[i : i + height, j : j + width] for i in range(3) for j in range(3))
    return sum(shifted)


class FilterBench(Card):
    """A digit, a filter to change, and the map that it makes; a window shows one of its sums.

    `digits`: pictures `(height, width)` of whole numbers by name, `start` the first shown.
    `weights` and `map`: the present filter and map.
    """

    def __init__(self, digits: Mapping[str, np.ndarray], *, start: str | None = None) -> None:
        self._widgets = widgets = ipywidgets("workbenches")
        self.digits = {name: np.asarray(picture).astype(int) for name, picture in digits.items()}
        first = start or next(iter(self.digits))
        height, width = self.digits[first].shape
        wide = {"layout": widgets.Layout(width="19em"), "style": {"description_width": "4em"}}
        self.digit = widgets.Dropdown(options=list(self.digits), value=first, description="Digit", **wide)
        self.preset = widgets.Dropdown(options=[*FILTERS, OWN], description="Filter", **wide)
        self.relu = widgets.Checkbox(description="Set negative sums to 0", indent=False)
        self.row = widgets.IntSlider(3, 1, height, description="Row", **wide)
        self.column = widgets.IntSlider(3, 1, width, description="Column", **wide)
        self.numbers = [
            widgets.BoundedIntText(
                int(value), -9, 9, layout=widgets.Layout(width="3.8em"), tooltip=_place(index)
            )
            for index, value in enumerate(FILTERS["left edges"].ravel())
        ]
        self._left, self._right, self._told = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self._busy = False
        self.preset.observe(self._take_preset, "value")
        for number in self.numbers:
            number.observe(self._own, "value")
        for control in (self.digit, self.relu, self.row, self.column):
            control.observe(self._redraw, "value")
        self._redraw()
        super().__init__(self._laid_out())

    def _laid_out(self) -> list[Any]:
        widgets = self._widgets
        grid = widgets.GridBox(
            self.numbers,
            layout=widgets.Layout(
                grid_template_columns="repeat(3, 4.2em)", grid_gap="2px", margin=f"{_SIDE}px 0 0"
            ),
        )
        middle = widgets.VBox(
            [widgets.HTML(_heading("filter")), grid], layout=widgets.Layout(margin="0 1.2em")
        )
        flow = widgets.Layout(flex_flow="row wrap", align_items="flex-start")
        return [
            widgets.HBox([self.digit, self.preset, self.relu], layout=flow),
            widgets.HBox([self._left, middle, self._right], layout=flow),
            widgets.HBox([self.row, self.column], layout=flow),
            self._told,
        ]

    @property
    def weights(self) -> np.ndarray:
        return np.array([number.value for number in self.numbers]).reshape(3, 3)

    @weights.setter
    def weights(self, weights: np.ndarray) -> None:
        self._busy = True
        for number, value in zip(self.numbers, np.asarray(weights).ravel(), strict=True):
            number.value = int(value)
        self._busy = False
        self._name_and_redraw()

    @property
    def map(self) -> np.ndarray:
        """The sums, `(height, width)`."""
        found = slid(self.digits[self.digit.value], self.weights)
        return np.maximum(found, 0) if self.relu.value else found

    def _take_preset(self, change: Mapping[str, Any]) -> None:
        if change["new"] in FILTERS:
            self.weights = FILTERS[change["new"]]

    def _own(self, _: Any) -> None:
        """A number changed: by hand, unless a filter is just being taken over."""
        if not self._busy:
            self._name_and_redraw()

    def _name_and_redraw(self) -> None:
        same = [name for name, weights in FILTERS.items() if np.array_equal(weights, self.weights)]
        self.preset.value = same[0] if same else OWN
        self._redraw()

    def _redraw(self, _: Any = None) -> None:
        if self._busy:
            return
        self._left.value, self._right.value, self._told.value = self._drawn()

    def _drawn(self) -> tuple[str, str, str]:
        picture, found = self.digits[self.digit.value], self.map
        row, column = self.row.value - 1, self.column.value - 1
        strongest = np.unravel_index(np.argmax(found), found.shape)
        left = _grid(
            picture,
            _ink(picture),
            _SIDE,
            (row - 1, column - 1, 3),
            f"The digit: {self.digit.value}, ink 0 to 16 a pixel. The filter lies on row {row + 1}, "
            f"column {column + 1}.",
        )
        right = _grid(
            found,
            _signed(found),
            _SIDE,
            (row, column, 1),
            f"The map: sums from {found.min()} to {found.max()}, the largest in row {strongest[0] + 1}, "
            f"column {strongest[1] + 1}.",
        )
        return _heading("digit") + left, _heading("map") + right, self._sum(picture, row, column)

    def _sum(self, picture: np.ndarray, row: int, column: int) -> str:
        patch = np.pad(picture, 1)[row : row + 3, column : column + 3]
        products = [
            f"{ink}×{_minus(weight)}" for ink, weight in zip(patch.ravel(), self.weights.ravel(), strict=True)
        ]
        lines = " &nbsp;+&nbsp; ".join(" + ".join(products[i : i + 3]) for i in (0, 3, 6))
        total = int((patch * self.weights).sum())
        cut = " → 0, since negative sums are set to 0" if self.relu.value and total < 0 else ""
        place = f"Row {row + 1}, column {column + 1}"
        return (
            f'<div role="status" aria-live="polite" style="line-height:1.6">{place}: {lines} '
            f"&nbsp;= <strong>{_minus(total)}</strong>{cut}</div>"
        )

    def to_html(self) -> str:
        """The present digit, filter and map, and the maps of the prepared filters, folded."""
        left, right, told = self._drawn()
        middle = _heading("filter") + _grid(self.weights, _signed(self.weights), _SIDE, None, "The filter.")
        picture = self.digits[self.digit.value]
        others = "".join(
            _beside(
                _heading(name) + _grid(weights, _signed(weights), _SMALL, None, f"The filter “{name}”."),
                _heading("map") + _grid(found, _signed(found), _SMALL, None, f"The map of “{name}”."),
            )
            for name, weights in FILTERS.items()
            for found in [slid(picture, weights)]
        )
        return _beside(left, middle, right) + told + folded("The other filters on this digit", others)


def _beside(*parts: str) -> str:
    cells = "".join(f"<div>{part}</div>" for part in parts)
    return f'<div style="display:flex;flex-wrap:wrap;gap:1.4em;margin:.4em 0">{cells}</div>'


def _heading(text: str) -> str:
    return f'<div style="font-weight:600;margin:.2em 0">{html.escape(text)}</div>'


def _place(index: int) -> str:
    return f"filter, row {index // 3 + 1}, column {index % 3 + 1}"


def _minus(value: int) -> str:
    return f"−{-value}" if value < 0 else str(value)


def _ink(picture: np.ndarray) -> Callable[[int, int], tuple[str, str]]:
    """Fill and text colour of a pixel: white ink on black, as all pictures of digits here."""
    most = max(int(picture.max()), 1)

    def look(row: int, column: int) -> tuple[str, str]:
        grey = round(255 * picture[row, column] / most)
        return f"rgb({grey},{grey},{grey})", "#111" if grey > 110 else "#ddd"

    return look


def _signed(values: np.ndarray) -> Callable[[int, int], tuple[str, str]]:
    """Blue below zero, orange above, the paper at zero."""
    most = max(float(np.abs(values).max()), 1e-9)

    def look(row: int, column: int) -> tuple[str, str]:
        value = values[row, column]
        colour = _POSITIVE if value > 0 else _NEGATIVE
        return f"rgba({colour},{_STRONGEST * abs(value) / most:.2f})", "currentColor"

    return look


def _grid(
    values: np.ndarray,
    look: Callable[[int, int], tuple[str, str]],
    side: int,
    window: tuple[int, int, int] | None,
    words: str,
) -> str:
    """Numbers on coloured squares of `side` pixels; `window`: row, column and size of a frame."""
    height, width = values.shape
    parts = []
    for row in range(height):
        for column in range(width):
            fill, ink = look(row, column)
            x, y, told = column * side, row * side, _minus(int(values[row, column]))
            parts.append(f'<rect x="{x}" y="{y}" width="{side}" height="{side}" fill="{fill}"/>')
            parts.append(f'<text x="{x + side / 2:g}" y="{y + side / 2 + 4:g}" fill="{ink}">{told}</text>')
    if window:
        top, left, size = window
        box = f'x="{left * side}" y="{top * side}" width="{size * side}" height="{size * side}"'
        # Two lines, so that the frame shows on ink and on paper.
        parts.append(f'<rect {box} fill="none" stroke="#fff" stroke-width="5"/>')
        parts.append(f'<rect {box} fill="none" stroke="#D55E00" stroke-width="3"/>')
    margin = side if window else 3  # digit and map side by side: their rows stand level
    wide, high = width * side + 2 * margin, height * side + 2 * margin
    edge = f'width="{width * side}" height="{height * side}" fill="none" stroke="currentColor"'
    style = "max-width:100%;display:block;font-size:12px;font-variant-numeric:tabular-nums"
    return (
        f'<svg role="img" aria-label="{html.escape(words, quote=True)}" width="{wide}" height="{high}" '
        f'viewBox="{-margin} {-margin} {wide} {high}" style="{style}" text-anchor="middle">'
        f'{"".join(parts)}<rect {edge} stroke-opacity=".35"/></svg>'
    )
