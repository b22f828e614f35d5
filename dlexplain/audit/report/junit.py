"""The record as JUnit XML: a suite a section, a case a check, as continuous integration shows tests.

A check that gates and is INCONCLUSIVE is written as a failure: nothing was shown, the command's exit code is not zero
either, and a green light would be taken for an answer. What does not gate never breaks a build: such a FAIL or
INCONCLUSIVE is written as skipped, with its reason. NOT RUN is skipped.
"""

from __future__ import annotations

from xml.etree import ElementTree

from dlexplain.audit.plain import text
from dlexplain.audit.record import Check, Part
from dlexplain.audit.result import AuditRecord


def write(record: AuditRecord) -> str:
    """The record as one `testsuites` document."""
    suites = [part for part in record.parts if part.checks]
    root = ElementTree.Element("testsuites", {"name": f"dlexplain audit: {record.verdict}", **_counts(record.checks)})
    for part in suites:
        suite = ElementTree.SubElement(root, "testsuite", {"name": _suite(part), **_counts(list(part.checks))})
        suite.set("time", f"{float(part.stamps.get('seconds') or 0):.3f}")
        for check in part.checks:
            _case(suite, check, part)
    ElementTree.indent(root, " ")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def breaks(check: Check) -> bool:
    """Whether the check turns a build red."""
    return check.gate and check.status in ("FAIL", "INCONCLUSIVE")


def _counts(checks: list[Check]) -> dict[str, str]:
    broken = sum(map(breaks, checks))
    passed = sum(check.status == "PASS" for check in checks)
    skipped = len(checks) - broken - passed
    return {"tests": str(len(checks)), "failures": str(broken), "errors": "0", "skipped": str(skipped)}


def _suite(part: Part) -> str:
    return text(f"{part.number:02d} {part.title}")


def _case(suite: ElementTree.Element, check: Check, part: Part) -> None:
    facts = {"name": text(f"{check.title} ({check.name})"), "classname": f"dlexplain.audit.section_{part.number:02d}"}
    case = ElementTree.SubElement(suite, "testcase", {**facts, "time": "0"})
    said = text(_said(check))
    if check.status == "PASS":
        ElementTree.SubElement(case, "system-out").text = said
    elif breaks(check):
        found = ElementTree.SubElement(case, "failure", {"type": check.status, "message": text(check.reason)})
        found.text = said
    else:
        grade = check.status if check.status == "NOT RUN" else f"{check.status}, does not gate"
        ElementTree.SubElement(case, "skipped", {"message": text(f"{grade}: {check.reason}")})


def _said(check: Check) -> str:
    figure = "no figure" if check.figure is None else f"figure {check.figure:g}"
    lines = [f"{check.status}: {check.reason}", f"{figure}, passes {check.threshold or 'without a threshold'}"]
    return "\n".join([*lines, check.advice] if check.advice else lines)
