"""Lesson 03's generated data: reviews whose truth is known, sung vowels, digits put somewhere on a larger page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


def words(text: str) -> tuple[str, ...]:
    """A text cut at its blanks."""
    return tuple(text.split())


GOOD = words(
    "lovely superb fresh great perfect pleasant charming splendid warm quick friendly tasty fine neat bright "
    "kind gentle honest rich smooth golden cheerful crisp elegant lively polite sweet tender proud generous"
)
BAD = words(
    "awful stale poor horrid dull nasty cold sour dreadful bland slow rude bitter greasy gloomy grim harsh lame "
    "shabby sloppy tired ugly vile weak wretched soggy clumsy dirty dreary feeble"
)
FILL = words("the a and but today really this with our here very we had found then")
WORDS = (*GOOD, *BAD, "soup", "waiter", *FILL)
LENGTH = 8  # words in each review

RATE, SAMPLES = 5000, 512  # of a sound: samples a second, samples in all
# The first two resonances of the throat, in Hz: Peterson and Barney 1952, means of men.
VOWELS = {"a": (730, 1090), "e": (530, 1840), "i": (270, 2290), "o": (570, 840), "u": (300, 870)}


@dataclass(frozen=True, eq=False)
class Reviews:
    """`words` `(n, 8)`: numbers into `WORDS`. `decides` `(n,)`: the place of the word that makes the label.

    `other` `(n,)`: the place of the other adjective.
    """

    words: np.ndarray
    labels: np.ndarray
    decides: np.ndarray
    other: np.ndarray

    def text(self, index: int) -> str:
        """One review in letters."""
        return " ".join(WORDS[word] for word in self.words[index])


def reviews(samples: int, question: str, seed: int) -> Reviews:
    """Two adjectives, each before its noun, in either order, among filling words; label 1: good.

    `question` "words": both adjectives have the label's tone. "order": the soup's adjective alone has it; the waiter's
    is good or bad by chance.
    """
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(samples) % 2)
    tones = np.stack([labels, labels if question == "words" else rng.integers(0, 2, samples)], 1)
    adjectives = rng.integers(0, len(GOOD), (samples, 2)) + len(GOOD) * (1 - tones)
    soup = WORDS.index("soup")
    words = rng.integers(soup + 2, len(WORDS), (samples, LENGTH))
    first = rng.integers(0, 2, samples)  # whether the soup or the waiter comes first
    rows, places = np.arange(samples), np.array([1, 5])
    for noun in (0, 1):
        at = places[(first + noun) % 2]
        words[rows, at], words[rows, at + 1] = adjectives[:, noun], soup + noun
    return Reviews(words, labels, places[first], places[1 - first])


def vowels(samples: int, seed: int, noise: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Sounds `(samples, 512)` of about 0.1 s and which of `VOWELS` each is; pitch, throat and start by chance."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(VOWELS), samples)
    centre = np.array(list(VOWELS.values()), float)[labels]
    centre = centre * rng.uniform(0.9, 1.1, (samples, 1)) * rng.uniform(0.96, 1.04, (samples, 2))
    pitch, start = rng.uniform(90, 220, samples), rng.uniform(0, 1, samples)
    tones = np.arange(1, 28)  # the overtones of the vocal cords
    hertz = pitch[:, None] * tones
    ratio = hertz[..., None] / centre[:, None]
    throat = np.prod(1 / np.sqrt((1 - ratio**2) ** 2 + (90 * ratio / centre[:, None]) ** 2), -1)
    loud = (hertz < RATE / 2) / tones * throat
    time = np.arange(SAMPLES) / RATE
    sounds = np.stack(
        [loud[i] @ np.cos(2 * np.pi * tones[:, None] * (pitch[i] * time + start[i])) for i in range(samples)]
    )
    sounds /= sounds.std(1, keepdims=True)
    sounds += noise * rng.normal(size=sounds.shape)
    return (sounds / 3).astype(np.float32), labels


def moved(pictures: np.ndarray, seed: int, side: int = 16) -> np.ndarray:
    """Pictures `(n, height, width)` put somewhere on a black page `(n, side, side)`."""
    rng = np.random.default_rng(seed)
    count, height, width = pictures.shape
    page = np.zeros((count, side, side), np.float32)
    downs, rights = rng.integers(0, side - height + 1, count), rng.integers(0, side - width + 1, count)
    for picture, empty, down, right in zip(pictures, page, downs, rights, strict=True):
        empty[down : down + height, right : right + width] = picture
    return page
