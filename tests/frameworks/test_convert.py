"""Twins from Keras: each model, its Torch twin and the twin of the twin give the same predictions."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch
from keras import layers as kl
from keras import ops

from dlexplain.frameworks.convert import convert, layer_names


def randomise(model, seed=0):
    """Weights that no initialiser would give: nothing is zero, one or symmetric."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        if weight.dtype != "float32":
            continue
        positive = "variance" in weight.name
        value = rng.uniform(0.5, 2, weight.shape) if positive else rng.normal(0, 0.4, weight.shape)
        weight.assign(value.astype("float32"))
    return model


def functional(shape, build, dtype="float32"):
    entry = keras.Input(shape, dtype=dtype)
    return keras.Model(entry, build(entry))


def sequential(shape, *stack):
    return keras.Sequential([keras.Input(shape), *stack])


def channels_first(array):
    return np.moveaxis(array, -1, 1).copy()


def torch_says(module, *inputs):
    with torch.no_grad():
        return module(*(torch.from_numpy(item) for item in inputs)).numpy()


def residual(x):
    y = kl.Conv2D(4, 3, padding="same", activation="relu", name="a")(x)
    z = kl.Conv2D(4, 1, name="b")(y)
    return kl.Flatten()(kl.Concatenate()([kl.Add()([y, z]), kl.Multiply()([y, z]), y - z]))


def squeeze_excite(x):
    x = kl.Conv2D(6, 3)(x)
    gate = kl.Dense(6, activation="sigmoid")(kl.GlobalAveragePooling2D()(x))
    return kl.GlobalMaxPooling2D()(kl.Multiply()([x, kl.Reshape((1, 1, 6))(gate)]))


def transformer(x):
    y = kl.MultiHeadAttention(2, 4)(x, x)
    y = kl.LayerNormalization()(x + y)
    y = kl.LayerNormalization(epsilon=1e-5, scale=False)(y + kl.Dense(8, activation="gelu")(y))
    return kl.Dense(3)(kl.GlobalAveragePooling1D()(y))


def nested(x):
    inner = sequential((6, 6, 2), kl.Conv2D(3, 3, name="conv"), kl.BatchNormalization(name="norm"))
    return kl.Dense(2, name="head")(kl.Flatten()(kl.ReLU()(inner(x))))


def shared(x):
    layer = kl.Dense(4, name="same")
    return layer(ops.tanh(layer(x)))


ACTIVATIONS = [
    "relu", "relu6", "elu", "selu", "gelu", "silu", "sigmoid", "tanh", "softplus", "softsign", "exponential",
    "softmax",
    "log_softmax", "leaky_relu", "hard_sigmoid", "hard_silu", "hard_tanh", "mish", "log_sigmoid",
    "tanh_shrink", "celu",
    "hard_shrink", "soft_shrink", "linear",
]  # fmt: skip

MODELS = {
    "mlp": lambda: sequential((5,), kl.Dense(7, activation="relu"), kl.Dropout(0.4), kl.Dense(3,
    use_bias=False)),
    "dense_on_image": lambda: sequential((4, 5, 3), kl.Dense(2), kl.Flatten(), kl.Dense(2)),
    "image_mlp": lambda: sequential((4, 5, 3), kl.Rescaling(1 / 255, offset=-0.5), kl.Flatten(), kl.Dense(2)),
    "cnn": lambda: sequential(
        (9, 7, 3), kl.Conv2D(4, 3, activation="relu"), kl.MaxPooling2D(), kl.Flatten(), kl.Dense(4),
        kl.Softmax()
    ),
    "same_strided": lambda: sequential((9, 8, 3), kl.Conv2D(4, (3, 4), strides=2, padding="same"),
    kl.Flatten()),
    "same_strided_even": lambda: sequential((8, 8, 2), kl.Conv2D(4, 3, strides=2, padding="same"),
    kl.Flatten()),
    "even_kernel": lambda: sequential((9, 8, 3), kl.Conv2D(4, (2, 4), padding="same"), kl.Flatten()),
    "dilated": lambda: sequential((9, 8, 3), kl.Conv2D(4, 3, dilation_rate=2, padding="same"), kl.Flatten()),
    "grouped": lambda: sequential((6, 6, 4), kl.Conv2D(6, 3, groups=2), kl.GlobalAveragePooling2D()),
    "depthwise": lambda: sequential(
        (7, 7, 3), kl.DepthwiseConv2D(3, depth_multiplier=2, strides=2, padding="same", activation="relu"),
        kl.Flatten()
    ),
    "separable": lambda: sequential((7, 7, 3), kl.SeparableConv2D(5, 3, depth_multiplier=2),
    kl.GlobalMaxPooling2D()),
    "transposed_same": lambda: sequential((4, 5, 3), kl.Conv2DTranspose(2, 3, strides=2, padding="same")),
    "transposed_valid": lambda: sequential((4, 5, 3), kl.Conv2DTranspose(2, 4, strides=3)),
    "transposed_1d": lambda: sequential((6, 3), kl.Conv1DTranspose(2, 4, strides=2, padding="same"),
    kl.Flatten()),
    "conv1d_causal": lambda: sequential(
        (12, 3), kl.Conv1D(4, 3, padding="causal", dilation_rate=2), kl.MaxPooling1D(2), kl.Flatten(),
        kl.Dense(2)
    ),
    "conv1d_separable": lambda: sequential((12, 3), kl.SeparableConv1D(4, 3), kl.DepthwiseConv1D(3),
    kl.GlobalMaxPooling1D()),
    "conv1d_any_length": lambda: sequential((None, 3), kl.Conv1D(4, 4, padding="same"),
    kl.GlobalAveragePooling1D()),
    "pool_same": lambda: sequential(
        (9, 7, 3), kl.MaxPooling2D(3, strides=2, padding="same"), kl.AveragePooling2D(2, padding="same"),
        kl.Flatten()
    ),
    "pool_same_overlapping": lambda: sequential((8, 7, 3), kl.MaxPooling2D(3, strides=1, padding="same"),
    kl.Flatten()),
    "pool_same_even": lambda: sequential((8, 8, 3), kl.MaxPooling2D(3, strides=2, padding="same"),
    kl.Flatten()),
    "average_pool": lambda: sequential((9, 7, 3), kl.AveragePooling2D((3, 2), strides=(2, 1)), kl.Flatten()),
    "average_same": lambda: sequential((9, 7, 3), kl.AveragePooling2D(3, strides=1, padding="same"),
    kl.Flatten()),
    "pad_crop_up": lambda: sequential(
        (5, 4, 2), kl.ZeroPadding2D(((1, 0), (2, 1))), kl.Cropping2D(((0, 1), (1, 0))), kl.UpSampling2D((2,
        3)), kl.Conv2D(2, 2)
    ),
    "bilinear": lambda: sequential((5, 4, 2), kl.UpSampling2D(2, interpolation="bilinear")),
    "batch_norm": lambda: sequential(
        (6, 5, 3), kl.Conv2D(4, 2), kl.BatchNormalization(epsilon=0.01), kl.ReLU(), kl.Flatten(),
        kl.BatchNormalization(center=False), kl.Dense(2), kl.BatchNormalization(scale=False),
    ),
    "group_norm": lambda: sequential((6, 5, 4), kl.GroupNormalization(2), kl.Flatten(), kl.Dense(2)),
    "layer_norm": lambda: sequential((6, 4), kl.LayerNormalization(), kl.LayerNormalization(axis=[1, 2]),
    kl.Flatten()),
    "normalisation_layer": lambda: sequential((4,), kl.Normalization(mean=[1, 2, 3, 4.0], variance=[4, 3, 2,
    1.0]), kl.Dense(2)),
    "lstm": lambda: sequential((6, 3), kl.LSTM(5), kl.Dense(2)),
    "lstm_deep": lambda: sequential((6, 3), kl.LSTM(5, return_sequences=True), kl.LSTM(4, use_bias=False),
    kl.Dense(2)),
    "gru": lambda: sequential((6, 3), kl.GRU(5, return_sequences=True), kl.GRU(4), kl.Dense(2)),
    "gru_reset_before": lambda: sequential((6, 3), kl.GRU(5, reset_after=False), kl.Dense(2)),
    "gru_no_bias": lambda: sequential((6, 3), kl.GRU(5, use_bias=False), kl.Dense(2)),
    "simple_rnn": lambda: sequential((6, 3), kl.SimpleRNN(5), kl.Dense(2)),
    "bidirectional": lambda: sequential((6, 3), kl.Bidirectional(kl.LSTM(5)), kl.Dense(2)),
    "bidirectional_whole": lambda: sequential(
        (6, 3), kl.Bidirectional(kl.GRU(5, return_sequences=True)), kl.Bidirectional(kl.GRU(4)), kl.Dense(2)
    ),
    "conv_then_lstm": lambda: sequential((12, 3), kl.Conv1D(4, 3, activation="relu"), kl.LSTM(5),
    kl.Dense(2)),
    "lstm_then_conv": lambda: sequential((12, 3), kl.LSTM(4, return_sequences=True), kl.Conv1D(4, 3),
    kl.Flatten()),
    "reshape_permute": lambda: sequential((12,), kl.Reshape((2, 3, 2)), kl.Permute((3, 1, 2)), kl.Conv2D(2,
    2), kl.Flatten()),
    "softmax_axis": lambda: sequential((6, 3), kl.Softmax(axis=1), kl.Flatten()),
    "leaky": lambda: sequential((6,), kl.Dense(4), kl.LeakyReLU(0.07), kl.Dense(4), kl.ELU(0.7),
    kl.ReLU(6.0), kl.PReLU()),
    "prelu_image": lambda: sequential((4, 4, 3), kl.Conv2D(3, 2), kl.PReLU(shared_axes=[1, 2]), kl.Flatten()),
    "repeat": lambda: sequential((4,), kl.RepeatVector(3), kl.LSTM(2)),
    "residual": lambda: functional((6, 5, 4), residual),
    "squeeze_excite": lambda: functional((6, 5, 4), squeeze_excite),
    "transformer": lambda: functional((5, 8), transformer),
    "narrow_attention": lambda: functional((5, 6), lambda x: kl.MultiHeadAttention(3, 5, value_dim=4,
    output_shape=7)(x, x)),
    "nested": lambda: functional((6, 6, 2), nested),
    "shared_layer": lambda: functional((4,), shared),
    "operators": lambda: functional((6, 3), lambda x: ops.concatenate([ops.relu(2 * x[:, -1] - 1), x[:,
    0] / 3, -x[:, 1]], axis=-1)),
"slices": lambda: functional((6, 3), lambda x: ops.mean(x[:, 1:4], axis=1)),
    "gelu_tanh": lambda: functional((6,), lambda x: ops.gelu(kl.Dense(3)(x), approximate=True)),
    "maximum_average": lambda: functional((6,), lambda x: kl.Average()([x, kl.Maximum()([x, ops.tanh(x)]),
    ops.minimum(x, x)])),
} | {f"activation_{name}": (lambda name=name: sequential((6,), kl.Dense(5, activation=name),
kl.Dense(3))) for name in ACTIVATIONS}  # fmt: skip

# Read by a convolution first: Torch holds these series channels-first.
SERIES_FIRST = {"transposed_1d", "conv1d_causal", "conv1d_separable", "conv1d_any_length", "conv_then_lstm"}


@pytest.mark.parametrize("name", MODELS)
def test_keras_model_twin_and_twin_of_twin_agree(name):
    model = randomise(MODELS[name]())
    shape = tuple(size or 9 for size in model.input_shape[1:])
    x = np.random.default_rng(1).normal(size=(3, *shape)).astype("float32")
    expected = np.asarray(model(x, training=False))
    first = len(shape) > 2 or name in SERIES_FIRST

    twin = convert(model, to="torch")
    assert not any(module.training for module in twin.modules())
    there = channels_first(x) if first else x
    answer = torch_says(twin, there)
    image = expected.ndim == 4
    np.testing.assert_allclose(
        np.moveaxis(answer, 1, -1) if image else answer, expected, atol=1e-5 * max(1, abs(expected).max())
    )

    back = convert(twin, to="keras", input_shape=there.shape[1:])
    np.testing.assert_allclose(
        np.asarray(back(x, training=False)), expected, atol=1e-5 * max(1, abs(expected).max())
    )


def test_token_model_with_embedding():
    model = randomise(
        functional((7,), lambda x: kl.Dense(2)(kl.LSTM(4)(kl.Embedding(11, 5)(x))), dtype="int32")
    )
    ids = np.random.default_rng(0).integers(0, 11, (3, 7)).astype("int32")
    twin = convert(model, to="torch")
    np.testing.assert_allclose(torch_says(twin, ids), model(ids), atol=1e-5)
    back = convert(twin, to="keras", input_shape=(7,))
    np.testing.assert_allclose(back(ids), model(ids), atol=1e-5)
    assert "int" in str(back.inputs[0].dtype)


@pytest.mark.parametrize("bias", [True, False])
def test_cross_attention_and_two_inputs(bias):
    one, two = keras.Input((5, 8)), keras.Input((7, 6))
    model = keras.Model([one, two], kl.MultiHeadAttention(2, 4, use_bias=bias)(one, two, two))
    randomise(model)
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 5, 8)).astype("float32"), rng.normal(size=(2, 7, 6)).astype("float32")
    twin = convert(model, to="torch")
    assert type(
        twin.multi_head_attention if hasattr(twin, "multi_head_attention") else next(iter(twin.children()))
    ) is (torch.nn.MultiheadAttention)
    np.testing.assert_allclose(torch_says(twin, a, b), model([a, b]), atol=1e-5)
    back = convert(twin, to="keras", input_shape=((5, 8), (7, 6)))
    np.testing.assert_allclose(back([a, b]), model([a, b]), atol=1e-5)


def test_several_outputs():
    entry = keras.Input((4,))
    model = randomise(keras.Model(entry, [kl.Dense(2)(entry), kl.Dense(3)(entry)]))
    x = np.ones((2, 4), "float32")
    with torch.no_grad():
        answers = convert(model, to="torch")(torch.from_numpy(x))
    for answer, expected in zip(answers, model(x), strict=True):
        np.testing.assert_allclose(answer.numpy(), expected, atol=1e-5)


def test_sequential_without_input_once_built():
    model = keras.Sequential([kl.Dense(3, activation="relu"), kl.Dense(2)])
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    model(x)
    np.testing.assert_allclose(torch_says(convert(model, to="torch"), x), model(x), atol=1e-5)


def test_shared_layer_is_one_module():
    twin = convert(randomise(functional((4,), shared)), to="torch")
    assert sum(isinstance(module, torch.nn.Linear) for module in twin.modules()) == 1


def test_layer_names_lead_to_the_same_values():
    model = randomise(MODELS["nested"]())
    twin = convert(model, to="torch")
    pairs = layer_names(model, twin)
    x = np.random.default_rng(0).normal(size=(2, 6, 6, 2)).astype("float32")
    inner = next(layer for layer in model.layers if isinstance(layer, keras.Sequential))
    assert pairs[f"{inner.name}.conv"] == f"{inner.name}.conv"
    seen = {}
    handle = twin.get_submodule(pairs[f"{inner.name}.norm"]).register_forward_hook(
        lambda module, args, output: seen.update(norm=output.numpy())
    )
    torch_says(twin, channels_first(x))
    handle.remove()
    np.testing.assert_allclose(np.moveaxis(seen["norm"], 1, -1), inner(x), atol=1e-5)
    activated = randomise(sequential((4,), kl.Dense(3, activation="relu", name="hidden")))
    assert layer_names(activated, convert(activated, to="torch"))["hidden"] == "hidden_activation"


def test_twin_does_not_share_memory_with_the_model():
    model = randomise(MODELS["mlp"]())
    before = [weight.numpy().copy() for weight in model.weights]
    twin = convert(model, to="torch")
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.add_(1)
    assert all(np.array_equal(old, new.numpy()) for old, new in zip(before, model.weights, strict=True))


def test_a_class_with_a_leading_underscore_has_a_twin_that_predicts():
    class _Private(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.last = torch.nn.Linear(4, 2)

        def forward(self, x):
            return self.last(x)

    model, x = _Private().eval(), np.random.default_rng(0).random((3, 4), np.float32)
    twin = convert(model, to="keras", input_shape=(4,))
    np.testing.assert_allclose(twin.predict(x, verbose=0), model(torch.tensor(x)).detach().numpy(), atol=1e-6)
