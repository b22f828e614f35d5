"""Lesson 03's contests between hand-made and learned features, and the bench on which they are held again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlexplain.classroom import drawing as draw
from dlexplain.classroom.lessons.lesson_03 import drawing as own
from dlexplain.classroom.widgets import Card, ipywidgets

SIDES = ("by hand", "network")
WRONG = (0.0, 0.1, 0.2, 0.3, 0.4)


@dataclass(frozen=True, eq=False)
class Contest:
    """One kind of data. `inputs` for the network, `features` made by hand, a row a sample each.

    `classical()` and `network()` make a fresh learner. `final`: samples held back. `wrong`: share of training labels
    that are turned into another class. `steps`, `rate`: of the network's training.
    """

    name: str
    inputs: np.ndarray
    features: np.ndarray
    labels: np.ndarray
    sizes: tuple[int, ...]
    classical: Callable[[], Any]
    network: Callable[[], Any]
    final: int = 500
    wrong: float = 0.0
    steps: int = 200
    rate: float = 0.003

    def deal(self, size: int, seed: int, wrong: float | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Which samples to learn from, with which labels (some wrong), and which are held back."""
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(self.labels))
        learn, final = order[:size], order[-self.final :]
        classes = int(self.labels.max()) + 1
        spoilt = rng.permutation(size) < round((self.wrong if wrong is None else wrong) * size)
        return learn, (self.labels[learn] + spoilt * rng.integers(1, classes, size)) % classes, final


@dataclass(frozen=True)
class Results:
    """Shares right of every size and repeat, `(sizes, repeats)`, and processor seconds of the same shape."""

    name: str
    sizes: tuple[int, ...]
    right: Mapping[str, np.ndarray]
    seconds: Mapping[str, np.ndarray]

    @property
    def means(self) -> dict[str, list[float]]:
        return {side: [float(v) for v in self.right[side].mean(1)] for side in SIDES}

    @property
    def spread(self) -> dict[str, list[float]]:
        """Standard deviation over the repeats."""
        return {side: [float(v) for v in self.right[side].std(1, ddof=1)] for side in SIDES}

    @property
    def lead(self) -> list[tuple[float, float]]:
        """For each size how far the network leads, and that number's standard error; repeats are paired."""
        lead = self.right["network"] - self.right["by hand"]
        error = lead.std(1, ddof=1) / np.sqrt(lead.shape[1])
        return [(float(m), float(e)) for m, e in zip(lead.mean(1), error, strict=True)]

    @property
    def winners(self) -> list[str]:
        """For each size the winner, or "open" where the lead is within two standard errors."""
        return [
            "open" if abs(mean) <= 2 * error or abs(mean) < 0.005 else ("network" if mean > 0 else "by hand")
            for mean, error in self.lead
        ]


Held = Callable[[Contest, int, int, "float | None"], Mapping[str, tuple[float, float]]]


def hold(contest: Contest, once: Held, repeats: int = 4) -> Results:
    """Every size, `repeats` times, with other examples each time. `once` gives (share right, seconds) of each side."""
    found = [[once(contest, size, seed, None) for seed in range(repeats)] for size in contest.sizes]

    def collect(which: int) -> dict[str, np.ndarray]:
        return {side: np.array([[one[side][which] for one in row] for row in found]) for side in SIDES}

    return Results(contest.name, contest.sizes, collect(0), collect(1))


class ContestBench(Card):
    """Kind of data, number of examples, wrong labels: both sides are trained again, beside the curves measured."""

    def __init__(self, contests: Sequence[Contest], results: Sequence[Results], once: Held) -> None:
        widgets = ipywidgets("workbenches")
        self._contests = {each.name: each for each in contests}
        self._results = {each.name: each for each in results}
        self._once, self._kept, self._loading = once, {}, False
        wide = {"layout": widgets.Layout(width="100%", max_width="34em"), "style": {"description_width": "9em"}}
        self.kind = widgets.Dropdown(options=list(self._contests), description="data", **wide)
        self.size = widgets.SelectionSlider(
            options=[(str(s), s) for s in contests[0].sizes], description="examples", continuous_update=False, **wide
        )
        self.wrong = widgets.SelectionSlider(
            options=[(f"{each:.0%}", each) for each in WRONG], value=contests[0].wrong, description="wrong labels",
            continuous_update=False, **wide,
        )  # fmt: skip
        self.draw = widgets.SelectionSlider(
            options=[(f"no. {k + 1}", k) for k in range(8)],
            description="which examples",
            continuous_update=False,
            **wide,
        )
        self.view = widgets.HTML()
        self.kind.observe(self._load, "value")
        for control in (self.size, self.wrong, self.draw):
            control.observe(self._show, "value")
        self._show()
        super().__init__([self.kind, self.size, self.wrong, self.draw, self.view])

    def _load(self, _: Any = None) -> None:
        """Another kind of data has its own sizes, and its own share of wrong labels to begin with."""
        contest = self._contests[self.kind.value]
        self._loading = True
        self.size.options = [(str(size), size) for size in contest.sizes]
        self.size.value, self.wrong.value = contest.sizes[0], contest.wrong
        self._loading = False
        self._show()

    def _show(self, _: Any = None) -> None:
        if not self._loading:
            self.view.value = self.to_html()

    @property
    def now(self) -> dict[str, float]:
        """Shares right of both sides as the controls stand; trained once for each setting."""
        key = (self.kind.value, self.size.value, self.wrong.value, self.draw.value)
        if key not in self._kept:
            contest = self._contests[key[0]]
            found = self._once(contest, key[1], 100 + key[3], key[2])  # not the examples of the measured curves
            self._kept[key] = {side: float(found[side][0]) for side in SIDES}
        return self._kept[key]

    def to_html(self) -> str:
        """The measured curves, both new results on them, and both in words."""
        now, contest = self.now, self._contests[self.kind.value]
        lead = now["network"] - now["by hand"]
        said = "Both are level" if abs(lead) < 0.005 else f"{'The network' if lead > 0 else 'By hand'} leads"
        words = (
            f"<b>{self.kind.value}</b>, {self.size.value} examples, {self.wrong.value:.0%} wrong labels: by hand "
            f"<b>{now['by hand']:.1%}</b> right, network <b>{now['network']:.1%}</b>. {said}"
            + ("." if abs(lead) < 0.005 else f", by {100 * abs(lead):.1f} points.")
            + f" Large marks: trained just now. Lines: {contest.wrong:.0%} wrong labels, mean and spread of the repeats."
        )
        picture = own.contest_chart(self._results[self.kind.value], self.size.value, now)
        return draw.row([picture], words, draw.plain(words))
