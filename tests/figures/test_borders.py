"""Figures of the plane: what is drawn where, told in words, and refused."""

from __future__ import annotations

import numpy as np
import pytest

from dlexplain import figures
from dlexplain.errors import InputError

POINTS = np.array([[-1.0, 0.0], [3.0, 1.0], [0.0, 0.5]], np.float32)
LABELS = np.array([0, 1, 0])


@pytest.fixture
def window() -> figures.Window:
    return figures.Window.round(POINTS, side=20)


def test_a_window_is_square_and_holds_the_points(window):
    assert np.ptp(window.x) == pytest.approx(np.ptp(window.y))
    assert window.x[0] < -1
    assert window.x[-1] > 3
    assert window.points.shape == (400, 2)
    assert window.points[0].tolist() == pytest.approx([window.x[0], window.y[0]])
    assert window.points[1, 0] == window.x[1], "row by row"


def test_answers_are_squared_in_the_order_of_the_places(window):
    squared = window.square(window.points)
    np.testing.assert_array_equal(squared[3, :, 0], window.x)
    np.testing.assert_array_equal(squared[:, 3, 1], window.y)
    assert window.square(window.points[:, :1]).shape == (20, 20)
    with pytest.raises(InputError, match="399 values for 20 x 20"):
        window.square(np.zeros(399))


def test_borders_stand_where_the_score_is_zero(window):
    score = window.points[:, 0] - 1
    figure = figures.plane_borders({"One\nneuron": score, "Blue": -np.ones(400)}, window, POINTS, LABELS, columns=2)
    ground, blue = (trace for trace in figure.data if trace.type == "heatmap")
    drawn = np.asarray(ground.z)
    np.testing.assert_array_equal(drawn > 0, np.tile(window.x > 1, (20, 1)))
    assert (np.asarray(blue.z) < 0).all()
    (line,) = (trace for trace in figure.data if trace.type == "contour")
    assert (line.contours.start, line.contours.end) == (0, 0)
    clouds = [trace for trace in figure.data if trace.type == "scatter"]
    assert [(len(c.x), c.marker.symbol) for c in clouds] == [(2, "circle"), (1, "square")] * 2
    assert "One neuron: orange on 50 %; Blue: orange on 0 %" in figure.alt
    assert figure.layout.annotations[0].text == "<b>One</b><br>neuron"


def test_each_panel_may_have_its_own_points(window):
    score = window.points[:, 1]
    figure = figures.plane_borders({"a": score, "b": score}, window, [POINTS, None], [LABELS, None])
    assert len([trace for trace in figure.data if trace.type == "scatter"]) == 2
    with pytest.raises(InputError, match="1 windows, points or labels for 2 panels"):
        figures.plane_borders({"a": score, "b": score}, window, [POINTS])


def test_units_have_a_panel_each_on_their_own_scale(window):
    first = np.stack([window.points[:, 0], 0.001 * window.points[:, 1], np.zeros(400)], 1)
    figure = figures.unit_pictures({"first": first, "score": first[:, 0]}, window)
    drawn = [np.asarray(trace.z) for trace in figure.data if trace.type == "heatmap"]
    assert len(drawn) == 4
    assert [int(np.abs(unit).max()) for unit in drawn] == [127, 127, 0, 127]
    assert "first: 3 units, 1 of them even; score: 1 units, 0" in figure.alt
    assert [a.text for a in figure.layout.annotations if a.name == "row"] == ["<b>first</b>", "<b>score</b>"]


def test_a_folded_plane_has_its_lines_points_and_cut(window):
    lines = window.lines(5)
    assert lines.shape == (10, 20, 2)
    assert np.ptp(lines[0, :, 1]) == 0, "level lines first"
    folded = (np.abs(lines), np.abs(POINTS))
    figure = figures.planes({"before": (lines, POINTS), "after": folded}, LABELS, cut=(np.array([1.0, 0.0]), -2.0))
    grids = [t for t in figure.data if t.mode == "lines" and t.name != "cut"]
    assert len(grids) == 2
    assert np.isnan(grids[0].x).sum() == len(lines), "a gap after each line"
    assert np.nanmin(grids[1].x) >= 0
    (cut,) = (trace for trace in figure.data if trace.name == "cut")
    np.testing.assert_allclose(cut.x, 2)
    assert cut.xaxis == "x2"
    assert "before: the middles of the classes are" in figure.alt
    with pytest.raises(InputError, match="places of 2 numbers, not 3"):
        figures.planes({"wide": (np.zeros((2, 4, 3)), np.zeros((3, 3)))}, LABELS)


def test_credit_has_one_scale_and_tells_each_input_s_part(window):
    credit = np.stack([np.full(400, 3.0), np.full(400, -1.0)], 1)
    figure = figures.credit_maps({"Keras": credit, "Torch": 2 * credit}, window, {"Keras": window.points[:, 0]})
    maps = [trace for trace in figure.data if trace.type == "heatmap"]
    assert len(maps) == 4
    assert {trace.coloraxis for trace in maps} == {"coloraxis"}
    assert figure.layout.coloraxis.cmax == -figure.layout.coloraxis.cmin == 6
    assert "Keras: x1 carries 75 % of all credit, x2 carries 25 %" in figure.alt
    assert len([trace for trace in figure.data if trace.type == "contour"]) == 2


def test_a_depth_curve_shows_every_run_and_their_mean():
    figure = figures.depth_curve({"held back": {0: [0.5, 0.7], 12: [0.4]}}, title="Depth")
    runs, means = figure.data
    assert list(runs.x) == ["0", "0", "12"]
    np.testing.assert_allclose(means.y, [60, 40])
    assert "0 layers 60 %, 12 layers 40 %" in figure.alt
    assert list(figure.layout.xaxis.categoryarray) == ["0", "12"]
