"""Lesson 07's workbench: one picture, one stamp to move, layers to make anew; every map beside its score.

All that the controls can ask for is asked beforehand, of the networks, of copies with fresh weights and of two rows that
know nothing: moving a slider only looks it up.
"""

from __future__ import annotations

import html
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlexplain.classroom import drawing as draw
from dlexplain.classroom.lessons.lesson_07.drawing import score_bars, signed
from dlexplain.classroom.pages import folded
from dlexplain.classroom.widgets import Card, ipywidgets

WAYS = {
    "integrated gradients": "integrated_gradients",
    "saliency": "saliency",
    "SmoothGrad": "smoothgrad",
    "occlusion": "occlusion",
    "Grad-CAM": "gradcam",
}
RANDOM, BLIND = "random", "model-blind"  # the names that `dlx.evaluate` gives its control rows
SCORES = {
    "faithfulness correlation": "do the named pixels move this network's score? 1 is best, chance is 0",
    "share on the stamp": "how much of what speaks for it lies on the stamp",
    "likeness, with signs": "to the map of the trained network; a map that explains it falls to 0",
    "likeness, sizes only": "the same without signs",
    "gap": "how far the values are from the bill that must add up; 0 is best, shares above 2 are cut off",
}
_ENDS = {
    "faithfulness correlation": (-1, 1), "share on the stamp": (0, 1), "likeness, with signs": (-1, 1),
    "likeness, sizes only": (-1, 1), "gap": (0, 2),
}  # fmt: skip


@dataclass(frozen=True)
class State:
    """A network with its first `level` layers from the top made anew. `maps[row]`: `(pictures, height, width)`;
    `scores[row, score]`: `(pictures,)`; `outputs`: `(pictures, classes)`."""

    layers: tuple[str, ...]
    outputs: np.ndarray
    maps: Mapping[str, np.ndarray]
    scores: Mapping[tuple[str, str], np.ndarray]


class TrustBench(Card):
    """Choose a network, a map, a score, where the stamp is; make layers anew from the top and watch both change.

    `pictures`: `(height, width, 1)` by name; `stamps`: where the stamp is in each, bool `(height, width)`, none elsewhere.
    `networks`: any framework, by name. `asked`: the class that is explained.
    """

    def __init__(
        self,
        networks: Mapping[str, Any],
        pictures: Mapping[str, np.ndarray],
        stamps: Mapping[str, np.ndarray],
        *,
        asked: int,
    ) -> None:
        widgets = ipywidgets("workbenches")
        self._asked, self._places = asked, list(pictures)
        self._pictures = np.stack([np.asarray(p, np.float32) for p in pictures.values()])
        empty = np.zeros(self._pictures.shape[1:3], bool)
        truth = np.stack([np.asarray(stamps.get(name, empty), bool) for name in pictures])
        self._known = {name: _states(network, self._pictures, truth, asked) for name, network in networks.items()}
        most = max(len(states) for states in self._known.values()) - 1
        wide = {"layout": widgets.Layout(width="100%", max_width="34em"), "style": {"description_width": "10em"}}
        self.network = widgets.Dropdown(options=list(networks), description="network", **wide)
        self.place = widgets.Dropdown(options=self._places, description="stamp", **wide)
        self.way = widgets.Dropdown(options=[*WAYS, BLIND, RANDOM], description="map", **wide)
        self.score = widgets.Dropdown(options=list(SCORES), description="score", **wide)
        self.level = widgets.IntSlider(
            value=0, min=0, max=most, description="layers made anew", continuous_update=True, **wide
        )
        self.view = widgets.HTML()
        controls = (self.level, self.network, self.place, self.way, self.score)
        for control in controls:
            control.observe(self._show, "value")
        self._show()
        super().__init__([self.view, *controls])

    @property
    def state(self) -> State:
        states = self._known[self.network.value]
        return states[min(self.level.value, len(states) - 1)]

    def value(self, row: str, score: str) -> float:
        """A row's score for the present network, stamp and layers; NaN where it has none."""
        return float(self.state.scores[row, score][self._places.index(self.place.value)])

    def _show(self, _: Any = None) -> None:
        self.view.value = self._drawn()

    def to_html(self) -> str:
        """The present state, and the chosen map after each step of making layers anew, folded."""
        at, behind = self._places.index(self.place.value), self._pictures[..., 0]
        steps = []
        for level, state in enumerate(self._known[self.network.value]):
            found = state.maps[self.way.value][at]
            name = "trained" if level == 0 else f"{level} made anew"
            steps.append(draw.panel(signed(found, behind=behind[at]), name))
        said = f"The map {self.way.value} of {self.network.value} while layers are made anew from the top."
        return self._drawn() + folded("The same map while layers are made anew", draw.row(steps, "", said))

    def _drawn(self) -> str:
        state, at = self.state, self._places.index(self.place.value)
        picture, found = self._pictures[at, ..., 0], state.maps[self.way.value][at]
        rows = {row: self.value(row, self.score.value) for row in (*WAYS, BLIND, RANDOM)}
        score = self.score.value
        bars = score_bars(rows, _ENDS[score], chosen=self.way.value, controls=(BLIND, RANDOM), title=score.capitalize())
        reads, anew = int(state.outputs[at].argmax()), ", ".join(state.layers) or "none"
        words = (
            f"The network reads <b>{reads}</b>; its score for {self._asked} is "
            f"<b>{draw.number(state.outputs[at, self._asked], signed=True)}</b>. Layers made anew: {html.escape(anew)}.<br>"
            f"<small>{self.score.value.capitalize()}: {SCORES[self.score.value]}. "
            "The map is drawn as strong as it goes: compare places and signs, not strength.</small>"
        )
        values = "; ".join(f"{row} {_said(value)}" for row, value in rows.items())
        alt = (
            f"{self.network.value}, {self.place.value}. Map: {self.way.value}. {draw.plain(words)} "
            f"{self.score.value}: {values}."
        )
        parts = [
            draw.panel(draw.grey(picture), "the picture"),
            draw.panel(signed(found, behind=picture), self.way.value),
            bars,
        ]
        return draw.row(parts, words, alt)


def in_layout(model: Any, pictures: np.ndarray) -> np.ndarray:
    """Pictures `(n, height, width, channels)` as this model wants them."""
    from dlexplain import wrap

    return np.moveaxis(pictures, -1, 1) if wrap(model).layout == "channels_first" else pictures


def heatmaps(model: Any, values: np.ndarray) -> np.ndarray:
    """`(n, height, width)` of values in a model's layout."""
    from dlexplain import wrap

    return np.asarray(values, np.float64).sum(1 if wrap(model).layout == "channels_first" else -1)


def _states(network: Any, pictures: np.ndarray, truth: np.ndarray, asked: int) -> list[State]:
    """The trained network first, then one layer more made anew each time, from the output on."""
    from dlexplain import wrap

    model = wrap(network)
    arrays = (in_layout(model, pictures).astype(np.float32),)
    layers = model.weighted(arrays)[::-1]
    blind = _controls(model, arrays, asked)
    states: list[State] = []
    for level in range(len(layers) + 1):
        changed = model.reinitialised(layers[:level], 0) if level else model
        values = {row: _asked(changed, arrays[0], way, asked) for row, way in WAYS.items()}
        values |= {row: examinee(changed) for row, examinee in blind.items()}
        maps = {row: heatmaps(model, found) for row, found in values.items()}
        scores = _scores(changed, arrays[0], values, in_layout(model, truth[..., None]), asked)
        trained = states[0].maps if states else maps
        scores |= {(row, name): like for row in maps for name, like in _likeness(trained[row], maps[row]).items()}
        states.append(State(layers[:level], np.asarray(changed.predict(arrays[0])), maps, scores))
    return states


def _asked(model: Any, inputs: np.ndarray, way: str, target: int) -> np.ndarray:
    from dlexplain.attribution import explain
    from dlexplain.errors import GapWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GapWarning)  # fresh weights hardly move: a tiny gap is a large share
        options = {"tolerance": 0.01} if way == "integrated_gradients" else {}
        return explain(model, inputs, way, target=target, **options).values


def _controls(model: Any, arrays: tuple[np.ndarray], asked: int) -> dict[str, Any]:
    """The two rows that know nothing, as functions of a network."""
    from dlexplain.evaluation.controls import model_blind, random_map
    from dlexplain.frameworks.questions import Target

    goal = Target(np.full((len(arrays[0]), 1), asked))
    rows = {BLIND: model_blind(model, arrays, (np.zeros_like(arrays[0][:1]),)), RANDOM: random_map(model)}
    return {row: lambda changed, e=examinee: e(changed, arrays, goal, 0)[0] for row, examinee in rows.items()}


def _scores(
    model: Any, inputs: np.ndarray, values: Mapping[str, np.ndarray], truth: np.ndarray, asked: int
) -> dict[tuple[str, str], np.ndarray]:
    from dlexplain.evaluation import evaluate

    names = {
        "faithfulness_correlation": "faithfulness correlation",
        "relevance_mass": "share on the stamp",
        "completeness_error": "gap",
    }
    # An evaluation keeps the names of its control rows for itself.
    named = {f"map: {row}": found for row, found in values.items()}
    exam = evaluate(model, inputs, named, list(names), controls=False, target=asked, truth=truth)
    return {(row.removeprefix("map: "), names[metric]): found for (row, metric), found in exam.scores.items()}


def _likeness(trained: np.ndarray, now: np.ndarray) -> dict[str, np.ndarray]:
    flat = trained.reshape(len(trained), -1), now.reshape(len(now), -1)
    return {
        "likeness, with signs": rank_correlation(*flat),
        "likeness, sizes only": rank_correlation(*map(np.abs, flat)),
    }


def rank_correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """`(n,)`: for each row of two arrays `(n, k)`, how far both put their values in the same order: 1 the same, 0 none."""
    from dlexplain.evaluation.correlation import spearman

    return spearman(np.asarray(a, np.float64), np.asarray(b, np.float64))


def _said(value: float) -> str:
    return "none" if np.isnan(value) else draw.number(value)


SPOILED = {"P": "halved", "Q": "signs turned round", "S": "moved by one pixel", "T": "signs dropped"}
HONEST = "R"


def suspects() -> dict[str, Any]:
    """Five explainers under letters: integrated gradients, honest or spoiled on purpose, see `SPOILED`."""
    from dlexplain.evaluation import Examinee, of_method

    honest = of_method("integrated_gradients", None)

    def spoiled(change: Callable[[np.ndarray, int], np.ndarray]) -> Callable:
        def function(model: Any, inputs: Any, target: Any, seed: int) -> Any:
            across = -1 if model.layout == "channels_first" else -2
            return tuple(change(values, across) for values in honest(model, inputs, target, seed))

        return function

    functions = {
        "P": spoiled(lambda values, across: values / 2),
        "Q": spoiled(lambda values, across: -values),
        HONEST: honest,
        "S": spoiled(lambda values, across: np.roll(values, 1, across)),
        "T": spoiled(lambda values, across: np.abs(values)),
    }
    return {letter: Examinee(name=letter, function=function) for letter, function in functions.items()}


def unseen(scores: Any) -> dict[str, str]:
    """For each column of the line-up's table, the spoiled maps that score as well as the honest one."""
    from dlexplain.evaluation.registry import get

    found = {}
    for question in scores.columns:
        worse = (scores[question] - scores.loc[HONEST, question]) * (1 if get(question).better == "lower" else -1)
        found[question] = ", ".join(said for letter, said in SPOILED.items() if worse[letter] < 0.02)
    return found


def located_table(tables: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Any:
    """`tables[network][metric][row]`; a row a method: how often the strongest pixel hits, and the share, if there is any."""

    def cell(scores: Mapping[str, Mapping[str, float]], row: str) -> str:
        share = scores["relevance_mass"][row]
        return f"{scores['pointing_game'][row]:.0%} \u00b7 {'empty' if np.isnan(share) else f'{share:.2f}'}"

    rows = next(iter(tables.values()))["pointing_game"]
    return draw.table({row: {name: cell(found, row) for name, found in tables.items()} for row in rows})
