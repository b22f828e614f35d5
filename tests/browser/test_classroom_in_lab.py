"""The classroom's cards in a real JupyterLab, by keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from .laboratory import Laboratory, Notebook, Watch

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

CELLS = [
    """
from dlexplain.classroom import Desk, Exercise, Lesson, Ordering, Prediction, Question, number, right, wrong
lesson = Desk(Lesson(
    number=96, title="Keys", question="Do they reach?", goals=("press",), minutes=(1, 0),
    predictions=(
        Prediction("share", "What share?"),
        Prediction("where", "Where?", choices=("north", "south", "west")),
    ),
    orders=(Ordering("steps", "In order.", ("a = 1", "b = a", "    c = b"), distractors={"d": "Not asked."}),),
    quiz=(Question("one", "One?", {"yes": "So it is.", "no": "Not no.", "maybe": "Not maybe."}, "yes"),),
))
""",
    "lesson.predict('share')",
    "lesson.reveal('share', 0.9)",
    "lesson.predict('where')",
    "lesson.reveal('where', 'south')",
    "lesson.order('steps')",
    "lesson.quiz()",
]


@pytest.fixture(scope="module")
def seen(lab: Laboratory, browser: Browser) -> Iterator[tuple[Notebook, Watch]]:
    name = lab.notebook("cards.ipynb", CELLS)
    with lab.open(browser, name) as (notebook, watch):
        yield notebook, watch


def _press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)
        page.wait_for_timeout(150)


def _tab_to(page: Page, control: Locator) -> None:
    for _ in range(8):
        if control.evaluate("node => node === document.activeElement"):
            return
        _press(page, "Tab")
    pytest.fail("the Tab key does not reach the control")


def test_a_number_is_predicted_by_keyboard_and_its_outcome_appears(seen: tuple[Notebook, Watch]) -> None:
    notebook, _ = seen
    card, outcome = notebook.cells.nth(1), notebook.cells.nth(2)
    expect(outcome.locator("details")).not_to_have_attribute("open", "")
    card.get_by_role("slider").focus()
    _press(notebook.page, "ArrowRight", "ArrowRight")
    expect(card.locator(".widget-readout")).to_have_text("0.52")
    _tab_to(notebook.page, card.get_by_role("button", name="Commit"))
    _press(notebook.page, "Enter")
    expect(card.get_by_role("status")).to_contain_text("You predicted 0.52")
    expect(outcome.get_by_role("img")).to_have_attribute(
        "aria-label", "You predicted 0.52; the outcome is 0.90, 0.38 higher than you thought."
    )


def test_a_choice_is_predicted_by_keyboard(seen: tuple[Notebook, Watch]) -> None:
    notebook, _ = seen
    card = notebook.cells.nth(3)
    card.get_by_role("radio").first.focus()
    _press(notebook.page, "Space", "ArrowDown")
    _tab_to(notebook.page, card.get_by_role("button", name="Commit"))
    _press(notebook.page, "Space")
    expect(card.get_by_role("status")).to_contain_text("You predicted \u201csouth\u201d")
    expect(notebook.cells.nth(4)).to_contain_text("as you predicted")


def test_lines_are_ordered_by_keyboard(seen: tuple[Notebook, Watch]) -> None:
    notebook, _ = seen
    card = notebook.cells.nth(5)
    box = card.locator("select")
    before = box.locator("option").all_inner_texts()
    box.focus()
    _press(notebook.page, "ArrowDown")
    _tab_to(notebook.page, card.locator("button.widget-button[title=Up]"))
    _press(notebook.page, "Space")
    notebook.page.wait_for_timeout(500)
    assert box.locator("option").all_inner_texts() == [before[1], before[0], *before[2:]]
    _tab_to(notebook.page, card.get_by_role("button", name="Check the order"))
    _press(notebook.page, "Enter")
    expect(card.get_by_role("status")).to_contain_text("Not yet.")


def test_a_quiz_is_answered_by_keyboard(seen: tuple[Notebook, Watch]) -> None:
    notebook, watch = seen
    card = notebook.cells.nth(6)
    card.get_by_role("radio").first.focus()
    _press(notebook.page, "Space", "ArrowDown")
    _tab_to(notebook.page, card.get_by_role("button", name="Check"))
    _press(notebook.page, "Enter")
    expect(card.get_by_role("status")).to_contain_text("Not no.")
    notebook.shot("cards")
    watch.clean()
