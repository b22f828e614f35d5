"""What changed between two records: answers, figures, thresholds, and what was audited."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from dlexplain.audit.comparing import compare
from dlexplain.audit.record import Part, Table
from tests.audit.constructed import check, record, rich


def identity(version: str = "2.1", **facts) -> Part:
    rows = (("torch", version), ("numpy", "2.0"))
    table = Table(id="identity-versions", title="Versions", columns=("package", "version"), rows=rows)
    return Part(number=1, title="Identity", question="What?", facts=tuple(facts.items()), tables=(table,))


def test_a_record_and_itself_have_no_changes():
    found = compare(rich(), rich())
    assert not found
    assert found.text() == "Nothing changed: FAIL, as before.\n"
    assert "Nothing: FAIL, as before." in found.markdown()


def test_every_change_is_told_once():
    before = record(
        check("still", figure=0.5),
        check("worse", figure=0.1),
        check("better", "FAIL"),
        check("moved", figure=0.2, threshold="at most 0.4"),
        check("judged", figure=0.3, threshold="at most 0.4"),
        check("gone"),
        parts=(identity(Device="cpu", Data="a" * 64),),
    )
    after = record(
        check("still", figure=0.50001),
        check("worse", "FAIL", figure=0.9, reason="Two layers are dead."),
        check("better"),
        check("moved", figure=0.25, threshold="at most 0.4"),
        check("judged", figure=0.3, threshold="at most 0.5"),
        check("new", "INCONCLUSIVE"),
        parts=(identity("2.2", Device="cpu", Data="b" * 64),),
    )
    found = compare(before, after)
    assert found
    assert found.verdict == ("FAIL", "FAIL")
    assert [c.name for c in found.statuses] == ["better", "gone", "new", "worse"]
    assert [c.name for c in found.worse] == ["gone", "new", "worse"]
    assert [c.name for c in found.figures] == ["moved"]
    assert [c.name for c in found.thresholds] == ["judged"]
    assert found.identity == (("Data", "a" * 64, "b" * 64), ("torch", "2.1", "2.2"))
    text = found.text()
    assert "Worse: PASS (0.1) -> FAIL (0.9). Two layers are dead." in text
    assert "Moved: PASS (0.2) -> PASS (0.25)" in text
    assert "Judged: at most 0.4 -> at most 0.5" in text
    assert "Gone: was PASS, is not in the later record" in text
    assert "New: new, INCONCLUSIVE" in text
    assert "Data: aaaaaaaaaaaa… -> bbbbbbbbbbbb…" in text
    assert repr(found) == text.rstrip("\n")


def test_the_verdicts_stand_first():
    found = compare(record(check()), record(check(status="FAIL")))
    assert found.text().startswith("Verdict\n  PASS -> FAIL\n")


@pytest.mark.parametrize(
    ("before", "after", "worse"),
    [
        ("PASS", "FAIL", True),
        ("PASS", "INCONCLUSIVE", True),
        ("PASS", "NOT RUN", True),
        ("NOT RUN", "PASS", False),
        ("FAIL", "INCONCLUSIVE", False),
        ("INCONCLUSIVE", "FAIL", True),
    ],
)
def test_what_counts_as_worse(before, after, worse):
    found = compare(record(check(status=before)), record(check(status=after)))
    assert bool(found.worse) is worse


def test_a_figure_that_comes_or_goes_has_moved():
    found = compare(record(check(figure=None)), record(check(figure=0.0)))
    assert [c.name for c in found.figures] == ["dead_units"]
    assert not compare(record(check(figure=0.0)), record(check(figure=0.0)))


def test_a_check_of_another_section_is_another_check():
    found = compare(record(check(section=6)), record(check(section=7)))
    assert [(c.before is None, c.after is None) for c in found.statuses] == [(False, True), (True, False)]


def test_the_markdown_holds_no_markup_of_the_records():
    nasty = "<img src=x> **b** [a](b)\n# H | c"
    quiet = compare(record(check()), record(check(status="FAIL", reason="x")))
    found = compare(record(check()), record(check(status="FAIL", reason=nasty, title=nasty)))
    tags = [
        [t.tag for t in MarkdownIt("commonmark").parse(changes.markdown()) if t.nesting == 1]
        for changes in (quiet, found)
    ]
    assert tags[0] == tags[1]
    assert "<img" not in found.markdown()
    assert "\n# H" not in found.text()
