"""How `keras.ops` calls in a Functional model (`x + y`, `x[:, -1]`, `ops.relu(x)`) read into the graph."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from dlexplain.frameworks.convert.from_keras import KerasReader
from dlexplain.frameworks.convert.graph import refuse

Names = dict[int, str]


def _operands(node: Any, names: Names) -> list[Any]:
    """Positional and named arguments, symbolic tensors replaced by the names of their values."""
    values = [*node.arguments.args, *node.arguments.kwargs.values()]
    return [names.get(id(value), value) for value in values]


def _setting(node: Any, operation: Any, key: str, default: Any = None) -> Any:
    """An argument of an operation: Keras keeps some on the operation, some on the call."""
    if key in node.arguments.kwargs:
        return node.arguments.kwargs[key]
    if hasattr(operation, key):
        return getattr(operation, key)
    position = list(inspect.signature(operation.call).parameters).index(key)
    args = node.arguments.args
    return args[position] if position < len(args) else default


def _inputs(node: Any, names: Names) -> tuple[str, ...]:
    return tuple(names[id(tensor)] for tensor in node.input_tensors)


def _shape(node: Any) -> tuple[int | None, ...]:
    return tuple(node.output_tensors[0].shape[1:])


def _binary(kind: str, affine: Callable[[float, bool], tuple[float, float]]) -> Any:
    """An operation on two tensors, or on one and a number; `affine(number, first)` gives scale and offset."""

    def read(reader: KerasReader, node: Any, names: Names, layer: str) -> str:
        left, right = _operands(node, names)[:2]
        if isinstance(left, str) and isinstance(right, str):
            if kind == "divide" or len(reader.graph.shape(left)) != len(reader.graph.shape(right)):
                raise refuse(layer, kind, "joins two tensors in a way that is not converted")
            return reader.graph.add("merge", (left, right), layer, shape=_shape(node), kind=kind)
        number, first = (left, True) if isinstance(right, str) else (right, False)
        if not isinstance(number, (int, float)) or (kind == "divide" and first):
            raise refuse(layer, kind, "takes a constant that is not one number, which is not converted")
        scale, offset = affine(float(number), first)
        weights = {"scale": np.float32([scale]), "offset": np.float32([offset])}
        return reader.graph.add("rescale", (right if first else left,), layer, weights=weights)

    return read


def _extreme(kind: str) -> Any:
    def read(reader: KerasReader, node: Any, names: Names, layer: str) -> str:
        left, right = _operands(node, names)[:2]
        if not (isinstance(left, str) and isinstance(right, str)):
            raise refuse(layer, kind, "takes a constant, which is not converted")
        return reader.graph.add("merge", (left, right), layer, shape=_shape(node), kind=kind)

    return read


def _activation(kind: str, **keys: tuple[str, Any]) -> Any:
    """`keys` maps our option to the operation's own argument and its default."""

    def read(reader: KerasReader, node: Any, names: Names, layer: str) -> str:
        options = {key: _setting(node, node.operation, theirs, default) for key, (theirs, default) in keys.items()}
        if "axis" in options:
            rank = len(_shape(node)) + 1
            if not isinstance(options["axis"], int) or options["axis"] % rank == 0:
                raise refuse(layer, kind, "runs over the batch axis or over several axes, which is not converted")
            options["axis"] = options["axis"] % rank - rank
        return reader.graph.add("activation", _inputs(node, names)[:1], layer, kind=kind, **options)

    return read


def _concat(reader: KerasReader, node: Any, names: Names, layer: str) -> str:
    axis = _setting(node, node.operation, "axis", 0) % (len(_shape(node)) + 1)
    if axis == 0:
        raise refuse(layer, "Concatenate", "joins along the batch axis, which is not converted")
    return reader.graph.add("concat", _inputs(node, names), layer, shape=_shape(node), axis=axis)


def _mean(reader: KerasReader, node: Any, names: Names, layer: str) -> str:
    inputs, axis = _inputs(node, names), _setting(node, node.operation, "axis")
    rank = len(reader.graph.shape(inputs[0])) + 1
    axes = tuple(sorted(item % rank for item in ((axis,) if isinstance(axis, int) else tuple(axis or (0,)))))
    if 0 in axes:
        raise refuse(layer, "Mean", "runs over the batch axis, which is not converted")
    keep = bool(_setting(node, node.operation, "keepdims", False))
    return reader.graph.add("mean", inputs, layer, shape=_shape(node), axes=axes, keep=keep)


def _get_item(reader: KerasReader, node: Any, names: Names, layer: str) -> str:
    inputs, key = _inputs(node, names), _setting(node, node.operation, "key")
    key = key if isinstance(key, tuple) else (key,)
    everything = [isinstance(item, slice) and item == slice(None) for item in key]
    chosen = [place for place, whole in enumerate(everything) if not whole]
    if len(chosen) != 1 or chosen[0] == 0 or Ellipsis in key:
        raise refuse(layer, "GetItem", f"takes {key}; one axis that is not the batch is converted")
    axis, index = chosen[0], key[chosen[0]]
    if isinstance(index, int):
        return reader.graph.add("select", inputs, layer, shape=_shape(node), axis=axis, index=index)
    if isinstance(index, slice) and index.step in (None, 1):
        return reader.graph.add(
            "slice", inputs, layer, shape=_shape(node), axis=axis, start=index.start, stop=index.stop
        )
    raise refuse(layer, "GetItem", f"takes {key}, which is not converted")


def _transpose(reader: KerasReader, node: Any, names: Names, layer: str) -> str:
    axes = _setting(node, node.operation, "axes")
    if axes is None or axes[0] != 0:
        raise refuse(layer, "Transpose", "moves the batch axis, which is not converted")
    return reader.graph.add("permute", _inputs(node, names), layer, shape=_shape(node), dims=tuple(axes[1:]))


def _reshape(reader: KerasReader, node: Any, names: Names, layer: str) -> str:
    if None in _shape(node) or node.output_tensors[0].shape[0] is not None:
        raise refuse(layer, "Reshape", "changes the batch axis or needs a fixed input size; build the model with one")
    return reader.graph.add("reshape", _inputs(node, names), layer, shape=_shape(node))


def _pad(reader: KerasReader, node: Any, names: Names, layer: str) -> str:
    operation = node.operation
    width = [tuple(item) for item in operation._process_pad_width(operation.pad_width)] if operation.pad_width else []
    value = node.arguments.kwargs.get("constant_values", (*node.arguments.args, None)[1])
    if operation.mode != "constant" or len(width) < 3 or any(width[0]) or any(width[-1]):
        raise refuse(layer, "Pad", "pads the batch, the channels or not with a constant, which is not converted")
    return reader.graph.add(
        "pad",
        _inputs(node, names),
        layer,
        shape=_shape(node),
        pads=tuple(width[1:-1]),
        value=float(value or 0.0),
    )


OPERATIONS: dict[str, Any] = {
    "Add": _binary("add", lambda number, first: (1.0, number)),
    "Subtract": _binary("subtract", lambda number, first: (-1.0, number) if first else (1.0, -number)),
    "Multiply": _binary("multiply", lambda number, first: (number, 0.0)),
    "TrueDivide": _binary("divide", lambda number, first: (1 / number, 0.0)),
    "Divide": _binary("divide", lambda number, first: (1 / number, 0.0)),
    "Negative": lambda reader, node, names, layer: reader.graph.add(
        "rescale", _inputs(node, names), layer, weights={"scale": np.float32([-1]), "offset": np.float32([0])}
    ),
    "Maximum": _extreme("maximum"),
    "Minimum": _extreme("minimum"),
    "Concatenate": _concat,
    "Mean": _mean,
    "GetItem": _get_item,
    "Transpose": _transpose,
    "Reshape": _reshape,
    "Pad": _pad,
    "Gelu": _activation("gelu", approximate=("approximate", True)),
    "Elu": _activation("elu", alpha=("alpha", 1.0)),
    "Celu": _activation("celu", alpha=("alpha", 1.0)),
    "LeakyRelu": _activation("leaky_relu", slope=("negative_slope", 0.2)),
    "HardShrink": _activation("hard_shrink", limit=("threshold", 0.5)),
    "SoftShrink": _activation("soft_shrink", limit=("threshold", 0.5)),
    "Softmax": _activation("softmax", axis=("axis", -1)),
    "LogSoftmax": _activation("log_softmax", axis=("axis", -1)),
    "Exp": _activation("exponential"),
} | {
    theirs: _activation(ours)
    for theirs, ours in {
        "Relu": "relu", "Relu6": "relu6", "Selu": "selu", "Silu": "silu", "Sigmoid": "sigmoid",
        "Tanh": "tanh",
        "Softplus": "softplus", "Softsign": "softsign", "HardSigmoid": "hard_sigmoid",
        "HardSilu": "hard_silu",
        "HardTanh": "hard_tanh", "Mish": "mish", "LogSigmoid": "log_sigmoid", "TanhShrink": "tanh_shrink",
    }.items()
}  # fmt: skip
