"""Reading a Torch module into a `Graph`, through `torch.fx` and one run on a sample for the shapes."""

from __future__ import annotations

import copy
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import fx, nn

from dlexplain.errors import InputError, UnsupportedModelError
from dlexplain.frameworks.convert.graph import Graph, Shape, refuse
from dlexplain.frameworks.convert.torch_recurrent import ResetBeforeGRU, WideAttention

BATCH = 3  # samples in the run for the shapes; a reshape must keep this axis


@dataclass(frozen=True)
class Value:
    """A tensor: its value in the graph, and whether Torch holds that channels-first."""

    name: str
    first: bool = False


@dataclass(frozen=True)
class States:
    """What a recurrent layer returns: its last sequence and every layer's, for the last states."""

    sequences: tuple[str, ...]
    kind: str
    units: int
    both: bool
    part: str = "all"  # "all": (sequence, state); "pair": an LSTM's (h, c); "hidden": h alone


class Tracer(fx.Tracer):
    """Torch's own layers and the two modules of our twins are read as wholes."""

    def is_leaf_module(self, module: nn.Module, name: str) -> bool:
        return isinstance(module, (ResetBeforeGRU, WideAttention)) or super().is_leaf_module(module, name)


def quiet_copy(model: nn.Module) -> nn.Module:
    """A copy in inference mode whose hooks are off: what is done to it reaches nothing of the user's."""
    if isinstance(model, torch.jit.ScriptModule):
        raise UnsupportedModelError(
            "A TorchScript module has no Python layers to read; convert the module it was made from."
        )
    try:
        twin = copy.deepcopy(model)
    except Exception as error:
        raise UnsupportedModelError(
            f"{type(model).__name__} cannot be copied ({error}), so it cannot be converted."
        ) from error
    for module in twin.modules():
        for hooks in (
            module._forward_hooks,
            module._forward_pre_hooks,
            module._backward_hooks,
            module._backward_pre_hooks,
        ):
            hooks.clear()
    return twin.to("cpu", torch.float32).eval().requires_grad_(False)


class TorchReader:
    """Walks the traced operations; `values` maps each to a `Value`, `States` or a plain Python object."""

    def __init__(self, module: nn.Module, shapes: list[Shape], dtypes: list[str] | None = None) -> None:
        self.module = module
        self.shapes = shapes
        self.graph = Graph()
        self.values: dict[fx.Node, Any] = {}
        self.results: dict[fx.Node, Any] = {}
        self.plains: dict[str, str] = {}
        self.dtypes = dtypes

    def read(self) -> Graph:
        """The whole module as a graph."""
        traced = self._trace()
        self._inputs(traced)
        for node in traced.graph.nodes:
            if node.op == "output":
                self._outputs(node.args[0])
            elif node.op != "placeholder":
                self.values[node] = self._one(node)
        self._shorten()
        return self.graph

    def _trace(self) -> fx.GraphModule:
        tracer = Tracer()
        if tracer.is_leaf_module(self.module, ""):  # one layer is the whole model
            self.module = nn.Sequential(OrderedDict([(type(self.module).__name__.lower(), self.module)]))
        try:
            traced = fx.GraphModule(self.module, tracer.trace(self.module))
        except Exception as error:
            raise UnsupportedModelError(
                f"{type(self.module).__name__}.forward cannot be traced ({error}). A twin needs a forward "
                "pass without "
                "branches or loops that depend on the data."
            ) from error
        placeholders = [node for node in traced.graph.nodes if node.op == "placeholder"]
        if len([node for node in placeholders if not node.args]) > len(self.shapes) or len(placeholders) < len(
            self.shapes
        ):
            raise InputError(
                f"input_shape gives {len(self.shapes)} inputs but {type(self.module).__name__}.forward "
                f"takes {len(placeholders)}."
            )
        self.samples = [self._sample(traced, index, shape) for index, shape in enumerate(self.shapes)]
        recorder = _Recorder(traced, self.results)
        try:
            with torch.no_grad(), torch.random.fork_rng(devices=[]):
                recorder.run(*self.samples)
        except Exception as error:
            raise InputError(
                f"{type(self.module).__name__} does not run on inputs of input_shape {self.shapes}: {error}"
            ) from error
        return traced

    def _sample(self, traced: fx.GraphModule, index: int, shape: Shape) -> torch.Tensor:
        placeholder = [node for node in traced.graph.nodes if node.op == "placeholder"][index]
        ids = any(
            user.op == "call_module" and isinstance(traced.get_submodule(user.target), (nn.Embedding, nn.EmbeddingBag))
            for user in placeholder.users
        )
        return torch.zeros(BATCH, *shape, dtype=torch.long if ids else torch.float32)

    def _inputs(self, traced: fx.GraphModule) -> None:
        placeholders = [node for node in traced.graph.nodes if node.op == "placeholder"]
        for node, shape in zip(placeholders, self.shapes, strict=False):
            first = self._enters_first(traced, node, len(shape))
            held = (*shape[1:], shape[0]) if first else shape
            name = self.graph.add("input", (), node.name, shape=held)
            self.graph.inputs.append(name)
            self.graph.first_inputs.append(first)
            self.values[node] = Value(name, first)
        for node in placeholders[len(self.shapes) :]:
            self.values[node] = node.args[0] if node.args else None

    def _enters_first(self, traced: fx.GraphModule, node: fx.Node, rank: int) -> bool:
        """Images are channels-first unless the module moves them itself; series where a convolution reads."""
        users = list(node.users)
        if rank < 2 or not users:
            return False
        if rank > 2:
            return not all(_moves_channels_first(user, rank) for user in users)
        for user in users:
            if user.op == "call_module":
                kind = type(traced.get_submodule(user.target)).__name__
            else:
                kind = getattr(user.target, "__name__", "")
            if kind.lower().endswith("1d"):
                return True
            if kind in _PASSING and self._enters_first(traced, user, rank):
                return True
        return False

    def _one(self, node: fx.Node) -> Any:
        from dlexplain.frameworks.convert import torch_calls, torch_layers

        result = self.results[node]
        if node.op == "get_attr":
            return result
        tensors = result if isinstance(result, (tuple, list)) else (result,)
        if not any(isinstance(item, (torch.Tensor, tuple)) for item in tensors):
            return result  # a size, a number: fixed by the sample
        if isinstance(result, torch.Size):
            return result
        args = fx.map_arg(list(node.args), lambda item: self.values[item])
        keywords = fx.map_arg(dict(node.kwargs), lambda item: self.values[item])
        if node.op == "call_module":
            module = self.module.get_submodule(node.target)
            return torch_layers.read(self, module, args, keywords, node.target, result)
        return torch_calls.read(self, node, args, keywords, result)

    def _outputs(self, returned: Any) -> None:
        items = returned if isinstance(returned, (tuple, list)) else (returned,)
        self.graph.single_output = not isinstance(returned, (tuple, list))
        for item in items:
            value = self.values.get(item) if isinstance(item, fx.Node) else None
            if not isinstance(value, Value):
                raise refuse(
                    "output",
                    type(returned).__name__,
                    "is not a tensor or a tuple of tensors that could be read",
                )
            # A network that reads images channels-first also gives them so.
            image = len(self.graph.shape(value.name)) > 2 and any(self.graph.first_inputs)
            self.graph.outputs.append(self.last(value) if image else value.name)
            self.graph.first_outputs.append(value.first or image)

    def add(
        self,
        op: str,
        inputs: tuple[str, ...],
        layer: str,
        result: torch.Tensor | None,
        first: bool,
        **more: Any,
    ) -> Value:
        """Append an operation whose Torch result is `result`, held channels-first or not."""
        if result is not None:
            shape = tuple(result.shape[1:])
            more["shape"] = (*shape[1:], shape[0]) if first and shape else shape
        return Value(self.graph.add(op, inputs, layer, **more), first)

    def last(self, value: Value) -> str:
        """The channels-last value for a layer that Torch runs channels-first."""
        rank = len(self.graph.shape(value.name))
        if value.first or rank < 2:
            return value.name
        return self._permuted(value.name, (*range(2, rank + 1), 1))

    def plain(self, value: Value) -> str:
        """The value in the order in which Torch itself holds it."""
        rank = len(self.graph.shape(value.name))
        if not value.first or rank < 2:
            return value.name
        return self._permuted(value.name, (rank, *range(1, rank)))

    def _permuted(self, name: str, dims: tuple[int, ...]) -> str:
        if name not in self.plains:
            shape = tuple(self.graph.shape(name)[dim - 1] for dim in dims)
            self.plains[name] = self.graph.add("permute", (name,), f"{name}.permute", shape=shape, dims=dims)
        return self.plains[name]

    def _shorten(self) -> None:
        """A one-way recurrent layer of which only the last step is used returns only that."""
        from dataclasses import replace

        nodes = self.graph.nodes
        for node in list(nodes.values()):
            users = self.graph.users(node.name)
            if node.op != "rnn" or node.options["both"] or node.name in self.graph.outputs or not users:
                continue
            if all(
                u.op == "select" and u.options["axis"] == 1 and u.options["index"] in (-1, node.shape[0] - 1)
                for u in users
            ):
                nodes[node.name] = replace(node, shape=node.shape[1:], options={**node.options, "whole": False})
                for user in users:
                    nodes[user.name] = replace(user, op="identity", options={})


# What may stand between an input and the convolution that reads it.
_PASSING = {
    "ReLU",
    "Dropout",
    "Identity",
    "GroupNorm",
    "Tanh",
    "pad",
    "_pad",
    "relu",
    "tanh",
    "mul",
    "add",
    "sub",
    "truediv",
}


def _moves_channels_first(node: fx.Node, rank: int) -> bool:
    """`x.permute(0, 3, 1, 2)`: the module takes channels-last images."""
    if node.target not in ("permute", torch.permute):
        return False
    order = (
        node.args[1:] if len(node.args) > 2 else node.args[1] if len(node.args) == 2 else node.kwargs.get("dims", ())
    )
    return tuple(order) in ((0, rank, *range(1, rank)), (0, -1, *range(1, rank)))


class _Recorder(fx.Interpreter):
    """Keeps what every operation gave."""

    def __init__(self, module: fx.GraphModule, results: dict[fx.Node, Any]) -> None:
        super().__init__(module)
        self.results = results

    def run_node(self, node: fx.Node) -> Any:
        self.results[node] = super().run_node(node)
        return self.results[node]


def array(tensor: torch.Tensor | None) -> np.ndarray | None:
    return None if tensor is None else tensor.detach().cpu().numpy().astype(np.float32, copy=True)
