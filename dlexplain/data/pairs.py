"""Pairs of sentences to translate: an invented language whose alignment is known, dates, and a file of one's own.

Words are numbers: 0 stands for nothing, written `.`, before the first word and behind the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from dlexplain.errors import DataError, InputError

NOTHING = "."
ARTICLES = {"the": "l", "a": "un"}
ADJECTIVES = {"big": "gran", "red": "rub", "old": "vet", "small": "pik", "fast": "sel", "white": "alb"}
NOUNS = {"cat": "mira", "bird": "sola", "ship": "veda", "dog": "kano", "tree": "boro", "king": "rego"}
VERBS = {"sees": "vid", "finds": "trov", "loves": "am", "hears": "od", "follows": "seg"}
TIMES = {"today": "hodi", "often": "ofte"}
ENDINGS = "ao"
WORD_CLASSES = tuple(tuple(words) for words in (ARTICLES, ADJECTIVES, NOUNS, VERBS, TIMES))
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
_LONGEST_LINE = 400

Words = tuple[str, ...]
Link = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Sentences and their translations as numbers, `inputs` `(n, places)` and `labels` `(n, written places)`.

    `alignment` `(n, written places, 2)`: for each word written, the place of the source word that it translates and of
    the one that decides its ending (the same place where none does); -1 where nothing is written; None if unknown.
    """

    inputs: np.ndarray
    labels: np.ndarray
    source_words: Words
    target_words: Words
    alignment: np.ndarray | None = None
    apart: str = " "  # between the words, when they are shown

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def so_far(self) -> np.ndarray:
        """What stands written before each word: the labels one place later, nothing first."""
        return before(self.labels)

    def take(self, rows: np.ndarray | slice) -> Pairs:
        """Some of the pairs, with the same words."""
        links = None if self.alignment is None else self.alignment[rows]
        return replace(self, inputs=self.inputs[rows], labels=self.labels[rows], alignment=links)

    def split(self, test: float = 0.25, *, seed: int = 0) -> tuple[Pairs, Pairs]:
        """(train, test); no source stands on both sides. Raises InputError where a side would be empty."""
        if not 0 < test < 1:
            raise InputError(f"`test` is the share of pairs held back, between 0 and 1, not {test!r}.")
        _, which = np.unique(self.inputs, axis=0, return_inverse=True)
        groups = np.random.default_rng(seed).permutation(which.max() + 1)
        held = np.isin(which.ravel(), groups[: max(1, round(test * len(groups)))])
        if held.all():
            raise InputError(f"{len(self)} pairs are too few to hold back a share of {test}.")
        return self.take(np.flatnonzero(~held)), self.take(np.flatnonzero(held))

    def source(self, row: Sequence[int]) -> Words:
        """The words of a row of `inputs`, without the nothing behind them."""
        return _read(row, self.source_words)

    def target(self, row: Sequence[int]) -> Words:
        """The words of a row of `labels`."""
        return _read(row, self.target_words)

    def encode(self, words: Sequence[str]) -> np.ndarray:
        """Source words as a row of numbers. Raises InputError for a word never seen, or too many."""
        unknown = [word for word in words if word not in self.source_words]
        if unknown:
            raise InputError(f"pairs: {unknown[0]!r} is none of the {len(self.source_words) - 1} source words.")
        if len(words) > self.inputs.shape[1]:
            raise InputError(f"pairs: {len(words)} words, but there are {self.inputs.shape[1]} places.")
        return _numbers([words], self.source_words, self.inputs.shape[1])[0]


def before(labels: np.ndarray) -> np.ndarray:
    """The same rows one place later, nothing first: `(n, places)`."""
    return np.concatenate([np.zeros_like(labels[:, :1]), labels[:, :-1]], axis=1)


def language_pair(*, sentences: int = 3600, seed: int | np.random.Generator = 0) -> Pairs:
    """English and an invented language, Melo: adjectives behind their noun, the verb last, words of time at the end.

    Articles, adjectives and the verb end in `a` or `o` as their noun does (the verb: as the subject). All different.
    """
    if isinstance(sentences, bool) or not isinstance(sentences, int | np.integer) or not 2 <= sentences <= 50_000:
        raise InputError(f"`sentences` is a whole number from 2 to 50000, not {sentences!r}.")
    rng = np.random.default_rng(seed)
    made: dict[Words, tuple[Words, tuple[Link, ...]]] = {}
    while len(made) < sentences:
        english = _sentence(rng)
        made.setdefault(english, translate(english))
    endings = [stem + end for table in (ARTICLES, ADJECTIVES, VERBS) for stem in table.values() for end in ENDINGS]
    return _pairs(
        list(made),
        [melo for melo, _ in made.values()],
        tuple(word for words in WORD_CLASSES for word in words),
        (*endings, *NOUNS.values(), *TIMES.values()),
        [links for _, links in made.values()],
    )


def translate(english: Sequence[str]) -> tuple[Words, tuple[Link, ...]]:
    """The Melo of an English sentence, and its alignment: for each word (the word translated, the word agreed with)."""
    place = 0
    time: list[tuple[str, Link]] = []
    if english[0] in TIMES:
        time, place = [(TIMES[english[0]], (0, 0))], 1
    subject, noun, place = _noun_phrase(english, place)
    verb, place = place, place + 1
    thing, _, place = _noun_phrase(english, place)
    if english[verb] not in VERBS or place != len(english):
        raise InputError(f"pairs: {' '.join(english)!r} is not: (time) article (adjective) noun verb article … noun.")
    acts = (VERBS[english[verb]] + NOUNS[english[noun]][-1], (verb, noun))
    words, links = zip(*subject, *thing, acts, *time, strict=True)
    return words, links


def _noun_phrase(english: Sequence[str], first: int) -> tuple[list[tuple[str, Link]], int, int]:
    described = int(first + 1 < len(english) and english[first + 1] in ADJECTIVES)
    noun = first + 1 + described
    if noun >= len(english) or english[first] not in ARTICLES or english[noun] not in NOUNS:
        raise InputError(f"pairs: {' '.join(english)!r} has no article and noun from word {first} on.")
    end = NOUNS[english[noun]][-1]
    words = [(ARTICLES[english[first]] + end, (first, noun)), (NOUNS[english[noun]], (noun, noun))]
    if described:
        words.append((ADJECTIVES[english[first + 1]] + end, (first + 1, noun)))
    return words, noun, noun + 1


def _sentence(rng: np.random.Generator) -> Words:
    def phrase() -> list[str]:
        article, noun = rng.choice(list(ARTICLES)), rng.choice(list(NOUNS))
        adjective = [rng.choice(list(ADJECTIVES))] if rng.random() < 0.6 else []
        return [article, *adjective, noun]

    time = [rng.choice(list(TIMES))] if rng.random() < 0.5 else []
    return tuple(str(word) for word in [*time, *phrase(), rng.choice(list(VERBS)), *phrase()])


def strangers(row: np.ndarray, pairs: Pairs, count: int, rng: np.random.Generator) -> np.ndarray:
    """`(count, places)`: English sentences built as this one, every word another or the same of its class."""
    known = {pairs.source_words.index(word): words for words in WORD_CLASSES for word in words}
    made = [
        [pairs.source_words.index(str(rng.choice(known[int(word)]))) if word else 0 for word in row]
        for _ in range(count)
    ]
    return np.asarray(made, np.int64)


def dates(*, count: int = 3600, seed: int | np.random.Generator = 0) -> Pairs:
    """Dates letter by letter, `3 March 2024` to `2024-03-03`, days 1 to 28; the alignment is not known letter by letter."""
    rng = np.random.default_rng(seed)
    rows = {(int(rng.integers(1900, 2100)), int(rng.integers(12)), int(rng.integers(1, 29))) for _ in range(count)}
    ordered = [sorted(rows)[k] for k in rng.permutation(len(rows))]
    said = [tuple(f"{day} {MONTHS[month]} {year}") for year, month, day in ordered]
    meant = [tuple(f"{year}-{month + 1:02d}-{day:02d}") for year, month, day in ordered]
    made = _pairs(said, meant, tuple(sorted(set("".join(MONTHS) + " 0123456789"))), tuple("0123456789-"))
    return replace(made, apart="")


def read_pairs(path: str | Path, *, letters: bool = False, longest: int = 20, most: int = 20_000) -> Pairs:
    """A text file (UTF-8), a pair a line: source, a tab, target; what follows a second tab is left out.

    Words are parted at spaces and made small; `letters` takes letters instead. Pairs over `longest` are left out, and
    lines after `most` are not read. Raises DataError with the line that is not as it must be.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(
            f"pairs: there is no file {path.name!r}. Give a text file with a source, a tab and a target a line."
        )
    said: list[Words] = []
    meant: list[Words] = []
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, 1):
                if len(said) >= most:
                    break
                if line.strip():
                    source, target = _parted(line, number, path.name, letters)
                    if max(len(source), len(target)) <= longest:
                        said.append(source)
                        meant.append(target)
    except UnicodeDecodeError as fault:
        raise DataError(f"pairs: {path.name} is not UTF-8 text ({fault.reason}). Save it as UTF-8.") from fault
    if len(said) < 2:
        raise DataError(f"pairs: {path.name} has {len(said)} pairs of at most {longest} words; two are the least.")
    made = _pairs(said, meant, _vocabulary(said), _vocabulary(meant))
    return replace(made, apart="" if letters else " ")


def _parted(line: str, number: int, name: str, letters: bool) -> tuple[Words, Words]:
    parts = line.rstrip("\r\n").split("\t")
    if len(parts) < 2 or not parts[0].strip() or not parts[1].strip():
        raise DataError(f"pairs: line {number} of {name} is no pair: a source, one tab and a target are wanted.")
    if max(map(len, parts[:2])) > _LONGEST_LINE:
        raise DataError(f"pairs: line {number} of {name} is longer than {_LONGEST_LINE} letters. One sentence a line.")
    source, target = (tuple(part.strip()) if letters else tuple(part.lower().split()) for part in parts[:2])
    return source, target


def _vocabulary(sentences: Sequence[Words]) -> Words:
    return tuple(sorted({word for words in sentences for word in words} - {NOTHING}))


def _pairs(
    said: Sequence[Words],
    meant: Sequence[Words],
    source_words: Words,
    target_words: Words,
    links: Sequence[Sequence[Link]] | None = None,
) -> Pairs:
    source_words, target_words = (NOTHING, *source_words), (NOTHING, *target_words)
    wide, high = max(map(len, said)) + 1, max(map(len, meant)) + 1
    alignment = None
    if links is not None:
        alignment = np.full((len(said), high, 2), -1)
        for row, pairs in enumerate(links):
            alignment[row, : len(pairs)] = pairs
    return Pairs(
        _numbers(said, source_words, wide), _numbers(meant, target_words, high), source_words, target_words, alignment
    )


def _numbers(sentences: Sequence[Sequence[str]], words: Words, places: int) -> np.ndarray:
    number = {word: k for k, word in enumerate(words)}
    made = np.zeros((len(sentences), places), np.int64)
    for row, sentence in enumerate(sentences):
        made[row, : len(sentence)] = [number[word] for word in sentence]
    return made


def _read(row: Sequence[int], words: Words) -> Words:
    numbers = [int(number) for number in row]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(words[number] for number in numbers)
