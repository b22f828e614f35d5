"""Small networks of every style, in each framework, with inputs in its own layout. Weights are seeded, not trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Network:
    name: str
    framework: str
    build: Callable[[], object]
    shapes: tuple[tuple[int, ...], ...]
    vocabulary: int | None = None

    def make(self):
        """A fresh model with seeded weights, batch normalisation with statistics that matter."""
        keras.utils.set_random_seed(7)
        torch.manual_seed(7)
        model = self.build()
        generator = np.random.default_rng(7)
        if self.framework == "torch":
            for module in model.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.running_mean.normal_(generator=torch.Generator().manual_seed(1))
                    module.running_var.uniform_(0.5, 2, generator=torch.Generator().manual_seed(2))
            return model
        if not model.built:
            inputs = self.inputs(2)
            model(inputs[0] if len(inputs) == 1 else list(inputs))
        for weight in model.weights:
            if "moving" in weight.name:
                weight.assign(generator.uniform(0.5, 2, weight.shape))
        return model

    def inputs(self, n: int = 4) -> tuple[np.ndarray, ...]:
        generator = np.random.default_rng(n)
        if self.vocabulary is not None:
            return tuple(generator.integers(1, self.vocabulary, (n, *s)) for s in self.shapes)
        return tuple(generator.standard_normal((n, *s)).astype(np.float32) for s in self.shapes)

    def __str__(self) -> str:
        return f"{self.framework}-{self.name}"


def _keras_sequential(declared: bool):
    layers = [keras.layers.Dense(6, activation="tanh"), keras.layers.Dense(3)]
    return keras.Sequential([keras.Input((5,)), *layers] if declared else layers)


def _keras_conv():
    return keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.MaxPooling2D(2),
            keras.layers.Dropout(0.5),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )


def _keras_nested():
    backbone = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(3, 3, activation="relu", name="inner"),
            keras.layers.GlobalAveragePooling2D(),
        ],
        name="backbone",
    )
    inputs = keras.Input((8, 8, 1))
    return keras.Model(inputs, keras.layers.Dense(2)(backbone(inputs * 0.5)))


def _keras_residual():
    inputs = keras.Input((6,))
    shared = keras.layers.Dense(6, activation="gelu", name="shared")
    hidden = keras.layers.LayerNormalization()(inputs + shared(inputs))
    return keras.Model(inputs, keras.layers.Dense(1)(hidden + shared(hidden)))


@keras.saving.register_keras_serializable("tests")
class Subclassed(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first = keras.layers.Dense(6)
        self.drop = keras.layers.Dropout(0.5)
        self.last = keras.layers.Dense(3)

    def call(self, x, training=None):
        return self.last(self.drop(keras.ops.silu(self.first(x)), training=training))


def _keras_two_inputs():
    a, b = keras.Input((4,), name="left"), keras.Input((3,), name="right")
    return keras.Model([a, b], keras.layers.Dense(2)(keras.layers.Dense(5, "tanh")(keras.layers.concatenate([a, b]))))


def _keras_two_outputs():
    x = keras.Input((5,))
    hidden = keras.layers.Dense(6, "tanh")(x)
    return keras.Model(x, [keras.layers.Dense(3)(hidden), keras.layers.Reshape((2, 2))(keras.layers.Dense(4)(hidden))])


def _keras_tokens(recurrent: bool):
    ids = keras.Input((6,), dtype="int32")
    words = keras.layers.Embedding(11, 4, mask_zero=recurrent)(ids)
    if recurrent:
        hidden = keras.layers.LSTM(5)(words)
    else:
        hidden = keras.layers.GlobalAveragePooling1D()(keras.layers.MultiHeadAttention(2, 3)(words, words))
    return keras.Model(ids, keras.layers.Dense(3)(hidden))


def _keras_series():
    return keras.Sequential(
        [
            keras.Input((12, 3)),
            keras.layers.Conv1D(4, 3, activation="relu"),
            keras.layers.GRU(5),
            keras.layers.Dense(1),
        ]
    )


class _Functional(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.out = nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.Linear(36, 3)

    def forward(self, x):
        x = F.max_pool2d(self.norm(F.relu(self.conv(x), inplace=True)), 2)
        return torch.softmax(self.out(torch.flatten(F.dropout(x, 0.5, self.training), 1)), -1)


class _Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared, self.act, self.norm, self.out = nn.Linear(6, 6), nn.GELU(), nn.LayerNorm(6), nn.Linear(6, 1)

    def forward(self, x):
        x = self.norm(x + self.act(self.shared(x)))
        return self.out(x + self.act(self.shared(x)))


class _TwoInputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden, self.out = nn.Linear(7, 5), nn.Linear(5, 2)

    def forward(self, left, right):
        return self.out(torch.tanh(self.hidden(torch.cat([left, right], -1))))


class _TwoOutputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden, self.one, self.two = nn.Linear(5, 6), nn.Linear(6, 3), nn.Linear(6, 4)

    def forward(self, x):
        x = torch.tanh(self.hidden(x))
        return {"classes": self.one(x), "grid": self.two(x).reshape(-1, 2, 2)}


class _Tokens(nn.Module):
    def __init__(self, recurrent: bool):
        super().__init__()
        self.words = nn.Embedding(11, 4, padding_idx=0)
        self.mix = nn.LSTM(4, 5, batch_first=True) if recurrent else nn.MultiheadAttention(4, 2, batch_first=True)
        self.out = nn.Linear(5 if recurrent else 4, 3)

    def forward(self, ids):
        words = self.words(ids)
        hidden = (
            self.mix(words)[0][:, -1] if isinstance(self.mix, nn.LSTM) else self.mix(words, words, words)[0].mean(1)
        )
        return self.out(hidden)


class _Series(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.mix, self.out = nn.Conv1d(3, 4, 3), nn.GRU(4, 5, batch_first=True), nn.Linear(5, 1)

    def forward(self, x):
        return self.out(self.mix(torch.relu(self.conv(x)).transpose(1, 2))[0][:, -1]).squeeze(-1)


def _torch_conv():
    return nn.Sequential(
        nn.Conv2d(2, 4, 3),
        nn.ReLU(inplace=True),
        nn.BatchNorm2d(4),
        nn.MaxPool2d(2),
        nn.Dropout(0.5),
        nn.Flatten(),
        nn.Linear(36, 3),
    )


NETWORKS = (
    Network("sequential", "keras", lambda: _keras_sequential(True), ((5,),)),
    Network("undeclared", "keras", lambda: _keras_sequential(False), ((5,),)),
    Network("convolution", "keras", _keras_conv, ((8, 8, 2),)),
    Network("nested", "keras", _keras_nested, ((8, 8, 1),)),
    Network("residual", "keras", _keras_residual, ((6,),)),
    Network("subclassed", "keras", Subclassed, ((5,),)),
    Network("two inputs", "keras", _keras_two_inputs, ((4,), (3,))),
    Network("two outputs", "keras", _keras_two_outputs, ((5,),)),
    Network("recurrent tokens", "keras", lambda: _keras_tokens(True), ((6,),), 11),
    Network("attended tokens", "keras", lambda: _keras_tokens(False), ((6,),), 11),
    Network("series", "keras", _keras_series, ((12, 3),)),
    Network("sequential", "torch", lambda: nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 3)), ((5,),)),
    Network("convolution", "torch", _torch_conv, ((2, 8, 8),)),
    Network("functional", "torch", _Functional, ((2, 8, 8),)),
    Network("residual", "torch", _Residual, ((6,),)),
    Network("two inputs", "torch", _TwoInputs, ((4,), (3,))),
    Network("two outputs", "torch", _TwoOutputs, ((5,),)),
    Network("recurrent tokens", "torch", lambda: _Tokens(True), ((6,),), 11),
    Network("attended tokens", "torch", lambda: _Tokens(False), ((6,),), 11),
    Network("series", "torch", _Series, ((3, 12),)),
)
BY_NAME = {str(network): network for network in NETWORKS}


def one_or_all(inputs: tuple[np.ndarray, ...]):
    """As a user gives them: one array, or a tuple of several."""
    return inputs[0] if len(inputs) == 1 else inputs
