"""Shapley's and Owen's values against their definitions in plain loops, closed forms, SHAP, and between frameworks."""

from __future__ import annotations

from itertools import combinations, permutations
from math import factorial

import numpy as np
import pytest

import dlexplain as dlx
from dlexplain.attribution.families import coalitions, shapley
from dlexplain.errors import InputError
from tests.attribution.conftest import dense_pair, random_weights
from tests.networks import BY_NAME, one_or_all

METHODS = ("exact_shapley", "permutation_shapley", "kernel_shap", "owen_values")


def worth_of(model, x, background, target, groups):
    """The game as a function of the set of groups that are present, in plain loops over the background."""
    asked = dlx.wrap(model)
    known = {}

    def worth(present):
        key = frozenset(present)
        if key not in known:
            rows = np.array([np.where(np.isin(groups, list(key)), x, b) for b in background], np.float32)
            known[key] = float(asked.predict(rows)[:, target].mean(dtype=np.float64))
        return known[key]

    return worth


def by_definition(worth, players):
    """Shapley (1953): the weighted additions over all coalitions of the others."""
    n = len(players)
    values = {}
    for i in players:
        values[i] = sum(
            factorial(size) * factorial(n - size - 1) / factorial(n) * (worth({*others, i}) - worth(others))
            for size in range(n)
            for others in combinations([j for j in players if j != i], size)
        )
    return np.array([values[i] for i in players])


def over_orders(worth, players, group):
    """The mean additions over the orders in which every group comes in one go."""
    total, number = np.zeros(len(players)), 0
    for order in permutations(players):
        runs = [group[i] for k, i in enumerate(order) if not k or group[i] != group[order[k - 1]]]
        if len(runs) != len(set(runs)):
            continue
        number += 1
        for k, i in enumerate(order):
            total[i] += worth(set(order[: k + 1])) - worth(set(order[:k]))
    return total / number


@pytest.fixture(scope="module")
def table():
    generator = np.random.default_rng(4)
    models = dense_pair(random_weights((7, 9, 2), 3), "tanh")
    return models, generator.standard_normal((3, 7)).astype("float32"), generator.standard_normal((4, 7))


@pytest.mark.parametrize("method", ["exact_shapley", "kernel_shap", "owen_values"])
def test_exact_values_are_the_definitions(framework, table, method):
    models, x, background = table
    found = dlx.explain(models[framework], x, method, target=1, baseline=background)
    for row, values in zip(x, found.values, strict=True):
        worth = worth_of(models[framework], row, background, 1, np.arange(7))
        np.testing.assert_allclose(values, by_definition(worth, range(7)), atol=1e-6)
    assert found.relative_gap.max() < 1e-5
    assert found.tolerance == 1e-3


@pytest.mark.parametrize("method", METHODS[:3])
def test_a_group_plays_as_one_and_its_value_is_spread_over_it(framework, table, method):
    models, x, background = table
    numbers = np.array([0, 1, 1, 2, 0, 3, 1])
    options = {"samples": 300} if method == "permutation_shapley" else {}
    found = dlx.explain(models[framework], x, method, target=0, baseline=background, groups=numbers, **options)
    for row, values in zip(x, found.values, strict=True):
        expected = by_definition(worth_of(models[framework], row, background, 0, numbers), range(4))
        expected = (expected / np.bincount(numbers))[numbers]
        np.testing.assert_allclose(values, expected, atol=5e-3 if options else 1e-6)
    named = dlx.explain(
        dlx.wrap(models[framework], feature_names=list("abcdefg")),
        x,
        method,
        target=0,
        baseline=background,
        groups=[["a", "e"], ["b", "c", "g"], ["d"], ["f"]],
        **options,
    )
    np.testing.assert_array_equal(named.values, found.values)


@pytest.mark.parametrize("group", [[0, 0, 1, 1, 1, 2], [0, 1, 0, 2, 1, 2], [0] * 6, range(6)])
def test_owen_values_are_the_mean_over_orders_that_keep_groups_together(framework, group):
    model = dense_pair(random_weights((6, 9, 2), 5), "tanh")[framework]
    generator = np.random.default_rng(6)
    x, background = generator.standard_normal((2, 6)).astype("float32"), generator.standard_normal((2, 6))
    given = {"target": 1, "baseline": background, "groups": list(group)}
    found = dlx.explain(model, x, "owen_values", **given)
    drawn = dlx.explain(model, x, "owen_values", samples=1500, **given)
    assert found.options["exact"] is True
    assert drawn.options["exact"] is False
    for row, values, near in zip(x, found.values, drawn.values, strict=True):
        expected = over_orders(worth_of(model, row, background, 1, np.arange(6)), range(6), list(group))
        np.testing.assert_allclose(values, expected, atol=1e-6)
        np.testing.assert_allclose(near, expected, atol=5e-3)
    assert max(found.relative_gap.max(), drawn.relative_gap.max()) < 1e-5


@pytest.mark.parametrize("method", METHODS)
def test_linear_symmetric_idle_and_efficient(framework, method):
    weights = np.array([[1.5, 0], [-2.0, 0], [0.5, 0], [0.5, 0], [0.0, 0]])
    linear = dense_pair([(weights, [0.25, 0])])[framework]
    x, b = np.array([[1.0, 2, 3, 3, 9], [0.5, -1, 0, 4, 2]]), np.array([0.5, 0, 1, 1, 0])
    found = dlx.explain(linear, x, method, target=0, baseline=b)
    np.testing.assert_allclose(found.values, weights[:, 0] * (x - b), atol=1e-5)
    (k1, b1), (k2, b2) = random_weights((5, 8, 2), 2)
    k1[3], k1[4] = k1[2], 0  # two alike, one without effect
    curved = dense_pair([(k1, b1), (k2, b2)], "tanh")[framework]
    values = dlx.explain(curved, x[:1], method, target=0, baseline=b, **_many(method)).values[0]
    assert values[4] == pytest.approx(0, abs=1e-6)
    assert values[2] == pytest.approx(values[3], abs=1e-6 if method != "permutation_shapley" else 2e-2)
    output, lower = dlx.wrap(curved).predict(np.stack([x[0], b]))[:, 0]
    assert values.sum() == pytest.approx(output - lower, abs=1e-6)


def _many(method):
    return {"samples": 500} if method == "permutation_shapley" else {}


@pytest.mark.parametrize(("method", "other"), [("exact_shapley", "shap:Exact"), ("kernel_shap", "shap:Kernel")])
def test_equal_to_shaps_own(framework, table, method, other):
    models, x, background = table
    given = {"target": 1, "baseline": background}
    ours = dlx.explain(models[framework], x, method, **given).values
    np.testing.assert_allclose(ours, dlx.explain(models[framework], x, other, **given).values, atol=1e-5)


def test_permutations_are_exact_where_features_act_in_pairs_as_shaps_are(framework):
    """f(x) = sum of a_ij relu(x_i) ... is not pairwise in a network; the product of two is, by (u+v)^2 - (u-v)^2."""
    import keras
    import torch

    def formula(x):
        return x[:, :1] * x[:, 1:2] + 2 * x[:, 2:3] * x[:, 0:1] - x[:, 3:4] * x[:, 4:5] + x[:, 5:6]

    if framework == "torch":

        class Pairs(torch.nn.Module):
            def forward(self, x):
                return formula(x)

        model = Pairs()
    else:
        inputs = keras.Input((6,))
        model = keras.Model(inputs, keras.layers.Lambda(formula)(inputs))
    generator = np.random.default_rng(1)
    x, background = generator.standard_normal((3, 6)), generator.standard_normal((3, 6))
    ours = dlx.explain(model, x, "permutation_shapley", baseline=background, samples=1).values
    exact = dlx.explain(model, x, "exact_shapley", baseline=background).values
    shaps = dlx.explain(model, x, "shap:Permutation", baseline=background).values
    np.testing.assert_allclose(ours, exact, atol=1e-5)
    np.testing.assert_allclose(shaps, exact, atol=1e-5)


def test_kernel_shap_by_its_papers_regression_where_coalitions_are_drawn():
    """The constrained least squares solved again by Lagrange's multiplier on the coalitions that were drawn."""
    kept, weights = coalitions.kernel_coalitions(14, 200, np.random.default_rng(3))
    assert len(kept) <= 200
    assert len(np.unique(kept, axis=0)) == len(kept)
    assert {tuple(k) for k in kept} == {tuple(~k) for k in kept}  # paired
    by_size = np.array([weights[kept.sum(1) == s].sum() for s in range(1, 14)])
    assert by_size[[0, 12]] == pytest.approx(1)
    assert weights.sum() == pytest.approx(sum(13 / (s * (14 - s)) for s in range(1, 14)))
    solution, whole = coalitions.kernel_solution(kept, weights)
    worth, change = np.random.default_rng(4).standard_normal(len(kept)), 0.7
    z = kept.astype(float)
    system = np.zeros((15, 15))
    system[:14, :14] = sum(w * np.outer(k, k) for k, w in zip(z, weights, strict=True))
    system[:14, 14] = system[14, :14] = 1
    expected = np.linalg.solve(system, [*sum(w * k * v for k, w, v in zip(z, weights, worth, strict=True)), change])
    np.testing.assert_allclose(worth @ solution + change * whole, expected[:14], atol=1e-10)


def test_coalitions_drawn_twice_count_twice():
    """Over many draws each size has the weight that the kernel gives it; counted once, a rarer one gets too much."""
    total = np.zeros(9)
    for seed in range(4000):
        kept, weights = coalitions.kernel_coalitions(8, 150, np.random.default_rng(seed))
        np.add.at(total, kept.sum(1), weights / 4000)
    assert len(kept) < 150  # some were drawn twice
    np.testing.assert_allclose(total[1:8], [7 / (s * (8 - s)) for s in range(1, 8)], rtol=1.2e-2)


def test_drawn_values_come_near_the_exact_ones_and_sum_exactly(framework):
    model = dense_pair(random_weights((12, 9, 2), 8), "tanh")[framework]
    generator = np.random.default_rng(9)
    x, b = generator.standard_normal((2, 12)), generator.standard_normal((3, 12))
    exact = dlx.explain(model, x, "exact_shapley", target=0, baseline=b).values
    for method, options in (("kernel_shap", {"samples": 1500}), ("permutation_shapley", {"samples": 100})):
        found = dlx.explain(model, x, method, target=0, baseline=b, **options)
        np.testing.assert_allclose(found.values, exact, atol=1e-2)
        assert found.relative_gap.max() < 1e-5
        again = dlx.explain(model, x, method, target=0, baseline=b, seed=1, **options)
        assert not np.array_equal(again.values, found.values)
        alone = dlx.explain(model, x[1:], method, target=0, baseline=b, batch_size=7, **options)
        np.testing.assert_allclose(alone.values, found.values[1:], atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_twins_give_the_same_on_pictures(pictures, method):
    options = {"segments": 3} if method in ("exact_shapley", "owen_values") else {"segments": (4, 2)}
    found = {}
    for name, (model, x) in pictures.items():
        found[name] = dlx.explain(model, x, method, target=1, baseline=0.2, seed=5, **options)
        assert found[name].relative_gap.max() < 1e-4
    np.testing.assert_allclose(found["torch"].heatmap(), found["keras"].heatmap(), rtol=1e-5, atol=1e-6)
    assert found["keras"].options["segments"] == found["torch"].options["segments"]


def test_pieces_of_a_picture_are_the_players_unless_groups_say_otherwise(pictures, framework):
    model, x = pictures[framework]
    found = dlx.explain(model, x, "exact_shapley", target=0, segments=(2, 2))
    corners = np.kron(np.array([[0, 1], [2, 3]]), np.ones((4, 4), int))
    asked, axis = dlx.wrap(model), -1 if framework == "keras" else 1
    for row, heat in zip(x, found.heatmap(), strict=True):

        def worth(present, row=row):
            shown = np.isin(corners, list(present))
            shown = np.expand_dims(shown, axis % 3 if axis == -1 else 0)
            return float(asked.predict((row * shown).astype("float32")[None])[0, 0])

        np.testing.assert_allclose(heat, (by_definition(worth, range(4)) / 16)[corners], atol=1e-6)
    grouped = dlx.explain(model, x, "exact_shapley", target=0, groups=corners)
    np.testing.assert_allclose(grouped.values, found.values, atol=1e-7)
    assert dlx.explain(model, x[:1], "exact_shapley", target=0).options["segments"] == (3, 3)
    # Owen's groups cut the pieces where they end: three pieces along an axis, but a player lies within one corner.
    owen = dlx.explain(model, x, "owen_values", target=0, groups=corners, segments=(3, 2), samples=2)
    assert owen.relative_gap.max() < 1e-4


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["series", "attended tokens", "recurrent tokens", "two inputs", "two outputs"])
def test_every_kind_of_input_sums_to_the_change(framework, name, method):
    network = BY_NAME[f"{framework}-{name}"]
    model, inputs = network.make(), network.inputs(3)
    options = {"target": (1, 0, 1)} if name == "two outputs" else {"target": 0}
    found = dlx.explain(model, one_or_all(inputs), method, **options)
    assert found.relative_gap.max() < 1e-4
    values = found.values if isinstance(found.values, tuple) else (found.values,)
    assert all(v.shape == a.shape for v, a in zip(values, inputs, strict=True))
    if name == "series":
        assert found.options["segments"] == (8 if method == "exact_shapley" else 12,)
    if name == "two inputs" and method == "exact_shapley":
        widths = [a.shape[1] for a in inputs]

        def worth(present):
            shown = [np.isin(np.arange(w) + sum(widths[:i]), list(present)) for i, w in enumerate(widths)]
            rows = tuple((a[:1] * s).astype("float32") for a, s in zip(inputs, shown, strict=True))
            return float(dlx.wrap(model).predict(rows)[0, 0])

        expected = by_definition(worth, range(sum(widths)))
        np.testing.assert_allclose(np.concatenate([v[0] for v in values]), expected, atol=1e-6)


def test_one_feature_takes_the_whole_change(framework, table):
    models, x, background = table
    for method in METHODS:
        found = dlx.explain(models[framework], x, method, target=0, baseline=background, groups=[0] * 7)
        change = (found.output - found.baseline_output) / 7
        if method != "owen_values":
            np.testing.assert_allclose(found.values, np.repeat(change[:, None], 7, 1), atol=1e-6)
        assert found.relative_gap.max() < 1e-5


@pytest.mark.parametrize("method", METHODS)
def test_samples_run_in_parts_where_worths_are_many(framework, table, method, monkeypatch):
    models, x, background = table
    whole = dlx.explain(models[framework], x, method, target=1, baseline=background).values
    monkeypatch.setattr(shapley, "_HELD", 200)  # one sample at a time
    parts = dlx.explain(models[framework], x, method, target=1, baseline=background).values
    np.testing.assert_allclose(parts, whole, atol=1e-6)


def test_batches_are_the_users_own_or_large_for_small_rows(table):
    models, x, background = table
    sizes = []
    hook = models["torch"].register_forward_hook(lambda _module, given, _output: sizes.append(len(given[0])))
    try:
        dlx.explain(models["torch"], np.repeat(x, 20, 0), "kernel_shap", target=0, baseline=background)
        assert max(sizes) > 1024
        sizes.clear()
        dlx.explain(models["torch"], x, "kernel_shap", target=0, baseline=background, batch_size=7)
        assert max(sizes) <= 7
    finally:
        hook.remove()


@pytest.mark.parametrize(
    ("method", "options", "words"),
    [
        ("exact_shapley", {"groups": [[0, 1], [1, 2]]}, "two groups"),
        ("exact_shapley", {"groups": [[0, 99]]}, "out of range"),
        ("exact_shapley", {"groups": [0.5] * 7}, "whole numbers"),
        ("exact_shapley", {"groups": [0, 1]}, "does not fit"),
        ("exact_shapley", {"segments": 2}, "nothing here is cut"),
        ("owen_values", {"segments": 2}, "nothing here is cut"),
        ("permutation_shapley", {"samples": 0}, "samples=0"),
        ("owen_values", {"samples": 2.5}, "samples=2.5"),
        ("kernel_shap", {"samples": 9}, "too few for 7 features: give 14"),
        ("kernel_shap", {"sample": 9}, "Did you mean 'samples'"),
    ],
)
def test_bad_options_are_refused_in_words(table, method, options, words):
    models, x, _ = table
    with pytest.raises(InputError, match=words):
        dlx.explain(models["torch"], x, method, target=0, **options)


def test_too_many_features_and_bad_segments_are_refused(pictures):
    model, x = pictures["torch"]
    with pytest.raises(InputError, match=r"2\^64 forward passes.*groups"):
        dlx.explain(model, x, "exact_shapley", target=0, segments=8)
    for segments in (0, 9, (2, 2, 2), True, 1.5):
        with pytest.raises(InputError, match="how many pieces an axis"):
            dlx.explain(model, x, "kernel_shap", target=0, segments=segments)
    with pytest.raises(InputError, match="nothing here is cut"):
        dlx.explain(model, x, "kernel_shap", target=0, segments=2, groups=np.zeros((8, 8), int))
