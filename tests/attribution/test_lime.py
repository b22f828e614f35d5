"""LIME against closed forms on straight lines and against scikit-learn's weighted ridge on the same neighbours."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import dlexplain as dlx
from dlexplain.attribution.families import lime  # noqa: F401  (enters the method)
from dlexplain.errors import InputError
from tests.attribution.conftest import dense_pair, random_weights
from tests.networks import BY_NAME, one_or_all


@pytest.fixture(scope="module")
def table():
    generator = np.random.default_rng(4)
    models = dense_pair(random_weights((12, 9, 2), 3), "tanh")
    return models, generator.standard_normal((3, 12)).astype("float32"), generator.standard_normal((40, 12))


@pytest.mark.parametrize("background", [False, True], ids=["kept or filled", "noise"])
def test_a_straight_line_is_recovered(framework, background):
    generator = np.random.default_rng(0)
    weights, bias = generator.standard_normal((6, 2)), generator.standard_normal(2)
    model = dense_pair([(weights, bias)])[framework]
    x, b = generator.standard_normal((3, 6)), generator.standard_normal((30 if background else 1, 6))
    b[:, 2] = 0.5  # a column that never varies
    given = {"target": 1, "baseline": b if background else b[0], "ridge": 1e-9}
    found = dlx.explain(model, x, "lime", **given)
    np.testing.assert_allclose(found.values, weights[:, 1] * (x - b.mean(0)), atol=1e-4)
    np.testing.assert_allclose(found.options["fit"], 1, atol=1e-5)
    assert found.gap is None
    usual = dlx.explain(model, x, "lime", **{**given, "ridge": 1e-3})
    np.testing.assert_allclose(usual.values, found.values, atol=2e-2)


def by_sklearn(design, nearness, scores, ridge):
    from sklearn.linear_model import Ridge

    variance = np.mean([np.cov(column, aweights=nearness, bias=True) for column in design.T])
    fitted = Ridge(alpha=ridge * nearness.sum() * variance, solver="cholesky").fit(
        design, scores, sample_weight=nearness
    )
    return fitted.coef_, fitted.score(design, scores, sample_weight=nearness)


@pytest.mark.filterwarnings("ignore:lime")
@pytest.mark.parametrize("samples", [300, 5000], ids=["drawn", "all ways"])
def test_kept_or_filled_neighbours_by_another_ridge(framework, table, samples):
    models, x, background = table
    b = background[0].astype("float32")
    found = dlx.explain(
        models[framework], x, "lime", target=1, baseline=b, samples=samples, width=0.4, ridge=0.01, seed=6
    )
    if samples == 300:
        kept = [np.ones(12, bool), *(np.random.default_rng(6).random((300, 12)) < 0.5)]
    else:
        kept = [np.array([(number >> bit) % 2 == 1 for bit in range(12)]) for number in range(4096)]
    cosine = [np.dot(k, np.ones(12)) / max(np.linalg.norm(k) * np.sqrt(12), 1e-9) for k in kept]
    nearness = np.array([np.exp(-((1 - c) ** 2) / 0.4**2) for c in cosine])
    for row, values, fit in zip(x, found.values, found.options["fit"], strict=True):
        scores = dlx.wrap(models[framework]).predict(np.where(kept, row, b))[:, 1]
        expected, score = by_sklearn(np.array(kept, float), nearness, scores, 0.01)
        np.testing.assert_allclose(values, expected, atol=1e-5)
        assert fit == pytest.approx(score, abs=1e-4)


@pytest.mark.filterwarnings("ignore:lime")
def test_noisy_neighbours_by_another_ridge(framework, table):
    models, x, background = table
    found = dlx.explain(models[framework], x, "lime", target=0, baseline=background, samples=400, ridge=0.02, seed=7)
    assert found.options["width"] == pytest.approx(0.75 * np.sqrt(12))
    noise = np.concatenate([np.zeros((1, 12)), np.random.default_rng(7).standard_normal((400, 12))])
    nearness = np.exp(-(np.linalg.norm(noise, axis=1) ** 2) / (0.75**2 * 12))
    deviation, mean = background.std(0), background.mean(0)
    for row, values, fit in zip(x, found.values, found.options["fit"], strict=True):
        scores = dlx.wrap(models[framework]).predict((row + deviation * noise).astype("float32"))[:, 0]
        expected, score = by_sklearn(noise, nearness, scores, 0.02)
        np.testing.assert_allclose(values, expected * (row - mean) / deviation, atol=1e-4)
        assert fit == pytest.approx(score, abs=1e-4)


@pytest.mark.filterwarnings("ignore:lime")
def test_groups_have_one_weight_spread_over_them(framework, table):
    models, x, background = table
    numbers = np.array([0, 0, 1, 2, 2, 2, 3, 4, 5, 6, 7, 1])
    given = {"target": 1, "baseline": background[:5], "groups": numbers}
    found = dlx.explain(models[framework], x, "lime", **given)
    assert found.options["width"] == 0.25  # kept or filled: noise would tear a group apart
    kept = np.array([[(number >> bit) % 2 == 1 for bit in range(8)] for number in range(256)])
    nearness = np.exp(-((1 - np.sqrt(kept.mean(1))) ** 2) / 0.25**2)
    for row, values in zip(x, found.values, strict=True):
        scores = np.mean(
            [dlx.wrap(models[framework]).predict(np.where(kept[:, numbers], row, b).astype("float32"))[:, 1]
             for b in background[:5]], 0
        )  # fmt: skip
        expected, _ = by_sklearn(kept.astype(float), nearness, scores, 1e-3)
        np.testing.assert_allclose(values, (expected / np.bincount(numbers))[numbers], atol=1e-5)


@pytest.mark.filterwarnings("ignore:lime")
def test_twins_and_batches_give_the_same(pictures):
    found = {
        k: dlx.explain(m, x, "lime", target=0, samples=300, segments=(4, 3), seed=1) for k, (m, x) in pictures.items()
    }
    np.testing.assert_allclose(found["torch"].heatmap(), found["keras"].heatmap(), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found["torch"].options["fit"], found["keras"].options["fit"], atol=1e-5)
    model, x = pictures["torch"]
    again = dlx.explain(model, x[1:2], "lime", target=0, samples=300, segments=(4, 3), seed=1, batch_size=9)
    np.testing.assert_allclose(again.values, found["torch"].values[1:2], atol=1e-5)
    heat = found["torch"].heatmap()
    assert np.ptp(heat[:, :2, :2], axis=(1, 2)).max() < 1e-6  # one piece, one value


@pytest.mark.filterwarnings("ignore:lime")
@pytest.mark.parametrize("name", ["series", "attended tokens", "recurrent tokens", "two inputs"])
def test_every_kind_of_input_by_another_ridge(framework, name):
    network = BY_NAME[f"{framework}-{name}"]
    model, inputs = network.make(), network.inputs(3)
    options = {"segments": 6} if name == "series" else {}
    found = dlx.explain(model, one_or_all(inputs), "lime", target=0, **options)
    sizes = [a.shape[1] for a in inputs] if name != "series" else [6]
    d = sum(sizes)
    kept = np.array([[(number >> bit) % 2 == 1 for bit in range(d)] for number in range(2**d)])
    nearness = np.exp(-((1 - np.sqrt(kept.mean(1))) ** 2) / 0.25**2)
    values = found.values if isinstance(found.values, tuple) else (found.values,)
    time = 0 if framework == "keras" else 1
    for n in range(3):
        shown, first = [], 0
        for a, size in zip(inputs, sizes, strict=True):
            mask = kept[:, first : first + size]
            if name == "series":
                mask = np.expand_dims(np.repeat(mask, 2, 1), 2 - time)
            shown.append(np.where(mask, a[n], 0).astype(a.dtype))
            first += size
        scores = dlx.wrap(model).predict(one_or_all(tuple(shown))).reshape(len(kept), -1)[:, 0]
        expected, _ = by_sklearn(kept.astype(float), nearness, scores, 1e-3)
        if name == "series":
            pairs = values[0][n].sum(1 - time).reshape(6, 2)
            np.testing.assert_allclose(pairs, np.repeat(expected[:, None] / 2, 2, 1), atol=1e-5)
        else:
            np.testing.assert_allclose(np.concatenate([v[n] for v in values]), expected, atol=1e-5)


def test_a_poor_fit_is_said_in_words_and_a_good_one_is_not(framework):
    import keras
    import torch

    class Parity(torch.nn.Module):
        def forward(self, x):
            return torch.prod(2 * x - 1, -1, keepdim=True)

    inputs = keras.Input((6,))
    parity = keras.Model(inputs, keras.layers.Lambda(lambda x: keras.ops.prod(2 * x - 1, -1, keepdims=True))(inputs))
    model = Parity() if framework == "torch" else parity
    with pytest.warns(UserWarning, match=r"fits 2 of 2 samples poorly .* kernel_shap"):
        found = dlx.explain(model, np.ones((2, 6)), "lime")
    assert max(found.options["fit"]) < 0.5
    assert "fits 2 of 2" in found.warnings[0]
    linear = dense_pair([(np.ones((6, 1)), [0.0])])[framework]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dlx.explain(linear, np.ones((2, 6)), "lime")
        dlx.explain(linear, np.zeros((2, 6)), "lime")  # nothing changes: a constant is fitted


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_few_parts_are_not_pressed_to_zero(framework, columns):
    model = dense_pair([(np.full((columns, 1), 2.0), [0.5])])[framework]
    found = dlx.explain(model, np.ones((2, columns)), "lime")
    np.testing.assert_allclose(found.values, 2, rtol=5e-3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"samples": -1}, "samples=-1"),
        ({"width": 0}, "width=0"),
        ({"ridge": float("nan")}, "ridge=nan"),
        ({"segments": 2}, "nothing here is cut"),
        ({"groups": [["z"]]}, "no feature is named 'z'"),
    ],
)
def test_bad_options_are_refused_in_words(table, options, words):
    models, x, _ = table
    with pytest.raises(InputError, match=words):
        dlx.explain(models["torch"], x, "lime", target=0, **options)
