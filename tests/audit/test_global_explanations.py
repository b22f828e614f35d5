"""Global explanations: means, intervals and groups, held against models whose evidence is known."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
import torch
from torch import nn

from dlexplain.audit.examined import Exam, trusted
from dlexplain.audit.preparing import subject
from dlexplain.audit.sections.global_explanations import global_explanations
from dlexplain.audit.sections.groups import collinear, columns
from dlexplain.audit.sections.named import rows, views

NAMES = ("age", "height", "weight", "twin of age", "opposite of age", "noise")


def table(rng):
    """Six columns of which three say the same."""
    x = rng.standard_normal((150, 6)).astype(np.float32)
    x[:, 3] = x[:, 0] + 0.05 * x[:, 3]
    x[:, 4] = -x[:, 0] + 0.05 * x[:, 4]
    return x


def linear(framework: str, weights: np.ndarray):
    if framework == "torch":
        model = nn.Sequential(nn.Linear(weights.shape[1], weights.shape[0]))
        with torch.no_grad():
            model[0].weight.copy_(torch.tensor(weights, dtype=torch.float32)), model[0].bias.zero_()
        return model
    model = keras.Sequential([keras.Input((weights.shape[1],)), keras.layers.Dense(weights.shape[0])])
    model.set_weights([weights.T, np.zeros(len(weights))])
    return model


@pytest.fixture(scope="module", params=["torch", "keras"])
def asked(request):
    x = table(np.random.default_rng(0))
    weights = np.array([[1.0, 0.2, 3.0, 1.0, -1.0, 0.0], [-1.0, -0.2, -3.0, -1.0, 1.0, 0.0]])
    model = linear(request.param, weights)
    return subject(
        model, x, (x @ weights.T).argmax(1), feature_names=NAMES, methods=("integrated_gradients", "deeplift")
    )


def test_means_are_those_of_the_linear_model(asked):
    part = global_explanations(asked, ())
    found = {row[0]: row for row in part.tables[0].rows}
    x, lower = asked.inputs[0][rows(asked)].astype(np.float64), asked.baseline[0][0]
    expected = np.abs((x - lower) * [1.0, 0.2, 3.0, 1.0, -1.0, 0.0]).mean(0)
    for name, value in zip(NAMES, expected, strict=True):
        assert found[name][1] == pytest.approx(value, rel=1e-3, abs=1e-6)
        assert found[name][2] <= found[name][1] <= found[name][3]
    assert part.tables[0].rows[0][0] == "weight"
    assert "weight" in part.summary[0]


def test_intervals_hold_the_mean_of_all_the_data_about_as_often_as_they_say(asked):
    from dlexplain.audit.sections.global_explanations import _intervals

    rng, hits = np.random.default_rng(0), 0
    for _ in range(200):
        sizes = np.abs(rng.standard_normal((80, 1)))
        weights = rng.multinomial(80, np.full(80, 1 / 80), 400) / 80
        _, low, high = _intervals(sizes, weights)
        hits += low[0] <= np.sqrt(2 / np.pi) <= high[0]
    assert 0.88 <= hits / 200 <= 0.99


def test_columns_that_say_the_same_are_one_group(asked):
    groups = [set(group) for group in collinear(columns(asked))]
    assert {0, 3, 4} in groups
    assert sorted(i for group in groups for i in group) == list(range(6))
    part = global_explanations(asked, ())
    grouped = next(t for t in part.tables if t.id == "global-groups")
    row = next(r for r in grouped.rows if r[1] == 3)
    assert row[0] == "age, twin of age, opposite of age"
    # Together they count for three times what one of them does: their values have one sign.
    one = next(r for r in part.tables[0].rows if r[0] == "age")
    assert row[2] == pytest.approx(3 * one[1], rel=0.1)


def test_columns_of_chance_stand_alone():
    x = np.random.default_rng(1).standard_normal((300, 8))
    assert sorted(collinear(x)) == [[i] for i in range(8)]
    assert collinear(x[:, :1]) == [[0]]
    assert len(collinear(np.zeros((20, 3)))) == 3  # a constant column says nothing of another


def test_where_no_method_passed_nothing_is_shown():
    x = table(np.random.default_rng(0))
    model = linear("torch", np.array([[1.0, 0.2, 3.0, 1.0, -1.0, 0.0], [0.0] * 6]))
    asked = subject(model, x, np.arange(150) % 2, methods=("saliency",))
    asked = replace(asked, kept={"examined": {"saliency": Exam("saliency", {}, ("deletion_lift",))}})
    assert trusted(asked) == ()
    part = global_explanations(asked, ())
    assert part.exhibits == ()
    assert "nothing is shown" in part.summary[0]


@pytest.mark.parametrize("name", ["digits_torch", "digits_keras"])
def test_pictures_are_told_by_pixel(request, name):
    asked = subject(**request.getfixturevalue(name).told(methods=("deeplift",)))
    (view,) = views(asked, "deeplift")
    assert view.shape == (8, 8)
    assert view.names[9] == "row 1, column 1"
    part = global_explanations(asked, ())
    (exhibit,) = part.exhibits
    assert exhibit.figure["data"][0]["z"]["shape"] == "8, 8"
    assert not any(t.id == "global-groups" for t in part.tables)


@pytest.mark.parametrize("framework", ["torch", "keras"])
def test_series_are_told_by_sensor_and_by_time(framework):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 12, 3)).astype(np.float32)
    if framework == "torch":
        model = nn.Sequential(nn.Conv1d(3, 4, 1), nn.Flatten(), nn.Linear(48, 2))
        with torch.no_grad():
            model[0].weight[:, 2] = 0
        x = x.transpose(0, 2, 1).copy()
    else:
        layers = keras.layers
        model = keras.Sequential([keras.Input((12, 3)), layers.Conv1D(4, 1), layers.Flatten(), layers.Dense(2)])
        weights = model.get_weights()
        weights[0][:, 2] = 0
        model.set_weights(weights)
    asked = subject(model, x, np.arange(60) % 2, feature_names=("heat", "speed", "unused"), methods=("deeplift",))
    sensors, times = views(asked, "deeplift")
    assert (sensors.what, times.what) == ("sensor", "time")
    assert sensors.names == ("heat", "speed", "unused")
    assert np.abs(sensors.values[:, 2]).max() == 0
    assert times.values.shape[1] == 12
    np.testing.assert_allclose(sensors.values.sum(1), times.values.sum(1), atol=1e-5)
