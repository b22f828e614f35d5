"""The course: exercise checks, hints, predictions, quizzes, progress; and the builder of its notebooks.

    lesson = dlx.classroom.lesson(4)
    lesson.check("completeness", answer)

How to write a lesson is told in `README.md` beside this file.
"""

from __future__ import annotations

import sys

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
from dlexplain.classroom.lessons import contents, numbers
from dlexplain.classroom.lessons import lesson as _lesson

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


def lesson(number: int) -> Desk:
    """The learner's desk for a lesson. In a notebook it also imports TensorFlow, where it is installed, so
    that its log does not redden the lesson's first cell with Keras."""
    desk = _lesson(number)
    if _in_a_notebook():
        from dlexplain.frameworks.quiet import hush_tensorflow

        hush_tensorflow()
    return desk


def _in_a_notebook() -> bool:
    kernel = sys.modules.get("ipykernel.kernelapp")
    return kernel is not None and kernel.IPKernelApp.initialized()
