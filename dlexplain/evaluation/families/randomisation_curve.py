"""The whole curve behind the randomisation score: how much of the map is left after each layer is made anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlexplain.attribution.families.gradients import count
from dlexplain.errors import InputError
from dlexplain.evaluation.controls import controls as control_rows
from dlexplain.evaluation.explainer import Examinee, of_method
from dlexplain.evaluation.families.randomisation import Mode, Order, randomised, steps, weighted
from dlexplain.evaluation.families.randomisation_similarity import Measure, known_mean, measure
from dlexplain.evaluation.places import features
from dlexplain.evaluation.trial import Trial
from dlexplain.frameworks import Model, targets, wrap
from dlexplain.frameworks.questions import Inputs


@dataclass(frozen=True, eq=False)
class RandomisationCurve:
    """`scores[method]`: `(repeats, steps, n)`, the similarity of the map with the trained network's after each step; the
    trained network is not among the steps. `layers[step]`: the layer made anew at that step (in a cascade: beside those
    before it). `controls`: which rows are no explanations. `unsigned`: the scores of the maps' sizes. `maps[method]`:
    `(1 + steps, *shape)`, the first sample's map of the first input, of the trained network and after each step."""

    scores: Mapping[str, np.ndarray]
    unsigned: Mapping[str, np.ndarray]
    maps: Mapping[str, np.ndarray]
    layers: tuple[str, ...]
    controls: tuple[str, ...]
    order: str
    mode: str
    similarity: str
    seed: int
    kind: str
    layout: str | None
    framework: str
    fingerprint: str

    @property
    def table(self):
        """The mean over repeats and samples: a row a method, a column a step."""
        import pandas as pd

        rows = {name: known_mean(values, (0, 2)) for name, values in self.scores.items()}
        return pd.DataFrame(list(rows.values()), index=pd.Index(rows, name="method"), columns=list(self.layers))

    def left(self, *, signed: bool = True) -> dict[str, float]:
        """What an audit holds against its gate: the largest size, over the repeats, of the mean similarity after the last
        step."""
        rows = self.scores if signed else self.unsigned
        means = {name: np.abs(known_mean(values[:, -1], 1)) for name, values in rows.items()}
        return {name: float(np.nan if np.isnan(found).all() else np.nanmax(found)) for name, found in means.items()}

    def plot(self, **options: Any):
        """A Plotly figure: similarity over the layers made anew, a line a method, signed and by size."""
        from dlexplain.figures import randomised as figure

        return figure.randomisation(self, **options)

    def __repr__(self) -> str:
        said = (
            f"{self.similarity} similarity after each layer made anew, {self.mode} from the {self.order}, signed values"
        )
        return f"{said}\n{self.table.to_string(float_format=lambda v: f'{v:.2f}')}"


def randomisation_curve(
    model: Any,
    inputs: Any,
    methods: str | Sequence[str] | Mapping[str, str | Examinee | Callable] = "integrated_gradients",
    *,
    target: Any = None,
    baseline: Any = None,
    order: Order = "top",
    mode: Mode = "cascading",
    similarity: Measure = "spearman",
    repeats: int = 1,
    controls: bool = True,
    seed: int = 0,
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> RandomisationCurve:
    """Explains `inputs` by copies of the model in which one layer after the other has fresh weights.

    `methods`: names, or functions `(model, inputs, target, seed) -> values` by label. `target`, `baseline`: as in
    `dlx.explain`. `order`: "top" begins at the output. `mode`: "independent" makes one layer anew at a time. `repeats`:
    draws of fresh weights. `options`: of each method by label. Adebayo et al. (2018), Sanity Checks for Saliency Maps,
    arXiv:1810.03292. Raises `InputError`, `UnsupportedModelError`.
    """
    asked = wrap(model)
    arrays = asked.inputs(inputs)
    trial = _trial(asked, arrays, target, seed)
    rivals = _named(methods, baseline, options or {})
    every = {**rivals, **(control_rows(asked, arrays, trial.baseline) if controls else {})}
    chosen = steps(weighted(trial), order, mode)
    compare = {sign: measure(trial, similarity, sign) for sign in (True, False)}
    own = {name: _asked(trial, asked, e) for name, e in every.items()}
    shape = (count(repeats, "repeats"), len(chosen), len(trial))
    scores = {sign: {name: np.zeros(shape) for name in every} for sign in (True, False)}
    maps = {name: [values[0][0]] for name, values in own.items()}
    for repeat in range(repeats):
        for step, changed in enumerate(randomised(trial, chosen, repeat)):
            for name, examinee in every.items():
                values = _asked(trial, changed, examinee)
                pair = trial.per_feature(own[name]), trial.per_feature(values)
                for sign, alike in compare.items():
                    scores[sign][name][repeat, step] = alike(*pair)
                if not repeat:
                    maps[name].append(values[0][0])
    return RandomisationCurve(
        scores=scores[True],
        unsigned=scores[False],
        maps={name: np.stack(found) for name, found in maps.items()},
        layers=tuple(step[-1] or "the model's own" for step in chosen),
        controls=tuple(name for name in every if name not in rivals),
        order=order,
        mode=mode,
        similarity=similarity,
        seed=int(seed),
        kind=trial.kinds[0],
        layout=asked.layout,
        framework=asked.framework,
        fingerprint=asked.fingerprint,
    )


def _trial(model: Model, inputs: Inputs, target: Any, seed: int) -> Trial:
    rows = model.rows(inputs)
    outputs = model.all_outputs(inputs, rows)
    groups = targets.resolve(target, outputs, model.class_names)
    if len(groups) > 1:
        raise InputError(
            "randomisation_curve: the samples' targets are of several output heads. Ask one head at a time."
        )
    goal, output = groups[0][1], groups[0][1].of(outputs).astype(np.float64)
    return Trial(
        model=model,
        inputs=inputs,
        target=goal,
        values=inputs,
        baseline=tuple(np.zeros((1, *a.shape[1:]), a.dtype) for a in inputs),
        output=output,
        baseline_output=np.zeros_like(output),
        kinds=model.kinds(inputs),
        features=features(model, inputs),
        rows=rows,
        seed=int(seed),
    )


def _named(methods: Any, baseline: Any, options: Mapping[str, Mapping[str, Any]]) -> dict[str, Callable]:
    if isinstance(methods, str):
        methods = (methods,)
    given = methods if isinstance(methods, Mapping) else {name: name for name in methods}
    found = {}
    for label, method in given.items():
        if isinstance(method, str):
            found[str(label)] = of_method(method, baseline, **options.get(label, {}))
        elif callable(method):
            found[str(label)] = method
        else:
            raise InputError(f"randomisation_curve: {label!r} must be a method's name or a function, not {method!r}.")
    if not found:
        raise InputError("randomisation_curve: no method was given. Name at least one of dlx.methods().")
    return found


def _asked(trial: Trial, model: Model, examinee: Callable) -> Inputs:
    return tuple(np.asarray(v, np.float64) for v in examinee(model, trial.inputs, trial.target, trial.seed))
