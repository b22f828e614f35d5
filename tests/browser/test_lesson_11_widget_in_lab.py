"""Lesson 11's light box in a real JupyterLab, from the keyboard alone: the lesion moves, the mark goes, the chance and
the map follow."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from .laboratory import Laboratory, Notebook, Watch

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

NETWORKS = """import dlexplain as dlx
import numpy as np
import torch
from dlexplain.classroom.lessons.lesson_11.lightbox import LightBox

class MarkReader(torch.nn.Module):
    def forward(self, x):
        score = 8 * (x[:, 0, 1:5, 1].mean(1) - 0.75)
        return torch.stack([-score, score], 1)

class Spots(torch.nn.Module):
    def forward(self, x):
        score = 8 * (0.4 - x[:, 0, 13:16, 13:16].mean((1, 2)))
        return torch.stack([-score, score], 1)

grey = np.full((24, 24, 1), 0.5, np.float32)
box = LightBox({"reads the mark": MarkReader().eval(), "sees spots": Spots().eval()}, {"even": grey})"""


@pytest.fixture(scope="module")
def opened(lab: Laboratory, browser: Browser) -> Iterator[tuple[Notebook, Watch]]:
    name = lab.notebook("lightbox.ipynb", [NETWORKS, "box"])
    with lab.open(browser, name) as pair:
        yield pair


@pytest.fixture
def card(opened: tuple[Notebook, Watch]) -> Locator:
    found = opened[0].page.locator(".dlexplain-card")
    found.scroll_into_view_if_needed()
    return found


def picture(card: Locator, at: int) -> str:
    return card.locator("svg image").nth(at).get_attribute("href") or ""


def test_the_mark_goes_from_the_keyboard(opened: tuple[Notebook, Watch], card: Locator) -> None:
    expect(card.get_by_text("In truth")).to_contain_text("The network says sick")
    before, said = picture(card, 0), picture(card, 1)
    card.get_by_label("mark", exact=True).focus()
    opened[0].page.keyboard.press("Home")  # no mark
    expect(card.get_by_text("In truth")).to_contain_text("and is wrong")
    assert picture(card, 0) != before
    assert picture(card, 1) != said
    opened[0].shot("lesson_11_light_box")


def test_the_lesion_moves_and_fades_from_the_keyboard(opened: tuple[Notebook, Watch], card: Locator) -> None:
    page, before = opened[0].page, picture(card, 0)
    across = card.get_by_role("slider").nth(1)
    across.focus()
    page.keyboard.press("ArrowRight")
    expect(card.locator("svg image").first).not_to_have_attribute("href", before)
    expect(across).to_be_focused()
    card.get_by_role("slider").first.focus()
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    expect(card.get_by_text("In truth")).to_contain_text("In truth: healthy")


def test_another_network_says_why(opened: tuple[Notebook, Watch], card: Locator) -> None:
    page = opened[0].page
    card.get_by_role("slider").first.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    card.get_by_label("network", exact=True).focus()
    page.keyboard.press("End")
    expect(card.get_by_text("In truth")).to_contain_text("The network says sick")
    expect(card.get_by_text("In truth")).to_contain_text("lies on the lesion")


def test_nothing_was_logged_or_asked(opened: tuple[Notebook, Watch]) -> None:
    opened[1].clean()
