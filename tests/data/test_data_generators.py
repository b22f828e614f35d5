"""Generated data hold the truth that they claim."""

from __future__ import annotations

import numpy as np
import pytest

from dlexplain.data import generators as made
from dlexplain.errors import InputError

ALL = (made.two_moons, made.spirals, made.shapes, made.planted_table)


@pytest.mark.parametrize("make", ALL)
def test_the_same_seed_gives_the_same_data(make) -> None:
    first, again, other = make(samples=50, seed=3), make(samples=50, seed=3), make(samples=50, seed=4)
    np.testing.assert_array_equal(first.inputs, again.inputs)
    np.testing.assert_array_equal(first.labels, again.labels)
    assert not np.array_equal(first.inputs, other.inputs)
    handed = make(samples=50, seed=np.random.default_rng(3))
    np.testing.assert_array_equal(first.inputs, handed.inputs)


def test_moons_lie_on_their_half_circles() -> None:
    data = made.two_moons(samples=200, noise=0)
    centre = np.where(data.labels[:, None] == 0, [0, 0], [1, 0.5])
    np.testing.assert_allclose(np.linalg.norm(data.inputs - centre, axis=1), 1, atol=1e-5)
    assert (data.inputs[data.labels == 0, 1] >= -1e-6).all()
    assert (data.inputs[data.labels == 1, 1] <= 0.5 + 1e-6).all()
    assert np.bincount(data.labels).tolist() == [100, 100]


@pytest.mark.parametrize("arms", [2, 3])
def test_spirals_wind_as_told(arms: int) -> None:
    data = made.spirals(samples=300, arms=arms, turns=2, noise=0)
    x, y = data.inputs.T
    radius = np.hypot(x, y)
    np.testing.assert_allclose(radius, data.extras["radius"], atol=1e-5)
    off = (np.arctan2(y, x) / (2 * np.pi) - 2 * radius - data.labels / arms) % 1
    assert np.minimum(off, 1 - off).max() < 1e-4
    assert len(data.class_names) == arms


def test_shapes_are_where_their_masks_say() -> None:
    data = made.shapes(samples=200, noise=0)
    images, masks = data.inputs[..., 0], data.extras["mask"]
    assert (images[masks] >= 0.5).all()
    assert np.allclose(images[~masks], 0.1)
    assert not data.extras["shortcut_mask"].any()
    assert np.bincount(data.labels).tolist() == [50] * 4
    area = masks.sum((1, 2))
    box = np.array([np.ptp(np.argwhere(mask), axis=0).max() + 1 for mask in masks])
    filled = [np.median((area / box**2)[data.labels == label]) for label in range(4)]
    circle, square, triangle, cross = filled
    assert circle == pytest.approx(np.pi / 4, abs=0.08)
    assert square == pytest.approx(1, abs=0.05)
    assert triangle == pytest.approx(0.5, abs=0.1)
    assert cross == pytest.approx(0.51, abs=0.12)


def test_a_shortcut_sits_in_the_corner_of_its_class_and_off_the_shape() -> None:
    data = made.shapes(samples=400, noise=0, shortcut=0.5)
    marks = data.extras["shortcut_mask"]
    carried = marks.any((1, 2))
    assert 0.4 < carried.mean() < 0.6
    assert (marks[carried].sum((1, 2)) == 9).all()
    assert not (marks & data.extras["mask"]).any()
    assert (data.inputs[..., 0][marks] == 1).all()
    corners = {label: marks[carried & (data.labels == label)].any(0) for label in range(4)}
    assert all(corner.sum() == 9 for corner in corners.values()), "the marks of a class are not in one place"
    assert sum(corners.values()).max() == 1, "two classes share a corner"
    assert made.shapes(samples=40, shortcut=1).extras["shortcut_mask"].any((1, 2)).all()


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_a_planted_table_gives_its_weights_back(noise: float) -> None:
    data = made.planted_table(samples=5000, noise=noise, regression=True, seed=1)
    fitted = np.linalg.lstsq(data.inputs, data.labels, rcond=None)[0]
    np.testing.assert_allclose(fitted, data.truth["weights"], atol=1e-4 if noise == 0 else 0.05)
    assert sorted(np.flatnonzero(data.truth["weights"])) == sorted(data.truth["relevant"])
    assert len(data.truth["relevant"]) == 3
    assert data.class_names is None


def test_a_planted_table_decides_by_the_sign_of_its_score() -> None:
    data = made.planted_table(samples=500, noise=0)
    np.testing.assert_array_equal(data.labels, data.inputs @ data.truth["weights"] > 0)


def test_proxies_keep_company_without_deciding() -> None:
    data = made.planted_table(samples=20_000, correlation=0.8, seed=2)
    together = np.corrcoef(data.inputs.T)
    for deciding, proxy in zip(data.truth["relevant"], data.truth["proxies"], strict=True):
        assert together[deciding, proxy] == pytest.approx(0.8, abs=0.02)
        assert data.truth["weights"][proxy] == 0
    np.testing.assert_allclose(data.inputs.std(0), 1, atol=0.03)


@pytest.mark.parametrize(
    ("make", "wrong", "message"),
    [
        (made.two_moons, {"samples": 1}, "whole number, 2 or more, not 1"),
        (made.two_moons, {"noise": -1}, "`noise` is a deviation"),
        (made.spirals, {"arms": 0}, "between 1 and 12, not 0"),
        (made.shapes, {"classes": ("circel",)}, r"Did you mean 'circle'"),
        (made.shapes, {"shortcut": 2}, "a share from 0 to 1"),
        (made.planted_table, {"relevant": 11}, "between 1 and `features`"),
        (made.planted_table, {"relevant": 6, "correlation": 0.5}, "needs an idle one"),
    ],
)
def test_generators_refuse(make, wrong: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make(**wrong)
