"""Lesson 13's questions to a language model, and how it writes. A model here is a wrapped network: ids in, scores out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlexplain.classroom.lessons.lesson_13 import land

Fact = tuple[str, str, str]  # kind, town, thing


class Stopwatch:
    """`with Stopwatch() as watch: ...`, then `watch.seconds`: of the processor, however busy the computer is."""

    seconds = 0.0

    def __enter__(self) -> Stopwatch:
        self._start = time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.process_time() - self._start


def scores(model: Any, ids: np.ndarray) -> np.ndarray:
    """`(texts, places, words)` of ids `(texts, places)`."""
    return np.asarray(model.predict(np.asarray(ids, np.int32)), np.float64)


def softmax(scores: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Scores as chances, along the last axis."""
    powers = np.exp((scores - scores.max(-1, keepdims=True)) / temperature)
    return powers / powers.sum(-1, keepdims=True)


def chances(model: Any, texts: str | Sequence[str], temperature: float = 1.0) -> np.ndarray:
    """`(texts, words)`: of each word to come next. Texts of different lengths are asked in groups."""
    rows = [land.ids(each) for each in ([texts] if isinstance(texts, str) else texts)]
    found = np.zeros((len(rows), len(land.WORDS)))
    for length in {len(row) for row in rows}:
        group = [k for k, row in enumerate(rows) if len(row) == length]
        found[group] = softmax(scores(model, np.stack([rows[k] for k in group]))[:, -1], temperature)
    return found


def best(model: Any, text: str) -> str:
    """The likeliest next word."""
    return land.WORDS[int(chances(model, text)[0].argmax())]


def surprise(model: Any, pages: np.ndarray) -> float:
    """Mean bits a word of pages `(pages, places + 1)`."""
    given = softmax(scores(model, pages[:, :-1]))
    return float(-np.log2(np.take_along_axis(given, pages[:, 1:, None].astype(np.int64), -1)).mean())


@dataclass(frozen=True, eq=False)
class Answers:
    """One number a question. `sure`: the chance of the favourite; `true`, `fluent`: whether it is so, is of the right kind.

    `chance_of_truth`, `chance_of_kind`: what a draw brings.
    """

    sure: np.ndarray
    true: np.ndarray
    fluent: np.ndarray
    chance_of_truth: np.ndarray
    chance_of_kind: np.ndarray


def answers(model: Any, facts: Sequence[Fact], *, temperature: float = 1.0) -> Answers:
    """What the model says to each fact's question, and how it stands to the fact."""
    given = chances(model, [land.question(kind, town) for kind, town, _ in facts], temperature)
    favourite = given.argmax(-1)
    true = np.array([land.ID[thing] for *_, thing in facts])
    kinds = [[land.ID[thing] for thing in land.THINGS[kind]] for kind, *_ in facts]
    return Answers(
        given.max(-1),
        favourite == true,
        np.array([word in kind for word, kind in zip(favourite, kinds, strict=True)]),
        given[np.arange(len(true)), true],
        np.array([row[kind].sum() for row, kind in zip(given, kinds, strict=True)]),
    )


def says(model: Any, facts: Sequence[Fact], word: str) -> float:
    """The share of the facts' questions to which one word is the favourite answer."""
    given = chances(model, [land.question(kind, town) for kind, town, _ in facts])
    return float((given.argmax(-1) == land.ID[word]).mean())


def follows(model: Any, written: Callable[[Sequence[Fact]], list[str]], facts: Sequence[Fact]) -> float:
    """The share of texts made of the facts that are answered with the fact's own thing."""
    given = chances(model, written(facts))
    return float((given.argmax(-1) == [land.ID[thing] for *_, thing in facts]).mean())


def copied(model: Any, songs: np.ndarray) -> float:
    """The share of notes of the second verse (its first apart) that the model foretells; songs as of `land.songs`."""
    length = (songs.shape[1] - 2) // 2
    said = scores(model, songs)[:, 2 + length : -1].argmax(-1)
    return float((said == songs[:, 3 + length :]).mean())


def induction(attention: Any, *, length: int) -> np.ndarray:
    """`(blocks, heads)`: mean attention from each note of the second verse to the one after its twin in the first."""
    places = np.arange(2 + length, 2 + 2 * length)
    return np.stack([maps[:, :, places, places - length + 1].mean((0, 2)) for maps in attention.maps.values()])


@dataclass(frozen=True, eq=False)
class Written:
    """A text and how it came about: `start` words were given; `chances` `(words drawn, vocabulary)` after temperature."""

    ids: tuple[int, ...]
    start: int
    chances: np.ndarray


def write(model: Any, start: str, *, words: int, temperature: float, top_k: int, seed: int) -> Written:
    """Draws word after word; never longer than the network can see. `top_k`: only so many stay in the hat."""
    ids, rows, rng = list(map(int, land.ids(start))), [], np.random.default_rng(seed)
    given = len(ids)
    for _ in range(min(words, land.LENGTH - given)):
        row = scores(model, np.array([ids]))[0, -1]
        row[np.argsort(-row, kind="stable")[top_k:]] = -np.inf
        rows.append(softmax(row, temperature))
        ids.append(int(rng.choice(len(row), p=rows[-1])))
    return Written(tuple(ids), given, np.array(rows))


def short(value: float) -> str:
    """A large number as people say it: 405 G, 15.6 T; beyond that in powers of ten."""
    for size, name in ((1e18, ""), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {name}" if name else f"{value:.1e}"
    return f"{value:.3g} " if value >= 1e-3 else "under 0.001 "


def percents(rows: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, str]]:
    """Shares as whole per cents, for a table."""
    return {name: {what: f"{share:.0%}" for what, share in row.items()} for name, row in rows.items()}
