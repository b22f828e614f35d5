"""Clean ranges are those measured; a limit moves only where sound models miss it, and the reason is kept."""

from __future__ import annotations

import json

import pytest

from dlexplain.audit import calibration, exam, profile
from dlexplain.audit.calibration import Seen, adjusted, seen
from dlexplain.audit.exam import Cell

GATED = {"limit": 0.3, "passes": "at most", "gate": True, "clean": None, "source": "audit.md"}


def figures(*values: float) -> Seen:
    return Seen({"keras": tuple(values[::2]), "torch": tuple(values[1::2])})


def result(name: str, figure: float | None, profile_name: str = "tables-1") -> dict:
    check = {"name": name, "status": "PASS", "figure": figure, "gate": True, "reason": ""}
    return {"checks": [check], "named": [], "profile": profile_name, "seconds": [0, 0]}


def test_figures_are_gathered_by_kind_check_and_framework():
    cells = [Cell(1000, True, "wine", "keras"), Cell(1000, True, "wine", "torch"), Cell(1001, True, "wine", "torch")]
    made = [result("saturation", 0.1), result("saturation", 0.2), result("saturation", None)]
    other = {Cell(1000, True, "tokens", "keras"): result("saturation", 0.5, "tokens-1")}
    broken = {Cell(1002, True, "wine", "keras"): {"unplanted": "InputError: no"}}
    found = seen(dict(zip(cells, made, strict=True)) | other | broken)
    assert found["table"]["saturation"].figures == {"keras": (0.1,), "torch": (0.2,)}
    assert found["tokens"]["saturation"].every == (0.5,)


def test_the_clean_range_is_measured_and_the_limit_stays_where_sound_models_keep_it():
    new = adjusted("saturation", GATED, figures(0.0123456, 0.1, 0.2999))
    assert new["clean"] == [0.0123, 0.3]
    assert (new["limit"], new["gate"]) == (0.3, True)
    assert new["source"] == "audit.md; clean: 3 sound models (2 of keras and 1 of torch), by make calibrate"
    assert adjusted("saturation", new, figures(0.1))["source"].count("clean:") == 1


@pytest.mark.parametrize(
    ("threshold", "values", "limit"),
    [
        (GATED, (0.1, 0.1, 0.4), 0.6),
        ({**GATED, "passes": "at least", "limit": 0.7}, (0.9, 0.8, 0.6), 0.3),
    ],
)
def test_a_limit_that_sound_models_miss_is_moved_beyond_them(threshold, values, limit):
    new = adjusted("randomisation", threshold, figures(*values))
    assert new["limit"] == pytest.approx(limit)
    assert new["gate"]
    assert f"at {threshold['limit']:g} the audit accused 1 of 3 sound models" in new["source"]


def test_one_in_forty_may_miss_it():
    values = [0.1] * 39 + [0.4]
    assert adjusted("randomisation", GATED, figures(*values))["limit"] == 0.3
    assert adjusted("randomisation", GATED, figures(*values[1:]))["limit"] == 0.6


def test_a_share_that_no_limit_can_part_is_reported_only():
    new = adjusted("shortcut_flip", GATED, figures(0.1, 0.8))
    assert not new["gate"]
    assert new["limit"] == 0.3
    assert "reported, not gated" in new["source"]
    assert adjusted("univariate_leakage", GATED, figures(0.1, 0.8))["limit"] == 1.2


def test_what_only_counts_other_criteria_is_never_moved():
    counted = {**GATED, "passes": "at least", "limit": 1}
    assert adjusted("usable_explainers", counted, figures(0, 3))["limit"] == 1


def test_a_check_that_is_not_gated_keeps_its_limit():
    assert adjusted("saturation", {**GATED, "gate": False}, figures(0.9))["limit"] == 0.3


def test_profiles_are_rewritten_readable_and_a_dry_run_writes_nothing(tmp_path, monkeypatch, capsys):
    made = {Cell(1000, True, "wine", "torch"): result("saturation", 0.95)}
    monkeypatch.setattr(exam, "examined", lambda cells, folder, **_: made)
    source = {
        "name": "tables-1",
        "version": 1,
        "kind": "table",
        "measured_on": "nothing",
        "thresholds": {"saturation": GATED, "slices": {**GATED, "limit": 0}},
    }
    file = tmp_path / "tables-1.json"
    file.write_text(json.dumps(source))
    assert calibration.main(["--profiles", str(tmp_path), "--cells", str(tmp_path), "--dry-run"]) == 0
    assert json.loads(file.read_text()) == source
    assert "1 of 1 beyond  -> no longer gated" in capsys.readouterr().out
    assert calibration.main(["--profiles", str(tmp_path), "--cells", str(tmp_path)]) == 0
    new = json.loads(file.read_text())
    assert new["thresholds"]["slices"] == source["thresholds"]["slices"]
    assert profile.read(new).thresholds["saturation"].clean == (0.95, 0.95)


def test_the_sound_models_are_not_those_of_the_exam():
    own = exam.cells(seeds=0, sound=500, start=exam.CALIBRATION)
    assert not {(c.name, c.framework, c.seed) for c in own} & {
        (c.name, c.framework, c.seed) for c in exam.cells(seeds=0, sound=500)
    }
