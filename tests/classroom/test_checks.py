"""Checks: a verdict for every answer, in words that help."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from dlexplain.classroom import Check, Desk, Exercise, right
from dlexplain.classroom.junk import JUNK
from dlexplain.errors import InputError


@pytest.mark.parametrize("answer", [42, 42.0, np.float32(42), np.array(42), np.array([42.0]), [42], (42,)])
def test_a_right_number_passes_in_any_dress(desk: Desk, answer: object) -> None:
    verdict = desk.check("double", answer)
    assert verdict
    assert verdict.message == "Twice twenty-one."


def test_a_tensor_that_needs_a_gradient_is_read(desk: Desk) -> None:
    torch = pytest.importorskip("torch", reason="Torch is not installed")
    assert desk.check("double", torch.tensor(42.0, requires_grad=True))


@pytest.mark.parametrize(
    ("exercise", "answer", "fragment"),
    [
        ("double", 441, "power"),
        ("double", 1, "Multiply"),
        ("double", "42", "quotation marks"),
        ("double", True, "comparison"),
        ("double", None, "return"),
        ("double", float("nan"), "NaN"),
        ("double", float("-inf"), "infinite"),
        ("double", [42, 42], "holds 2"),
        ("double", 42 + 0j, "complex"),
        ("double", {"a": 42}, "dict"),
        ("double", max, "a function"),
        ("square", 4, "brackets"),
        ("square", lambda x: 2 * x, "It doubles"),
        ("square", lambda x: None, "return"),
        ("square", lambda x: x / 0, "ZeroDivisionError"),
        ("square", lambda: 1, "TypeError"),
        ("square", lambda x: [x, x], "its result holds 2"),
        ("mean", [[1, 2, 3]], "Shape (any, 2) is wanted, but your answer has shape (1, 3)"),
        ("mean", [[1, 2], [3]], "an array of numbers is wanted"),
        ("name", "torch", "other one"),
        ("name", "Kears", "Did you mean `Keras`"),
        ("name", 3, "quotation marks"),
        ("careless", 3, "could not read"),
        ("careless", "b", "could not judge"),
    ],
)
def test_a_wrong_answer_is_told_what_is_wrong(
    desk: Desk, exercise: str, answer: object, fragment: str
) -> None:
    verdict = desk.check(exercise, answer)
    assert not verdict.passed
    assert verdict.answered
    assert fragment.casefold() in verdict.message.casefold()


@pytest.mark.parametrize("exercise", ["double", "square", "mean", "name", "careless"])
@pytest.mark.parametrize("name", JUNK)
def test_junk_gets_a_message(desk: Desk, exercise: str, name: str) -> None:
    verdict = desk.check(exercise, JUNK[name]())
    assert isinstance(verdict, Check)
    assert not verdict.passed
    assert verdict.message
    assert "<script>" not in verdict._repr_html_()


@pytest.mark.parametrize("answer", [..., [1, ...], {"a": ...}, (1, (2, ...))])
def test_the_placeholder_is_not_judged_and_not_counted(desk: Desk, answer: object) -> None:
    verdict = desk.check("double", answer)
    assert not verdict.answered
    assert "three dots" in verdict.message
    assert "Not answered yet" in verdict._repr_html_()
    assert desk._progress.read()["exercises"] == {}


def test_a_function_with_a_placeholder_inside_is_not_answered(desk: Desk) -> None:
    assert not desk.check("square", lambda x: ...).answered


def test_the_notebook_hands_values_to_the_check(desk: Desk) -> None:
    assert desk.check("double", 63, factor=3.0)
    assert not desk.check("double", 42, factor=3.0)


def test_an_unknown_exercise_is_an_error_that_suggests(desk: Desk) -> None:
    with pytest.raises(InputError, match="Did you mean 'double'"):
        desk.check("duble", 42)


def test_a_verdict_says_more_than_its_colour_and_cannot_be_changed(desk: Desk) -> None:
    passed, failed = desk.check("double", 42), desk.check("double", 1)
    for verdict, word in ((passed, "Right."), (failed, "Not yet.")):
        page = verdict._repr_html_()
        assert 'role="status"' in page
        assert word in page
    assert 'lesson.hint("double")' in failed._repr_html_().replace("&quot;", '"')
    with pytest.raises(dataclasses.FrozenInstanceError):
        passed.passed = False  # type: ignore[misc]


@pytest.mark.parametrize("change", [{"hints": ("a", "b")}, {"wrong": {"a": (1, "x"), "b": (2, "x")}}])
def test_an_exercise_must_be_declared_whole(change: dict[str, object]) -> None:
    whole = {
        "name": "x",
        "check": lambda answer: right(),
        "hints": ("a", "b", "c"),
        "reference": 1,
        "wrong": dict.fromkeys("abc", (2, "x")),
    }
    Exercise(**whole)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="Exercise 'x' needs"):
        Exercise(**{**whole, **change})  # type: ignore[arg-type]
