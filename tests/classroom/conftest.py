"""A lesson of the tests' own, and a learner's home that is thrown away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dlexplain.classroom import (
    Check,
    Desk,
    Exercise,
    Lesson,
    Ordering,
    Prediction,
    Question,
    array,
    call,
    close,
    number,
    option,
    right,
    words,
    wrong,
)


def check_double(answer: object, *, factor: float) -> Check:
    value = number(answer)
    if close(value, 21 * factor):
        return right("Twice twenty-one.")
    if close(value, 21**factor):
        return wrong("You took the power, not the product.")
    return wrong("Multiply 21 by the factor.")


def check_square(answer: object) -> Check:
    values = [number(call(answer, each), what="its result") for each in (2.0, 3.0)]
    if close(values, [4.0, 9.0]):
        return right("It squares.")
    return wrong("It doubles." if close(values, [4.0, 6.0]) else "It does something else.")


def check_mean(answer: object) -> Check:
    return (
        right("Yes.") if close(array(answer, shape=(None, 2)).mean(), 0.0) else wrong("The mean is not zero.")
    )


def check_name(answer: object) -> Check:
    return right("Yes.") if option(words(answer), ["Keras", "Torch"]) == "Keras" else wrong("The other one.")


def check_carelessly(answer: object) -> Check:
    return right("Yes.") if answer[0].upper() == "Z" else None  # type: ignore[index, return-value]


def _exercise(name: str, check: Callable[..., Check], **more: object) -> Exercise:
    hints = ("Think of pairs.", "There are two of them.", "Multiply:\n```\nanswer = 21 * factor\n```")
    some_wrong = {"a": (1, "x"), "b": (2, "x"), "c": (3, "x")}
    return Exercise(name, check, hints, reference=42, wrong=some_wrong, **more)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def learners_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DLEXPLAIN_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def lesson_of_the_tests(number: int = 97) -> Lesson:
    return Lesson(
        number=number,
        title="Twice",
        question="How much is twice?",
        goals=("double a number",),
        minutes=(1, 0),
        know_first=("counting",),
        exercises=(
            _exercise("double", check_double, given={"factor": 2.0}, expects="a number"),
            _exercise("square", check_square, expects="a function"),
            _exercise("mean", check_mean, expects="an array of two columns"),
            _exercise("name", check_name),
            _exercise("careless", check_carelessly),
        ),
        predictions=(
            Prediction("share", "What share?", low=0, high=1, step=0.01, unit="of all"),
            Prediction("where", "Where?", choices=("west", "east")),
        ),
        quiz=(
            Question(
                "twice",
                "Twice two?",
                {"4": "Two and two.", "5": "One too many.", "22": "Not side by side."},
                "4",
            ),
            Question("once", "Once two?", {"2": "Itself.", "1": "That is one.", "0": "That is never."}, "2"),
        ),
        orders=(
            Ordering(
                "loop",
                "Put the lines in order.",
                ("total = 0", "values = [1, 2]", "for value in values:", "    total += value"),
                after={2: (1,), 3: (0, 2)},
                distractors={"total = None": "None cannot be added to."},
                because={(2, 3): "it stands in the loop."},
            ),
        ),
        glossary={"twice": "Two times."},
        sources=(("A book", "https://example.org/book"), ("A talk", "")),
    )


@pytest.fixture
def lesson() -> Lesson:
    return lesson_of_the_tests()


@pytest.fixture
def desk(lesson: Lesson) -> Desk:
    return Desk(lesson)
