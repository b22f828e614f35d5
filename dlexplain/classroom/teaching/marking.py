"""A class's handed-in notebooks as one table, and its predictions beside the outcomes. Nothing leaves the computer."""

from __future__ import annotations

import csv
import html
import io
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlexplain.classroom import lessons, running, whole
from dlexplain.classroom.declare import Lesson, Prediction
from dlexplain.classroom.pages import prose, table
from dlexplain.classroom.teaching.handed_in import HandedIn, handed_in
from dlexplain.classroom.teaching.papers import paper, scale_of

COLUMNS = ("learner", "lesson", "exercises right", "of", "tries", "hints", "orderings right", "quiz right", "predictions",
           "run again", "remark")  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Mark:
    """A learner's work on one lesson. `again`: exercises right when the notebook was run again, None where it was not."""

    given: HandedIn
    lesson: Lesson | None
    again: int | None = None
    remark: str = ""

    def row(self) -> dict[str, Any]:
        """A row of the table, by column."""
        name = self.given.learner
        if self.lesson is None:
            return dict.fromkeys(COLUMNS, "") | {"learner": name, "remark": self.remark}
        record = self.given.record
        row = dict.fromkeys(COLUMNS, "") | {"learner": name, "lesson": f"{self.lesson.number:02d}"}
        row |= {
            "of": len(self.lesson.exercises),
            "run again": "" if self.again is None else self.again,
            "remark": self.remark,
        }
        if record is None:
            return row
        exercises = {key: record["exercises"].get(key, {}) for key in self.lesson.exercises}
        return row | {
            "exercises right": sum(bool(each.get("passed")) for each in exercises.values()),
            "tries": sum(_count(each, "tries") for each in exercises.values()),
            "hints": sum(_count(each, "hints") for each in exercises.values()),
            "orderings right": _share(record["orders"], self.lesson.orders, "passed"),
            "quiz right": _share(record["quiz"], self.lesson.quiz, "right"),
            "predictions": _share(record["predictions"], self.lesson.predictions, "predicted"),
        }


def collect(folder: Path, out: Path, *, run: bool = False) -> list[Mark]:
    """Reads a folder of handed-in notebooks; writes `results.csv` and `results.html` into `out`.

    `run` True executes each notebook, without a network, and counts the exercises that are right then: this runs the
    learners' code on this computer. Raises InputError where there is nothing to read.
    """
    marks = [_marked(given, run) for given in handed_in(folder)]
    marks.sort(key=lambda mark: (mark.given.number is None, mark.given.number or 0, mark.given.learner.casefold()))
    out.mkdir(parents=True, exist_ok=True)
    _write_csv(out / "results.csv", marks)
    whole.write(out / "results.html", results_page(marks))
    return marks


def _marked(given: HandedIn, run: bool) -> Mark:
    if given.fault:
        return Mark(given, None, remark=given.fault)
    if given.number not in lessons.numbers():
        return Mark(given, None, remark=f"there is no lesson {given.number:02d}")
    lesson = lessons.declared(given.number)
    remarks = ["no record in it: its last cell was not run, or it was not saved"] if given.record is None else []
    again = None
    if run:
        print(f"running {given.path.name} of {given.learner}", file=sys.stderr, flush=True)
        done = running.run(given.path, sweep=False)
        found = done.progress.get(f"lesson_{given.number:02d}", {}).get("exercises", {})
        right = {name for name in lesson.exercises if found.get(name, {}).get("passed")}
        again = len(right)
        said = {name for name, each in (given.record or {}).get("exercises", {}).items() if each.get("passed") is True}
        if said - right:
            remarks.append(f"not right when run again: {', '.join(sorted(said - right))}")
        remarks += [f"stopped: {fault}" for fault in done.faults[:1]]
    return Mark(given, lesson, again, "; ".join(remarks))


def results_page(marks: Sequence[Mark]) -> str:
    """The table, and for each lesson what the class predicted."""
    rows = [[html.escape(str(mark.row()[column])) for column in COLUMNS] for mark in marks]
    parts = [f"<h1>What the class handed in</h1>{table(list(COLUMNS), rows, f'{len(marks)} notebooks')}"]
    for number in sorted({mark.lesson.number for mark in marks if mark.lesson}):
        same = [mark for mark in marks if mark.lesson and mark.lesson.number == number and mark.given.record]
        lesson = lessons.declared(number)
        predicted = "".join(_predictions(each, same) for each in lesson.predictions.values()) if same else ""
        harder = _hardest(lesson, same)
        if predicted or harder:
            parts.append(f"<h2>{number:02d} · {html.escape(lesson.title)}</h2>{harder}{predicted}")
    return paper("What the class handed in", "".join(parts)).replace("<main>", '<main style="max-width:72rem">')


def _hardest(lesson: Lesson, marks: Sequence[Mark]) -> str:
    """How many solved each exercise, and the hints they took."""
    rows = []
    for name in lesson.exercises:
        each = [mark.given.record["exercises"].get(name, {}) for mark in marks]
        right = sum(bool(entry.get("passed")) for entry in each)
        hints = sum(_count(entry, "hints") for entry in each)
        rows.append([html.escape(name), f"{right} of {len(each)}", str(hints)])
    return table(["exercise", "right", "hints taken"], rows, "Exercise by exercise") if marks else ""


def _predictions(prediction: Prediction, marks: Sequence[Mark]) -> str:
    entries = [mark.given.record["predictions"].get(prediction.name, {}) for mark in marks]
    guesses = [entry["predicted"] for entry in entries if _fits(prediction, entry.get("predicted"))]
    outcomes = [entry["actual"] for entry in entries if _fits(prediction, entry.get("actual"))]
    if not guesses:
        return ""
    head = f"<h3>The class predicted</h3>{prose(prediction.question)}"
    if prediction.choices:
        rows = []
        for choice in prediction.choices:
            mark = " ✓ outcome" if outcomes and max(set(outcomes), key=outcomes.count) == choice else ""
            rows.append([html.escape(choice) + mark, "●" * guesses.count(choice), str(guesses.count(choice))])
        return f"<div class='item'>{head}{table(['choice', '', 'learners'], rows, '')}</div>"
    return f"<div class='item'>{head}{_strip(prediction, guesses, outcomes)}</div>"


def _strip(prediction: Prediction, guesses: Sequence[float], outcomes: Sequence[float]) -> str:
    """A dot a guess over the range of the slider, stacked where they meet; a line at the median outcome."""
    low = min(prediction.low, *outcomes) if outcomes else prediction.low
    high = max(prediction.high, *outcomes) if outcomes else prediction.high

    def place(value: float) -> float:
        return 30 + 640 * (value - low) / (high - low)

    piles: dict[int, int] = {}
    dots = []
    for guess in sorted(guesses):
        column = round(place(guess) / 11)
        piles[column] = piles.get(column, 0) + 1
        dots.append(f'<circle cx="{11 * column}" cy="{100 - 11 * piles[column]}" r="5" fill="#0072B2"/>')
    line, said = "", "no outcome recorded"
    if outcomes:
        actual = sorted(outcomes)[len(outcomes) // 2]
        at, said = place(actual), f"the outcome was {actual:.3g}"
        line = f'<line x1="{at:.0f}" x2="{at:.0f}" y1="4" y2="100" stroke="#D55E00" stroke-width="3" stroke-dasharray="6 3"/>'
    ends = f'<text x="30" y="120">{low:g}</text><text x="670" y="120" text-anchor="end">{high:g}</text>'
    middle = sorted(guesses)[len(guesses) // 2]
    words = f"{len(guesses)} guesses over {scale_of(prediction)}, the middle one {middle:.3g}; {said}."
    return (
        f'<svg role="img" aria-label="{html.escape(words, quote=True)}" viewBox="0 0 700 126" style="max-width:44rem" '
        f'font-size="13"><line x1="30" x2="670" y1="100" y2="100" stroke="#5b6472"/>{line}{"".join(dots)}{ends}</svg>'
        f"<p class='soft'>{html.escape(words)}</p>"
    )


def _fits(prediction: Prediction, value: Any) -> bool:
    if prediction.choices:
        return value in prediction.choices
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e12


def _count(entry: Mapping[str, Any], name: str) -> int:
    value = entry.get(name, 0)
    return value if isinstance(value, int) and 0 <= value < 10**6 else 0


def _share(entries: Mapping[str, Mapping[str, Any]], declared: Mapping[str, Any], key: str) -> str:
    done = sum(entries.get(name, {}).get(key) not in (None, False) for name in declared)
    return f"{done} of {len(declared)}"


def _write_csv(path: Path, marks: Sequence[Mark]) -> None:
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS)
    writer.writeheader()
    writer.writerows({name: _harmless(value) for name, value in mark.row().items()} for mark in marks)
    whole.write(path, file.getvalue(), encoding="utf-8-sig")  # the mark has spreadsheets read it as UTF-8


def _harmless(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula, made plain."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
