"""Localisation: perfect, worst and blind maps have known scores; and a second derivation by plain counting."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

import dlexplain as dlx
from dlexplain.evaluation.metric import METRICS
from tests.evaluation.by_hand import image_pair, linear_pair, trial

NAMES = [name for name, m in METRICS.items() if m.family == "localisation"]
N, D = 40, 12
GENERATOR = np.random.default_rng(8)
# From one feature to half of them: a map that points elsewhere can then be wholly wrong.
TRUTH = GENERATOR.permuted(np.arange(D) < 1 + np.arange(N)[:, None] % (D // 2), axis=1)
MAPS = GENERATOR.standard_normal((N, D)).round(1)  # with ties


def ask(name, values, truth=TRUTH, **options):
    raw = linear_pair(np.ones((values.shape[1], 2), np.float32))["torch"]
    made = trial(raw, np.ones_like(values, dtype=np.float32), None, values=values, truth=(truth,))
    return METRICS[name].function(made, **options)


def test_the_family_is_whole():
    assert NAMES == ["pointing_game", "relevance_mass", "relevance_rank", "localisation_auc", "top_k_intersection"]


@pytest.mark.parametrize("name", NAMES)
def test_a_map_that_is_the_truth_is_perfect_and_its_opposite_the_worst(name):
    options = {"k": 1} if name == "top_k_intersection" else {}
    np.testing.assert_allclose(ask(name, TRUTH.astype(float), **options), 1)
    np.testing.assert_allclose(ask(name, (~TRUTH).astype(float), **options), 0)


@pytest.mark.parametrize("name", [*NAMES, "top_k_intersection"])
def test_an_even_map_gets_what_a_blind_guess_gets(name):
    """Which is the truth's share of the features; a half for the area under the curve."""
    chance = np.full(N, 0.5) if name == "localisation_auc" else TRUTH.mean(1)
    np.testing.assert_allclose(ask(name, np.ones((N, D))), chance)


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_without_truth_has_no_score(name):
    truth = TRUTH.copy()
    truth[3] = False
    found = ask(name, MAPS, truth)
    assert np.isnan(found[3])
    assert np.isfinite(np.delete(found, 3)).all()


def test_truth_everywhere_parts_nothing():
    assert np.isnan(ask("localisation_auc", MAPS, np.ones_like(TRUTH))).all()
    np.testing.assert_array_equal(ask("relevance_rank", MAPS, np.ones_like(TRUTH)), 1)


@pytest.mark.parametrize("of", ["signed", "positive", "absolute"])
@pytest.mark.parametrize("name", NAMES)
def test_every_score_is_what_plain_counting_gives(name, of):
    if (name, of) == ("relevance_mass", "signed"):
        with pytest.raises(dlx.InputError, match="no shares"):
            ask(name, MAPS, of=of)
        return
    values = {"signed": MAPS, "positive": np.maximum(MAPS, 0), "absolute": np.abs(MAPS)}[of]
    slow = [PLAIN[name](v.tolist(), t.tolist()) for v, t in zip(values, TRUTH, strict=True)]
    options = {"k": 3} if name == "top_k_intersection" else {}
    np.testing.assert_allclose(ask(name, MAPS, of=of, **options), slow)


def average_over_orders(values, truth, size):
    """The truths among the largest, the mean over many random orders of those that tie."""
    total, rounds, generator = 0, 4000, np.random.default_rng(0)
    exact = len(set(values)) == len(values)
    for _ in range(1 if exact else rounds):
        order = sorted(range(len(values)), key=lambda i: (-values[i], generator.random()))
        total += sum(truth[i] for i in order[:size])
    return total / (1 if exact else rounds)


def expected_hits(values, truth, size):
    edge = sorted(values, reverse=True)[size - 1]
    sure = [i for i, v in enumerate(values) if v > edge]
    level = [i for i, v in enumerate(values) if v == edge]
    return sum(truth[i] for i in sure) + (size - len(sure)) * sum(truth[i] for i in level) / len(level)


PLAIN = {
    "pointing_game": lambda v, t: expected_hits(v, t, 1),
    "relevance_mass": lambda v, t: sum(a for a, b in zip(v, t, strict=True) if b) / sum(v),
    "relevance_rank": lambda v, t: expected_hits(v, t, sum(t)) / sum(t),
    "localisation_auc": lambda v, t: roc_auc_score(t, v),
    "top_k_intersection": lambda v, t: expected_hits(v, t, 3) / 3,
}


def test_ties_count_as_a_random_order_would():
    for values, truth in zip(MAPS[:4].round(0), TRUTH[:4], strict=True):
        size = int(truth.sum())
        slow = average_over_orders(values.tolist(), truth.tolist(), size) / size
        found = ask("relevance_rank", values[None], truth[None])[0]
        assert abs(found - slow) < 0.03


def test_relevance_mass_of_an_empty_map_is_undefined():
    values = MAPS.copy()
    values[5] = -1
    assert np.isnan(ask("relevance_mass", values)[5])
    assert np.isfinite(ask("relevance_mass", values, of="absolute")[5])


def test_more_places_than_features_is_all_of_them():
    np.testing.assert_allclose(ask("top_k_intersection", MAPS, k=500), TRUTH.mean(1))


def test_a_pixel_is_evidence_if_one_of_its_channels_is():
    for raw, x in image_pair().values():
        channel = 1 if x.shape[1] == 2 else -1
        truth = np.zeros(x.shape, bool)
        np.moveaxis(truth, channel, -1)[:, 2, 3, 0] = True
        values = np.zeros(x.shape)
        np.moveaxis(values, channel, -1)[:, 2, 3, 1] = 1.0
        made = trial(raw, x, None, values=values, truth=(truth,))
        for name in ("pointing_game", "relevance_mass", "relevance_rank", "localisation_auc"):
            np.testing.assert_allclose(METRICS[name].function(made), 1)


def test_an_explanation_of_a_model_that_looks_there_is_found_there():
    """A linear model that reads three columns: its maps point at them in both frameworks."""
    weights = np.zeros((D, 2), np.float32)
    weights[[1, 4, 7], 0] = (2, 3, 1)
    truth = np.zeros((5, D), bool)
    truth[:, [1, 4, 7]] = True
    x = np.random.default_rng(0).random((5, D)).astype(np.float32) + 0.5
    for raw in linear_pair(weights).values():
        made = trial(raw, x, "input_x_gradient", truth=(truth,))
        for name in NAMES:
            options = {"k": 3} if name == "top_k_intersection" else {}
            np.testing.assert_allclose(METRICS[name].function(made, **options), 1)


@pytest.mark.parametrize("name", NAMES)
def test_twins_are_found_in_the_same_places(name):
    """Truth per pixel, in either layout."""
    truth, found = np.random.default_rng(4).random((1, 8, 9)) < 0.3, []
    for model, x in image_pair().values():
        row = dlx.evaluate(model, x, "input_x_gradient", name, truth=np.repeat(truth, len(x), 0))
        assert row.controls == ("random", "model-blind")
        found.append([row.scores[label, name] for label in (*row.rows, *row.controls)])
    np.testing.assert_allclose(*found, rtol=1e-4, atol=1e-5)
    assert np.isfinite(found).all()


def test_bad_options_are_named():
    with pytest.raises(dlx.InputError, match="of='all'"):
        ask("pointing_game", MAPS, of="all")
    with pytest.raises(dlx.InputError, match="k=0"):
        ask("top_k_intersection", MAPS, k=0)
    made = trial(torch.nn.Linear(D, 2), np.ones((2, D), np.float32), None, values=np.ones((2, D)))
    with pytest.raises(dlx.InputError, match="no truth"):
        METRICS["pointing_game"].function(made)
