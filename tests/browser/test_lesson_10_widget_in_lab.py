"""Lesson 10's document desk in a real JupyterLab: worked from the keyboard, without an error or an outside request."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from .laboratory import Laboratory, Notebook, Watch

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

# A reader that knows the page by heart: no training needed.
READER = """import numpy as np
import dlexplain as dlx
from dlexplain.classroom.lessons.lesson_10 import bench, paper

pages = paper.documents(2, seed=1, kinds=("invoice",))

def reader(strips):
    chances = np.full((len(strips), 90, 1 + len(paper.SIGNS)), 0.001)
    for row, text in zip(chances, pages[0].lines()):
        for step, sign in enumerate("·".join(text).ljust(90, "·")):
            row[step, 0 if sign == "·" else 1 + paper.SIGNS.index(sign)] = 0.9
    return chances / chances.sum(-1, keepdims=True)
"""
SHOWN = "desk = bench.DocumentDesk(reader, pages)\ndesk"


@pytest.fixture(scope="module")
def opened(lab: Laboratory, browser: Browser) -> Iterator[tuple[Notebook, Watch]]:
    with lab.open(browser, lab.notebook("desk.ipynb", [READER, SHOWN])) as pair:
        yield pair


@pytest.fixture
def desk(opened: tuple[Notebook, Watch]) -> Locator:
    found = opened[0].page.locator(".dlexplain-card")
    found.scroll_into_view_if_needed()
    return found


def test_a_page_goes_to_a_person_when_the_threshold_rises(opened, desk: Locator) -> None:
    page = opened[0].page
    expect(desk).to_contain_text("This page: booked by the machine")
    desk.get_by_role("slider").nth(3).focus()
    page.keyboard.press("End")
    expect(desk).to_contain_text("This page: to a person")
    page.keyboard.press("Home")
    expect(desk).to_contain_text("This page: booked by the machine")


@pytest.mark.parametrize(("place", "name"), [(0, "blur"), (1, "noise"), (2, "tilt")])
def test_every_slider_spoils_the_page_from_the_keyboard(opened, desk: Locator, place: int, name: str) -> None:
    picture = desk.locator("svg image").first
    before = picture.get_attribute("href")
    desk.get_by_role("slider").nth(place).focus()
    opened[0].page.keyboard.press("ArrowRight")
    expect(picture).not_to_have_attribute("href", before)
    opened[0].shot(f"desk_{name}")


def test_a_changed_digit_is_printed(opened, desk: Locator) -> None:
    picture = desk.locator("svg image").first
    before = picture.get_attribute("href")
    menu = desk.get_by_label("total's first digit")
    menu.focus()
    menu.press("9")
    expect(picture).not_to_have_attribute("href", before)


def test_nothing_was_logged_or_asked(opened) -> None:
    opened[1].clean()
