"""Lesson 12's bench of sentences in a real JupyterLab: built and asked again from the keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from .laboratory import Laboratory, Notebook, Watch

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

# A network that has learned nothing but looks somewhere, and a translator that is always right.
MADE = """import dlexplain as dlx
import numpy as np
import torch
from torch import nn
from dlexplain.classroom.lessons.lesson_12 import bench
from dlexplain.data import pairs as language

pairs = language.language_pair(sentences=30, seed=0)

class Fixed(nn.Module):
    def __init__(self, seed):
        super().__init__()
        torch.manual_seed(seed)
        self.words = nn.Embedding(len(pairs.source_words), 6)
        self.wrote = nn.Embedding(len(pairs.target_words), 6)
        self.answer = nn.Linear(6, len(pairs.target_words))

    def forward(self, source, before):
        seen = self.words(source)
        weights = torch.softmax(self.wrote(before) @ seen.transpose(1, 2), dim=-1)
        return torch.log_softmax(self.answer(weights @ seen), dim=-1)

def translate(network, inputs):
    labels = np.zeros((len(inputs), pairs.labels.shape[1]), int)
    words = language.translate(pairs.source(inputs[0]))[0]
    labels[0, : len(words)] = [pairs.target_words.index(word) for word in words]
    return labels
"""
SHOWN = "bench.SentenceBench({'one': Fixed(0).eval(), 'two': Fixed(1).eval()}, translate, pairs)"


@pytest.fixture(scope="module")
def opened(lab: Laboratory, browser: Browser) -> Iterator[tuple[Notebook, Watch]]:
    with lab.open(browser, lab.notebook("sentences.ipynb", [MADE, SHOWN])) as pair:
        yield pair


@pytest.fixture
def card(opened: tuple[Notebook, Watch]) -> Locator:
    found = opened[0].page.locator(".dlexplain-card")
    found.scroll_into_view_if_needed()
    return found


def _said(card: Locator) -> str:
    return card.locator("div[role=img]").get_attribute("aria-label") or ""


def test_a_sentence_is_built_with_the_arrow_keys(opened: tuple[Notebook, Watch], card: Locator) -> None:
    page = opened[0].page
    expect(card.get_by_text("lo rego veto una sola alba sego hodi")).to_be_visible()
    opened[0].shot("sentences_at_first")
    for menu, said in (
        (3, "la mira veta una sola alba sega hodi"),  # who: from the king round to the cat
        (2, "la mira una sola alba sega hodi"),  # no adjective: the sentence is a word shorter
    ):
        before, choice = _said(card), card.get_by_role("combobox").nth(menu)
        choice.focus()
        page.keyboard.press("Home")
        expect(card.get_by_text(said, exact=True)).to_be_visible()
        expect(card.locator("div[role=img]")).not_to_have_attribute("aria-label", before)
        expect(choice).to_be_focused()


def test_another_network_gives_other_maps_of_the_same_sentence(opened: tuple[Notebook, Watch], card: Locator) -> None:
    before = _said(card)
    assert "attention: " in before
    assert "swap test: " in before
    card.get_by_role("combobox").last.focus()
    opened[0].page.keyboard.press("ArrowDown")
    expect(card.locator("div[role=img]")).not_to_have_attribute("aria-label", before)
    expect(card.get_by_text("la mira una sola alba sega hodi", exact=True)).to_be_visible()
    opened[0].shot("sentences_asked")


def test_every_menu_is_named(card: Locator) -> None:
    names = card.get_by_role("combobox").evaluate_all("every => every.map(e => e.labels[0]?.textContent ?? '')")
    assert names == ["time", "article", "adjective", "who", "does", "article", "adjective", "whom", "network"]


def test_nothing_was_logged_or_asked(opened: tuple[Notebook, Watch]) -> None:
    opened[1].clean()
