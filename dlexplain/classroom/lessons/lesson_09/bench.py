"""Lesson 09's cinema in numbers: what two trained towers hold, a visitor who clicks, and what the loop does to many.

It knows no network: it is handed the towers' tables, and moves one person's numbers by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

PLACES = 8  # films on the shelf


@dataclass(frozen=True, eq=False)
class Towers:
    """What training left: `films` `(count, width)`, and `fame` `(count,)`, their scores for one who watched nothing.

    `genre`: each film's, a position in `genres`.
    """

    films: np.ndarray
    fame: np.ndarray
    titles: Sequence[str]
    genre: np.ndarray
    genres: Sequence[str]


def chances(scores: np.ndarray) -> np.ndarray:
    """Scores as shares that sum to 1 along the last axis."""
    raised = np.exp(scores - scores.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


def variety(genre: np.ndarray, kinds: int = 6) -> float:
    """The effective number of genres: as many equal ones would be as varied. `e` to the entropy."""
    share = np.bincount(genre, minlength=kinds) / len(genre)
    share = share[share > 0]
    return float(np.exp(-(share * np.log(share)).sum()))


@dataclass(eq=False)
class Visitor:
    """One person in the cinema. `person`: how far the clicks have moved their numbers, `(width,)`; first zeros."""

    towers: Towers
    person: np.ndarray = field(init=False)
    watched: list[int] = field(default_factory=list)
    moves: list[np.ndarray] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.person = np.zeros(self.towers.films.shape[1])

    def scores(self, fame: float = 1.0) -> np.ndarray:
        """Of all films, `(count,)`; `fame`: how much of the films' fame counts."""
        return self.towers.films @ self.person + fame * self.towers.fame

    def watch(self, film: int, rate: float) -> None:
        """One step uphill for the chance of the film that was clicked: towards it, away from what was expected."""
        films = self.towers.films
        move = rate * (films[film] - chances(self.scores()) @ films)
        self.person = self.person + move
        self.moves.append(move)
        self.watched.append(int(film))

    def shelf(self, explore: int, rng: np.random.Generator, *, fame: float = 1.0) -> tuple[np.ndarray, int]:
        """Films to show, the best first, then `explore` drawn by lot; and how many of them were not drawn."""
        left = rng.permutation(np.setdiff1d(np.arange(len(self.towers.films)), self.watched))  # equals: by lot
        best = left[np.argsort(-self.scores(fame)[left], kind="stable")]
        own = min(PLACES - explore, len(best))
        lot = rng.permutation(best[own:])[: PLACES - own]
        return np.concatenate([best[:own], lot]), own

    def taste(self) -> np.ndarray:
        """What the towers believe: the share of each genre, `(genres,)`, the films' fame left out."""
        share = chances(self.towers.films @ self.person)
        return np.bincount(self.towers.genre, share, minlength=len(self.towers.genres))

    def why(self, film: int, fame: float = 1.0) -> dict[str, float]:
        """The film's score, split exactly: its fame, and each click's share."""
        towers = self.towers
        said = {"its fame": float(fame * towers.fame[film])}
        for seen, move in zip(self.watched, self.moves, strict=True):
            said[towers.titles[seen]] = float(towers.films[film] @ move)
        return said


def evenings(
    towers: Towers, taste: np.ndarray, *, rate: float, explore: int, rng: np.random.Generator, count: int = 24
) -> tuple[np.ndarray, np.ndarray]:
    """The shelf's variety and whether the evening's mood was missing from it, `(count,)` each.

    Each evening has a mood, a genre drawn from `taste`. The person clicks a film of it; where the shelf has none,
    another by taste.
    """
    visitor = Visitor(towers)
    varied, missed = [], []
    for _ in range(count):
        shown, _ = visitor.shelf(explore, rng)
        genre = towers.genre[shown]
        mood = rng.choice(len(taste), p=taste)
        chance = (genre == mood) if (genre == mood).any() else taste[genre] + 1e-3
        varied.append(variety(genre, len(taste)))
        missed.append(not (genre == mood).any())
        visitor.watch(rng.choice(shown, p=chance / chance.sum()), rate)
    return np.array(varied), np.array(missed, float)


def crowd(
    towers: Towers, loved: int, *, rate: float, explore: int, people: int = 40, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """`evenings` of many people who love so many genres, drawn by lot, all alike: `(people, count)` twice."""
    varied, missed = [], []
    for number in range(people):
        rng = np.random.default_rng((seed, number))
        taste = np.zeros(len(towers.genres))
        taste[rng.permutation(len(taste))[:loved]] = 1 / loved
        one = evenings(towers, taste, rate=rate, explore=explore, rng=rng)
        varied.append(one[0])
        missed.append(one[1])
    return np.array(varied), np.array(missed)


def neighbours_alike(films: np.ndarray, film_genres: np.ndarray, nearest: int = 5) -> float:
    """The share of each film's nearest films (by angle) that have a genre in common with it."""
    unit = films / np.linalg.norm(films, axis=1, keepdims=True)
    near = unit @ unit.T
    np.fill_diagonal(near, -np.inf)
    found = np.argsort(-near, axis=1)[:, :nearest]
    return float(np.mean([(film_genres[row] @ film_genres[i] > 0).mean() for i, row in enumerate(found)]))


def flat(films: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """The films on a plane, `(count, 2)`, near ones (by angle) near: t-SNE."""
    from sklearn.manifold import TSNE

    return TSNE(metric="cosine", init="random", perplexity=15, random_state=seed).fit_transform(films)


def mixed_histories(genre: np.ndarray, *, people: int = 24, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Histories `(people, count)` of two films of each of three genres, and a film of one of the three to explain."""
    rng = np.random.default_rng(seed)
    histories, asked = np.zeros((people, len(genre)), np.float32), np.zeros(people, int)
    for row in range(people):
        chosen = rng.permutation(int(genre.max()) + 1)[:3]
        films = [rng.permutation(np.flatnonzero(genre == each))[:3] for each in chosen]
        histories[row, np.concatenate([some[:2] for some in films])] = 1
        asked[row] = films[0][2]
    return histories, asked


def players(history: np.ndarray) -> list[list[int]]:
    """Each watched film alone; all others together, who play no part."""
    seen = np.flatnonzero(history)
    return [*([int(film)] for film in seen), [int(film) for film in np.flatnonzero(history == 0)]]


def reasons(
    explain: Callable[..., Any], histories: np.ndarray, asked: np.ndarray, genre: np.ndarray
) -> dict[str, float]:
    """How credit falls on the watched films, over many people; `explain(history, film, groups)` gives `(count,)`.

    `named`: how often the largest credit goes to a film of the genre explained. `own up`, `other down`: the share of
    films of that genre with credit above zero, and of other genres with credit below.
    """
    named, up, down = [], [], []
    for history, film in zip(histories, asked, strict=True):
        seen = np.flatnonzero(history)
        credit, own = explain(history, film, players(history))[seen], genre[seen] == genre[film]
        named.append(own[credit.argmax()])
        up.append((credit[own] > 0).mean())
        down.append((credit[~own] < 0).mean())
    return {"named": float(np.mean(named)), "own up": float(np.mean(up)), "other down": float(np.mean(down))}


def movielens() -> Any:
    """MovieLens where the learner has put it (a zip, or the folder as unpacked), else None. Nothing is downloaded."""
    from dlexplain.data.folders import own_folders, places
    from dlexplain.data.listing import find
    from dlexplain.data.loading import load

    for name in ("movielens_small", "movielens_100k"):
        entry = find(name)
        (file,) = entry.files
        unpacked = [folder / part / file.name.removesuffix(".zip") for folder in own_folders()
                    for part in ("", entry.folder)]  # fmt: skip
        for place in [*places(entry, file), *unpacked]:
            if place.exists():
                return load(name, path=place)
    return None
