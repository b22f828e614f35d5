"""Localisation and axioms beside Quantus 0.6: equal where it is right; and where it is not, shown on known cases."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from torch import nn

import dlexplain as dlx
from dlexplain.evaluation.metric import METRICS
from tests.evaluation.by_hand import trial

quantus = pytest.importorskip("quantus", reason="Quantus is the oracle of these tests")

QUIET = {
    "disable_warnings": True,
    "display_progressbar": False,
    "normalise": False,
    "return_aggregate": False,
    "abs": False,
}
X = np.random.default_rng(0).random((9, 1, 6, 6)).astype(np.float32)
MAPS = np.random.default_rng(1).standard_normal(X.shape)
TRUTH = np.random.default_rng(2).random(X.shape) < 0.3


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(36, 3)).eval()


def theirs(metric, model, *, values=MAPS, truth=TRUTH, x=X, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(
            metric(
                model=model,
                x_batch=x,
                y_batch=np.zeros(len(x), int),
                a_batch=np.array(values),
                s_batch=None if truth is None else np.array(truth),
                channel_first=True,
                softmax=False,
                device="cpu",
                **options,
            ),
            np.float64,
        )


def ours(name, model, *, values=MAPS, truth=TRUTH, x=X, **options):
    return METRICS[name].function(trial(model, x, None, values=values, truth=(truth,)), **options)


# ---- where Quantus is right --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "metric", "options"),
    [
        ("pointing_game", quantus.PointingGame, {}),
        ("relevance_rank", quantus.RelevanceRankAccuracy, {}),
        ("localisation_auc", quantus.AUC, {}),
        ("top_k_intersection", quantus.TopKIntersection, {"k": 7}),
    ],
)
def test_where_no_values_tie(name, metric, options, model):
    np.testing.assert_allclose(theirs(metric(**options, **QUIET), model), ours(name, model, **options), rtol=1e-9)


def test_relevance_mass_of_maps_without_negative_values(model):
    found = theirs(quantus.RelevanceMassAccuracy(**QUIET), model, values=np.maximum(MAPS, 0))
    np.testing.assert_allclose(found, ours("relevance_mass", model, values=MAPS))
    found = theirs(quantus.AttributionLocalisation(positive_attributions=True, **QUIET), model)
    np.testing.assert_allclose(found, ours("relevance_mass", model, values=MAPS), rtol=1e-6)


def test_non_sensitivity_of_maps_without_negative_values(model):
    values = np.abs(MAPS) * (np.random.default_rng(3).random(X.shape) < 0.6)
    metric = quantus.NonSensitivity(eps=1e-6, features_in_step=1, perturb_baseline=0.0, **QUIET)
    found = theirs(metric, model, values=values, truth=None)
    np.testing.assert_allclose(found / 36, ours("non_sensitivity", model, values=values))


# ---- where it is not ---------------------------------------------------------------------------------------------------


def all_but_one_even():
    """Quantus refuses maps that are even all through."""
    even = np.ones_like(MAPS)
    even[0] = MAPS[0]
    return even


def test_an_even_map_always_hits_to_quantus(model):
    """It says nothing of where; a blind guess hits as often as the truth is large."""
    even = all_but_one_even()
    assert (theirs(quantus.PointingGame(**QUIET), model, values=even)[1:] == 1).all()
    np.testing.assert_allclose(ours("pointing_game", model, values=even)[1:], TRUTH.mean((1, 2, 3))[1:])


def test_a_sample_without_truth_is_hit_by_quantus(model):
    """Not a number, written into an array of booleans, is True."""
    truth = TRUTH.copy()
    truth[4] = False
    assert theirs(quantus.PointingGame(**QUIET), model, truth=truth)[4] == 1
    assert np.isnan(ours("pointing_game", model, truth=truth)[4])


def test_quantuss_share_of_mass_leaves_zero_and_one(model):
    found = theirs(quantus.RelevanceMassAccuracy(**QUIET), model)
    assert ((found < 0) | (found > 1)).any()
    shares = ours("relevance_mass", model)
    assert ((shares >= 0) & (shares <= 1)).all()


def test_equal_values_rank_by_their_place_to_quantus(model):
    """An even map with the truth in the first places, then in the last."""
    first = np.zeros_like(TRUTH).reshape(9, -1)
    first[:, :9] = True
    first, last = first.reshape(X.shape), first[:, ::-1].reshape(X.shape)
    even = all_but_one_even()
    found = [theirs(quantus.RelevanceRankAccuracy(**QUIET), model, values=even, truth=t)[1] for t in (first, last)]
    assert abs(found[0] - found[1]) == 1
    for truth in (first, last):
        np.testing.assert_allclose(ours("relevance_rank", model, values=even, truth=truth)[1:], 0.25)


def test_to_quantus_a_sum_must_be_exact(model):
    """The parts of a linear model sum up to rounding of float32, never to the last bit of all samples."""
    weights = model[1].weight.detach().numpy()[0].reshape(1, 6, 6)
    parts = X.astype(np.float64) * weights
    metric = quantus.Completeness(perturb_baseline=0.0, **QUIET)
    assert not theirs(metric, model, values=parts, truth=None).all()
    made = trial(model, X, None, values=parts)
    assert (METRICS["completeness_error"].function(made) < 1e-5).all()
    assert not METRICS["completeness_error"].function(made, tolerance=1e-4).any()


def test_a_value_below_zero_is_nothing_to_quantus(model):
    """The exact parts of a linear model, half of them negative: map and model agree on every feature."""
    weights = model[1].weight.detach().numpy()[0].reshape(1, 6, 6)
    parts = X.astype(np.float64) * weights
    metric = quantus.NonSensitivity(eps=1e-6, features_in_step=1, perturb_baseline=0.0, **QUIET)
    found = theirs(metric, model, values=parts, truth=None)
    np.testing.assert_array_equal(found, (parts < 0).sum((1, 2, 3)))
    np.testing.assert_array_equal(ours("non_sensitivity", model, values=parts), 0)


def test_a_shift_is_no_wrong_or_right_but_a_length(model):
    """Where Quantus says no, ours says by how much: gradient times input errs by the gradient times the shift."""
    model = dlx.wrap(model)
    made = trial(model, X, "input_x_gradient")
    weights = model.raw[1].weight.detach().numpy()[0]
    expected = np.linalg.norm(weights) / np.linalg.norm(X.reshape(9, -1) * weights, axis=1)
    np.testing.assert_allclose(METRICS["input_invariance"].function(made), expected, rtol=1e-4)
