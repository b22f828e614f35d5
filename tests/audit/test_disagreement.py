"""Disagreement of trusted methods: its size and its features, on maps whose difference is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dlexplain.audit.examined import Exam
from dlexplain.audit.preparing import subject
from dlexplain.audit.sections.disagreement import agreed, contested, disagreement, disagreements
from dlexplain.evaluation.explainer import Examinee, of_method


def passed(asked, functions):
    """The subject with these explainers, all of which passed."""
    explainers = {n: Examinee(name=n, function=f) for n, f in functions.items()}
    exams = {n: Exam(n, {}, ()) for n in explainers}
    exams |= {n: Exam(n, {}, ("completeness",)) for n in asked.methods}
    return replace(asked, explainers=explainers, kept={"examined": exams})


@pytest.fixture(scope="module", params=["cancer_torch", "cancer_keras"])
def asked(request):
    return subject(**request.getfixturevalue(request.param).told())


def test_equal_maps_agree_wholly(asked):
    method = of_method("deeplift", asked.baseline[0])
    check = disagreement(passed(asked, {"one": method, "other": method}))
    assert check.status == "PASS"
    assert check.figure == pytest.approx(1)


def test_the_features_over_which_they_part_are_named(asked):
    method = of_method("deeplift", asked.baseline[0])

    def moved(m, x, t, s):
        values = method(m, x, t, s)[0].copy()
        values[:, 4] = 3 * np.abs(values).max(1)  # one feature is given all the credit
        return (values,)

    found = passed(asked, {"one": method, "other": moved})
    assert contested(found)[0][0] == asked.feature_names[4]
    assert asked.feature_names[4] in disagreement(found).reason
    part = disagreements(found, ())
    assert part.tables[1].rows[0][0] == asked.feature_names[4]


def test_opposite_orders_are_told_and_not_averaged_away(asked):
    def rising(m, x, t, s):
        return (np.tile(np.arange(1.0, 31), (len(x[0]), 1)),)

    def falling(m, x, t, s):
        return (np.tile(np.arange(30.0, 0, -1), (len(x[0]), 1)),)

    found = passed(asked, {"up": rising, "also up": rising, "down": falling})
    check = disagreement(found)
    assert check.figure == pytest.approx(-1)
    assert check.status == "FAIL"
    assert not check.gate
    assert "down" in check.reason
    assert len(disagreements(found, (check,)).tables[0].rows) == 3  # every pair has its row


def test_one_method_alone_cannot_disagree(asked):
    found = passed(asked, {"one": of_method("deeplift", asked.baseline[0])})
    assert agreed(found) is None
    assert disagreement(found).status == "NOT RUN"
    assert "Fewer than two" in disagreements(found, ()).summary[0]


@pytest.mark.parametrize("name", ["digits_torch", "digits_keras"])
def test_pictures_are_compared_by_pixel(request, name):
    asked = subject(**request.getfixturevalue(name).told(methods=("deeplift", "occlusion")))
    assert agreed(asked).count == 64
    assert contested(asked)[0][0].startswith("row ")
