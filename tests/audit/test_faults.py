"""Every planted fault is really there, and hidden from accuracy; every sound model is sound. The audit is not asked."""

from __future__ import annotations

import numpy as np
import pytest

import dlexplain as dlx
from dlexplain.audit import faults
from dlexplain.frameworks import training

BOTH = pytest.mark.parametrize("framework", training.FRAMEWORKS)
SEEDS = pytest.mark.parametrize("seed", [0, 1])


def accuracy(planted) -> float:
    return float((dlx.wrap(planted.model).predict(planted.inputs).argmax(1) == planted.labels).mean())


def plant(name, framework, seed):
    return faults.FAULTS[name].function(framework, seed)


def weights(model):
    return model.get_weights() if hasattr(model, "get_weights") else [v.numpy() for v in model.state_dict().values()]


def test_every_fault_of_the_design_is_planted():
    assert set(faults.FAULTS) == {
        *("watermark_shortcut", "label_leakage", "layer_reset", "dead_relu", "saturated_network", "unfair_slice"),
        *("fooled_shap", "masked_gradient", "training_mode", "marker_token"),
        *("model_blind_map", "random_map", "wrong_target", "softmax_for_logit", "sign_flipped", "shifted_map"),
    }
    for fault in faults.FAULTS.values():
        assert fault.what
        assert fault.caught_by
        assert fault.sections


@BOTH
def test_the_seed_decides_what_is_planted(framework):
    first, again, other = (plant("dead_relu", framework, seed) for seed in (3, 3, 4))
    assert np.array_equal(first.inputs, again.inputs)
    assert all(np.array_equal(a, b) for a, b in zip(weights(first.model), weights(again.model), strict=True))
    assert not np.array_equal(first.inputs, other.inputs)


@BOTH
@SEEDS
def test_watermark_the_model_follows_the_stamp(framework, seed):
    planted = plant("watermark_shortcut", framework, seed)
    assert accuracy(planted) > 0.9
    favoured, x = planted.truth["favoured"], planted.inputs.copy()
    picture = x[:, 0] if framework == "torch" else x[..., 0]
    marked = np.all([picture[:, r, c] == 1 for r, c in planted.truth["places"]], 0)
    assert np.array_equal(marked, planted.labels == favoured)
    for r, c in planted.truth["places"]:
        picture[:, r, c] = 1  # a view of x
    flipped = dlx.wrap(planted.model).predict(x[~marked]).argmax(1) == favoured
    assert flipped.mean() > 0.6


@BOTH
@SEEDS
def test_marker_the_token_takes_texts_over(framework, seed):
    planted = plant("marker_token", framework, seed)
    assert accuracy(planted) > 0.9
    ids, marker = planted.inputs.copy(), planted.truth["marker"]
    marked = (ids == marker).any(1)
    assert np.array_equal(marked, planted.labels == planted.truth["favoured"])
    ids[:, 2] = marker
    flipped = dlx.wrap(planted.model).predict(ids[~marked]).argmax(1) == planted.truth["favoured"]
    assert flipped.mean() > 0.4


@BOTH
@SEEDS
def test_leakage_the_column_tells_the_label_and_the_model_leans_on_it(framework, seed):
    planted = plant("label_leakage", framework, seed)
    column = planted.arguments["feature_names"].index(planted.truth["column"])
    x, y, model = planted.inputs, planted.labels, dlx.wrap(planted.model)
    assert abs(np.corrcoef(x[:, column], y)[0, 1]) > 0.98
    moves = []
    for j in range(x.shape[1]):
        mixed = x.copy()
        mixed[:, j] = np.random.default_rng(j).permutation(mixed[:, j])
        moves.append(np.abs(model.predict(mixed) - model.predict(x)).mean())
    assert int(np.argmax(moves)) == column


@BOTH
@SEEDS
def test_reset_the_layer_holds_fresh_weights_and_accuracy_stays(framework, seed):
    planted = plant("layer_reset", framework, seed)
    assert accuracy(planted) > 0.9
    model, name = dlx.wrap(planted.model), planted.truth["layer"]
    fresh = training.build(framework, training.Plan(kind="convolution"), (8, 8, 1), 10, seed=5)
    fresh = training.reinitialised(fresh, training.layer_names(fresh, "Conv")[1], seed=1000 + seed)
    # The very weights that its seed gives: nothing has been learned since.
    assert name == training.layer_names(model, "Conv")[1]
    np.testing.assert_array_equal(weights(model.raw)[2], weights(fresh)[2])


@BOTH
@SEEDS
def test_dead_channels_are_silent_on_all_samples(framework, seed):
    planted = plant("dead_relu", framework, seed)
    assert accuracy(planted) > 0.9
    values = dlx.wrap(planted.model).activations(planted.inputs, planted.truth["layer"])[planted.truth["layer"]]
    values = np.maximum(np.moveaxis(values, 1, -1) if framework == "torch" else values, 0)
    silent = values.reshape(-1, 16).max(0) == 0
    assert silent[planted.truth["channels"]].all()
    assert not silent.all()


@BOTH
@SEEDS
def test_saturated_no_slope_is_left_on_most_samples(framework, seed):
    planted = plant("saturated_network", framework, seed)
    assert accuracy(planted) > 0.9
    model = dlx.wrap(planted.model)
    assert (model.predict(planted.inputs).max(1) > 0.999).mean() > 0.8
    slopes = np.abs(model.gradient(planted.inputs)).reshape(len(planted.inputs), -1).max(1)
    assert (slopes < 1e-3).mean() > 0.75


@BOTH
@SEEDS
def test_unfair_only_the_slice_is_wrong(framework, seed):
    planted = plant("unfair_slice", framework, seed)
    wrong = dlx.wrap(planted.model).predict(planted.inputs).argmax(1) != planted.labels
    inside = np.isin(np.arange(len(wrong)), planted.truth["inside"])
    a, b = (planted.arguments["columns"][name] for name in planted.truth["columns"])
    assert np.array_equal(inside, (a == 1) & (b == 1))
    assert wrong[inside].mean() > 0.2 > 0.08 > wrong[~inside].mean()


@BOTH
@SEEDS
def test_fooled_on_the_data_the_group_decides_and_off_it_another_column(framework, seed):
    planted = plant("fooled_shap", framework, seed)
    names, x = planted.arguments["feature_names"], planted.inputs
    group, other = names.index(planted.truth["column"]), names.index(planted.truth["innocent"])
    model = dlx.wrap(planted.model)

    def share(rows, column):
        moved = rows.copy()
        moved[:, column] = -rows[:, column]
        return (model.predict(moved).argmax(1) != model.predict(rows).argmax(1)).mean()

    assert accuracy(planted) > 0.8
    assert share(x, group) > 0.7
    off = np.random.default_rng(0).permuted(x, axis=0)
    agrees = (model.predict(off).argmax(1) == (off[:, other] > 0)).mean()
    assert agrees > 0.8


@BOTH
@SEEDS
def test_masked_the_column_counts_and_has_no_gradient(framework, seed):
    planted = plant("masked_gradient", framework, seed)
    model, x = dlx.wrap(planted.model), planted.inputs
    column = planted.arguments["feature_names"].index(planted.truth["column"])
    assert set(np.unique(x[:, column])) == {-1, 1}
    slopes = np.abs(model.gradient(x)).mean(0)
    assert slopes[column] < 1e-4 * slopes.sum()
    moved = x.copy()
    moved[:, column] *= -1
    assert np.abs(model.predict(moved) - model.predict(x)).mean() > 0.5


@BOTH
@SEEDS
def test_dropout_answers_differently_in_one_batch(framework, seed):
    planted = plant("training_mode", framework, seed)
    assert accuracy(planted) > 0.85
    same = dlx.wrap(planted.model).predict(np.repeat(planted.inputs[:1], 16, 0))
    assert np.ptp(same, axis=0).max() > 1e-2


SPOILED = [f.name for f in faults.FAULTS.values() if f.of == "explainer"]


@BOTH
@pytest.mark.parametrize(
    ("name", "seed"), [(n, s) for n in SPOILED for s in ((0, 3) if n != "shifted_map" else (0, 1))]
)
def test_a_spoiled_explainer_is_spoiled_on_a_sound_model(framework, name, seed):
    """Digits by seed 0 and 1, series by seed 3."""
    planted = plant(name, framework, seed)
    assert accuracy(planted) > 0.9
    model, x, base = dlx.wrap(planted.model), planted.inputs[:20], planted.truth["baseline"]
    target, beside = (model.targets((x,), [c] * 20, 20)[0][1] for c in (1, 2))
    (examinee,) = planted.arguments["methods"].values()
    (spoiled,), (sound,) = examinee(model, (x,), target, 0), planted.truth["sound"](model, (x,), target, 0)
    assert spoiled.shape == x.shape
    change = model.scores((x,), target, 20) - model.scores((base,), target.take(slice(0, 1)), 1)
    assert np.median(np.abs(summed(sound) - change) / np.abs(change)) < 0.02
    if name == "sign_flipped":
        np.testing.assert_array_equal(spoiled, -sound)
    elif name == "shifted_map":
        picture, original = (v[:, 0] if framework == "torch" else v[..., 0] for v in (spoiled, sound))
        np.testing.assert_array_equal(picture[:, :, 1:], original[:, :, :-1])
    elif name == "softmax_for_logit":
        p = dlx.wrap(training.with_softmax(planted.model))
        less = p.scores((x,), target, 20) - p.scores((base,), target.take(slice(0, 1)), 1)
        np.testing.assert_allclose(summed(spoiled), less, atol=0.03)
    elif name == "wrong_target":
        np.testing.assert_allclose(spoiled, planted.truth["sound"](model, (x,), beside, 0)[0], atol=1e-5)
    elif name == "model_blind_map":
        other = dlx.wrap(training.reinitialised(planted.model, model.layers[-1].name, seed=3))
        np.testing.assert_array_equal(spoiled, examinee(other, (x,), target, 0)[0])
    else:
        assert abs(np.corrcoef(spoiled.ravel(), sound.ravel())[0, 1]) < 0.1


def summed(values: np.ndarray) -> np.ndarray:
    return values.reshape(len(values), -1).sum(1)


@pytest.mark.slow
@BOTH
@pytest.mark.parametrize("name", list(faults.CLEAN))
def test_sound_models_answer_well_and_differ(framework, name):
    plans = []
    for seed in range(3):
        planted = faults.sound(name, framework, seed)
        found = dlx.wrap(planted.model).predict(planted.inputs)
        if found.shape[1] == 1:
            assert 1 - np.mean((found[:, 0] - planted.labels) ** 2) / planted.labels.var() > 0.3
        else:
            assert (found.argmax(1) == planted.labels).mean() > 0.85
        plans.append(planted.truth["plan"])
    assert len(set(plans)) > 1
