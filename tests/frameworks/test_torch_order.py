"""Torch models whose own `view` needs pictures in the order in which they were given."""

from __future__ import annotations

import numpy as np
import pytest

import dlexplain as dlx

torch = pytest.importorskip("torch")


class Classifier(torch.nn.Module):
    """A convolution, then flattened: by a `view`, which has to have contiguous values, or by a `reshape`, which has not."""

    def __init__(self, *, by_view: bool) -> None:
        super().__init__()
        self.by_view = by_view
        self.convolution = torch.nn.Conv2d(3, 4, 3, padding=1)
        self.dense = torch.nn.Linear(4 * 36, 3)

    def forward(self, x):
        x = torch.relu(self.convolution(x))
        return self.dense(x.view(len(x), -1) if self.by_view else x.reshape(len(x), -1))


class Folded(Classifier):
    """A `view` over samples and channels, which only more than one sample forbids."""

    def forward(self, x):
        n, channels, height, width = x.shape
        x = x.view(n * channels, height, width) if self.by_view else x.reshape(n * channels, height, width)
        return super().forward(x.reshape(n, channels, height, width))


@pytest.mark.parametrize("kind", [Classifier, Folded])
@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("integrated_gradients", {}),
        ("smoothgrad", {"samples": 8}),
        ("occlusion", {"window": 2}),
        ("rise", {"samples": 20}),
        ("scorecam", {}),
        ("kernel_shap", {"segments": 2}),
        ("deeplift", {}),
    ],
)
def test_a_view_of_the_models_own_gives_the_values_of_a_reshape(kind, method, options):
    torch.manual_seed(0)
    viewing = kind(by_view=True)
    reshaping = kind(by_view=False)
    reshaping.load_state_dict(viewing.state_dict())
    x = np.random.default_rng(0).random((3, 3, 6, 6), np.float32)
    here, there = (dlx.explain(m, x, method, target=1, **options) for m in (viewing, reshaping))
    np.testing.assert_allclose(here.values, there.values, rtol=1e-4, atol=1e-6)


def test_deepshap_of_a_view():
    torch.manual_seed(0)
    x = np.random.default_rng(0).random((3, 3, 6, 6), np.float32)
    found = dlx.explain(Classifier(by_view=True), x, "deepshap", target=1, baseline=x[::-1].copy())
    assert found.relative_gap.max() < 1e-4
