"""A figure shows itself without a network, once with plotly.js, always with its alternative text."""

from __future__ import annotations

import base64
import html
import json
import re
import zlib

import numpy as np
import plotly.io as pio
import pytest

from dlexplain import figures
from dlexplain.figures import showing

HOSTILE = '"><script>alert(1)</script>'


@pytest.fixture
def shown(monkeypatch):
    """What figures display, in a notebook whose plotly.js has not come yet."""
    outputs: list[dict] = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: outputs.append(bundle))
    monkeypatch.setattr(showing, "_carrier", {"cell": None, "run": None})
    monkeypatch.setattr(pio.renderers, "default", "plotly_mimetype")
    return outputs


def in_cell(monkeypatch, cell: str, run: str, kind: str = "execute_request") -> None:
    class Shell:
        def get_parent(self):
            return {"header": {"msg_id": run, "msg_type": kind}, "metadata": {"cellId": cell}}

    monkeypatch.setattr("IPython.get_ipython", Shell)


def inflated(text: str) -> list[str]:
    return [zlib.decompress(base64.b64decode(t)).decode() for t in re.findall(r'"(e[A-Za-z0-9+/=]{40,})"', text)]


def test_one_output_has_a_format_for_every_reader():
    figure = figures.bars([1.0, -2.0], ["a", "b"])
    bundle = showing.mimebundle(figure)
    assert set(bundle) == {"application/vnd.plotly.v1+json", "text/html", "text/plain"}
    assert bundle["text/plain"] == figure.alt
    assert f'aria-label="{html.escape(figure.alt)}"' in bundle["text/html"]
    assert 'role="figure"' in bundle["text/html"]
    packed = json.loads(inflated(bundle["text/html"])[0])
    assert packed == bundle["application/vnd.plotly.v1+json"]


def test_no_button_sends_the_figure_away():
    config = showing.mimebundle(figures.bars([1.0], ["a"]))["application/vnd.plotly.v1+json"]["config"]
    assert config["showSendToCloud"] is False
    assert config["plotlyServerURL"] == ""


def test_plotly_js_comes_once_and_again_with_its_cell(shown, monkeypatch):
    figure = figures.bars([1.0], ["a"])
    carried = []
    for cell, run in (("one", "1"), ("one", "1"), ("two", "2"), ("one", "3"), ("two", "4")):
        in_cell(monkeypatch, cell, run)
        shown.clear()
        figure._ipython_display_()
        carried.append('"carry"' in shown[0]["text/html"])
    assert carried == [True, False, False, True, False]


def test_what_a_widget_shows_never_carries_plotly_js(shown, monkeypatch):
    in_cell(monkeypatch, "one", "1", kind="comm_msg")
    figures.bars([1.0], ["a"])._ipython_display_()
    assert '"carry"' not in shown[0]["text/html"]


def test_offline_takes_the_load_from_the_figures(shown, monkeypatch):
    in_cell(monkeypatch, "one", "1")
    figures.offline()
    figures.bars([1.0], ["a"])._ipython_display_()
    assert ['"carry"' in bundle["text/html"] for bundle in shown] == [True, False, False]


def test_bytes_of_a_figure_in_a_notebook(shown, monkeypatch):
    in_cell(monkeypatch, "one", "1")
    figure = figures.bars([1.0, 2.0], ["a", "b"])
    figure.show()
    first = sum(len(str(text)) for bundle in shown for text in bundle.values())
    shown.clear()
    figure.show()
    later = sum(len(str(text)) for bundle in shown for text in bundle.values())
    assert first < 2_100_000
    assert later < 16_000


def test_alt_text_cannot_break_out_of_its_page(shown):
    figure = figures.bars([1.0, 2.0], [HOSTILE, "</script>"], title=HOSTILE)
    figure._ipython_display_()
    page = figures.to_html(figure, title=HOSTILE)
    for text in (page, *(bundle["text/html"] for bundle in shown)):
        assert "<script>alert" not in text
    assert page.count("</script>") == page.count("<script>") == 2


def test_the_users_renderer_is_respected(monkeypatch):
    monkeypatch.setattr(pio.renderers, "default", "json")
    assert set(figures.bars([1.0], ["a"])._repr_mimebundle_()) == {"application/json"}


def test_a_page_of_its_own_names_no_address(tmp_path):
    path = figures.save_html(figures.bars([1.0], ["a"]), tmp_path / "bars.html")
    page = path.read_text(encoding="utf-8")
    assert "://" not in page
    assert "src=" not in page
    assert len(page) < 2_050_000


@pytest.mark.browser
def test_an_exported_notebook_and_a_page_draw_without_a_network(tmp_path, chromium_options):
    from concurrent.futures import ThreadPoolExecutor

    import nbformat
    from nbclient import NotebookClient
    from nbconvert import HTMLExporter
    from playwright.sync_api import sync_playwright

    code = nbformat.v4.new_code_cell
    cells = [
        code("from dlexplain import figures\nimport numpy as np"),
        code("figures.bars([1.0, -2.0], ['<b>a</b>', 'cost $x$'])"),
        code("figures.images(np.eye(8)[None]).show()\nfigures.tokens([0.5, -1.0], ['not', 'bad'])"),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, kernel_name="python3", timeout=120).execute()
    (tmp_path / "lesson.html").write_text(HTMLExporter().from_notebook_node(notebook)[0], encoding="utf-8")
    figures.save_html(figures.sensors(np.eye(5), np.eye(5)), tmp_path / "page.html")

    def look() -> None:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(**chromium_options)
            for name, count, scheme in (("lesson", 3, "light"), ("page", 1, "dark")):
                context = browser.new_context(offline=True, color_scheme=scheme)
                page = context.new_page()
                wrong: list[str] = []
                page.on("pageerror", lambda error, wrong=wrong: wrong.append(str(error)))
                page.goto((tmp_path / f"{name}.html").as_uri())
                page.wait_for_function(
                    "count => document.querySelectorAll('.dlexplain-figure .infolayer').length >= count",
                    arg=count,
                    timeout=60_000,
                )
                nodes = page.locator(".dlexplain-figure")
                assert nodes.count() == count
                for i in range(count):
                    assert nodes.nth(i).get_attribute("role") == "figure"
                    assert len(nodes.nth(i).get_attribute("aria-label")) > 20
                    assert nodes.nth(i).bounding_box()["height"] > 80
                if name == "lesson":
                    labels = page.locator(".dlexplain-figure .ytick text").all_text_contents()
                    assert set(labels) == {"<b>a</b>", "cost $x$"}
                else:
                    colour = "getComputedStyle(document.querySelector('.main-svg')).backgroundColor"
                    assert page.evaluate(colour) == "rgb(22, 24, 29)"
                assert wrong == []
                context.close()
            browser.close()

    # In a thread of its own: another test of this worker may keep Playwright's event loop running in this one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(look).result()


@pytest.mark.browser
def test_facts_and_warnings_follow_the_figures_width(attribute, tmp_path, chromium_options):
    """Wider: fewer lines; narrower: more, none cut off; the panels keep their height; a changed text stays."""
    from concurrent.futures import ThreadPoolExecutor

    from playwright.sync_api import sync_playwright

    warned = ("The output hardly changes & the gap < 1 % says little; " * 4).strip()
    explained = attribute(np.ones((1, 4), np.float32), "table", warnings=(warned,))
    long_name = attribute(np.ones((1, 4), np.float32), "table", class_names=("a class with a long name " * 8,) * 3)
    mine = figures.attribution(long_name)
    mine.update_layout(title={"subtitle": {"text": "my own words " * 12}})
    shown = {"facts": figures.attribution(long_name), "warned": figures.attribution(explained), "mine": mine}
    for name, figure in shown.items():
        figures.save_html(figure, tmp_path / f"{name}.html")
    measure = """() => {
        const graph = document.querySelector('.dlexplain-figure'), box = (node) => node.getBoundingClientRect();
        const texts = [...graph.querySelectorAll('.gtitle-subtitle, .annotation-text-g')];
        return { lines: graph.layout.title.subtitle.text, height: graph._fullLayout.height,
                 warning: graph.layout.annotations?.find((note) => note.name === 'warning')?.text ?? '',
                 panel: graph._fullLayout.height - graph._fullLayout.margin.t, box: box(graph).height,
                 right: Math.max(...texts.map((node) => box(node).right)) };
    }"""

    def look() -> dict[str, dict[int, dict]]:
        found: dict[str, dict[int, dict]] = {}
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(**chromium_options)
            for name in shown:
                page = browser.new_page()
                page.goto((tmp_path / f"{name}.html").as_uri())
                page.wait_for_selector(".dlexplain-figure .infolayer", state="attached", timeout=60_000)
                found[name] = {}
                for width in (700, 1400, 420, 700):
                    page.set_viewport_size({"width": width, "height": 1200})
                    page.wait_for_function(
                        "width => document.querySelector('.dlexplain-figure')._fullLayout.width === width", arg=width
                    )
                    page.wait_for_timeout(500)
                    found[name][width] = page.evaluate(measure)
            browser.close()
        return found

    with ThreadPoolExecutor(1) as thread:
        found = thread.submit(look).result(timeout=180)
    for name, key in (("facts", "lines"), ("warned", "warning")):
        seen = {width: measured[key].count("<br>") + 1 for width, measured in found[name].items()}
        assert seen[420] > seen[700] > seen[1400], (name, seen)
        for width, measured in found[name].items():
            assert measured["right"] <= width, (name, width)
            assert measured["panel"] == pytest.approx(found[name][700]["panel"])
            assert measured["box"] == pytest.approx(measured["height"], abs=1)
        assert " ".join(found[name][420][key].split("<br>")) == " ".join(found[name][1400][key].split("<br>"))
    assert {measured["lines"] for measured in found["mine"].values()} == {"my own words " * 12}
