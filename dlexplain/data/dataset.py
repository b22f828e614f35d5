"""What `load` gives: arrays that either framework takes, with names, licence and what else is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from dlexplain.data.entries import Entry
from dlexplain.errors import InputError, suggest


@dataclass(frozen=True, eq=False)
class Dataset:
    """One data set in memory.

    `inputs`: float32. Images `(n, height, width, channels)` in 0..1, tables `(n, features)`, series `(n,
    time, features)`, sound `(n, time)` in -1..1. `labels`: int64 classes, float32 for a number, None where
    there are none. `extras` holds arrays with one row a sample (masks, lengths, speakers); `truth` what is
    known because it was made. `group` names the extra that a split must not tear apart, such as the engine
    that windows were cut from.
    """

    name: str
    inputs: np.ndarray
    labels: np.ndarray | None
    kind: str
    feature_names: tuple[str, ...] | None = None
    class_names: tuple[str, ...] | None = None
    licence: str = ""
    source: str = ""
    part: str | None = None
    layout: str | None = None
    extras: Mapping[str, np.ndarray] = field(default_factory=dict)
    truth: Mapping[str, object] = field(default_factory=dict)
    group: str | None = None

    @classmethod
    def of(
        cls,
        entry: Entry,
        inputs: np.ndarray,
        labels: np.ndarray | None,
        *,
        split: str | None = None,
        **rest: object,
    ) -> Dataset:
        """A data set described by its catalogue entry."""
        described = {
            "kind": entry.kind,
            "class_names": entry.class_names,
            "licence": entry.licence,
            "source": entry.source,
        }
        return cls(entry.name, inputs, labels, part=split, **(described | rest))

    def __len__(self) -> int:
        return len(self.inputs)

    def __repr__(self) -> str:
        part = f" ({self.part})" if self.part else ""
        lines = [f"{self.name}{part}: {len(self)} samples, inputs {self.inputs.shape} {self.inputs.dtype}"]
        if self.layout:
            lines[0] += f", {self.layout}"
        if self.labels is not None:
            lines.append(f"labels: {_labels_in_short(self.labels, self.class_names)}")
        if self.feature_names:
            shown = ", ".join(self.feature_names[:4]) + (", ..." if len(self.feature_names) > 4 else "")
            lines.append(f"features: {shown}")
        if self.extras:
            lines.append("extras: " + ", ".join(f"{key} {value.shape}" for key, value in self.extras.items()))
        lines.append(f"licence: {self.licence}")
        return "\n  ".join(lines)

    def take(self, samples: np.ndarray | list[int] | slice, *, part: str | None = None) -> Dataset:
        """The samples at these positions (or under this mask), everything else with them."""
        chosen = samples if isinstance(samples, slice) else np.asarray(samples)
        return replace(
            self,
            inputs=self.inputs[chosen],
            labels=None if self.labels is None else self.labels[chosen],
            extras={key: value[chosen] for key, value in self.extras.items()},
            part=part or self.part,
        )

    def split(self, test: float = 0.25, *, seed: int = 0, by: str | None = None) -> tuple[Dataset, Dataset]:
        """(train, test), the same for the same seed, each class in the same share in both.

        `test` is the share of samples. `by` names an extra (a speaker, an engine): all samples that agree in
        it go to the same side. Raises InputError where a side would be empty.
        """
        if not 0 < test < 1:
            raise InputError(f"`test` is the share of samples held back, between 0 and 1, not {test!r}.")
        rng = np.random.default_rng(seed)
        by = by or self.group
        held = self._held_groups(test, by, rng) if by else self._held_samples(test, rng)
        if not held.any() or held.all():
            raise InputError(f"{len(self)} samples are too few to hold back a share of {test}.")
        return self.take(np.flatnonzero(~held), part="train"), self.take(np.flatnonzero(held), part="test")

    def _held_samples(self, test: float, rng: np.random.Generator) -> np.ndarray:
        held = np.zeros(len(self), bool)
        for members in self._classes():
            shuffled = rng.permutation(members)
            held[shuffled[: round(test * len(members))]] = True
        return held

    def _held_groups(self, test: float, by: str, rng: np.random.Generator) -> np.ndarray:
        if by not in self.extras:
            raise InputError(
                f"{self.name!r} has no extra {by!r}. {suggest(by, self.extras)}"
                f"Known: {', '.join(self.extras) or 'none'}."
            )
        groups = rng.permutation(np.unique(self.extras[by]))
        return np.isin(self.extras[by], groups[: max(1, round(test * len(groups)))])

    def _classes(self) -> list[np.ndarray]:
        """Positions of each class; all in one where labels are numbers or absent."""
        if self.labels is None or self.class_names is None:
            return [np.arange(len(self))]
        return [np.flatnonzero(self.labels == label) for label in np.unique(self.labels)]

    def sample(self, count: int, *, seed: int = 0) -> Dataset:
        """`count` samples without repeats, the classes as equal in number as can be, in random order."""
        if not 0 < count <= len(self):
            raise InputError(f"`count` must lie between 1 and {len(self)}, not {count!r}.")
        rng = np.random.default_rng(seed)
        # Deal the classes out in turn: first one of each, then the second of each, and so on.
        queues = [rng.permutation(members) for members in self._classes()]
        turns = np.concatenate([np.arange(len(queue)) for queue in queues])
        order = np.lexsort((rng.random(len(turns)), turns))
        return self.take(rng.permutation(np.concatenate(queues)[order[:count]]))

    def channels(self, place: str) -> Dataset:
        """The same data with channels `"first"` (Torch) or `"last"` (Keras). A copy, contiguous in memory."""
        if place not in ("first", "last"):
            raise InputError(
                f"Channels come 'first' or 'last', not {place!r}. {suggest(place, ('first', 'last'))}".strip()
            )
        if self.layout is None:
            raise InputError(
                f"{self.name!r} is a {self.kind} without channels; its inputs have shape {self.inputs.shape}."
            )
        wanted = f"channels_{place}"
        if wanted == self.layout:
            return self
        moved = np.moveaxis(self.inputs, -1, 1) if place == "first" else np.moveaxis(self.inputs, 1, -1)
        return replace(self, inputs=np.ascontiguousarray(moved), layout=wanted)

    def standardised(self, like: Dataset | None = None) -> Dataset:
        """Each feature with mean 0 and deviation 1 as measured on `like` (None: on this data set).

        Give the training part as `like` for the test part. A constant feature becomes 0. For tables and
        series.
        """
        if self.kind not in ("table", "series"):
            raise InputError(
                f"{self.name!r} is of kind {self.kind!r}; only tables and series are standardised."
            )
        measured = (like or self).inputs.astype(np.float64)
        axes = tuple(range(measured.ndim - 1))
        mean, deviation = measured.mean(axes), measured.std(axes)
        # A column that holds one value over and over deviates by rounding alone.
        deviation = np.where(deviation > 1e-9 * (1 + np.abs(mean)), deviation, np.inf)
        return replace(self, inputs=((self.inputs - mean) / deviation).astype(np.float32))


def _labels_in_short(labels: np.ndarray, class_names: tuple[str, ...] | None) -> str:
    if class_names is None:
        return f"numbers from {labels.min():g} to {labels.max():g}"
    names = ", ".join(class_names[:10]) + (", ..." if len(class_names) > 10 else "")
    return f"{len(class_names)} classes ({names})"
