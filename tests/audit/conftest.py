"""Small networks that learned something real, in each framework: shared by every test of the audit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest


@dataclass(frozen=True)
class Trained:
    """A sound model with data it has not seen. `train`: what it learned from. Inputs in the framework's own layout."""

    model: Any
    inputs: np.ndarray
    labels: np.ndarray
    train: tuple[np.ndarray, np.ndarray]
    feature_names: tuple[str, ...] | None
    class_names: tuple[str, ...]

    def told(self, **others: Any) -> dict[str, Any]:
        """The arguments of `dlx.audit` by name."""
        given = ("model", "inputs", "labels", "train", "feature_names", "class_names")
        return {**{name: getattr(self, name) for name in given}, **others}


@pytest.fixture(scope="session")
def digits_torch() -> Trained:
    return _digits("torch")


@pytest.fixture(scope="session")
def digits_keras() -> Trained:
    return _digits("keras")


@pytest.fixture(scope="session")
def cancer_torch() -> Trained:
    return _cancer("torch")


@pytest.fixture(scope="session")
def cancer_keras() -> Trained:
    return _cancer("keras")


def _digits(framework: str) -> Trained:
    from sklearn.datasets import load_digits

    found = load_digits()
    pictures = (found.images / 16).astype(np.float32)
    pictures = pictures[:, None] if framework == "torch" else pictures[..., None]
    names = tuple(f"digit {name}" for name in found.target_names)
    model = {"torch": _torch_pictures, "keras": _keras_pictures}[framework]()
    return _trained(model, framework, pictures, found.target, epochs=12, held=400, names=(None, names))


def _cancer(framework: str) -> Trained:
    from sklearn.datasets import load_breast_cancer

    found = load_breast_cancer()
    table = ((found.data - found.data.mean(0)) / found.data.std(0)).astype(np.float32)
    names = tuple(map(str, found.feature_names)), tuple(map(str, found.target_names))
    model = {"torch": _torch_table, "keras": _keras_table}[framework]()
    return _trained(model, framework, table, found.target, epochs=12, held=180, names=names)


def _trained(
    model: Any,
    framework: str,
    inputs: np.ndarray,
    labels: np.ndarray,
    *,
    epochs: int,
    held: int,
    names: tuple[Sequence[str] | None, Sequence[str]],
) -> Trained:
    order = np.random.default_rng(0).permutation(len(inputs))
    inputs, labels = inputs[order], labels[order].astype(np.int64)
    train, test = (inputs[held:], labels[held:]), (inputs[:held], labels[:held])
    {"torch": _fit_torch, "keras": _fit_keras}[framework](model, *train, epochs)
    return Trained(model, *test, train, *names)


def _torch_pictures():
    import torch
    from torch import nn

    torch.manual_seed(0)
    body = nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)
    return nn.Sequential(*body, nn.Flatten(), nn.Linear(256, 32), nn.ReLU(), nn.Linear(32, 10))


def _keras_pictures():
    import keras

    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(16, 3, padding="same", activation="relu"),
            keras.layers.Conv2D(16, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Flatten(),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(10),
        ]
    )


def _torch_table():
    import torch
    from torch import nn

    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(30, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2))


def _keras_table():
    import keras

    keras.utils.set_random_seed(0)
    hidden = [keras.layers.Dense(32, activation="relu") for _ in range(2)]
    return keras.Sequential([keras.Input((30,)), *hidden, keras.layers.Dense(2)])


def _fit_torch(model, inputs: np.ndarray, labels: np.ndarray, epochs: int) -> None:
    import torch

    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    rng, x, y = np.random.default_rng(0), torch.tensor(inputs), torch.tensor(labels)
    for _ in range(epochs):
        for part in np.array_split(rng.permutation(len(x)), len(x) // 32):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(model(x[part]), y[part]).backward()
            optimiser.step()
    model.eval()


def _fit_keras(model, inputs: np.ndarray, labels: np.ndarray, epochs: int) -> None:
    import keras

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(3e-3), loss=loss)
    model.fit(inputs, labels, batch_size=32, epochs=epochs, verbose=0)
