"""Lesson 04's workbenches (wiggle a pixel, walk to a picture), and its pictures and maps for experiments.

Both benches ask a network only through functions from pictures `(n, height, width, 1)` to numbers, so that
they know no framework. What can be asked is asked once, beforehand: the controls answer at once.
"""

from __future__ import annotations

import html
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from dlexplain.classroom import drawing as draw
from dlexplain.classroom.widgets import Card, ipywidgets
from dlexplain.errors import GapWarning

Scores = Callable[[np.ndarray], np.ndarray]

GREYS = 16  # the digits come in sixteenths of full brightness
NUDGE = 0.01
STEPS = (1, 2, 4, 8, 16, 32)
WAY = 32


class PixelBench(Card):
    """One pixel, another brightness, and what every network's score does. `place`: (row, column), from 0."""

    def __init__(
        self, picture: np.ndarray, scores: Mapping[str, Scores], *, place: tuple[int, int], asked: str
    ) -> None:
        widgets = ipywidgets("workbenches")
        self._picture, self._asked = np.asarray(picture, np.float32), asked
        height, width = self._picture.shape[:2]
        self._brightness = np.arange(GREYS + 1) / GREYS
        self._known = {
            name: _for_each_pixel(self._picture, score, self._brightness) for name, score in scores.items()
        }
        slider = {"continuous_update": True, "layout": widgets.Layout(width="100%", max_width="30em")}
        self.row = widgets.IntSlider(value=place[0] + 1, min=1, max=height, description="row", **slider)
        self.column = widgets.IntSlider(value=place[1] + 1, min=1, max=width, description="column", **slider)
        self.brightness = widgets.FloatSlider(
            value=0, min=0, max=1, step=1 / GREYS, description="brightness", readout_format=".2f", **slider
        )
        self.view = widgets.HTML()
        self._to_own_brightness()
        for control in (self.row, self.column):
            control.observe(self._to_own_brightness, "value")
        self.brightness.observe(self._show, "value")
        super().__init__([self.view, self.row, self.column, self.brightness])

    def slope(self, name: str) -> float:
        """How far the chosen pixel moves a network's score, per unit of brightness, where it is now."""
        here, nudged = (known[self._at] for known in self._known[name])
        level = round(float(self.brightness.value) * GREYS)
        return float((nudged[level] - here[level]) / NUDGE)

    @property
    def _at(self) -> tuple[int, int]:
        return self.row.value - 1, self.column.value - 1

    def _to_own_brightness(self, _: Any = None) -> None:
        self.brightness.value = round(float(self._picture[(*self._at, 0)]) * GREYS) / GREYS
        self._show()

    def _show(self, _: Any = None) -> None:
        self.view.value = self.to_html()

    def to_html(self) -> str:
        """The picture with its changed pixel, the scores over brightness, and the slopes in words."""
        own = float(self._picture[(*self._at, 0)])
        now = float(self.brightness.value)
        changed = self._picture[..., 0].copy()
        changed[self._at] = now
        level = round(now * GREYS)
        lines, said = [], []
        for index, (name, (here, _)) in enumerate(self._known.items()):
            scores, slope = here[self._at], self.slope(name)
            before = float(np.interp(own, self._brightness, scores))
            lines.append(
                draw.Line(name, self._brightness, scores, index, dot=(now, scores[level]), slope=slope)
            )
            said.append(
                f"<b>{html.escape(name)}</b>: score {draw.number(before)}"
                + (f" → {draw.number(scores[level])}" if now != own else "")
                + f", slope {draw.number(slope, signed=True)}"
            )
        caption = f"row {self.row.value}, column {self.column.value}"
        chart = draw.chart(
            lines, across=f"brightness of the pixel in {caption}", up=f"score of {self._asked}", mark=own
        )
        words = (
            "<br>".join(said)
            + f"<br><small>The dotted mark is the brightness in the picture: {own:.2f}.</small>"
        )
        alt = f"Pixel in {caption} at brightness {now:.2f}. " + " ".join(
            draw.plain(each) + "." for each in said
        )
        return draw.row([draw.panel(draw.grey(changed, mark=self._at), "the picture"), chart], words, alt)


def _for_each_pixel(
    picture: np.ndarray, score: Scores, brightness: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Scores `(height, width, levels)` with one pixel at each brightness, and the same a nudge brighter."""
    height, width = picture.shape[:2]
    levels = np.concatenate([brightness, brightness + NUDGE])
    many = np.tile(picture, (height, width, len(levels), 1, 1, 1))
    for i in range(height):
        for j in range(width):
            many[i, j, :, i, j, 0] = levels
    found = np.asarray(score(many.reshape(-1, *picture.shape))).reshape(height, width, len(levels))
    return found[..., : len(brightness)], found[..., len(brightness) :]


class PathWalk(Card):
    """Walk from a start to the picture in equal steps; each adds slope times distance to the map."""

    def __init__(
        self,
        picture: np.ndarray,
        starts: Mapping[str, np.ndarray | float],
        score: Scores,
        slopes: Scores,
        *,
        asked: str,
    ) -> None:
        widgets = ipywidgets("workbenches")
        self._picture, self._asked = np.asarray(picture, np.float32), asked
        self._walks = {name: _walk(self._picture, start, score, slopes) for name, start in starts.items()}
        wide = widgets.Layout(width="100%", max_width="30em")
        self.start = widgets.Dropdown(options=list(starts), description="start from", layout=wide)
        self.steps = widgets.SelectionSlider(options=STEPS, value=4, description="steps", layout=wide)
        self.way = widgets.FloatSlider(
            value=1, min=0, max=1, step=1 / WAY, description="walked", readout_format=".0%", layout=wide
        )
        self.view = widgets.HTML()
        for control in (self.start, self.steps, self.way):
            control.observe(self._show, "value")
        self._show()
        super().__init__([self.view, self.start, self.steps, self.way])

    def gap(self, start: str, steps: int) -> float:
        """How far the values of the whole walk are from summing to the score's change, as a share of it."""
        _, scores, parts = self._walks[start]
        change = scores[-1] - scores[0]
        return float(abs(parts[steps].sum() - change) / abs(change))

    def _show(self, _: Any = None) -> None:
        self.view.value = self.to_html()

    def to_html(self) -> str:
        """Where the walk is, the map so far, and the sum of the map beside the score."""
        start, scores, every = self._walks[self.start.value]
        parts, way = every[self.steps.value], float(self.way.value)
        count = len(parts)
        done = int(way * count + 1e-9)
        sums = scores[0] + np.concatenate([[0.0], parts[:done].sum((1, 2)).cumsum()])
        places = np.arange(done + 1) / count
        here = start + way * (self._picture[..., 0] - start)
        collected = parts[:done].sum(0)
        limit = float(np.abs(every[max(STEPS)].sum(0)).max()) or 1.0
        along = np.linspace(0, 1, WAY + 1)
        lines = [
            draw.Line("the score", along, scores, 0, dot=(way, float(np.interp(way, along, scores)))),
            draw.Line("start + sum of the map", places, sums, 1, stepped=True),
        ]
        chart = draw.chart(lines, across="how far we walked", up=f"score of {self._asked}")
        change = float(np.interp(done / count, along, scores) - scores[0])
        words = (
            f"{done} of {count} steps done. The map so far sums to "
            f"<b>{draw.number(sums[-1] - scores[0], signed=True)}</b>; "
            f"the score has changed by <b>{draw.number(change, signed=True)}</b>."
        )
        if done == count:
            words += f" Gap: <b>{100 * self.gap(self.start.value, count):.2g} %</b> of the change."
        shown = [
            draw.panel(draw.grey(here), "where we are"),
            draw.panel(draw.signed(collected, limit, behind=self._picture[..., 0]), "the map so far"),
            chart,
        ]
        return draw.row(shown, words, f"Walk from {self.start.value} in {count} steps. {draw.plain(words)}")


def _walk(
    picture: np.ndarray, start: np.ndarray | float, score: Scores, slopes: Scores
) -> tuple[np.ndarray, np.ndarray, dict[int, np.ndarray]]:
    """The start `(height, width)`, the score along the way, what each step adds for each number of steps."""
    begin = np.broadcast_to(np.asarray(start, np.float32), picture.shape)
    along = np.linspace(0, 1, WAY + 1, dtype=np.float32)
    scores = np.asarray(score(begin + np.multiply.outer(along, picture - begin)), np.float64)
    places = np.concatenate([(np.arange(n) + 0.5) / n for n in STEPS]).astype(np.float32)
    found = np.asarray(slopes(begin + np.multiply.outer(places, picture - begin)), np.float64)
    parts, first = {}, 0
    for n in STEPS:
        parts[n] = (found[first : first + n] * (picture - begin))[..., 0] / n
        first += n
    return begin[..., 0], scores, parts


def shuffle_tiles(pictures: np.ndarray, *, side: int = 5, seed: int = 0) -> np.ndarray:
    """The pictures cut into tiles of `side` x `side` pixels, the tiles of each put back in a random order."""
    rng = np.random.default_rng(seed)
    n, height, width, channels = pictures.shape
    down, across = height // side, width // side
    tiles = (
        pictures.reshape(n, down, side, across, side, channels)
        .swapaxes(2, 3)
        .reshape(n, -1, side, side, channels)
    )
    mixed = np.stack([each[rng.permutation(down * across)] for each in tiles])
    mixed = mixed.reshape(n, down, across, side, side, channels).swapaxes(2, 3)
    return mixed.reshape(pictures.shape)


def edges(pictures: np.ndarray) -> np.ndarray:
    """How much brightness changes round each pixel. It knows the picture and no network."""
    down, across = np.gradient(pictures, axis=(1, 2))
    return np.hypot(down, across)


def in_shares(maps: Any) -> Any:
    """An `Attribution` with each sample's map divided by its total strength: maps of any unit compare."""
    total = np.abs(maps.values).reshape(len(maps), -1).sum(1)
    scale = np.where(total > 0, total, 1).reshape(-1, *[1] * (maps.values.ndim - 1))
    return replace(maps, values=maps.values / scale)


def agreement(first: Any, second: Any, *, strength: bool = False) -> float:
    """Rank correlation of two attributions, the median over their pictures; `strength`: without signs."""
    from dlexplain.attribution import Comparison

    pair = (first, second)
    if strength:
        pair = tuple(replace(each, values=np.abs(each.values)) for each in pair)
    return float(Comparison({"first": pair[0], "second": pair[1]}).table["rank_correlation"][0])


KINDS = {"A": "saliency", "B": "integrated gradients", "C": "edges of the picture", "D": "SmoothGrad"}


def four_kinds(model: Any, pictures: np.ndarray, targets: Sequence[int]) -> dict[str, Any]:
    """Four attributions by letter, see `KINDS`; one of them never asked the model."""
    from dlexplain.attribution import explain

    slopes = explain(model, pictures, "saliency", target=targets)
    with warnings.catch_warnings():
        # Random weights: the score hardly changes on the walk, so that a tiny gap is a large share.
        warnings.simplefilter("ignore", GapWarning)
        walk = explain(model, pictures, "integrated_gradients", target=targets, tolerance=0.01)
    smooth = explain(model, pictures, "smoothgrad", target=targets)
    return {"A": slopes, "B": walk, "C": replace(slopes, values=edges(pictures)), "D": smooth}


def piece(name: str, *, top: int, left: int, side: int, size: int = 25) -> np.ndarray:
    """A square of a bundled photo in grey, `(size, size, 1)`."""
    from skimage.transform import resize

    from dlexplain.data import load

    photo = load(name).inputs[0].mean(-1)
    square = resize(photo[top : top + side, left : left + side], (size, size), anti_aliasing=True)
    return square[..., None].astype(np.float32)


def in_words(share: float) -> str:
    """A share of a map as a choice of the prediction `black`."""
    return "none at all" if share < 1e-6 else "a little" if share < 0.2 else "about its share"
