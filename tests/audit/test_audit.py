"""dlx.audit as a whole: nothing lost, nothing changed, nothing random, everything named."""

from __future__ import annotations

import json
import random
import re

import jsonschema
import keras
import numpy as np
import pytest
import torch

import dlexplain as dlx
from dlexplain.audit import check as checking
from dlexplain.audit import registry
from dlexplain.audit.record import Part, Table
from dlexplain.audit.report import as_json
from dlexplain.errors import InputError, MissingPackageError, UnsupportedModelError
from tests.audit.constructed import check

NUMBER = 12  # of the section planted here, for as long as a test runs
BOTH = ["cancer_torch", "cancer_keras"]


@pytest.fixture
def told(request):
    """The arguments of an audit of the trained model that the test names."""
    return request.getfixturevalue(request.param).told()


@pytest.fixture
def plant(monkeypatch):
    """Makes section 12 one of a test's own, with the checks given."""
    monkeypatch.setattr(checking, "CHECKS", checking.CHECKS)
    for name in [n for n, facts in checking.CHECKS.items() if facts.section == NUMBER]:
        monkeypatch.delitem(checking.CHECKS, name)

    def planted(*checks, story=None, **facts):
        for function in checks:
            made = checking.CheckFacts(
                name=function.__name__, function=function, section=NUMBER, title=function.__name__.capitalize(), **facts
            )
            monkeypatch.setitem(checking.CHECKS, function.__name__, made)
        tell = story or (
            lambda subject, own: Part(number=NUMBER, title="Planted", question="Well?", summary=("Told.",))
        )
        facts = checking.SectionFacts(number=NUMBER, title="Planted", question="Well?", function=tell)
        monkeypatch.setitem(checking.SECTIONS, NUMBER, facts)

    return planted


def audited(told, **options):
    return dlx.audit(**{**told, "sections": [NUMBER], **options})


def without_stamps(record) -> str:
    content = json.loads(as_json.write(record))
    del content["stamps"]
    return json.dumps(content)


@pytest.mark.parametrize("told", BOTH, indirect=True)
def test_whatever_a_check_throws_the_audit_goes_on(told, plant, caplog):
    def refused(subject):
        raise UnsupportedModelError("Layer 'mix' cannot be asked. Use occlusion.")

    def absent(subject):
        raise MissingPackageError("shap is not installed. Install it with: pip install 'dlexplain[shap]'.")

    def broken(subject):
        raise np.linalg.LinAlgError(f"Singular matrix at {object()}")

    def nothing(subject):
        return None

    def fine(subject):
        return subject.judged("dead_units", 0.1, reason="Few are dead.")

    plant(refused, absent, broken, nothing, fine)
    record = audited(told)
    found = {c.name: c for c in record.part(NUMBER).checks}
    assert {name: c.status for name, c in found.items()} == {
        "refused": "INCONCLUSIVE",
        "absent": "NOT RUN",
        "broken": "INCONCLUSIVE",
        "nothing": "INCONCLUSIVE",
        "dead_units": "PASS",
    }
    assert found["refused"].reason == "Layer 'mix' cannot be asked. Use occlusion."
    assert "pip install" in found["absent"].reason
    assert "LinAlgError: Singular matrix at <object object at 0x…>" in found["broken"].reason
    assert record.verdict == "INCONCLUSIVE"
    assert "broken" in caplog.text
    assert record.part(NUMBER).summary == ("Told.",)


def test_a_section_that_cannot_be_told_keeps_its_checks(cancer_torch, plant):
    def fine(subject):
        return check("fine", section=NUMBER)

    def story(subject, own):
        raise ZeroDivisionError("by nothing")

    plant(fine, story=story)
    part = audited(cancer_torch.told()).part(NUMBER)
    assert [c.name for c in part.checks] == ["fine"]
    assert part.summary == ("This section could not be told: ZeroDivisionError: by nothing",)


def test_an_interruption_is_no_answer(cancer_torch, plant):
    def interrupted(subject):
        raise KeyboardInterrupt

    plant(interrupted)
    with pytest.raises(KeyboardInterrupt):
        audited(cancer_torch.told())


def test_a_check_that_does_not_apply_says_why(cancer_torch, plant):
    def never(subject):
        raise AssertionError("was asked")

    plant(never, kinds=("image", "series"))
    found = audited(cancer_torch.told()).part(NUMBER).checks[0]
    assert (found.status, found.reason) == (
        "NOT RUN",
        "It is asked of pictures and time series only; these inputs are tables.",
    )
    plant(never, tasks=("regression",))
    found = audited(cancer_torch.told()).part(NUMBER).checks[0]
    assert (found.status, found.reason) == ("NOT RUN", "It is asked of a regression only; this is a classification.")


def test_sections_that_were_not_asked_for_are_named(cancer_torch, plant):
    def fine(subject):
        return check("fine", section=NUMBER)

    plant(fine)
    record = audited(cancer_torch.told(), sections=[1])
    assert [part.number for part in record.parts] == sorted(checking.SECTIONS)
    left = record.part(NUMBER)
    assert left.summary == ("This section was not asked for.",)
    assert [(c.name, c.status) for c in left.checks] == [("fine", "NOT RUN")]
    assert "checks were not run" in " ".join(record.part(0).summary)
    assert record.verdict == "INCONCLUSIVE"
    for sections, words in (([99], "99 is not a section"), (7, "must be a list"), ("7", "must be a list")):
        with pytest.raises(InputError, match=words):
            audited(cancer_torch.told(), sections=sections)


def test_a_section_may_add_what_it_judged_and_keeps_its_stamps(cancer_torch, plant):
    def fine(subject):
        return check("fine", section=NUMBER)

    def story(subject, own):
        more = (*own, check("more", section=NUMBER), check("another's", section=3))
        return Part(number=NUMBER, title="Planted", question="Well?", checks=more, stamps={"memory": 1})

    plant(fine, story=story)
    part = audited(cancer_torch.told()).part(NUMBER)
    assert [c.name for c in part.checks] == ["fine", "more"]
    assert part.stamps["memory"] == 1
    assert part.stamps["seconds"] >= 0


def test_progress_names_each_section_before_it_runs(cancer_torch):
    seen = []
    dlx.audit(**cancer_torch.told(sections=[1, 2, 16], progress=lambda *said: seen.append(said)))
    assert seen == [(n, checking.SECTIONS[n].title) for n in (1, 2, 16, 0)]
    with pytest.raises(InputError, match="progress"):
        dlx.audit(**cancer_torch.told(progress="yes"))


@pytest.mark.parametrize("told", BOTH, indirect=True)
def test_nothing_of_the_users_is_changed(told, plant):
    def draws(subject):
        np.random.random(), random.random()
        subject.explained("saliency", np.arange(4))
        return check("draws", section=NUMBER)

    plant(draws)
    model, before = told["model"], dlx.wrap(told["model"]).fingerprint
    arrays = told["inputs"].copy(), told["labels"].copy()
    if isinstance(model, torch.nn.Module):
        model.train()
        next(model.parameters()).requires_grad_(False)
    np.random.seed(5), random.seed(5), torch.manual_seed(5), keras.utils.set_random_seed(5)
    expected = np.random.random(), random.random(), torch.rand(1).item(), keras.random.uniform((1,)).numpy()[0]
    np.random.seed(5), random.seed(5), torch.manual_seed(5), keras.utils.set_random_seed(5)
    audited(told, sections=[1, NUMBER])
    found = np.random.random(), random.random(), torch.rand(1).item(), keras.random.uniform((1,)).numpy()[0]
    assert found == expected
    assert dlx.wrap(model).fingerprint == before
    assert np.array_equal(told["inputs"], arrays[0])
    assert np.array_equal(told["labels"], arrays[1])
    if isinstance(model, torch.nn.Module):
        assert model.training
        assert not next(model.parameters()).requires_grad
        model.eval()
        next(model.parameters()).requires_grad_(True)


@pytest.mark.slow
@pytest.mark.parametrize("told", BOTH, indirect=True)
def test_a_whole_audit_is_a_record_that_the_schema_takes_and_the_same_twice(told, tmp_path):
    first, again = dlx.audit(**told), dlx.audit(**told)
    assert without_stamps(first) == without_stamps(again)
    assert first.fingerprint == again.fingerprint
    jsonschema.Draft202012Validator(as_json.schema()).validate(json.loads(as_json.write(first)))
    assert dlx.AuditRecord.load(first.save(tmp_path / "record.json")) == first
    assert [part.number for part in first.parts] == sorted(checking.SECTIONS)
    named = [c.name for c in first.checks]
    assert len(named) == len(set(named))
    assert set(named) >= set(checking.CHECKS)
    ids = [item.id for part in first.parts for item in (*part.tables, *part.exhibits)]
    assert len(ids) == len(set(ids))
    for c in first.checks:
        assert set(c.evidence) <= set(ids), c.name
        assert c.reason, c.name
        assert not re.search("ended with an error", c.reason), (c.name, c.reason)
    for part in first.parts:
        assert part.question
        assert not any(line.startswith("This section could not be told") for line in part.summary), part


def test_other_seeds_data_and_models_have_other_fingerprints(cancer_torch, cancer_keras):
    told = cancer_torch.told(sections=[1])
    prints = [
        dlx.audit(**told).fingerprint,
        dlx.audit(**told, seed=1).fingerprint,
        dlx.audit(**{**told, "labels": 1 - told["labels"]}).fingerprint,
        dlx.audit(**{**told, "inputs": told["inputs"] + 1e-3}).fingerprint,
        dlx.audit(**{**told, "sections": [1, 2]}).fingerprint,
        dlx.audit(**cancer_keras.told(sections=[1])).fingerprint,
    ]
    assert len(set(prints)) == len(prints)
    assert dlx.audit(**told).fingerprint == prints[0]


def test_arguments_that_cannot_be_taken_stop_the_audit(cancer_torch):
    for options, words in (
        ({"labels": cancer_torch.labels[:5]}, "labels: 5 were given for 180 samples"),
        ({"seed": -1}, "seed=-1"),
        ({"card": {"usage": "x"}}, "card: unknown field 'usage'"),
        ({"profile": "images-1"}, "profile 'images-1'"),
    ):
        with pytest.raises(InputError, match=words):
            dlx.audit(**cancer_torch.told(**options))


def test_hostile_names_reach_the_record_without_control_characters(cancer_torch):
    names = tuple(f"<b>\x00\u202e{i}" for i in range(30))
    record = dlx.audit(**cancer_torch.told(feature_names=names, class_names=("\x1b[31m", "</script>"), sections=[1, 4]))
    text = as_json.write(record)
    assert not re.search("[\x00\u202e\x1b]|\\\\u0000|\\\\u001b", text)


def test_every_section_registers_itself_once():
    assert set(registry.chosen(None)) == set(checking.SECTIONS)
    assert all(facts.section in checking.SECTIONS for facts in checking.CHECKS.values())


def test_tables_of_nothing_are_tables(cancer_torch, plant):
    def story(subject, own):
        return Part(number=NUMBER, title="P", question="?", tables=(Table(id="t", title="T", columns=("a",), rows=()),))

    plant(story=story)
    assert audited(cancer_torch.told()).part(NUMBER).tables[0].rows == ()
