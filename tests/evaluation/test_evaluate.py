"""The one call: what it takes, what it refuses, who stands beside whom, and what comes back."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import dlexplain as dlx
from dlexplain.errors import InputError
from dlexplain.evaluation import Examinee
from dlexplain.evaluation.metric import METRICS
from dlexplain.evaluation.places import features, regions
from tests.attribution.conftest import dense_pair, random_weights
from tests.evaluation.conftest import exact, linear_pair
from tests.networks import BY_NAME, one_or_all

OURS = [name for name, m in METRICS.items() if m.family in ("faithfulness", "complexity")]


def test_the_controls_are_always_there(linear):
    model, x = linear
    found = dlx.evaluate(model, x, "saliency", ["deletion", "sparseness"])
    assert list(found.table.index) == ["saliency", "random", "model-blind"]
    assert list(found.table.columns) == ["deletion", "sparseness"]
    assert found.table.notna().all().all()
    alone = dlx.evaluate(model, x, "saliency", "deletion", controls=False)
    assert list(alone.table.index) == ["saliency"]
    np.testing.assert_array_equal(alone.scores["saliency", "deletion"], found.scores["saliency", "deletion"])


def test_an_explanation_may_come_in_every_form(linear):
    model, x = linear
    attribution = dlx.explain(model, x, "integrated_gradients")
    values = np.array(attribution.values)

    def own(model, inputs, target, seed):
        return (values,)

    rows = {
        "name": "integrated_gradients",
        "attribution": attribution,
        "function": own,
        "bare": lambda model, inputs, target, seed: values,
        "examinee": Examinee(name="own", function=own),
        "array": values,
    }
    found = dlx.evaluate(model, x, rows, ["deletion", "faithfulness_correlation", "sparseness"])
    for metric in found.metrics:
        for label in rows:
            np.testing.assert_allclose(found.scores[label, metric], found.scores["name", metric], rtol=1e-5)
    assert dlx.evaluate(model, x, [attribution, "saliency"], "sparseness").rows == ("integrated_gradients", "saliency")
    assert dlx.evaluate(model, x, own, "sparseness").rows == ("own",)
    assert dlx.evaluate(model, x, values, "sparseness").rows == ("map",)
    compared = dlx.compare(model, x, methods=["saliency", "occlusion"])
    assert dlx.evaluate(model, x, compared, "sparseness").rows == ("saliency", "occlusion")


def test_an_attribution_is_not_made_again_and_keeps_its_target_and_baseline(framework):
    model = dense_pair(random_weights((5, 7, 3)))[framework]
    x = np.random.default_rng(0).standard_normal((4, 5)).astype(np.float32)
    attribution = dlx.explain(model, x, "integrated_gradients", target=[0, 1, 2, 0], baseline=np.full(5, 0.5))
    found = dlx.evaluate(model, x, attribution, "pixel_flipping")
    np.testing.assert_array_equal(found.target, [0, 1, 2, 0])
    by_hand = dlx.evaluate(
        model, x, np.array(attribution.values), "pixel_flipping", target=[0, 1, 2, 0], baseline=np.full(5, 0.5)
    )
    np.testing.assert_array_equal(
        found.scores["integrated_gradients", "pixel_flipping"], by_hand.scores["map", "pixel_flipping"]
    )
    zeros = dlx.evaluate(model, x, attribution, "pixel_flipping", baseline=0)
    assert not np.allclose(
        found.scores["integrated_gradients", "pixel_flipping"], zeros.scores["integrated_gradients", "pixel_flipping"]
    )


def test_of_two_baselines_neither_is_taken(framework):
    model, x = linear_pair()[framework], np.ones((2, 5), np.float32)
    apart = {
        "a": dlx.explain(model, x, "integrated_gradients", baseline=0.5),
        "b": dlx.explain(model, x, "integrated_gradients", baseline=2.0),
    }
    zeros = dlx.evaluate(model, x, apart, "deletion", baseline=0).scores["a", "deletion"]
    np.testing.assert_array_equal(dlx.evaluate(model, x, apart, "deletion").scores["a", "deletion"], zeros)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"explanations": []}, "no explanation was given"),
        ({"explanations": "integrated_gradient"}, "Did you mean 'integrated_gradients'"),
        ({"explanations": np.zeros((7, 4))}, r"shape \(7, 4\)"),
        ({"explanations": 3}, "int is not an explanation"),
        ({"explanations": ["saliency", None]}, "NoneType is not an explanation"),
        ({"explanations": ["saliency", "saliency"]}, "two rows are called 'saliency'"),
        ({"explanations": {"random": "saliency"}}, "name of a control row"),
        ({"explanations": np.full((7, 5), np.nan)}, "not finite"),
        ({"explanations": lambda m, x, t, s: x[0][:, :2]}, r"gave values of shape \(7, 2\)"),
        ({"explanations": lambda m, x, t, s: x[0] * np.inf}, "gave values that are not finite"),
        ({"metrics": "deletions"}, "Did you mean 'deletion'"),
        ({"metrics": []}, "asks nothing"),
        ({"metrics": "road"}, "is defined for image"),
        ({"metrics": "deletion", "options": {"deletion": {"step": 3}}}, "Did you mean 'steps'"),
        ({"metrics": "deletion", "options": {"insertion": {}}}, "not among the metrics asked"),
        ({"options": {"road": {}}}, "not among the metrics asked"),
        ({"options": {"pointing_game": {}}}, "was not asked: it needs where the evidence is"),
        ({"metrics": "deletion", "options": {"deletion": {"steps": 0}}}, "steps=0"),
        ({"metrics": "faithfulness_correlation", "options": {"faithfulness_correlation": {"share": 1.5}}}, "share=1.5"),
        ({"metrics": "pointing_game"}, "give truth="),
        ({"metrics": "implementation_invariance"}, "give twin="),
        ({"metrics": "max_sensitivity", "explanations": np.ones((7, 5))}, "row 'map' does not have"),
        ({"seed": -1}, "seed=-1"),
        ({"truth": np.full((7, 5), 0.5)}, "true or false"),
        ({"truth": np.ones((7, 4))}, r"truth: shape \(7, 4\)"),
        ({"truth": (np.ones((7, 5)), np.ones((7, 5)))}, "2 arrays were given for 1"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_the_reason(change, said):
    model, x = linear_pair()["torch"], np.ones((7, 5), np.float32)
    asked = {"explanations": "saliency"} | change
    with pytest.raises(InputError, match=said):
        dlx.evaluate(model, x, asked.pop("explanations"), asked.pop("metrics", None), **asked)


def test_an_attribution_of_something_else_is_refused(framework):
    model, x = linear_pair()[framework], np.ones((3, 5), np.float32)
    attribution = dlx.explain(model, x, "saliency")
    with pytest.raises(InputError, match="another model"):
        dlx.evaluate(linear_pair(bias=1)[framework], x, attribution)
    with pytest.raises(InputError, match="made of other inputs"):
        dlx.evaluate(model, x * 2, attribution)
    with pytest.raises(InputError, match="made of other inputs"):
        dlx.evaluate(model, x[:2], attribution)
    classes = dense_pair(random_weights((5, 3)))[framework]
    with pytest.raises(InputError, match="explains another output of sample 0"):
        dlx.evaluate(classes, x, dlx.explain(classes, x, "saliency", target=1), target=2)


def test_what_is_left_out_is_named_and_a_bare_map_has_no_score_where_it_must_be_asked_again(linear):
    model, x = linear
    found = dlx.evaluate(model, x, {"bare": np.array(x), "asked": "saliency"})
    assert "give truth=" in found.left_out["pointing_game"]
    assert "'bare'" in found.left_out["max_sensitivity"]
    assert np.isnan(found.scores["bare", "max_sensitivity"]).all()
    assert np.isfinite(found.scores["asked", "max_sensitivity"]).all()
    assert "pointing_game left out" in repr(found)
    assert set(found.metrics) <= {n for n, m in METRICS.items() if m.default}


def test_rows_of_several_heads_are_those_of_each_head(framework):
    network = BY_NAME[f"{framework}-two outputs"]
    model, x = network.make(), network.inputs(6)[0]
    target = [(0, 1), (1, 0, 1), (0, 2), (1, 1, 0), (0, 0), (1, 0, 0)]
    metrics = ["deletion", "faithfulness_correlation", "infidelity", "sufficiency"]
    both = dlx.evaluate(model, x, "integrated_gradients", metrics, target=target)
    for part in ([0, 2, 4], [1, 3, 5]):
        alone = dlx.evaluate(model, x[part], "integrated_gradients", metrics, target=[target[i] for i in part])
        for metric in metrics:
            for row in ("integrated_gradients", "random"):
                np.testing.assert_allclose(both.scores[row, metric][part], alone.scores[row, metric], atol=1e-6)


@pytest.mark.parametrize("metric", OURS)
def test_twins_get_the_same_scores_in_every_row(metric, pictures):
    (km, kx), (tm, tx) = pictures["keras"], pictures["torch"]
    baseline = np.full((8, 8, 2), 0.3, np.float32)
    ours = dlx.evaluate(km, kx, ["integrated_gradients", "occlusion"], metric, baseline=baseline)
    twins = dlx.evaluate(tm, tx, ["integrated_gradients", "occlusion"], metric, baseline=baseline.transpose(2, 0, 1))
    for row in (*ours.rows, "random", "model-blind"):
        np.testing.assert_allclose(ours.scores[row, metric], twins.scores[row, metric], rtol=2e-4, atol=2e-5)
    assert np.isfinite(ours.scores["occlusion", metric]).any()


KINDS = ["keras-convolution", "torch-convolution", "keras-series", "torch-series", "keras-two inputs", "torch-residual"]
TOKENS = ["keras-recurrent tokens", "torch-recurrent tokens", "keras-attended tokens", "torch-attended tokens"]


@pytest.mark.parametrize("name", KINDS + TOKENS)
def test_every_kind_of_input_is_evaluated(name):
    network = BY_NAME[name]
    model, x = network.make(), one_or_all(network.inputs(3))
    tokens = name in TOKENS
    metrics = [m for m in OURS if "convolution" in name or m != "road"]
    found = dlx.evaluate(model, x, ["feature_ablation", "saliency"], metrics)
    assert list(found.table.index) == ["feature_ablation", "saliency", "random", "model-blind"]
    for metric in ("deletion", "faithfulness_correlation", "faithfulness_estimate", "sparseness", "infidelity"):
        for row in found.table.index:
            assert np.isfinite(found.scores[row, metric]).all(), (row, metric)
    assert found.kind[0] == ("tokens" if tokens else found.kind[0])
    # Taking away one at a time is what feature_ablation measures (for pictures: channel by channel).
    if "convolution" not in name:
        np.testing.assert_allclose(found.scores["feature_ablation", "faithfulness_estimate"], 1, atol=1e-4)


def test_the_choice_of_batch_changes_nothing(pictures):
    model, x = pictures["torch"]
    one, many = (dlx.evaluate(model, x, "occlusion", OURS, batch_size=size) for size in (1, 64))
    for key, scores in one.scores.items():
        np.testing.assert_allclose(scores, many.scores[key], rtol=1e-4, atol=1e-5)


def test_no_batch_is_larger_than_asked(pictures):
    model, x = pictures["torch"]
    seen = []
    hook = model.register_forward_pre_hook(lambda module, inputs: seen.append(len(inputs[0])))
    try:
        dlx.evaluate(model, x, "saliency", OURS, batch_size=5)
    finally:
        hook.remove()
    assert max(seen) <= 5
    assert sum(seen) > 1000


@pytest.mark.parametrize(
    "metric", ["faithfulness_correlation", "sensitivity_n", "infidelity", "faithfulness_estimate", "monotonicity"]
)
def test_what_does_not_depend_on_the_map_is_asked_once_for_all_rows(metric, curved):
    models, x = curved
    seen = []
    values, other = np.random.default_rng(0).standard_normal((2, *x.shape))
    dlx.wrap(models["torch"]).predict(x)  # the first time, tokens are looked for
    hook = models["torch"].register_forward_pre_hook(lambda module, inputs: seen.append(len(inputs[0])))
    try:
        one = dlx.evaluate(models["torch"], x, {"a": values}, metric, controls=False)
        alone = sum(seen)
        many = dlx.evaluate(models["torch"], x, {"b": -values, "c": other, "a": values}, metric)
    finally:
        hook.remove()
    assert sum(seen) == 2 * alone
    np.testing.assert_array_equal(one.scores["a", metric], many.scores["a", metric])
    assert not np.array_equal(many.scores["c", metric], many.scores["a", metric])


def test_the_same_call_gives_the_same_record_and_another_seed_another_chance(linear):
    model, x = linear
    one, again, other = (dlx.evaluate(model, x, "saliency", OURS_TABLE, seed=s) for s in (0, 0, 1))
    for key, scores in one.scores.items():
        np.testing.assert_array_equal(scores, again.scores[key])
    assert not np.array_equal(one.scores["random", "deletion"], other.scores["random", "deletion"])
    np.testing.assert_array_equal(one.scores["saliency", "deletion"], other.scores["saliency", "deletion"])


OURS_TABLE = [m for m in OURS if m != "road"]


def test_one_metric_is_the_same_whatever_else_is_asked(curved):
    models, x = curved
    alone = dlx.evaluate(models["torch"], x, "saliency", "sensitivity_n")
    among = dlx.evaluate(models["torch"], x, ["occlusion", "saliency"], OURS_TABLE)
    for row in ("saliency", "random"):
        np.testing.assert_array_equal(alone.scores[row, "sensitivity_n"], among.scores[row, "sensitivity_n"])


def test_a_random_method_is_asked_again_with_the_numbers_that_made_its_map(curved):
    models, x = curved
    attribution = dlx.explain(models["torch"], x, "smoothgrad", samples=5, noise=0.2, seed=11)
    caught = {}

    def keep(trial):
        caught["again"], caught["values"] = trial.explain()[0], trial.values[0]
        return np.zeros(len(trial))

    facts = METRICS["max_sensitivity"]
    METRICS["kept"] = type(facts)(**{**facts.__dict__, "name": "kept", "function": keep})
    try:
        dlx.evaluate(models["torch"], x, attribution, "kept", controls=False, seed=3)
    finally:
        del METRICS["kept"]
    np.testing.assert_allclose(caught["again"], caught["values"], rtol=1e-5)


def test_the_result_is_frozen_pickles_and_says_what_it_holds(linear):
    model, x = linear
    found = dlx.evaluate(model, x, {"exact": exact()}, ["deletion", "complexity"])
    again = pickle.loads(pickle.dumps(found))
    for key, scores in found.scores.items():
        np.testing.assert_array_equal(scores, again.scores[key])
    with pytest.raises(ValueError, match="read-only"):
        found.scores["exact", "deletion"][0] = 0
    with pytest.raises(AttributeError):
        found.seed = 1
    assert len(found) == 7
    assert "deletion ↓" in repr(found)
    assert found.metrics["deletion"].better == "lower"
    low, high = found.intervals()["deletion"].loc["exact"]
    assert low < found.table["deletion"]["exact"] < high
    narrow = found.intervals(0.5)["deletion"].loc["exact"]
    assert low < narrow["low"] < narrow["high"] < high
    one = dlx.evaluate(model, x[:1], {"exact": exact()}, "deletion")
    assert one.intervals().isna().all().all()
    with pytest.raises(InputError, match="level=2"):
        found.intervals(2)


def test_being_ahead_of_a_control_is_told_from_chance(curved):
    models, _ = curved
    x = np.random.default_rng(0).standard_normal((60, 6)).astype(np.float32)
    worst = -dlx.explain(models["torch"], x, "exact_shapley").values
    rows = {"true": "exact_shapley", "wrong": worst, "chance": np.random.default_rng(5).standard_normal(x.shape)}
    found = dlx.evaluate(models["torch"], x, rows, ["faithfulness_correlation", "deletion"])
    judged = found.ahead("random")
    assert judged.loc["true"].tolist() == [True, True]
    assert judged.loc["wrong"].tolist() == [False, False]
    assert judged.loc["chance"].tolist() == [None, None]
    with pytest.raises(InputError, match="not a control row"):
        found.ahead("true")


def test_the_table_of_metrics_says_what_each_is_for():
    table = dlx.metrics()
    assert set(OURS) <= set(table.index)
    assert table.loc["deletion", "better"] == "lower"
    assert "steps" in table.loc["deletion", "options"]
    for name, facts in METRICS.items():
        assert facts.answers.endswith("?"), name
        assert all((facts.cannot, facts.cost, facts.paper)), name
        assert facts.function.__doc__, name


def test_features_are_numbered_alike_in_both_layouts():
    last, first = BY_NAME["keras-convolution"], BY_NAME["torch-convolution"]
    km, tm = dlx.wrap(last.make()), dlx.wrap(first.make())
    (kn,), (tn,) = features(km, last.inputs(1)), features(tm, first.inputs(1))
    assert kn.shape == (8, 8, 1)
    assert tn.shape == (1, 8, 8)
    np.testing.assert_array_equal(kn[..., 0], tn[0])
    np.testing.assert_array_equal(regions(km, last.inputs(1), 3), regions(tm, first.inputs(1), 3))
    assert regions(km, last.inputs(1), 3).max() == 8
    last, first = BY_NAME["keras-series"], BY_NAME["torch-series"]
    (kn,), (tn,) = (features(dlx.wrap(n.make()), n.inputs(1)) for n in (last, first))
    np.testing.assert_array_equal(kn, tn.T)
    assert kn.size == kn.max() + 1 == 36


def test_the_users_model_is_as_before(linear):
    model, x = linear
    wrapped = dlx.wrap(model)
    before = wrapped.fingerprint
    dlx.evaluate(model, x, "saliency")
    assert wrapped.fingerprint == before
