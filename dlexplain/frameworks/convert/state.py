"""Random state and naming counters as they were, whatever happens inside."""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Iterator

import numpy as np


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Building layers draws initial weights and names; the user's session must not notice."""
    with contextlib.ExitStack() as stack:
        stack.callback(random.setstate, random.getstate())
        stack.callback(np.random.set_state, np.random.get_state())
        if "torch" in sys.modules:
            import torch

            stack.callback(torch.set_rng_state, torch.get_rng_state())
        if "keras" in sys.modules:
            stack.enter_context(_keras_names())
        yield


@contextlib.contextmanager
def _keras_names() -> Iterator[None]:
    """Keras numbers unnamed layers in one counter for the process; it has no public way to put it back."""
    from keras.src.backend.common import global_state

    counts = global_state.get_global_attribute("object_name_uids", None)
    before = None if counts is None else dict(counts)
    try:
        yield
    finally:
        counts = global_state.get_global_attribute("object_name_uids", None)
        if counts is not None:
            counts.clear()
            counts.update(before or {})
