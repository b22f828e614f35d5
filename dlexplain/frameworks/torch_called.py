"""How a Torch model is called: a module by position, a Hugging Face model by name, of which only the scores count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn


def called(raw: nn.Module, tensors: tuple[torch.Tensor, ...]) -> Any:
    """The model's answer; of a Hugging Face model without its caches and inner states."""
    if not _hugging_face(raw):
        return raw(*tensors)
    second = ("decoder_input_ids",) if raw.config.is_encoder_decoder else ("attention_mask", "token_type_ids")
    found = raw(**dict(zip((raw.main_input_name, *second), tensors, strict=False)))
    return _scores(found) if isinstance(found, Mapping) else found


def _hugging_face(raw: nn.Module) -> bool:
    return hasattr(raw, "main_input_name") and hasattr(raw, "config") and type(raw).__module__.startswith("transformers.")


def _scores(found: Mapping[str, Any]) -> tuple[torch.Tensor, ...]:
    """The logits, or of a model without a head its last states."""
    logits = [value for name, value in found.items() if "logits" in name and isinstance(value, torch.Tensor)]
    states = [found[name] for name in ("last_hidden_state", "pooler_output") if found.get(name) is not None]
    return tuple(logits or states)
