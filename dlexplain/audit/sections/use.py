"""Section 2: what only people can say of the model. Blanks are shown as blanks."""

from __future__ import annotations

from dlexplain.audit.card import FIELDS
from dlexplain.audit.check import section
from dlexplain.audit.record import Check, Part
from dlexplain.audit.subject import Subject

_ESSENTIAL = ("use", "users", "misuse")


@section(2, "Intended use", "What is the model for, who uses it, and how could it foreseeably be misused?")
def use(subject: Subject, checks: tuple[Check, ...]) -> Part:
    blank = [key for key in FIELDS if key not in subject.card]
    named = ", ".join(key.replace("_", " ") for key in blank)
    if not blank:
        words = (
            "Every question on the use of the model was answered by the auditor; the answers stand as they were given."
        )
    elif len(blank) == len(FIELDS):
        words = "No card was given: nothing is known here of what the model is for. Fill one in and pass it as card=."
    else:
        words = f"{len(FIELDS) - len(blank)} of {len(FIELDS)} questions were answered. Blank: {named}."
    summary = [words]
    if any(key in blank for key in _ESSENTIAL):
        summary.append("Whether the verdict answers the right question cannot be told without use, users and misuse.")
    return Part(
        number=2,
        title="Intended use",
        question="What is the model for, who uses it, and how could it foreseeably be misused?",
        summary=tuple(summary),
        facts=tuple((question, subject.card.get(key)) for key, question in FIELDS.items()),
        checks=checks,
        limits=("These are the auditor's words. Nothing here was measured.",),
    )
