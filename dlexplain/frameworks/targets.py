"""Which output of each sample is explained: the user's `target` as groups of samples with one output head each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dlexplain.errors import InputError, suggest
from dlexplain.frameworks.questions import Target


def resolve(
    target: Any, outputs: tuple[np.ndarray, ...], class_names: Sequence[str] | None = None
) -> list[tuple[np.ndarray, Target]]:
    """Groups (sample numbers, `Target`) that cover every sample once. Raises `InputError`."""
    n = len(outputs[0])
    chosen = [_one(item, i, outputs, class_names) for i, item in enumerate(_per_sample(target, n, outputs))]
    groups = []
    for head in dict.fromkeys(head for head, _ in chosen):
        rows = np.array([i for i, (h, _) in enumerate(chosen) if h == head])
        groups.append((rows, Target(np.array([chosen[i][1] for i in rows], np.int64), head)))
    return groups


def merged(groups: list[tuple[np.ndarray, Target]], n: int, heads: int) -> np.ndarray:
    """The targets as one array for the record: `(n,)` for plain classes, else `(n, rank)` with the head first."""
    rows: list[tuple[int, ...]] = [()] * n
    for part, target in groups:
        for i, index in zip(part, target.index, strict=True):
            rows[i] = (target.head, *map(int, index)) if heads > 1 else tuple(map(int, index))
    width = max(map(len, rows))
    table = np.array([row + (-1,) * (width - len(row)) for row in rows], np.int64)
    return table[:, 0] if width == 1 else table


def _per_sample(target: Any, n: int, outputs: tuple[np.ndarray, ...]) -> list[Any]:
    if target is None or (isinstance(target, (int, np.integer, str, tuple)) and not isinstance(target, bool)):
        return [target] * n
    if hasattr(target, "detach"):
        target = target.detach().cpu()
    if hasattr(target, "numpy"):
        target = target.numpy()
    if isinstance(target, (np.ndarray, list)) or hasattr(target, "to_numpy"):
        items = list(target.to_numpy()) if hasattr(target, "to_numpy") else list(target)
        if isinstance(target, np.ndarray) and target.ndim == 0:
            return [target.item()] * n
        if len(items) != n:
            raise InputError(
                f"target: {len(items)} targets were given for {n} samples. Give one int, one tuple that indexes a "
                "sample's output, or a list with one of these a sample."
            )
        return [tuple(item) if isinstance(item, (list, np.ndarray)) and np.ndim(item) else item for item in items]
    raise InputError(
        f"target={target!r} must be None, an int, a tuple of ints, a class name, or one of these a sample."
    )


def _one(
    item: Any, sample: int, outputs: tuple[np.ndarray, ...], class_names: Sequence[str] | None
) -> tuple[int, tuple[int, ...]]:
    """The head and the place within one sample's output."""
    if item is None:
        return 0, _predicted(outputs[0], sample)
    if isinstance(item, str):
        known = list(class_names or ())
        if item not in known:
            raise InputError(
                f"target: no class is named {item!r}. {suggest(item, known)}"
                + (
                    f"Classes: {', '.join(known)}."
                    if known
                    else "The model was wrapped without class_names; give an int."
                )
            )
        item = known.index(item)
    places = item if isinstance(item, tuple) else (item,)
    for place in places:
        if isinstance(place, bool) or not (
            isinstance(place, (int, np.integer))
            or (isinstance(place, (float, np.floating)) and float(place).is_integer())
        ):
            raise InputError(f"target: {item!r} of sample {sample} must be a whole number or a tuple of them.")
    places = tuple(int(place) for place in places)
    head = 0
    if len(outputs) > 1:
        head, places = places[0], places[1:]
        if not 0 <= head < len(outputs):
            raise InputError(
                f"target: output {head} of sample {sample}: the model has outputs 0 to {len(outputs) - 1}."
            )
    shape = outputs[head].shape[1:] or (1,)
    if not places and np.prod(shape) == 1:
        places = (0,) * len(shape)
    if len(places) != len(shape):
        axes = ", ".join(f"0 to {size - 1}" for size in shape)
        extra = f" after the number of the output (0 to {len(outputs) - 1})" if len(outputs) > 1 else ""
        raise InputError(
            f"target: {item!r} of sample {sample} has {len(places)} numbers, but one sample's output has shape {shape} "
            f"and needs {len(shape)} ({axes}){extra}."
        )
    for place, size in zip(places, shape, strict=True):
        if not 0 <= place < size:
            raise InputError(
                f"target: {item!r} of sample {sample} is out of range: one sample's output has shape {shape}, so each "
                f"number must lie from 0 to its size less 1."
            )
    return head, places


def _predicted(output: np.ndarray, sample: int) -> tuple[int, ...]:
    shape = output.shape[1:] or (1,)
    if np.prod(shape) == 1:
        return (0,) * len(shape)
    if len(shape) == 1:
        return (int(np.argmax(output[sample])),)
    raise InputError(
        f"target: one sample's output has shape {shape}, so the predicted class is not one number. Give a tuple that "
        f"indexes it, such as target={(0,) * len(shape)}."
    )
