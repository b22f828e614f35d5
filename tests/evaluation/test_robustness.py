"""Robustness: closed forms, a slow second derivation, and what must not matter: neighbours, blocks, the framework."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch
from torch import nn

import dlexplain as dlx
from dlexplain.evaluation.families import robustness, robustness_nearby
from dlexplain.evaluation.metric import METRICS
from tests.evaluation.by_hand import constant, identity, image_pair, linear_pair, take, trial

FRAMEWORKS = ("keras", "torch")
NAMES = [name for name, m in METRICS.items() if m.family == "robustness"]
RELATIVE = [name for name in NAMES if name.startswith("relative")]
WEIGHTS = np.random.default_rng(5).normal(size=(6, 3)).astype(np.float32)
TABLE = np.random.default_rng(6).normal(size=(12, 6)).astype(np.float32) + 3


@pytest.fixture(params=FRAMEWORKS)
def linear(request):
    return linear_pair(WEIGHTS)[request.param]


@pytest.fixture(params=FRAMEWORKS, scope="module")
def pictures(request):
    return image_pair()[request.param]


def ask(name, made, **options):
    return METRICS[name].function(made, **options)


def test_the_family_is_whole():
    assert NAMES == [
        "max_sensitivity",
        "avg_sensitivity",
        "local_lipschitz",
        "relative_input_stability",
        "relative_output_stability",
        "relative_representation_stability",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_map_that_never_moves_has_nothing_to_lose(name, linear):
    np.testing.assert_array_equal(ask(name, trial(linear, TABLE, constant)), np.zeros(len(TABLE)))


@pytest.mark.parametrize("name", ["max_sensitivity", "avg_sensitivity", "local_lipschitz"])
def test_the_gradient_of_a_linear_model_never_moves(name, linear):
    np.testing.assert_allclose(ask(name, trial(linear, TABLE)), 0, atol=1e-6)


def test_a_map_that_is_the_input_moves_as_the_input_does(linear):
    made = trial(linear, TABLE, identity)
    for name in ("local_lipschitz", "relative_input_stability"):
        np.testing.assert_allclose(ask(name, made), 1, rtol=1e-6)
    # Every value moves by at most 5 % of its column's deviation.
    bound = 0.05 * np.linalg.norm(TABLE.std(0)) / np.linalg.norm(TABLE, axis=1)
    found = ask("max_sensitivity", made, samples=200)
    assert (found <= bound * (1 + 1e-5)).all()
    assert (found > 0.7 * bound).all()
    assert (ask("avg_sensitivity", made, samples=200) < found).all()


def test_a_map_that_is_the_output_times_the_weights_has_a_known_slope(linear):
    """a(x) = (w . x) w turns |w|^2 as fast as the input in the direction of w, and not at all across it."""
    w = WEIGHTS[:, 0]

    def explain(_model, inputs, _target, _seed):
        return ((inputs[0] @ w)[:, None] * w,)

    made = trial(linear, TABLE, explain)
    moves = moved(made, samples=30)
    expected = (np.abs(moves @ w) * np.linalg.norm(w) / np.linalg.norm(moves, axis=2)).max(1)
    found = ask("local_lipschitz", made, samples=30)
    np.testing.assert_allclose(found, expected, rtol=1e-3)
    assert (found <= w @ w * (1 + 1e-3)).all()


def moved(made, samples=10, noise=0.05):
    """`(n, samples, *shape)`: the steps, one draw at a time."""
    n = len(made)
    blocks = robustness_nearby.points(made, samples, noise, None)
    inputs = np.concatenate([a[0].reshape(n, -1, *made.inputs[0].shape[1:]) for _, a in blocks], 1)
    return inputs.astype(np.float64) - made.inputs[0][:, None]


@pytest.mark.parametrize("method", ["input_x_gradient", "saliency"])
def test_every_score_is_what_plain_loops_give(method, pictures):
    raw, x = pictures
    made = trial(raw, x, method, target=1)
    model, draws, floor = made.model, 5, 1e-3
    steps = moved(made, draws)
    layer = robustness.representation(made)
    names = ("max_sensitivity", "avg_sensitivity", "local_lipschitz", *RELATIVE)
    slow = {name: [] for name in names}
    rows = {name: np.zeros((len(x), draws)) for name in names}
    for i in range(len(x)):
        own = summed(made, dlx.explain(model, x[i : i + 1], method, target=1).values)[0]
        for k in range(draws):
            near = (x[i] + steps[i, k]).astype(np.float32)[None]
            there = summed(made, dlx.explain(model, near, method, target=1).values)[0]
            step = (near[0].astype(np.float64) - x[i]).ravel()
            change = shares(there - own, own, floor)
            inside = [model.activations(a, layer)[layer].ravel().astype(np.float64) for a in (x[i : i + 1], near)]
            outputs = [model.predict(a)[0].astype(np.float64) for a in (x[i : i + 1], near)]
            kept = outputs[0].argmax() == outputs[1].argmax()
            lengths = np.linalg.norm(there - own)
            rows["max_sensitivity"][i, k] = rows["avg_sensitivity"][i, k] = lengths / np.linalg.norm(own)
            rows["local_lipschitz"][i, k] = lengths / np.linalg.norm(step)
            below = {
                "relative_input_stability": shares(step, x[i].ravel().astype(np.float64), floor),
                "relative_output_stability": np.linalg.norm(outputs[1] - outputs[0]),
                "relative_representation_stability": shares(inside[1] - inside[0], inside[0], floor),
            }
            for name, length in below.items():
                rows[name][i, k] = change / length if kept else -np.inf
    slow = {name: values.mean(1) if name.startswith("avg") else values.max(1) for name, values in rows.items()}
    for name in names:
        np.testing.assert_allclose(ask(name, made, samples=draws), slow[name], rtol=2e-3, err_msg=name)


def summed(made, values):
    """Pixels with their channels summed."""
    axis = made.features[0].shape.index(1)
    return np.asarray(values, np.float64).sum(axis + 1).reshape(len(values), -1)


def shares(change, values, floor):
    least = floor * max(abs(v) for v in values)
    return np.sqrt(sum((c / max(abs(v), least)) ** 2 for c, v in zip(change, values, strict=True)))


def test_twins_get_the_same_scores():
    pair = image_pair()
    made = [trial(*pair[f], "input_x_gradient", target=1) for f in FRAMEWORKS]
    for name in NAMES:
        np.testing.assert_allclose(*(ask(name, m) for m in made), rtol=2e-3, err_msg=name)


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_alone_gets_what_it_gets_among_others(name, pictures):
    raw, x = pictures
    scale = np.full((1,) * (x.ndim - 1), 0.3)
    whole = ask(name, trial(raw, x, "input_x_gradient", target=1), scale=scale)
    alone = [ask(name, trial(raw, x[i : i + 1], "input_x_gradient", target=1), scale=scale)[0] for i in range(len(x))]
    np.testing.assert_allclose(alone, whole, rtol=2e-3)


@pytest.mark.parametrize("name", NAMES)
def test_small_blocks_give_the_same(name, pictures, monkeypatch):
    raw, x = pictures
    whole = ask(name, trial(raw, x, "input_x_gradient", target=1))
    monkeypatch.setattr(robustness_nearby, "_BYTES", 1)
    np.testing.assert_allclose(ask(name, trial(raw, x, "input_x_gradient", target=1)), whole, rtol=2e-3)


def test_the_explainer_is_asked_once_for_the_whole_family(linear):
    asked = []

    def explain(_model, inputs, _target, _seed):
        asked.append(len(inputs[0]))
        return (inputs[0] ** 2,)

    made = trial(linear, TABLE, explain)
    for name in NAMES:
        ask(name, made)
    assert asked == [len(TABLE), 10 * len(TABLE)]


@pytest.mark.parametrize("name", RELATIVE)
def test_points_of_another_class_do_not_count(name):
    """The sign of the only column decides; at -0.01 and 0.01 half of the points lie beyond."""
    raw = linear_pair(np.array([[1.0, -1.0]], np.float32))
    x = np.array([[-0.01], [0.01], [3.0]], np.float32)
    for framework in FRAMEWORKS:
        made = trial(raw[framework], x, identity)
        kept = robustness._kept(made, 40, 0.05, 1.0)[0]
        assert 0 < kept[0].sum() < 40
        assert 0 < kept[1].sum() < 40
        assert kept[2].all()
        beyond = (np.sign(moved_to(made, 40)) != np.sign(x)[:, None]).reshape(3, 40)
        np.testing.assert_array_equal(kept, ~beyond)
        found = ask(name, made, samples=40, scale=1.0)
        assert np.isfinite(found).all()
        if name == "relative_input_stability":
            np.testing.assert_allclose(found, 1, rtol=1e-5)


def moved_to(made, samples):
    blocks = robustness_nearby.points(made, samples, 0.05, 1.0)
    return np.concatenate([a[0].reshape(len(made), -1) for _, a in blocks], 1)[..., None]


@pytest.mark.parametrize("name", RELATIVE)
def test_no_point_of_the_same_class_is_no_score(name):
    raw = linear_pair(np.array([[1.0, -1.0]], np.float32))["torch"]
    x = np.array([[0.0], [5.0]], np.float32)
    made = trial(raw, x, identity)
    # At zero both classes tie and the first one wins: a point above zero keeps it.
    seeds = [s for s in range(40) if moved_to(trial(raw, x, identity, seed=s), 1)[0, 0, 0] < 0]
    found = ask(name, trial(raw, x, identity, seed=seeds[0]), samples=1, scale=1.0)
    assert np.isnan(found[0])
    assert np.isfinite(found[1])
    assert np.isfinite(ask("max_sensitivity", made, samples=1, scale=1.0)[1])


def test_a_feature_that_never_varies_is_left_alone():
    x = TABLE.copy()
    x[:, 2] = 7
    steps = moved(trial(linear_pair(WEIGHTS)["torch"], x, identity))
    assert not steps[:, :, 2].any()
    assert steps[:, :, [0, 1, 3, 4, 5]].all()
    assert np.abs(steps).max(0).max(0)[0] <= 0.05 * x[:, 0].std() * (1 + 1e-3)


def test_few_samples_are_moved_by_the_spread_of_all_their_values():
    made = trial(linear_pair(WEIGHTS)["torch"], TABLE[:2], identity)
    assert robustness_nearby.scales(made)[0].shape == ()
    np.testing.assert_allclose(robustness_nearby.scales(made)[0], TABLE[:2].std(), rtol=1e-5)


def test_the_layer_before_the_last_with_weights_is_the_representation():
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(5, name="one"), keras.layers.ReLU(name="act"), keras.layers.Dense(2)]
    )
    assert robustness.representation(trial(model, TABLE[:, :4])) == "act"
    nested = nn.Sequential(nn.Sequential(nn.Linear(6, 4), nn.Tanh()), nn.Sequential(nn.Linear(4, 3), nn.Softmax(-1)))
    assert robustness.representation(trial(nested, TABLE)) == "0"  # a block gives what its last layer does
    assert np.isfinite(ask("relative_representation_stability", trial(nested, TABLE))).all()
    assert robustness.representation(trial(nn.Linear(6, 3), TABLE)) is None


def test_without_a_layer_before_the_last_the_inputs_are_the_representation(linear):
    made = trial(linear, TABLE, identity)
    np.testing.assert_allclose(ask("relative_representation_stability", made), 1, rtol=1e-5)


def test_a_layer_may_be_named():
    torch.manual_seed(0)
    raw = nn.Sequential(nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 3))
    made = trial(raw, TABLE, "input_x_gradient")
    one, other = (ask("relative_representation_stability", made, layer=name) for name in ("0", "1"))
    assert not np.allclose(one, other)
    np.testing.assert_array_equal(other, ask("relative_representation_stability", made))
    with pytest.raises(dlx.InputError, match="layer 'x'"):
        ask("relative_representation_stability", made, layer="x")


def test_an_empty_map_that_wakes_has_no_share(linear):
    def explain(_model, inputs, _target, _seed):
        rows = np.where(np.arange(len(inputs[0]))[:, None] > len(TABLE), inputs[0], 0)
        return (rows,)

    made = trial(linear, TABLE, explain, values=np.zeros_like(TABLE))
    found = ask("max_sensitivity", made)
    assert found[0] == 0
    assert np.isnan(found[5])


def test_token_ids_are_not_moved_and_alone_they_are_refused():
    model = nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.Linear(12, 2))
    with pytest.raises(dlx.InputError, match="no feature varies"):
        ask("max_sensitivity", trial(model, np.arange(6).reshape(2, 3) + 1, "saliency"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"samples": 0}, "samples=0"),
        ({"noise": 0.0}, "noise=0.0"),
        ({"noise": float("nan")}, "noise=nan"),
        ({"scale": np.ones(4)}, "shape \\(4,\\)"),
        ({"scale": -np.ones(6)}, "not negative"),
        ({"scale": (1.0, 1.0)}, "2 arrays for 1 inputs"),
    ],
)
def test_bad_options_are_named(options, words, linear):
    with pytest.raises(dlx.InputError, match=words):
        ask("max_sensitivity", trial(linear, TABLE), **options)


def test_parts_of_several_inputs_move_each_by_its_own_scale():
    left, right = keras.Input((4,)), keras.Input((3,))
    model = keras.Model([left, right], keras.layers.Dense(2)(keras.layers.concatenate([left, right])))
    x = (TABLE[:, :4] * 100, TABLE[:, 3:])
    made = trial(model, x, identity)
    (_, (one, two)), *_ = robustness_nearby.points(made, 10, 0.05, None)
    assert (
        np.abs(one.reshape(12, 10, 4) - x[0][:, None]).max() > 20 * np.abs(two.reshape(12, 10, 3) - x[1][:, None]).max()
    )
    np.testing.assert_allclose(ask("local_lipschitz", made), 1, rtol=1e-4)
    assert take(made, slice(0, 9)).inputs[0].shape == (9, 4)
