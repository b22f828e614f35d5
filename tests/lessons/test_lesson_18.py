"""What lesson 18 claims of its networks, its audits and its desk, held against one run of its teachers' notebook."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dlexplain.classroom.lessons import lesson_18 as declared
from dlexplain.classroom.lessons.lesson_18 import cases
from dlexplain.classroom.lessons.lesson_18 import desk as desks
from dlexplain.classroom.lessons.lesson_18.checks import check_clauses, check_evidence
from dlexplain.classroom.running import Run
from dlexplain.errors import InputError

pytestmark = pytest.mark.lessons


@pytest.fixture(scope="module")
def run(run_lesson: Callable[..., Run]) -> Run:
    done = run_lesson(18)
    assert not done.faults, done.summary()
    return done


def _outputs(run: Run, holding: str) -> str:
    """All that the one code cell that holds this text has shown, as text."""
    cells = [c for c in run.notebook["cells"] if c["cell_type"] == "code" and holding in "".join(c["source"])]
    assert len(cells) == 1, f"{len(cells)} cells hold {holding!r}"
    return json.dumps(cells[0]["outputs"], ensure_ascii=False)


def test_the_leaky_network_is_nearly_always_right_and_fails(run: Run) -> None:
    assert run.value("accuracy_torch") > 0.98
    assert run.value("accuracy_keras") > 0.98
    assert run.value("verdicts")["before"] == ["FAIL", "FAIL"]
    found = _outputs(run, 'pages.part(record_torch, 10, shown="leakage-columns", rows=4)')
    assert "Column 'clinic visits' has most attribution" in found


def test_in_use_it_misses_many_sick(run: Run) -> None:
    for framework in ("Torch", "Keras"):
        assert run.value("found_tested")[framework] > 97
        assert run.value("found_in_use")[framework] < 85


def test_without_the_column_it_is_less_often_right_and_passes(run: Run) -> None:
    assert run.value("verdicts")["after"] == ["PASS", "PASS"]
    assert 0.9 < run.value("accuracy_mended")["Torch"] < run.value("accuracy_torch") - 0.01
    assert 0.9 < run.value("accuracy_mended")["Keras"] < run.value("accuracy_keras") - 0.01
    assert run.value("worse") == 0


def test_only_the_true_map_passes_the_exam(run: Run) -> None:
    said = run.value("exam_said")
    assert said["C"] == "passed"
    assert "wrong target" in said["A"]
    assert "faithfulness" in said["B"]
    assert "randomisation" in said["B"], "the textbook is the same whatever the weights"
    assert "faithfulness" in said["D"]
    assert "randomisation" not in said["D"], "the check says that chance passes randomisation"


def test_single_columns_hide_the_group_and_chance_makes_groups(run: Run) -> None:
    assert run.value("single") < run.value("crossed") - 0.04
    assert max(run.value("by_chance")) > 0.12, "pure lots show differences as large as a fault"
    assert run.value("slices_said")[0] == "FAIL"
    assert "posted = 1 and summer = 1" in run.value("slices_said")[1]
    assert run.value("slices_said")[2] == "PASS"


def test_the_audit_falls_silent_before_the_harm_is_gone(run: Run) -> None:
    first = run.value("first_silent")
    assert 0.3 < first["blur"] < 2
    assert run.value("lost_in_silence") > 5
    assert run.value("leak_steps")[0][0] == "FAIL"
    assert run.value("leak_steps")[-1][0] == "PASS"
    harms = [harm for _, harm in run.value("leak_steps")]
    assert harms[0] > 15
    assert harms[-1] < harms[0] / 3


def test_the_same_question_has_the_same_figures_and_the_files_say_fail(run: Run) -> None:
    assert run.value("same_figures") is True
    assert 'failures=\\"1\\"' in json.dumps(run.value("junit")[1])
    assert "clinic visits" in run.value("failure")
    assert "srcdoc" in _outputs(run, "pages.report(record_torch, folder)")


def test_the_verdict_alone_catches_all_but_the_blurred_leak(run: Run) -> None:
    """The truth of the sealed cases, and what the checks say of them."""
    assert run.value("signed_in_error") == 1
    shown = _outputs(run, "desk = AuditDesk(sealed)")
    assert shown.count("Decide first; then open the truth") == 8
    assert "every check passes" in shown


def test_the_whole_is_quick(run: Run) -> None:
    assert run.cpu_seconds < 120
    assert run.peak_memory_bytes < 3e9


# ---- the sealed cases and the desk, without a notebook ----


@pytest.fixture(scope="module")
def sealed() -> list[cases.Case]:
    return cases.sealed()


def test_three_of_eight_are_sound_and_each_fault_is_found_where_the_truth_says(sealed: list[cases.Case]) -> None:
    assert [case.name for case in sealed] == list("ABCDEFGH")
    assert sum(case.sound for case in sealed) == 3
    caught_by = {"mark": "shortcut_flip", "group": "slices", "dead": "dead_units", "chance": "repeatability"}
    for case in sealed:
        failed = {c.name for c in case.record.checks if c.status == "FAIL" and c.gate}
        if case.sound or case.fault == "leak":
            assert not failed, f"case {case.name}: {failed}"
            assert case.record.verdict == "PASS"
        else:
            assert caught_by[case.fault] in failed, f"case {case.name}: {failed}"


def test_the_blurred_leak_leads_what_the_network_looks_at(sealed: list[cases.Case]) -> None:
    leak = next(case for case in sealed if case.fault == "leak")
    assert leak.record.part(8).tables[0].rows[0][0] == cases.WARD
    data = cases.with_leak(cases.patients(0), cases.WARD, noise=1.0)
    assert cases.in_use(data, cases.WARD).shape == data.inputs.shape
    assert leak.accuracy > max(case.accuracy for case in sealed if case.sound)


def test_a_sound_case_shows_warnings_and_another_is_less_often_right(sealed: list[cases.Case]) -> None:
    sound = [case for case in sealed if case.sound]
    warned = [sum(c.status == "FAIL" for c in case.record.checks) for case in sound]
    assert max(warned) >= 1
    faulty = [case.accuracy for case in sealed if not case.sound]
    assert min(case.accuracy for case in sound) < np.median(faulty)


def test_a_case_does_not_print_its_fault(sealed: list[cases.Case]) -> None:
    for case in sealed:
        assert case.fault not in repr(case).lower()
        assert case.truth not in repr(case)


def test_every_section_of_the_desk_is_in_every_record(sealed: list[cases.Case]) -> None:
    assert set(desks.EVIDENCE) == set(cases.SECTIONS)
    desk = desks.AuditDesk(sealed, minutes=1000)
    for case in sealed:
        for number, (title, _, _) in desks.EVIDENCE.items():
            assert desk.ask(case.name, number)
            desk.chosen.value = case.name
            assert f"{case.name} · {title}" in desk.paper.value
    # Where a table was named, it is shown: a renamed one would leave the desk bare.
    pages = {case.name: desks.part_html(case.record.part(8), **desks.EVIDENCE[8][2]) for case in sealed}
    assert sum("Counts most" in page for page in pages.values()) >= 7


def test_minutes_run_out_and_the_truth_waits_for_the_decision(sealed: list[cases.Case]) -> None:
    desk = desks.AuditDesk(sealed)
    assert desk.ask("C", 7)
    assert desk.ask("C", 5)
    assert desk.left("C") == 10
    assert not desk.ask("C", 10), "15 minutes do not fit into 10"
    assert desk.ask("C", 8)
    assert desk.left("C") == 0
    assert desk.left("A") == desks.MINUTES
    desk.chosen.value = "C"
    leak = desk.cases["C"]
    assert leak.truth[:30] not in desk.answer.value
    desk.sign.value = desks.REFUSE
    desk.button.click()
    assert "say which fault" in desk.answer.value
    desk.fault.value = "leak"
    desk.sure.value = 80
    desk.button.click()
    assert desk.decisions["C"] == desks.Decision(False, "leak", 0.8, 45)
    assert "A hit." in desk.answer.value
    assert "filled in when the diagnosis is known" in desk.answer.value
    assert desk.button.disabled
    desk.decide("C", sign=True)
    assert desk.decisions["C"].sign is False, "the first decision stands"
    desk.chosen.value = "A"
    assert desk.answer.value == ""
    assert not desk.button.disabled


def test_the_score_waits_and_then_counts(sealed: list[cases.Case]) -> None:
    desk = desks.AuditDesk(sealed)
    score = desk.score()
    truth = {case.name: case for case in sealed}
    sound = [case.name for case in sealed if case.sound]
    missed = next(case.name for case in sealed if case.fault == "dead")
    for name, case in truth.items():
        assert "The score waits" in score.view.value
        refuse = (not case.sound and name != missed) or name == sound[0]
        desk.decide(name, sign=not refuse, fault="leak" if case.sound else case.fault, confidence=0.9)
    page = score.view.value
    assert "<b>4 of 5</b>" in page
    assert "<b>1 of 5</b>" in page
    assert "<b>1 of 3</b>" in page
    assert "right in <strong>75%</strong>" in page
    assert "surer than right" in page
    brier = (6 * 0.1**2 + 2 * 0.9**2) / 8
    assert f"<strong>{brier:.3f}</strong>" in page
    assert "named <strong>4</strong>" in page
    machine = desks.automatic(sealed)
    assert (machine.hits, machine.faulty, machine.accused, machine.sound) == (4, 5, 0, 3)


@pytest.mark.parametrize(
    ("does", "words"),
    [
        (lambda desk: desk.ask("Z", 3), "no case"),
        (lambda desk: desk.ask("A", 1), "cannot be asked"),
        (lambda desk: desk.decide("A", sign=False, fault="gremlin"), "gremlin"),
        (lambda desk: desk.decide("A", sign=False), "names a fault"),
        (lambda desk: desk.decide("A", sign=True, confidence=0.2), "0.5"),
    ],
)
def test_the_desk_says_what_it_cannot_do(sealed: list[cases.Case], does: Callable[[Any], None], words: str) -> None:
    with pytest.raises(InputError, match=words):
        does(desks.AuditDesk(sealed))


def test_the_exercise_after_the_pass_is_bayes() -> None:
    verdict = declared.check_after_pass(0.5 / (0.5 + 0.95 * 5), faulty=50, caught=0.9, accused=0.05)
    assert verdict.passed is True
    assert not declared.check_after_pass(0.1, faulty=50, caught=0.9, accused=0.05).passed


def test_what_the_record_names_as_evidence_is_accepted_as_evidence() -> None:
    named = {"accuracy": 4, "groups": 5, "attack": 11, "explanation": 12, "monitoring": None}  # as its section 17 says
    assert check_clauses(named).passed
    assert not check_clauses({**named, "explanation": 9}).passed


@pytest.mark.parametrize("answer", ["C", "c", {"C"}, ("C",), ["c"]])
def test_the_one_map_may_be_named_in_any_way(answer: object) -> None:
    assert check_evidence(answer).passed
    assert not check_evidence("AC").passed
