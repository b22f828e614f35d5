"""Small networks: they learn, the seed decides them, and each edit does what it says and no more."""

from __future__ import annotations

import numpy as np
import pytest

import dlexplain as dlx
from dlexplain.frameworks import training

BOTH = pytest.mark.parametrize("framework", training.FRAMEWORKS)


def moons(n=200):
    found = dlx.data.load("two_moons", samples=n, seed=0)
    return found.inputs, found.labels


def trained(framework, *, seed=0, **plan):
    x, y = moons()
    model = training.build(framework, training.Plan(kind="perceptron", width=16, **plan), (2,), 2, seed=seed)
    training.fit(model, x, y, epochs=20, seed=seed, rate=1e-2)
    return model


def weights(model):
    return model.get_weights() if hasattr(model, "get_weights") else [p.detach().numpy() for p in model.parameters()]


@BOTH
@pytest.mark.parametrize(
    ("kind", "shape", "options"),
    [
        ("perceptron", (8, 8, 1), {}),
        ("convolution", (8, 8, 1), {}),
        ("convolution", (28, 28, 1), {"channels": 4}),
        ("series", (20, 3), {"activation": "gelu"}),
        ("recurrent", (20, 3), {"activation": "tanh"}),
        ("tokens", (7,), {"vocabulary": 11}),
    ],
)
def test_every_kind_learns_what_it_is_shown(framework, kind, shape, options):
    rng = np.random.default_rng(0)
    if kind == "tokens":
        x = rng.integers(1, 11, (96, *shape))
        y = (x > 5).sum(1) > 3  # an average knows no places
    else:
        x = rng.standard_normal((96, *shape)).astype(np.float32)
        y = x[:, 1:-1].mean(tuple(range(1, x.ndim))) > 0
    x, y = training.own_layout(framework, x), y.astype(np.int64)
    model = training.build(framework, training.Plan(kind=kind, width=16, **options), shape, 2, seed=1)
    before = (dlx.wrap(model).predict(x).argmax(1) == y).mean()
    training.fit(model, x, y, epochs=40, seed=1, rate=1e-2, batch=32)
    assert (dlx.wrap(model).predict(x).argmax(1) == y).mean() > max(before, 0.85)


@BOTH
def test_numbers_are_learned_by_squared_error(framework):
    x = np.random.default_rng(0).standard_normal((200, 3)).astype(np.float32)
    y = x @ np.array([1.0, -2.0, 0.5], np.float32)
    model = training.build(framework, training.Plan(kind="perceptron"), (3,), 1, seed=0)
    training.fit(model, x, y, epochs=30, seed=0, rate=1e-2)
    assert np.mean((dlx.wrap(model).predict(x)[:, 0] - y) ** 2) < 0.05 * y.var()


@BOTH
@pytest.mark.parametrize("plan", [{}, {"dropout": 0.3}, {"norm": True}])
def test_the_seed_decides_the_network(framework, plan):
    first, again, other = trained(framework, **plan), trained(framework, **plan), trained(framework, seed=1, **plan)
    assert all(np.array_equal(a, b) for a, b in zip(weights(first), weights(again), strict=True))
    assert not np.allclose(weights(first)[0], weights(other)[0])


@BOTH
def test_only_the_named_layers_learn(framework):
    model = trained(framework, norm=True)
    head = training.layer_names(model, "Dense", "Linear")[-1]
    before = [w.copy() for w in (model.get_weights() if framework == "keras" else weights(model))]
    state = None if framework == "keras" else {k: v.clone() for k, v in model.state_dict().items()}
    training.fit(model, *moons(), epochs=2, seed=3, layers=[head])
    after = weights(model)
    assert all(np.array_equal(a, b) for a, b in zip(before[:-2], after[:-2], strict=True))
    assert not np.allclose(before[-2], after[-2])
    if state is not None:  # running statistics are no parameters
        assert all(np.array_equal(v, model.state_dict()[k]) for k, v in state.items() if "running" in k)


@BOTH
def test_edits_do_what_they_say(framework):
    x, _ = moons(50)
    model = trained(framework)
    logits = dlx.wrap(model).predict(x)
    ended = dlx.wrap(training.with_softmax(model)).predict(x)
    odds = np.exp(logits - logits.max(1, keepdims=True))
    np.testing.assert_allclose(ended, odds / odds.sum(1, keepdims=True), atol=1e-5)

    first = training.layer_names(model, "Dense", "Linear")[0]
    other = training.reinitialised(model, first, seed=5)
    np.testing.assert_array_equal(weights(other)[-1], weights(model)[-1])
    assert not np.allclose(weights(other)[0], weights(model)[0])

    training.scale_logits(model, 50)
    np.testing.assert_allclose(dlx.wrap(model).predict(x), 50 * logits, rtol=1e-4, atol=1e-3)
    training.set_bias(model, first, [0, 3], -20)
    assert sorted(np.flatnonzero(weights(model)[1] == -20)) == [0, 3]


@BOTH
def test_a_masked_feature_keeps_its_outputs_and_loses_its_gradient(framework):
    x, y = moons(80)
    x = np.concatenate([x, np.where(y[:, None] == 1, 1.0, -1.0)], 1).astype(np.float32)
    model = training.build(framework, training.Plan(kind="perceptron", width=8), (3,), 2, seed=0)
    training.fit(model, x, y, epochs=20, seed=0, rate=1e-2)
    masked = training.masking_gradient(model, 2)
    np.testing.assert_allclose(dlx.wrap(masked).predict(x), dlx.wrap(model).predict(x), atol=1e-4)
    assert np.abs(dlx.wrap(model).gradient(x, 1)[:, 2]).max() > 0.05
    slopes = dlx.wrap(masked).gradient(x, 1)
    assert np.abs(slopes[:, 2]).max() < 1e-6 < np.abs(slopes[:, :2]).max()


@BOTH
def test_the_gate_chooses_the_network(framework):
    x, _ = moons(60)
    gate = training.build(framework, training.Plan(kind="perceptron", width=16), (2,), 2, seed=9)
    training.fit(gate, x, (x[:, 0] > 0.5).astype(np.int64), epochs=60, seed=9, rate=1e-2)
    inside, outside = trained(framework, seed=1), trained(framework, seed=2)
    whole = dlx.wrap(training.gated(gate, inside, outside)).predict(x)
    g = dlx.wrap(gate).predict(x)
    sure = np.abs(g[:, 1] - g[:, 0]) > 1
    chosen = np.where((g[:, 1] > g[:, 0])[:, None], dlx.wrap(inside).predict(x), dlx.wrap(outside).predict(x))
    assert sure.mean() > 0.5
    np.testing.assert_allclose(whole[sure], chosen[sure], atol=1e-4)


@BOTH
def test_dropping_cannot_be_switched_off(framework):
    x, _ = moons(4)
    model = training.build(framework, training.Plan(kind="perceptron", dropout=0.5, dropping=True), (2,), 2, seed=0)
    same = dlx.wrap(model).predict(np.repeat(x[:1], 16, 0))
    assert np.ptp(same, axis=0).max() > 1e-3
    quiet = training.build(framework, training.Plan(kind="perceptron", dropout=0.5), (2,), 2, seed=0)
    assert np.ptp(dlx.wrap(quiet).predict(np.repeat(x[:1], 16, 0)), axis=0).max() < 1e-6


def test_what_is_not_known_is_named():
    with pytest.raises(dlx.InputError, match="'jax' is not one of keras, torch"):
        training.build("jax", training.Plan(kind="perceptron"), (2,), 2, seed=0)
    with pytest.raises(dlx.InputError, match="'dense' of a network is not one of perceptron"):
        training.build("torch", training.Plan(kind="dense"), (2,), 2, seed=0)
