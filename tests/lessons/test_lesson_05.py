"""What lesson 05 says of shares, networks and backgrounds, held against one run of its teachers' notebook."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from dlexplain.attribution import Attribution
from dlexplain.classroom.lessons.lesson_05 import boards, game
from dlexplain.classroom.lessons.lesson_05.checks import check_rules
from dlexplain.classroom.running import Run

pytestmark = pytest.mark.lessons

BAND = ("Ana", "Ben", "Cleo")
EARNS = {
    frozenset(some): worth
    for some, worth in (
        ((), 0),
        (("Ana",), 60),
        (("Ben",), 30),
        (("Cleo",), 0),
        (("Ana", "Ben"), 120),
        (("Ana", "Cleo"), 90),
        (("Ben", "Cleo"), 60),
        (BAND, 210),
    )
}


@pytest.fixture(scope="module")
def run(run_lesson: Callable[..., Run]) -> Run:
    done = run_lesson(5)
    assert not done.faults, done.summary()
    return done


def test_the_band_shares_its_evening(run: Run) -> None:
    assert run.value("lifts_of_ana") == [60, 60, 90, 150, 90, 150]
    assert run.value("fair") == pytest.approx({"Ana": 100, "Ben": 70, "Cleo": 40})
    assert run.value("cleo") == pytest.approx(40)


def test_each_other_way_breaks_the_rule_that_the_exercise_names(run: Run) -> None:
    assert run.value("share_1") == pytest.approx({"Ana": 100, "Ben": 80, "Cleo": 0})  # Cleo, a passenger
    assert run.value("share_2") == pytest.approx({"Ana": 60, "Ben": 60, "Cleo": 60})  # all alike
    assert run.value("additivity_gap") < 1e-9


def test_both_networks_know_most_tumours(run: Run) -> None:
    assert run.value("accuracy_keras") > 0.9
    assert run.value("accuracy_torch") > 0.9


def test_teams_by_hand_are_exact_shapley(run: Run) -> None:
    assert run.value("teams_difference") < 1e-4
    assert sum(run.value("by_hand")) == pytest.approx(run.value("end") - run.value("start"), abs=1e-3)


def test_a_share_is_not_the_effect_of_filling_in_one_column(run: Run) -> None:
    assert run.value("deepest_share") < -0.4  # the exercise reads a clearly negative step
    assert run.value("change_without") + run.value("deepest_share") != pytest.approx(0, abs=0.1)


def test_kernel_shap_comes_nearer_and_ends_exact(run: Run) -> None:
    off = run.value("off")
    assert run.value("tries")[-1] == 2**10 - 2
    assert off[0] > 0.01
    assert off[3] < 0.6 * off[0]
    assert off[-1] < 1e-5


def test_shaps_own_explainers_agree(run: Run) -> None:
    assert run.value("kernel_difference") < 1e-3
    assert max(run.value("deep_difference").values()) < 1e-3


def test_the_rule_of_additivity_holds_for_a_team_of_networks(run: Run) -> None:
    assert run.value("team_difference") < 1e-3


def test_deepshap_is_near_brute_force_and_not_equal(run: Run) -> None:
    assert min(run.value("deep_agreement").values()) > 0.98
    assert run.value("deep_off") > 0.02


def test_shap_refuses_relu_as_a_function_and_dlexplain_does_not(run: Run) -> None:
    assert "do not sum up" in run.value("complaint")
    assert run.value("functional_difference") < 1e-4


def test_shaps_plots_are_shown_with_words(run: Run) -> None:
    pages = [
        "".join(output["data"]["text/html"])
        for cell in run.notebook["cells"]
        for output in cell.get("outputs", ())
        if "data:image/png" in json.dumps(output.get("data", {}).get("text/html", ""))
    ]
    assert len(pages) == 3
    assert all('alt="SHAP' in page for page in pages)


def test_a_network_of_nonsense_has_a_perfect_bill_and_small_shares(run: Run) -> None:
    assert max(run.value("bill_gaps").values()) < 1e-3
    assert run.value("accuracy_shuffled") < run.value("majority") + 0.1
    size = run.value("size")
    assert np.sum(size["Keras, answers shuffled"]) < 0.5 * np.sum(size["Keras"])


def test_the_named_columns_bring_the_score_down_first(run: Run) -> None:
    means = {name: float(np.mean(scores)) for name, scores in run.value("falls").items()}
    own = means.pop("by its own shares")
    assert all(own < other - 0.5 for other in means.values())


def test_the_background_moves_start_and_signs(run: Run) -> None:
    healthy, ill = run.value("starts")
    assert healthy < 0 < ill
    assert 10 <= run.value("turned") <= 50
    assert 0.02 < run.value("wobble") < 0.5


def test_patient_17_is_a_mistake_of_both_networks(run: Run) -> None:
    assert run.value("people")[1] == "patient 17 (was benign)"
    shown = json.dumps([cell.get("outputs") for cell in run.notebook["cells"]], ensure_ascii=False)
    assert "BackgroundBoard" in shown
    assert min(run.value("scores_of_17")) > 0


def test_a_team_of_three_earns_more_than_any_column(run: Run) -> None:
    assert run.value("size_team") > 1.2 * max(run.value("alone").values())


def test_two_copies_share_what_the_one_had(run: Run) -> None:
    for row in run.value("split").values():
        assert row["both together"] == pytest.approx(row["before"], rel=0.35)
        assert max(row["first copy"], row["second copy"]) < 0.9 * row["before"]
        assert min(row["first copy"], row["second copy"]) > 0.1 * row["before"]


def test_twins_for_the_network_get_the_same(run: Run) -> None:
    twins = np.array(run.value("twins"))
    assert run.value("twins_difference") < 1e-3
    assert np.abs(twins[:, 1]).max() > 0.1


def test_the_radius_can_be_left_out(run: Run) -> None:
    columns, size, lost = run.value("columns"), run.value("size")["Torch"], run.value("lost")
    radius = columns.index("radius")
    assert run.value("lost_radius") == lost[radius] < 3.5
    assert size[radius] > 0.4
    assert max(lost) < 10


def test_filling_in_asks_for_patients_that_do_not_exist(run: Run) -> None:
    assert run.value("unreal") > 0.8


def test_two_ways_to_fill_in_break_different_things(run: Run) -> None:
    anyhow, like = run.value("two_ways").values()
    assert anyhow["radius"] == pytest.approx(0, abs=1e-6)
    assert anyhow["perimeter"] > 1
    assert 0.3 < like["radius"] / (like["radius"] + like["perimeter"]) < 0.5


def test_noise_earns_little_and_not_nothing(run: Run) -> None:
    for values in run.value("floor").values():
        assert 0.005 < values[10] < 0.4 * max(values)


def test_maps_of_pictures_agree_and_passengers_get_nothing(run: Run) -> None:
    assert run.value("digits_keras") > 0.9
    assert run.value("digits_torch") > 0.9
    assert min(run.value("agree").values()) > 0.85
    assert run.value("dummies") >= 5
    assert run.value("paid")["DeepSHAP"] == 0
    assert 0 < run.value("paid")["kernel"] < 0.1


def test_against_eights_the_open_loop_speaks(run: Run) -> None:
    on_paper, (row, column) = run.value("on_paper"), run.value("loudest")
    assert on_paper["against black paper"] == 0
    assert on_paper["against 50 eights"] > 0.25
    assert column < 4
    assert run.value("ink_at_loudest") == 0
    assert 1 <= row <= 5


def test_the_first_picture_comes_soon_and_the_whole_is_quick(run: Run) -> None:
    lines = [cell.first_line for cell in run.cells]
    first = lines.index("from itertools import permutations")
    assert sum(cell.cpu_seconds for cell in run.cells[: first + 1]) < 30  # 15 s on two cores
    assert run.cpu_seconds < 120
    assert run.peak_memory_bytes < 3e9


# ---- the game and the boards, against plain arithmetic ----


def test_shares_make_up_the_whole_in_any_game() -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        worth = {some: float(rng.normal()) for some in game.line_ups("abcd")}
        whole = worth[frozenset("abcd")] - worth[frozenset()]
        assert sum(game.shares(worth, "abcd").values()) == pytest.approx(whole)


def test_twins_and_passengers_are_found() -> None:
    worth = {some: 10.0 * ("a" in some or "b" in some) for some in game.line_ups("abc")}
    assert game.alike(worth, "abc") == [("a", "b")]
    assert game.passengers(worth, "abc") == ["c"]
    said = " ".join(game.what_holds(worth, "abc"))
    assert "Twins: a and b" in said
    assert "Passenger: c" in said
    assert not game.passengers(EARNS, BAND)


def test_numbers_are_short_and_never_a_minus_zero() -> None:
    assert [game.number(value) for value in (0, -0.001, 40.0, -2.5)] == ["0", "0", "40", "−2.5"]
    assert [game.number(value, 1) for value in (-0.04, 1.96)] == ["0.0", "2.0"]


def test_the_game_board_follows_its_numbers() -> None:
    made = boards.GameBoard({"one": EARNS, "three": {some: 210 * (len(some) == 3) for some in EARNS}}, BAND)
    assert made.shares == pytest.approx({"Ana": 100, "Ben": 70, "Cleo": 40})
    before = made.view.value
    made.earns[frozenset(BAND)].value = 240
    assert made.shares["Cleo"] == pytest.approx(50)
    assert made.view.value != before
    made.game.value = "three"
    assert made.shares == pytest.approx(dict.fromkeys(BAND, 70))
    assert made.view.value.count("Twins") == 3
    assert "Twins" in made.to_html()


def test_a_share_below_zero_is_named() -> None:
    worth = {**EARNS, frozenset({"Cleo"}): 0, frozenset({"Ana", "Cleo"}): 0, frozenset({"Ben", "Cleo"}): 0}
    worth[frozenset(BAND)] = 60
    assert game.shares(worth, BAND)["Cleo"] < 0
    assert "Below zero: on the mean Cleo" in " ".join(game.what_holds(worth, BAND))
    assert "−" in game.orders_picture(worth, BAND).html


def _found(values: list[float], start: float) -> Attribution:
    array = np.array([values], np.float32)
    return Attribution(
        values=array, inputs=array, target=np.zeros(1, int), baseline=None, method="made", options={}, seed=0,
        framework="keras", fingerprint="", output=np.array([start + sum(values)]), kind=("table",), layout=None,
        baseline_output=np.array([start]),
    )  # fmt: skip


def test_the_background_board_walks_from_the_others_to_the_patient() -> None:
    explained = {
        "Keras": {"all": _found([2.0, -1.0], 0.5), "benign": _found([4.0, 1.0], -3.5)},
        "Torch": {"all": _found([-2.0, -1.0], 0.5), "benign": _found([1.0, 0.0], -3.5)},
    }
    made = boards.BackgroundBoard(explained, ("a", "b"), ("patient 1",))
    assert "mean score of: all 0.5; a +2.0; b −1.0; score of this patient 1.5" in made.view.value
    folded = made.to_html()
    assert "Compared with others" in folded
    assert "mean score of: benign −3.5" in folded
    assert "Other patients" not in folded  # there is no other
    made.background.value = "benign"
    assert "mean score of: benign −3.5; a +4.0; b +1.0; score of this patient 1.5" in made.view.value
    made.network.value = "Torch"
    assert "below zero: <b>benign</b>" in made.view.value


@pytest.mark.parametrize("kind", [list, np.array, lambda rules: dict(zip("ABC", rules, strict=True))])
def test_the_rules_may_be_handed_over_as_a_list_an_array_or_by_letter(kind: Callable[[list[str]], object]) -> None:
    assert check_rules(kind(["dummy", "efficiency", "symmetry"])).passed
    assert not check_rules(kind(["symmetry", "efficiency", "dummy"])).passed


def test_a_tiny_difference_is_said_in_words() -> None:
    assert game.tiny(0.0) == "nothing at all"
    assert game.tiny(3e-7) == "less than a millionth"
    assert game.tiny(0.25) == "0.25"


@pytest.mark.parametrize(
    ("first", "second", "fate"),
    [(0.6, 0.5, "share what the one had"), (1.0, 0.0, "gets nothing"), (1.0, 0.9, "each as much")],
)
def test_the_fate_of_two_copies_is_read_from_their_shares(first: float, second: float, fate: str) -> None:
    row = {"before": 1.0, "first copy": first, "second copy": second}
    assert fate in game.fate_of_copies({"Keras": row, "Torch": row})
