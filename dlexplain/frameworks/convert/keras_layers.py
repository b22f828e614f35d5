"""How each Keras layer reads into the graph; one short function a kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers

from dlexplain.frameworks.convert import keras_recurrent
from dlexplain.frameworks.convert.from_keras import KerasReader, shape_after
from dlexplain.frameworks.convert.graph import Pads, refuse, same_pads, slid

READERS: dict[type, Callable[[KerasReader, Any, tuple[str, ...], str], str]] = {}

# Keras's activation -> the graph's name and options.
ACTIVATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    name: (name, {})
    for name in (
        "relu", "relu6", "selu", "silu", "sigmoid", "tanh", "softplus", "softsign", "exponential", "hard_sigmoid",
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


def reads(*kinds: type) -> Callable[[Any], Any]:
    def note(function: Any) -> Any:
        READERS.update(dict.fromkeys(kinds, function))
        return function

    return note


def array(variable: Any) -> np.ndarray | None:
    return None if variable is None else np.array(keras.ops.convert_to_numpy(variable), dtype=np.float32)


def check_last(layer: Any, name: str) -> None:
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        raise refuse(
            name, type(layer).__name__, "has data_format='channels_first'; only channels_last is converted"
        )


def activate(reader: KerasReader, function: Any, value: str, name: str) -> str:
    """Append a layer's own activation, if it has one."""
    if function is None or function is keras.activations.linear:
        return value
    kind = getattr(function, "__name__", type(function).__name__)
    if kind not in ACTIVATIONS or getattr(keras.activations, kind) is not function:
        raise refuse(name, f"activation {kind}")
    graph_name, options = ACTIVATIONS[kind]
    return reader.graph.add(
        "activation", (value,), f"{name}_activation", source=name, kind=graph_name, **options
    )


@reads(layers.Dense)
def dense(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    shape = (*reader.graph.shape(inputs[0])[:-1], layer.units)
    weights = {"kernel": array(layer.kernel), "bias": array(layer.bias)}
    return activate(
        reader, layer.activation, reader.graph.add("dense", inputs, name, shape=shape, weights=weights), name
    )


def window_pads(
    reader: KerasReader, layer: Any, inputs: tuple[str, ...], kernel: Any, dilation: Any, name: str
) -> Pads:
    size = reader.graph.shape(inputs[0])[:-1]
    if layer.padding == "same":
        return same_pads(size, kernel, layer.strides, dilation, name)
    if layer.padding == "causal":
        return (((kernel[0] - 1) * dilation[0], 0),)
    return ((0, 0),) * len(size)


@reads(layers.Conv1D, layers.Conv2D, layers.Conv3D)
def conv(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    check_last(layer, name)
    kernel, bias = array(layer.kernel), array(layer.bias)
    value = add_conv(reader, layer, inputs, name, kernel, bias, layer.groups)
    return activate(reader, layer.activation, value, name)


def add_conv(
    reader: KerasReader,
    layer: Any,
    inputs: tuple[str, ...],
    name: str,
    kernel: Any,
    bias: Any,
    groups: int,
    source: str = "",
) -> str:
    graph = reader.graph
    pads = window_pads(reader, layer, inputs, layer.kernel_size, layer.dilation_rate, name)
    size = slid(graph.shape(inputs[0])[:-1], layer.kernel_size, layer.strides, pads, layer.dilation_rate)
    return graph.add(
        "conv", inputs, name, shape=(*size, kernel.shape[-1]), weights={"kernel": kernel, "bias": bias}, source=source or name,
        strides=tuple(layer.strides), pads=pads, dilation=tuple(layer.dilation_rate), groups=groups,
    )  # fmt: skip


def depthwise_kernel(kernel: np.ndarray) -> np.ndarray:
    """`(..., channels, multiplier)` as a grouped convolution's `(..., 1, channels * multiplier)`."""
    return kernel.reshape(*kernel.shape[:-2], 1, -1)


@reads(layers.DepthwiseConv1D, layers.DepthwiseConv2D)
def depthwise(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    check_last(layer, name)
    groups = reader.graph.shape(inputs[0])[-1]
    value = add_conv(
        reader, layer, inputs, name, depthwise_kernel(array(layer.kernel)), array(layer.bias), groups
    )
    return activate(reader, layer.activation, value, name)


@reads(layers.SeparableConv1D, layers.SeparableConv2D)
def separable(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    check_last(layer, name)
    graph, kernel = reader.graph, array(layer.depthwise_kernel)
    groups, deep = graph.shape(inputs[0])[-1], depthwise_kernel(kernel)
    value = add_conv(reader, layer, inputs, f"{name}_depthwise", deep, None, groups, source=name)
    ones = (1,) * (kernel.ndim - 2)
    value = graph.add(
        "conv", (value,), name, shape=(*graph.shape(value)[:-1], layer.filters), strides=ones, pads=((0, 0),) * len(ones),
        dilation=ones, groups=1, weights={"kernel": array(layer.pointwise_kernel), "bias": array(layer.bias)},
    )  # fmt: skip
    return activate(reader, layer.activation, value, name)


@reads(layers.Conv1DTranspose, layers.Conv2DTranspose)
def conv_transpose(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    check_last(layer, name)
    if layer.output_padding is not None or set(layer.dilation_rate) != {1}:
        raise refuse(name, type(layer).__name__, "has output_padding or dilation, which is not converted")
    shape = shape_after(layer, reader.graph.shape(inputs[0]))
    # What is cropped from the full output, of length (n - 1) * stride + kernel; below zero: lengthened.
    low = [
        max(k - s, 0) // 2 if layer.padding == "same" else 0
        for k, s in zip(layer.kernel_size, layer.strides, strict=True)
    ]
    total = [
        k - s if layer.padding == "same" else min(k - s, 0)
        for k, s in zip(layer.kernel_size, layer.strides, strict=True)
    ]
    crops = tuple((a, b - a) for a, b in zip(low, total, strict=True))
    weights = {"kernel": array(layer.kernel), "bias": array(layer.bias)}
    value = reader.graph.add(
        "conv_transpose",
        inputs,
        name,
        shape=shape,
        weights=weights,
        strides=tuple(layer.strides),
        crops=crops,
    )
    return activate(reader, layer.activation, value, name)


@reads(*(getattr(layers, f"{kind}Pooling{rank}D") for kind in ("Max", "Average") for rank in (1, 2, 3)))
def pool(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    check_last(layer, name)
    kernel, strides = tuple(layer.pool_size), tuple(layer.strides)
    ones = (1,) * len(kernel)
    pads = window_pads(reader, layer, inputs, kernel, ones, name)
    shape = reader.graph.shape(inputs[0])
    kind = "max" if type(layer).__name__.startswith("Max") else "average"
    return reader.graph.add(
        "pool", inputs, name, shape=(*slid(shape[:-1], kernel, strides, pads, ones), shape[-1]),
        kind=kind, size=kernel, strides=strides, pads=pads,
    )  # fmt: skip


@reads(*(getattr(layers, f"Global{kind}Pooling{rank}D") for kind in ("Max", "Average") for rank in (1, 2, 3)))
def global_pool(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    check_last(layer, name)
    kind = "max" if "Max" in type(layer).__name__ else "average"
    shape = shape_after(layer, reader.graph.shape(inputs[0]))
    return reader.graph.add("global_pool", inputs, name, shape=shape, kind=kind, keep=bool(layer.keepdims))


@reads(layers.Flatten)
def flatten(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    check_last(layer, name)
    return reader.graph.add("flatten", inputs, name, shape=shape_after(layer, reader.graph.shape(inputs[0])))


@reads(layers.Reshape)
def reshape(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    shape = shape_after(layer, reader.graph.shape(inputs[0]))
    if None in shape:
        raise refuse(name, "Reshape", "needs a fixed input size; build the model with one")
    return reader.graph.add("reshape", inputs, name, shape=shape)


@reads(layers.Permute)
def permute(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    return reader.graph.add(
        "permute",
        inputs,
        name,
        shape=shape_after(layer, reader.graph.shape(inputs[0])),
        dims=tuple(layer.dims),
    )


def pairs(value: Any) -> Pads:
    items = value if isinstance(value, (tuple, list)) and isinstance(value[0], (tuple, list)) else (value,)
    return tuple((int(low), int(high)) for low, high in items)


@reads(layers.ZeroPadding1D, layers.ZeroPadding2D, layers.ZeroPadding3D)
def pad(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    check_last(layer, name)
    shape = shape_after(layer, reader.graph.shape(inputs[0]))
    return reader.graph.add("pad", inputs, name, shape=shape, pads=pairs(layer.padding), value=0.0)


@reads(layers.Cropping1D, layers.Cropping2D, layers.Cropping3D)
def crop(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    check_last(layer, name)
    return reader.graph.add(
        "crop",
        inputs,
        name,
        shape=shape_after(layer, reader.graph.shape(inputs[0])),
        crops=pairs(layer.cropping),
    )


@reads(layers.UpSampling1D, layers.UpSampling2D)
def upsample(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    check_last(layer, name)
    kind = getattr(layer, "interpolation", "nearest")
    if kind not in ("nearest", "bilinear"):
        raise refuse(name, f"UpSampling2D with {kind} interpolation")
    factors = (layer.size,) if isinstance(layer.size, int) else tuple(layer.size)
    return reader.graph.add(
        "upsample",
        inputs,
        name,
        shape=shape_after(layer, reader.graph.shape(inputs[0])),
        factors=factors,
        kind=kind,
    )


@reads(layers.BatchNormalization)
def batch_norm(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    rank = len(reader.graph.shape(inputs[0]))
    if layer.axis not in (-1, rank):
        raise refuse(
            name, "BatchNormalization", f"normalises axis {layer.axis}; only the last axis is converted"
        )
    weights = {
        "scale": array(layer.gamma), "shift": array(layer.beta),
        "mean": array(layer.moving_mean), "variance": array(layer.moving_variance),
    }  # fmt: skip
    return reader.graph.add("batch_norm", inputs, name, weights=weights, epsilon=float(layer.epsilon))


@reads(layers.LayerNormalization)
def layer_norm(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    rank = len(reader.graph.shape(inputs[0]))
    chosen = [layer.axis] if isinstance(layer.axis, int) else list(layer.axis)
    axes = sorted(axis % (rank + 1) for axis in chosen)
    if axes != list(range(rank + 1 - len(axes), rank + 1)) or 0 in axes:
        raise refuse(name, "LayerNormalization", f"normalises axes {axes}; only the last ones are converted")
    weights = {"scale": array(layer.gamma), "shift": array(layer.beta)}
    return reader.graph.add(
        "layer_norm", inputs, name, weights=weights, epsilon=float(layer.epsilon), axes=len(axes)
    )


@reads(layers.GroupNormalization)
def group_norm(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    if layer.axis not in (-1, len(reader.graph.shape(inputs[0]))):
        raise refuse(name, "GroupNormalization", f"groups axis {layer.axis}; only the last axis is converted")
    weights = {"scale": array(layer.gamma), "shift": array(layer.beta)}
    channels = reader.graph.shape(inputs[0])[-1]
    groups = channels if layer.groups == -1 else layer.groups
    return reader.graph.add(
        "group_norm", inputs, name, weights=weights, epsilon=float(layer.epsilon), groups=groups
    )


@reads(layers.Embedding)
def embedding(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    if layer.mask_zero:
        reader.masked = name
    shape = (*reader.graph.shape(inputs[0]), layer.output_dim)
    # The property adds a LoRA update, where there is one.
    return reader.graph.add(
        "embedding", inputs, name, shape=shape, weights={"table": array(layer.embeddings)}
    )


@reads(
    layers.Dropout, layers.SpatialDropout1D, layers.SpatialDropout2D, layers.SpatialDropout3D, layers.AlphaDropout,
    layers.GaussianDropout, layers.GaussianNoise, layers.ActivityRegularization, layers.Identity,
)  # fmt: skip
def dropout(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    """In inference all of these pass their input on; only plain dropout keeps its rate in the twin."""
    rate = float(layer.rate) if type(layer) is layers.Dropout else 0.0
    return reader.graph.add(
        "dropout" if rate else "identity", inputs, name, **({"rate": rate} if rate else {})
    )


@reads(layers.Activation)
def activation(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    function = layer.activation
    if function is keras.activations.linear:
        return reader.graph.add("identity", inputs, name)
    kind = getattr(function, "__name__", type(function).__name__)
    if kind not in ACTIVATIONS or getattr(keras.activations, kind) is not function:
        raise refuse(name, f"activation {kind}")
    graph_name, options = ACTIVATIONS[kind]
    return reader.graph.add("activation", inputs, name, kind=graph_name, **options)


@reads(layers.ReLU)
def relu(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    slope, top, threshold = float(layer.negative_slope), layer.max_value, float(layer.threshold)
    if threshold or (top is not None and (slope or float(top) != 6.0)):
        raise refuse(name, "ReLU", "has a threshold or a cap other than 6, which is not converted")
    if slope:
        return reader.graph.add("activation", inputs, name, kind="leaky_relu", slope=slope)
    return reader.graph.add("activation", inputs, name, kind="relu" if top is None else "relu6")


@reads(layers.LeakyReLU)
def leaky_relu(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    return reader.graph.add("activation", inputs, name, kind="leaky_relu", slope=float(layer.negative_slope))


@reads(layers.ELU)
def elu(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    return reader.graph.add("activation", inputs, name, kind="elu", alpha=float(layer.alpha))


@reads(layers.Softmax)
def softmax(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    axis, rank = layer.axis, len(reader.graph.shape(inputs[0]))
    if not isinstance(axis, int) or axis % (rank + 1) == 0:
        raise refuse(name, "Softmax", f"runs over axis {axis}; one axis that is not the batch is converted")
    return reader.graph.add("activation", inputs, name, kind="softmax", axis=axis % (rank + 1) - rank - 1)


@reads(layers.PReLU)
def prelu(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    slopes = array(layer.alpha)
    if slopes.size != slopes.shape[-1]:
        raise refuse(
            name, "PReLU", "has a slope for every place; only one a channel is converted (shared_axes)"
        )
    return reader.graph.add("prelu", inputs, name, weights={"slopes": slopes.reshape(-1)})


@reads(layers.Rescaling)
def rescaling(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    return add_rescale(reader, inputs, name, layer.scale, layer.offset)


@reads(layers.Normalization)
def normalization(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    mean, deviation = array(layer.mean), np.maximum(np.sqrt(array(layer.variance)), 1e-7)
    if layer.invert:
        return add_rescale(reader, inputs, name, deviation, mean)
    return add_rescale(reader, inputs, name, 1 / deviation, -mean / deviation)


def add_rescale(reader: KerasReader, inputs: tuple[str, ...], name: str, scale: Any, offset: Any) -> str:
    """`x * scale + offset`, each one number or one a channel."""
    both = [np.asarray(item, dtype=np.float32) for item in (scale, offset)]
    if any(item.size not in (1, item.shape[-1] if item.ndim else 1) for item in both):
        raise refuse(name, "rescaling", "has a scale for every place; only one a channel is converted")
    weights = {"scale": both[0].reshape(-1), "offset": both[1].reshape(-1)}
    return reader.graph.add("rescale", inputs, name, weights=weights)


MERGES = {
    layers.Add: "add", layers.Subtract: "subtract", layers.Multiply: "multiply",
    layers.Maximum: "maximum", layers.Minimum: "minimum", layers.Average: "average",
}  # fmt: skip


@reads(*MERGES)
def merge(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    shapes = [reader.graph.shape(item) for item in inputs]
    if len({len(shape) for shape in shapes}) > 1:
        raise refuse(name, type(layer).__name__, "joins inputs of different rank, which is not converted")
    shape = tuple(None if None in sizes else max(sizes) for sizes in zip(*shapes, strict=True))
    return reader.graph.add("merge", inputs, name, shape=shape, kind=MERGES[type(layer)])


@reads(layers.Concatenate)
def concatenate(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    return add_concat(reader, inputs, name, layer.axis)


def add_concat(reader: KerasReader, inputs: tuple[str, ...], name: str, axis: int) -> str:
    shapes = [reader.graph.shape(item) for item in inputs]
    axis = axis % (len(shapes[0]) + 1)
    if axis == 0:
        raise refuse(name, "Concatenate", "joins along the batch axis, which is not converted")
    shape = list(shapes[0])
    sizes = [item[axis - 1] for item in shapes]
    shape[axis - 1] = None if None in sizes else sum(sizes)
    return reader.graph.add("concat", inputs, name, shape=tuple(shape), axis=axis)


@reads(layers.RepeatVector)
def repeat(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    shape = reader.graph.shape(inputs[0])
    value = reader.graph.add("reshape", inputs, f"{name}_step", shape=(1, *shape), source=name)
    return reader.graph.add("concat", (value,) * layer.n, name, shape=(layer.n, *shape), axis=1)


READERS.update(keras_recurrent.readers(array, activate))
