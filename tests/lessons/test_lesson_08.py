"""What lesson 08 says of its pumps, networks and prices, held against one run of its teachers' notebook."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dlexplain.classroom import building
from dlexplain.classroom.lessons.lesson_08 import bench
from dlexplain.classroom.running import Run
from dlexplain.classroom.running import run as run_book

pytestmark = pytest.mark.lessons

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="module")
def run(run_lesson: Callable[..., Run]) -> Run:
    done = run_lesson(8)
    assert not done.faults, done.summary()
    return done


def test_the_lazy_expert_is_nearly_always_right(run: Run) -> None:
    assert run.value("never_right") > 0.98
    judged = run.value("judged")
    lazy = judged["the lazy expert"]
    assert lazy["caught"] == 0
    for name in ("Keras", "Torch"):
        assert judged[name]["right"] - lazy["right"] < 0.12  # "hardly parts"
        assert judged[name]["caught"] > 0.55
        assert judged[name]["false alarms"] < 0.4


def test_both_networks_tell_the_remaining_life_of_new_pumps(run: Run) -> None:
    off_by = run.value("off_by")
    for name in ("Keras", "Torch"):
        assert off_by[name] < 0.65 * off_by["always the same number"]


def test_windows_at_random_leak(run: Run) -> None:
    leak, off_by = run.value("leak"), run.value("off_by")
    assert leak["copycat"]["windows at random"] < 3  # "by a cycle or two"
    assert leak["copycat"]["windows at random"] < min(off_by["Keras"], off_by["Torch"])  # "beats both"
    assert leak["copycat"]["whole pumps"] > 4 * leak["copycat"]["windows at random"]
    assert leak["copycat"]["whole pumps"] > leak["network"]["whole pumps"]
    assert leak["network"]["windows at random"] < leak["network"]["whole pumps"]


def test_vibration_gives_the_alarm_of_a_worn_bearing(run: Run) -> None:
    assert set(run.value("bearing_says").values()) == {"vibration"}


def test_credit_wakes_up_after_the_onset_and_late(run: Run) -> None:
    assert run.value("after") > 4 * abs(run.value("before"))
    assert run.value("hidden") > 8


def test_sensors_that_belong_together_get_opposite_credit(run: Run) -> None:
    assert run.value("opposed") < -0.5


def test_only_trained_networks_name_the_cause(run: Run) -> None:
    matches = run.value("matches")
    trained = [matches[name] for name in matches if name.startswith(("Keras", "Torch"))]
    assert len(trained) == 3
    assert min(trained) > 0.85
    assert matches["control: shuffled answers"] < 0.65
    assert matches["control: untrained"] < 0.5
    assert matches["no network: largest reading"] == 0
    assert 0.4 < matches["no network: farthest from new"] < min(trained) - 0.1


def test_prices_make_the_decision(run: Run) -> None:
    assert run.value("best_now") < 0.3
    assert run.value("best_cheap") > run.value("best_now") + 0.2
    assert 1 < run.value("too_early") < 1.3
    assert run.value("too_late") > 2


def test_on_locked_up_pumps_the_network_pays(run: Run) -> None:
    waiting, calendar, network, prophet = run.value("paid").values()
    assert prophet < network < 0.9 * calendar
    assert calendar < waiting / 2


def test_captum_from_zero_blames_the_mains(run: Run) -> None:
    found = run.value("captum_matches")
    assert found["Captum, as it comes (start: zero)"] < 0.1
    assert found["Captum, start: a new pump"] > 0.85
    assert run.value("most_blamed") == "voltage"


def test_without_the_file_the_real_engines_are_left_out(run: Run) -> None:
    assert (run.value("real") == {}) == (bench.turbofan() is None)


def test_the_first_picture_comes_soon_and_the_whole_is_quick(run: Run) -> None:
    lines = [cell.first_line for cell in run.cells]
    first = lines.index("import numpy as np")
    assert sum(cell.cpu_seconds for cell in run.cells[: first + 1]) < 30  # 15 s on two cores
    assert run.cpu_seconds < 120
    assert run.peak_memory_bytes < 3e9


def test_the_same_notebook_runs_on_real_engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not (REAL / "cmapss" / "train_FD001.txt").is_file():
        pytest.skip("needs the real files in ../shared/data")
    monkeypatch.setenv("DLEXPLAIN_DATA", str(REAL))
    source = next(path for path in building.sources(ROOT) if path.name.startswith("08_"))
    text = next(text for path, text in building.built(source).items() if path.parent.name == "solutions")
    book = tmp_path / "real.ipynb"
    book.write_text(text, encoding="utf-8")
    done = run_book(book, sweep=False, folder=ROOT / "notebooks")
    assert not done.faults, done.summary()
    real = done.value("real")
    assert real["off_by"] < 0.6 * real["same_number"]
    assert real["copycat"] < 0.6 * real["same_number"]  # these engines are much alike
    credit = real["credit"]
    dead = ["setting_3", "sensor_1", "sensor_5", "sensor_10", "sensor_16", "sensor_18", "sensor_19"]
    assert all(credit[name] == 0 for name in dead)  # these never move in FD001
    assert sum(credit.values()) > 0
    leading = sorted(credit, key=credit.__getitem__)[-5:]
    assert len({"sensor_7", "sensor_11", "sensor_12"} & set(leading)) >= 2  # at the compressor that wears


# ---- the arithmetic of decisions ----


def _fleet() -> list[bench.Forecasts]:
    sure = np.array([[0.1], [0.2], [0.6], [0.9], [0.9], [0.9], [0.9], [0.9]])
    blind = np.full((5, 1), 0.3)
    return [bench.Forecasts(1, 37, 30, sure), bench.Forecasts(2, 34, 30, blind)]


def test_the_crew_comes_after_the_alarm_or_too_late() -> None:
    seen, blind = _fleet()
    assert seen.stop(0, 0.5) == (32 + bench.CREW, False)
    assert seen.stop(0, 0.95) == (37, True)
    assert blind.stop(0, 0.5) == (34, True)
    assert blind.stop(0, 0.25) == (33, False)
    late = bench.Forecasts(3, 34, 30, np.array([[0.1], [0.1], [0.1], [0.1], [0.9]]))
    assert late.stop(0, 0.5) == (34, True)  # the alarm comes in the last cycle: nobody is there in time


def test_costs_are_put_on_the_work_done() -> None:
    assert bench.cost_rate([100, 50], [False, True], 40, 5) == pytest.approx(30)
    assert bench.policy(_fleet(), 0, 0.5, 50, 5) == pytest.approx(100 * 55 / (35 + 34))
    assert bench.calendar([50, 100], 60, 40, 5) == pytest.approx(100 * 45 / 110)
    assert bench.calendar([50, 100], 10_000, 40, 5) == pytest.approx(100 * 80 / 150)


def test_the_calendar_finds_the_best_age() -> None:
    assert bench.best_age([60, 60, 60], 1000, 1) == 60
    assert bench.best_age([30, 90], 10, 10) >= 90  # a repair as dear as a breakdown: no earlier than need be


def test_forecasts_are_cut_by_machine() -> None:
    from dlexplain.data.fleet import fleet

    data = fleet(machines=3)
    windows = data.windows(30)
    made = bench.forecasts(windows, np.arange(len(windows))[:, None])
    for each in made:
        assert each.life == len(data.engine(each.machine))
        assert each.first == 30
        assert len(each.chances) == each.life - 29
    assert np.concatenate([each.chances for each in made])[:, 0].tolist() == list(range(len(windows)))


def test_the_bench_redraws_for_every_control() -> None:
    made = bench.DecisionBench(
        [bench.Forecasts(e.machine, e.life, e.first, np.tile(e.chances, 2)) for e in _fleet()], [5, 10], [34, 37]
    )
    for control, value in ((made.breakdown, 100), (made.repair, 20), (made.threshold, 0.9), (made.horizon, 0)):
        before = made.view.value
        control.value = value
        assert made.view.value != before, control
    assert "2 of 2 machines broke down" in made.to_html()
    assert made.curve()[bench.THRESHOLDS.index(0.9)] == pytest.approx(100 * 200 / 71)
    assert made.references()["wait until it breaks"] == pytest.approx(100 * 200 / 71)
    assert 'role="img"' in made.to_html()
