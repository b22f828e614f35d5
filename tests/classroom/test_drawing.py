"""What lessons draw with says in words what it shows."""

from __future__ import annotations

import pytest

from dlexplain.classroom import drawing as draw


def test_lines_over_layers() -> None:
    figure = draw.layer_lines({"Keras": {"first": 1.0, "third": 0.5}}, title="CKA", up="CKA", low=0.3)
    assert "Keras: first 1.00, third 0.50" in figure.alt
    assert tuple(figure.layout.yaxis.range) == (0.3, 1.03)


def test_reading_lines_share_a_colour_by_twos() -> None:
    read = {"pixels": 0.8, "shapes": 0.9}
    figure = draw.reading_lines({"Keras": read, "shuffled": read, "Torch": read}, title="Reads", low=0.6)
    assert "Keras: pixels 0.80, shapes 0.90" in figure.alt
    assert tuple(figure.layout.yaxis.range) == (0.6, 1.01)
    colours = [line.line.color for line in figure.data]
    assert colours[0] == colours[1] != colours[2]
    assert figure.data[0].line.dash != figure.data[1].line.dash


def test_curves_carry_error_bars() -> None:
    figure = draw.curves(
        [1, 10], {"a": [0.2, 0.6]}, title="T", across_title="n", up_title="y", spread={"a": [0.1, 0.05]}
    )
    assert "a goes from 0.2 to 0.6" in figure.alt
    assert list(figure.data[0].error_y.array) == [0.1, 0.05]


def test_a_table_holds_no_markup() -> None:
    note = draw.table({"A": {"says": "<b>"}})
    assert "&lt;b&gt;" in note._repr_html_()
    assert repr(note).strip() == "A: says: <b>"


@pytest.mark.parametrize(("value", "words"), [(-0.5, "−0.50"), (0.25, "0.25")])
def test_numbers_have_a_true_minus(value: float, words: str) -> None:
    assert draw.number(value) == words
