"""Methods against published values, closed forms and slower re-derivations in NumPy."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import keras
import numpy as np
import pytest
import torch
from torch import nn

import dlexplain as dlx
from dlexplain.attribution.registry import METHODS
from tests.attribution.conftest import dense_pair, random_weights

COMPLETE = [name for name, method in METHODS.items() if method.complete and method.baseline != "none"]


@pytest.mark.parametrize(
    "method",
    [
        *COMPLETE,
        "input_x_gradient",
        "feature_ablation",
        "occlusion",
        "shap:Kernel",
        "shap:Permutation",
        "shap:Exact",
        "shap:Deep",
        "shap:Gradient",
        "shap:Partition",
    ],
)
def test_linear_model_gives_weight_times_difference(framework, method):
    generator = np.random.default_rng(0)
    weights, bias = generator.standard_normal((5, 2)), generator.standard_normal(2)
    model = dense_pair([(weights, bias)])[framework]
    x, b = generator.standard_normal((3, 5)), generator.standard_normal(5)
    given = {} if method == "input_x_gradient" else {"baseline": b}
    found = dlx.explain(model, x, method, target=1, **given)
    lower = 0 if method == "input_x_gradient" else b
    tolerance = 1e-3 if method == "shap:Kernel" else 1e-5
    np.testing.assert_allclose(found.values, weights[:, 1] * (x - lower), atol=tolerance)
    if found.relative_gap is not None:
        assert found.relative_gap.max() < 1e-4


@pytest.mark.parametrize("second", [False, True], ids=["first network", "equivalent network"])
def test_integrated_gradients_gives_its_papers_values(framework, second):
    """f(x1, x2) = ReLU(ReLU(x1) - 1 - ReLU(x2)), at (3, 1) from zero; figure 7 of arXiv:1703.01365 and its equivalent."""

    def formula(ops, x):
        one, two = x[:, 0:1], x[:, 1:2]
        return ops(ops(one) - 1 - ops(two)) if not second else ops(ops(one - 1) - ops(two))

    if framework == "torch":

        class Net(nn.Module):
            def forward(self, x):
                return formula(torch.relu, x)

        model = Net()
    else:
        inputs = keras.Input((2,))
        model = keras.Model(inputs, keras.layers.Lambda(lambda x: formula(keras.ops.relu, x))(inputs))
    found = dlx.explain(model, [[3.0, 1.0]], tolerance=1e-4)
    np.testing.assert_allclose(found.values, [[1.5, -0.5]], atol=2e-3)
    assert found.output[0] == pytest.approx(1)
    assert found.baseline_output[0] == 0


def shapley_by_force(score, x, b):
    """The definition: every coalition, in plain loops."""
    n = len(x)
    values = np.zeros(n)
    for i in range(n):
        for size in range(n):
            for others in combinations([j for j in range(n) if j != i], size):
                kept = np.array([j in others for j in range(n)])
                with_i = kept.copy()
                with_i[i] = True
                weight = factorial(size) * factorial(n - size - 1) / factorial(n)
                values[i] += weight * (score(np.where(with_i, x, b)) - score(np.where(kept, x, b)))
    return values


@pytest.mark.parametrize(
    ("method", "tolerance"), [("shap:Exact", 1e-5), ("shap:Kernel", 1e-2), ("shap:Permutation", 1e-2)]
)
def test_shapley_bridges_agree_with_brute_force(framework, method, tolerance):
    model = dense_pair(random_weights((6, 8, 2), 3), "tanh")[framework]
    generator = np.random.default_rng(4)
    x, b = generator.standard_normal((2, 6)), generator.standard_normal(6)
    asked = dlx.wrap(model)
    found = dlx.explain(
        model, x, method, target=1, baseline=b, **({"samples": 800} if method == "shap:Permutation" else {})
    )
    for row, values in zip(x, found.values, strict=True):
        exact = shapley_by_force(lambda z: asked.predict(z[None])[0, 1], row, b)
        np.testing.assert_allclose(values, exact, atol=tolerance)


def test_saliency_is_the_gradient_signed(framework):
    (k1, b1), (k2, _b2) = weights = random_weights((5, 7, 3), 1)
    x = np.random.default_rng(5).standard_normal((4, 5))
    hidden = np.tanh(x @ k1 + b1)
    expected = (k2[:, 2] * (1 - hidden**2)) @ k1.T
    found = dlx.explain(dense_pair(weights, "tanh")[framework], x, "saliency", target=2)
    np.testing.assert_allclose(found.values, expected, atol=1e-5)
    assert (found.values < 0).any()
    assert found.gap is None
    assert found.baseline is None


@pytest.mark.parametrize("method", ["smoothgrad", "vargrad"])
def test_noisy_gradients_are_mean_and_variance_of_gradients_at_noisy_copies(framework, method):
    (k1, b1), (k2, _b2) = weights = random_weights((5, 7, 3), 1)
    x = np.random.default_rng(5).standard_normal((3, 5)).astype(np.float32)
    scale = 0.2 * (x.max(1) - x.min(1))
    noise = np.stack([np.random.default_rng([11, k, 0]).standard_normal(5, np.float32) for k in range(20)])
    points = x[:, None] + scale[:, None, None] * noise
    hidden = np.tanh(points @ k1 + b1)
    gradients = (k2[:, 0] * (1 - hidden**2)) @ k1.T
    expected = gradients.mean(1) if method == "smoothgrad" else gradients.var(1)
    found = dlx.explain(dense_pair(weights, "tanh")[framework], x, method, target=0, samples=20, noise=0.2, seed=11)
    np.testing.assert_allclose(found.values, expected, atol=1e-5)


def test_integrated_gradients_agrees_with_a_fine_trapezium_sum(framework):
    (k1, b1), (k2, _b2) = weights = random_weights((5, 7, 3), 2)
    generator = np.random.default_rng(6)
    x, b = generator.standard_normal((3, 5)), generator.standard_normal(5)
    alphas = np.linspace(0, 1, 4001)
    points = b + alphas[None, :, None] * (x[:, None] - b)
    gradients = (k2[:, 1] * (1 - np.tanh(points @ k1 + b1) ** 2)) @ k1.T
    expected = (x - b) * np.trapezoid(gradients, alphas, axis=1)
    found = dlx.explain(dense_pair(weights, "tanh")[framework], x, target=1, baseline=b)
    np.testing.assert_allclose(found.values, expected, atol=1e-4)


def test_expected_gradients_is_the_mean_of_integrated_gradients_over_the_background(framework):
    model = dense_pair(random_weights((5, 7, 3), 2), "tanh")[framework]
    generator = np.random.default_rng(7)
    x, background = generator.standard_normal((3, 5)), generator.standard_normal((6, 5))
    expected = np.mean([dlx.explain(model, x, target=1, baseline=b, tolerance=1e-5).values for b in background], 0)
    found = dlx.explain(model, x, "expected_gradients", target=1, baseline=background, samples=3000)
    np.testing.assert_allclose(found.values, expected, atol=5e-3)
    assert found.relative_gap.max() < 1e-2


@pytest.mark.parametrize(("window", "stride"), [(3, 2), ((2, 4), (1, 3)), (8, 8), (None, None)])
def test_occlusion_is_the_mean_fall_over_covering_windows(pictures, framework, window, stride):
    model, x = pictures[framework]
    found = dlx.explain(model, x, "occlusion", target=1, baseline=0.3, window=window, stride=stride)
    asked, last = dlx.wrap(model), framework == "keras"
    score = asked.predict(x)[:, 1]
    wide, step = found.options["window"], found.options["stride"]
    total, times = np.zeros((len(x), 8, 8)), np.zeros((8, 8))
    tops, lefts = (sorted({*range(0, 9 - w, s), 8 - w}) for w, s in zip(wide, step, strict=True))
    for top in tops:
        for left in lefts:
            rows, columns = slice(top, top + wide[0]), slice(left, left + wide[1])
            covered = x.copy()
            covered[(slice(None), rows, columns) if last else (slice(None), slice(None), rows, columns)] = 0.3
            total[:, rows, columns] += (score - asked.predict(covered)[:, 1])[:, None, None]
            times[rows, columns] += 1
    np.testing.assert_allclose(found.heatmap(), total / times, atol=1e-5)


def test_feature_ablation_alone_and_in_groups(framework):
    model = dense_pair(random_weights((5, 7, 3), 2))[framework]
    x, b = np.random.default_rng(8).standard_normal((3, 5)), np.full(5, 0.5)
    asked = dlx.wrap(model, feature_names=list("abcde"))
    score = asked.predict(x)[:, 0]

    def fall(columns):
        without = x.copy()
        without[:, columns] = 0.5
        return score - asked.predict(without)[:, 0]

    alone = dlx.explain(model, x, "feature_ablation", target=0, baseline=b).values
    np.testing.assert_allclose(alone, np.stack([fall([i]) for i in range(5)], 1), atol=1e-5)
    grouped = np.stack([fall([0, 3]) / 2, fall([1]), fall([2]), fall([0, 3]) / 2, fall([4])], 1)
    for groups in ([["a", "d"]], [[0, 3], [1]], [0, 1, 2, 0, 3]):
        found = dlx.explain(asked, x, "feature_ablation", target=0, baseline=b, groups=groups)
        np.testing.assert_allclose(found.values, grouped, atol=1e-5)


def test_gradcam_is_its_papers_formula(pictures, framework):
    model, x = pictures[framework]
    found = dlx.explain(model, x, "gradcam", target=2)
    layer = found.options["layer"]
    assert layer == {"keras": "late", "torch": "late_activation"}[framework]
    asked = dlx.wrap(model)
    ((_, goal),) = asked.targets((x,), 2, 8)
    (activation,), (gradient,) = asked.one_gradient((x,), goal, layer)
    if framework == "torch":
        activation, gradient = np.moveaxis(activation, 1, -1), np.moveaxis(gradient, 1, -1)
    small = np.maximum(np.einsum("nc,nhwc->nhw", gradient.mean((1, 2)), activation), 0)
    # The same enlargement by Torch's own interpolation.
    large = nn.functional.interpolate(torch.tensor(small)[:, None], (8, 8), mode="bilinear", align_corners=False)[
        :, 0
    ].numpy()
    np.testing.assert_allclose(found.heatmap(), large, atol=1e-6)
    early = dlx.explain(model, x, "gradcam", target=2, layer="early").heatmap()
    assert not np.allclose(early, large)


def test_captums_toy_models_agree_with_captum():
    from captum.attr import FeatureAblation, InputXGradient, IntegratedGradients, Occlusion, Saliency
    from captum.testing.helpers.basic_models import BasicModel_ConvNet, BasicModel_MultiLayer, ReLULinearModel

    generator = torch.Generator().manual_seed(0)
    x = torch.rand((3, 1, 10, 10), generator=generator)
    conv = BasicModel_ConvNet()
    pairs = [
        ("saliency", {}, Saliency(conv).attribute(x, target=1, abs=False)),
        ("input_x_gradient", {}, InputXGradient(conv).attribute(x, target=1)),
        ("integrated_gradients", {"steps": 64}, IntegratedGradients(conv).attribute(x, target=1, n_steps=64)),
        ("occlusion", {"window": 3, "stride": 1}, Occlusion(conv).attribute(x, (1, 3, 3), target=1)),
        ("feature_ablation", {}, FeatureAblation(conv).attribute(x, target=1)),
    ]
    for method, options, expected in pairs:
        found = dlx.explain(conv, x, method, target=1, **options)
        np.testing.assert_allclose(found.values, expected.detach().numpy(), atol=2e-5, err_msg=method)
    multi = BasicModel_MultiLayer()
    rows = torch.tensor([[1.0, 2.0, 4.0], [0.5, -1.0, 2.0]])
    np.testing.assert_allclose(
        dlx.explain(multi, rows, "saliency", target=0).values,
        Saliency(multi).attribute(rows, target=0, abs=False).detach().numpy(),
        atol=1e-5,
    )
    both = (torch.tensor([[3.0, 1.0, 0.0]]), torch.tensor([[0.0, 1.0, 2.0]]))
    expected = IntegratedGradients(ReLULinearModel()).attribute(both, n_steps=64)
    found = dlx.explain(ReLULinearModel(), both, steps=64)
    for ours, theirs in zip(found.values, expected, strict=True):
        np.testing.assert_allclose(ours, theirs.detach().numpy(), atol=1e-4)


@pytest.mark.parametrize("which", ["dense", "convolution"])
def test_shap_deep_through_the_bridge_is_shap_and_exact_on_relu_networks(pictures, framework, which):
    import shap

    if which == "dense":
        generator = np.random.default_rng(9)
        model = dense_pair(random_weights((6, 8, 3), 5))[framework]
        x, background = (generator.standard_normal((k, 6)).astype(np.float32) for k in (3, 10))
    else:
        model, x = pictures[framework]
        background = x[::-1][:3].copy()
    found = dlx.explain(model, x, "shap:Deep", target=1, baseline=background)
    native = (torch.tensor(background), torch.tensor(x)) if framework == "torch" else (background, x)
    with dlx.wrap(model).preserved():
        direct = shap.DeepExplainer(model, native[0]).shap_values(native[1], check_additivity=False)[..., 1]
    np.testing.assert_allclose(found.values, direct, atol=1e-5)
    assert found.relative_gap.max() < 1e-3
