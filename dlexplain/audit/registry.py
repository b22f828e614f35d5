"""Every section and its checks. A section enters itself when it is imported here."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module

from dlexplain.audit.check import CHECKS, SECTIONS, CheckFacts
from dlexplain.errors import InputError

_SECTIONS = (
    "verdict",
    "identity",
    "use",
    "limits",
    "evidence",
    "performance",
    "slices",
    "data_sheet",
    "inside",
    "explainers",
    "global_explanations",
    "gallery",
    "disagreement",
    "shortcuts",
    "manipulation",
    "knowledge",
    "power",
    "cost",
)
for _name in _SECTIONS:
    import_module(f"dlexplain.audit.sections.{_name}")

VERDICT = 0  # told last, when all others are known, and shown first
CLOSING = (16, 17)  # told when the others are known: they speak of all checks


def chosen(sections: Iterable[int] | None) -> tuple[int, ...]:
    """The sections asked for, in order; the verdict is always among them. Raises `InputError`."""
    if sections is None:
        return tuple(sorted(SECTIONS))
    if isinstance(sections, (str, int)):
        raise InputError(f"sections={sections!r} must be a list of numbers, such as [3, 7].")
    asked = {VERDICT, *sections}
    for number in asked:
        if number not in SECTIONS:
            known = ", ".join(f"{n} ({SECTIONS[n].title})" for n in sorted(SECTIONS))
            raise InputError(f"sections: {number!r} is not a section. Sections: {known}.")
    return tuple(sorted(asked))


def checks_of(section: int) -> tuple[CheckFacts, ...]:
    """The checks of one section, in the order in which they are written."""
    return tuple(facts for facts in CHECKS.values() if facts.section == section)
