"""How recurrent layers and attention are written in Torch, with two small modules for what Torch has not."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import torch
from torch import nn

from dlexplain.frameworks.convert.graph import Node
from dlexplain.frameworks.convert.to_torch import TorchWriter

Written = tuple[bool, Any]


class ResetBeforeGRU(nn.Module):
    """Keras's GRU with `reset_after=False` (Cho et al. 2014): the reset gate acts before the product."""

    def __init__(self, kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray | None) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.from_numpy(kernel.copy()))
        self.recurrent = nn.Parameter(torch.from_numpy(recurrent.copy()))
        self.bias = nn.Parameter(
            torch.from_numpy(np.zeros(kernel.shape[1], np.float32) if bias is None else bias.copy())
        )

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        width = self.recurrent.shape[0]
        projected = inputs @ self.kernel + self.bias
        state, states = inputs.new_zeros(inputs.shape[0], width), []
        for step in range(inputs.shape[1]):
            update, reset, fresh = projected[:, step].split(width, dim=1)
            from_state = (state @ self.recurrent[:, : 2 * width]).split(width, dim=1)
            update, reset = torch.sigmoid(update + from_state[0]), torch.sigmoid(reset + from_state[1])
            fresh = torch.tanh(fresh + (reset * state) @ self.recurrent[:, 2 * width :])
            state = update * state + (1 - update) * fresh
            states.append(state)
        return torch.stack(states, dim=1)


class WideAttention(nn.Module):
    """Multi-head attention whose heads need not add up to the width of the query, as in Keras."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        super().__init__()
        self.heads = weights["query_kernel"].shape[1]
        for part in ("query", "key", "value"):
            kernel = weights[f"{part}_kernel"]
            self.add_module(part, _linear(kernel.reshape(kernel.shape[0], -1), weights.get(f"{part}_bias")))
        kernel = weights["output_kernel"]
        self.output = _linear(kernel.reshape(-1, kernel.shape[-1]), weights.get("output_bias"))

    def forward(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        split = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in (self.query(query), self.key(key), self.value(value))
        )
        mixed = nn.functional.scaled_dot_product_attention(*split)
        return self.output(mixed.transpose(1, 2).flatten(2))


def _linear(kernel: np.ndarray, bias: np.ndarray | None) -> nn.Linear:
    module = nn.Linear(*kernel.shape, bias=bias is not None)
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(kernel.T.copy()))
        if bias is not None:
            module.bias.copy_(torch.from_numpy(bias.reshape(-1).copy()))
    return module


def rnn(writer: TorchWriter, node: Node) -> Written:
    options, width = node.options, node.options["units"]
    value = writer.have(node.inputs[0], False)
    if options["kind"] == "gru" and not options["reset_after"]:
        sequence = _reset_before(writer, node, value)
    else:
        pair = writer.module(node, lambda: torch_rnn(node), value)
        sequence = writer.fx.call_function(operator.getitem, (pair, 0))
    if options["whole"]:
        return False, sequence
    last = writer.fx.call_method("select", (sequence, 1, -1))
    if not options["both"]:
        return False, last
    # The backward direction ends at the first step.
    begin = writer.fx.call_method("select", (sequence, 1, 0))
    halves = [
        writer.fx.call_function(operator.getitem, (item, (slice(None), part)))
        for item, part in ((last, slice(None, width)), (begin, slice(width, None)))
    ]
    return False, writer.fx.call_function(torch.cat, (halves, 1))


def _reset_before(writer: TorchWriter, node: Node, value: Any) -> Any:
    def make(side: str) -> ResetBeforeGRU:
        return ResetBeforeGRU(
            node.weights[f"{side}_kernel"],
            node.weights[f"{side}_recurrent"],
            node.weights.get(f"{side}_bias"),
        )

    if not node.options["both"]:
        return writer.module(node, lambda: make("forward"), value)
    from dataclasses import replace

    ahead = writer.module(replace(node, layer=f"{node.layer}.ahead"), lambda: make("forward"), value)
    flipped = writer.fx.call_function(torch.flip, (value, (1,)))
    back = writer.module(replace(node, layer=f"{node.layer}.back"), lambda: make("backward"), flipped)
    back = writer.fx.call_function(torch.flip, (back, (1,)))
    return writer.fx.call_function(torch.cat, ([ahead, back], 2))


def torch_rnn(node: Node) -> nn.Module:
    """Torch keeps two biases where Keras adds one (or, for GRU with reset_after, keeps two as well)."""
    kind, width, both = node.options["kind"], node.options["units"], node.options["both"]
    weights = node.weights
    biased = "forward_bias" in weights
    make = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[kind]
    module = make(weights["forward_kernel"].shape[0], width, batch_first=True, bias=biased, bidirectional=both)
    with torch.no_grad():
        for side, ending in (("forward", ""), ("backward", "_reverse"))[: 2 if both else 1]:
            for key, theirs in (("kernel", "weight_ih_l0"), ("recurrent", "weight_hh_l0")):
                value = gates_for_torch(weights[f"{side}_{key}"], kind, width)
                getattr(module, theirs + ending).copy_(torch.from_numpy(value.T.copy()))
            if biased:
                bias = np.atleast_2d(weights[f"{side}_bias"])
                outer = gates_for_torch(bias[0], kind, width)
                inner = gates_for_torch(bias[1], kind, width) if len(bias) > 1 else np.zeros_like(outer)
                getattr(module, "bias_ih_l0" + ending).copy_(torch.from_numpy(outer.copy()))
                getattr(module, "bias_hh_l0" + ending).copy_(torch.from_numpy(inner.copy()))
    return module


def gates_for_torch(value: np.ndarray, kind: str, width: int) -> np.ndarray:
    """Keras's GRU has update, reset, new; Torch's reset, update, new. An LSTM's order is the same."""
    if kind != "gru":
        return value
    update, reset, fresh = np.split(value, [width, 2 * width], axis=-1)
    return np.concatenate([reset, update, fresh], axis=-1)


def attention(writer: TorchWriter, node: Node) -> Written:
    weights = dict(node.weights)
    inputs = [writer.have(name, False) for name in node.inputs]
    width, heads, size = weights["query_kernel"].shape
    fits = (
        heads * size == width
        and weights["value_kernel"].shape[2] == size
        and weights["output_kernel"].shape[2] == width
        and len({f"{part}_bias" in weights for part in ("query", "key", "value", "output")}) == 1
    )
    if not fits:
        return False, writer.module(node, lambda: WideAttention(weights), *inputs)
    pair = writer.module(node, lambda: torch_attention(weights), *inputs)
    return False, writer.fx.call_function(operator.getitem, (pair, 0))


def torch_attention(weights: dict[str, np.ndarray]) -> nn.MultiheadAttention:
    width, heads, _ = weights["query_kernel"].shape
    flat = {part: weights[f"{part}_kernel"].reshape(-1, width).T for part in ("query", "key", "value")}
    module = nn.MultiheadAttention(
        width,
        heads,
        batch_first=True,
        bias="query_bias" in weights,
        kdim=flat["key"].shape[1],
        vdim=flat["value"].shape[1],
    )
    with torch.no_grad():
        if module.in_proj_weight is not None:
            module.in_proj_weight.copy_(torch.from_numpy(np.concatenate([flat["query"], flat["key"], flat["value"]])))
        else:
            for part, theirs in (
                ("query", module.q_proj_weight),
                ("key", module.k_proj_weight),
                ("value", module.v_proj_weight),
            ):
                theirs.copy_(torch.from_numpy(flat[part].copy()))
        module.out_proj.weight.copy_(torch.from_numpy(weights["output_kernel"].reshape(width, width).T.copy()))
        if "query_bias" in weights:
            biases = [weights[f"{part}_bias"].reshape(-1) for part in ("query", "key", "value")]
            module.in_proj_bias.copy_(torch.from_numpy(np.concatenate(biases)))
            module.out_proj.bias.copy_(torch.from_numpy(weights["output_bias"].copy()))
    return module
