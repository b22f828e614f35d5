"""Token ids in Torch: which embeddings read them, and what these put out for embeddings given instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import torch
from torch import nn

from dlexplain.frameworks.questions import Inputs
from dlexplain.frameworks.torch_called import called

if TYPE_CHECKING:
    from dlexplain.frameworks.torch_model import TorchModel

EMBEDDINGS = (nn.Embedding, nn.EmbeddingBag)


def looked_up(module: nn.Embedding | nn.EmbeddingBag, ids: torch.Tensor) -> torch.Tensor:
    """`(n, length, width)`: the embedding of each token id, before a bag puts them together."""
    if isinstance(module, nn.Embedding):
        return module(ids)
    return nn.functional.embedding(ids, module.weight)


def put_out(module: nn.Embedding | nn.EmbeddingBag, ids: torch.Tensor, embedded: torch.Tensor) -> torch.Tensor:
    """What the module gives for these embeddings: themselves, or a bag's sum, mean or maximum without the padding."""
    if isinstance(module, nn.Embedding):
        return embedded
    kept = torch.ones_like(ids) if module.padding_idx is None else (ids != module.padding_idx).to(ids.dtype)
    kept = kept[..., None].to(embedded.dtype)
    if module.mode == "max":
        largest = embedded.masked_fill(kept == 0, -torch.inf).amax(1)
        return torch.where(kept.any(1), largest, 0)
    total = (embedded * kept).sum(1)
    return total / kept.sum(1).clamp(min=1) if module.mode == "mean" else total


def vocabulary(modules: Mapping[str, nn.Module], sites: list[str] | None) -> int | None:
    """How many ids all the embeddings know that read an input."""
    return min(modules[site.partition(":")[0]].num_embeddings for site in sites) if sites else None


def token_sites(model: TorchModel, inputs: Inputs) -> tuple[dict[int, list[str]], set[int]]:
    """The embedding calls (`name:2` is the second) that read each input whole, and the inputs that must be floats.

    Ids of all zeros, then all ones, are looked for at every embedding.
    """
    for kind in ("int", "float"):
        first, second = (_reads(model, inputs, value, kind) for value in (0, 1))
        if first is None:
            continue
        both = {i: [site for site in reads if second is None or site in second[i]] for i, reads in enumerate(first)}
        sites = {i: reads for i, reads in both.items() if reads}
        if sites:
            return sites, set(sites) if kind == "float" else set()
    return {}, set()


def _reads(model: TorchModel, inputs: Inputs, value: int, kind: str) -> list[list[str]] | None:
    """For each input the embedding calls that read it; None where the model does not run on such inputs."""
    dtype = torch.long if kind == "int" else model._dtype
    tensors = [torch.full((1, *a.shape[1:]), value, dtype=dtype, device=model._device) for a in inputs]
    reads: list[list[str]] = [[] for _ in tensors]
    handles, counts = [], {}

    def hook(name: str) -> Callable:
        def run(_module, arguments, named):
            counts[name] = counts.get(name, 0) + 1
            if len(arguments) != 1 or any(other is not None for other in named.values()):
                return  # a bag with offsets or weights: its rows are not the samples'
            for i, tensor in enumerate(tensors):
                ids = arguments[0]
                # A shared storage tells two inputs apart; a cast inside the model leaves only the values.
                same = ids.data_ptr() == tensor.data_ptr() or (ids.dtype != tensor.dtype and len(tensors) == 1)
                if same and ids.shape == tensor.shape and bool((ids == value).all()):
                    reads[i].append(f"{name}:{counts[name]}")

        return run

    with model._asked(), torch.no_grad():
        try:
            for name in model._embeddings:
                handles.append(model._modules[name].register_forward_pre_hook(hook(name), with_kwargs=True))
            called(model.raw, tuple(tensors))
        except (RuntimeError, TypeError, IndexError, ValueError):
            return None  # the model does not take such ids: the next kind is tried
        finally:
            for handle in handles:
                handle.remove()
    return reads
