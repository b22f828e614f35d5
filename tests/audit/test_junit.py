"""JUnit: what a CI system counts, and text that cannot break the document."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from dlexplain.audit.report import junit
from tests.audit.constructed import check, record, rich


def parsed(made) -> ElementTree.Element:
    return ElementTree.fromstring(junit.write(made))


def test_a_suite_a_section_and_a_case_a_check():
    root = parsed(rich())
    assert root.tag == "testsuites"
    assert [suite.get("name") for suite in root] == ["06 Section 6", "07 The explainers' own exam"]
    assert [suite.get("time") for suite in root] == ["0.250", "1.500"]
    exam = root[1]
    assert (exam.get("tests"), exam.get("failures"), exam.get("skipped"), exam.get("errors")) == ("3", "1", "1", "0")
    assert [case.get("classname") for case in exam] == ["dlexplain.audit.section_07"] * 3
    failure = exam[1].find("failure")
    assert failure.get("type") == "FAIL"
    assert "figure 0.1, passes at least 0.25" in failure.text
    assert "Do not use it." in failure.text
    assert exam[2].find("skipped").get("message") == "NOT RUN: It asks of classification inputs."


@pytest.mark.parametrize(
    ("status", "gate", "child", "said"),
    [
        ("PASS", True, "system-out", None),
        ("PASS", False, "system-out", None),
        ("FAIL", True, "failure", "FAIL"),
        ("FAIL", False, "skipped", None),
        ("INCONCLUSIVE", True, "failure", "INCONCLUSIVE"),
        ("INCONCLUSIVE", False, "skipped", None),
        ("NOT RUN", True, "skipped", None),
    ],
)
def test_only_what_gates_turns_a_build_red(status, gate, child, said):
    root = parsed(record(check(status=status, gate=gate)))
    case = root.find("testsuite/testcase")
    assert [found.tag for found in case] == [child]
    assert case[0].get("type") == said
    assert root.get("failures") == ("1" if child == "failure" else "0")
    assert root.get("skipped") == ("1" if child == "skipped" else "0")
    if child == "skipped" and status != "NOT RUN":
        assert case[0].get("message").startswith(f"{status}, does not gate: ")


def test_no_text_can_break_the_document():
    nasty = "a]]><failure/>&amp;\"'<x>\x00\x1b[31m\ud800\ufffe"
    root = parsed(record(check(status="FAIL", reason=nasty, title=nasty, advice=nasty)))
    case = root.find("testsuite/testcase")
    assert len(case) == 1
    assert "]]><failure/>&amp;\"'<x>" in case[0].get("message")
    assert "\x1b" not in case[0].text


def test_an_empty_record_is_a_document_too():
    root = parsed(record())
    assert root.get("tests") == "0"
    assert len(root) == 0
