"""Every question, on every style of network, against a slower and plainer way of asking it."""

from __future__ import annotations

import numpy as np
import pytest

import dlexplain as dlx
from dlexplain.frameworks.questions import Masks, Points
from tests.networks import NETWORKS, one_or_all

pytestmark = pytest.mark.parametrize("network", NETWORKS, ids=str)


def _asked(network, n=3):
    model = dlx.wrap(network.make())
    inputs = model.inputs(one_or_all(network.inputs(n)))
    target = (0, 1) if len(model.outputs(inputs)) > 1 else None
    ((_, goal),) = model.targets(inputs, target, 8)
    return model, inputs, goal


def _direct(network, model, inputs):
    """The raw framework, called plainly in inference mode; every output."""
    if network.framework == "keras":
        found = model.raw(inputs[0] if len(inputs) == 1 else list(inputs), training=False)
        return [np.array(o) for o in (found if isinstance(found, (list, tuple)) else [found])]
    import torch

    modes = [m.training for m in model.raw.modules()]
    model.raw.eval()
    found = model.raw(*[torch.as_tensor(a) for a in inputs])
    for module, mode in zip(model.raw.modules(), modes, strict=True):
        module.training = mode
    found = list(found.values()) if isinstance(found, dict) else [found]
    return [o.detach().numpy() for o in found]


def test_outputs_are_the_frameworks_own(network):
    model, inputs, _ = _asked(network)
    for ours, theirs in zip(model.outputs(inputs), _direct(network, model, inputs), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    predicted = model.predict(one_or_all(inputs), batch_size=2)
    np.testing.assert_allclose(
        (predicted if isinstance(predicted, tuple) else (predicted,))[0], model.outputs(inputs)[0], rtol=1e-5, atol=1e-6
    )


def test_gradient_is_the_slope_of_the_score(network):
    model, inputs, goal = _asked(network)
    entries, gradients = model.one_gradient(inputs, goal)
    generator = np.random.default_rng(0)
    directions = tuple(generator.standard_normal(e.shape).astype(np.float32) for e in entries)
    h = 1e-3
    ahead, behind = (
        goal.of(model.fed(inputs, tuple(e + s * h * d for e, d in zip(entries, directions, strict=True))))
        for s in (1, -1)
    )
    slope = sum((g * d).reshape(len(g), -1).sum(1) for g, d in zip(gradients, directions, strict=True))
    np.testing.assert_allclose((ahead - behind) / (2 * h), slope, rtol=2e-2, atol=2e-3)


@pytest.mark.parametrize("rows", [1, 4, 64])
def test_many_gradients_are_the_sum_of_single_ones(network, rows):
    model, inputs, goal = _asked(network)
    generator = np.random.default_rng(1)
    weights, alphas = generator.random(5), generator.random(5)
    baseline = tuple(np.zeros_like(a[:1]) for a in inputs)
    sums, squares = model.many_gradients(
        inputs, goal, Points(weights, alphas, baseline, contribution=True, squares=True), rows
    )
    x, b = model.entries(inputs), model.entries(baseline)
    expected = [np.zeros(e.shape) for e in x]
    square = [np.zeros(e.shape) for e in x]
    for weight, alpha in zip(weights, alphas, strict=True):
        points = tuple((c + alpha * (e - c)).astype(np.float32) for e, c in zip(x, b, strict=True))
        gradients = _gradients_at(model, network, inputs, points, goal)
        for i, gradient in enumerate(gradients):
            expected[i] += weight * gradient * (x[i] - b[i])
            square[i] += weight * (gradient * (x[i] - b[i])) ** 2
    for ours, plain in zip((*sums, *squares), (*expected, *square), strict=True):
        np.testing.assert_allclose(ours, plain, rtol=1e-4, atol=1e-5)


def _gradients_at(model, network, inputs, points, goal):
    if not any(model.token_inputs(inputs)):
        return model.one_gradient(points, goal)[1]
    # Token ids: the gradient at embeddings that belong to no id, one direction at a time (central differences).
    result = [np.zeros(p.shape) for p in points]
    for i, p in enumerate(points):
        for place in np.ndindex(p.shape[1:]):
            up, down = p.astype(np.float64).copy(), p.astype(np.float64).copy()
            up[(slice(None), *place)] += 1e-2
            down[(slice(None), *place)] -= 1e-2
            a, c = (goal.of(model.fed(inputs, (v.astype(np.float32),))) for v in (up, down))
            result[i][(slice(None), *place)] = (a - c) / 2e-2
    return [r.round(9) for r in result]


def test_many_masks_are_the_scores_of_masked_copies(network):
    model, inputs, goal = _asked(network)
    generator = np.random.default_rng(2)
    masks = [generator.random((1, 7, *a.shape[1:])) > 0.4 for a in inputs]
    fills = tuple(np.stack([np.zeros_like(a[0]), a[1]]) for a in inputs)

    def block(_samples, start, stop):
        return tuple(m[:, start:stop] for m in masks)

    for rows in (2, 50):
        scores = model.many_masks(inputs, goal, Masks(7, block), fills, rows)
        for k in range(7):
            expected = [
                goal.of(
                    model.outputs(
                        tuple(np.where(m[0, k], a, f[j]) for a, m, f in zip(inputs, masks, fills, strict=True))
                    )
                )
                for j in range(2)
            ]
            np.testing.assert_allclose(scores[:, k], np.mean(expected, 0), rtol=1e-4, atol=1e-5)


def test_running_on_from_each_layer_gives_the_outputs_again(network):
    model, inputs, _ = _asked(network)
    whole = model.outputs(inputs)
    for name, values in model.activations(one_or_all(inputs)).items():
        if values.dtype != np.float32:
            continue
        again = model.run_from(name, values, one_or_all(inputs))
        np.testing.assert_allclose(
            (again if isinstance(again, tuple) else (again,))[0], whole[0], rtol=1e-4, atol=1e-5, err_msg=name
        )


def test_a_layers_gradient_is_the_slope_along_its_activations(network):
    model, inputs, goal = _asked(network)
    layers = [layer.name for layer in model.layers if layer.parameters and layer.calls == 1]
    shapes = model.shapes(inputs)
    name = [n for n in layers if n in shapes][-1]
    (activation,), (gradient,) = model.one_gradient(inputs, goal, name)
    direction = np.random.default_rng(3).standard_normal(activation.shape).astype(np.float32)
    h = 1e-4  # small: ReLU and max-pooling bend

    def score(values):
        outputs = model.run_from(name, values, one_or_all(inputs))
        return goal.of(outputs if isinstance(outputs, tuple) else (outputs,))

    slope = (gradient * direction).reshape(len(gradient), -1).sum(1)
    np.testing.assert_allclose(
        (score(activation + h * direction) - score(activation - h * direction)) / (2 * h), slope, rtol=2e-2, atol=5e-3
    )


def test_a_unit_is_the_mean_of_its_channel_and_has_the_right_slope(network):
    model, inputs, _ = _asked(network)
    shapes = {n: s for n, s in model.shapes(inputs).items() if "/" not in n}
    for name, shape in list(shapes.items())[:2] + list(shapes.items())[-2:]:
        values = model.inside(inputs, [name])[name]
        axis = 1 if model.channels_first(name, values.ndim) else -1
        if len(shape) == 0 or values.dtype != np.float32:
            continue
        units = np.arange(len(inputs[0])) % values.shape[axis]
        score, gradients = model.unit_gradient(inputs, name, units)
        by_unit = np.moveaxis(values, axis, -1)
        expected = [by_unit[i, ..., u].mean() for i, u in enumerate(units)]
        np.testing.assert_allclose(score, expected, rtol=1e-4, atol=1e-5, err_msg=name)
        entries = model.entries(inputs)
        directions = [np.sign(g) + (g == 0) for g in gradients]
        ahead, behind = (_unit_score(model, inputs, entries, directions, s * 1e-3, name, units) for s in (1, -1))
        slope = sum((g * d).reshape(len(g), -1).sum(1) for g, d in zip(gradients, directions, strict=True))
        np.testing.assert_allclose((ahead - behind) / 2e-3, slope, rtol=5e-2, atol=2e-2, err_msg=name)


def _unit_score(model, inputs, entries, directions, step, name, units):
    if any(model.token_inputs(inputs)):
        # Between ids: only the embedding itself can be moved, so the layer is run from there.
        first = next(iter(model.shapes(inputs)))
        moved = (entries[0] + step * directions[0]).astype(np.float32)
        return _after(model, inputs, first, moved, name, units)
    moved = tuple((e + step * d).astype(np.float32) for e, d in zip(entries, directions, strict=True))
    return model.unit_gradient(moved, name, units)[0]


def _after(model, inputs, first, moved, name, units):
    if name == first:
        return np.array([moved[i, ..., u].mean() for i, u in enumerate(units)])

    seen = {}
    if model.framework == "torch":
        import torch

        handles = [
            dict(model.raw.named_modules())[first].register_forward_hook(lambda *_: torch.as_tensor(moved)),
            dict(model.raw.named_modules())[name].register_forward_hook(
                lambda _m, _i, o: seen.update(v=(o[0] if isinstance(o, tuple) else o).detach().numpy())
            ),
        ]
        model.outputs(inputs)
        for handle in handles:
            handle.remove()
    else:
        layers = {layer.name: layer for layer in model.raw.layers}
        own = layers[name].call

        def keep(*args, **kwargs):
            output = own(*args, **kwargs)
            seen["v"] = np.array(output)
            return output

        object.__setattr__(layers[first], "call", lambda *_, **__: moved)
        object.__setattr__(layers[name], "call", keep)
        model.raw(inputs[0], training=False)
        for layer in (layers[first], layers[name]):
            object.__delattr__(layer, "call")
    return np.array([seen["v"][i, ..., u].mean() for i, u in enumerate(units)])


def test_fingerprint_follows_the_weights_and_nothing_else(network):
    a, b = network.make(), network.make()
    first = dlx.wrap(a).fingerprint
    assert first == dlx.wrap(a).fingerprint
    dlx.explain(a, one_or_all(network.inputs()), "occlusion", target=(0, 1) if "two outputs" in str(network) else None)
    assert first == dlx.wrap(a).fingerprint
    if network.framework == "keras":
        b.weights[0].assign(b.weights[0] + 1)
    else:
        next(b.parameters()).data += 1
    assert first != dlx.wrap(b).fingerprint


def test_reinitialised_is_a_copy_with_only_that_layer_changed(network):
    model, inputs, _ = _asked(network)
    name = [layer.name for layer in model.layers if layer.parameters][-1]
    before = model.fingerprint
    whole = model.outputs(inputs)
    copy = model.reinitialised([name], seed=1)
    assert model.fingerprint == before != copy.fingerprint
    changed = copy.outputs(inputs)
    assert any(not np.allclose(a, b) for a, b in zip(changed, whole, strict=True))
    for a, b in zip(changed, model.reinitialised([name], seed=1).outputs(inputs), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_layer_beside_the_target_has_no_slope_and_one_before_it_has(network):
    model, inputs, goal = _asked(network)
    slopes = {}
    for layer in model.layers:
        if layer.parameters and layer.name in model.shapes(inputs):
            if layer.name.endswith("_cell"):
                with pytest.raises(dlx.UnsupportedModelError, match="inside a loop"):
                    model.one_gradient(inputs, goal, layer.name)
            else:
                slopes[layer.name] = model.one_gradient(inputs, goal, layer.name)[1][0]
    beside = [name for name, slope in slopes.items() if not slope.any()]
    assert bool(beside) == ("two outputs" in str(network)), beside
