"""The driver's seat of lesson 15 in a real JupyterLab: driven from the keyboard alone, without an error or an outside
request."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from .laboratory import Laboratory, Notebook, Watch

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

# No framework is needed: two pilots that see nothing, and a map that is the picture itself.
SHOWN = """import numpy as np
from dlexplain.classroom.lessons.lesson_15 import seat
from dlexplain.data.road import Scene, winding_road

worlds = {"as built": Scene(), "no lines": Scene(line=False, edges=False)}
pilots = {"straight": 0.0, "left": 4.0}
road = winding_road(0, metres=80)
reel = {
    name: seat.films(lambda p, d=degrees: np.full(len(p), d), lambda p: p[..., 0] - 0.5, road, worlds, metres=60)
    for name, degrees in pilots.items()
}
seat.DriversSeat(reel)"""


@pytest.fixture(scope="module")
def opened(lab: Laboratory, browser: Browser) -> Iterator[tuple[Notebook, Watch]]:
    name = lab.notebook("seat.ipynb", [SHOWN])
    with lab.open(browser, name) as pair:
        yield pair


@pytest.fixture
def card(opened: tuple[Notebook, Watch]) -> Locator:
    found = opened[0].page.locator(".dlexplain-card")
    found.scroll_into_view_if_needed()
    return found


def metre(card: Locator) -> int:
    return int(re.search(r"(\d+) m, ", card.inner_text()).group(1))


def test_the_arrow_keys_go_through_the_ride(opened, card: Locator) -> None:
    page = opened[0].page
    assert metre(card) == 0
    card.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    expect(card).to_contain_text("4 m, ")
    page.keyboard.press("ArrowRight")
    expect(card).to_contain_text("8 m, ")
    page.keyboard.press("ArrowLeft")
    expect(card).to_contain_text("4 m, ")
    opened[0].shot("lesson_15_seat")


def test_network_and_world_are_chosen_from_the_keyboard(opened, card: Locator) -> None:
    page = opened[0].page
    before = card.locator("img").nth(0).get_attribute("src")
    card.get_by_role("combobox").nth(1).focus()
    page.keyboard.press("ArrowDown")
    expect(card.locator("img").nth(0)).not_to_have_attribute("src", before)
    expect(card).to_contain_text("straight on")
    card.get_by_role("combobox").nth(0).focus()
    page.keyboard.press("ArrowDown")
    expect(card).to_contain_text("4.0° to the left")


def test_play_runs_from_the_keyboard(opened, card: Locator) -> None:
    page, before = opened[0].page, metre(card)
    card.get_by_role("button").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(
        "([root, old]) => Number(/(\\d+) m, /.exec(root.innerText)[1]) > old",
        arg=[card.element_handle(), before],
    )


def test_nothing_was_logged_or_asked(opened) -> None:
    opened[1].clean()
