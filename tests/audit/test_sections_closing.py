"""Sections 0, 1, 2, 16 and 17: what they say of the other sections is what stands there."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import dlexplain as dlx
from dlexplain.audit import card, preparing
from dlexplain.audit.check import CHECKS
from dlexplain.audit.record import Part, Table
from dlexplain.audit.sections import identity
from dlexplain.audit.sections.clauses import CLAUSES
from dlexplain.audit.sections.evidence import NONE, evidence
from dlexplain.audit.sections.limits import WHY, limits
from dlexplain.audit.sections.use import use
from dlexplain.audit.sections.verdict import verdict
from tests.audit.constructed import check


@pytest.fixture
def subject(cancer_torch):
    told = cancer_torch.told()
    return preparing.subject(told.pop("model"), told.pop("inputs"), told.pop("labels"), **told)


def table_of(part: Part, id: str) -> Table:
    return next(table for table in part.tables if table.id == id)


def test_the_verdict_names_the_gravest_and_what_was_not_run(subject):
    checks = (
        check("inside", "FAIL", reason="Layer 'mix' is dead.", advice="Train it again."),
        check("leak", "FAIL", section=3, reason="Column 'id' tells the label."),
        check("idle", "NOT RUN", section=5, reason="No column."),
        check("fine"),
    )
    part = verdict(subject, checks)
    assert part.summary[0].startswith("FAIL: at least one check that counts in the verdict found a fault")
    assert part.summary[1] == "FAIL: Leak. Column 'id' tells the label."
    assert part.summary[2] == "FAIL: Inside. Layer 'mix' is dead. Train it again."
    assert part.summary[3] == "1 check was not run: “Idle”."
    assert dict(part.facts) == {"Verdict": "FAIL", "PASS": 1, "FAIL": 2, "INCONCLUSIVE": 0, "NOT RUN": 1}
    assert [row[1] for row in table_of(part, "verdict-findings").rows] == ["Leak", "Inside"]
    assert table_of(part, "verdict-not-run").rows == ((5, "Idle", "No column."),)
    many = verdict(subject, tuple(check(f"c{i}", "FAIL") for i in range(9)))
    assert "3 more findings stand in the sections below." in many.summary


def test_a_pass_claims_no_absence(subject):
    part = verdict(subject, (check("fine"),))
    assert "not detected" in part.summary[0]
    assert "no proof" in part.summary[0] or "not proof" in part.summary[0]
    assert part.summary[1] == "Every check that was run passed."


def test_the_identity_holds_what_makes_the_record_again(subject, cancer_torch):
    part = identity.identity(subject, ())
    facts = dict(part.facts)
    assert facts["Model, SHA-256 of structure and weights"] == dlx.wrap(cancer_torch.model).fingerprint
    assert facts["Samples audited"] == 180
    assert facts["Training samples"] == 389
    assert facts["Parameters"] == 30 * 32 + 32 + 32 * 32 + 32 + 32 * 2 + 2
    versions = dict(table_of(part, "identity-versions").rows)
    assert versions["torch"] != "not installed"
    assert versions["dlexplain"] == dlx.__version__
    assert "keras" not in versions
    assert set(part.stamps) == {"written", "system"}
    assert set(subject.assumed) <= set(part.summary)


def test_a_hash_changes_with_what_it_is_of(subject):
    def prints(**changes):
        return identity.fingerprints(dataclasses.replace(subject, kept={}, **changes))

    first = prints()
    assert prints() == first
    bumped = subject.inputs[0].copy()
    bumped[3, 4] += 1e-6
    assert prints(inputs=(bumped,))["data"] != first["data"]
    assert prints(labels=1 - subject.labels)["data"] != first["data"]
    assert prints(columns={"site": np.array(["x", None] * 90, object)})["data"] != first["data"]
    assert prints(background=(subject.background[0][:5],))["background"] != first["background"]
    assert prints(train=None).keys() == first.keys() - {"train"}
    assert prints(train=(subject.train[0], 1 - subject.train[1]))["train"] != first["train"]


def test_an_array_of_another_shape_has_another_hash():
    a = np.arange(6, dtype=np.float32)
    assert identity._of_arrays((a.reshape(2, 3),)) != identity._of_arrays((a.reshape(3, 2),))
    assert identity._of_arrays((a,)) != identity._of_arrays((a.astype(np.float64),))


def test_blanks_of_the_card_are_shown(subject):
    empty = use(subject, ())
    assert empty.facts == tuple((question, None) for question in card.FIELDS.values())
    assert "No card was given" in empty.summary[0]
    some = use(dataclasses.replace(subject, card={"use": "To triage.", "users": "Nurses"}), ())
    assert dict(some.facts)[card.FIELDS["use"]] == "To triage."
    assert some.summary[0].startswith("2 of 14 questions were answered. Blank: name, owner")
    assert "misuse" in some.summary[1]
    full = use(dataclasses.replace(subject, card=dict.fromkeys(card.FIELDS, "said")), ())
    assert len(full.summary) == 1


def test_limits_name_what_was_not_tested(subject):
    checks = (
        check("idle", "NOT RUN", section=5, reason="No column."),
        check("open", "INCONCLUSIVE", section=3, reason="Too few rows."),
        check("completeness", section=7),
    )
    part = limits(subject, checks)
    assert "1 check was not run: “Idle”." in part.summary
    assert "1 check was left open: “Open”." in part.summary
    assert [row[1] for row in table_of(part, "limits-untested").rows] == ["Open", "Idle"]
    assert [row[0] for row in table_of(part, "limits-why").rows] == ["completeness"]
    rows = {row[0]: row for row in table_of(part, "limits-thresholds").rows}
    assert set(rows) == set(subject.profile.thresholds)
    assert rows["completeness"][2:4] == ("at most 0.05", "yes")
    assert any("never that it is absent" in line for line in part.limits)
    quiet = limits(subject, (check("completeness"),))
    assert "No check was not run." not in quiet.summary
    assert "Every check was run." in quiet.summary


def test_every_check_says_why_it_is_asked(subject):
    assert set(CHECKS) <= set(WHY), set(CHECKS) - set(WHY)


def test_evidence_is_only_what_is_there(subject):
    table = Table(id="leak-columns", title="T", columns=("a",), rows=((1,),))
    subject.told[3] = Part(number=3, title="Data sheet", question="?", tables=(table,))
    subject.told[4] = Part(number=4, title="Performance", question="?")
    idle = check("slices", "NOT RUN", section=5)
    subject.told[5] = Part(number=5, title="Slices", question="?", facts=(("Columns", 0),), checks=(idle,))
    subject.card["use"] = "To triage."
    checks = (check("accuracy", section=4), check("slices", "NOT RUN", section=5), check("drift", "FAIL", section=3))
    part = evidence(subject, checks)
    rows = {(row[0], row[1]): row for row in table_of(part, "evidence-clauses").rows}
    assert len(rows) == len(CLAUSES)
    assert rows["EU AI Act", "Article 13(3)(b)(i)"][6:] == ("use", "all that an audit can give")
    # The only check was not run, the section shows nothing, the card is blank.
    assert rows["EU AI Act", "Article 13(3)(b)(v)"][3:] == ("slices (NOT RUN)", "", "", "affected (blank)", NONE)
    data = rows["EU AI Act, Annex IV", "2(d)"]
    assert data[3:6] == ("drift (FAIL)", "leak-columns", "3")
    assert data[7] == "in part"
    assert rows["EU AI Act, Annex IV", "8"][7] == NONE
    missing = part.summary[1].removeprefix("Without evidence here: ").rstrip(".")
    annex = next(told for told in missing.split("; ") if told.startswith("EU AI Act, Annex IV: "))
    assert "8" in annex.split(": ")[1].split(", ")
    bare = evidence(dataclasses.replace(subject, kept={}, card={}), ())
    assert {row[7] for row in table_of(bare, "evidence-clauses").rows} == {NONE}


def test_clauses_name_checks_fields_and_sections_that_exist():
    for clause in CLAUSES:
        assert set(clause.checks) <= set(WHY), clause
        assert set(clause.card) <= set(card.FIELDS), clause
        assert set(clause.sections) <= set(range(1, 18)), clause
    assert len({(clause.source, clause.clause) for clause in CLAUSES}) == len(CLAUSES)
    assert {clause.source for clause in CLAUSES} == {
        "EU AI Act, Annex IV",
        "EU AI Act",
        "NISTIR 8312",
        "NIST AI RMF, MEASURE",
    }
