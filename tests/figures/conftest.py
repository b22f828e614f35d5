"""Results made by hand: figures are tested without any model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dlexplain.attribution.result import Attribution
from dlexplain.layers.results import Activations


def _attribution(inputs, kind, *, seed=0, gap=True, scale=1.0, **fields) -> Attribution:
    rng = np.random.default_rng(seed)
    several = isinstance(inputs, tuple)
    parts = inputs if several else (inputs,)
    values = tuple((scale * rng.normal(size=part.shape)).astype(np.float32) for part in parts)
    count = len(parts[0])
    known = {
        "values": values if several else values[0],
        "inputs": inputs,
        "target": np.arange(count) % 3,
        "baseline": np.float32(0),
        "method": "integrated_gradients",
        "options": {},
        "seed": 0,
        "framework": "keras",
        "fingerprint": "0" * 64,
        "output": np.linspace(0.5, 0.9, count).astype(np.float32),
        "kind": (kind,) if isinstance(kind, str) else kind,
        "class_names": ("cat", "dog", "fish"),
    }
    if gap:
        known |= {
            "gap": np.full(count, 0.004),
            "relative_gap": np.full(count, 0.0123),
            "baseline_output": np.zeros(count, np.float32),
            "tolerance": 0.01,
        }
    return Attribution(**{**known, **fields})


@pytest.fixture
def attribute() -> Callable[..., Attribution]:
    """`attribute(inputs, kind, **fields)`: an attribution with random values."""
    return _attribution


@pytest.fixture
def each_kind() -> dict[str, Attribution]:
    """One attribution of six samples for each kind and layout."""
    rng = np.random.default_rng(1)
    picture = rng.random((6, 8, 10, 3)).astype(np.float32)
    series = rng.normal(size=(6, 20, 4)).astype(np.float32)
    return {
        "last": _attribution(picture, "image", layout="channels_last"),
        "first": _attribution(np.moveaxis(picture, -1, 1), "image", layout="channels_first"),
        "grey": _attribution(picture[..., 0], "image"),
        "table": _attribution(rng.normal(size=(6, 5)).astype(np.float32), "table"),
        "series": _attribution(series, "series", layout="channels_last"),
        "series_first": _attribution(np.moveaxis(series, -1, 1), "series", layout="channels_first"),
        "tokens": _attribution(rng.integers(0, 99, (6, 7)), "tokens"),
        "several": _attribution(
            (picture, rng.normal(size=(6, 5)).astype(np.float32)), ("image", "table"), layout="channels_last"
        ),
    }


@pytest.fixture
def inside() -> Activations:
    """Activations of three layers; channels 1 and 3 of the first, and unit 2 of the second, are dead."""
    rng = np.random.default_rng(2)
    maps = rng.random((3, 6, 7, 5)).astype(np.float32)
    maps[..., [1, 3]] = 0
    dense = rng.random((3, 8)).astype(np.float32)
    dense[:, 2] = 0
    return Activations(
        values={"conv": maps, "dense": dense, "logits": rng.normal(size=(3, 4)).astype(np.float32)},
        types={"conv": "Conv2D", "dense": "Dense", "logits": "Dense"},
        inputs=maps,
        framework="keras",
        fingerprint="0" * 64,
        layout="channels_last",
    )
