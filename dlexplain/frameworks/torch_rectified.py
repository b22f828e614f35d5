"""What Torch's ReLUs put out, wherever they are written: the calls are seen as they pass."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from dlexplain.frameworks.torch_inside import named_modules
from dlexplain.frameworks.torch_tensors import numpy_of

if TYPE_CHECKING:
    from dlexplain.frameworks.questions import Inputs
    from dlexplain.frameworks.torch_model import TorchModel

_RELUS = (
    F.relu, F.relu_, F.relu6, torch.relu, torch.relu_, torch.Tensor.relu, torch.Tensor.relu_
)  # fmt: skip
_BY_CHANNEL = ("Conv", "BatchNorm", "Pool", "InstanceNorm", "GroupNorm")


def rectified(model: TorchModel, inputs: Inputs) -> dict[str, np.ndarray]:
    """`{layer: (n, units)}`: the largest value over places that each unit has behind each ReLU, for one batch."""
    tensors = model._tensors(inputs)
    watch = _Watch(len(inputs[0]))
    # With gradients on, Torch's encoder layers run as they are written and not as one fused call.
    with model._asked(), torch.enable_grad(), _seen(model.raw, watch), watch:
        model._run(tensors)
    return watch.found


class _Watch(TorchFunctionMode):
    """`at`: the leaf that ran last and has weights, and what kind of leaf ran last."""

    def __init__(self, samples: int) -> None:
        super().__init__()
        self.samples, self.found = samples, {}
        self.name, self.kind = "input", ""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if func in _RELUS and result.ndim > 1 and len(result) == self.samples:
            value = numpy_of(result.clone())
            first = value.ndim == 4 or (value.ndim == 3 and self.kind.startswith(_BY_CHANNEL))
            value = np.moveaxis(value, 1, -1) if first else value
            name, twice = self.name, 2
            while name in self.found:
                name, twice = f"{self.name}:{twice}", twice + 1
            self.found[name] = value.reshape(self.samples, -1, value.shape[-1]).max(1)
        return result


@contextlib.contextmanager
def _seen(raw: nn.Module, watch: _Watch) -> Iterator[None]:
    """Tells the watch which leaf ran last."""
    handles = []

    def leave(name: str):
        def hook(module, _arguments, _output) -> None:
            if any(True for _ in module.parameters(recurse=False)):
                watch.name = name
            watch.kind = type(module).__name__

        return hook

    try:
        for name, module in named_modules(raw).items():
            if not list(module.children()) and not isinstance(module, nn.ReLU):
                handles.append(module.register_forward_hook(leave(name)))
        yield
    finally:
        for handle in handles:
            handle.remove()
