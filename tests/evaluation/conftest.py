"""Models whose explanations are known, and trials of any map of them."""

from __future__ import annotations

import numpy as np
import pytest

import dlexplain as dlx
from dlexplain.evaluation import Examinee
from tests.attribution.conftest import dense_pair, image_pair, random_weights

LINEAR = np.array([3.0, -1.0, 2.0, 0.5, 1.5])


def linear_pair(weights: np.ndarray = LINEAR, bias: float = 0.25):
    """`f(x) = weights . x + bias`, one output, in both frameworks."""
    return dense_pair([(np.asarray(weights)[:, None], np.array([bias]))])


def exact(weights: np.ndarray = LINEAR) -> Examinee:
    """What each column adds to the linear model, from zero."""
    return Examinee(name="exact", function=lambda model, inputs, target, seed: (inputs[0] * weights,), complete=True)


def scored(model, inputs, explanation, metric: str, **asked) -> np.ndarray:
    """One metric's scores of one explanation, without the controls. Options of the metric: `options={...}`."""
    options = {metric: asked.pop("options")} if "options" in asked else None
    found = dlx.evaluate(model, inputs, {"row": explanation}, metric, controls=False, options=options, **asked)
    return found.scores["row", metric]


@pytest.fixture(params=["keras", "torch"])
def framework(request) -> str:
    return request.param


@pytest.fixture
def linear(framework):
    """A linear model of five columns, and seven rows of positive numbers."""
    return linear_pair()[framework], np.random.default_rng(0).uniform(0.5, 2, (7, 5)).astype(np.float32)


@pytest.fixture(scope="session")
def pictures():
    """A small convolution network in both frameworks and its pictures, each in its own layout."""
    return image_pair()


@pytest.fixture(scope="session")
def curved():
    """A perceptron of six columns and three classes in both frameworks, and eight rows."""
    x = np.random.default_rng(3).standard_normal((8, 6)).astype(np.float32)
    return dense_pair(random_weights((6, 9, 3)), "tanh"), x
