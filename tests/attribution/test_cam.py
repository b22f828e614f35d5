"""Class activation maps against their papers' formulas, written out by channel and by place over plain framework code."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch
from torch import nn

import dlexplain as dlx
from tests.attribution.cam_networks import HALVES
from tests.networks import BY_NAME, one_or_all

BY_GRADIENT = ("gradcam", "gradcam_plus_plus", "hirescam", "layercam", "xgradcam")
ALL = (*BY_GRADIENT, "scorecam", "eigencam")


def by_paper(method: str, a: np.ndarray, g: np.ndarray) -> np.ndarray:
    """One sample's map, `(*grid,)`, from activations and gradients `(*grid, channels)`, a channel at a time."""
    a, g = a.astype(np.float64), g.astype(np.float64)
    total = np.zeros(a.shape[:-1])
    for k in range(a.shape[-1]):
        ak, gk = a[..., k], g[..., k]
        if method == "gradcam":
            total += gk.mean() * ak
        elif method == "hirescam":
            total += gk * ak
        elif method == "layercam":
            total += np.where(gk > 0, gk, 0) * ak
        elif method == "xgradcam":
            total += (ak / ak.sum() * gk).sum() * ak if ak.sum() else 0
        else:  # equations 5 and 19 of Grad-CAM++, with the derivatives of exp(S) over exp(S)
            weight = 0.0
            for place in np.ndindex(ak.shape):
                d = gk[place]
                bottom = 2 * d**2 + d**3 * ak.sum()
                weight += (d**2 / bottom if bottom else 0) * max(d, 0)
            total += weight * ak
    return np.maximum(total, 0)


def enlarged(small: np.ndarray, sizes: tuple[int, ...]) -> np.ndarray:
    """By Torch's own interpolation, `(n, *sizes)`."""
    mode = "bilinear" if len(sizes) == 2 else "linear"
    return nn.functional.interpolate(torch.tensor(small)[:, None], sizes, mode=mode, align_corners=False)[:, 0].numpy()


def drawn(found: dlx.Attribution) -> np.ndarray:
    """The map over places, `(n, *sizes)`: values summed over the channels."""
    if found.kind[0] == "image":
        return found.heatmap()
    return found.values.sum(1 if found.layout == "channels_first" else -1)


def close(found: np.ndarray, expected: np.ndarray, share: float = 1e-5) -> None:
    assert np.abs(expected).max() > 0
    np.testing.assert_allclose(found, expected, atol=share * np.abs(expected).max(), rtol=0)


# Two papers divide by sums of activations and suppose that these are rectified.
FORMULAS = [(h, m) for h in HALVES for m in BY_GRADIENT if h.rectified or m not in ("gradcam_plus_plus", "xgradcam")]


@pytest.mark.parametrize(("halves", "method"), FORMULAS, ids=lambda v: getattr(v, "name", v))
def test_maps_by_gradient_are_their_papers_formulas(halves, method):
    model, x = halves.make()
    found = dlx.explain(model, x, method, target=1)
    assert found.options["layer"] == halves.layer
    a, g = halves.between(model, x, 1)
    expected = np.stack([by_paper(method, *pair) for pair in zip(a, g, strict=True)])
    close(drawn(found), enlarged(expected, halves.sizes))
    # What speaks for another class is elsewhere, and a layer named by the user is the same layer.
    assert not np.allclose(found.values, dlx.explain(model, x, method, target=2).values)
    named = dlx.explain(model, x, method, target=1, layer=halves.layer)
    np.testing.assert_array_equal(named.values, found.values)


@pytest.mark.parametrize("method", ["gradcam_plus_plus", "xgradcam"])
def test_formulas_for_rectified_layers_stay_finite_on_others(method):
    halves = next(h for h in HALVES if h.name == "torch-by patches")
    model, x = halves.make()
    values = dlx.explain(model, x, method, target=1).values
    assert np.isfinite(values).all()
    assert values.max() > 0


@pytest.mark.parametrize("halves", HALVES, ids=lambda h: h.name)
def test_scorecam_shows_the_input_through_each_channel(halves):
    model, x = halves.make()
    baseline = 0.25
    found = dlx.explain(model, x, "scorecam", target=1, baseline=baseline, batch_size=4)
    a, _ = halves.between(model, x, 1)
    asked, expected = dlx.wrap(model), []
    for i in range(len(x)):
        scores = []
        for k in range(a.shape[-1]):
            mask = enlarged(a[i : i + 1, ..., k], halves.sizes)[0]
            mask = (mask - mask.min()) / (mask.max() - mask.min()) if np.ptp(mask) else np.zeros_like(mask)
            mask = mask[None] if asked.layout == "channels_first" else mask[..., None]
            scores.append(asked.predict((mask * x[i] + (1 - mask) * baseline)[None].astype(np.float32))[0, 1])
        weights = np.where(np.ptp(a[i].reshape(-1, a.shape[-1]), 0) > 0, np.exp(scores), 0)
        expected.append(np.maximum((weights / weights.sum() * a[i]).sum(-1), 0))
    # Where activations have both signs the channels' weighted sum cancels, and rounding shows.
    close(drawn(found), enlarged(np.stack(expected), halves.sizes), 1e-5 if halves.rectified else 1e-4)
    assert found.options["layer"] == halves.layer
    assert found.baseline == np.float32(baseline)


@pytest.mark.parametrize("halves", HALVES, ids=lambda h: h.name)
def test_eigencam_is_the_first_singular_direction(halves):
    model, x = halves.make()
    found = dlx.explain(model, x, "eigencam", target=1)
    a, _ = halves.between(model, x, 1)
    expected = []
    for one in a.astype(np.float64):
        flat = one.reshape(-1, one.shape[-1])
        along = flat @ np.linalg.svd(flat)[2][0]
        along *= -1 if along.sum() < 0 else 1
        expected.append(np.maximum(along, 0).reshape(one.shape[:-1]))
    close(drawn(found), enlarged(np.stack(expected), halves.sizes))
    np.testing.assert_array_equal(found.values, dlx.explain(model, x, "eigencam", target=2).values)


@pytest.mark.parametrize("method", ALL)
@pytest.mark.parametrize("name", ["keras-residual", "torch-waves"])
def test_twins_draw_equal_maps(name, method):
    halves = next(h for h in HALVES if h.name == name)
    model, x = halves.make()
    if halves.framework == "keras":
        twin, turned = dlx.convert(model, to="torch"), np.moveaxis(x, -1, 1)
    else:
        model, x = model.body.append(nn.AdaptiveAvgPool1d(1)).append(nn.Flatten()).append(model.out), x
        twin, turned = dlx.convert(model, to="keras", input_shape=x.shape[1:]), np.moveaxis(x, 1, -1)
    one = dlx.explain(model, x, method, target=1)
    two = dlx.explain(twin, np.ascontiguousarray(turned), method, target=1)
    close(drawn(two), drawn(one))


def test_a_linear_heads_hirescam_adds_up_to_the_output():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 64, 3))
    x = np.random.default_rng(0).random((3, 2, 8, 8), np.float32)
    found = dlx.explain(model, x, "hirescam", target=1, signed=True)
    np.testing.assert_allclose(found.heatmap().sum((1, 2)), found.output - model[3].bias[1].item(), atol=1e-5)
    assert found.values.min() < 0
    assert dlx.explain(model, x, "hirescam", target=1).values.min() == 0


@pytest.mark.parametrize("method", ALL)
def test_where_there_is_no_map_methods_that_work_are_named(method):
    for name in ("torch-sequential", "keras-residual", "torch-two inputs"):
        network = BY_NAME[name]
        with pytest.raises(dlx.UnsupportedModelError, match=f"{method}: .*integrated_gradients"):
            dlx.explain(network.make(), one_or_all(network.inputs(2)), method, target=0)


@pytest.mark.parametrize("method", ALL)
def test_layers_without_places_and_wrong_names_are_refused(method, pictures, framework):
    model, x = pictures[framework]
    flat = next(layer.name for layer in dlx.wrap(model).layers if layer.type in ("Dense", "Linear"))
    with pytest.raises(dlx.InputError, match=rf"{method}: layer '{flat}' has no places .*late"):
        dlx.explain(model, x, method, layer=flat)
    with pytest.raises(dlx.InputError, match="Did you mean 'late'"):
        dlx.explain(model, x, method, layer="latte")
    with pytest.raises(dlx.InputError, match=r"unknown option 'leyer'\. Did you mean 'layer'"):
        dlx.explain(model, x, method, leyer="late")


def test_words_have_maps_too():
    for name in ("keras-attended tokens", "torch-attended tokens"):
        network = BY_NAME[name]
        model, (ids,) = network.make(), network.inputs(3)
        found = dlx.explain(model, ids, "gradcam", target=1)
        assert found.values.shape == ids.shape
        assert found.values.any()
        with pytest.raises(dlx.UnsupportedModelError, match="token ids"):
            dlx.explain(model, ids, "scorecam", target=1)


@pytest.mark.parametrize("method", ALL)
def test_batches_change_nothing(method):
    halves = next(h for h in HALVES if h.name == "torch-by class token")
    model, x = halves.make()
    whole = dlx.explain(model, x, method, target=1)
    for part in (dlx.explain(model, x, method, target=1, batch_size=2), dlx.explain(model, x[1:], method, target=1)):
        close(drawn(part), drawn(whole)[-len(part) :], 1e-4)


def test_a_dead_channel_weighs_nothing_in_scorecam():
    model = nn.Sequential(nn.Conv2d(1, 3, 1), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 16, 2))
    with torch.no_grad():
        model[0].weight[:], model[0].bias[:] = (
            torch.tensor([1.0, -1.0, 0.0]).reshape(3, 1, 1, 1),
            torch.tensor([0.0, 0, 2]),
        )
    x = np.random.default_rng(0).random((2, 1, 4, 4), np.float32)
    found = dlx.explain(model, x, "scorecam", target=0)
    # Of the three channels one is dead and one the same everywhere: the first alone is left, and it is the picture.
    np.testing.assert_allclose(found.values, x, atol=1e-6)
    assert not dlx.explain(model, x * 0, "scorecam", target=0).values.any()


@pytest.mark.parametrize("method", ALL)
def test_keras_with_channels_first_draws_the_same_as_with_channels_last(method):
    drawings, weights = [], None
    x = np.random.default_rng(0).random((2, 8, 6, 3), np.float32)
    for order, axis in (("channels_last", -1), ("channels_first", 1)):
        keras.utils.set_random_seed(0)
        model = keras.Sequential(
            [
                keras.Input(np.moveaxis(x, -1, axis).shape[1:]),
                keras.layers.Conv2D(6, 3, activation="relu", data_format=order),
                keras.layers.BatchNormalization(axis=axis),
                keras.layers.GlobalAveragePooling2D(data_format=order),
                keras.layers.Dense(2),
            ]
        )
        if weights is not None:
            model.set_weights(weights)
        weights = model.get_weights()
        drawings.append(dlx.explain(model, np.moveaxis(x, -1, axis).copy(), method, target=1).heatmap())
    close(drawings[1], drawings[0])
