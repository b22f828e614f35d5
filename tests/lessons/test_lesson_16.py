"""What lesson 16 says of costs and of data, held against one run of its teachers' notebook; the planner by code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from dlexplain.classroom.lessons.lesson_16 import costs
from dlexplain.classroom.lessons.lesson_16 import drawing as own
from dlexplain.classroom.lessons.lesson_16.planner import Planner
from dlexplain.classroom.running import Run

pytestmark = pytest.mark.lessons


@pytest.fixture(scope="module")
def run(run_lesson: Callable[..., Run]) -> Run:
    done = run_lesson(16)
    assert not done.faults, done.summary()
    return done


# ---- what it costs ----


def test_four_of_the_first_twelve_labels_are_wrong(run: Run) -> None:
    assert int(np.asarray(run.value("wrong"))[np.asarray(run.value("some"))].sum()) == 4
    assert 0.1 < np.mean(run.value("wrong")) < 0.15  # "about one in eight"


def test_both_frameworks_learn_all_three(run: Run) -> None:
    for right in (run.value("right_keras"), run.value("right_torch")):
        assert set(right) == {"perceptron", "conv net", "transformer"}
        assert min(right.values()) > 0.9


def test_the_same_network_does_the_same_operations_in_both(run: Run) -> None:
    count, weights = run.value("count_keras"), run.value("weights")
    assert count == run.value("count_torch")
    assert count["perceptron"] == 2 * (30 * 16 + 16 * 2)  # by hand
    assert count["conv net"] == 2 * (36 * 9 * 8 + 16 * 72 * 16 + 256 * 10)
    ratio = run.value("each_weight")
    assert ratio["perceptron"] < 2 < 5 < min(ratio["conv net"], ratio["transformer"])
    assert weights["perceptron"] == 30 * 16 + 16 + 16 * 2 + 2


def test_there_and_back_is_between_two_and_three(run: Run) -> None:
    times = run.value("times")
    assert all(2 <= value <= 3 for value in times.values())
    assert times["perceptron"] < 2.2 < 2.6 < min(times["conv net"], times["transformer"])


def test_activations_of_a_batch_are_about_as_large_as_the_weights_or_larger(run: Run) -> None:
    weights = run.value("weights")
    for name, kept in run.value("activations").items():
        assert kept > 0.6 * 16 * weights[name.split(", ")[0]]


def test_operations_are_not_seconds(run: Run) -> None:
    assert run.value("more_work") > 300  # "many hundred times"
    assert max(run.value("more_time").values()) < 0.5 * run.value("more_work")


def test_people_are_the_bill_of_a_small_network(run: Run) -> None:
    heads = run.value("heads")
    assert heads["people's time for labels"] == pytest.approx(120)
    assert sum(heads.values()) < 120.1


def test_an_explanation_costs_many_answers(run: Run) -> None:
    passes = run.value("passes")
    assert passes == run.value("passes_torch")
    assert 2 < passes["saliency"] < 10
    assert passes["integrated_gradients"] == pytest.approx(3 * 32, rel=0.1)
    assert max(passes, key=passes.get) == "kernel_shap"
    assert passes["kernel_shap"] >= 500


def test_the_arithmetic_holds_for_a_published_giant(run: Run) -> None:
    assert run.value("ours") == pytest.approx(3.14e23, rel=0.01)
    assert run.value("mwh") == pytest.approx(1287, rel=0.01)
    assert run.value("mwh_of_peak") < 0.5 * 1287  # "less than half"


def test_errors_fall_as_a_law_and_the_last_size_was_kept_back(run: Run) -> None:
    errors = np.mean(run.value("errors"), axis=0)
    assert (np.diff(errors) < 0).all()
    assert 0.4 < run.value("came") / run.value("promised") < 2.5


# ---- whether the data are fit ----


def test_suspects_are_wrong_and_the_control_knows_nothing(run: Run) -> None:
    noise, rate = run.value("noise"), float(np.mean(run.value("wrong")))
    for name in ("by hand, Torch", "by hand, Keras", "cleanlab, Torch"):
        assert noise[name]["of these truly wrong"] > 0.75
        assert noise[name]["of the wrong ones found"] > 0.6
    control = noise["control: shuffled chances"]
    assert abs(control["of these truly wrong"] - rate) < 0.04
    assert control["rows on the list"] > 0.8 * 1200  # "nearly every row"
    assert noise["learned by heart"]["of the wrong ones found"] < 0.4


def test_repairing_the_list_helps_and_is_cheap(run: Run) -> None:
    scores = run.value("scores")
    assert scores["as given"] + 0.02 < scores["the list repaired"] < scores["no wrong labels at all"] + 0.01
    assert run.value("looked") < 0.2 * 1200


def test_the_leak_shines_in_the_test_and_fails_in_use(run: Run) -> None:
    leak = run.value("leak")
    for name in ("Keras", "Torch"):
        assert leak[name]["in the test"] > 0.92
        assert leak[name]["in use"] < leak[name]["in the test"] - 0.04
    assert leak["Torch, without the column"]["in use"] > max(leak[name]["in use"] for name in ("Keras", "Torch"))


def test_the_leak_is_found_and_an_honest_column_comes_near(run: Run) -> None:
    assert set(run.value("leads").values()) == {"surgery"}
    alone = run.value("alone_of")
    assert max(alone, key=alone.get) == "surgery"
    assert alone[run.value("honest_best")] > 0.95
    assert alone["coin"] < 0.58


def test_shap_names_the_leak_in_the_test_and_is_silent_in_use(run: Run) -> None:
    assert run.value("first_test") == "surgery"
    assert run.value("shap_use")["surgery"] == pytest.approx(0, abs=1e-6)


def test_drift_is_found_where_it_was_planted_and_nowhere_else(run: Run) -> None:
    assert sorted(run.value("found_drift")) == sorted(run.value("moved"))
    alarms = {name: np.array(values) for name, values in run.value("false_alarms").items()}
    assert 0.35 < (alarms["limit 0.05"] > 0).mean() < 0.75  # "every second comparison"
    assert (alarms["limit 0.05/30"] > 0).mean() < 0.12
    assert not (np.asarray(run.value("silent")) < run.value("LIMIT")).any()


def test_each_fault_fails_its_own_question_and_one_hides_another(run: Run) -> None:
    faults = {"wrong labels": "Labels are likely right", "leak": "A column that alone gives the answer away",
              "other clinic": "No drift from training to audited data"}  # fmt: skip
    sheets = run.value("sheets")
    for fault in faults:
        failed = {title for title, found in sheets.items() if found[fault] == "FAIL"}
        assert failed == {faults[fault]}
    assert {found["repaired"] for found in sheets.values()} == {"PASS"}
    assert sheets[faults["leak"]]["all three"] == "PASS"  # hidden behind the wrong labels


def test_different_plans_have_different_dearest_lines(run: Run) -> None:
    assert list(run.value("dear").values()) == ["labels", "labels", "labels", "explanations", "training"]


def test_the_first_picture_comes_soon_and_the_whole_is_quick(run: Run) -> None:
    lines = [cell.first_line for cell in run.cells]
    first = lines.index("import time")
    assert sum(cell.cpu_seconds for cell in run.cells[: first + 1]) < 30
    assert run.cpu_seconds < 120
    assert run.peak_memory_bytes < 3e9


# ---- the arithmetic, without a notebook ----

NET = costs.Measured("net", weights=1000, operations=2000, per_second=1e6, activations=400)
CORE, FAST = costs.Machine("core", watts=20), costs.Machine("fast", watts=1000, per_second=1e9)
PLAN = costs.Plan(
    network=NET, machine=CORE, size=1, labels=600, epochs=10, answers_a_month=1500, explained=4,
    label=0.5, hour=2.0, kwh=0.25,
)  # fmt: skip


def test_the_bill_line_by_line() -> None:
    lines = costs.bill(PLAN)
    assert lines["labels"].total == pytest.approx(300)
    assert lines["training"].operations == 3 * 2000 * 600 * 10
    assert lines["training"].hours == pytest.approx(36e6 / 1e6 / 3600)
    assert lines["training"].money == pytest.approx(0.02)
    assert lines["training"].electricity == pytest.approx(0.01 * 0.02 * 0.25)
    assert lines["answers"].operations == pytest.approx(12 * 1500 * 2000)
    assert lines["explanations"].operations == pytest.approx(4 * lines["answers"].operations)
    assert costs.dearest(lines) == "labels"
    assert costs.total(lines) == pytest.approx(sum(line.money + line.electricity for line in lines.values()))


def test_a_faster_machine_and_a_larger_network() -> None:
    fast = costs.bill(replace(PLAN, machine=FAST))["training"]
    assert fast.hours == pytest.approx(costs.bill(PLAN)["training"].hours / 1000)
    assert fast.kwh == pytest.approx(fast.hours)
    grown = costs.bill(replace(PLAN, size=100))["training"]
    assert grown.operations == pytest.approx(100 * costs.bill(PLAN)["training"].operations)
    assert costs.memory(NET, 1, batch=10) == 16 * 1000 + 4000
    assert costs.memory(NET, 4, batch=10) == 16 * 4000 + 8000


def test_the_labels_that_a_budget_pays() -> None:
    most = costs.most_labels(PLAN, 100)
    assert costs.total(costs.bill(replace(PLAN, labels=most))) <= 100
    assert costs.total(costs.bill(replace(PLAN, labels=most + 1))) > 100
    assert costs.most_labels(replace(PLAN, answers_a_month=1e12), 100) == 0


def test_a_law_is_a_straight_line_of_logarithms() -> None:
    law = costs.fitted([10, 100, 1000], [0.4, 0.2, 0.1])
    assert law.errors(10_000) == pytest.approx(0.05)
    assert law.seen == (10, 1000)
    assert law.errors(0.001) == 1


def test_large_and_small_numbers_can_be_read() -> None:
    assert costs.money(0) == "€ 0"
    assert costs.money(1e-9) == "under € 0.0001"
    assert costs.money(12.5) == "€ 12.50"
    assert costs.money(4.6e9) == "€ 4.6 billion"
    assert costs.quantity(1_200_000) == "1.2 million"
    assert costs.quantity(3.15e23) == "3.15 × 10²³"
    assert costs.duration(1 / 3600) == "1 seconds"
    assert costs.duration(48) == "2 days"
    assert costs.duration(24 * 36525) == "100 years"
    assert costs.duration(24 * 365.25 * 4900) == "4,900 years"
    assert costs.size_of(2120) == "2.12 kB"


def test_without_codecarbon_there_is_no_answer_and_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "codecarbon", None)
    assert costs.watts_by_codecarbon(lambda: None) is None


def test_codecarbon_answers_where_it_is_installed() -> None:
    pytest.importorskip("codecarbon", reason="codecarbon is an optional extra")
    matrix = np.ones((200, 200))
    watts = costs.watts_by_codecarbon(lambda: matrix @ matrix)
    assert watts is None or 0 < watts < 2000  # a process under load


# ---- the planner ----


@pytest.fixture
def planner() -> Planner:
    law = costs.Law(2.0, 0.6, (50, 1200))
    return Planner([NET, replace(NET, name="other", operations=9000)], [CORE, FAST], {"SHAP": 502.0}, law, "net")


def test_every_control_changes_the_bill(planner: Planner) -> None:
    changes = (
        (planner.size, 1e8), (planner.epochs, 100), (planner.answers, 10**9), (planner.explained, 502.0),
        (planner.labels, 5000), (planner.label, 5.0), (planner.hour, 10.0), (planner.kwh, 0.6), (planner.budget, 10),
        (planner.machine, FAST), (planner.network, planner.network.options[1][1]),
    )  # fmt: skip
    for control, value in changes:
        before = planner.view.value
        control.value = value
        assert planner.view.value != before, control.description


def test_the_verdict_and_the_way_to_yes(planner: Planner) -> None:
    assert "<b>Yes</b>" in planner.to_html()
    planner.budget.value = 50
    assert "<b>No</b>" in planner.to_html()
    assert "Dearest line: <b>labels</b>" in planner.to_html()
    most = costs.most_labels(planner.plan(), 50)
    assert f"With {costs.quantity(most)} labels it would do." in planner.to_html()
    planner.answers.value = 10**11
    assert "Fewer labels alone will not save it" in planner.to_html()


def test_the_law_is_told_only_where_it_was_measured(planner: Planner) -> None:
    assert "by the measured law" in planner.to_html()
    planner.labels.value = 100_000
    assert "a guess beyond what was measured" in planner.to_html()
    planner.size.value = 100.0
    assert "Expected errors" not in planner.to_html()


def test_the_planner_has_words_for_who_cannot_see_it(planner: Planner) -> None:
    page = planner.to_html()
    assert 'role="img"' in page
    assert "labels: € 120" in page
    assert "20 W" in page  # the assumptions are on the page


def test_pictures_say_what_they_show() -> None:
    values = {"halves": np.full(3, 0.5), "clinic": np.array([1e-9, 0.4, 0.3])}
    figure = own.pvalues(values, ["a", "b", "c"], 0.01, title="Each dot is a column")
    assert "clinic: 1 columns under the limit" in figure.layout.meta["alt"]
    assert list(figure.data[1].text) == ["a", "", ""]
    grown = own.widths([1e6, 1e8], {"Keras": [1e-4, 1e-3], "Torch": [1e-5, 1e-4]}, title="time")
    assert list(grown.data[-1].y) == pytest.approx([100, 10_000])  # what time would be
