"""The curve behind the score: its steps, its controls, its numbers against the score's, and its figure."""

from __future__ import annotations

import numpy as np
import pytest

import dlexplain as dlx
from dlexplain.evaluation.families.randomisation import parameter_randomisation
from dlexplain.evaluation.families.randomisation_curve import randomisation_curve
from tests.evaluation.by_hand import identity, image_pair, trial


@pytest.fixture(scope="module", params=["keras", "torch"])
def pictures(request):
    return image_pair()[request.param]


@pytest.fixture(scope="module")
def curve(pictures):
    return randomisation_curve(*pictures, {"gradient": "saliency", "the input": identity}, target=1, repeats=2)


def test_the_layers_and_the_rows(curve, pictures):
    way = dlx.wrap(pictures[0]).weighted((pictures[1],))
    assert len(way) == 3
    assert curve.layers == way[::-1]
    assert list(curve.scores) == ["gradient", "the input", "random", "model-blind"]
    assert curve.controls == ("random", "model-blind")
    assert {v.shape for v in curve.scores.values()} == {(2, 3, 4)}
    assert curve.maps["gradient"].shape == (4, *pictures[1].shape[1:])


def test_maps_that_never_ask_the_model_stay_and_the_trained_network_is_no_step(curve):
    for name in ("the input", "model-blind"):
        np.testing.assert_allclose(curve.scores[name], 1)
        assert curve.left()[name] == pytest.approx(1)
    # Were the trained network a step, its own map would be found there with a likeness of 1.
    assert (np.abs(curve.scores["random"]) < 0.6).all()
    assert curve.left()["random"] < 0.3


def test_the_last_step_is_the_score(curve, pictures):
    made = trial(*pictures, "saliency", target=1)
    score = parameter_randomisation(made, repeats=2)
    np.testing.assert_allclose(np.abs(curve.scores["gradient"][:, -1].mean(0)), score, atol=1e-6)
    sizes = parameter_randomisation(made, repeats=2, signed=False)
    np.testing.assert_allclose(np.abs(curve.unsigned["gradient"][:, -1].mean(0)), sizes, atol=1e-6)
    left = curve.left()["gradient"]
    assert left == pytest.approx(np.abs(curve.scores["gradient"][:, -1].mean(1)).max())


def test_the_table_has_a_row_a_method_and_a_column_a_layer(curve):
    assert list(curve.table.index) == list(curve.scores)
    assert tuple(curve.table.columns) == curve.layers
    assert curve.table.loc["gradient", curve.layers[1]] == pytest.approx(curve.scores["gradient"][:, 1].mean())
    assert "cascading from the top, signed values" in repr(curve)


def test_the_figure_draws_the_means_and_begins_a_cascade_at_the_trained_network(curve):
    figure = curve.plot()
    lines = [t for t in figure.data if t.type == "scatter"]
    assert len(lines) == 8
    for trace, values in zip(lines, [*curve.scores.values(), *curve.unsigned.values()], strict=True):
        np.testing.assert_allclose(np.array(trace.y, float), [1, *values.mean((0, 2))])
    assert figure.layout.xaxis.ticktext == ("trained", *curve.layers)
    assert {t.line.dash for t in lines if t.legendgroup in curve.controls} == {"dot"}
    assert "model-blind 1" in figure.alt


def test_one_layer_at_a_time_has_points_and_no_beginning(pictures):
    found = randomisation_curve(*pictures, "saliency", target=1, mode="independent", order="bottom", controls=False)
    assert found.controls == ()
    figure = found.plot(theme="dark")
    assert figure.layout.xaxis.ticktext == found.layers
    assert all(len(t.y) == 3 for t in figure.data)
    assert all(t.mode == "markers" for t in figure.data)


def test_a_map_that_becomes_constant_is_drawn_without_a_number(pictures):
    home = dlx.wrap(pictures[0]).fingerprint

    def explain(model, inputs, target, seed):
        return (np.asarray(inputs[0], np.float64) if model.fingerprint == home else np.zeros(inputs[0].shape),)

    found = randomisation_curve(*pictures, {"gone": explain}, controls=False)
    assert np.isnan(found.scores["gone"]).all()
    assert np.isnan(found.left()["gone"])
    assert np.isnan(np.array(found.plot().data[0].y[1:], float)).all()


def test_the_users_model_stays(pictures):
    before = dlx.wrap(pictures[0]).fingerprint
    randomisation_curve(*pictures, "saliency", controls=False)
    assert dlx.wrap(pictures[0]).fingerprint == before


def test_what_is_no_method_is_named(pictures):
    with pytest.raises(dlx.InputError, match="must be a method's name or a function"):
        randomisation_curve(*pictures, {"x": 3})
    with pytest.raises(dlx.InputError, match="no method"):
        randomisation_curve(*pictures, [])
    with pytest.raises(dlx.InputError, match="'salience' is unknown"):
        randomisation_curve(*pictures, "salience")
