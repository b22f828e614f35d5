"""The lessons by number: a room each, `lesson_NN/`, whose door holds `LESSON = Lesson(...)`."""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dlexplain.classroom.pages import prose, table
from dlexplain.errors import InputError

if TYPE_CHECKING:
    from dlexplain.classroom.declare import Lesson
    from dlexplain.classroom.desk import Desk


def numbers() -> list[int]:
    """The numbers of the lessons that are there."""
    found = (re.fullmatch(r"lesson_(\d\d)", module.name) for module in pkgutil.iter_modules(__path__))
    return sorted(int(match.group(1)) for match in found if match)


def declared(number: int) -> Lesson:
    """What the author of a lesson wrote down. Raises InputError for a number without a lesson."""
    known = numbers()
    if number not in known:
        listed = ", ".join(f"{each:02d}" for each in known) or "none yet"
        raise InputError(f"There is no lesson {number!r}. The lessons are: {listed}.")
    lesson = importlib.import_module(f"{__name__}.lesson_{number:02d}").LESSON
    if lesson.number != number:
        raise InputError(f"lesson_{number:02d}.py declares the number {lesson.number}; the two must agree.")
    return lesson


def lesson(number: int) -> Desk:
    """The learner's desk for a lesson: its checks, hints, predictions, quiz and progress."""
    from dlexplain.classroom.desk import Desk

    # Read when Torch comes in, below the lesson's first cell. The lessons' networks are so small that more threads spend
    # their time waiting for each other: a busy computer took ten times as long.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    return Desk(declared(number), elsewhere=declared)


def contents() -> Contents:
    """The course at a glance, with what this learner has done."""
    return Contents(tuple(declared(number) for number in numbers()))


@dataclass(frozen=True)
class Contents:
    """A table of the lessons."""

    lessons: tuple[Lesson, ...]

    def _repr_html_(self) -> str:
        from dlexplain.classroom.desk import done

        rows = []
        for each in self.lessons:
            count, whole = done(each)
            rows.append(
                [f"{each.number:02d}", prose(each.title), prose(each.question), f"{count} of {whole}"]
            )
        return table(["no.", "lesson", "question it answers", "done"], rows, "The course")

    def __repr__(self) -> str:
        return "\n".join(f"{each.number:02d}  {each.title}: {each.question}" for each in self.lessons)
