"""How each operation of the graph is written in Torch; each gives (channels-first?, value)."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial, reduce
from typing import Any

import numpy as np
import torch
from torch import nn

from dlexplain.frameworks.convert import torch_recurrent
from dlexplain.frameworks.convert.graph import Node, refuse, slid
from dlexplain.frameworks.convert.to_torch import TorchWriter

Written = tuple[bool, Any]


def tensor(value: Any) -> torch.Tensor:
    # A copy: writing to the twin's weights must not reach the user's.
    return torch.from_numpy(np.array(value, dtype=np.float32))


def fill(module: nn.Module, **values: np.ndarray | None) -> nn.Module:
    """Put arrays into a module's parameters and buffers."""
    with torch.no_grad():
        for key, value in values.items():
            if value is not None:
                getattr(module, key).copy_(tensor(value))
    return module


ACTIVATIONS: dict[str, Callable[[dict[str, Any]], nn.Module]] = {
    "relu": lambda o: nn.ReLU(),
    "relu6": lambda o: nn.ReLU6(),
    "leaky_relu": lambda o: nn.LeakyReLU(o["slope"]),
    "elu": lambda o: nn.ELU(o["alpha"]),
    "celu": lambda o: nn.CELU(o["alpha"]),
    "selu": lambda o: nn.SELU(),
    "gelu": lambda o: nn.GELU("tanh" if o["approximate"] else "none"),
    "silu": lambda o: nn.SiLU(),
    "sigmoid": lambda o: nn.Sigmoid(),
    "tanh": lambda o: nn.Tanh(),
    "softplus": lambda o: nn.Softplus(),
    "softsign": lambda o: nn.Softsign(),
    "hard_sigmoid": lambda o: nn.Hardsigmoid(),
    "hard_silu": lambda o: nn.Hardswish(),
    "hard_tanh": lambda o: nn.Hardtanh(),
    "mish": lambda o: nn.Mish(),
    "log_sigmoid": lambda o: nn.LogSigmoid(),
    "tanh_shrink": lambda o: nn.Tanhshrink(),
    "hard_shrink": lambda o: nn.Hardshrink(o["limit"]),
    "soft_shrink": lambda o: nn.Softshrink(o["limit"]),
    "softmax": lambda o: nn.Softmax(o["axis"]),
    "log_softmax": lambda o: nn.LogSoftmax(o["axis"]),
}


def activation(writer: TorchWriter, node: Node) -> Written:
    kind, name = node.options["kind"], node.inputs[0]
    first = "axis" not in node.options and writer.shared(name)
    value = writer.have(name, first)
    if kind == "exponential":
        return first, writer.fx.call_function(torch.exp, (value,))
    return first, writer.module(node, lambda: ACTIVATIONS[kind](dict(node.options)), value)


def dense(writer: TorchWriter, node: Node) -> Written:
    kernel, bias = node.weights["kernel"], node.weights.get("bias")
    make = lambda: fill(nn.Linear(*kernel.shape, bias=bias is not None), weight=kernel.T, bias=bias)  # noqa: E731
    return False, writer.module(node, make, writer.have(node.inputs[0], False))


def ranked(kind: str, rank: int) -> Any:
    return getattr(nn, f"{kind}{rank}d")


def padded(writer: TorchWriter, value: Any, pads: Any, fill_with: float) -> Any:
    """Explicit padding of a channels-first value; Torch counts axes from the last."""
    flat = [int(side) for pair in reversed(pads) for side in pair]
    return writer.fx.call_function(nn.functional.pad, (value, flat), {"value": fill_with})


def conv(writer: TorchWriter, node: Node) -> Written:
    options, kernel, bias = node.options, node.weights["kernel"], node.weights.get("bias")
    rank, value = kernel.ndim - 2, writer.have(node.inputs[0], True)
    even = all(low == high for low, high in options["pads"])
    if not even:
        value = padded(writer, value, options["pads"], 0.0)

    def make() -> nn.Module:
        module = ranked("Conv", rank)(
            kernel.shape[-2] * options["groups"], kernel.shape[-1], kernel.shape[:-2],
            stride=options["strides"],
            padding=tuple(low for low, _ in options["pads"]) if even else 0, dilation=options["dilation"],
            groups=options["groups"], bias=bias is not None,
        )  # fmt: skip
        return fill(module, weight=np.moveaxis(kernel, (-1, -2), (0, 1)), bias=bias)

    return True, writer.module(node, make, value)


def conv_transpose(writer: TorchWriter, node: Node) -> Written:
    options, kernel, bias = node.options, node.weights["kernel"], node.weights.get("bias")
    rank, strides = kernel.ndim - 2, options["strides"]
    # Torch crops `padding` on both sides and adds `output_padding` at the end: a longer end is cropped by
    # hand.
    low, high = zip(*options["crops"], strict=True)
    extra = tuple(max(a - b, 0) for a, b in zip(low, high, strict=True))

    def make() -> nn.Module:
        module = ranked("ConvTranspose", rank)(
            kernel.shape[-1],
            kernel.shape[-2],
            kernel.shape[:-2],
            stride=strides,
            padding=low,
            output_padding=extra,
            bias=bias is not None,
        )
        return fill(module, weight=np.moveaxis(kernel, (-1, -2), (0, 1)), bias=bias)

    value = writer.module(node, make, writer.have(node.inputs[0], True))
    crops = tuple((0, b - a) for a, b in zip(low, high, strict=True))
    if any(b > 0 for _, b in crops):
        value = padded(writer, value, tuple((0, -max(b, 0)) for _, b in crops), 0.0)
    return True, value


def pool(writer: TorchWriter, node: Node) -> Written:
    options, value = node.options, writer.have(node.inputs[0], True)
    size, strides, pads = options["size"], options["strides"], options["pads"]
    lengths = writer.graph.shape(node.inputs[0])[:-1]
    rank, low = len(size), tuple(pair[0] for pair in pads)
    kind = "MaxPool" if options["kind"] == "max" else "AvgPool"
    even, fits = all(a == b for a, b in pads), all(2 * a <= k for a, k in zip(low, size, strict=True))
    ceil = False
    if not (even and fits):
        ceil = fits and ceil_gives(lengths, size, strides, pads)
        if not ceil and kind == "AvgPool":
            raise refuse(node.source, "average pooling", f"pads {pads}, which Torch's average pooling cannot")
        if not ceil:
            value, low = padded(writer, value, pads, float("-inf")), (0,) * rank
    keywords: dict[str, Any] = {"stride": strides, "padding": low, "ceil_mode": ceil}
    if kind == "AvgPool":
        keywords["count_include_pad"] = False  # as TensorFlow counts
    if rank == 1:
        keywords |= {"stride": strides[0], "padding": low[0]}
    return True, writer.module(node, lambda: ranked(kind, rank)(size if rank > 1 else size[0], **keywords), value)


def ceil_gives(lengths: Any, size: Any, strides: Any, pads: Any) -> bool:
    """Whether Torch's ceil mode with the lower padding on both sides makes the same windows."""
    if None in lengths:
        return False
    want = slid(lengths, size, strides, pads, (1,) * len(size))
    for n, k, s, (low, _), wanted in zip(lengths, size, strides, pads, want, strict=True):
        count = -(-(n + 2 * low - k) // s) + 1
        if (count - 1) * s >= n + low:  # the last window must begin inside the input or its lower padding
            count -= 1
        if count != wanted:
            return False
    return True


def global_pool(writer: TorchWriter, node: Node) -> Written:
    rank, kind = len(writer.graph.shape(node.inputs[0])) - 1, node.options["kind"]
    make = ranked("AdaptiveMaxPool" if kind == "max" else "AdaptiveAvgPool", rank)
    value = writer.module(node, lambda: make(1), writer.have(node.inputs[0], True))
    return (True, value) if node.options["keep"] else (False, writer.fx.call_function(torch.flatten, (value, 1)))


def flatten(writer: TorchWriter, node: Node) -> Written:
    shape = writer.graph.shape(node.inputs[0])
    # A single place or a single channel flattens to the same order either way.
    same = all(size == 1 for size in shape[:-1]) or (shape and shape[-1] == 1)
    value = next(iter(writer.forms[node.inputs[0]].values())) if same else writer.have(node.inputs[0], False)
    return False, writer.module(node, nn.Flatten, value)


def reshape(writer: TorchWriter, node: Node) -> Written:
    value = writer.have(node.inputs[0], False)
    return False, writer.fx.call_method("reshape", (value, -1, *node.shape))


def permute(writer: TorchWriter, node: Node) -> Written:
    return False, writer.fx.call_method("permute", (writer.have(node.inputs[0], False), 0, *node.options["dims"]))


def pad(writer: TorchWriter, node: Node) -> Written:
    return True, padded(writer, writer.have(node.inputs[0], True), node.options["pads"], node.options["value"])


def crop(writer: TorchWriter, node: Node) -> Written:
    pads = tuple((-low, -high) for low, high in node.options["crops"])
    return True, padded(writer, writer.have(node.inputs[0], True), pads, 0.0)


def upsample(writer: TorchWriter, node: Node) -> Written:
    factors, kind = tuple(float(item) for item in node.options["factors"]), node.options["kind"]
    return True, writer.module(
        node, lambda: nn.Upsample(scale_factor=factors, mode=kind), writer.have(node.inputs[0], True)
    )


def batch_norm(writer: TorchWriter, node: Node) -> Written:
    rank, channels = len(node.shape), node.shape[-1]
    scale, shift = node.weights.get("scale"), node.weights.get("shift")

    def make() -> nn.Module:
        affine = scale is not None or shift is not None
        module = ranked("BatchNorm", max(rank - 1, 1))(channels, eps=node.options["epsilon"], affine=affine)
        fill(module, weight=scale, bias=shift)
        return fill(module, running_mean=node.weights["mean"], running_var=node.weights["variance"])

    return rank > 1, writer.module(node, make, writer.have(node.inputs[0], True))


def layer_norm(writer: TorchWriter, node: Node) -> Written:
    shape = node.shape[-node.options["axes"] :]
    if None in shape:
        raise refuse(node.source, "LayerNormalization", "needs a fixed input size; build the model with one")
    scale, shift = node.weights.get("scale"), node.weights.get("shift")

    def make() -> nn.Module:
        affine = scale is not None or shift is not None
        return fill(
            nn.LayerNorm(shape, eps=node.options["epsilon"], elementwise_affine=affine),
            weight=scale,
            bias=shift,
        )

    return False, writer.module(node, make, writer.have(node.inputs[0], False))


def group_norm(writer: TorchWriter, node: Node) -> Written:
    scale, shift, options = node.weights.get("scale"), node.weights.get("shift"), node.options

    def make() -> nn.Module:
        affine = scale is not None or shift is not None
        module = nn.GroupNorm(options["groups"], node.shape[-1], eps=options["epsilon"], affine=affine)
        return fill(module, weight=scale, bias=shift)

    return len(node.shape) > 1, writer.module(node, make, writer.have(node.inputs[0], True))


def embedding(writer: TorchWriter, node: Node) -> Written:
    table = node.weights["table"]
    return False, writer.module(
        node, lambda: fill(nn.Embedding(*table.shape), weight=table), writer.have(node.inputs[0], False)
    )


def passing(writer: TorchWriter, node: Node) -> Written:
    first = writer.shared(node.inputs[0])
    make = partial(nn.Dropout, node.options["rate"]) if node.op == "dropout" else nn.Identity
    return first, writer.module(node, make, writer.have(node.inputs[0], first))


def prelu(writer: TorchWriter, node: Node) -> Written:
    slopes = node.weights["slopes"]
    first = len(node.shape) > 1
    if len(slopes) == 1 and not writer.shared(node.inputs[0]):
        first = False
    return first, writer.module(
        node, lambda: fill(nn.PReLU(len(slopes)), weight=slopes), writer.have(node.inputs[0], first)
    )


def rescale(writer: TorchWriter, node: Node) -> Written:
    """Numbers are written into the code; one value a channel becomes a buffer in the order of axes."""
    first = writer.shared(node.inputs[0])
    value = writer.have(node.inputs[0], first)
    for key, function, neutral in (("scale", operator.mul, 1.0), ("offset", operator.add, 0.0)):
        constant = node.weights[key]
        if constant.size == 1:
            if float(constant[0]) != neutral:
                value = writer.fx.call_function(function, (value, float(constant[0])))
            continue
        shape = (-1, *(1,) * (len(node.shape) - 1)) if first else (-1,)
        buffer = f"{node.layer.replace('.', '_')}_{key}"
        writer.root.register_buffer(buffer, tensor(constant).reshape(shape))
        value = writer.fx.call_function(function, (value, writer.fx.get_attr(buffer)))
    return first, value


MERGES = {
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "maximum": torch.maximum,
    "minimum": torch.minimum,
    "average": operator.add,
}  # fmt: skip


def merge(writer: TorchWriter, node: Node) -> Written:
    first = writer.shared(*node.inputs)
    values = [writer.have(name, first) for name in node.inputs]
    total = reduce(lambda a, b: writer.fx.call_function(MERGES[node.options["kind"]], (a, b)), values)
    if node.options["kind"] == "average":
        total = writer.fx.call_function(operator.truediv, (total, len(values)))
    return first, total


def concat(writer: TorchWriter, node: Node) -> Written:
    first, axis, rank = writer.shared(*node.inputs), node.options["axis"], len(node.shape)
    if first:
        axis = 1 if axis == rank else axis + 1
    return first, writer.fx.call_function(torch.cat, ([writer.have(name, first) for name in node.inputs], axis))


def select(writer: TorchWriter, node: Node) -> Written:
    value = writer.have(node.inputs[0], False)
    return False, writer.fx.call_method("select", (value, node.options["axis"], node.options["index"]))


def cut(writer: TorchWriter, node: Node) -> Written:
    key = (slice(None),) * node.options["axis"] + (slice(node.options["start"], node.options["stop"]),)
    return False, writer.fx.call_function(operator.getitem, (writer.have(node.inputs[0], False), key))


def mean(writer: TorchWriter, node: Node) -> Written:
    value = writer.have(node.inputs[0], False)
    return False, writer.fx.call_method("mean", (value, node.options["axes"]), {"keepdim": node.options["keep"]})


WRITERS: dict[str, Callable[[TorchWriter, Node], Written]] = {
    "activation": activation, "dense": dense, "conv": conv, "conv_transpose": conv_transpose, "pool": pool,
    "global_pool": global_pool, "flatten": flatten, "reshape": reshape, "permute": permute, "pad": pad,
    "crop": crop,
    "upsample": upsample, "batch_norm": batch_norm, "layer_norm": layer_norm, "group_norm": group_norm,
    "embedding": embedding, "dropout": passing, "identity": passing, "prelu": prelu, "rescale": rescale,
    "merge": merge,
    "concat": concat, "select": select, "slice": cut, "mean": mean,
    "rnn": torch_recurrent.rnn, "attention": torch_recurrent.attention,
}  # fmt: skip
