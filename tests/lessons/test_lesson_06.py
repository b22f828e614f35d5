"""What lesson 06 claims, held against its own run."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dlexplain.classroom.lessons.lesson_06 import shapes
from dlexplain.classroom.lessons.lesson_06.bench import UnitBench
from dlexplain.classroom.lessons.lesson_06.checks import CKA_SAYS, EVIDENCE, check_silent
from dlexplain.classroom.running import Run

pytestmark = pytest.mark.lessons

FRAMEWORKS = ("Keras", "Torch")
LAYERS = ("first", "second", "third")


@pytest.fixture
def run(run_lesson: Callable[..., Run]) -> Run:
    """The teachers' notebook, run once a session."""
    return run_lesson(6)


def test_both_networks_read_new_digits(run: Run) -> None:
    assert run.value("accuracy_keras") > 0.92
    assert run.value("accuracy_torch") > 0.92


def test_some_units_are_needed_and_some_are_not(run: Run) -> None:
    for changed in (run.value("changed_keras"), run.value("changed_torch")):
        changed = np.asarray(changed)
        assert (changed == 0).sum() >= 3
        assert 20 < changed.max() < 225, "one unit sways some answers, and never most"


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_unit_s_name_wears_off_below_its_strongest_pictures(run: Run, framework: str) -> None:
    assert run.value("top_share")[framework] > 0.55
    assert run.value("half_share")[framework] < run.value("top_share")[framework] - 0.2


def test_feature_pictures_lie_beyond_the_digits(run: Run) -> None:
    assert run.value("beyond") > 1.2
    assert np.mean(run.value("resemble")) < 0.65


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_dead_units_change_no_answer_and_speckle_wakes_some(run: Run, framework: str) -> None:
    found = run.value("experiments")[framework]
    assert 3 <= found["dead"] < 28
    assert found["answers changed without them"] == 0
    assert found["silent for one digit, on average"] > found["dead"] + 1
    assert 1 <= found["dead ones woken by speckle"] < found["dead"]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_cheats_live_by_the_mark_and_the_honest_do_not(run: Run, framework: str) -> None:
    swayed = run.value("swayed")
    honest, cheat = swayed[f"{framework}, honest"], swayed[f"{framework}, cheat"]
    assert honest["right"] > 0.85
    assert honest["answers changed"] < 0.05
    assert abs(honest["score of circle"]) < 1
    assert cheat["answers changed"] > 0.7
    assert cheat["score of circle"] > 5


def test_the_mark_is_read_everywhere_but_not_with_shuffled_labels(run: Run) -> None:
    readable, by_heart = run.value("readable"), run.value("by_heart")
    for name in readable:
        assert min(readable[name][layer] for layer in ("first", "second")) > 0.97, name
        assert readable[name]["third"] > 0.85, name
        assert max(abs(by_heart[name][layer] - 0.5) for layer in LAYERS) < 0.12, name
    assert "never trained" in readable


def test_likeness_is_news_above_the_untrained_network_only(run: Run) -> None:
    cka = run.value("cka")
    assert min(cka["twin"].values()) > 0.999
    for name in ("another start", "Torch"):
        assert cka[name]["first"] > 0.9
        assert cka[name]["answer"] > 0.75
    raw = cka["never trained"]
    assert raw["first"] > 0.75, "untrained first layers are alike as well"
    assert raw["third"] < cka["Torch"]["third"] - 0.15
    assert raw["answer"] < cka["Torch"]["answer"] - 0.25


def test_one_arrangement_has_many_weights(run: Run) -> None:
    assert run.value("cka_shuffled") == pytest.approx(1, abs=1e-4)
    assert run.value("same_weights") < 0.2
    assert run.value("answers_apart") < 1e-3


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_tcav_agrees_with_the_planted_truth(run: Run, framework: str) -> None:
    marks = run.value("marks")
    cheat, honest = marks[f"{framework}, cheat"], marks[f"{framework}, honest"]
    assert cheat["significant"]
    assert cheat["score"] > 0.95
    assert not honest["significant"]
    assert not cheat["nothing significant"]
    assert not honest["nothing significant"]


def test_significant_is_not_important(run: Run) -> None:
    found = run.value("deeper").values()
    assert any(row["significant"] and row["answers changed"] < 0.04 for row in found)
    assert all(row["answers changed"] < 0.2 for row in found)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_two_teachers_holes_say_the_opposite_and_both_are_true(run: Run, framework: str) -> None:
    zero, eight = (run.value("hole")[f"{framework}, score of {digit}"] for digit in (0, 8))
    for for_it, against, teacher in ((zero, eight, "hole, first teacher"), (eight, zero, "hole, second teacher")):
        assert for_it[teacher]["significant"]
        assert for_it[teacher]["score"] > 0.9
        assert for_it[teacher]["truth"] > 1
        assert against[teacher]["significant"]
        assert against[teacher]["score"] < 0.2
        assert against[teacher]["truth"] < -0.3
    assert not zero["nothing"]["significant"]
    assert not eight["nothing"]["significant"]


def test_found_concepts_show_the_corner_and_more(run: Run) -> None:
    assert min(run.value("in_corner")) > 1.2


def test_captum_agrees_where_it_works(run: Run) -> None:
    assert run.value("captum_cheat") > 0.95


def test_where_captum_fails(run: Run) -> None:
    assert run.value("stale"), "it took the other network's direction out of the folder"
    assert not run.value("renewed")
    assert run.value("ours_told") > 0.97
    assert run.value("told") < 0.9
    assert run.value("columns") == 1
    assert run.value("spread") > 0.5


def test_the_first_picture_comes_soon(run: Run) -> None:
    first = next(i for i, cell in enumerate(run.cells) if cell.output_bytes > 10_000)
    assert first <= 2, "the second code cell shows the digits, before either framework is loaded"


def test_within_the_lesson_s_own_budget(run: Run) -> None:
    assert run.cpu_seconds < 120
    assert run.peak_memory_bytes < 3e9


def test_marks_rings_and_scribbles() -> None:
    plain = np.full((2, 16, 16, 1), 0.2, np.float32)
    upper, lower = shapes.marked(plain), shapes.marked(plain, corner="lower right")
    assert (upper[:, :3, :3] == 1).all()
    assert (lower[:, 13:, 13:] == 1).all()
    assert (upper != plain).sum() == (lower != plain).sum() == 2 * 9
    assert (plain == np.float32(0.2)).all(), "the pictures handed in stay as they were"
    for drawn in (shapes.rings(20, seed=0), shapes.two_rings(20, seed=0), shapes.scribbles(20, seed=0)):
        assert drawn.shape == (20, 8, 8, 1)
        assert drawn.min() >= 0
        assert drawn.max() <= 1
        assert (drawn.max((1, 2, 3)) > 0.5).all()
    assert (shapes.rings(3, seed=1) == shapes.rings(3, seed=1)).all()


@pytest.fixture(scope="module")
def bench() -> UnitBench:
    import torch
    from torch import nn

    network = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(32, 3), nn.ReLU())
    network.append(nn.Linear(3, 2))
    with torch.no_grad():
        for layer in (network[0], network[3]):
            layer.weight[:], layer.bias[:] = 0.1, 0.0
        network[3].weight[2], network[3].bias[2] = 0.0, -1.0  # unit 2 never speaks
        network[5].weight[:] = torch.tensor([[1.0, 0.0, 5.0], [0.0, 1.0, 5.0]])
        network[5].bias[:] = torch.tensor([0.1, 0.0])
    pictures = np.random.default_rng(0).random((12, 4, 4, 1)).astype(np.float32)
    inputs = np.ascontiguousarray(np.moveaxis(pictures, -1, 1))
    return UnitBench(
        {"Torch": network.eval()}, {"Torch": inputs}, pictures, np.arange(12) % 2, ["1", "4"], names=("a", "b")
    )


def test_the_bench_switches_units_off(bench: UnitBench) -> None:
    assert bench.dead("Torch", "4") == [2]
    before = bench.answers("Torch", "4")
    without = bench.answers("Torch", "4", [0])
    assert without[:, 0] == pytest.approx(0.1)
    assert without[:, 1] == pytest.approx(before[:, 1])
    assert bench.answers("Torch", "4", [2]) == pytest.approx(before)
    assert bench.changed("Torch", "4").tolist() == [12, 0, 0]
    maps_off = bench.answers("Torch", "1", [0, 1])
    assert maps_off == pytest.approx(np.tile([0.1, 0.0], (12, 1)))


def test_the_bench_follows_its_controls(bench: UnitBench) -> None:
    bench.layer.value, bench.unit.value = "4", 0
    assert "Answers changed: <strong>0</strong>" in bench.view.value
    bench.off.value = True
    assert "Off in 4: 0." in bench.view.value
    assert "Answers changed: <strong>12</strong>" in bench.view.value
    bench.unit.value = 2
    assert not bench.off.value
    assert "a <strong>dead</strong> unit" in bench.view.value
    bench.layer.value = "1"
    assert (bench.units, bench.unit.max, bench.unit.value) == (2, 1, 1)
    assert "Off in 1: no unit." in bench.view.value
    bench.layer.value = "4"
    assert "Off in 4: 0." in bench.view.value, "what is off in a layer is remembered"
    bench.all_on.click()
    assert "Off in 4: no unit." in bench.view.value
    assert not bench.off.value
    page = bench.to_html()
    assert "Unit 1 switched off" in page
    assert "Each unit switched off alone" in page


@pytest.mark.parametrize("way", [np.where, np.flatnonzero, np.argwhere, np.asarray, lambda is_dead: set(np.flatnonzero(is_dead))])
def test_dead_units_may_be_named_in_every_way_that_numpy_has(way: Callable[[np.ndarray], object]) -> None:
    outputs = np.array([[0, 0, 0.02, 5, 0], [0, 3, 0, 5, 0], [0, 0, 0.03, 4, 0.0]])
    given = {"outputs": outputs, "labels": np.array([1, 7, 1])}
    assert check_silent(way(outputs.max(axis=0) == 0), **given).passed
    assert not check_silent(way(outputs.max(axis=0) > 0), **given).passed


@pytest.mark.parametrize("choices", [EVIDENCE, CKA_SAYS])
def test_the_page_offers_the_very_choices_that_the_check_knows(run: Run, choices: dict[str, str]) -> None:
    page = "\n".join("".join(cell["source"]) for cell in run.notebook["cells"] if cell["cell_type"] == "markdown")
    for letter, words in choices.items():
        assert f"- **{letter}**: {words}" in page
