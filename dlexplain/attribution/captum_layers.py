"""Captum's own layer attributions through `layer_attribution`: `"captum:LayerConductance"`, …"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from dlexplain.attribution import captum_bridge as bridge
from dlexplain.attribution.inside_methods import Asked, Kind
from dlexplain.errors import InputError, UnsupportedModelError, suggest

_BESIDES = ("attribute_to_layer_input", "kwargs", "grad_kwargs", "enable_cross_tensor_attribution")
# What Captum says sums to the output's change, from which start.
_COMPLETE = {
    "LayerConductance": "inputs",
    "LayerDeepLift": "inputs",
    "LayerDeepLiftShap": "inputs",
    "LayerIntegratedGradients": "layer",
}


def names() -> tuple[str, ...]:
    attr = bridge.library()
    return tuple(sorted(n for n in dir(attr) if n.startswith("Layer") or n == "InternalInfluence"))


def kind(name: str) -> Kind:
    """The facts of one of Captum's layer attributions. Raises `InputError` with the near name."""
    known = names()
    if name not in known:
        raise InputError(
            f"method 'captum:{name}' does not attribute to layers. {suggest(name, known)}Those that do: {', '.join(known)}."
        )
    cls = getattr(bridge.library(), name)
    parameters = inspect.signature(cls.attribute).parameters
    options = bridge.renamed(
        {
            p.name: None if p.default is p.empty else p.default
            for p in parameters.values()
            if p.name not in (*bridge.OURS, *_BESIDES)
        }
    )
    complete = _COMPLETE.get(name)
    return Kind(
        lambda asked, **given: _attribute(asked, name, cls, given),
        based="baselines" in parameters,
        background=name.endswith("Shap"),
        complete=complete,
        tolerance=1e-2 if complete else None,
        known=options,
    )


def _attribute(asked: Asked, name: str, cls: type, given: Mapping[str, Any]) -> np.ndarray:
    model = asked.model
    bridge.refuse_others(model, asked.inputs, f"captum:{name}")
    module = dict(model.raw.named_modules()).get(asked.layer)
    if module is None:
        raise UnsupportedModelError(
            f"captum:{name} takes a layer as a whole, and {asked.layer!r} names one of its calls. Use layer_attribution's own "
            "conductance, integrated_gradients or deeplift."
        )
    tensors = model.native(asked.inputs)
    call: dict[str, Any] = bridge.target_of(model, asked.inputs, asked.target)
    if asked.absent is not None:
        absent = model.native(asked.absent)
        call["baselines"] = absent[0] if len(absent) == 1 else absent
    inputs = tensors[0].requires_grad_() if len(tensors) == 1 else tuple(t.requires_grad_() for t in tensors)
    options = {bridge.RENAMED.get(k, k): v for k, v in given.items() if v is not None}
    if "target" not in inspect.signature(cls.attribute).parameters:
        call.pop("target", None)
    built = (bridge.first_argument(cls, model, asked.target, asked.inputs), module)
    found = bridge.seeded(
        model, asked.seed, lambda: bridge.guarded(name, lambda: cls(*built).attribute(inputs, **call, **options))
    )
    values = (found[0] if isinstance(found, tuple) else found).detach().cpu().numpy()
    if values.shape != asked.at.shape:
        raise UnsupportedModelError(
            f"captum:{name} gave values of shape {values.shape} for activations of {asked.at.shape} at {asked.layer!r}."
        )
    return values
