"""The control room of lesson 17 in a real JupyterLab: a year on duty from the keyboard alone, without an error or an
outside request."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from .laboratory import Laboratory, Notebook, Watch

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

# No framework is needed: a rule that calls a fast pump that shakes and a slow pump that lost pressure.
SHOWN = """import numpy as np
from dlexplain.classroom.lessons.lesson_17.room import ControlRoom
from dlexplain.classroom.lessons.lesson_17.stream import Events, plant

def train(rows, repaired):
    def opened(stream):
        scaled = (stream.inputs - rows.mean(axis=0)) / rows.std(axis=0)
        fast = scaled[..., 0] > 0
        credit = np.zeros_like(scaled)
        credit[..., 1], credit[..., 2] = np.where(fast, scaled[..., 1], 0), np.where(fast, 0, -scaled[..., 2])
        return (credit.sum(axis=-1) > 0.9).astype(float), credit
    return opened

ControlRoom({"a year": plant(40, events=Events(controller=20), seed=3), "a calm year": plant(40, seed=4)},
            plant(8, first=-7, seed=5), train)"""


@pytest.fixture(scope="module")
def opened(lab: Laboratory, browser: Browser) -> Iterator[tuple[Notebook, Watch]]:
    name = lab.notebook("control_room.ipynb", [SHOWN])
    with lab.open(browser, name) as pair:
        yield pair


@pytest.fixture
def card(opened: tuple[Notebook, Watch]) -> Locator:
    found = opened[0].page.locator(".dlexplain-card")
    found.scroll_into_view_if_needed()
    return found


def press(opened: tuple[Notebook, Watch], card: Locator, name: str) -> None:
    card.get_by_role("button", name=name).focus()
    opened[0].page.keyboard.press("Enter")


def test_weeks_pass_from_the_keyboard(opened, card: Locator) -> None:
    expect(card).to_contain_text("Week 12. Nothing rings.")
    press(opened, card, "Next week")
    expect(card).to_contain_text("Week 13.")
    press(opened, card, "On to the next alarm")
    expect(card).to_contain_text("Week 20. Rings: explanations.")
    opened[0].shot("lesson_17_control_room")


def test_a_limit_is_moved_with_the_arrow_keys(opened, card: Locator) -> None:
    handle = card.get_by_role("slider").nth(2)
    handle.focus()
    for _ in range(50):
        opened[0].page.keyboard.press("ArrowRight")
    expect(card).to_contain_text("Week 20. Nothing rings.")
    for _ in range(50):
        opened[0].page.keyboard.press("ArrowLeft")
    expect(card).to_contain_text("Week 20. Rings: explanations.")


def test_retraining_and_the_way_back_from_the_keyboard(opened, card: Locator) -> None:
    press(opened, card, "Retrain")
    expect(card).to_contain_text("At work: version 2")
    press(opened, card, "Roll back")
    expect(card).to_contain_text("At work: version 1")
    expect(card).to_contain_text("back from version 2 to version 1")
    expect(card.get_by_role("button", name="Roll back")).to_be_disabled()


def test_the_year_is_played_and_chosen_from_the_keyboard(opened, card: Locator) -> None:
    card.get_by_role("button").first.focus()  # the player
    opened[0].page.keyboard.press("Enter")
    expect(card).to_contain_text("Week 22.", timeout=15_000)
    card.get_by_role("combobox").focus()
    opened[0].page.keyboard.press("ArrowDown")
    expect(card).to_contain_text("Week 12. Nothing rings.")


def test_nothing_was_logged_or_asked(opened) -> None:
    opened[1].clean()
