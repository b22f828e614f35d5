"""A lesson at the learner's side: hints in turn, guesses kept, orders and quizzes judged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dlexplain.classroom import Desk, Lesson, Ordering, contents
from dlexplain.classroom import lesson as open_lesson
from dlexplain.classroom.orders import judge
from dlexplain.classroom.pages import prose
from dlexplain.classroom.predictions import Reveal
from dlexplain.errors import InputError


def _kept(home: Path) -> dict:
    return json.loads((home / "progress" / "lesson_97.json").read_text(encoding="utf-8"))


def test_hints_come_one_at_a_time_and_the_answer_is_folded(desk: Desk, learners_home: Path) -> None:
    pages = [desk.hint("double")._repr_html_() for _ in range(4)]
    assert ["Think of pairs" in page for page in pages] == [True, True, True, True]
    assert ["two of them" in page for page in pages] == [False, True, True, True]
    assert ["21 * factor" in page for page in pages] == [False, False, True, True]
    folded = pages[2].partition("<details")[2]
    assert "21 * factor" in folded
    assert "21 * factor" not in pages[2].partition("<details")[0]
    assert "21 * factor" not in repr(desk.hint("double"))
    assert _kept(learners_home)["exercises"]["double"]["hints"] == 3
    assert "Hint 1 of 3" in desk.hint("square")._repr_html_()


def test_a_committed_number_is_kept_and_shown_beside_the_outcome(desk: Desk, learners_home: Path) -> None:
    card = desk.predict("share")
    assert desk.progress().text.count("not predicted yet") == 2
    card.control.value = 0.5
    card.button.click()
    reveal = desk.reveal("share", 0.9)
    assert reveal.gap == pytest.approx(0.4)
    assert "You predicted 0.50 of all; the outcome is 0.90 of all, 0.40 of all higher" in reveal._repr_html_()
    assert _kept(learners_home)["predictions"]["share"] == {
        "predicted": 0.5,
        "actual": 0.9,
        "gap": pytest.approx(0.4),
    }


def test_a_seen_outcome_freezes_the_guess(desk: Desk, lesson: Lesson, learners_home: Path) -> None:
    desk.predict("share").commit()
    desk.reveal("share", 0.9)
    again = Desk(lesson).predict("share")
    assert again.button.disabled
    again.control.value = 0.9
    again.commit()
    assert _kept(learners_home)["predictions"]["share"]["predicted"] == 0.5


def test_without_a_guess_the_outcome_is_folded(desk: Desk, learners_home: Path) -> None:
    desk.predict("where")
    reveal = desk.reveal("where", "west")
    before, _, after = reveal._repr_html_().partition("<details")
    assert "west" not in before
    assert "west" in after
    assert "west" not in repr(reveal)
    assert reveal.gap is None
    assert not (learners_home / "progress" / "lesson_97.json").exists()


def test_a_guess_committed_late_fills_in_what_was_shown(
    desk: Desk, learners_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    updated = []
    monkeypatch.setattr(Reveal, "update", lambda self, shown: updated.append((self, shown)))
    card = desk.predict("where")
    shown = desk.reveal("where", "west")
    card.button.click()
    assert "Nothing chosen yet" in card.state.value
    assert updated == []
    card.control.value = "east"
    card.button.click()
    [(first, then)] = updated
    assert first is shown
    assert then._display_id() != ""
    assert "not as you predicted" in then._repr_html_()
    assert _kept(learners_home)["predictions"]["where"] == {"predicted": "east", "actual": "west"}
    assert card.button.disabled


@pytest.mark.parametrize(("name", "actual"), [("share", "much"), ("share", float("nan")), ("where", "above")])
def test_an_outcome_that_fits_no_guess_is_an_error(desk: Desk, name: str, actual: object) -> None:
    with pytest.raises(InputError, match=f"outcome of '{name}'"):
        desk.reveal(name, actual)


@pytest.mark.parametrize(
    ("lines", "passed", "fragment"),
    [
        ([0, 1, 2, 3], True, "Every line"),
        ([1, 0, 2, 3], True, "Every line"),
        ([1, 2, 0, 3], True, "Every line"),
        ([0, 2, 1, 3], False, "`for value in values:` comes too early: put it after `values = [1, 2]`"),
        ([0, 1, 3, 2], False, "it stands in the loop"),
        ([0, 1, 2], False, "left out: `total += value`"),
    ],
)
def test_an_order_is_judged_by_what_needs_what(
    lesson: Lesson, lines: list[int], passed: bool, fragment: str
) -> None:
    ordering = lesson.orders["loop"]
    verdict = judge(ordering, [ordering.lines[index] for index in lines])
    assert verdict.passed is passed
    assert fragment in verdict.message


def test_lines_move_by_buttons_and_stay_chosen(desk: Desk, lesson: Lesson, learners_home: Path) -> None:
    card = desk.order("loop")
    assert "does not belong" in card.check().message
    card.box.value = card.lines.index("total = None")
    buttons = {button.description: button for button in card.widget.children[2].children}
    buttons["Leave out or put back"].click()
    assert "(left out)" in card.box.options[card.box.value][0]
    line = card.lines[-1]
    card.box.value = len(card.lines) - 1
    for _ in range(len(card.lines) + 2):
        buttons["Up"].click()
    assert card.lines[0] == line
    assert card.box.value == 0
    card.arrange(lesson.orders["loop"].lines)
    buttons["Check the order"].click()
    assert "Right." in card.verdict.value
    assert _kept(learners_home)["orders"]["loop"] == {
        "passed": True,
        "tries": 2,
        "last": _kept(learners_home)["orders"]["loop"]["last"],
    }


def test_an_ordering_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(InputError, match="earlier lines"):
        Ordering("x", "?", ("a", "b", "c"), after={0: (1,)})


def test_a_quiz_explains_each_choice_and_keeps_it(desk: Desk, learners_home: Path) -> None:
    quiz = desk.quiz()
    quiz.answer("twice", "22")
    assert "Not side by side." in quiz.verdicts["97/twice"].value
    assert _kept(learners_home)["quiz"]["twice"]["right"] is False
    quiz.answer("twice", "4")
    assert _kept(learners_home)["quiz"]["twice"]["right"] is True
    before = quiz.to_html().split("<details")[0]
    assert "Twice two?" in before
    assert "Two and two." not in before


def test_a_quiz_asks_first_what_was_not_known_in_earlier_lessons(lesson: Lesson) -> None:
    import dataclasses

    Desk(lesson).quiz().answer("twice", "4")
    later = dataclasses.replace(lesson, number=98, quiz={}, recall=((97, "twice"), (97, "once")))
    asked = Desk(later, elsewhere=lambda number: lesson).quiz().questions
    assert [(number, question.name) for number, question in asked] == [(97, "once"), (97, "twice")]


def test_cards_have_a_static_twin(desk: Desk) -> None:
    for card in (desk.predict("share"), desk.predict("where"), desk.order("loop"), desk.quiz()):
        bundle = card._repr_mimebundle_()
        assert "application/vnd.jupyter.widget-view+json" in bundle
        assert len(bundle["text/html"]) > 50


def test_progress_counts_what_is_done(desk: Desk) -> None:
    assert "0 of 10 done" in desk.progress().text
    desk.check("double", 1)
    desk.check("double", 42)
    desk.check("double", 1)
    note = desk.progress()
    assert "1 of 10 done" in note._repr_html_()
    assert "exercise double: \u2713 right, 3 tries" in note.text


def test_the_lesson_introduces_itself_and_its_words_and_sources(desk: Desk) -> None:
    assert "How much is twice?" in desk._repr_html_()
    assert "Two times." in desk.glossary()._repr_html_()
    page = desk.sources()._repr_html_()
    assert 'href="https://example.org/book"' in page
    assert "A talk" in page


def test_an_unknown_lesson_is_an_error_that_lists_them() -> None:
    with pytest.raises(InputError, match="There is no lesson 4711"):
        open_lesson(4711)
    assert "The course" in contents()._repr_html_()


def test_prose_knows_strong_words_and_leaves_powers_in_code_alone() -> None:
    assert "<strong>not a digit</strong>" in prose("This is **not a digit**.")
    assert "<strong>the <code>sum</code></strong>" in prose("It is **the `sum`**.")
    assert "<code>x**2 + y**2</code>" in prose("Take `x**2 + y**2`.")
    assert "2 ** 3 ** 4" in prose("2 ** 3 ** 4")
    assert "<script>" not in prose("**<script>** and `<script>`")
