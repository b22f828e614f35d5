"""What lesson 04 says of its networks and maps, held against one run of its teachers' notebook."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dlexplain.classroom.lessons.lesson_04 import bench
from dlexplain.classroom.running import Run

pytestmark = pytest.mark.lessons


@pytest.fixture(scope="module")
def run(run_lesson: Callable[..., Run]) -> Run:
    done = run_lesson(4)
    assert not done.faults, done.summary()
    return done


def test_both_networks_read_digits_and_the_three(run: Run) -> None:
    assert run.value("accuracy_keras") > 0.93
    assert run.value("accuracy_torch") > 0.93
    assert int(np.argmax(run.value("scores_of_three"))) == 3
    assert run.value("read_keras")[39] == run.value("read_torch")[39] == 3


def test_wiggles_and_backpropagation_draw_one_map_and_two_networks_two(run: Run) -> None:
    assert run.value("wiggle_agreement") > 0.97
    assert 0.3 < run.value("network_agreement") < 0.95


def test_empty_paper_carries_a_good_part_of_the_map(run: Run) -> None:
    assert 0.2 < run.value("on_empty") < 0.7
    assert run.value("slope") < -1  # the bench opens on a pixel of empty paper that goes downhill


def test_ink_on_the_empty_paper_closes_the_loop_of_a_nine(run: Run) -> None:
    assert run.value("says_keras")[0] == run.value("says_torch")[0] == 3
    assert run.value("says_keras")[1] == 9
    assert run.value("says_torch")[1] == 9


def test_faces_are_told_from_backgrounds(run: Run) -> None:
    assert run.value("faces_right") > 0.85
    assert run.value("backgrounds_right") > 0.85


def test_saliency_flickers_and_smoothgrad_is_steadier(run: Run) -> None:
    assert run.value("steady_saliency") < 0.9
    assert run.value("steady_smoothgrad") > run.value("steady_saliency") + 0.08


def test_slopes_and_covers_are_blind_on_the_plateau(run: Run) -> None:
    credit = run.value("lamp_credit")
    assert credit["saliency"] == credit["occlusion"] == [0, 0]
    assert credit["integrated_gradients"] == pytest.approx([0.5, 0.5], abs=1e-3)
    of_score, of_percentage = run.value("steepest")
    assert run.value("certainty") > 0.99
    assert of_percentage < of_score / 100


def test_more_steps_leave_a_smaller_gap(run: Run) -> None:
    middle, worst = run.value("gaps").values()
    assert middle[0] > 0.02
    assert middle[-1] < middle[0] / 10
    assert worst[-1] < worst[0] / 4


def test_the_baseline_decides_what_can_get_credit(run: Run) -> None:
    shares = run.value("empty_shares")
    assert shares["start: black"] == 0
    assert run.value("outcome") == "none at all"
    assert shares["start: white"] > 0.5
    assert shares["start: mean digit"] > 0.3


def test_no_cover_is_neutral(run: Run) -> None:
    under = run.value("eyes_under")
    assert under["black cover"] < 0 < under["grey cover"]


def test_the_first_face_network_takes_anything_busy_for_a_face(run: Run) -> None:
    assert run.value("shuffled_faces") > 0.75
    face, suit, _ = run.value("piece_scores")["first network"]
    assert suit > max(face, 0)


def test_the_cured_network_wants_the_arrangement(run: Run) -> None:
    assert run.value("shuffled_faces_cured") < 0.2
    face, suit, cup = run.value("piece_scores")["cured network"]
    assert face > 0
    assert face > suit + 1
    assert face > cup + 1


def test_random_weights_unmask_what_never_looked(run: Run) -> None:
    kept = run.value("kept")
    assert run.value("accuracy_random") < 0.3
    assert kept["edges of the picture"]["with signs"] == pytest.approx(1)
    for name in ("saliency", "SmoothGrad", "integrated gradients"):
        assert abs(kept[name]["with signs"]) < 0.4
    assert kept["integrated gradients"]["strength only"] > 0.75
    assert kept["saliency"]["strength only"] < 0.5


def test_named_pixels_matter_and_grad_cam_is_caught(run: Run) -> None:
    means = run.value("mean_score")
    chance = means["random order"]
    lead = chance - means["integrated gradients"]
    assert lead > 2
    assert chance - means["saliency"] > 2
    assert chance - means["occlusion"] > 1
    assert chance - means["Grad-CAM"] < lead / 3
    assert chance - means["edges (no network)"] < lead / 6


def test_twins_have_one_map_and_captum_drops_the_signs(run: Run) -> None:
    assert run.value("twin_difference") < 1e-4
    assert run.value("unsigned") is True
    assert run.value("walk_difference") < 0.1


def test_deeplift_is_silently_wrong_and_the_gap_shows_it(run: Run) -> None:
    assert run.value("same_scores") is True
    assert run.value("is_product") is True
    gaps = run.value("deeplift_gaps")
    assert gaps["relu as functions"][0] > 0.02
    assert gaps["relu as functions"][1] > 0.3
    assert gaps["relu as layers"][0] > 0.01
    assert gaps["layers, and softmax at the end"][0] > 0.3


def test_the_first_picture_comes_soon_and_the_whole_is_quick(run: Run) -> None:
    lines = [cell.first_line for cell in run.cells]
    first = lines.index("from dataclasses import replace")
    assert sum(cell.cpu_seconds for cell in run.cells[: first + 1]) < 30  # 15 s on two cores
    assert run.cpu_seconds < 120
    assert run.peak_memory_bytes < 3e9


# ---- the workbench, against plain arithmetic ----


def _score(pictures: np.ndarray) -> np.ndarray:
    return (pictures[:, 0, 0, 0] ** 2 - 3 * pictures[:, 1, 1, 0]).astype(np.float64)


def _slopes(pictures: np.ndarray) -> np.ndarray:
    slopes = np.zeros(pictures.shape)
    slopes[:, 0, 0, 0] = 2 * pictures[:, 0, 0, 0]
    slopes[:, 1, 1, 0] = -3
    return slopes


@pytest.fixture
def picture() -> np.ndarray:
    return np.array([[0.5, 0.25], [0.0, 1.0]], np.float32)[..., None]


def test_the_pixel_bench_shows_the_slope_of_the_pixel_chosen(picture: np.ndarray) -> None:
    made = bench.PixelBench(picture, {"one": _score}, place=(0, 0), asked="it")
    assert made.brightness.value == 0.5
    assert made.slope("one") == pytest.approx(1.0, abs=0.02)
    made.row.value = made.column.value = 2
    assert made.brightness.value == 1.0
    assert made.slope("one") == pytest.approx(-3, abs=1e-3)
    before = made.view.value
    made.brightness.value = 0.25
    assert made.view.value != before
    assert "score −2.75 → −0.50" in made.view.value


def test_the_walk_collects_the_change_of_the_score(picture: np.ndarray) -> None:
    made = bench.PathWalk(picture, {"black": 0.0, "white": 1.0}, _score, _slopes, asked="it")
    for start in ("black", "white"):
        for steps in bench.STEPS:
            assert made.gap(start, steps) < 1e-5  # the middle of a step is exact for a parabola
    made.way.value = 0.0
    assert "0 of 4 steps" in made.to_html()


def test_shuffled_tiles_keep_every_pixel_and_no_place() -> None:
    pictures = np.arange(2 * 100, dtype=np.float32).reshape(2, 10, 10, 1)
    mixed = bench.shuffle_tiles(pictures, seed=1)
    assert mixed.shape == pictures.shape
    assert np.array_equal(np.sort(mixed.ravel()), np.sort(pictures.ravel()))
    assert not np.array_equal(mixed, pictures)
    tile = mixed[0, :5, :5, 0]
    assert np.array_equal(np.diff(tile, axis=1), np.ones((5, 4)))  # tiles stay whole


def test_shares_and_agreement(attribution: Callable[..., Any]) -> None:
    first = attribution(np.array([[[1.0, -3.0], [2.0, 0.5]]]))
    assert np.abs(bench.in_shares(first).values).sum() == pytest.approx(1)
    turned = attribution(-first.values[..., 0])
    assert bench.agreement(first, first) == pytest.approx(1)
    assert bench.agreement(first, turned) == pytest.approx(-1)
    assert bench.agreement(first, turned, strength=True) == pytest.approx(1)


@pytest.fixture
def attribution() -> Callable[..., Any]:
    from dlexplain.attribution import Attribution

    def make(values: np.ndarray) -> Any:
        values = np.asarray(values, np.float32)[..., None]
        return Attribution(
            values=values, inputs=np.zeros_like(values), target=np.zeros(len(values), int), baseline=None,
            method="made", options={}, seed=0, framework="keras", fingerprint="",
            output=np.zeros(len(values)), kind=("image",), layout="channels_last",
        )  # fmt: skip

    return make
