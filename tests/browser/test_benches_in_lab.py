"""The boards and benches of lessons 05, 06 and 08 in a real JupyterLab: each control from the keyboard redraws."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from .laboratory import Laboratory, Notebook, Watch

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

GAME = """from dlexplain.classroom.lessons.lesson_05 import boards, game

band = ("Ana", "Ben", "Cleo")
sums = {some: 70 * len(some) for some in game.line_ups(band)}
boards.GameBoard({"alike": sums, "together": {some: 210 * (len(some) == 3) for some in sums}}, band, unit="€")"""

BACKGROUND = """from types import SimpleNamespace as Found
import numpy as np
from dlexplain.classroom.lessons.lesson_05 import boards

def found(values, start):
    values = np.array([values, values[::-1]])
    return Found(values=values, baseline_output=np.full(2, start), output=start + values.sum(1))

boards.BackgroundBoard({"Keras": {"all": found([2.0, -1.0], 0.5), "benign": found([4.0, 1.0], -3.5)},
                        "Torch": {"all": found([-2.0, -1.0], 0.5), "benign": found([1.0, 0.0], -3.5)}},
                       ("a", "b"), ("patient 1", "patient 2"))"""

UNITS = """import numpy as np
import dlexplain
import torch
from torch import nn
from dlexplain.classroom.lessons.lesson_06.bench import UnitBench

torch.manual_seed(0)
network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 5), nn.ReLU(), nn.Linear(5, 2)).eval()
pictures = np.random.default_rng(0).random((12, 4, 4, 1)).astype(np.float32)
inputs = np.ascontiguousarray(np.moveaxis(pictures, -1, 1))
UnitBench({"Torch": network}, {"Torch": inputs}, pictures, np.arange(12) % 2, ["1", "4"], names=("a", "b"))"""

PUMPS = """import numpy as np
from dlexplain.classroom.lessons.lesson_08 import bench

rng = np.random.default_rng(0)
fleet = []
for machine, life in enumerate((60, 70, 90)):
    rising = np.linspace(0, 1, life - 29)[:, None] ** np.array([4, 2])
    fleet.append(bench.Forecasts(machine, life, 30, rising))
bench.DecisionBench(fleet, [5, 20], [65, 80, 90])"""


@pytest.fixture(scope="module")
def opened(lab: Laboratory, browser: Browser) -> Iterator[tuple[Notebook, Watch]]:
    with lab.open(browser, lab.notebook("benches.ipynb", [GAME, BACKGROUND, UNITS, PUMPS])) as pair:
        yield pair


def _moved(opened: tuple[Notebook, Watch], card: Locator, control: Locator, key: str) -> None:
    """Presses a key on a control and waits until the card shows something else."""
    before = card.locator(".widget-html").all_inner_texts() + card.locator("svg").evaluate_all(
        "(all) => all.map((each) => each.outerHTML)"
    )
    control.focus()
    opened[0].page.keyboard.press(key)
    opened[0].page.wait_for_function(
        """([card, before]) => {
          const texts = [...card.querySelectorAll('.widget-html')].map((each) => each.innerText);
          const drawn = [...card.querySelectorAll('svg')].map((each) => each.outerHTML);
          return JSON.stringify([...texts, ...drawn]) !== JSON.stringify(before);
        }""",
        arg=[card.element_handle(), before],
    )


def _card(opened: tuple[Notebook, Watch], place: int) -> Locator:
    cards = opened[0].page.locator(".dlexplain-card")
    expect(cards).to_have_count(4)
    card = cards.nth(place)
    card.scroll_into_view_if_needed()
    return card


def test_the_game_board(opened: tuple[Notebook, Watch]) -> None:
    card = _card(opened, 0)
    expect(card.get_by_role("slider")).to_have_count(7)
    for index in (0, 6):
        _moved(opened, card, card.get_by_role("slider").nth(index), "ArrowRight")
    _moved(opened, card, card.get_by_role("combobox"), "ArrowDown")
    expect(card).to_contain_text("Twins")
    opened[0].shot("lesson_05_game")


def test_the_background_board(opened: tuple[Notebook, Watch]) -> None:
    card = _card(opened, 1)
    for index in range(3):
        _moved(opened, card, card.get_by_role("combobox").nth(index), "ArrowDown")
    expect(card).to_contain_text("patient 2, Torch")
    opened[0].shot("lesson_05_background")


def test_the_unit_bench(opened: tuple[Notebook, Watch]) -> None:
    card = _card(opened, 2)
    sliders = card.get_by_role("slider")
    _moved(opened, card, sliders.nth(0), "ArrowRight")
    box = card.get_by_role("checkbox")
    _moved(opened, card, box, "Space")
    expect(card).to_contain_text("Off in 4: 1.")
    _moved(opened, card, card.get_by_role("button", name="all units on again"), "Enter")
    expect(box).not_to_be_checked()
    _moved(opened, card, sliders.nth(1), "ArrowRight")
    _moved(opened, card, card.get_by_role("combobox").nth(1), "ArrowUp")
    opened[0].shot("lesson_06_units")


def test_the_decision_bench(opened: tuple[Notebook, Watch]) -> None:
    card = _card(opened, 3)
    expect(card.get_by_role("slider")).to_have_count(4)
    for index, key in ((0, "ArrowRight"), (1, "ArrowRight"), (2, "ArrowLeft"), (3, "ArrowRight")):
        _moved(opened, card, card.get_by_role("slider").nth(index), key)
    expect(card).to_contain_text("Alarm above 52%")
    opened[0].shot("lesson_08_decision")


def test_nothing_was_logged_or_asked(opened: tuple[Notebook, Watch]) -> None:
    opened[1].clean()
