"""The record: its verdict, what it says first, and files that are whole or not there."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import dlexplain as dlx
from dlexplain.audit import plain, result
from dlexplain.audit.result import findings, verdict_of
from dlexplain.errors import InputError
from tests.audit.constructed import check, record, rich


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], "INCONCLUSIVE"),
        ([("NOT RUN", True)], "INCONCLUSIVE"),
        ([("PASS", False)], "INCONCLUSIVE"),
        ([("PASS", True), ("NOT RUN", True)], "PASS"),
        ([("PASS", True), ("FAIL", False), ("INCONCLUSIVE", False)], "PASS"),
        ([("PASS", True), ("INCONCLUSIVE", True)], "INCONCLUSIVE"),
        ([("PASS", True), ("INCONCLUSIVE", True), ("FAIL", True)], "FAIL"),
    ],
)
def test_the_verdict_follows_from_the_checks_that_gate(statuses, expected):
    made = [check(f"check {i}", status, gate=gate) for i, (status, gate) in enumerate(statuses)]
    assert verdict_of(made) == expected
    assert record(*made, check("of a use", "NOT RUN", section=2)).verdict == expected


def test_the_gravest_finding_comes_first():
    made = [
        check("open", "INCONCLUSIVE", section=3, gate=False),
        check("said only", "FAIL", section=10, gate=False),
        check("asked", "INCONCLUSIVE", section=10),
        check("inside", "FAIL", section=6),
        check("leak", "FAIL", section=3),
        check("fine", section=5),
        check("idle", "NOT RUN", section=5),
    ]
    assert [found.name for found in findings(made)] == ["leak", "inside", "asked", "said only", "open"]


def test_the_record_in_plain_words():
    said = repr(record(check("leak", "FAIL", section=3, reason="Column 'id' tells the label."), check("fine")))
    assert "AuditRecord: FAIL. 2 checks: 1 PASS, 1 FAIL" in said
    assert "Column 'id' tells the label." in said
    assert "Said of fine" not in said
    many = repr(record(*(check(f"fault {i}", "FAIL") for i in range(7))))
    assert "and 2 more" in many


def test_the_table_holds_every_check():
    table = rich().table
    assert list(table.name) == ["dead_units", "completeness", "deletion_lift", "wrong_target"]
    assert list(table.status) == ["PASS", "PASS", "FAIL", "NOT RUN"]
    assert list(record(parts=rich().parts[:0]).table.columns) == list(table.columns)


def test_parts_and_stamps_are_found_by_number():
    made = rich()
    assert made.part(7).title == "The explainers' own exam"
    assert made.stamps == {6: {"seconds": 0.25}, 7: {"seconds": 1.5, "device memory": 12}}
    with pytest.raises(InputError, match=r"section 9 is not in this record; it has 6, 7\."):
        made.part(9)
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.verdict = "PASS"


def test_a_file_it_cannot_write_is_refused_before_anything_is_written(tmp_path):
    made = rich()
    with pytest.raises(InputError, match=r"record\.pdf.*\.html, \.json, \.xml, \.md"):
        made.save(tmp_path / "record.pdf")
    with pytest.raises(InputError, match="does not exist"):
        made.save(tmp_path / "absent" / "record.json")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_save_leaves_what_was_there(tmp_path, monkeypatch):
    target = rich().save(tmp_path / "record.json")
    before = target.read_bytes()

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(result.os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        record(check()).save(target)
    assert target.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["record.json"]


@pytest.mark.parametrize("suffix", ["json", "xml", "md", "html"])
def test_every_format_is_written_in_one_line_ending(suffix, tmp_path):
    written = rich().save(tmp_path / f"record.{suffix}").read_bytes()
    assert written
    assert b"\r" not in written


def test_the_front_door_has_the_record():
    assert dlx.AuditRecord is result.AuditRecord
    assert callable(dlx.audit)


def test_what_a_record_holds_is_plain():
    assert plain.text("a\x00b\u202ec\r\nd\ud800") == "a\ufffdb\ufffdc\nd\ufffd"
    assert plain.cell(np.float32(0.1)) == 0.1
    assert plain.cell(np.inf) is None
    assert plain.cell(np.int64(3)) == 3
    assert plain.cell(np.bool_(True)) is True
    assert plain.number(1234567.891) == 1234570.0
    # The last bits of two machines' floats do not make two records.
    assert plain.cell(0.1 + 0.2) == plain.cell(0.3)


def test_drawn_arrays_come_back_as_they_were(tmp_path):
    import plotly.graph_objects as go

    values = np.random.default_rng(0).standard_normal((9, 7)) * 1e-3
    kept = plain._drawn({"data": [{"type": "heatmap", "z": values}]})
    shown = go.Figure(kept).data[0].z
    found = np.frombuffer(__import__("base64").b64decode(shown["bdata"]), "<f4").reshape(9, 7)
    assert np.allclose(found, values, rtol=1e-3)
    assert plain._drawn(np.array([1.0, np.nan])) == [1.0, None]
    assert plain._drawn(np.array(["a", "b"])) == ["a", "b"]
