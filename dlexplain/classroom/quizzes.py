"""The recall quiz: one question after another, each choice answered with its own explanation."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dlexplain.classroom.pages import box, folded, prose
from dlexplain.classroom.widgets import Card, ipywidgets

if TYPE_CHECKING:
    from dlexplain.classroom.declare import Question


class QuizCard(Card):
    """Radio buttons and a button for each question; `answer(name, choice)` does what the buttons do."""

    def __init__(
        self, title: str, questions: list[tuple[int, Question]], keep: Callable[[Question, int, str], None]
    ) -> None:
        widgets = ipywidgets("quizzes")
        self.title = title
        self.questions = questions
        self._keep = keep
        self.verdicts: dict[str, Any] = {}
        self._choices: dict[str, Any] = {}
        super().__init__([self._row(widgets, index, *each) for index, each in enumerate(questions)])

    def _row(self, widgets: Any, index: int, number: int, question: Question) -> Any:
        choice = widgets.RadioButtons(options=list(question.choices), value=None)
        choice.layout.width = "auto"
        choice.layout.max_width = "52em"
        button = widgets.Button(description="Check", icon="check")
        verdict = widgets.HTML()
        button.on_click(lambda _: self._judge(number, question))
        self._choices[self._key(number, question)] = choice
        self.verdicts[self._key(number, question)] = verdict
        head = widgets.HTML(_head(index, number, question, len(self.questions)))
        return widgets.VBox([head, choice, button, verdict], layout=widgets.Layout(margin="0 0 1em 0"))

    @staticmethod
    def _key(number: int, question: Question) -> str:
        return f"{number:02d}/{question.name}"

    def _judge(self, number: int, question: Question) -> None:
        key = self._key(number, question)
        choice = self._choices[key].value
        if choice is None:
            page = box("open", "Nothing chosen yet", prose("Choose one answer, then check it."), live=True)
        else:
            self._keep(question, number, choice)
            right = choice == question.answer
            page = box(
                "right" if right else "wrong",
                "Right." if right else "Not yet.",
                prose(question.choices[choice]),
                live=True,
            )
        self.verdicts[key].value = page

    def answer(self, name: str, choice: str) -> None:
        """Answer the question `name` from code."""
        number, question = next(each for each in self.questions if each[1].name == name)
        self._choices[self._key(number, question)].value = choice
        self._judge(number, question)

    def to_html(self) -> str:
        """Questions with their explanations folded."""
        parts = []
        for index, (number, question) in enumerate(self.questions):
            choices = "".join(f"<li>{html.escape(choice)}</li>" for choice in question.choices)
            why = "".join(
                prose(f"{'Right' if choice == question.answer else 'Not so'}: {_ended(choice)} {reason}")
                for choice, reason in question.choices.items()
            )
            head = _head(index, number, question, len(self.questions))
            parts.append(f'{head}<ul style="margin:.2em 0">{choices}</ul>{folded("Show the answer", why)}')
        return "".join(parts)


def _ended(choice: str) -> str:
    return choice if choice.endswith((".", "?", "!")) else f"{choice}."


def _head(index: int, number: int, question: Question, count: int) -> str:
    place = f"Question {index + 1} of {count} \u00b7 from lesson {number:02d}"
    origin = f'<div style="opacity:.75;font-size:.9em">{place}</div>'
    return f'{origin}<div style="max-width:52em;line-height:1.45">{prose(question.text)}</div>'
