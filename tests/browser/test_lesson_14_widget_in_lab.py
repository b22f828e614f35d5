"""Lesson 14's tuning bench in a real JupyterLab, from the keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from .laboratory import Laboratory, Notebook, Watch

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

LEARNERS = """import numpy as np
from dlexplain.classroom.lessons.lesson_14 import bench

pool, test = np.repeat(np.arange(10), 50), np.repeat(np.arange(10), 20)

def learner(sharp):
    def learn(places, rate):
        noise = np.random.default_rng(places.sum()).normal(size=(200, 10))
        return sharp * np.eye(10)[test] * np.log2(1 + len(places)) + noise / (1 + 100 * rate)
    return learn
"""
SHOWN = 'desk = bench.TuningBench({"frozen": learner(0.1), "thawed": learner(0.05)}, pool, test)\ndesk'


@pytest.fixture(scope="module")
def opened(lab: Laboratory, browser: Browser) -> Iterator[tuple[Notebook, Watch]]:
    with lab.open(browser, lab.notebook("tuning.ipynb", [LEARNERS, SHOWN])) as pair:
        yield pair


@pytest.fixture
def card(opened: tuple[Notebook, Watch]) -> Locator:
    found = opened[0].page.locator(".dlexplain-card")
    found.scroll_into_view_if_needed()
    return found


def test_a_slider_learns_anew_from_the_keyboard(opened: tuple[Notebook, Watch], card: Locator) -> None:
    page, status = opened[0].page, card.get_by_role("status")
    expect(status).to_contain_text("frozen, 5 a class, rate 0.01")
    handles, before = card.get_by_role("slider"), card.locator("svg").inner_html()
    handles.nth(0).focus()
    page.keyboard.press("ArrowRight")
    expect(status).to_contain_text("frozen, 10 a class")
    handles.nth(1).focus()
    page.keyboard.press("ArrowRight")
    expect(status).to_contain_text("rate 0.1:")
    assert card.locator("svg").inner_html() != before  # the square of confusions was drawn anew
    opened[0].shot("tuning_bench")


def test_the_way_and_the_draw_answer_to_keys(opened: tuple[Notebook, Watch], card: Locator) -> None:
    page, status = opened[0].page, card.get_by_role("status")
    way = card.get_by_role("combobox")
    way.focus()
    page.keyboard.press("t")
    expect(way).to_have_value("thawed")
    expect(status).to_contain_text("thawed")
    card.get_by_role("button", name="draw other digits").focus()
    page.keyboard.press("Enter")
    expect(card.locator("tbody tr").first.locator("td, th").nth(3)).to_have_text("2")
    page.keyboard.press("Space")
    expect(card.locator("tbody tr").first.locator("td, th").nth(3)).to_have_text("3")


def test_nothing_was_logged_or_asked(opened: tuple[Notebook, Watch]) -> None:
    opened[1].clean()
