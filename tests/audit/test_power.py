"""Shares and their intervals in closed form; the statement says what was measured, and what it does not cover."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from dlexplain.audit import power
from dlexplain.audit.audit import audit
from dlexplain.audit.power import Power, Row, Share, percent, wilson


def result(**changes) -> Power:
    both = {"keras": Share(10, 10), "torch": Share(9, 10)}
    faults = (
        Row(
            "sign_flipped",
            "Sign flipped",
            ("image", "table"),
            both,
            {"completeness": 19},
            ("completeness",),
            "explainer",
        ),
        Row("dead_relu", "Dead ReLU", ("image",), {"torch": Share(4, 5)}, {"dead_units": 4}, ("dead_units",), "model"),
    )
    clean = (Row("wine", "perceptron", ("table",), {"keras": Share(1, 50), "torch": Share(0, 50)}, {"slices": 1}),)
    made = Power(faults, clean, "0.9", "abc", {"keras": "3", "torch": "2"}, ("images-1", "tables-1"))
    return replace(made, **changes)


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [
        # Newcombe 1998, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_intervals(count, of, low, high):
    assert wilson(count, of) == pytest.approx((low, high), abs=5e-5)


def test_wilson_at_its_ends():
    z2 = 1.959963984540054**2
    for n in (1, 7, 300):
        assert wilson(n, n) == (pytest.approx(n / (n + z2)), 1.0)
        assert wilson(0, n) == (0.0, pytest.approx(z2 / (n + z2)))
    assert wilson(0, 0) == (0.0, 1.0)


def test_a_share_never_looks_better_than_it_is():
    assert percent(0.9999) == "99.9 %"
    assert percent(0.0101, up=True) == "1.1 %"
    assert percent(1.0) == percent(1.0, up=True) == "100 %"
    assert percent(0.95) == percent(0.95, up=True) == "95 %"
    assert str(Share(19, 20)) == "19 of 20 (95 % interval 76.3 % to 99.2 %)"
    assert math.isnan(Share(0, 0).share)


def test_rows_add_up():
    found = result()
    assert found.faults[0].total == Share(19, 20)
    assert found.caught() == Share(23, 25)
    assert found.caught("torch") == Share(13, 15)
    assert found.accused() == Share(1, 100)


def test_the_file_gives_back_what_was_written():
    found = result(unplanted=("wine (keras, seed 3)",))
    content = json.loads(json.dumps(power.written(found)))
    assert power.read(content) == found
    assert content["caught"]["all"]["interval"] == pytest.approx(wilson(23, 25), abs=1e-4)


def test_what_is_not_covered_is_said():
    found = result()
    asked = {"kind": "image", "framework": "torch", "profile": "images-1"}
    assert "No sound model of image inputs was examined" in power.gaps(found, **asked)[0]
    table = {"kind": "table", "framework": "torch", "profile": "tables-1"}
    assert power.gaps(found, **table) == []
    assert "'my own' is not one of those that come" in power.gaps(found, **{**table, "profile": "my own"})[0]
    assert "'tokens-1' was not examined" in power.gaps(found, **{**table, "profile": "tokens-1"})[0]
    series = " ".join(power.gaps(found, **{**table, "kind": "series"}))
    assert "No fault was planted in models of series inputs" in series
    assert "No sound model of series inputs" in series
    assert "No model of jax" in power.gaps(found, **{**table, "framework": "jax"})[0]


def told(model, monkeypatch, found):
    monkeypatch.setattr(power, "measured", lambda: found)
    record = audit(model.model, model.inputs, model.labels, sections=[14])
    return next(part for part in record.parts if part.number == 14)


def test_the_section_states_shares_weak_faults_and_what_it_leaves_open(cancer_torch, monkeypatch):
    part = told(cancer_torch, monkeypatch, result())
    words = " ".join(part.summary)
    assert "Of 25 faults planted on purpose the audit caught 23: 92 %, 95 % interval 75 % to 97.8 %" in words
    assert "Of 100 sound models it accused 1 falsely: 1 %" in words
    assert "dead relu (4 of 5)" in words
    assert "sign flipped" not in words
    assert "not detected. That does not say that it is not there" in words
    assert "does not cover" not in words
    assert [row[0] for row in part.tables[0].rows] == ["sign flipped", "dead relu"]
    assert part.tables[0].rows[1][3:6] == (None, "4 of 5", "4 of 5")
    assert any("have changed since the exam" in limit for limit in part.limits)
    assert dict(part.facts)["planted faults caught, torch"].startswith("13 of 15")


def test_the_section_says_that_it_does_not_cover_the_subject(cancer_torch, monkeypatch):
    part = told(cancer_torch, monkeypatch, result(clean=()))
    assert part.summary[0].startswith("This statement does not cover the model audited here in full.")
    assert "No sound model of table inputs" in part.summary[0]


def test_the_same_code_is_recognised(cancer_torch, monkeypatch):
    part = told(cancer_torch, monkeypatch, result(code=power.code_fingerprint()))
    assert not any("have changed" in limit for limit in part.limits)


def test_without_an_exam_the_power_is_not_known(cancer_torch, monkeypatch):
    part = told(cancer_torch, monkeypatch, None)
    assert "so its power is not known: make exam" in part.summary[0]


def test_the_result_that_comes_with_the_package():
    found = power.measured()
    assert found is not None
    from dlexplain.audit import faults

    assert {row.name for row in found.faults} == set(faults.FAULTS)
    assert {row.name for row in found.clean} == set(faults.CLEAN)
    for row in found.faults:
        assert set(row.hits) == {"keras", "torch"}
    # The goal of issue 4, as it was measured.
    assert found.caught().share >= 0.95
    assert found.accused().of >= 100
    assert found.accused().share <= 0.05


def test_the_code_is_told_by_what_decides_an_answer(tmp_path, monkeypatch):
    for path in ("audit/check.py", "audit/profiles/a.json", "audit/report/page.py", "audit/exam.json"):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("1")
    for room in ("evaluation", "attribution", "frameworks"):
        (tmp_path / room).mkdir()
    monkeypatch.setattr(power.resources, "files", lambda _: tmp_path)
    first = power.code_fingerprint()
    (tmp_path / "audit/report/page.py").write_text("2")
    (tmp_path / "audit/exam.json").write_text("2")
    assert power.code_fingerprint() == first
    (tmp_path / "audit/profiles/a.json").write_text("2")
    assert power.code_fingerprint() != first
