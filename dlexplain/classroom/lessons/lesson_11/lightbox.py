"""Lesson 11's light box: move the lesion and the scanner's mark on a tile, and see chance and map change."""

from __future__ import annotations

import html
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from dlexplain.classroom import drawing as draw
from dlexplain.classroom.lessons.lesson_07.bench import in_layout
from dlexplain.classroom.lessons.lesson_11 import bench, clinic
from dlexplain.classroom.pages import folded
from dlexplain.classroom.widgets import Card, ipywidgets
from dlexplain.figures import png
from dlexplain.figures.theme import CATEGORIES, LIGHT, rgb

MARKS = {"none": "", "where it was in training": "upper left", "in another corner": "lower right"}
RADIUS = 3.3
_LESION, _MARK = CATEGORIES[2], CATEGORIES[5]
_BAR = 250


class LightBox(Card):
    """Choose a tile and a network; move or hide the lesion and the mark.

    `networks`: any framework, by name, scores for healthy and sick. `tiles`: healthy, without a mark, `(24, 24, 1)`.
    """

    def __init__(self, networks: Mapping[str, Any], tiles: Mapping[str, np.ndarray]) -> None:
        widgets = ipywidgets("workbenches")
        self._networks, self._tiles, self._known = dict(networks), dict(tiles), {}
        wide = {"layout": widgets.Layout(width="100%", max_width="34em"), "style": {"description_width": "8em"}}
        self.network = widgets.Dropdown(options=list(networks), description="network", **wide)
        self.tile = widgets.Dropdown(options=list(tiles), description="picture", **wide)
        self.mark = widgets.Dropdown(options=list(MARKS), value=list(MARKS)[1], description="mark", **wide)
        self.dark = widgets.SelectionSlider(
            options=[("no lesion", 0.0), *((f"{k} %", k / 100) for k in (10, 20, 30, 40, 50))],
            value=0.4, description="lesion, dark by", **wide,
        )  # fmt: skip
        self.across = widgets.IntSlider(value=14, min=5, max=18, description="from the left", **wide)
        self.down = widgets.IntSlider(value=14, min=5, max=18, description="from the top", **wide)
        self.view = widgets.HTML()
        controls = (self.mark, self.dark, self.across, self.down, self.tile, self.network)
        for control in controls:
            control.observe(self._show, "value")
        self._show()
        super().__init__([self.view, *controls])

    def picture(self, mark: str | None = None) -> np.ndarray:
        """`(1, 24, 24, 1)`: the tile as it now lies on the box, or with another mark."""
        tile = np.asarray(self._tiles[self.tile.value], np.float32)[..., 0]
        tile, _ = clinic.with_lesion(tile, (self.down.value, self.across.value), RADIUS, self.dark.value)
        corner = MARKS[mark or self.mark.value]
        shown = tile[None, ..., None]
        return clinic.mark(shown, corner) if corner else shown

    def lesion(self) -> np.ndarray:
        """`(24, 24)`: where the lesion lies; nowhere if it is hidden."""
        rows, columns = np.mgrid[: clinic.SIDE, : clinic.SIDE]
        found = np.hypot(rows - self.down.value, columns - self.across.value) < RADIUS
        return found & (self.dark.value > 0)

    def asked(self, network: str | None = None, mark: str | None = None) -> tuple[float, np.ndarray]:
        """The chance of “sick” that a network tells of the picture, and its map `(24, 24)` for “sick”."""
        from dlexplain import explain, wrap
        from dlexplain.errors import GapWarning

        network, mark = network or self.network.value, mark or self.mark.value
        state = (network, mark, self.tile.value, self.dark.value, self.across.value, self.down.value)
        if state not in self._known:
            model = wrap(self._networks[network])
            shown = in_layout(model, self.picture(mark))
            healthy, sick = model.predict(shown)[0]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", GapWarning)  # a score that hardly moves: a tiny gap is a large share
                found = explain(model, shown, target=1, baseline=clinic.GREY, tolerance=0.01)
            self._known[state] = (float(1 / (1 + np.exp(healthy - sick))), found.heatmap()[0])
        return self._known[state]

    def _show(self, _: Any = None) -> None:
        self.view.value = self._drawn()

    def to_html(self) -> str:
        """The present picture; below it every network with every mark, folded."""
        rows = []
        for network in self._networks:
            panels = []
            for mark in MARKS:
                chance, found = self.asked(network, mark)
                panels.append(_panel(_mixed(found, self.picture(mark)), f"{mark}: {chance:.0%}", self._outlines(mark)))
            rows.append(f"<div><b>{html.escape(network)}</b></div>" + draw.row(panels, "", f"{network}: maps by mark."))
        return self._drawn() + folded("The same picture: every network, every mark", "".join(rows))

    def _outlines(self, mark: str) -> str:
        corner = MARKS[mark]
        drawn = _outline(clinic.where_mark(corner), _MARK) if corner else ""
        return drawn + _outline(self.lesion(), _LESION)

    def _drawn(self) -> str:
        chance, found = self.asked()
        corner, lesion = MARKS[self.mark.value], self.lesion()
        truth = "sick" if lesion.any() else "healthy"
        says = "sick" if chance > 0.5 else "healthy"
        places = {"lesion": lesion, "mark": clinic.where_mark(corner) if corner else np.zeros_like(lesion)}
        on = [
            f"<b>{bench.share(found[None], place):.0%}</b> lies on the {name}"
            for name, place in places.items()
            if place.any()
        ]
        where = f" Of all that speaks for “sick”, {' and '.join(on)}." if on else ""
        if not (found > 0).any():
            where = " Nothing in the picture speaks for “sick”."
        words = (
            f"In truth: <b>{truth}</b>. The network says <b>{says}</b> ({chance:.0%} sick)"
            f"{'.' if says == truth else ', and is <b>wrong</b>.'}{where}<br>"
            "<small>Map: orange speaks for “sick”, blue against. It is drawn as strong as it goes. "
            "Framed: the lesion and the mark.</small>"
        )
        parts = [
            _panel(np.repeat(self.picture()[0], 3, -1), "the picture", ""),
            _panel(_mixed(found, self.picture()), "why “sick”?", self._outlines(self.mark.value)),
            _bar(chance),
        ]
        alt = f"{self.network.value}, {self.tile.value}, mark: {self.mark.value}. {draw.plain(words)}"
        return draw.row(parts, words, alt)


def _mixed(found: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """`(24, 24, 3)`: a signed map over the faint picture, its own largest size in full colour."""
    strength = (np.abs(found) / (np.abs(found).max() or 1.0))[..., None]
    ends = np.where(found[..., None] > 0, rgb(LIGHT.positive), rgb(LIGHT.negative)) / 255
    paper = 1 - 0.35 * (1 - picture[0])
    return strength * ends + (1 - strength) * paper


def _panel(pixels: np.ndarray, title: str, over: str) -> str:
    image = f'<image href="{png.address(pixels)}" width="{draw.SIDE}" height="{draw.SIDE}" style="image-rendering:pixelated"/>'
    return draw.panel(image + over, title)


def _outline(truth: np.ndarray, colour: str) -> str:
    """The border of the true pixels."""
    cell, padded, path = draw.SIDE / truth.shape[0], np.pad(truth, 1), []
    for i, j in np.argwhere(truth):
        y, x = i * cell, j * cell
        edges = (
            (padded[i, j + 1], f"M{x:.1f} {y:.1f}h{cell:.1f}"),
            (padded[i + 2, j + 1], f"M{x:.1f} {y + cell:.1f}h{cell:.1f}"),
            (padded[i + 1, j], f"M{x:.1f} {y:.1f}v{cell:.1f}"),
            (padded[i + 1, j + 2], f"M{x + cell:.1f} {y:.1f}v{cell:.1f}"),
        )
        path += [step for inside, step in edges if not inside]
    return f'<path d="{"".join(path)}" fill="none" stroke="{colour}" stroke-width="2.5"/>' if path else ""


def _bar(chance: float) -> str:
    """The chance of “sick” as an upright bar with its middle marked."""
    high = draw.SIDE * chance
    return (
        f'<svg aria-hidden="true" viewBox="0 -26 {_BAR} {draw.SIDE + 30}" style="width:{_BAR}px;flex:0 0 auto">'
        '<text y="-9" font-size="13" font-weight="600" fill="currentColor">chance of “sick”</text>'
        f'<rect x="1" y="1" width="58" height="{draw.SIDE - 2}" fill="none" stroke="currentColor" stroke-opacity=".35"/>'
        f'<rect x="1" y="{draw.SIDE - high:.1f}" width="58" height="{high:.1f}" fill="{CATEGORIES[0]}"/>'
        f'<line x1="0" x2="74" y1="{draw.SIDE / 2}" y2="{draw.SIDE / 2}" stroke="currentColor" stroke-dasharray="4 3"/>'
        f'<text x="80" y="{draw.SIDE / 2 + 4}" font-size="12" fill="currentColor">50 %: alarm above</text>'
        f'<text x="80" y="{min(max(draw.SIDE - high + 5, 12), draw.SIDE - 4):.1f}" font-size="15" font-weight="700" '
        f'fill="currentColor">{"" if abs(chance - 0.5) < 0.1 else f"{chance:.0%}"}</text></svg>'
    )
