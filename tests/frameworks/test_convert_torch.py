"""Twins from Torch: each module, its Keras twin and the twin of the twin give the same predictions."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dlexplain.frameworks.convert import convert, layer_names


def randomise(module, seed=0):
    """Weights that no initialiser would give, and statistics that no data gave."""
    rng = np.random.default_rng(seed)
    with torch.no_grad():
        for name, value in module.state_dict().items():
            if value.dtype != torch.float32:
                continue
            drawn = rng.uniform(0.5, 2, value.shape) if "var" in name else rng.normal(0, 0.4, value.shape)
            value.copy_(torch.from_numpy(np.asarray(drawn, dtype="float32")))
    return module


class Forward(nn.Module):
    """A module from its layers and a forward function, as users write them."""

    def __init__(self, forward, **layers):
        super().__init__()
        for name, layer in layers.items():
            self.add_module(name, layer)
        self.run = forward

    def forward(self, x):
        return self.run(self, x)


class ForwardTwo(Forward):
    def forward(self, x, memory):
        return self.run(self, x, memory)


class Positions(nn.Module):
    """Subclassed layers, functional calls, a learnt scale and arithmetic, in one."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding="same")
        self.fc = nn.Linear(4 * 3 * 2, 3)
        self.scale = nn.Parameter(torch.ones(4, 1, 1))

    def forward(self, x):
        x = F.relu(self.conv1(x)) * self.scale
        x = x + F.leaky_relu(self.conv2(x), 0.1)
        x = F.max_pool2d(x, 2)
        x = F.dropout(x, 0.5, training=self.training)
        return F.softmax(self.fc(x.view(x.size(0), -1)), dim=1)


def lstm_last(m, x):
    out, _ = m.lstm(x)
    return m.head(out[:, -1, :])


def lstm_hidden(m, x):
    _, (hidden, _) = m.lstm(x)
    return m.head(hidden[-1])


def both_ways(m, x):
    _, (hidden, _) = m.lstm(x)
    return m.head(torch.cat((hidden[-2], hidden[-1]), dim=1))


def gru_squeezed(m, x):
    _, hidden = m.gru(x)
    return m.head(hidden.squeeze(0))


def attend(m, x):
    y, _ = m.attention(x, x, x, need_weights=False)
    return m.norm(x + y).mean(dim=1)


def attend_across(m, x, memory):
    return m.attention(x, memory, memory)[0]


def conv_on_steps(m, x):
    return m.head(torch.relu(m.conv(x.transpose(1, 2))).amax(dim=2))


def upscale(m, x):
    return m.up(m.start(x).view(-1, 4, 2, 3))


def two_branches(m, x):
    return torch.cat([m.a(x), m.b(x)], dim=1).mean(dim=(2, 3))


def squeeze_excite(m, x):
    x = m.conv(x)
    gate = torch.sigmoid(m.gate(x.mean([2, 3])))
    return (x * gate.view(-1, 4, 1, 1)).flatten(1)


def channels_last_inside(m, x):
    return m.conv(m.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)).flatten(1)


def batch_norm_images(m, x):
    return m.pool(m.norm(x)).squeeze(-1).squeeze(-1)


S = nn.Sequential
MODULES = {
    "mlp": (lambda: S(nn.Linear(5, 7), nn.ReLU(), nn.Dropout(0.3), nn.Linear(7, 3, bias=False),
    nn.Softmax(1)), (5,)),
    "cnn": (lambda: S(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4 * 3 * 2, 4)),
    (3, 9, 7)),
    "image_mlp": (lambda: S(nn.Flatten(), nn.Linear(60, 4)), (3, 4, 5)),
    "nested": (lambda: S(S(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4)), S(nn.ReLU(), nn.Flatten(),
    nn.Linear(80, 2))), (3, 4, 5)),
    "strided_padded": (lambda: S(nn.Conv2d(3, 4, (3, 4), stride=(2, 1), padding=(1, 2)), nn.Flatten()), (3,
    8, 9)),
    "dilated": (lambda: S(nn.Conv2d(3, 4, 3, dilation=2, padding=2), nn.Flatten()), (3, 8, 9)),
    "same": (lambda: S(nn.Conv2d(3, 4, (2, 4), padding="same"), nn.Flatten()), (3, 8, 9)),
    "grouped": (lambda: S(nn.Conv2d(4, 6, 3, groups=2), nn.Flatten()), (4, 6, 5)),
    "depthwise": (lambda: S(nn.Conv2d(3, 6, 3, groups=3, stride=2, padding=1), nn.Conv2d(6, 2, 1),
    nn.Flatten()), (3, 6, 5)),
    "depthwise_unequal": (lambda: S(nn.Conv2d(3, 6, 3, groups=3, stride=(2, 1)), nn.Flatten()), (3, 6, 5)),
    "transposed": (lambda: S(nn.ConvTranspose2d(3, 4, 3, stride=2, padding=1)), (3, 4, 5)),
    "transposed_extra": (lambda: S(nn.ConvTranspose2d(3, 4, 3, stride=2, padding=1, output_padding=1)), (3,
    4, 5)),
    "transposed_1d": (lambda: S(nn.ConvTranspose1d(3, 4, 4, stride=2), nn.Flatten()), (3, 6)),
    "conv1d": (lambda: S(nn.Conv1d(3, 4, 3, padding=1), nn.BatchNorm1d(4), nn.MaxPool1d(2), nn.Flatten(),
    nn.Linear(20, 2)), (3, 10)),
    "pool_padded": (lambda: S(nn.MaxPool2d(3, 2, padding=1), nn.Flatten()), (3, 9, 8)),
    "pool_ceil": (lambda: S(nn.MaxPool2d(3, 2, ceil_mode=True), nn.Flatten()), (3, 8, 8)),
    "pool_ceil_padded": (lambda: S(nn.MaxPool2d(2, 2, padding=1, ceil_mode=True), nn.Flatten()), (3, 8, 7)),
    "average_counts_padding": (lambda: S(nn.AvgPool2d(3, 2, padding=1), nn.Flatten()), (3, 9, 8)),
    "average_without_padding": (lambda: S(nn.AvgPool2d(3, 1, padding=1, count_include_pad=False),
    nn.Flatten()), (3, 9, 8)),
    "adaptive": (lambda: S(nn.AdaptiveAvgPool2d((3, 2)), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3,
    2)), (3, 9, 8)),
    "batch_norm_vector": (lambda: S(nn.Linear(4, 6), nn.BatchNorm1d(6, eps=0.01), nn.BatchNorm1d(6,
    affine=False)), (4,)),
    "group_norms": (lambda: S(nn.GroupNorm(2, 4), nn.InstanceNorm2d(4, affine=True), nn.Flatten()), (4, 5,
    6)),
    "layer_norm": (lambda: S(nn.LayerNorm(5), nn.LayerNorm((4, 5), eps=0.01), nn.LayerNorm(5,
    elementwise_affine=False)), (4, 5)),
    "layer_norm_image": (lambda: S(nn.Conv2d(2, 3, 2), nn.LayerNorm((3, 4, 5)), nn.Flatten()), (2, 5, 6)),
    "layer_norm_no_bias": (lambda: S(nn.LayerNorm(5, bias=False), nn.Linear(5, 2)), (4, 5)),
    "pads": (lambda: S(nn.ZeroPad2d((1, 2, 0, 1)), nn.ConstantPad2d(1, 0.5), nn.Conv2d(2, 3, 3),
    nn.Flatten()), (2, 4, 5)),
    "upsample": (lambda: S(nn.Upsample(scale_factor=2), nn.Upsample(scale_factor=2, mode="bilinear"),
    nn.Flatten()), (2, 4, 5)),
    "lstm_last": (lambda: Forward(lstm_last, lstm=nn.LSTM(3, 5, batch_first=True), head=nn.Linear(5, 2)), (6,
    3)),
    "lstm_deep": (lambda: Forward(lstm_hidden, lstm=nn.LSTM(3, 5, 3, batch_first=True), head=nn.Linear(5,
    2)), (6, 3)),
    "lstm_no_bias": (lambda: Forward(lstm_last, lstm=nn.LSTM(3, 5, batch_first=True, bias=False),
    head=nn.Linear(5, 2)), (6, 3)),
    "lstm_both_ways": (
        lambda: Forward(both_ways, lstm=nn.LSTM(3, 5, 2, batch_first=True, bidirectional=True),
        head=nn.Linear(10, 2)), (6, 3)
    ),
    "gru": (lambda: Forward(gru_squeezed, gru=nn.GRU(3, 5, batch_first=True), head=nn.Linear(5, 2)), (6, 3)),
    "rnn": (lambda: Forward(lstm_last, lstm=nn.RNN(3, 5, 2, batch_first=True), head=nn.Linear(5, 2)), (6, 3)),
    "attention": (
        lambda: Forward(attend, attention=nn.MultiheadAttention(8, 2, batch_first=True),
        norm=nn.LayerNorm(8)), (5, 8)
    ),
    "encoder": (
        lambda: nn.TransformerEncoder(
            nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation="gelu"), 2,
            enable_nested_tensor=False
        ),
        (5, 8),
    ),
    "encoder_norm_first": (lambda: S(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True,
    norm_first=True)), (5, 8)),
    "functional": (Positions, (2, 6, 4)),
    "conv_on_steps": (lambda: Forward(conv_on_steps, conv=nn.Conv1d(3, 4, 3), head=nn.Linear(4, 2)), (9, 3)),
    "decoder": (lambda: Forward(upscale, start=nn.Linear(5, 24), up=nn.ConvTranspose2d(4, 2, 2, stride=2)),
    (5,)),
    "branches": (lambda: Forward(two_branches, a=nn.Conv2d(3, 4, 3, padding=1), b=nn.Conv2d(3, 2, 1)), (3, 4,
    5)),
    "squeeze_excite": (lambda: Forward(squeeze_excite, conv=nn.Conv2d(3, 4, 1), gate=nn.Linear(4, 4)), (3, 4,
    5)),
    "channels_last_inside": (lambda: Forward(channels_last_inside, norm=nn.LayerNorm(3), conv=nn.Conv2d(3, 4,
    2)), (3, 4, 5)),
    "squeezed": (lambda: Forward(batch_norm_images, norm=nn.BatchNorm2d(3), pool=nn.AdaptiveMaxPool2d(1)),
    (3, 4, 5)),
    "softmax_channels": (lambda: S(nn.Conv2d(3, 4, 1), nn.Softmax(1), nn.PReLU(4), nn.Softmax(2)), (3, 4, 5)),
    "prelu": (lambda: S(nn.Linear(4, 3), nn.PReLU(), nn.PReLU(3)), (4,)),
    "flatten_again": (lambda: S(nn.Linear(4, 3), nn.Flatten(), nn.Identity()), (4,)),
    "unflatten": (lambda: S(nn.Linear(4, 12), nn.Unflatten(1, (3, 2, 2)), nn.Conv2d(3, 2, 2), nn.Flatten()),
    (4,)),
} | {
    f"activation_{type(layer).__name__}": (lambda layer=layer: S(nn.Linear(6, 5), layer, nn.Linear(5, 2)),
    (6,))
    for layer in (
        nn.ReLU(), nn.ReLU6(), nn.LeakyReLU(0.3), nn.ELU(0.6), nn.CELU(0.7), nn.SELU(), nn.GELU(), nn.SiLU(),
        nn.Sigmoid(),
        nn.Tanh(), nn.Softplus(), nn.Softsign(), nn.Hardsigmoid(), nn.Hardswish(), nn.Hardtanh(), nn.Mish(),
        nn.LogSigmoid(),
        nn.Tanhshrink(), nn.Hardshrink(0.3), nn.Softshrink(0.2), nn.LogSoftmax(1),
    )
} | {"activation_gelu_tanh": (lambda: S(nn.Linear(6, 5), nn.GELU("tanh")), (6,))}  # fmt: skip

SERIES_FIRST = {"transposed_1d", "conv1d"}


def says(module, *inputs):
    with torch.no_grad():
        return module(*(torch.from_numpy(item) for item in inputs)).numpy()


@pytest.mark.parametrize("name", MODULES)
def test_torch_module_twin_and_twin_of_twin_agree(name):
    make, shape = MODULES[name]
    module = randomise(make()).eval()
    x = np.random.default_rng(1).normal(size=(3, *shape)).astype("float32")
    expected = says(module, x)
    first = len(shape) > 2 or name in SERIES_FIRST

    twin = convert(module, to="keras", input_shape=shape)
    assert isinstance(twin, keras.Model)
    there = np.moveaxis(x, 1, -1).copy() if first else x
    answer = np.asarray(twin(there, training=False))
    size = 1e-5 * max(1, abs(expected).max())
    np.testing.assert_allclose(
        np.moveaxis(answer, -1, 1) if expected.ndim == 4 else answer, expected, atol=size
    )

    back = convert(twin, to="torch")
    if (
        name == "conv_on_steps"
    ):  # Torch's usual layout for a convolution over steps, which the first module turned itself
        x = np.moveaxis(x, -1, 1).copy()
    np.testing.assert_allclose(says(back, x), expected, atol=size)


def test_tokens_and_padding_row():
    module = randomise(S(nn.Embedding(9, 4, padding_idx=0), nn.Flatten(), nn.Linear(20, 2))).eval()
    ids = np.array([[0, 1, 8, 0, 3], [2, 0, 0, 7, 5]])
    twin = convert(module, to="keras", input_shape=(5,))
    np.testing.assert_allclose(np.asarray(twin(ids)), says(module, ids), atol=1e-5)


@pytest.mark.parametrize("bias", [True, False])
def test_cross_attention_over_two_inputs(bias):
    attention = nn.MultiheadAttention(8, 2, kdim=6, vdim=6, bias=bias, batch_first=True)
    module = randomise(ForwardTwo(attend_across, attention=attention)).eval()
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 5, 8)).astype("float32"), rng.normal(size=(2, 7, 6)).astype("float32")
    twin = convert(module, to="keras", input_shape=((5, 8), (7, 6)))
    np.testing.assert_allclose(np.asarray(twin([a, b])), says(module, a, b), atol=1e-5)


def test_names_are_the_modules_names():
    module = randomise(Positions())
    twin = convert(module, to="keras", input_shape=(2, 6, 4))
    pairs = layer_names(module, twin, input_shape=(2, 6, 4))
    assert {"conv1", "conv2", "fc"} <= {layer.name for layer in twin.layers}
    assert (pairs["conv1"], pairs["fc"]) == ("conv1", "fc")
    deep = S(S(nn.Linear(2, 3)))
    assert layer_names(deep, convert(deep, to="keras", input_shape=(2,)), input_shape=(2,))["0.0"] == "0_0"


def test_twin_can_be_saved_and_opened(tmp_path):
    make, shape = MODULES["pool_ceil_padded"]
    twin = convert(make(), to="keras", input_shape=shape)
    twin.save(tmp_path / "twin.keras")
    opened = keras.models.load_model(tmp_path / "twin.keras")
    x = np.random.default_rng(0).normal(size=(2, 8, 7, 3)).astype("float32")
    np.testing.assert_array_equal(np.asarray(opened(x)), np.asarray(twin(x)))


def test_double_precision_and_training_mode_are_taken():
    module = S(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Dropout(0.5)).double().train()
    twin = convert(module, to="keras", input_shape=(4,))
    x = np.ones((2, 4))
    expected = says(module.eval(), x)
    np.testing.assert_allclose(np.asarray(twin(x)), expected, atol=1e-5)
