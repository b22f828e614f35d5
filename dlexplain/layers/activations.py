"""What every layer puts out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlexplain.frameworks import wrap
from dlexplain.layers.results import Activations


def table(model: Any, inputs: Any = None):
    """A table of the model's layers: name, type, shape of one sample's output, number of weights, calls a pass.

    `inputs`: samples to run where the framework does not know the shapes beforehand (Torch). None: shapes known so far.
    """
    import pandas as pd

    asked = wrap(model)
    if inputs is not None:
        asked.shapes(asked.inputs(inputs))
    rows = [
        {
            "layer": layer.name,
            "type": layer.type,
            "output_shape": layer.output_shape,
            "parameters": layer.parameters,
            "calls": layer.calls,
        }
        for layer in asked.layers
    ]
    return pd.DataFrame(rows, columns=["layer", "type", "output_shape", "parameters", "calls"])


def activations(
    model: Any, inputs: Any, layers: str | Sequence[str] | None = None, *, batch_size: int | None = None
) -> Activations:
    """The outputs of named layers (None: all that are called), each `(n, ...)` in the model's own layout.

    `name:2` is the second call of a layer used twice. Raises `InputError` that suggests the near name.
    """
    asked = wrap(model)
    arrays = asked.inputs(inputs)
    values = asked.activations(inputs, layers, batch_size=batch_size)
    types = {layer.name: layer.type for layer in asked.layers}
    return Activations(
        values,
        {name: types[name.partition(":")[0]] for name in values},
        arrays[0] if len(arrays) == 1 else arrays,
        asked.framework,
        asked.fingerprint,
        asked.layout,
    )
