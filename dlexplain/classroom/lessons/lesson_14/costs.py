"""What learning costs: the data needed for a goal, and the bill for labels, time and energy."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass

import numpy as np


@dataclass(frozen=True)
class Bill:
    """`labels` and `passes` are counts; a pass is one picture through the network. Seconds of one processor core."""

    labels: float
    passes: float
    seconds: float
    watt_hours: float
    money: float

    def __sub__(self, other: Bill) -> Bill:
        """What this one costs more than the other."""
        return Bill(*(mine - its for mine, its in zip(astuple(self), astuple(other), strict=True)))


def timed(score: Callable[[int, int], float], sizes: Sequence[int], draws: int) -> tuple[np.ndarray, np.ndarray]:
    """`score(size, draw)` for every size and draw, and the processor seconds that each took; both `(sizes, draws)`."""
    found, took = np.zeros((len(sizes), draws)), np.zeros((len(sizes), draws))
    for i, size in enumerate(sizes):
        for k in range(draws):
            began = time.process_time()
            found[i, k] = score(size, k)
            took[i, k] = time.process_time() - began
    return found, took


def with_error(values: Sequence[float], form: str) -> str:
    """The mean, and its standard error where there are several values; both in the form given."""
    known = np.asarray(values, float)
    if len(known) == 1:
        return f"{known[0]:{form}}"
    return f"{known.mean():{form}}\u00a0±\u00a0{known.std(ddof=1) / np.sqrt(len(known)):{form}}"


def row(bills: Sequence[Bill]) -> dict[str, str]:
    """A row of a table: the bills of several draws as means with standard errors."""

    def each(field: str, form: str, times: float = 1) -> str:
        return with_error([times * getattr(one, field) for one in bills], form)

    cheap = all(abs(one.money) < 0.005 for one in bills)
    return {
        "labels": each("labels", ".0f"),
        "passes": f"{np.mean([one.passes for one in bills]):,.0f}",
        "seconds": each("seconds", ".3f"),
        "milliwatt-hours": each("watt_hours", ".2f", 1000),
        "money": "under 0.01" if cheap else each("money", ".2f"),
    }


def bill(labels: float, passes: float, seconds: float, *, label: float, hour: float, watts: float) -> Bill:
    """`label`: the price of one; `hour`: that of a processor core, its energy included; `watts`: what a core draws."""
    return Bill(labels, passes, seconds, watts * seconds / 3600, label * labels + hour * seconds / 3600)


def needed(sizes: Sequence[float], right: Sequence[float], goal: float) -> float:
    """The size at which a curve first reaches the goal, read off between two points; NaN where it never does.

    Straight between points over the logarithm of the size, as the curves are drawn.
    """
    across, up = np.log(np.asarray(sizes, float)), np.asarray(right, float)
    reached = np.flatnonzero(up >= goal)
    if not len(reached):
        return float("nan")
    after = int(reached[0])
    if after == 0:
        return float(sizes[0])
    share = (goal - up[after - 1]) / (up[after] - up[after - 1])
    return float(np.exp(across[after - 1] + share * (across[after] - across[after - 1])))


def break_even(pretraining: float, scratch: float, tuned: float) -> float:
    """After how many tasks pre-training is paid; infinite where tuning saves nothing."""
    return pretraining / (scratch - tuned) if scratch > tuned else float("inf")
