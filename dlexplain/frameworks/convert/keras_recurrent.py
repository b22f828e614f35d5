"""How Keras's recurrent and attention layers read into the graph."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers

from dlexplain.frameworks.convert.from_keras import KerasReader
from dlexplain.frameworks.convert.graph import refuse
from dlexplain.frameworks.convert.keras_reading import Readers, array

reads = Readers()


@reads(layers.LSTM, layers.GRU, layers.SimpleRNN)
def recurrent(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    weights = direction(layer, name, "forward")
    return add_rnn(reader, layer, inputs, name, weights, both=False)


@reads(layers.Bidirectional)
def bidirectional(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    if layer.merge_mode != "concat" or type(layer.forward_layer) is not type(layer.backward_layer):
        raise refuse(name, "Bidirectional", f"has merge_mode {layer.merge_mode!r}; only 'concat' is converted")
    weights = direction(layer.forward_layer, name, "forward")
    weights |= direction(layer.backward_layer, name, "backward", reverse=True)
    return add_rnn(reader, layer.forward_layer, inputs, name, weights, both=True)


@reads(layers.MultiHeadAttention)
def attention(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    axes = getattr(layer, "_attention_axes", None)
    if len(reader.graph.shape(inputs[0])) != 2 or axes not in (None, (1,)):
        raise refuse(name, "MultiHeadAttention", "attends over other axes than the steps, which is not converted")
    if getattr(layer, "_use_gate", False) or getattr(layer, "_sliding_window", None):
        raise refuse(name, "MultiHeadAttention", "has a gate or a sliding window, which is not converted")
    query, value = inputs[0], inputs[1]
    key = inputs[2] if len(inputs) > 2 else value
    weights = {}
    for part in ("query", "key", "value", "output"):
        dense = getattr(layer, f"_{part}_dense")
        weights[f"{part}_kernel"], weights[f"{part}_bias"] = array(dense.kernel), array(dense.bias)
    shape = (reader.graph.shape(query)[0], weights["output_kernel"].shape[-1])
    return reader.graph.add("attention", (query, key, value), name, shape=shape, weights=weights)


def direction(layer: Any, name: str, side: str, reverse: bool = False) -> dict[str, np.ndarray | None]:
    """The weights of one direction, its unusual settings refused."""
    kind = type(layer).__name__
    if kind not in ("LSTM", "GRU", "SimpleRNN"):
        raise refuse(name, f"Bidirectional of {kind}")
    if layer.go_backwards != reverse:
        raise refuse(name, kind, "runs backwards on its own, which is not converted")
    if layer.stateful or layer.return_state:
        raise refuse(name, kind, "keeps or returns its state, which is not converted")
    if layer.activation is not keras.activations.tanh:
        raise refuse(name, kind, "has an activation other than tanh, which Torch's has not")
    if kind != "SimpleRNN" and layer.recurrent_activation is not keras.activations.sigmoid:
        raise refuse(name, kind, "has a recurrent activation other than sigmoid, which Torch's has not")
    cell = layer.cell
    return {
        f"{side}_kernel": array(cell.kernel),
        f"{side}_recurrent": array(cell.recurrent_kernel),
        f"{side}_bias": array(cell.bias),
    }


def add_rnn(
    reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str, weights: dict[str, Any], both: bool
) -> str:
    """The layer as a whole sequence, then the last state where only that is returned."""
    graph = reader.graph
    steps, width = graph.shape(inputs[0])[0], layer.units
    kind = {"LSTM": "lstm", "GRU": "gru", "SimpleRNN": "rnn"}[type(layer).__name__]
    whole = bool(layer.return_sequences)
    size = width * (2 if both else 1)
    return graph.add(
        "rnn", inputs, name, shape=(steps, size) if whole else (size,), weights=weights, kind=kind,
        units=width,
        both=both, whole=whole, reset_after=bool(getattr(layer, "reset_after", True)),
    )  # fmt: skip
