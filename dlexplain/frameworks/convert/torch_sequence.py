"""How Torch's recurrent, attention and transformer layers read into the graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from dlexplain.frameworks.convert.from_torch import States, TorchReader, Value, array
from dlexplain.frameworks.convert.graph import refuse
from dlexplain.frameworks.convert.torch_recurrent import ResetBeforeGRU, WideAttention

Args = tuple[list[Any], dict[str, Any]]


def recurrent(
    reader: TorchReader, module: Any, args: list[Any], keywords: dict[str, Any], name: str, result: Any
) -> States:
    """LSTM, GRU, RNN: a node a layer; between them dropout does nothing in inference."""
    title = type(module).__name__
    if len(args) + len(keywords) != 1 or not isinstance(args[0], Value):
        raise refuse(name, title, "is called with an initial state, which is not converted")
    if not module.batch_first:
        raise refuse(name, title, "is made without batch_first=True; a twin needs the samples on the first axis")
    if getattr(module, "proj_size", 0) or getattr(module, "nonlinearity", "tanh") != "tanh":
        raise refuse(name, title, "projects its state or has another activation than tanh, which is not converted")
    kind, both = {"LSTM": "lstm", "GRU": "gru", "RNN": "rnn"}[title], module.bidirectional
    value, sequences = reader.plain(args[0]), []
    steps, width = reader.graph.shape(value)[0], module.hidden_size
    for layer in range(module.num_layers):
        weights: dict[str, Any] = {}
        for side, ending in (("forward", ""), ("backward", "_reverse"))[: 2 if both else 1]:
            weights |= one_direction(module, kind, side, f"l{layer}{ending}")
        last = layer == module.num_layers - 1
        value = reader.graph.add(
            "rnn", (value,), name if last else f"{name}.{layer}", shape=(steps, width * (2 if both else 1)),
            source=name,
            weights=weights, kind=kind, units=width, both=both, whole=True, reset_after=True,
        )  # fmt: skip
        sequences.append(value)
    return States(tuple(sequences), kind, width, both)


def one_direction(module: Any, kind: str, side: str, ending: str) -> dict[str, np.ndarray]:
    """Torch's weights in Keras's order of gates; a GRU keeps its two biases apart, the others add them."""
    read = {key: gates_for_keras(array(getattr(module, f"weight_{key}_{ending}")).T, kind) for key in ("ih", "hh")}
    weights = {f"{side}_kernel": read["ih"], f"{side}_recurrent": read["hh"]}
    if module.bias:
        outer, inner = (gates_for_keras(array(getattr(module, f"bias_{key}_{ending}")), kind) for key in ("ih", "hh"))
        weights[f"{side}_bias"] = np.stack([outer, inner]) if kind == "gru" else outer + inner
    return weights


def gates_for_keras(value: np.ndarray, kind: str) -> np.ndarray:
    if kind != "gru":
        return value
    reset, update, fresh = np.split(value, 3, axis=-1)
    return np.concatenate([update, reset, fresh], axis=-1)


def reset_before(
    reader: TorchReader,
    module: ResetBeforeGRU,
    args: list[Any],
    keywords: dict[str, Any],
    name: str,
    result: Any,
) -> Value:
    width = module.recurrent.shape[0]
    weights = {
        "forward_kernel": array(module.kernel), "forward_recurrent": array(module.recurrent),
        "forward_bias": array(module.bias)
    }  # fmt: skip
    return reader.add(
        "rnn", (reader.plain(args[0]),), name, result, False, weights=weights, kind="gru", units=width,
        both=False, whole=True,
        reset_after=False,
    )  # fmt: skip


def state_item(reader: TorchReader, states: States, index: Any, name: str) -> Any:
    """`out, (h, c) = lstm(x)`: the sequence, the pair, or one layer's last hidden state."""
    if states.part == "all" and index in (0, -2):
        return Value(states.sequences[-1])
    if states.part == "all" and index in (1, -1):
        part = "pair" if states.kind == "lstm" else "hidden"
        return States(states.sequences, states.kind, states.units, states.both, part)
    if states.part == "pair" and index in (0, -2):
        return States(states.sequences, states.kind, states.units, states.both, "hidden")
    if states.part == "pair":  # the cell state: often unpacked, seldom used
        return States(states.sequences, states.kind, states.units, states.both, "cell")
    if states.part == "hidden" and isinstance(index, int):
        return last_state(reader, states, index, name)
    raise refuse(name, states.kind.upper(), "has its cell state or a part of its states used, which is not converted")


def last_state(reader: TorchReader, states: States, index: int, name: str) -> Value:
    ways = 2 if states.both else 1
    index %= len(states.sequences) * ways
    sequence, backward = states.sequences[index // ways], index % ways == 1
    width = states.units
    # The backward direction ends at the first step.
    value = reader.graph.add(
        "select",
        (sequence,),
        f"{name}.step",
        shape=(width * ways,),
        axis=1,
        index=0 if backward else -1,
        source=name,
    )
    if states.both:
        start, stop = (width, 2 * width) if backward else (0, width)
        value = reader.graph.add("slice", (value,), name, shape=(width,), axis=1, start=start, stop=stop)
    return Value(value)


def attention(
    reader: TorchReader,
    module: nn.MultiheadAttention,
    args: list[Any],
    keywords: dict[str, Any],
    name: str,
    result: Any,
) -> Any:
    options = {key: value for key, value in keywords.items() if key not in ("query", "key", "value")}
    inputs = [*args[:3], *(keywords[key] for key in ("query", "key", "value") if key in keywords)]
    if (
        len(args) > 3
        or any(value is not None for key, value in options.items() if "mask" in key)
        or options.get("is_causal")
    ):
        raise refuse(name, "MultiheadAttention", "is called with a mask, which is not converted")
    if not module.batch_first:
        raise refuse(
            name,
            "MultiheadAttention",
            "is made without batch_first=True; a twin needs the samples on the first axis",
        )
    if module.bias_k is not None or module.add_zero_attn:
        raise refuse(name, "MultiheadAttention", "has add_bias_kv or add_zero_attn, which is not converted")
    return (add_attention(reader, module, inputs, name), None)


def add_attention(reader: TorchReader, module: nn.MultiheadAttention, inputs: list[Value], name: str) -> Value:
    width, heads = module.embed_dim, module.num_heads
    if module.in_proj_weight is not None:
        parts = np.split(array(module.in_proj_weight), 3)
    else:
        parts = [array(getattr(module, f"{part}_proj_weight")) for part in "qkv"]
    biases = np.split(array(module.in_proj_bias), 3) if module.in_proj_bias is not None else [None] * 3
    weights: dict[str, Any] = {}
    for part, kernel, bias in zip(("query", "key", "value"), parts, biases, strict=True):
        weights[f"{part}_kernel"] = kernel.T.reshape(-1, heads, width // heads)
        weights[f"{part}_bias"] = None if bias is None else bias.reshape(heads, width // heads)
    weights["output_kernel"] = array(module.out_proj.weight).T.reshape(heads, width // heads, width)
    weights["output_bias"] = array(module.out_proj.bias)
    names = tuple(reader.plain(value) for value in inputs)
    return Value(reader.graph.add("attention", names, name, weights=weights))


def wide_attention(
    reader: TorchReader,
    module: WideAttention,
    args: list[Any],
    keywords: dict[str, Any],
    name: str,
    result: Any,
) -> Value:
    weights: dict[str, Any] = {}
    for part in ("query", "key", "value"):
        linear = getattr(module, part)
        kernel, bias = array(linear.weight).T, array(linear.bias)
        weights[f"{part}_kernel"] = kernel.reshape(kernel.shape[0], module.heads, -1)
        weights[f"{part}_bias"] = None if bias is None else bias.reshape(module.heads, -1)
    kernel = array(module.output.weight).T
    weights["output_kernel"] = kernel.reshape(module.heads, -1, kernel.shape[-1])
    weights["output_bias"] = array(module.output.bias)
    return reader.add("attention", tuple(reader.plain(value) for value in args), name, result, False, weights=weights)


def encoder_layer(
    reader: TorchReader,
    module: nn.TransformerEncoderLayer,
    args: list[Any],
    keywords: dict[str, Any],
    name: str,
    result: Any,
) -> Value:
    """Attention and two linear layers, each with residual and norm (Vaswani et al. 2017)."""
    from dlexplain.frameworks.convert import torch_layers

    if len(args) > 1 or any(item is not None and item is not False for item in keywords.values()):
        raise refuse(name, "TransformerEncoderLayer", "is called with a mask, which is not converted")
    if not module.self_attn.batch_first:
        raise refuse(name, "TransformerEncoderLayer", "is made without batch_first=True, which a twin needs")
    value = Value(reader.plain(args[0]))

    def sub(part: str, inner: Value) -> Value:
        layer = getattr(module, part)
        size = reader.graph.shape(inner.name)[:-1]
        after = torch.empty(1, *size, layer.out_features if isinstance(layer, nn.Linear) else result.shape[-1])
        return torch_layers.read(reader, layer, [inner], {}, f"{name}.{part}", after)

    def attend(inner: Value) -> Value:
        return sub("dropout1", add_attention(reader, module.self_attn, [inner] * 3, f"{name}.self_attn"))

    def feed(inner: Value) -> Value:
        inner = activate(reader, module.activation, sub("linear1", inner), f"{name}.activation")
        return sub("dropout2", sub("linear2", sub("dropout", inner)))

    for place, (block, norm) in enumerate(((attend, "norm1"), (feed, "norm2")), start=1):
        inner = block(sub(norm, value) if module.norm_first else value)
        value = Value(reader.graph.add("merge", (value.name, inner.name), f"{name}.add{place}", kind="add"))
        value = value if module.norm_first else sub(norm, value)
    return value


def activate(reader: TorchReader, function: Any, value: Value, name: str) -> Value:
    from dlexplain.frameworks.convert import torch_calls, torch_layers

    module = function if isinstance(function, nn.Module) else torch_calls.as_module(function, [], {})
    if module is None:
        raise refuse(name, getattr(function, "__name__", "activation"))
    return torch_layers.read(reader, module, [value], {}, name, None)


def encoder(
    reader: TorchReader,
    module: nn.TransformerEncoder,
    args: list[Any],
    keywords: dict[str, Any],
    name: str,
    result: Any,
) -> Value:
    from dlexplain.frameworks.convert import torch_layers

    value = args[0]
    if len(args) > 1 or any(item is not None and item is not False for item in keywords.values()):
        raise refuse(name, "TransformerEncoder", "is called with a mask, which is not converted")
    for place, layer in enumerate(module.layers):
        value = torch_layers.read(reader, layer, [value], {}, f"{name}.layers.{place}", result)
    return value if module.norm is None else torch_layers.read(reader, module.norm, [value], {}, f"{name}.norm", result)


READERS: dict[type, Any] = {
    nn.LSTM: recurrent, nn.GRU: recurrent, nn.RNN: recurrent, ResetBeforeGRU: reset_before,
    nn.MultiheadAttention: attention, WideAttention: wide_attention,
    nn.TransformerEncoderLayer: encoder_layer, nn.TransformerEncoder: encoder,
}  # fmt: skip
