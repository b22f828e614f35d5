"""Figures of performance and their intervals: every figure takes weights of the rows, so that one bootstrap serves all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

DRAWS = 400
LEVEL = 0.95
LEAST = 1e-12  # a probability of zero counts as this, so that log loss stays finite

Figures = Mapping[str, Callable[[np.ndarray], float]]


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def interval(self) -> tuple[float, float]:
        return self.low, self.high

    def __str__(self) -> str:
        return f"{self.value:.3g} (95 % interval {self.low:.3g} to {self.high:.3g})"


def wilson(hits: float, n: float) -> Estimate:
    """A share and its interval (Wilson 1927)."""
    if not n:
        return Estimate(float("nan"), 0.0, 1.0)
    z, p = 1.959964, hits / n
    middle, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)
    return Estimate(float(p), float(max(low, 0.0)), float(min(high, 1.0)))


def bootstrap(figures: Figures, n: int, rng: np.random.Generator) -> dict[str, Estimate]:
    """Each figure with its percentile interval over the same draws of rows with replacement (Efron 1979)."""
    whole = np.ones(n)
    draws: dict[str, list[float]] = {name: [] for name in figures}
    for _ in range(DRAWS):
        weights = np.bincount(rng.integers(n, size=n), minlength=n).astype(np.float64)
        for name, figure in figures.items():
            draws[name].append(figure(weights))
    found = {}
    for name, figure in figures.items():
        known = np.array([d for d in draws[name] if np.isfinite(d)])
        tail = (1 - LEVEL) / 2
        low, high = np.quantile(known, (tail, 1 - tail)) if len(known) else (np.nan, np.nan)
        found[name] = Estimate(float(figure(whole)), float(low), float(high))
    return found


def of_classes(labels: np.ndarray, predicted: np.ndarray, probabilities: np.ndarray) -> Figures:
    """Figures of a classifier."""
    right = (labels == predicted).astype(np.float64)
    classes, place = np.unique(labels, return_inverse=True)
    chosen = probabilities[np.arange(len(labels)), labels]
    loss = -np.log(np.clip(chosen, LEAST, 1))
    truth = np.zeros_like(probabilities)
    truth[np.arange(len(labels)), labels] = 1
    brier = ((probabilities - truth) ** 2).sum(1)

    def balanced(w: np.ndarray) -> float:
        total = np.bincount(place, w, len(classes))
        hits = np.bincount(place, w * right, len(classes))
        return float(np.mean(hits[total > 0] / total[total > 0]))

    figures = {
        "accuracy": lambda w: float(w @ right / w.sum()),
        "balanced accuracy": balanced,
        "log loss": lambda w: float(w @ loss / w.sum()),
        "Brier score": lambda w: float(w @ brier / w.sum()),
    }
    if len(classes) > 1:
        asked = classes if probabilities.shape[1] > 2 else classes[-1:]
        areas = [area(probabilities[:, k], labels == k) for k in asked]
        figures["AUC"] = lambda w: float(np.mean([a(w) for a in areas]))
    return figures


def of_values(labels: np.ndarray, predicted: np.ndarray) -> Figures:
    """Figures of a regression. R2: the share of the squared error that the mean of the answers leaves."""
    error = predicted - labels

    def r2(w: np.ndarray) -> float:
        spread = w @ (labels - w @ labels / w.sum()) ** 2
        return float(1 - w @ error**2 / spread) if spread > 0 else float("nan")

    return {
        "R2": r2,
        "mean absolute error": lambda w: float(w @ np.abs(error) / w.sum()),
        "root mean squared error": lambda w: float(np.sqrt(w @ error**2 / w.sum())),
        "mean error": lambda w: float(w @ error / w.sum()),
    }


def area(scores: np.ndarray, positive: np.ndarray) -> Callable[[np.ndarray], float]:
    """The area under the ROC curve as a function of the rows' weights; ties count half."""
    order = np.argsort(scores, kind="stable")
    _, starts = np.unique(scores[order], return_index=True)
    yes = positive[order].astype(np.float64)

    def figure(weights: np.ndarray) -> float:
        w = weights[order]
        up, down = np.add.reduceat(w * yes, starts), np.add.reduceat(w * (1 - yes), starts)
        pairs = up.sum() * down.sum()
        return float(up @ (np.cumsum(down) - down / 2) / pairs) if pairs > 0 else float("nan")

    return figure


@dataclass(frozen=True, eq=False)
class Calibration:
    """`confidence`, `accuracy`, `count`: `(bins,)`, of equal mass. `error`: the mean gap of the bins. `chance`: what it
    would be were the model perfectly calibrated, on as many rows. `temperature`: what divides the logits best."""

    confidence: np.ndarray
    accuracy: np.ndarray
    count: np.ndarray
    error: Estimate
    chance: float
    temperature: float
    log_loss: tuple[float, float]

    @property
    def excess(self) -> float:
        return max(self.error.value - self.chance, 0.0)


def calibration(
    labels: np.ndarray, predicted: np.ndarray, probabilities: np.ndarray, rng: np.random.Generator
) -> Calibration:
    """How far the predicted class's probability is from the share of right answers (ECE; Naeini 2015, with bins of equal
    mass as in Nguyen and O'Connor 2015), and how much of it few rows would show by chance."""
    confidence = probabilities[np.arange(len(labels)), predicted]
    right = (labels == predicted).astype(np.float64)
    bins = int(np.clip(len(labels) // 20, 2, 15))
    order = np.argsort(confidence, kind="stable")
    parts = np.array_split(order, bins)
    by_chance = [_gap(confidence, (rng.random(len(labels)) < confidence).astype(float), parts) for _ in range(200)]
    again = []
    for _ in range(200):
        drawn = rng.integers(len(labels), size=len(labels))
        drawn = drawn[np.argsort(confidence[drawn], kind="stable")]
        again.append(_gap(confidence, right, np.array_split(drawn, bins)))
    error, half = _gap(confidence, right, parts), 1.959964 * float(np.std(again))
    temperature, losses = _temperature(labels, probabilities)
    return Calibration(
        np.array([confidence[p].mean() for p in parts]),
        np.array([right[p].mean() for p in parts]),
        np.array([len(p) for p in parts]),
        Estimate(error, max(error - half, 0.0), min(error + half, 1.0)),
        float(np.mean(by_chance)),
        temperature,
        losses,
    )


def _gap(confidence: np.ndarray, right: np.ndarray, parts: list[np.ndarray]) -> float:
    n = sum(len(p) for p in parts)
    return float(sum(abs(confidence[p].mean() - right[p].mean()) * len(p) for p in parts) / n)


def _temperature(labels: np.ndarray, probabilities: np.ndarray) -> tuple[float, tuple[float, float]]:
    """The temperature of least log loss (Guo 2017), and the log loss before and after."""
    logits = np.log(np.clip(probabilities, LEAST, 1))
    rows = np.arange(len(labels))

    def loss(t: float) -> float:
        scaled = logits / t
        top = scaled.max(1, keepdims=True)
        return float(np.mean(top[:, 0] + np.log(np.exp(scaled - top).sum(1)) - scaled[rows, labels]))

    grid = np.geomspace(0.05, 20, 49)
    best = int(np.argmin([loss(t) for t in grid]))
    low, high = np.log(grid[max(best - 1, 0)]), np.log(grid[min(best + 1, len(grid) - 1)])
    golden = (np.sqrt(5) - 1) / 2
    for _ in range(30):
        left, right = high - golden * (high - low), low + golden * (high - low)
        if loss(np.exp(left)) < loss(np.exp(right)):
            high = right
        else:
            low = left
    found = float(np.exp((low + high) / 2))
    return found, (loss(1.0), loss(found))
