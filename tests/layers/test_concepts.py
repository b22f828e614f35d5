"""Concepts planted in networks: one that decides, one that is seen and ignored, one that is never seen."""

from __future__ import annotations

import numpy as np
import pytest

import dlexplain as dlx
from dlexplain.layers import factorisation
from dlexplain.layers.concepts import student, welch
from tests.attribution.conftest import dense_pair, image_pair, random_weights


def planted(seed: int):
    """Networks in which input 0 decides class 1, input 8 is read by four units that nothing follows, input 9 by none."""
    (k1, b1), (k2, b2), (k3, b3) = random_weights((10, 16, 12, 2), seed=seed)
    k1[8:] = 0
    k1[:, :6] = 0
    k1[8, :4], k1[0, 4:6] = (1, -1, 0.5, -0.7), (1, -1)
    k2[:4] = 0
    k2[4:, 0], k2[4, 0], b2[0], k3[0] = 0, 2, 0.3, (-2, 2)
    return dense_pair([(k1, b1), (k2, b2), (k3, b3)])


def sets(seed: int):
    """Samples, a pool, and examples of three concepts: an input raised each."""
    generator = np.random.default_rng(100 + seed)
    draw = [generator.standard_normal((n, 10)).astype(np.float32) for n in (60, 300, 40, 40, 40)]
    for examples, column in zip(draw[2:], (0, 8, 9), strict=True):
        examples[:, column] += 2.5
    return draw[0], draw[1], dict(zip(("decides", "ignored", "unseen"), draw[2:], strict=True))


def layer_of(model, framework):
    return model.layers[0].name if framework == "keras" else "1"


@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_the_concept_that_decides_is_significant_and_the_others_are_not(framework):
    for seed in range(4):
        model, (x, pool, concepts) = planted(seed)[framework], sets(seed)
        found = dlx.concept_sensitivity(
            model, x, concepts, layer_of(model, framework), target=1, random_concepts=pool, seed=seed
        )
        table = found.table.set_index("concept")
        assert table.score["decides"] == 1
        assert list(table.significant) == [True, False, False]
        assert table.accuracy["ignored"] > 0.75 > found.chance_accuracy > table.accuracy["unseen"] - 0.05
        against = dlx.concept_sensitivity(
            model, x, {"decides": concepts["decides"]}, found.layer, target=0, random_concepts=pool, seed=seed
        )
        assert against.scores["decides"].max() == 0
        assert against.significant("decides")
    assert "significant" in repr(found)
    assert found.random_scores.shape == (20,)


def test_twins_have_the_same_scores():
    pair, (x, pool, concepts) = planted(0), sets(0)
    found = [
        dlx.concept_sensitivity(pair[f], x, concepts, layer_of(pair[f], f), target=1, random_concepts=pool)
        for f in ("keras", "torch")
    ]
    for name in concepts:
        # A derivative of nearly nothing may round to either side.
        np.testing.assert_allclose(found[0].scores[name], found[1].scores[name], atol=0.05)


def test_the_same_seed_gives_the_same_and_the_default_pool_is_the_samples():
    model, (x, _, concepts) = planted(1)["torch"], sets(1)
    one, two = (dlx.concept_sensitivity(model, x, concepts, "1", target=1, runs=5) for _ in range(2))
    assert all((one.scores[k] == two.scores[k]).all() for k in concepts)
    assert one.p_values == two.p_values


def test_the_t_test_is_scipys():
    stats = pytest.importorskip("scipy.stats", reason="SciPy is the oracle here")
    for t, freedom in ((0.0, 3.0), (0.3, 1.5), (2.1, 7.3), (-4.0, 19.0), (8.0, 40.0), (1.2, 5000.0)):
        assert student(t, freedom) == pytest.approx(2 * stats.t.sf(abs(t), freedom), rel=1e-4)
    generator = np.random.default_rng(0)
    a, b = generator.standard_normal(12), generator.standard_normal(9) + 1
    # The correction counts the variance of `a` 1 + 12 times over; SciPy's own gets it as a wider sample.
    wide = a.mean() + (a - a.mean()) * np.sqrt(13)
    assert welch(a, b) == pytest.approx(stats.ttest_ind(wide, b, equal_var=False).pvalue, rel=1e-6)
    assert welch(np.ones(4), np.ones(4)) == 1
    assert welch(np.ones(4), np.zeros(4)) == 0


def test_bad_concepts_are_refused_in_words():
    model, (x, pool, concepts) = planted(0)["torch"], sets(0)
    with pytest.raises(dlx.InputError, match="at least 6"):
        dlx.concept_sensitivity(model, x, {"few": pool[:4]}, "1")
    with pytest.raises(dlx.InputError, match="'name': examples"):
        dlx.concept_sensitivity(model, x, pool, "1")
    with pytest.raises(dlx.InputError, match="runs"):
        dlx.concept_sensitivity(model, x, concepts, "1", runs=1)
    with pytest.raises(dlx.InputError, match=r"concepts\['wide'\]"):
        dlx.concept_sensitivity(model, x, {"wide": np.full((20, 10), np.nan)}, "1")


def test_a_factorisation_finds_the_parts_it_was_made_of():
    generator = np.random.default_rng(0)
    parts = np.eye(4, 12, dtype=float) + np.eye(4, 12, k=5)
    weights = generator.random((200, 4)) * (generator.random((200, 4)) < 0.4)
    maps, directions = factorisation.factorise(weights @ parts, 4, np.random.default_rng(1))
    assert np.linalg.norm(weights @ parts - maps @ directions) < 1e-3 * np.linalg.norm(weights @ parts)
    match = (directions @ parts.T) / np.linalg.norm(parts, axis=1)
    assert sorted(match.argmax(1)) == [0, 1, 2, 3]
    assert match.max(1).min() > 0.999
    assert maps.min() >= 0
    assert directions.min() >= 0


def test_no_other_maps_are_nearer():
    """Each row's parts against SciPy's non-negative least squares."""
    optimize = pytest.importorskip("scipy.optimize", reason="SciPy is the oracle here")
    generator = np.random.default_rng(2)
    x, directions = generator.random((6, 9)), generator.random((3, 9))
    expected = np.stack([optimize.nnls(directions.T, row)[0] for row in x])
    np.testing.assert_allclose(factorisation.written_in(x, directions, 5000), expected, atol=1e-5)


@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_discovered_concepts_rebuild_the_layer_and_know_what_they_are_worth(framework):
    model, x = image_pair()[framework]
    layer = (
        "late"
        if framework == "keras"
        else next(n for n in dlx.layers(model).layer if n.startswith("late_act") or n == "late")
    )
    values = dlx.activations(model, x, layer)
    if values[layer].min() < 0:
        layer = next(n for n, v in dlx.activations(model, x).values.items() if "late" in n and v.min() >= 0)
        values = dlx.activations(model, x, layer)
    found = dlx.discover_concepts(model, x, layer, 3, target=1)
    own = np.moveaxis(values.maps(layer), 1, -1)
    rebuilt = found.maps @ found.directions
    assert found.error == pytest.approx(np.linalg.norm(own - rebuilt) / np.linalg.norm(own), abs=1e-5)
    assert found.maps.shape == (*own.shape[:3], 3)
    assert found.error < 0.6
    assert (np.diff(found.importance) <= 0).all()
    # Importance, once more by hand: the network run on from what is left.
    asked = dlx.wrap(model)
    left = own - found.maps[..., :1] * found.directions[0]
    left = np.moveaxis(left, -1, 1) if asked.layout == "channels_first" else left
    fall = asked.predict(x)[:, 1] - asked.run_from(layer, np.ascontiguousarray(left), x)[:, 1]
    assert found.importance[0] == pytest.approx(fall.mean(), abs=1e-4)
    again = dlx.discover_concepts(model, x, layer, 3, target=1)
    np.testing.assert_array_equal(found.directions, again.directions)
    more = dlx.discover_concepts(model, x, layer, 5, target=1)
    assert more.error < found.error
    assert len(more.table) == 5


def test_twins_hold_the_same_concepts():
    found = []
    for framework in ("keras", "torch"):
        model, x = image_pair()[framework]
        names = [n for n, v in dlx.activations(model, x).values.items() if "late" in n and v.min() >= 0 and v.ndim == 4]
        found.append(dlx.discover_concepts(model, x, names[0], 3, target=0))
    np.testing.assert_allclose(found[0].directions, found[1].directions, atol=1e-3)
    np.testing.assert_allclose(found[0].importance, found[1].importance, atol=1e-3)


def test_layers_with_negative_values_are_refused_and_another_named():
    pair = dense_pair(random_weights((6, 10, 8, 3)))
    x = np.random.default_rng(0).standard_normal((50, 6)).astype(np.float32)
    with pytest.raises(dlx.InputError, match="after a ReLU, such as '1', '3'"):
        dlx.discover_concepts(pair["torch"], x, "2", 3)
    with pytest.raises(dlx.InputError, match="count"):
        dlx.discover_concepts(pair["torch"], x, "1", 11)
