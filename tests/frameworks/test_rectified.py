"""What stands behind each ReLU, wherever it is written, in units and not in places."""

from __future__ import annotations

import keras
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import dlexplain as dlx

RNG = np.random.default_rng(0)


class Functional(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.line, self.mix, self.out = (
            nn.Conv2d(2, 4, 3),
            nn.Conv1d(3, 5, 3),
            nn.Linear(5, 6),
            nn.Linear(10, 2),
        )

    def forward(self, x, s):
        x = F.relu(self.conv(x)).mean((2, 3))
        s = torch.relu(self.line(s)).transpose(1, 2)
        s = self.mix(s).relu().mean(1)
        return self.out(torch.cat([x, s], 1))


def test_torch_modules_functions_and_methods_are_seen():
    model = dlx.wrap(Functional())
    inputs = (RNG.standard_normal((7, 2, 8, 8)).astype(np.float32), RNG.standard_normal((7, 3, 9)).astype(np.float32))
    found = model.rectified(inputs)
    assert {name: value.shape for name, value in found.items()} == {"conv": (7, 4), "line": (7, 5), "mix": (7, 6)}
    with torch.no_grad():
        expected = model.raw.conv(torch.tensor(inputs[0])).numpy().max((2, 3)).clip(min=0)
    np.testing.assert_allclose(found["conv"], expected, atol=1e-5)


def test_a_relu_used_twice_is_told_by_the_layers_before_it():
    relu = nn.ReLU()
    model = dlx.wrap(nn.Sequential(nn.Linear(3, 4), relu, nn.Linear(4, 5), relu))
    found = model.rectified((RNG.standard_normal((6, 3)).astype(np.float32),))
    assert {name: value.shape for name, value in found.items()} == {"0": (6, 4), "2": (6, 5)}


def test_torch_encoder_layers_are_run_as_they_are_written():
    model = dlx.wrap(
        nn.Sequential(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), nn.Flatten(), nn.Linear(32, 2))
    )
    found = model.rectified((RNG.standard_normal((3, 4, 8)).astype(np.float32),))
    assert [value.shape for value in found.values()] == [(3, 16)]


def test_keras_activations_and_layers_are_seen_and_others_are_not():
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            layers.Conv2D(4, 3, activation="relu", name="conv"),
            layers.Conv2D(3, 3, name="plain"),
            layers.ReLU(name="relu"),
            layers.LeakyReLU(name="leaky"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(5, activation="tanh"),
            layers.Dense(6, name="last"),
            layers.Activation("relu", name="act"),
        ]
    )
    inputs = RNG.standard_normal((7, 8, 8, 2)).astype(np.float32)
    found = dlx.wrap(model).rectified((inputs,))
    assert {name: value.shape for name, value in found.items()} == {"conv": (7, 4), "relu": (7, 3), "act": (7, 6)}
    expected = dlx.wrap(model).activations(inputs, "conv")["conv"].max((1, 2))
    np.testing.assert_allclose(found["conv"], expected, atol=1e-6)


def test_a_recurrent_layers_own_activation_is_not_taken_for_a_relu():
    model = keras.Sequential([keras.Input((5, 2)), keras.layers.LSTM(4, activation="relu")])
    assert dlx.wrap(model).rectified((RNG.standard_normal((3, 5, 2)).astype(np.float32),)) == {}


def test_the_model_is_left_as_it_was():
    raw = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Dropout(0.5))
    raw.train()
    before = dlx.wrap(raw).fingerprint
    dlx.wrap(raw).rectified((RNG.standard_normal((2, 3)).astype(np.float32),))
    assert dlx.wrap(raw).fingerprint == before
    assert raw.training
    assert not any(module._forward_hooks for module in raw.modules())
