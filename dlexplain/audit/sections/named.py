"""Maps as columns with names: the features of a table, pixels, sensors, points in time, places of a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dlexplain.audit.examined import maps, trusted, trusted_explainers

if TYPE_CHECKING:
    from dlexplain.audit.subject import Subject

SAMPLES = 96


@dataclass(frozen=True, eq=False)
class View:
    """One way to read the maps of one input. `values`: `(n, columns)`, signed sums over what belongs to a column;
    `sizes`: the same of absolute values. `what`: "feature", "pixel", "sensor", "time" or "place". `shape`: of a picture."""

    what: str
    names: tuple[str, ...]
    values: np.ndarray
    sizes: np.ndarray
    shape: tuple[int, int] | None = None


def rows(subject: Subject) -> np.ndarray:
    """The samples that sections 8 and 12 explain."""
    return subject.sample("global", SAMPLES)


def shown(subject: Subject) -> tuple[str, ...]:
    """Every method that may be shown."""
    return (*trusted(subject), *trusted_explainers(subject))


def views(subject: Subject, name: str) -> tuple[View, ...]:
    """A method's maps of those samples, read in every way that their kind allows."""
    part = rows(subject)
    values = maps(subject, name, part)
    kinds = subject.model.kinds(tuple(a[part] for a in subject.inputs))
    several, found = len(values) > 1, []
    for i, (array, kind) in enumerate(zip(values, kinds, strict=True)):
        lead = f"{subject.model.input_names[i]}: " if several else ""
        found += _views(subject, np.asarray(array, np.float64), kind, lead, several)
    return tuple(found)


def _views(subject: Subject, array: np.ndarray, kind: str, lead: str, several: bool) -> list[View]:
    n, first = len(array), subject.model.layout == "channels_first"
    if kind == "image":
        pixels = array if array.ndim == 3 else array.sum(1 if first else 3)
        height, width = pixels.shape[1:]
        names = tuple(f"{lead}row {r}, column {c}" for r in range(height) for c in range(width))
        flat = pixels.reshape(n, -1)
        return [View("pixel", names, flat, np.abs(flat), (height, width))]
    if kind == "series":
        lanes = array[..., None] if array.ndim == 2 else np.moveaxis(array, 1, 2) if first else array
        sensors = _names(subject, lanes.shape[2], "sensor", lead, several)
        times = tuple(f"{lead}time {t}" for t in range(lanes.shape[1]))
        return [
            View("sensor", sensors, lanes.sum(1), np.abs(lanes).sum(1)),
            View("time", times, lanes.sum(2), np.abs(lanes).sum(2)),
        ]
    flat = array.reshape(n, -1)
    if kind == "tokens":
        places = tuple(f"{lead}place {i}" for i in range(flat.shape[1]))
        return [View("place", places, flat, np.abs(flat))]
    return [View("feature", _names(subject, flat.shape[1], "feature", lead, several), flat, np.abs(flat))]


def _names(subject: Subject, count: int, word: str, lead: str, several: bool) -> tuple[str, ...]:
    given = subject.feature_names
    if len(given) == count and not several:
        return tuple(map(str, given))
    return tuple(f"{lead}{word} {i}" for i in range(count))
