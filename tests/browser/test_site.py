"""The course as pages: built from two short notebooks, opened from a folder with the network off."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from dlexplain.classroom import building, lessons
from dlexplain.classroom.executed import executed, notebooks
from dlexplain.classroom.site import contents
from dlexplain.classroom.site.building import command_site
from dlexplain.classroom.site.cells import cell_html, markdown
from dlexplain.classroom.teaching.command import write_papers
from dlexplain.classroom.teaching.slides import slides_page
from dlexplain.errors import InputError

from .laboratory import axe_faults, watched

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

_SOURCES = {
    "00_start_here.py": """
# %% [markdown]
# # 00 · Start here
# Half of $x^2$ is <b>bold</b>; the next lesson is [02](02_layers_refine_patterns.ipynb).
#
# ## A picture

# %%
import numpy as np

import dlexplain as dlx

lesson = dlx.classroom.lesson(0)
dlx.figures.bars([1.0, 2.0], ["a", "b"], title="Two bars", axis="euro")

# %%
lesson.predict("accuracy")

# %%
# saliency by name
dlx.figures.bars([3.0], ["c"], title="One bar", axis="a saliency")

# %%
### BEGIN SOLUTION
share = 0.25
### END SOLUTION
lesson.check("share_right", share)

# %%
lesson.progress()
""",
    "02_layers_refine_patterns.py": """
# %% [markdown]
# # 02 · Layers refine patterns
# ## Names

# %%
method = "saliency"
print("<method>", method)
""",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("course")
    (folder / "notebooks" / "source").mkdir(parents=True)
    for name, text in _SOURCES.items():
        (folder / "notebooks" / "source" / name).write_text(text, encoding="utf-8")
    assert building.command_build(folder) == 0
    assert command_site(folder / "site", folder=folder, jobs=1) == 0
    return folder / "site"


def test_a_lesson_is_drawn_from_a_file_without_a_network(site: Path, browser: Browser, shots: Path) -> None:
    page, watch = watched(browser.new_context())
    page.goto((site / "00_start_here.html").as_uri())
    expect(page.locator(".dlexplain-figure .main-svg").first).to_be_visible(timeout=30_000)
    assert page.locator(".dlexplain-figure").count() == 2
    expect(page.locator("math msup")).to_be_visible()
    expect(page.locator("aside li")).to_have_text(["A picture"])
    expect(page.get_by_text("Predict first").first).to_be_visible()
    expect(page.get_by_text("Hint 1: a nudge")).to_be_visible()
    assert page.get_by_text("lesson.progress").count() == 0
    assert "0.25" not in page.locator(".code").nth(2).inner_text()
    page.screenshot(path=shots / "site_lesson.png", full_page=True)
    page.get_by_role("link", name="02", exact=True).click()
    expect(page.locator("h1")).to_have_text("02 · Layers refine patterns")
    expect(page.get_by_text("<method> saliency")).to_be_visible()
    page.locator(".way .before").press("Enter")
    expect(page.locator("h1")).to_have_text("00 · Start here")
    page.context.close()
    assert not watch.errors
    assert not watch.outside


def test_the_index_leads_by_question_method_and_word(site: Path, browser: Browser, shots: Path) -> None:
    page, watch = watched(browser.new_context())
    page.goto((site / "index.html").as_uri())
    assert page.locator(".card").count() == 2
    page.get_by_label("Only lessons with").press_sequentially("layers REFINE")
    expect(page.locator(".card:visible")).to_have_count(1)
    expect(page.locator("#found")).to_have_text("1 of 2")
    row = page.locator("#method tr", has_text="saliency").first
    expect(row.locator("a")).to_have_text(["02"])  # of 00 the word stands in a longer text only
    assert page.locator("#first .map a").count() == 2
    expect(page.locator("#first .map-list")).to_be_hidden()
    words = page.locator("#word dt").all_inner_texts()
    assert len(words) > 5
    assert len(words) == len(set(words))  # each word once, whoever defines it
    page.locator("#first .map a", has_text="Layers").focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("02 · Layers refine patterns")
    page.screenshot(path=shots / "site_index.png", full_page=True)
    page.context.close()
    assert not watch.errors
    assert not watch.outside


@pytest.mark.parametrize("name", ["index", "00_start_here"])
def test_a_narrow_page_is_not_wider_than_its_window(site: Path, browser: Browser, shots: Path, name: str) -> None:
    page, _ = watched(browser.new_context(viewport={"width": 420, "height": 800}))
    page.goto((site / f"{name}.html").as_uri())
    if name == "index":
        expect(page.locator("#first .map")).to_be_hidden()
        expect(page.locator("#first .map-list li", has_text="Layers refine")).to_contain_text("after 00")
    else:
        expect(page.locator(".dlexplain-figure .main-svg").first).to_be_visible(timeout=30_000)
    page.screenshot(path=shots / f"site_narrow_{name}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["index", "00_start_here"])
def test_the_rules_of_axe(site: Path, browser: Browser, name: str, scheme: str) -> None:
    page, _ = watched(browser.new_context(color_scheme=scheme))
    page.goto((site / f"{name}.html").as_uri())
    if name != "index":
        expect(page.locator(".dlexplain-figure .main-svg").first).to_be_visible(timeout=30_000)
    assert axe_faults(page) == []
    page.context.close()


@pytest.mark.parametrize("sort", ["guide", "workbook"])
def test_papers_keep_the_rules_of_axe(tmp_path: Path, browser: Browser, sort: str) -> None:
    write_papers(tmp_path, [8], slides=False)
    page, _ = watched(browser.new_context())
    page.goto((tmp_path / f"08_predictive_maintenance_{sort}.html").as_uri())
    assert axe_faults(page) == []
    page.context.close()


def test_slides_show_one_at_a_time_and_print_all(site: Path, browser: Browser, tmp_path: Path) -> None:
    folder = site.parent
    done = next(executed(notebooks(folder, [0]), folder / "build" / "executed", jobs=1))
    (tmp_path / "slides.html").write_text(slides_page(done, lessons.declared(0)), encoding="utf-8")
    page, watch = watched(browser.new_context(viewport={"width": 1280, "height": 720}))
    page.goto((tmp_path / "slides.html").as_uri())
    figures = ".dlexplain-figure"
    page.wait_for_function(
        f"[...document.querySelectorAll('{figures}')].every((one) => one._fullLayout)", timeout=60_000
    )
    assert page.locator(figures).count() == 2
    # drawn before it is seen, a figure has the width of its slide and its words have a size
    assert page.evaluate(f"[...document.querySelectorAll('{figures}')].every((one) => one._fullLayout.width > 900)")
    expect(page.locator("section:visible")).to_have_count(1)
    assert axe_faults(page) == []
    page.keyboard.press("ArrowRight")
    expect(page.locator("#place")).to_contain_text("2 / ")
    expect(page.locator("section:visible")).to_have_count(1)
    sheets = re.findall(rb"/Type\s*/Page\b", page.pdf(print_background=True, prefer_css_page_size=True))
    assert len(sheets) == page.locator("section").count()
    page.context.close()
    assert not watch.errors


def test_plotly_is_written_once(site: Path) -> None:
    sizes = {path.name: path.stat().st_size for path in site.rglob("*.*")}
    assert sizes["figures.js"] > 1_000_000
    assert sizes["00_start_here.html"] < 100_000


def test_text_keeps_its_mathematics_and_its_links() -> None:
    page = markdown("# A\n\n| a | b |\n|---|---|\n| $x_1$ | [c](solutions/04_saliency.ipynb) |\n\n$$\\sum_i x_i$$\n")
    assert "<msub>" in page
    assert 'href="04_saliency.html"' in page
    assert 'display="block"' in page
    assert "$" not in page


def test_output_of_a_program_is_no_markup() -> None:
    stream = {"output_type": "stream", "name": "stdout", "text": "\x1b[31m<script>\x1b[0m"}
    page = cell_html({"cell_type": "code", "source": "f()", "outputs": [stream]}, {})
    assert "<pre>&lt;script&gt;</pre>" in page


def test_a_lesson_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lesson 77"):
        command_site(tmp_path, [77])


def test_every_row_by_method_asks_a_question() -> None:
    asked = contents.asked()
    assert {"saliency", "dlx.audit", "dlx.probe"} <= asked.keys()
    assert [name for name, what in asked.items() if not what.endswith("?")] == []


def test_a_word_stands_once_with_all_its_lessons() -> None:
    entries = [contents.Entry(lessons.declared(n), f"{n:02d}", frozenset()) for n in (8, 15, 16)]
    page = contents.words(entries)
    assert page.count("<dt>control</dt>") == 1
    assert page.index('href="08.html"', page.index("<dt>control</dt>")) < page.index("could have shown you wrong") + 400


def test_lines_to_what_another_lesson_needs_anyway_are_left_out() -> None:
    entries = [contents.Entry(lessons.declared(n), f"{n:02d}", frozenset()) for n in (0, 2, 4, 7)]
    depth = contents.depths(entries)
    assert depth == {0: 0, 2: 1, 4: 2, 7: 3}
    assert contents.by_prerequisite(entries).count("<path") == 3
