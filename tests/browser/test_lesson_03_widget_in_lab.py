"""Lesson 03's bench in a real JupyterLab: each control from the keyboard trains again and redraws."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from .laboratory import Laboratory, Notebook, Watch

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

SHOWN = """import numpy as np
from sklearn.naive_bayes import MultinomialNB
from sklearn.svm import SVC
from dlexplain.classroom.lessons.lesson_03 import bench, makers

reviews = makers.reviews(400, "order", seed=0)
words = np.eye(len(makers.WORDS), dtype=np.float32)[reviews.words]

def contest(name, wrong):
    return bench.Contest(name, words.reshape(400, -1), words.sum(1), reviews.labels, (50, 200), MultinomialNB,
                         SVC, final=100, wrong=wrong)

def once(contest, size, seed, wrong=None):  # a second classical learner stands in for the network: quick
    learn, answers, final = contest.deal(size, seed, wrong)
    sides = {"by hand": (contest.classical(), contest.features), "network": (contest.network(), contest.inputs)}
    return {side: (float(learner.fit(x[learn], answers).score(x[final], contest.labels[final])), 0.1)
            for side, (learner, x) in sides.items()}

contests = [contest("clean reviews", 0.0), contest("careless reviews", 0.2)]
bench.ContestBench(contests, [bench.hold(each, once, 2) for each in contests], once)"""


@pytest.fixture(scope="module")
def opened(lab: Laboratory, browser: Browser) -> Iterator[tuple[Notebook, Watch]]:
    with lab.open(browser, lab.notebook("contest.ipynb", [SHOWN])) as pair:
        yield pair


def _card(opened: tuple[Notebook, Watch]) -> Locator:
    card = opened[0].page.locator(".dlexplain-card")
    card.scroll_into_view_if_needed()
    return card


def _said(card: Locator) -> str:
    return card.locator("[role=img]").get_attribute("aria-label") or ""


def test_every_slider_answers_the_arrow_keys(opened: tuple[Notebook, Watch]) -> None:
    card = _card(opened)
    expect(card.locator("[role=img]")).to_have_attribute("aria-label", re.compile("50 examples, 0% wrong"))
    handles = card.get_by_role("slider")
    expect(handles).to_have_count(3)
    for index, told in ((0, "200 examples, 0% wrong"), (1, "200 examples, 10% wrong"), (2, "200 examples, 10% wrong")):
        before = _said(card)
        handles.nth(index).focus()
        opened[0].page.keyboard.press("ArrowRight")
        expect(card.locator("[role=img]")).not_to_have_attribute("aria-label", before)
        assert told in _said(card)
    opened[0].shot("lesson_03_bench")


def test_other_data_bring_their_own_settings(opened: tuple[Notebook, Watch]) -> None:
    card = _card(opened)
    card.get_by_role("combobox").focus()
    opened[0].page.keyboard.press("ArrowDown")
    expect(card).to_contain_text("careless reviews, 50 examples, 20% wrong labels")


def test_nothing_was_logged_or_asked(opened: tuple[Notebook, Watch]) -> None:
    opened[1].clean()
