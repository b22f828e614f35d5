"""Token ids in Keras: which embeddings read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from dlexplain.frameworks.keras_inside import named_layers, run, watched
from dlexplain.frameworks.questions import Inputs

if TYPE_CHECKING:
    from dlexplain.frameworks.keras_model import KerasModel


def vocabulary(raw: keras.Model, sites: list[str] | None) -> int | None:
    """How many ids all the embeddings know that read an input."""
    layers = named_layers(raw) if sites else {}
    return min(layers[site.partition(":")[0]].input_dim for site in sites) if sites else None


def token_sites(model: KerasModel, inputs: Inputs, embeddings: list[str]) -> dict[int, list[str]]:
    """The embedding calls (`name:2` is the second) that read each input whole.

    A constant is fed to one input at a time, zeros and then ones, and looked for at each embedding.
    """
    sites = {}
    for i in range(len(inputs)):
        first, second = (_reads(model, inputs, embeddings, i, value) for value in (0, 1))
        both = [site for site in first if site in second]
        if both:
            sites[i] = both
    return sites


def _reads(model: KerasModel, inputs: Inputs, embeddings: list[str], i: int, value: int) -> list[str]:
    arrays = tuple(np.full((1, *a.shape[1:]), value if i == j else 1 - value) for j, a in enumerate(inputs))
    counts: dict[str, int] = {}
    seen: list[str] = []

    def look(name: str, ids: tf.Tensor) -> None:
        counts[name] = counts.get(name, 0) + 1
        if tuple(ids.shape) == arrays[i].shape and bool(np.all(ids.numpy() == value)):
            seen.append(f"{name}:{counts[name]}")

    with model._asked(), watched(model.raw, embeddings, look):
        run(model.raw, model._cast(arrays))
    return seen
