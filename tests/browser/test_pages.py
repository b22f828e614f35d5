"""The static pages, opened as files with the network off."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, Locator, expect
from sklearn.datasets import load_digits
from torch import nn

from dlexplain.widgets import DrawingBoard, ExplanationExplorer

from .laboratory import watched

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Both pages, of two networks with random weights: what they answer does not matter here."""
    torch.manual_seed(0)
    models = {
        name: nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(384, 10))
        for name in ("First", "Second")
    }
    inputs = (load_digits().images[:6, None] / 16).astype(np.float32)
    folder = tmp_path_factory.mktemp("pages")
    explorer = ExplanationExplorer(models, inputs, class_names=list("0123456789"))
    board = DrawingBoard(models, methods=["input_x_gradient", "saliency"])
    paths = {"explorer": folder / "explorer.html", "board": folder / "board.html"}
    explorer.to_html(paths["explorer"])
    board.to_html(paths["board"])
    twins = [widget._repr_mimebundle_()[0]["text/html"] for widget in (explorer, board)]
    paths["twins"] = folder / "twins.html"
    paths["twins"].write_text(f"<!doctype html><meta charset=utf-8><h1>Two twins</h1>{''.join(twins)}")
    assert explorer.errors == board.errors == []
    return paths


def picture(canvas: Locator) -> str:
    return canvas.evaluate("(canvas) => canvas.toDataURL()")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1100])
def test_the_explorers_page(pages, browser: Browser, shots: Path, scheme: str, width: int) -> None:
    context = browser.new_context(offline=True, color_scheme=scheme, viewport={"width": width, "height": 900})
    page, watch = watched(context)
    page.goto(pages["explorer"].as_uri())
    root = page.locator(".dlx-explorer")
    expect(root.locator("canvas.dlx-map")).to_have_count(2)
    assert root.get_attribute("data-dark") == str(scheme == "dark").lower()
    seen = {picture(root.locator("canvas.dlx-map").first)}
    root.locator("input[type=range]").fill("4")
    seen.add(picture(root.locator("canvas.dlx-map").first))
    root.get_by_label("Class", exact=True).select_option("-1")
    seen.add(picture(root.locator("canvas.dlx-map").first))
    for option in ("input_x_gradient", "occlusion", "gradcam"):
        root.get_by_label("Method", exact=True).select_option(option)
        seen.add(picture(root.locator("canvas.dlx-map").first))
    assert len(seen) == 6
    root.get_by_label("Method", exact=True).select_option("activations")
    expect(root.locator("canvas.dlx-tiles")).to_have_count(2)
    root.get_by_role("radio", name="Second").check()
    expect(root.locator("canvas.dlx-tiles")).to_have_count(1)
    root.get_by_label("Method", exact=True).select_option("integrated_gradients")
    expect(root.locator(".dlx-facts")).to_contain_text("of the output's change")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
        "the page is wider than the screen"
    )
    page.screenshot(path=shots / f"page_explorer_{scheme}_{width}.png", full_page=True)
    watch.clean()
    context.close()


def test_the_boards_page(pages, browser: Browser, shots: Path) -> None:
    context = browser.new_context(offline=True, viewport={"width": 1000, "height": 900})
    page, watch = watched(context)
    page.goto(pages["board"].as_uri())
    root = page.locator(".dlx-drawing")
    expect(root.locator("canvas.dlx-map")).to_have_count(2)
    before = picture(root.locator("canvas.dlx-paper")), picture(root.locator("canvas.dlx-map").first)
    words = root.locator(".dlx-status").inner_text()
    root.get_by_label("Drawing", exact=True).select_option("a seven")
    assert picture(root.locator("canvas.dlx-paper")) != before[0]
    assert picture(root.locator("canvas.dlx-map").first) != before[1]
    expect(root.locator(".dlx-status")).not_to_have_text(words)
    tiles = picture(root.locator("canvas.dlx-tiles").first)
    layer = root.get_by_label("Look into layer", exact=True)
    layer.select_option(index=layer.locator("option").count() - 1)
    assert picture(root.locator("canvas.dlx-tiles").first) != tiles
    map_before = picture(root.locator("canvas.dlx-map").first)
    root.get_by_label("Method", exact=True).select_option("saliency")
    assert picture(root.locator("canvas.dlx-map").first) != map_before
    expect(root.get_by_role("button", name="Pen")).to_have_count(0)
    page.screenshot(path=shots / "page_board.png", full_page=True)
    watch.clean()
    context.close()


@pytest.mark.parametrize("width", [390, 1100])
def test_a_twin_is_given_the_room_it_needs(pages, browser: Browser, shots: Path, width: int) -> None:
    context = browser.new_context(offline=True, viewport={"width": width, "height": 900})
    page, watch = watched(context)
    page.goto(pages["twins"].as_uri())
    frames = page.locator("iframe.dlexplain-twin")
    expect(frames).to_have_count(2)
    for i in range(2):
        frames.nth(i).scroll_into_view_if_needed()
        inner = page.frame_locator("iframe.dlexplain-twin").nth(i).locator("html")
        expect(inner.locator(".dlx-explorer, .dlx-board").first).to_be_visible()
        page.wait_for_timeout(500)
        shown, tall = inner.evaluate("(html) => [html.clientHeight, html.scrollHeight]")
        assert tall <= shown, f"twin {i} shows {shown} of {tall} pixels"
        before = shown
        page.wait_for_timeout(500)
        assert inner.evaluate("(html) => html.clientHeight") == before, "it grows without end"
    page.screenshot(path=shots / f"twins_{width}.png", full_page=True)
    watch.clean()
    context.close()


def test_the_watch_sees_a_request_and_an_error(browser: Browser) -> None:
    """The control of all these tests: a page that does what ours must not is caught."""
    context = browser.new_context()
    page, watch = watched(context)
    page.set_content("<img src='https://example.org/x.png'><script>throw new Error('planted')</script>")
    page.wait_for_timeout(300)
    assert watch.outside == ["https://example.org/x.png"]
    assert any("planted" in error for error in watch.errors)
    with pytest.raises(AssertionError):
        watch.clean()
    context.close()
