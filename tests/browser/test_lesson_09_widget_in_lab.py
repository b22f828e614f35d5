"""Lesson 09's cinema in a real JupyterLab: films are clicked from the keyboard alone, and shelf and belief follow."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from .laboratory import Laboratory, Notebook, Watch

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

MADE = """import numpy as np
from dlexplain.classroom.lessons.lesson_09 import bench
from dlexplain.classroom.lessons.lesson_09.cinema import Cinema
from dlexplain.data.tastes import GENRES, titles

genre = np.repeat(np.arange(6), 30)
rng = np.random.default_rng(0)
def towers(sharp):
    films = sharp * np.eye(6)[genre] + 0.1 * rng.normal(size=(180, 6))
    return bench.Towers(films, rng.normal(size=180), titles(), genre, GENRES)
"""


@pytest.fixture(scope="module")
def opened(lab: Laboratory, browser: Browser) -> Iterator[tuple[Notebook, Watch]]:
    name = lab.notebook("cinema.ipynb", [MADE, "Cinema({'Keras': towers(1.0), 'Torch': towers(2.0)})"])
    with lab.open(browser, name) as pair:
        yield pair


@pytest.fixture
def card(opened: tuple[Notebook, Watch]) -> Locator:
    found = opened[0].page.locator(".dlexplain-card")
    found.scroll_into_view_if_needed()
    return found


def _posters(card: Locator) -> Locator:
    return card.locator(".widget-gridbox button")


def _status(card: Locator) -> Locator:
    return card.get_by_role("status")


def test_a_film_is_clicked_with_enter_and_the_shelf_follows(opened: tuple[Notebook, Watch], card: Locator) -> None:
    page, posters = opened[0].page, _posters(card)
    expect(posters).to_have_count(8)
    expect(_status(card)).to_contain_text("0 clicks.")
    opened[0].shot("cinema_at_first")
    for clicks in (1, 2, 3):
        title = posters.first.inner_text()
        posters.first.focus()
        page.keyboard.press("Enter")
        expect(_status(card)).to_contain_text(f"{clicks} click")
        expect(posters.first).not_to_have_text(title)
        expect(_status(card)).to_contain_text(title.split(" · ")[0])
        expect(posters.first).to_be_focused()  # the next film can be clicked at once


def test_tab_goes_from_film_to_film(opened: tuple[Notebook, Watch], card: Locator) -> None:
    page, posters = opened[0].page, _posters(card)
    posters.first.focus()
    page.keyboard.press("Tab")
    expect(posters.nth(1)).to_be_focused()
    page.keyboard.press("Space")
    expect(_status(card)).to_contain_text("4 clicks.")


def test_places_are_drawn_by_lot_with_the_arrow_keys(opened: tuple[Notebook, Watch], card: Locator) -> None:
    page = opened[0].page
    card.get_by_role("slider").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(_posters(card).filter(has_text="? ")).to_have_count(2)
    expect(_status(card)).to_contain_text("drawn by lot")
    opened[0].shot("cinema_after_clicks")


def test_each_film_says_what_it_is_in_words(card: Locator) -> None:
    for poster in _posters(card).all():
        assert " · " in poster.inner_text()
        assert (poster.get_attribute("title") or "").startswith("Watch ")
        assert poster.evaluate("node => node.scrollWidth <= node.clientWidth"), poster.inner_text()


def test_another_network_and_start_again_bring_a_newcomer(opened: tuple[Notebook, Watch], card: Locator) -> None:
    page = opened[0].page
    card.locator("select").select_option("Torch")
    expect(_status(card)).to_contain_text("0 clicks.")
    _posters(card).first.click()
    expect(_status(card)).to_contain_text("1 click.")
    card.get_by_role("button", name="Start again").focus()
    page.keyboard.press("Enter")
    expect(_status(card)).to_contain_text("0 clicks.")


def test_nothing_was_logged_or_asked(opened: tuple[Notebook, Watch]) -> None:
    opened[1].clean()
