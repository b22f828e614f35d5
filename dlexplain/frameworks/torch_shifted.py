"""A Torch model that first takes a shift away from its inputs: at shifted inputs the same function."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from dlexplain.frameworks.questions import Inputs
from dlexplain.frameworks.torch_model import TorchModel

if TYPE_CHECKING:
    from dlexplain.frameworks.model import Model


class _Shifted(nn.Module):
    def __init__(self, inner: nn.Module, shifts: list[torch.Tensor | None]) -> None:
        super().__init__()
        self.inner = inner
        for i, shift in enumerate(shifts):
            self.register_buffer(f"shift_{i}", shift, persistent=False)
        self._count = len(shifts)

    def forward(self, *x: torch.Tensor):
        shifts = [getattr(self, f"shift_{i}") for i in range(self._count)]
        return self.inner(*(a if s is None else a - s for a, s in zip(x, shifts, strict=True)))


class ShiftedModel(TorchModel):
    def __init__(self, base: TorchModel, shifts: tuple) -> None:
        held = [None if s is None else torch.as_tensor(s, dtype=base._dtype, device=base._device) for s in shifts]
        super().__init__(_Shifted(base.raw, held), input_shapes=base.input_shapes, **base.options())
        self.input_names, self._lock, self._base = base.input_names, base._lock, base

    def token_inputs(self, inputs: Inputs) -> tuple[int | None, ...]:
        found = self._base.token_inputs(inputs)
        sites = self._base._entry_sites.items()
        self._entry_sites = {i: [f"inner.{site}" for site in names] for i, names in sites}
        self._float_ids = set(self._base._float_ids)
        return found


def shifted(base: TorchModel, shifts: tuple) -> Model:
    return ShiftedModel(base, shifts)
