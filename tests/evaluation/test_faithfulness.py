"""Faithfulness where the truth is known: a linear model, whose contributions are exact, and its worst maps."""

from __future__ import annotations

import itertools
import zlib

import numpy as np
import pytest

import dlexplain as dlx
from dlexplain.errors import InputError
from dlexplain.evaluation import Examinee
from dlexplain.evaluation.correlation import pearson, ranks, spearman
from tests.attribution.conftest import dense_pair, random_weights
from tests.evaluation.conftest import LINEAR, exact, linear_pair, scored
from tests.networks import BY_NAME


def heights(parts: np.ndarray) -> np.ndarray:
    """`(n, d + 1)`: what is left of the sum of each row as its parts go one by one."""
    return np.concatenate([parts.sum(1, keepdims=True), parts.sum(1, keepdims=True) - np.cumsum(parts, 1)], 1)


# ---- closed forms on the linear model --------------------------------------------------------------------------------


def test_deletion_and_insertion_have_the_linear_models_area(linear):
    model, x = linear
    parts = -np.sort(-(x * LINEAR), 1)
    left = heights(parts)
    area = ((left[:, 1:] + left[:, :-1]) / 2).mean(1)
    size = np.abs((x * LINEAR).sum(1)).mean()
    np.testing.assert_allclose(scored(model, x, exact(), "deletion"), area / size, rtol=1e-4)
    np.testing.assert_allclose(scored(model, x, exact(), "insertion"), (parts.sum(1) - area) / size, rtol=1e-4)
    np.testing.assert_allclose(scored(model, x, exact(), "pixel_flipping"), area + 0.25, rtol=1e-4)
    fallen = left[:, :1] - left
    np.testing.assert_allclose(scored(model, x, exact(), "region_perturbation"), fallen.mean(1), rtol=1e-4)
    none = scored(model, x, exact(), "region_perturbation", options={"most": 2})
    np.testing.assert_allclose(none, fallen[:, :3].mean(1), rtol=1e-4)


def test_no_order_does_better_than_the_true_one_and_none_worse_than_its_reverse():
    model, x = linear_pair()["torch"], np.random.default_rng(1).uniform(0.5, 2, (1, 5)).astype(np.float32)
    orders = list(itertools.permutations(range(5)))
    many = np.repeat(x, len(orders), 0)
    for metric, sign in (("deletion", 1), ("insertion", -1), ("pixel_flipping", 1), ("region_perturbation", -1)):
        every = sign * scored(model, many, np.array(orders, np.float64), metric)
        best, worst = (sign * scored(model, x, s * x * LINEAR, metric)[0] for s in (1, -1))
        assert best == pytest.approx(every.min(), abs=1e-5)
        assert worst == pytest.approx(every.max(), abs=1e-5)


@pytest.mark.parametrize(
    ("metric", "right", "wrong"),
    [
        ("faithfulness_correlation", 1, -1),
        ("faithfulness_estimate", 1, -1),
        ("sensitivity_n", 1, -1),
        ("monotonicity", 1, 1),  # sizes only: it cannot see the sign
        ("infidelity", 0, 4),
    ],
)
def test_exact_contributions_have_the_best_value_and_their_opposite_the_worst(linear, metric, right, wrong):
    model, x = linear
    np.testing.assert_allclose(scored(model, x, exact(), metric), right, atol=2e-4)
    np.testing.assert_allclose(scored(model, x, -(x * LINEAR), metric), wrong, atol=2e-4)


def test_what_each_is_blind_to(linear):
    model, x = linear
    doubled = 2 * x * LINEAR + 3
    for metric in ("faithfulness_correlation", "faithfulness_estimate"):  # sets of one size: an offset is nothing
        np.testing.assert_allclose(scored(model, x, doubled, metric), 1, atol=1e-4)
    np.testing.assert_allclose(scored(model, x, 2 * x * LINEAR, "infidelity"), 1, atol=1e-3)
    np.testing.assert_allclose(scored(model, x, 2 * x * LINEAR, "infidelity", options={"scaled": True}), 0, atol=1e-5)
    np.testing.assert_allclose(scored(model, x, 0 * x, "infidelity"), 1, atol=1e-6)


def test_a_flat_map_has_no_correlation(linear):
    model, x = linear
    for metric in ("faithfulness_correlation", "faithfulness_estimate", "sensitivity_n", "monotonicity"):
        assert np.isnan(scored(model, x, np.ones_like(x), metric)).all()


def test_a_map_of_slopes_is_read_as_slopes(linear):
    model, x = linear
    for noise in (None, 0.3):
        options = {"noise": noise, "scaled": False}
        shares = scored(model, x, "integrated_gradients", "infidelity", options=options, baseline=0.5)
        np.testing.assert_allclose(shares, 0, atol=1e-6)
        gradient = Examinee(name="slope", function=lambda m, i, t, s: (0 * i[0] + LINEAR,), contribution=False)
        np.testing.assert_allclose(
            scored(model, x, gradient, "infidelity", options=options, baseline=0.5), 0, atol=1e-6
        )
    papers = scored(model, x, 0 * x, "infidelity", options={"relative": False})
    assert (papers > 1).all()  # the mean square of the falls, in the output's units


def test_features_put_back_in_order_never_lower_the_output_where_none_speaks_against(linear):
    model, x = linear
    share = scored(model, x, exact(), "monotonicity_arya")
    np.testing.assert_allclose(share, 0.8)  # one weight of five is negative
    positive = linear_pair(np.abs(LINEAR))
    for model in positive.values():
        np.testing.assert_allclose(scored(model, x, np.abs(x * LINEAR), "monotonicity_arya"), 1)


# ---- the papers' formulas, slower and plainer, on a curved model -----------------------------------------------------


def _asked(curved):
    models, x = curved
    model = dlx.wrap(models["torch"])
    values = np.random.default_rng(9).standard_normal(x.shape)
    goal = model.predict(x).argmax(1)

    def f(row: np.ndarray, i: int) -> float:
        return float(model.predict(row[None].astype(np.float32))[0, goal[i]])

    return models, x, values, f


def test_correlation_estimate_and_sensitivity_n_by_hand(curved):
    models, x, values, f = _asked(curved)
    baseline = np.linspace(-0.5, 0.5, 6).astype(np.float32)

    def fall(i: int, removed: list[int]) -> float:
        row = x[i].copy()
        row[removed] = baseline[removed]
        return f(x[i], i) - f(row, i)

    def sets(name: str, sizes: list[int]) -> list[list[int]]:
        rng = np.random.default_rng([5, zlib.crc32(name.encode())])
        return [list(rng.permutation(6)[:size]) for size in sizes]

    def plain(i: int, chosen: list[list[int]]) -> float:
        return np.corrcoef([values[i, s].sum() for s in chosen], [fall(i, s) for s in chosen])[0, 1]

    asked = {"seed": 5, "baseline": baseline}
    chosen = sets("faithfulness_correlation", [3] * 20)
    for model in models.values():
        found = scored(model, x, values, "faithfulness_correlation", options={"samples": 20, "share": 0.5}, **asked)
        np.testing.assert_allclose(found, [plain(i, chosen) for i in range(8)], atol=1e-4)
        found = scored(model, x, values, "faithfulness_estimate", **asked)
        np.testing.assert_allclose(found, [plain(i, [[j] for j in range(6)]) for i in range(8)], atol=1e-4)
        found = scored(model, x, values, "sensitivity_n", options={"sizes": (2, 4), "samples": 7}, **asked)
        many = sets("sensitivity_n", [2] * 7 + [4] * 7)
        by_hand = [(plain(i, many[:7]) + plain(i, many[7:])) / 2 for i in range(8)]
        np.testing.assert_allclose(found, by_hand, atol=1e-4)
        found = scored(model, x, values, "infidelity", options={"samples": 15, "relative": False}, **asked)
        few = sets("infidelity", [2] * 15)
        by_hand = [np.mean([(values[i, s].sum() - fall(i, s)) ** 2 for s in few]) for i in range(8)]
        np.testing.assert_allclose(found, by_hand, rtol=1e-3)


def test_curves_by_hand(curved):
    models, x, values, f = _asked(curved)

    def out(i: int, removed: list[int]) -> float:
        row = x[i].copy()
        row[removed] = 0
        return f(row, i)

    orders = [list(np.argsort(-row)) for row in values]
    deleted = np.array([[out(i, orders[i][:k]) for k in range(7)] for i in range(8)])
    inserted = np.array([[out(i, orders[i][k:]) for k in range(7)] for i in range(8)])
    rising = np.array([[out(i, orders[i][: 6 - k]) for k in range(7)] for i in range(8)])
    size = np.abs(deleted[:, 0] - deleted[:, 6]).mean()
    lower = deleted[:, 6]
    expected = {
        "deletion": (np.trapezoid(deleted, dx=1 / 6) - lower) / size,
        "insertion": (np.trapezoid(inserted, dx=1 / 6) - lower) / size,
        "pixel_flipping": np.trapezoid(deleted, dx=1 / 6),
        "region_perturbation": (deleted[:, :1] - deleted).mean(1),
        "monotonicity_arya": (np.diff(rising) >= 0).mean(1),
    }
    for model in models.values():
        for metric, by_hand in expected.items():
            np.testing.assert_allclose(scored(model, x, values, metric), by_hand, rtol=2e-4, atol=2e-5)
        half = np.trapezoid(deleted[:, [0, 2, 4, 6]], dx=1 / 3)
        found = scored(model, x, values, "pixel_flipping", options={"steps": 3})
        np.testing.assert_allclose(found, half, rtol=2e-4, atol=2e-5)
        by_size = [list(np.argsort(-np.abs(row))) for row in values]
        other = [np.trapezoid([out(i, by_size[i][:k]) for k in range(7)], dx=1 / 6) for i in range(8)]
        found = scored(model, x, values, "pixel_flipping", options={"absolute": True})
        np.testing.assert_allclose(found, other, rtol=2e-4, atol=2e-5)


def test_monotonicity_averages_squares_over_the_background_not_outputs(curved):
    models, x, values, f = _asked(curved)
    background = np.random.default_rng(2).standard_normal((3, 6)).astype(np.float32)

    def square(i: int, j: int) -> float:
        found = []
        for reference in background:
            row = x[i].copy()
            row[j] = reference[j]
            found.append((f(x[i], i) - f(row, i)) ** 2)
        return float(np.mean(found))

    by_hand = spearman(np.abs(values), np.array([[square(i, j) for j in range(6)] for i in range(8)]))
    for model in models.values():
        np.testing.assert_allclose(scored(model, x, values, "monotonicity", baseline=background), by_hand, atol=1e-6)


def test_features_go_together_where_there_are_many(curved):
    models, x, values, f = _asked(curved)
    groups = [np.array_split(np.argsort(-row, kind="stable"), 3) for row in values]

    def fall(i: int, removed: np.ndarray) -> float:
        row = x[i].copy()
        row[removed] = 0
        return f(x[i], i) - f(row, i)

    by_hand = [
        np.corrcoef([values[i, g].sum() for g in groups[i]], [fall(i, g) for g in groups[i]])[0, 1] for i in range(8)
    ]
    found = scored(models["keras"], x, values, "faithfulness_estimate", options={"together": 2})
    np.testing.assert_allclose(found, by_hand, atol=1e-4)


def test_a_background_set_is_averaged_over(curved):
    models, x, values, _ = _asked(curved)
    background = np.random.default_rng(2).standard_normal((3, 6)).astype(np.float32)
    for model in models.values():
        every = [scored(model, x, values, "pixel_flipping", baseline=b) for b in background]
        found = scored(model, x, values, "pixel_flipping", baseline=background)
        np.testing.assert_allclose(found, np.mean(every, 0), rtol=1e-4, atol=1e-6)


# ---- kinds of input --------------------------------------------------------------------------------------------------


def test_a_pixel_goes_with_all_its_channels(pictures):
    """The channels' values add up: moving value from one channel to another changes nothing."""
    for model, x in pictures.values():
        axis = 1 if x.shape[1] == 2 else -1
        values = np.random.default_rng(0).standard_normal(x.shape)
        total = values.sum(axis, keepdims=True)
        spread = np.concatenate([total + 5, np.full_like(total, -5)], axis)
        for metric in ("deletion", "faithfulness_correlation", "infidelity", "sparseness"):
            a, b = (scored(model, x, v, metric) for v in (values, spread))
            np.testing.assert_allclose(a, b, rtol=1e-6)


def test_regions_are_squares_of_the_picture_and_windows_of_a_sensor():
    network = BY_NAME["torch-series"]
    model, x = network.make(), network.inputs(3)[0]
    values = np.zeros_like(x)
    values[:, 1, 4:8] = 1  # one sensor, one window of four steps
    covered = x.copy()
    covered[:, 1, 4:8] = 0
    wrapped = dlx.wrap(model)
    fallen = (wrapped.predict(x) - wrapped.predict(covered)).ravel()
    found = scored(model, x, values, "region_perturbation", options={"window": 4, "most": 1})
    np.testing.assert_allclose(found, fallen / 2, atol=1e-6)


def test_padding_that_stays_padding_costs_nothing():
    """A token that is padding already makes no difference, whatever value a map gives it."""
    network = BY_NAME["keras-recurrent tokens"]
    model, ids = network.make(), network.inputs(3)[0]
    ids[:, 4:] = 0
    values = np.zeros(ids.shape)
    values[:, 4] = 1
    found = scored(model, ids, values, "region_perturbation", options={"most": 1}, target=0)
    np.testing.assert_allclose(found, 0, atol=1e-7)


def test_noise_is_refused_for_tokens():
    network = BY_NAME["torch-recurrent tokens"]
    with pytest.raises(InputError, match="token ids"):
        scored(network.make(), network.inputs(2)[0], "feature_ablation", "infidelity", options={"noise": 0.1})


def test_sizes_that_do_not_fit_are_refused(linear):
    model, x = linear
    with pytest.raises(InputError, match="more than the 5 features"):
        scored(model, x, exact(), "sensitivity_n", options={"sizes": (2, 6)})
    with pytest.raises(InputError, match="noise="):
        scored(model, x, exact(), "infidelity", options={"noise": -1})
    with pytest.raises(InputError, match="together="):
        scored(model, x, exact(), "faithfulness_estimate", options={"together": 0})


def test_a_model_that_says_the_same_of_everything_has_no_area():
    model = dense_pair([(np.zeros((4, 1)), np.ones(1))])["torch"]
    x = np.random.default_rng(0).random((3, 4), np.float32)
    assert np.isnan(scored(model, x, x, "deletion")).all()
    assert np.isnan(scored(model, x, x, "infidelity")).all()
    assert np.isnan(scored(model, x, x, "faithfulness_correlation")).all()


# ---- correlation -----------------------------------------------------------------------------------------------------


def test_rows_are_correlated_as_scipy_does():
    from scipy import stats

    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 5, (6, 9)).astype(float), rng.standard_normal((6, 9))
    np.testing.assert_allclose(ranks(a), stats.rankdata(a, axis=1))
    np.testing.assert_allclose(pearson(a, b), [stats.pearsonr(p, q)[0] for p, q in zip(a, b, strict=True)])
    np.testing.assert_allclose(spearman(a, b), [stats.spearmanr(p, q)[0] for p, q in zip(a, b, strict=True)])
    flat = np.full((1, 9), 0.1) * np.r_[3.0]
    assert np.isnan(pearson(flat, b[:1])).all()


def test_more_samples_steady_the_correlation():
    """With more random sets the score settles: its spread over seeds falls."""
    model = dense_pair(random_weights((6, 9, 3)), "tanh")["torch"]
    x = np.random.default_rng(3).standard_normal((4, 6)).astype(np.float32)
    values = dlx.explain(model, x, "integrated_gradients").values

    def spread(samples: int) -> float:
        runs = [
            scored(model, x, values, "faithfulness_correlation", seed=s, options={"samples": samples, "share": 0.5})
            for s in range(6)
        ]
        return float(np.std(runs, 0).mean())

    assert spread(200) < spread(10) / 2
