"""Captum's own input attributions through the same call: `"captum:DeepLift"`, `"captum:ShapleyValueSampling"`, …"""

from __future__ import annotations

import inspect
import random
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlexplain.attribution.case import Case, Found
from dlexplain.attribution.method import Method
from dlexplain.errors import InputError, MissingPackageError, UnsupportedModelError, suggest
from dlexplain.frameworks import Model
from dlexplain.frameworks.questions import Inputs, Target

# Our names for what Captum names otherwise.
RENAMED = {
    "steps": "n_steps",
    "samples": "n_samples",
    "groups": "feature_mask",
    "stride": "strides",
    "window": "sliding_window_shapes",
}
OURS = (
    "inputs",
    "target",
    "baselines",
    "return_convergence_delta",
    "self",
    "args",
    "kwargs",
    "show_progress",
    "additional_forward_args",
)
_WRONG = ("DeepLift", "DeepLiftShap")


@dataclass(frozen=True)
class CaptumMethod(Method):
    """A line of the registry whose options are Captum's own."""

    known: Mapping[str, Any] | None = None

    @property
    def options(self) -> Mapping[str, Any]:
        return self.known or {}


def method(name: str) -> CaptumMethod:
    """The registry's line for one of Captum's input attributions. Raises `InputError` with the near name."""
    classes = _classes()
    if name not in classes:
        attr = library()
        if hasattr(attr, name):
            raise InputError(
                f"method 'captum:{name}' gives no values of the shape of the inputs (it is a layer, neuron or "
                f"wrapping attribution). For a layer: dlx.layer_attribution(model, inputs, layer, 'captum:{name}'). Input "
                f"attributions: {', '.join(sorted(classes))}."
            )
        raise InputError(
            f"method 'captum:{name}' is unknown. {suggest(name, classes)}Known: {', '.join(sorted(classes))}."
        )
    kind = classes[name]
    parameters = inspect.signature(kind.attribute).parameters
    built = [
        p
        for p in inspect.signature(kind.__init__).parameters.values()
        if p.name not in ("self", "forward_func", "model", "multiply_by_inputs", "device_ids", "args", "kwargs")
    ]
    options = {
        p.name: None if p.default is p.empty else p.default
        for p in (*parameters.values(), *built)
        if p.name not in OURS
    }
    options = renamed(options)
    if name == "Occlusion":
        options["window"] = None
    complete = _complete(kind)
    cannot = (
        (
            "Captum's DeepLift is exact only where every activation is an nn.ReLU module used once, with at most one max-pooling behind them: it is silently wrong on "
            "softmax, LayerNorm, GELU, functional and reused activations; believe the gap, or use integrated_gradients"
        )
        if name in _WRONG
        else "see Captum's documentation"
    )
    return CaptumMethod(
        name=f"captum:{name}",
        function=lambda case, **given: _attribute(case, name, kind, given),
        family="bridge to Captum",
        answers="See Captum.",
        complete=complete,
        baseline="zeros" if "baselines" in parameters else "none",
        cost="see Captum",
        cannot=cannot,
        paper="arXiv:2009.07896",
        background=name in ("DeepLiftShap", "GradientShap"),
        tolerance=1e-2 if complete else None,
        known=options,
    )


def _attribute(case: Case, name: str, kind: type, given: Mapping[str, Any]) -> Found:
    model = case.model
    refuse_others(model, case.inputs, f"captum:{name}")
    options = {RENAMED.get(k, k): v for k, v in given.items() if v is not None}
    built = {k: options.pop(k) for k in list(options) if k in inspect.signature(kind.__init__).parameters}
    if "layer" in built and isinstance(built["layer"], str):
        model.check_layer(built["layer"])
        built["layer"] = dict(model.raw.named_modules())[built["layer"]]
    if name == "Occlusion":
        options["sliding_window_shapes"] = _window(options.get("sliding_window_shapes"), case)
        if "strides" in options:
            options["strides"] = _window(options["strides"], case)
    tensors = model.native(case.inputs)
    single = len(tensors) == 1
    call: dict[str, Any] = target_of(model, case.inputs, case.target)
    if case.baseline is not None:
        absent = model.native(case.baseline)
        call["baselines"] = absent[0] if single else absent
    inputs = tensors[0].requires_grad_() if single else tuple(t.requires_grad_() for t in tensors)
    first = first_argument(kind, model, case.target, case.inputs)
    values = seeded(
        model, case.seed, lambda: guarded(name, lambda: kind(first, **built).attribute(inputs, **call, **options))
    )
    arrays = tuple(v.detach().cpu().numpy() for v in (values if isinstance(values, tuple) else (values,)))
    for found, asked in zip(arrays, case.inputs, strict=True):
        if found.shape != asked.shape:
            raise UnsupportedModelError(
                f"captum:{name} gave values of shape {found.shape} for inputs of {asked.shape}. Use "
                "gradcam for a map of a layer."
            )
    return Found(arrays, {k: v for k, v in given.items() if v is not None})


def renamed(options: Mapping[str, Any]) -> dict[str, Any]:
    """Captum's options under our names."""
    ours = {theirs: name for name, theirs in RENAMED.items()}
    return {ours.get(name, name): value for name, value in options.items()}


def refuse_others(model: Model, inputs: Inputs, method: str) -> None:
    """Raises `UnsupportedModelError` for what Captum does not take."""
    if model.framework != "torch":
        raise UnsupportedModelError(
            f"{method} explains Torch models only. Make a twin first: dlx.convert(model, to='torch'), or use a method of "
            "dlx.methods(), which work on both."
        )
    if any(v is not None for v in model.token_inputs(inputs)):
        raise UnsupportedModelError(
            f"{method} cannot take gradients to token ids. Use integrated_gradients, which attributes at the embedding, or "
            "occlusion."
        )


def target_of(model: Model, inputs: Inputs, target: Target) -> dict[str, Any]:
    """Captum's argument; it wants none where a sample's output is a number."""
    if model.all_outputs(tuple(a[:1] for a in inputs), 1)[target.head].ndim == 1:
        return {}
    return {"target": [tuple(map(int, row)) if len(row) > 1 else int(row[0]) for row in target.index]}


def first_argument(kind: type, model: Model, target: Target, inputs: Inputs) -> Any:
    """The module itself where Captum hooks into it, else the head asked for."""
    raw, head = model.raw, target.head
    several = len(model.outputs(tuple(a[:1] for a in inputs))) > 1
    if "model" in inspect.signature(kind.__init__).parameters or not several:
        return raw
    return lambda *x: raw(*x)[head]


def seeded(model: Model, seed: int, call: Callable[[], Any]) -> Any:
    numpy_state, python_state = np.random.get_state(), random.getstate()
    try:
        with model.preserved(seed), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            np.random.seed(seed % 2**32)
            random.seed(seed)
            return call()
    finally:
        np.random.set_state(numpy_state)
        random.setstate(python_state)


def guarded(name: str, call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as error:  # whatever a foreign library raises is told, with what works instead
        raise UnsupportedModelError(
            f"captum:{name} stopped on this model: {type(error).__name__}: {str(error).strip()[:300]} This is Captum's own limit, "
            "and the model is as it was before. Methods that work: integrated_gradients, occlusion, feature_ablation."
        ) from error


def _window(value: Any, case: Case) -> Any:
    """Captum wants a window of every axis, channels included."""
    if value is None:
        raise InputError("captum:Occlusion needs window=…, in pixels, one number or one an axis.")
    shape, axes = case.inputs[0].shape[1:], case.spatial(0)
    sizes = [value] * len(axes) if np.ndim(value) == 0 else list(value)
    if len(sizes) == len(shape):
        return tuple(int(s) for s in sizes)
    whole = list(shape)
    for axis, size in zip(axes, sizes, strict=True):
        whole[axis] = int(size)
    return tuple(whole)


def _complete(kind: type) -> bool:
    """Captum's own word, without building the object."""
    if kind.__name__ in ("ShapleyValueSampling", "ShapleyValues", "KernelShap"):
        return True
    return kind.__name__ in ("IntegratedGradients", "DeepLift", "DeepLiftShap", "GradientShap")


def _classes() -> dict[str, type]:
    attr = library()
    skip = (
        "Layer",
        "Neuron",
        "Internal",
        "NoiseTunnel",
        "Attribution",
        "GradientAttribution",
        "PerturbationAttribution",
        "LLM",
        "TokenReference",
        "Remote",
    )
    return (
        {
            name: kind
            for name in dir(attr)
            if inspect.isclass(kind := getattr(attr, name))
            and issubclass(kind, attr.Attribution)
            and not name.startswith(skip)
        }
        if attr
        else {}
    )


def library() -> Any:
    try:
        import captum.attr
    except ImportError as error:
        raise MissingPackageError(
            "The methods 'captum:…' need the packages captum and torch: pip install 'dlexplain[torch,captum]'."
        ) from error
    return captum.attr
