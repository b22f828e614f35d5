"""How a Torch architecture enters the zoo, and the weights it gets."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import nn

from tests.zoo.specimen import architecture

_WEIGHTED = (nn.Linear, nn.modules.conv._ConvNd, nn.RNNBase, nn.RNNCellBase, nn.MultiheadAttention)
_NORMS = (
    nn.modules.batchnorm._BatchNorm,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.RMSNorm,
    nn.modules.instancenorm._InstanceNorm,
)


def _prepare(model: nn.Module, samples: tuple[np.ndarray, ...]) -> None:
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, _NORMS) and module.weight is not None:
                module.weight.uniform_(0.7, 1.3, generator=generator)
            elif isinstance(module, _WEIGHTED):
                for name, parameter in module.named_parameters(recurse=False):
                    if "weight" in name:
                        parameter *= 1.7  # Torch's own start is so small that outputs hardly differ
        for name, parameter in model.named_parameters():
            if "bias" in name:
                parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
        norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
        if norms:
            kept = [module.momentum for module in norms]
            for module in norms:
                module.momentum = 1.0  # one pass in training mode leaves the statistics of these samples
            model.train()(*map(torch.from_numpy, samples))
            for module, momentum in zip(norms, kept, strict=True):
                module.momentum = momentum
    model.eval()


torch_specimen = partial(architecture, "torch", prepare=_prepare, seed=torch.manual_seed)


class _Of(nn.Module):
    def __init__(self, function, parts):
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)
        self.function = function


class OfOne(_Of):
    def forward(self, x):
        return self.function(self, x)


class OfTwo(_Of):
    def forward(self, a, b):
        return self.function(self, a, b)


def Of(function, **parts) -> nn.Module:
    """Layers by name, and a function of them and of one or two inputs, whose number can be read from `forward`."""
    return (OfOne, OfTwo)[function.__code__.co_argcount - 2](function, parts)
