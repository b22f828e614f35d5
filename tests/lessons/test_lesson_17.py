"""What lesson 17 says of its plant, monitors, versions and releases, held against one run of its teachers' notebook."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from dlexplain.classroom.lessons.lesson_17 import tracking, watch
from dlexplain.classroom.lessons.lesson_17.duty import MISSED, NEEDLESS, QUIET, RETRAINING, Duty
from dlexplain.classroom.lessons.lesson_17.room import ControlRoom
from dlexplain.classroom.lessons.lesson_17.stream import DELAY, Events, Stream, plant, surprise
from dlexplain.classroom.running import Run
from dlexplain.errors import InputError

pytestmark = pytest.mark.lessons

MAKERS = ("Keras", "Torch")


@pytest.fixture(scope="module")
def run(run_lesson: Callable[..., Run]) -> Run:
    done = run_lesson(17)
    assert not done.faults, done.summary()
    return done


def test_a_changed_bit_is_refused(run: Run) -> None:
    assert "not the one that was released" in run.value("refused")


def test_the_card_keeps_what_nobody_said_blank(run: Run) -> None:
    card = run.value("card_text")
    assert "to call the crew before a pump must be repaired" in card
    assert "**Who audits it?** *blank*" in card
    assert "## Factors" in card  # where the page cuts it


def test_the_readings_ring_for_the_thermometer_alone(run: Run) -> None:
    assert run.value("harmless") == 13
    assert max(run.value("others")[12:]) < 0.8 * run.value("psi_limit")


def test_the_thermometer_does_no_harm_and_the_controller_does(run: Run) -> None:
    outcomes = np.array(run.value("rang")["Torch"]["outcomes"])
    assert outcomes[16:21].mean() < 0.06  # weeks 13 to 17, known four weeks later
    assert run.value("wrong_now") > 0.15


def test_explanations_ring_first_for_the_controller(run: Run) -> None:
    for maker in MAKERS:
        first = run.value("first_ring")[maker]
        assert first["explanations"] == 18
        assert first["outcomes"] == 18 + DELAY
        assert first["readings"] is None
        assert first["alarms"] is None
    assert run.value("soonest") == "explanations"
    assert run.value("least") == "vibration"
    assert run.value("moved")["vibration"] < -0.15
    assert run.value("moved")["pressure"] > 0.1


def test_the_margin_over_the_limit_is_wide(run: Run) -> None:
    for maker in MAKERS:
        drift = np.array(run.value("rang")[maker]["explanations"])
        assert drift[17:].min() > 1.5 * run.value("limits")[maker]["explanations"]


def test_false_alarms_are_few_and_untrained_networks_see_nothing(run: Run) -> None:
    for maker in MAKERS:
        assert run.value("false_alarms")[maker]["readings"] <= 2
        assert run.value("false_alarms")[maker]["explanations"] <= 3
    moves = run.value("at_controller")
    untrained = [moves[name] for name in moves if name not in MAKERS]
    assert len(untrained) == 5
    assert max(untrained) < 0.05 < 0.12 < min(moves[maker] for maker in MAKERS)


def test_a_new_version_mends_it(run: Run) -> None:
    for found, versions in ((run.value("wrong_by"), (1, 2)), (run.value("mended"), (2, 3))):
        for maker in MAKERS:
            old, new = (found[f"{maker}, version {k}"] for k in versions)
            assert new < 0.7 * old


def test_a_twin_names_the_same_sensor_and_another_version_does_not(run: Run) -> None:
    for found in (run.value("view"), run.value("alike")):
        control, *others = found.values()
        assert control > 0.85
        assert max(others) < control - 0.1


def test_no_monitor_but_that_of_outcomes_sees_the_seals(run: Run) -> None:
    for maker in MAKERS:
        rang = run.value("seals_ring")[maker]
        assert rang["outcomes"] == 31 + DELAY
        assert rang["explanations"] is None
        assert rang["readings"] is None


def test_a_missing_list_rings_the_outcomes_only(run: Run) -> None:
    rang, limits = run.value("rang_3"), run.value("limits")["Torch"]
    assert min(rang["outcomes"][-4:]) > limits["outcomes"]
    assert max(rang["explanations"]) < limits["explanations"]
    assert max(rang["readings"]) < limits["readings"]


def test_the_bad_release_looks_better_and_is_worse(run: Run) -> None:
    tested = run.value("tested")
    for maker in ("keras", "torch"):
        good, bad = tested[f"{maker}-3"], tested[f"{maker}-4"]
        assert bad["wrong, by the lists"] < 0.5 * good["wrong, by the lists"]
        assert bad["wrong, in truth"] > 1.5 * good["wrong, in truth"]
        assert 0.35 < bad["repairs missed"] < 0.65  # "about half"
    assert run.value("view_4")[1] < 0.1 * run.value("view_3")[1]  # "all but dropped" vibration
    assert run.value("lost") == "vibration"


def test_a_start_that_moves_along_hides_the_drift(run: Run) -> None:
    fixed, moving = run.value("moves").values()
    assert moving < 0.4 * fixed
    before, after = run.value("called")
    assert after > 3 * before


def test_without_mlflow_its_part_is_left_out(run: Run) -> None:
    tracked = run.value("tracked")
    assert (tracked == {}) == (find_spec("mlflow") is None)
    if tracked:
        assert set(tracked) == {f"{maker}-{k}" for maker in ("keras", "torch") for k in (1, 2, 3, 4)}
        assert tracked["torch-4"]["parent"] == "torch-3"


def test_the_first_picture_comes_soon_and_the_whole_is_quick(run: Run) -> None:
    lines = [cell.first_line for cell in run.cells]
    first = lines.index("import numpy as np")
    assert sum(cell.cpu_seconds for cell in run.cells[: first + 1]) < 30  # 15 s on two cores
    assert run.cpu_seconds < 120
    assert run.peak_memory_bytes < 3e9


# ---- the plant ----


def test_each_sensor_alone_is_the_same_under_the_new_controller_and_together_they_are_not() -> None:
    old, new = plant(40, seed=1), plant(40, events=Events(controller=1), seed=2)
    before, now = (each.inputs.reshape(-1, 5) for each in (old, new))
    assert max(watch.psi(before[:, k], now[:, k]) for k in range(5)) < 0.01
    swing = [rows[rows[:, 0] > 2000, 1].std() / rows[rows[:, 0] < 2000, 1].std() for rows in (before, now)]
    assert swing[0] > 1.8
    assert swing[1] < 0.6  # seen by any test of both sensors at once


def test_new_seals_change_no_reading_and_many_repairs() -> None:
    old, new = plant(20, seed=3), plant(20, events=Events(seals=11), seed=3)
    assert np.array_equal(old.inputs, new.inputs)
    assert new.repaired[10:].mean() > 1.4 * old.repaired[10:].mean()
    assert np.array_equal(new.repaired[:10], old.repaired[:10])


def test_the_thermometer_moves_five_degrees_and_no_repair() -> None:
    old, new = plant(6, seed=4), plant(6, events=Events(thermometer=4), seed=4)
    assert np.allclose((new.inputs - old.inputs)[3:], [0, 0, 0, 5, 0], atol=1e-4)
    assert np.array_equal(old.inputs[:3], new.inputs[:3])
    assert np.array_equal(old.repaired, new.repaired)


def test_a_missing_list_reports_no_repair_of_slow_pumps() -> None:
    made = plant(6, events=Events(missing=(3, 4)), seed=5)
    slow = made.inputs[..., 0] < 2000
    assert not made.reported[2:4][slow[2:4]].any()
    assert np.array_equal(made.reported[2:4][~slow[2:4]], made.repaired[2:4][~slow[2:4]])
    assert np.array_equal(made.reported[[0, 1, 4, 5]], made.repaired[[0, 1, 4, 5]])
    assert (made.repaired & ~made.reported).any()


def test_a_surprise_has_quiet_weeks_then_all_four_one_after_the_other() -> None:
    orders = set()
    for seed in range(6):
        made = surprise(seed)
        weeks = {name: getattr(made.events, name) for name in ("thermometer", "controller", "seals")}
        assert len(made) == 52
        assert min(weeks.values()) > QUIET
        assert min(np.diff(sorted(weeks.values()))) > DELAY
        assert made.events.missing[0] > max(weeks.values())
        orders.add(tuple(sorted(weeks, key=weeks.get)))
    assert len(orders) > 1
    assert np.array_equal(surprise(1).inputs, surprise(1).inputs)


def test_weeks_are_found_by_their_number() -> None:
    made = plant(10, first=-3, seed=6)
    assert made.weeks.tolist() == list(range(-3, 7))
    cut = made.only(range(2, 5))
    assert cut.weeks.tolist() == [2, 3, 4]
    assert np.array_equal(cut.inputs, made.inputs[5:8])
    assert np.array_equal(made.rows([2])[0], made.inputs[5])
    with pytest.raises(InputError, match="1 week and 2 pumps"):
        plant(0)


# ---- the monitors ----


def test_the_index_by_hand() -> None:
    before, now = np.arange(1000) / 1000, np.concatenate([np.arange(900, 1000), np.arange(900)]) / 1000
    assert watch.psi(before, now) == pytest.approx(0, abs=1e-9)
    upper = np.arange(500, 1000) / 1000  # five parts doubled, five empty
    assert watch.psi(before, upper) == pytest.approx(5 * 0.1 * np.log(2) + 5 * (0.001 - 0.1) * np.log(0.01), rel=0.02)


def test_shares_leave_signs_out_and_sum_to_one() -> None:
    credit = np.array([[[0.6, -0.2], [-0.6, -0.2]]])
    assert watch.shares(credit) == pytest.approx(np.array([[0.75, 0.25]]))
    assert watch.share_drift(np.array([[0.75, 0.25], [0.5, 0.5]]), np.array([0.75, 0.25])) == pytest.approx([0, 0.25])


def test_outcomes_come_late() -> None:
    made = plant(8, pumps=50, seed=7)
    late = watch.errors(made, np.zeros((8, 50)))
    assert np.isnan(late[:DELAY]).all()
    assert late[DELAY:] == pytest.approx(made.reported[: 8 - DELAY].mean(1))


def test_the_limit_is_twice_the_largest_and_the_first_week_over_it_is_named() -> None:
    assert watch.limit(np.array([np.nan, 0.1, 0.2])) == pytest.approx(0.4)
    assert watch.first_over(np.array([0.1, np.nan, 0.5, 0.6]), 0.4, np.arange(7, 11)) == 9
    assert watch.first_over(np.array([0.1]), 0.4, np.arange(1)) is None


# ---- on duty ----


def by_thresholds(rows: np.ndarray, repaired: np.ndarray) -> Callable[[Stream], tuple[np.ndarray, np.ndarray]]:
    """No framework: each reported speed gets the sensor and the limit that fit its rows best; credit is that sensor."""
    rules = {}
    for fast in (False, True):
        mine = (rows[:, 0] > 2000) == fast
        signed = {1: rows[mine, 1], 2: -rows[mine, 2]}
        tried = [
            (((values > cut) != repaired[mine]).mean(), sensor, cut)
            for sensor, values in signed.items()
            for cut in np.quantile(values, np.linspace(0.5, 1, 26))
        ]
        rules[fast] = min(tried)[1:]

    def opened(stream: Stream) -> tuple[np.ndarray, np.ndarray]:
        fast = stream.inputs[..., 0] > 2000
        called, credit = np.zeros(fast.shape), np.zeros(stream.inputs.shape)
        for speed, (sensor, cut) in rules.items():
            values = stream.inputs[..., sensor] * (1 if sensor == 1 else -1)
            called = np.where(fast == speed, values > cut, called)
            away = np.abs(stream.inputs[..., sensor] - (4.0 if sensor == 1 else 6.0))
            credit[..., sensor] += np.where(fast == speed, away, 0)
        return called.astype(float), credit

    return opened


HISTORY = plant(8, first=-7, seed=100)


def test_who_retrains_in_time_pays_less_than_who_does_nothing() -> None:
    duty = Duty(plant(52, events=Events(controller=20), seed=8), HISTORY, by_thresholds)
    while duty.week < 25:
        duty.step()
    duty.retrain(2)  # weeks 20 and 21
    assert duty.versions[1].learned == "weeks 20 to 21"
    while not duty.over:
        duty.step()
    mine, idle = duty.paid()
    assert len(mine) == 52
    assert mine[-1] < 0.8 * idle[-1]
    assert duty.week == 52
    duty.step()
    assert duty.week == 52  # the year is over


def test_the_bill_is_what_was_missed_needless_and_retrained() -> None:
    stream = plant(16, seed=9)
    duty = Duty(stream, HISTORY, by_thresholds)
    called = duty.serving.chances > 0.5
    missed, needless = (stream.repaired & ~called).sum(1), (called & ~stream.repaired).sum(1)
    assert duty.bills == pytest.approx((MISSED * missed + NEEDLESS * needless)[:QUIET])
    duty.retrain(4)
    assert duty.bills[-1] == MISSED * missed[QUIET - 1] + NEEDLESS * needless[QUIET - 1] + RETRAINING
    assert len(duty.paid()[0]) == QUIET - DELAY  # the bill comes late


def test_only_known_weeks_are_learned_from() -> None:
    duty = Duty(plant(30, seed=10), HISTORY, by_thresholds)
    assert duty.usable(3).tolist() == [QUIET - DELAY - 3, QUIET - DELAY - 2, QUIET - DELAY - 1]


def test_the_way_back_leads_to_the_parent_and_ends_at_the_first() -> None:
    duty = Duty(plant(30, seed=11), HISTORY, by_thresholds)
    first, second = duty.serving, duty.retrain(4)
    assert duty.serving is second
    duty.roll_back()
    assert duty.serving is first
    duty.roll_back()
    assert duty.serving is first
    assert [words for _, words in duty.diary][-1] == "back from version 2 to version 1"


def test_accepted_readings_are_silent_again() -> None:
    duty = Duty(plant(30, events=Events(thermometer=13), seed=12), HISTORY, by_thresholds)
    for _ in range(5):
        duty.step()
    assert duty.values["readings"][-1] > duty.quiet_limits["readings"]
    duty.accept()
    duty.step()
    assert duty.values["readings"][-1] < duty.quiet_limits["readings"]


@pytest.fixture
def control() -> ControlRoom:
    years = {"one": plant(40, events=Events(controller=15), seed=13), "calm": plant(40, seed=14)}
    return ControlRoom(years, HISTORY, by_thresholds)


def test_on_goes_to_the_next_alarm_and_every_control_redraws(control: ControlRoom) -> None:
    control.on.click()
    assert control.duty.week == 15
    assert control.ringing(14) == ["explanations"]
    assert "Rings: explanations." in control.view.value
    for control_, value in ((control.limits["explanations"], 0.4), (control.limits["readings"], 0.02)):
        before = control.view.value
        control_.value = value
        assert control.view.value != before
    for button in (control.next, control.accept, control.retrain, control.back):
        before = control.view.value
        button.click()
        assert control.view.value != before, button.description
    control.year.value = "calm"
    assert control.duty.week == QUIET


def test_playing_stops_at_an_alarm_and_the_year_is_unveiled_at_its_end(control: ControlRoom) -> None:
    control.player.playing = True
    for value in range(1, 4):
        control.player.value = value
    assert control.duty.week == 15
    assert not control.player.playing
    assert "controller came" not in control.view.value
    while not control.duty.over:
        control.next.click()
    assert "week 15, the new controller came" in control.view.value
    assert control.next.disabled


def test_the_static_twin_shows_the_year_with_hands_off(control: ControlRoom) -> None:
    page = control.to_html()
    assert page.count('role="img"') == 2
    assert "nobody lifts a hand" in page
    control.next.click()
    assert control.to_html().count('role="img"') == 1
    assert control.duty.week == QUIET + 1  # drawing the twin moved nothing


# ---- MLflow ----

EMBEDDED = """
import socket
def refuse(*a, **k):
    raise AssertionError(f"the network was asked: {a}")
socket.socket.connect = socket.getaddrinfo = refuse
from pathlib import Path
import sys
from dlexplain.classroom.lessons.lesson_17 import tracking
mlflow = tracking.embedded(Path(sys.argv[1]) / "mlflow")
mlflow.set_experiment("pump watch")
with mlflow.start_run(run_name="v1"):
    mlflow.log_metric("error", 0.25)
    mlflow.set_tags({"weights": "abc"})
found = mlflow.search_runs(output_format="list")
print(found[0].info.run_name, found[0].data.metrics["error"], found[0].data.tags["weights"])
"""


def test_mlflow_works_embedded_and_asks_nobody(tmp_path: Path) -> None:
    if find_spec("mlflow") is None:
        pytest.skip("needs mlflow-skinny")
    done = subprocess.run(
        [sys.executable, "-c", EMBEDDED, str(tmp_path)], capture_output=True, text=True, timeout=240, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ["v1", "0.25", "abc"]
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow"]  # nothing beside the folder that was named


def test_without_mlflow_there_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking, "find_spec", lambda name: None)
    assert tracking.embedded(tmp_path) is None
    assert not list(tmp_path.iterdir())
