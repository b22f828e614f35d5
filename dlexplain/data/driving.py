"""Driving on a generated road in a closed loop: the pilot steers, the car moves, and the next picture is another one.

The car is a kinematic bicycle: each metre it turns by `tan(steering) / WHEELBASE`. The expert knows what no camera
shows, its place on the road; so its answers are right everywhere, on the middle line or far from it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dlexplain.data.dataset import Dataset
from dlexplain.data.road import AS_BUILT, HALF_ROAD, Cars, Road, Scene, View, camera, winding_road
from dlexplain.errors import InputError

WHEELBASE = 2.7  # metres
LOCK = 20.0  # degrees: no wheel turns farther
LOOK_AHEAD = 2  # metres by which the expert sees the bend coming

Pilot = Callable[[np.ndarray], np.ndarray]  # pictures (n, 24, 40, 1) to degrees (n,), left is positive


@dataclass(frozen=True, eq=False)
class Rides:
    """`rides` cars over `metres`, a picture a metre. Rows `(metres, rides)`; `expert`: what the expert would steer.

    `pictures` `(metres, rides, 24, 40, 1)`, as the pilot got them, `colour` and `parts` only where asked for. `driven` `(rides,)`: metres until the
    middle of the car left the road; `complete`: which rides reached the end of their road.
    """

    roads: tuple[Road, ...]
    steering: np.ndarray
    expert: np.ndarray
    offsets: np.ndarray
    xy: np.ndarray
    heading: np.ndarray
    nearest: np.ndarray
    driven: np.ndarray
    pictures: np.ndarray | None = None
    colour: np.ndarray | None = None
    parts: dict[str, np.ndarray] | None = None

    @property
    def complete(self) -> np.ndarray:
        """Which rides reached the end."""
        return self.driven >= len(self.steering)

    def samples(self) -> tuple[np.ndarray, np.ndarray]:
        """Pictures `(n, 24, 40, 1)` and the expert's steering `(n,)` of every metre driven on the road."""
        on = np.arange(len(self.steering))[:, None] < self.driven
        return self.pictures[on], self.expert[on].astype(np.float32)

    def seen(self, scene: Scene = AS_BUILT, *, every: int = 1) -> View:
        """The same places looked at again in another scene: every so many metres of each ride, while on the road."""
        found = []
        for metre in range(0, len(self.steering), every):
            on = np.flatnonzero(metre < self.driven)
            cars = Cars(self.xy[metre, on], self.heading[metre, on], self.nearest[metre, on])
            if len(on):
                found.append(camera([self.roads[k] for k in on], cars, scene=scene))
        parts = {part: np.concatenate([view.parts[part] for view in found]) for part in found[0].parts}
        return View(np.concatenate([view.colour for view in found]), parts)


def expert_steering(roads: Sequence[Road], cars: Cars) -> np.ndarray:
    """Degrees: as much as the bend asks for, and back towards the middle where the car is off it."""
    offsets, turned, _ = cars.on(roads)
    bend = np.array([road.curvature[k + LOOK_AHEAD] for road, k in zip(roads, cars.nearest, strict=True)])
    wanted = bend - 0.03 * offsets - 0.30 * turned
    return np.degrees(np.arctan(WHEELBASE * wanted)).clip(-LOCK, LOCK)


def drive(
    roads: Sequence[Road],
    pilot: Pilot | None = None,
    *,
    metres: int | None = None,
    scene: Scene | Sequence[Scene] = AS_BUILT,
    kicks: float = 0.0,
    lamps: bool = False,
    keep: bool = False,
    seed: int | np.random.Generator = 0,
) -> Rides:
    """All cars at once, from the start of their roads; `pilot` None: the expert drives.

    `kicks`: now and then (every 12 metres) a car is set aside and turned by chance, up to `kicks` metres.
    `lamps`: a strip of lamps on the dashboard shows where the wheel stands when the picture is taken. The expert has turned it
    by then; a network has yet to decide, so it still stands where it was a metre before. `keep`: pictures and parts are kept.
    """
    if not roads:
        raise InputError("`roads` is empty; give one road a ride, as `[winding_road(seed) for seed in range(10)]`.")
    longest = min(len(road) for road in roads) - 60
    metres = longest if metres is None else metres
    if not 1 <= metres <= longest:
        raise InputError(f"`metres` is 1 to {longest}, the length of the shortest road, not {metres!r}.")
    rng = np.random.default_rng(seed)
    n = len(roads)
    cars = Cars.at(roads, np.zeros(n, int), np.zeros(n), np.zeros(n))
    last, driven = np.zeros(n), np.full(n, metres)
    rows: dict[str, list[np.ndarray]] = {
        name: [] for name in ("steering", "expert", "offsets", "xy", "heading", "nearest", "pictures", "colour")
    }
    parts: list[dict[str, np.ndarray]] = []
    for metre in range(metres):
        if kicks:
            cars = _kicked(roads, cars, rng, kicks, metre)
        offsets = cars.on(roads)[0]
        driven = np.where((np.abs(offsets) > HALF_ROAD) & (driven == metres), metre, driven)
        right_steering = expert_steering(roads, cars)
        steering = right_steering
        if pilot is not None or keep:
            shown = (right_steering if pilot is None else last) if lamps else None
            view = camera(roads, cars, scene=scene, lamps=shown, rng=rng)
            steering = right_steering if pilot is None else _asked(pilot, view, n)
            if keep:
                rows["pictures"].append(view.grey)
                rows["colour"].append(view.colour)
                parts.append(view.parts)
        for name, value in (("steering", steering), ("expert", right_steering), ("offsets", offsets),
                            ("xy", cars.xy), ("heading", cars.heading), ("nearest", cars.nearest)):  # fmt: skip
            rows[name].append(value)
        cars, last = _moved(roads, cars, steering), steering
        if (driven < metres).all():
            break
    done = {name: np.array(values) for name, values in rows.items() if values}
    kept = {part: np.array([each[part] for each in parts]) for part in parts[0]} if parts else None
    return Rides(tuple(roads), driven=driven, parts=kept, **done)


def _asked(pilot: Pilot, view: View, rides: int) -> np.ndarray:
    degrees = np.asarray(pilot(view.grey), np.float64).reshape(-1)
    if degrees.shape != (rides,) or not np.isfinite(degrees).all():
        raise InputError(
            f"A pilot gives one finite number of degrees for each of {rides} pictures; this one gave shape {degrees.shape}."
        )
    return degrees.clip(-LOCK, LOCK)


def _moved(roads: Sequence[Road], cars: Cars, steering: np.ndarray) -> Cars:
    """A metre on."""
    bend = np.tan(np.radians(steering)) / WHEELBASE
    half = cars.heading + bend / 2
    xy = cars.xy + np.stack([np.cos(half), np.sin(half)], 1)
    nearest = []
    for road, k, place in zip(roads, cars.nearest, xy, strict=True):
        near = road.xy[k : k + 4]
        nearest.append(k + int(((near - place) ** 2).sum(1).argmin()))
    ends = np.array([len(road) - LOOK_AHEAD - 1 for road in roads])
    return Cars(xy, cars.heading + bend, np.minimum(nearest, ends))


def _kicked(roads: Sequence[Road], cars: Cars, rng: np.random.Generator, kicks: float, metre: int) -> Cars:
    chosen = (metre + np.arange(len(roads))) % 12 == 6
    aside, turned = rng.uniform(-kicks, kicks, len(roads)), rng.uniform(-0.12, 0.12, len(roads)) * min(kicks, 1)
    put = Cars.at(roads, cars.nearest, aside, turned)
    return replace(
        cars,
        xy=np.where(chosen[:, None], put.xy, cars.xy),
        heading=np.where(chosen, put.heading, cars.heading),
    )


def road_pictures(*, rides: int = 12, metres: int = 100, kicks: float = 1.5, seed: int = 0) -> Dataset:
    """What the expert sees and how it steers: pictures `(n, 24, 40, 1)`, labels in degrees, left is positive.

    Extras: a row a picture each of the masks of `PARTS` (`mask_middle_line`, ...), `ride` and `offset` (metres to the
    left of the middle). `kicks` 0: perfect driving only.
    """
    roads = [winding_road(1000 * seed + k, metres=metres) for k in range(rides)]
    done = drive(roads, kicks=kicks, keep=True, seed=seed)
    flat = {f"mask_{part.replace(' ', '_')}": mask.reshape(-1, *mask.shape[2:]) for part, mask in done.parts.items()}
    ride = np.broadcast_to(np.arange(rides), done.offsets.shape).reshape(-1)
    return Dataset(
        "road",
        done.pictures.reshape(-1, *done.pictures.shape[2:]),
        done.expert.reshape(-1).astype(np.float32),
        "image",
        None,
        None,
        "MIT (made by dlexplain)",
        "dlexplain.data.driving",
        layout="channels_last",
        extras={**flat, "ride": ride.copy(), "offset": done.offsets.reshape(-1).astype(np.float32)},
        group="ride",
    )
