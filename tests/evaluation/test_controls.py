"""The control rows: chance that can be asked again, and a map that never asks the model."""

from __future__ import annotations

import numpy as np
import pytest

import dlexplain as dlx
from dlexplain.evaluation.controls import controls, model_blind, random_map
from dlexplain.frameworks.questions import Target
from tests.attribution.conftest import dense_pair, random_weights
from tests.networks import BY_NAME

TARGET = Target(np.zeros((4, 1), np.int64))


def made(name: str, n: int = 4):
    network = BY_NAME[name]
    model, inputs = dlx.wrap(network.make()), network.inputs(n)
    return model, inputs, tuple(np.zeros((1, *a.shape[1:]), a.dtype) for a in inputs)


def test_the_random_map_answers_the_same_question_alike_and_another_anew():
    model, (x,), _ = made("torch-convolution")
    ask = random_map(model)
    (first,), (again,) = ask(model, (x,), TARGET, 0), ask(model, (x,), TARGET, 0)
    np.testing.assert_array_equal(first, again)
    alone = ask(model, (x[2:3],), TARGET.take(slice(2, 3)), 0)[0]
    np.testing.assert_array_equal(alone[0], first[2])  # whatever stands beside it
    moved = x.copy()
    moved[0, 0, 0, 0] += 1e-4
    (near,) = ask(model, (moved,), TARGET, 0)
    assert abs(np.corrcoef(near[0].ravel(), first[0].ravel())[0, 1]) < 0.35
    np.testing.assert_array_equal(near[1:], first[1:])
    other = model.reinitialised([model.layers[0].name], 1)
    assert not np.array_equal(ask(other, (x,), TARGET, 0)[0], first)
    assert not np.array_equal(ask(model, (x,), TARGET, 1)[0], first)
    assert abs(first.mean()) < 0.1
    assert abs(first.std() - 1) < 0.1


def test_the_random_map_is_the_same_for_a_twin(pictures):
    (km, kx), (tm, tx) = (pictures[f] for f in ("keras", "torch"))
    km, tm = dlx.wrap(km), dlx.wrap(tm)
    ask = random_map(km, tm)
    ours, theirs = ask(km, (kx,), TARGET, 0)[0], ask(tm, (tx,), TARGET, 0)[0]
    np.testing.assert_array_equal(ours, theirs.transpose(0, 2, 3, 1))
    np.testing.assert_array_equal(random_map(tm)(tm, (tx,), TARGET, 0)[0], theirs)


@pytest.mark.parametrize("name", ["keras-convolution", "torch-convolution", "torch-series", "keras-recurrent tokens"])
def test_the_blind_map_never_asks_the_model(name, monkeypatch):
    model, inputs, baseline = made(name)
    ask = model_blind(model, inputs, baseline)
    layout, shapes = model.layout, model.kinds(inputs)

    class Deaf:
        def __getattr__(self, name):
            if name == "layout":
                return layout
            raise AssertionError(f"the model was asked for {name}")

    (values,) = ask(Deaf(), inputs, TARGET, 0)
    assert values.shape == inputs[0].shape
    assert (values >= 0).all()
    assert values.mean() == pytest.approx(1)
    assert shapes == model.kinds(inputs)


def test_edges_stand_out_and_flat_ground_is_empty():
    model, _, baseline = made("keras-convolution")
    x = np.zeros((2, 8, 8, 2), np.float32)
    x[:, :, 4:] = 1  # a step between columns 3 and 4
    (values,) = model_blind(model, (x,), baseline)(model, (x,), TARGET, 0)
    assert (values[:, :, 3:5] > 0).all()
    assert (values[:, :, :3] == 0).all()
    assert (values[:, :, 5:] == 0).all()
    np.testing.assert_array_equal(values[..., 0], values[..., 1])
    np.testing.assert_allclose(values[0, :, 3], values[0, :, 4])


def test_a_table_is_told_by_its_distance_from_the_mean():
    model = dlx.wrap(dense_pair(random_weights((3, 2)))["torch"])
    x = np.array([[0, 10, 5], [1, 20, 5], [2, 60, 5]], np.float32)
    (values,) = model_blind(model, (x,), (np.zeros((1, 3)),))(model, (x,), TARGET, 0)
    expected = np.abs(x - x.mean(0)) / [x[:, 0].std(), x[:, 1].std(), 1]
    np.testing.assert_allclose(values, expected / expected.mean(), rtol=1e-6)
    # One sample has no mean but itself: then the baseline stands for it.
    (alone,) = model_blind(model, (x[:1],), (np.array([[1.0, 1.0, 1.0]]),))(model, (x[:1],), TARGET, 0)
    np.testing.assert_allclose(alone[0] / alone[0, 0], [1, 9, 4])


def test_rare_tokens_stand_out_and_padding_is_empty():
    model, _, baseline = made("keras-recurrent tokens")
    ids = np.array([[1, 1, 1, 7, 0, 0], [1, 1, 1, 2, 2, 0]])
    (values,) = model_blind(model, (ids,), baseline)(model, (ids,), TARGET, 0)
    assert (values[ids == 0] == 0).all()
    assert values[0].argmax() == 3
    assert values[0, 0] > values[0, 1] > 0  # of equal tokens the earlier
    asked = np.array([[9, 1, 1, 1, 1, 1]])
    assert model_blind(model, (ids,), baseline)(model, (asked,), TARGET, 0)[0].argmax() == 0


@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_what_the_controls_score(framework):
    """Chance has no correlation and turns with every input; the blind map stands still. Both are beaten by the truth."""
    model = dense_pair(random_weights((8, 12, 2), seed=1), "tanh")[framework]
    x = np.random.default_rng(0).standard_normal((20, 8)).astype(np.float32)
    table = dlx.evaluate(model, x, "exact_shapley", ["faithfulness_correlation", "max_sensitivity", "deletion"]).table
    assert abs(table.loc["random", "faithfulness_correlation"]) < 0.3
    assert table.loc["exact_shapley", "faithfulness_correlation"] > 0.8
    assert table.loc["exact_shapley", "deletion"] < table.loc[["random", "model-blind"], "deletion"].min()
    assert table.loc["random", "max_sensitivity"] > 1
    assert table.loc["model-blind", "max_sensitivity"] < 0.3
    assert set(controls(dlx.wrap(model), (x,), (np.zeros((1, 8)),))) == {"random", "model-blind"}
