"""Axioms: what must hold to rounding holds, and a map that breaks one by a known amount is measured at that amount."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch
from torch import nn

import dlexplain as dlx
from dlexplain.evaluation.metric import METRICS
from tests.evaluation.by_hand import constant, identity, image_pair, linear_pair, trial
from tests.networks import NETWORKS, one_or_all

FRAMEWORKS = ("keras", "torch")
NAMES = [name for name, m in METRICS.items() if m.family == "axioms"]
WEIGHTS = np.array([[2.0, 0], [-3, 0], [0, 1], [0.5, 0], [0, 0]], np.float32)
TABLE = np.random.default_rng(6).uniform(0.5, 2, (7, 5)).astype(np.float32)


@pytest.fixture(params=FRAMEWORKS)
def linear(request):
    return linear_pair(WEIGHTS)[request.param]


def ask(name, made, **options):
    return METRICS[name].function(made, **options)


def test_the_family_is_whole():
    assert NAMES == [
        "completeness_error",
        "sensitivity_axiom",
        "non_sensitivity",
        "input_invariance",
        "implementation_invariance",
    ]


# ---- completeness ----------------------------------------------------------------------------------------------------


def test_the_parts_of_a_linear_model_sum_up(linear):
    found = ask("completeness_error", trial(linear, TABLE, "input_x_gradient"))
    assert (found < 1e-5).all()
    assert not ask("completeness_error", trial(linear, TABLE, "input_x_gradient"), tolerance=1e-5).any()


@pytest.mark.parametrize("share", [0.5, 0.99, 1.1])
def test_a_map_that_is_short_by_a_share_is_measured_at_that_share(linear, share):
    parts = TABLE * WEIGHTS[:, 0] * share
    made = trial(linear, TABLE, None, values=parts)
    np.testing.assert_allclose(ask("completeness_error", made), abs(1 - share), atol=1e-5)
    np.testing.assert_array_equal(ask("completeness_error", made, tolerance=0.05), float(abs(1 - share) > 0.05))


def test_no_change_of_the_output_is_held_against_the_floor(linear):
    x = np.zeros((2, 5), np.float32)
    made = trial(linear, x, None, values=np.full((2, 5), 0.001))
    np.testing.assert_allclose(ask("completeness_error", made), 0.005 / 1e-3)
    np.testing.assert_allclose(ask("completeness_error", made, floor=0.5), 0.01)
    with pytest.raises(dlx.InputError, match="floor=0"):
        ask("completeness_error", made, floor=0)


def test_a_map_is_held_to_the_baseline_that_it_names(linear):
    parts = TABLE * WEIGHTS[:, 0]
    made = trial(linear, TABLE, None, values=parts, baseline=1.0)
    assert (ask("completeness_error", made) > 0.1).all()
    named = trial(linear, TABLE, None, values=parts, baseline=1.0, reference=np.zeros(len(TABLE)))
    assert (ask("completeness_error", named) < 1e-5).all()


def test_the_softmax_explained_where_the_logit_is_claimed_is_seen():
    raw, x = image_pair()["torch"]
    made = trial(raw, x, "integrated_gradients", target=1)
    assert (ask("completeness_error", made) < 2e-3).all()
    probability = nn.Sequential(raw, nn.Softmax(-1))
    wrong = tuple(dlx.explain(probability, x, "integrated_gradients", target=1).values[None])
    assert np.median(ask("completeness_error", trial(raw, x, None, target=1, values=wrong))) > 0.05


# ---- sensitivity -----------------------------------------------------------------------------------------------------


def test_features_that_matter_and_get_nothing_are_counted(linear):
    """Columns 0, 1 and 3 move the first output; a map that forgets the first of them misses one in five."""
    whole = TABLE * WEIGHTS[:, 0]
    forgets = whole.copy()
    forgets[:, 0] = 0
    for values, share in ((whole, 0), (forgets, 1 / 5), (np.zeros_like(whole), 3 / 5)):
        made = trial(linear, TABLE, None, values=values)
        np.testing.assert_allclose(ask("sensitivity_axiom", made, change=0.2), share)
    np.testing.assert_array_equal(ask("sensitivity_axiom", made, change=1e3), 0)


def test_a_saturated_network_gives_nothing_to_what_matters():
    """One minus the ReLU of one minus x is flat beyond one, where the gradient says nothing."""
    weights = [
        np.array([[-1.0]], np.float32),
        np.ones(1, np.float32),
        -np.ones((1, 1), np.float32),
        np.ones(1, np.float32),
    ]
    known = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, "relu"), keras.layers.Dense(1)])
    known.set_weights(weights)
    other = nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1))
    for parameter, value in zip(other.parameters(), weights, strict=True):
        parameter.data = torch.tensor(value.T.copy())
    for raw in (known, other):
        x = np.array([[2.0], [0.5]], np.float32)
        np.testing.assert_array_equal(ask("sensitivity_axiom", trial(raw, x, "input_x_gradient")), [1, 0])
        found = trial(raw, x, "integrated_gradients")
        np.testing.assert_array_equal(ask("sensitivity_axiom", found), [0, 0])


def test_the_two_sets_of_nothing_are_held_against_each_other(linear):
    """The map: nothing for columns 2 and 4. The model: nothing happens at columns 2 and 4."""
    whole = TABLE * WEIGHTS[:, 0]
    np.testing.assert_array_equal(ask("non_sensitivity", trial(linear, TABLE, None, values=whole)), 0)
    turned = whole.copy()
    turned[:, [0, 2]] = turned[:, [2, 0]]
    np.testing.assert_allclose(ask("non_sensitivity", trial(linear, TABLE, None, values=turned)), 2 / 5)
    everything = np.ones_like(whole)
    np.testing.assert_allclose(ask("non_sensitivity", trial(linear, TABLE, None, values=everything)), 2 / 5)
    np.testing.assert_allclose(ask("non_sensitivity", trial(linear, TABLE, None, values=0 * whole)), 3 / 5)


@pytest.mark.parametrize("name", ["sensitivity_axiom", "non_sensitivity"])
def test_each_feature_alone_by_plain_loops(name):
    for raw, x in image_pair().values():
        values = np.random.default_rng(0).standard_normal(x.shape) * (np.random.default_rng(1).random(x.shape) < 0.3)
        made = trial(raw, x, None, target=2, values=values)
        effects, sums = [], made.per_feature()
        last = x.shape[-1] == 2
        for row in range(8):
            for column in range(9):
                beside = x.copy()
                (beside[:, row, column] if last else beside[:, :, row, column])[:] = 0
                effects.append(np.abs(made.model.predict(beside)[:, 2] - made.model.predict(x)[:, 2]))
        effects = np.stack(effects, 1)
        if name == "sensitivity_axiom":
            change = float(np.median(effects))
            slow = ((np.abs(sums) < 1e-6) & (effects > change)).mean(1)
            np.testing.assert_allclose(ask(name, made, change=change), slow, atol=1.5 / 72)
        else:
            slow = ((sums == 0) != (effects < 1e-6)).mean(1)
            np.testing.assert_allclose(ask(name, made), slow, atol=1e-9)


def test_of_many_features_some_are_drawn_the_same_for_all(linear):
    forgets = TABLE * WEIGHTS[:, 0]
    forgets[:, 0] = 0
    found = ask("sensitivity_axiom", trial(linear, TABLE, None, values=forgets), most=2)
    assert len(set(found)) == 1
    assert found[0] in (0, 0.5)
    seeds = [trial(linear, TABLE, None, values=forgets, seed=s) for s in range(30)]
    assert abs(np.mean([ask("sensitivity_axiom", made, most=2)[0] for made in seeds]) - 1 / 5) < 0.12


# ---- invariance ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_gradient_does_not_see_a_shift_and_gradient_times_input_does(framework):
    raw, x = image_pair()[framework]
    assert (ask("input_invariance", trial(raw, x, "saliency", target=1)) < 1e-4).all()
    assert (ask("input_invariance", trial(raw, x, "input_x_gradient", target=1)) > 0.3).all()


@pytest.mark.parametrize("shift", [1.0, -0.25])
def test_gradient_times_input_errs_by_the_gradient_times_the_shift(linear, shift):
    w = WEIGHTS[:, 0]
    expected = np.linalg.norm(shift * w) / np.linalg.norm(TABLE * w, axis=1)
    found = ask("input_invariance", trial(linear, TABLE, "input_x_gradient"), shift=shift)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_a_baseline_of_the_data_moves_along_and_the_map_stays(linear):
    """Integrated gradients from the data's own mean, given as a function of the inputs."""

    def explain(model, inputs, target, seed):
        mean = inputs[0].mean(0)
        return (dlx.explain(model, inputs[0], "integrated_gradients", target=0, baseline=mean).values,)

    assert (ask("input_invariance", trial(linear, TABLE, explain)) < 1e-5).all()


def test_a_map_of_the_input_alone_moves_with_it(linear):
    expected = np.sqrt(5) / np.linalg.norm(TABLE, axis=1)
    np.testing.assert_allclose(ask("input_invariance", trial(linear, TABLE, identity)), expected, rtol=1e-6)
    np.testing.assert_array_equal(ask("input_invariance", trial(linear, TABLE, constant)), 0)
    with pytest.raises(dlx.InputError, match="shift=0"):
        ask("input_invariance", trial(linear, TABLE), shift=0)


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_a_shifted_model_is_the_same_function_of_shifted_inputs(network):
    model = dlx.wrap(network.make())
    inputs = model.inputs(one_or_all(network.inputs()))
    tokens = model.token_inputs(inputs)
    shifts = tuple(
        None if v is not None else np.full(a.shape[1:], 1.5, a.dtype) for v, a in zip(tokens, inputs, strict=True)
    )
    moved = tuple(a if s is None else a + s for a, s in zip(inputs, shifts, strict=True))
    there = model.shifted(shifts)
    for own, other in zip(model.outputs(inputs), there.outputs(moved), strict=True):
        np.testing.assert_allclose(own, other, atol=1e-5)
    head = (0, 1) if "two outputs" in str(network) else 0
    own, other = (m.gradient(one_or_all(x), head) for m, x in ((model, inputs), (there, moved)))
    for a, b in zip(*(g if isinstance(g, tuple) else (g,) for g in (own, other)), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_shifting_leaves_the_users_model_alone(linear):
    before = dlx.wrap(linear).fingerprint
    ask("input_invariance", trial(linear, TABLE))
    assert dlx.wrap(linear).fingerprint == before
    if isinstance(linear, nn.Module):
        assert not any(m._forward_hooks for m in linear.modules())


def test_twins_get_the_same_maps_and_a_wrong_twin_is_measured():
    pair = image_pair()
    made = {f: trial(*pair[f], "integrated_gradients", target=1) for f in FRAMEWORKS}
    for own, other in (FRAMEWORKS, FRAMEWORKS[::-1]):
        values = made[other].values
        asked = trial(*pair[own], "integrated_gradients", target=1, twin=made[other].model, twin_values=values)
        assert (ask("implementation_invariance", asked) < 1e-4).all()
    one = made["torch"]
    wrong = tuple(v + 0.3 * np.abs(v).max((1, 2, 3), keepdims=True) / 2 for v in one.values)
    asked = trial(*pair["torch"], "integrated_gradients", target=1, twin=one.model, twin_values=wrong)
    own = one.per_feature()
    expected = 0.3 * np.abs(one.values[0]).max((1, 2, 3)) / np.abs(own).max(1)
    np.testing.assert_allclose(ask("implementation_invariance", asked), expected, rtol=1e-6)


def test_a_rule_for_one_operation_breaks_for_a_twin_built_of_others():
    """Guided backpropagation changes ReLU. A twin that writes it as (x + |x|) / 2 has none: there its map is the gradient."""

    class Halves(nn.Module):
        def forward(self, x):
            return (x + x.abs()) / 2

    torch.manual_seed(0)
    one = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 2))
    other = nn.Sequential(one[0], Halves(), one[2])
    gradient = trial(other, TABLE, "saliency").values
    asked = {"twin": dlx.wrap(other), "twin_values": gradient}
    assert (ask("implementation_invariance", trial(one, TABLE, "saliency", **asked)) < 1e-5).all()
    assert (ask("implementation_invariance", trial(one, TABLE, "guided_backprop", **asked)) > 0.05).all()


def test_without_a_twin_or_a_fitting_map_the_question_is_refused(linear):
    with pytest.raises(dlx.InputError, match="no twin"):
        ask("implementation_invariance", trial(linear, TABLE))
    with pytest.raises(dlx.InputError, match="cannot be compared"):
        ask("implementation_invariance", trial(linear, TABLE, twin_values=(np.ones((7, 4)),)))


@pytest.mark.parametrize("name", ["completeness_error", "sensitivity_axiom", "non_sensitivity", "input_invariance"])
def test_twins_and_neighbours_do_not_matter(name):
    pair = image_pair()
    scores = [ask(name, trial(*pair[f], "input_x_gradient", target=1)) for f in FRAMEWORKS]
    np.testing.assert_allclose(*scores, rtol=1e-3, atol=1e-6)
    raw, x = pair["torch"]
    alone = [ask(name, trial(raw, x[i : i + 1], "input_x_gradient", target=1))[0] for i in range(len(x))]
    np.testing.assert_allclose(alone, scores[1], rtol=1e-3, atol=1e-6)
