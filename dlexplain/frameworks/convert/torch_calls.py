"""How functions and tensor methods (`F.relu`, `x + y`, `x.flatten(1)`) read into the graph."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import fx, nn

from dlexplain.frameworks.convert import torch_layers, torch_sequence
from dlexplain.frameworks.convert.from_torch import States, TorchReader, Value, array
from dlexplain.frameworks.convert.graph import refuse

# Functions that a layer of `torch.nn` does as well, with the names of their further arguments.
LAYERS: dict[Any, tuple[type, tuple[str, ...]]] = {
    F.leaky_relu: (nn.LeakyReLU, ("negative_slope",)),
    F.elu: (nn.ELU, ("alpha",)),
    F.celu: (nn.CELU, ("alpha",)),
    F.gelu: (nn.GELU, ()),
    F.softplus: (nn.Softplus, ("beta",)),
    F.softmax: (nn.Softmax, ("dim",)),
    torch.softmax: (nn.Softmax, ("dim",)),
    "softmax": (nn.Softmax, ("dim",)),
    F.log_softmax: (nn.LogSoftmax, ("dim",)),
    torch.log_softmax: (nn.LogSoftmax, ("dim",)),
    "log_softmax": (nn.LogSoftmax, ("dim",)),
    F.dropout: (nn.Dropout, ("p",)),
    F.dropout2d: (nn.Dropout2d, ("p",)),
    F.hardshrink: (nn.Hardshrink, ("lambd",)),
    F.softshrink: (nn.Softshrink, ("lambd",)),
    F.interpolate: (nn.Upsample, ("size", "scale_factor", "mode", "align_corners")),
} | {
    function: (layer, ())
    for layer, functions in {
        nn.ReLU: (F.relu, torch.relu, "relu", F.relu_, torch.relu_, "relu_"), nn.ReLU6: (F.relu6,),
        nn.SELU: (F.selu,),
        nn.SiLU: (F.silu,), nn.Sigmoid: (F.sigmoid, torch.sigmoid, "sigmoid"), nn.Tanh: (F.tanh, torch.tanh,
        "tanh"),
        nn.Softsign: (F.softsign,), nn.Hardsigmoid: (F.hardsigmoid,), nn.Hardswish: (F.hardswish,),
        nn.Mish: (F.mish,),
        nn.LogSigmoid: (F.logsigmoid,), nn.Tanhshrink: (F.tanhshrink,),
    }.items()
    for function in functions
}  # fmt: skip
_WINDOW = ("kernel_size", "stride", "padding")
LAYERS |= {
    function: (layer, (*_WINDOW, *more))
    for function, layer, more in (
        (F.max_pool1d, nn.MaxPool1d, ("dilation", "ceil_mode")), (F.max_pool2d, nn.MaxPool2d, ("dilation",
        "ceil_mode")),
        (torch.max_pool1d, nn.MaxPool1d, ("dilation", "ceil_mode")), (torch.max_pool2d, nn.MaxPool2d,
        ("dilation", "ceil_mode")),
        (F.avg_pool1d, nn.AvgPool1d, ("ceil_mode", "count_include_pad")),
        (F.avg_pool2d, nn.AvgPool2d, ("ceil_mode", "count_include_pad", "divisor_override")),
    )
} | {
    function: (layer, ("output_size",))
    for function, layer in (
        (F.adaptive_avg_pool1d, nn.AdaptiveAvgPool1d), (F.adaptive_avg_pool2d, nn.AdaptiveAvgPool2d),
        (F.adaptive_max_pool1d, nn.AdaptiveMaxPool1d), (F.adaptive_max_pool2d, nn.AdaptiveMaxPool2d),
        (torch.adaptive_avg_pool1d, nn.AdaptiveAvgPool1d),
    )
}  # fmt: skip
_IGNORED = {
    "inplace",
    "training",
    "_stacklevel",
    "dtype",
    "return_indices",
    "antialias",
    "recompute_scale_factor",
    "input",
    "threshold",
}


def as_module(target: Any, args: list[Any], keywords: dict[str, Any]) -> nn.Module | None:
    """The layer that does the same as a functional call, or None."""
    if target not in LAYERS:
        return None
    layer, names = LAYERS[target]
    given = dict(zip(names, args, strict=False))
    given |= {key: value for key, value in keywords.items() if key not in _IGNORED}
    given = {key: value for key, value in given.items() if value is not None or key == "stride"}
    return layer(**given)


def read(reader: TorchReader, node: fx.Node, args: list[Any], keywords: dict[str, Any], result: Any) -> Any:
    """One call of a function or of a tensor's method."""
    target, name = node.target, node.name
    title = target if isinstance(target, str) else getattr(target, "__name__", str(target))
    if not args and "input" in keywords:
        args, keywords = (
            [keywords["input"]],
            {key: value for key, value in keywords.items() if key != "input"},
        )
    if title == "getitem":
        return get_item(reader, args[0], args[1], name, result)
    value = args[0] if args else None
    if (
        title
        in (
            "add",
            "iadd",
            "add_",
            "mul",
            "imul",
            "mul_",
            "sub",
            "isub",
            "truediv",
            "div",
            "maximum",
            "minimum",
        )
        and not keywords
    ):
        return binary(reader, title.strip("_").removeprefix("i"), args, name, result)
    if title in ("cat", "concat", "concatenate"):
        return concat(reader, value, int(keywords.get("dim", args[1] if len(args) > 1 else 0)), name, result)
    if isinstance(value, States) and title == "squeeze" and len(value.sequences) == 1 and not value.both:
        return torch_sequence.last_state(reader, value, 0, name)
    if isinstance(value, torch.Tensor) or not isinstance(value, Value):
        raise refuse(name, title, "works on something that is not an input's tensor, which is not converted")
    module = as_module(target, args[1:], keywords)
    if module is not None:
        return torch_layers.read(reader, module.eval(), [value], {}, name, result)
    if title in METHODS:
        return METHODS[title](reader, value, args[1:], keywords, name, result)
    raise refuse(name, title)


def get_item(reader: TorchReader, value: Any, key: Any, name: str, result: Any) -> Any:
    if isinstance(value, States):
        return torch_sequence.state_item(reader, value, key, name)
    if isinstance(value, (tuple, list)):
        if value[key] is None:
            raise refuse(name, "getitem", "uses attention weights or indices, which are not converted")
        return value[key]
    if not isinstance(value, Value):
        raise refuse(name, "getitem", "takes from something that is not a tensor of the network")
    key = key if isinstance(key, tuple) else (key,)
    chosen = [place for place, item in enumerate(key) if item != slice(None)]
    if len(chosen) != 1 or chosen[0] == 0 or Ellipsis in key or None in key:
        raise refuse(name, "getitem", f"takes {key}; one axis that is not the batch is converted")
    axis, index, source = chosen[0], key[chosen[0]], (reader.plain(value),)
    if isinstance(index, int):
        return reader.add("select", source, name, result, False, axis=axis, index=index)
    if isinstance(index, slice) and index.step in (None, 1):
        return reader.add("slice", source, name, result, False, axis=axis, start=index.start, stop=index.stop)
    raise refuse(name, "getitem", f"takes {key}, which is not converted")


AFFINE = {
    "add": lambda c, first: (np.ones_like(c), c),
    "sub": lambda c, first: (-np.ones_like(c), c) if first else (np.ones_like(c), -c),
    "mul": lambda c, first: (c, np.zeros_like(c)),
    "truediv": lambda c, first: (1 / c, np.zeros_like(c)),
}
KINDS = {"add": "add", "sub": "subtract", "mul": "multiply", "maximum": "maximum", "minimum": "minimum"}


def binary(reader: TorchReader, title: str, args: list[Any], name: str, result: Any) -> Value:
    """Two tensors of the network, or one and a number or learnt values a channel."""
    title = {"div": "truediv"}.get(title, title)
    left, right = args[:2]
    if isinstance(left, Value) and isinstance(right, Value):
        shapes = [reader.graph.shape(item.name) for item in (left, right)]
        if title not in KINDS or len(shapes[0]) != len(shapes[1]):
            raise refuse(name, title, "joins two tensors in a way that is not converted")
        first = left.first and right.first
        names = tuple(item.name if first else reader.plain(item) for item in (left, right))
        return reader.add("merge", names, name, result, first, kind=KINDS[title])
    value, constant, first = (right, left, True) if isinstance(right, Value) else (left, right, False)
    if title not in AFFINE or (title == "truediv" and first):
        raise refuse(name, title, "takes a constant in a way that is not converted")
    constant = array(constant) if isinstance(constant, torch.Tensor) else np.asarray(constant, np.float32)
    scale, offset = AFFINE[title](channel_constant(reader, value, constant, name, title), first)
    weights = {"scale": scale.reshape(-1), "offset": offset.reshape(-1)}
    return reader.add("rescale", (value.name,), name, None, value.first, weights=weights)


def channel_constant(reader: TorchReader, value: Value, constant: np.ndarray, name: str, title: str) -> np.ndarray:
    shape = reader.graph.shape(value.name)
    if constant.size == 1:
        return constant
    axis = -len(shape) if value.first else -1  # where Torch keeps the channels
    along = constant.ndim >= -axis and constant.shape[axis] == constant.size == shape[-1]
    if not along:
        raise refuse(
            name,
            title,
            f"takes a constant of shape {constant.shape}; a number or one value a channel is converted",
        )
    return constant


def concat(reader: TorchReader, values: Any, dim: int, name: str, result: torch.Tensor) -> Value:
    if not all(isinstance(value, Value) for value in values):
        raise refuse(name, "cat", "joins a constant, which is not converted")
    dim %= result.ndim
    if dim == 0:
        raise refuse(name, "cat", "joins along the batch axis, which is not converted")
    rank = result.ndim - 1
    first = all(value.first for value in values) and rank > 1
    names = tuple(value.name if first else reader.plain(value) for value in values)
    axis = (rank if dim == 1 else dim - 1) if first else dim
    return reader.add("concat", names, name, result, first, axis=axis)


def permute(reader: TorchReader, value: Value, order: tuple[int, ...], name: str, result: torch.Tensor) -> Value:
    """Often only another view of the same channels-last value: then nothing is computed in the twin."""
    rank = result.ndim - 1
    order = tuple(item % (rank + 1) for item in order)
    if order[0] != 0:
        raise refuse(name, "permute", "moves the batch axis, which is not converted")
    plain, first = tuple(range(rank + 1)), (0, rank, *range(1, rank))
    now = first if value.first else plain
    after = tuple(now[item] for item in order)
    if after == plain:
        return Value(value.name, False)
    if after == first and rank > 1:
        return Value(value.name, True)
    return reader.add("permute", (reader.plain(value),), name, result, False, dims=order[1:])


def _order(node_args: list[Any]) -> tuple[int, ...]:
    return tuple(node_args[0]) if isinstance(node_args[0], (tuple, list)) else tuple(node_args)


def _transpose(
    reader: TorchReader, value: Value, args: list[Any], keywords: dict[str, Any], name: str, result: Any
) -> Value:
    one, two = args if args else (keywords["dim0"], keywords["dim1"])
    order = list(range(result.ndim))
    order[one], order[two] = order[two], order[one]
    return permute(reader, value, tuple(order), name, result)


def _movedim(
    reader: TorchReader, value: Value, args: list[Any], keywords: dict[str, Any], name: str, result: Any
) -> Value:
    if not all(isinstance(item, int) for item in args):
        raise refuse(name, "movedim", "moves several axes, which is not converted")
    order = list(range(result.ndim))
    order.insert(args[1] % result.ndim, order.pop(args[0]))
    return permute(reader, value, tuple(order), name, result)


def _reshape(
    reader: TorchReader, value: Value, args: list[Any], keywords: dict[str, Any], name: str, result: Any
) -> Value:
    shape = reader.graph.shape(value.name)
    if result.shape[0] * math.prod(result.shape[1:]) != result.shape[0] * math.prod(shape):
        raise refuse(name, "reshape", "changes the batch axis, which is not converted")
    return torch_layers.reshaped(reader, value, name, result)


def _reduce(kind: str) -> Any:
    def reduce(
        reader: TorchReader, value: Value, args: list[Any], keywords: dict[str, Any], name: str, result: Any
    ) -> Any:
        dims = args[0] if args else keywords.get("dim")
        keep = bool(keywords.get("keepdim", args[1] if len(args) > 1 else False))
        tensor = result if isinstance(result, torch.Tensor) else result[0]
        rank = len(reader.graph.shape(value.name)) + 1
        if dims is None:
            raise refuse(name, kind, "runs over the batch axis, which is not converted")
        axes = sorted(item % rank for item in ((dims,) if isinstance(dims, int) else dims))
        if 0 in axes:
            raise refuse(name, kind, "runs over the batch axis, which is not converted")
        read = spatial(reader, value, axes, keep, kind, name, tensor)
        return read if isinstance(result, torch.Tensor) else (read, None)

    return reduce


def spatial(
    reader: TorchReader, value: Value, axes: list[int], keep: bool, kind: str, name: str, result: torch.Tensor
) -> Value:
    """A mean or maximum over all places is a global pooling."""
    shape = reader.graph.shape(value.name)
    if value.first and axes == list(range(2, len(shape) + 1)):
        return reader.add("global_pool", (value.name,), name, result, keep, kind=kind, keep=keep)
    if not value.first and len(shape) > 1 and axes == list(range(1, len(shape))) and not keep:
        return reader.add("global_pool", (value.name,), name, result, False, kind=kind, keep=False)
    if kind != "average":
        raise refuse(name, "maximum over axes", "is converted over all places at once, not over these")
    return reader.add("mean", (reader.plain(value),), name, result, False, axes=tuple(axes), keep=keep)


def _select(
    reader: TorchReader, value: Value, args: list[Any], keywords: dict[str, Any], name: str, result: Any
) -> Value:
    return get_item(reader, value, (slice(None),) * (args[0] % (result.ndim + 1)) + (args[1],), name, result)


def _flip(
    reader: TorchReader, value: Value, args: list[Any], keywords: dict[str, Any], name: str, result: Any
) -> Value:
    raise refuse(name, "flip")


def _pad(reader: TorchReader, value: Value, args: list[Any], keywords: dict[str, Any], name: str, result: Any) -> Value:
    padding = args[0] if args else keywords["pad"]
    fill = keywords.get("value", args[2] if len(args) > 2 else 0.0)
    if (args[1] if len(args) > 1 else keywords.get("mode", "constant")) != "constant":
        raise refuse(name, "pad", "pads otherwise than with a constant, which is not converted")
    return torch_layers.padded(reader, value, name, result, tuple(padding), float(fill or 0.0))


def _linear(
    reader: TorchReader, value: Value, args: list[Any], keywords: dict[str, Any], name: str, result: Any
) -> Value:
    weight = args[0] if args else keywords["weight"]
    bias = args[1] if len(args) > 1 else keywords.get("bias")
    if not isinstance(weight, torch.Tensor):
        raise refuse(name, "linear", "has weights that are computed, which is not converted")
    return torch_layers.dense(reader, weight, bias, value, name, result)


def _same(reader: TorchReader, value: Value, *rest: Any) -> Value:
    return value


def _plain_activation(kind: str, **options: Any) -> Any:
    return lambda reader, value, args, keywords, name, result: reader.add(
        "activation", (value.name,), name, None, value.first, kind=kind, **options
    )


METHODS: dict[str, Any] = {
    "permute": lambda reader, value, args, keywords, name, result: permute(
        reader, value, _order(args or [keywords["dims"]]), name, result
    ),
    "transpose": _transpose, "swapaxes": _transpose, "movedim": _movedim,
    "flatten": _reshape, "reshape": _reshape, "view": _reshape, "squeeze": _reshape, "unsqueeze": _reshape,
    "unflatten": _reshape, "mean": _reduce("average"), "amax": _reduce("max"), "max": _reduce("max"),
    "select": _select, "pad": _pad, "linear": _linear, "flip": _flip, "contiguous": _same, "float": _same,
    "clone": _same,
    "detach": _same, "long": _same, "int": _same,
    "exp": _plain_activation("exponential"),
    "neg": lambda reader, value, args, keywords, name, result: binary(reader, "mul", [value, -1.0], name,
    result),
}  # fmt: skip
METHODS["_pad"] = _pad
METHODS["hardtanh"] = lambda reader, value, args, keywords, name, result: torch_layers.read(
    reader, nn.Hardtanh(*args[:2]), [value], {}, name, result
)
