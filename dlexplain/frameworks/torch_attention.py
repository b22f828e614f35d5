"""The attention of a Torch module: the calls that attend are seen as they pass, and make their weights explicit.

A `TorchFunctionMode` sees `scaled_dot_product_attention`, `multi_head_attention_forward` and a softmax that multiplies
what follows, wherever they are written; the module itself is not touched.
"""

from __future__ import annotations

import contextlib
import inspect
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from dlexplain.frameworks.attention import Attended, shaped
from dlexplain.frameworks.torch_inside import named_modules
from dlexplain.frameworks.torch_tensors import numpy_of

if TYPE_CHECKING:
    import numpy as np

    from dlexplain.frameworks.questions import Inputs, Target
    from dlexplain.frameworks.torch_model import TorchModel

_SOFTMAX = (F.softmax, torch.softmax, torch.Tensor.softmax, torch.special.softmax)
_DROPOUT = (F.dropout, torch.dropout, torch.Tensor.to, torch.Tensor.contiguous)
_PRODUCT = (torch.matmul, torch.bmm, torch.Tensor.matmul, torch.Tensor.bmm, torch.Tensor.__matmul__, torch.einsum)


def attended(model: TorchModel, inputs: Inputs, target: Target | None) -> tuple[list[Attended], tuple[np.ndarray, ...]]:
    """Every attention of one batch, in the order of the calls, and the outputs that came with them."""
    tensors, n = model._tensors(inputs), len(inputs[0])
    with model._asked(), torch.enable_grad():
        where = [e.detach().requires_grad_() for e in model._entries(tensors)]
        watch = _Watch()
        with _names(model.raw, watch.names), watch:
            outputs = model._feed(tensors, where)
        weights = [w for _, w in watch.found]
        gradients: list[torch.Tensor | None] = [None] * len(weights)
        if target is not None and weights:
            score = model._score(outputs, target).sum()
            gradients = list(torch.autograd.grad(score, weights, allow_unused=True))
        found, calls = [], {}
        for (name, weight), gradient in zip(watch.found, gradients, strict=True):
            calls[name] = calls.get(name, 0) + 1
            given = shaped(numpy_of(weight), n)
            if given is None:
                continue
            slope = None
            if target is not None:
                slope = shaped(numpy_of(torch.zeros_like(weight) if gradient is None else gradient), n)[0]
            label = name if calls[name] == 1 else f"{name}:{calls[name]}"
            found.append(Attended(label, given[0], slope, given[1]))
        return found, tuple(map(numpy_of, outputs))


class _Watch(TorchFunctionMode):
    """`found`: the name of the module at work and the weights, on the graph of the output."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.found: list[tuple[str, torch.Tensor]] = []
        self._soft: list[tuple[torch.Tensor, torch.Tensor]] = []  # (as it is now, as the softmax gave it)

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is F.multi_head_attention_forward:
            return self._multi_head(func, args, kwargs)
        if func is F.scaled_dot_product_attention:
            return self._dot_product(*args, **kwargs)
        if func in _PRODUCT:
            self._multiplied(args)
        result = func(*args, **kwargs)
        if func in _SOFTMAX:
            dim = kwargs.get("dim", args[1] if len(args) > 1 else None)
            if result.ndim >= 3 and dim in (-1, result.ndim - 1):
                self._soft.append((result, result))
        elif func in _DROPOUT and isinstance(result, torch.Tensor):
            self._soft += [(result, first) for now, first in self._soft if now is args[0] and now is not result]
        return result

    def _multiplied(self, args: tuple[Any, ...]) -> None:
        for now, _ in self._soft:
            operands = args[1:] if isinstance(args[0], str) else args[:1]
            if any(now is operand for operand in operands) and all(now is not seen for _, seen in self.found):
                self.found.append((self._name(), now))

    def _name(self) -> str:
        return self.names[-1] if self.names else ""

    def _dot_product(
        self, query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False
    ) -> torch.Tensor:
        if enable_gqa:
            key, value = (t.repeat_interleave(query.shape[-3] // t.shape[-3], -3) for t in (key, value))
        scores = query @ key.mT * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
        if is_causal:
            attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
        if attn_mask is not None and attn_mask.dtype == torch.bool:
            scores = scores.masked_fill(~attn_mask, -torch.inf)
        elif attn_mask is not None:
            scores = scores + attn_mask
        weights = scores.softmax(-1)
        if attn_mask is not None:  # a row with every key masked attends to nothing
            weights = weights.masked_fill((scores == -torch.inf).all(-1, keepdim=True), 0)
        self.found.append((self._name(), weights))
        return weights @ value

    def _multi_head(self, func, args, kwargs):
        """The output from the weights and the projected values, so that the weights are on its graph."""
        bound = inspect.signature(func).bind(*args, **kwargs)
        bound.apply_defaults()
        a = bound.arguments
        if a["static_v"] is not None or a["static_k"] is not None:
            return func(*args, **kwargs)
        _, weights = func(**{**a, "need_weights": True, "average_attn_weights": False, "training": False})
        self.found.append((self._name(), weights))
        single = a["value"].ndim == 2
        value = a["value"].unsqueeze(1) if single else a["value"]
        matrix = a["v_proj_weight"] if a["use_separate_proj_weight"] else a["in_proj_weight"].chunk(3)[2]
        bias = None if a["in_proj_bias"] is None else a["in_proj_bias"].chunk(3)[2]
        value = F.linear(value, matrix, bias)
        if a["bias_v"] is not None:
            value = torch.cat([value, a["bias_v"].repeat(1, value.shape[1], 1)])
        if a["add_zero_attn"]:
            value = torch.cat([value, torch.zeros_like(value[:1])])
        value = value.unflatten(-1, (a["num_heads"], -1)).permute(1, 2, 0, 3)
        mixed = (weights.unsqueeze(0) if single else weights) @ value
        mixed = mixed.permute(2, 0, 1, 3).flatten(2)
        output = F.linear(mixed, a["out_proj_weight"], a["out_proj_bias"])
        shown = (weights.mean(-3) if a["average_attn_weights"] else weights) if a["need_weights"] else None
        return (output.squeeze(1) if single else output), shown


@contextlib.contextmanager
def _names(raw: nn.Module, names: list[str]) -> Iterator[None]:
    """Keeps the names of the modules at work, the innermost last."""
    handles = []

    def enter(name: str):
        return lambda _module, _arguments: names.append(name)

    def leave(_module, _arguments, _output) -> None:
        names.pop()

    try:
        for name, module in named_modules(raw).items():
            handles += [module.register_forward_pre_hook(enter(name)), module.register_forward_hook(leave)]
        yield
    finally:
        for handle in handles:
            handle.remove()
