"""The figure of an attribution draws its values, and says what a reader must know."""

from __future__ import annotations

import json

import numpy as np
import plotly.graph_objects as go
import pytest

from dlexplain import figures
from dlexplain.errors import InputError

KINDS = ["last", "first", "grey", "table", "series", "series_first", "tokens", "several"]


def maps(figure: go.Figure) -> list[go.Heatmap]:
    return [trace for trace in figure.data if trace.type == "heatmap"]


def written(figure: go.Figure) -> str:
    """Everything that a reader sees written round the panels."""
    notes = [note.text for note in figure.layout.annotations]
    return " ".join([figure.layout.title.text, figure.layout.title.subtitle.text or "", *notes])


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("sample", [None, 2, [0, 5, -1]])
def test_every_kind_and_layout_draws(each_kind, name, sample):
    figure = each_kind[name].plot(sample=sample)
    assert isinstance(figure, go.Figure)
    assert not isinstance(figure, getattr(go, "FigureWidget", ()))
    text = figure.to_json()
    json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert len(figure.data) > 0
    assert figure.alt


@pytest.mark.parametrize("name", ["last", "first", "grey"])
def test_a_map_is_drawn_value_by_value(each_kind, name):
    attribution = each_kind[name]
    drawn = maps(figures.attribution(attribution))
    assert len(drawn) == 6
    for trace, expected in zip(drawn, attribution.heatmap(), strict=True):
        np.testing.assert_array_equal(np.asarray(trace.z), expected.astype(np.float32))


def test_channels_choose_the_map(each_kind):
    drawn = maps(figures.attribution(each_kind["last"], sample=1, channels="l2"))[0]
    np.testing.assert_allclose(drawn.z, each_kind["last"].heatmap("l2")[1], rtol=1e-6)


def test_the_two_layouts_of_one_picture_give_one_figure(attribute):
    picture = np.random.default_rng(3).random((1, 6, 9, 3)).astype(np.float32)
    last = attribute(picture, "image", layout="channels_last")
    first = last._replace(
        values=np.moveaxis(last.values, -1, 1), inputs=np.moveaxis(picture, -1, 1), layout="channels_first"
    )
    a, b = figures.attribution(last), figures.attribution(first)
    np.testing.assert_array_equal(maps(a)[0].z, maps(b)[0].z)
    assert [image.source for image in a.layout.images] == [image.source for image in b.layout.images]


def test_colours_are_centred_on_zero_and_end_where_the_bar_says(each_kind):
    for name in ("last", "series", "tokens"):
        axis = figures.attribution(each_kind[name], sample=0).layout.coloraxis
        assert axis.cmin == -axis.cmax < 0
        assert axis.cmid == 0
        assert list(axis.colorbar.tickvals) == [axis.cmin, 0, axis.cmax]


def test_one_hot_pixel_does_not_stretch_the_scale_and_the_reader_is_told(attribute):
    attribution = attribute(np.ones((1, 30, 30, 1), np.float32), "image", layout="channels_last", gap=False)
    values = np.array(attribution.values)
    values[0, 4, 5, 0] = 7.0
    figure = figures.attribution(attribution._replace(values=values))
    sizes = np.abs(values)
    assert figure.layout.coloraxis.cmax == pytest.approx(np.percentile(sizes, 99))
    assert "the largest is 7" in written(figure)
    assert figure.layout.coloraxis.colorbar.ticktext[2].startswith("≥ ")


def test_a_sparse_map_keeps_its_largest_value_as_the_end(attribute):
    values = np.zeros((1, 40, 40, 1), np.float32)
    values[0, 3, 3, 0] = 2.0
    attribution = attribute(np.ones_like(values), "image", layout="channels_last", values=values)
    assert figures.attribution(attribution).layout.coloraxis.cmax == 2.0


def test_a_limit_asked_for_is_kept(each_kind):
    figure = figures.attribution(each_kind["last"], limit=0.25)
    assert figure.layout.coloraxis.cmax == 0.25
    assert "as asked" in written(figure)


@pytest.mark.parametrize("name", KINDS)
def test_all_zero_values_are_drawn_and_said(each_kind, name):
    attribution = each_kind[name]
    zero = (
        tuple(np.zeros_like(v) for v in attribution.values)
        if isinstance(attribution.values, tuple)
        else np.zeros_like(attribution.values)
    )
    figure = figures.attribution(attribution._replace(values=zero), sample=0)
    assert "zero" in figure.alt
    assert "NaN" not in figure.to_json()


def test_values_that_are_not_numbers_do_not_break_the_figure(attribute):
    values = np.full((2, 4), np.nan, np.float32)
    values[:, 1] = 1
    figure = figures.attribution(attribute(np.ones((2, 4), np.float32), "table", values=values))
    assert "NaN" not in figure.to_json()


@pytest.mark.parametrize("name", KINDS)
def test_target_output_baseline_gap_and_method_are_on_it(each_kind, name):
    attribution = each_kind[name]
    figure = figures.attribution(attribution, sample=1)
    for text in (written(figure), figure.alt):
        for words in ("dog", "0.58", "baseline 0", "keras"):
            assert words in text
        assert "1.2 %" in text.replace("&#37;", "%")
    assert "Integrated gradients" in figure.layout.title.text


def test_a_method_without_a_claim_says_so(attribute):
    attribution = attribute(np.ones((2, 3), np.float32), "table", gap=False, method="saliency")
    figure = figures.attribution(attribution)
    for text in (written(figure), figure.alt):
        assert "does not claim that its values sum" in text


def test_an_output_that_does_not_change_gives_the_gap_itself(attribute):
    attribution = attribute(np.ones((1, 3), np.float32), "table", relative_gap=np.array([np.inf]))
    assert "gap 0.004" in figures.attribution(attribution).alt.lower()


def test_warnings_are_visible_in_their_own_colour(each_kind):
    warned = each_kind["last"]._replace(warnings=("The values miss the output by <b>12 %</b>.",))
    notes = [n for n in figures.attribution(warned).layout.annotations if n.name == "warning"]
    assert len(notes) == 1
    assert "miss the output by &lt;b&gt;12 &#37;" in notes[0].text
    assert notes[0].bgcolor == "#ffe9b0"
    assert "Warning: The values miss" in figures.attribution(warned).alt


def test_first_six_samples_are_drawn_and_the_rest_is_named(attribute):
    figure = figures.attribution(
        attribute(np.ones((9, 5, 5, 1), np.float32), "image", layout="channels_last")
    )
    assert len(maps(figure)) == 6
    assert "6 of 9 samples" in written(figure)


@pytest.mark.parametrize("sample", [6, -7, "0", 1.5, []])
def test_a_sample_that_is_not_there_is_refused(each_kind, sample):
    with pytest.raises(InputError, match="sample"):
        figures.attribution(each_kind["table"], sample=sample)


def test_bars_are_sorted_and_named_with_their_inputs(attribute):
    values = np.array([[0.1, -3.0, 2.0]], np.float32)
    inputs = np.array([[10.0, 20.0, 30.0]], np.float32)
    attribution = attribute(inputs, "table", values=values, feature_names=("a", "b", "c"))
    figure = figures.attribution(attribution)
    np.testing.assert_allclose(figure.data[0].x, [-3.0, 2.0, 0.1])
    assert list(figure.layout.yaxis.ticktext) == ["b = 20", "c = 30", "a = 10"]
    negative, positive = figure.data[0].marker.color[0], figure.data[0].marker.color[1]
    assert negative != positive == figure.data[0].marker.color[2]


def test_a_long_table_keeps_its_sum():
    values = np.linspace(-1, 2, 50).astype(np.float32)
    figure = figures.bars(values, [f"f{i}" for i in range(50)])
    lengths = np.concatenate([trace.x for trace in figure.data])
    assert len(lengths) == 21
    assert lengths.sum() == pytest.approx(values.sum(), rel=1e-5)
    assert figure.layout.yaxis.ticktext[-1] == "<i>30 more, together</i>"


def test_sensors_keep_time_and_order(each_kind):
    attribution = each_kind["series_first"]._replace(feature_names=("fan", "oil", "heat", "load"))
    figure = figures.attribution(attribution, sample=3)
    np.testing.assert_array_equal(maps(figure)[0].z, attribution.values[3])
    assert list(figure.layout.yaxis.ticktext) == ["fan", "oil", "heat", "load"]
    assert sum(trace.type == "scatter" for trace in figure.data) == 4


def test_only_the_busiest_of_many_sensors_are_drawn():
    values = np.tile(np.arange(30, dtype=np.float32), (10, 1))
    figure = figures.sensors(values, values)
    assert list(figure.layout.yaxis.ticktext) == [f"sensor {i}" for i in range(14, 30)]
    assert any("14 more sensors" in note.text for note in figure.layout.annotations)


def test_tokens_carry_their_texts_values_and_places(each_kind):
    words = ["the", "film", "was", "not", "bad", "at", "all"]
    figure = figures.attribution(each_kind["tokens"], sample=2, tokens=words)
    boxes, texts = figure.data
    np.testing.assert_array_equal(boxes.marker.color, each_kind["tokens"].values[2])
    assert list(texts.text) == words
    with pytest.raises(InputError, match="7 tokens"):
        figures.attribution(each_kind["tokens"], sample=2, tokens=words[:-1])


def test_long_texts_break_into_lines_without_overlap():
    words = ["antidisestablishmentarianism", "a", "of"] * 20
    figure = figures.tokens(np.ones(60), words)
    boxes = figure.data[0]
    left, right = boxes.x - boxes.width / 2, boxes.x + boxes.width / 2
    lines = np.round(np.asarray(boxes.base, float) + 0.39)
    assert lines.max() > 3
    for line in np.unique(lines):
        of = lines == line
        assert np.all(left[of][1:] >= right[of][:-1])


def test_several_inputs_have_a_panel_each(each_kind):
    figure = figures.attribution(each_kind["several"], sample=[0, 1])
    assert len(maps(figure)) == 2
    assert sum(trace.type == "bar" for trace in figure.data) == 2
    assert "input 1" in written(figure)


def test_alt_text_says_where_the_largest_values_are(attribute):
    values = np.full((1, 9, 9, 1), 0.001, np.float32)
    values[0, 8, 0, 0] = -5
    attribution = attribute(np.ones_like(values), "image", layout="channels_last", values=values)
    assert "−5, is in the lower left, at row 8, column 0" in figures.attribution(attribution).alt


def test_big_pictures_stay_light_and_say_that_they_are_drawn_in_blocks(attribute):
    pictures = np.random.default_rng(0).random((6, 224, 224, 3)).astype(np.float32)
    attribution = attribute(pictures, "image", layout="channels_last")
    figure = figures.attribution(attribution)
    assert len(figure.to_json()) < 2_000_000
    assert "blocks of 2 × 2" in written(figure)
    expected = attribution.heatmap()[0].reshape(112, 2, 112, 2).mean((1, 3))
    np.testing.assert_allclose(maps(figure)[0].z, expected, rtol=1e-4, atol=1e-6)


def test_digits_are_light(attribute):
    digits = (np.random.default_rng(0).random((6, 28, 28, 1)) > 0.8).astype(np.float32)
    assert len(figures.attribution(attribute(digits, "image", layout="channels_last")).to_json()) < 70_000


HOSTILE = ("<a href='javascript:alert(1)'>x</a>", "cost in $ and $", "%{meta.alt}", "a & b</script>", "<br>")


def test_names_from_data_are_shown_literally(attribute):
    inputs = np.ones((1, 5), np.float32)
    attribution = attribute(
        inputs, "table", feature_names=HOSTILE, class_names=HOSTILE, warnings=HOSTILE, method="<i>m</i>"
    )
    figure = figures.attribution(attribution)
    shown = [*figure.layout.yaxis.ticktext, *figure.data[0].customdata, written(figure)]
    for text in shown:
        for bad in ("<a", "$", "%{", "<i>", "</script"):
            assert bad not in text
    assert "&lt;a href=" in " ".join(shown)
    assert HOSTILE[0] in figure.alt
