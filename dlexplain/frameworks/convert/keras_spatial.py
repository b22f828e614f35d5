"""How Keras's convolutions, poolings and paddings read into the graph."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import layers

from dlexplain.frameworks.convert.from_keras import KerasReader, shape_after
from dlexplain.frameworks.convert.graph import Pads, refuse, same_pads, slid
from dlexplain.frameworks.convert.keras_reading import Readers, activate, array, check_last

reads = Readers()


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
        "conv", inputs, name, shape=(*size, kernel.shape[-1]), weights={"kernel": kernel, "bias": bias},
        source=source or name,
        strides=tuple(layer.strides), pads=pads, dilation=tuple(layer.dilation_rate), groups=groups,
    )  # fmt: skip


def depthwise_kernel(kernel: np.ndarray) -> np.ndarray:
    """`(..., channels, multiplier)` as a grouped convolution's `(..., 1, channels * multiplier)`."""
    return kernel.reshape(*kernel.shape[:-2], 1, -1)


@reads(layers.DepthwiseConv1D, layers.DepthwiseConv2D)
def depthwise(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    check_last(layer, name)
    groups = reader.graph.shape(inputs[0])[-1]
    value = add_conv(reader, layer, inputs, name, depthwise_kernel(array(layer.kernel)), array(layer.bias), groups)
    return activate(reader, layer.activation, value, name)


@reads(layers.SeparableConv1D, layers.SeparableConv2D)
def separable(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    check_last(layer, name)
    graph, kernel = reader.graph, array(layer.depthwise_kernel)
    groups, deep = graph.shape(inputs[0])[-1], depthwise_kernel(kernel)
    value = add_conv(reader, layer, inputs, f"{name}_depthwise", deep, None, groups, source=name)
    ones = (1,) * (kernel.ndim - 2)
    value = graph.add(
        "conv", (value,), name, shape=(*graph.shape(value)[:-1], layer.filters), strides=ones, pads=((0,
        0),) * len(ones),
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
