"""Small networks made and trained in either framework, and the edits that planting a fault needs."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal

import numpy as np

from dlexplain.errors import InputError
from dlexplain.frameworks.present import require
from dlexplain.frameworks.wrap import wrap

FRAMEWORKS = ("keras", "torch")
KINDS = ("perceptron", "convolution", "series", "recurrent", "tokens")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A small network that ends in logits (or values of a regression).

    `perceptron`: flattens pictures, takes tables as they are. `convolution`: two convolutions of 3 x 3, pooled, for
    pictures. `series`: two convolutions over time, averaged. `recurrent`: one, and a GRU's last state. `tokens`:
    embeddings of `vocabulary` ids, averaged over those that are not padding (0). `depth`: dense layers before the last.
    `dropout`: the share dropped before the last layer; `dropping`: also when the model is asked (the mode is wired in).
    """

    kind: Literal["perceptron", "convolution", "series", "recurrent", "tokens"]
    width: int = 32
    depth: int = 1
    channels: int = 16
    activation: Literal["relu", "tanh", "gelu"] = "relu"
    dropout: float = 0.0
    dropping: bool = False
    norm: bool = False
    vocabulary: int | None = None


def build(framework: str, plan: Plan, shape: Sequence[int], outputs: int, *, seed: int) -> Any:
    """A raw model with the framework's own initial weights; `shape`: of one sample, channels last."""
    if plan.kind not in KINDS:
        raise InputError(f"kind={plan.kind!r} of a network is not one of {', '.join(KINDS)}.")
    return _home(framework).build(plan, tuple(shape), int(outputs), int(seed))


def own_layout(framework: str, inputs: np.ndarray) -> np.ndarray:
    """Pictures `(n, height, width, channels)` and series `(n, time, channels)` as the framework's networks take them."""
    return np.ascontiguousarray(np.moveaxis(inputs, -1, 1)) if framework == "torch" and inputs.ndim > 2 else inputs


def fit(
    model: Any,
    inputs: np.ndarray,
    labels: np.ndarray,
    *,
    epochs: int,
    seed: int,
    rate: float = 3e-3,
    batch: int = 64,
    layers: Sequence[str] | None = None,
) -> None:
    """Trains in place with Adam: cross entropy of logits for whole-number labels, else squared error of output 0.

    `layers`: those that learn; None: all. Repeatable from the seed on one machine with the same number of threads.
    """
    labels = np.asarray(labels)
    rng, batch = np.random.default_rng(seed), min(batch, len(labels))
    whole = len(labels) // batch * batch
    order = np.concatenate([rng.permutation(len(labels))[:whole] for _ in range(epochs)]).reshape(-1, batch)
    _home(wrap(model).framework).fit(model, inputs, labels, order, float(rate), layers, int(seed))


def reinitialised(model: Any, layer: str, *, seed: int) -> Any:
    """A copy with fresh weights in one layer."""
    return wrap(model).reinitialised([layer], seed).raw


def set_bias(model: Any, layer: str, units: Sequence[int], value: float) -> None:
    """The bias of some units (channels) of a layer, in place."""
    _of(model).set_bias(model, layer, np.asarray(units), float(value))


def scale_logits(model: Any, factor: float) -> None:
    """Multiplies the last layer's weights and bias, in place."""
    _of(model).scale_logits(model, float(factor))


def with_softmax(model: Any) -> Any:
    """The same network, ended by a softmax; weights are shared."""
    return _of(model).with_softmax(model)


def masking_gradient(model: Any, feature: int) -> Any:
    """The same network of a table, its column s (of values -1 and +1) replaced by tanh(10 s): no gradient is left."""
    return _of(model).masking_gradient(model, feature)


def gated(gate: Any, inside: Any, outside: Any) -> Any:
    """`inside` where the gate's output 1 is over output 0, else `outside` (Slack et al. 2020); for tables."""
    return _of(gate).gated(gate, inside, outside)


def layer_names(model: Any, *words: str) -> list[str]:
    """Names of the layers whose type contains one of the words, in order."""
    return [layer.name for layer in wrap(model).layers if any(word in layer.type for word in words)]


def _of(model: Any) -> ModuleType:
    return _home(wrap(model).framework)


def _home(framework: str) -> ModuleType:
    if framework not in FRAMEWORKS:
        raise InputError(f"framework={framework!r} is not one of {', '.join(FRAMEWORKS)}.")
    require(framework, "training a small network")
    return importlib.import_module(f"dlexplain.frameworks.{framework}_training")
