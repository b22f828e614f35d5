"""Agreement: worked by hand, by plain sets and lists, and its square of figures."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import spearmanr

import dlexplain as dlx
from dlexplain.evaluation.agreement import MEASURES, agreement
from tests.evaluation.by_hand import image_pair

SAME = dict.fromkeys(MEASURES, 1.0)
A = np.array([[4.0, -3, 2, -1, 0.5, 0.1]])


def of(a, b, **options):
    found = agreement({"a": a, "b": b}, **options)
    return {name: values[0, 1, 0] for name, values in found.scores.items()}


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (A, SAME),
        (2 * A, SAME),
        (-A, {**SAME, "sign_agreement": 0, "signed_rank_agreement": 0}),
        # The first two change places: two of three ranks are wrong, one pair of fifteen.
        (
            A[:, [1, 0, 2, 3, 4, 5]],
            {
                "feature_agreement": 1,
                "rank_agreement": 1 / 3,
                "sign_agreement": 1 / 3,
                "signed_rank_agreement": 1 / 3,
                "rank_correlation": 1 - 6 * 2 / (6 * 35),
                "pairwise_rank_agreement": 14 / 15,
            },
        ),
        # Turned round: no feature is shared.
        (
            A[:, ::-1],
            {
                "feature_agreement": 0,
                "rank_agreement": 0,
                "sign_agreement": 0,
                "signed_rank_agreement": 0,
                "rank_correlation": -1,
                "pairwise_rank_agreement": 0,
            },
        ),
    ],
)
def test_cases_worked_by_hand(other, expected):
    found = of(A, other, k=3)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name] == pytest.approx(value), name


def plain(a, b, k):
    """One sample, from the paper's definitions."""
    d = len(a)
    tops = [sorted(range(d), key=lambda i, m=m: (-abs(m[i]), i))[:k] for m in (a, b)]
    alike = [i for i in tops[0] if i in tops[1]]
    level = [i for i, j in zip(*tops, strict=True) if i == j]
    signs = [np.sign(x) == np.sign(y) for x, y in zip(a, b, strict=True)]
    pairs = list(itertools.combinations(range(d), 2))
    order = [np.sign(abs(a[i]) - abs(a[j])) == np.sign(abs(b[i]) - abs(b[j])) for i, j in pairs]
    return {
        "feature_agreement": len(alike) / k,
        "rank_agreement": len(level) / k,
        "sign_agreement": sum(signs[i] for i in alike) / k,
        "signed_rank_agreement": sum(signs[i] for i in level) / k,
        "rank_correlation": spearmanr(np.abs(a), np.abs(b))[0],
        "pairwise_rank_agreement": sum(order) / len(pairs),
    }


@pytest.mark.parametrize("k", [1, 4, 9])
def test_every_measure_is_what_plain_sets_give(k):
    generator = np.random.default_rng(k)
    a, b, c = generator.standard_normal((3, 8, 9)).round(1)
    b += a
    found = agreement({"a": a, "b": b, "c": c}, k=k)
    maps = (a, b, c)
    for i, j, n in itertools.product(range(3), range(3), range(8)):
        for name, value in plain(maps[i][n], maps[j][n], k).items():
            assert found.scores[name][i, j, n] == pytest.approx(value), (name, i, j, n)


def test_the_last_two_may_look_at_some_features_alone():
    a, b = np.random.default_rng(0).standard_normal((2, 5, 9))
    b[:, [1, 4, 6]] = 3 * a[:, [1, 4, 6]]
    found = agreement({"a": a, "b": b}, features=[1, 4, 6])
    assert found.features == 3
    assert found.count == 9
    for name in ("rank_correlation", "pairwise_rank_agreement"):
        np.testing.assert_allclose(found.scores[name], 1)
    assert found.scores["feature_agreement"][0, 1].mean() < 1


def test_a_map_that_says_nothing_agrees_with_nobody():
    found = agreement({"a": A, "nothing": np.zeros_like(A), "even": np.ones_like(A)})
    for name in ("feature_agreement", "rank_agreement", "sign_agreement", "signed_rank_agreement"):
        assert np.isnan(found.scores[name][1]).all()
    assert np.isnan(found.scores["rank_correlation"][2]).all()
    assert np.isnan(found.means["rank_correlation"][0, 2])


def test_chance_is_what_the_figure_says():
    a, b = np.random.default_rng(0).standard_normal((2, 400, 60))
    found = agreement({"a": a, "b": b})
    assert found.k == 6
    means = {name: values[0, 1] for name, values in found.means.items()}
    assert means["feature_agreement"] == pytest.approx(0.1, abs=0.02)
    assert means["rank_correlation"] == pytest.approx(0, abs=0.02)
    assert means["pairwise_rank_agreement"] == pytest.approx(0.5, abs=0.01)


def test_of_many_features_pairs_are_drawn(monkeypatch):
    a, b = np.random.default_rng(0).standard_normal((2, 3, 300))
    b += a
    whole = agreement({"a": a, "b": b}).scores["pairwise_rank_agreement"][0, 1]
    monkeypatch.setitem(agreement.__globals__, "_PAIRS", 5000)
    drawn = [agreement({"a": a, "b": b}, seed=s).scores["pairwise_rank_agreement"][0, 1] for s in (0, 0, 1)]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])
    np.testing.assert_allclose(drawn[0], whole, atol=0.03)


def test_methods_of_twins_agree_wholly_and_pictures_count_by_pixel():
    (known, x), (other, y) = image_pair().values()
    one, two = (dlx.explain(m, z, "input_x_gradient", target=1) for m, z in ((known, x), (other, y)))
    found = agreement({"keras": one, "torch": two})
    assert found.count == 72
    for name in ("feature_agreement", "sign_agreement", "rank_correlation", "pairwise_rank_agreement"):
        np.testing.assert_allclose(found.scores[name], 1, atol=0.01)


def test_a_comparison_can_be_given_whole():
    raw, x = image_pair()["torch"]
    side = dlx.compare(raw, x, methods=["saliency", "input_x_gradient", "occlusion"], target=0)
    found = agreement(side)
    assert found.names == ("saliency", "input_x_gradient", "occlusion")
    assert found.table.shape == (18, 3)
    assert list(found.pairs.columns) == ["a", "b", *MEASURES]
    assert len(found.pairs) == 3
    assert found.table.loc[("feature_agreement", "saliency"), "saliency"] == 1
    assert "the 7 strongest of 72" in repr(found)
    with pytest.raises(ValueError, match="read-only"):
        found.scores["rank_correlation"][0, 0] = 0


@pytest.mark.parametrize(
    ("given", "options", "words"),
    [
        ({"a": A}, {}, "at least two"),
        ([A, A], {}, "at least two"),
        ({"a": A, "b": A[:, :3]}, {}, "a 1 samples of 6 features, b 1 samples of 3"),
        ({"a": A, "b": A * np.nan}, {}, "'b' holds values that are not finite"),
        ({"a": A, "b": np.array(["x"])}, {}, "'b' must be an Attribution"),
        ({"a": A, "b": A}, {"k": 7}, "from 1 to the number of features, 6"),
        ({"a": A, "b": A}, {"k": 0}, "k=0"),
        ({"a": A, "b": A}, {"features": [6]}, "from 0 to 5"),
    ],
)
def test_what_cannot_be_compared_is_named(given, options, words):
    with pytest.raises(dlx.InputError, match=words):
        agreement(given, **options)


def test_the_figure_draws_the_numbers_found():
    a, b, c = np.random.default_rng(1).standard_normal((3, 5, 20))
    found = agreement({"one<b>": a, "two": b, "three": c})
    figure = found.plot(theme="dark")
    squares = [t for t in figure.data if t.type == "heatmap"]
    assert len(squares) == 6
    for trace, values in zip(squares, found.means.values(), strict=True):
        np.testing.assert_allclose(np.array(trace.z, float), values)
        assert trace.text[0][1] == f"{values[0, 1]:.2f}".replace("-", "−")
    assert "pairwise rank agreement" in figure.alt
    assert "one<b>" in figure.alt
    words = str([axis.ticktext for axis in figure.select_yaxes()])
    assert "&lt;b&gt;" in words
    assert "one<b>" not in words
