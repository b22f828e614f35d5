"""What is known of a tensor before the graph runs: constants, static shapes, and what follows from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context
from tensorflow.python.eager.execute import quick_execute

if TYPE_CHECKING:
    from dlexplain.frameworks.graph.keras_unroll import Value

_NEVER = {"ReadVariableOp", "Placeholder", "VarHandleOp", "ResourceGather"}


def known(value: Value) -> np.ndarray | None:
    """The value where it follows from constants and static shapes alone, else None."""
    if value.constant is None and value.step is not None and not value.active:
        ahead = [value]  # a loop's counter hangs on all its earlier values: no recursion
        while ahead:
            top = ahead[-1]
            if top.constant is not None or top.step is None or not _open(top, ahead):
                ahead.pop()
    return None if value.constant is _UNKNOWN else value.constant


_UNKNOWN = np.zeros(0, object)


def _open(value: Value, ahead: list[Value]) -> bool:
    """Settles one value, or puts what it depends on before it and says True."""
    step = value.step
    if step.type in _NEVER or step.x.op_def.is_stateful:
        value.constant = _UNKNOWN
    elif step.type == "Const":
        value.constant = tf.make_ndarray(step.x.node_def.attr["value"].tensor)
    elif step.type in ("Shape", "ShapeN", "Size", "Rank"):
        value.constant = _of_shape(step.type, step.inputs[value.index if step.type == "ShapeN" else 0].x, value.x.dtype)
    elif step.type == "StridedSlice" and _slice_of_shape(value):
        pass
    else:
        waiting = [v for v in step.inputs if v.constant is None and v.step is not None and not v.active]
        if waiting:
            ahead.extend(waiting)
            return True
        if any(v.constant is None or v.constant is _UNKNOWN for v in step.inputs):
            value.constant = _UNKNOWN
        else:
            outputs = _evaluate(step.x, [v.constant for v in step.inputs])
            for output, array in zip(step.outputs, outputs, strict=True):
                output.constant = array
    return False


def _of_shape(kind: str, tensor: tf.Tensor, dtype: tf.DType) -> np.ndarray:
    shape = tensor.shape
    if kind == "Rank" and shape.rank is not None:
        return np.array(shape.rank, dtype.as_numpy_dtype)
    if not shape.is_fully_defined():
        return _UNKNOWN
    return np.array(shape.num_elements() if kind == "Size" else shape.as_list(), dtype.as_numpy_dtype)


def _slice_of_shape(value: Value) -> bool:
    """One known size out of a shape whose number of samples is not."""
    source = value.step.inputs[0].step
    ends = [known(v) for v in value.step.inputs[1:]]
    if source is None or source.type != "Shape" or any(e is None for e in ends):
        return False
    shape = source.inputs[0].x.shape
    if shape.rank is None:
        return False
    sizes = np.array([-1 if s is None else s for s in shape], value.x.dtype.as_numpy_dtype)
    (found,) = _evaluate(value.step.x, [sizes, *ends])
    if (found < 0).any():
        return False
    value.constant = found
    return True


def _evaluate(operation: tf.Operation, arrays: list[np.ndarray]) -> list[np.ndarray]:
    attributes: list[Any] = []
    for attribute in operation.op_def.attr:
        value = operation.get_attr(attribute.name)
        values = value if isinstance(value, list) else [value]
        values = [v.as_datatype_enum if isinstance(v, tf.DType) else v for v in values]
        attributes += [attribute.name, values if isinstance(value, list) else values[0]]
    with tf.init_scope(), tf.device("CPU:0"):
        inputs = [tf.constant(a) for a in arrays]
        found = quick_execute(operation.type, len(operation.outputs), inputs, tuple(attributes), context.context())
    return [np.asarray(t) for t in found]
