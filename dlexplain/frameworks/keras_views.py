"""A Keras model seen from one of its layers: it ends there, or it begins there. The user's model is inside, untouched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import tensorflow as tf

from dlexplain.errors import InputError
from dlexplain.frameworks.keras_inside import named_layers, run, tapped
from dlexplain.frameworks.keras_model import KerasModel

if TYPE_CHECKING:
    from dlexplain.frameworks.questions import Inputs


class _Ending(keras.Model):
    def __init__(self, inner: keras.Model, layer: str, first: bool | None) -> None:
        super().__init__(name="ending")
        self.inner, self.layer_name, self.first_axis = inner, layer, first
        self.built = True

    def call(self, inputs, training=None):
        caught: list[tf.Tensor] = []
        with tapped(self.inner, {self.layer_name: caught.append}):
            run(self.inner, tf.nest.flatten(inputs))
        if not caught:
            raise InputError(f"layer {self.layer_name!r} is not called by the model on these inputs.")
        if self.first_axis is None:
            return caught[0]
        value = tf.experimental.numpy.moveaxis(caught[0], 1, -1) if self.first_axis else caught[0]
        return tf.reduce_mean(value, list(range(1, len(value.shape) - 1))) if len(value.shape) > 2 else value


class _Entering(keras.Model):
    def __init__(self, inner: keras.Model, layer: str) -> None:
        super().__init__(name="entering")
        self.inner, self.layer_name = inner, layer
        self.built = True

    def call(self, inputs, training=None):
        activations, *x = tf.nest.flatten(inputs)
        with tapped(self.inner, {self.layer_name: lambda t: tf.cast(activations, t.dtype)}):
            outputs = run(self.inner, x)
        return outputs[0] if len(outputs) == 1 else list(outputs)


class EndingModel(KerasModel):
    """Its output is the layer's activations, or of each unit the mean over places when `mean`."""

    def __init__(self, base: KerasModel, layer: str, mean: bool, rank: int) -> None:
        first = base.channels_first(layer, rank) if mean else None
        super().__init__(_Ending(base.raw, layer, first), input_shapes=base.input_shapes, layout=base.layout)
        self.feature_names, self.input_names, self._lock = base.feature_names, base.input_names, base._lock
        self._dtypes, self._base = base._dtypes, base

    @property
    def fingerprint(self) -> str:
        return self._base.fingerprint


class EnteringModel(KerasModel):
    """Its first input is the layer's activations; the model's own follow and feed whatever else the outputs need."""

    def __init__(self, base: KerasModel, layer: str) -> None:
        super().__init__(_Entering(base.raw, layer), layout=base.layout, class_names=base.class_names)
        self._lock, self._base = base._lock, base
        self._dtypes = (keras.config.floatx(), *base._dtypes) if base._dtypes else ()

    @property
    def fingerprint(self) -> str:
        return self._base.fingerprint

    def token_inputs(self, inputs: Inputs) -> tuple[int | None, ...]:
        found = self._base.token_inputs(inputs[1:])
        sites = self._base._entry_sites.items()
        self._entry_sites = {i + 1: [within(self._base, site) for site in names] for i, names in sites}
        return (None, *found)


def ending(base: KerasModel, layer: str, mean: bool, rank: int) -> EndingModel:
    return EndingModel(base, layer, mean, rank)


def entering(base: KerasModel, layer: str) -> EnteringModel:
    return EnteringModel(base, layer)


def within(base: KerasModel, layer: str) -> str:
    """What a layer of the model is called in a view of it."""
    # A second view of one model finds the layers under the same name: the model's own.
    return f"{base.raw.name}/{layer}" if named_layers(base.raw) else layer
