"""The audit's exam in short: it counts honestly, goes on where it was broken off, and really runs."""

from __future__ import annotations

import json

import pytest

from dlexplain.audit import exam, faults, power
from dlexplain.audit.exam import Cell, accused, caught, counted
from dlexplain.audit.power import Share


def check(name, status="FAIL", *, gate=True, reason=""):
    return {"name": name, "status": status, "figure": 1.0, "gate": gate, "reason": reason}


def result(*checks, named=()):
    return {"checks": list(checks), "named": list(named), "profile": "tables-1", "seconds": [1, 1]}


def test_every_fault_is_asked_in_both_frameworks_the_first_seeds_first():
    asked = exam.cells(seeds=2, sound=1)
    assert len(asked) == len(set(asked)) == 2 * (2 * len(faults.FAULTS) + len(faults.CLEAN))
    assert [c.seed for c in asked] == sorted(c.seed for c in asked)
    assert {c.seed for c in asked} == {exam.FIRST, exam.FIRST + 1}
    assert len({c.file for c in asked}) == len(asked)
    assert {c.name for c in exam.cells(seeds=1, sound=1, only=["dead"])} == {"dead_relu"}


def test_caught_needs_the_right_check_to_fail_and_to_name_what_is_concerned():
    assert caught(result(check("slices")), ["slices"]) == ["slices"]
    assert caught(result(check("slices", "INCONCLUSIVE")), ["slices"]) == []
    assert caught(result(check("accuracy")), ["slices"]) == []
    leak = check("univariate_leakage", reason="Column 'code' has most attribution")
    assert caught(result(leak, named=["code"]), ["univariate_leakage"]) == ["univariate_leakage"]
    assert caught(result(leak, named=["age"]), ["univariate_leakage"]) == []


def test_accused_by_any_check_that_may_fail_the_whole():
    assert accused(result(check("slices"), check("drift", gate=False), check("schema", "PASS"))) == ["slices"]


def test_counting_leaves_out_what_could_not_be_made_and_says_so():
    hit, miss = result(check("slices")), result(check("slices", "PASS"))
    cells = {
        Cell(0, False, "unfair_slice", "keras"): hit,
        Cell(1, False, "unfair_slice", "keras"): miss,
        Cell(0, False, "unfair_slice", "torch"): hit,
        Cell(1, False, "unfair_slice", "torch"): {"unplanted": "InputError: no"},
        Cell(0, True, "wine", "torch"): hit,
        Cell(1, True, "wine", "torch"): miss,
    }
    found = counted(cells)
    (row,), (clean,) = found.faults, found.clean
    assert row.hits == {"keras": Share(1, 2), "torch": Share(1, 1)}
    assert row.by == {"slices": 2}
    assert clean.hits == {"torch": Share(1, 2)}
    assert found.unplanted == ("unfair_slice (torch, seed 1)",)
    assert found.profiles == ("tables-1",)


def test_cells_kept_are_not_run_again(tmp_path, monkeypatch):
    cell = Cell(0, True, "wine", "torch")
    (tmp_path / cell.file).write_text(json.dumps(result(check("slices"))))
    monkeypatch.setattr(exam, "ProcessPoolExecutor", None)  # would be called
    assert accused(exam.examined([cell], tmp_path)[cell]) == ["slices"]


def test_a_part_of_the_exam_does_not_overwrite_the_whole(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(exam, "examined", lambda *_, **__: {})
    monkeypatch.setattr(exam, "__file__", str(tmp_path / "exam.py"))
    assert exam.main(["--only", "dead"]) == 0
    assert not list(tmp_path.iterdir())
    assert "not written" in capsys.readouterr().out
    assert exam.main([]) == 0
    assert power.read(json.loads((tmp_path / power.FILE).read_text())).caught() == Share(0, 0)


def test_the_sections_that_can_accuse_are_those_with_gates():
    table = exam.accusing("table")
    assert {5, 6, 7, 10, 11} <= set(table)
    assert 0 not in table
    assert 14 not in table


@pytest.mark.slow
@pytest.mark.parametrize("framework", exam.FRAMEWORKS)
def test_a_short_exam(framework):
    # With a seed that the long exam does not have.
    for name in ("dead_relu", "label_leakage", "sign_flipped", "unfair_slice"):
        found = exam.sat(Cell(502, False, name, framework))
        assert caught(found, faults.FAULTS[name].caught_by), found
    for name in ("breast cancer", "digits, perceptron"):
        found = exam.sat(Cell(502, True, name, framework))
        assert "checks" in found
        assert accused(found) == []


@pytest.mark.slow
def test_the_command_runs_cells_in_processes_of_their_own_and_goes_on(tmp_path, capsys):
    flags = ["--seeds", "1", "--sound", "0", "--only", "unfair", "--frameworks", "torch", "--jobs", "1"]
    flags += ["--cells", str(tmp_path / "cells"), "--out", str(tmp_path / "out.json")]
    assert exam.main(flags) == 0
    assert "1 of 1  unfair_slice, torch, seed 100" in capsys.readouterr().out
    assert power.read(json.loads((tmp_path / "out.json").read_text())).caught() == Share(1, 1)
    assert exam.main(flags) == 0
    assert "seed 100" not in capsys.readouterr().out
