"""What the playground's widget shows: points of two classes, and one network while it learns them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from dlexplain.errors import InputError

FINE, COARSE = 64, 22  # places a side: of the border, of one unit's small picture
MOST_ROUNDS = 4000
_SHUFFLE_SEED = 7

# What a maker gives: the model, and a call that trains it once on all points and returns the loss.
Learner = tuple[Any, Callable[[np.ndarray, np.ndarray, float], Any]]


class Points:
    """Two classes of points in a square window, half of them held back."""

    def __init__(self, seen: Any, held: Any) -> None:
        self.seen, self.held = seen, held
        every = np.concatenate([seen.inputs, held.inputs])
        middle = (every.max(0) + every.min(0)) / 2
        half = float(np.ptp(every, axis=0).max()) / 2 * 1.12
        self.low, self.high = middle - half, middle + half

    @classmethod
    def of(cls, data: Any, shuffled: bool) -> Points:
        if data.inputs.ndim != 2 or data.inputs.shape[1] != 2 or set(np.unique(data.labels)) - {0, 1}:
            raise InputError(f"data: {data.name!r} must hold points (n, 2) of the classes 0 and 1.")
        if shuffled:
            data = replace(data, labels=np.random.default_rng(_SHUFFLE_SEED).permutation(data.labels))
        return cls(*data.split(0.5, seed=0))

    def grid(self, side: int) -> np.ndarray:
        """The middles of `side` x `side` cells, from the upper left, row by row."""
        places = (np.arange(side) + 0.5) / side
        x = self.low[0] + places * (self.high[0] - self.low[0])
        y = self.high[1] - places * (self.high[1] - self.low[1])
        return np.stack(np.meshgrid(x, y), -1).reshape(-1, 2).astype(np.float32)

    def drawn(self) -> dict[str, Any]:
        """Places in the window as bytes, with the class and whether the point was held back."""
        parts = {}
        for name, part in (("seen", self.seen), ("held", self.held)):
            at = (part.inputs - self.low) / (self.high - self.low)
            places = np.round(255 * np.stack([at[:, 0], 1 - at[:, 1]], 1)).astype(np.uint8)
            parts[name] = {"places": places.tobytes(), "labels": part.labels.astype(np.uint8).tobytes()}
        return parts


class Film:
    """One network on one set of points: its rounds of training, and what is seen after each."""

    def __init__(self, points: Points, learner: Learner) -> None:
        from dlexplain.frameworks import wrap

        self.raw, self._train = learner
        self._model, self._points = wrap(self.raw), points
        self.rounds = 0
        self.losses: list[tuple[int, float, float]] = []
        self._hidden = self._layers_after_activation()

    def _layers_after_activation(self) -> list[str]:
        """The last layer of each run of one width, without the score: what is handed on."""
        inside = self._model.activations(self._points.grid(1))
        names = [name for name, values in inside.items() if np.ndim(values) == 2][:-1]
        types = {layer.name: layer.type for layer in self._model.layers}
        weighing = [at for at, name in enumerate(names) if types.get(name) in ("Dense", "Linear")]
        return [names[end - 1] for end in [*weighing[1:], len(names)]] if names else []

    def train(self, rounds: int, rate: float) -> Film:
        if not self.losses:
            self._note()
        seen = self._points.seen
        for _ in range(min(rounds, MOST_ROUNDS - self.rounds)):
            self._train(seen.inputs, seen.labels, rate)
            self.rounds += 1
        if rounds:
            self._note()
        return self

    def _score(self, points: np.ndarray) -> np.ndarray:
        return np.asarray(self._model.predict(points), np.float64).reshape(len(points), -1)[:, -1]

    def _note(self) -> None:
        """Cross entropy of the points learned and of those held back (Bishop 2006, section 4.3.2)."""
        found = []
        for part in (self._points.seen, self._points.held):
            signed = np.where(part.labels == 1, 1.0, -1.0) * self._score(part.inputs)
            with np.errstate(invalid="ignore"):  # numbers that ran away are told by the scene
                found.append(float(np.mean(np.logaddexp(0.0, -signed))))
        self.losses.append((self.rounds, *found))

    def accuracy(self) -> tuple[float, float]:
        parts = (self._points.seen, self._points.held)
        return tuple(float(np.mean((self._score(p.inputs) > 0) == (p.labels == 1))) for p in parts)

    def scene(self) -> dict[str, Any]:
        right, held = self.accuracy()
        score = self._score(self._points.grid(FINE))
        lost = not np.isfinite(score).all()
        words = f"Round {self.rounds}: {100 * right:.0f} % of the points learned are right, {100 * held:.0f} % of those held back."
        if lost:
            words = f"Round {self.rounds}: the numbers have run away. Take a smaller learning rate, and reset."
        return {
            "side": FINE,
            "border": _bytes(np.tanh(np.nan_to_num(score) / 2)),  # twice the probability of class 1, less 1
            "points": self._points.drawn(),
            "hidden": [] if lost else self._pictures(),
            "tile": COARSE,
            "rounds": self.rounds,
            "losses": [[value if np.isfinite(value) else None for value in row] for row in self._thinned()],
            "right": [right, held],
            "summary": words,
            "alt": f"The plane in two colours, with the border between them. {words}",
        }

    def _thinned(self) -> list[tuple[int, float, float]]:
        """At most some two hundred points of the curve, the last one among them."""
        step = 1 + len(self.losses) // 200
        return self.losses[::-1][::step][::-1]

    def _pictures(self) -> list[dict[str, Any]]:
        inside = self._model.activations(self._points.grid(COARSE), self._hidden) if self._hidden else {}
        pictures = []
        for name in self._hidden:
            values = np.nan_to_num(np.asarray(inside[name], np.float64)).T
            most = np.abs(values).max(axis=1, keepdims=True)
            pictures.append({"count": len(values), "cells": _bytes(values / np.where(most > 0, most, 1))})
        return pictures


def _bytes(values: np.ndarray) -> bytes:
    """Values of -1 to 1 as 1 to 255; 128 is 0. Roots, so that a border is sharp where the slope is slight."""
    kept = np.sign(values) * np.sqrt(np.clip(np.abs(values), 0, 1))
    return np.round(128 + 127 * kept).astype(np.uint8).tobytes()
