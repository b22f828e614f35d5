"""Beside Quantus 0.6, with the same settings: equal where Quantus is right; and where it is not, shown on a case whose
answer is known."""

from __future__ import annotations

import warnings
import zlib

import numpy as np
import pytest
import torch
from torch import nn

import dlexplain as dlx
from dlexplain.evaluation.curves import curve, ranking
from dlexplain.evaluation.families import faithfulness
from tests.evaluation.conftest import scored

quantus = pytest.importorskip("quantus", reason="Quantus is the oracle of these tests")

QUIET = {"disable_warnings": True, "display_progressbar": False, "normalise": False, "return_aggregate": False}
# Quantus's "black" is each picture's own smallest value; ours is what the caller says, here zero.


@pytest.fixture(scope="module")
def asked():
    """A small network of pictures with one channel, its predictions, and maps of no particular merit."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)).eval()
    x = np.random.default_rng(0).random((6, 1, 6, 6)).astype(np.float32)
    values = np.random.default_rng(1).standard_normal(x.shape).astype(np.float32)
    return model, x, dlx.wrap(model).predict(x).argmax(1), values


def theirs(metric, asked, *, softmax=False, **changes):
    model, x, goal, values = asked
    values = changes.pop("values", values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return metric(
            model=model,
            x_batch=x,
            y_batch=goal,
            a_batch=values.copy(),
            channel_first=True,
            softmax=softmax,
            device="cpu",
        )


def ours(name, asked, **options):
    model, x, goal, values = asked
    values = options.pop("values", values)
    return scored(model, x, values, name, target=list(goal), options=options)


# ---- where Quantus is right ------------------------------------------------------------------------------------------


def test_faithfulness_estimate(asked):
    for together in (1, 4):
        metric = quantus.FaithfulnessEstimate(features_in_step=together, abs=False, perturb_baseline=0.0, **QUIET)
        np.testing.assert_allclose(
            ours("faithfulness_estimate", asked, together=together), theirs(metric, asked), atol=1e-5
        )


def test_faithfulness_correlation_over_the_same_sets(asked, monkeypatch):
    """Quantus draws sets anew for every sample; handed ours, it gives our scores."""
    rng = np.random.default_rng([0, zlib.crc32(b"faithfulness_correlation")])
    sets = [rng.permutation(36)[:9] for _ in range(30)]
    asks = iter([s for s in sets for _ in range(len(asked[1]))])
    monkeypatch.setattr(np.random, "choice", lambda *given, **named: next(asks))
    metric = quantus.FaithfulnessCorrelation(nr_runs=30, subset_size=9, abs=False, perturb_baseline=0.0, **QUIET)
    np.testing.assert_allclose(
        theirs(metric, asked), ours("faithfulness_correlation", asked, samples=30, share=0.25), atol=1e-5
    )


def test_pixel_flippings_curve(asked, monkeypatch):
    """The whole curve. (Its area Quantus 0.6 cannot take: it calls `numpy.trapz`, which NumPy 2.4 no longer has.)"""
    caught = {}

    def keep(trial, places, gone):
        caught["curve"] = curve(trial, places, gone)
        return caught["curve"]

    monkeypatch.setattr(faithfulness, "curve", keep)
    area = ours("pixel_flipping", asked, steps=12)
    metric = quantus.PixelFlipping(features_in_step=3, abs=False, perturb_baseline=0.0, **QUIET)
    found = np.array(theirs(metric, asked))
    np.testing.assert_allclose(caught["curve"][:, 1:], found, atol=1e-5)
    whole = np.concatenate([caught["curve"][:, :1], found], 1)
    np.testing.assert_allclose(area, np.trapezoid(whole, dx=1 / 12), atol=1e-5)


def test_region_perturbation(asked):
    metric = quantus.RegionPerturbation(
        patch_size=2, regions_evaluation=9, order="morf", abs=False, perturb_baseline=0.0, **QUIET
    )
    falls = np.array(theirs(metric, asked))  # without the first term of the sum, which is zero
    np.testing.assert_allclose(
        ours("region_perturbation", asked, window=2), falls.sum(1) / (falls.shape[1] + 1), atol=1e-5
    )


def test_monotonicity_correlation(asked):
    metric = quantus.MonotonicityCorrelation(nr_samples=1, features_in_step=1, abs=True, perturb_baseline=0.0, **QUIET)
    np.testing.assert_allclose(ours("monotonicity", asked), theirs(metric, asked), atol=1e-5)


def test_road_without_noise(asked):
    percentages = (10, 25, 40, 65, 90)
    metric = quantus.ROAD(noise=0.0, percentages=list(percentages), abs=False, **QUIET)
    found = theirs(metric, asked)
    for share in percentages:
        accuracy = ours("road", asked, shares=(share / 100,), noise=0.0).mean()
        assert accuracy == pytest.approx(found[share], abs=1e-6), share
    assert len(set(found.values())) > 1


def test_sufficiency_within_a_distance(asked):
    """Of maps that are on one scale already: Quantus scales all by the loudest of the batch, we each by itself."""
    values = asked[3] / np.abs(asked[3]).max((1, 2, 3), keepdims=True)
    metric = quantus.Sufficiency(threshold=0.9, abs=True, **{**QUIET, "normalise": True})
    found = np.array(theirs(metric, asked, values=values))
    mine = ours("sufficiency", asked, values=values, within=0.9, absolute=True)
    np.testing.assert_allclose(np.nan_to_num(mine), found, atol=1e-6)  # where nothing is near, Quantus says 0
    assert np.unique(found).size > 2


def test_sparseness_and_entropy(asked):
    np.testing.assert_allclose(
        ours("sparseness", asked), theirs(quantus.Sparseness(abs=True, **QUIET), asked), atol=1e-5
    )
    np.testing.assert_allclose(
        ours("complexity", asked), theirs(quantus.Complexity(abs=True, **QUIET), asked), atol=1e-5
    )


# ---- where it is not -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def known(asked):
    """A linear model of the same pictures with its exact contributions, of both signs."""
    torch.manual_seed(1)
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, 3)).eval()
    x = asked[1]
    goal = dlx.wrap(model).predict(x).argmax(1)
    slopes = model[1].weight.detach().numpy()[goal].reshape(x.shape)
    return model, x, goal, (slopes * x).astype(np.float32)


def test_sensitivity_n_of_exact_contributions_is_1_which_quantus_denies(known):
    """Quantus sets the fall after all steps so far against the sum of the last step alone, and correlates over samples
    at each n instead of over sets at each sample."""
    np.testing.assert_allclose(ours("sensitivity_n", known), 1, atol=1e-4)
    metric = quantus.SensitivityN(features_in_step=1, n_max_percentage=0.8, abs=False, perturb_baseline=0.0, **QUIET)
    found = np.array(theirs(metric, known))
    assert len(found) == 28  # one for each n up to four fifths of 36, none for a sample
    assert np.abs(found[1:]).max() < 0.99


def test_monotonicity_of_a_falling_curve_is_no_which_quantus_calls_monotonic(known):
    """Quantus starts from the baseline and replaces features by the baseline: its picture never changes, so every map is
    monotonic."""
    model, x, goal, contributions = known
    worst = -contributions
    metric = quantus.Monotonicity(features_in_step=1, abs=False, perturb_baseline=0.0, **QUIET)
    assert all(theirs(metric, known, values=worst))
    mine = ours("monotonicity_arya", known, values=worst, steps=36)
    assert (mine < 1).all()
    places = ranking(contributions.reshape(len(x), -1))
    first = np.zeros_like(x).reshape(len(x), -1)
    best = places == 0
    first[best] = x.reshape(len(x), -1)[best]
    second = first.copy()
    second[places == 35] = x.reshape(len(x), -1)[places == 35]  # the most hindering feature after the most helping
    wrapped, rows = dlx.wrap(model), np.arange(len(x))
    before, after = (wrapped.predict(p.reshape(x.shape))[rows, goal] for p in (first, second))
    assert (after < before).all()  # the output does fall


def test_effective_complexity_asks_the_model_which_quantus_does_not(known):
    """Quantus counts values above a threshold: the same for every model. The paper asks how many features the output
    needs."""
    metric = quantus.EffectiveComplexity(eps=1e-5, abs=True, **QUIET)
    everything = np.array(theirs(metric, known))
    np.testing.assert_array_equal(everything, 36)
    needed = ours("effective_complexity", known, tolerance=0.5, steps=36)
    assert (needed < 30).all()
    one = nn.Sequential(nn.Flatten(), nn.Linear(36, 3)).eval()
    with torch.no_grad():
        one[1].weight[:, 1:] = 0
    other = (one, known[1], known[2], known[3])
    np.testing.assert_array_equal(theirs(metric, other), everything)


def test_sufficiency_survives_a_feature_that_never_varies(asked):
    """A constant feature has no deviation to be measured in: Quantus divides by zero, and no map is near any other."""
    still = asked[3].copy()
    still[:, 0, 0, 0] = 0
    with np.errstate(invalid="ignore", divide="ignore"):
        found = theirs(
            quantus.Sufficiency(threshold=0.95, abs=True, **{**QUIET, "normalise": True}), asked, values=still
        )
    np.testing.assert_array_equal(found, 0)
    assert np.nansum(ours("sufficiency", asked, values=still, within=0.95, absolute=True)) > 0


def test_infidelity_of_exact_slopes_is_nothing_in_both(known):
    """Both find no error on the linear model. Elsewhere they disagree by design: Quantus's patches stay covered from one
    to the next, and every one of its samples is the same sweep; ours are sets drawn at random, as in the paper."""
    _, x, _, contributions = known
    slopes = np.divide(contributions, x)
    metric = quantus.Infidelity(perturb_patch_sizes=[2], n_perturb_samples=2, perturb_baseline=0.0, **QUIET)
    np.testing.assert_allclose(theirs(metric, known, values=slopes), 0, atol=1e-8)
    np.testing.assert_allclose(ours("infidelity", known, relative=False), 0, atol=1e-8)
