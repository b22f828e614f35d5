"""What the ReLUs of a Keras model put out: layers with that activation, and layers that are one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np

from dlexplain.frameworks.keras_inside import named_layers

if TYPE_CHECKING:
    from dlexplain.frameworks.keras_model import KerasModel
    from dlexplain.frameworks.questions import Inputs

_GATED = (keras.layers.RNN, keras.layers.LSTMCell, keras.layers.GRUCell, keras.layers.SimpleRNNCell)
_RELUS = (keras.activations.relu, keras.activations.relu6)


def rectified(model: KerasModel, inputs: Inputs) -> dict[str, np.ndarray]:
    """`{layer: (n, units)}`: the largest value over places that each unit has behind each ReLU, for one batch."""
    names = [name for name, layer in named_layers(model.raw).items() if _is_relu(layer)]
    found = {}
    for name, value in model.inside(inputs, names).items() if names else ():
        if value.ndim > 1:
            value = np.moveaxis(value, 1, -1) if model.channels_first(name, value.ndim) else value
            found[name] = value.reshape(len(value), -1, value.shape[-1]).max(1)
    return found


def _is_relu(layer: keras.layers.Layer) -> bool:
    if isinstance(layer, keras.layers.ReLU):
        return not layer.negative_slope and not layer.threshold
    if isinstance(layer, _GATED):  # its activation stands inside a gate
        return False
    return getattr(layer, "activation", None) in _RELUS
