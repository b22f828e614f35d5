"""Reading a built Keras model (Sequential, Functional, nested) into a `Graph`."""

from __future__ import annotations

from typing import Any

from dlexplain.errors import UnsupportedModelError
from dlexplain.frameworks.convert.graph import Graph, Shape, refuse


class KerasReader:
    """Walks the symbolic graph from its outputs; `names` maps symbolic tensors to values of the graph."""

    def __init__(self) -> None:
        self.graph = Graph()
        self.masked: str | None = None  # the embedding whose mask would reach later layers

    def read(self, model: Any) -> Graph:
        """The whole model as a graph."""
        functional = functional_of(model)
        names: dict[int, str] = {}
        for tensor in functional.inputs:
            layer = tensor._keras_history.operation.name
            name = self.graph.add("input", (), layer, shape=tuple(tensor.shape[1:]))
            self.graph.inputs.append(name)
            names[id(tensor)] = name
        self.graph.outputs = self._outputs(functional, names, prefix="")
        self.graph.single_output = not isinstance(functional._outputs_struct, (list, tuple, dict))
        self.graph.first_inputs = [False] * len(self.graph.inputs)
        self.graph.first_outputs = [False] * len(self.graph.outputs)
        return self.graph

    def _outputs(self, functional: Any, names: dict[int, str], prefix: str) -> list[str]:
        calls = ordered_calls(functional)
        for operation, node in calls:
            check_mask(node, prefix + operation.name, type(operation).__name__)
        for operation, node in calls:
            self._call(operation, node, names, prefix)
        return [names[id(tensor)] for tensor in functional.outputs]

    def _call(self, operation: Any, node: Any, names: dict[int, str], prefix: str) -> None:
        import keras

        from dlexplain.frameworks.convert.keras_layers import READERS
        from dlexplain.frameworks.convert.keras_ops import OPERATIONS

        layer = prefix + operation.name
        if isinstance(operation, (keras.Sequential,)) or type(operation).__name__ == "Functional":
            outputs = self._nested(operation, node, names, layer + ".")
        elif type(operation) in READERS:
            self._check_call(operation, node, layer)
            inputs = tuple(names[id(tensor)] for tensor in node.input_tensors)
            outputs = [READERS[type(operation)](self, operation, inputs, layer)]
        elif type(operation).__module__.startswith("keras.src.ops") and type(operation).__name__ in OPERATIONS:
            outputs = [OPERATIONS[type(operation).__name__](self, node, names, layer)]
        else:
            raise refuse(layer, type(operation).__name__)
        for tensor, name in zip(node.output_tensors, outputs, strict=False):
            names[id(tensor)] = name

    def _nested(self, model: Any, node: Any, names: dict[int, str], prefix: str) -> list[str]:
        functional = functional_of(model)
        inner = {
            id(inside): names[id(outside)]
            for inside, outside in zip(functional.inputs, node.input_tensors, strict=True)
        }
        return self._outputs(functional, inner, prefix)

    def _check_call(self, operation: Any, node: Any, layer: str) -> None:
        """A call that asks for more than the layer's plain inputs is not silently dropped."""
        import keras

        kind = type(operation).__name__
        for key, value in node.arguments.kwargs.items():
            if key == "training" and value:
                raise refuse(layer, kind, "is called with training=True, which no inference twin has")
            if key == "initial_state" and value is not None:
                raise refuse(layer, kind, "is called with an initial state, which is not converted")
            if key == "return_attention_scores" and value:
                raise refuse(layer, kind, "returns its attention scores, which is not converted")
        takes_mask = (keras.layers.RNN, keras.layers.Bidirectional, keras.layers.MultiHeadAttention)
        pools = (keras.layers.GlobalAveragePooling1D, keras.layers.Softmax)
        if self.masked and isinstance(operation, takes_mask + pools):
            raise refuse(
                self.masked,
                "Embedding",
                f"masks token 0 (mask_zero=True) for {layer!r}, which is not converted",
            )


def check_mask(node: Any, layer: str, kind: str) -> None:
    """Masks come as arguments, some put there by `Embedding(mask_zero=True)` or `Masking`."""
    for key, value in node.arguments.kwargs.items():
        if key.endswith("mask") and value is not None and value is not False:
            raise refuse(
                layer,
                kind,
                f"is given {key} (by mask_zero=True, Masking or its call), which is not converted",
            )


def functional_of(model: Any) -> Any:
    """The functional graph of a model, without building or changing it."""
    import keras

    if isinstance(model, keras.Sequential):
        if not model.built or model._functional is None:
            raise UnsupportedModelError(
                f"Sequential model {model.name!r} is not built: it has no weights yet. Call it once on "
                "data, or add an Input."
            )
        return model._functional
    if type(model).__name__ == "Functional" and type(model).__module__.startswith("keras."):
        return model
    raise UnsupportedModelError(
        f"{type(model).__name__!r} is a subclassed Keras model: its graph cannot be read. "
        "Sequential and Functional models, nested or not, can be converted."
    )


def ordered_calls(functional: Any) -> list[tuple[Any, Any]]:
    """Every call of an operation between the inputs and the outputs, each after what it needs."""
    seen = {id(tensor) for tensor in functional.inputs}
    calls: list[tuple[Any, Any]] = []
    pending = list(reversed(functional.outputs))
    while pending:
        tensor = pending[-1]
        if id(tensor) in seen:
            pending.pop()
            continue
        operation, index, _ = tensor._keras_history
        node = operation._inbound_nodes[index]
        missing = [item for item in node.input_tensors if id(item) not in seen]
        if missing:
            pending.extend(missing)
            continue
        calls.append((operation, node))
        seen.update(id(item) for item in node.output_tensors)
        pending.pop()
    return calls


def shape_after(operation: Any, shape: Shape) -> Shape:
    """What a layer makes of one input's shape, without the batch axis."""
    return tuple(operation.compute_output_shape((None, *shape))[1:])
