"""How each Keras layer reads into the graph; one short function a kind."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers

from dlexplain.frameworks.convert import keras_recurrent, keras_spatial
from dlexplain.frameworks.convert.from_keras import KerasReader, shape_after
from dlexplain.frameworks.convert.graph import refuse
from dlexplain.frameworks.convert.keras_reading import ACTIVATIONS, Readers, activate, array, check_last

reads = Readers()


@reads(layers.Dense)
def dense(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    shape = (*reader.graph.shape(inputs[0])[:-1], layer.units)
    weights = {"kernel": array(layer.kernel), "bias": array(layer.bias)}
    return activate(
        reader, layer.activation, reader.graph.add("dense", inputs, name, shape=shape, weights=weights), name
    )


@reads(layers.Flatten)
def flatten(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    check_last(layer, name)
    return reader.graph.add("flatten", inputs, name, shape=shape_after(layer, reader.graph.shape(inputs[0])))


@reads(layers.Reshape)
def reshape(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    shape = shape_after(layer, reader.graph.shape(inputs[0]))
    if None in shape:
        raise refuse(name, "Reshape", "needs a fixed input size; build the model with one")
    return reader.graph.add("reshape", inputs, name, shape=shape)


@reads(layers.Permute)
def permute(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    return reader.graph.add(
        "permute",
        inputs,
        name,
        shape=shape_after(layer, reader.graph.shape(inputs[0])),
        dims=tuple(layer.dims),
    )


@reads(layers.BatchNormalization)
def batch_norm(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    rank = len(reader.graph.shape(inputs[0]))
    if layer.axis not in (-1, rank):
        raise refuse(name, "BatchNormalization", f"normalises axis {layer.axis}; only the last axis is converted")
    weights = {
        "scale": array(layer.gamma), "shift": array(layer.beta),
        "mean": array(layer.moving_mean), "variance": array(layer.moving_variance),
    }  # fmt: skip
    return reader.graph.add("batch_norm", inputs, name, weights=weights, epsilon=float(layer.epsilon))


@reads(layers.LayerNormalization)
def layer_norm(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    rank = len(reader.graph.shape(inputs[0]))
    chosen = [layer.axis] if isinstance(layer.axis, int) else list(layer.axis)
    axes = sorted(axis % (rank + 1) for axis in chosen)
    if axes != list(range(rank + 1 - len(axes), rank + 1)) or 0 in axes:
        raise refuse(name, "LayerNormalization", f"normalises axes {axes}; only the last ones are converted")
    weights = {"scale": array(layer.gamma), "shift": array(layer.beta)}
    return reader.graph.add("layer_norm", inputs, name, weights=weights, epsilon=float(layer.epsilon), axes=len(axes))


@reads(layers.GroupNormalization)
def group_norm(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    if layer.axis not in (-1, len(reader.graph.shape(inputs[0]))):
        raise refuse(name, "GroupNormalization", f"groups axis {layer.axis}; only the last axis is converted")
    weights = {"scale": array(layer.gamma), "shift": array(layer.beta)}
    channels = reader.graph.shape(inputs[0])[-1]
    groups = channels if layer.groups == -1 else layer.groups
    return reader.graph.add("group_norm", inputs, name, weights=weights, epsilon=float(layer.epsilon), groups=groups)


@reads(layers.Embedding)
def embedding(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    if layer.mask_zero:
        reader.masked = name
    shape = (*reader.graph.shape(inputs[0]), layer.output_dim)
    # The property adds a LoRA update, where there is one.
    return reader.graph.add("embedding", inputs, name, shape=shape, weights={"table": array(layer.embeddings)})


@reads(
    layers.Dropout, layers.SpatialDropout1D, layers.SpatialDropout2D, layers.SpatialDropout3D,
    layers.AlphaDropout,
    layers.GaussianDropout, layers.GaussianNoise, layers.ActivityRegularization, layers.Identity,
)  # fmt: skip
def dropout(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    """In inference all of these pass their input on; only plain dropout keeps its rate in the twin."""
    rate = float(layer.rate) if type(layer) is layers.Dropout else 0.0
    return reader.graph.add("dropout" if rate else "identity", inputs, name, **({"rate": rate} if rate else {}))


@reads(layers.Activation)
def activation(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    function = layer.activation
    if function is keras.activations.linear:
        return reader.graph.add("identity", inputs, name)
    kind = getattr(function, "__name__", type(function).__name__)
    if kind not in ACTIVATIONS or getattr(keras.activations, kind) is not function:
        raise refuse(name, f"activation {kind}")
    graph_name, options = ACTIVATIONS[kind]
    return reader.graph.add("activation", inputs, name, kind=graph_name, **options)


@reads(layers.ReLU)
def relu(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    slope, top, threshold = float(layer.negative_slope), layer.max_value, float(layer.threshold)
    if threshold or (top is not None and (slope or float(top) != 6.0)):
        raise refuse(name, "ReLU", "has a threshold or a cap other than 6, which is not converted")
    if slope:
        return reader.graph.add("activation", inputs, name, kind="leaky_relu", slope=slope)
    return reader.graph.add("activation", inputs, name, kind="relu" if top is None else "relu6")


@reads(layers.LeakyReLU)
def leaky_relu(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    return reader.graph.add("activation", inputs, name, kind="leaky_relu", slope=float(layer.negative_slope))


@reads(layers.ELU)
def elu(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    return reader.graph.add("activation", inputs, name, kind="elu", alpha=float(layer.alpha))


@reads(layers.Softmax)
def softmax(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    axis, rank = layer.axis, len(reader.graph.shape(inputs[0]))
    if not isinstance(axis, int) or axis % (rank + 1) == 0:
        raise refuse(name, "Softmax", f"runs over axis {axis}; one axis that is not the batch is converted")
    return reader.graph.add("activation", inputs, name, kind="softmax", axis=axis % (rank + 1) - rank - 1)


@reads(layers.PReLU)
def prelu(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    slopes = array(layer.alpha)
    if slopes.size != slopes.shape[-1]:
        raise refuse(name, "PReLU", "has a slope for every place; only one a channel is converted (shared_axes)")
    return reader.graph.add("prelu", inputs, name, weights={"slopes": slopes.reshape(-1)})


@reads(layers.Rescaling)
def rescaling(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    return add_rescale(reader, inputs, name, layer.scale, layer.offset)


@reads(layers.Normalization)
def normalization(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    mean, deviation = array(layer.mean), np.maximum(np.sqrt(array(layer.variance)), 1e-7)
    if layer.invert:
        return add_rescale(reader, inputs, name, deviation, mean)
    return add_rescale(reader, inputs, name, 1 / deviation, -mean / deviation)


def add_rescale(reader: KerasReader, inputs: tuple[str, ...], name: str, scale: Any, offset: Any) -> str:
    """`x * scale + offset`, each one number or one a channel."""
    both = [np.asarray(item, dtype=np.float32) for item in (scale, offset)]
    if any(item.size not in (1, item.shape[-1] if item.ndim else 1) for item in both):
        raise refuse(name, "rescaling", "has a scale for every place; only one a channel is converted")
    weights = {"scale": both[0].reshape(-1), "offset": both[1].reshape(-1)}
    return reader.graph.add("rescale", inputs, name, weights=weights)


MERGES = {
    layers.Add: "add", layers.Subtract: "subtract", layers.Multiply: "multiply",
    layers.Maximum: "maximum", layers.Minimum: "minimum", layers.Average: "average",
}  # fmt: skip


@reads(*MERGES)
def merge(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    shapes = [reader.graph.shape(item) for item in inputs]
    if len({len(shape) for shape in shapes}) > 1:
        raise refuse(name, type(layer).__name__, "joins inputs of different rank, which is not converted")
    shape = tuple(None if None in sizes else max(sizes) for sizes in zip(*shapes, strict=True))
    return reader.graph.add("merge", inputs, name, shape=shape, kind=MERGES[type(layer)])


@reads(layers.Concatenate)
def concatenate(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    return add_concat(reader, inputs, name, layer.axis)


def add_concat(reader: KerasReader, inputs: tuple[str, ...], name: str, axis: int) -> str:
    shapes = [reader.graph.shape(item) for item in inputs]
    axis = axis % (len(shapes[0]) + 1)
    if axis == 0:
        raise refuse(name, "Concatenate", "joins along the batch axis, which is not converted")
    shape = list(shapes[0])
    sizes = [item[axis - 1] for item in shapes]
    shape[axis - 1] = None if None in sizes else sum(sizes)
    return reader.graph.add("concat", inputs, name, shape=tuple(shape), axis=axis)


@reads(layers.RepeatVector)
def repeat(reader: KerasReader, layer: Any, inputs: tuple[str, ...], name: str) -> str:
    shape = reader.graph.shape(inputs[0])
    value = reader.graph.add("reshape", inputs, f"{name}_step", shape=(1, *shape), source=name)
    return reader.graph.add("concat", (value,) * layer.n, name, shape=(layer.n, *shape), axis=1)


READERS = {**keras_spatial.reads, **keras_recurrent.reads, **reads}
