"""A generated road and the camera of a car on it: where the lines, the trees and the shadows are is known.

Flat ground, metres. A road is a chain of points one metre apart along its middle. The camera looks straight ahead, so a
row of the picture is one distance, and the road's place in that row is one interpolation. Left is positive throughout:
offsets, angles of heading, curvature.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dlexplain.errors import InputError

HEIGHT, WIDTH = 24, 40  # of a picture, pixels
HALF_ROAD = 3.0  # metres from the middle to the grass
PARTS = ("middle line", "edge lines", "asphalt", "shadow", "grass", "tree", "sky", "dashboard", "lamps")

_HORIZON, _DASHBOARD = 7, 22  # the first row of ground, of dashboard
_FOCAL, _CAMERA = 24.0, 2.2  # pixels; metres above the ground, as in a bus
_DISTANCE = _FOCAL * _CAMERA / (np.arange(_HORIZON, _DASHBOARD) + 0.5 - _HORIZON)  # metres ahead, a row of ground
_BESIDE = (WIDTH / 2 - 0.5 - np.arange(WIDTH)) / _FOCAL  # metres to the left for each metre ahead, a column
_ROWS, _COLUMNS = np.arange(HEIGHT)[:, None] + 0.5, np.arange(WIDTH)[None, :] + 0.5
_LINE, _EDGE = 0.16, 0.12  # half the width of the lines, metres
_COLOURS = {
    "grass": (0.29, 0.53, 0.20),
    "asphalt": (0.42, 0.42, 0.44),
    "edge lines": (0.93, 0.93, 0.93),
    "middle line": (0.97, 0.80, 0.16),
    "tree": (0.10, 0.30, 0.12),
    "dashboard": (0.10, 0.10, 0.12),
    "lamps": (1.0, 0.35, 0.2),
}
_SKY_ABOVE, _SKY_BELOW = np.array([0.45, 0.66, 0.92]), np.array([0.86, 0.92, 0.97])
_BRIGHTNESS = np.array([0.30, 0.59, 0.11], np.float32)
LAMPS_END = 8.0  # degrees of steering at which all lamps of a side are lit


@dataclass(frozen=True, eq=False)
class Road:
    """The middle of a road, a point a metre: `xy` `(n, 2)`, `heading` and `curvature` `(n,)`.

    `trees`: rows of place along the road, metres to the left (negative: right), height. `shadows`: places along the
    road; each falls aslant across it.
    """

    xy: np.ndarray
    heading: np.ndarray
    curvature: np.ndarray
    trees: np.ndarray
    shadows: np.ndarray

    def __len__(self) -> int:
        return len(self.xy)


@dataclass(frozen=True)
class Scene:
    """What of the world is shown: each is an intervention when changed. `trees`: 1 as built, -1 mirrored, 0 none."""

    line: bool = True
    edges: bool = True
    shadows: bool = False
    trees: int = 1
    light: float = 1.0


AS_BUILT = Scene()


def winding_road(seed: int | np.random.Generator = 0, *, metres: int = 300, sharpest: float = 1 / 30) -> Road:
    """A road of smooth random bends; `sharpest` is the largest curvature, one over metres. 60 more lie beyond its end."""
    if not 20 <= metres <= 20_000:
        raise InputError(f"`metres` is a length of 20 to 20000, not {metres!r}.")
    if not 0 <= sharpest <= 1 / 15:
        raise InputError(f"`sharpest` is a curvature of 0 to 1/15 a metre, not {sharpest!r}.")
    rng = np.random.default_rng(seed)
    count = metres + 60
    bell = np.exp(-0.5 * (np.arange(-40, 41) / 12) ** 2)
    bends = np.convolve(rng.standard_normal(count + 80), bell / np.sqrt((bell**2).sum()), "valid")
    curvature = sharpest * np.tanh(1.2 * bends)
    curvature *= np.clip((np.arange(count) - 5) / 10, 0, 1)  # straight where the car starts
    heading = np.concatenate([[0.0], np.cumsum(curvature)[:-1]])
    xy = np.cumsum(np.stack([np.cos(heading), np.sin(heading)], 1), axis=0)
    places = np.arange(8, count, 9) + rng.uniform(-3, 3, len(np.arange(8, count, 9)))
    side = rng.choice([-1.0, 1.0], len(places)) * rng.uniform(5, 9, len(places))
    trees = np.stack([places, side, rng.uniform(3.5, 6, len(places))], 1)
    return Road(xy, heading, curvature, trees, np.arange(30.0, count, 35) + rng.uniform(-6, 6))


@dataclass(frozen=True, eq=False)
class Cars:
    """Where cars are: `xy` `(n, 2)`, `heading` `(n,)`, and `nearest` `(n,)`, the nearest point of each one's road."""

    xy: np.ndarray
    heading: np.ndarray
    nearest: np.ndarray

    @classmethod
    def at(cls, roads: Sequence[Road], places: np.ndarray, offsets: np.ndarray, turned: np.ndarray) -> Cars:
        """Cars at points of their roads, metres to the left of the middle, turned to the left by radians."""
        places = np.broadcast_to(np.asarray(places, int), len(roads))
        ahead = np.array([road.heading[place] for road, place in zip(roads, places, strict=True)])
        middle = np.array([road.xy[place] for road, place in zip(roads, places, strict=True)])
        left = np.stack([-np.sin(ahead), np.cos(ahead)], 1)
        return cls(middle + np.asarray(offsets).reshape(-1, 1) * left, ahead + turned, places.copy())

    def on(self, roads: Sequence[Road]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Metres left of the middle, radians turned to the left of the road, and the curvature there; each `(n,)`."""
        found = np.array(
            [(*road.xy[k], road.heading[k], road.curvature[k]) for road, k in zip(roads, self.nearest, strict=True)]
        )
        away, ahead = self.xy - found[:, :2], found[:, 2]
        offsets = -np.sin(ahead) * away[:, 0] + np.cos(ahead) * away[:, 1]
        turned = (self.heading - ahead + np.pi) % (2 * np.pi) - np.pi
        return offsets, turned, found[:, 3]


@dataclass(frozen=True, eq=False)
class View:
    """`colour` `(n, 24, 40, 3)` in 0..1, and how much of each pixel is of which of `PARTS`: `{part: (n, 24, 40)}`."""

    colour: np.ndarray
    parts: dict[str, np.ndarray]

    @property
    def grey(self) -> np.ndarray:
        """What a black-and-white camera gives: `(n, 24, 40, 1)`. Grass and asphalt look alike in it."""
        return (self.colour @ _BRIGHTNESS)[..., None]


def camera(
    roads: Sequence[Road],
    cars: Cars,
    *,
    scene: Scene | Sequence[Scene] = AS_BUILT,
    lamps: np.ndarray | None = None,
    rng: np.random.Generator | None = None,
) -> View:
    """What the cars see. `scene`: of all, or one a car. `lamps`: degrees that a strip of lamps on the dashboard shows; None: they are off.

    `rng` adds the camera's noise.
    """
    n = len(roads)
    scenes = [scene] * n if isinstance(scene, Scene) else list(scene)
    if len(scenes) != n:
        raise InputError(f"`scene` is one for all or one for each of {n} cars, not {len(scenes)}.")

    def each(of: str) -> np.ndarray:
        return np.array([float(getattr(one, of)) for one in scenes])[:, None, None]

    middle, turned, along = _road_ahead(roads, cars)
    beside = _DISTANCE[:, None] * _BESIDE
    across = (beside - middle[:, :, None]) * np.cos(turned)[:, :, None]  # metres left of the middle, (n, rows, columns)
    pixel = (_DISTANCE / _FOCAL)[None, :, None]
    parts = {part: np.zeros((n, HEIGHT, WIDTH)) for part in PARTS}
    ground = slice(_HORIZON, _DASHBOARD)
    parts["sky"][:, :_HORIZON] = 1
    parts["grass"][:, ground] = 1
    _lay(parts, "asphalt", _cover(across, 0, HALF_ROAD, pixel))
    for side in (-1, 1):
        edge = _cover(across, side * (HALF_ROAD - 0.35), _EDGE, pixel)
        _lay(parts, "edge lines", each("edges") * edge)
    _lay(parts, "middle line", each("line") * _cover(across, 0, _LINE, pixel))
    pictures = _painted(parts)
    if any(one.shadows for one in scenes):
        dark = each("shadows") * _shadow(roads, along, across)
        pictures[:, ground] *= 1 - 0.7 * dark[..., None]
        parts["shadow"][:, ground] = dark
    light = each("light")[..., None]
    pictures *= light
    trees = np.stack([_trees(*one) for one in zip(roads, scenes, range(n), [cars] * n, strict=True)])
    pictures += trees[..., None] * (light * np.array(_COLOURS["tree"]) - pictures)
    for mask in parts.values():
        mask *= 1 - trees
    parts["tree"] = trees
    _dashboard(pictures, parts, lamps)
    if rng is not None:
        pictures += 0.02 * rng.standard_normal(pictures.shape)
    return View(pictures.clip(0, 1).astype(np.float32), {k: v.astype(np.float32) for k, v in parts.items()})


def _road_ahead(roads: Sequence[Road], cars: Cars) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each car and row of ground: the middle of the road to the left, its turn, its place; `(n, rows)` each."""
    found = np.empty((3, len(roads), len(_DISTANCE)))
    for i, (road, k) in enumerate(zip(roads, cars.nearest, strict=True)):
        near = slice(max(k - 3, 0), k + 60)
        away, heading = road.xy[near] - cars.xy[i], cars.heading[i]
        ahead = np.cos(heading) * away[:, 0] + np.sin(heading) * away[:, 1]
        left = -np.sin(heading) * away[:, 0] + np.cos(heading) * away[:, 1]
        bent = np.maximum.accumulate(ahead + 1e-6 * np.arange(len(ahead)))  # a road that turns back is cut there
        rows = np.minimum(_DISTANCE, 45)
        found[0, i] = np.interp(rows, bent, left)
        found[1, i] = np.clip(np.interp(rows, bent, road.heading[near] - heading), -1.2, 1.2)
        found[2, i] = np.interp(rows, bent, np.arange(len(road))[near])
    return found[0], found[1], found[2]


def _cover(across: np.ndarray, centre: float, half: float, pixel: np.ndarray) -> np.ndarray:
    """How much of each pixel a band covers: soft at its sides, as a camera's pixels are."""
    left = np.clip((across - centre + half) / pixel + 0.5, 0, 1)
    right = np.clip((across - centre - half) / pixel + 0.5, 0, 1)
    return left - right


def _lay(parts: dict[str, np.ndarray], part: str, cover: np.ndarray) -> None:
    """Lays a part on the ground over all that lies there."""
    ground = slice(_HORIZON, _DASHBOARD)
    for below in ("grass", "asphalt", "edge lines"):
        parts[below][:, ground] *= 1 - cover
    parts[part][:, ground] += cover


def _painted(parts: dict[str, np.ndarray]) -> np.ndarray:
    pictures = np.zeros((*parts["sky"].shape, 3))
    for part in ("grass", "asphalt", "edge lines", "middle line"):
        pictures += parts[part][..., None] * np.array(_COLOURS[part])
    down = np.linspace(0, 1, _HORIZON)[:, None, None]
    pictures[:, :_HORIZON] = (1 - down) * _SKY_ABOVE + down * _SKY_BELOW
    return pictures


def _shadow(roads: Sequence[Road], along: np.ndarray, across: np.ndarray) -> np.ndarray:
    dark = np.zeros(across.shape)
    for i, road in enumerate(roads):
        for place in road.shadows:
            far = np.abs(along[i][:, None] - place - 1.2 * across[i])
            dark[i] = np.maximum(dark[i], np.clip(2.6 - far, 0, 1) * (np.abs(across[i]) < 8))
    return dark


def _trees(road: Road, scene: Scene, i: int, cars: Cars) -> np.ndarray:
    """How much of each pixel the trees ahead of car `i` cover, `(24, 40)`."""
    if not scene.trees:
        return np.zeros((HEIGHT, WIDTH))
    k, heading = int(cars.nearest[i]), cars.heading[i]
    near = road.trees[(road.trees[:, 0] > k + 1) & (road.trees[:, 0] < min(k + 50, len(road)))]
    at, side = near[:, 0].astype(int), near[:, 1:2] * scene.trees
    left = np.stack([-np.sin(road.heading[at]), np.cos(road.heading[at])], 1)
    away = road.xy[at] + side * left - cars.xy[i]
    ahead = np.cos(heading) * away[:, 0] + np.sin(heading) * away[:, 1]
    beside = -np.sin(heading) * away[:, 0] + np.cos(heading) * away[:, 1]
    seen = ahead > 4
    size = (_FOCAL / ahead[seen])[:, None, None]  # pixels a metre
    height = near[seen, 2][:, None, None]
    right, up = _COLUMNS - WIDTH / 2 + beside[seen][:, None, None] * size, _HORIZON + _CAMERA * size - _ROWS
    crown = (right / (0.28 * height * size)) ** 2 + ((up / size - 0.62 * height) / (0.40 * height)) ** 2
    stem = (np.abs(right) < np.maximum(0.18 * size, 0.4)) & (up > 0) & (up < 0.4 * height * size)
    return 1 - np.prod(1 - np.maximum(np.clip(2 - 2 * crown, 0, 1), stem), axis=0)


def _dashboard(pictures: np.ndarray, parts: dict[str, np.ndarray], lamps: np.ndarray | None) -> None:
    bottom = slice(_DASHBOARD, HEIGHT)
    for mask in parts.values():
        mask[:, bottom] = 0
    parts["dashboard"][:, bottom] = 1
    pictures[:, bottom] = _COLOURS["dashboard"]
    if lamps is None:
        return
    lit = (np.clip(lamps, -LAMPS_END, LAMPS_END) * WIDTH / 2 / LAMPS_END)[:, None]  # to the left for a left turn
    low, high = np.minimum(lit, 0), np.maximum(lit, 0)
    side = WIDTH / 2 - np.arange(WIDTH)  # from the middle to each column's left side
    cover = (np.clip(side, low, high) - np.clip(side - 1, low, high))[:, None]
    pictures[:, bottom] += cover[..., None] * (np.array(_COLOURS["lamps"]) - np.array(_COLOURS["dashboard"]))
    parts["lamps"][:, bottom] = cover
    parts["dashboard"][:, bottom] -= cover
