"""Lesson 13's writing desk in a real JupyterLab: it writes, cools down and writes again from the keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from .laboratory import Laboratory, Notebook, Watch

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

# A network that needs no framework: every word likes the words that stand near it in the list.
MADE = """import numpy as np
from dlexplain.classroom.lessons.lesson_13 import desk, land

class Near:
    def __init__(self, width):
        self.width = width
    def predict(self, ids):
        return -np.abs(ids[..., None] - np.arange(len(land.WORDS))) / self.width
"""
STARTS = "['the river at Balana is the', 'song : do re mi', 'letter :']"


@pytest.fixture(scope="module")
def opened(lab: Laboratory, browser: Browser) -> Iterator[tuple[Notebook, Watch]]:
    name = lab.notebook("desk.ipynb", [MADE, f"desk.WritingDesk({{'Keras': Near(2), 'Torch': Near(6)}}, {STARTS})"])
    with lab.open(browser, name) as pair:
        yield pair


@pytest.fixture
def card(opened: tuple[Notebook, Watch]) -> Locator:
    found = opened[0].page.locator(".dlexplain-card")
    found.scroll_into_view_if_needed()
    return found


def _picture(card: Locator) -> Locator:
    return card.locator("div[role=img]")


def _said(card: Locator) -> str:
    return _picture(card).get_attribute("aria-label") or ""


def test_the_next_word_is_looked_at_with_the_arrow_keys(opened: tuple[Notebook, Watch], card: Locator) -> None:
    expect(_picture(card)).to_have_attribute("aria-label", _said(card))
    assert _said(card).startswith("the river at Balana is the")
    assert "Chances at word 1:" in _said(card)
    shown = card.locator("select").evaluate_all("every => every.map(e => e.selectedOptions[0]?.text ?? '')")
    assert [each.replace("\u00a0", " ") for each in shown] == ["the river at Balana is the", "Keras", "all words"]
    opened[0].shot("desk_at_first")
    card.get_by_role("slider").nth(1).focus()
    opened[0].page.keyboard.press("ArrowRight")
    expect(card.get_by_text("Word 2:")).to_be_visible()
    assert "Chances at word 2:" in _said(card)


def test_temperature_from_the_keyboard_writes_another_text(opened: tuple[Notebook, Watch], card: Locator) -> None:
    before, slider = _said(card), card.get_by_role("slider").first
    slider.focus()
    opened[0].page.keyboard.press("ArrowRight")
    expect(_picture(card)).not_to_have_attribute("aria-label", before)
    opened[0].page.keyboard.press("ArrowLeft")
    expect(_picture(card)).to_have_attribute("aria-label", before)  # seeded: the text comes back


def test_enter_writes_again_and_the_focus_stays(opened: tuple[Notebook, Watch], card: Locator) -> None:
    before, button = _said(card), card.get_by_role("button", name="Write again")
    button.focus()
    opened[0].page.keyboard.press("Enter")
    expect(_picture(card)).not_to_have_attribute("aria-label", before)
    expect(button).to_be_focused()


def test_every_menu_answers(opened: tuple[Notebook, Watch], card: Locator) -> None:
    for label, option in (("network", "Torch"), ("begin with", "letter :"), ("top-k", "3")):
        before = _said(card)
        card.get_by_label(label).select_option(label=option)
        expect(_picture(card)).not_to_have_attribute("aria-label", before)
    assert _said(card).startswith("letter:")
    opened[0].shot("desk_after_menus")


def test_top_k_of_one_always_writes_the_same(opened: tuple[Notebook, Watch], card: Locator) -> None:
    card.get_by_label("top-k").select_option(label="1: always the favourite")
    expect(card.get_by_text("drawn at 100%")).to_be_visible()
    before = _said(card)
    card.get_by_role("button", name="Write again").press("Enter")
    opened[0].page.wait_for_timeout(500)
    assert _said(card) == before


def test_nothing_was_logged_or_asked(opened: tuple[Notebook, Watch]) -> None:
    opened[0].no_errors()
    opened[1].clean()
