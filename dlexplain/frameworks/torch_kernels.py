"""The weights of Torch's own layers and what `reset_parameters` draws them from."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from torch import nn

from dlexplain.frameworks.kernels import Initial, Kernel, fans
from dlexplain.frameworks.torch_inside import named_modules
from dlexplain.frameworks.torch_tensors import numpy_of

if TYPE_CHECKING:
    from dlexplain.frameworks.torch_model import TorchModel

_BY_FAN = (nn.Linear, nn.modules.conv._ConvNd)  # kaiming_uniform_ with a = sqrt(5)


def kernels(base: TorchModel) -> tuple[Kernel, ...]:
    """Every weight of two axes or more, of the layers that Torch has an initialiser for."""
    return tuple(
        Kernel(name, role, numpy_of(values), initial)
        for name, module in named_modules(base.raw).items()
        if not hasattr(module, "parametrizations")
        for role, values, initial in _of(module)
    )


def _of(module: nn.Module) -> Iterator[tuple]:
    if isinstance(module, _BY_FAN) or _exported(module):
        bound = 1 / math.sqrt(fans(tuple(module.weight.shape), outputs_last=False)[0])
        yield "weight", module.weight, Initial("uniform", -bound, bound)
    elif isinstance(module, (nn.RNNBase, nn.RNNCellBase)):
        bound = 1 / math.sqrt(module.hidden_size)
        for role, values in module.named_parameters(recurse=False):
            if values.ndim > 1:
                yield role, values, Initial("uniform", -bound, bound)
    elif isinstance(module, nn.Embedding):
        values = module.weight
        if module.padding_idx is not None:  # a row of zeros that training leaves alone
            kept = [i for i in range(len(values)) if i != module.padding_idx % len(values)]
            values = values[kept]
        yield "weight", values, Initial("normal", 0.0, 1.0)
    elif isinstance(module, nn.MultiheadAttention) and module.in_proj_weight is not None:
        bound = math.sqrt(6 / sum(module.in_proj_weight.shape))
        yield "in_proj_weight", module.in_proj_weight, Initial("uniform", -bound, bound)


def _exported(module: nn.Module) -> bool:
    """A part of an exported program has lost its type; a weight of three axes, or of two beside a bias, is told by that."""
    weight, bias = (getattr(module, name, None) for name in ("weight", "bias"))
    return type(module) is nn.Module and weight is not None and (weight.ndim > 2 or (weight.ndim == 2 and bias is not None))
