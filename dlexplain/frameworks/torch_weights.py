"""Which layers of a Torch model hold weights of their own, in the order of the calls; and fresh weights for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from dlexplain.frameworks.questions import Inputs, in_order

if TYPE_CHECKING:
    from dlexplain.frameworks.torch_model import TorchModel


def weighted(base: TorchModel, inputs: Inputs) -> tuple[str, ...]:
    called = list(base.shapes(inputs))
    found: list[str] = []

    def walk(module: nn.Module, name: str) -> None:
        if name and _own(module):
            found.append(name)
            return
        for child, part in module.named_children():
            walk(part, f"{name}.{child}" if name else child)

    walk(base.raw, "")
    # The parts of an exported program are never called: its graph reads their weights.
    return (*([""] if _own(base.raw) else []), *(in_order(found, called, ".") or found))


def refresh(module: nn.Module, *, whole: bool = True) -> None:
    """New weights as the layer makes them; what it does not make itself gets normal numbers of the weight's own mean
    and deviation. `whole`: with the layers inside it. Draws from Torch's random numbers."""
    before = {name: p.detach().clone() for name, p in module.named_parameters(recurse=whole)}
    with torch.no_grad():
        for part in module.modules() if whole else (module,):
            reset = getattr(part, "reset_parameters", None) or getattr(part, "_reset_parameters", None)
            if reset is not None:
                reset()
        for name, p in module.named_parameters(recurse=whole):
            old = before[name]
            if p.is_floating_point() and torch.equal(p, old) and p.numel() > 1 and old.std() > 0:
                p.copy_(torch.randn_like(p) * old.std() + old.mean())


def _own(module: nn.Module) -> bool:
    return any(p.is_floating_point() for p in module.parameters(recurse=False))
