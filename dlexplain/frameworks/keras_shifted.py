"""A Keras model that first takes a shift away from its inputs: at shifted inputs the same function."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import tensorflow as tf

from dlexplain.frameworks.keras_inside import run
from dlexplain.frameworks.keras_model import KerasModel
from dlexplain.frameworks.keras_views import within
from dlexplain.frameworks.questions import Inputs

if TYPE_CHECKING:
    from dlexplain.frameworks.model import Model


class _Shifted(keras.Model):
    def __init__(self, inner: keras.Model, shifts: list) -> None:
        super().__init__(name="shifted")
        self.inner, self.shifts = inner, shifts
        self.built = True

    def call(self, inputs, training=None):
        given = tf.nest.flatten(inputs)
        outputs = run(
            self.inner, [x if s is None else x - tf.cast(s, x.dtype) for x, s in zip(given, self.shifts, strict=True)]
        )
        return outputs[0] if len(outputs) == 1 else list(outputs)


class ShiftedModel(KerasModel):
    def __init__(self, base: KerasModel, shifts: tuple) -> None:
        super().__init__(_Shifted(base.raw, list(shifts)), input_shapes=base.input_shapes, **base.options())
        self.input_names, self._lock, self._dtypes, self._base = base.input_names, base._lock, base._dtypes, base

    def token_inputs(self, inputs: Inputs) -> tuple[int | None, ...]:
        found = self._base.token_inputs(inputs)
        sites = self._base._entry_sites.items()
        self._entry_sites = {i: [within(self._base, site) for site in names] for i, names in sites}
        return found


def shifted(base: KerasModel, shifts: tuple) -> Model:
    return ShiftedModel(base, shifts)
