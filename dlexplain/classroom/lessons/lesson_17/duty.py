"""Lesson 17's year on duty: versions, who serves when, what the monitors said and what it cost. No widget, no network."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dlexplain.classroom.lessons.lesson_17 import watch
from dlexplain.classroom.lessons.lesson_17.stream import DELAY, SENSORS, Stream

Opened = Callable[[Stream], tuple[np.ndarray, np.ndarray]]
Train = Callable[[np.ndarray, np.ndarray], Opened]
MISSED, NEEDLESS, RETRAINING = 10, 2, 2000
QUIET = 12  # weeks that set the limits
MONITORS = ("readings", "alarms", "explanations", "outcomes")


@dataclass(frozen=True, eq=False)
class Version:
    """`chances` `(weeks, pumps)` and `shares` `(weeks, sensors)` of the whole year; `usual` and `rate`: in normal times."""

    name: str
    parent: Version | None
    learned: str
    chances: np.ndarray
    shares: np.ndarray
    usual: np.ndarray
    rate: float
    before: np.ndarray

    def costs(self, stream: Stream) -> np.ndarray:
        """Of breakdowns and needless visits, a week each `(weeks,)`."""
        called = self.chances > 0.5
        return MISSED * (stream.repaired & ~called).sum(1) + NEEDLESS * (called & ~stream.repaired).sum(1)


class Duty:
    """A year, week by week. `train`: rows and outcomes to a function that opens a stream."""

    def __init__(self, stream: Stream, history: Stream, train: Train) -> None:
        self.stream, self._train = stream, train
        rows, repaired = history.rows(history.weeks)
        chances, credit = train(rows, repaired)(stream)
        self.versions = [self._version(None, "the weeks before the year", chances, credit, rows, np.arange(QUIET))]
        self.serving = self.versions[0]
        self.week, self.served, self.bills, self.diary = 0, [], [], []
        self.values: dict[str, list[float]] = {name: [] for name in MONITORS}
        self._before = rows
        self._idle = self.serving.costs(stream)
        for _ in range(QUIET):
            self.step()
        self.quiet_limits = {name: watch.limit(np.array(self.values[name])) for name in MONITORS}

    def _version(
        self, parent: Version | None, learned: str, chances: np.ndarray, credit: np.ndarray, rows: np.ndarray,
        normal: np.ndarray,
    ) -> Version:  # fmt: skip
        shares = watch.shares(credit)
        return Version(
            f"version {len(getattr(self, 'versions', [])) + 1}", parent, learned, chances, shares,
            shares[normal].mean(0), float((chances[normal] > 0.5).mean()), rows,
        )  # fmt: skip

    @property
    def over(self) -> bool:
        """Whether the year has ended."""
        return self.week == len(self.stream)

    def step(self) -> None:
        """One more week passes, with the version now at work."""
        if self.over:
            return
        now, version = self.week, self.serving
        self.week += 1
        self.served.append(version)
        self.bills.append(float(version.costs(self.stream)[now]))
        called = version.chances[now] > 0.5
        self.values["readings"].append(float(watch.reading_drift(self._before, self.stream.inputs[[now]]).max()))
        self.values["alarms"].append(float(abs(called.mean() - version.rate)))
        self.values["explanations"].append(float(watch.share_drift(version.shares[[now]], version.usual)[0]))
        self.values["outcomes"].append(self._outcome(now - DELAY))

    def _outcome(self, week: int) -> float:
        if week < 0:
            return float("nan")
        return float(((self.served[week].chances[week] > 0.5) != self.stream.reported[week]).mean())

    def hands_off(self) -> Duty:
        """The same year to its end, seen from here on by somebody who does nothing more."""
        idle = copy.copy(self)
        idle.served, idle.bills, idle.diary = list(self.served), list(self.bills), list(self.diary)
        idle.values = {name: list(values) for name, values in self.values.items()}
        while not idle.over:
            idle.step()
        return idle

    def usable(self, window: int) -> np.ndarray:
        """The last `window` weeks whose outcomes are in, counted from 0."""
        last = self.week - DELAY
        return np.arange(max(0, last - window), last)

    def retrain(self, window: int) -> Version:
        """A new version of the last known weeks goes to work; its weeks become the normal ones."""
        weeks = self.usable(window)
        rows, repaired = self.stream.rows(weeks + self.stream.first)
        chances, credit = self._train(rows, repaired)(self.stream)
        learned = f"weeks {weeks[0] + self.stream.first} to {weeks[-1] + self.stream.first}"
        new = self._version(self.serving, learned, chances, credit, rows, weeks)
        self.versions.append(new)
        self._release(new)
        self.bills[-1] += RETRAINING
        self._note(f"{new.name} released, learned from {learned}")
        return new

    def roll_back(self) -> None:
        """The parent of the version at work goes to work again; without a parent nothing happens."""
        if self.serving.parent is None:
            return
        left = self.serving.name
        self._release(self.serving.parent)
        self._note(f"back from {left} to {self.serving.name}")

    def accept(self) -> None:
        """The readings of the last four weeks are the normal ones from now on."""
        self._before = self.stream.inputs[max(0, self.week - 4) : self.week].reshape(-1, self.stream.inputs.shape[-1])
        self._note("the last four weeks' readings are normal now")

    def _release(self, version: Version) -> None:
        self.serving, self._before = version, version.before

    def _note(self, words: str) -> None:
        self.diary.append((self.week, words))

    def paid(self) -> tuple[np.ndarray, np.ndarray]:
        """The bill so far, summed up, and that of who never lifts a hand: of the weeks whose outcomes are in."""
        known = len(self.bills) if self.over else max(0, len(self.bills) - DELAY)
        return np.cumsum(self.bills[:known]), np.cumsum(self._idle[:known])

    def surprise(self) -> tuple[str, float]:
        """What the newest version changed in its parent's view of the week now past: the sensor and the move of its share."""
        parent = self.serving.parent
        if parent is None:
            return "", 0.0
        move = self.serving.shares[self.week - 1] - parent.shares[self.week - 1]
        most = int(np.abs(move).argmax())
        return SENSORS[most], float(move[most])
