"""A copy of a Keras model that computes in double precision, for walks in which rounding shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np

if TYPE_CHECKING:
    from dlexplain.frameworks.keras_model import KerasModel
    from dlexplain.frameworks.questions import Inputs


def in_double(model: KerasModel, inputs: Inputs) -> KerasModel | None:
    """The copy, with the weights as they are now; None where the model cannot be copied, or is another one then."""
    key = ("in double",)
    if key not in model._traces:
        model._traces[key] = _copied(model)
    twin = model._traces[key]
    if twin is None:
        return None
    twin.raw.set_weights(model.raw.get_weights())
    one = tuple(a[:1] for a in inputs)
    twin.token_inputs(one)
    same = zip(model.afresh(one), twin.afresh(one), strict=True)
    return twin if all(np.allclose(a, b, rtol=1e-3, atol=1e-4 * max(np.abs(a).max(), 1e-12)) for a, b in same) else None


def _copied(model: KerasModel) -> KerasModel | None:
    def doubled(layer: keras.layers.Layer) -> keras.layers.Layer:
        if layer.dtype_policy.name != "float32":
            raise ValueError(f"{layer.name} computes in {layer.dtype_policy.name} by its author's will")
        return type(layer).from_config({**layer.get_config(), "dtype": "float64"})

    try:
        # The inputs too: a multiplier is of its tensor's precision.
        inputs = [
            keras.Input(batch_shape=i.shape, dtype="float64" if i.dtype == "float32" else i.dtype, name=i.name)
            for i in model.raw.inputs
        ]
        raw = keras.models.clone_model(model.raw, input_tensors=inputs, clone_function=doubled, recursive=True)
        return type(model)(raw, input_shapes=model.input_shapes, **model.options()) if raw.built else None
    except (ValueError, TypeError, KeyError, NotImplementedError, AttributeError):  # a subclassed model, or a layer without a config
        return None
