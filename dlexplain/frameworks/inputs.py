"""Whatever a user may hand over as inputs, as NumPy arrays with a sample axis, or a clear refusal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dlexplain.errors import InputError

Shape = tuple[int | None, ...]


def as_inputs(value: Any, shapes: Sequence[Shape] | None, names: Sequence[str], name: str) -> tuple[np.ndarray, ...]:
    """A tuple of numeric arrays, one an input, each `(n, *shape)`. Raises `InputError` naming `name`."""
    several = shapes is not None and len(shapes) > 1
    if isinstance(value, Mapping) and not hasattr(value, "to_numpy"):
        value = _from_mapping(value, names, name)
    parts = tuple(value) if isinstance(value, tuple) or (several and isinstance(value, list)) else (value,)
    if shapes is not None and len(parts) != len(shapes):
        raise InputError(
            f"{name}: the model has {len(shapes)} inputs ({', '.join(names)}) and {len(parts)} were given. "
            "Give a tuple with one array an input."
        )
    arrays = []
    for i, part in enumerate(parts):
        label = name if len(parts) == 1 else f"{name}[{i}]"
        array = as_array(part, label)
        check_shape(array, None if shapes is None else shapes[i], label)
        arrays.append(array)
    if len({len(a) for a in arrays}) > 1:
        raise InputError(f"{name}: the arrays hold {[len(a) for a in arrays]} samples; all must hold the same number.")
    return tuple(arrays)


def as_array(value: Any, name: str) -> np.ndarray:
    """Lists, DataFrames, tensors of either framework and arrays as a float32, float64 or int64 array."""
    if value is None:
        raise InputError(f"{name} is None. Give an array with a sample axis.")
    if hasattr(value, "detach"):  # a Torch tensor, whose device and gradient NumPy cannot take
        value = value.detach().cpu()
        value = value.float() if "bfloat16" in str(value.dtype) else value
    columns = [str(c) for c in getattr(value, "columns", ())]
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise InputError(f"{name}: the rows have different lengths; pad them to one length first ({error}).") from error
    if array.dtype.kind == "O":
        array = _from_objects(array, columns, name)
    if array.dtype.kind == "c":
        raise InputError(f"{name}: complex numbers ({array.dtype}) cannot be explained; give their parts as channels.")
    if array.dtype.kind in "SUMmV":
        raise InputError(
            f"{name}: values of type {array.dtype} are not numbers. Encode text or dates as numbers first."
        )
    if array.dtype.kind == "b" or array.dtype == np.float16 or array.dtype.kind == "V":
        return array.astype(np.float32)
    if array.dtype.kind in "iu":
        return array.astype(np.int64)
    return np.asarray(array, np.float64 if array.dtype == np.float64 else np.float32, order="C")


def check_shape(array: np.ndarray, shape: Shape | None, name: str) -> None:
    """Raises `InputError` for a missing sample axis, an empty batch or a shape the model does not take."""
    if array.ndim == 0:
        raise InputError(f"{name}: one number ({array}) is not a batch. Give an array with a sample axis.")
    if shape is not None and len(array.shape) == len(shape) and matches(array.shape, shape):
        raise InputError(
            f"{name}: shape {array.shape} is one sample without a sample axis; the model takes (n, "
            f"{', '.join(map(str, shape))}). Give {name}[None]."
        )
    if shape is not None and not matches(array.shape[1:], shape):
        raise InputError(
            f"{name}: shape {array.shape} is not taken by the model, which takes "
            f"(n, {', '.join('any' if s is None else str(s) for s in shape)})."
        )
    if array.size == 0:
        raise InputError(f"{name}: shape {array.shape} holds no values. Give at least one sample.")


def matches(found: tuple[int, ...], shape: Shape) -> bool:
    return len(found) == len(shape) and all(s is None or s == f for f, s in zip(found, shape, strict=True))


def check_finite(array: np.ndarray, name: str) -> None:
    """Raises `InputError` that counts and places the values that are not finite."""
    bad = ~np.isfinite(array)
    if bad.any() and not array.ndim:
        raise InputError(f"{name}={array} is not a finite number.")
    if bad.any():
        first = tuple(int(i) for i in np.argwhere(bad)[0])
        raise InputError(
            f"{name}: {int(bad.sum())} values are NaN or infinite, the first in sample {first[0]} at {first[1:]}. "
            "Fill or drop them before explaining."
        )


def check_tokens(array: np.ndarray, vocabulary: int, name: str) -> None:
    """Raises `InputError` for fractional ids or ids outside the vocabulary."""
    if array.dtype.kind == "f" and (array != np.round(array)).any():
        raise InputError(
            f"{name}: token ids must be whole numbers; the first fractional one is {array[array != np.round(array)][0]}."
        )
    outside = (array < 0) | (array >= vocabulary)
    if outside.any():
        raise InputError(
            f"{name}: token id {int(array[outside][0])} is outside the vocabulary of {vocabulary} (ids 0 to {vocabulary - 1})."
        )


def _from_mapping(value: Mapping, names: Sequence[str], name: str) -> tuple[Any, ...]:
    missing = [key for key in names if key not in value]
    if missing or len(value) != len(names):
        raise InputError(
            f"{name}: a dictionary must have exactly the model's inputs ({', '.join(names)}); got {', '.join(map(str, value))}."
        )
    return tuple(value[key] for key in names)


def _from_objects(array: np.ndarray, columns: Sequence[str], name: str) -> np.ndarray:
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        where = ""
        if columns and array.ndim == 2:
            where = ", ".join(repr(c) for c, column in zip(columns, array.T, strict=True) if not _numeric(column))
            where = f" in column {where}"
        raise InputError(
            f"{name}: some values{where} are not numbers ({error}). Encode them as numbers first."
        ) from error


def _numeric(column: np.ndarray) -> bool:
    try:
        column.astype(np.float64)
    except (TypeError, ValueError):
        return False
    return True
