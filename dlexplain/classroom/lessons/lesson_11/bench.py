"""Lesson 11's arithmetic: what a network's chances are worth, where a map points, and the table of answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Reliability:
    """Chances told in groups of equal size: `told` the mean chance of each, `found` the share that was sick, `count`."""

    told: np.ndarray
    found: np.ndarray
    count: np.ndarray

    @property
    def gap(self) -> float:
        """How far told and found lie apart, each group as often as it has members (expected calibration error)."""
        return float((np.abs(self.told - self.found) * self.count).sum() / self.count.sum())


def reliability(chances: np.ndarray, sick: np.ndarray, groups: int = 8) -> Reliability:
    """The samples in order of their chance, cut into groups of equal size."""
    parts = np.array_split(np.argsort(chances, kind="stable"), groups)
    return Reliability(
        np.array([chances[p].mean() for p in parts]),
        np.array([sick[p].mean() for p in parts]),
        np.array([len(p) for p in parts]),
    )


def temperature(chances: np.ndarray, sick: np.ndarray) -> float:
    """The number that the scores are divided by so that the chances fit these samples best (Guo and others 2017)."""
    tried = np.geomspace(0.2, 10, 400)
    towards = np.where(sick == 1, 1, -1) * _score(chances)
    return float(tried[np.argmin([np.logaddexp(0, -towards / t).mean() for t in tried])])


def tempered(chances: np.ndarray, by: float) -> np.ndarray:
    """The chances after their scores are divided by a temperature: above 1 more modest, the order kept."""
    return 1 / (1 + np.exp(-_score(chances) / by))


def _score(chances: np.ndarray) -> np.ndarray:
    sure = np.clip(np.asarray(chances, np.float64), 1e-7, 1 - 1e-7)
    return np.log(sure / (1 - sure))


def hits(maps: np.ndarray, truth: np.ndarray) -> float:
    """The share of maps `(n, height, width)` whose largest value lies where the truth, of the same shape, is true."""
    flat, evidence = maps.reshape(len(maps), -1), truth.reshape(len(truth), -1)
    return float(evidence[np.arange(len(flat)), flat.argmax(1)].mean())


def share(maps: np.ndarray, truth: np.ndarray) -> float:
    """The mean share of what speaks for the class, the positive values, that lies on the truth; maps without any left out."""
    positive = np.maximum(maps, 0).reshape(len(maps), -1)
    whole = positive.sum(1)
    on = (positive * np.broadcast_to(truth, maps.shape).reshape(len(maps), -1)).sum(1)
    return float((on[whole > 0] / whole[whole > 0]).mean()) if (whole > 0).any() else float("nan")
