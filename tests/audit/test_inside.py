"""Inside the model: planted faults fail, sound models pass, in both frameworks."""

from __future__ import annotations

import copy
from dataclasses import replace

import keras
import numpy as np
import pytest
import torch
from torch import nn

from dlexplain.audit.preparing import subject
from dlexplain.audit.sections.inside import dead_units, inside, saturation, untrained_layer
from dlexplain.audit.sections.inside_figures import SMALL, origins
from dlexplain.frameworks import training

PICTURES = ("digits_torch", "digits_keras")


def changed(trained, change):
    """The same with a change made to a copy of its model."""
    if isinstance(trained.model, keras.Model):
        model = keras.models.clone_model(trained.model)
        model.set_weights(trained.model.get_weights())
    else:
        model = copy.deepcopy(trained.model)
    return subject(**replace(trained, model=change(model) or model).told())


def layers(model) -> list[str]:
    return training.layer_names(model, "Conv")


@pytest.mark.parametrize("name", [*PICTURES, "cancer_torch", "cancer_keras"])
def test_a_sound_model_passes(request, name):
    asked = subject(**request.getfixturevalue(name).told())
    for check in (dead_units, saturation, untrained_layer):
        assert check(asked).status == "PASS"


@pytest.mark.parametrize("name", PICTURES)
def test_dead_units_are_counted_and_their_layer_named(request, name):
    trained = request.getfixturevalue(name)
    first = layers(trained.model)[0]
    asked = changed(trained, lambda model: training.set_bias(model, first, range(10), -20.0))
    check = dead_units(asked)
    assert check.status == "FAIL"
    assert check.figure == 10 / 16
    assert f"Layer {first} " in check.reason
    assert "10 of its 16 units" in check.reason
    assert check.advice


@pytest.mark.parametrize("name", ["cancer_torch", "cancer_keras"])
def test_dead_units_of_a_network_of_dense_layers_are_judged(request, name):
    trained = request.getfixturevalue(name)
    first = training.layer_names(trained.model, "Linear", "Dense")[0]
    check = dead_units(changed(trained, lambda model: training.set_bias(model, first, range(20), -200.0)))
    assert check.status == "FAIL"
    assert f"Layer {first} " in check.reason


@pytest.mark.parametrize("name", PICTURES)
def test_beside_convolutions_dense_layers_are_told_and_not_judged(request, name):
    trained = request.getfixturevalue(name)
    dense = training.layer_names(trained.model, "Linear", "Dense")[0]
    check = dead_units(changed(trained, lambda model: training.set_bias(model, dense, range(30), -200.0)))
    assert check.status == "PASS"
    assert f"not judged: the dense layers {dense}" in check.reason


@pytest.mark.parametrize("name", PICTURES)
def test_a_layer_that_was_reset_is_named(request, name):
    trained = request.getfixturevalue(name)
    second = layers(trained.model)[1]
    asked = changed(trained, lambda model: training.reinitialised(model, second, seed=4))
    check = untrained_layer(asked)
    assert check.status == "FAIL"
    assert second in check.reason
    assert [o.layer for o in origins(asked) if o.decided and not o.beyond] == [second]


@pytest.mark.parametrize("name", [*PICTURES, "cancer_torch"])
def test_logits_times_fifty_leave_no_slope(request, name):
    trained = request.getfixturevalue(name)
    asked = changed(trained, lambda model: training.scale_logits(model, 50.0))
    check = saturation(asked)
    assert check.figure > 0.9
    assert check.status == "FAIL"


@pytest.mark.parametrize("name", PICTURES)
def test_the_same_behind_a_softmax(request, name):
    trained = request.getfixturevalue(name)
    assert saturation(changed(trained, training.with_softmax)).status == "PASS"

    def both(model):
        return training.with_softmax(training.scale_logits(model, 50.0) or model)

    assert saturation(changed(trained, both)).status == "FAIL"


def test_a_regression_without_a_gradient_is_saturated():
    class Steps(nn.Module):
        def forward(self, x):
            return torch.round(x.sum(1)) + 0 * x.sum(1)

    rng = np.random.default_rng(0)
    inputs = rng.normal(0, 2, (60, 4)).astype(np.float32)
    check = saturation(subject(Steps(), inputs, inputs.sum(1)))
    assert check.figure > 0.7
    smooth = saturation(subject(nn.Sequential(nn.Linear(4, 1)), inputs, inputs.sum(1)))
    assert smooth.figure == 0


def test_layers_too_small_to_tell_are_inconclusive_and_named():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 2))
    inputs = np.random.default_rng(0).standard_normal((40, 4)).astype(np.float32)
    asked = subject(model, inputs, (inputs[:, 0] > 0).astype(int))
    assert all(o.count < SMALL for o in origins(asked))
    check = untrained_layer(asked)
    assert check.status == "INCONCLUSIVE"
    assert "Layers 0, 2" in check.reason
    assert dead_units(asked).status == "NOT RUN"


@pytest.mark.parametrize("name", PICTURES)
def test_the_section_tells_units_weights_and_activations(request, name):
    asked = subject(**request.getfixturevalue(name).told())
    part = inside(asked, tuple(check(asked) for check in (dead_units, saturation, untrained_layer)))
    tables = {table.id: table for table in part.tables}
    assert set(tables) == {"inside-units", "inside-weights", "inside-activations"}
    assert all(len(row) == len(t.columns) for t in part.tables for row in t.rows)
    named = {id for check in part.checks for id in check.evidence}
    assert named <= {*tables, *(e.id for e in part.exhibits)}
    assert len(tables["inside-units"].rows) == 3
    (exhibit,) = part.exhibits
    assert "never fire" in exhibit.alt
