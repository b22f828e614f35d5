"""The attention of a Keras model: its attention layers are covered for one call, and show the weights they computed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from dlexplain.frameworks.attention import Attended, shaped
from dlexplain.frameworks.keras_inside import feed, named_layers
from dlexplain.frameworks.keras_tensors import array_of, arrays_of, score_of

if TYPE_CHECKING:
    from dlexplain.frameworks.keras_model import KerasModel
    from dlexplain.frameworks.questions import Inputs, Target

_MULTI = (keras.layers.MultiHeadAttention, keras.layers.GroupQueryAttention)
_SINGLE = (keras.layers.Attention, keras.layers.AdditiveAttention)


def attended(model: KerasModel, inputs: Inputs, target: Target | None) -> tuple[list[Attended], tuple[np.ndarray, ...]]:
    """Every attention of one batch, in the order of the calls, and the outputs that came with them."""
    found: list[tuple[str, tf.Tensor]] = []
    with model._asked():
        tensors = model._tensors(inputs)
        where = model._entries(tensors)
        with tf.GradientTape() as tape:
            tape.watch(where)
            with _covered(model.raw, found):
                outputs = feed(model.raw, model._entry_sites, tensors, where)
            score = None if target is None else score_of(outputs[target.head], tf.constant(target.index, tf.int64))
        weights = [w for _, w in found]
        slopes: list[Any] = [None] * len(weights)
        if score is not None and weights:
            slopes = tape.gradient(score, weights, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        maps, calls, n = [], {}, len(inputs[0])
        for (name, weight), slope in zip(found, slopes, strict=True):
            calls[name] = calls.get(name, 0) + 1
            given = shaped(array_of(weight), n)
            if given is None:
                continue
            label = name if calls[name] == 1 else f"{name}:{calls[name]}"
            maps.append(Attended(label, given[0], None if slope is None else shaped(array_of(slope), n)[0], given[1]))
        return maps, arrays_of(outputs)


@contextlib.contextmanager
def _covered(raw: keras.Model, found: list[tuple[str, tf.Tensor]]) -> Iterator[None]:
    """Covers the one method of each attention layer in which its weights are at hand; uncovered at the end."""
    covered: list[tuple[keras.layers.Layer, str]] = []
    try:
        for name, layer in named_layers(raw).items():
            attribute = "_compute_attention" if isinstance(layer, _MULTI) else "_apply_scores"
            if isinstance(layer, (*_MULTI, *_SINGLE)) and attribute not in layer.__dict__:
                make = _multi_head if isinstance(layer, _MULTI) else _single_head
                object.__setattr__(layer, attribute, make(name, layer, found))
                covered.append((layer, attribute))
        yield
    finally:
        for layer, attribute in covered:
            object.__delattr__(layer, attribute)


def _multi_head(name: str, layer: keras.layers.Layer, found: list) -> Callable:
    compute, multi = layer._compute_attention, isinstance(layer, keras.layers.MultiHeadAttention)
    stock = type(layer)._compute_attention in [kind._compute_attention for kind in _MULTI]
    dropout = layer._dropout if multi else layer.dropout

    def run(query, key, value, attention_mask=None, *args, use_causal_mask=False, **kwargs):
        if use_causal_mask and attention_mask is None:
            attention_mask = layer._compute_causal_mask(query, value)
        shown = kwargs.get("return_attention_scores", args[1] if len(args) > 1 else False)
        if stock and not dropout and not shown and len(query.shape) == 4:
            output, weights = _fused(query, key, value, attention_mask)
        elif multi:
            kwargs = {**kwargs, "return_attention_scores": True}
            output, weights = compute(query, key, value, attention_mask, *args[:1], **kwargs)
        else:
            output, weights = compute(query, key, value, attention_mask, *args, **kwargs)
        if weights is not None:
            found.append((name, weights))
        return output, weights

    return run


def _fused(query: tf.Tensor, key: tf.Tensor, value: tf.Tensor, mask: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
    """Keras' fused attention on TensorFlow step by step: where every key is masked, it looks at all of them alike."""
    wide = tf.float32 if query.dtype in (tf.float16, tf.bfloat16) else query.dtype
    scores = tf.cast(tf.einsum("nqhd,nkhd->nhqk", query, key), wide) / np.sqrt(query.shape[-1])
    if mask is not None:
        mask = mask[:, None] if len(mask.shape) == 3 else mask
        scores = tf.where(tf.cast(mask, tf.bool), scores, -0.7 * scores.dtype.max)
    weights = tf.cast(tf.nn.softmax(scores), key.dtype)
    return tf.einsum("nhqk,nkhd->nqhd", weights, value), weights


def _single_head(name: str, layer: keras.layers.Layer, found: list) -> Callable:
    apply = layer._apply_scores

    def run(*args, **kwargs):
        output, weights = apply(*args, **kwargs)
        found.append((name, weights))
        return output, weights

    return run
