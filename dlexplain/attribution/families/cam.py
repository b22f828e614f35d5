"""Where a convolution layer found what speaks for the target: class activation maps."""

from __future__ import annotations

import numpy as np

from dlexplain.attribution.case import Case, Found
from dlexplain.attribution.method import method
from dlexplain.errors import InputError, UnsupportedModelError
from dlexplain.frameworks.questions import blocks


@method(
    family="activation map",
    answers="Where did the last convolution find what speaks for the target?",
    cost="1 forward, 1 backward",
    cannot="as coarse as the layer; only what speaks for, never against",
    paper="arXiv:1610.02391",
)
def gradcam(case: Case, *, layer: str | None = None) -> Found:
    """The layer's channels weighted by their mean gradient, summed, negative parts cut, enlarged to the input.

    `layer=None`: the last convolution, with the normalisation and activation right behind it. Selvaraju and others (2017), Grad-CAM, arXiv:1610.02391.
    """
    if len(case.inputs) > 1:
        raise UnsupportedModelError(
            "gradcam: the model has several inputs and a layer's map belongs to no single one. Use integrated_gradients, "
            "occlusion or saliency."
        )
    name = layer if layer is not None else last_convolution(case)
    case.model.check_layer(name)
    maps = []
    for b in blocks(len(case), case.rows):
        (activation,), (gradient,) = case.model.one_gradient(
            tuple(a[b] for a in case.inputs), case.target.take(b), name
        )
        if case.model.channels_first(name, activation.ndim):
            activation, gradient = np.moveaxis(activation, 1, -1), np.moveaxis(gradient, 1, -1)
        places = tuple(range(1, activation.ndim - 1))
        if not places:
            raise InputError(
                f"gradcam: layer {name!r} has no places, only {activation.shape[-1]} units. Choose a convolution "
                f"layer: {', '.join(_candidates(case)) or 'this model has none'}."
            )
        weights = gradient.mean(places, keepdims=True)
        maps.append(np.maximum((weights * activation).sum(-1), 0))
    return Found((_spread(np.concatenate(maps), case),), {"layer": name})


def last_convolution(case: Case) -> str:
    """The last layer called that convolves, else the last that holds as many places as a picture of them needs."""
    names = _candidates(case)
    if not names:
        raise UnsupportedModelError(
            f"gradcam: no layer of this model holds maps over the {case.kinds[0]}, so there is no map to draw. Methods that "
            "work: integrated_gradients, saliency, occlusion, feature_ablation."
        )
    types = {known.name: known.type for known in case.model.layers}
    convolutions = [i for i, name in enumerate(names) if "Conv" in types.get(name, "")]
    if not convolutions:
        return names[-1]
    # Keras may hold the activation in the convolution's layer: where it is a layer of its own, it is the same place.
    last, shapes = convolutions[-1], case.model.shapes(case.inputs)
    following = names[last + 1 :]
    called = list(shapes)
    for name in following:
        after = called[called.index(names[last]) + 1]
        if name != after or shapes[name] != shapes[names[last]] or not _pointwise(types.get(name, "")):
            break
        last += 1
    return names[last]


def _pointwise(kind: str) -> bool:
    """A normalisation or an activation, by the name of its type in either framework."""
    return kind.endswith(
        ("Normalization", "Norm", "LU", "ELU", "Activation", "Tanh", "Sigmoid", "Mish", "swish")
    ) or kind in (
        "BatchNorm1d",
        "BatchNorm2d",
        "InstanceNorm1d",
        "InstanceNorm2d",
        "Hardswish",
        "Softplus",
        "ReLU6",
        "Dropout",
    )


def _candidates(case: Case) -> list[str]:
    """Layers in the order of their calls whose activations have the input's axes and more than one place on each."""
    rank = len(case.spatial(0)) + 1
    found = []
    for name, shape in case.model.shapes(case.inputs).items():
        if case.kinds[0] in ("image", "series") and len(shape) == rank:
            places = shape[1:] if case.model.channels_first(name, rank + 1) else shape[:-1]
            if all(p is not None and p > 1 for p in places):
                found.append(name)
    return found


def _spread(maps: np.ndarray, case: Case) -> np.ndarray:
    """Maps `(n, *places)` enlarged linearly to the input's size and spread evenly over its channels."""
    inputs, axes = case.inputs[0], case.spatial(0)
    for axis, target in enumerate((inputs.shape[1:][a] for a in axes), start=1):
        maps = enlarge(maps, axis, target)
    shape = [len(maps), *[1] * (inputs.ndim - 1)]
    for axis, size in zip(axes, maps.shape[1:], strict=True):
        shape[axis + 1] = size
    channels = inputs[0].size / maps[0].size
    return np.broadcast_to(maps.reshape(shape) / channels, inputs.shape)


def enlarge(values: np.ndarray, axis: int, size: int) -> np.ndarray:
    """Linear interpolation along one axis, with pixels as areas (half-pixel centres), edges held."""
    old = values.shape[axis]
    place = np.clip((np.arange(size) + 0.5) * old / size - 0.5, 0, old - 1)
    low = np.floor(place).astype(int)
    high = np.minimum(low + 1, old - 1)
    weight = (place - low).reshape([-1 if a == axis else 1 for a in range(values.ndim)])
    return values.take(low, axis) * (1 - weight) + values.take(high, axis) * weight
