"""How sections and checks enter the audit: each is a function of the subject, found by its name or number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dlexplain.audit.record import Check, Part

if TYPE_CHECKING:
    from dlexplain.audit.subject import Subject


@dataclass(frozen=True, kw_only=True)
class CheckFacts:
    """A check and what it needs. `kinds`, `tasks`: where it applies; elsewhere it is NOT RUN, with the reason.

    `gate`: whether it may decide the verdict where the profile has no threshold for it; else the threshold says so.
    """

    name: str
    function: Callable[[Subject], Check]
    section: int
    title: str
    kinds: tuple[str, ...] = ("image", "table", "series", "tokens")
    tasks: tuple[str, ...] = ("classification", "regression")
    gate: bool = True


@dataclass(frozen=True, kw_only=True)
class SectionFacts:
    """A section: its question, and the function that tells its story round the checks already made."""

    number: int
    title: str
    question: str
    function: Callable[[Subject, tuple[Check, ...]], Part]


CHECKS: dict[str, CheckFacts] = {}
SECTIONS: dict[int, SectionFacts] = {}


def check(**facts: Any):
    """Enters `function(subject) -> Check` under its own name; facts as in `CheckFacts`."""

    def enter(function):
        CHECKS[function.__name__] = CheckFacts(name=function.__name__, function=function, **facts)
        return function

    return enter


def section(number: int, title: str, question: str):
    """Enters `function(subject, checks) -> Part` under its number."""

    def enter(function):
        SECTIONS[number] = SectionFacts(number=number, title=title, question=question, function=function)
        return function

    return enter
