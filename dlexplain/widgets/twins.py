"""One model or several of the same task, each with the inputs in its own layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlexplain.errors import InputError, UnsupportedModelError, suggest

_FRAMEWORKS = {"keras": "Keras", "torch": "Torch"}


@dataclass(frozen=True, eq=False)
class Twin:
    """A wrapped model under the name that the reader sees, with its inputs `(n, *input_shape)`."""

    label: str
    model: Any
    inputs: np.ndarray


def wrapped_twins(
    models: Any, class_names: Sequence[str] | None, feature_names: Sequence[str] | None = None
) -> dict[str, Any]:
    """`{label: dlx.Model}` of one model or of a dict of them."""
    from dlexplain.frameworks import wrap

    extra: dict[str, Any] = {}
    if class_names is not None:
        extra["class_names"] = tuple(str(name) for name in class_names)
    if feature_names is not None:
        extra["feature_names"] = tuple(str(name) for name in feature_names)
    if isinstance(models, Mapping):
        if not models:
            raise InputError(
                "models: the dict is empty. Give one model, or a dict such as {'Keras': a, 'Torch': b}."
            )
        wrapped = {str(label): wrap(model, **extra) for label, model in models.items()}
        for model in wrapped.values():
            check_one_input(model)
        return wrapped
    model = wrap(models, **extra)
    check_one_input(model)
    return {_FRAMEWORKS.get(model.framework, model.framework): model}


def twins(
    models: Any,
    inputs: Any,
    class_names: Sequence[str] | None = None,
    feature_names: Sequence[str] | None = None,
) -> dict[str, Twin]:
    """Pairs each model with its inputs: one array (its channels moved where a model wants them elsewhere),
    or a dict with an array a label. Raises `InputError` where they do not fit."""
    wrapped = wrapped_twins(models, class_names, feature_names)
    if isinstance(inputs, Mapping):
        missing = [label for label in wrapped if label not in inputs]
        if missing:
            raise InputError(f"inputs: no array for {missing[0]!r}; the models are {', '.join(wrapped)}.")
        given = {label: one_input(model, inputs[label]) for label, model in wrapped.items()}
    else:
        given = {label: in_layout_of(model, one_input(model, inputs)) for label, model in wrapped.items()}
    counts = {label: len(array) if array.ndim else 0 for label, array in given.items()}
    if len(set(counts.values())) > 1 or not min(counts.values()):
        told = ", ".join(f"{label}: {count}" for label, count in counts.items())
        raise InputError(f"inputs: every model needs the same samples, at least one; there are {told}.")
    return {label: Twin(label, wrapped[label], array) for label, array in given.items()}


def check_one_input(model: Any) -> None:
    """Raises `UnsupportedModelError` of a model that is known to take several inputs."""
    if len(model.input_shapes or ()) > 1:
        raise _several(len(model.input_shapes), model.input_names)


def one_input(model: Any, inputs: Any) -> np.ndarray:
    """The samples as one array. A tuple is one array an input, as for `dlx.explain`, unless the model is
    known to take one."""
    check_one_input(model)
    if isinstance(inputs, tuple) and len(inputs) > 1 and model.input_shapes is None:
        raise _several(len(inputs))
    try:
        return np.asarray(inputs)
    except ValueError as error:
        raise InputError(
            "inputs: the samples differ in shape. A widget needs one array (samples, ...) of one input; "
            "for several inputs use dlx.explain(model, (a, b)).plot()."
        ) from error


def _several(count: int, names: Sequence[str] = ()) -> UnsupportedModelError:
    told = f" ({', '.join(names)})" if names else ""
    return UnsupportedModelError(
        f"model: it takes {count} inputs{told}, and a widget shows one. "
        "Use dlx.explain(model, (a, b)).plot(), which draws every input."
    )


def in_layout_of(model: Any, inputs: np.ndarray) -> np.ndarray:
    """Pictures with their channels where `model` wants them: moved only where that makes the shape fit."""
    if inputs.ndim != 4:
        return inputs
    last, first = inputs, np.ascontiguousarray(np.moveaxis(inputs, -1, 1))
    back = np.ascontiguousarray(np.moveaxis(inputs, 1, -1))
    shape = model.input_shapes[0] if model.input_shapes else None
    if shape is not None:
        fitting = [array for array in (last, first, back) if _fits(array.shape[1:], shape)]
        return fitting[0] if fitting else inputs
    wants_first = model.layout or ("channels_first" if model.framework == "torch" else "channels_last")
    is_first = inputs.shape[1] in (1, 3) and inputs.shape[-1] not in (1, 3)
    if wants_first == "channels_first":
        return inputs if is_first else first
    return back if is_first else inputs


def _fits(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(shape) == len(wanted) and all(w is None or s == w for s, w in zip(shape, wanted, strict=True))


def layer_choices(
    models: Mapping[str, Any],
    samples: Mapping[str, np.ndarray],
    layers: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
) -> dict[str, dict[str, str]]:
    """`{choice: {label: layer}}`: the layers that can be looked into, paired between models.

    `layers`: names that every model has, or a dict with a list a label, of equal lengths. None: the only
    model's own; for several models the layers that hold the same values (true of twins), else those of one
    name, else the last layer of each run of equal shape (what is passed on after the activation function),
    paired in order.
    """
    if isinstance(layers, Mapping):
        columns = {label: list(layers.get(label, ())) for label in models}
    elif layers is not None:
        columns = {label: list(layers) for label in models}
    else:
        columns = _paired(models, samples)
    lengths = {label: len(column) for label, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(f"layers: the lists must pair up, but hold {lengths}.")
    for label, column in columns.items():
        for name in column:
            models[label].check_layer(name)
    choices = {}
    for row in zip(*columns.values(), strict=True):
        names = dict(zip(columns, row, strict=True))
        choices[" / ".join(dict.fromkeys(row))] = names
    return choices


def choice_of(layer: str, choices: Mapping[str, Mapping[str, str]]) -> str:
    """The choice that `layer` names: its own name, or that of a layer of any of the models."""
    for choice, names in choices.items():
        if layer == choice or layer in names.values():
            return choice
    raise InputError(f"layer={layer!r} is not here. {suggest(layer, choices)}Layers: {', '.join(choices)}.")


def _paired(models: Mapping[str, Any], samples: Mapping[str, np.ndarray]) -> dict[str, list[str]]:
    inside = {label: model.activations(samples[label][:1]) for label, model in models.items()}
    whole = {
        label: [n for n, values in found.items() if np.ndim(values) >= 2] for label, found in inside.items()
    }
    first = next(iter(whole))
    if len(whole) == 1:
        return whole
    equal = _of_equal_values(inside, whole)
    if len(equal[first]) > 1:
        return equal
    shared = [name for name in whole[first] if all(name in names for names in whole.values())]
    if len(shared) > 1:
        return dict.fromkeys(whole, shared)
    runs = {label: _ends_of_runs(inside[label], names) for label, names in whole.items()}
    shortest = min(len(run) for run in runs.values())
    return {label: [name for name, _ in run[:shortest]] for label, run in runs.items()}


def _of_equal_values(
    inside: Mapping[str, Mapping[str, np.ndarray]], names: Mapping[str, list[str]]
) -> dict[str, list[str]]:
    """The layers of the first model for which every other has one with the same values in any order of
    axes. Of several with one value, the first not yet taken: what a layer gives comes before what merely
    passes it on."""
    first, *others = names
    pairs: dict[str, list[str]] = {label: [] for label in names}
    for name in names[first]:
        mine = np.sort(np.ravel(inside[first][name]))
        row = {first: name}
        for label in others:
            for other in names[label]:
                theirs = np.ravel(inside[label][other])
                if (
                    other in pairs[label]
                    or theirs.size != mine.size
                    or np.ndim(inside[label][other]) != np.ndim(inside[first][name])
                ):
                    continue
                if np.allclose(np.sort(theirs), mine, rtol=1e-4, atol=1e-5):
                    row[label] = other
                    break
        if len(row) == len(names):
            for label, found in row.items():
                pairs[label].append(found)
    return pairs


def _ends_of_runs(values: Mapping[str, np.ndarray], names: list[str]) -> list[tuple[str, tuple[int, ...]]]:
    ends: list[tuple[str, tuple[int, ...]]] = []
    for name in names:
        shape = tuple(sorted(np.shape(values[name])[1:]))
        if ends and ends[-1][1] == shape:
            ends.pop()
        ends.append((name, shape))
    return ends


def layer_menu(models: Mapping[str, Any], choices: Mapping[str, Mapping[str, str]]) -> list[dict[str, str]]:
    """The entries of a select: each choice with the kind of layer it is."""
    label, model = next(iter(models.items()))
    types = {layer.name: layer.type for layer in model.layers}
    entries = []
    for choice, names in choices.items():
        kind = types.get(names[label].partition(":")[0], "")
        entries.append({"value": choice, "label": f"{choice} ({kind})" if kind else choice})
    return entries
