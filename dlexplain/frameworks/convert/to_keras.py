"""Writing a `Graph` as a Keras Functional model whose layers are named as the graph's (dots become underscores)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from dlexplain.frameworks.convert.graph import Graph, Node, Pads, refuse, same_pads

Written = Any


class KerasWriter:
    """`values` maps the graph's values to symbolic tensors, `layers` the graph's layers to those already made."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.values: dict[str, Any] = {}
        self.layers: dict[str, Any] = {}

    def write(self, name: str) -> keras.Model:
        """The Functional model."""
        for node in self.graph.nodes.values():
            if node.op == "input":
                value = keras.Input(
                    node.shape, name=keras_name(node.name), dtype=self.graph.input_dtype(node.name)
                )
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
        make: Callable[[str], Any],
        weights: list[np.ndarray | None] | None = None,
        *values: Any,
    ) -> Any:
        """Call the node's layer, made and filled on its first use."""
        values = values or tuple(self.inputs(node))
        made = self.layers.get(node.layer)
        if made is None:
            made = self.layers[node.layer] = make(keras_name(node.layer))
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
    make = lambda name: layers.Dense(kernel.shape[1], use_bias=bias is not None, name=name)  # noqa: E731
    return writer.layer(node, make, [kernel, bias])


def zero_padded(writer: KerasWriter, node: Node, pads: Pads) -> Any:
    """The input with explicit zeros in front of the layer that needs them."""
    return ranked("ZeroPadding{}", len(pads))(
        pads if len(pads) > 1 else pads[0], name=f"{keras_name(node.name)}_pad"
    )(writer.values[node.inputs[0]])


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
    common = dict(strides=strides, padding=own or "valid", dilation_rate=dilation, use_bias=bias is not None)
    # TensorFlow's depthwise kernel wants equal strides; else the grouped convolution does the same.
    if groups == channels > 1 and rank < 3 and len(set(strides)) == 1:
        multiplier = kernel.shape[-1] // groups
        deep = kernel.reshape(*size, groups, multiplier)
        make = lambda name: ranked("DepthwiseConv{}", rank)(
            size, depth_multiplier=multiplier, name=name, **common
        )
        return writer.layer(node, make, [deep, bias], value)
    make = lambda name: ranked("Conv{}", rank)(kernel.shape[-1], size, groups=groups, name=name, **common)  # noqa: E731
    return writer.layer(node, make, [kernel, bias], value)


def conv_transpose(writer: KerasWriter, node: Node) -> Written:
    options, kernel, bias = node.options, node.weights["kernel"], node.weights.get("bias")
    size, strides, crops = kernel.shape[:-2], options["strides"], options["crops"]
    # Keras gives (n - 1) * stride + max(kernel, stride); what Torch crops or adds is done by hand.
    own = tuple((0, min(k - s, 0)) for k, s in zip(size, strides, strict=True))
    change = tuple((a - c, b - d) for (a, b), (c, d) in zip(crops, own, strict=True))
    if any(side < 0 for pair in change for side in pair):
        raise refuse(node.source, "transposed convolution", "has output_padding that Keras has not")
    make = lambda name: ranked("Conv{}Transpose", len(size))(  # noqa: E731
        kernel.shape[-2], size, strides=strides, padding="valid", use_bias=bias is not None, name=name
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
    make = lambda called: ranked(name, len(size))(size, strides=strides, padding=own or "valid", name=called)  # noqa: E731
    return writer.layer(node, make, None, value)


def constant_padded(writer: KerasWriter, node: Node, pads: Pads, value: float) -> Any:
    return ops.pad(writer.values[node.inputs[0]], ((0, 0), *pads, (0, 0)), constant_values=value)


def global_pool(writer: KerasWriter, node: Node) -> Written:
    name = "GlobalMaxPooling{}" if node.options["kind"] == "max" else "GlobalAveragePooling{}"
    rank = len(writer.graph.shape(node.inputs[0])) - 1
    return writer.layer(node, lambda called: ranked(name, rank)(keepdims=node.options["keep"], name=called))


def pad(writer: KerasWriter, node: Node) -> Written:
    pads, value = node.options["pads"], node.options["value"]
    if value or len(pads) > 3:
        return constant_padded(writer, node, pads, value)
    return writer.layer(
        node, lambda name: ranked("ZeroPadding{}", len(pads))(pads if len(pads) > 1 else pads[0], name=name)
    )


def crop(writer: KerasWriter, node: Node) -> Written:
    crops = node.options["crops"]
    return writer.layer(
        node, lambda name: ranked("Cropping{}", len(crops))(crops if len(crops) > 1 else crops[0], name=name)
    )


def upsample(writer: KerasWriter, node: Node) -> Written:
    factors, kind = node.options["factors"], node.options["kind"]
    if len(factors) == 1:
        return writer.layer(node, lambda name: layers.UpSampling1D(factors[0], name=name))
    return writer.layer(node, lambda name: layers.UpSampling2D(factors, interpolation=kind, name=name))


def batch_norm(writer: KerasWriter, node: Node) -> Written:
    weights = node.weights
    make = lambda name: layers.BatchNormalization(  # noqa: E731
        epsilon=node.options["epsilon"], center="shift" in weights, scale="scale" in weights, name=name
    )
    return writer.layer(node, make, [weights.get(key) for key in ("scale", "shift", "mean", "variance")])


def layer_norm(writer: KerasWriter, node: Node) -> Written:
    weights, axes = node.weights, list(range(-node.options["axes"], 0))
    make = lambda name: layers.LayerNormalization(  # noqa: E731
        axis=axes if len(axes) > 1 else -1,
        epsilon=node.options["epsilon"],
        center="shift" in weights,
        scale="scale" in weights,
        name=name,
    )
    return writer.layer(node, make, [weights.get("scale"), weights.get("shift")])


def group_norm(writer: KerasWriter, node: Node) -> Written:
    weights, options = node.weights, node.options
    make = lambda name: layers.GroupNormalization(  # noqa: E731
        options["groups"],
        epsilon=options["epsilon"],
        center="shift" in weights,
        scale="scale" in weights,
        name=name,
    )
    return writer.layer(node, make, [weights.get("scale"), weights.get("shift")])


def embedding(writer: KerasWriter, node: Node) -> Written:
    table = node.weights["table"]
    return writer.layer(node, lambda name: layers.Embedding(*table.shape, name=name), [table])


def activation(writer: KerasWriter, node: Node) -> Written:
    options, kind = node.options, node.options["kind"]
    by_value: dict[str, Callable[[Any], Any]] = {
        "gelu": lambda x: ops.gelu(x, approximate=True),
        "celu": lambda x: ops.celu(x, alpha=options["alpha"]),
        "hard_shrink": lambda x: ops.hard_shrink(x, threshold=options["limit"]),
        "soft_shrink": lambda x: ops.soft_shrink(x, threshold=options["limit"]),
        "log_softmax": lambda x: ops.log_softmax(x, axis=options["axis"]),
    }
    made: dict[str, Callable[[str], Any]] = {
        "leaky_relu": lambda name: layers.LeakyReLU(negative_slope=options["slope"], name=name),
        "elu": lambda name: layers.ELU(alpha=options["alpha"], name=name),
        "softmax": lambda name: layers.Softmax(axis=options["axis"], name=name),
    }
    standard = {"gelu": not options.get("approximate"), "log_softmax": options.get("axis") == -1}
    if kind in by_value and not standard.get(kind):
        return by_value[kind](writer.values[node.inputs[0]])
    return writer.layer(node, made.get(kind, lambda name: layers.Activation(kind, name=name)))


def prelu(writer: KerasWriter, node: Node) -> Written:
    slopes, rank = node.weights["slopes"], len(node.shape)
    shared = list(range(1, rank)) or None
    held = np.broadcast_to(slopes, node.shape[-1:]).reshape((1,) * (rank - 1) + (-1,))
    return writer.layer(node, lambda name: layers.PReLU(shared_axes=shared, name=name), [held])


def rescale(writer: KerasWriter, node: Node) -> Written:
    scale, offset = (node.weights[key].astype(float) for key in ("scale", "offset"))
    scale, offset = (float(item[0]) if item.size == 1 else item.tolist() for item in (scale, offset))
    return writer.layer(node, lambda name: layers.Rescaling(scale, offset, name=name))


MERGES = {
    "add": layers.Add, "subtract": layers.Subtract, "multiply": layers.Multiply,
    "maximum": layers.Maximum, "minimum": layers.Minimum, "average": layers.Average,
}  # fmt: skip


def merge(writer: KerasWriter, node: Node) -> Written:
    return writer.layer(node, lambda name: MERGES[node.options["kind"]](name=name), None, writer.inputs(node))


def concat(writer: KerasWriter, node: Node) -> Written:
    return writer.layer(
        node, lambda name: layers.Concatenate(axis=node.options["axis"], name=name), None, writer.inputs(node)
    )


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
        weights.get(f"{side}_{part}")
        for side in ("forward", "backward")
        for part in ("kernel", "recurrent", "bias")
    ]
    if not options["both"]:
        return writer.layer(node, lambda name: kind(width, name=name, **common), held)
    make = lambda name: layers.Bidirectional(kind(width, name=f"{name}_cell", **common), name=name)  # noqa: E731
    return writer.layer(node, make, held)


def attention(writer: KerasWriter, node: Node) -> Written:
    weights = node.weights
    _, heads, size = weights["query_kernel"].shape
    biased = {part for part in ("query", "key", "value", "output") if f"{part}_bias" in weights}
    if len(biased) not in (0, 4):
        raise refuse(node.source, "attention", "has a bias in some of its parts only, which Keras has not")
    make = lambda name: layers.MultiHeadAttention(  # noqa: E731
        heads, size, value_dim=weights["value_kernel"].shape[2], output_shape=weights["output_kernel"].shape[2],
        use_bias=bool(biased), name=name,
    )  # fmt: skip
    query, key, value = writer.inputs(node)
    held = [
        weights.get(f"{part}_{item}")
        for part in ("query", "key", "value", "output")
        for item in ("kernel", "bias")
    ]
    return writer.layer(node, make, held, query, value, key)


WRITERS: dict[str, Callable[[KerasWriter, Node], Written]] = {
    "dense": dense, "conv": conv, "conv_transpose": conv_transpose, "pool": pool, "global_pool": global_pool, "pad": pad,
    "crop": crop, "upsample": upsample, "batch_norm": batch_norm, "layer_norm": layer_norm, "group_norm": group_norm,
    "embedding": embedding, "activation": activation, "prelu": prelu, "rescale": rescale, "merge": merge, "concat": concat,
    "select": select, "slice": cut, "mean": mean, "rnn": rnn, "attention": attention,
    "flatten": lambda writer, node: writer.layer(node, lambda name: layers.Flatten(name=name)),
    "reshape": lambda writer, node: writer.layer(node, lambda name: layers.Reshape(node.shape, name=name)),
    "permute": lambda writer, node: writer.layer(node, lambda name: layers.Permute(node.options["dims"], name=name)),
    "identity": lambda writer, node: writer.layer(node, lambda name: layers.Identity(name=name)),
    "dropout": lambda writer, node: writer.layer(node, lambda name: layers.Dropout(node.options["rate"], name=name)),
}  # fmt: skip
