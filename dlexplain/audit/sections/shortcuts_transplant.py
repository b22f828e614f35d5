"""A shortcut shown by intervention: what leads one class's attribution, put into samples of the others, flips them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dlexplain.audit.examined import maps
from dlexplain.audit.sections.knowledge_answers import decided, outputs_at
from dlexplain.audit.sections.shortcuts_places import Plane, planes, steadiest
from dlexplain.audit.subject import Subject
from dlexplain.frameworks.questions import Inputs

RECEIVERS = 200
# Fewer samples of a class say too little about what is steady in its attributions.
FEWEST = 6
_EXPLAINED, _EACH, _CLASSES, _CONTROLS = 480, 24, 80, 5


@dataclass(frozen=True)
class Group:
    """Samples that a shortcut would belong to: a predicted class, or the lowest or highest third of a regression.

    `members`: all of them. `explained`: those whose attributions are looked at. `sign`: which way they speak.
    """

    name: str
    number: int
    members: np.ndarray
    explained: np.ndarray
    sign: float = 1.0


@dataclass(frozen=True)
class Found:
    """What was put into other samples for one group, and what it did. `control`: the share that goes over when the
    same is done at places drawn at random; in a series at other times of the same sensors.

    `receivers`: numbers of the samples that were changed; `flipped`: which of them went over to the group.
    """

    group: Group
    words: str
    flipped: np.ndarray
    control: float
    receivers: np.ndarray
    donors: np.ndarray
    plane: Plane | None = None
    places: tuple[tuple[int, int], ...] = ()

    @property
    def share(self) -> float:
        return float(self.flipped.mean())

    @property
    def figure(self) -> float:
        """The share; for a series, less the control: an event that counts at any time is evidence, not a mark."""
        return self.share - self._expected

    @property
    def interval(self) -> tuple[float, float]:
        """Of the figure: Wilson's 95 % interval of the share, less the control where the figure is."""
        n, p, z = len(self.flipped), self.share, 1.959964
        middle, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        ends = (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)
        return float(ends[0]) - self._expected, float(ends[1]) - self._expected

    @property
    def _expected(self) -> float:
        return self.control if self.plane is not None and self.plane.kind == "series" else 0.0


def groups(subject: Subject) -> list[Group]:
    """Every predicted class with enough samples on both sides (the 80 most frequent), or a regression's outer thirds."""
    rng = subject.rng("shortcut groups")
    if subject.task == "regression":
        low, high = np.quantile(subject.predicted, (1 / 3, 2 / 3))
        sides = [
            ("the lowest third", subject.predicted <= low, -1.0),
            ("the highest third", subject.predicted >= high, 1.0),
        ]
        members = [(name, -1, np.flatnonzero(side), sign) for name, side, sign in sides if not side.all()]
    else:
        classes, counts = np.unique(subject.predicted, return_counts=True)
        often = np.sort(classes[np.argsort(-counts, kind="stable")[:_CLASSES]])
        wide = subject.outputs.shape[1] > 1
        members = [
            (subject.class_names[c], int(c), np.flatnonzero(subject.predicted == c), 1.0 if wide or c else -1.0)
            for c in often
        ]
    enough = [m for m in members if FEWEST <= len(m[2]) <= len(subject) - FEWEST]
    each = int(np.clip(_EXPLAINED // max(len(enough), 1), FEWEST, _EACH))
    return [
        Group(name, number, rows, np.sort(rng.choice(rows, min(each, len(rows)), replace=False)), sign)
        for name, number, rows, sign in enough
    ]


def attributions(subject: Subject, method: str, chosen: list[Group]) -> list[Inputs]:
    """Each group's values towards itself, one call for all; `sign` turns a group that speaks for a low output."""
    part = np.concatenate([g.explained for g in chosen])
    whole = maps(subject, method, part)
    ends = np.cumsum([len(g.explained) for g in chosen])[:-1]
    return [
        tuple(g.sign * v for v in values)
        for g, values in zip(chosen, zip(*(np.split(w, ends) for w in whole), strict=True), strict=True)
    ]


def transplanted(subject: Subject, method: str) -> list[Found]:
    """For every group the places that flip most, of those its attributions name."""
    chosen = groups(subject)
    if not chosen:
        return []
    found = []
    for group, values in zip(chosen, attributions(subject, method, chosen), strict=True):
        rng = np.random.default_rng([subject.seed, 10, group.number + 1, int(group.sign > 0)])
        tried = [
            _placed(subject, group, plane, places, np.random.default_rng(rng.integers(2**63)))
            for plane in planes(subject)
            if (places := steadiest(plane, values[plane.input]))
        ]
        if tried:
            found.append(max(tried, key=lambda f: f.figure))
    return found


def _placed(
    subject: Subject, group: Group, plane: Plane, places: tuple[tuple[int, int], ...], rng: np.random.Generator
) -> Found:
    receivers, donors = partners(subject, group, rng)
    given, i = subject.inputs, plane.input

    def changed(where: tuple[tuple[int, int], ...]) -> np.ndarray:
        inputs = tuple(a[receivers] for a in given)
        moved = plane.put(inputs[i], given[i][donors], where)
        return flips(subject, group, receivers, donors, (*inputs[:i], moved, *inputs[i + 1 :]))

    control = [changed(elsewhere(plane, places, rng)).mean() for _ in range(_CONTROLS)]
    words = " and ".join(plane.named(place, subject) for place in places)
    return Found(group, words, changed(places), float(np.mean(control)), receivers, donors, plane, places)


def elsewhere(
    plane: Plane, places: tuple[tuple[int, int], ...], rng: np.random.Generator
) -> tuple[tuple[int, int], ...]:
    """As many places at random; of a series the sensors stay."""
    rows, columns = (s - w + 1 for s, w in zip(plane.size, plane.window, strict=True))
    stay = plane.kind == "series"
    return tuple((int(rng.integers(rows)), column if stay else int(rng.integers(columns))) for _, column in places)


def partners(subject: Subject, group: Group, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of samples outside the group, and of a member of it for each."""
    outside = np.setdiff1d(np.arange(len(subject)), group.members)
    receivers = np.sort(rng.choice(outside, min(RECEIVERS, len(outside)), replace=False))
    return receivers, rng.choice(group.members, len(receivers))


def flips(subject: Subject, group: Group, receivers: np.ndarray, donors: np.ndarray, changed: Inputs) -> np.ndarray:
    """`(n,)` bool: which receivers go over to the group; in a regression, whose output comes nearer to the donor's
    than it stays to its own."""
    outputs = outputs_at(subject, changed)
    if subject.task == "classification":
        return decided(subject, outputs) == group.number
    now, own, other = outputs[:, 0], subject.predicted[receivers], subject.predicted[donors]
    return np.abs(now - other) < np.abs(now - own)
