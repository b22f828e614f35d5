"""What a lesson author writes down: the lesson and its exercises, predictions, questions and orderings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dlexplain.classroom.checks import Check
from dlexplain.errors import InputError


@dataclass(frozen=True)
class Made:
    """An answer that is too costly or too odd to stand in a module: made when the tests ask for it."""

    make: Callable[[], Any]


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    `check(answer, **given)` returns `right(...)` or `wrong(...)`. `hints` are nudge, part and answer.
    `reference` is an answer that passes. `wrong` holds at least three named wrong answers, each with a
    fragment of the message that must meet it. `given` are example values of what the notebook hands over
    beside the answer. `expects` says in a few words what kind of answer is wanted.
    """

    name: str
    check: Callable[..., Check]
    hints: tuple[str, str, str]
    reference: Any
    wrong: Mapping[str, tuple[Any, str]]
    expects: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _demand(len(self.hints) == 3 and all(self.hints), f"exercise {self.name!r} needs three hints")
        _demand(len(self.wrong) >= 3, f"exercise {self.name!r} needs at least three named wrong answers")


@dataclass(frozen=True)
class Prediction:
    """A guess to commit before the result: one of `choices`, or a number from `low` to `high`."""

    name: str
    question: str
    choices: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 1.0
    step: float = 0.01
    unit: str = ""

    def __post_init__(self) -> None:
        _demand(
            len(self.choices) != 1,
            f"prediction {self.name!r} needs at least two choices, or none for a number",
        )
        _demand(len(set(self.choices)) == len(self.choices), f"prediction {self.name!r} repeats a choice")
        _demand(
            self.low < self.high and self.step > 0, f"prediction {self.name!r} needs low < high and step > 0"
        )


@dataclass(frozen=True)
class Question:
    """A recall question; `choices` maps each choice to its explanation, `answer` is the right one."""

    name: str
    text: str
    choices: Mapping[str, str]
    answer: str

    def __post_init__(self) -> None:
        _demand(len(self.choices) >= 3, f"question {self.name!r} needs at least three choices")
        _demand(all(self.choices.values()), f"question {self.name!r} needs an explanation for every choice")
        _demand(self.answer in self.choices, f"the answer of question {self.name!r} is not among its choices")


@dataclass(frozen=True)
class Ordering:
    """Lines of code to put in order (a Parsons problem).

    `lines` stand in a right order. `after` maps a line's index to those that must come before it; None means
    that every line needs the one before. `distractors` maps lines that do not belong to the reason why.
    `because` maps a pair (earlier, later) of indices to the reason for that order.
    """

    name: str
    question: str
    lines: tuple[str, ...]
    after: Mapping[int, tuple[int, ...]] | None = None
    distractors: Mapping[str, str] = field(default_factory=dict)
    because: Mapping[tuple[int, int], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        everything = [*self.lines, *self.distractors]
        _demand(len(self.lines) >= 3, f"ordering {self.name!r} needs at least three lines")
        _demand(len(set(everything)) == len(everything), f"ordering {self.name!r} repeats a line")
        pairs = self.pairs()
        fits = all(0 <= first < second < len(self.lines) for first, second in pairs)
        _demand(fits, f"ordering {self.name!r}: `after` must only name earlier lines of `lines`")
        _demand(
            set(self.because) <= set(pairs), f"ordering {self.name!r}: `because` names a pair that is free"
        )

    def pairs(self) -> list[tuple[int, int]]:
        """All pairs (earlier, later) of line indices that the order must keep."""
        if self.after is None:
            return [(index - 1, index) for index in range(1, len(self.lines))]
        return [(first, second) for second, needs in sorted(self.after.items()) for first in sorted(needs)]


@dataclass(frozen=True)
class Lesson:
    """All of a lesson that is not on its page. `minutes`: to read, to run. `recall`: (lesson, question)."""

    number: int
    title: str
    question: str
    goals: tuple[str, ...]
    minutes: tuple[int, int]
    know_first: tuple[str, ...] = ()
    exercises: Mapping[str, Exercise] = field(default_factory=dict)
    predictions: Mapping[str, Prediction] = field(default_factory=dict)
    quiz: Mapping[str, Question] = field(default_factory=dict)
    orders: Mapping[str, Ordering] = field(default_factory=dict)
    recall: tuple[tuple[int, str], ...] = ()
    glossary: Mapping[str, str] = field(default_factory=dict)
    sources: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        for part in ("exercises", "predictions", "quiz", "orders"):
            declared = getattr(self, part)
            if not isinstance(declared, Mapping):  # a tuple of parts is taken as well: each knows its name
                object.__setattr__(self, part, {item.name: item for item in declared})
                _demand(
                    len(getattr(self, part)) == len(declared),
                    f"lesson {self.number}: a name in {part} is repeated",
                )
            for name, item in getattr(self, part).items():
                _demand(
                    item.name == name, f"lesson {self.number}: {part}[{name!r}] calls itself {item.name!r}"
                )


def _demand(holds: bool, message: str) -> None:
    if not holds:
        raise InputError(f"{message[0].upper()}{message[1:]}.")
