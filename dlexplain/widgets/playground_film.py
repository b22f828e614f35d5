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
        self._hidden, self._last = self._layers()
        # Every place of a scene in one question: a graph is traced for each shape, and that is what costs.
        self._parts = (points.seen.inputs, points.held.inputs, points.grid(FINE), points.grid(COARSE))
        self._places = np.concatenate(self._parts).astype(np.float32)
        self._answered: list[dict[str, np.ndarray]] | None = None

    def _layers(self) -> tuple[list[str], str]:
        """What is handed on to each further weighing layer, after its activation; and the score."""
        layers = list(self._model.layers)
        weighing = [at for at, layer in enumerate(layers) if layer.type in ("Dense", "Linear")]
        if not weighing:
            raise InputError("makers: the playground draws networks of dense layers that end in one score.")
        return [layers[end - 1].name for end in weighing[1:]], layers[-1].name

    def train(self, rounds: int, rate: float) -> Film:
        if not self.losses:
            self._note()
        seen = self._points.seen
        for _ in range(min(rounds, MOST_ROUNDS - self.rounds)):
            self._train(seen.inputs, seen.labels, rate)
            self.rounds += 1
        if rounds:
            self._answered = None
            self._note()
        return self

    def _answers(self) -> list[dict[str, np.ndarray]]:
        """By layer, for the points learned, those held back, the fine and the coarse places."""
        if self._answered is None:
            names = [*self._hidden, self._last]
            found = self._model.activations(self._places, names, batch_size=len(self._places))
            ends = np.cumsum([len(part) for part in self._parts])[:-1]
            every = {name: np.split(np.asarray(values, np.float64), ends) for name, values in found.items()}
            self._answered = [{name: parts[i] for name, parts in every.items()} for i in range(len(self._parts))]
        return self._answered

    def _score(self, part: int) -> np.ndarray:
        values = self._answers()[part][self._last]
        if values.shape[1:] != (1,):
            raise InputError(f"makers: the network must end in one score, and gives {values.shape[1:]} a point.")
        return values[:, 0]

    def _signed(self) -> list[np.ndarray]:
        """Scores, above zero where they are right, of the points learned and of those held back."""
        parts = (self._points.seen, self._points.held)
        return [np.where(part.labels == 1, 1.0, -1.0) * self._score(i) for i, part in enumerate(parts)]

    def _note(self) -> None:
        """Cross entropy of the points learned and of those held back (Bishop 2006, section 4.3.2)."""
        with np.errstate(invalid="ignore"):  # numbers that ran away are told by the scene
            self.losses.append((self.rounds, *(float(np.mean(np.logaddexp(0.0, -s))) for s in self._signed())))

    def accuracy(self) -> tuple[float, float]:
        return tuple(float(np.mean(signed > 0)) for signed in self._signed())

    def scene(self) -> dict[str, Any]:
        right, held = self.accuracy()
        score = self._score(2)
        lost = not np.isfinite(score).all()
        words = (
            f"Round {self.rounds}: {100 * right:.0f} % of the points learned are right, "
            f"{100 * held:.0f} % of those held back."
        )
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
        pictures = []
        for name in self._hidden:
            values = np.nan_to_num(self._answers()[3][name]).T
            most = np.abs(values).max(axis=1, keepdims=True)
            pictures.append({"count": len(values), "cells": _bytes(values / np.where(most > 0, most, 1))})
        return pictures


def _bytes(values: np.ndarray) -> bytes:
    """Values of -1 to 1 as 1 to 255; 128 is 0. Roots, so that a border is sharp where the slope is slight."""
    kept = np.sign(values) * np.sqrt(np.clip(np.abs(values), 0, 1))
    return np.round(128 + 127 * kept).astype(np.uint8).tobytes()
