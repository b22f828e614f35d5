"""The explorer without a browser: what it answers, keeps, refuses and tells."""

from __future__ import annotations

import html
import json
import re

import numpy as np
import pytest

import dlexplain as dlx
from dlexplain.widgets import ExplanationExplorer, explanation_figure, living
from dlexplain.widgets.scene import numbers_of, packed, shares

NAMES = ["left", "right"]


@pytest.fixture
def explorer(net, pictures) -> ExplanationExplorer:
    return ExplanationExplorer(net, pictures, labels=[0, 1, 0, 1], class_names=NAMES)


def drawn(part: dict) -> np.ndarray:
    """The map that the front end gets, as numbers."""
    return numbers_of(part).reshape(part["height"], part["width"])


def test_the_map_is_the_explanation(explorer, net, pictures) -> None:
    explorer.method = "input_x_gradient"
    for sample in range(4):
        for target in (0, 1):
            explorer.sample, explorer.target = sample, target
            panel = explorer.scene["panels"][0]
            expected = dlx.explain(net, pictures[sample : sample + 1], "input_x_gradient", target=target)
            np.testing.assert_allclose(drawn(panel["map"]), expected.heatmap()[0], atol=1e-4)
    assert explorer.errors == []


def test_the_predicted_class_is_explained_by_default_and_said(explorer) -> None:
    explorer.sample = 1
    panel = explorer.scene["panels"][0]
    assert ["Target", "right (predicted)"] in panel["facts"]
    assert [row["name"] for row in panel["predictions"]["rows"] if row["top"]] == ["right"]
    assert "Torch says right" in explorer.scene["summary"]
    assert "labelled right" in explorer.scene["summary"]


def test_alternative_text_tells_where_the_map_is_strongest(explorer) -> None:
    explorer.method, explorer.sample, explorer.target = "input_x_gradient", 0, 0
    assert "strongest for at row 3, column 2 (+1)" in explorer.scene["panels"][0]["alt"]
    explorer.target = 1
    assert "zero everywhere" in explorer.scene["panels"][0]["alt"]


def test_an_answer_is_kept(explorer, monkeypatch) -> None:
    explorer.sample = 1
    first = explorer.scene["panels"][0]
    explorer.sample = 0
    monkeypatch.setattr("dlexplain.widgets.explorer.result_of", None)
    explorer.sample = 1
    assert explorer.scene["panels"][0] is first
    assert explorer.error == ""


def test_activations_are_those_of_the_layer(explorer, net, pictures) -> None:
    explorer.method, explorer.layer = "activations", "0"
    tiles = explorer.scene["panels"][0]["tiles"]
    expected = dlx.activations(net, pictures[:1], layers=["0"])["0"][0]
    got = numbers_of(tiles).reshape(tiles["count"], tiles["height"], tiles["width"])
    np.testing.assert_allclose(got, expected, atol=1e-4)
    assert tiles["signed"]


def test_twins_get_pictures_in_their_own_layout(net, pictures) -> None:
    twin = dlx.convert(net, to="keras", input_shape=(1, 8, 8))
    both = ExplanationExplorer({"Torch": net, "Keras": twin}, pictures, class_names=NAMES)
    assert both.framework == "side by side"
    torch_panel, keras_panel = both.scene["panels"]
    np.testing.assert_allclose(drawn(torch_panel["map"]), drawn(keras_panel["map"]), atol=1e-4)
    both.framework = "Keras"
    assert [panel["framework"] for panel in both.scene["panels"]] == ["Keras"]
    assert both.errors == []


def test_an_error_is_shown_in_words_and_kept(explorer) -> None:
    explorer.method, explorer.layer = "gradcam", "3"
    assert "3" in explorer.error
    assert explorer.scene["error"] == explorer.error
    assert isinstance(explorer.errors[-1], dlx.DlexplainError)
    explorer.method = "saliency"
    assert explorer.error == ""
    assert explorer.scene["panels"]


def test_an_unforeseen_error_is_kept_too(explorer, monkeypatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("made to fail")

    monkeypatch.setattr("dlexplain.widgets.explorer.result_of", broken)
    explorer.sample = 3
    assert explorer.error == "ZeroDivisionError: made to fail"
    assert isinstance(explorer.errors[-1], ZeroDivisionError)


def test_a_sweep_raises_what_the_widget_could_only_show(explorer, monkeypatch) -> None:
    for step in explorer.sweep():
        step()

    def broken(*_: object) -> None:
        raise ZeroDivisionError("made to fail")

    explorer._panels.clear()
    monkeypatch.setattr("dlexplain.widgets.explorer.result_of", broken)
    steps = explorer.sweep()
    with pytest.raises(ZeroDivisionError):
        [step() for step in steps]


def test_a_sweep_works_every_control_and_puts_them_back(explorer) -> None:
    seen = {name: set() for name in ("sample", "target", "method", "layer", "framework")}
    explorer.observe(lambda change: seen[change["name"]].add(change["new"]), names=list(seen))
    before = {name: getattr(explorer, name) for name in seen}
    for step in explorer.sweep():
        step()
    assert seen["method"] == {entry["value"] for entry in explorer.menu["methods"]}
    assert seen["layer"] == {entry["value"] for entry in explorer.menu["layers"]}
    assert {0, 1, None} <= seen["target"]
    assert {name: getattr(explorer, name) for name in seen} == before
    assert explorer in living()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"methods": []}, "methods"),
        ({"labels": [1]}, "labels: 1 for 4 samples"),
        ({"layers": ["nonesuch"]}, "nonesuch"),
        ({"inputs": {"Keras": np.zeros((1, 1, 8, 8))}}, "Torch"),
        ({"inputs": np.zeros((0, 1, 8, 8))}, "at least one"),
        ({"models": {}}, "empty"),
    ],
)
def test_wrong_arguments_are_named(net, pictures, change, words) -> None:
    arguments = {"models": net, "inputs": pictures, **change}
    with pytest.raises(dlx.InputError, match=words):
        ExplanationExplorer(arguments.pop("models"), arguments.pop("inputs"), **arguments)


def test_the_figure_behind_it(net, pictures) -> None:
    figure = explanation_figure(net, pictures, 1, None, "saliency", class_names=NAMES)
    assert "right" in json.dumps(figure.to_plotly_json(), default=str)
    assert explanation_figure(net, pictures, 0, method="activations", layer="0").data


def test_the_page_holds_every_combination_within_its_limit(explorer, tmp_path) -> None:
    text = explorer.to_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == text
    record = json.loads(re.search(r'id="record">(.*?)</script>', text, re.DOTALL)[1])
    methods = [m["value"] for m in record["state"]["menu"]["methods"]]
    assert {json.loads(key)[3] for key in record["panels"]} == set(methods)
    assert {json.loads(key)[1] for key in record["panels"]} == {0, 1, 2, 3}
    short = explorer.to_html(max_bytes=len(text) - 1)
    assert "Recorded: 3 of 4 samples" in short
    assert not re.search(r"https?://", re.sub(r'id="record">.*?</script>', "", text, flags=re.DOTALL))


def test_its_output_carries_the_live_view_and_a_static_twin_of_the_present_choice(explorer) -> None:
    explorer.sample, explorer.method = 2, "occlusion"
    data, _ = explorer._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == explorer.model_id
    assert len(data["text/html"]) < 300_000
    frame = re.fullmatch(r"<iframe [^>]*? srcdoc='([^']*)'></iframe><script>.*</script>", data["text/html"], re.DOTALL)
    text = html.unescape(frame[1])
    record = json.loads(re.search(r'id="record">(.*?)</script>', text, re.DOTALL)[1])
    assert record["state"]["method"] == "occlusion"
    assert record["summaries"] == [explorer.scene["summary"]]
    methods = {entry["value"] for entry in explorer.menu["methods"]}
    assert {json.loads(key)[3] for key in record["panels"]} == methods
    assert "0x" not in data["text/plain"]


def test_the_live_view_shows_even_where_no_twin_can_be_made(explorer, monkeypatch) -> None:
    def fail(max_bytes: int) -> str:
        raise ValueError("no <page>")

    monkeypatch.setattr(explorer, "_still", fail)
    data, _ = explorer._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert "no &lt;page&gt;" in data["text/html"]
    assert isinstance(explorer.errors[-1], ValueError)


def test_a_name_cannot_write_markup_into_the_page(net, pictures) -> None:
    name = "</script><script>alert(1)</script>"
    text = ExplanationExplorer(net, pictures, class_names=[name, "b"], title=name).to_html(samples=1)
    assert "<script>alert(1)" not in text


def test_values_survive_the_wire() -> None:
    values = np.random.default_rng(0).normal(size=100) * 1e-6
    part = packed(values)
    assert np.max(np.abs(numbers_of(part) - values)) <= np.max(np.abs(values)) / 32767
    assert np.all(numbers_of(packed(np.zeros(3))) == 0)


def test_shares_are_a_softmax_only_of_what_is_no_probability() -> None:
    given, made = shares(np.array([0.2, 0.8]))
    np.testing.assert_allclose(given, [0.2, 0.8])
    assert not made
    worked, made = shares(np.array([0.0, np.log(3.0)]))
    np.testing.assert_allclose(worked, [0.25, 0.75])
    assert made


def test_a_table_is_drawn_as_bars_of_its_features() -> None:
    import torch
    from torch import nn

    net = nn.Linear(3, 1, bias=False)
    with torch.no_grad():
        net.weight[:] = torch.tensor([[2.0, -1.0, 0.0]])
    explorer = ExplanationExplorer(
        net, np.ones((2, 3), np.float32), methods=["input_x_gradient"], feature_names=["age", "dose", "site"]
    )
    panel = explorer.scene["panels"][0]
    rows = [(row["name"], row["value"]) for row in panel["bars"]["rows"]]
    assert rows == [("age = 1", 2.0), ("dose = 1", -1.0), ("site = 1", 0.0)]
    assert explorer.scene["picture"] is None
    assert not panel["predictions"]["share"]
