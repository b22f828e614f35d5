"""Keras: recurrent networks, and text by convolution."""

from __future__ import annotations

import keras
from keras import layers as L
from keras import ops

from tests.zoo.keras_specimens import keras_specimen


def _functional(shape, call, dtype="float32"):
    x = keras.Input(shape, dtype=dtype)
    return keras.Model(x, call(x))


def _recurrent(layer):
    return lambda: _functional((8, 3), lambda x: L.Dense(3)(layer()(x)))


_LAYERS = {
    "LSTM": lambda: L.LSTM(5),
    "GRU": lambda: L.GRU(5),
    "GRU, reset before": lambda: L.GRU(5, reset_after=False),
    "SimpleRNN": lambda: L.SimpleRNN(5),
    "LSTM, unrolled": lambda: L.LSTM(5, unroll=True),
    "LSTM, backwards": lambda: L.LSTM(5, go_backwards=True),
    "bidirectional LSTM": lambda: L.Bidirectional(L.LSTM(4)),
    "RNN of cells": lambda: L.RNN([L.LSTMCell(4), L.GRUCell(5)]),
}
for _name, _layer in _LAYERS.items():
    keras_specimen(_name, (8, 3))(_recurrent(_layer))


@keras_specimen("stacked bidirectional GRU and LSTM", (8, 3))
def stacked():
    def call(x):
        x = L.Bidirectional(L.GRU(4, return_sequences=True))(x)
        return L.Dense(3)(L.LSTM(5)(L.Dropout(0.2)(x)))

    return _functional((8, 3), call)


@keras_specimen("LSTM, every step", (6, 3), target=(4, 1))
def every_step():
    return _functional((6, 3), lambda x: L.TimeDistributed(L.Dense(2))(L.LSTM(4, return_sequences=True)(x)))


@keras_specimen("ConvLSTM", (4, 5, 5, 1))
def conv_lstm():
    return _functional((4, 5, 5, 1), lambda x: L.Dense(3)(L.Flatten()(L.ConvLSTM2D(2, 3, padding="same")(x))))


@keras_specimen("convolution and GRU", (16, 3))
def conv_gru():
    return keras.Sequential(
        [
            keras.Input((16, 3)),
            L.Conv1D(4, 3, activation="relu"),
            L.AveragePooling1D(2),
            L.GRU(5),
            L.Dense(3, "softmax"),
        ]
    )


@keras_specimen("convolutions on frames, LSTM", (4, 6, 6, 1))
def frames():
    def call(x):
        x = L.TimeDistributed(L.Conv2D(3, 3, activation="relu"))(x)
        x = L.TimeDistributed(L.GlobalMaxPooling2D())(x)
        return L.Dense(3)(L.LSTM(4)(x))

    return _functional((4, 6, 6, 1), call)


@keras_specimen("encoder-decoder of GRUs", (6, 2), target=(1, 0))
def encoder_decoder():
    def call(x):
        code = L.RepeatVector(3)(L.GRU(4)(x))
        return L.Dense(2)(L.GRU(4, return_sequences=True)(code))

    return _functional((6, 2), call)


@keras_specimen("embedding, convolution, max over time", (8,), vocabulary=12)
def text_convolution():
    def call(ids):
        words = L.Embedding(12, 4)(ids)
        maps = [L.GlobalMaxPooling1D()(L.Conv1D(3, size, activation="relu")(words)) for size in (2, 3)]
        return L.Dense(3)(L.Concatenate()(maps))

    return _functional((8,), call, "int32")


@keras_specimen("embedding, bag of words", (8,), vocabulary=12)
def bag_of_words():
    return _functional((8,), lambda ids: L.Dense(3)(L.GlobalAveragePooling1D()(L.Embedding(12, 4)(ids))), "int32")


@keras_specimen("embedding, masked LSTM", (8,), vocabulary=12, padded=3)
def text_lstm():
    return _functional((8,), lambda ids: L.Dense(3)(L.LSTM(5)(L.Embedding(12, 4, mask_zero=True)(ids))), "int32")


@keras_specimen("embedding, bidirectional GRU", (8,), vocabulary=12)
def text_gru():
    return _functional((8,), lambda ids: L.Dense(3)(L.Bidirectional(L.GRU(4))(L.Embedding(12, 4)(ids))), "int32")


@keras_specimen("two towers of ids", (5,), (5,), vocabulary=12, target=0)
def id_towers():
    words = L.Embedding(12, 4)
    a, b = keras.Input((5,), dtype="int32"), keras.Input((5,), dtype="int32")
    towers = [L.Dense(4)(ops.mean(words(ids), 1)) for ids in (a, b)]
    return keras.Model([a, b], L.Dot(1, normalize=True)(towers))


@keras_specimen("state space (linear recurrence)", (8, 2))
def state_space():
    def call(x):
        drive, keep = L.Dense(4)(x), ops.convert_to_tensor([0.9, 0.7, 0.5, 0.2])
        state = drive[:, 0]
        for step in range(1, 8):
            state = keep * state + drive[:, step]
        return L.Dense(3)(state * ops.silu(L.Dense(4)(x[:, -1])))

    return _functional((8, 2), call)
