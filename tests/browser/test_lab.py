"""Both widgets in a real JupyterLab: they load, answer to mouse, touch and keyboard, and ask nothing of
the network."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from .laboratory import Laboratory, Notebook, Watch
from .networks import BOARD, EXPLORER, TWINS

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

# From a slider's new place to the picture on screen, in the page's own clock.
_SLIDE = """async (root, samples) => {
    const slider = root.querySelector('input[type=range]'), times = [];
    for (const sample of samples) {
        const began = performance.now();
        await new Promise((done) => {
            const shown = () => {
                if (JSON.parse(root.dataset.shown).sample !== sample) return;
                root.removeEventListener('dlx-shown', shown);
                requestAnimationFrame(() => done());
            };
            root.addEventListener('dlx-shown', shown);
            slider.value = sample;
            slider.dispatchEvent(new Event('input', { bubbles: true }));
        });
        times.push(performance.now() - began);
    }
    return times;
}"""


# From a key that draws to both twins' maps on screen.
_PEN = """async (root, count) => {
    const paper = root.querySelector('.dlx-paper'), times = [];
    const press = (key) => paper.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
    for (let i = 0; i < count; i += 1) {
        press(i % 10 < 5 ? 'ArrowDown' : 'ArrowRight');
        const began = performance.now(), before = Number(root.dataset.shown);
        await new Promise((done) => {
            const shown = () => {
                if (Number(root.dataset.shown) <= before) return;
                root.removeEventListener('dlx-shown', shown);
                requestAnimationFrame(() => done());
            };
            root.addEventListener('dlx-shown', shown);
            press(i % 2 ? 'Delete' : ' ');
        });
        times.push(performance.now() - began);
    }
    return times;
}"""


@pytest.fixture(scope="module")
def opened(lab: Laboratory, browser: Browser) -> Iterator[tuple[Notebook, Watch]]:
    """One notebook with both widgets, shared by this module: starting a kernel with both frameworks takes
    seconds."""
    name = lab.notebook("widgets.ipynb", [TWINS, EXPLORER, BOARD, "errors = [explorer.errors, board.errors]"])
    with lab.open(browser, name) as pair:
        yield pair


@pytest.fixture
def explorer(opened: tuple[Notebook, Watch]) -> Locator:
    """The explorer, back at its first choices."""
    found = opened[0].page.locator(".dlx-explorer")
    found.scroll_into_view_if_needed()
    found.get_by_label("Method", exact=True).select_option("saliency")
    found.get_by_role("radio", name="Side by side").check()
    slide(found, 0)
    return found


@pytest.fixture
def board(opened: tuple[Notebook, Watch]) -> Locator:
    """The drawing board, empty."""
    found = opened[0].page.locator(".dlx-drawing")
    found.scroll_into_view_if_needed()
    found.get_by_role("button", name="Clear").click()
    expect(found.get_by_text("The board is empty: draw a digit.")).to_be_visible()
    return found


def slide(explorer: Locator, sample: int) -> None:
    explorer.locator("input[type=range]").fill(str(sample))
    wait_for(explorer, sample=sample)


def wait_for(explorer: Locator, **choice: object) -> None:
    """Until the picture on screen answers these choices."""
    explorer.page.wait_for_function(
        "([root, choice]) => { const shown = JSON.parse(root.dataset.shown ?? '{}');"
        " return Object.entries(choice).every(([name, value]) => shown[name] === value); }",
        arg=[explorer.element_handle(), choice],
        timeout=20_000,
    )


def choose(select: Locator, name: str) -> str:
    """Selects the first option that starts with a layer's name; its twin's may follow. Returns its value."""
    options = select.locator("option").evaluate_all("(options) => options.map((option) => option.value)")
    value = next(option for option in options if option.startswith(name))
    select.select_option(value)
    return value


def pixels(canvas: Locator) -> str:
    return canvas.evaluate("(canvas) => canvas.toDataURL()")


def colours(canvas: Locator) -> int:
    """How many colours a canvas shows: one means that nothing was drawn."""
    return canvas.evaluate("""(canvas) => {
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        const seen = new Set();
        for (let i = 0; i < data.length; i += 4) seen.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
        return seen.size;
    }""")


def stroke(page: Page, canvas: Locator, points: list[tuple[float, float]]) -> None:
    """A line drawn with the mouse."""
    box = canvas.bounding_box()
    assert box
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=6)
    page.mouse.up()


def test_the_slider_changes_picture_map_words_and_alternative_text(
    opened: tuple[Notebook, Watch], explorer: Locator
) -> None:
    maps = explorer.locator("canvas.dlx-map")
    assert maps.count() == 2
    before = [pixels(maps.nth(i)) for i in range(2)], pixels(explorer.locator("canvas.dlx-picture"))
    told = maps.first.get_attribute("aria-label")
    slide(explorer, 5)
    assert all(colours(maps.nth(i)) > 5 for i in range(2))
    assert [pixels(maps.nth(i)) for i in range(2)] != before[0]
    assert pixels(explorer.locator("canvas.dlx-picture")) != before[1]
    explorer.screenshot(path=opened[0].shots / "explorer.png")
    assert maps.first.get_attribute("aria-label") != told
    expect(explorer.locator(".dlx-status")).to_contain_text("Sample 6 of 30")
    expect(explorer.locator("[aria-live].dlx-unseen")).to_contain_text(maps.first.get_attribute("aria-label"))


def test_twins_show_the_same_map(explorer: Locator) -> None:
    maps = explorer.locator("canvas.dlx-map")
    assert (
        maps.nth(0).evaluate("""(a) => {
        const b = a.closest('.dlx').querySelectorAll('canvas.dlx-map')[1];
        const read = (c) => c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
        const [p, q] = [read(a), read(b)];
        return p.reduce((most, value, i) => Math.max(most, Math.abs(value - q[i])), 0);
    }""")
        <= 2
    )


def test_every_choice_redraws(explorer: Locator) -> None:
    canvas = explorer.locator("canvas.dlx-map").first
    before = pixels(canvas)
    explorer.get_by_label("Method", exact=True).select_option("input_x_gradient")
    wait_for(explorer, method="input_x_gradient")
    assert pixels(explorer.locator("canvas.dlx-map").first) != before
    before = pixels(explorer.locator("canvas.dlx-map").first)
    explorer.get_by_label("Class", exact=True).select_option("8")
    wait_for(explorer, target=8)
    assert pixels(explorer.locator("canvas.dlx-map").first) != before
    explorer.get_by_label("Class", exact=True).select_option("")
    explorer.get_by_label("Method", exact=True).select_option("activations")
    wait_for(explorer, method="activations", target=None)
    tiles = explorer.locator("canvas.dlx-tiles")
    before = pixels(tiles.first)
    layer = explorer.get_by_label("Layer", exact=True)
    expect(layer).to_be_enabled()
    wait_for(explorer, layer=choose(layer, "edges"))
    assert colours(tiles.first) > 3
    assert pixels(tiles.first) != before
    explorer.get_by_role("radio", name="Torch").check()
    wait_for(explorer, framework="Torch")
    assert tiles.count() == 1


def test_the_explorer_works_from_the_keyboard(explorer: Locator) -> None:
    slider = explorer.locator("input[type=range]")
    slider.focus()
    explorer.page.wait_for_selector(
        ".jp-Notebook.jp-mod-commandMode"
    )  # where JupyterLab wants the keys for itself
    slider.press("ArrowRight")
    wait_for(explorer, sample=1)
    explorer.page.keyboard.press("Tab")
    expect(explorer.get_by_role("button", name="Previous sample")).to_be_focused()
    explorer.page.keyboard.press("Enter")
    wait_for(explorer, sample=0)
    explorer.get_by_role("radio", name="Side by side").focus()
    explorer.page.keyboard.press("ArrowLeft")
    wait_for(explorer, framework="Torch")
    canvas = explorer.locator("canvas.dlx-map").first
    canvas.focus()
    explorer.page.keyboard.press("ArrowRight")
    expect(explorer.locator(".dlx-readout").first).to_contain_text("Row 5, column 5:")


def test_an_error_is_told_in_words_and_the_widget_goes_on(explorer: Locator) -> None:
    explorer.get_by_label("Method", exact=True).select_option("gradcam")
    choose(explorer.get_by_label("Layer", exact=True), "digit")
    expect(explorer.locator(".dlx-status.dlx-error")).to_contain_text("digit", timeout=20_000)
    explorer.get_by_label("Method", exact=True).select_option("saliency")
    wait_for(explorer, method="saliency")
    expect(explorer.locator(".dlx-status.dlx-error")).to_have_count(0)
    assert explorer.locator("canvas.dlx-map").count() == 2


def test_latency_of_the_slider_is_reported(explorer: Locator, record_property) -> None:
    new = explorer.evaluate(_SLIDE, list(range(10, 30)))
    again = explorer.evaluate(_SLIDE, list(range(10, 30)))
    for name, times in (("new samples", new), ("seen samples", again)):
        middle, most = np.percentile(times, [50, 95])
        record_property(f"slider to picture, {name}", f"median {middle:.0f} ms, 95 % within {most:.0f} ms")
        print(f"slider to picture, {name}: median {middle:.0f} ms, 95 % within {most:.0f} ms")


def test_latency_of_the_pen_is_reported(
    opened: tuple[Notebook, Watch], board: Locator, record_property
) -> None:
    paper = board.locator("canvas.dlx-paper")
    stroke(opened[0].page, paper, [(0.3, 0.3), (0.6, 0.3)])
    expect(board.locator(".dlx-status")).to_contain_text("Torch says", timeout=20_000)
    times = board.evaluate(_PEN, 30)
    middle, most = np.percentile(times, [50, 95])
    told = f"median {middle:.0f} ms, 95 % within {most:.0f} ms"
    record_property("pen to both twins' answer", told)
    print(f"pen to both twins' answer: {told}")


def test_the_mouse_draws_and_both_twins_follow(opened: tuple[Notebook, Watch], board: Locator) -> None:
    paper, page = board.locator("canvas.dlx-paper"), opened[0].page
    stroke(page, paper, [(0.4, 0.3), (0.52, 0.18), (0.52, 0.84)])
    expect(board.locator(".dlx-status")).to_contain_text("Torch says", timeout=20_000)
    page.wait_for_timeout(300)
    first = board.locator(".dlx-status").inner_text(), pixels(board.locator("canvas.dlx-map").first)
    assert board.locator("canvas.dlx-map").count() == 2
    assert board.locator("canvas.dlx-tiles").count() == 2
    board.get_by_role("button", name="Clear").click()
    stroke(
        page, paper, [(0.5, 0.2), (0.3, 0.35), (0.3, 0.65), (0.5, 0.82), (0.7, 0.65), (0.7, 0.35), (0.5, 0.2)]
    )
    expect(board.locator(".dlx-status")).not_to_have_text(first[0])
    expect(board.locator(".dlx-status")).to_contain_text("Keras says 0", timeout=20_000)
    assert pixels(board.locator("canvas.dlx-map").first) != first[1]
    opened[0].shot("board_mouse")
    board.get_by_role("button", name="Undo").click()
    expect(board.get_by_text("Undone.")).to_be_visible()


def test_the_keyboard_draws(opened: tuple[Notebook, Watch], board: Locator) -> None:
    paper, keys = board.locator("canvas.dlx-paper"), opened[0].page.keyboard
    cells = opened[0].cells.count()
    paper.focus()
    for _ in range(3):
        keys.press("Shift+ArrowUp")
    keys.press("Enter")
    for _ in range(6):
        keys.press("Shift+ArrowDown")
    expect(board.locator(".dlx-desk .dlx-readout")).to_contain_text("pen down")
    keys.press("Enter")
    expect(board.locator(".dlx-status")).to_contain_text("Torch says 1", timeout=20_000)
    drawn = pixels(paper)
    opened[0].page.wait_for_selector(".jp-Notebook.jp-mod-commandMode")
    keys.press("d")
    keys.press("d")
    keys.press("Delete")
    expect(board.locator(".dlx-desk .dlx-readout")).to_have_text("Rubbed out.")
    assert pixels(paper) != drawn
    assert opened[0].cells.count() == cells, "the notebook took the keys for its own shortcuts"


def test_nothing_was_logged_or_asked(opened: tuple[Notebook, Watch]) -> None:
    """Last in this module: what all the tests above have caused."""
    opened[1].clean()


def test_touch_in_the_dark_on_a_narrow_screen(lab: Laboratory, browser: Browser) -> None:
    name = lab.notebook("touch.ipynb", [TWINS, EXPLORER, BOARD])
    with lab.open(browser, name, dark=True, width=720, height=1000, has_touch=True) as (book, watch):
        explorer, board = book.page.locator(".dlx-explorer"), book.page.locator(".dlx-drawing")
        explorer.scroll_into_view_if_needed()
        explorer.get_by_role("button", name="Next sample").tap()
        wait_for(explorer, sample=1)
        assert explorer.get_attribute("data-dark") == "true"
        paper = board.locator("canvas.dlx-paper")
        paper.scroll_into_view_if_needed()
        box = paper.bounding_box()
        assert box
        finger = book.page.context.new_cdp_session(book.page)
        points = [(0.5, 0.15 + 0.07 * i) for i in range(11)]
        for i, (x, y) in enumerate(points):
            touch = [{"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}]
            finger.send(
                "Input.dispatchTouchEvent", {"type": "touchMove" if i else "touchStart", "touchPoints": touch}
            )
        finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        expect(board.locator(".dlx-status")).to_contain_text("Keras says 1", timeout=20_000)
        book.shot_cells("dark_narrow")
        watch.clean()
