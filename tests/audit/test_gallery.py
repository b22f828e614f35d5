"""The gallery's cases are those that its rules say, the same for the same seed, and shown only by a trusted method."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from dlexplain.audit.examined import Exam, trusted
from dlexplain.audit.preparing import subject
from dlexplain.audit.sections.gallery import EACH, chosen, gallery

TRAINED = ("digits_torch", "digits_keras", "cancer_torch")


@pytest.mark.parametrize("name", TRAINED)
def test_cases_follow_their_rules(request, name):
    asked = subject(**request.getfixturevalue(name).told(methods=("deeplift",)))
    groups = {group.name: group.part for group in chosen(asked)}
    right = asked.predicted == asked.labels
    assert right[groups["right"]].all()
    assert not right[groups["wrong"]].any()
    surest = asked.probabilities.max(1)
    assert set(groups["wrong"]) == set(np.flatnonzero(~right)[np.argsort(-surest[~right])[:EACH]])
    two = np.sort(asked.probabilities, 1)[:, -2:]
    assert (two[groups["on the border"]] @ [-1, 1]).max() <= np.sort(two @ [-1, 1])[EACH]
    again = subject(**request.getfixturevalue(name).told(methods=("deeplift",)))
    assert all(np.array_equal(a.part, b.part) for a, b in zip(chosen(asked), chosen(again), strict=True))
    other = subject(**request.getfixturevalue(name).told(methods=("deeplift",), seed=1))
    assert any(not np.array_equal(a.part, b.part) for a, b in zip(chosen(asked), chosen(other), strict=True))


@pytest.mark.parametrize("name", TRAINED)
def test_every_kind_of_case_is_shown_with_its_rows(request, name):
    asked = subject(**request.getfixturevalue(name).told(methods=("deeplift",)))
    part = gallery(asked, ())
    assert len(part.exhibits) == 4
    for group, exhibit in zip(chosen(asked), part.exhibits, strict=True):
        shown = str(exhibit.figure["layout"]["annotations"])
        for row in group.part:
            assert f"row {row}" in shown
            assert f"Row {row}:" in exhibit.alt
            assert f"Row {row}: predicted" in exhibit.note
        assert "(sample" not in shown
        assert "Gap" in exhibit.alt
    assert len(part.tables[0].rows) == sum(len(g.part) for g in chosen(asked))


def test_a_model_without_errors_has_no_wrong_case():
    x = np.random.default_rng(0).standard_normal((50, 5)).astype(np.float32)
    model = nn.Sequential(nn.Linear(5, 2))
    labels = model(torch.tensor(x)).argmax(1).numpy()
    part = gallery(subject(model, x, labels, methods=("deeplift",)), ())
    assert "There is no case for: wrong." in part.summary
    assert len(part.exhibits) == 3


def test_a_regression_shows_near_and_far():
    x = np.random.default_rng(0).standard_normal((50, 5)).astype(np.float32)
    model = nn.Sequential(nn.Linear(5, 1))
    truth = model(torch.tensor(x)).detach().numpy()[:, 0] + np.linspace(0, 1, 50)
    asked = subject(model, x, truth, methods=("deeplift",))
    groups = {group.name: group.part for group in chosen(asked)}
    assert groups["far from the truth"].tolist() == [48, 49]
    assert groups["close to the truth"].max() < 26
    assert len(gallery(asked, ()).exhibits) == 3


def test_without_a_method_that_passed_cases_are_named_and_no_map_is_shown():
    x = np.random.default_rng(0).standard_normal((50, 5)).astype(np.float32)
    model = nn.Sequential(nn.Linear(5, 2))
    asked = subject(model, x, np.arange(50) % 2, methods=("saliency",))
    asked = replace(asked, kept={"examined": {"saliency": Exam("saliency", {}, ("deletion_lift",))}})
    assert trusted(asked) == ()
    part = gallery(asked, ())
    assert part.exhibits == ()
    assert len(part.tables[0].rows) > 4


def test_an_explainer_given_as_a_function_is_shown_when_it_passed(request):
    trained = request.getfixturevalue("cancer_torch")
    base = subject(**trained.told(methods=("deeplift",)))

    def weights_times_distance(model, inputs, target, seed):
        from dlexplain.evaluation.explainer import of_method

        return of_method("deeplift", base.baseline[0])(model, inputs, target, seed)

    asked = subject(**trained.told(methods={"mine": weights_times_distance}))
    only = replace(asked, methods=("saliency",), kept={})
    part = gallery(only, ())
    assert "explained by mine" in part.summary[0]
    assert len(part.exhibits) == 4
