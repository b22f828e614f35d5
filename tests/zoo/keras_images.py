"""Keras: convolution networks on pictures, volumes and series."""

from __future__ import annotations

import keras
from keras import layers as L
from keras import ops

from tests.zoo.keras_specimens import keras_specimen


def _functional(shape, call):
    x = keras.Input(shape)
    return keras.Model(x, call(x))


def _classes(x, units=3):
    return L.Dense(units)(L.GlobalAveragePooling2D()(x))


@keras_specimen("CNN, batch norm, max-pool", (8, 8, 2))
def cnn_max():
    return keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            L.Conv2D(4, 3, padding="same"),
            L.BatchNormalization(),
            L.ReLU(),
            L.MaxPooling2D(2),
            L.Conv2D(4, 3, activation="relu"),
            L.Flatten(),
            L.Dropout(0.5),
            L.Dense(3, "softmax"),
        ]
    )


@keras_specimen("CNN, average pool", (8, 8, 1))
def cnn_average():
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(4, 3, strides=2, padding="same", activation="elu"),
            L.AveragePooling2D(2),
            L.Conv2D(4, 2, activation="tanh"),
            L.GlobalMaxPooling2D(),
            L.Dense(3),
        ]
    )


@keras_specimen("nested backbone", (8, 8, 1))
def nested():
    inner = keras.Sequential([keras.Input((8, 8, 3)), L.Conv2D(4, 3, activation="relu"), L.MaxPooling2D(2)])
    return _functional((8, 8, 1), lambda x: _classes(inner(L.Concatenate()([x, 0.5 * x, 1 - x]))))


@keras_specimen("depthwise separable", (8, 8, 2))
def separable():
    def call(x):
        x = L.SeparableConv2D(6, 3, padding="same", activation="relu")(x)
        x = L.ReLU(max_value=6)(L.BatchNormalization()(L.DepthwiseConv2D(3)(x)))
        return _classes(L.Conv2D(6, 1, activation="relu")(x))

    return _functional((8, 8, 2), call)


@keras_specimen("residual network", (8, 8, 2))
def residual():
    def block(x, width, stride):
        y = L.ReLU()(L.BatchNormalization()(L.Conv2D(width, 3, strides=stride, padding="same")(x)))
        y = L.BatchNormalization()(L.Conv2D(width, 3, padding="same")(y))
        short = x if stride == 1 else L.Conv2D(width, 1, strides=stride)(x)
        return L.ReLU()(L.Add()([y, short]))

    def call(x):
        x = L.Conv2D(4, 3, padding="same", activation="relu")(x)
        return _classes(block(block(x, 4, 1), 6, 2))

    return _functional((8, 8, 2), call)


@keras_specimen("U-Net", (8, 8, 1), target=(3, 4, 1))
def u_net():
    def call(x):
        one = L.Conv2D(3, 3, padding="same", activation="relu")(x)
        two = L.Conv2D(4, 3, padding="same", activation="relu")(L.MaxPooling2D(2)(one))
        low = L.Conv2D(5, 3, padding="same", activation="relu")(L.MaxPooling2D(2)(two))
        up = L.Conv2D(4, 3, padding="same", activation="relu")(L.Concatenate()([L.UpSampling2D(2)(low), two]))
        up = L.Conv2DTranspose(3, 2, strides=2, activation="relu")(up)
        return L.Conv2D(2, 1)(L.Concatenate()([up, one]))

    return _functional((8, 8, 1), call)


@keras_specimen("ConvNeXt block", (8, 8, 2))
def convnext():
    def call(x):
        x = L.LayerNormalization(epsilon=1e-6)(L.Conv2D(4, 2, strides=2)(x))
        y = L.LayerNormalization(epsilon=1e-6)(L.DepthwiseConv2D(3, padding="same")(x))
        y = L.Dense(4)(L.Dense(8, "gelu")(y))
        return _classes(x + 0.5 * y)

    return _functional((8, 8, 2), call)


@keras_specimen("inverted residual", (8, 8, 4))
def inverted_residual():
    def call(x):
        y = L.ReLU(6.0)(L.BatchNormalization()(L.Conv2D(8, 1, use_bias=False)(x)))
        y = L.ReLU(6.0)(L.BatchNormalization()(L.DepthwiseConv2D(3, padding="same", use_bias=False)(y)))
        return _classes(x + L.BatchNormalization()(L.Conv2D(4, 1, use_bias=False)(y)))

    return _functional((8, 8, 4), call)


@keras_specimen("squeeze and excitation", (8, 8, 2))
def squeeze():
    def call(x):
        x = L.Conv2D(6, 3, activation="relu")(x)
        gate = L.Dense(6, "sigmoid")(L.Dense(3, "relu")(L.GlobalAveragePooling2D(keepdims=True)(x)))
        return _classes(L.Multiply()([x, gate]))

    return _functional((8, 8, 2), call)


@keras_specimen("Inception block", (8, 8, 2))
def inception():
    def call(x):
        one = L.Conv2D(2, 1, padding="same", activation="relu")(x)
        three = L.Conv2D(3, 3, padding="same", activation="relu")(L.Conv2D(2, 1, activation="relu")(x))
        five = L.Conv2D(2, 5, padding="same", activation="relu")(x)
        pool = L.Conv2D(2, 1, activation="relu")(L.MaxPooling2D(3, strides=1, padding="same")(x))
        return _classes(L.Concatenate()([one, three, five, pool]))

    return _functional((8, 8, 2), call)


@keras_specimen("DenseNet block", (8, 8, 2))
def dense_net():
    def call(x):
        for _ in range(3):
            y = L.Conv2D(3, 3, padding="same")(L.ReLU()(L.BatchNormalization()(x)))
            x = L.Concatenate()([x, y])
        x = L.AveragePooling2D(2)(L.Conv2D(4, 1)(L.ReLU()(L.BatchNormalization()(x))))
        return _classes(x)

    return _functional((8, 8, 2), call)


@keras_specimen("group norm CNN", (8, 8, 2))
def group_norm():
    return _functional((8, 8, 2), lambda x: _classes(L.ReLU()(L.GroupNormalization(2)(L.Conv2D(6, 3)(x)))))


@keras_specimen("instance norm CNN", (8, 8, 2))
def instance_norm():
    return _functional((8, 8, 2), lambda x: _classes(L.Activation("silu")(L.GroupNormalization(-1)(L.Conv2D(4, 3)(x)))))


@keras_specimen("capsules with squash", (8, 8, 1))
def capsules():
    def call(x):
        x = L.Reshape((-1, 4))(L.Conv2D(8, 3, strides=2, activation="relu")(x))
        size = ops.sum(ops.square(x), -1, keepdims=True)
        x = size / (1 + size) * x / ops.sqrt(size + 1e-3)
        votes = ops.einsum("nic,ick->nik", x, 0.3 * keras.random.normal((18, 4, 6), seed=3))
        total = L.Reshape((3, 2))(ops.mean(votes, 1))
        return ops.sqrt(ops.sum(ops.square(total), -1) + 1e-3)

    return _functional((8, 8, 1), call)


@keras_specimen("convolutional autoencoder", (8, 8, 1), target=(6, 0, 0))
def conv_autoencoder():
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(3, 3, strides=2, padding="same", activation="relu"),
            L.Conv2D(2, 3, strides=2, padding="same", activation="relu"),
            L.Conv2DTranspose(3, 3, strides=2, padding="same", activation="relu"),
            L.UpSampling2D(2, interpolation="bilinear"),
            L.ZeroPadding2D(1),
            L.Conv2D(1, 3, activation="sigmoid"),
        ]
    )


@keras_specimen("resized and cropped", (8, 8, 2))
def resized():
    def call(x):
        x = L.Resizing(12, 10)(L.Rescaling(0.5, 0.1)(x))
        return _classes(L.Conv2D(4, 3, activation="mish")(L.Cropping2D(1)(x)))

    return _functional((8, 8, 2), call)


@keras_specimen("3-D convolution", (5, 5, 5, 1))
def volume():
    return keras.Sequential(
        [
            keras.Input((5, 5, 5, 1)),
            L.Conv3D(3, 2, activation="relu"),
            L.MaxPooling3D(2),
            L.Conv3D(3, 2, activation="relu"),
            L.GlobalAveragePooling3D(),
            L.Dense(3),
        ]
    )


@keras_specimen("1-D convolution over time", (16, 3))
def over_time():
    return keras.Sequential(
        [
            keras.Input((16, 3)),
            L.Conv1D(5, 3, activation="relu"),
            L.MaxPooling1D(2),
            L.Conv1D(5, 3, activation="relu"),
            L.GlobalMaxPooling1D(),
            L.Dense(3),
        ]
    )


@keras_specimen("dilated TCN", (16, 2))
def tcn():
    def call(x):
        x = L.Dense(4)(x)
        for dilation in (1, 2, 4):
            y = L.Conv1D(4, 2, padding="causal", dilation_rate=dilation, activation="relu")(x)
            x = L.ReLU()(x + L.SpatialDropout1D(0.2)(L.Conv1D(4, 1)(y)))
        return L.Dense(3)(x[:, -1])

    return _functional((16, 2), call)


@keras_specimen("spectral layer (einsum)", (12,))
def spectral():
    import numpy as np

    angle = 2 * np.pi * np.outer(np.arange(7), np.arange(12)) / 12
    cosine, sine = np.cos(angle).astype("float32"), np.sin(angle).astype("float32")

    def call(x):
        real, imaginary = ops.einsum("ft,nt->nf", cosine, x), ops.einsum("ft,nt->nf", sine, x)
        return L.Dense(3)(L.Dense(6, "relu")(ops.log(1 + real**2 + imaginary**2)))

    return _functional((12,), call)
