"""Lesson 17's plant: five hundred pumps, a row a pump and week, with known events on the way.

A pump runs slowly or fast; when fast, vibration and pressure swing more. When fast, a worn bearing shows in its
vibration; when slow, only a loss of pressure tells. The weather has no part in any repair.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dlexplain.errors import InputError

SENSORS = ("speed", "vibration", "pressure", "outside", "humidity")
UNITS = ("rpm", "mm/s", "bar", "°C", "%")
DELAY = 4  # weeks until it is known whether a pump had to be repaired
_MIDDLE = np.array([2000.0, 4.0, 6.0, 14.0, 60.0])
_WIDTH = np.array([500.0, 0.8, 0.5, 5.0, 9.0])
_SWING = (0.55, 1.3)  # how far vibration and pressure swing in a slow and in a fast pump
_WORN = 0.9  # from here on, in those units, a repair is more likely than not


@dataclass(frozen=True, kw_only=True)
class Events:
    """Weeks in which something changes; None: never. `thermometer`: it reads five degrees too much from then on.
    `controller`: a new one reports slow as fast and fast as slow. `seals`: new ones, which give way at a
    smaller loss of pressure. `missing`: first and last week for which one of the two workshops sends no list."""

    thermometer: int | None = None
    controller: int | None = None
    seals: int | None = None
    missing: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class Stream:
    """Weeks of readings: `inputs` `(weeks, pumps, 5)` in the sensors' units; `repaired`, `reported` `(weeks, pumps)` bool.

    `first`: the number of the first week. What is `reported` of week `w` comes in week `w + DELAY`. It is what happened,
    but where a list is missing: then no pump that reports “slow” counts as repaired.
    """

    inputs: np.ndarray
    repaired: np.ndarray
    reported: np.ndarray
    first: int
    events: Events

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def weeks(self) -> np.ndarray:
        """The numbers of the weeks `(weeks,)`."""
        return np.arange(self.first, self.first + len(self.inputs))

    def rows(self, weeks: np.ndarray | range) -> tuple[np.ndarray, np.ndarray]:
        """Readings `(rows, 5)` and reported outcomes `(rows,)` of these weeks, one below the other."""
        place = np.asarray(weeks, int) - self.first
        return self.inputs[place].reshape(-1, len(SENSORS)), self.reported[place].reshape(-1)

    def only(self, weeks: np.ndarray | range) -> Stream:
        """These weeks, which follow each other."""
        place = np.asarray(weeks, int) - self.first
        return replace(
            self, inputs=self.inputs[place], repaired=self.repaired[place], reported=self.reported[place],
            first=int(np.min(weeks)),
        )  # fmt: skip


def plant(
    weeks: int, *, first: int = 1, pumps: int = 500, events: Events | None = None, seed: int | np.random.Generator = 0
) -> Stream:
    """The weeks `first` to `first + weeks - 1` of a plant with these events."""
    if weeks < 1 or pumps < 2:
        raise InputError(f"A plant needs 1 week and 2 pumps or more, not weeks={weeks!r} and pumps={pumps!r}.")
    events, rng = events or Events(), np.random.default_rng(seed)
    number = np.arange(first, first + weeks)[:, None]
    size = (weeks, pumps)
    fast = rng.random(size) < 0.5
    swing = np.where(fast, _SWING[1], _SWING[0])
    shake, press = swing * rng.normal(size=(2, *size))
    outside, humid = rng.normal(size=(2, *size))
    chance = _chance(fast, shake, press, _since(number, events.seals))
    repaired = rng.random(size) < chance
    told = fast ^ _since(number, events.controller)
    reading = np.stack([np.where(told, 1.0, -1.0) + 0.15 * rng.normal(size=size), shake, press, outside, humid], -1)
    reading[..., 3] += 1.0 * _since(number, events.thermometer)
    low, high = events.missing or (first + weeks, first + weeks)
    no_list = (number >= low) & (number <= high) & ~told
    return Stream((_MIDDLE + _WIDTH * reading).astype(np.float32), repaired, repaired & ~no_list, first, events)


def surprise(seed: int, *, weeks: int = 52) -> Stream:
    """A year in which all four happen, in an order and in weeks that the seed draws; weeks 1 to 12 stay quiet."""
    rng = np.random.default_rng((17, seed))
    first, second, third = 13 + rng.integers(0, 4, 3) + np.array([0, 9, 18])
    order = rng.permutation(["thermometer", "controller", "seals"])
    missing = int(40 + rng.integers(0, 3))
    events = Events(**dict(zip(order, map(int, (first, second, third)), strict=True)), missing=(missing, missing + 5))
    return plant(weeks, events=events, seed=rng)


def _since(number: np.ndarray, event: int | None) -> np.ndarray:
    return np.zeros_like(number, bool) if event is None else number >= event


def _chance(fast: np.ndarray, shake: np.ndarray, press: np.ndarray, new_seals: np.ndarray) -> np.ndarray:
    """Of a repair within `DELAY` weeks."""
    wear = np.where(fast, shake, -press + 0.7 * new_seals)
    return 1 / (1 + np.exp(-8.0 * (wear - _WORN)))
