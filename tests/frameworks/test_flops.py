"""What a forward pass costs: by hand, by Torch's own counter, and the same for twins."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import dlexplain as dlx
from tests.networks import NETWORKS, one_or_all

KERAS = [n for n in NETWORKS if n.framework == "keras" and n.name not in ("subclassed", "recurrent tokens")]


def flops(model, inputs):
    asked = dlx.wrap(model)
    return asked.flops(asked.inputs(inputs))


def test_a_dense_layer_by_hand():
    x = np.zeros((3, 5), np.float32)
    assert flops(nn.Linear(5, 7), x).total == 2 * 5 * 7
    assert flops(keras.Sequential([keras.Input((5,)), keras.layers.Dense(7)]), x).total == 2 * 5 * 7


def test_a_convolution_by_hand():
    by_hand = 2 * (6 * 6) * 4 * (3 * 3) * 2
    assert flops(nn.Conv2d(2, 4, 3), np.zeros((1, 2, 8, 8), np.float32)).total == by_hand
    layers = [keras.Input((8, 8, 2)), keras.layers.Conv2D(4, 3)]
    assert flops(keras.Sequential(layers), np.zeros((1, 8, 8, 2), np.float32)).total == by_hand


@pytest.mark.parametrize(
    ("torch_layer", "keras_layer", "by_hand"),
    [
        (lambda: nn.Conv2d(4, 4, 3, groups=4), lambda: keras.layers.DepthwiseConv2D(3), 2 * 36 * 4 * 9),
        (lambda: nn.Conv2d(4, 6, 3, groups=2), lambda: keras.layers.Conv2D(6, 3, groups=2), 2 * 36 * 6 * 9 * 2),
        (lambda: nn.ConvTranspose2d(4, 6, 3), lambda: keras.layers.Conv2DTranspose(6, 3), 2 * 64 * 4 * 9 * 6),
        (lambda: nn.Conv2d(4, 6, 3, stride=2), lambda: keras.layers.Conv2D(6, 3, strides=2), 2 * 9 * 6 * 9 * 4),
    ],
)
def test_kinds_of_convolution_by_hand(torch_layer, keras_layer, by_hand):
    assert flops(torch_layer(), np.zeros((1, 4, 8, 8), np.float32)).total == by_hand
    model = keras.Sequential([keras.Input((8, 8, 4)), keras_layer()])
    assert flops(model, np.zeros((1, 8, 8, 4), np.float32)).total == by_hand


@pytest.mark.parametrize("network", KERAS, ids=str)
def test_twins_cost_the_same(network):
    given = network.inputs(2)
    source = dlx.wrap(network.make())
    twin = dlx.wrap(dlx.convert(source, to="torch"))
    turned = network.name in ("convolution", "nested", "series")
    other = tuple(np.moveaxis(a, -1, 1) for a in given) if turned else given
    if network.name == "series":  # a recurrent layer of Keras runs its first step once more
        step = 2 * 3 * 5 * (4 + 5)
        assert flops(source, one_or_all(given)).total == flops(twin, one_or_all(other)).total + step
        return
    assert flops(source, one_or_all(given)).total == flops(twin, one_or_all(other)).total


@pytest.mark.parametrize("network", [n for n in NETWORKS if n.framework == "torch"], ids=str)
def test_torch_counts_no_less_than_its_own_counter(network):
    model, given = network.make().eval(), network.inputs(1)
    tensors = [torch.tensor(a) for a in given]
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(*tensors)
    found = flops(model, one_or_all(given)).total
    assert found >= counter.get_total_flops()
    if network.name not in ("series", "recurrent tokens", "attended tokens"):  # those it sees as one fused kernel
        assert found == counter.get_total_flops()


def test_recurrent_layers_and_attention_are_taken_apart():
    lstm = nn.LSTM(4, 5, batch_first=True)
    assert flops(lstm, np.zeros((1, 6, 4), np.float32)).total == 6 * 2 * 4 * 5 * (4 + 5)
    encoder = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    length, width = 6, 8
    by_hand = 2 * (
        length * width * 3 * width + 2 * length * length * width + length * width * width + 2 * length * width * 16
    )
    assert flops(encoder, np.zeros((1, length, width), np.float32)).total == by_hand


def test_what_is_not_counted_is_named():
    found = flops(nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Softmax(-1)), np.zeros((1, 5), np.float32))
    assert found.uncounted == {"_softmax": 7, "relu": 7}
    layers = [keras.Input((5,)), keras.layers.Dense(7, "relu"), keras.layers.Softmax()]
    found = flops(keras.Sequential(layers), np.zeros((1, 5), np.float32))
    assert {"BiasAdd": 7, "Relu": 7, "Softmax": 7}.items() <= found.uncounted.items()


def test_one_sample_is_counted_whatever_is_given():
    model = nn.Linear(5, 7)
    assert flops(model, np.zeros((1, 5), np.float32)) == flops(model, np.zeros((64, 5), np.float32))


def test_nothing_stays_behind():
    fast = torch.backends.mha.get_fastpath_enabled()
    fused = torch.backends.mkldnn.is_available(), torch.backends.cuda.flash_sdp_enabled()

    class Broken(nn.Module):
        def forward(self, x):
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        flops(Broken(), np.zeros((1, 5), np.float32))
    assert torch.backends.mha.get_fastpath_enabled() == fast
    assert (torch.backends.mkldnn.is_available(), torch.backends.cuda.flash_sdp_enabled()) == fused
    model = nn.Sequential(nn.Linear(5, 5), nn.Dropout(0.5)).train()
    flops(model, np.zeros((1, 5), np.float32))
    assert model.training
    assert model[1].training


def test_the_callback_comes_off_after_a_failure():
    from tensorflow.python.eager import context

    class Broken(keras.Model):
        def call(self, x):
            if self.strict:
                raise RuntimeError("broken")
            return x

    model = Broken()
    model.strict = False
    model(np.zeros((1, 5), np.float32))
    model.strict = True
    before = list(context.context().op_callbacks)
    asked = dlx.wrap(model)
    with pytest.raises(RuntimeError, match="broken"):
        asked.flops((np.zeros((1, 5), np.float32),))
    assert list(context.context().op_callbacks) == before
