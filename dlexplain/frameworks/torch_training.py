"""Small Torch networks: made, trained, edited. See `training` for what each function means."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from dlexplain.frameworks.torch_inside import named_modules

_ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU}


class _Dropping(nn.Module):
    """Dropout that nobody can switch off: the mistake of `F.dropout(x, p)` without `training=self.training`."""

    def __init__(self, share: float):
        super().__init__()
        self.share = share

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.dropout(x, self.share, training=True)


class _LastState(nn.Module):
    """A GRU over `(n, channels, time)`; its last state."""

    def __init__(self, channels: int, width: int):
        super().__init__()
        self.gru = nn.GRU(channels, width, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.gru(x.transpose(1, 2))[0][:, -1]


class _MeanOfTokens(nn.Module):
    """Embeddings averaged over the ids that are not padding."""

    def __init__(self, vocabulary: int, width: int):
        super().__init__()
        self.words = nn.Embedding(vocabulary, width, padding_idx=0)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        real = (ids != 0).to(self.words.weight.dtype)[..., None]
        return (self.words(ids) * real).sum(1) / real.sum(1).clamp(min=1)


class _MeanOverTime(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(-1)


class _Masking(nn.Module):
    def __init__(self, inner: nn.Module, feature: int):
        super().__init__()
        self.inner, self.feature = inner, feature

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        f = self.feature
        return self.inner(torch.cat([x[:, :f], torch.tanh(10 * x[:, f : f + 1]), x[:, f + 1 :]], 1))


class _Gated(nn.Module):
    def __init__(self, gate: nn.Module, inside: nn.Module, outside: nn.Module):
        super().__init__()
        self.gate, self.inside, self.outside = gate, inside, outside

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        g = self.gate(x)
        open_ = torch.sigmoid(20 * (g[:, 1:2] - g[:, 0:1]))
        return open_ * self.inside(x) + (1 - open_) * self.outside(x)


def build(plan, shape: tuple[int, ...], outputs: int, seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        parts, width = _body(plan, shape)
        for _ in range(plan.depth):
            parts.append(nn.Linear(width, plan.width))
            if plan.norm:
                parts.append(nn.BatchNorm1d(plan.width))
            parts.append(_ACTIVATIONS[plan.activation]())
            width = plan.width
        if plan.dropout:
            parts.append(_Dropping(plan.dropout) if plan.dropping else nn.Dropout(plan.dropout))
        return nn.Sequential(*parts, nn.Linear(width, outputs)).eval()


def _body(plan, shape: tuple[int, ...]) -> tuple[list[nn.Module], int]:
    act, c = _ACTIVATIONS[plan.activation], plan.channels
    if plan.kind == "perceptron":
        return ([nn.Flatten()] if len(shape) > 1 else []), int(np.prod(shape))
    if plan.kind == "convolution":
        parts = [nn.Conv2d(shape[2], c, 3, padding=1), act(), nn.Conv2d(c, c, 3, padding=1), act(), nn.MaxPool2d(2)]
        if min(shape[:2]) > 16:
            parts.append(nn.MaxPool2d(2))
        size = (shape[0] // 4) * (shape[1] // 4) if min(shape[:2]) > 16 else (shape[0] // 2) * (shape[1] // 2)
        return [*parts, nn.Flatten()], c * size
    if plan.kind == "series":
        return [nn.Conv1d(shape[1], c, 5), act(), nn.Conv1d(c, c, 3), act(), _MeanOverTime()], c
    if plan.kind == "recurrent":
        return [nn.Conv1d(shape[1], c, 3), act(), _LastState(c, c)], c
    return [_MeanOfTokens(plan.vocabulary, c)], c


def fit(model, inputs, labels, order, rate: float, layers: Sequence[str] | None, seed: int) -> None:
    modules = named_modules(model)
    parts = [model] if layers is None else [modules[name] for name in layers]
    parameters = [p for part in parts for p in part.parameters()]
    classes = labels.dtype.kind in "iu"
    x = torch.as_tensor(inputs)
    y = torch.as_tensor(labels, dtype=torch.long if classes else torch.float32)
    optimiser = torch.optim.Adam(parameters, rate)
    for part in parts:  # a frozen layer keeps its statistics too
        part.train()
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(seed)
        for rows in torch.as_tensor(order):
            out = model(x[rows])
            loss = F.cross_entropy(out, y[rows]) if classes else F.mse_loss(out[:, 0], y[rows])
            for parameter, slope in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
                parameter.grad = slope
            optimiser.step()
    for parameter in parameters:
        parameter.grad = None
    model.eval()


def set_bias(model: nn.Module, layer: str, units: np.ndarray, value: float) -> None:
    with torch.no_grad():
        named_modules(model)[layer].bias[torch.as_tensor(units)] = value


def scale_logits(model: nn.Module, factor: float) -> None:
    last = [module for module in model.modules() if isinstance(module, nn.Linear)][-1]
    with torch.no_grad():
        last.weight.mul_(factor)
        last.bias.mul_(factor)


def with_softmax(model: nn.Module) -> nn.Module:
    return nn.Sequential(*(model if isinstance(model, nn.Sequential) else [model]), nn.Softmax(-1)).eval()


def masking_gradient(model: nn.Module, feature: int) -> nn.Module:
    return _Masking(model, feature).eval()


def gated(gate: nn.Module, inside: nn.Module, outside: nn.Module) -> nn.Module:
    return _Gated(gate, inside, outside).eval()
