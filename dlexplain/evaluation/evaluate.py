"""The one call: explanations of any kind, any metrics, and always the two control rows beside them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from dlexplain.attribution import Attribution, baselines
from dlexplain.attribution import registry as methods
from dlexplain.attribution.soundness import refuse_non_finite_baseline, settled_outputs
from dlexplain.errors import InputError
from dlexplain.evaluation.asking import Asked, chosen
from dlexplain.evaluation.contenders import Contender, contenders
from dlexplain.evaluation.controls import BLIND, RANDOM
from dlexplain.evaluation.controls import controls as control_rows
from dlexplain.evaluation.explainer import Examinee, claims
from dlexplain.evaluation.places import features, for_twin
from dlexplain.evaluation.result import Evaluation
from dlexplain.evaluation.trial import Trial
from dlexplain.frameworks import Model, targets, wrap
from dlexplain.frameworks.questions import Inputs, Target

Parts = list[tuple[np.ndarray, Trial]]  # the samples of each output head


def evaluate(
    model: Any,
    inputs: Any,
    explanations: Any,
    metrics: str | Sequence[str] | None = None,
    *,
    controls: bool = True,
    seed: int = 0,
    target: Any = None,
    baseline: Any = None,
    truth: Any = None,
    twin: Any = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    batch_size: int | None = None,
) -> Evaluation:
    """Scores explanations of `inputs` by `metrics`, a row each, beside the rows *random* and *model-blind*.

    `explanations`: a method's name, an `Attribution`, a function `(model, inputs, target, seed) -> values` on tuples of
    arrays (or an `Examinee`, which also says what it claims), an array of the inputs' shape, a list of these, or a mapping
    from labels to them. `metrics`: names of `dlx.metrics()`; None: those asked by default that need nothing missing here.
    `target`: as in `dlx.explain`; None: that of the attributions given, else the predicted class. `baseline`: what a
    removed feature becomes, as in `dlx.explain`; None: what the attributions given share, else zeros (for tokens padding).
    `truth`: where the evidence is, true or false in the inputs' shapes. `twin`: a model of the same function. `options`:
    per metric. Raises `InputError`, `UnsupportedModelError`.
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"seed={seed!r} must be a whole number from 0 on.")
    seed, known = int(seed), wrap(model)
    arrays = known.inputs(inputs)
    rivals = contenders(explanations, known, arrays)
    rows = known.rows(arrays, batch_size)
    outputs, notes = settled_outputs(known, arrays, rows)
    for text in notes:
        warnings.warn(text, UserWarning, stacklevel=2)
    given = {c.label: c.attribution for c in rivals if c.attribution is not None}
    groups = targets.resolve(_target(target, given), outputs, known.class_names)
    goals = targets.merged(groups, len(arrays[0]), len(outputs))
    _check_targets(given, goals)
    absent = _baseline(baseline, given, known, arrays)
    evidence, other = _truth(truth, arrays, known), None if twin is None else wrap(twin)
    held = frozenset(n for n, v in (("truth", evidence), ("twin", other)) if v is not None)
    kinds = known.kinds(arrays)
    asked = chosen(metrics, options, kinds, held, [c.label for c in rivals if c.values is not None])
    if controls:
        drawn = control_rows(known, arrays, absent, twin=other)
        rivals += [Contender(label, examinee=examinee) for label, examinee in drawn.items()]
    bench = _bench(known, arrays, outputs, groups, absent, rows, seed, evidence, other)
    scores: dict[tuple[str, str], np.ndarray] = {}
    for contender in rivals:
        trials = _trials(bench, contender, arrays, goals, seed, batch_size)
        if any("twin" in m.needs for m in asked.metrics):
            trials = [(part, _with_twin(trial, contender)) for part, trial in trials]
        scores |= _scores(contender.label, trials, asked, len(arrays[0]))
    return Evaluation(
        rows=tuple(c.label for c in rivals if c.label not in (RANDOM, BLIND)),
        controls=(RANDOM, BLIND) if controls else (),
        scores=scores,
        metrics={m.name: m for m in asked.metrics},
        options=asked.options,
        left_out=asked.left_out,
        seed=seed,
        target=goals,
        kind=kinds,
        framework=known.framework,
        fingerprint=known.fingerprint,
    )


# ---- what all rows share ---------------------------------------------------------------------------------------------


def _bench(
    model: Model,
    inputs: Inputs,
    outputs: Inputs,
    groups: list[tuple[np.ndarray, Target]],
    baseline: Inputs,
    rows: int,
    seed: int,
    truth: Inputs | None,
    twin: Model | None,
) -> Parts:
    """A trial without an explanation for the samples of each output head."""
    numbers, kinds, found = features(model, inputs), model.kinds(inputs), []
    for part, target in groups:
        own = tuple(a[part] for a in inputs)
        lower = model.outputs_at(baseline, Target(target.index, target.head), rows)
        refuse_non_finite_baseline(model, baseline, lower)
        trial = Trial(
            model=model,
            inputs=own,
            target=target,
            values=own,
            baseline=baseline,
            output=target.of(tuple(o[part] for o in outputs)).astype(np.float64),
            baseline_output=lower,
            kinds=kinds,
            features=numbers,
            rows=rows,
            seed=seed,
            truth=None if truth is None else tuple(t[part] for t in truth),
            twin=twin,
        )
        found.append((part, trial))
    return found


def _target(target: Any, given: Mapping[str, Attribution]) -> Any:
    """The user's, else that of the attributions, one a sample."""
    if target is not None or not given:
        return target
    first = next(iter(given.values())).target
    return [tuple(int(i) for i in np.atleast_1d(row) if i >= 0) for row in first]


def _check_targets(given: Mapping[str, Attribution], goals: np.ndarray) -> None:
    for label, attribution in given.items():
        differs = [
            i
            for i, (a, b) in enumerate(zip(attribution.target, goals, strict=True))
            if [v for v in np.atleast_1d(a) if v >= 0] != [v for v in np.atleast_1d(b) if v >= 0]
        ]
        if differs:
            raise InputError(
                f"evaluate: the attribution {label!r} explains another output of sample {differs[0]} (target "
                f"{attribution.target[differs[0]]}) than the one asked here ({goals[differs[0]]}). Rows of one evaluation "
                "explain the same outputs: explain again with target=, or evaluate them apart."
            )


def _baseline(baseline: Any, given: Mapping[str, Attribution], model: Model, inputs: Inputs) -> Inputs:
    """`(1, *shape)`, or a background set `(m, *shape)`."""
    facts = methods.get("feature_ablation")  # one that takes every kind of baseline
    if baseline is None:
        shared = [a.baseline for a in given.values() if a.baseline is not None]
        resolved = [baselines.resolve(b, facts, model, inputs) for b in shared]
        if resolved and all(_same(resolved[0], r) for r in resolved):
            return resolved[0]
        padding = [model.padding(i) if v is not None else None for i, v in enumerate(model.token_inputs(inputs))]
        zeros = tuple(p or 0 for p in padding)
        baseline = zeros if len(inputs) > 1 else zeros[0]
    return baselines.resolve(baseline, facts, model, inputs)


def _same(some: Inputs, others: Inputs) -> bool:
    return all(a.shape == b.shape and np.array_equal(a, b) for a, b in zip(some, others, strict=True))


def _truth(truth: Any, inputs: Inputs, model: Model) -> Inputs | None:
    """Booleans in the inputs' shapes; a picture's may come without channels, `(n, height, width)`."""
    if truth is None:
        return None
    parts = truth if isinstance(truth, tuple) else (truth,)
    if len(parts) != len(inputs):
        raise InputError(f"truth: {len(parts)} arrays were given for {len(inputs)} inputs.")
    found = []
    for i, (part, array, kind) in enumerate(zip(parts, inputs, model.kinds(inputs), strict=True)):
        mask = np.asarray(part)
        if mask.dtype != bool and not np.isin(mask, (0, 1)).all():
            raise InputError("truth: give true or false (or 1 and 0) for every feature.")
        mask = mask.astype(bool)
        if kind == "image" and array.ndim == 4 and mask.ndim == 3:
            mask = np.expand_dims(mask, 1 if model.layout == "channels_first" else -1)
        if mask.ndim != array.ndim or any(m not in (1, s) for m, s in zip(mask.shape, array.shape, strict=True)):
            raise InputError(f"truth: shape {np.shape(part)} does not fit input {i} of shape {array.shape}.")
        found.append(np.broadcast_to(mask, array.shape))
    return tuple(found)


# ---- one row ---------------------------------------------------------------------------------------------------------


def _trials(
    bench: Parts, contender: Contender, inputs: Inputs, goals: np.ndarray, seed: int, batch_size: int | None
) -> Parts:
    """The bench's trials with this row's maps and claims."""
    if contender.values is not None:
        return [(part, trial.with_values(tuple(v[part] for v in contender.values))) for part, trial in bench]
    baseline, model = bench[0][1].baseline, bench[0][1].model
    examinee = contender.explainer(baseline)
    goals = [tuple(int(i) for i in np.atleast_1d(row) if i >= 0) for row in goals]
    made = contender.explained(model, inputs, baseline, target=goals, seed=seed, batch_size=batch_size)
    if made is None:
        return [(part, _claimed(trial, examinee)) for part, trial in bench]
    values = made.values if isinstance(made.values, tuple) else (made.values,)
    found = []
    for part, trial in bench:
        held = {
            "values": tuple(np.asarray(v[part], np.float64) for v in values),
            "reference": None if made.baseline_output is None else made.baseline_output[part].astype(np.float64),
            "explainer": _from_seed(examinee, made.seed, seed),
            "complete": methods.get(made.method).complete,
        }
        found.append((part, replace(trial, **held, **_shown(claims(made.method, made.options)))))
    return found


def _claimed(trial: Trial, examinee: Examinee) -> Trial:
    values = examinee(trial.model, trial.inputs, trial.target, trial.seed)
    return replace(
        trial,
        values=values,
        explainer=examinee,
        complete=examinee.complete,
        contribution=examinee.contribution,
        signed=examinee.signed,
    )


def _shown(claimed: Mapping[str, bool]) -> dict[str, bool]:
    return {name: claimed[name] for name in ("contribution", "signed")}


def _from_seed(examinee: Examinee, own: int, seed: int):
    """The explainer whose random numbers at the evaluation's seed are those with which the map was made."""
    return lambda model, inputs, target, asked: examinee(model, inputs, target, max(0, own + asked - seed))


def _with_twin(trial: Trial, contender: Contender) -> Trial:
    """With the twin's maps of the same samples, in this model's layout; None for a bare map."""
    twin = trial.twin
    examinee = contender.explainer(for_twin(trial.baseline, trial.kinds, trial.model, twin))
    if examinee is None:
        return trial
    own = 0 if contender.attribution is None else contender.attribution.seed - trial.seed
    inputs = for_twin(trial.inputs, trial.kinds, trial.model, twin)
    values = examinee(twin, inputs, trial.target, max(0, trial.seed + own))
    return replace(trial, twin_values=for_twin(values, trial.kinds, twin, trial.model))


def _scores(label: str, trials: Parts, asked: Asked, n: int) -> dict[tuple[str, str], np.ndarray]:
    """`(n,)` a metric; not a number where a bare map cannot be asked again."""
    found = {}
    for metric in asked.metrics:
        scores = np.full(n, np.nan)
        for part, trial in trials:
            if trial.explainer is None and ({"explain", "twin"} & set(metric.needs)):
                continue
            scores[part] = metric.function(trial, **asked.options[metric.name])
        found[label, metric.name] = scores
    return found
