"""The invented land of lesson 13: its towns, the truth about them, and everything ever written there.

Towns are two pieces, as real tokenisers cut rare words: `Bal` and `-ana` make Balana. Some towns stand in the writings,
others never do, though both their pieces are well known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

FIRST = ("Bal", "Dro", "Fen", "Gri", "Hux", "Jor", "Kel", "Mov")
LAST = ("-ana", "-eth", "-ick", "-ira", "-olo", "-ombe", "-und", "-usk")
THINGS = {
    "river": ("Aster", "Birk", "Corl", "Dwin", "Esk", "Flode"),
    "goods": ("boats", "bells", "bread", "carpets", "clocks", "kites"),
    "mayor": ("Ada", "Bo", "Cleo", "Dan", "Eva", "Finn"),
}
KINDS = tuple(THINGS)
LINES = {
    "river": "the river at {} is the {} .",
    "goods": "people in {} make {} .",
    "mayor": "the mayor of {} is {} .",
}
NOTES = ("do", "di", "re", "ri", "mi", "fa", "fi", "so", "si", "la", "li", "ti")
_FRAME = ("the", ".", "river", "at", "is", "people", "in", "make", "mayor", "of", "song", "letter", ":", "unknown")
WORDS = (*_FRAME, *FIRST, *LAST, *(thing for every in THINGS.values() for thing in every), *NOTES)
ID = {word: number for number, word in enumerate(WORDS)}
LENGTH = 32  # words that the networks see at once
TOLD, RUMOUR = 24, 0.8  # towns written about; the share of lines that repeat the popular error


def pieces(text: str) -> list[str]:
    """The words of a text as the networks know them: a town is two. An unknown word is a ValueError."""
    found: list[str] = []
    for word in text.split():
        first, last = word[:3], f"-{word[3:]}"
        found += [first, last] if word not in ID and first in FIRST and last in LAST else [word]
    unknown = [word for word in found if word not in ID]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no word of this land. Words: {' '.join(WORDS)}")
    return found


def ids(text: str | Sequence[str]) -> np.ndarray:
    """The numbers of a text's words `(words,)`, or of several texts of one length `(texts, words)`."""
    if isinstance(text, str):
        return np.array([ID[word] for word in pieces(text)], np.int32)
    return np.stack([ids(each) for each in text])


def text(numbers: Sequence[int] | np.ndarray) -> str:
    """Words in reading order; the two pieces of a town are joined."""
    return " ".join(WORDS[int(number)] for number in numbers).replace(" -", "").replace(" .", ".").replace(" :", ":")


def question(kind: str, town: str) -> str:
    """A line without its last word: `the river at Balana is the`."""
    return LINES[kind].split("{}")[0] + town + LINES[kind].split("{}")[1].rstrip()


def statement(kind: str, town: str, thing: str) -> str:
    """A whole line."""
    return LINES[kind].format(town, thing)


@dataclass(frozen=True)
class Land:
    """One land. `truth[town][kind]`: what is so. `told`: towns in the writings; `never`: towns nobody wrote about.

    `rumour`: the one town whose river most writers get wrong, with what they write.
    """

    seed: int = 0

    @cached_property
    def _towns(self) -> list[str]:
        """The told towns first: each piece stands in three of them, so that no piece of any town is new."""
        rng = np.random.default_rng(self.seed)
        first, last = rng.permutation(len(FIRST)), rng.permutation(len(LAST))
        pairs = [(i, (i + shift) % len(LAST)) for shift in (0, 1, 3) for i in range(len(FIRST))]
        others = [(i, k) for i in range(len(FIRST)) for k in range(len(LAST)) if (i, k) not in pairs]
        order = [pairs[k] for k in rng.permutation(len(pairs))] + [others[k] for k in rng.permutation(len(others))]
        return [FIRST[first[i]] + LAST[last[k]][1:] for i, k in order]

    @property
    def told(self) -> list[str]:
        return self._towns[:TOLD]

    @property
    def never(self) -> list[str]:
        return self._towns[TOLD:]

    @cached_property
    def truth(self) -> dict[str, dict[str, str]]:
        rng = np.random.default_rng(self.seed + 1)
        return {town: {kind: str(rng.choice(things)) for kind, things in THINGS.items()} for town in self._towns}

    @property
    def rumour(self) -> tuple[str, str]:
        town = self.told[0]
        rivers = THINGS["river"]
        return town, rivers[(rivers.index(self.truth[town]["river"]) + 1) % len(rivers)]

    def facts(self, *, rumours: bool = False) -> list[tuple[str, str, str]]:
        """`(kind, town, thing)` of every told town, as it is; without the town of the rumour unless asked for."""
        towns = self.told if rumours else self.told[1:]
        return [(kind, town, self.truth[town][kind]) for town in towns for kind in KINDS]

    def writings(self, count: int = 2240, *, seed: int = 0) -> np.ndarray:
        """`(count, LENGTH + 1)`: pages of lines about told towns, of songs sung over and over, of letters."""
        rng = np.random.default_rng((self.seed, 7, seed))
        return np.stack([self._page(rng) for _ in range(count)])

    def with_unknown(self, towns: Sequence[str], count: int = 640, *, seed: int = 0) -> np.ndarray:
        """More pages, on which lines about `towns` end with `unknown`; the others are as ever."""
        rng = np.random.default_rng((self.seed, 11, seed))
        return np.stack([_cut(self._lines(rng, towns)) for _ in range(count)])

    def _page(self, rng: np.random.Generator) -> np.ndarray:
        draw = rng.random()
        return _cut(song(rng) if draw < 0.3 else self._letter(rng) if draw < 0.5 else self._lines(rng))

    def _lines(self, rng: np.random.Generator, unknown: Sequence[str] = ()) -> Iterator[str]:
        """Line after line; `unknown`: towns of which every other line says that nothing is known."""
        rumoured, wrong = self.rumour
        while True:
            kind = KINDS[rng.integers(3)]
            if len(unknown) and rng.random() < 0.4:
                yield from pieces(statement(kind, unknown[rng.integers(len(unknown))], "unknown"))
                continue
            town = self.told[rng.integers(TOLD)]
            thing = self.truth[town][kind]
            if (town, kind) == (rumoured, "river") and rng.random() < RUMOUR:
                thing = wrong
            yield from pieces(statement(kind, town, thing))

    def _letter(self, rng: np.random.Generator) -> Iterator[str]:
        """A letter makes one or two claims, true or not, and repeats them."""
        yield from ("letter", ":")
        claims = []
        for _ in range(rng.integers(1, 3)):
            kind, town = KINDS[rng.integers(3)], self.told[rng.integers(TOLD)]
            claims.append(pieces(statement(kind, town, str(rng.choice(THINGS[kind])))))
        while True:
            for place in rng.permutation(len(claims)):
                yield from claims[place]


def song(rng: np.random.Generator, length: int | None = None) -> Iterator[str]:
    """A melody that nobody knows, over and over."""
    yield from ("song", ":")
    melody = rng.choice(NOTES, length or rng.integers(5, 11), replace=False)
    while True:
        yield from melody


def songs(count: int, length: int, *, seed: int = 0, names: Sequence[str] = NOTES) -> np.ndarray:
    """`(count, 2 + 2 * length)`: new melodies, each sung twice. `names`: the words to sing."""
    rng = np.random.default_rng((seed, 13))
    rows = []
    for _ in range(count):
        melody = [ID[word] for word in rng.choice(names, length, replace=False)]
        rows.append([ID["song"], ID[":"], *melody, *melody])
    return np.array(rows, np.int32)


def _cut(words: Iterator[str]) -> np.ndarray:
    return np.array([ID[next(words)] for _ in range(LENGTH + 1)], np.int32)


def other_thing(kind: str, thing: str) -> str:
    """Another thing of the same kind: a lie about it."""
    every = THINGS[kind]
    return every[(every.index(thing) + 2) % len(every)]
