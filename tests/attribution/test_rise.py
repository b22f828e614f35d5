"""RISE against a slow loop over the same grids, enlarged by Torch's own interpolation."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import dlexplain as dlx
from dlexplain.attribution.families import rise  # noqa: F401  (enters the method)
from dlexplain.errors import InputError
from tests.networks import BY_NAME, one_or_all


def slow_masks(seed, samples, sizes, cells, keep):
    """One mask at a time: a grid, enlarged by a cell more than fits, cut at its shift."""
    generator = np.random.default_rng([seed, 0])
    grids = generator.random((samples, *cells)) < keep
    wide = [-(-s // c) for s, c in zip(sizes, cells, strict=True)]
    shifts = generator.integers(0, wide, (samples, len(cells)))
    for grid, shift in zip(grids, shifts, strict=True):
        larger = torch.nn.functional.interpolate(
            torch.tensor(grid.astype("float32"))[None, None],
            tuple((c + 1) * w for c, w in zip(cells, wide, strict=True)),
            mode="bilinear",
            align_corners=False,
        )[0, 0].numpy()
        yield larger[tuple(slice(a, a + s) for a, s in zip(shift, sizes, strict=True))]


@pytest.mark.parametrize(("segments", "cells"), [(None, (7, 7)), (3, (3, 3)), ((2, 4), (2, 4))])
def test_rise_is_its_papers_sum_over_masks(pictures, framework, segments, cells):
    model, x = pictures[framework]
    given = {"target": 1, "baseline": 0.3, "samples": 90, "segments": segments, "keep": 0.4, "seed": 3}
    found = dlx.explain(model, x, "rise", **given)
    assert found.options["segments"] == cells
    assert found.gap is None
    asked, total = dlx.wrap(model), 0
    for mask in slow_masks(3, 90, (8, 8), cells, 0.4):
        shown = mask[None, :, :, None] if framework == "keras" else mask[None, None]
        seen = (0.3 + shown * (x - 0.3)).astype("float32")
        total = total + asked.predict(seen)[:, 1][:, None, None] * mask
    np.testing.assert_allclose(found.heatmap(), total / (90 * 0.4), atol=1e-5)
    for batch in (1, 7, 64):
        np.testing.assert_allclose(
            dlx.explain(model, x, "rise", batch_size=batch, **given).values, found.values, atol=1e-5
        )
    alone = dlx.explain(model, x[2:3], "rise", **given)
    np.testing.assert_allclose(alone.values, found.values[2:3], atol=1e-5)


def test_twins_give_the_same(pictures):
    found = {k: dlx.explain(m, x, "rise", target=0, samples=200) for k, (m, x) in pictures.items()}
    np.testing.assert_allclose(found["torch"].heatmap(), found["keras"].heatmap(), rtol=1e-5, atol=1e-5)


def test_the_background_is_averaged_over(pictures, framework):
    model, x = pictures[framework]
    b = np.random.default_rng(0).random((3, *x.shape[1:]), np.float32)
    each = [dlx.explain(model, x, "rise", target=0, samples=50, baseline=one).values for one in b]
    whole = dlx.explain(model, x, "rise", target=0, samples=50, baseline=b).values
    np.testing.assert_allclose(whole, np.mean(each, 0), atol=1e-5)


@pytest.mark.parametrize("name", ["sequential", "attended tokens", "recurrent tokens", "two inputs"])
def test_features_of_tables_and_tokens_are_kept_whole(framework, name):
    network = BY_NAME[f"{framework}-{name}"]
    model, inputs = network.make(), network.inputs(3)
    found = dlx.explain(model, one_or_all(inputs), "rise", target=0, samples=70, seed=2)
    asked, totals = dlx.wrap(model), [0.0 for _ in inputs]
    draws = [np.random.default_rng([2, i]).random((70, *a.shape[1:])) < 0.5 for i, a in enumerate(inputs)]
    for masks in zip(*draws, strict=True):
        seen = tuple(np.where(m, a, 0).astype(a.dtype) for m, a in zip(masks, inputs, strict=True))
        score = asked.predict(one_or_all(seen))[:, 0]
        totals = [t + score[:, None] * m for t, m in zip(totals, masks, strict=True)]
    values = found.values if isinstance(found.values, tuple) else (found.values,)
    for value, total in zip(values, totals, strict=True):
        np.testing.assert_allclose(value, total / 35, atol=1e-5)


def test_a_series_is_masked_over_time_in_both_layouts(framework):
    network = BY_NAME[f"{framework}-series"]
    model, (x,) = network.make(), network.inputs(3)
    found = dlx.explain(model, x, "rise", samples=60, segments=5)
    asked, total, time = dlx.wrap(model), 0, 1 if framework == "keras" else 2
    for mask in _slow_line(60, 12, 5):
        shown = np.expand_dims(mask, (0, 3 - time))
        total = total + asked.predict((x * shown).astype("float32")).reshape(-1)[:, None] * mask
    np.testing.assert_allclose(found.values.sum(3 - time), total / 30, atol=1e-5)


def _slow_line(samples, size, cells):
    generator, wide = np.random.default_rng([0, 0]), -(-size // cells)
    grids = generator.random((samples, cells)) < 0.5
    shifts = generator.integers(0, [wide], (samples, 1))
    places = (np.arange((cells + 1) * wide) + 0.5) * cells / ((cells + 1) * wide) - 0.5
    for grid, (shift,) in zip(grids, shifts, strict=True):
        yield np.interp(places, np.arange(cells), grid.astype(float))[shift : shift + size].astype("float32")


def test_the_square_that_decides_is_the_brightest(framework):
    """A model that reads only the upper left quarter."""
    import keras

    corner = np.zeros((8, 8, 1), np.float32)
    corner[:4, :4] = 1 / 16
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(1)])
    model.layers[-1].set_weights([corner.reshape(-1, 1), np.zeros(1)])
    x = np.ones((1, 8, 8, 1), np.float32)
    if framework == "torch":
        model, x = dlx.convert(model, to="torch"), x.transpose(0, 3, 1, 2)
    heat = dlx.explain(model, x, "rise", segments=4).heatmap()[0]
    assert heat[:3, :3].min() > heat[5:, :].max()
    assert heat[:3, :3].min() > heat[:, 5:].max()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"samples": 0}, "samples=0"),
        ({"keep": 0}, "keep=0"),
        ({"keep": 1.0}, "keep=1.0"),
        ({"keep": "half"}, "keep='half'"),
        ({"segments": 9}, "how many pieces an axis"),
        ({"segments": (1, 2, 3)}, "how many pieces an axis"),
        ({"window": 3}, "unknown option 'window'"),
    ],
)
def test_bad_options_are_refused_in_words(pictures, options, words):
    model, x = pictures["torch"]
    with pytest.raises(InputError, match=words):
        dlx.explain(model, x, "rise", target=0, **options)
