"""What each input sends to the output through one unit."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlexplain.attribution import along, baselines, registry
from dlexplain.attribution.case import to_tokens
from dlexplain.attribution.families.gradients import count
from dlexplain.attribution.result import Attribution
from dlexplain.errors import InputError
from dlexplain.frameworks import Model, targets
from dlexplain.frameworks.questions import Target


def conductance(
    model: Model,
    view: Model,
    inputs: Any,
    layer: str,
    unit: int | tuple[int, ...],
    *,
    target: Any,
    baseline: Any,
    batch_size: int | None,
    seed: int,
    steps: int = 256,
) -> Attribution:
    """`(x - b)` times the mean, along the line, of the output's slope to the unit times the unit's slope to the inputs.

    `view`: the model that ends at the layer. Dhamdhere, Sundararajan, Yan (2018), How Important is a Neuron?,
    arXiv:1805.12233; midpoints of `steps` equal parts, for kinks make finer rules no better.
    """
    arrays = model.inputs(inputs)
    if any(v is not None for v in model.token_inputs(arrays)):
        raise InputError(
            "conductance: token ids have no line of their own. Use method='integrated_gradients' or 'deeplift'."
        )
    rank = model.inside(tuple(a[:1] for a in arrays), (layer,))[layer].ndim
    place = unit if isinstance(unit, tuple) else (int(unit),)
    if len(place) != rank - 1:
        raise InputError(
            f"unit={unit!r}: conductance runs through one place, and a sample of {layer!r} needs {rank - 1} numbers to give one."
        )
    if not isinstance(unit, tuple) and rank != 2:
        raise InputError(f"unit={unit!r}: give a tuple, one place in {layer!r}.")
    absent = baselines.resolve(baseline, registry.get("integrated_gradients"), model, arrays)
    rows = model.rows(arrays, batch_size)
    outputs = model.all_outputs(arrays, rows)
    groups = targets.resolve(target, outputs, model.class_names)
    alphas = (np.arange(count(steps, "steps")) + 0.5) / steps
    values = [np.zeros(a.shape) for a in arrays]
    output, lower = np.zeros(len(arrays[0])), np.zeros(len(arrays[0]))
    for part, goal in groups:
        sample = tuple(a[part] for a in arrays)
        begin = tuple(b if len(b) == 1 else b[part] for b in absent)
        walk = along.walk(model, layer, sample, begin, goal, rows)
        output[part], lower[part] = goal.of(tuple(o[part] for o in outputs)), model.outputs_at(begin, goal, rows)
        for i, own in enumerate(part):
            _, slopes = walk.evaluate(i)(alphas)
            through = slopes[(slice(None), *place)]
            through = through.reshape(len(alphas), -1)[:, 0]
            for start in range(0, len(alphas), rows):
                block = slice(start, start + rows)
                points = walk.points(i, alphas[block])
                index = np.repeat(np.array([place], np.int64), len(points[0]), 0)
                _, gradients = view.one_gradient(points, Target(index))
                for value, gradient in zip(values, gradients, strict=True):
                    value[own] += np.einsum("k,k...->...", through[block] / steps, gradient.astype(np.float64))
    values = [v * (a - b) for v, a, b in zip(values, arrays, absent, strict=True)]
    shaped = tuple(to_tokens(v, a).astype(np.float32) for v, a in zip(values, arrays, strict=True))
    single = len(arrays) == 1
    return Attribution(
        values=shaped[0] if single else shaped,
        inputs=arrays[0].copy() if single else tuple(a.copy() for a in arrays),
        target=targets.merged(groups, len(output), len(outputs)),
        baseline=absent[0] if single else absent,
        method="conductance",
        options={"steps": steps, "layer": layer, "unit": unit},
        seed=seed,
        framework=model.framework,
        fingerprint=model.fingerprint,
        output=output.astype(np.float32),
        baseline_output=lower.astype(np.float32),
        kind=model.kinds(arrays),
        layout=model.layout,
        class_names=model.class_names,
        feature_names=model.feature_names,
    )
