"""What a lesson's author tells a teacher: `GUIDE = Guide(...)` in `lessons/lesson_NN/guide.py`."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from dlexplain.classroom import lessons
from dlexplain.errors import InputError

Plan = tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Guide:
    """One lesson in a classroom.

    `short`, `long`: steps `(minutes, what the class does)` that make 45 and 90 minutes. `misconceptions`: what learners
    come to believe, and what to ask or show them. `questions`: for the room, each with what a good answer says.
    `before`: what to prepare. `outcomes`: of predictions whose outcome is the same in every run, by name.
    """

    short: Plan
    long: Plan
    misconceptions: tuple[tuple[str, str], ...]
    questions: tuple[tuple[str, str], ...]
    before: str = ""
    outcomes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, plan, whole in (("short", self.short, 45), ("long", self.long, 90)):
            minutes = sum(minutes for minutes, _ in plan)
            if minutes != whole:
                raise InputError(f"The {name} plan of a guide takes {minutes} minutes; its steps must make {whole}.")
        if len(self.misconceptions) < 3 or len(self.questions) < 3:
            raise InputError("A guide needs at least three misconceptions and three questions for the room.")


def guide(number: int) -> Guide:
    """The guide of a lesson. Raises InputError for a number without a lesson."""
    lessons.declared(number)
    return importlib.import_module(f"{lessons.__name__}.lesson_{number:02d}.guide").GUIDE
