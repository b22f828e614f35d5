"""Writing a `Graph` as a Torch module: an `fx.GraphModule` with submodules named as the graph's layers."""

from __future__ import annotations

from typing import Any

from torch import fx, nn

from dlexplain.frameworks.convert.graph import Graph, Node, takes_first


class TorchWriter:
    """Each value may exist channels-first, plain (channels-last), or both; `have` makes either."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.root = nn.Module()
        self.fx = fx.Graph()
        self.forms: dict[str, dict[bool, fx.Node]] = {}
        self.built: set[str] = set()

    def write(self) -> tuple[fx.GraphModule, list[bool], list[bool]]:
        """The module, and which inputs and outputs it holds channels-first."""
        from dlexplain.frameworks.convert.torch_writers import WRITERS

        for node in self.graph.nodes.values():
            if node.op == "input":
                placeholder = self.fx.placeholder(node.name.replace(".", "_").replace("-", "_"))
                self.forms[node.name] = {takes_first(self.graph, node.name): placeholder}
            else:
                first, value = WRITERS[node.op](self, node)
                self.forms[node.name] = {first: value}
        first_outputs = [self.output_first(name) for name in self.graph.outputs]
        results = [self.have(name, first) for name, first in zip(self.graph.outputs, first_outputs, strict=True)]
        self.fx.output(results[0] if self.graph.single_output else tuple(results))
        module = fx.GraphModule(self.root, self.fx, class_name="Twin")
        module.requires_grad_(True).eval()
        return module, [takes_first(self.graph, name) for name in self.graph.inputs], first_outputs

    def output_first(self, name: str) -> bool:
        """Images leave channels-first, all else in the order in which it was computed."""
        rank = len(self.graph.shape(name))
        return rank > 2 or (rank == 2 and False not in self.forms[name])

    def have(self, name: str, first: bool) -> fx.Node:
        """The value in one order of axes; below two axes the orders are the same."""
        forms, rank = self.forms[name], len(self.graph.shape(name))
        if rank < 2:
            return next(iter(forms.values()))
        if first not in forms:
            dims = (0, rank, *range(1, rank)) if first else (0, *range(2, rank + 1), 1)
            forms[first] = self.fx.call_method("permute", (forms[not first], *dims))
        return forms[first]

    def shared(self, *names: str) -> bool:
        """The order that all these values already have: plain if they have both."""
        return all(False not in self.forms[name] and len(self.graph.shape(name)) > 1 for name in names)

    def module(self, node: Node, make: Any, *args: fx.Node) -> fx.Node:
        """Call the layer's submodule, made on its first use."""
        path = torch_path(node.layer)
        if path not in self.built:
            parent = self.root
            *parents, leaf = path.split(".")
            for part in parents:
                if not hasattr(parent, part):
                    parent.add_module(part, nn.Module())
                parent = getattr(parent, part)
            parent.add_module(leaf, make())
            self.built.add(path)
        return self.fx.call_module(path, args)


def torch_path(layer: str) -> str:
    """A layer's name as a path of attributes."""
    parts = ["".join(sign if sign.isalnum() or sign == "_" else "_" for sign in part) for part in layer.split(".")]
    # Attributes of every module (`forward`, `train`, ...) cannot be names of submodules.
    return ".".join(
        f"{part}_layer" if hasattr(nn.Module, part) or part in ("training", "graph", "code") else part for part in parts
    )
