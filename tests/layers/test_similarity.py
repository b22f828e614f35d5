"""Linear CKA against its definition written out, between layers, models and frameworks."""

from __future__ import annotations

import numpy as np
import pytest

import dlexplain as dlx
from dlexplain.layers.similarity import _aligned
from tests.attribution.conftest import dense_pair, image_pair, random_weights


def biased(x, y):
    """Kornblith and others (2019), equation 5: on features, not on similarities."""
    x, y = x - x.mean(0), y - y.mean(0)
    return np.square(y.T @ x).sum() / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y))


def independence(k, m):
    """Song and others (2012), equation 5, with sums written out."""
    n, k, m = len(k), k - np.diag(np.diag(k)), m - np.diag(np.diag(m))
    ones = np.ones(n)
    return (
        np.trace(k @ m)
        + (ones @ k @ ones) * (ones @ m @ ones) / ((n - 1) * (n - 2))
        - 2 / (n - 2) * (ones @ k @ m @ ones)
    ) / (n * (n - 3))


def unbiased(x, y):
    k, m = x @ x.T, y @ y.T
    return independence(k, m) / np.sqrt(independence(k, k) * independence(m, m))


def test_both_estimates_are_their_definitions():
    generator = np.random.default_rng(0)
    x = generator.standard_normal((30, 5)) + 3
    y = x[:, :2] @ generator.standard_normal((2, 9)) + 0.5 * generator.standard_normal((30, 9)) - 40
    assert _aligned([([x], [y])], False)[0, 0] == pytest.approx(biased(x, y), abs=1e-8)
    assert _aligned([([x], [y])], True)[0, 0] == pytest.approx(unbiased(x, y), abs=1e-8)


def test_rotations_and_scales_change_nothing_and_noise_shares_nothing():
    generator = np.random.default_rng(1)
    x, noise = generator.standard_normal((400, 20)), generator.standard_normal((400, 300))
    turn = np.linalg.qr(generator.standard_normal((20, 20)))[0]
    assert _aligned([([x], [7 * x @ turn + 2])], True)[0, 0] == pytest.approx(1, abs=1e-9)
    # The biased estimate grows with the width alone; the unbiased one knows there is nothing.
    assert abs(_aligned([([x], [noise])], True)[0, 0]) < 0.05 < 0.1 < _aligned([([x], [noise])], False)[0, 0]


def test_in_parts_the_estimate_stays_near_and_memory_bounded():
    generator = np.random.default_rng(2)
    x = generator.standard_normal((1000, 8))
    y = x @ generator.standard_normal((8, 6)) + generator.standard_normal((1000, 6))
    parts = [([x[i : i + 250]], [y[i : i + 250]]) for i in range(0, 1000, 250)]
    assert _aligned(parts, True)[0, 0] == pytest.approx(unbiased(x, y), abs=0.02)


@pytest.mark.parametrize("unbiased", [True, False])
def test_a_network_and_its_twin_see_the_same(unbiased):
    pair = dense_pair(random_weights((6, 10, 8, 3)))
    x = np.random.default_rng(0).standard_normal((50, 6)).astype(np.float32)
    found = dlx.similarity(pair["keras"], pair["torch"], x, unbiased=unbiased)
    matching = [found.layers_b.index(name) for name in ("1", "3", "4")]
    np.testing.assert_allclose(found.values[[0, 1, 2], matching], 1, atol=1e-5)
    assert (found.values <= 1 + 1e-6).all()
    assert found.values[0, matching[2]] < 0.99
    assert found.frameworks == ("keras", "torch")
    assert len(found.table) == found.values.size
    x_last = dlx.activations(pair["keras"], x)[found.layers_a[2]]
    first = dlx.activations(pair["keras"], x)[found.layers_a[0]]
    oracle = globals()["unbiased"] if unbiased else biased
    expected = oracle(first.astype(np.float64), x_last.astype(np.float64))
    assert found.values[0, matching[2]] == pytest.approx(expected, abs=1e-5)


def test_many_samples_are_compared_in_parts():
    pair = dense_pair(random_weights((6, 10, 8, 3)))
    x = np.random.default_rng(0).standard_normal((700, 6)).astype(np.float32)
    found = dlx.similarity(pair["torch"], pair["torch"], x, layers_a="1", layers_b=["3", "4"])
    acts = {k: v.astype(np.float64) for k, v in dlx.activations(pair["torch"], x).values.items()}
    np.testing.assert_allclose(found.values[0], [unbiased(acts["1"], acts[k]) for k in ("3", "4")], atol=0.01)
    with pytest.raises(dlx.InputError, match="at most 1024"):
        dlx.similarity(pair["torch"], pair["torch"], np.repeat(x, 2, 0), unbiased=False)


def test_pictures_are_turned_between_layouts():
    pictures = image_pair()
    keras_model, torch_model = pictures["keras"][0], pictures["torch"][0]
    x = np.random.default_rng(3).random((24, 8, 8, 2), np.float32)
    found = dlx.similarity(keras_model, torch_model, x)
    assert found.values.max(1) == pytest.approx(np.ones(len(found.layers_a)), abs=1e-4)
    again = dlx.similarity(torch_model, keras_model, x.transpose(0, 3, 1, 2))
    np.testing.assert_allclose(found.values, again.values.T, atol=1e-5)


def test_a_constant_layer_has_no_similarity_rather_than_a_wrong_one():
    weights = random_weights((4, 5, 3))
    weights[0][0][:] = 0
    pair = dense_pair(weights)
    x = np.random.default_rng(0).standard_normal((20, 4)).astype(np.float32)
    found = dlx.similarity(pair["torch"], pair["torch"], x)
    assert np.isnan(found.values).all()
    assert "no layer differs" in repr(found)
    assert "Most alike: none" in found.plot().alt
    with pytest.raises(dlx.InputError, match="too few"):
        dlx.similarity(pair["torch"], pair["torch"], x[:3])
