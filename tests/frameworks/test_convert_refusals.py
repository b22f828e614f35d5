"""What no twin can be made of is named; the user's model and session stay as they were, whatever happens."""

from __future__ import annotations

import random

import keras
import numpy as np
import pytest
import torch
from keras import layers as kl
from torch import nn

from dlexplain.errors import InputError, UnsupportedModelError
from dlexplain.frameworks import wrap
from dlexplain.frameworks.convert import convert


def sequential(shape, *stack):
    return keras.Sequential([keras.Input(shape), *stack])


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = kl.Dense(2)

    def call(self, x):
        return self.dense(x)


class OwnDense(kl.Dense):
    def call(self, x):
        return 2 * super().call(x)


def masked():
    entry = keras.Input((5,), dtype="int32")
    return keras.Model(entry, kl.LSTM(3)(kl.Embedding(7, 4, mask_zero=True, name="words")(entry)))


def monte_carlo():
    entry = keras.Input((5,))
    return keras.Model(entry, kl.Dropout(0.5, name="always")(entry, training=True))


KERAS = {
    "lambda": (lambda: sequential((3,), kl.Lambda(lambda x: x + 1, name="mine")), "'mine' .Lambda."),
    "subclassed": (Subclassed, "subclassed Keras model"),
    "own layer": (lambda: sequential((3,), OwnDense(2, name="mine")), "'mine' .OwnDense."),
    "own activation": (
        lambda: sequential((3,), kl.Dense(2, activation=lambda x: x, name="odd")),
        "'odd'.*activation",
    ),
    "unbuilt": (lambda: keras.Sequential([kl.Dense(2)]), "not built"),
    "mask": (masked, "LSTM. is given mask .by mask_zero"),
    "training": (monte_carlo, "'always'.*training=True"),
    "channels first": (
        lambda: sequential((3, 8, 8), kl.MaxPooling2D(data_format="channels_first", name="cf")),
        "'cf'.*channels_first",
    ),
    "lstm activation": (
        lambda: sequential((4, 3), kl.LSTM(2, activation="relu", name="r")),
        "'r' .LSTM.*tanh",
    ),
    "backwards": (
        lambda: sequential((4, 3), kl.LSTM(2, go_backwards=True, name="b")),
        "'b' .LSTM.*backwards",
    ),
    "unknown size": (
        lambda: sequential((None, 3), kl.Conv1D(2, 3, strides=2, padding="same", name="c")),
        "'c'.*input size",
    ),
    "norm axis": (lambda: sequential((4, 4, 3), kl.BatchNormalization(axis=1, name="n")), "'n'.*axis 1"),
    "unlike": (
        lambda: sequential((4,), kl.Discretization([0.0, 1.0], name="bins")),
        "'bins' .Discretization.",
    ),
}


class Branches(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


class Function(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


class Cell(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 4, batch_first=True)

    def forward(self, x):
        _, (_, cell) = self.lstm(x)
        return cell[-1]


class Hooked(nn.Linear):
    """Looks like a linear layer of Torch's own name, but is not one."""

    def forward(self, x):
        return torch.erfinv(super().forward(x))


TORCH = {
    "unknown": (lambda: nn.Sequential(nn.Linear(3, 4), nn.RReLU()), (3,), "'1' .RReLU."),
    "nested name": (lambda: nn.Sequential(nn.Sequential(nn.RReLU())), (3,), "'0.0' .RReLU."),
    "own layer": (lambda: nn.Sequential(Hooked(3, 3)), (3,), "erfinv"),
    "branches": (Branches, (3,), "cannot be traced"),
    "function": (lambda: Function(lambda x: torch.cumsum(x, 1)), (3,), "cumsum"),
    "batch axis": (lambda: Function(lambda x: x.mean(0)), (3,), "batch axis"),
    "batch reshape": (lambda: Function(lambda x: x.reshape(-1)), (3,), "reshape"),
    "lstm time first": (lambda: nn.Sequential(nn.LSTM(3, 4)), (5, 3), "batch_first=True"),
    "attention time first": (lambda: nn.TransformerEncoderLayer(4, 2, 8), (5, 4), "batch_first=True"),
    "cell state": (Cell, (5, 3), "cell state"),
    "reflect": (
        lambda: nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect")),
        (1, 4, 4),
        "reflect",
    ),
    "batch statistics": (
        lambda: nn.Sequential(nn.BatchNorm1d(3, track_running_stats=False)),
        (3,),
        "running statistics",
    ),
    "uneven pooling": (lambda: nn.Sequential(nn.AdaptiveAvgPool2d(3)), (1, 7, 7), "unlike size"),
    "strides and dilation": (
        lambda: nn.Sequential(nn.Conv2d(1, 1, 3, stride=2, dilation=2)),
        (1, 9, 9),
        "strides and dilation",
    ),
    "softplus": (lambda: nn.Sequential(nn.Softplus(beta=3)), (3,), "'0' .Softplus."),
    "script": (lambda: torch.jit.script(nn.Linear(3, 3)), (3,), "TorchScript"),
}


@pytest.mark.parametrize("name", KERAS)
def test_keras_layer_without_twin_is_named(name):
    make, said = KERAS[name]
    with pytest.raises(UnsupportedModelError, match=said):
        convert(make(), to="torch")


@pytest.mark.parametrize("name", TORCH)
def test_torch_layer_without_twin_is_named(name):
    make, shape, said = TORCH[name]
    with pytest.raises(UnsupportedModelError, match=said):
        convert(make(), to="keras", input_shape=shape)


def test_error_lists_what_is_known():
    with pytest.raises(UnsupportedModelError, match=r"can be converted: .*LSTM.*multi-head attention"):
        convert(nn.Sequential(nn.RReLU()), to="keras", input_shape=(3,))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: convert(nn.Linear(2, 2), to="keras"), "give input_shape"),
        (lambda: convert(nn.Linear(2, 2), to="jax"), "to='jax'"),
        (lambda: convert(nn.Linear(2, 2), to="torch"), "torch model already"),
        (lambda: convert(nn.Linear(2, 2), to="keras", input_shape=(3,)), "does not run"),
        (lambda: convert(nn.Linear(2, 2), to="keras", input_shape=(None, 2)), "whole numbers"),
        (lambda: convert(nn.Linear(2, 2), to="keras", input_shape=((2,), (2,))), "2 inputs"),
    ],
)
def test_wrong_arguments(call, said):
    with pytest.raises(InputError, match=said):
        call()


def test_what_is_no_model():
    with pytest.raises(UnsupportedModelError, match="neither"):
        convert([1, 2], to="torch")


def test_wrapped_model_brings_its_shape():
    module = nn.Sequential(nn.Linear(4, 2)).eval()
    twin = convert(wrap(module, input_shape=(4,)), to="keras")
    x = np.ones((3, 4), "float32")
    np.testing.assert_allclose(np.asarray(twin(x)), module(torch.from_numpy(x)).detach().numpy(), atol=1e-5)


def test_model_whose_behaviour_is_not_its_layers_gives_no_twin():
    """A layer changed on the instance escapes every reading of types; the comparison catches it."""
    model = sequential((3,), kl.Dense(2, kernel_initializer="ones"))
    plain = model.layers[0].call
    model.layers[0].call = lambda x, training=None: 3 * plain(x)
    with pytest.raises(UnsupportedModelError, match="disagrees"):
        convert(model, to="torch")


def session():
    from keras.src.backend.common import global_state

    names = dict(global_state.get_global_attribute("object_name_uids") or {})
    return (
        random.getstate(),
        np.random.get_state()[1].tobytes(),
        torch.get_rng_state().numpy().tobytes(),
        names,
    )


@pytest.mark.parametrize("fails", [False, True])
def test_torch_model_and_session_are_untouched(fails):
    layers = [nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Dropout(0.5), nn.RReLU() if fails else nn.GELU("tanh")]
    module = nn.Sequential(*layers).train()
    module[0].weight.requires_grad_(False)
    module[1].eval()
    seen = []
    module[0].register_forward_hook(lambda *args: seen.append(1))
    before = {key: value.clone() for key, value in module.state_dict().items()}
    session_before = session()
    if fails:
        with pytest.raises(UnsupportedModelError):
            convert(module, to="keras", input_shape=(4,))
    else:
        convert(module, to="keras", input_shape=(4,))
    assert session() == session_before
    assert [m.training for m in module] == [True, False, True, True]
    assert [p.requires_grad for p in module.parameters()] == [False, True, True, True]
    assert not seen
    assert len(module[0]._forward_hooks) == 1
    assert all(torch.equal(value, module.state_dict()[key]) for key, value in before.items())


@pytest.mark.parametrize("fails", [False, True])
def test_keras_model_and_session_are_untouched(fails):
    last = kl.Discretization([0.0]) if fails else kl.Dense(2)
    model = sequential((4,), kl.Dense(6), kl.BatchNormalization(), kl.Dropout(0.5), last)
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    before = [weight.numpy().copy() for weight in model.weights]
    calls = [len(layer._inbound_nodes) for layer in model.layers]
    config = str(model.get_config())
    session_before = session()
    if fails:
        with pytest.raises(UnsupportedModelError):
            convert(model, to="torch")
    else:
        convert(model, to="torch")
    assert session() == session_before
    assert all(np.array_equal(old, new.numpy()) for old, new in zip(before, model.weights, strict=True))
    assert [len(layer._inbound_nodes) for layer in model.layers] == calls
    assert str(model.get_config()) == config
    assert model.compiled


def test_two_conversions_give_the_same_twin():
    model = sequential((4,), kl.Dense(3, activation="relu"), kl.Dense(2))
    one, two = convert(model, to="torch"), convert(model, to="torch")
    assert one.code == two.code
    assert all(
        torch.equal(a, b) for a, b in zip(one.state_dict().values(), two.state_dict().values(), strict=True)
    )


def test_gradients_agree_too():
    model = sequential(
        (6, 5, 2), kl.Conv2D(3, 3, activation="gelu"), kl.GlobalAveragePooling2D(), kl.Dense(2)
    )
    twin = convert(model, to="torch")
    import tensorflow as tf

    x = np.random.default_rng(0).normal(size=(2, 6, 5, 2)).astype("float32")
    variable = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        score = tf.reduce_sum(model(variable)[:, 1])
    expected = tape.gradient(score, variable).numpy()
    tensor = torch.from_numpy(np.moveaxis(x, -1, 1).copy()).requires_grad_()
    twin(tensor)[:, 1].sum().backward()
    np.testing.assert_allclose(np.moveaxis(tensor.grad.numpy(), 1, -1), expected, atol=1e-5)
