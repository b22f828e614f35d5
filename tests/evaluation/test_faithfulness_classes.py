"""ROAD and its imputation, and sufficiency."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from dlexplain.errors import InputError
from dlexplain.evaluation import imputation
from dlexplain.evaluation.imputation import Imputer
from tests.attribution.conftest import dense_pair
from tests.evaluation.conftest import scored


class Bright(nn.Module):
    """Class 1 where the pixel at (2, 2) is bright, else class 0; the rest of the picture says nothing."""

    def forward(self, x):
        seen = 4 * x[:, 0, 2, 2]
        return torch.stack([2 - seen, seen], 1)


def picture() -> np.ndarray:
    x = np.full((3, 1, 6, 6), 0.1, np.float32)
    x[:, 0, 2, 2] = 1
    return x


def test_removing_what_decides_turns_the_class_and_removing_the_rest_does_not():
    x = picture()
    true = x - 0.1
    assert scored(Bright(), x, true, "road").tolist() == [0, 0, 0]
    assert scored(Bright(), x, -true, "road").tolist() == [1, 1, 1]
    assert scored(Bright(), x, true, "road", options={"order": "least"}).tolist() == [1, 1, 1]
    half = scored(Bright(), x, true, "road", options={"shares": (0.01, 0.5)})  # 0.01 of 36 pixels is none
    assert half.tolist() == [0.5, 0.5, 0.5]


def test_one_output_is_averaged_instead():
    class Sum(nn.Module):
        def forward(self, x):
            return x.sum((1, 2, 3))

    x = np.full((2, 1, 6, 6), 0.5, np.float32)  # a flat picture is filled in by itself
    found = scored(Sum(), x, np.random.default_rng(0).random(x.shape), "road", options={"noise": 0.0})
    np.testing.assert_allclose(found, 18, rtol=1e-5)


def test_imputation_solves_the_papers_system():
    """Slower and plainer: a dense system, pixel by pixel."""
    rng = np.random.default_rng(0)
    image, removed = rng.random((5, 7, 2)), rng.random(35) < 0.6
    index = {p: i for i, p in enumerate(np.flatnonzero(removed))}
    system, known = np.zeros((len(index), len(index))), np.zeros((len(index), 2))
    for p, i in index.items():
        r, c = divmod(p, 7)
        for down in (-1, 0, 1):
            for across in (-1, 0, 1):
                rr, cc = r + down, c + across
                if (down, across) == (0, 0) or not (0 <= rr < 5 and 0 <= cc < 7):
                    continue
                weight = 1 / 6 if 0 in (down, across) else 1 / 12
                system[i, i] += weight
                if removed[rr * 7 + cc]:
                    system[i, index[rr * 7 + cc]] -= weight
                else:
                    known[i] += weight * image[rr, cc]
    other = rng.random((5, 7, 2))
    filled, beside = Imputer(5, 7)(np.stack([image, other]), np.stack([removed, ~removed]))
    np.testing.assert_array_equal(beside.reshape(35, 2)[removed], other.reshape(35, 2)[removed])
    np.testing.assert_allclose(filled.reshape(35, 2)[removed], np.linalg.solve(system, known), rtol=1e-9)
    np.testing.assert_array_equal(filled.reshape(35, 2)[~removed], image.reshape(35, 2)[~removed])


def test_a_slope_is_filled_in_exactly_and_nothing_removed_changes_nothing():
    ramp = (np.arange(6)[:, None] + 2.0 * np.arange(8))[..., None]
    removed = np.zeros((6, 8), bool)
    removed[2:4, 2:6] = True
    three = np.stack([removed.ravel(), np.zeros(48, bool), np.ones(48, bool)])
    np.testing.assert_allclose(Imputer(6, 8)(np.stack([ramp] * 3), three), np.stack([ramp] * 3))


@pytest.mark.parametrize("shape", [(1, 7), (7, 1)])
def test_a_gap_in_a_line_is_bridged_straight(shape):
    line = np.array([9.0, 2, 0, 0, 0, 10, 9]).reshape(1, *shape, 1)
    removed = np.array([[False, False, True, True, True, False, False]])
    np.testing.assert_allclose(Imputer(*shape)(line, removed).ravel(), [9, 2, 4, 6, 8, 10, 9])


def test_many_pictures_are_filled_in_as_one_by_one(monkeypatch):
    rng = np.random.default_rng(0)
    images, removed = rng.random((9, 6, 6, 1)), rng.random((9, 36)) < 0.7
    together = Imputer(6, 6)(images, removed)
    monkeypatch.setattr(imputation, "_TOGETHER", 1)
    np.testing.assert_allclose(together, Imputer(6, 6)(images, removed), rtol=1e-10)


def test_options_of_road_are_checked():
    with pytest.raises(InputError, match="'most', 'least'"):
        scored(Bright(), picture(), picture(), "road", options={"order": "first"})
    with pytest.raises(InputError, match="shares="):
        scored(Bright(), picture(), picture(), "road", options={"shares": (0.5, 10)})


def two_classes():
    """Class by the sign of the first column, in both frameworks."""
    kernel = np.zeros((3, 2))
    kernel[0] = (-1, 1)
    return dense_pair([(kernel, np.zeros(2))])


def test_sufficiency_is_one_where_maps_tell_classes_apart_and_chance_where_they_do_not(framework):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((40, 3)).astype(np.float32)
    model, side = two_classes()[framework], np.where(x[:, 0] > 0, 1.0, -1.0)
    told = np.stack([side, 0 * side, 0 * side], 1) + 0.01 * rng.standard_normal((40, 3))
    told[:, 1:] = 0
    np.testing.assert_array_equal(scored(model, x, told, "sufficiency"), 1)
    blind = scored(model, x, rng.standard_normal((40, 3)), "sufficiency", options={"neighbours": 20})
    assert abs(blind.mean() - 0.5) < 0.15
    turned = np.stack([np.where(np.arange(40) % 2, 1.0, -1.0)] * 3, 1)
    mixed = scored(model, x, turned, "sufficiency", options={"within": 0.5})
    assert abs(mixed.mean() - 0.5) < 0.15


def test_sufficiency_has_no_answer_where_nothing_is_like_or_there_are_no_classes():
    x = np.eye(3, dtype=np.float32)
    apart = scored(two_classes()["torch"], x, np.eye(3), "sufficiency", options={"within": 0.5})
    assert np.isnan(apart).all()
    one = dense_pair([(np.ones((3, 1)), np.zeros(1))])["torch"]
    assert np.isnan(scored(one, x, np.eye(3), "sufficiency")).all()
    assert np.isnan(scored(two_classes()["torch"], x[:1], np.eye(3)[:1], "sufficiency")).all()
