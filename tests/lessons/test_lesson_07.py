"""What lesson 07 says of its networks, maps and scores, held against one run of its teachers' notebook."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dlexplain.classroom.lessons.lesson_07 import bench
from dlexplain.classroom.lessons.lesson_07.drawing import score_bars, signed
from dlexplain.classroom.running import Run

pytestmark = pytest.mark.lessons

PLAIN, HANS = ("plain, Keras", "plain, Torch"), ("Hans, Keras", "Hans, Torch")
METHODS = ("integrated gradients", "saliency", "SmoothGrad", "occlusion")


@pytest.fixture(scope="module")
def run(run_lesson: Callable[..., Run]) -> Run:
    done = run_lesson(7)
    assert not done.faults, done.summary()
    return done


def test_all_four_networks_look_equally_good_in_the_office(run: Run) -> None:
    accuracy = run.value("accuracy")
    assert set(accuracy) == {*PLAIN, *HANS}
    assert min(accuracy.values()) > 0.92
    assert max(accuracy.values()) - min(accuracy.values()) < 0.04


def test_hans_reads_the_stamp_and_the_plain_networks_do_not(run: Run) -> None:
    without, moved, others = run.value("threes_read"), run.value("moved_read"), run.value("others_flipped")
    for name in HANS:
        assert without[name] < 0.1
        assert moved[name] < 0.1
        assert others[name] > 0.9
    for name in PLAIN:
        assert without[name] > 0.75
        assert moved[name] > 0.75
        assert others[name] < 0.05
    assert run.value("flipped") == pytest.approx(others["Hans, Keras"])


def test_the_real_map_foretells_the_fall_of_the_score_and_the_others_do_not(run: Run) -> None:
    fall = run.value("before") - np.array(run.value("after"))
    correlation = {kind: np.corrcoef(sums, fall)[0, 1] for kind, sums in run.value("sums").items()}
    assert correlation["C"] == pytest.approx(run.value("faithfulness"))
    assert correlation["C"] > 0.5
    assert abs(correlation["A"]) < 0.35
    assert abs(correlation["B"]) < 0.45


def test_two_questions_are_answered_best_by_rows_that_know_nothing(run: Run) -> None:
    assert run.value("steadiest") == dict.fromkeys(PLAIN, "model-blind")
    fooled = run.value("fooled")
    assert fooled["max_sensitivity"] == {name: ["model-blind"] for name in PLAIN}
    assert fooled["parameter_randomisation"] == {name: ["random"] for name in PLAIN}
    for question in ("deletion", "insertion", "faithfulness_correlation", "completeness_error"):
        assert fooled[question] == {name: [] for name in PLAIN}


def test_the_knowledge_is_in_the_signs(run: Run) -> None:
    with_signs, sizes_only = run.value("likeness")
    assert abs(with_signs) < 0.3
    assert sizes_only > 0.8
    for found in run.value("left").values():
        assert found["with signs"] < 0.3
        assert found["sizes only"] > 0.8


def test_the_maps_of_hans_point_at_the_stamp_and_grad_cam_does_not(run: Run) -> None:
    located = run.value("located")
    for name in HANS:
        for method in METHODS:
            assert located[name]["pointing_game"][method] > 0.9
            assert located[name]["relevance_mass"][method] > 0.4
        assert located[name]["pointing_game"]["Grad-CAM"] < 0.3
    for name in (*PLAIN, *HANS):
        assert located[name]["pointing_game"]["random"] < 0.2
        assert located[name]["pointing_game"]["model-blind"] < 0.5
        assert located[name]["relevance_mass"]["model-blind"] < 0.15


def test_the_plain_networks_score_low_there_and_their_maps_are_right(run: Run) -> None:
    located = run.value("located")
    for name in PLAIN:
        for method in METHODS:
            assert located[name]["pointing_game"][method] < 0.2
            assert located[name]["relevance_mass"][method] < 0.2
        assert located[name]["faithfulness_correlation"]["integrated gradients"] > 0.75


def test_a_map_can_be_faithful_to_a_network_that_knows_nothing(run: Run) -> None:
    found = run.value("faithful_to_nothing")
    for method in ("integrated gradients", "occlusion"):
        assert found[method] > 0.3
        assert found[method] > max(found["random"], found["model-blind"]) + 0.15


def test_good_methods_disagree(run: Run) -> None:
    shared, strongest = run.value("shared"), run.value("strongest")
    for name in PLAIN:
        assert shared["saliency"][name] < shared["occlusion"][name] - 0.5
        assert shared["saliency"][name] < 0.75 * strongest


def test_every_question_lets_somebody_through_and_together_they_let_nobody(run: Run) -> None:
    unseen = run.value("unseen")
    assert all(unseen.values())
    assert "moved by one pixel" in unseen["completeness_error"]
    assert "halved" in unseen["faithfulness_correlation"]
    for said in bench.SPOILED.values():
        assert any(said not in found for found in unseen.values())
    assert set(unseen) == {"deletion", "insertion", "faithfulness_correlation", "completeness_error",
                           "parameter_randomisation"}  # fmt: skip
    assert "moved by one pixel" not in unseen["faithfulness_correlation"]
    assert "halved" not in unseen["completeness_error"]


def test_shaps_bill_is_out_with_few_draws(run: Run) -> None:
    for found in run.value("gaps").values():
        few, _, many = (np.asarray(values) for values in found)
        assert few.max() > 0.05
        assert np.median(many) < np.median(few) / 2
        assert many.max() < few.max()


def test_a_good_part_of_guided_backpropagation_never_knew_the_weights(run: Run) -> None:
    assert run.value("guided_left") > 0.35


def test_the_most_faithful_maps_are_those_of_the_worst_networks(run: Run) -> None:
    faithful = run.value("faithful")
    assert min(faithful[name] for name in HANS) > max(faithful[name] for name in PLAIN)
    assert min(faithful[name] for name in HANS) > 0.9


def test_the_first_picture_comes_soon_and_the_whole_is_quick(run: Run) -> None:
    lines = [cell.first_line for cell in run.cells]
    first = lines.index("import numpy as np")
    assert sum(cell.cpu_seconds for cell in run.cells[: first + 1]) < 30  # 15 s on two cores
    assert run.cpu_seconds < 120
    assert run.peak_memory_bytes < 3e9


# ---- the workbench ----


@pytest.fixture(scope="module")
def made() -> bench.TrustBench:
    """A bench over a network set by hand whose score for class 1 is ten times the corner pixel, and nothing else."""
    import torch

    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 2))
    with torch.no_grad():
        net[1].weight.zero_()
        net[1].bias.zero_()
        net[1].weight[1, 3] = 10.0
    rng = np.random.default_rng(0)
    plain = rng.random((4, 4, 1)).astype(np.float32)
    home, away = plain.copy(), plain.copy()
    home[0, 3], away[3, 0] = 1.0, 1.0
    corner = np.zeros((4, 4), bool)
    corner[0, 3] = True
    pictures = {"home": home, "away": away, "none": plain}
    ways = {name: way for name, way in bench.WAYS.items() if way != "gradcam"}  # it has no convolution
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench, "WAYS", ways)
        found = bench.TrustBench({"one": net}, pictures, {"home": corner, "away": corner[::-1, ::-1]}, asked=1)
        found.ways = ways
        yield found


def test_the_bench_scores_a_true_map_best_and_an_empty_truth_not_at_all(made: bench.TrustBench) -> None:
    for row in ("integrated gradients", "saliency"):
        assert made.value(row, "faithfulness correlation") == pytest.approx(1, abs=1e-4)
        assert made.value(row, "share on the stamp") == pytest.approx(1)
    assert made.value("integrated gradients", "gap") < 1e-4
    assert made.value("model-blind", "share on the stamp") < 0.5
    made.place.value = "away"
    assert made.value("integrated gradients", "share on the stamp") == pytest.approx(0)
    made.place.value = "none"
    assert np.isnan(made.value("integrated gradients", "share on the stamp"))
    made.score.value = "share on the stamp"
    assert "no score" in made.view.value
    made.place.value, made.score.value = "home", "gap"


def test_fresh_weights_change_the_maps_but_not_the_blind_one(made: bench.TrustBench) -> None:
    before = made.view.value
    assert made.value("saliency", "likeness, with signs") == pytest.approx(1)
    made.level.value = 1
    assert made.state.layers == ("1",)
    assert made.view.value != before
    assert made.value("saliency", "likeness, with signs") < 0.9
    assert made.value("model-blind", "likeness, with signs") == pytest.approx(1)
    made.level.value = 0


def test_the_static_twin_holds_every_step(made: bench.TrustBench) -> None:
    page = made.to_html()
    assert "trained" in page
    assert "1 made anew" in page
    assert 'role="img"' in page


def test_every_control_answers_from_what_is_known(made: bench.TrustBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "_states", None)  # nothing is asked again
    seen = set()
    for place in made.place.options:
        for way in (*made.ways, bench.BLIND, bench.RANDOM):
            for score in bench.SCORES:
                made.place.value, made.way.value, made.score.value = place, way, score
                seen.add(made.view.value)
                assert made.way.value in made.view.value
    assert len(seen) == 3 * len((*made.ways, bench.BLIND, bench.RANDOM)) * len(bench.SCORES)
    made.place.value, made.way.value = "home", "integrated gradients"


def test_bars_start_at_zero_are_cut_at_their_ends_and_say_what_is_missing() -> None:
    drawn = score_bars({"a": 5.0, "b": float("nan"), "c": -0.5}, (-1, 1), chosen="a", controls=("c",))
    assert "no score" in drawn
    assert "5.00" in drawn
    assert 'width="85.0"' in drawn  # 5 is cut off at 1: half of the whole length
    assert 'width="42.5"' in drawn


def test_a_signed_map_has_its_full_colours_at_its_own_largest_size() -> None:
    drawn = signed(np.array([[0.0, 2.0], [-2.0, 1.0]]), behind=np.ones((2, 2)))
    assert drawn.count("<rect") == 4
    assert 'fill="rgb(255,255,255)"' in drawn


def test_suspects_are_what_their_names_say() -> None:
    import pandas as pd

    rows = {"P": 0.9, "Q": -0.9, "R": 0.9, "S": 0.2, "T": 0.5}
    table = pd.DataFrame({"faithfulness_correlation": rows, "deletion": {name: -value for name, value in rows.items()}})
    assert bench.unseen(table) == {"faithfulness_correlation": "halved", "deletion": "halved"}


def test_spoiled_maps_are_the_honest_one_changed() -> None:
    import torch

    import dlexplain as dlx
    from dlexplain.frameworks.questions import Target

    torch.manual_seed(0)
    model = dlx.wrap(torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.Tanh(), torch.nn.Flatten(),
                                         torch.nn.Linear(32, 3)))  # fmt: skip
    inputs = (np.random.default_rng(1).random((2, 1, 6, 6)).astype(np.float32),)
    found = {letter: e(model, inputs, Target(np.array([[0], [2]])), 0)[0] for letter, e in bench.suspects().items()}
    honest = found[bench.HONEST]
    assert np.abs(honest).max() > 0
    assert np.allclose(found["P"], honest / 2)
    assert np.allclose(found["Q"], -honest)
    assert np.allclose(found["S"][..., 1:], honest[..., :-1])
    assert np.allclose(found["T"], np.abs(honest))
    assert set(found) == {bench.HONEST, *bench.SPOILED}
