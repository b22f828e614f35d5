"""A Torch model seen from one of its layers: it ends there, or it begins there. The user's module is inside, untouched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from dlexplain.errors import InputError
from dlexplain.frameworks.torch_called import called
from dlexplain.frameworks.torch_inside import tapped
from dlexplain.frameworks.torch_model import TorchModel

if TYPE_CHECKING:
    from dlexplain.frameworks.questions import Inputs


class _Ending(nn.Module):
    def __init__(self, inner: nn.Module, layer: str, first: bool | None) -> None:
        super().__init__()
        self.inner, self._layer, self._first = inner, layer, first

    def forward(self, *x: torch.Tensor) -> torch.Tensor:
        caught: list[torch.Tensor] = []
        # Cloned: the next layer may work in place.
        with tapped(self.inner, {self._layer: lambda t: caught.append(t.clone())}):
            called(self.inner, x)
        if not caught:
            raise InputError(f"layer {self._layer!r} is not called by the model on these inputs.")
        if self._first is None:
            return caught[0]
        value = caught[0].movedim(1, -1) if self._first else caught[0]
        return value.flatten(1, -2).mean(1) if value.ndim > 2 else value


class _Entering(nn.Module):
    def __init__(self, inner: nn.Module, layer: str) -> None:
        super().__init__()
        self.inner, self._layer = inner, layer

    def forward(self, activations: torch.Tensor, *x: torch.Tensor):
        # Cloned: the next layer may work in place on what it is given.
        with tapped(self.inner, {self._layer: lambda _: activations.clone()}):
            return called(self.inner, x)


class EndingModel(TorchModel):
    """Its output is the layer's activations, or of each unit the mean over places when `mean`."""

    def __init__(self, base: TorchModel, layer: str, mean: bool, rank: int) -> None:
        first = base.channels_first(layer, rank) if mean else None
        super().__init__(_Ending(base.raw, layer, first), input_shapes=base.input_shapes, layout=base.layout)
        self.feature_names, self.input_names, self._lock = base.feature_names, base.input_names, base._lock
        self._base = base

    @property
    def fingerprint(self) -> str:
        return self._base.fingerprint


class EnteringModel(TorchModel):
    """Its first input is the layer's activations; the model's own follow and feed whatever else the outputs need."""

    def __init__(self, base: TorchModel, layer: str) -> None:
        super().__init__(_Entering(base.raw, layer), layout=base.layout, class_names=base.class_names)
        self._lock, self._base = base._lock, base

    @property
    def fingerprint(self) -> str:
        return self._base.fingerprint

    def token_inputs(self, inputs: Inputs) -> tuple[int | None, ...]:
        found = self._base.token_inputs(inputs[1:])
        sites = self._base._entry_sites.items()
        self._entry_sites = {i + 1: [f"inner.{site}" for site in names] for i, names in sites}
        self._float_ids = {i + 1 for i in self._base._float_ids}
        return (None, *found)


def ending(base: TorchModel, layer: str, mean: bool, rank: int) -> EndingModel:
    return EndingModel(base, layer, mean, rank)


def entering(base: TorchModel, layer: str) -> EnteringModel:
    return EnteringModel(base, layer)


def within(base: TorchModel, layer: str) -> str:
    """What a layer of the model is called in a view of it."""
    return f"inner.{layer}"
