"""What the readers of Keras layers share: a list of readers, reading a variable, a layer's own activation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from dlexplain.frameworks.convert.from_keras import KerasReader
from dlexplain.frameworks.convert.graph import refuse

Reads = Callable[[KerasReader, Any, tuple[str, ...], str], str]

# Keras's activation -> the graph's name and options.
ACTIVATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    name: (name, {})
    for name in (
        "relu", "relu6", "selu", "silu", "sigmoid", "tanh", "softplus", "softsign", "exponential",
        "hard_sigmoid",
        "hard_silu", "hard_tanh", "mish", "log_sigmoid", "tanh_shrink",
    )
} | {
    "elu": ("elu", {"alpha": 1.0}),
    "celu": ("celu", {"alpha": 1.0}),
    "gelu": ("gelu", {"approximate": False}),
    "leaky_relu": ("leaky_relu", {"slope": 0.2}),
    "softmax": ("softmax", {"axis": -1}),
    "log_softmax": ("log_softmax", {"axis": -1}),
    "hard_shrink": ("hard_shrink", {"limit": 0.5}),
    "soft_shrink": ("soft_shrink", {"limit": 0.5}),
}  # fmt: skip


class Readers(dict[type, Reads]):
    """Readers by the layer's exact class: a subclass may compute something else."""

    def __call__(self, *kinds: type) -> Callable[[Reads], Reads]:
        def note(function: Reads) -> Reads:
            self.update(dict.fromkeys(kinds, function))
            return function

        return note


def array(variable: Any) -> np.ndarray | None:
    return None if variable is None else np.array(keras.ops.convert_to_numpy(variable), dtype=np.float32)


def check_last(layer: Any, name: str) -> None:
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        raise refuse(name, type(layer).__name__, "has data_format='channels_first'; only channels_last is converted")


def activate(reader: KerasReader, function: Any, value: str, name: str) -> str:
    """Append a layer's own activation, if it has one."""
    if function is None or function is keras.activations.linear:
        return value
    kind = getattr(function, "__name__", type(function).__name__)
    if kind not in ACTIVATIONS or getattr(keras.activations, kind) is not function:
        raise refuse(name, f"activation {kind}")
    graph_name, options = ACTIVATIONS[kind]
    return reader.graph.add("activation", (value,), f"{name}_activation", source=name, kind=graph_name, **options)
