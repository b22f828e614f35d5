"""Twins: the same network of standard layers, with the same weights, in the other framework."""

from __future__ import annotations

from typing import Any, Literal

from dlexplain.errors import InputError, UnsupportedModelError
from dlexplain.frameworks.convert.graph import Graph, Shape
from dlexplain.frameworks.present import require

__all__ = ["convert", "layer_names"]


def convert(model: Any, to: Literal["torch", "keras"], *, input_shape: Any = None) -> Any:
    """A twin of a Keras model or Torch module in the other framework: same layers, same weights.

    The twin takes its own framework's layout: images are (height, width, channels) in Keras and
    (channels, height, width) in Torch; series are (steps, channels) in Keras, and in Torch too unless a
    convolution reads them, where they are (channels, steps). `input_shape` is needed for a Torch module:
    one sample's shape, or a tuple of shapes for several inputs. Both networks are run on random inputs
    and must agree to 1e-4 of the output's size.

    Raises `UnsupportedModelError` that names the layer which cannot be converted,
    `InputError` for a wrong argument.
    """
    from dlexplain.frameworks.convert import state, verify

    raw, shapes = unwrapped(model), given_shapes(model, input_shape)
    source = framework_of(raw)
    if to not in ("torch", "keras"):
        raise InputError(f"to={to!r} is not a framework; give to='torch' or to='keras'.")
    if source == to:
        raise InputError(
            f"The model is a {to} model already; its twin is made with to={'torch' if to == 'keras' else 'keras'!r}."
        )
    require(to, f"convert(to={to!r})")
    with state.kept():
        graph, runnable = read(raw, source, shapes)
        if to == "torch":
            from dlexplain.frameworks.convert.to_torch import TorchWriter

            twin, graph.first_inputs, graph.first_outputs = TorchWriter(graph).write()
        else:
            from dlexplain.frameworks.convert.to_keras import KerasWriter

            twin = KerasWriter(graph).write(name=f"{type(raw).__name__.strip('_') or 'model'}_twin")
        verify.check(graph, runnable, twin, source)
    return twin


def read(raw: Any, source: str, shapes: list[Shape] | None) -> tuple[Graph, Any]:
    """The model as a graph, and what to run for its predictions: a quiet copy of a Torch module."""
    if source == "keras":
        from dlexplain.frameworks.convert.from_keras import KerasReader

        return KerasReader().read(raw), raw
    from dlexplain.frameworks.convert.from_torch import TorchReader, quiet_copy

    if shapes is None:
        raise InputError("A Torch module does not say what it takes: give input_shape, the shape of one sample.")
    copy = quiet_copy(raw)
    return TorchReader(copy, shapes).read(), copy


def unwrapped(model: Any) -> Any:
    return getattr(model, "raw", model) if type(model).__module__.startswith("dlexplain.") else model


def given_shapes(model: Any, input_shape: Any) -> list[Shape] | None:
    """One shape an input, from the argument or from a wrapped model."""
    if input_shape is None and unwrapped(model) is not model:
        input_shape = getattr(model, "input_shapes", None)
    if input_shape is None:
        return None
    several = len(input_shape) > 0 and isinstance(input_shape[0], (tuple, list))
    shapes = [tuple(shape) for shape in (input_shape if several else (input_shape,))]
    for shape in shapes:
        if any(not isinstance(size, int) or size < 1 for size in shape):
            raise InputError(f"input_shape {shape} must be whole numbers: one sample's shape, without the batch axis.")
    return shapes


def framework_of(raw: Any) -> str:
    """Told by the class's ancestors, so that the absent framework is not imported."""
    roots = {(base.__module__.split(".")[0], base.__name__) for base in type(raw).__mro__}
    if ("keras", "Model") in roots or ("keras", "Layer") in roots:
        return "keras"
    if ("torch", "Module") in roots:
        return "torch"
    raise UnsupportedModelError(f"{type(raw).__name__!r} is neither a Keras model nor a Torch module.")


def layer_names(model: Any, twin: Any, *, input_shape: Any = None) -> dict[str, str]:
    """Layer of the model -> layer of the twin with the same values.

    A Keras layer with an activation of its own is two layers in Torch: its name leads to the second.
    """
    from dlexplain.frameworks.convert import state

    raw, other = unwrapped(model), unwrapped(twin)
    source = framework_of(raw)
    with state.kept():
        graph, _ = read(raw, source, given_shapes(model, input_shape))
    if source == "keras":
        from dlexplain.frameworks.convert.to_torch import torch_path

        present = {name for name, _ in other.named_modules()}
        named = torch_path
    else:
        from dlexplain.frameworks.convert.to_keras import keras_name

        present = {layer.name for layer in other.layers}
        named = keras_name
    pairs = {node.source: named(node.layer) for node in graph.nodes.values()}
    return {name: layer for name, layer in pairs.items() if layer in present}
