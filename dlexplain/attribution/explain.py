"""The one call: any model, any inputs, any method, one result that says how far it can be trusted."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from dlexplain.attribution import baselines, registry
from dlexplain.attribution.case import Case, Found
from dlexplain.attribution.comparison import Comparison
from dlexplain.attribution.method import Method
from dlexplain.attribution.result import Attribution
from dlexplain.attribution.soundness import refuse_non_finite_baseline, refuse_non_finite_values, settled_outputs
from dlexplain.errors import GapWarning, InputError
from dlexplain.frameworks import Model, targets, wrap
from dlexplain.frameworks.questions import Inputs, Target


def explain(
    model: Any,
    inputs: Any,
    method: str = "integrated_gradients",
    *,
    target: Any = None,
    baseline: Any = None,
    batch_size: int | None = None,
    seed: int = 0,
    **options: Any,
) -> Attribution:
    """Attributes one output of each sample to its inputs.

    `inputs`: `(n, *input_shape)` in the model's own layout, a tuple for several inputs, or token ids. `target`: None
    (the predicted class), an int, a tuple that indexes one sample's output, a class name, or one of these a sample.
    `baseline`: a number, one sample, a background set, or None for the method's own. Options: see `dlx.methods()`.
    Raises `InputError`, `UnsupportedModelError`; warns with `GapWarning` when the gap is over the method's tolerance.
    """
    chosen = registry.get(method)
    chosen.check_options(options)
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"seed={seed!r} must be a whole number from 0 on.")
    asked = wrap(model)
    arrays = asked.inputs(inputs)
    absent = baselines.resolve(baseline, chosen, asked, arrays)
    rows = asked.rows(arrays, batch_size)
    outputs, notes = settled_outputs(asked, arrays, rows)
    groups = targets.resolve(target, outputs, asked.class_names)
    parts = [
        (part, *_group(asked, arrays, part, goal, outputs, absent, chosen, rows, int(seed), options))
        for part, goal in groups
    ]
    values = tuple(
        _joined([(part, found.values[i]) for part, _, found in parts], a.shape) for i, a in enumerate(arrays)
    )
    output = _joined([(part, case.output) for part, case, _ in parts], (len(arrays[0]),))
    measured: dict[str, Any] = {}
    if parts[0][1].baseline_output is not None:
        lower = [(part, case.baseline_output) for part, case, _ in parts]
        measured["baseline_output"] = _joined(lower, output.shape).astype(np.float32)
    if chosen.complete:
        gaps = [(part, *case.relative_gap(found.values)) for part, case, found in parts]
        measured["gap"] = _joined([(p, g) for p, g, _ in gaps], output.shape).astype(np.float32)
        measured["relative_gap"] = _joined([(p, r) for p, _, r in gaps], output.shape).astype(np.float32)
    used = {**chosen.options, **options, **{k: v for _, _, f in parts for k, v in f.chosen.items()}}
    tolerance = float(used.get("tolerance") or chosen.tolerance) if chosen.complete else None
    notes += [text for _, _, found in parts for text in found.warnings]
    missed: list[str] = []
    if tolerance is not None:
        missed = _over(measured["relative_gap"], tolerance, chosen, used)
    for text in notes:
        warnings.warn(text, UserWarning, stacklevel=2)
    for text in missed:
        warnings.warn(text, GapWarning, stacklevel=2)
    single = len(arrays) == 1
    return Attribution(
        values=values[0] if single else values,
        inputs=arrays[0].copy() if single else tuple(a.copy() for a in arrays),
        target=targets.merged(groups, len(output), len(outputs)),
        method=method,
        options=used,
        seed=int(seed),
        baseline=None if absent is None else tuple(map(_compact, absent)) if not single else _compact(absent[0]),
        framework=asked.framework,
        fingerprint=asked.fingerprint,
        output=output.astype(np.float32),
        tolerance=tolerance,
        kind=asked.kinds(arrays),
        layout=asked.layout,
        class_names=asked.class_names,
        feature_names=asked.feature_names,
        warnings=(*notes, *missed),
        **measured,
    )


def compare(
    models: Any,
    inputs: Any,
    methods: Sequence[str] | None = None,
    *,
    method: str = "integrated_gradients",
    options: Mapping[str, Mapping[str, Any]] | None = None,
    **common: Any,
) -> Comparison:
    """Methods on one model (`methods`), or models (a list, or a dictionary by label) under one `method`.

    `options`: per method, its own options. Pictures are in the layout of the first model; a model of the other layout
    gets them transposed. `common` (target, baseline, seed, ...) goes to every explanation.
    """
    options = options or {}
    if methods is not None:
        if isinstance(methods, str) or not len(methods):
            raise InputError(
                f"compare: methods={methods!r} must be a list of names, such as ['saliency', 'occlusion']."
            )
        known = wrap(models)
        return Comparison(
            {name: explain(known, inputs, name, **_taken(name, common), **options.get(name, {})) for name in methods}
        )
    if not isinstance(models, (list, tuple, Mapping)):
        raise InputError("compare: give methods=[...] for one model, or a list of models with one method.")
    labelled = dict(models) if isinstance(models, Mapping) else _labelled([wrap(m) for m in models])
    labelled = {str(label): wrap(model) for label, model in labelled.items()}
    first = next(iter(labelled.values()))
    return Comparison(
        {
            label: explain(
                model,
                _in_layout(inputs, first, model),
                method,
                **{
                    **common,
                    **({"baseline": _in_layout(common["baseline"], first, model)} if "baseline" in common else {}),
                },
                **options.get(method, {}),
            )
            for label, model in labelled.items()
        }
    )


def _group(
    model: Model,
    inputs: Inputs,
    part: np.ndarray,
    target: Target,
    outputs: Inputs,
    absent: Inputs | None,
    method: Method,
    rows: int,
    seed: int,
    options: Mapping[str, Any],
) -> tuple[Case, Found]:
    sample = tuple(a[part] for a in inputs)
    background = absent is not None and len(absent[0]) > 1
    lower = None
    if absent is not None:
        absent = baselines.with_padding(absent, model, sample) if method.at_embedding else absent
        lower = _lower(model, sample, absent, target, rows, method, background)
        refuse_non_finite_baseline(model, absent, lower)
    output = target.of(tuple(o[part] for o in outputs)).astype(np.float64)
    case = Case(model, sample, target, absent, background, output, lower, model.kinds(sample), rows, seed)
    found = method.function(case, **options)
    if found.baseline_output is not None:
        case = replace(case, baseline_output=found.baseline_output)
    shaped = tuple(np.asarray(v, np.float32) for v in found.values)
    refuse_non_finite_values(case, method.name, shaped)
    return case, Found(shaped, found.chosen, found.warnings)


def _lower(
    model: Model, inputs: Inputs, absent: Inputs, target: Target, rows: int, method: Method, background: bool
) -> np.ndarray:
    """`(n,)`: the output at the baseline; with token ids at the embedding, where the sample tells the padding."""
    if not method.at_embedding or not any(v is not None for v in model.token_inputs(inputs)):
        return model.outputs_at(absent, target, rows)
    return model.embedded_scores(inputs, absent, target, rows, background=background)


def _joined(parts: list[tuple[np.ndarray, np.ndarray]], shape: tuple[int, ...]) -> np.ndarray:
    whole = np.zeros(shape, parts[0][1].dtype)
    for part, values in parts:
        whole[part] = values
    return whole


def _compact(baseline: np.ndarray) -> np.ndarray:
    """A constant as a scalar, one sample without its axis, a background set as it is."""
    if len(baseline) > 1:
        return baseline
    first = baseline.reshape(-1)[0]
    return np.array(first) if (baseline == first).all() else baseline[0]


def _over(gaps: np.ndarray, tolerance: float, method: Method, used: Mapping[str, Any]) -> list[str]:
    over = np.flatnonzero(gaps > tolerance)
    if not len(over):
        return []
    more = next((name for name in ("steps", "samples") if used.get(name)), None)
    advice = (
        f" Used {more}={used[more]}: give more, or None to let them adapt."
        if more and not method.name.startswith(("shap:", "captum:"))
        else ""
    )
    known = f" {method.cannot[0].upper()}{method.cannot[1:]}." if method.name.startswith(("shap:", "captum:")) else ""
    return [
        f"{method.name}: the gap of {len(over)} of {len(gaps)} samples is over {tolerance:g}: the values miss up to "
        f"{float(gaps.max()):.2g} of the output's change (sample {int(np.argmax(gaps))}).{advice}{known}"
    ]


def _taken(name: str, common: Mapping[str, Any]) -> dict[str, Any]:
    """The common arguments a method takes: a baseline only where it has one."""
    return {k: v for k, v in common.items() if k != "baseline" or registry.get(name).baseline != "none"}


def _labelled(models: list[Model]) -> dict[str, Model]:
    names = [model.framework for model in models]
    return {
        name if names.count(name) == 1 else f"{name} {names[:i].count(name) + 1}": model
        for i, (name, model) in enumerate(zip(names, models, strict=True))
    }


def _in_layout(value: Any, first: Model, other: Model) -> Any:
    """Pictures moved from the first model's layout to another's."""
    if isinstance(value, tuple):
        return tuple(_in_layout(part, first, other) for part in value)
    ranks = {len(shape) for shape in first.input_shapes or ()} | {3}
    if first.layout == other.layout or np.ndim(value) not in (3, 4) or 3 not in ranks:
        return value
    array = np.asarray(value)
    lead = array.ndim - 3
    return np.moveaxis(array, -1, lead) if other.layout == "channels_first" else np.moveaxis(array, lead, -1)
