"""The course: exercise checks, hints, predictions, quizzes, progress; and the builder of its notebooks.

    lesson = dlx.classroom.lesson(4)
    lesson.check("completeness", answer)

How to write a lesson is told in `README.md` beside this file.
"""

from __future__ import annotations

from dlexplain.classroom.checks import (
    Check,
    array,
    call,
    close,
    function,
    number,
    option,
    right,
    words,
    wrong,
)
from dlexplain.classroom.declare import Exercise, Lesson, Made, Ordering, Prediction, Question
from dlexplain.classroom.desk import Desk
from dlexplain.classroom.lessons import contents, lesson, numbers

__all__ = [
    "Check",
    "Desk",
    "Exercise",
    "Lesson",
    "Made",
    "Ordering",
    "Prediction",
    "Question",
    "array",
    "call",
    "close",
    "contents",
    "function",
    "lesson",
    "number",
    "numbers",
    "option",
    "right",
    "words",
    "wrong",
]
