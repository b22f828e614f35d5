"""From what the user hands over to a `Subject`: everything read with care, every assumption written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dlexplain.attribution import registry
from dlexplain.attribution.soundness import settled_outputs
from dlexplain.audit import answers, card, profile
from dlexplain.audit.examined import DEFAULTS
from dlexplain.audit.profile import Profile
from dlexplain.audit.subject import Subject
from dlexplain.errors import DlexplainError, InputError, suggest
from dlexplain.evaluation.explainer import Examinee
from dlexplain.frameworks.model import Model
from dlexplain.frameworks.questions import Inputs
from dlexplain.frameworks.wrap import wrap

PROFILES = {"image": "images-1", "table": "tables-1", "series": "series-1", "tokens": "tokens-1"}
BACKGROUND = 100  # samples that stand for the data, unless the user gives others


def subject(
    model: Any,
    inputs: Any,
    labels: Any,
    *,
    background: Any = None,
    feature_names: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    slices: Sequence[str] | None = None,
    profile: str | Profile | None = None,
    seed: int = 0,
    methods: Any = None,
    columns: Mapping[str, Any] | None = None,
    train: tuple[Any, Any] | None = None,
    card: Any = None,
) -> Subject:
    """The model and its data as checks look at them; arguments as in `dlx.audit`."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"seed={seed!r} must be a whole number from 0 on.")
    classes, features = _texts(class_names, "class_names"), _texts(feature_names, "feature_names")
    if features is None and hasattr(inputs, "columns") and hasattr(inputs, "to_numpy"):
        features = tuple(map(str, inputs.columns))
    asked = wrap(model, class_names=classes, feature_names=features)
    arrays = asked.inputs(inputs)
    if asked.input_shapes is None and len(arrays) > 1:  # now known, so that every input has a name
        asked = wrap(asked, input_shape=tuple(a.shape[1:] for a in arrays))
    rows, outputs, notes = _run(asked, arrays)
    read = answers.read(outputs, labels, classes or asked.class_names)
    kinds = asked.kinds(arrays)
    kind = "image" if "image" in kinds else kinds[0]
    names = _feature_names(features or asked.feature_names, asked, arrays, kinds)
    learned = _train(train, asked, arrays, read)
    seen, said = _background(background, asked, learned[0] if learned else arrays, int(seed), learned is not None)
    registered, given = _methods(methods, kind)
    return Subject(
        model=asked,
        inputs=arrays,
        labels=read.labels,
        kind=kind,
        task=read.task,
        outputs=read.outputs,
        predicted=read.predicted,
        probabilities=read.probabilities,
        background=seen,
        profile=_profile(profile, kind),
        class_names=read.class_names,
        feature_names=names,
        methods=registered,
        explainers=given,
        columns=_columns(columns, slices, arrays, kinds, names),
        train=learned,
        card=_card(card),
        seed=int(seed),
        rows=rows,
        assumed=(*read.assumed, said, *_kind_words(kinds), *notes),
        noisy=bool(notes),
    )


def _run(model: Model, inputs: Inputs) -> tuple[int, tuple[np.ndarray, ...], list[str]]:
    """How many samples to run at once, every output, and what to say of them. Raises `InputError` where it does not run."""
    try:
        rows = model.rows(inputs)
        return rows, *settled_outputs(model, inputs, rows)
    except DlexplainError:
        raise
    except Exception as error:  # whatever the framework or the user's own layers throw
        shapes = " + ".join(str(a.shape[1:]) for a in inputs)
        last = (str(error).strip() or type(error).__name__).splitlines()[-1]
        raise InputError(f"inputs: the model cannot be run on samples of shape {shapes}: {last}") from error


def _same_shape(arrays: Inputs, inputs: Inputs, name: str) -> Inputs:
    for array, given in zip(arrays, inputs, strict=True):
        if array.shape[1:] != given.shape[1:]:
            raise InputError(f"{name}: samples have shape {array.shape[1:]}, those of the inputs {given.shape[1:]}.")
    return arrays


def _card(given: Any) -> dict[str, str]:
    return card.read(given)


def _texts(value: Any, name: str) -> tuple[str, ...] | None:
    """A list of names as text; an empty one counts as none."""
    if value is None:
        return None
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        raise InputError(f"{name}={value!r} must be a list of names.")
    return tuple(v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in value) or None


def _kind_words(kinds: tuple[str, ...]) -> tuple[str, ...]:
    nouns = {"image": "pictures", "table": "a table", "series": "time series", "tokens": "token ids"}
    if len(set(kinds)) == 1:
        return (f"The inputs are read as {nouns[kinds[0]]}.",)
    return ("The inputs are read as " + ", ".join(f"{nouns[k]} (input {i})" for i, k in enumerate(kinds)) + ".",)


def _feature_names(
    names: tuple[str, ...] | None, model: Model, inputs: Inputs, kinds: tuple[str, ...]
) -> tuple[str, ...]:
    """One name a column of a table (through all inputs) or a channel of a series; none for pictures and tokens."""
    if all(kind == "table" and a.ndim == 2 for kind, a in zip(kinds, inputs, strict=True)):
        counts = [a.shape[1] for a in inputs]
        if len(inputs) == 1:
            plain = [f"feature {i}" for i in range(counts[0])]
        else:
            plain = [
                f"{label}, {i}" for label, count in zip(model.input_names, counts, strict=True) for i in range(count)
            ]
    elif kinds == ("series",):
        axis = 1 if model.layout == "channels_first" else 2
        plain = [f"channel {i}" for i in range(inputs[0].shape[axis] if inputs[0].ndim == 3 else 1)]
    else:
        return names or ()
    if names is not None and len(names) != len(plain):
        what = "columns" if "table" in kinds else "channels"
        raise InputError(f"feature_names: {len(names)} were given for {len(plain)} {what}. Give one each, in order.")
    return names or tuple(plain)


def _train(train: Any, model: Model, inputs: Inputs, read: answers.Answers) -> tuple[Inputs, np.ndarray] | None:
    if train is None:
        return None
    if not isinstance(train, (tuple, list)) or len(train) != 2:
        raise InputError("train must be a pair: (the training inputs, their labels).")
    arrays = _same_shape(model.inputs(train[0], "train inputs"), inputs, "train inputs")
    labels = answers.as_labels(train[1], len(arrays[0]), read.outputs.shape[1], "train labels")
    if read.task == "classification":
        return arrays, answers.as_classes(labels, read.class_names, True, "train labels")
    if labels.dtype == object:
        raise InputError("train labels are names, but the labels of the audit are numbers of a regression.")
    return arrays, labels.astype(np.float64)


def _background(background: Any, model: Model, pool: Inputs, seed: int, trained: bool) -> tuple[Inputs, str]:
    """Samples that stand for the data, and where they are from."""
    if background is not None:
        given = _same_shape(model.inputs(background, "background"), pool, "background")
        return given, f"The background is the one given: {len(given[0])} samples."
    n, source = len(pool[0]), "training samples" if trained else "samples of this audit"
    if n > BACKGROUND:
        part = np.sort(np.random.default_rng([seed, n]).choice(n, BACKGROUND, replace=False))
        pool = tuple(a[part] for a in pool)
    return pool, f"The background is {len(pool[0])} of {n} {source}, drawn with the seed."


def _profile(given: str | Profile | None, kind: str) -> Profile:
    found = given if isinstance(given, Profile) else profile.load(given or PROFILES[kind])
    if found.kind != kind:
        raise InputError(
            f"profile {found.name!r} was measured on inputs of kind {found.kind!r}, and these are of kind {kind!r}: its "
            f"thresholds say nothing of them. Use {PROFILES[kind]!r}, or wrap the model with feature_names (a series) or "
            "layout (pictures) if the inputs were misread."
        )
    return found


def _methods(given: Any, kind: str) -> tuple[tuple[str, ...], dict[str, Examinee]]:
    """Names of the registry, and explainers given as functions."""
    if given is None:
        return DEFAULTS[kind], {}
    if isinstance(given, (str, Examinee)):
        given = [given]
    pairs = list(given.items()) if isinstance(given, Mapping) else [(None, item) for item in given]
    if not pairs:
        raise InputError(
            "methods is empty: an audit of explanations needs at least one. Leave it out for the usual ones."
        )
    names, explainers = [], {}
    for label, item in pairs:
        if isinstance(item, str):
            registry.get(item)
            names.append(item)
        elif isinstance(item, Examinee):
            explainers[str(label or item.name)] = item
        elif callable(item) and label is not None:
            explainers[str(label)] = Examinee(name=str(label), function=item)
        else:
            raise InputError(
                f"methods: {item!r} is neither a name of dlx.methods() nor an explainer. Give names, or a mapping name -> "
                "function(model, inputs, target, seed)."
            )
    double = next((name for name in explainers if name in names), None)
    if double:
        raise InputError(f"methods: {double!r} names both a method and a function. Give the function another name.")
    return tuple(dict.fromkeys(names)), explainers


def _columns(
    columns: Mapping[str, Any] | None,
    slices: Sequence[str] | None,
    inputs: Inputs,
    kinds: tuple[str, ...],
    names: tuple[str, ...],
) -> dict[str, np.ndarray]:
    """Values `(n,)` by the name of a slice: those asked for, or all extra columns."""
    n, extra = len(inputs[0]), {}
    for name, values in (columns or {}).items():
        array = np.asarray(values.to_numpy() if hasattr(values, "to_numpy") else values)
        if array.shape != (n,):
            raise InputError(f"columns: {name!r} has shape {array.shape}; give one value for each of the {n} samples.")
        extra[str(name)] = array
    asked = _texts(slices, "slices")
    if asked is None:
        return extra
    table = {}
    if all(kind == "table" and a.ndim == 2 for kind, a in zip(kinds, inputs, strict=True)):
        table = dict(zip(names, np.concatenate(inputs, 1).T, strict=True))
    known = {**table, **extra}
    for name in asked:
        if name not in known:
            some = ", ".join(list(known)[:20]) or "none (give columns={name: values})"
            raise InputError(f"slices: no column is named {name!r}. {suggest(name, known)}Columns: {some}.")
    return {name: known[name] for name in asked}
