"""The audit's report in Chromium, from a file, with the network off: hostile names, keys, narrow screens, dark, print."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from dlexplain.audit.report.html import write
from tests.audit import report_records as records

from .laboratory import Watch, axe_faults, watched

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

_DRAWN = "() => [...document.querySelectorAll('.plot')].every((plot) => plot.querySelector('.main-svg'))"
_RULES = Path(__file__).with_name("page_rules.js")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("report")
    made = {}
    for name, record in (("rich", records.rich()), ("hostile", records.hostile())):
        path = folder / f"{name}.html"
        path.write_text(write(record), encoding="utf-8")
        made[name] = path.as_uri()
    return made


@pytest.fixture
def opened(browser: Browser, pages: dict[str, str]) -> Iterator[Callable[..., tuple[Page, Watch]]]:
    """`page, watch = opened("rich", width=…)`; the page may log nothing and ask for nothing."""
    contexts: list[BrowserContext] = []
    watches: list[Watch] = []

    def opening(name: str, *, width: int = 1280, height: int = 800, **options) -> tuple[Page, Watch]:
        context = browser.new_context(offline=True, viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page, watch = watched(context)
        watches.append(watch)
        page.goto(pages[name])
        return page, watch

    yield opening
    for context in contexts:
        context.close()
    for watch in watches:
        watch.clean()


def draw_all(page: Page) -> None:
    """Comes near every figure, one after the other, as a reader does."""
    for plot in page.locator(".plot").all():
        plot.scroll_into_view_if_needed()
        expect(plot.locator(".main-svg").first).to_be_visible()


def test_hostile_text_neither_runs_nor_calls_out(opened) -> None:
    page, _ = opened("hostile")
    dialogs, frames = [], []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.on("popup", lambda popup: frames.append(popup.url))
    broken = page.evaluate_handle(
        "() => { window.broken = []; document.addEventListener('securitypolicyviolation', (e) => broken.push(e.blockedURI)); return broken; }"
    )
    draw_all(page)
    for figure in page.locator("details").all():
        figure.evaluate("(node) => { node.open = true; }")
    page.locator(".plot").first.hover()
    page.wait_for_timeout(300)
    assert page.evaluate("window.ran") is None
    assert dialogs == []
    assert frames == []
    assert broken.json_value() == [], "the page's rule had to stop something: it should not come so far"
    foreign = "a:not([href^='#']), iframe, object, embed, link, base, img, foreignObject, [onload], [onerror]"
    assert page.locator(foreign).count() == 0
    pictures = page.eval_on_selector_all("image", "(all) => all.map((one) => one.href.baseVal.slice(0, 11))")
    assert set(pictures) == {"data:image/"}, "a heat map's own pixels, and nothing from elsewhere"
    assert page.locator("h1").is_visible(), "a planted style hid the page"


def test_the_policy_stops_a_script_that_slips_in(opened) -> None:
    """The second wall, tried by itself: markup put into the running page does nothing."""
    page, watch = opened("rich")
    page.evaluate(
        """() => {
          const script = document.createElement('script'); script.textContent = 'window.ran = 1'; document.body.append(script);
          document.body.insertAdjacentHTML('beforeend', '<img src="https://evil.example/a.png" onerror="window.ran = 1">');
          return fetch('https://evil.example/').catch(() => {});
        }"""
    )
    page.wait_for_timeout(200)
    assert page.evaluate("window.ran") is None
    assert watch.outside == []
    assert any("Content Security Policy" in error for error in watch.errors)
    watch.errors.clear()


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1000, "light"), (1280, "light"), (1280, "dark")])
def test_the_page_on_every_screen(opened, shots: Path, width: int, scheme: str) -> None:
    page, _ = opened("rich", width=width, color_scheme=scheme)
    sign, finding = page.locator(".sign"), page.locator(".findings li").first
    for shown in (sign, finding):
        box = shown.bounding_box()
        assert box["y"] + box["height"] <= 800, "verdict and first finding belong on the first screen"
    page.screenshot(path=shots / f"report_{scheme}_{width}.png")
    draw_all(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the screen"
    faults = page.evaluate(_RULES.read_text(encoding="utf-8"))
    assert faults == []
    drawn = page.locator(".plot .main-svg").first.evaluate("(node) => getComputedStyle(node).backgroundColor")
    body = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert drawn == body, f"a figure of {drawn} on a page of {body}"
    page.screenshot(path=shots / f"report_{scheme}_{width}_full.png", full_page=True)


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_the_rules_of_axe(opened, width: int, scheme: str) -> None:
    page, _ = opened("rich", width=width, color_scheme=scheme)
    draw_all(page)
    assert axe_faults(page) == []


def test_figures_are_drawn_when_near_and_turn_with_the_theme(opened) -> None:
    page, _ = opened("rich")
    expect(page.locator("#section-0")).to_be_visible()
    page.wait_for_timeout(1500)
    plots = page.locator(".plot").count()
    assert page.locator(".plot .main-svg").count() < plots, "all figures were drawn at once"
    near = page.locator("#evidence-curve-17 .plot")
    near.scroll_into_view_if_needed()
    ground = near.locator(".main-svg").first
    expect(ground).to_have_css("background-color", "rgb(255, 255, 255)")
    page.emulate_media(color_scheme="dark")
    expect(ground).to_have_css("background-color", "rgb(22, 24, 29)")
    page.emulate_media(color_scheme="light")
    expect(ground).to_have_css("background-color", "rgb(255, 255, 255)")


def test_the_list_narrows_with_and_without_scripts(opened) -> None:
    for scripts in (True, False):
        page, _ = opened("rich", java_script_enabled=scripts)
        rows = page.locator(".all-checks tbody tr:visible")
        expect(rows).to_have_count(9)
        page.locator(".filter label", has_text="Failed").click()
        expect(rows).to_have_count(2)
        expect(rows.first).to_contain_text("FAIL")
        page.locator(".filter label", has_text="All").click()
        expect(rows).to_have_count(9)
        expect(page.locator("#search")).to_be_visible(visible=scripts)


def test_search_counts_and_sorting(opened) -> None:
    page, _ = opened("rich")
    rows = page.locator(".all-checks tbody tr:visible")
    page.locator("#search").fill("calib")
    expect(rows).to_have_count(1)
    page.locator("#search").fill("no such check")
    expect(page.locator(".all-checks .none")).to_be_visible()
    page.locator("#search").fill("")
    page.locator(".counts a", has_text="passed").click()
    expect(rows).to_have_count(4)
    table = page.locator("#evidence-table-3")
    table.locator("summary").click()
    by = table.get_by_role("button", name="score")
    by.click()
    expect(table.locator("tbody tr").first).to_contain_text("method 0")
    by.click()
    expect(table.locator("tbody tr").first).to_contain_text("method 29")
    expect(table.get_by_role("columnheader", name="score")).to_have_attribute("aria-sort", "descending")


def test_it_reads_whole_without_scripts(opened) -> None:
    page, _ = opened("rich", java_script_enabled=False)
    expect(page.locator(".plot:visible")).to_have_count(0)
    expect(page.locator(".undrawn").first).to_be_visible()
    page.locator(".values summary").first.click()
    expect(page.locator(".values table").first).to_contain_text("integrated gradients")


def test_by_keyboard(opened) -> None:
    page, _ = opened("rich")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the verdict")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#section-0') !== null")
    width = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert width == "3px"
    page.locator(".filter input").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".all-checks tbody tr:visible")).to_have_count(2)


def test_a_link_unfolds_and_reaches_its_evidence(opened) -> None:
    page, _ = opened("rich")
    page.locator("#check-duplicates .evidence a").click()
    expect(page.locator("#evidence-table-3 table")).to_be_in_viewport()


def test_print_has_every_figure_and_table(opened, shots: Path, tmp_path: Path) -> None:
    page, _ = opened("rich", color_scheme="dark")
    page.wait_for_function("() => window.Plotly")
    page.evaluate("""() => addEventListener('beforeprint', () => {
      window.seen = {
        drawn: [...document.querySelectorAll('.plot')].every((plot) => plot.querySelector('.main-svg')),
        ground: document.querySelector('.plot .main-svg').style.background || getComputedStyle(document.querySelector('.plot .main-svg')).backgroundColor,
        closed: document.querySelectorAll('details:not([open]):not(.values)').length,
      };
    })""")
    made = page.pdf(format="A4")
    (shots / "report.pdf").write_bytes(made)
    seen = page.evaluate("window.seen")
    assert seen["drawn"]
    assert seen["closed"] == 0
    assert "255, 255, 255" in seen["ground"], "paper is white in a dark room too"
    assert made.startswith(b"%PDF")
    page.wait_for_timeout(300)
    assert page.locator("#evidence-table-3 details").get_attribute("open") is None
    assert not page.evaluate("document.documentElement.classList.contains('printing')")
