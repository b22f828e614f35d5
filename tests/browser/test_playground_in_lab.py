"""The border playground in a real JupyterLab: it learns while one watches, from the keyboard alone, and its page
plays what was recorded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from .laboratory import Laboratory, Notebook, Watch, watched

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

MAKER = """import dlexplain as dlx
import torch
from torch import nn

def maker(layers, units, activation, seed):
    torch.manual_seed(seed)
    bend = {"tanh": nn.Tanh, "relu": nn.ReLU, "sigmoid": nn.Sigmoid, "none": nn.Identity}[activation]
    steps, width = [], 2
    for _ in range(layers):
        steps += [nn.Linear(width, units), bend()]
        width = units
    net = nn.Sequential(*steps, nn.Linear(width, 1))
    optimizer = torch.optim.Adam(net.parameters())

    def one_round(points, labels, rate):
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        goal = torch.tensor(labels, dtype=torch.float32)
        nn.functional.binary_cross_entropy_with_logits(net(torch.tensor(points))[:, 0], goal).backward()
        optimizer.step()

    return net, one_round
"""
SHOWN = """playground = dlx.widgets.Playground({"First": maker, "Second": maker}, layers=2, units=4)
playground"""

# From a slider's new place to the picture on screen, in the page's own clock.
_SLIDE = """async (root, values) => {
    const slider = root.querySelectorAll('input[type=range]')[2], times = [];
    for (const value of values) {
        const began = performance.now(), before = Number(root.dataset.shown);
        await new Promise((done) => {
            const shown = () => {
                if (Number(root.dataset.shown) <= before) return;
                root.removeEventListener('dlx-shown', shown);
                requestAnimationFrame(() => done());
            };
            root.addEventListener('dlx-shown', shown);
            slider.value = value;
            slider.dispatchEvent(new Event('input', { bubbles: true }));
        });
        times.push(performance.now() - began);
    }
    return times;
}"""


@pytest.fixture(scope="module")
def opened(lab: Laboratory, browser: Browser) -> Iterator[tuple[Notebook, Watch]]:
    name = lab.notebook("playground.ipynb", [MAKER, SHOWN, "playground.to_html('playground.html'); playground.errors"])
    with lab.open(browser, name) as pair:
        yield pair


@pytest.fixture
def playground(opened: tuple[Notebook, Watch]) -> Locator:
    found = opened[0].page.locator(".dlx-playground")
    found.scroll_into_view_if_needed()
    return found


def rounds(playground: Locator) -> int:
    return int(playground.get_attribute("data-rounds") or -1)


def picture(playground: Locator) -> str:
    return playground.locator("canvas.dlx-plane").evaluate("(canvas) => canvas.toDataURL()")


def test_it_learns_and_stops_from_the_keyboard(opened, playground: Locator) -> None:
    page, before = opened[0].page, picture(playground)
    play = playground.get_by_role("button", name="Play")
    play.focus()
    page.keyboard.press("Enter")
    expect(playground.get_by_role("button", name="Pause")).to_be_focused()
    page.wait_for_function("(root) => Number(root.dataset.rounds) >= 60", arg=playground.element_handle())
    page.keyboard.press("Space")
    expect(playground.get_by_role("button", name="Play")).to_have_attribute("aria-pressed", "false")
    page.wait_for_timeout(400)
    stopped = rounds(playground)
    page.wait_for_timeout(500)
    assert rounds(playground) == stopped
    assert picture(playground) != before
    expect(playground.locator(".dlx-status")).to_contain_text(f"Round {stopped}:")
    opened[0].shot("playground_learned")


def test_step_and_reset_from_the_keyboard(opened, playground: Locator) -> None:
    page, before = opened[0].page, rounds(playground)
    playground.get_by_role("button", name="Step").focus()
    page.keyboard.press("Enter")
    expect(playground).to_have_attribute("data-rounds", str(before + 10))
    page.keyboard.press("Tab")
    expect(playground.get_by_role("button", name="Reset")).to_be_focused()
    page.keyboard.press("Enter")
    expect(playground).to_have_attribute("data-rounds", "0")


def test_a_slider_builds_another_network(opened, playground: Locator) -> None:
    page = opened[0].page
    playground.get_by_label("Hidden layers").focus()
    page.keyboard.press("ArrowRight")
    expect(playground.locator(".dlx-unit-row")).to_have_count(3)
    expect(playground.locator(".dlx-unit")).to_have_count(12)
    page.keyboard.press("Home")
    expect(playground.get_by_text("one neuron decides alone")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(playground.locator(".dlx-unit")).to_have_count(4)


def test_a_unit_shows_large_where_the_focus_is(opened, playground: Locator) -> None:
    before = picture(playground)
    playground.get_by_role("button", name="Layer 1, unit 2: show it large").focus()
    expect(playground.get_by_text("Layer 1, unit 2: blue below zero")).to_be_visible()
    assert picture(playground) != before
    playground.get_by_role("button", name="Step").focus()
    assert picture(playground) == before


@pytest.mark.parametrize(("label", "option"), [("Points", "spirals"), ("Activation", "relu"), ("Learning rate", "0.1")])
def test_every_menu_answers(playground: Locator, label: str, option: str) -> None:
    before = playground.get_attribute("data-shown")
    playground.get_by_label(label, exact=True).select_option(option)
    expect(playground.get_by_label(label, exact=True)).to_have_value(option)
    if label != "Learning rate":  # the rate changes nothing until the next round
        expect(playground).not_to_have_attribute("data-shown", before)
    expect(playground.locator(".dlx-error")).to_have_count(0)


def test_shuffled_colours_and_the_other_framework(playground: Locator) -> None:
    before = picture(playground)
    playground.get_by_label("Shuffle the colours").check()
    playground.page.wait_for_function(
        "([root, old]) => root.querySelector('canvas.dlx-plane').toDataURL() !== old",
        arg=[playground.element_handle(), before],
    )
    playground.get_by_label("Shuffle the colours").uncheck()
    before = playground.get_attribute("data-shown")
    playground.get_by_role("radio", name="Second").check()
    expect(playground).not_to_have_attribute("data-shown", before)


def test_latency_of_a_slider_is_reported(playground: Locator, record_property) -> None:
    playground.evaluate(_SLIDE, [1, 2])
    times = sorted(playground.evaluate(_SLIDE, [1, 2, 3, 4] * 5))
    record_property("slider_to_picture_median_ms", times[len(times) // 2])
    print(f"slider to picture: median {times[len(times) // 2]:.0f} ms, slowest {times[-1]:.0f} ms")


def test_nothing_was_logged_or_asked(opened) -> None:
    opened[1].clean()


def test_the_page_plays_what_was_recorded(lab: Laboratory, browser: Browser, opened, shots: Path) -> None:
    context = browser.new_context(offline=True, color_scheme="dark", viewport={"width": 390, "height": 900})
    page, watch = watched(context)
    page.goto((lab.folder / "playground.html").as_uri())
    root = page.locator(".dlx-playground")
    expect(root.locator(".dlx-unit")).to_have_count(8)
    last = rounds(root)
    root.get_by_role("button", name="Reset").click()
    expect(root).to_have_attribute("data-rounds", "0")
    root.get_by_role("button", name="Play").click()
    page.wait_for_function("(root) => Number(root.dataset.rounds) >= 25", arg=root.element_handle())
    root.get_by_role("button", name="Pause").click()
    assert 25 <= rounds(root) < last
    before = picture(root)
    root.get_by_label("Network").select_option(label="no hidden layer")
    assert picture(root) != before
    assert root.get_attribute("data-dark") == "true"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "wider than the screen"
    page.screenshot(path=shots / "page_playground_dark_390.png", full_page=True)
    watch.clean()
    context.close()
