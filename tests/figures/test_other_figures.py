"""Comparisons, activations, learning and pictures as figures."""

from __future__ import annotations

import base64
import dataclasses
import struct
import zlib

import numpy as np
import pytest

from dlexplain import figures
from dlexplain.attribution.comparison import Comparison
from dlexplain.errors import InputError
from dlexplain.figures.png import address, encode, to_bytes
from dlexplain.layers.results import FeatureVisualisation


@pytest.fixture
def compared(attribute) -> Comparison:
    pictures = np.random.default_rng(0).random((3, 6, 6, 1)).astype(np.float32)
    made = {
        "saliency": attribute(pictures, "image", seed=1, layout="channels_last", gap=False, scale=0.1),
        "occlusion": attribute(pictures, "image", seed=2, layout="channels_last", scale=5),
        "twin": attribute(pictures, "image", seed=2, layout="channels_last", warnings=("Look out.",)),
    }
    return Comparison(made)


def test_a_comparison_has_a_row_a_sample_a_column_a_label_and_one_scale(compared):
    figure = compared.plot(samples=2)
    drawn = [trace for trace in figure.data if trace.type == "heatmap"]
    assert len(drawn) == 6
    assert {trace.coloraxis for trace in drawn} == {"coloraxis"}
    every = np.concatenate([a.heatmap()[:2].ravel() for a in compared.attributions.values()])
    assert figure.layout.coloraxis.cmax == pytest.approx(np.percentile(np.abs(every), 99))
    for trace, label in zip(drawn[:3], compared.attributions, strict=True):
        np.testing.assert_array_equal(trace.z, compared.attributions[label].heatmap()[0])


def test_a_comparison_says_the_agreement_and_the_warnings(compared):
    figure = figures.comparison(compared, samples=[2])
    value = compared.table.query("a == 'occlusion' and b == 'twin'")["rank_correlation"].item()
    assert value == pytest.approx(1)
    assert "occlusion and twin 1" in figure.layout.title.subtitle.text.replace("<br>", " ")
    assert [n.text for n in figure.layout.annotations if n.name == "warning"] == ["⚠ twin: Look out."]
    for label in compared.attributions:
        assert label in figure.alt


@pytest.mark.parametrize("name", ["table", "series", "tokens", "several", "first"])
def test_every_kind_compares(each_kind, name):
    figure = figures.comparison(Comparison({"a": each_kind[name], "b": each_kind[name]}), samples=2)
    assert "NaN" not in figure.to_json()
    assert figure.alt


def test_compared_bars_share_order_and_axis(attribute):
    inputs = np.ones((1, 3), np.float32)
    a = attribute(inputs, "table", values=np.array([[1.0, 2.0, 3.0]], np.float32))
    b = attribute(inputs, "table", values=np.array([[9.0, 0.0, 0.0]], np.float32))
    figure = figures.comparison(Comparison({"a": a, "b": b}))
    np.testing.assert_array_equal(figure.data[0].x, [1.0, 3.0, 2.0])
    np.testing.assert_array_equal(figure.data[1].x, [9.0, 0.0, 0.0])
    assert figure.layout.xaxis.range == figure.layout.xaxis2.range


def test_agreement_is_symmetric_and_shows_what_is_unknown(compared):
    table = compared.table
    table.loc[0, "rank_correlation"] = np.nan
    figure = figures.agreement(table)
    z = np.array(figure.data[0].z, dtype=object)
    assert z[0][1] is None
    assert z[1][0] is None
    assert z[1][2] == z[2][1] == pytest.approx(1)
    assert "NaN" not in figure.to_json()


def test_rows_of_a_comparison_take_names(compared):
    figure = figures.comparison(compared, samples=[2, 0], names=["a photo", "its noisy copy"])
    rows = [n.text for n in figure.layout.annotations if n.name == "row"]
    assert [text.partition("<br>")[2] for text in rows] == ["a photo", "its noisy<br>copy"]
    assert "sample" not in "".join(rows)
    with pytest.raises(InputError, match="1 names for 2 rows"):
        figures.comparison(compared, samples=2, names=["a photo"])


def test_constant_maps_are_told_once(compared):
    first = next(iter(compared.attributions.values()))
    flat = first._replace(values=np.zeros_like(first.values))
    several = Comparison({**compared.attributions, "flat": flat})
    said = " ".join(figures.comparison(several).layout.title.subtitle.text.replace("<br>", " ").split())
    assert said.count("constant map") == 1
    assert "No rank correlation for " in said
    assert "and flat" in said.partition("No rank correlation for ")[2]
    alone = figures.comparison(Comparison({"a": flat, "b": flat})).layout.title.subtitle.text
    assert "No rank correlation for 1 of 1 pairs" in alone


def test_channels_are_drawn_on_one_scale_and_dead_ones_are_marked(inside):
    figure = inside.plot()
    drawn = [trace for trace in figure.data if trace.type == "heatmap"]
    assert len(drawn) == 5
    for channel, trace in enumerate(drawn):
        np.testing.assert_array_equal(trace.z, inside["conv"][0, ..., channel])
    titles = [n.text for n in figure.layout.annotations if n.name == "panel"]
    assert titles == ["<b>0</b>", "<b>1 · dead</b>", "<b>2</b>", "<b>3 · dead</b>", "<b>4</b>"]
    assert len(figure.layout.shapes) == 4
    assert "1 and 3" in figure.alt


def test_one_sample_proves_no_channel_dead(inside):
    one = dataclasses.replace(inside, values={name: values[:1] for name, values in inside.values.items()})
    for figure in (one.plot(), figures.activations(one, "dense")):
        said = figure.layout.title.subtitle.text
        assert "silent" in said
        assert "for this sample" in said
        assert "dead" not in figure.to_json()


def test_activations_name_their_framework_and_take_a_title(inside):
    assert inside.framework in inside.plot().layout.title.text
    assert figures.activations(inside, "dense", title="Mine").layout.title.text == "<b>Mine</b>"


def test_a_colour_bar_ends_above_the_lower_edge(inside):
    wide = dataclasses.replace(inside, values={"conv": np.tile(inside["conv"], 2)[..., :8]})
    for figure in (inside.plot(channels=1), inside.plot(), wide.plot()):
        assert figure.layout.coloraxis.colorbar.len < figure.layout.height - figure.layout.margin.t


def test_a_picture_of_one_tone_keeps_it():
    for tone, drawn in ((1.0, 255), (0.0, 0), (0.5, 128), (255.0, 255), (-3.0, 128)):
        flat = np.full((4, 4), tone, np.float32)
        assert np.unique(to_bytes(flat, low=tone, high=tone)).tolist() == [drawn]


def test_every_picture_has_an_edge_round_all_of_it():
    figure = figures.images([np.ones((8, 6)), np.ones((4, 4))], titles=["a\nb", "c"])
    edges = [(s.x0, s.y0, s.x1, s.y1) for s in figure.layout.shapes]
    assert edges == [(-0.5, -0.5, 5.5, 7.5), (-0.5, -0.5, 3.5, 3.5)]
    assert [n.text for n in figure.layout.annotations] == ["<b>a</b><br>b", "<b>c</b>"]


def test_units_of_a_dense_layer_are_bars(inside):
    figure = figures.activations(inside, "dense", sample=1)
    np.testing.assert_allclose(figure.data[0].y, inside["dense"][1])
    assert list(figure.data[1].x) == [2]
    with pytest.raises(InputError, match="sample=3"):
        figures.activations(inside, "dense", sample=3)
    with pytest.raises(InputError, match="Did you mean 'dense'"):
        figures.activations(inside, "dens")


def test_histograms_count_every_value_that_is_not_zero(inside):
    figure = inside.histograms()
    for trace, layer in zip(figure.data, inside.layers, strict=True):
        assert sum(trace.y) == np.count_nonzero(inside[layer])
    zeros = np.mean(inside["conv"] == 0)
    assert f"conv {100 * zeros:.2g} %" in figure.alt


def test_dead_units_agree_with_the_table(inside):
    figure = figures.dead_units(inside)
    np.testing.assert_allclose(figure.data[0].x, 100 * inside.dead_units()["share"])
    assert "conv 2 of 5; dense 1 of 8; logits 0 of 4" in figure.alt


def test_found_pictures_carry_unit_and_rise():
    result = FeatureVisualisation(
        images=np.random.default_rng(0).random((2, 3, 8, 8)).astype(np.float32), layer="conv", units=(4, 7),
        activation=np.array([2.0, 3.0]), start_activation=np.array([0.1, 0.2]), options={}, seed=0,
        framework="torch", fingerprint="0", layout="channels_first",
    )  # fmt: skip
    figure = result.plot()
    assert len(figure.layout.images) == 2
    assert "unit 4 0.1 → 2; unit 7 0.2 → 3" in figure.alt


def test_training_curves_draw_each_history():
    histories = {"Keras": {"loss": [3.0, 1.0], "val_loss": [3.5, 2.0]}, "Torch": {"loss": [2.0, 1.5]}}
    figure = figures.training_curves(histories)
    assert [trace.name for trace in figure.data] == [
        "Keras, training",
        "Keras, validation",
        "Torch, training",
    ]
    np.testing.assert_array_equal(figure.data[1].y, [3.5, 2.0])
    assert figure.data[1].line.dash == "dash"
    assert "Keras, validation loss from 3.5 to 2 in 2 epochs" in figure.alt
    with pytest.raises(InputError, match="Metrics: loss"):
        figures.training_curves(histories, metric="accuracy")


def test_a_legend_names_what_only_a_later_panel_holds():
    history = {"loss": [3.0, 1.0], "val_accuracy": [0.5, 0.8]}
    figure = figures.training_curves({"Keras": history, "Torch": history})
    assert [trace.name for trace in figure.data if trace.showlegend] == [
        "Keras, training",
        "Torch, training",
        "Keras, validation",
        "Torch, validation",
    ]


def test_validation_alone_is_nowhere_called_training():
    figure = figures.training_curves({"Keras": {"val_loss": [3.0, 1.0]}, "Torch": {"loss": []}})
    (line,) = figure.data
    assert (line.name, line.line.dash, line.showlegend) == ("Keras, validation", "dash", True)
    assert figure.layout.title.subtitle.text == "Dashed: validation data."
    assert "training" not in figure.alt
    both = figures.training_curves({"Keras": {"loss": [3.0], "val_loss": [2.0]}})
    assert both.layout.title.subtitle.text == "Whole line: training data. Dashed: validation data."


def test_the_border_lies_where_the_scores_cross():
    x, y = np.linspace(-1, 1, 21), np.linspace(0, 1, 11)
    grid = np.broadcast_to(x, (11, 21))
    figure = figures.decision_border(x, y, np.stack([-grid, grid], -1), [[0.5, 0.5]], [1], ["left", "right"])
    winner = np.asarray(figure.data[0].z)
    assert np.all(winner[:, x > 0.01] == 1)
    assert np.all(winner[:, x < -0.01] == 0)
    np.testing.assert_allclose(np.asarray(figure.data[1].z)[:, 10], 0, atol=1e-6)
    assert figure.data[-1].name == "right"
    with pytest.raises(InputError, match="scores has shape"):
        figures.decision_border(x, y, np.zeros((21, 11, 2)))


def test_confusion_names_the_commonest_mistake():
    figure = figures.confusion(np.array([[5, 4], [1, 10]]), ["cat", "dog"])
    assert "75 % are right. Most often mistaken: cat for dog (4)." in figure.alt
    np.testing.assert_allclose(np.array(figure.data[0].z, float), [[5 / 9, 4 / 9], [1 / 11, 10 / 11]])
    with pytest.raises(InputError, match="square"):
        figures.confusion(np.zeros((2, 3)))


def test_png_holds_the_pixels_written():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    data = encode(pixels)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, place = {}, 8
    while place < len(data):
        size, name = struct.unpack(">I4s", data[place : place + 8])
        body = data[place + 8 : place + 8 + size]
        assert struct.unpack(">I", data[place + 8 + size : place + 12 + size])[0] == zlib.crc32(name + body)
        chunks[name], place = body, place + 12 + size
    assert struct.unpack(">IIBB", chunks[b"IHDR"][:10]) == (7, 5, 8, 2)
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(5, 22)
    assert not rows[:, 0].any()
    np.testing.assert_array_equal(rows[:, 1:].reshape(5, 7, 3), pixels)


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        ([[0.0, 0.5, 1.0]], [[0, 128, 255]]),
        ([[0.0, 100.0, 255.0]], [[0, 100, 255]]),
        ([[-1.0, 0.0, 1.0]], [[0, 128, 255]]),
        ([[0.0, np.nan, 1.0]], [[0, 0, 255]]),
        ([[0.0, 0.0, 0.0]], [[0, 0, 0]]),
    ],
)
def test_pictures_of_any_range_become_bytes(picture, expected):
    np.testing.assert_array_equal(to_bytes(np.array(picture)), expected)


def test_a_grid_of_pictures():
    digits = np.random.default_rng(0).random((10, 8, 8))
    figure = figures.images(digits, titles=[f"<b>{i}" for i in range(10)])
    assert len(figure.layout.images) == 10
    assert figure.layout.images[3].source == address(digits[3])
    base64.b64decode(figure.layout.images[3].source.split(",")[1], validate=True)
    assert [n.text for n in figure.layout.annotations][3] == "<b>&lt;b&gt;3</b>"
    with pytest.raises(InputError, match="10 pictures but 1 titles"):
        figures.images(digits, titles=["one"])
    with pytest.raises(InputError, match="not"):
        figures.images([])
