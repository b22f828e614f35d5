"""What learning costs: the data needed for a goal, and the bill for labels, time and energy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Bill:
    """`labels` and `passes` are counts; a pass is one picture through the network. Seconds of one processor core."""

    labels: float
    passes: float
    seconds: float
    watt_hours: float
    money: float

    def row(self) -> dict[str, str]:
        """For a table."""
        return {
            "labels": f"{self.labels:.0f}",
            "passes": f"{self.passes:,.0f}",
            "seconds": f"{self.seconds:.2g}",
            "watt-hours": f"{self.watt_hours:.5f}",
            "money": f"{self.money:.2f}" if self.money >= 0.005 else "under 0.01",
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
