"""Randomisation: explainers that must pass or fail it by construction, what a step is, and a second derivation."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr
from torch import nn

import dlexplain as dlx
from dlexplain.evaluation.families import randomisation
from dlexplain.evaluation.families.randomisation_similarity import measure
from dlexplain.evaluation.metric import METRICS
from tests.evaluation.by_hand import constant, identity, image_pair, linear_pair, trial

FRAMEWORKS = ("keras", "torch")
NAMES = [name for name, m in METRICS.items() if m.family == "randomisation"]
LIKENESS = ("parameter_randomisation", "smooth_parameter_randomisation")


@pytest.fixture(params=FRAMEWORKS, scope="module")
def pictures(request):
    return image_pair()[request.param]


def ask(name, made, **options):
    return METRICS[name].function(made, **options)


def test_the_family_is_whole():
    assert NAMES == [
        "parameter_randomisation",
        "smooth_parameter_randomisation",
        "efficient_parameter_randomisation",
        "random_logit",
    ]


# ---- what passes, what fails -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LIKENESS)
@pytest.mark.parametrize("explainer", [constant, identity])
@pytest.mark.parametrize("similarity", ["spearman", "pearson", "ssim"])
def test_a_map_that_never_asks_the_model_stays_whole(name, explainer, similarity, pictures):
    made = trial(*pictures, explainer)
    np.testing.assert_allclose(ask(name, made, similarity=similarity, repeats=1), 1)


def test_a_map_that_only_changes_its_sign_keeps_all_it_had(pictures):
    home = dlx.wrap(pictures[0]).fingerprint

    def explain(model, inputs, target, seed):
        sign = 1 if model.fingerprint == home else -1
        return (sign * np.asarray(inputs[0], np.float64),)

    np.testing.assert_allclose(ask("parameter_randomisation", trial(*pictures, explain)), 1)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_gradient_of_a_trained_network_goes_and_the_trained_network_does_not_count(framework):
    """A map that knows whether any layer is fresh: a ramp until then, and then a bowl, which has nothing of a ramp. So
    every step's score is 0, and so is their mean; averaging the trained network in would make it more."""
    raw, x = image_pair()[framework]
    home = dlx.wrap(raw).fingerprint
    ramp = np.expand_dims(np.arange(72.0).reshape(8, 9) - 35.5, 2 if framework == "keras" else 0)

    def explain(model, inputs, target, seed):
        return (np.broadcast_to(ramp if model.fingerprint == home else ramp**2, inputs[0].shape).copy(),)

    made = trial(raw, x, explain)
    for options in ({}, {"taken": "mean"}, {"mode": "independent"}, {"order": "bottom", "taken": "mean"}):
        assert (ask("parameter_randomisation", made, similarity="pearson", repeats=1, **options) < 1e-9).all()


def test_signed_values_tell_what_sizes_hide(pictures):
    """The map is the input times a sign that the weights draw: its sizes are the input's, its signs are the model's."""

    def explain(model, inputs, target, seed):
        signs = np.random.default_rng(int(model.fingerprint[:8], 16)).choice([-1.0, 1.0], inputs[0][:1].shape)
        return (inputs[0] * signs,)

    x = pictures[1]
    x = x * (np.random.default_rng(0).random(x.shape) < 0.8)
    # One channel: a pixel is then one value.
    axis = 1 if x.shape[1] == 2 else -1
    np.moveaxis(x, axis, -1)[..., 1] = 0
    made = trial(pictures[0], x.astype(np.float32), explain)
    assert (ask("parameter_randomisation", made, signed=False) > 0.99).all()
    assert ask("parameter_randomisation", made, repeats=10).mean() < 0.2


def test_a_trained_networks_gradient_has_little_left(digits):
    raw, x, _ = digits
    made = trial(raw, x, "saliency", target=np.argmax(dlx.wrap(raw).predict(x), 1))
    assert ask("parameter_randomisation", made).mean() < 0.2
    assert ask("smooth_parameter_randomisation", made, samples=4).mean() < 0.3


@pytest.fixture(scope="module", params=FRAMEWORKS)
def digits(request):
    """A small network trained on the digits of scikit-learn."""
    from sklearn.datasets import load_digits

    data = load_digits()
    x, y = (data.images / 16).astype(np.float32)[..., None], data.target
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(8, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(3e-3), loss)
    model.fit(x[:1200], y[:1200], epochs=6, batch_size=64, verbose=0)
    if request.param == "keras":
        return model, x[1200:1220], y[1200:1220]
    return dlx.convert(model, to="torch"), np.ascontiguousarray(x[1200:1220].transpose(0, 3, 1, 2)), y[1200:1220]


# ---- the numbers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"order": "bottom", "taken": "mean", "repeats": 1},
        {"mode": "independent", "repeats": 2},
        {"signed": False, "similarity": "pearson", "repeats": 1},
        {"taken": "last", "mode": "independent", "repeats": 1},
    ],
)
def test_the_score_is_what_plain_loops_give(options, pictures):
    raw, x = pictures
    made = trial(raw, x, "input_x_gradient", target=1)
    model = made.model
    way = model.weighted(made.inputs)
    way = way[::-1] if options.get("order", "top") == "top" else way
    cascading = options.get("mode", "cascading") == "cascading"
    stages = [way[: k + 1] if cascading else way[k : k + 1] for k in range(len(way))]
    last = options.get("taken", "last" if cascading else "mean") == "last"
    correlate = spearmanr if options.get("similarity", "spearman") == "spearman" else pearsonr
    size = (lambda v: v) if options.get("signed", True) else np.abs
    repeats, own = options.get("repeats", 3), size(made.per_feature())
    found = []
    for repeat in range(repeats):
        for stage in stages[-1:] if last else stages:
            fresh = model.reinitialised(stage, randomisation._seed(made, repeat))
            for i in range(len(x)):
                there = dlx.explain(fresh, x[i : i + 1], "input_x_gradient", target=1).values
                pixels = size(there.sum(1 if x.shape[1] == 2 else -1, dtype=np.float64).reshape(-1))
                found.append(correlate(own[i], pixels)[0])
    slow = np.abs(np.mean(np.reshape(found, (-1, len(x))), 0))
    np.testing.assert_allclose(ask("parameter_randomisation", made, **options), slow, atol=5e-3)


def test_ssim_is_that_of_scikit_image(pictures):
    from skimage.metrics import structural_similarity

    made = trial(*pictures)
    a, b = np.random.default_rng(0).standard_normal((2, 4, 72))
    b += a
    for signed, span in ((True, 2.0), (False, 1.0)):
        planes = [np.reshape(m if signed else np.abs(m), (4, 8, 9)) for m in (a, b)]
        planes = [m / np.abs(m).max((1, 2), keepdims=True) for m in planes]
        slow = [structural_similarity(p, q, win_size=7, data_range=span) for p, q in zip(*planes, strict=True)]
        np.testing.assert_allclose(measure(made, "ssim", signed)(a, b), slow, rtol=1e-6)


def test_ssim_is_for_pictures_and_series():
    with pytest.raises(dlx.InputError, match="wants pictures or series"):
        ask("parameter_randomisation", trial(nn.Linear(5, 2), np.ones((3, 5), np.float32)), similarity="ssim")


def test_a_map_that_becomes_constant_has_no_likeness(pictures):
    home = dlx.wrap(pictures[0]).fingerprint

    def explain(model, inputs, target, seed):
        return (np.asarray(inputs[0], np.float64) if model.fingerprint == home else np.zeros(inputs[0].shape),)

    for similarity in ("spearman", "pearson", "ssim"):
        assert np.isnan(ask("parameter_randomisation", trial(*pictures, explain), similarity=similarity)).all()


def test_a_draw_without_a_map_does_not_count(pictures):
    """Of three fresh networks one leaves an empty map; the other two leave the trained one's."""
    seen = []

    def explain(model, inputs, target, seed):
        if model.fingerprint not in seen:
            seen.append(model.fingerprint)
        return (np.zeros(inputs[0].shape) if seen.index(model.fingerprint) == 2 else np.asarray(inputs[0], np.float64),)

    np.testing.assert_allclose(ask("parameter_randomisation", trial(*pictures, explain)), 1)
    assert len(seen) == 4


def test_noise_is_averaged_out_of_both_maps_alike(pictures):
    """The map is the weights' sum plus the input: after averaging, the input's own part is what it was."""
    raw, x = pictures
    asked = []

    def explain(model, inputs, target, seed):
        asked.append(inputs[0])
        return (np.asarray(inputs[0], np.float64),)

    made = trial(raw, x, explain)
    del asked[:]
    found = ask("smooth_parameter_randomisation", made, samples=3, noise=0.2, similarity="pearson")
    np.testing.assert_allclose(found, 1)
    trained, fresh = asked
    np.testing.assert_array_equal(trained, fresh)
    noise = trained.reshape(3, *x.shape) - x
    spread = (x.max((1, 2, 3)) - x.min((1, 2, 3))) * 0.2
    np.testing.assert_allclose(noise.std((0, 2, 3, 4)), spread, rtol=0.15)


# ---- complexity, and another class -------------------------------------------------------------------------------------


def test_the_rise_of_complexity_is_known_for_known_histograms(pictures):
    """Two values in equal shares have an entropy of log 2; 72 in as many bins of log 72."""
    raw, x = pictures
    home = dlx.wrap(raw).fingerprint
    axis = 1 if x.shape[1] == 2 else 3

    def explain(model, inputs, target, seed):
        plane = np.arange(72.0).reshape(8, 9)
        plane = (plane >= 36).astype(float) if model.fingerprint == home else plane
        return (np.broadcast_to(np.expand_dims(plane, axis - 1), inputs[0].shape) / 2,)

    made = trial(raw, x, explain)
    rise = (np.log(72) - np.log(2)) / np.log(2)
    np.testing.assert_allclose(ask("efficient_parameter_randomisation", made, bins=72), rise)
    np.testing.assert_allclose(ask("efficient_parameter_randomisation", made, bins=2), 0, atol=1e-12)
    np.testing.assert_allclose(ask("efficient_parameter_randomisation", trial(raw, x, constant)), 0, atol=1e-12)


def test_a_constant_map_has_no_complexity_to_rise_from(pictures):
    def explain(model, inputs, target, seed):
        return (np.ones(inputs[0].shape),)

    assert np.isnan(ask("efficient_parameter_randomisation", trial(*pictures, explain))).all()


def test_another_class_by_a_linear_models_weights():
    """Gradient of output k: its own weights. Three outputs: one turned over, one with the first's order."""
    base = np.array([3.0, -1, 2, 0.5, 7], np.float32)
    weights = np.stack([base, -base, 2 * base], 1)
    x = np.ones((6, 5), np.float32)
    for raw in linear_pair(weights).values():
        seen = set()
        for seed in range(8):
            found = ask("random_logit", trial(raw, x, "saliency", seed=seed))
            assert len(set(np.round(found, 6))) == 1
            seen.add(round(float(found[0]), 6))
        assert seen == {-1.0, 1.0}
        many = ask("random_logit", trial(raw, x, "saliency"), draws=60)
        assert (np.abs(many) < 0.4).all()
        np.testing.assert_allclose(ask("random_logit", trial(raw, x, "saliency"), signed=False), 1)


def test_a_map_that_does_not_ask_for_the_class_stays_whole(pictures):
    np.testing.assert_allclose(ask("random_logit", trial(*pictures, identity)), 1)


def test_one_output_has_no_other_class():
    raw = linear_pair(np.ones((4, 1), np.float32))["torch"]
    assert np.isnan(ask("random_logit", trial(raw, np.ones((3, 4), np.float32)))).all()


def test_the_other_class_is_never_the_same():
    asked = []

    def explain(model, inputs, target, seed):
        asked.append(target.index[:, 0].copy())
        return (np.asarray(inputs[0], np.float64),)

    raw = linear_pair(np.ones((4, 5), np.float32))["torch"]
    goals = np.arange(5)
    made = trial(raw, np.random.default_rng(0).random((5, 4)).astype(np.float32), explain, target=goals)
    ask("random_logit", made, draws=200)
    others = np.stack(asked[1:])
    assert (others != goals).all()
    assert {tuple(sorted(set(column))) for column in others.T} == {tuple(sorted(set(range(5)) - {g})) for g in goals}


# ---- what must not matter ----------------------------------------------------------------------------------------------


def brief(name):
    """Settings that draw weights once."""
    return {"random_logit": {}, "smooth_parameter_randomisation": {"samples": 3}}.get(name, {"repeats": 1})


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_alone_gets_what_it_gets_among_others(name, pictures):
    raw, x = pictures
    whole = ask(name, trial(raw, x, "input_x_gradient", target=1), **brief(name))
    alone = ask(name, trial(raw, x[2:3], "input_x_gradient", target=1), **brief(name))
    np.testing.assert_allclose(alone, whole[2:3], atol=5e-3)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_and_the_model_stays(name, pictures):
    raw, x = pictures
    before = dlx.wrap(raw).fingerprint
    scores = [ask(name, trial(raw, x, "input_x_gradient", target=1, seed=s), **brief(name)) for s in (4, 4, 5)]
    np.testing.assert_array_equal(scores[0], scores[1])
    if name != "random_logit":
        assert not np.array_equal(scores[0], scores[2])
    assert dlx.wrap(raw).fingerprint == before


def test_twins_get_the_same_where_no_weights_are_drawn():
    pair = image_pair()
    scores = [ask("random_logit", trial(*pair[f], "input_x_gradient", target=1)) for f in FRAMEWORKS]
    np.testing.assert_allclose(*scores, atol=1e-3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"order": "left"}, "order='left'"),
        ({"mode": "all"}, "mode='all'"),
        ({"taken": "first"}, "taken='first'"),
        ({"similarity": "cosine"}, "similarity='cosine'"),
        ({"repeats": 0}, "repeats=0"),
    ],
)
def test_bad_options_are_named(options, words, pictures):
    with pytest.raises(dlx.InputError, match=words):
        ask("parameter_randomisation", trial(*pictures), **options)


def test_a_model_without_weights_is_refused_by_name():
    class Sum(nn.Module):
        def forward(self, x):
            return x.sum(1, keepdim=True)

    with pytest.raises(dlx.UnsupportedModelError, match="Sum has no weights"):
        ask("parameter_randomisation", trial(Sum(), np.ones((2, 3), np.float32)))
