"""Every exercise of every lesson: the reference passes, each wrong answer is told its misconception."""

from __future__ import annotations

import pytest

from dlexplain.classroom import Desk, Exercise, Lesson, Made, Ordering
from dlexplain.classroom.junk import JUNK
from dlexplain.classroom.lessons import declared, numbers
from dlexplain.classroom.orders import judge, shuffled

LESSONS = [declared(number) for number in numbers()]
EXERCISES = [
    pytest.param(lesson, exercise, id=f"{lesson.number:02d}-{exercise.name}")
    for lesson in LESSONS
    for exercise in lesson.exercises.values()
]
WRONG = [
    pytest.param(lesson, exercise, name, id=f"{lesson.number:02d}-{exercise.name}-{name}")
    for lesson in LESSONS
    for exercise in lesson.exercises.values()
    for name in exercise.wrong
]
ORDERS = [
    pytest.param(lesson, ordering, id=f"{lesson.number:02d}-{ordering.name}")
    for lesson in LESSONS
    for ordering in lesson.orders.values()
]
BY_LESSON = [pytest.param(lesson, id=f"{lesson.number:02d}") for lesson in LESSONS]


def _made(answer: object) -> object:
    return answer.make() if isinstance(answer, Made) else answer


@pytest.mark.parametrize(("lesson", "exercise"), EXERCISES)
def test_the_reference_answer_passes(lesson: Lesson, exercise: Exercise) -> None:
    verdict = Desk(lesson).check(exercise.name, _made(exercise.reference))
    assert verdict.passed, verdict.message
    assert verdict.message, "a right answer is told why it is right"


@pytest.mark.parametrize(("lesson", "exercise", "name"), WRONG)
def test_a_wrong_answer_is_told_its_misconception(lesson: Lesson, exercise: Exercise, name: str) -> None:
    answer, fragment = exercise.wrong[name]
    verdict = Desk(lesson).check(exercise.name, _made(answer))
    assert not verdict.passed
    assert verdict.answered
    assert fragment
    assert fragment.casefold() in verdict.message.casefold()


@pytest.mark.parametrize(("lesson", "exercise"), EXERCISES)
def test_the_misconceptions_are_told_apart(lesson: Lesson, exercise: Exercise) -> None:
    desk = Desk(lesson)
    messages = {desk.check(exercise.name, _made(answer)).message for answer, _ in exercise.wrong.values()}
    assert len(messages) >= 3


@pytest.mark.parametrize(("lesson", "exercise"), EXERCISES)
@pytest.mark.parametrize("name", JUNK)
def test_junk_is_answered_not_raised(lesson: Lesson, exercise: Exercise, name: str) -> None:
    verdict = Desk(lesson).check(exercise.name, JUNK[name]())
    assert verdict.message
    assert "Traceback" not in verdict.message


@pytest.mark.parametrize(("lesson", "exercise"), EXERCISES)
def test_hints_lead_to_the_answer_and_hide_it(lesson: Lesson, exercise: Exercise) -> None:
    desk = Desk(lesson)
    pages = [desk.hint(exercise.name)._repr_html_() for _ in range(3)]
    assert "<details" not in pages[0] + pages[1]
    assert "<details" in pages[2]
    assert len(set(exercise.hints)) == 3


@pytest.mark.parametrize(("lesson", "ordering"), ORDERS)
def test_an_ordering_takes_its_own_order_and_refuses_the_shuffled_and_reversed(
    lesson: Lesson, ordering: Ordering
) -> None:
    assert judge(ordering, ordering.lines).passed
    assert not judge(ordering, ordering.lines[::-1]).passed
    assert not judge(ordering, shuffled(ordering, lesson.number)).passed


@pytest.mark.parametrize("lesson", BY_LESSON)
def test_a_lesson_has_all_its_parts(lesson: Lesson) -> None:
    assert len(lesson.exercises) + len(lesson.orders) >= 3
    assert lesson.exercises
    assert lesson.predictions
    assert len(lesson.quiz) >= 3
    assert lesson.goals
    assert lesson.glossary
    assert lesson.sources
    assert all(
        len(question.choices) == len(set(question.choices.values())) for question in lesson.quiz.values()
    )


@pytest.mark.parametrize("lesson", BY_LESSON)
def test_the_quiz_reaches_back(lesson: Lesson) -> None:
    earlier = {number for number in numbers() if number < lesson.number}
    asked = {number for number, _ in lesson.recall}
    assert asked <= earlier
    assert asked or not earlier, "the quiz asks nothing of an earlier lesson"
    for number, name in lesson.recall:
        assert name in declared(number).quiz
