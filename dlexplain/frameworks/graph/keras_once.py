"""Walks over a Keras model's operation graph that need no reference: modified gradients, and the frame of relevance."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from dlexplain.errors import UnsupportedModelError
from dlexplain.frameworks.graph.keras_compiled import Compiled
from dlexplain.frameworks.graph.keras_constants import known
from dlexplain.frameworks.graph.keras_pairs import real, registered, transposed
from dlexplain.frameworks.graph.keras_refusals import NeedsBatch, refusal
from dlexplain.frameworks.graph.keras_unroll import Step, Unrolled, Value
from dlexplain.frameworks.graph.keras_walk import Asked, chosen, unrolled
from dlexplain.frameworks.keras_tensors import arrays_of, nonempty
from dlexplain.frameworks.questions import Inputs, Target

if TYPE_CHECKING:
    from dlexplain.frameworks.keras_model import KerasModel

# (the steps, the output, one at the place asked of it, the entries) -> what each entry gets, None for nothing
Backwards = Callable[[list[Step], Value, tf.Tensor, Sequence[Value]], list[tf.Tensor | None]]


def once(model: KerasModel, inputs: Inputs, target: Target, key: tuple, backwards: Backwards) -> Inputs:
    """Runs the model on the inputs alone and walks back; compiled for any number of rows where that can be."""
    tensors = model._tensors(inputs)
    given = (tf.constant(target.index, tf.int64), *tensors, *model._entries(tensors))
    specs = tuple((tuple(t.shape[1:]), t.dtype) for t in given)
    asked = Asked(target.head, None, tuple(model._entry_sites), specs)
    try:
        return arrays_of(_compiled(model, asked, key, backwards)(*given))
    except NeedsBatch:
        try:
            return arrays_of(_compiled(model, replace(asked, batch=len(inputs[0])), key, backwards)(*given))
        except NeedsBatch as problem:
            raise UnsupportedModelError(str(problem)) from None


def _compiled(model: KerasModel, asked: Asked, key: tuple, backwards: Backwards) -> Any:
    full = (*key, asked, model.device)
    if full not in model._traces:
        ref, sites = weakref.ref(model.raw), dict(model._entry_sites)

        def body(index: tf.Tensor, *both: tf.Tensor) -> list[tf.Tensor]:
            given, x = both[: len(both) // 2], both[len(both) // 2 :]
            walk = Unrolled(alone=True)
            entries = [Value(t, t, t, True, False) for t in x]
            output, entries = unrolled(walk, ref(), sites, asked, given, entries)
            found = backwards(walk.steps, output, chosen(output.x, index), entries)
            return nonempty(found, [real(e.x) for e in entries])

        model._traces[full] = Compiled(body, asked.signature(asked.batch))
    return model._traces[full]


# ---- modified gradients ----------------------------------------------------------------------------------------------


def modified_gradient(model: KerasModel, inputs: Inputs, target: Target, rule: str) -> Inputs:
    """The gradient with another rule at each ReLU. `"guided"`: what is positive on the way forward and back;
    `"deconvnet"`: what is positive on the way back. Raises `UnsupportedModelError` where there is no ReLU."""

    def backwards(steps, output, start, entries):
        if not any(_is_relu(step) for step in steps):
            raise UnsupportedModelError(
                "No ReLU stands between the inputs and the output, so guided backpropagation and deconvnet are the "
                "plain gradient. Methods that work on this model: saliency, integrated_gradients, gradcam."
            )
        found = {id(output): start}
        for step in reversed(steps):
            incoming = [found.get(id(v)) for v in step.outputs]
            if all(m is None for m in incoming):
                continue
            outgoing = _through_relu(step, incoming[0], rule) if _is_relu(step) else _gradient(step, incoming)
            for value, m in zip(step.inputs, outgoing, strict=True):
                if m is not None and value.active:
                    found[id(value)] = found[id(value)] + m if id(value) in found else m
        return [found.get(id(e)) for e in entries]

    return once(model, inputs, target, ("modified", rule), backwards)


def _is_relu(step: Step) -> bool:
    if step.type in ("Relu", "Relu6"):
        return True
    return step.type == "Maximum" and any(_is_zero(v) for v in step.inputs)


def _is_zero(value: Value) -> bool:
    constant = known(value)
    return constant is not None and not constant.any()


def _through_relu(step: Step, incoming: tf.Tensor, rule: str) -> list[tf.Tensor | None]:
    positive = tf.nn.relu(incoming)
    if rule == "guided":
        return transposed(step.x, [positive])
    return [positive if v.active else None for v in step.inputs]


def _gradient(step: Step, incoming: list[tf.Tensor | None]) -> list[tf.Tensor | None]:
    if not any(v.x.dtype.is_floating for v in step.outputs):
        return [None] * len(step.inputs)
    if not registered(step.x):
        raise refusal(step, "has no gradient")
    return transposed(step.x, incoming)
