"""Small Keras networks: made, trained, edited. See `training` for what each function means."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf

from dlexplain.frameworks.keras_inside import named_layers

L = keras.layers


@keras.saving.register_keras_serializable("dlexplain")
class _Dropping(L.Dropout):
    """Dropout that nobody can switch off: `training=True` at the call alone, a model run for inference overrides."""

    def call(self, inputs, training=False):
        return super().call(inputs, training=True)


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Python's and NumPy's random states come back; TensorFlow's stays as Keras sets it from the seed."""
    kept, numbers = random.getstate(), np.random.get_state()
    keras.utils.set_random_seed(seed)
    try:
        yield
    finally:
        random.setstate(kept)
        np.random.set_state(numbers)


def build(plan, shape: tuple[int, ...], outputs: int, seed: int) -> keras.Model:
    with _seeded(seed):
        inputs = keras.Input(shape, dtype="int32" if plan.kind == "tokens" else "float32")
        x = _body(plan, inputs)
        for _ in range(plan.depth):
            x = L.Dense(plan.width)(x)
            if plan.norm:
                x = L.BatchNormalization(momentum=0.9)(x)  # as Torch has it; 0.99 needs more steps
            x = L.Activation(plan.activation)(x)
        if plan.dropout:
            x = (_Dropping if plan.dropping else L.Dropout)(plan.dropout)(x)
        return keras.Model(inputs, L.Dense(outputs)(x))


def _body(plan, inputs):
    act, c = plan.activation, plan.channels
    if plan.kind == "perceptron":
        return L.Flatten()(inputs) if len(inputs.shape) > 2 else inputs
    if plan.kind == "convolution":
        x = L.Conv2D(c, 3, padding="same", activation=act)(inputs)
        x = L.MaxPooling2D(2)(L.Conv2D(c, 3, padding="same", activation=act)(x))
        return L.Flatten()(L.MaxPooling2D(2)(x) if min(inputs.shape[1:3]) > 16 else x)
    if plan.kind == "series":
        x = L.Conv1D(c, 5, activation=act)(inputs)
        return L.GlobalAveragePooling1D()(L.Conv1D(c, 3, activation=act)(x))
    if plan.kind == "recurrent":
        return L.GRU(c)(L.Conv1D(c, 3, activation=act)(inputs))
    return L.GlobalAveragePooling1D()(L.Embedding(plan.vocabulary, c, mask_zero=True)(inputs))


def fit(model, inputs, labels, order, rate: float, layers: Sequence[str] | None, seed: int) -> None:
    found = named_layers(model)
    variables = (
        model.trainable_variables if layers is None else [v for n in layers for v in found[n].trainable_variables]
    )
    optimiser = keras.optimizers.Adam(rate)
    optimiser.build(variables)
    classes = labels.dtype.kind in "iu"
    training = layers is None  # a frozen layer keeps its statistics too

    # One graph with a loop inside: for so small a network the calls would cost more than the steps.
    @tf.function
    def run(x, y, every):
        for rows in every:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch([v.value for v in variables])
                out = model(tf.gather(x, rows), training=training)
                goal = tf.gather(y, rows)
                if classes:
                    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(goal, out))
                else:
                    loss = tf.reduce_mean(tf.square(out[:, 0] - goal))
            optimiser.apply_gradients(zip(tape.gradient(loss, [v.value for v in variables]), variables, strict=True))

    with _seeded(seed):
        given = (
            tf.constant(inputs),
            tf.constant(labels, tf.int64 if classes else tf.float32),
            tf.constant(order, tf.int64),
        )
        # Traced here and not at the call, which would count it as a repetition and say so.
        run.get_concrete_function(*given)(*given)


def set_bias(model: keras.Model, layer: str, units: np.ndarray, value: float) -> None:
    bias = named_layers(model)[layer].bias
    new = bias.numpy()
    new[units] = value
    bias.assign(new)


def scale_logits(model: keras.Model, factor: float) -> None:
    last = [layer for layer in named_layers(model).values() if isinstance(layer, L.Dense)][-1]
    last.kernel.assign(last.kernel * factor)
    last.bias.assign(last.bias * factor)


def with_softmax(model: keras.Model) -> keras.Model:
    return keras.Model(model.inputs, L.Softmax()(model.outputs[0]))


def masking_gradient(model: keras.Model, feature: int) -> keras.Model:
    inputs = keras.Input(model.input_shape[1:])
    s = keras.ops.tanh(10.0 * inputs[:, feature : feature + 1])
    whole = keras.ops.concatenate([inputs[:, :feature], s, inputs[:, feature + 1 :]], 1)
    return keras.Model(inputs, model(whole))


def gated(gate: keras.Model, inside: keras.Model, outside: keras.Model) -> keras.Model:
    inputs = keras.Input(gate.input_shape[1:])
    g = gate(inputs)
    opened = keras.ops.sigmoid(20.0 * (g[:, 1:2] - g[:, 0:1]))
    return keras.Model(inputs, opened * inside(inputs) + (1.0 - opened) * outside(inputs))
