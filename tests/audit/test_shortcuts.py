"""Section 10 on models whose shortcut was planted, and on sound ones."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from dlexplain.audit import preparing
from dlexplain.audit.sections import shortcuts
from dlexplain.audit.sections.shortcuts_columns import alone
from dlexplain.audit.sections.shortcuts_places import Plane, planes, steadiest
from dlexplain.audit.sections.shortcuts_tokens import insert, leading
from tests.audit import test_shortcuts_planted as planted

FRAMEWORKS = ("torch", "keras")


@pytest.fixture
def trusting(monkeypatch):
    """The exam of section 7 has its own tests: here the method is taken as having passed."""
    monkeypatch.setattr(shortcuts, "trusted", lambda subject: ("integrated_gradients",))
    monkeypatch.setattr(shortcuts, "trusted_explainers", lambda subject: ())


@pytest.mark.parametrize("framework", ["torch", pytest.param("keras", marks=pytest.mark.slow)])
def test_a_watermark_of_unknown_place_is_found(framework, trusting):
    case, places = planted.watermarked(framework, seed=3)
    found = shortcuts.shortcut_flip(case)
    assert found.status == "FAIL"
    assert found.figure >= 0.30
    for row, column in places:
        assert f"row {row}, column {column}" in found.reason
    assert repr(case.class_names[4]) in found.reason
    part = shortcuts.shortcuts(case, (found,))
    named = {table.id for table in part.tables} | {exhibit.id for exhibit in part.exhibits}
    assert set(found.evidence) <= named
    assert len(part.tables[0].rows) == 10  # every class is told of
    assert any("not absent" in limit for limit in part.limits)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_sound_digits_are_not_accused(framework, trusting, request):
    told = request.getfixturevalue(f"digits_{framework}").told()
    found = shortcuts.shortcut_flip(preparing.subject(**told))
    assert found.status == "PASS"
    assert 0 <= found.figure <= 0.15
    assert "not detected" not in found.reason  # said once, in the section's limits


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_leaking_column_is_named(framework, trusting):
    case, name = planted.leaking(framework, seed=2)
    found = shortcuts.univariate_leakage(case)
    assert (found.status, found.figure >= 1.5) == ("FAIL", True)
    assert repr(name) in found.reason
    assert shortcuts.leaning(case)[0].name == name


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_sound_table_does_not_leak(framework, trusting, request):
    found = shortcuts.univariate_leakage(preparing.subject(**request.getfixturevalue(f"cancer_{framework}").told()))
    assert (found.status, found.figure) == ("PASS", 0.0)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_word_that_decides_alone_is_found(framework, trusting):
    case, token = planted.one_word(framework)
    found = shortcuts.shortcut_flip(case)
    assert (found.status, found.figure) == ("FAIL", 1.0)
    assert f"token {token}" in found.reason


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_moment_of_one_sensor_that_decides_is_found(framework, trusting):
    case, sensor, moment = planted.one_moment(framework)
    found = shortcuts.shortcut_flip(case)
    assert found.status == "FAIL"
    assert sensor in found.reason
    spans = [f.places for f in shortcuts.found(case)[:1]]
    assert any(row <= moment < row + 4 for row, _ in spans[0])


def test_a_regression_has_thirds_for_classes(trusting):
    case, sensor, _ = planted.one_moment("torch", regression=True)
    found = shortcuts.shortcut_flip(case)
    assert found.status == "FAIL"
    assert "third" in found.reason
    assert sensor in found.reason


def test_without_a_trusted_method_nothing_is_claimed(monkeypatch, request):
    monkeypatch.setattr(shortcuts, "trusted", lambda subject: ())
    monkeypatch.setattr(shortcuts, "trusted_explainers", lambda subject: ())
    for name, check in (("digits_torch", "shortcut_flip"), ("cancer_torch", "univariate_leakage")):
        case = preparing.subject(**request.getfixturevalue(name).told())
        found = getattr(shortcuts, check)(case)
        assert (found.status, found.figure) == ("INCONCLUSIVE", None)
        assert "exam" in found.reason
        assert shortcuts.shortcuts(case, (found,)).tables == ()


def test_the_same_subject_gives_the_same_record(trusting, request):
    told = request.getfixturevalue("digits_torch").told()
    first, second = (preparing.subject(**told) for _ in range(2))
    assert shortcuts.shortcut_flip(first) == shortcuts.shortcut_flip(second)


@dataclass(frozen=True)
class _Labelled:
    """What `alone` looks at."""

    labels: np.ndarray
    task: str = "classification"


def test_how_well_a_column_tells_the_answer_alone():
    labels = np.repeat([0, 1, 2], 30)
    rng = np.random.default_rng(0)
    assert alone(_Labelled(labels), labels + 0.1 * rng.random(90)) == 1
    assert alone(_Labelled(labels), np.array([5, -2, 1])[labels] + 0.0) == 1  # whichever order the classes have
    assert alone(_Labelled(labels), (labels == 2) + 0.1 * rng.random(90)) < 0.7  # tells one class only
    assert alone(_Labelled(labels), np.zeros(90)) == 0.5
    values = rng.standard_normal(90)
    assert alone(_Labelled(values, "regression"), -values) == pytest.approx(1)
    assert alone(_Labelled(values, "regression"), rng.standard_normal(90)) < 0.65


def test_places_are_whole_windows_and_put_is_exact():
    plane = Plane(0, "image", (2, 3), (6, 6), (2, 2))
    values = np.zeros((5, 3, 6, 6))
    values[:, :, 1:3, 2:4] = 1
    values[:, 0, 4, 5] = [0, 9, 0, 9, 0]  # higher at times, not steady
    assert plane.sums(values)[0, 1, 2] == 12
    assert (1, 2) in steadiest(plane, values)
    assert steadiest(plane, -np.ones((5, 3, 6, 6))) == ()
    receivers, donors = np.zeros((2, 3, 6, 6)), np.ones((2, 3, 6, 6))
    changed = plane.put(receivers, donors, ((1, 2), (4, 4)))
    assert changed.sum() == 2 * 3 * 8
    assert changed[:, :, 1:3, 2:4].all()
    assert not receivers.any()


@pytest.mark.parametrize(("side", "window"), [(8, 1), (28, 3), (224, 25)])
def test_windows_grow_with_the_picture(side, window, digits_torch):
    case = preparing.subject(**digits_torch.told())
    larger = replace(case, inputs=(np.zeros((1, 1, side, side), np.float32),), kept={})
    assert planes(larger)[0].window == (window, window)


def test_a_token_takes_the_place_of_a_real_one_only():
    ids = np.array([[3, 4, 0, 0], [5, 0, 0, 0]])
    changed = insert(ids, 9, 0, np.random.default_rng(0))
    assert ((changed == 9).sum(1) == 1).all()
    assert (changed[ids == 0] == 0).all()
    values = np.where(ids == 3, 1.0, 0.0)
    assert leading(np.repeat(ids, 3, 0), np.repeat(values, 3, 0), 0) == [3]
    assert leading(ids, values, 0) == []  # in fewer than three samples
