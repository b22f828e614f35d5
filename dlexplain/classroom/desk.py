"""A lesson as the learner meets it: everything a notebook calls on `lesson`."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dlexplain.classroom.checks import Check, examine
from dlexplain.classroom.pages import box, code_block, folded, listing, prose, table
from dlexplain.classroom.progress import RECORD, Progress
from dlexplain.errors import InputError, suggest

if TYPE_CHECKING:
    from dlexplain.classroom.declare import Lesson, Question
    from dlexplain.classroom.orders import OrderCard
    from dlexplain.classroom.predictions import PredictionCard, Reveal
    from dlexplain.classroom.quizzes import QuizCard


@dataclass(frozen=True)
class Note:
    """A piece of page with its plain twin; shows itself. `record` travels with it in the saved notebook."""

    html: str
    text: str
    record: Mapping[str, Any] | None = None

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        page = {"text/html": self.html, "text/plain": self.text}
        return page if self.record is None else {**page, RECORD: dict(self.record)}

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


class Desk:
    """`lesson = dlx.classroom.lesson(4)`; put a call on the last line of its cell and it shows itself."""

    def __init__(self, lesson: Lesson, *, elsewhere: Callable[[int], Lesson] | None = None) -> None:
        self.lesson = lesson
        self._elsewhere = elsewhere
        self._progress = Progress(lesson.number)
        self._hints: dict[str, int] = {}
        self._cards: dict[str, PredictionCard] = {}

    def check(self, exercise: str, answer: Any, **given: Any) -> Check:
        """The verdict on an answer, whatever the answer; an unknown exercise is an InputError."""
        chosen = _named(self.lesson.exercises, exercise, "exercise")
        verdict = examine(chosen, answer, {**chosen.given, **given})
        if verdict.answered:

            def note(entry: dict[str, Any]) -> None:
                entry["tries"] = entry.get("tries", 0) + 1
                entry["passed"] = bool(entry.get("passed")) or verdict.passed
                entry["last"] = _now()

            self._progress.update("exercises", exercise, note)
        return verdict

    def hint(self, exercise: str) -> Note:
        """A nudge; asked again, a part of the way; asked a third time, the answer, folded."""
        chosen = _named(self.lesson.exercises, exercise, "exercise")
        shown = min(self._hints.get(exercise, 0) + 1, 3)
        self._hints[exercise] = shown
        self._progress.update(
            "exercises", exercise, lambda entry: entry.update(hints=max(shown, entry.get("hints", 0)))
        )
        nudge, part, answer = chosen.hints
        body, text = prose(nudge), nudge
        if shown >= 2:
            body, text = body + prose(part), f"{text}\n\n{part}"
        if shown == 3:
            body += folded("Show the answer (try once more before you open it)", _answer(answer))
            text += "\n\nThe answer is folded in the notebook; open it there."
        else:
            body += prose(
                f'Ask again for {"more" if shown == 1 else "the answer"}: `lesson.hint("{exercise}")`.'
            )
        return Note(box("hint", f"Hint {shown} of 3", body), text)

    def predict(self, name: str) -> PredictionCard:
        """The question with choices or a slider, and a button to commit the guess."""
        from dlexplain.classroom.predictions import PredictionCard

        chosen = _named(self.lesson.predictions, name, "prediction")
        entry = self._progress.read()["predictions"].get(name, {})
        card = PredictionCard(
            chosen, entry, lambda change: self._progress.update("predictions", name, change)
        )
        self._cards[name] = card
        return card

    def reveal(self, name: str, actual: Any) -> Reveal:
        """The outcome beside what was predicted, and the gap; folded while nothing was predicted."""
        from dlexplain.classroom.predictions import Reveal

        chosen = _named(self.lesson.predictions, name, "prediction")
        entry = self._progress.read()["predictions"].get(name, {})
        reveal = Reveal.of(chosen, entry.get("predicted"), actual)
        if reveal.predicted is not None:
            self._progress.update("predictions", name, reveal.record)
        elif name in self._cards:
            self._cards[name].waiting = reveal
        return reveal

    def quiz(self) -> QuizCard:
        """This lesson's questions, then some of earlier lessons: those once answered wrongly come first."""
        from dlexplain.classroom.quizzes import QuizCard

        def keep(question: Question, number: int, choice: str) -> None:
            right = choice == question.answer
            book = self._progress if number == self.lesson.number else Progress(number)
            book.update(
                "quiz", question.name, lambda entry: entry.update(choice=choice, right=right, last=_now())
            )

        return QuizCard(self.lesson.title, self._questions(), keep)

    def _questions(self) -> list[tuple[int, Question]]:
        own = [(self.lesson.number, question) for question in self.lesson.quiz.values()]
        back = []
        for number, name in self.lesson.recall if self._elsewhere else ():
            question = _named(self._elsewhere(number).quiz, name, f"question of lesson {number:02d}")
            once_right = Progress(number).read()["quiz"].get(name, {}).get("right", False)
            back.append((once_right, number, question))
        back.sort(key=lambda each: each[0])
        return own + [(number, question) for _, number, question in back]

    def order(self, name: str) -> OrderCard:
        """Lines to put in order, by keyboard or mouse."""
        from dlexplain.classroom.orders import OrderCard

        chosen = _named(self.lesson.orders, name, "ordering")

        def keep(passed: bool) -> None:
            def note(entry: dict[str, Any]) -> None:
                entry.update(
                    tries=entry.get("tries", 0) + 1, passed=entry.get("passed", False) or passed, last=_now()
                )

            self._progress.update("orders", name, note)

        return OrderCard(chosen, keep, seed=self.lesson.number)

    def progress(self) -> Note:
        """What is done in this lesson, and where the record lies."""
        record = self._progress.read()
        rows = list(_states(self.lesson, record))
        count = sum(finished for *_, finished in rows)
        caption = f"Lesson {self.lesson.number:02d}: {count} of {len(rows)} done"
        cells = [[prose(part), prose(name), prose(state)] for part, name, state, _ in rows]
        page = table(["part", "name", "state"], cells, caption)
        page += prose(
            f"Kept on this computer only, in `{self._progress.path}`. To hand in your work: run this cell last, save the "
            "notebook, and give the file to your teacher; this table travels in it."
        )
        text = "\n".join([caption, *(f"{part} {name}: {state}" for part, name, state, _ in rows)])
        return Note(page, text, {"lesson": self.lesson.number, **record})

    def glossary(self) -> Note:
        """The words that this lesson defines."""
        words = list(self.lesson.glossary.items())
        return Note(listing(words), "\n".join(f"{word}: {meaning}" for word, meaning in words))

    def sources(self) -> Note:
        """Where the lesson's facts come from."""
        items = "".join(f"<li>{_link(title, address)}</li>" for title, address in self.lesson.sources)
        text = "\n".join(f"{title}: {address}" for title, address in self.lesson.sources)
        return Note(f'<ul style="margin:.3em 0">{items}</ul>', text)

    def _repr_html_(self) -> str:
        lesson = self.lesson
        goals = "".join(f"<li>{prose(goal)}</li>" for goal in lesson.goals)
        body = prose(f"**{lesson.question}**".replace("*", ""))
        body += f'<p style="margin:.4em 0 0">After it you can:</p><ul style="margin:.1em 0">{goals}</ul>'
        if lesson.know_first:
            body += prose("Know first: " + "; ".join(lesson.know_first) + ".")
        body += prose(f"Minutes: about {lesson.minutes[0]} to read, {lesson.minutes[1]} to run.")
        return box("plain", f"Lesson {lesson.number:02d}: {lesson.title}", body)

    def __repr__(self) -> str:
        return f"Lesson {self.lesson.number:02d}: {self.lesson.title}. {self.lesson.question}"


def done(lesson: Lesson) -> tuple[int, int]:
    """How many parts of a lesson this learner has finished, and how many there are."""
    states = [finished for *_, finished in _states(lesson, Progress(lesson.number).read())]
    return sum(states), len(states)


def _states(lesson: Lesson, record: Mapping[str, Any]) -> Iterable[tuple[str, str, str, bool]]:
    for name in lesson.predictions:
        entry = record["predictions"].get(name, {})
        made = entry.get("predicted") is not None
        state = f"predicted {entry['predicted']}" if made else "not predicted yet"
        if made and "actual" in entry:
            state += f", was {entry['actual']}"
        yield "prediction", name, state, made
    for part, names in (("exercise", lesson.exercises), ("ordering", lesson.orders)):
        for name in names:
            entry = record["exercises" if part == "exercise" else "orders"].get(name, {})
            tries, hints, passed = entry.get("tries", 0), entry.get("hints", 0), bool(entry.get("passed"))
            state = "\u2713 right" if passed else "not yet" if tries else "not tried yet"
            state += f", {tries} {'try' if tries == 1 else 'tries'}" if tries else ""
            state += f", {hints} of 3 hints" if hints else ""
            yield part, name, state, passed
    for name in lesson.quiz:
        entry = record["quiz"].get(name, {})
        right = bool(entry.get("right"))
        yield "question", name, "\u2713 right" if right else "not yet" if entry else "not answered yet", right


def _named(known: Mapping[str, Any], name: Any, sort: str) -> Any:
    if name in known:
        return known[name]
    listed = ", ".join(repr(each) for each in known) or "none"
    raise InputError(f"There is no {sort} {name!r}. {suggest(name, known)}The names are: {listed}.")


def _answer(answer: str) -> str:
    prose_part, _, code = answer.partition("\n```\n")
    return prose(prose_part) + (code_block(code.removesuffix("```").rstrip("`\n")) if code else "")


def _link(title: str, address: str) -> str:
    text = prose(title).replace('<p style="margin:.25em 0">', "").replace("</p>", "")
    if not address.startswith(("https://", "http://")):
        return f"{text}, {address}" if address else text
    safe = address.replace('"', "%22").replace("<", "%3C")
    return f'<a href="{safe}" target="_blank" rel="noopener">{text}</a>'


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
