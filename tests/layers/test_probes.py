"""Probes: what is there is found, what is not there is not, and the readers agree with scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest

import dlexplain as dlx
from dlexplain.layers import features, linear
from tests.attribution.conftest import dense_pair, random_weights
from tests.networks import BY_NAME


@pytest.fixture(scope="module")
def pair():
    """Networks whose second layer forgets the second half of the inputs."""
    weights = random_weights((8, 12, 6, 2), seed=3)
    weights[0][0][4:] = 0
    return dense_pair(weights, "tanh")


@pytest.fixture(scope="module")
def samples():
    return np.random.default_rng(0).standard_normal((240, 8)).astype(np.float32)


def test_the_logistic_reader_is_scikit_learns():
    sklearn = pytest.importorskip("sklearn.linear_model", reason="scikit-learn is the oracle here")
    generator = np.random.default_rng(1)
    for n, width in ((60, 7), (25, 40)):
        x, y = generator.standard_normal((n, width)), generator.integers(0, 3, n)
        x = (x - x.mean(0)) / x.std(0)
        for strength, reader in zip((0.5, 0.01), linear.path(x, y, 3, (0.5, 0.01)), strict=True):
            own = sklearn.LogisticRegression(C=1 / (strength * n), max_iter=10000, tol=1e-8).fit(x, y)
            np.testing.assert_allclose(linear_softmax(reader.scores(x)), own.predict_proba(x), atol=2e-4)


def linear_softmax(scores):
    powers = np.exp(scores - scores.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def test_the_ridge_reader_is_the_normal_equations_solution():
    generator = np.random.default_rng(2)
    for n, width in ((50, 6), (12, 30)):
        x, y = generator.standard_normal((n, width)), generator.standard_normal(n)
        (reader,) = linear.path(x, y, None, (0.1,))
        z = (x - x.mean(0)) / x.std(0)
        weights = np.linalg.solve(z.T @ z + 0.1 * n * np.eye(width), z.T @ (y - y.mean()))
        np.testing.assert_allclose(reader.scores(x)[:, 0], z @ weights + y.mean(), atol=1e-8)


@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_a_probe_finds_what_is_there_and_only_that(pair, samples, framework):
    there = dlx.probe(pair[framework], samples, (samples[:, 0] > samples[:, 1]).astype(int))
    gone = dlx.probe(pair[framework], samples, samples[:, 6] > 0)
    first = there.layers[0]
    assert there.table.score[0] > 0.93
    assert there.table.selectivity[0] > 0.35
    assert abs(gone.table.score[0] - 0.5) < 0.15
    assert abs(gone.table.selectivity[0]) < 0.2
    assert there.control[first].mean() == pytest.approx(0.5, abs=0.12)
    assert there.chance == pytest.approx(0.5, abs=0.05)
    assert len(there.scores[first]) == 5
    assert there.reductions[first] == "all 12 values"
    assert "best" in repr(there)
    assert there.metric == "accuracy"


def test_words_and_real_numbers_are_labels_too(pair, samples):
    named = dlx.probe(pair["torch"], samples, np.where(samples[:, 0] > 0, "up", "down"), "0")
    numbers = dlx.probe(pair["torch"], samples, (samples[:, 0] > 0).astype(int), "0")
    assert named.task == numbers.task == "classification"
    assert min(*named.scores["0"], *numbers.scores["0"]) > 0.85
    real = dlx.probe(pair["torch"], samples, samples[:, 0] - 2 * samples[:, 3], "0")
    assert real.task == "regression"
    assert real.metric == "R²"
    assert real.scores["0"].min() > 0.99
    assert real.control["0"].max() < 0.1


def test_twins_have_the_same_probes(pair, samples):
    y = (samples[:, :3].sum(1) > 0).astype(int)
    found = [dlx.probe(pair[f], samples, y).table for f in ("keras", "torch")]
    # Torch's activations are layers of their own: the probe after each is the one that has a twin.
    torch_rows = found[1].set_index("layer").loc[["1", "3", "4"]]
    np.testing.assert_allclose(found[0].score, torch_rows.score, atol=0.01)
    np.testing.assert_allclose(found[0].control, torch_rows.control, atol=0.01)


def test_a_probe_is_never_tested_on_what_it_was_trained_on(monkeypatch, pair, samples):
    """Rows carry their number as a feature: no row may be seen in training and then scored."""
    trained: list[tuple[linear.Reader, set]] = []
    path, scores, tested = linear.path, linear.Reader.scores, []

    def remember(x, y, classes, strengths):
        for reader in path(x, y, classes, strengths):
            trained.append((reader, set(np.round(x[:, 0], 5))))
            yield reader

    def check(self, x):
        (known,) = [rows for reader, rows in trained if reader is self]
        tested.append(set(np.round(x[:, 0], 5)))
        assert not known & tested[-1]
        return scores(self, x)

    monkeypatch.setattr(linear, "path", remember)
    monkeypatch.setattr(linear.Reader, "scores", check)
    dlx.probe(pair["torch"], samples[:60], samples[:60, 0] > 0, "0")
    # Labels and control, five folds of twelve, each after three inner folds that saw nothing of it.
    assert sum(len(rows) == 12 for rows in tested) == 10
    assert len(tested) >= 2 * 5 * (1 + 2 * 3)


def test_groups_stay_together():
    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(10), 7)
    parts = linear.dealt(np.arange(70) % 2, 5, generator, groups)
    assert all(len(set(parts[groups == g])) == 1 for g in range(10))
    assert set(parts) == set(range(5))


def test_learning_groups_by_heart_is_not_rewarded(pair):
    """Each group has one label at random and nearly equal rows: only splits that part groups would score."""
    generator = np.random.default_rng(5)
    groups = np.repeat(np.arange(30), 8)
    x = (generator.standard_normal((30, 8))[groups] + 0.01 * generator.standard_normal((240, 8))).astype(np.float32)
    y = (np.arange(30) % 2)[groups]
    apart = dlx.probe(pair["torch"], x, y, "0", groups=groups)
    mixed = dlx.probe(pair["torch"], x, y, "0")
    assert mixed.table.score[0] > apart.table.score[0] + 0.15


@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_labels_of_positions_probe_layers_with_positions(framework):
    network = BY_NAME[f"{framework}-attended tokens"]
    model, ids = network.make(), np.random.default_rng(0).integers(1, 11, (40, 6))
    words = dlx.activations(model, ids)
    first = words[words.layers[0]][..., 0]
    found = dlx.probe(model, ids, first > np.median(first))
    assert found.samples == 240
    assert found.table.score.max() > 0.95
    assert all(shape[0] == 6 for name, shape in dlx.wrap(model).shapes((ids,)).items() if name in found.layers)


def test_large_activations_are_reduced_alike_whichever_the_layout():
    values = np.random.default_rng(0).standard_normal((3, 8, 6, 5)).astype(np.float32)
    same, words = features.reduce(values, 240, 0)
    assert words == "all 240 values"
    assert same.shape == (3, 240)
    pooled, words = features.reduce(values, 20, 0)
    assert words == "means over 2 × 2 areas"
    np.testing.assert_allclose(pooled.reshape(3, 2, 2, 5)[:, 1, 0], values[:, 4:, :3].mean((1, 2)), atol=1e-6)
    narrow, words = features.reduce(values, 4, 0)
    assert words == "means over all places, a random projection of 5 units to 4"
    assert narrow.shape == (3, 4)
    alone, _ = features.reduce(values[1:2], 4, 0)
    np.testing.assert_allclose(alone[0], narrow[1], atol=1e-6)


def test_bad_labels_are_refused_in_words(pair, samples):
    model = pair["torch"]
    for labels, message in (
        (np.zeros(240), "at least two classes"),
        (np.zeros(7), "one label a sample"),
        ([1] + [0] * 239, "rarest class"),
        (np.full(240, np.nan), "NaN"),
    ):
        with pytest.raises(dlx.InputError, match=message):
            dlx.probe(model, samples, labels)
    with pytest.raises(dlx.InputError, match="folds"):
        dlx.probe(model, samples, samples[:, 0] > 0, folds=1)
    with pytest.raises(dlx.InputError, match="task"):
        dlx.probe(model, samples, samples[:, 0] > 0, task="clustering")
