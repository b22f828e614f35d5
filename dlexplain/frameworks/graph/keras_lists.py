"""TensorFlow's lists of tensors, which its loops read and write, as Python's tuples of values."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from dlexplain.frameworks.graph.keras_refusals import NeedsBatch, refusal

if TYPE_CHECKING:
    from dlexplain.frameworks.graph.keras_unroll import Unrolled, Value

Items = tuple  # of values; None where nothing was written yet


def constant(walk: Unrolled, array: Any, dtype: tf.DType | None = None) -> Value:
    """A value that every run shares."""
    proto = tf.make_tensor_proto(array, dtype)
    attributes = {
        "value": tf.compat.v1.AttrValue(tensor=proto),
        "dtype": tf.compat.v1.AttrValue(type=proto.dtype),
    }
    return walk.make("Const", (), attributes, "constant")[0]


def _stack(walk: Unrolled, operation: tf.Operation, items: Items) -> Value:
    dtype = operation.get_attr("element_dtype")
    written = next((v for v in items if v is not None), None)
    if written is None:
        shape = operation.outputs[0].shape.as_list()[1:]
        return constant(walk, np.zeros((len(items), *shape)), dtype)
    return walk.make("Pack", [_item(walk, operation, items, i) for i in range(len(items))], {
        "N": tf.compat.v1.AttrValue(i=len(items)),
        "T": tf.compat.v1.AttrValue(type=dtype.as_datatype_enum),
        "axis": tf.compat.v1.AttrValue(i=0),
    }, operation.name)[0]  # fmt: skip


def _item(walk: Unrolled, operation: tf.Operation, items: Items, i: int) -> Value:
    if items[i] is not None:
        return items[i]
    other = next((v for v in items if v is not None), None)
    kind = operation.get_attr("element_dtype")
    if other is not None:
        return walk.make("ZerosLike", [other], {"T": tf.compat.v1.AttrValue(type=kind.as_datatype_enum)},
                         operation.name)[0]  # fmt: skip
    return constant(walk, np.zeros(operation.outputs[0].shape.as_list()), kind)


def _unstack(walk: Unrolled, operation: tf.Operation, tensor: Value) -> Items:
    size = tensor.x.shape[0]
    if size is None:
        raise NeedsBatch(str(refusal(operation, "lists a tensor of unknown length")))
    if not size:
        return ()
    return walk.make("Unpack", [tensor], {
        "num": tf.compat.v1.AttrValue(i=size),
        "T": tf.compat.v1.AttrValue(type=tensor.x.dtype.as_datatype_enum),
        "axis": tf.compat.v1.AttrValue(i=0),
    }, operation.name)  # fmt: skip


def _concat(walk: Unrolled, operation: tf.Operation, items: Items) -> Value:
    kind = operation.get_attr("element_dtype")
    return walk.make("ConcatV2", [*items, constant(walk, 0, tf.int32)], {
        "N": tf.compat.v1.AttrValue(i=len(items)),
        "T": tf.compat.v1.AttrValue(type=kind.as_datatype_enum),
        "Tidx": tf.compat.v1.AttrValue(type=tf.int32.as_datatype_enum),
    }, operation.name)[0]  # fmt: skip


def _reserve(walk, operation, inputs):
    return ((None,) * int(walk.decided(operation, inputs[1])),)


def _set(walk, operation, inputs):
    items, i = inputs[0], int(walk.decided(operation, inputs[1]))
    items = items + (None,) * (i + 1 - len(items))
    return ((*items[:i], inputs[2], *items[i + 1 :]),)


def _get(walk, operation, inputs):
    return (_item(walk, operation, inputs[0], int(walk.decided(operation, inputs[1]))),)


def _gather(walk, operation, inputs):
    chosen = walk.decided(operation, inputs[1])
    return (_stack(walk, operation, tuple(inputs[0][int(i)] for i in chosen)),)


def _scatter(walk, operation, inputs):
    places = walk.decided(operation, inputs[1])
    size = max(int(places.max(initial=-1)) + 1, int(walk.decided(operation, inputs[3])) if len(inputs) > 3 else 0)
    items: list = [None] * size
    for place, part in zip(places, _unstack(walk, operation, inputs[0]), strict=True):
        items[int(place)] = part
    return (tuple(items),)


def _resize(walk, operation, inputs):
    size = int(walk.decided(operation, inputs[1]))
    return ((inputs[0] + (None,) * size)[:size],)


OPERATIONS: dict[str, Callable] = {
    "EmptyTensorList": lambda walk, operation, inputs: ((),),
    "TensorListReserve": _reserve,
    "TensorListFromTensor": lambda walk, operation, inputs: (_unstack(walk, operation, inputs[0]),),
    "TensorListSetItem": _set,
    "TensorListGetItem": _get,
    "TensorListStack": lambda walk, operation, inputs: (_stack(walk, operation, inputs[0]),),
    "TensorListPushBack": lambda walk, operation, inputs: ((*inputs[0], inputs[1]),),
    "TensorListPopBack": lambda walk, operation, inputs: (inputs[0][:-1], inputs[0][-1]),
    "TensorListLength": lambda walk, operation, inputs: (constant(walk, len(inputs[0]), tf.int32),),
    "TensorListGather": _gather,
    "TensorListScatterV2": _scatter,
    "TensorListResize": _resize,
    "TensorListConcatV2": lambda walk, operation, inputs: (
        _concat(walk, operation, inputs[0]),
        constant(walk, [v.x.shape[0] for v in inputs[0]], tf.int64),
    ),
    "TensorListConcatLists": lambda walk, operation, inputs: (inputs[0] + inputs[1],),
}
