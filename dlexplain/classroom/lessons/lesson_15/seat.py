"""Lesson 15's driver's seat: rides played metre by metre with the map over the picture; and shares of maps.

The seat knows no network: it is handed films, and asks nothing again.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlexplain.classroom import drawing as draw
from dlexplain.classroom.lessons.lesson_15 import drawing
from dlexplain.classroom.widgets import Card, ipywidgets
from dlexplain.data.driving import Pilot, drive
from dlexplain.data.road import Road, Scene


@dataclass(frozen=True, eq=False)
class Film:
    """A ride, a row a frame: `colour` `(t, 24, 40, 3)`, `grey` and `maps` `(t, 24, 40)`, `metre`, `steering`, `expert`,
    `offset` `(t,)`; `xy` `(m, 2)` of every metre driven; `crashed`: it ended off the road."""

    road: Road
    colour: np.ndarray
    grey: np.ndarray
    maps: np.ndarray
    metre: np.ndarray
    steering: np.ndarray
    expert: np.ndarray
    offset: np.ndarray
    xy: np.ndarray
    crashed: bool
    metres: int


def films(
    pilot: Pilot,
    explain: Callable[[np.ndarray], np.ndarray],
    road: Road,
    scenes: Mapping[str, Scene],
    *,
    metres: int = 120,
    every: int = 4,
    lamps: bool = False,
) -> dict[str, Film]:
    """One network on one road, a film a scene. `explain`: pictures `(n, 24, 40, 1)` to maps `(n, 24, 40)`."""
    done = drive([road] * len(scenes), pilot, metres=metres, scene=list(scenes.values()), lamps=lamps, keep=True)
    rows = [np.arange(0, max(int(driven), 1), every) for driven in done.driven]
    maps = explain(np.concatenate([done.pictures[row, k] for k, row in enumerate(rows)]))
    cut = np.split(maps, np.cumsum([len(row) for row in rows])[:-1])
    return {
        name: Film(
            road, done.colour[row, k], done.pictures[row, k, ..., 0], cut[k], row, done.steering[row, k],
            done.expert[row, k], done.offsets[row, k], done.xy[: int(done.driven[k]) + 1, k],
            bool(done.driven[k] < metres), metres,
        )
        for k, (name, row) in enumerate(zip(scenes, rows, strict=True))
    }  # fmt: skip


def turn(degrees: float) -> str:
    """A steering angle in words."""
    if abs(degrees) < 0.05:
        return "straight on"
    return f"{abs(degrees):.1f}° to the {'left' if degrees > 0 else 'right'}"


class DriversSeat(Card):
    """Choose a network and a world, and go through the ride. `reel`: `{network: {world: Film}}`."""

    def __init__(self, reel: Mapping[str, Mapping[str, Film]]) -> None:
        widgets = ipywidgets("seats")
        self._reel = {network: dict(worlds) for network, worlds in reel.items()}
        self._limit = {
            network: drawing.limit_of(np.concatenate([film.maps for film in worlds.values()]))
            for network, worlds in self._reel.items()
        }
        wide = {
            "layout": widgets.Layout(width="100%", max_width="34em"),
            "style": {"description_width": "6em"},
        }
        worlds = list(next(iter(self._reel.values())))
        self.network = widgets.Dropdown(options=list(self._reel), description="network", **wide)
        self.world = widgets.Dropdown(options=worlds, description="world", **wide)
        self.frame = widgets.IntSlider(value=0, min=0, max=1, description="moment", readout=False, **wide)
        self.player = widgets.Play(value=0, min=0, max=1, interval=350, show_repeat=False)
        widgets.link((self.frame, "value"), (self.player, "value"))
        self.view = widgets.HTML()
        self.network.observe(self._load, "value")
        self.world.observe(self._load, "value")
        self.frame.observe(self._show, "value")
        self._load()
        super().__init__([self.network, self.world, self.view, self.frame, self.player])

    @property
    def film(self) -> Film:
        """The ride now chosen."""
        return self._reel[self.network.value][self.world.value]

    def _load(self, _: Any = None) -> None:
        last = len(self.film.metre) - 1
        for control in (self.frame, self.player):
            control.max = last
        self._show()

    def _show(self, _: Any = None) -> None:
        self.view.value = self.to_html()

    def sweep(self) -> list[Callable[[], None]]:
        """Every network in every world, at its first and its last moment."""

        def at(network: str, world: str, last: bool) -> Callable[[], None]:
            def go() -> None:
                self.network.value, self.world.value = network, world
                self.frame.value = self.frame.max if last else 0

            return go

        return [at(network, world, last) for network in self._reel for world in self.world.options for last in (0, 1)]

    def words(self) -> str:
        """What is seen at this moment."""
        film, at = self.film, min(self.frame.value, len(self.film.metre) - 1)
        steering, expert = (turn(float(each[at])) for each in (film.steering, film.expert))
        side = film.offset[at]
        place = "in the middle"
        if abs(side) >= 0.05:
            place = f"{abs(side):.1f} m {'left' if side > 0 else 'right'} of the middle"
        end = (
            f"This ride ends in the grass after {len(film.xy) - 1} m."
            if film.crashed
            else f"This ride stays on the road for all {film.metres} m."
        )
        return (
            f"<b>{film.metre[at]} m</b>, {place}. The network steers <b>{steering}</b>; "
            f"the expert would steer {expert}. {end}"
        )

    def to_html(self) -> str:
        """The camera's picture, the same with the map over it, and the road from above."""
        film, at = self.film, min(self.frame.value, len(self.film.metre) - 1)
        lit = drawing.tinted(film.grey[at], film.maps[at], self._limit[self.network.value])
        above = drawing.way(
            film.road, {"car": film.xy}, film.metres, side=230, dot=film.xy[min(film.metre[at], len(film.xy) - 1)],
            crash={"car": film.crashed},
        )  # fmt: skip
        words = self.words()
        parts = [
            ("what we see", drawing.picture(film.colour[at], wide=300)),
            ("what moves the wheel: orange left, blue right", drawing.picture(lit, wide=300)),
            ("from above", above),
        ]
        cells = "".join(f"<div><div><small>{html.escape(name)}</small></div>{body}</div>" for name, body in parts)
        alt = html.escape(f"{self.network.value}, {self.world.value}: {draw.plain(words)}", quote=True)
        return (
            f'<div role="img" aria-label="{alt}" style="display:flex;flex-wrap:wrap;gap:14px;align-items:flex-start">'
            f'{cells}</div><div style="margin:.3em 0;line-height:1.5">{words}</div>'
        )


def shares(maps: np.ndarray, parts: Mapping[str, np.ndarray], names: Sequence[str]) -> float:
    """The mean share of the size of maps `(n, 24, 40)` that lies on the named parts of the picture."""
    sizes = np.abs(np.asarray(maps, np.float64))
    on = sum(parts[name] for name in names)
    return float(((sizes * on).sum((1, 2)) / sizes.sum((1, 2)).clip(1e-12)).mean())


def edge_finder(grey: np.ndarray) -> np.ndarray:
    """Where brightness jumps, without any network: pictures `(n, 24, 40, 1)` to maps `(n, 24, 40)`."""
    down, across = np.gradient(grey[..., 0], axis=(1, 2))
    return np.hypot(down, across)
