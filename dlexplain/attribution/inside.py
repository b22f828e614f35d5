"""Attribution inside the network: to a layer's activations, and of one unit's activation to the inputs."""

from __future__ import annotations

import inspect
import warnings
from dataclasses import replace
from typing import Any

import numpy as np

from dlexplain.attribution import baselines, registry
from dlexplain.attribution.explain import explain
from dlexplain.attribution.inside_methods import METHODS, Asked, Kind, at_inputs_baseline, at_layers_baseline, shortfall
from dlexplain.attribution.inside_result import LayerAttribution
from dlexplain.attribution.method import Method
from dlexplain.attribution.result import Attribution
from dlexplain.errors import GapWarning, InputError, suggest
from dlexplain.frameworks import Model, targets, wrap
from dlexplain.frameworks.questions import Inputs, blocks


def layer_attribution(
    model: Any,
    inputs: Any,
    layer: str,
    method: str = "integrated_gradients",
    *,
    target: Any = None,
    baseline: Any = None,
    batch_size: int | None = None,
    seed: int = 0,
    **options: Any,
) -> LayerAttribution:
    """Attributes one output of each sample to the activations of a layer.

    `target`, `baseline` as in `explain`: a baseline is one of the inputs, and the layer's is what it gives there.
    `method`: saliency, input_x_gradient, smoothgrad, vargrad, integrated_gradients, expected_gradients, conductance,
    internal_influence, deeplift or deepshap, or Captum's own: "captum:LayerConductance". Conductance and DeepLIFT sum to the output's change from the baseline
    where everything passes through the layer; the result says what flows past it.
    """
    kind = _known(method, options)
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"seed={seed!r} must be a whole number from 0 on.")
    asked = wrap(model)
    asked.check_layer(layer)
    arrays = asked.inputs(inputs)
    absent = None
    if kind.based:
        absent = baselines.with_padding(baselines.resolve(baseline, _facts(method, kind), asked, arrays), asked, arrays)
    elif baseline is not None:
        raise InputError(f"baseline: {method} has no baseline. Leave it out, or choose integrated_gradients.")
    rows = asked.rows(arrays, batch_size)
    outputs = asked.all_outputs(arrays, rows)
    groups = targets.resolve(target, outputs, asked.class_names)
    at = _activations(asked, arrays, layer, rows)
    at_absent = None if absent is None else _activations(asked, absent, layer, rows)
    values, lower = np.zeros(at.shape, np.float32), np.zeros(len(at))
    output, passes = np.zeros(len(at)), True
    for part, goal in groups:
        own = goal.of(tuple(o[part] for o in outputs)).astype(np.float64)
        one = Asked(
            asked,
            layer,
            tuple(a[part] for a in arrays),
            goal,
            None if absent is None else tuple(b if len(b) == 1 or kind.background else b[part] for b in absent),
            at[part],
            at_absent if at_absent is None or len(at_absent) == 1 or kind.background else at_absent[part],
            own,
            rows,
            seed,
            kind.background,
        )
        values[part], output[part] = kind.function(one, **options), own
        if kind.complete is not None:
            lower[part] = at_layers_baseline(one) if kind.complete == "layer" else at_inputs_baseline(one)
            passes = passes and (kind.complete == "layer" or one.passes())
    result = LayerAttribution(
        values=values,
        activations=at,
        baseline_activations=at_absent,
        layer=layer,
        method=method,
        target=targets.merged(groups, len(at), len(outputs)),
        options={**_defaults(kind), **options},
        seed=seed,
        inputs=arrays[0] if len(arrays) == 1 else arrays,
        output=output.astype(np.float32),
        framework=asked.framework,
        fingerprint=asked.fingerprint,
        channels_first=asked.channels_first(layer, at.ndim),
        class_names=asked.class_names,
    )
    return result if kind.complete is None else _judged(result, kind, lower, passes)


def neuron_attribution(
    model: Any,
    inputs: Any,
    layer: str,
    unit: int | tuple[int, ...],
    method: str = "integrated_gradients",
    *,
    target: Any = None,
    baseline: Any = None,
    batch_size: int | None = None,
    seed: int = 0,
    **options: Any,
) -> Attribution:
    """Attributes one unit's activation to the inputs, by any method of `dlx.methods()`, as `explain` does an output.

    `unit`: a channel or neuron, its mean over places explained; or a tuple, one place of one sample's activations in the
    layer's own order. `method="conductance"`: what reaches the output's `target` from each input through the unit alone.
    """
    asked = wrap(model)
    asked.check_layer(layer)
    arrays = asked.inputs(inputs)
    if isinstance(unit, bool) or not isinstance(unit, (int, np.integer, tuple)):
        raise InputError(f"unit={unit!r} must be a whole number, or a tuple that gives one place in {layer!r}.")
    view = asked.ending_at(layer, arrays, mean=not isinstance(unit, tuple))
    common = {"baseline": baseline, "batch_size": batch_size, "seed": seed}
    if method == "conductance":
        from dlexplain.attribution.neuron import conductance

        return conductance(asked, view, inputs, layer, unit, target=target, **common, **options)
    if target is not None:
        raise InputError(
            f"target: the unit is what {method} explains. Only method='conductance' takes an output besides."
        )
    found = explain(view, inputs, method, target=unit if isinstance(unit, tuple) else int(unit), **common, **options)
    return replace(found, options={**found.options, "layer": layer, "unit": unit})


def _known(method: str, options: dict[str, Any]) -> Kind:
    """What is known of a method for layers. Raises `InputError` with the near name, of the method or an option."""
    if isinstance(method, str) and method.startswith("captum:"):
        from dlexplain.attribution import captum_layers

        kind = captum_layers.kind(method.partition(":")[2])
    elif method in METHODS:
        kind = METHODS[method]
    else:
        raise InputError(
            f"method: {method!r} does not attribute to layers. {suggest(method, METHODS)}Those that do: {', '.join(METHODS)}."
        )
    known = _defaults(kind)
    for name in options:
        if name not in known:
            raise InputError(
                f"{method}: unknown option {name!r}. {suggest(name, known)}Its options: {', '.join(known) or 'none'}."
            )
    return kind


def _defaults(kind: Kind) -> dict[str, Any]:
    if kind.known is not None:
        return dict(kind.known)
    parameters = inspect.signature(kind.function).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}


def _facts(method: str, kind: Kind) -> Method:
    """What `baselines.resolve` wants to know."""
    known = registry.get("integrated_gradients")
    return replace(known, name=method, background=kind.background)


def _activations(model: Model, inputs: Inputs, layer: str, rows: int) -> np.ndarray:
    parts = []
    for block in blocks(len(inputs[0]), rows):
        found = model.inside(tuple(a[block] for a in inputs), (layer,))
        if layer not in found:
            raise InputError(f"layer {layer!r} is not called by the model on these inputs.")
        parts.append(found[layer])
    return np.concatenate(parts)


def _judged(result: LayerAttribution, kind: Kind, lower: np.ndarray, passes: bool) -> LayerAttribution:
    """The result with its gap. A gap over the tolerance is a fault, unless part of the change flows past the layer."""
    output = result.output.astype(np.float64)
    relative = shortfall(result.values, output, lower)
    gap = np.abs(result.values.reshape(len(lower), -1).sum(1, dtype=np.float64) - (output - lower))
    asked = float(result.options.get("tolerance") or kind.tolerance)
    tolerance = 10 * asked if result.method == "conductance" else asked
    notes: tuple[str, ...] = ()
    if not passes:
        notes = (f"Not everything passes through {result.layer!r}: what is missing of the sum flows past it.",)
    elif relative.max() > tolerance:
        worst = int(relative.argmax())
        notes = (
            f"{result.method} at {result.layer!r}: the values of sample {worst} miss the output's change by "
            f"{relative[worst]:.2g} of it (tolerance {tolerance:g}).",
        )
        warnings.warn(notes[0], GapWarning, stacklevel=4)
    if kind.complete == "layer" and np.allclose(output, lower, rtol=1e-7, atol=0):
        notes = (*notes, f"The output does not change when {result.layer!r} is set to its baseline.")
    return replace(
        result,
        baseline_output=lower.astype(np.float32),
        gap=gap.astype(np.float32),
        relative_gap=relative.astype(np.float32),
        tolerance=tolerance,
        whole=passes,
        warnings=notes,
    )
