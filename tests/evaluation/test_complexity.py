"""Complexity where it is known: one feature holds everything, or all are equal."""

from __future__ import annotations

import numpy as np
import pytest

from tests.evaluation.conftest import exact, linear_pair, scored


@pytest.fixture
def asked():
    return linear_pair()["torch"], np.random.default_rng(0).uniform(0.5, 2, (3, 5)).astype(np.float32)


def test_one_feature_alone_and_all_alike(asked):
    model, x = asked
    alone, alike = np.zeros((3, 5)), np.full((3, 5), -2.0)
    alone[:, 2] = -7
    np.testing.assert_allclose(scored(model, x, alone, "sparseness"), 1 - 1 / 5)
    np.testing.assert_allclose(scored(model, x, alike, "sparseness"), 0, atol=1e-12)
    np.testing.assert_allclose(scored(model, x, alone, "complexity"), 0, atol=1e-12)
    np.testing.assert_allclose(scored(model, x, alike, "complexity"), np.log(5))
    for metric in ("sparseness", "complexity"):
        assert np.isnan(scored(model, x, 0 * alone, metric)).all()


def test_gini_by_pairs_and_entropy_by_terms(asked):
    model, x = asked
    values = np.random.default_rng(1).standard_normal((3, 5))
    sizes = np.abs(values)
    pairs = np.abs(sizes[:, :, None] - sizes[:, None]).sum((1, 2)) / (2 * 25 * sizes.mean(1))
    np.testing.assert_allclose(scored(model, x, values, "sparseness"), pairs)
    shares = sizes / sizes.sum(1, keepdims=True)
    np.testing.assert_allclose(scored(model, x, values, "complexity"), [-sum(p * np.log(p)) for p in shares])
    for metric in ("sparseness", "complexity"):  # neither the scale nor the sign counts
        np.testing.assert_allclose(scored(model, x, -3 * values, metric), scored(model, x, values, metric))


@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_as_many_features_as_the_output_needs(framework):
    weights = np.array([10.0, 5.0, 0.2, 0.2, 0.1])
    model, x = linear_pair(weights, 0.0)[framework], np.ones((2, 5), np.float32)
    for tolerance, needed in ((0.5, 1), (0.1, 2), (0.02, 3), (0.001, 5)):
        found = scored(model, x, exact(weights), "effective_complexity", options={"tolerance": tolerance})
        assert found.tolist() == [needed, needed]
    blind = scored(model, x, exact(weights[::-1]), "effective_complexity")  # the important ones come last
    assert blind.tolist() == [5, 5]
