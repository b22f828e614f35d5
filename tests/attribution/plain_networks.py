"""Torch networks of standard layers as matrices, and their backward rules written out by hand: an oracle in NumPy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn


@dataclass(frozen=True)
class Linear:
    """`matrix @ x + bias`. `reach`: where an input belongs to an output. `kind`: "dense", "convolution" or "pool"."""

    matrix: np.ndarray
    bias: np.ndarray
    reach: np.ndarray
    kind: str


@dataclass(frozen=True)
class Rectifier:
    pass


@dataclass(frozen=True)
class Largest:
    """`reach`: `(outputs, inputs)`, the inputs among which each output is the largest."""

    reach: np.ndarray


def steps_of(network: nn.Sequential, shape: tuple[int, ...]) -> list[Linear | Rectifier | Largest]:
    """Each layer probed with one input at a time; a batch norm becomes a part of the layer before it."""
    steps: list[Linear | Rectifier | Largest] = []
    network = network.eval().double()
    for module in network:
        size = int(np.prod(shape))
        single = torch.eye(size, dtype=torch.float64).reshape(size, *shape)
        nothing = torch.zeros((1, *shape), dtype=torch.float64)
        with torch.no_grad():
            if isinstance(module, nn.ReLU):
                steps.append(Rectifier())
            elif isinstance(module, nn.MaxPool2d):
                means = nn.AvgPool2d(module.kernel_size, module.stride, module.padding)
                steps.append(Largest(means(single).reshape(size, -1).T.numpy() > 0))
            elif not isinstance(module, nn.Flatten):
                bias = module(nothing).reshape(-1).numpy()
                matrix = module(single).reshape(size, -1).T.numpy() - bias[:, None]
                if isinstance(module, nn.BatchNorm2d):
                    last = steps.pop()
                    steps.append(Linear(matrix @ last.matrix, matrix @ last.bias + bias, last.reach, last.kind))
                else:
                    steps.append(Linear(matrix, bias, _reach(module, single), _kind(module)))
            shape = tuple(module(nothing).shape[1:])
    network.float()
    return steps


def _reach(module: nn.Module, single: torch.Tensor) -> np.ndarray:
    """Which inputs a layer's outputs read, weights of nought and all."""
    kept = {name: p.detach().clone() for name, p in module.named_parameters()}
    for p in module.parameters():
        p.fill_(1.0)
    outputs = module(single) - module(single * 0)
    for name, p in module.named_parameters():
        p.copy_(kept[name])
    return outputs.reshape(len(single), -1).T.numpy() > 0


def _kind(module: nn.Module) -> str:
    return {"Linear": "dense", "Conv1d": "convolution", "Conv2d": "convolution"}.get(type(module).__name__, "pool")


def forward(steps: list, x: np.ndarray) -> list[np.ndarray]:
    """Every value on the way for one sample: `len(steps) + 1` vectors."""
    values = [x.reshape(-1).astype(np.float64)]
    for step in steps:
        x = values[-1]
        if isinstance(step, Linear):
            values.append(step.matrix @ x + step.bias)
        elif isinstance(step, Rectifier):
            values.append(np.maximum(x, 0))
        else:
            values.append(np.array([x[row].max() for row in step.reach]))
    return values


def backward(steps: list, x: np.ndarray, target: int, rule: str) -> np.ndarray:
    """The gradient of one sample ("plain"), or what becomes of it under "guided" and "deconvnet"."""
    values = forward(steps, x)
    signal = np.eye(len(values[-1]))[target]
    for step, given in zip(reversed(steps), reversed(values[:-1]), strict=True):
        if isinstance(step, Linear):
            signal = step.matrix.T @ signal
        elif isinstance(step, Rectifier):
            passed = {"plain": given > 0, "guided": (given > 0) & (signal > 0), "deconvnet": signal > 0}[rule]
            signal = np.where(passed, signal, 0)
        else:
            signal = _to_winners(step, given, signal)
    return signal.reshape(x.shape)


def relevance(steps: list, x: np.ndarray, target: int, rule: str, **options: float) -> np.ndarray:
    """Layer-wise relevance of one sample, an output and an input at a time."""
    values = forward(steps, x)
    signal = np.where(np.arange(len(values[-1])) == target, values[-1], 0.0)
    first = next(i for i, step in enumerate(steps) if isinstance(step, Linear) and step.kind != "pool")
    for i in reversed(range(len(steps))):
        step, given = steps[i], values[i]
        if isinstance(step, Linear):
            here = _rule_at(rule, step.kind, i == first)
            signal = sum(_shares(here, step, given, k, options) * r for k, r in enumerate(signal))
        elif isinstance(step, Largest):
            signal = _to_winners(step, given, signal)
    return signal.reshape(x.shape)


def _rule_at(rule: str, kind: str, first: bool) -> str:
    if kind == "pool":
        return "epsilon"
    composites = {
        "epsilon_plus_flat": ("flat", "z_plus", "epsilon"),
        "epsilon_alpha2_beta1_flat": ("flat", "alpha2_beta1", "epsilon"),
        "epsilon_gamma": (None, "gamma", "epsilon"),
    }
    if rule not in composites:
        return rule
    at_first, convolution, dense = composites[rule]
    return at_first if first and at_first else convolution if kind == "convolution" else dense


def _shares(rule: str, step: Linear, x: np.ndarray, k: int, options: dict[str, float]) -> np.ndarray:
    """What each input gets of one unit of relevance at output k."""
    bias = 0.0 if step.kind == "pool" else step.bias[k]
    parts = step.matrix[k] * x
    up, down, up_bias, down_bias = parts.clip(min=0), parts.clip(max=0), max(bias, 0), min(bias, 0)
    total = parts.sum() + bias
    if rule == "flat":
        return step.reach[k] / step.reach[k].sum()
    if rule == "epsilon":
        return parts / (total + options.get("epsilon", 1e-6) * (1 if total >= 0 else -1))
    if rule == "z_plus":
        return _over(up, up.sum() + up_bias)
    if rule in ("alpha_beta", "alpha2_beta1"):
        alpha, beta = (2, 1) if rule == "alpha2_beta1" else (options.get("alpha", 2), options.get("beta", 1))
        return alpha * _over(up, up.sum() + up_bias) - beta * _over(down, down.sum() + down_bias)
    gamma = options.get("gamma", 0.25)
    more, more_bias = (up, up_bias) if total >= 0 else (down, down_bias)
    return _over(parts + gamma * more, total + gamma * (more.sum() + more_bias))


def _over(parts: np.ndarray, whole: float) -> np.ndarray:
    return parts / whole if whole else np.zeros_like(parts)


def _to_winners(step: Largest, given: np.ndarray, signal: np.ndarray) -> np.ndarray:
    passed = np.zeros_like(given)
    for row, s in zip(step.reach, signal, strict=True):
        passed[np.flatnonzero(row)[np.argmax(given[row])]] += s
    return passed
