"""Inside a Torch module: taps on what its parts put out, and what keeps a network from being asked."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import nn

from dlexplain.errors import UnsupportedModelError

Tap = Callable[[torch.Tensor], torch.Tensor | None]


def named_modules(raw: nn.Module) -> dict[str, nn.Module]:
    """Every module by its path, without the root. What Torch has compiled to a script cannot be looked into."""
    return {
        name: module
        for name, module in raw.named_modules()
        if name and not isinstance(module, torch.jit.RecursiveScriptModule)
    }


@contextlib.contextmanager
def tapped(raw: nn.Module, taps: Mapping[str, Tap]) -> Iterator[None]:
    """A tap sees what a layer puts out and may replace it. `name:2` is the second call, `name:*` all."""
    handles, counts = [], {}

    def hook(name: str) -> Callable:
        def run(_module, _inputs, output):
            call = counts[name] = counts.get(name, 0) + 1
            tap = taps.get(f"{name}:*") or taps.get(f"{name}:{call}") or (taps.get(name) if call == 1 else None)
            tensor = next(iter(tensors(output)), None) if tap is not None else None
            new = None if tensor is None else tap(tensor)
            return None if new is None else substitute(output, tensor, new)

        return run

    modules = named_modules(raw) if taps else {}
    try:
        for name in dict.fromkeys(site.partition(":")[0] for site in taps):
            handles.append(modules[name].register_forward_hook(hook(name)))
        yield
    finally:
        for handle in handles:
            handle.remove()


def tensors(output: Any) -> tuple[torch.Tensor, ...]:
    """Every tensor of an output, in order, however it is nested."""
    if isinstance(output, torch.Tensor):
        return (output,)
    if isinstance(output, Mapping):
        output = output.values()
    if hasattr(output, "to_tuple"):
        output = output.to_tuple()
    if isinstance(output, (tuple, list)) or (not hasattr(output, "dtype") and hasattr(output, "__iter__")):
        return tuple(tensor for part in output for tensor in tensors(part))
    return ()


def substitute(output: Any, old: torch.Tensor, new: torch.Tensor) -> Any:
    if output is old:
        return new
    if isinstance(output, tuple):
        return tuple(substitute(part, old, new) for part in output)
    if isinstance(output, list):
        return [substitute(part, old, new) for part in output]
    return {k: substitute(v, old, new) for k, v in output.items()} if isinstance(output, Mapping) else output


def layout_of(raw: nn.Module) -> str:
    """Torch's convolutions and poolings hold channels first; a network without them holds them last."""
    first = ("Conv1d", "Conv2d", "Conv3d", "Pool1d", "Pool2d", "BatchNorm2d")
    spatial = any(type(m).__name__.endswith(first) for m in raw.modules())
    recurrent = any(isinstance(m, nn.RNNBase) for m in raw.modules())
    return "channels_last" if recurrent and not spatial else "channels_first"


def refuse_batch_statistics(raw: nn.Module) -> None:
    for name, module in raw.named_modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_mean is None:
            raise UnsupportedModelError(
                f"layer {name!r} ({type(module).__name__}, track_running_stats=False) normalises by the batch at hand, so a "
                "sample's output depends on its neighbours and has no explanation of its own. Train it with running "
                "statistics, or replace it by GroupNorm or LayerNorm."
            )
