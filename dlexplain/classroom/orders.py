"""Lines of code to put in order (Parsons problems); the verdict names two lines that stand the wrong way."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from dlexplain.classroom.checks import Check
from dlexplain.classroom.pages import code_block, folded, prose
from dlexplain.classroom.widgets import Card, ipywidgets
from dlexplain.errors import InputError

if TYPE_CHECKING:
    from dlexplain.classroom.declare import Ordering

_FONT = "font-family:var(--jp-code-font-family,monospace);line-height:1.6"
_HARD_SPACE = "\u00a0"  # a list box swallows ordinary leading spaces, and indentation is part of the code


class OrderCard(Card):
    """A list box and buttons; `arrange(lines)` and `check()` do what they do.

    By keyboard: arrows choose a line, Tab reaches the buttons, Space presses; the line stays chosen.
    """

    def __init__(self, ordering: Ordering, keep: Callable[[bool], None], *, seed: int) -> None:
        widgets = ipywidgets("ordering exercises")
        self.ordering = ordering
        self._keep = keep
        self.lines = shuffled(ordering, seed)
        self._out: set[str] = set()
        self.box = widgets.Select(
            rows=min(len(self.lines) + 1, 14), layout=widgets.Layout(width="auto", max_width="52em")
        )
        self.box.add_class("dlexplain-lines")
        buttons = []
        for text, icon, action in (
            ("Up", "arrow-up", lambda _: self._move(-1)),
            ("Down", "arrow-down", lambda _: self._move(1)),
            ("Leave out or put back", "eye-slash", lambda _: self._toggle()),
            ("Check the order", "check", lambda _: self.check()),
        ):
            if text.startswith("Leave") and not ordering.distractors:
                continue
            button = widgets.Button(description=text, icon=icon, layout=widgets.Layout(width="auto"))
            button.on_click(action)
            buttons.append(button)
        buttons[-1].button_style = "primary"
        self.verdict = widgets.HTML()
        style = f"<style>.dlexplain-lines select{{{_FONT}}}</style>"
        head = widgets.HTML(f'{style}<div style="max-width:52em">{prose(ordering.question)}</div>')
        self._fill(0)
        super().__init__([head, self.box, widgets.HBox(buttons), self.verdict])

    def arrange(self, lines: Sequence[str]) -> None:
        """Put these lines first, in this order; lines not named are left out."""
        unknown = [line for line in lines if line not in self.lines]
        if unknown:
            raise InputError(f"{unknown[0]!r} is not a line of the ordering {self.ordering.name!r}.")
        rest = [line for line in self.lines if line not in lines]
        self.lines, self._out = [*lines, *rest], set(rest)
        self._fill(0)

    def check(self) -> Check:
        """Judge the order as it stands, show and keep the verdict."""
        verdict = judge(self.ordering, [line for line in self.lines if line not in self._out])
        self.verdict.value = verdict._repr_html_()
        self._keep(verdict.passed)
        return verdict

    def _fill(self, index: int) -> None:
        pairs = [(self._shown(line), place) for place, line in enumerate(self.lines)]
        self.box.options = pairs
        self.box.value = index

    def _shown(self, line: str) -> str:
        bare = line.lstrip(" ")
        text = _HARD_SPACE * (len(line) - len(bare)) + bare
        return f"(left out) {text}" if line in self._out else text

    def _move(self, step: int) -> None:
        here = self.box.value
        there = 0 if here is None else here + step
        if here is not None and 0 <= there < len(self.lines):
            self.lines[here], self.lines[there] = self.lines[there], self.lines[here]
            self._fill(there)

    def _toggle(self) -> None:
        if self.box.value is not None:
            self._out ^= {self.lines[self.box.value]}
            self._fill(self.box.value)

    def to_html(self) -> str:
        """The lines as they came, the answer folded."""
        answer = folded("Show the order", code_block("\n".join(self.ordering.lines)))
        return prose(self.ordering.question) + code_block("\n".join(self.lines)) + answer


def shuffled(ordering: Ordering, seed: int) -> list[str]:
    """All lines in an order that is not right yet, the same for everyone."""
    lines = [*ordering.lines, *ordering.distractors]
    rng = random.Random(f"{seed}/{ordering.name}")
    while judge(ordering, [line for line in lines if line not in ordering.distractors]).passed:
        rng.shuffle(lines)
    return lines


def judge(ordering: Ordering, lines: Sequence[str]) -> Check:
    """The verdict on lines in an order; names a line that does not belong, is missing, or comes too early."""
    for line in lines:
        if line in ordering.distractors:
            return Check(False, f"`{line.strip()}` does not belong here: {ordering.distractors[line]}")
    missing = [line for line in ordering.lines if line not in lines]
    if missing:
        return Check(False, f"A line that is needed is left out: `{missing[0].strip()}`.")
    place = {line: index for index, line in enumerate(lines)}
    for first, second in ordering.pairs():
        early, late = ordering.lines[second], ordering.lines[first]
        if place[early] < place[late]:
            why = ordering.because.get((first, second), "it needs what that line makes.")
            return Check(
                False, f"`{early.strip()}` comes too early: put it after `{late.strip()}`, {_joined(why)}"
            )
    return Check(True, "Every line has what it needs by the time it runs.")


def _joined(reason: str) -> str:
    return reason if reason.startswith(("it ", "because ", "since ", "so ")) else f"because {reason}"
