"""Checks of exercises: a verdict that names the misconception, whatever the learner hands in.

A check is a small function `check(answer, **given) -> Check` that returns `right(...)` or `wrong(...)`. The
readers here (`number`, `array`, `option`, `function`, `call`) turn an answer of the wrong kind into a plain
message, so that the check itself only speaks of the subject.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dlexplain.classroom.pages import box, prose

if TYPE_CHECKING:
    from dlexplain.classroom.declare import Exercise

NOT_ANSWERED = "Replace the three dots `...` with your answer and run the cell again."


@dataclass(frozen=True)
class Check:
    """A verdict on an answer; shows itself as a note. `answered` is False while the placeholder stands."""

    passed: bool
    message: str
    exercise: str = ""
    answered: bool = True

    def __bool__(self) -> bool:
        return self.passed

    def _repr_html_(self) -> str:
        body = prose(self.message)
        if self.passed:
            return box("right", "Right.", body, live=True)
        ask = ""
        if self.exercise:
            ask = prose(f'Stuck? Run `lesson.hint("{self.exercise}")` in a cell of your own.')
        tone, title = ("wrong", "Not yet.") if self.answered else ("open", "Not answered yet.")
        return box(tone, title, body + ask, live=True)

    def __repr__(self) -> str:
        state = "right" if self.passed else "not yet" if self.answered else "not answered yet"
        return f"{state}: {self.message}"


def right(message: str = "") -> Check:
    """The answer holds; the message says why it does."""
    return Check(True, message)


def wrong(message: str) -> Check:
    """The answer does not hold; the message names the misconception and where to look."""
    return Check(False, message)


class Refused(Exception):
    """Carries the message for an answer that cannot be read; never leaves `examine`."""


def examine(exercise: Exercise, answer: Any, given: Mapping[str, Any]) -> Check:
    """Judge an answer; every fault of it, and of code of the learner's that runs, becomes a message."""
    if holds_dots(answer):
        return Check(False, NOT_ANSWERED, exercise.name, answered=False)
    try:
        verdict = exercise.check(answer, **given)
    except Refused as refusal:
        verdict = Check(False, str(refusal), answered=str(refusal) != NOT_ANSWERED)
    except (Exception, SystemExit) as fault:
        verdict = wrong(
            f"The check could not read this answer ({described(fault)}). {_wanted(exercise, answer)}"
        )
    if not isinstance(verdict, Check):
        verdict = wrong(f"The check could not judge this answer. {_wanted(exercise, answer)}")
    return Check(verdict.passed, verdict.message, exercise.name, verdict.answered)


def holds_dots(answer: Any, depth: int = 3) -> bool:
    """Whether the placeholder `...` is the answer or stands inside it."""
    if answer is ...:
        return True
    if depth == 0 or type(answer) not in (list, tuple, dict, set):
        return False
    parts = [*answer.keys(), *answer.values()] if isinstance(answer, dict) else list(answer)
    return any(holds_dots(part, depth - 1) for part in parts[:1000])


def _wanted(exercise: Exercise, answer: Any) -> str:
    expects = f"It expects {exercise.expects}; " if exercise.expects else ""
    return f"{expects}{'you' if expects else 'You'} gave {kind(answer)}."


def kind(answer: Any) -> str:
    """What an answer is, in a few words."""
    if answer is None:
        return "`None` (does your function end in `return`?)"
    if isinstance(answer, str):
        return "text"
    if callable(answer):
        return "a function or class"
    shape = getattr(answer, "shape", None)
    if isinstance(shape, tuple) and shape:
        return f"an array of shape {tuple(shape)}"
    if isinstance(answer, (int, float, np.number)) and not isinstance(answer, bool):
        return "a number"
    name = type(answer).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def described(fault: BaseException) -> str:
    """An error in one line; an error whose own text fails is named by its class."""
    try:
        text = " ".join(str(fault).split())[:200]
    except Exception:
        text = ""
    return f"{type(fault).__name__}: {text}" if text else type(fault).__name__


def number(answer: Any, *, what: str = "your answer") -> float:
    """The answer as one finite number: int, float, NumPy scalar, array or tensor of one element."""
    if isinstance(answer, (bool, np.bool_)):
        raise Refused(f"A number is wanted, but {what} is `{answer}`: a comparison, not its result.")
    if isinstance(answer, str):
        raise Refused(f"A number is wanted, but {what} is text. Write the number without quotation marks.")
    values = _values(answer, what, "a number")
    if values.size != 1:
        raise Refused(f"One number is wanted, but {what} holds {values.size}, in shape {values.shape}.")
    return float(values.reshape(()))


def array(
    answer: Any, *, shape: tuple[int | None, ...] | None = None, what: str = "your answer"
) -> np.ndarray:
    """The answer as a finite float64 array; `shape` is held where given, None stands for any length."""
    values = _values(answer, what, "an array of numbers")
    if shape is not None:
        fits = values.ndim == len(shape) and all(
            want in (None, have) for want, have in zip(shape, values.shape, strict=True)
        )
        if not fits:
            wanted = tuple("any" if side is None else side for side in shape)
            raise Refused(f"Shape {wanted} is wanted, but {what} has shape {values.shape}.".replace("'", ""))
    return values


def _values(answer: Any, what: str, wanted: str) -> np.ndarray:
    if holds_dots(answer):
        raise Refused(NOT_ANSWERED)
    if answer is None or isinstance(answer, (str, bytes, dict, set)) or callable(answer):
        raise Refused(f"{wanted[0].upper()}{wanted[1:]} is wanted, but {what} is {kind(answer)}.")
    try:
        raw = answer.detach().cpu() if hasattr(answer, "detach") else answer
        values = np.asarray(raw)
        if np.iscomplexobj(values):
            raise Refused(f"Real numbers are wanted, but {what} is complex.")
        values = values.astype(np.float64)
    except Refused:
        raise
    except Exception as fault:
        message = (
            f"{wanted[0].upper()}{wanted[1:]} is wanted, but {what} is {kind(answer)} ({described(fault)})."
        )
        raise Refused(message) from fault
    if np.isnan(values).any():
        raise Refused(
            f"There is a NaN (not a number) in {what}: somewhere 0/0 or the logarithm of a negative number."
        )
    if np.isinf(values).any():
        raise Refused(f"There is an infinite value in {what}: somewhere a division by zero or an overflow.")
    return values


def close(a: Any, b: Any, *, relative: float = 1e-3, absolute: float = 1e-6) -> bool:
    """Whether two numbers, or two arrays of the same shape, agree within the tolerance."""
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    return first.shape == second.shape and bool(np.allclose(first, second, rtol=relative, atol=absolute))


def words(answer: Any, *, what: str = "your answer") -> str:
    """The answer as text without the spaces round it."""
    if not isinstance(answer, str):
        raise Refused(f"Text in quotation marks is wanted, but {what} is {kind(answer)}.")
    return answer.strip()


def option(answer: Any, options: Iterable[str], *, what: str = "your answer") -> str:
    """The one of `options` that the answer means, whatever its case."""
    known = list(options)
    text = words(answer, what=what).casefold()
    found = {name.casefold(): name for name in known}
    if text in found:
        return found[text]
    near = difflib.get_close_matches(text, found, n=1)
    tip = f" Did you mean `{found[near[0]]}`?" if near else ""
    raise Refused(f"One of {', '.join(f'`{name}`' for name in known)} is wanted.{tip}")


def function(answer: Any, *, what: str = "your answer") -> Callable[..., Any]:
    """The answer as a function."""
    if not callable(answer):
        raise Refused(
            f"A function is wanted, but {what} is {kind(answer)}. Hand over its name, without brackets."
        )
    return answer


def call(learners: Any, *arguments: Any, what: str = "your function", **named: Any) -> Any:
    """What the learner's function gives for these arguments; its errors become messages."""
    chosen = function(learners, what=what)
    try:
        value = chosen(*arguments, **named)
    except RecursionError as fault:
        raise Refused(f"Calling {what} never ended: it calls itself without a stop.") from fault
    except (Exception, SystemExit) as fault:
        raise Refused(f"Calling {what} with {_shown(arguments)} stopped with {described(fault)}.") from fault
    if holds_dots(value):
        raise Refused(NOT_ANSWERED)
    if value is None:
        raise Refused(f"Calling {what} with {_shown(arguments)} gave nothing back. Does it end in `return`?")
    return value


def _shown(arguments: tuple[Any, ...]) -> str:
    if not arguments:
        return "no argument"
    return ", ".join(
        f"`{value!r}`"
        if isinstance(value, (int, float, str)) and not isinstance(value, bool)
        else kind(value)
        for value in arguments
    )
