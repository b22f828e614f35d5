"""The operations of one forward pass of a Keras model, seen as TensorFlow runs them one by one.

The pass runs eagerly, so that each step of a loop is seen and every shape is known. The formulas are those of
`torch.utils.flop_counter`: twins cost the same, but for one step of each recurrent layer, whose first step Keras runs
once more to learn its shapes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tensorflow.python.framework import op_callbacks  # TensorFlow's own debugger stands on it

from dlexplain.frameworks.flops import Flops, Tally, size
from dlexplain.frameworks.keras_inside import run

if TYPE_CHECKING:
    from dlexplain.frameworks.keras_model import KerasModel
    from dlexplain.frameworks.questions import Inputs

# What only moves, names or makes room for values.
_MOVES = {
    "Assert", "AssignVariableOp", "BatchToSpaceND", "BroadcastTo", "Cast", "Concat", "ConcatV2", "Const", "DepthToSpace",
    "Equal", "ExpandDims", "Fill", "Gather", "GatherNd", "GatherV2", "Greater", "GreaterEqual", "Identity", "IdentityN",
    "LeftShift", "Less", "LessEqual", "LogicalAnd", "LogicalNot", "LogicalOr", "MirrorPad", "NotEqual", "OnesLike", "Pack",
    "Pad", "PadV2", "Placeholder", "PreventGradient", "Range", "Rank", "ReadVariableOp", "Reshape", "ResourceGather",
    "ReverseV2", "Roll", "Select", "SelectV2", "Shape", "ShapeN", "Size", "Slice", "SpaceToBatchND", "SpaceToDepth", "Split",
    "SplitV", "Squeeze", "StopGradient", "StridedSlice", "Tile", "Transpose", "Unpack", "VarHandleOp", "VarIsInitializedOp",
    "Where", "ZerosLike", "BroadcastArgs",
}  # fmt: skip
_FUNCTION = re.compile(r"__(?:inference|forward)_(.+)_\d+")
_MOVING = re.compile(r"TensorList\w*|TensorArray\w*|\w*Dataset\w*|Stateless\w*Seed\w*|EmptyTensorList")


def counted(model: KerasModel, inputs: Inputs) -> Flops:
    """Of the first sample. What runs inside one fused operation, such as a SavedModel's function, is named and not
    counted; a function that is traced on the way, as Keras does for grouped convolutions, is counted as it is traced."""
    tally, traced = Tally(), {}

    def see(op_type, inputs, attrs, outputs, op_name=None, graph=None) -> None:
        name, given = _text(op_type), _pairs(attrs)
        function = _FUNCTION.fullmatch(name)
        if function is not None:  # numbered anew in each run
            name = function[1]
        to = tally if graph is None else traced.setdefault(graph.name, {}).setdefault(id(graph), Tally())
        if not all(tensor.shape.is_fully_defined() for tensor in (*inputs, *outputs) if hasattr(tensor, "shape")):
            to.uncounted[name] += 1  # of unknown size, in a function that is traced for any number of samples
        elif name in _FORMULAS:
            to.counted[name] += int(_FORMULAS[name](inputs, given, outputs))
        elif function is not None and name in traced:
            inside = list(traced[name].values())[-1]
            to.counted.update(inside.counted)
            to.uncounted.update(inside.uncounted)
        elif name not in _MOVES and not _MOVING.fullmatch(name):
            to.uncounted[name] += sum(size(o.shape) for o in outputs if hasattr(o, "shape"))

    with model._asked():
        tensors = model._tensors(tuple(a[:1] for a in inputs))
        op_callbacks.add_op_callback(see)
        try:
            run(model.raw, tensors)
        finally:
            op_callbacks.remove_op_callback(see)
    return tally.flops()


def _pairs(attrs: Any) -> dict[str, Any]:
    """Attributes as TensorFlow hands them over: name and value in turn."""
    flat = list(attrs or ())
    return {_text(name): value for name, value in zip(flat[::2], flat[1::2], strict=False)}


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _product(inputs, attrs, outputs) -> int:
    shape = inputs[0].shape
    return 2 * size(outputs[0].shape) * int(shape[0] if attrs.get("transpose_a") else shape[1])


def _batched(inputs, attrs, outputs) -> int:
    shape = inputs[0].shape
    return 2 * size(outputs[0].shape) * int(shape[-2] if attrs.get("adj_x") else shape[-1])


def _convolution(inputs, attrs, outputs) -> int:
    """A filter `(*places, channels in a group, channels out)`; outputs in either layout."""
    return 2 * size(outputs[0].shape) * size(inputs[1].shape[:-1])


def _depthwise(inputs, attrs, outputs) -> int:
    return 2 * size(outputs[0].shape) * size(inputs[1].shape[:-2])


def _transposed(inputs, attrs, outputs) -> int:
    """Sizes, a filter `(*places, channels out, channels in)`, and what is spread."""
    return 2 * size(inputs[2].shape) * size(inputs[1].shape[:-1])


def _einsum(inputs, attrs, outputs) -> int:
    """Every combination of the axes once: a multiplication and an addition."""
    terms = _text(attrs["equation"]).partition("->")[0].split(",")
    if len(terms) < 2:
        return 0
    extent: dict[str, int] = {}
    for term, tensor in zip(terms, inputs, strict=True):
        before, dots, after = term.partition("...")
        shape = [int(s) for s in tensor.shape]
        extent.update(zip(before, shape, strict=False))
        if after:
            extent.update(zip(after, shape[-len(after) :], strict=True))
        if dots:
            middle = shape[len(before) : len(shape) - len(after)]
            extent["..."] = max(extent.get("...", 1), size(middle))
    return 2 * size(extent.values())


_FORMULAS = {
    "MatMul": _product,
    "BatchMatMul": _batched,
    "BatchMatMulV2": _batched,
    "BatchMatMulV3": _batched,
    "Conv": _convolution,
    "Conv2D": _convolution,
    "Conv3D": _convolution,
    "DepthwiseConv2dNative": _depthwise,
    "Conv2DBackpropInput": _transposed,
    "Conv3DBackpropInputV2": _transposed,
    "Einsum": _einsum,
}
