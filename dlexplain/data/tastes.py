"""People whose tastes are planted and the films that they watched: who likes what, and why, is known.

The model:

* a film has one genre and a fame; each genre has the same spread of fame, and fame says nothing of the film;
* a person has a taste, a share for each genre; most people love one or two;
* whoever looks for a film takes one by chance, a film's chance being taste for its genre times its fame;
  nobody watches a film twice.
"""

from __future__ import annotations

import numpy as np

from dlexplain.data.dataset import Dataset
from dlexplain.errors import InputError

_TITLES = {
    "space": ("Silent Red Last Distant Cold Lost", "Orbit Comet Moon Signal Planet"),
    "crime": ("Dirty Quiet Wrong Double Midnight Perfect", "Alibi Witness Heist Detective Getaway"),
    "comedy": ("Crazy Awful Noisy Grumpy Clumsy Borrowed", "Wedding Neighbours Holiday Boss Uncle"),
    "romance": ("Tender First Secret Summer Broken Forbidden", "Kiss Letter Promise Waltz Goodbye"),
    "horror": ("Hungry Black Screaming Locked Bleeding Nameless", "Cellar Doll Fog Mirror Forest"),
    "history": ("Iron Golden Fallen Burning Forgotten Young", "Crown Empire Castle Queen Legion"),
}
GENRES = tuple(_TITLES)

_NARROW = 0.35  # of the Dirichlet distribution of tastes: below 1, few genres take most of a taste
_WHIM = 0.02  # a share of every choice that no taste explains


def titles() -> tuple[str, ...]:
    """180 titles, 30 a genre, in the order of `GENRES`."""
    return tuple(
        f"{first} {second}"
        for firsts, seconds in _TITLES.values()
        for second in seconds.split()
        for first in firsts.split()
    )


def tastes(*, people: int = 1500, watched: int = 12, fame: float = 1.0, seed: int | np.random.Generator = 0) -> Dataset:
    """`inputs` `(people, 180)`: 1 where a film was watched, without the last one; `labels`: that last film.

    `fame`: how unequally known the films are (0: all alike); the film of rank r has fame 1 / r**fame. Extras:
    `watched` `(people, watched)`, films in the order in which they were watched; `taste` `(people, 6)`, shares.
    `truth`: `genres`, `film_genres` `(180, 6)`, 1 where a film is of the genre, and `fame` `(180,)`.
    """
    if isinstance(people, bool) or not isinstance(people, int | np.integer) or people < 1:
        raise InputError(f"`people` is a whole number, 1 or more, not {people!r}.")
    if isinstance(watched, bool) or not isinstance(watched, int | np.integer) or not 2 <= watched <= 100:
        raise InputError(f"`watched` is a whole number of films, 2 to 100, not {watched!r}.")
    if not 0 <= fame <= 3:
        raise InputError(f"`fame` is a number from 0 to 3, not {fame!r}.")
    rng, names = np.random.default_rng(seed), titles()
    film_genres = np.repeat(np.eye(len(GENRES), dtype=np.float32), len(names) // len(GENRES), axis=0)
    known = _fame(fame, rng)
    taste = rng.dirichlet([_NARROW] * len(GENRES), people)
    chance = ((1 - _WHIM) * taste + _WHIM / len(GENRES)) @ film_genres.T * known
    order = _drawn(chance, watched, rng)
    return Dataset(
        "tastes",
        seen_before(order[:, :-1], len(names)),
        order[:, -1],
        "table",
        names,
        names,
        "MIT (made by dlexplain)",
        "dlexplain.data.tastes",
        extras={"watched": order, "taste": taste.astype(np.float32)},
        truth={"genres": GENRES, "film_genres": film_genres, "fame": known.astype(np.float32)},
    )


def seen_before(films: np.ndarray, count: int) -> np.ndarray:
    """Lists of films `(n, longest)`, filled up with -1, as ones and zeros `(n, count)`, float32."""
    rows = np.zeros((len(films), count + 1), np.float32)
    np.put_along_axis(rows, np.where(films < 0, count, films), 1, axis=1)
    return rows[:, :count]


def _fame(power: float, rng: np.random.Generator) -> np.ndarray:
    """The same set of fames in each genre, dealt out by lot; the mean is 1."""
    each = len(titles()) // len(GENRES)
    ranked = 1.0 / np.arange(1, each + 1) ** power
    return np.concatenate([rng.permutation(ranked) for _ in GENRES]) / ranked.mean()


def _drawn(chance: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """One film after the other without return, by chance: the largest of log chance plus Gumbel noise."""
    keys = np.log(chance) + rng.gumbel(size=chance.shape)
    return np.argsort(-keys, axis=1)[:, :count]
