"""The weights of a fresh layer are drawn from the distribution that `kernels` names, in both frameworks."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

import dlexplain as dlx

LAYERS = keras.layers


def keras_of(*layers, shape, dtype="float32"):
    keras.utils.set_random_seed(3)
    return keras.Sequential([keras.Input(shape, dtype=dtype), *layers])


CASES = {
    "torch dense": lambda: nn.Sequential(nn.Linear(40, 60)),
    "torch convolution": lambda: nn.Sequential(nn.Conv2d(8, 16, 3)),
    "torch recurrent": lambda: nn.Sequential(nn.GRU(16, 32, batch_first=True)),
    "torch embedding": lambda: nn.Sequential(nn.Embedding(200, 8, padding_idx=0)),
    "torch attention": lambda: nn.ModuleDict({"mix": nn.MultiheadAttention(32, 2)}),
    "keras dense": lambda: keras_of(LAYERS.Dense(60), shape=(40,)),
    "keras convolution": lambda: keras_of(LAYERS.Conv2D(16, 3), shape=(8, 8, 8)),
    "keras recurrent": lambda: keras_of(LAYERS.LSTM(32), shape=(5, 40)),
    "keras embedding": lambda: keras_of(LAYERS.Embedding(200, 8), shape=(5,), dtype="int32"),
    "keras he normal": lambda: keras_of(LAYERS.Dense(60, kernel_initializer="he_normal"), shape=(40,)),
    "keras lecun uniform": lambda: keras_of(LAYERS.Dense(60, kernel_initializer="lecun_uniform"), shape=(40,)),
    "keras depthwise": lambda: keras_of(LAYERS.DepthwiseConv2D(5), shape=(8, 8, 64)),
}


def distribution(initial):
    if initial.shape == "uniform":
        return stats.uniform(initial.low, initial.high - initial.low)
    if initial.shape == "normal":
        return stats.norm(initial.low, initial.high)
    return stats.truncnorm(-2, 2, initial.low, initial.high)


@pytest.mark.parametrize("case", CASES)
def test_fresh_weights_are_of_the_named_distribution(case):
    torch.manual_seed(3)
    kernels = dlx.wrap(CASES[case]()).kernels()
    assert kernels
    for kernel in kernels:
        assert kernel.initial is not None
        # Five runs of a hundred would be below .05; a wrong bound of a few per cent would be far below 1e-3.
        assert stats.kstest(kernel.values.ravel(), distribution(kernel.initial).cdf).pvalue > 1e-3


@pytest.mark.parametrize("case", ["torch dense", "keras dense", "torch convolution", "keras convolution"])
def test_weights_of_another_size_are_not(case):
    torch.manual_seed(3)
    (kernel,) = dlx.wrap(CASES[case]()).kernels()
    assert stats.kstest(1.3 * kernel.values.ravel(), distribution(kernel.initial).cdf).pvalue < 1e-4


def test_an_initialiser_that_is_not_known_is_none():
    model = keras_of(LAYERS.Dense(4, kernel_initializer="ones"), shape=(3,))
    assert [k.initial for k in dlx.wrap(model).kernels()] == [None]


def test_the_row_of_the_padding_is_left_out():
    (kernel,) = dlx.wrap(nn.Sequential(nn.Embedding(10, 4, padding_idx=0))).kernels()
    assert kernel.values.shape == (9, 4)
    assert np.abs(kernel.values).min() > 0
