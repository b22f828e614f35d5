"""Raw models of both frameworks built from the same NumPy weights."""

from __future__ import annotations

import itertools

import keras
import numpy as np
import pytest
import torch
from torch import nn


def dense_pair(weights: list[tuple[np.ndarray, np.ndarray]], activation: str = "relu"):
    """Keras and Torch perceptrons with these `(kernel, bias)`; the last layer is linear."""
    kernels = [np.asarray(k, np.float32) for k, _ in weights]
    biases = [np.asarray(b, np.float32) for _, b in weights]
    km = keras.Sequential([keras.Input((len(kernels[0]),))])
    tm = nn.Sequential()
    acts = {"relu": nn.ReLU, "tanh": nn.Tanh}
    for i, (kernel, bias) in enumerate(zip(kernels, biases, strict=True)):
        last = i == len(kernels) - 1
        layer = keras.layers.Dense(kernel.shape[1], activation=None if last else activation)
        km.add(layer)
        layer.set_weights([kernel, bias])
        linear = nn.Linear(*kernel.shape)
        linear.weight.data, linear.bias.data = torch.tensor(kernel.T.copy()), torch.tensor(bias)
        tm.append(linear)
        if not last:
            tm.append(acts[activation]())
    return {"keras": km, "torch": tm}


def random_weights(sizes: tuple[int, ...], seed: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    generator = np.random.default_rng(seed)
    return [
        (generator.standard_normal((a, b)) / np.sqrt(a), 0.3 * generator.standard_normal(b))
        for a, b in itertools.pairwise(sizes)
    ]


def image_pair(seed: int = 0):
    """A small convolution network in both frameworks (Keras channels last, Torch first) and its pictures."""
    import dlexplain as dlx

    keras.utils.set_random_seed(seed)
    km = keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            keras.layers.Conv2D(4, 3, activation="relu", name="early"),
            keras.layers.Conv2D(5, 3, padding="same", activation="relu", name="late"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Flatten(),
            keras.layers.Dense(3),
        ]
    )
    x = np.random.default_rng(seed).random((4, 8, 8, 2), np.float32)
    return {"keras": (km, x), "torch": (dlx.convert(km, to="torch"), np.ascontiguousarray(x.transpose(0, 3, 1, 2)))}


@pytest.fixture(scope="session")
def pictures():
    return image_pair()


@pytest.fixture(params=["keras", "torch"])
def framework(request) -> str:
    return request.param
