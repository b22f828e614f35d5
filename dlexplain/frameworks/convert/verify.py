"""The proof of a conversion: both networks give the same outputs for random inputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlexplain.errors import UnsupportedModelError
from dlexplain.frameworks.convert.graph import Graph

TOLERANCE = 1e-4  # of the largest output
UNKNOWN = 16  # the length of an axis of any length


def check(graph: Graph, model: Any, twin: Any, source: str) -> None:
    """Compare predictions in the graph's channels-last layout."""
    inputs = random_inputs(graph)
    one = predictions(model, inputs, graph, keras=source == "keras")
    two = predictions(twin, inputs, graph, keras=source != "keras")
    for name, left, right in zip(graph.outputs, one, two, strict=True):
        if left.shape != right.shape:
            raise UnsupportedModelError(
                f"The twin's output {name!r} has shape {right.shape}, the model's {left.shape}."
            )
        error = float(np.max(np.abs(left - right), initial=0.0))
        size = float(np.max(np.abs(left), initial=0.0))
        if not error <= TOLERANCE * max(size, 1e-3):
            raise UnsupportedModelError(
                f"The twin disagrees with the model: output {name!r} differs by {error:.3g} where it "
                f"reaches {size:.3g}. "
                "Some layer behaves otherwise than its kind (a forward hook, an overridden call); no twin "
                "is given."
            )


def random_inputs(graph: Graph, samples: int = 2) -> list[np.ndarray]:
    """Normal values, or token ids where an embedding reads them, from a generator of its own."""
    rng = np.random.default_rng(0)
    inputs = []
    for name in graph.inputs:
        shape = (samples, *(UNKNOWN if size is None else size for size in graph.shape(name)))
        if graph.input_dtype(name) == "int32":
            inputs.append(rng.integers(0, graph.token_limit(name), shape).astype(np.int32))
        else:
            inputs.append(rng.standard_normal(shape).astype(np.float32))
    return inputs


def predictions(model: Any, inputs: list[np.ndarray], graph: Graph, *, keras: bool) -> list[np.ndarray]:
    """Outputs as a list, channels-last."""
    if keras:
        results = model(inputs[0] if len(inputs) == 1 else inputs, training=False)
        results = list(results.values()) if isinstance(results, dict) else results
        return [np.asarray(item) for item in (results if isinstance(results, (list, tuple)) else [results])]
    import torch

    ready = [
        torch.from_numpy(np.moveaxis(item, -1, 1).copy() if first else item)
        for item, first in zip(inputs, graph.first_inputs, strict=True)
    ]
    with torch.no_grad():
        results = model(*ready)
    results = results if isinstance(results, (list, tuple)) else [results]
    return [
        np.moveaxis(item.numpy(), 1, -1) if first else item.numpy()
        for item, first in zip(results, graph.first_outputs, strict=True)
    ]
