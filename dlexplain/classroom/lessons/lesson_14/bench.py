"""Lesson 14's bench: digits a class, a way of learning and a rate; it learns anew and shows what it mistakes."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from dlexplain.classroom import drawing as draw
from dlexplain.classroom.lessons.lesson_14 import drawing as own
from dlexplain.classroom.pages import table
from dlexplain.classroom.widgets import Card, ipywidgets

SIZES = (1, 2, 3, 5, 10, 20, 50)
RATES = (0.0001, 0.001, 0.01, 0.1)
KEPT = 6

Learner = Callable[[np.ndarray, float], np.ndarray]


def draw_places(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """`count` places of each label, none twice, drawn by the seed."""
    rng = np.random.default_rng(seed)
    return np.concatenate(
        [rng.choice(np.flatnonzero(labels == each), count, replace=False) for each in np.unique(labels)]
    )


class TuningBench(Card):
    """Digits a class, a way and a learning rate; another draw; accuracy and confusions of a network learned anew.

    `learners`: by name, a function of the places to learn from and the rate, which gives the scores `(n, 10)` of the
    test digits. `pool_labels`: of what is drawn from; `test_labels`: of the test digits.
    """

    def __init__(self, learners: Mapping[str, Learner], pool_labels: np.ndarray, test_labels: np.ndarray) -> None:
        widgets = ipywidgets("workbenches")
        self._learners = dict(learners)
        self._pool, self._test = np.asarray(pool_labels), np.asarray(test_labels)
        self._seed = 0
        self.tries: list[tuple[str, int, float, int, float]] = []
        wide = {"layout": widgets.Layout(width="100%", max_width="30em"), "style": {"description_width": "9em"}}
        self.way = widgets.Dropdown(options=list(self._learners), description="way", **wide)
        self.size = widgets.SelectionSlider(
            options=[(str(size), size) for size in SIZES], value=5, description="digits a class", **wide
        )
        self.rate = widgets.SelectionSlider(
            options=[(f"{rate:g}", rate) for rate in RATES], value=0.01, description="learning rate", **wide
        )
        self.again = widgets.Button(description="draw other digits")
        self.view = widgets.HTML()
        for control in (self.way, self.size, self.rate):
            control.observe(self._learn, "value")
        self.again.on_click(self._another)
        self._learn()
        super().__init__([self.way, self.size, self.rate, self.again, self.view])

    def _another(self, _: Any = None) -> None:
        self._seed += 1
        self._learn()

    def _learn(self, _: Any = None) -> None:
        places = draw_places(self._pool, self.size.value, self._seed)
        self.read = np.asarray(self._learners[self.way.value](places, self.rate.value)).argmax(1)
        self.right = float((self.read == self._test).mean())
        self.tries = [
            *self.tries, (self.way.value, self.size.value, self.rate.value, self._seed + 1, self.right)
        ][-KEPT:]  # fmt: skip
        self.view.value = self.to_html()

    def to_html(self) -> str:
        """How many test digits are read right, what is mistaken for what, and the last tries."""
        counts = np.zeros((10, 10), int)
        np.add.at(counts, (self._test, self.read), 1)
        np.fill_diagonal(counts, 0)
        i, j = np.unravel_index(counts.argmax(), counts.shape)
        words = (
            f"<b>{html.escape(self.way.value)}</b>, {self.size.value} a class, rate {self.rate.value:g}: "
            f"<b>{self.right:.1%}</b> of {len(self._test)} new digits right."
        )
        if counts.max():
            words += f" Most frequent mistake: {i} read as {j}, {counts.max()} times."
        rows = [
            [html.escape(way), str(size), f"{rate:g}", str(draw_number), f"{right:.1%}"]
            for way, size, rate, draw_number, right in reversed(self.tries)
        ]
        told = table(["your last tries", "a class", "rate", "draw", "right"], rows, "")
        status = f'<div role="status" aria-live="polite">{words}</div>'
        return draw.row([own.confusions(self._test, self.read), told], status, draw.plain(words))
