"""Compiled walks: one graph for any number of calls."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import config_pb2
from tensorflow.python.eager import context

# From here on TensorFlow's optimiser costs more, once, than it saves: its time grows faster than the graph.
_LARGE = 4000


class Compiled:
    """Called through `tf.function` itself, TensorFlow would complain of many models, one after another."""

    def __init__(self, body: Callable, signature: Sequence[tf.TensorSpec]) -> None:
        self._function = tf.function(body, autograph=False).get_concrete_function(*signature)
        self._large = len(self._function.graph.get_operations()) > _LARGE

    def __call__(self, *tensors: tf.Tensor) -> Any:
        with _as_written() if self._large else contextlib.nullcontext():
            return self._function(*tensors)


@contextlib.contextmanager
def _as_written() -> Iterator[None]:
    """Graphs called within run without the optimiser; the option is the thread's own and comes back."""
    thread = context.context()
    before = thread.function_call_options
    config = config_pb2.ConfigProto.FromString(before.config_proto_serialized)
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    try:
        thread.function_call_options = context.FunctionCallOptions(before.executor_type, config)
        yield
    finally:
        thread.function_call_options = before
