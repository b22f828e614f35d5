"""Networks in two halves, `after(before(x))`, for the maps of the layer between; `lay` puts it as `(n, *grid, channels)`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import torch
from torch import nn


@dataclass(frozen=True)
class Halves:
    name: str
    build: Callable[[], object]
    shape: tuple[int, ...]
    layer: str
    lay: Callable[[np.ndarray], np.ndarray]
    sizes: tuple[int, ...]
    rectified: bool = True

    @property
    def framework(self) -> str:
        return self.name.partition("-")[0]

    def make(self):
        keras.utils.set_random_seed(3)
        torch.manual_seed(3)
        model = self.build()
        x = np.random.default_rng(3).standard_normal((3, *self.shape), np.float32)
        if self.framework == "torch":
            model.out.weight.data *= 10  # classes that differ
            return model.eval(), x
        return model, x

    def between(self, model, x: np.ndarray, target: int) -> tuple[np.ndarray, np.ndarray]:
        """Activations and gradients between the halves, by plain framework code."""
        if self.framework == "torch":
            held = model.before(torch.tensor(x)).detach().requires_grad_()
            gradient = torch.autograd.grad(model.after(held)[:, target].sum(), held)[0]
            return self.lay(held.detach().numpy()), self.lay(gradient.numpy())
        import tensorflow as tf

        with tf.GradientTape() as tape:
            held = model.get_layer("backbone")(x)
            tape.watch(held)
            score = model.get_layer("head")(held)[:, target]
        return self.lay(held.numpy()), self.lay(tape.gradient(score, held).numpy())


class TorchHalves(nn.Module):
    def forward(self, x):
        return self.after(self.before(x))


class Residual(TorchHalves):
    """A shortcut round two convolutions with norms; the addition and its ReLU belong to the block alone."""

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(4, 6, 3, padding=1), nn.BatchNorm2d(6)
            self.conv2, self.bn2 = nn.Conv2d(6, 6, 3, padding=1), nn.BatchNorm2d(6)
            self.relu, self.shortcut = nn.ReLU(inplace=True), nn.Conv2d(4, 6, 1)

        def forward(self, x):
            h = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
            return self.relu(h + self.shortcut(x))

    def __init__(self):
        super().__init__()
        self.stem, self.stage = nn.Conv2d(2, 4, 3, 2, 1), nn.Sequential(self.Block())
        self.head, self.out = nn.Linear(6, 8), nn.Linear(8, 3)

    def before(self, x):
        return self.stage(torch.relu(self.stem(x)))

    def after(self, z):
        return self.out(torch.tanh(self.head(z.mean((2, 3)))))


class Attending(nn.Module):
    def __init__(self, width: int, whole: int = 2):
        super().__init__()
        self.norm1, self.attn = nn.LayerNorm(width), nn.MultiheadAttention(width, whole, batch_first=True)
        self.norm2, self.grow, self.shrink = nn.LayerNorm(width), nn.Linear(width, 12), nn.Linear(12, width)
        self.act = nn.GELU()

    def attend(self, x, h):
        x = x + self.attn(h, h, h, need_weights=False)[0]
        return x + self.shrink(self.act(self.grow(self.norm2(x))))

    def forward(self, x):
        return self.attend(x, self.norm1(x))


class Vision(TorchHalves):
    """A vision transformer; what it says is read off its class token, or off the mean of its patches."""

    def __init__(self, token: bool):
        super().__init__()
        self.patch = nn.Conv2d(2, 8, 2, 2)
        self.first = nn.Parameter(torch.randn(1, 1, 8)) if token else None
        self.place = nn.Parameter(torch.randn(1, 32 + token, 8))
        self.blocks, self.norm, self.out = nn.Sequential(Attending(8), Attending(8)), nn.LayerNorm(8), nn.Linear(8, 3)

    def tokens(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        return (x if self.first is None else torch.cat([self.first.expand(len(x), 1, 8), x], 1)) + self.place


class ByPatches(Vision):
    def __init__(self):
        super().__init__(False)

    def before(self, x):
        return self.norm(self.blocks(self.tokens(x)))

    def after(self, z):
        return self.out(torch.tanh(z).mean(1))


class ByClassToken(Vision):
    def __init__(self):
        super().__init__(True)

    def before(self, x):
        self.stream = self.blocks[0](self.tokens(x))
        return self.blocks[1].norm1(self.stream)

    def after(self, z):
        return self.out(self.norm(self.blocks[1].attend(self.stream.detach(), z))[:, 0])

    def forward(self, x):
        return self.out(self.norm(self.blocks(self.tokens(x)))[:, 0])


class ChannelsLast(TorchHalves):
    """As in ConvNeXt: channels are last between two transpositions, first elsewhere."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.mix, self.act = nn.Conv2d(2, 6, 3, 2, 1), nn.LayerNorm(6), nn.Linear(6, 6), nn.GELU()
        self.out = nn.Linear(6, 3)

    def before(self, x):
        return self.norm(self.conv(x).permute(0, 2, 3, 1))

    def after(self, z):
        return self.out(torch.tanh(self.act(self.mix(z))).mean((1, 2)))


class Waves(TorchHalves):
    """Convolutions over time, each with a norm and an activation of its own module."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv1d(3, 5, 3, 2, 1), nn.BatchNorm1d(5), nn.ReLU())
        self.out = nn.Linear(5, 3)

    def before(self, x):
        return self.body(x)

    def after(self, z):
        return self.out(torch.tanh(z).amax(2))


def _keras(before, after) -> keras.Model:
    """Two functional models as one: its layers "backbone" and "head"."""
    inputs = keras.Input(before[0])
    first = keras.Model(inputs, before[1](inputs), name="backbone")
    middle = keras.Input(first.output.shape[1:])
    whole = keras.Input(before[0])
    return keras.Model(whole, keras.Model(middle, after(middle), name="head")(first(whole)))


def _residual(x):
    a = keras.layers.Conv2D(4, 3, 2, "same", activation="relu")(x)
    h = keras.layers.BatchNormalization()(keras.layers.Conv2D(4, 3, padding="same", name="block5_conv")(a))
    return keras.layers.ReLU(name="block5_out")(keras.layers.Add()([a, h]))


def _attending(x, name: str):
    h = keras.layers.LayerNormalization(name=f"{name}_norm1")(x)
    x = keras.layers.Add()([x, keras.layers.MultiHeadAttention(2, 4)(h, h)])
    h = keras.layers.LayerNormalization(name=f"{name}_norm2")(x)
    return keras.layers.Add()([x, keras.layers.Dense(8, activation="gelu")(h)])


def _by_patches(x):
    x = keras.layers.Reshape((32, 8))(keras.layers.Conv2D(8, 2, 2)(x))
    return keras.layers.LayerNormalization(name="last_norm")(_attending(_attending(x, "one"), "two"))


def _pooled(x):
    return keras.layers.Dense(3)(keras.layers.Dense(6, activation="tanh")(keras.layers.GlobalAveragePooling2D()(x)))


def _pooled_tokens(x):
    return keras.layers.Dense(3)(keras.layers.Dense(6, activation="tanh")(keras.layers.GlobalAveragePooling1D()(x)))


def _waves(x):
    return keras.layers.Conv1D(5, 3, 2, "same", activation="relu", name="wave")(x)


def _first(z):
    return np.moveaxis(z, 1, -1)


def _patches(z):
    return z[:, -32:].reshape(len(z), 4, 8, -1)


HALVES = (
    Halves("torch-residual", Residual, (2, 8, 8), "stage.0", _first, (8, 8)),
    Halves("torch-by patches", ByPatches, (2, 8, 16), "norm", _patches, (8, 16), False),
    Halves("torch-by class token", ByClassToken, (2, 8, 16), "blocks.1.norm1", _patches, (8, 16), False),
    Halves("torch-channels last", ChannelsLast, (2, 8, 8), "norm", lambda z: z, (8, 8), False),
    Halves("torch-waves", Waves, (3, 10), "body.2", _first, (10,)),
    Halves("keras-residual", lambda: _keras(((8, 8, 2), _residual), _pooled), (8, 8, 2), "backbone/block5_out", lambda z: z, (8, 8)),
    Halves("keras-by patches", lambda: _keras(((8, 16, 2), _by_patches), _pooled_tokens), (8, 16, 2), "backbone/last_norm", _patches, (8, 16), False),
    Halves("keras-waves", lambda: _keras(((10, 3), _waves), _pooled_tokens), (10, 3), "backbone/wave", lambda z: z, (10,)),
)  # fmt: skip
