"""Writing a `Graph` as a Keras Functional model named as the graph's layers (dots become underscores)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from dlexplain.frameworks.convert.graph import Graph, Node, Pads, refuse, same_pads

Written = Any


class KerasWriter:
    """`values` maps the graph's values to symbolic tensors, `layers` its layers to those made."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.values: dict[str, Any] = {}
        self.layers: dict[str, Any] = {}

    def write(self, name: str) -> keras.Model:
        """The Functional model."""
        for node in self.graph.nodes.values():
            if node.op == "input":
                value = keras.Input(node.shape, name=keras_name(node.name), dtype=self.graph.input_dtype(node.name))
            else:
                value = WRITERS[node.op](self, node)
            self.values[node.name] = value
        inputs = [self.values[item] for item in self.graph.inputs]
        outputs = [self.values[item] for item in self.graph.outputs]
        return keras.Model(
            inputs[0] if len(inputs) == 1 else inputs,
            outputs[0] if self.graph.single_output else outputs,
            name=name,
        )

    def inputs(self, node: Node) -> list[Any]:
        return [self.values[name] for name in node.inputs]

    def layer(
        self,
        node: Node,
        make: Callable[..., Any],
        weights: list[np.ndarray | None] | None = None,
        *values: Any,
    ) -> Any:
        """Call the node's layer, made and filled on its first use."""
        values = values or tuple(self.inputs(node))
        made = self.layers.get(node.layer)
        if made is None:
            made = self.layers[node.layer] = make(name=keras_name(node.layer))
        result = made(*values)
        if weights is not None:
            made.set_weights([weight for weight in weights if weight is not None])
        return result


def keras_name(layer: str) -> str:
    return layer.replace(".", "_").replace("/", "_")


def ranked(kind: str, rank: int) -> Any:
    return getattr(layers, kind.format(f"{rank}D"))


def dense(writer: KerasWriter, node: Node) -> Written:
    kernel, bias = node.weights["kernel"], node.weights.get("bias")
    make = partial(layers.Dense, kernel.shape[1], use_bias=bias is not None)
    return writer.layer(node, make, [kernel, bias])


def zero_padded(writer: KerasWriter, node: Node, pads: Pads) -> Any:
    """The input with explicit zeros in front of the layer that needs them."""
    return ranked("ZeroPadding{}", len(pads))(pads if len(pads) > 1 else pads[0], name=f"{keras_name(node.name)}_pad")(
        writer.values[node.inputs[0]]
    )


def padding(writer: KerasWriter, node: Node, kernel: Any, strides: Any, dilation: Any) -> str | None:
    """'valid' or 'same' where Keras's own padding is the wanted one, else None."""
    pads = node.options["pads"]
    if not any(map(any, pads)):
        return "valid"
    lengths = writer.graph.shape(node.inputs[0])[:-1]
    known = None not in lengths or set(strides) == {1}
    return "same" if known and same_pads(lengths, kernel, strides, dilation, node.source) == pads else None


def conv(writer: KerasWriter, node: Node) -> Written:
    options, kernel, bias = node.options, node.weights["kernel"], node.weights.get("bias")
    size, strides, dilation = kernel.shape[:-2], options["strides"], options["dilation"]
    if max(strides) > 1 and max(dilation) > 1:
        raise refuse(node.source, "convolution", "has both strides and dilation, which Keras has not")
    own = padding(writer, node, size, strides, dilation)
    value = writer.values[node.inputs[0]] if own else zero_padded(writer, node, options["pads"])
    rank, groups, channels = len(size), options["groups"], writer.graph.shape(node.inputs[0])[-1]
    common: dict[str, Any] = {"strides": strides, "padding": own or "valid"}
    common |= {"dilation_rate": dilation, "use_bias": bias is not None}
    # TensorFlow's depthwise kernel wants equal strides; else the grouped convolution does the same.
    if groups == channels > 1 and rank < 3 and len(set(strides)) == 1:
        multiplier = kernel.shape[-1] // groups
        deep = kernel.reshape(*size, groups, multiplier)
        make = partial(ranked("DepthwiseConv{}", rank), size, depth_multiplier=multiplier, **common)
        return writer.layer(node, make, [deep, bias], value)
    make = partial(ranked("Conv{}", rank), kernel.shape[-1], size, groups=groups, **common)
    return writer.layer(node, make, [kernel, bias], value)


def conv_transpose(writer: KerasWriter, node: Node) -> Written:
    options, kernel, bias = node.options, node.weights["kernel"], node.weights.get("bias")
    size, strides, crops = kernel.shape[:-2], options["strides"], options["crops"]
    # Keras gives (n - 1) * stride + max(kernel, stride); what Torch crops or adds is done by hand.
    own = tuple((0, min(k - s, 0)) for k, s in zip(size, strides, strict=True))
    change = tuple((a - c, b - d) for (a, b), (c, d) in zip(crops, own, strict=True))
    if any(side < 0 for pair in change for side in pair):
        raise refuse(node.source, "transposed convolution", "has output_padding that Keras has not")
    make = partial(
        ranked("Conv{}Transpose", len(size)),
        kernel.shape[-2],
        size,
        strides=strides,
        padding="valid",
        use_bias=bias is not None,
    )
    value = writer.layer(node, make, [kernel, bias])
    if any(map(any, change)):
        value = ranked("Cropping{}", len(size))(
            change if len(change) > 1 else change[0], name=f"{keras_name(node.name)}_crop"
        )(value)
    return value


def pool(writer: KerasWriter, node: Node) -> Written:
    options, kind = node.options, node.options["kind"]
    size, strides = options["size"], options["strides"]
    own = padding(writer, node, size, strides, (1,) * len(size))
    if own is None and kind == "average":
        raise refuse(
            node.source,
            "average pooling",
            "leaves its padding out of the mean, which Keras does only for 'same'",
        )
    value = writer.values[node.inputs[0]] if own else constant_padded(writer, node, options["pads"], -np.inf)
    name = "MaxPooling{}" if kind == "max" else "AveragePooling{}"
    make = partial(ranked(name, len(size)), size, strides=strides, padding=own or "valid")
    return writer.layer(node, make, None, value)


def constant_padded(writer: KerasWriter, node: Node, pads: Pads, value: float) -> Any:
    return ops.pad(writer.values[node.inputs[0]], ((0, 0), *pads, (0, 0)), constant_values=value)


def global_pool(writer: KerasWriter, node: Node) -> Written:
    name = "GlobalMaxPooling{}" if node.options["kind"] == "max" else "GlobalAveragePooling{}"
    rank = len(writer.graph.shape(node.inputs[0])) - 1
    return writer.layer(node, partial(ranked(name, rank), keepdims=node.options["keep"]))


def pad(writer: KerasWriter, node: Node) -> Written:
    pads, value = node.options["pads"], node.options["value"]
    if value or len(pads) > 3:
        return constant_padded(writer, node, pads, value)
    return writer.layer(node, partial(ranked("ZeroPadding{}", len(pads)), pads if len(pads) > 1 else pads[0]))


def crop(writer: KerasWriter, node: Node) -> Written:
    crops = node.options["crops"]
    return writer.layer(node, partial(ranked("Cropping{}", len(crops)), crops if len(crops) > 1 else crops[0]))


def upsample(writer: KerasWriter, node: Node) -> Written:
    factors, kind = node.options["factors"], node.options["kind"]
    if len(factors) == 1:
        return writer.layer(node, partial(layers.UpSampling1D, factors[0]))
    return writer.layer(node, partial(layers.UpSampling2D, factors, interpolation=kind))


def batch_norm(writer: KerasWriter, node: Node) -> Written:
    weights = node.weights
    make = partial(
        layers.BatchNormalization,
        epsilon=node.options["epsilon"],
        center="shift" in weights,
        scale="scale" in weights,
    )
    return writer.layer(node, make, [weights.get(key) for key in ("scale", "shift", "mean", "variance")])


def layer_norm(writer: KerasWriter, node: Node) -> Written:
    weights, axes = node.weights, list(range(-node.options["axes"], 0))
    make = partial(
        layers.LayerNormalization,
        axis=axes if len(axes) > 1 else -1,
        epsilon=node.options["epsilon"],
        center="shift" in weights,
        scale="scale" in weights,
    )
    return writer.layer(node, make, [weights.get("scale"), weights.get("shift")])


def group_norm(writer: KerasWriter, node: Node) -> Written:
    weights, options = node.weights, node.options
    make = partial(
        layers.GroupNormalization,
        options["groups"],
        epsilon=options["epsilon"],
        center="shift" in weights,
        scale="scale" in weights,
    )
    return writer.layer(node, make, [weights.get("scale"), weights.get("shift")])


def embedding(writer: KerasWriter, node: Node) -> Written:
    table = node.weights["table"]
    return writer.layer(node, partial(layers.Embedding, *table.shape), [table])


def activation(writer: KerasWriter, node: Node) -> Written:
    """A layer where Keras has one with these settings, else the operation."""
    options, kind = node.options, node.options["kind"]
    value, axis = writer.values[node.inputs[0]], options.get("axis")
    if kind == "gelu" and options["approximate"]:
        return ops.gelu(value, approximate=True)
    if kind == "celu":
        return ops.celu(value, alpha=options["alpha"])
    if kind in ("hard_shrink", "soft_shrink"):
        return getattr(ops, kind)(value, threshold=options["limit"])
    if kind == "log_softmax" and axis != -1:
        return ops.log_softmax(value, axis=axis)
    if kind == "leaky_relu":
        return writer.layer(node, partial(layers.LeakyReLU, negative_slope=options["slope"]))
    if kind == "elu":
        return writer.layer(node, partial(layers.ELU, alpha=options["alpha"]))
    if kind == "softmax":
        return writer.layer(node, partial(layers.Softmax, axis=axis))
    return writer.layer(node, partial(layers.Activation, kind))


def prelu(writer: KerasWriter, node: Node) -> Written:
    slopes, rank = node.weights["slopes"], len(node.shape)
    shared = list(range(1, rank)) or None
    held = np.broadcast_to(slopes, node.shape[-1:]).reshape((1,) * (rank - 1) + (-1,))
    return writer.layer(node, partial(layers.PReLU, shared_axes=shared), [held])


def rescale(writer: KerasWriter, node: Node) -> Written:
    scale, offset = (node.weights[key].astype(float) for key in ("scale", "offset"))
    scale, offset = (float(item[0]) if item.size == 1 else item.tolist() for item in (scale, offset))
    return writer.layer(node, partial(layers.Rescaling, scale, offset))


MERGES = {
    "add": layers.Add, "subtract": layers.Subtract, "multiply": layers.Multiply,
    "maximum": layers.Maximum, "minimum": layers.Minimum, "average": layers.Average,
}  # fmt: skip


def merge(writer: KerasWriter, node: Node) -> Written:
    return writer.layer(node, partial(MERGES[node.options["kind"]]), None, writer.inputs(node))


def concat(writer: KerasWriter, node: Node) -> Written:
    return writer.layer(node, partial(layers.Concatenate, axis=node.options["axis"]), None, writer.inputs(node))


def select(writer: KerasWriter, node: Node) -> Written:
    return writer.values[node.inputs[0]][(slice(None),) * node.options["axis"] + (node.options["index"],)]


def cut(writer: KerasWriter, node: Node) -> Written:
    key = (slice(None),) * node.options["axis"] + (slice(node.options["start"], node.options["stop"]),)
    return writer.values[node.inputs[0]][key]


def mean(writer: KerasWriter, node: Node) -> Written:
    return ops.mean(writer.values[node.inputs[0]], axis=node.options["axes"], keepdims=node.options["keep"])


def rnn(writer: KerasWriter, node: Node) -> Written:
    options, weights, width = node.options, node.weights, node.options["units"]
    common: dict[str, Any] = {"return_sequences": options["whole"], "use_bias": "forward_bias" in weights}
    kind = {"lstm": layers.LSTM, "gru": layers.GRU, "rnn": layers.SimpleRNN}[options["kind"]]
    if options["kind"] == "gru":
        common["reset_after"] = options["reset_after"]
    held = [
        weights.get(f"{side}_{part}") for side in ("forward", "backward") for part in ("kernel", "recurrent", "bias")
    ]
    if not options["both"]:
        return writer.layer(node, partial(kind, width, **common), held)
    make = partial(layers.Bidirectional, kind(width, name=f"{keras_name(node.layer)}_cell", **common))
    return writer.layer(node, make, held)


def attention(writer: KerasWriter, node: Node) -> Written:
    weights = node.weights
    _, heads, size = weights["query_kernel"].shape
    biased = {part for part in ("query", "key", "value", "output") if f"{part}_bias" in weights}
    if len(biased) not in (0, 4):
        raise refuse(node.source, "attention", "has a bias in some of its parts only, which Keras has not")
    make = partial(
        layers.MultiHeadAttention,
        heads,
        size,
        value_dim=weights["value_kernel"].shape[2],
        output_shape=weights["output_kernel"].shape[2],
        use_bias=bool(biased),
    )
    query, key, value = writer.inputs(node)
    held = [
        weights.get(f"{part}_{item}") for part in ("query", "key", "value", "output") for item in ("kernel", "bias")
    ]
    return writer.layer(node, make, held, query, value, key)


WRITERS: dict[str, Callable[[KerasWriter, Node], Written]] = {
    "dense": dense, "conv": conv, "conv_transpose": conv_transpose, "pool": pool, "global_pool": global_pool,
    "pad": pad,
    "crop": crop, "upsample": upsample, "batch_norm": batch_norm, "layer_norm": layer_norm,
    "group_norm": group_norm,
    "embedding": embedding, "activation": activation, "prelu": prelu, "rescale": rescale, "merge": merge,
    "concat": concat,
    "select": select, "slice": cut, "mean": mean, "rnn": rnn, "attention": attention,
    "flatten": lambda writer, node: writer.layer(node, partial(layers.Flatten)),
    "reshape": lambda writer, node: writer.layer(node, partial(layers.Reshape, node.shape)),
    "permute": lambda writer, node: writer.layer(node, partial(layers.Permute, node.options["dims"])),
    "identity": lambda writer, node: writer.layer(node, partial(layers.Identity)),
    "dropout": lambda writer, node: writer.layer(node, partial(layers.Dropout, node.options["rate"])),
}  # fmt: skip
