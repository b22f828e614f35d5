"""Profiles: every check has its threshold in each, and a figure is judged by it or not at all."""

from __future__ import annotations

import dataclasses
import math

import pytest

from dlexplain.audit import preparing, profile
from dlexplain.audit import registry as _registry  # noqa: F401  (enters the checks)
from dlexplain.audit.check import CHECKS
from dlexplain.audit.profile import Threshold
from dlexplain.errors import InputError

NAMES = ("images-1", "series-1", "tables-1", "tokens-1")


def test_there_is_a_profile_for_every_kind():
    assert profile.names() == list(NAMES)
    assert {kind: profile.load(name).kind for kind, name in preparing.PROFILES.items()} == {
        kind: kind for kind in preparing.PROFILES
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_check_has_a_threshold_where_it_applies(name):
    found = profile.load(name)
    applying = {check for check, facts in CHECKS.items() if found.kind in facts.kinds}
    # Energy differs from run to run, so that it has no figure to judge.
    assert applying - set(found.thresholds) <= {"energy"}


@pytest.mark.parametrize("name", NAMES)
def test_thresholds_are_whole_and_sound_models_pass_them(name):
    found = profile.load(name)
    assert found.name == name
    assert found.version == int(name.rpartition("-")[2])
    assert found.measured_on
    for check, threshold in found.thresholds.items():
        assert threshold.passes in ("at most", "at least"), check
        assert math.isfinite(threshold.limit), check
        assert threshold.source, check
        if threshold.clean is not None:
            low, high = threshold.clean
            assert low <= high, check
            assert threshold.met(high if threshold.passes == "at most" else low), check


def test_the_thresholds_of_the_specification():
    found = profile.load("images-1").thresholds
    for name, limit, passes in (
        ("repeatability", 1e-5, "at most"),
        ("completeness", 0.05, "at most"),
        ("faithfulness_correlation", 0.70, "at least"),
        ("deletion_lift", 0.25, "at least"),
        ("randomisation", 0.30, "at most"),
        ("sensitivity", 0.50, "at most"),
        ("sensitivity_axiom", 0.01, "at most"),
        ("shortcut_flip", 0.30, "at most"),
        ("manifold_gap", 0.20, "at most"),
        ("dead_units", 0.40, "at most"),
    ):
        assert (found[name].limit, found[name].passes) == (limit, passes), name
    assert not found["sensitivity"].gate


@pytest.mark.parametrize(
    ("figure", "passes", "status"),
    [
        (0.3, "at most", "PASS"),
        (0.31, "at most", "FAIL"),
        (0.3, "at least", "PASS"),
        (0.29, "at least", "FAIL"),
        (None, "at most", "INCONCLUSIVE"),
        (math.nan, "at most", "INCONCLUSIVE"),
        (math.inf, "at least", "INCONCLUSIVE"),
    ],
)
def test_a_figure_is_judged_or_left_open(figure, passes, status):
    made = profile.Profile(
        name="x-1",
        version=1,
        kind="image",
        measured_on="nothing",
        thresholds={"dead_units": Threshold(limit=0.3, passes=passes)},
    )
    found = made.judge("dead_units", figure, reason="So it is.", advice="Do this.")
    assert found.status == status
    assert found.threshold == f"{passes} 0.3"
    assert found.advice == ("" if status == "PASS" else "Do this.")
    assert (found.figure is None) == (figure is None or not math.isfinite(figure))


def test_without_a_threshold_the_question_stays_open_and_gates():
    made = profile.Profile(name="x-1", version=1, kind="image", measured_on="nothing", thresholds={})
    found = made.judge("dead_units", 0.1, reason="So it is.")
    assert (found.status, found.gate, found.threshold) == ("INCONCLUSIVE", True, "no threshold in this profile")
    assert made.judge("dead_units", 0.1, reason="r", status="NOT RUN").status == "NOT RUN"


def test_a_check_may_say_that_it_never_gates(monkeypatch):
    monkeypatch.setitem(CHECKS, "dead_units", dataclasses.replace(CHECKS["dead_units"], gate=False))
    bare = profile.Profile(name="x-1", version=1, kind="image", measured_on="nothing", thresholds={})
    assert not bare.judge("dead_units", None, reason="It could not be measured.").gate
    judged = dataclasses.replace(bare, thresholds={"dead_units": Threshold(limit=1.0, passes="at most")})
    assert judged.judge("dead_units", 0.5, reason="It was measured.").gate  # the profile knows better


def test_an_unknown_profile_is_refused_with_the_near_one():
    with pytest.raises(InputError, match=r"'image-1' is unknown\. Did you mean 'images-1'"):
        profile.load("image-1")
