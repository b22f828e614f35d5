"""Lesson 12's bench of sentences, and the ways to ask a translator where it looks and what it needs.

A translator is any model of two inputs, the source and what is written so far, that scores every next word.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlexplain.classroom.lessons.lesson_12 import drawing as own
from dlexplain.classroom.widgets import Card, ipywidgets
from dlexplain.data import pairs as language
from dlexplain.data.pairs import Pairs

NONE = "–"


def looks(model: Any, pairs: Pairs) -> np.ndarray:
    """`(n, written, source places)`: the weights of the model's attention while it writes the true translation."""
    from dlexplain import layers

    found = layers.attention(model, (pairs.inputs, pairs.so_far))
    return found[found.layers[-1]].mean(axis=1)


def swaps(model: Any, pairs: Pairs, *, method: str = "feature_ablation", count: int = 10, seed: int = 0) -> np.ndarray:
    """`(n, written, source places)`: what each source word does for each word written, against `count` strangers.

    Strangers are sentences of the same build with other words; what is written so far stays as it is.
    """
    from dlexplain.attribution.explain import explain

    rng, values = np.random.default_rng(seed), np.zeros((len(pairs), *pairs.labels.shape[1:], pairs.inputs.shape[1]))
    for row in range(len(pairs)):
        written = np.flatnonzero(pairs.labels[row])
        same = np.tile(pairs.so_far[row], (len(written), 1))
        background = language.strangers(pairs.inputs[row], pairs, count, rng)
        found = explain(
            model,
            (np.tile(pairs.inputs[row], (len(written), 1)), same),
            method,
            target=[(int(place), int(pairs.labels[row, place])) for place in written],
            baseline=(background, np.tile(pairs.so_far[row], (count, 1))),
        )
        values[row, written] = found.values[0]
    return values


def hits(maps: np.ndarray, alignment: np.ndarray) -> float:
    """The share of written words whose largest value lies on the word that they translate."""
    written = alignment[..., 0] >= 0
    return float((maps.argmax(axis=-1) == alignment[..., 0])[written].mean())


def endings(pairs: Pairs) -> np.ndarray:
    """`(n, written)`: true where an article stands: its word and its ending come from two source words."""
    stems = tuple(stem + end for stem in language.ARTICLES.values() for end in language.ENDINGS)
    return np.isin(pairs.labels, [pairs.target_words.index(word) for word in stems])


def share_at(maps: np.ndarray, alignment: np.ndarray, column: int, where: np.ndarray) -> float:
    """Mean share that the word translated (column 0) or agreed with (1) has of a row's values above zero."""
    positive = np.maximum(maps, 0)
    share = positive / np.maximum(positive.sum(axis=-1, keepdims=True), 1e-9)
    place = np.maximum(alignment[..., column : column + 1], 0)
    return float(np.take_along_axis(share, place, axis=-1)[..., 0][where].mean())


def astray(maps: np.ndarray, alignment: np.ndarray) -> float:
    """The share of all values, signs set aside, on words that are neither translated nor agreed with."""
    size, part = np.abs(maps), np.zeros(maps.shape, bool)
    np.put_along_axis(part, np.maximum(alignment, 0), True, axis=-1)
    written = alignment[..., 0] >= 0
    return float((size * ~part)[written].sum() / size[written].sum())


def shares(maps: np.ndarray) -> np.ndarray:
    """Values above zero as shares of their row, for a grid."""
    positive = np.maximum(maps, 0)
    return positive / np.maximum(positive.sum(axis=-1, keepdims=True), 1e-9)


@dataclass(frozen=True, eq=False)
class Asked:
    """One sentence, what a network wrote, where it looked, what it needs; places beyond the words are cut off."""

    source: tuple[str, ...]
    written: tuple[str, ...]
    looked: np.ndarray
    needed: np.ndarray


class SentenceBench(Card):
    """The learner builds a sentence from menus; a network of their choice translates it, and shows its two maps.

    `translate(model, inputs)` gives the numbers written, `(n, places)`.
    """

    def __init__(
        self, networks: Mapping[str, Any], translate: Callable[[Any, np.ndarray], np.ndarray], pairs: Pairs
    ) -> None:
        widgets = ipywidgets("workbenches")
        self._networks, self._translate, self._pairs = dict(networks), translate, pairs
        self._kept: dict[tuple[str, tuple[str, ...]], Asked] = {}
        narrow = widgets.Layout(width="15em")
        style = {"description_width": "5.5em"}

        def menu(name: str, words: Mapping[str, str], value: str, *, optional: bool = False) -> Any:
            options = [NONE, *words] if optional else list(words)
            return widgets.Dropdown(options=options, value=value, description=name, layout=narrow, style=style)

        self.words = (
            menu("time", language.TIMES, "today", optional=True),
            menu("article", language.ARTICLES, "the"),
            menu("adjective", language.ADJECTIVES, "old", optional=True),
            menu("who", language.NOUNS, "king"),
            menu("does", language.VERBS, "follows"),
            menu("article", language.ARTICLES, "a"),
            menu("adjective", language.ADJECTIVES, "white", optional=True),
            menu("whom", language.NOUNS, "bird"),
        )
        self.network = widgets.Dropdown(
            options=list(self._networks), description="network", style=style,
            layout=widgets.Layout(width="100%", max_width="30em"),
        )  # fmt: skip
        self.view = widgets.HTML()
        for control in (*self.words, self.network):
            control.observe(self._show, "value")
        self._show()
        across = widgets.Layout(display="flex", flex_flow="row wrap")
        super().__init__([widgets.Box(list(self.words), layout=across), self.network, self.view])

    @property
    def sentence(self) -> tuple[str, ...]:
        """The English sentence now set."""
        return tuple(menu.value for menu in self.words if menu.value != NONE)

    def asked(self) -> Asked:
        """What the network now set does with the sentence now set."""
        key = (self.network.value, self.sentence)
        if key not in self._kept:
            self._kept[key] = self._ask(self._networks[key[0]], key[1])
        return self._kept[key]

    def _ask(self, network: Any, sentence: tuple[str, ...]) -> Asked:
        inputs = self._pairs.encode(sentence)[None]
        labels = self._translate(network, inputs)
        own_words = Pairs(inputs, labels, self._pairs.source_words, self._pairs.target_words)
        written = self._pairs.target(labels[0])
        if not written:
            nothing = np.zeros((0, len(sentence)))
            return Asked(sentence, (), nothing, nothing)
        cut = (0, slice(len(written)), slice(len(sentence)))
        return Asked(sentence, written, looks(network, own_words)[cut], shares(swaps(network, own_words))[cut])

    def _show(self, _: Any = None) -> None:
        self.view.value = self.to_html()

    def to_html(self) -> str:
        """The translation, right or wrong, and the two maps beside each other."""
        asked = self.asked()
        truth, links = language.translate(asked.source)
        right = asked.written == truth
        words = (
            f"“{html.escape(' '.join(asked.source))}” → <b>{html.escape(' '.join(asked.written) or 'nothing')}</b>, "
            + ("right." if right else f"wrong. Right would be: {html.escape(' '.join(truth))}.")
        )
        words = f'<div style="line-height:1.5;margin:.3em 0 .6em">{words}</div>'
        if not asked.written:
            return words
        maps = {"attention": asked.looked, "swap test": asked.needed}
        return words + own.grids(maps, asked.source, asked.written, links if right else None).html
