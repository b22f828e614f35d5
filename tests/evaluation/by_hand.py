"""Trials made by hand: a metric is tested without the table round it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import dlexplain as dlx
from dlexplain.evaluation.explainer import of_method
from dlexplain.evaluation.places import features
from dlexplain.evaluation.trial import Trial
from dlexplain.frameworks.questions import Inputs, Target


def trial(
    raw: Any,
    inputs: np.ndarray | Inputs,
    explainer: str | Callable | None = "saliency",
    *,
    target: int | np.ndarray = 0,
    values: np.ndarray | Inputs | None = None,
    baseline: float = 0.0,
    seed: int = 0,
    options: dict | None = None,
    **given: Any,
) -> Trial:
    """A trial of one model and explainer: a method's name, a function, or none beside `values`."""
    model = dlx.wrap(raw)
    arrays = model.inputs(inputs)
    n = len(arrays[0])
    goal = Target(np.broadcast_to(np.asarray(target), (n,)).astype(np.int64)[:, None])
    lower = tuple(np.full((1, *a.shape[1:]), baseline, a.dtype) for a in arrays)
    rows = model.rows(arrays)
    function = of_method(explainer, **options or {}) if isinstance(explainer, str) else explainer
    maps = function(model, arrays, goal, seed) if values is None else values
    made = Trial(
        model=model,
        inputs=arrays,
        target=goal,
        values=tuple(np.asarray(v, np.float64) for v in (maps if isinstance(maps, tuple) else (maps,))),
        baseline=lower,
        output=model.scores(arrays, goal, rows).astype(np.float64),
        baseline_output=model.outputs_at(lower, goal, rows),
        kinds=model.kinds(arrays),
        features=features(model, arrays),
        rows=rows,
        seed=seed,
        explainer=function,
    )
    return type(made)(**{**made.__dict__, **given})


def constant(_model, inputs, _target, _seed):
    """The same map whatever the input and the model."""
    return tuple(np.broadcast_to(np.linspace(-1, 2, a[0].size).reshape(a.shape[1:]), a.shape).copy() for a in inputs)
