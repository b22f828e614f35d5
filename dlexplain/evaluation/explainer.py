"""An explainer as a metric or an audit asks it: values for a model, inputs and a target, and what it claims of them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlexplain.attribution import explain, registry
from dlexplain.errors import InputError
from dlexplain.evaluation.trial import Explainer
from dlexplain.frameworks.model import Model
from dlexplain.frameworks.questions import Inputs, Target


@dataclass(frozen=True, kw_only=True)
class Examinee:
    """`function(model, inputs, target, seed)` gives values in the inputs' shapes. `complete`: claims that they sum to the
    output's change from the baseline. `contribution`: claims that a value is what its feature adds (a gradient does not).
    `signed`: values below zero speak against the target. `random`: draws random numbers.
    """

    name: str
    function: Explainer
    complete: bool = False
    contribution: bool = True
    signed: bool = True
    random: bool = False

    def __call__(self, model: Model, inputs: Inputs, target: Target, seed: int) -> Inputs:
        """float64, in the inputs' shapes. Raises `InputError` where the function gives anything else."""
        values = self.function(model, inputs, target, seed)
        values = values if isinstance(values, tuple) else (values,)
        arrays = tuple(np.asarray(v, np.float64) for v in values)
        if [a.shape for a in arrays] != [a.shape for a in inputs]:
            raise InputError(
                f"{self.name}: gave values of shape {' + '.join(str(a.shape) for a in arrays)} for inputs of shape "
                f"{' + '.join(str(a.shape) for a in inputs)}. Give one value for each of the inputs' values."
            )
        if not all(np.isfinite(a).all() for a in arrays):
            raise InputError(f"{self.name}: gave values that are not finite.")
        return arrays


def of_method(name: str, baseline: Any = None, **options: Any) -> Examinee:
    """The examinee that `dlx.explain` is under this method; `baseline` as there, for the methods that have one."""
    facts = registry.get(name)
    facts.check_options(options)
    if facts.baseline == "none":
        baseline = None

    def function(model: Model, inputs: Inputs, target: Target, seed: int) -> Inputs:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a metric is to judge the values as they are
            found = explain(
                model,
                inputs if len(inputs) > 1 else inputs[0],
                name,
                target=_as_given(model, inputs, target),
                baseline=baseline,
                seed=seed,
                **options,
            )
        return found.values if isinstance(found.values, tuple) else (found.values,)

    return Examinee(name=name, function=function, complete=facts.complete, **claims(name, options))


def claims(name: str, options: Mapping[str, Any]) -> dict[str, bool]:
    """What a method of the registry claims besides completeness."""
    facts = registry.get(name)
    return {
        "contribution": facts.complete or facts.family in ("perturbation", "shapley"),
        "signed": facts.family != "cam",
        "random": "samples" in facts.options or "noise" in facts.options,
    }


def _as_given(model: Model, inputs: Inputs, target: Target) -> list:
    """The target as `dlx.explain` takes it, one a sample."""
    heads = len(model.all_outputs(tuple(a[:1] for a in inputs), 1))
    lead = (target.head,) if heads > 1 else ()
    rows = [(*lead, *map(int, row)) for row in target.index]
    return [row if len(row) > 1 else row[0] for row in rows]
