"""The drawing board without a browser: from strokes to a model's input, and what is read there."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from sklearn.datasets import load_digits

import dlexplain as dlx
from dlexplain.widgets import DrawingBoard, read_drawing, to_input
from dlexplain.widgets.reading import EXAMPLES, board_size, draw

LEFT = [((0.3, 0.2), (0.3, 0.8))]


@pytest.fixture
def board(net) -> DrawingBoard:
    return DrawingBoard(net, class_names=["left", "right"])


def test_a_small_drawing_fills_the_height_as_the_digits_do() -> None:
    seen = to_input(draw(EXAMPLES["a one"], (32, 32)), (8, 8))
    assert seen.shape == (8, 8)
    assert seen.dtype == np.float32
    assert seen.max() <= 1
    assert (seen.max(1) > 0.2).all()
    digits = load_digits().images / 16
    assert np.mean((digits.max(2) > 0.2).all(1)) > 0.95, "the data set itself fills the height"


def test_a_large_drawing_fits_twenty_pixels_around_its_centre_of_mass() -> None:
    for strokes in EXAMPLES.values():
        seen = to_input(draw(strokes, (56, 56)), (28, 28))
        rows, columns = np.flatnonzero(seen.max(1) > 0.05), np.flatnonzero(seen.max(0) > 0.05)
        assert max(np.ptp(rows), np.ptp(columns)) + 1 in range(18, 23)
        places = np.arange(28) + 0.5
        assert abs(seen.sum(1) @ places / seen.sum() - 14) < 0.6
        assert abs(seen.sum(0) @ places / seen.sum() - 14) < 0.6


@pytest.mark.parametrize("size", [(8, 8), (28, 28)])
def test_place_and_scale_of_the_drawing_do_not_matter(size) -> None:
    def seen(scale: float, x: float, y: float) -> np.ndarray:
        moved = [[(x + scale * (a - 0.5), y + scale * (b - 0.5)) for a, b in s] for s in EXAMPLES["a seven"]]
        return to_input(draw(moved, (112, 112), pen=0.068 * scale), size)

    assert np.abs(seen(0.6, 0.4, 0.62) - seen(1.0, 0.5, 0.5)).mean() < 0.04


def test_grey_values_of_both_ranges_are_the_same_drawing() -> None:
    drawing = draw(LEFT, (32, 32))
    np.testing.assert_allclose(to_input(np.round(255 * drawing)), to_input(drawing), atol=0.01)


def test_an_empty_drawing_is_empty_and_a_wrong_one_is_named() -> None:
    assert not to_input(np.zeros((32, 32))).any()
    for wrong in (np.zeros(5), np.full((32, 32), np.nan)):
        with pytest.raises(dlx.InputError, match="drawing"):
            to_input(wrong)


def test_a_pen_stroke_has_its_width_and_soft_edges() -> None:
    drawing = draw([((0.5, 0.1), (0.5, 0.9))], (100, 100), pen=0.05)
    row = drawing[50]
    assert row.sum() == pytest.approx(10, abs=0.5)
    assert ((row > 0) & (row < 1)).sum() <= 4
    assert not drawing[:3].any()


def test_a_reading_is_what_the_models_say_of_the_drawing(net) -> None:
    drawing = draw(LEFT, (32, 32))
    drawing[:, 16:] = 0
    drawing[8, 30] = 1  # keeps the ink's box from being cut down to the line alone
    reading = read_drawing({"mine": net}, drawing, method="input_x_gradient", layer="0")
    x = reading.picture[None, None]
    wrapped = dlx.wrap(net)
    np.testing.assert_allclose(reading.predictions["mine"], wrapped.predict(x)[0], atol=1e-6)
    np.testing.assert_allclose(
        reading.attributions["mine"].values, dlx.explain(net, x, "input_x_gradient").values, atol=1e-6
    )
    np.testing.assert_allclose(reading.activations["mine"]["0"][0, 0], reading.picture, atol=1e-6)


def test_prepare_and_size_meet_any_model() -> None:
    import torch
    from torch import nn

    flat = nn.Linear(28 * 28, 10)
    torch.nn.init.normal_(flat.weight)
    reading = read_drawing(
        flat, draw(LEFT, (56, 56)), size=(28, 28), prepare=lambda p: p.reshape(1, -1), method="saliency"
    )
    assert reading.predictions["Torch"].shape == (10,)
    board = DrawingBoard(flat, size=(28, 28), prepare=lambda p: p.reshape(1, -1), methods=["saliency"])
    board.draw(LEFT)
    assert board.scene["panels"][0]["map"]["height"] == 28
    assert board.errors == []


def test_every_stroke_is_read_and_clearing_stops(board) -> None:
    assert board.reading is None
    assert "empty" in board.scene["summary"]
    board.draw(LEFT)
    first = board.reading
    board.draw([((0.7, 0.2), (0.7, 0.8))])
    assert board.reading is not first
    assert np.abs(board.reading.picture - first.picture).max() > 0.1
    board.clear()
    assert board.reading is None
    assert board.scene["panels"] == []
    assert board.errors == []


def test_each_scene_is_a_new_answer(board) -> None:
    before = board.scene["serial"]
    board.draw(LEFT)
    board.clear()
    assert board.scene["serial"] == before + 2


def test_a_drawing_of_the_wrong_size_is_shown_as_an_error(board) -> None:
    board.drawing = b"\xff" * 10
    assert "10 grey values" in board.error
    assert isinstance(board.errors[-1], dlx.InputError)
    board.clear()
    assert board.error == ""


def test_the_drawing_travels_as_text_and_back(board) -> None:
    board.draw(LEFT)
    state = board.get_state("drawing")["drawing"]
    assert isinstance(state, str)
    cells = board.drawing
    board.clear()
    board.set_state({"drawing": state})
    assert board.drawing == cells
    assert len(cells) == np.prod(board_size((8, 8)))


def test_a_sweep_works_every_control_and_puts_them_back(board) -> None:
    before = {name: getattr(board, name) for name in ("drawing", "method", "layer", "target")}
    seen = set()
    board.observe(lambda change: seen.add((change["name"], change["new"])), names=list(before))
    for step in board.sweep():
        step()
    for trait, entries in (("method", "methods"), ("layer", "layers")):
        assert {(trait, entry["value"]) for entry in board.menu[entries]} <= seen
    assert {name: getattr(board, name) for name in before} == before


def test_the_page_holds_the_drawing_and_the_examples(board) -> None:
    board.draw(LEFT)
    text = board.to_html()
    record = json.loads(re.search(r'id="record">(.*?)</script>', text, re.DOTALL)[1])
    assert [e["name"] for e in record["state"]["menu"]["examples"]] == ["your drawing", *EXAMPLES]
    assert set(record["summaries"]) == {"your drawing", *EXAMPLES}
    assert board.errors == []
    assert len(text) < 2_000_000
    data, _ = board._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert "your drawing" in data["text/html"]
    assert len(data["text/html"]) < 300_000
