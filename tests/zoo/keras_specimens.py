"""How a Keras architecture enters the zoo, and the weights it gets."""

from __future__ import annotations

from functools import partial
from typing import Any

import keras
import numpy as np

from tests.zoo.specimen import architecture, one_or_all


def _prepare(model: Any, samples: tuple[np.ndarray, ...]) -> None:
    given = one_or_all(samples)
    if not model.built:
        model(given)
    generator = np.random.default_rng(7)
    for weight in model.weights:
        words = weight.path.rsplit("/", 1)[-1]
        if words in ("gamma", "scale"):
            weight.assign(generator.uniform(0.7, 1.3, weight.shape))
        elif words in ("bias", "beta"):
            weight.assign(weight + 0.1 * generator.standard_normal(weight.shape))
        elif words == "embeddings":
            weight.assign(10 * weight)
    norms = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    if not norms:
        return
    kept = [layer.momentum for layer in norms]
    for layer in norms:
        layer.momentum = 0.0  # one pass in training mode leaves the statistics of these samples
    model(list(given) if isinstance(given, tuple) else given, training=True)
    for layer, momentum in zip(norms, kept, strict=True):
        layer.momentum = momentum


keras_specimen = partial(architecture, "keras", prepare=_prepare, seed=keras.utils.set_random_seed)
