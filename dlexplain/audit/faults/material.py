"""The data on which faults are planted and sound models trained: split by the seed, in the framework's own layout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dlexplain.data import load
from dlexplain.frameworks import training
from dlexplain.frameworks.training import Plan


@dataclass(frozen=True, eq=False, kw_only=True)
class Material:
    """Training and audit rows, channels last. `outputs`: classes, or 1 for a regression."""

    train: np.ndarray
    train_labels: np.ndarray
    inputs: np.ndarray
    labels: np.ndarray
    outputs: int
    class_names: tuple[str, ...] | None = None
    feature_names: tuple[str, ...] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return self.train.shape[1:]

    def arguments(self, framework: str) -> dict[str, Any]:
        """What `dlx.audit` is told of the data, in the framework's layout."""
        train = training.own_layout(framework, self.train)
        return {
            "background": train[:100],
            "train": (train, self.train_labels),
            "class_names": self.class_names,
            "feature_names": self.feature_names,
        }

    def fitted(self, framework: str, plan: Plan, *, seed: int, epochs: int, **options: Any) -> Any:
        """A network of that plan trained on the training rows."""
        model = training.build(framework, plan, self.shape, self.outputs, seed=seed)
        x = training.own_layout(framework, self.train)
        training.fit(model, x, self.train_labels, epochs=epochs, seed=seed, **options)
        return model

    def with_column(
        self, name: str, make: Callable[[np.ndarray, np.random.Generator], np.ndarray], seed: int
    ) -> Material:
        """A table with one column more, at a place of the seed's choosing: `make(labels, rng)`."""
        rng = np.random.default_rng([seed, 77])
        place = int(rng.integers(self.shape[0] + 1))
        train, inputs = (
            np.insert(x, place, make(y, rng).astype(np.float32), axis=1)
            for x, y in ((self.train, self.train_labels), (self.inputs, self.labels))
        )
        names = (*self.feature_names[:place], name, *self.feature_names[place:])
        return replace(self, train=train, inputs=inputs, feature_names=names)


def digits(seed: int, rows: int = 300) -> Material:
    train, held = load("digits").split(0.3, seed=seed)
    held = held.sample(min(rows, len(held)), seed=seed)
    return _of(train, held, 10)


def table(name: str, seed: int, share: float = 0.4) -> Material:
    """Of scikit-learn: breast_cancer, wine (classes) or diabetes (a number, standardised); features standardised."""
    train, held = load(name).split(share, seed=seed)
    held, train = held.standardised(like=train), train.standardised()
    if train.class_names is None:
        mean, deviation = train.labels.mean(), train.labels.std()
        train, held = (replace(part, labels=(part.labels - mean) / deviation) for part in (train, held))
    return _of(train, held, len(train.class_names) if train.class_names else 1)


def series(seed: int, samples: int = 700, steps: int = 32) -> Material:
    """Three sensors of noise; the classes are a bump in the first, a step in the second, neither."""
    rng = np.random.default_rng([seed, 11])
    labels = rng.permutation(np.arange(samples) % 3)
    x = rng.normal(0, 0.5, (samples, steps, 3)).astype(np.float32)
    at, time = rng.integers(6, steps - 6, samples), np.arange(steps)
    bump = 2.0 * np.exp(-(((time - at[:, None]) / 2) ** 2) / 2)
    step = 1.2 * (time >= at[:, None])
    x[:, :, 0] += np.where((labels == 0)[:, None], bump, 0)
    x[:, :, 1] += np.where((labels == 1)[:, None], step, 0)
    return _cut(x, labels, 3, ("bump", "step", "neither"), ("sensor a", "sensor b", "sensor c"))


def tokens(seed: int, samples: int = 800, length: int = 14, vocabulary: int = 40) -> Material:
    """Ids padded with 0 at the end; words 1 to 8 speak for the class, 9 to 16 against it, the rest say nothing."""
    rng = np.random.default_rng([seed, 13])
    ids = rng.integers(17, vocabulary, (samples, length))
    labels = rng.permutation(np.arange(samples) % 2)
    telling = rng.integers(1, 9, (samples, length)) + np.where(labels == 1, 0, 8)[:, None]
    other = rng.integers(1, 9, (samples, length)) + np.where(labels == 1, 8, 0)[:, None]
    chance = rng.random((samples, length))
    ids = np.where(chance < 0.35, telling, np.where(chance < 0.4, other, ids))
    sizes = rng.integers(6, length + 1, samples)
    ids[np.arange(length) >= sizes[:, None]] = 0
    return _cut(ids.astype(np.int64), labels, 2, ("against", "for"), None)


def _of(train: Any, held: Any, outputs: int) -> Material:
    return Material(
        train=train.inputs,
        train_labels=train.labels,
        inputs=held.inputs,
        labels=held.labels,
        outputs=outputs,
        class_names=train.class_names,
        feature_names=train.feature_names,
    )


def _cut(x, labels, outputs, class_names, feature_names, rows: int = 250) -> Material:
    labels = labels.astype(np.int64)
    return Material(
        train=x[rows:],
        train_labels=labels[rows:],
        inputs=x[:rows],
        labels=labels[:rows],
        outputs=outputs,
        class_names=class_names,
        feature_names=feature_names,
    )
