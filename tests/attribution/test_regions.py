"""XRAI on pictures whose answer is known, and against its loop written plainly over sets of pixels."""

from __future__ import annotations

import sys

import keras
import numpy as np
import pytest
from skimage.morphology import dilation, disk
from skimage.segmentation import felzenszwalb

import dlexplain as dlx
from dlexplain.attribution.families import regions  # noqa: F401  (enters the method)
from dlexplain.errors import InputError, MissingPackageError, UnsupportedModelError
from tests.networks import BY_NAME, one_or_all


def in_framework(model, pictures, framework):
    if framework == "keras":
        return model, pictures
    return dlx.convert(model, to="torch"), np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))


def slow(picture, attribution):
    """The paper's algorithm 1, one region and one pixel at a time; `(height, width, channels)`, `(height, width)`."""
    height, width = attribution.shape
    share = height * width / 224**2
    scaled = (picture - picture.min()) / (picture.max() - picture.min()) * 2 - 1
    found = set()
    for scale in (50, 100, 150, 250, 500, 1200):
        labels = felzenszwalb(
            scaled.astype(float),
            scale=scale * share,
            sigma=0.8 * share**0.5,
            min_size=max(1, round(150 * share)),
            channel_axis=-1,
        )
        for label in np.unique(labels):
            found.add(frozenset(zip(*np.nonzero(dilation(labels == label, disk(round(5 * share**0.5)))), strict=True)))
    chosen, result = set(), np.full((height, width), np.nan)
    while True:
        new = [region - chosen for region in found if len(region - chosen) >= max(1, round(50 * share))]
        if not new:
            break
        gains = [(np.mean([attribution[p] for p in region]), region) for region in new]
        gain, region = max(gains, key=lambda g: g[0])
        for place in region:
            result[place] = gain
        chosen |= region
    rest = np.isnan(result)
    result[rest] = attribution[rest].mean() if rest.any() else 0
    return result


@pytest.mark.filterwarnings("ignore:Got image with third dimension")
@pytest.mark.parametrize("size", [8, 24, 40])
def test_xrai_is_its_papers_algorithm(framework, size):
    keras.utils.set_random_seed(1)
    network = keras.Sequential(
        [
            keras.Input((size, size, 2)),
            keras.layers.Conv2D(4, 3, activation="tanh"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3),
        ]
    )
    coarse = np.random.default_rng(size).random((2, 4, 4, 2), np.float32)
    pictures = np.kron(coarse, np.ones((1, size // 4, size // 4, 1), np.float32))
    pictures += 0.05 * np.random.default_rng(1).random(pictures.shape, np.float32)
    model, x = in_framework(network, pictures, framework)
    found = dlx.explain(model, x, "xrai", target=1)
    for n, heat in enumerate(found.heatmap()):
        paths = [
            dlx.explain(model, x[n : n + 1], target=1, baseline=float(edge), tolerance=1e-4).heatmap()[0]
            for edge in (pictures[n].min(), pictures[n].max())
        ]
        expected = slow(pictures[n], np.mean(paths, 0))
        assert len(np.unique(expected)) > 4
        np.testing.assert_allclose(heat, expected, atol=1e-3 * np.abs(expected).max())


def test_the_planted_square_is_ranked_first(framework):
    """The model sums the brightness of one square; a second square, as bright, has no say."""
    weights = np.zeros((32, 32, 1), np.float32)
    weights[4:14, 6:16] = 1
    network = keras.Sequential([keras.Input((32, 32, 1)), keras.layers.Flatten(), keras.layers.Dense(1)])
    network.layers[-1].set_weights([weights.reshape(-1, 1), np.zeros(1)])
    picture = np.full((1, 32, 32, 1), 0.3, np.float32)
    picture[0, 4:14, 6:16] = picture[0, 20:30, 20:30] = 1
    model, x = in_framework(network, picture, framework)
    found = dlx.explain(model, x, "xrai")
    heat, square = found.heatmap()[0], weights[..., 0] > 0
    inside = heat[square]
    assert np.ptp(inside) < 1e-6  # one region, one value
    others = heat[~dilation(square, disk(2))]  # regions reach one pixel over their edge
    assert inside.min() > 10 * np.abs(others).max()
    assert found.options["steps"] == 32


def test_twins_give_the_same_and_a_picture_alone_what_it_gets_among_others(pictures):
    found = {name: dlx.explain(model, x, "xrai", target=2) for name, (model, x) in pictures.items()}
    # Two regions whose gains differ by rounding alone may change places; none do here.
    np.testing.assert_allclose(found["torch"].heatmap(), found["keras"].heatmap(), rtol=1e-4, atol=1e-5)
    model, x = pictures["torch"]
    alone = dlx.explain(model, x[2:3], "xrai", target=2, batch_size=3)
    np.testing.assert_allclose(alone.values, found["torch"].values[2:3], rtol=1e-4, atol=1e-5)


def test_pictures_without_channels_and_an_even_picture(framework):
    network = keras.Sequential([keras.Input((12, 12)), keras.layers.Flatten(), keras.layers.Dense(1)])
    model = network if framework == "keras" else dlx.convert(network, to="torch")
    x = np.kron(np.random.default_rng(0).random((2, 3, 3), np.float32), np.ones((1, 4, 4), np.float32))
    x[1] = 0.5
    found = dlx.explain(model, x, "xrai")
    assert found.values.shape == x.shape
    assert len(np.unique(found.values[0])) > 1
    assert not found.values[1].any()  # darkest and brightest are the picture itself: nothing changes


@pytest.mark.parametrize("name", ["sequential", "series", "two inputs"])
def test_only_pictures_have_regions(name):
    network = BY_NAME[f"torch-{name}"]
    with pytest.raises(UnsupportedModelError, match=r"regions are cut from one picture.*occlusion"):
        dlx.explain(network.make(), one_or_all(network.inputs(2)), "xrai", target=0)


def test_bad_steps_and_a_missing_package_are_said_in_words(pictures, monkeypatch):
    model, x = pictures["torch"]
    with pytest.raises(InputError, match="steps=0"):
        dlx.explain(model, x, "xrai", target=0, steps=0)
    with pytest.raises(InputError, match="baseline: xrai has no baseline"):
        dlx.explain(model, x, "xrai", target=0, baseline=0)
    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(MissingPackageError, match=r"scikit-image.*dlexplain\[data\]"):
        dlx.explain(model, x, "xrai", target=0)


def test_too_few_steps_are_said_in_words(pictures):
    model, x = pictures["torch"]
    with pytest.warns(UserWarning, match="xrai: the integrated gradients behind the regions miss up to"):
        dlx.explain(model, x, "xrai", target=0, steps=1)
