"""A network as a small graph of framework-neutral operations; values are channels-last, as in Keras."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dlexplain.errors import UnsupportedModelError

Shape = tuple[int | None, ...]
Pads = tuple[tuple[int, int], ...]

# What a twin can be made of, in the words of both frameworks; errors quote it.
KNOWN = (
    "dense/Linear, convolution (1-D to 3-D, grouped, depthwise, separable, transposed), max and average "
    "pooling, "
    "global and adaptive pooling, flatten, reshape, permute, zero padding, cropping, upsampling, batch, "
    "layer and group "
    "normalisation, embedding, LSTM, GRU, multi-head attention, Torch's transformer encoder layer, dropout, "
    "the standard "
    "activations, rescaling, add, subtract, multiply, maximum, minimum, average, concatenate, indexing one "
    "step, mean over axes"
)


def refuse(name: str, kind: str, why: str = "is not known to convert") -> UnsupportedModelError:
    """The error for a layer that has no twin."""
    return UnsupportedModelError(f"Layer {name!r} ({kind}) {why}. Layers that can be converted: {KNOWN}.")


@dataclass(frozen=True)
class Node:
    """One operation. `layer` names the twin's layer (calls may share one), `source` the model's."""

    name: str
    op: str
    inputs: tuple[str, ...]
    shape: Shape  # of the output, without the batch axis
    layer: str
    source: str
    options: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass
class Graph:
    """Nodes in order of computation. The flags say what Torch holds channels-first."""

    nodes: dict[str, Node] = field(default_factory=dict)
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    first_inputs: list[bool] = field(default_factory=list)
    first_outputs: list[bool] = field(default_factory=list)
    single_output: bool = True

    def add(
        self,
        op: str,
        inputs: tuple[str, ...],
        layer: str,
        *,
        shape: Shape | None = None,
        source: str | None = None,
        weights: Mapping[str, np.ndarray] | None = None,
        **options: Any,
    ) -> str:
        """Append an operation and return its value's name; without a shape it has its first input's."""
        name = layer
        count = 1
        while name in self.nodes:
            count += 1
            name = f"{layer}_{count}"
        shape = self.nodes[inputs[0]].shape if shape is None else tuple(shape)
        held = {key: np.asarray(value) for key, value in (weights or {}).items() if value is not None}
        # An operation without weights is no shared layer: each use gets a name of its own.
        layer = layer if held or op in ("rnn", "attention") else name
        self.nodes[name] = Node(name, op, inputs, shape, layer, source or layer, options, held)
        return name

    def shape(self, name: str) -> Shape:
        return self.nodes[name].shape

    def users(self, name: str) -> list[Node]:
        return [node for node in self.nodes.values() if name in node.inputs]

    def input_dtype(self, name: str) -> str:
        """`int32` where token ids go in, else `float32`."""
        users = self.users(name)
        return "int32" if users and all(user.op == "embedding" for user in users) else "float32"

    def token_limit(self, name: str) -> int:
        """The smallest vocabulary among the embeddings that read this input."""
        return min(node.weights["table"].shape[0] for node in self.users(name) if node.op == "embedding")


# Operations that Torch computes on channels-first values.
FIRST = {
    "conv",
    "conv_transpose",
    "pool",
    "global_pool",
    "batch_norm",
    "group_norm",
    "pad",
    "crop",
    "upsample",
}
# Operations that do the same to every element, whatever the order of the axes.
ELEMENTWISE = {"activation", "dropout", "identity", "rescale"}


def takes_first(graph: Graph, name: str) -> bool:
    """Whether Torch usually holds this input channels-first: images always, series before a convolution."""
    rank = len(graph.shape(name))
    if rank != 2:
        return rank > 2
    for node in graph.users(name):
        if node.op in FIRST or (node.op in ELEMENTWISE and takes_first(graph, node.name)):
            return True
    return False


def same_pads(
    size: Shape, kernel: tuple[int, ...], strides: tuple[int, ...], dilation: tuple[int, ...], layer: str
) -> Pads:
    """TensorFlow's 'same': the smaller half comes first; with strides it depends on the input's size."""
    pads = []
    for length, width, stride, gap in zip(size, kernel, strides, dilation, strict=True):
        reach = (width - 1) * gap + 1
        if stride == 1:
            total = reach - 1
        elif length is None:
            raise refuse(layer, "padding 'same' with strides", "needs a fixed input size; build the model with one")
        else:
            total = max((math.ceil(length / stride) - 1) * stride + reach - length, 0)
        pads.append((total // 2, total - total // 2))
    return tuple(pads)


def slid(
    size: Shape, kernel: tuple[int, ...], strides: tuple[int, ...], pads: Pads, dilation: tuple[int, ...]
) -> Shape:
    """Output lengths of a window that slides over a padded input."""
    return tuple(
        None if n is None else (n + sum(p) - (k - 1) * d - 1) // s + 1
        for n, k, s, p, d in zip(size, kernel, strides, pads, dilation, strict=True)
    )


def per_axis(value: int | tuple[int, ...], rank: int) -> tuple[int, ...]:
    """One number an axis."""
    return (int(value),) * rank if isinstance(value, int) else tuple(int(item) for item in value)
