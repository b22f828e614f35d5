"""Robustness and randomisation beside Quantus 0.6 at the same points and weights: equal where it is right; and where it
is not, shown on a case whose answer is known."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from torch import nn

import dlexplain as dlx
from dlexplain.evaluation.families import robustness_nearby
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
DRAWS = 6


@pytest.fixture(scope="module")
def network():
    """A smooth network of pictures with one channel whose values are far from zero, and its predictions."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(64, 3)).eval()
    x = np.random.default_rng(0).uniform(0.5, 1.5, (9, 1, 6, 6)).astype(np.float32)
    return model, x, dlx.wrap(model).predict(x).argmax(1)


def explained(model, inputs, targets, method="input_x_gradient", **_):
    """As Quantus asks for maps."""
    return dlx.explain(model, np.asarray(inputs, np.float32), method, target=list(targets)).values


def theirs(metric, network, **options):
    model, x, goal = network
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(
            metric(
                model=model,
                x_batch=x,
                y_batch=goal,
                a_batch=explained(model, x, goal),
                explain_func=explained,
                channel_first=True,
                softmax=False,
                device="cpu",
                **options,
            ),
            np.float64,
        )


def ours(name, network, **options):
    model, x, goal = network
    return METRICS[name].function(trial(model, x, "input_x_gradient", target=goal), **options)


def replayed(network):
    """Quantus's perturbation, made to give our points one after the other."""
    model, x, goal = network
    made = trial(model, x, "input_x_gradient", target=goal)
    (_, (points,)), *rest = robustness_nearby.points(made, DRAWS, 0.05, None)
    assert not rest
    stream = iter(points.reshape(len(x), DRAWS, -1).transpose(1, 0, 2))
    return {"perturb_func": lambda arr, indices, **_: next(stream).copy(), "nr_samples": DRAWS}


# ---- where Quantus is right --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "theirs_name"), [("max_sensitivity", "MaxSensitivity"), ("avg_sensitivity", "AvgSensitivity")]
)
def test_sensitivity(network, name, theirs_name):
    metric = getattr(quantus, theirs_name)(**replayed(network), **QUIET)
    np.testing.assert_allclose(theirs(metric, network), ours(name, network, samples=DRAWS), rtol=1e-3)


def test_local_lipschitz(network):
    euclidean = quantus.distance_euclidean
    metric = quantus.LocalLipschitzEstimate(
        norm_numerator=euclidean, norm_denominator=euclidean, **replayed(network), **QUIET
    )
    np.testing.assert_allclose(theirs(metric, network), ours("local_lipschitz", network, samples=DRAWS), rtol=1e-3)


@pytest.mark.parametrize(
    ("name", "theirs_name", "options"),
    [
        ("relative_input_stability", "RelativeInputStability", {}),
        ("relative_output_stability", "RelativeOutputStability", {}),
        ("relative_representation_stability", "RelativeRepresentationStability", {"layer_names": ["2"]}),
    ],
)
def test_relative_stability(network, name, theirs_name, options):
    """Far from zero, with a floor of nothing, and where no point changes the class."""
    metric = getattr(quantus, theirs_name)(**replayed(network), **options, **QUIET)
    found = ours(name, network, samples=DRAWS, floor=0.0)
    expected = theirs(metric, network)
    same = np.isfinite(expected)
    assert same.sum() >= 5
    np.testing.assert_allclose(expected[same], found[same], rtol=2e-3)


def test_the_histograms_entropy_rises_alike(network, monkeypatch):
    """Given the same fresh network, the rise of complexity is Quantus's."""
    from quantus.functions import complexity_func

    model, x, goal = network
    made = trial(model, x, "input_x_gradient", target=goal)
    fresh = made.model.reinitialised(made.model.weighted(made.inputs), 3)
    monkeypatch.setattr(type(made.model), "reinitialised", lambda self, layers, seed: fresh)
    found = METRICS["efficient_parameter_randomisation"].function(made, bins=10)
    pairs = [(explained(m, x, goal), m) for m in (model, fresh)]
    entropies = [[complexity_func.discrete_entropy(a=a, x=a, n_bins=10) for a in values] for values, _ in pairs]
    rise = [(b - a) / a for a, b in zip(*entropies, strict=True)]
    np.testing.assert_allclose(found, rise, rtol=1e-4)


@pytest.mark.parametrize("order", ["top", "bottom"])
def test_what_is_left_after_all_weights_are_new(network, order, monkeypatch):
    """Given Quantus's fresh network, the size of the last step's likeness is Quantus's."""
    metric = quantus.MPRT(**last_step(order), **QUIET)
    found = on_their_fresh_network(
        "parameter_randomisation", network, "input_x_gradient", order, monkeypatch, repeats=1
    )
    assert np.ptp(found) > 0.1
    np.testing.assert_allclose(found, np.abs(theirs(metric, network)), atol=1e-3)


@pytest.mark.parametrize("order", ["top", "bottom"])
def test_what_is_left_without_noise_worth_the_name(network, order, monkeypatch):
    """Equal for the one explainer that Quantus asks here: the gradient, whatever explainer it is given."""
    from dlexplain.frameworks.model import Model

    def gradient(model: Model, inputs, target, seed):
        return tuple(np.asarray(g) for g in model.one_gradient(inputs, target)[1])

    def never(**_):
        raise AssertionError("Quantus asked the explainer that it was given")

    model, x, goal = network
    maps = trial(model, x, gradient, target=goal).values[0]
    metric = quantus.SmoothMPRT(nr_samples=1, noise_magnitude=1e-6, **last_step(order), **QUIET)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = metric(
            model=model, x_batch=x, y_batch=goal, a_batch=maps, explain_func=never, channel_first=True, softmax=False,
            device="cpu",
        )  # fmt: skip
    asked = {"samples": 1, "noise": 1e-6}
    found = on_their_fresh_network("smooth_parameter_randomisation", network, gradient, order, monkeypatch, **asked)
    assert np.ptp(found) > 0.05
    np.testing.assert_allclose(found, np.abs(expected), atol=1e-3)


def last_step(order: str) -> dict:
    from quantus.functions.similarity_func import correlation_spearman

    return {
        "layer_order": {"top": "top_down", "bottom": "bottom_up"}[order],
        "seed": 5,
        "similarity_func": correlation_spearman,
        "return_last_correlation": True,
    }


def on_their_fresh_network(name, network, explainer, order, monkeypatch, **asked):
    """Our score, the fresh weights being those that Quantus ends with."""
    from quantus.helpers.model.pytorch_model import PyTorchModel

    model, x, goal = network
    *_, (_, fresh) = PyTorchModel(model, channel_first=True).get_random_layer_generator(
        last_step(order)["layer_order"], 5
    )
    made = trial(model, x, explainer, target=goal)
    monkeypatch.setattr(type(made.model), "reinitialised", lambda self, layers, seed: dlx.wrap(fresh))
    return METRICS[name].function(made, order=order, **asked)


def test_the_map_of_the_other_class():
    """Of two classes there is one other, whoever draws it."""
    from quantus.functions.similarity_func import correlation_spearman

    torch.manual_seed(1)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(64, 2)).eval()
    x = np.random.default_rng(1).uniform(0.5, 1.5, (9, 1, 6, 6)).astype(np.float32)
    pair = model, x, np.arange(9) % 2
    expected = theirs(quantus.RandomLogit(num_classes=2, similarity_func=correlation_spearman, **QUIET), pair)
    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(ours("random_logit", pair), expected, atol=1e-6)


# ---- where it is not ---------------------------------------------------------------------------------------------------


def test_quantus_counts_the_trained_network_as_a_step(network):
    """Every fresh network's map is the negative of the trained one's: each step's likeness is -1, so their mean is -1.
    Quantus adds the trained network's likeness with itself, 1, as if it were a step."""
    model, x, goal = network
    home = dlx.wrap(model).fingerprint

    def turned(model, inputs, targets, **_):
        asked = dlx.wrap(model)
        return (1 if asked.fingerprint == home else -1) * (np.asarray(inputs, np.float64) - 1)

    metric = quantus.MPRT(return_average_correlation=True, **QUIET)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = metric(
            model=model,
            x_batch=x,
            y_batch=goal,
            a_batch=np.asarray(x, np.float64) - 1,
            explain_func=turned,
            channel_first=True,
            device="cpu",
        )
    steps = 2
    np.testing.assert_allclose(found, (1 - steps) / (1 + steps))
    made = trial(model, x, lambda m, i, t, s: (turned(m, i[0], None),), target=goal)
    np.testing.assert_allclose(METRICS["parameter_randomisation"].function(made, taken="mean", repeats=1), 1)


def test_quantus_gives_up_where_one_point_changes_the_class():
    """The definition looks at the points that keep it; Quantus's largest of them and NaN is NaN."""
    model = nn.Linear(2, 2, bias=False)
    model.weight.data = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    x = np.array([[0.02, 0.3]], np.float32)
    network = nn.Sequential(model).eval(), x, np.array([0])
    made, scale = trial(network[0], x, "input_x_gradient"), np.array([1.0, 0.0])
    (_, (points,)), *_ = robustness_nearby.points(made, 20, 0.05, scale)
    assert (points[:, 0] < 0).any()
    assert (points[:, 0] > 0).any()
    stream = iter(points.reshape(1, 20, 2).transpose(1, 0, 2))
    metric = quantus.RelativeInputStability(
        perturb_func=lambda arr, indices, **_: next(stream).copy(), nr_samples=20, **QUIET
    )
    assert np.isnan(theirs(metric, network)).all()
    found = METRICS["relative_input_stability"].function(made, samples=20, scale=scale)
    np.testing.assert_allclose(found, 1, rtol=1e-3)


def test_a_dark_background_makes_every_map_stable_to_quantus(network):
    """A pixel of zero has no relative change. Quantus divides by a millionth, so that the input's change is huge and any
    map looks stable; ours counts it as a thousandth of the largest pixel."""
    model, x, goal = network
    dark = x.copy()
    dark[:, :, :2] = 0
    lit = model, x, goal
    unlit = model, dark, goal
    scores = {}
    for name, case in (("lit", lit), ("unlit", unlit)):
        varied = {**replayed(lit)}
        made = trial(model, case[1], "input_x_gradient", target=goal)
        (_, (points,)), *_ = robustness_nearby.points(made, DRAWS, 0.05, np.float64(0.3))
        stream = iter(points.reshape(len(x), DRAWS, -1).transpose(1, 0, 2))
        varied["perturb_func"] = lambda arr, indices, stream=stream, **_: next(stream).copy()
        metric = quantus.RelativeInputStability(**varied, return_nan_when_prediction_changes=False, **QUIET)
        scores[name] = np.nanmedian(theirs(metric, case))
    assert scores["unlit"] != pytest.approx(scores["lit"], rel=0.5)
    found = [
        np.nanmedian(ours("relative_input_stability", c, samples=DRAWS, scale=np.float64(0.3), floor=0.1))
        for c in (lit, unlit)
    ]
    assert 0.1 < found[1] / found[0] < 10
