"""Trials made by hand: a metric is tested without the table round it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import keras
import numpy as np
import torch
from torch import nn

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
    return replace(made, **given)


def constant(_model, inputs, _target, _seed):
    """The same map whatever the input and the model."""
    return tuple(np.broadcast_to(np.linspace(-1, 2, a[0].size).reshape(a.shape[1:]), a.shape).copy() for a in inputs)


def identity(_model, inputs, _target, _seed):
    """A map that is the input."""
    return tuple(np.asarray(a, np.float64) for a in inputs)


def linear_pair(weights: np.ndarray, bias: np.ndarray | None = None) -> dict[str, Any]:
    """A linear model `(features, outputs)` in both frameworks."""
    bias = np.zeros(weights.shape[1], np.float32) if bias is None else bias
    known = keras.Sequential([keras.Input((len(weights),)), keras.layers.Dense(weights.shape[1])])
    known.set_weights([weights, bias])
    other = nn.Linear(*weights.shape)
    other.weight.data, other.bias.data = torch.tensor(weights.T.copy()), torch.tensor(bias)
    return {"keras": known, "torch": other}


@cache
def image_pair() -> dict[str, tuple[Any, np.ndarray]]:
    """A small convolution network in both frameworks (Keras channels last, Torch first), and its pictures."""
    keras.utils.set_random_seed(3)
    known = keras.Sequential(
        [
            keras.Input((8, 9, 2)),
            keras.layers.Conv2D(4, 3, activation="tanh", name="early"),
            keras.layers.Conv2D(5, 3, padding="same", activation="tanh", name="late"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Flatten(),
            keras.layers.Dense(3, name="head"),
        ]
    )
    x = np.random.default_rng(3).random((4, 8, 9, 2), np.float32) + 0.1
    other = dlx.convert(known, to="torch")
    return {"keras": (known, x), "torch": (other, np.ascontiguousarray(x.transpose(0, 3, 1, 2)))}


def take(made: Trial, rows: Any) -> Trial:
    """The same trial for some of the samples."""
    per_sample = ("inputs", "values", "truth")
    chosen = {name: tuple(a[rows] for a in v) for name in per_sample if (v := getattr(made, name)) is not None}
    ends = {name: getattr(made, name)[rows] for name in ("output", "baseline_output")}
    return replace(made, target=made.target.take(rows), **chosen, **ends)
