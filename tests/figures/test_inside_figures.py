"""Figures of what the layers learned, from results made by hand: the numbers drawn are the numbers found."""

from __future__ import annotations

import numpy as np
import pytest

from dlexplain import figures
from dlexplain.attribution.inside_result import LayerAttribution
from dlexplain.errors import InputError
from dlexplain.layers.attention import Attention
from dlexplain.layers.concepts import ConceptSensitivity
from dlexplain.layers.factorisation import DiscoveredConcepts
from dlexplain.layers.lens import LogitLens
from dlexplain.layers.patching import Patching
from dlexplain.layers.probes import Probes
from dlexplain.layers.similarity import Similarity

RNG = np.random.default_rng(0)
PRINT = "0" * 64


@pytest.fixture
def probes():
    scores = {"conv<1>": np.array([0.8, 0.9]), "dense": np.array([0.7, 0.7])}
    control = {"conv<1>": np.array([0.5, 0.5]), "dense": np.array([0.3, 0.3])}
    words = {"conv<1>": "means over 2 × 2 areas", "dense": "all 8 values"}
    return Probes(scores, control, 0.4, "classification", words, {}, 60, 0, "keras", PRINT)


@pytest.fixture
def similarity():
    values = np.array([[1.0, 0.25, np.nan], [0.5, 0.75, np.nan]])
    return Similarity(values, ("a1", "a2"), ("b1", "b2", "b3"), True, 40, ({}, {}), ("keras", "torch"), (PRINT, PRINT))


@pytest.fixture
def sensitivity():
    scores = {"stripes": np.array([0.9, 1.0, 0.95]), "dots": np.array([0.4, 0.6, 0.5])}
    return ConceptSensitivity(
        scores, np.array([0.4, 0.5, 0.6]), {"stripes": 0.9, "dots": 0.85}, {"stripes": 1e-4, "dots": 0.8}, "conv",
        0.6, 30, 0.05, 0, "torch", PRINT,
    )  # fmt: skip


def concepts(kind="image", layout="channels_first"):
    maps = RNG.random((4, 3, 3, 2)).astype(np.float32) if kind == "image" else RNG.random((4, 2)).astype(np.float32)
    inputs = RNG.random((4, 1, 6, 6)) if kind == "image" else RNG.random((4, 5))
    return DiscoveredConcepts(
        RNG.random((2, 7)), maps, np.array([0.7, -0.1]), 0.2, "conv", inputs, 4, 0, "torch", PRINT, layout, kind
    )


@pytest.fixture
def attended():
    maps = {"one": RNG.random((2, 3, 4, 4)), "two": RNG.random((2, 3, 4, 4))}
    maps = {k: v / v.sum(-1, keepdims=True) for k, v in maps.items()}
    slopes = {k: RNG.standard_normal(v.shape) for k, v in maps.items()}
    return Attention(maps, slopes, (), np.array([[5, 6, 7, 8], [1, 2, 3, 4]]), np.zeros(2), "torch", PRINT)


@pytest.fixture
def lens():
    top = RNG.integers(0, 9, (2, 1, 3, 2))
    share = RNG.random((2, 1, 3, 2))
    rank = np.array([[[0, 1, 2]], [[0, 0, 0]]])
    names = tuple(f"w{i}" for i in range(9))
    return LogitLens(("b0", "b1"), top, share, share, share[..., 0], rank, names, np.array([[1, 2, 3]]), "torch", PRINT)


def patching(by="position"):
    effects = {"b0": np.array([[0.0, 0.5], [0.2, 0.7]]), "b1": np.array([[1.0, -0.5], [1.0, np.nan]])}
    effects = effects if by != "layer" else {k: v[:, :1] for k, v in effects.items()}
    return Patching(effects, np.ones(2), np.zeros(2), by, "restore", np.zeros(2), "keras", PRINT)


def layered(first=True, shape=(2, 3, 4, 5)):
    values = RNG.standard_normal(shape).astype(np.float32)
    return LayerAttribution(
        values, np.abs(values), None, "conv", "conductance", np.array([1, 0]), {}, 0, values, np.array([0.5, 0.25]),
        "torch", PRINT, first, ("cat", "dog"), np.zeros(2), np.full(2, 0.1), np.full(2, 0.2), 0.01, False, ("It flows past.",),
    )  # fmt: skip


def heat(figure):
    return [trace for trace in figure.data if trace.type == "heatmap"]


def test_probes_draw_score_control_and_chance(probes):
    figure = probes.plot()
    points = {trace.name: list(trace.x) for trace in figure.data if trace.mode == "markers"}
    assert points == {"control": [0.5, 0.3], "accuracy": [pytest.approx(0.85), pytest.approx(0.7)]}
    assert figure.layout.shapes[0].x0 == 0.4
    assert list(figure.layout.yaxis.ticktext) == ["conv&lt;1&gt;", "dense"]
    assert "Most selective: dense" in figure.layout.title.subtitle.text
    assert "conv<1> 0.85" in figure.alt


def test_similarity_draws_the_square_and_leaves_empty_what_is_none(similarity):
    figure = similarity.plot(names=("young", "old"))
    (square,) = heat(figure)
    assert [list(row) for row in square.z] == [[1, 0.25, None], [0.5, 0.75, None]]
    assert "Down: young (keras)" in figure.layout.title.subtitle.text
    (words,) = [trace for trace in figure.data if trace.type == "scatter" and trace.mode == "text"]
    assert list(words.text) == ["1", "0.25", "0.5", "0.75"]
    # Dark words on bright cells, bright ones on dark cells.
    assert list(words.textfont.color) == ["#1b1e23", "#ffffff", "#ffffff", "#1b1e23"]


def test_concepts_that_are_significant_are_filled(sensitivity):
    figure = sensitivity.plot()
    points = {trace.name: list(trace.y) for trace in figure.data if trace.mode == "markers"}
    assert points == {"significant": [0], "not significant": [1]}
    assert sorted(shape.x0 for shape in figure.layout.shapes) == pytest.approx([0.4, 0.5])
    assert "p under 0.001" in " ".join(a.text for a in figure.layout.annotations)


def test_discovered_concepts_show_the_samples_that_hold_most():
    result = concepts()
    figure = result.plot(samples=2)
    assert len(heat(figure)) == 4
    best = int(result.maps[..., 0].sum((1, 2)).argmax())
    expected = np.kron(result.maps[best, ..., 0], np.ones((2, 2))) / result.maps[..., 0].max()
    np.testing.assert_allclose(heat(figure)[0].z, expected, atol=1e-6)
    table = concepts("table").plot()
    assert not heat(table)
    assert list(table.data[0].x) == pytest.approx([0.7, -0.1])


def test_attention_draws_heads_rollout_and_relevance(attended):
    figure = attended.plot(layer="one", sample=1, tokens=["a", "b", "c", "d"])
    panels = heat(figure)
    assert len(panels) == 3
    np.testing.assert_allclose(panels[2].z, attended.maps["one"][1, 2], atol=1e-6)
    assert list(figure.layout.xaxis.ticktext) == ["0 a", "1 b", "2 c", "3 d"]
    assert heat(attended.plot())[0].z[0][0] == pytest.approx(attended.maps["two"][0, 0, 0, 0])
    for kind in ("rollout", "relevance"):
        figure = attended.plot(kind)
        np.testing.assert_allclose(heat(figure)[0].z, getattr(attended, kind)()[0], atol=1e-6)
        assert figure.layout.xaxis.ticktext[0] == "0: 5"
    with pytest.raises(InputError, match="'maps', 'rollout', 'relevance'"):
        attended.plot("flow")
    with pytest.raises(InputError, match="3 tokens"):
        attended.plot(tokens=["a", "b", "c"])
    with pytest.raises(InputError, match="not one of the 2 samples"):
        attended.plot(sample=2)


def test_the_lens_writes_each_layers_answer(lens):
    figure = lens.plot()
    np.testing.assert_allclose(heat(figure)[0].z, lens.probabilities[:, 0, :, 0], atol=1e-6)
    (words,) = [trace for trace in figure.data if trace.type == "scatter" and trace.mode == "text"]
    assert words.text[0] == f"w{lens.top[0, 0, 0, 0]} ✓"
    assert "✓" not in words.text[1]
    assert list(figure.layout.xaxis.ticktext) == ["0: w1", "1: w2", "2: w3"]
    assert "b0 33 %" in figure.alt


def test_patching_draws_bars_or_a_grid():
    figure = patching("layer").plot()
    assert list(figure.data[0].x) == [pytest.approx(0.1), 1.0]
    grid = patching().plot(parts=["first", "second"])
    np.testing.assert_allclose(heat(grid)[0].z, [[0.1, 0.6], [1.0, -0.5]], atol=1e-6)
    assert "1 carries the whole difference" in grid.alt
    np.testing.assert_allclose(heat(patching().plot(sample=0))[0].z, [[0, 0.5], [1, -0.5]])
    with pytest.raises(InputError, match="3 names for 2 positions"):
        patching().plot(parts=["a", "b", "c"])


@pytest.mark.parametrize("first", [True, False])
def test_a_layers_units_of_most_weight_are_drawn(first):
    result = layered(first)
    figure = result.plot(sample=1, units=2)
    maps = result.values[1] if first else np.moveaxis(result.values[1], -1, 0)
    order = np.argsort(-np.abs(maps.sum((1, 2))))
    np.testing.assert_allclose(heat(figure)[0].z, maps[order[0]], atol=1e-6)
    assert len(heat(figure)) == 2
    assert "target cat" in figure.layout.title.subtitle.text
    assert "20 &#37; of the change" in figure.layout.title.subtitle.text
    assert any("flows past" in a.text for a in figure.layout.annotations)
    np.testing.assert_allclose(result.heatmap(), result.values.sum(1 if first else -1), atol=1e-6)
    dense = layered(False, (2, 7))
    assert sorted(dense.plot().data[0].x) == pytest.approx(sorted(dense.values[0]))
    with pytest.raises(InputError, match="no places"):
        dense.heatmap()
    with pytest.raises(InputError, match="not one of the 2 samples"):
        result.plot(sample=2)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_figure_says_what_it_shows_in_either_theme(theme, probes, similarity, sensitivity, attended, lens):
    for result in (
        probes,
        similarity,
        sensitivity,
        attended,
        lens,
        concepts(),
        concepts("table"),
        patching(),
        layered(),
    ):
        figure = result.plot(theme=theme)
        assert len(figure.alt) > 60
        assert figure.layout.template.layout.paper_bgcolor == figures.theme(theme).layout.paper_bgcolor
        assert repr(result)
        assert len(result.table)
