"""Which layers of a Keras model hold weights of their own, in the order of the calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlexplain.frameworks.keras_inside import named_layers
from dlexplain.frameworks.questions import Inputs, in_order

if TYPE_CHECKING:
    from dlexplain.frameworks.keras_model import KerasModel


def weighted(base: KerasModel, inputs: Inputs) -> tuple[str, ...]:
    called = list(base.shapes(inputs))
    layers = named_layers(base.raw)
    # Weights that training does not change, such as a Normalization layer's statistics, are not learned.
    owners = [name for name, layer in layers.items() if layer._trainable_variables]
    outer = [n for n in owners if not any(n != o and n.startswith(f"{o}/") for o in owners)]
    return (*([""] if base.raw._trainable_variables else []), *in_order(outer, called, "/"))
