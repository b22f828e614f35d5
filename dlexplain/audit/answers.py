"""What is true and what the model says: labels as class numbers or values, the task, probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from dlexplain.errors import InputError, UnsupportedModelError, suggest

Task = Literal["classification", "regression"]
_WHOLE = 1e-3  # how far a row of probabilities may be from summing to one (half precision)


@dataclass(frozen=True, eq=False)
class Answers:
    """The model's outputs `(n, width)` read as answers. `assumed`: what had to be taken as given, in words."""

    outputs: np.ndarray
    task: Task
    labels: np.ndarray
    predicted: np.ndarray
    probabilities: np.ndarray | None
    class_names: tuple[str, ...]
    assumed: tuple[str, ...]


def read(outputs: tuple[np.ndarray, ...], labels: Any, class_names: tuple[str, ...] | None) -> Answers:
    """Outputs and labels together tell the task. Raises `InputError`, `UnsupportedModelError`."""
    one = single(outputs)
    n, width = one.shape
    raw = as_labels(labels, n, width, "labels")
    task, why = task_of(raw, width, class_names)
    if task == "regression":
        return Answers(one, task, raw.astype(np.float64), one[:, 0], None, (), (why,))
    names = names_of(class_names, max(width, 2))
    probabilities, taken = as_probabilities(one)
    # Of the scores themselves, as `dlx.explain` finds its target: rounding may make probabilities equal.
    predicted = (one if width > 1 else probabilities).argmax(1)
    return Answers(
        one,
        task,
        as_classes(raw, names, class_names is not None, "labels"),
        predicted,
        probabilities,
        names,
        (why, taken),
    )


def single(outputs: tuple[np.ndarray, ...]) -> np.ndarray:
    """The one output as `(n, width)`. Raises `UnsupportedModelError` for several, or for more axes."""
    if len(outputs) > 1:
        raise UnsupportedModelError(
            f"audit: the model has {len(outputs)} outputs; an audit is of one. Make a model that returns only that one "
            "(Keras: keras.Model(model.inputs, model.outputs[0]); Torch: a Module whose forward returns one of them) "
            "and audit each in turn."
        )
    output = outputs[0].reshape(len(outputs[0]), 1) if outputs[0].ndim == 1 else outputs[0]
    if output.ndim != 2:
        raise UnsupportedModelError(
            f"audit: one sample's output has shape {output.shape[1:]}; an audit needs one score a class, or one value. "
            "Make a model that returns one place of it, or its mean over the places, and audit that."
        )
    return output


def as_labels(value: Any, n: int, width: int, name: str) -> np.ndarray:
    """`(n,)` int64, float64 or text, from whatever the user gave. Raises `InputError` that names the first bad row."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    if value is None:
        raise InputError(f"{name} is None. An audit compares the model with known answers: give one a sample.")
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise InputError(f"{name}: the rows have different lengths ({error}). Give one label a sample.") from error
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 2 and width > 1 and array.shape[1] == width and _one_hot(array):
        array = array.argmax(1)
    if array.ndim != 1:
        raise InputError(
            f"{name}: shape {array.shape} is not one label a sample. Give class numbers, class names, or one value a sample; "
            "for a regression of several values audit a model that returns one of them."
        )
    if len(array) != n:
        raise InputError(f"{name}: {len(array)} were given for {n} samples. Give one a sample, in the same order.")
    return _typed(array, name)


def _one_hot(array: np.ndarray) -> bool:
    return array.dtype.kind in "biuf" and bool(np.isin(array, (0, 1)).all() and (array.sum(1) == 1).all())


def _typed(array: np.ndarray, name: str) -> np.ndarray:
    if array.dtype.kind in "SU":
        return np.array([v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in array], object)
    if array.dtype.kind == "O":
        missing = [i for i, v in enumerate(array) if v is None or v != v]
        if missing:
            raise InputError(f"{name}: {len(missing)} are missing, the first in row {missing[0]}. Drop those samples.")
        if any(isinstance(v, str) for v in array):
            return np.array([str(v) for v in array], object)
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(f"{name}: neither numbers nor class names ({error}).") from error
    if array.dtype.kind in "biu":
        return array.astype(np.int64)
    if array.dtype.kind != "f":
        raise InputError(f"{name}: values of type {array.dtype} are neither numbers nor class names.")
    bad = np.flatnonzero(~np.isfinite(array))
    if len(bad):
        raise InputError(f"{name}: {len(bad)} are NaN or infinite, the first in row {bad[0]}. Drop those samples.")
    return array.astype(np.float64)


def task_of(labels: np.ndarray, width: int, class_names: Sequence[str] | None) -> tuple[Task, str]:
    """Classification or regression, and why."""
    if labels.dtype == object:
        return "classification", "The task is taken as classification: the labels are names."
    if width > 1:
        return "classification", f"The task is taken as classification: the model has {width} scores a sample."
    if np.isin(labels, (0, 1)).all():
        return "classification", "The task is taken as classification in two classes: every label is 0 or 1."
    if class_names is not None:
        row = int(np.flatnonzero(~np.isin(labels, (0, 1)))[0])
        raise InputError(
            f"labels: {labels[row]:g} in row {row} is no class: the model has one score and class_names were given, so labels "
            "are 0 or 1. Leave class_names out for a regression."
        )
    return (
        "regression",
        "The task is taken as regression: the model gives one value and the labels are not only 0 and 1.",
    )


def names_of(class_names: tuple[str, ...] | None, classes: int) -> tuple[str, ...]:
    """One name a class. Raises `InputError` where their number does not fit or two are the same."""
    if class_names is None:
        return tuple(f"class {i}" for i in range(classes))
    if len(class_names) != classes:
        raise InputError(
            f"class_names: {len(class_names)} were given for {classes} classes. Give one a class, in order."
        )
    double = next((name for i, name in enumerate(class_names) if name in class_names[:i]), None)
    if double is not None:
        raise InputError(f"class_names: {double!r} stands there twice. Give every class a name of its own.")
    return class_names


def as_classes(labels: np.ndarray, names: tuple[str, ...], given: bool, name: str) -> np.ndarray:
    """`(n,)` class numbers. Raises `InputError` that names the first unknown class and its row."""
    if labels.dtype == object:
        numbers = {text: i for i, text in enumerate(names)}
        row = next((i for i, text in enumerate(labels) if text not in numbers), None)
        if row is not None and not given:
            raise InputError(f"{name} are names: give class_names too, in the order of the model's outputs.")
        if row is not None:
            known = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
            raise InputError(
                f"{name}: {labels[row]!r} in row {row} is no class. {suggest(labels[row], names)}Classes: {known}."
            )
        return np.array([numbers[text] for text in labels], np.int64)
    bad = np.flatnonzero((labels < 0) | (labels >= len(names)) | (labels != np.round(labels)))
    if len(bad):
        raise InputError(
            f"{name}: {labels[bad[0]]:g} in row {bad[0]} is no class: the model has the classes 0 to {len(names) - 1}."
        )
    return labels.astype(np.int64)


def as_probabilities(outputs: np.ndarray) -> tuple[np.ndarray, str]:
    """`(n, classes)`, float64, and what was assumed of the outputs `(n, width)`."""
    o = outputs.astype(np.float64)
    within = bool((o >= -_WHOLE).all() and (o <= 1 + _WHOLE).all())
    if o.shape[1] == 1:
        if within:
            p, words = np.clip(o[:, 0], 0, 1), "as the probability of the second class: it lies between 0 and 1"
        else:
            p, words = _sigmoid(o[:, 0]), "as a logit of the second class: it does not stay between 0 and 1"
        return np.stack([1 - p, p], 1), f"The model's one score is taken {words}."
    if within and (np.abs(o.sum(1) - 1) <= _WHOLE).all():
        o = np.clip(o, 0, 1)
        return o / o.sum(1, keepdims=True), "The scores are taken as probabilities: each row sums to 1."
    if within and (o.sum(1) > 0).all():
        o = np.clip(o, 0, 1)
        return o / o.sum(1, keepdims=True), (
            "The scores are taken as one probability a class, each for itself: they lie between 0 and 1 but do not sum "
            "to 1. They are divided by their sum."
        )
    o = np.exp(o - o.max(1, keepdims=True))
    return o / o.sum(1, keepdims=True), "The scores are taken as logits, so that softmax gives the probabilities."


def _sigmoid(o: np.ndarray) -> np.ndarray:
    small = np.exp(-np.abs(o))
    return np.where(o >= 0, 1, small) / (1 + small)
