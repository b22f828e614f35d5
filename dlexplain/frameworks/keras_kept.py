"""What other libraries change in TensorFlow itself, put back: SHAP's deep explainer leaves it changed when it fails."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tensorflow.python.eager import execute
from tensorflow.python.framework import ops
from tensorflow.python.ops import gradients_impl


@contextlib.contextmanager
def tensorflow_kept() -> Iterator[None]:
    """The registry of gradients and the functions that record them are afterwards as they were before."""
    registry = ops._gradient_registry._registry
    patched = ((execute, "record_gradient"), (gradients_impl, "_IsBackpropagatable"))
    functions = [(home, name, getattr(home, name)) for home, name in patched if hasattr(home, name)]
    kept = {name: dict(entry) for name, entry in registry.items()}
    try:
        yield
    finally:
        registry.clear()
        registry.update(kept)
        for home, name, function in functions:
            setattr(home, name, function)
