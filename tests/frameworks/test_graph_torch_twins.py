"""A Keras model and the Torch model converted from it: the same walk, the same values."""

from __future__ import annotations

import numpy as np
import pytest

import dlexplain as dlx
from tests.networks import NETWORKS, one_or_all

pytestmark = pytest.mark.slow  # a sweep: each case is quick, all together are not

OPTIONS = {"epsilon": 1e-6, "gamma": 0.25, "alpha": 2.0, "beta": 1.0}
# Subclassed models and masks of ids have no twin.
TWINS = [n for n in NETWORKS if n.framework == "keras" and n.name not in ("subclassed", "recurrent tokens")]


def _moved(array: np.ndarray, network, back: bool = False) -> np.ndarray:
    if array.ndim == 4 or (network.name == "series" and array.ndim == 3):
        return np.ascontiguousarray(np.moveaxis(array, 1, -1) if back else np.moveaxis(array, -1, 1))
    return array


def _twins(network):
    raw = network.make()
    inputs = network.inputs(3)
    asked = []
    for model, arrays in ((raw, inputs), (dlx.convert(raw, to="torch"), tuple(_moved(a, network) for a in inputs))):
        wrapped = dlx.wrap(model)
        given = wrapped.inputs(one_or_all(arrays))
        ((_, target),) = wrapped.targets(given, (0, 1) if network.name == "two outputs" else 0, 8)
        asked.append((wrapped, given, target))
    return asked


def _near(network, ours, theirs, share: float) -> None:
    for a, b in zip(ours, theirs, strict=True):
        b = _moved(b, network, back=True)
        np.testing.assert_allclose(a, b, rtol=0, atol=share * np.abs(a).max())


@pytest.mark.parametrize("network", TWINS, ids=str)
def test_contributions_are_equal(network):
    found = []
    for model, given, target in _twins(network):
        references = tuple(np.zeros_like(a[:1]) for a in given)
        found.append(model.contributions(given, references, target, 8))
    _near(network, *found, 1e-5)


@pytest.mark.parametrize("rule", ["epsilon", "gamma", "alpha_beta", "epsilon_plus_flat"])
@pytest.mark.parametrize("network", TWINS, ids=str)
def test_relevance_is_equal(network, rule):
    found = [model.relevance(given, target, rule, OPTIONS) for model, given, target in _twins(network)]
    # Relevance divides by sums that may be nearly nothing, where rounding shows.
    _near(network, *found, 1e-3)


@pytest.mark.parametrize("rule", ["guided", "deconvnet"])
def test_gradients_with_changed_relus_are_equal(rule):
    network = next(n for n in TWINS if n.name == "convolution")
    found = [model.modified_gradient(given, target, rule) for model, given, target in _twins(network)]
    _near(network, *found, 1e-5)
