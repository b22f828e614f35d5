"""What lesson 01 claims, held against its own run."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dlexplain.classroom.running import Run

pytestmark = pytest.mark.lessons

FRAMEWORKS = ("Keras", "Torch")
DEPTHS = (0, 1, 2, 3, 6, 12)


@pytest.fixture
def run(run_lesson: Callable[..., Run]) -> Run:
    """The teachers' notebook, run once a session."""
    return run_lesson(1)


def test_one_neuron_draws_the_same_line_in_both_and_stops_at_it(run: Run) -> None:
    keras, torch = run.value("line_keras"), run.value("line_torch")
    assert abs(keras - torch) < 0.02
    assert 0.8 < torch < 0.95
    for losses in (run.value("keras_losses"), run.value("torch_losses")):
        assert losses[-100] - losses[-1] < 0.02, "it has stopped falling"
        assert losses[0] > losses[-1] + 0.1


def test_one_hidden_layer_parts_the_moons(run: Run) -> None:
    for name, share in run.value("moons_right").items():
        assert share > 0.96, name
        assert share > run.value("line_torch") + 0.04


def test_borders_wind_more_with_depth(run: Run) -> None:
    shares = run.value("spirals_right")
    for name in FRAMEWORKS:
        line, one, *deeper = (shares[f"{name}, depth {depth}"] for depth in (0, 1, 2, 3))
        assert line < 0.7
        assert one > line + 0.04
        assert max(deeper) > max(one + 0.04, 0.9)


def test_more_layers_help_and_then_harm(run: Run) -> None:
    means = dict(zip(DEPTHS, run.value("new_means"), strict=True))
    assert means[0] + 0.08 < means[1] < max(means[2], means[3])
    assert max(means[2], means[3]) > 0.9
    assert means[12] < 0.75
    assert means[12] < means[1]


def test_the_slope_hardly_reaches_the_first_of_twelve_layers(run: Run) -> None:
    assert run.value("flatter_12") > 5 * run.value("flatter_3")
    assert run.value("flatter_12") > 50


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_without_activation_depth_bends_nothing(run: Run, name: str) -> None:
    assert run.value("bend_linear")[name] < 1e-5
    assert run.value("bend_tanh")[name] > 0.03
    assert abs(run.value("linear_right")[name] - run.value("line_torch")) < 0.03, "as good as one neuron"


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_shuffled_colours_are_learned_by_heart_and_say_nothing(run: Run, name: str) -> None:
    seen, unseen = run.value("seen_right"), run.value("unseen_right")
    assert seen[f"{name}, shuffled colours"] > 0.85
    assert abs(unseen[f"{name}, shuffled colours"] - 0.5) < 0.2
    assert unseen[f"{name}, true colours"] > 0.93
    assert unseen[f"{name}, true colours"] > unseen[f"{name}, shuffled colours"] + 0.2


def test_no_neuron_stores_a_point(run: Run) -> None:
    counts = [run.value(name) for name in ("no_unit", "one_unit", "many")]
    assert sum(counts) == 100
    assert counts[0] > 50, "most points hang on no single unit"


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_trained_layers_lay_the_spirals_apart_and_untrained_ones_do_not(run: Run, name: str) -> None:
    trained, control = (run.value("readings")[f"{name}, {state}"] for state in ("trained", "never trained"))
    assert trained["hidden3"] > trained["the plane"] + 0.2
    assert trained["hidden3"] > trained["hidden1"] + 0.2
    assert max(control.values()) < 0.75


def test_a_narrow_network_folds_the_plane_and_its_twin_agrees(run: Run) -> None:
    assert run.value("narrow_right") > 0.95
    assert 1 <= run.value("stuck") <= 9, "narrow networks often get stuck"
    assert run.value("same") < 1e-3


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_credit_passes_the_test_of_a_known_truth(run: Run, name: str) -> None:
    assert run.value("x2_control")[name] < 0.1
    assert 0.35 < run.value("x2_moons")[name] < 0.85


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_x2_speaks_for_blue_above_and_x1_changes_sides(run: Run, name: str) -> None:
    assert run.value("x2_against_height")[name] < -0.5
    assert 0.1 < run.value("x1_for_orange")[name] < 0.9


def test_captum_agrees_and_its_default_baseline_is_a_place(run: Run) -> None:
    assert run.value("difference") < 0.02 * run.value("largest")
    assert abs(run.value("zero_score")) > 1, "a firm answer"
    assert np.abs(run.value("zero_credit")).max() < 1e-6, "and no credit"
    parts = run.value("x2_by_baseline").values()
    assert max(parts) - min(parts) > 0.04, "the share depends on the baseline"


def test_the_first_picture_comes_soon(run: Run) -> None:
    first = next(i for i, cell in enumerate(run.cells) if cell.output_bytes > 20_000)
    assert first <= 2, "the second code cell shows the moons, before either framework is loaded"


def test_within_the_lesson_s_own_budget(run: Run) -> None:
    assert run.cpu_seconds < 120
    assert run.peak_memory_bytes < 3e9
