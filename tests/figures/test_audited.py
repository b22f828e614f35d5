"""Figures of the audit: what they draw, and what they say to those who cannot see them."""

from __future__ import annotations

import numpy as np
import pytest

from dlexplain.figures import audited_global, audited_inside

RNG = np.random.default_rng(0)


def test_each_layer_has_a_line_from_its_least_active_unit_on():
    layers = {"conv": np.r_[np.zeros(10), np.full(6, 0.5)], "dense": RNG.random(500)}
    figure = audited_inside.active_units(layers)
    assert [trace.name for trace in figure.data] == ["conv", "dense"]
    assert list(figure.data[0].y) == sorted(layers["conv"])
    assert len(figure.data[1].x) <= 200  # drawn no finer than a screen shows
    assert "conv: 10 of 16 never fire; dense: 0 of 500 never fire" in figure.alt


def test_of_many_layers_those_with_the_most_silent_units_are_drawn():
    layers = {f"layer {i}": np.r_[np.zeros(i), np.ones(20 - i)] for i in range(20)}
    figure = audited_inside.active_units(layers)
    assert [trace.name for trace in figure.data] == [f"layer {i}" for i in range(8, 20)]


def importance(what: str, count: int, **options):
    mean = RNG.random(count) + 0.1
    names = [f"{what} {i}" for i in range(count)]
    return mean, audited_global.importance(what, names, mean, 0.9 * mean, 1.2 * mean, method="deeplift", **options)


def test_bars_are_sorted_and_carry_their_intervals():
    mean, figure = importance("feature", 30)
    (bars,) = figure.data
    order = np.argsort(-mean)[:20]
    np.testing.assert_allclose(bars.x[::-1], mean[order], rtol=1e-6)
    np.testing.assert_allclose(bars.error_x.array, 0.2 * bars.x, rtol=1e-4)
    np.testing.assert_allclose(bars.error_x.arrayminus, 0.1 * bars.x, rtol=1e-4)
    assert f"feature {order[0]}" in figure.alt


def test_pixels_are_a_map_and_large_ones_are_drawn_in_blocks():
    mean, figure = importance("pixel", 64, shape=(8, 8))
    np.testing.assert_allclose(figure.data[0].z, mean.reshape(8, 8), rtol=1e-6)
    _, large = importance("pixel", 300 * 300, shape=(300, 300))
    assert max(np.shape(large.data[0].z)) <= 128


@pytest.mark.parametrize("what", ["time", "place"])
def test_time_and_places_are_a_line_in_their_band(what):
    mean, figure = importance(what, 12)
    band, line = figure.data
    np.testing.assert_allclose(line.y, mean, rtol=1e-6)
    np.testing.assert_allclose(band.y[:12], 1.2 * mean, rtol=1e-6)


def test_names_from_data_are_shown_literally():
    figure = audited_global.importance("feature", ["<b>x</b>", "y"], np.ones(2), np.ones(2), np.ones(2))
    assert "<b>x" not in str(figure.layout.yaxis.ticktext)
