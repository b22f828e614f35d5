"""What lesson 02 claims, held against its own run."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from dlexplain.classroom.lessons.lesson_02 import figures as draw
from dlexplain.classroom.lessons.lesson_02.bench import FILTERS, OWN, FilterBench, slid
from dlexplain.classroom.running import Run

pytestmark = pytest.mark.lessons

CHANCE = 1 / 10
LAYERS = ("strokes", "parts", "pool", "shapes", "digit")


@pytest.fixture
def run(run_lesson: Callable[..., Run]) -> Run:
    """The teachers' notebook, run once a session."""
    return run_lesson(2)


def test_both_networks_read_new_digits_and_the_untrained_one_guesses(run: Run) -> None:
    assert run.value("accuracy_keras") > 0.92
    assert run.value("accuracy_torch") > 0.92
    assert run.value("accuracy_untrained") < 0.35


def test_a_layer_is_nothing_but_sliding(run: Run) -> None:
    assert run.value("largest_difference") < 1e-5


def test_deeper_units_see_more_pixels(run: Run) -> None:
    assert run.value("pixels_seen") == {"strokes": 9, "parts": 25, "shapes": 64}


def test_training_turns_speckle_into_strokes(run: Run) -> None:
    untrained = run.value("smooth_untrained")
    assert run.value("smooth_keras") > untrained + 0.05
    assert run.value("smooth_torch") > untrained + 0.05


def test_the_ghosts_are_their_own_digits_and_the_controls_are_not(run: Run) -> None:
    matches = run.value("matches")
    assert matches["Keras"] >= 8
    assert matches["Torch"] >= 8
    assert matches["never trained"] <= 4


def test_without_blur_and_pull_scraps_beat_real_digits(run: Run) -> None:
    assert run.value("beaten") >= 8
    assert 10 == len(run.value("scrap_scores")) == len(run.value("real_scores"))


@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_digits_come_apart_step_by_step_only_where_training_was(run: Run, framework: str) -> None:
    trained, untrained = run.value(f"trained_{framework}"), run.value(f"untrained_{framework}")
    assert trained["pixels"] == untrained["pixels"] > 0.8
    assert trained["shapes"] > trained["pixels"] + 0.015
    assert all(trained[b] > trained[a] - 0.015 for a, b in pairwise(LAYERS)), trained
    assert max(untrained[layer] for layer in LAYERS) < untrained["pixels"] + 0.03
    assert trained["shapes"] > untrained["shapes"] + 0.01
    assert trained["digit"] > untrained["digit"] + 0.08


def test_random_filters_pass_on_what_the_pixels_hold(run: Run) -> None:
    for framework in ("keras", "torch"):
        untrained = run.value(f"untrained_{framework}")
        assert untrained["shapes"] > untrained["pixels"] - 0.06
        assert untrained["digit"] < untrained["shapes"] - 0.05


def test_shuffled_labels_read_by_chance(run: Run) -> None:
    assert abs(run.value("shuffled") - CHANCE) < 0.06


def test_a_cleverer_reader_leaves_training_less_to_add(run: Run) -> None:
    reads = run.value("clever_reads")
    blunt = run.value("trained_keras")["shapes"] - run.value("untrained_keras")["shapes"]
    assert reads["shapes, never trained"] > 0.93
    assert reads["shapes, trained"] - reads["shapes, never trained"] < blunt


def test_no_digit_sits_in_one_unit(run: Run) -> None:
    assert run.value("sevens_without") > run.value("sevens_with") - 0.1
    assert run.value("worst_loss") < 0.15
    assert run.value("next_digit") > 0.5


def test_loudness_is_not_credit(run: Run) -> None:
    assert run.value("loud_but_against") >= 1
    assert run.value("lowest_agreement") < 0.4
    assert 0.2 < run.value("mean_agreement") < 0.9
    assert run.value("shap_gap") < 1e-3


def test_some_units_of_torch_are_dead_and_noise_does_not_wake_most(run: Run) -> None:
    dead = np.sum(run.value("dead"))
    assert dead >= 1
    assert run.value("woken") <= dead


def test_own_tools_agree_where_they_work(run: Run) -> None:
    assert max(run.value("apart")) < 1e-5
    assert run.value("apart_short") < 1e-5


def test_where_the_tools_fail(run: Run) -> None:
    assert run.value("same_answers") < 1e-5, "the short network gives the same answers"
    assert run.value("negative_share") > 0.1, "Captum gave sums before ReLU"
    assert run.value("dead_seen") < np.sum(run.value("dead"))
    assert "do not sum up" in run.value("shap_says")
    assert "inputs" in run.value("keras_says")


def test_the_first_picture_comes_soon(run: Run) -> None:
    first = next(i for i, cell in enumerate(run.cells) if cell.output_bytes > 20_000)
    assert first <= 2, "the second code cell shows the digits, before either framework is loaded"


def test_within_the_lesson_s_own_budget(run: Run) -> None:
    assert run.cpu_seconds < 120
    assert run.peak_memory_bytes < 3e9


DIGIT = np.array([[0, 0, 5, 16, 9, 0, 0, 0]] * 8)


def test_sliding_agrees_with_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    picture, weights = rng.integers(0, 17, (8, 8)), rng.integers(-3, 4, (3, 3))
    framed = np.pad(picture, 1)
    for row in range(8):
        for column in range(8):
            expected = sum(framed[row + i, column + j] * weights[i, j] for i in range(3) for j in range(3))
            assert slid(picture, weights)[row, column] == expected


def test_the_bench_follows_its_controls() -> None:
    bench = FilterBench({"bar": DIGIT, "blank": 0 * DIGIT}, start="bar")
    assert (bench.map == slid(DIGIT, FILTERS["left edges"])).all()
    bench.preset.value = "blur"
    assert (bench.weights == 1).all()
    bench.numbers[4].value = -2
    assert bench.preset.value == OWN
    assert (bench.map == slid(DIGIT, bench.weights)).all()
    bench.numbers[4].value = 1
    assert bench.preset.value == "blur"
    bench.weights = FILTERS["right edges"]
    assert bench.preset.value == "right edges"
    assert bench.map.min() < 0
    bench.relu.value = True
    assert bench.map.min() == 0
    bench.digit.value = "blank"
    assert not bench.map.any()


def test_the_bench_tells_the_sum_under_its_window() -> None:
    bench = FilterBench({"bar": DIGIT})
    bench.row.value, bench.column.value = 4, 3
    total = slid(DIGIT, bench.weights)[3, 2]
    page = bench.to_html()
    assert "Row 4, column 3: 0×−1 + 5×0 + 16×1 &nbsp;+&nbsp; " in page
    assert f"<strong>{total}</strong>" in page
    assert page.count('role="img"') == 3 + 2 * len(FILTERS)


def test_figures_tell_what_they_show() -> None:
    rows = draw.unit_rows({"Keras": -np.ones((2, 3, 3)), "Torch": np.ones((1, 3, 3))}, title="Filters")
    assert "Keras: 2 units, −1 to −1" in rows.alt
    assert rows.layout.coloraxis.cmin == -rows.layout.coloraxis.cmax == -1
    maps = draw.unit_rows({"Keras": np.full((2, 3, 3), 0.5)}, title="Maps", name="activation")
    assert (maps.layout.coloraxis.cmin, maps.layout.coloraxis.cmax) == (0, 0.5)
    bars = draw.loud_and_credited({"Keras": ([3.0, 1.0], [-1.0, 2.0])}, title="A five")
    assert "the most active, 0, adds −1; against the answer: 0" in bars.alt
    white = draw.picture_rows({"strokes": np.ones((2, 4, 4))}, title="Favourites", titles=["a", "b"])
    assert len(white.layout.images) == len(white.layout.shapes) == 2
