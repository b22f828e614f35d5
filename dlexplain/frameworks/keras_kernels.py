"""The weights of a Keras model's layers and what each layer's own initialiser draws them from."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import keras
import numpy as np

from dlexplain.frameworks.keras_inside import named_layers
from dlexplain.frameworks.kernels import Initial, Kernel, fans

if TYPE_CHECKING:
    from dlexplain.frameworks.keras_model import KerasModel

_CUT = 0.87962566103423978  # the deviation of a normal cut at two deviations, as Keras makes up for it


def kernels(base: KerasModel) -> tuple[Kernel, ...]:
    """Every weight of two axes or more that training moves."""
    return tuple(
        Kernel(name, weight.name, np.asarray(weight), _initial(layer, weight))
        for name, layer in named_layers(base.raw).items()
        for weight in layer._trainable_variables
        if len(weight.shape) > 1
    )


def _initial(layer: keras.layers.Layer, weight: keras.Variable) -> Initial | None:
    given = _initialiser(layer, weight.name)
    kinds = keras.initializers
    if isinstance(given, kinds.VarianceScaling):
        return _scaled(given, tuple(weight.shape))
    if isinstance(given, kinds.RandomUniform):
        return Initial("uniform", given.minval, given.maxval)
    if isinstance(given, (kinds.RandomNormal, kinds.TruncatedNormal)):
        shape = "truncated normal" if isinstance(given, kinds.TruncatedNormal) else "normal"
        return Initial(shape, given.mean, given.stddev)
    if isinstance(given, kinds.Orthogonal):
        # Single entries of a random orthogonal matrix are nearly normal.
        rows, columns = int(np.prod(weight.shape[:-1])), int(weight.shape[-1])
        return Initial("normal", 0.0, given.gain / math.sqrt(max(rows, columns)))
    return None


def _initialiser(layer: keras.layers.Layer, name: str) -> object | None:
    part = name.removesuffix("_kernel")
    for word in (name, part, "embeddings" if name == "embeddings" else "kernel", "depthwise"):
        given = getattr(layer, f"{word}_initializer", None)
        if given is not None:
            return given
    return None


def _scaled(given: keras.initializers.VarianceScaling, shape: tuple[int, ...]) -> Initial:
    into, out = fans(shape, outputs_last=True)
    size = {"fan_in": into, "fan_out": out}.get(given.mode, (into + out) / 2)
    variance = given.scale / max(1.0, size)
    if given.distribution == "uniform":
        bound = math.sqrt(3 * variance)
        return Initial("uniform", -bound, bound)
    if given.distribution == "truncated_normal":
        return Initial("truncated normal", 0.0, math.sqrt(variance) / _CUT)
    return Initial("normal", 0.0, math.sqrt(variance))
