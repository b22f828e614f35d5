"""Lesson 08's bench of decisions, the arithmetic behind it, and its ways to sum credit by sensor and time.

The bench knows no network: it is handed each machine's forecasts, cycle by cycle, and asks nothing again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlexplain.classroom import drawing as draw
from dlexplain.classroom.lessons.lesson_08 import drawing as own
from dlexplain.classroom.widgets import Card, ipywidgets

CREW = 3  # cycles from the alarm to the repair
THRESHOLDS = tuple(k / 50 for k in range(1, 50))


@dataclass(frozen=True, eq=False)
class Forecasts:
    """What a network says of one machine. `first`: the cycle of the first row of `chances` `(cycles, horizons)`.

    `life`: the last cycle before the machine breaks down.
    """

    machine: int
    life: int
    first: int
    chances: np.ndarray

    def stop(self, column: int, threshold: float) -> tuple[int, bool]:
        """The cycle in which the machine stops, and whether it broke down: the crew comes `CREW` after an alarm."""
        alarms = np.flatnonzero(self.chances[:, column] > threshold)
        if len(alarms) and self.first + alarms[0] + CREW <= self.life:
            return int(self.first + alarms[0] + CREW), False
        return self.life, True


def forecasts(windows: Any, chances: np.ndarray) -> list[Forecasts]:
    """A machine each, of windows that end in every cycle of it; `chances` `(windows, horizons)`."""
    machine, cycle = windows.extras["engine"], windows.extras["cycle"]
    made = []
    for number in np.unique(machine):
        rows = np.flatnonzero(machine == number)
        life = int(cycle[rows[-1]] + windows.labels[rows[-1]])
        made.append(Forecasts(int(number), life, int(cycle[rows[0]]), chances[rows]))
    return made


def cost_rate(used: Sequence[float], broke: Sequence[bool], breakdown: float, repair: float) -> float:
    """Money for 100 cycles of work. `used`: cycles that each machine worked."""
    paid = np.where(np.asarray(broke, bool), breakdown, repair).sum()
    return float(100 * paid / np.sum(used))


def policy(
    fleet: Sequence[Forecasts], column: int, threshold: float, breakdown: float, repair: float
) -> float:
    """The cost rate of repairing whenever the chance of a horizon rises above the threshold."""
    stops = [each.stop(column, threshold) for each in fleet]
    return cost_rate(*zip(*stops, strict=True), breakdown, repair)


def calendar(lives: Sequence[int], age: float, breakdown: float, repair: float) -> float:
    """The cost rate of repairing every machine at one age, whatever its sensors say."""
    lives = np.asarray(lives)
    return cost_rate(np.minimum(lives, age), lives < age, breakdown, repair)


def best_age(lives: Sequence[int], breakdown: float, repair: float) -> int:
    """The age at which a calendar costs least on these lives."""
    ages = np.arange(20, max(lives) + 2)
    return int(ages[np.argmin([calendar(lives, age, breakdown, repair) for age in ages])])


class DecisionBench(Card):
    """Prices, a horizon and a threshold of alarm: what the fleet costs, and what happens to each machine.

    `horizons`: cycles, a column of every machine's `chances` each. `known_lives`: those that the calendar is
    set by.
    """

    def __init__(
        self, fleet: Sequence[Forecasts], horizons: Sequence[int], known_lives: Sequence[int]
    ) -> None:
        widgets = ipywidgets("workbenches")
        self._fleet, self._horizons, self._known = list(fleet), list(horizons), list(known_lives)
        wide = {
            "layout": widgets.Layout(width="100%", max_width="34em"),
            "style": {"description_width": "10em"},
        }
        self.breakdown = widgets.IntSlider(
            value=50, min=5, max=100, step=5, description="a breakdown costs", **wide
        )
        self.repair = widgets.IntSlider(
            value=5, min=1, max=50, step=1, description="a repair costs", **wide
        )
        self.horizon = widgets.SelectionSlider(
            options=[(f"{each} cycles", k) for k, each in enumerate(self._horizons)],
            value=1, description="fails within", **wide,
        )  # fmt: skip
        self.threshold = widgets.SelectionSlider(
            options=[(f"{each:.0%}", each) for each in THRESHOLDS], value=0.5, description="alarm above", **wide
        )
        self.view = widgets.HTML()
        controls = (self.breakdown, self.repair, self.horizon, self.threshold)
        for control in controls:
            control.observe(self._show, "value")
        self._show()
        super().__init__([self.view, *controls])

    def curve(self) -> list[float]:
        """The cost rate at each of `THRESHOLDS`, at the prices and the horizon now set."""
        prices = float(self.breakdown.value), float(self.repair.value)
        return [policy(self._fleet, self.horizon.value, each, *prices) for each in THRESHOLDS]

    def references(self) -> dict[str, float]:
        """What the same machines cost when nobody looks at a sensor."""
        prices = float(self.breakdown.value), float(self.repair.value)
        lives = [each.life for each in self._fleet]
        age = best_age(self._known, *prices)
        return {
            "wait until it breaks": cost_rate(lives, [True] * len(lives), *prices),
            f"calendar: every {age} cycles" if age <= max(self._known) else "calendar: never":
                calendar(lives, age, *prices),
        }  # fmt: skip

    def _show(self, _: Any = None) -> None:
        self.view.value = self.to_html()

    def to_html(self) -> str:
        """The decision curve, each machine's end, and both in words."""
        column, threshold = int(self.horizon.value), float(self.threshold.value)
        costs, references = self.curve(), self.references()
        here, best = costs[THRESHOLDS.index(threshold)], int(np.argmin(costs))
        stops = [each.stop(column, threshold) for each in self._fleet]
        broken = sum(broke for _, broke in stops)
        lost = [each.life - used for each, (used, broke) in zip(self._fleet, stops, strict=True) if not broke]
        words = (
            f"Alarm above <b>{threshold:.0%}</b>: <b>{here:.1f}</b> for 100 cycles of work. "
            f"{broken} of {len(stops)} machines broke down"
            + (f"; the others gave up {np.median(lost):.0f} cycles of life (the middle one). " if lost else ". ")
            + f"Cheapest at these prices: alarm above <b>{THRESHOLDS[best]:.0%}</b>, at {costs[best]:.1f}. "
            + "; ".join(f"{name}: {value:.1f}" for name, value in references.items()).capitalize()
            + "."
        )
        within = self._horizons[column]
        pictures = [
            own.decision(THRESHOLDS, costs, references, chosen=threshold, best=THRESHOLDS[best], within=within),
            own.ends([(each.life, *stop) for each, stop in zip(self._fleet, stops, strict=True)]),
        ]
        return draw.row(pictures, words, draw.plain(words))


def by_sensor(maps: Any) -> np.ndarray:
    """Credit `(samples, sensors)`: each sensor's values summed over time, signs kept."""
    time = 2 if maps.layout == "channels_first" else 1
    return maps.values.sum(time)


def over_life(
    explain: Callable[[np.ndarray], Any], windows: Any, machine: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cycles, credit by sensor and readings `(cycles, sensors)` of one machine, a window a cycle."""
    mine = windows.take(windows.extras["engine"] == machine)
    return mine.extras["cycle"], by_sensor(explain(mine.inputs)), mine.inputs[:, -1]


def named(credit: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """The sensor of largest credit in each row."""
    return np.asarray(names)[credit.argmax(1)]


WITHOUT_FILE = (
    "`train_FD001.txt` is not on this computer, so this part is skipped. Get the file from NASA (search for “C-MAPSS”). "
    "Put it into a folder, and name that folder in the environment variable `DLEXPLAIN_DATA`. Then run the lesson again."
)


def turbofan() -> Any:
    """The training engines of C-MAPSS FD001 where the learner has put the file, else None. Nothing is downloaded."""
    from dlexplain.data.folders import locate
    from dlexplain.data.listing import find
    from dlexplain.data.loading import load

    entry = find("cmapss_fd001")
    file = next(file for file in entry.files if file.name == "train_FD001.txt")
    return load("cmapss_fd001", split="train") if locate(entry, file) else None


def shares(values: Mapping[str, float]) -> dict[str, str]:
    """Shares as whole per cents, for a table."""
    return {name: f"{value:.0%}" for name, value in values.items()}
