"""Paths of blurs and guided paths against plain sums over their papers' paths."""

from __future__ import annotations

import itertools

import keras
import numpy as np
import pytest
import scipy.fft
import scipy.ndimage
import torch
from torch import nn

import dlexplain as dlx
from tests.attribution.conftest import dense_pair, random_weights
from tests.networks import BY_NAME, one_or_all

pytestmark = pytest.mark.slow  # a sweep: each case is quick, all together are not

BLUR, GUIDED = "blur_integrated_gradients", "guided_integrated_gradients"


def smooth(series: bool = False) -> tuple[nn.Module, np.ndarray]:
    """A small network without kinks, and its inputs, channels first."""
    torch.manual_seed(4)
    if series:
        net = nn.Sequential(nn.Conv1d(3, 5, 3), nn.Tanh(), nn.Flatten(), nn.Linear(5 * 10, 2))
        return net, np.random.default_rng(4).standard_normal((3, 3, 12)).astype(np.float32)
    net = nn.Sequential(nn.Conv2d(2, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(4 * 6 * 4, 2))
    return net, np.random.default_rng(4).standard_normal((3, 2, 8, 6)).astype(np.float32)


def gradient(net: nn.Module, x: np.ndarray, target: int) -> np.ndarray:
    held = torch.tensor(x, dtype=torch.float32, requires_grad=True)
    return torch.autograd.grad(net(held)[:, target].sum(), held)[0].numpy().astype(np.float64)


def blurred(x: np.ndarray, sigma: float) -> np.ndarray:
    """SciPy's cosine transform with every wave faded as a Gaussian fades it, over all axes behind the channels."""
    axes = tuple(range(2, x.ndim))
    waves = scipy.fft.dctn(x.astype(np.float64), axes=axes, norm="ortho")
    for axis in axes:
        size = x.shape[axis]
        fade = np.exp(-(sigma**2) * (np.pi * np.arange(size) / size) ** 2 / 2)
        waves *= fade.reshape([-1 if a == axis else 1 for a in range(x.ndim)])
    return scipy.fft.idctn(waves, axes=axes, norm="ortho")


@pytest.mark.parametrize("series", [False, True])
def test_blur_integrated_gradients_is_a_plain_sum_over_ever_sharper_inputs(series):
    net, x = smooth(series)
    found = dlx.explain(net, x, BLUR, target=1, sigma=5)
    sigmas = np.linspace(5, 0, 1501)
    total, before = np.zeros(x.shape), blurred(x, 5)
    for sigma in sigmas[1:]:
        after = blurred(x, sigma)
        total += gradient(net, (before + after) / 2, 1) * (after - before)
        before = after
    np.testing.assert_allclose(found.values, total, atol=1e-4 * np.abs(total).max())
    # What it starts from is SciPy's Gaussian filter with mirrored edges.
    widths = (0, 0, *[5] * (x.ndim - 2))
    start = np.stack([scipy.ndimage.gaussian_filter(s[None], widths, mode="reflect", truncate=12)[0] for s in x])
    with torch.no_grad():
        lower = net(torch.tensor(start))[:, 1].numpy()
    np.testing.assert_allclose(found.baseline_output, lower, atol=1e-4)
    np.testing.assert_allclose(
        found.gap, np.abs(found.values.reshape(3, -1).sum(1) - (found.output - lower)), atol=1e-4
    )
    assert found.relative_gap.max() <= found.tolerance == 1e-3
    assert found.baseline is None
    assert found.options["sigma"] == 5


def test_blur_by_default_starts_where_hardly_more_than_the_mean_is_left():
    net, x = smooth()
    found = dlx.explain(net, x, BLUR, target=0)
    assert found.options["sigma"] == 8
    means = np.broadcast_to(x.mean((2, 3), keepdims=True), x.shape)
    with torch.no_grad():
        lower = net(torch.tensor(np.ascontiguousarray(means)))[:, 0].numpy()
    np.testing.assert_allclose(found.baseline_output, lower, atol=5e-2 * np.abs(found.output - lower).max())
    # A picture of one tone is already blurred: nothing to share, and nothing is shared.
    flat = dlx.explain(net, means[:1].copy(), BLUR, target=0)
    np.testing.assert_allclose(flat.values, 0, atol=1e-6)
    np.testing.assert_allclose(flat.output, flat.baseline_output, atol=1e-6)


@pytest.mark.parametrize("method", [BLUR, GUIDED])
@pytest.mark.parametrize(
    "name",
    ["keras-convolution", "torch-convolution", "torch-functional", "keras-nested", "keras-series", "torch-series"],
)
def test_kinks_are_closed_in_on_until_the_gap_is_met(name, method):
    network = BY_NAME[name]
    found = dlx.explain(network.make(), one_or_all(network.inputs(3)), method, target=0)
    assert found.relative_gap.max() <= found.tolerance
    total = found.values.reshape(3, -1).sum(1)
    np.testing.assert_allclose(np.abs(total - (found.output - found.baseline_output)), found.gap, atol=1e-5)


def test_too_few_steps_are_warned_of():
    network = BY_NAME["torch-convolution"]
    with pytest.warns(dlx.GapWarning, match="Used steps=2: give more"):
        found = dlx.explain(network.make(), one_or_all(network.inputs(3)), BLUR, target=0, steps=2)
    assert found.relative_gap.max() > found.tolerance


def guided_path(net: nn.Module, x: np.ndarray, b: np.ndarray, target: int, steps: int, fraction: float, far: float):
    """Algorithm 1 of the paper for one sample, on values and not on shares: the points of the path."""
    whole, point, path = np.abs(x - b).sum(), b.astype(np.float64), [b.astype(np.float64)]
    for step in range(1, steps + 1):
        slopes = np.abs(gradient(net, point[None], target)[0])
        low, high = (b + min(max(step / steps + d, 0), 1) * (x - b) for d in (-far, far))
        behind = np.abs(x - point) > np.abs(x - low)
        point = np.where(behind, low, point)
        goal = whole * (1 - step / steps)
        while True:
            open_ = np.abs(high - point) > 1e-12
            if np.abs(x - point).sum() <= goal or not open_.any():
                break
            ranked = np.sort(np.where(open_, slopes, np.inf).ravel())
            moving = open_ & (slopes <= ranked[int(fraction * (ranked.size - 1))])
            could, must = np.abs(high - point)[moving].sum(), np.abs(x - point).sum() - goal
            point = np.where(moving, point + min(1, must / could) * (high - point), point)
            if must <= could:
                break
        path.append(point)
    return path


@pytest.mark.parametrize("fraction", [0.1, 0.4])
def test_guided_integrated_gradients_follows_its_papers_path(fraction):
    net, x = smooth()
    baseline = 0.3
    options = {"steps": 24, "fraction": fraction, "distance": 0.1}
    found = dlx.explain(net, x, GUIDED, target=1, baseline=baseline, tolerance=1e-4, **options)
    for i, one in enumerate(x):
        path = guided_path(net, one, np.full_like(one, baseline), 1, 24, fraction, 0.1)
        total = np.zeros(one.shape)
        for low, high in itertools.pairwise(path):
            places = (np.arange(32) + 0.5) / 32
            between = np.stack([low + t * (high - low) for t in places])
            total += gradient(net, between, 1).mean(0) * (high - low)
        # Ours take two points a move where its own sum fits, this one 32.
        np.testing.assert_allclose(found.values[i], total, atol=5e-3 * np.abs(total).max())
        np.testing.assert_allclose(path[-1], one, atol=1e-6)
    straight = dlx.explain(net, x, "integrated_gradients", target=1, baseline=baseline)
    assert np.abs(found.values - straight.values).max() > 2e-2 * np.abs(straight.values).max()


class _Read(nn.Module):
    """Ids read by one embedding twice (the second time backwards) and by another once, with numbers beside them."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(9)
        self.words, self.others = nn.Embedding(9, 3), nn.Embedding(9, 2)
        self.places = nn.Embedding(4, 3)
        self.rest = nn.Sequential(nn.Linear(4 * 3 + 4 * 2 + 2, 6), nn.Tanh(), nn.Linear(6, 2))

    def parts(self, ids, numbers):
        return torch.cat([self.words(ids).flatten(1), self.others(ids).flatten(1), numbers], 1)

    def forward(self, ids, numbers):
        places = self.places(torch.arange(4)).flatten().expand(len(ids), -1)
        nought = torch.zeros(len(ids), 4 * 2 + 2)
        return self.rest(self.parts(ids, numbers) + torch.cat([places, nought], 1))


def test_of_token_ids_the_numbers_of_their_embeddings_take_the_papers_path():
    net = _Read()
    ids = np.array([[1, 4, 2, 8], [5, 5, 7, 3], [6, 0, 1, 1]])
    numbers = np.random.default_rng(9).standard_normal((3, 2)).astype(np.float32)
    found = dlx.explain(net, (ids, numbers), GUIDED, target=1, steps=16, fraction=0.3, distance=0.2, tolerance=1e-4)
    straight = dlx.explain(net, (ids, numbers), "integrated_gradients", target=1)
    with torch.no_grad():
        end = net.parts(torch.tensor(ids), torch.tensor(numbers)).numpy()
        begin = net.parts(torch.zeros(1, 4, dtype=torch.long), torch.zeros(1, 2)).numpy()[0]
        shift = torch.cat([net.places.weight.flatten(), torch.zeros(10)])

    def behind(entries):
        return net.rest(entries + shift)

    for i, one in enumerate(end):
        total = np.zeros(one.shape)
        for low, high in itertools.pairwise(guided_path(behind, one, begin, 1, 16, 0.3, 0.2)):
            between = np.stack([low + (t + 0.5) / 32 * (high - low) for t in range(32)])
            total += gradient(behind, between, 1).mean(0) * (high - low)
        a_token = total[:12].reshape(4, 3).sum(1) + total[12:20].reshape(4, 2).sum(1)
        atol = 5e-3 * np.abs(total).max()
        np.testing.assert_allclose(found.values[0][i], a_token, atol=atol)
        np.testing.assert_allclose(found.values[1][i], total[20:], atol=atol)
    assert found.relative_gap.max() <= 1e-4
    assert np.abs(found.values[0] - straight.values[0]).max() > 2e-2 * np.abs(straight.values[0]).max()
    # An id that is the baseline's has no way to go.
    assert found.values[0][2, 1] == 0


def test_of_token_ids_twins_share_alike():
    model = BY_NAME["keras-attended tokens"].make()
    twin = dlx.convert(model, to="torch")
    ids = np.array([[3, 8, 2, 5, 0, 0], [1, 4, 10, 9, 7, 6], [2, 2, 2, 2, 0, 0]])
    one, two = (dlx.explain(m, ids, GUIDED, target=1) for m in (model, twin))
    assert np.linalg.norm(one.values - two.values) <= 1e-3 * np.linalg.norm(one.values)
    alone = dlx.explain(model, ids[1:2], GUIDED, target=1, batch_size=1)
    np.testing.assert_allclose(alone.values[0], one.values[1], atol=1e-3 * np.abs(one.values).max())


@pytest.mark.parametrize("name", ["keras-recurrent tokens", "torch-recurrent tokens"])
def test_padding_stays_padding_on_the_path_and_gets_nothing(name):
    ids = np.array([[3, 8, 2, 5, 0, 0], [1, 4, 10, 9, 7, 6], [2, 2, 2, 2, 0, 0]])
    found = dlx.explain(BY_NAME[name].make(), ids, GUIDED, target=1, baseline=3)
    np.testing.assert_array_equal(found.values[[0, 2], 4:], 0)
    assert found.values[0, 0] == 0  # the baseline's own id
    assert (found.values[1] != 0).all()
    assert found.relative_gap.max() <= found.tolerance
    total = found.values.sum(1)
    np.testing.assert_allclose(np.abs(total - (found.output - found.baseline_output)), found.gap, atol=1e-5)


def test_an_embedding_read_by_two_inputs_gives_each_its_own():
    class Towers(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(3)
            self.words, self.one, self.two = nn.Embedding(7, 3), nn.Linear(6, 4), nn.Linear(9, 4)

        def forward(self, left, right):
            one, two = self.one(self.words(left).flatten(1)), self.two(self.words(right).flatten(1))
            return (torch.tanh(one) * torch.tanh(two)).sum(1)

    left, right = np.array([[1, 2], [3, 4]]), np.array([[1, 2, 6], [5, 0, 3]])
    found = dlx.explain(Towers(), (left, right), GUIDED)
    straight = dlx.explain(Towers(), (left, right), "integrated_gradients")
    assert found.relative_gap.max() <= found.tolerance
    assert [v.shape for v in found.values] == [(2, 2), (2, 3)]
    # Without leave to stray it is the straight line, on which each input's share is known.
    held = dlx.explain(Towers(), (left, right), GUIDED, distance=0, steps=200)
    for a, b in zip(held.values, straight.values, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-3)


def test_a_bag_that_adds_its_tokens_up_inside_is_refused():
    class Bag(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.out = nn.EmbeddingBag(9, 3), nn.Linear(3, 2)

        def forward(self, ids):
            return self.out(self.words(ids))

    with pytest.raises(dlx.UnsupportedModelError, match=r"adds up its tokens inside.*integrated_gradients"):
        dlx.explain(Bag(), np.array([[1, 2, 3]]), GUIDED, target=0)


def test_without_leave_to_stray_the_guided_path_is_the_straight_line(framework):
    model = dense_pair(random_weights((6, 8, 3), 2), "tanh")[framework]
    x = np.random.default_rng(2).standard_normal((3, 6)).astype(np.float32)
    found = dlx.explain(model, x, GUIDED, target=1, distance=0, steps=200)
    straight = dlx.explain(model, x, "integrated_gradients", target=1, steps=200)
    np.testing.assert_allclose(found.values, straight.values, atol=1e-4)


@pytest.mark.parametrize("method", [BLUR, GUIDED])
def test_linear_models_have_one_answer_whatever_the_path(method, framework):
    generator = np.random.default_rng(6)
    weights = generator.standard_normal((8, 2)).astype(np.float32)
    x = generator.standard_normal((3, 8, 1)).astype(np.float32)
    if framework == "keras":
        raw = keras.Sequential([keras.Input((8, 1)), keras.layers.Flatten(), keras.layers.Dense(2)])
        raw.layers[-1].set_weights([weights, np.ones(2)])
    else:
        raw, x = nn.Sequential(nn.Flatten(), nn.Linear(8, 2)), x.transpose(0, 2, 1).copy()
        raw[1].weight.data = torch.tensor(weights.T.copy())
    model = dlx.wrap(
        raw, feature_names=["sensor"], layout="channels_last" if framework == "keras" else "channels_first"
    )
    found = dlx.explain(model, x, method, target=1)
    signal = x.reshape(3, 8)
    start = blurred(signal[:, None], 8)[:, 0] if method == BLUR else 0
    np.testing.assert_allclose(found.values.reshape(3, 8), weights[:, 1] * (signal - start), atol=1e-5)


@pytest.mark.parametrize("method", [BLUR, GUIDED])
def test_twins_share_alike(method, pictures):
    (km, kx), (tm, tx) = pictures["keras"], pictures["torch"]
    one, two = (dlx.explain(m, x, method, target=1).values for m, x in ((km, kx), (tm, tx)))
    assert np.linalg.norm(one - np.moveaxis(two, 1, -1)) <= 1e-3 * np.linalg.norm(one)


@pytest.mark.parametrize("method", [BLUR, GUIDED])
def test_samples_alone_and_in_other_batches_get_the_same(method):
    net, x = smooth()
    whole = dlx.explain(net, x, method, target=1)
    for other in (dlx.explain(net, x, method, target=1, batch_size=5), dlx.explain(net, x[1:], method, target=1)):
        np.testing.assert_allclose(other.values, whole.values[-len(other) :], atol=1e-4 * np.abs(whole.values).max())
    again = dlx.explain(net, x, method, target=1, **{k: v for k, v in whole.options.items() if k != "steps"})
    np.testing.assert_array_equal(again.values, whole.values)


def test_two_inputs_share_one_path():
    network = BY_NAME["torch-two inputs"]
    found = dlx.explain(network.make(), network.inputs(3), GUIDED, target=1)
    assert [v.shape for v in found.values] == [(3, 4), (3, 3)]
    assert found.relative_gap.max() <= found.tolerance


def test_what_cannot_be_done_is_said():
    table, tokens = BY_NAME["torch-sequential"], BY_NAME["torch-attended tokens"]
    with pytest.raises(dlx.UnsupportedModelError, match=r"table .*integrated_gradients"):
        dlx.explain(table.make(), table.inputs(2)[0], BLUR, target=0)
    with pytest.raises(dlx.UnsupportedModelError, match="integrated_gradients"):
        dlx.explain(tokens.make(), tokens.inputs(2)[0], BLUR, target=0)
    net, x = smooth()
    wrong = [
        (BLUR, {"sigma": 0}, "sigma=0"),
        (BLUR, {"tolerance": -1}, "tolerance=-1"),
        (BLUR, {"steps": 0}, "steps=0"),
        (BLUR, {"baseline": 0.5}, "has no baseline"),
        (GUIDED, {"steps": 2.5}, "steps=2.5"),
        (GUIDED, {"fraction": 0}, "fraction=0"),
        (GUIDED, {"distance": 1.5}, "distance=1.5"),
        (GUIDED, {"tolerance": float("nan")}, "tolerance=nan"),
        (GUIDED, {"baseline": np.zeros((4, *x.shape[1:]))}, "background set"),
        (GUIDED, {"step": 3}, "Did you mean 'steps'"),
    ]
    for method, options, words in wrong:
        with pytest.raises(dlx.InputError, match=words):
            dlx.explain(net, x, method, target=0, **options)


@pytest.mark.parametrize("method", [BLUR, GUIDED, "scorecam", "eigencam", "gradcam"])
@pytest.mark.parametrize("size", [1, 3, 7])
def test_no_pass_is_larger_than_the_batch_whatever_the_steps_and_channels(method, size):
    network, seen = BY_NAME["torch-functional"], []
    model, x = network.make(), network.inputs(5)[0]
    model.register_forward_pre_hook(lambda _module, given: seen.append(len(given[0])))
    dlx.explain(model, x, method, target=0, batch_size=size)
    # Two copies of one sample are how it is seen that samples do not depend on each other.
    assert max(seen) <= max(size, 2)
