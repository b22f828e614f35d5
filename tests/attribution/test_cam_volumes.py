"""Class activation maps over volumes: three axes of places, beside Torch's own gradients and interpolation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import dlexplain as dlx

METHODS = ("gradcam", "gradcam_plus_plus", "hirescam", "layercam", "xgradcam", "scorecam", "eigencam")


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Conv3d(2, 4, 3, padding=1), nn.ReLU(), nn.MaxPool3d(2), nn.Conv3d(4, 5, 3, padding=1), nn.ReLU(),
        nn.Flatten(), nn.Linear(300, 3),
    ).eval()  # fmt: skip


@pytest.fixture(scope="module")
def volumes():
    return np.random.default_rng(0).standard_normal((3, 2, 8, 6, 10)).astype(np.float32)


def test_grad_cam_is_the_weighted_activations_enlarged(network, volumes):
    found = dlx.explain(network, volumes, "gradcam", target=1, layer="4")
    held = network[:5](torch.tensor(volumes)).detach().requires_grad_()
    (slope,) = torch.autograd.grad(network[5:](held)[:, 1].sum(), held)
    maps = torch.relu((slope.mean((2, 3, 4), keepdim=True) * held).sum(1, keepdim=True))
    large = nn.functional.interpolate(maps, size=volumes.shape[2:], mode="trilinear", align_corners=False)
    expected = large.expand(-1, 2, -1, -1, -1).detach().numpy() / 2  # spread evenly over the channels
    assert np.abs(expected).max() > 0
    np.testing.assert_allclose(found.values, expected, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("method", METHODS)
def test_twins_agree(network, volumes, method):
    twin = dlx.convert(dlx.wrap(network, input_shape=(2, 8, 6, 10)), to="keras")
    last = np.moveaxis(volumes, 1, -1)
    found, other = (dlx.explain(m, x, method, target=1).values for m, x in ((network, volumes), (twin, last)))
    assert np.abs(found).max() > 0
    np.testing.assert_allclose(found, np.moveaxis(other, -1, 1), atol=2e-5 * np.abs(found).max())


def test_the_blurred_path_runs_over_all_places_of_a_volume(network, volumes):
    found = dlx.explain(network, volumes, "blur_integrated_gradients", target=1, tolerance=1e-2)
    assert found.relative_gap.max() <= 1e-2
    twin = dlx.convert(dlx.wrap(network, input_shape=(2, 8, 6, 10)), to="keras")
    other = dlx.explain(twin, np.moveaxis(volumes, 1, -1), "blur_integrated_gradients", target=1, tolerance=1e-2)
    np.testing.assert_allclose(found.values, np.moveaxis(other.values, -1, 1), atol=1e-2 * np.abs(found.values).max())
    channels = volumes.mean((2, 3, 4), keepdims=True) + np.zeros_like(volumes)  # what the widest blur leaves
    lower = dlx.wrap(network).predict(channels)[:, 1]
    np.testing.assert_allclose(found.baseline_output, lower, atol=0.02 * np.abs(found.output).max())
