"""Lesson 16's planner in a real JupyterLab: worked from the keyboard, without an error or an outside request."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from .laboratory import Laboratory, Notebook, Watch

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

MADE = """import dlexplain as dlx
from dlexplain.classroom.lessons.lesson_16 import costs
from dlexplain.classroom.lessons.lesson_16.planner import Planner

networks = [costs.Measured(name, 3800, operations, 5e9, 3500)
            for name, operations in (("conv net", 47_000), ("perceptron", 1024))]
machines = [costs.Machine("one core", 15), costs.Machine("a GPU", 700, 4e14)]
planner = Planner(networks, machines, {"Kernel SHAP": 502.0}, costs.Law(2.0, 0.6, (50, 1200)), "conv net")
"""


@pytest.fixture(scope="module")
def opened(lab: Laboratory, browser: Browser) -> Iterator[tuple[Notebook, Watch]]:
    with lab.open(browser, lab.notebook("planner.ipynb", [MADE, "planner"])) as pair:
        yield pair


@pytest.fixture
def planner(opened: tuple[Notebook, Watch]) -> Locator:
    found = opened[0].page.locator(".dlexplain-card")
    found.scroll_into_view_if_needed()
    return found


def test_a_small_budget_turns_yes_into_no(opened, planner: Locator) -> None:
    page = opened[0].page
    expect(planner.get_by_role("status")).to_contain_text("Yes, we can afford it")
    opened[0].shot("planner_yes")
    planner.get_by_role("slider").nth(7).focus()
    page.keyboard.press("Home")
    expect(planner.get_by_role("status")).to_contain_text("No, we cannot afford it")
    expect(planner.get_by_role("status")).to_contain_text("Dearest line: labels")
    opened[0].shot("planner_no")


@pytest.mark.parametrize(("place", "name"), enumerate(["size", "labels", "epochs", "answers", "label", "hour", "kwh"]))
def test_every_slider_changes_the_plan_from_the_keyboard(opened, planner: Locator, place: int, name: str) -> None:
    before = planner.inner_html()
    planner.get_by_role("slider").nth(place).focus()
    opened[0].page.keyboard.press("End")
    opened[0].page.wait_for_function("([root, old]) => root.innerHTML !== old", arg=[planner.element_handle(), before])
    expect(planner.get_by_role("status")).to_contain_text("in the first year")


@pytest.mark.parametrize(("place", "key", "said"), [(0, "p", "perceptron: 1,024"), (2, "a", "a GPU: 4 × 10¹⁴")])
def test_menus_answer_keys(opened, planner: Locator, place: int, key: str, said: str) -> None:
    menu = planner.get_by_role("combobox").nth(place)
    menu.focus()
    menu.press(key)
    expect(planner).to_contain_text(said)


def test_explanations_get_dear(opened, planner: Locator) -> None:
    planner.get_by_role("slider").nth(4).focus()
    opened[0].page.keyboard.press("Home")  # labels cost nothing
    menu = planner.get_by_role("combobox").nth(1)
    menu.focus()
    menu.press("K")
    expect(planner.get_by_role("status")).to_contain_text("Dearest line: explanations")
    opened[0].shot("planner_explained")


def test_nothing_was_logged_or_asked(opened) -> None:
    opened[1].clean()
