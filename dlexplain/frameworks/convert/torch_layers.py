"""How each Torch layer reads into the graph; one short function a kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from dlexplain.frameworks.convert import torch_sequence
from dlexplain.frameworks.convert.from_torch import TorchReader, Value, array
from dlexplain.frameworks.convert.graph import per_axis, refuse, slid

Reads = Callable[[TorchReader, Any, Value, str, torch.Tensor], Any]
READERS: dict[type, Reads] = {}


def read(
    reader: TorchReader, module: nn.Module, args: list[Any], keywords: dict[str, Any], name: str, result: Any
) -> Any:
    """One call of a submodule."""
    kind = type(module)
    if kind in torch_sequence.READERS:
        return torch_sequence.READERS[kind](reader, module, args, keywords, name, result)
    if kind not in READERS:
        raise refuse(name, kind.__name__)
    if len(args) + len(keywords) != 1:
        raise refuse(name, kind.__name__, "is called with more than its input, which is not converted")
    value = next(iter([*args, *keywords.values()]))
    if not isinstance(value, Value):
        raise refuse(name, kind.__name__, "takes a state or a constant, which is not converted")
    return READERS[kind](reader, module, value, name, result)


def reads(*kinds: type) -> Callable[[Any], Any]:
    def note(function: Any) -> Any:
        READERS.update(dict.fromkeys(kinds, function))
        return function

    return note


@reads(nn.Linear)
def linear(reader: TorchReader, module: nn.Linear, value: Value, name: str, result: torch.Tensor) -> Value:
    return dense(reader, module.weight, module.bias, value, name, result)


def dense(reader: TorchReader, weight: Any, bias: Any, value: Value, name: str, result: torch.Tensor) -> Value:
    weights = {"kernel": array(weight).T, "bias": array(bias)}
    return reader.add("dense", (reader.plain(value),), name, result, False, weights=weights)


@reads(nn.Conv1d, nn.Conv2d, nn.Conv3d)
def conv(reader: TorchReader, module: Any, value: Value, name: str, result: torch.Tensor) -> Value:
    if module.padding_mode != "zeros":
        raise refuse(name, type(module).__name__, f"pads by {module.padding_mode!r}; only zeros are converted")
    if module.padding == "same":
        totals = [(k - 1) * d for k, d in zip(module.kernel_size, module.dilation, strict=True)]
        pads = tuple((total // 2, total - total // 2) for total in totals)
    else:
        sides = (0,) * len(module.kernel_size) if module.padding == "valid" else module.padding
        pads = tuple((side, side) for side in sides)
    weights = {"kernel": np.moveaxis(array(module.weight), (0, 1), (-1, -2)), "bias": array(module.bias)}
    return reader.add(
        "conv", (reader.last(value),), name, result, True, weights=weights, strides=tuple(module.stride),
        pads=pads,
        dilation=tuple(module.dilation), groups=module.groups,
    )  # fmt: skip


@reads(nn.ConvTranspose1d, nn.ConvTranspose2d)
def conv_transpose(reader: TorchReader, module: Any, value: Value, name: str, result: torch.Tensor) -> Value:
    if module.groups != 1 or set(module.dilation) != {1}:
        raise refuse(name, type(module).__name__, "has groups or dilation, which is not converted")
    crops = tuple((side, side - extra) for side, extra in zip(module.padding, module.output_padding, strict=True))
    weights = {"kernel": np.moveaxis(array(module.weight), (0, 1), (-1, -2)), "bias": array(module.bias)}
    return reader.add(
        "conv_transpose",
        (reader.last(value),),
        name,
        result,
        True,
        weights=weights,
        strides=tuple(module.stride),
        crops=crops,
    )


@reads(nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)
def pool(reader: TorchReader, module: Any, value: Value, name: str, result: torch.Tensor) -> Value:
    kind = "max" if "Max" in type(module).__name__ else "average"
    source = reader.last(value)
    lengths, wanted = reader.graph.shape(source)[:-1], tuple(result.shape[2:])
    rank = len(lengths)
    size, padding = per_axis(module.kernel_size, rank), per_axis(module.padding, rank)
    strides = per_axis(module.stride, rank)
    if set(per_axis(getattr(module, "dilation", 1), rank)) != {1}:
        raise refuse(name, type(module).__name__, "has dilation, which is not converted")
    if getattr(module, "return_indices", False) or getattr(module, "divisor_override", None):
        raise refuse(name, type(module).__name__, "returns indices or sets its divisor, which is not converted")
    # Ceil mode may look past the end of the padded input: that is padding at the end.
    high = tuple(
        max((count - 1) * s + k - n - p, p)
        for count, s, k, n, p in zip(wanted, strides, size, lengths, padding, strict=True)
    )
    if kind == "average" and module.count_include_pad and any(padding):
        if high != padding:
            raise refuse(name, type(module).__name__, "counts its padding in ceil mode, which is not converted")
        both = tuple((p, p) for p in padding)
        shape = (*(n + 2 * p for n, p in zip(lengths, padding, strict=True)), reader.graph.shape(source)[-1])
        source = reader.graph.add("pad", (source,), f"{name}.pad", shape=shape, pads=both, value=0.0, source=name)
        padding = high = (0,) * rank
    pads = tuple(zip(padding, high, strict=True))
    if slid(reader.graph.shape(source)[:-1], size, strides, pads, (1,) * rank) != wanted:
        raise refuse(name, type(module).__name__, "uses ceil mode in a way that is not converted")
    return reader.add("pool", (source,), name, result, True, kind=kind, size=size, strides=strides, pads=pads)


@reads(
    nn.AdaptiveAvgPool1d,
    nn.AdaptiveAvgPool2d,
    nn.AdaptiveAvgPool3d,
    nn.AdaptiveMaxPool1d,
    nn.AdaptiveMaxPool2d,
    nn.AdaptiveMaxPool3d,
)
def adaptive(reader: TorchReader, module: Any, value: Value, name: str, result: torch.Tensor) -> Value:
    kind = "max" if "Max" in type(module).__name__ else "average"
    if getattr(module, "return_indices", False):
        raise refuse(name, type(module).__name__, "returns indices, which is not converted")
    source = reader.last(value)
    lengths, wanted = reader.graph.shape(source)[:-1], tuple(result.shape[2:])
    if set(wanted) == {1}:
        return reader.add("global_pool", (source,), name, result, True, kind=kind, keep=True)
    if any(n % w for n, w in zip(lengths, wanted, strict=True)):
        raise refuse(
            name,
            type(module).__name__,
            f"pools {lengths} to {wanted} with windows of unlike size, which is not converted",
        )
    size = tuple(n // w for n, w in zip(lengths, wanted, strict=True))
    return reader.add(
        "pool", (source,), name, result, True, kind=kind, size=size, strides=size, pads=((0, 0),) * len(size)
    )


@reads(nn.Flatten)
def flatten(reader: TorchReader, module: nn.Flatten, value: Value, name: str, result: torch.Tensor) -> Value:
    if module.start_dim != 1 or result.ndim != 2:
        return reshaped(reader, value, name, result)
    return flattened(reader, value, name, result)


@reads(nn.Unflatten)
def reshaped(reader: TorchReader, value: Any, name: Any, result: Any, *rest: Any) -> Value:
    """Any reshape that keeps the batch axis; also reads `nn.Unflatten`, which hands its module first."""
    if rest:
        value, name, result = name, result, rest[0]
    shape = reader.graph.shape(value.name)
    torch_shape = (shape[-1], *shape[:-1]) if value.first else shape
    after = tuple(result.shape[1:])
    # (n, channels) and (n, channels, 1, 1) differ only in name: channels stay last.
    if set(after[1:]) == {1} and len(torch_shape) == 1 and after[0] == torch_shape[0]:
        return reader.add("reshape", (value.name,), name, result, True)
    if after == torch_shape:
        return value
    if len(after) == 1:
        return flattened(reader, value, name, result)
    return reader.add("reshape", (reader.plain(value),), name, result, False)


def flattened(reader: TorchReader, value: Value, name: str, result: torch.Tensor) -> Value:
    shape = reader.graph.shape(value.name)
    if len(shape) < 2:
        return reader.add("identity", (value.name,), name, result, False)
    one = all(size == 1 for size in shape[:-1]) or shape[-1] == 1  # the order of the axes does not show
    return reader.add("flatten", (value.name if one else reader.plain(value),), name, result, False)


@reads(nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
def batch_norm(reader: TorchReader, module: Any, value: Value, name: str, result: torch.Tensor) -> Value:
    if module.running_mean is None:
        raise refuse(name, type(module).__name__, "keeps no running statistics, so it depends on the batch")
    weights = {
        "scale": array(module.weight), "shift": array(module.bias),
        "mean": array(module.running_mean), "variance": array(module.running_var),
    }  # fmt: skip
    return reader.add(
        "batch_norm", (reader.last(value),), name, result, True, weights=weights, epsilon=float(module.eps)
    )


@reads(nn.LayerNorm)
def layer_norm(reader: TorchReader, module: nn.LayerNorm, value: Value, name: str, result: torch.Tensor) -> Value:
    weights = {"scale": array(module.weight), "shift": array(module.bias)}
    return reader.add(
        "layer_norm", (reader.plain(value),), name, result, False,
        weights=weights, epsilon=float(module.eps), axes=len(module.normalized_shape),
    )  # fmt: skip


@reads(nn.GroupNorm, nn.InstanceNorm1d, nn.InstanceNorm2d)
def group_norm(reader: TorchReader, module: Any, value: Value, name: str, result: torch.Tensor) -> Value:
    if getattr(module, "track_running_stats", False):
        raise refuse(name, type(module).__name__, "tracks running statistics, which is not converted")
    weights = {"scale": array(module.weight), "shift": array(module.bias)}
    groups = module.num_groups if isinstance(module, nn.GroupNorm) else result.shape[1]
    return reader.add(
        "group_norm",
        (reader.last(value),),
        name,
        result,
        True,
        weights=weights,
        epsilon=float(module.eps),
        groups=groups,
    )


@reads(nn.Embedding)
def embedding(reader: TorchReader, module: nn.Embedding, value: Value, name: str, result: torch.Tensor) -> Value:
    # padding_idx only stops training of that row: its vector is used as it is.
    if module.max_norm is not None:
        raise refuse(name, "Embedding", "renormalises its vectors when read (max_norm), which is not converted")
    return reader.add("embedding", (value.name,), name, result, False, weights={"table": array(module.weight)})


@reads(nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.Identity)
def passing(reader: TorchReader, module: Any, value: Value, name: str, result: torch.Tensor) -> Value:
    rate = float(module.p) if type(module) is nn.Dropout else 0.0
    options = {"rate": rate} if 0 < rate < 1 else {}
    return reader.add("dropout" if options else "identity", (value.name,), name, None, value.first, **options)


@reads(nn.PReLU)
def prelu(reader: TorchReader, module: nn.PReLU, value: Value, name: str, result: torch.Tensor) -> Value:
    weights = {"slopes": array(module.weight)}
    if module.num_parameters == 1:
        return reader.add("prelu", (value.name,), name, None, value.first, weights=weights)
    return reader.add("prelu", (reader.last(value),), name, result, True, weights=weights)


@reads(nn.ZeroPad1d, nn.ZeroPad2d, nn.ConstantPad1d, nn.ConstantPad2d)
def pad(reader: TorchReader, module: Any, value: Value, name: str, result: torch.Tensor) -> Value:
    return padded(reader, value, name, result, module.padding, float(getattr(module, "value", 0.0)))


def padded(reader: TorchReader, value: Value, name: str, result: torch.Tensor, padding: Any, fill: float) -> Value:
    """Torch counts the pairs from the last axis; one pair too many would pad the channels."""
    axes = len(reader.graph.shape(value.name)) - 1
    pairs = [tuple(padding[place : place + 2]) for place in range(0, len(padding), 2)]
    if len(pairs) > axes or (min(padding) < 0 < max(padding)):
        raise refuse(name, "padding", "pads the channels, or pads and crops at once, which is not converted")
    pairs = (*((0, 0),) * (axes - len(pairs)), *reversed(pairs))
    source = (reader.last(value),)
    if min(padding) < 0:
        return reader.add("crop", source, name, result, True, crops=tuple((-low, -high) for low, high in pairs))
    return reader.add("pad", source, name, result, True, pads=pairs, value=fill)


@reads(nn.Upsample, nn.UpsamplingNearest2d, nn.UpsamplingBilinear2d)
def upsample(reader: TorchReader, module: Any, value: Value, name: str, result: torch.Tensor) -> Value:
    source = reader.last(value)
    lengths, wanted = reader.graph.shape(source)[:-1], tuple(result.shape[2:])
    if module.mode not in ("nearest", "bilinear") or (module.mode == "bilinear" and module.align_corners):
        raise refuse(name, "Upsample", f"has mode {module.mode!r} or align_corners, which is not converted")
    if len(lengths) > 2 or any(w % n for n, w in zip(lengths, wanted, strict=True)):
        raise refuse(name, "Upsample", f"takes {lengths} to {wanted}; only whole factors are converted")
    factors = tuple(w // n for n, w in zip(lengths, wanted, strict=True))
    return reader.add("upsample", (source,), name, result, True, factors=factors, kind=module.mode)


@reads(nn.Softmax, nn.LogSoftmax)
def softmax(reader: TorchReader, module: Any, value: Value, name: str, result: torch.Tensor) -> Value:
    kind = "softmax" if type(module) is nn.Softmax else "log_softmax"
    if module.dim is None or module.dim % result.ndim == 0:
        raise refuse(name, type(module).__name__, f"runs over axis {module.dim}; name one that is not the batch")
    dim = module.dim % result.ndim
    axis = dim - result.ndim
    if value.first:  # the channels, Torch's axis 1, are last in the graph
        axis = -1 if dim == 1 else axis - 1
    return reader.add("activation", (value.name,), name, None, value.first, kind=kind, axis=axis)


ACTIVATIONS: dict[type, Callable[[Any], dict[str, Any]]] = {
    nn.ReLU: lambda m: {"kind": "relu"},
    nn.ReLU6: lambda m: {"kind": "relu6"},
    nn.LeakyReLU: lambda m: {"kind": "leaky_relu", "slope": float(m.negative_slope)},
    nn.ELU: lambda m: {"kind": "elu", "alpha": float(m.alpha)},
    nn.CELU: lambda m: {"kind": "celu", "alpha": float(m.alpha)},
    nn.SELU: lambda m: {"kind": "selu"},
    nn.GELU: lambda m: {"kind": "gelu", "approximate": m.approximate == "tanh"},
    nn.SiLU: lambda m: {"kind": "silu"},
    nn.Sigmoid: lambda m: {"kind": "sigmoid"},
    nn.Tanh: lambda m: {"kind": "tanh"},
    nn.Softplus: lambda m: {"kind": "softplus"} if m.beta == 1 else {},
    nn.Softsign: lambda m: {"kind": "softsign"},
    nn.Hardsigmoid: lambda m: {"kind": "hard_sigmoid"},
    nn.Hardswish: lambda m: {"kind": "hard_silu"},
    nn.Hardtanh: lambda m: {"kind": "hard_tanh"} if (m.min_val, m.max_val) == (-1, 1) else {},
    nn.Mish: lambda m: {"kind": "mish"},
    nn.LogSigmoid: lambda m: {"kind": "log_sigmoid"},
    nn.Tanhshrink: lambda m: {"kind": "tanh_shrink"},
    nn.Hardshrink: lambda m: {"kind": "hard_shrink", "limit": float(m.lambd)},
    nn.Softshrink: lambda m: {"kind": "soft_shrink", "limit": float(m.lambd)},
}


@reads(*ACTIVATIONS)
def activation(reader: TorchReader, module: Any, value: Value, name: str, result: torch.Tensor) -> Value:
    options = ACTIVATIONS[type(module)](module)
    if not options:
        raise refuse(name, type(module).__name__, "has settings that Keras has no layer for")
    return reader.add("activation", (value.name,), name, None, value.first, **options)
