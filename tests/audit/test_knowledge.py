"""Section 13: confidence far from the data, and abstention, where both are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dlexplain.audit import preparing
from dlexplain.audit.sections import knowledge
from dlexplain.audit.sections.knowledge_answers import decided, outputs_at, probabilities
from tests.audit.test_shortcuts_planted import one_moment, one_word, subject

FRAMEWORKS = ("torch", "keras")


def _given(outputs, labels, **others):
    """A subject whose model gives back its inputs: logits chosen by hand."""
    from torch import nn

    model = nn.Linear(outputs.shape[1], outputs.shape[1], bias=False)
    model.weight.data = model.weight.data * 0
    model.weight.data.fill_diagonal_(1)
    return subject(model, outputs.astype(np.float32), labels, **others)


@pytest.mark.parametrize("name", ["digits_torch", "digits_keras", "cancer_torch", "cancer_keras"])
def test_sound_models_are_described_and_not_accused(name, request):
    case = preparing.subject(**request.getfixturevalue(name).told())
    found = knowledge.far_confidence(case), knowledge.abstention(case)
    assert found[0].figure == pytest.approx(1, abs=0.1)  # as sure of scaled inputs as of the data (Hein 2019)
    assert "far from it" in found[0].reason
    part = knowledge.knowledge(case, found)
    told = {row[0]: row for row in part.tables[0].rows}
    assert {"the data", "noise", "shuffled features", "5 times as far"} <= set(told)
    assert ("turned over" in told) == (case.kind == "image")
    assert told["shuffled features"][3] > 0.7  # confidence tells it from the data
    named = {t.id for t in part.tables} | {e.id for e in part.exhibits}
    assert set(found[0].evidence) | set(found[1].evidence) <= named


def test_confidence_that_points_at_the_errors_leaves_none():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 200)
    logits = np.where(np.eye(2)[labels] > 0, 4.0, 0.0) + 0.1 * rng.random((200, 2))
    unsure = rng.choice(200, 30, replace=False)
    logits[unsure] = 0.1 * np.eye(2)[1 - labels[unsure]]  # wrong, and barely so
    case = _given(logits, labels)
    found = knowledge.abstention(case)
    assert (found.status, found.figure) == ("PASS", 0.0)
    assert "15.0% on all samples" in found.reason
    assert knowledge.abstaining(case).at(1.0)[0] == pytest.approx(0.15)
    assert knowledge.abstaining(case).at(0.9)[0] == pytest.approx(10 / 180)


def test_confidence_that_points_away_from_the_errors_fails():
    labels = np.tile([0, 1], 100)
    logits = np.eye(2)[labels] * (1 + 0.001 * np.arange(200)[:, None])
    logits[:20] = 9 * np.eye(2)[1 - labels[:20]]  # wrong and very sure
    found = knowledge.abstention(_given(logits, labels))
    assert found.status == "FAIL"
    assert found.figure == pytest.approx(20 / 160 / 0.1)


def test_errors_among_equals_come_evenly():
    labels = np.zeros(100, int)
    logits = np.tile([1.0, 0.0], (100, 1))
    logits[:10] = [0.0, 1.0]  # all equally sure, the first ten wrong
    curve = knowledge.abstaining(_given(logits, labels))
    np.testing.assert_allclose(curve.error, 0.1)


@pytest.mark.parametrize(("wrong", "status"), [(0, "NOT RUN"), (3, "INCONCLUSIVE")])
def test_few_errors_say_nothing(wrong, status):
    labels = np.tile([0, 1], 50)
    logits = 5.0 * np.eye(2)[labels]
    labels[:wrong] = 1 - labels[:wrong]
    found = knowledge.abstention(_given(logits, labels))
    assert (found.status, found.figure) == (status, None)


def test_a_model_that_is_surer_of_noise_than_of_its_data_is_told():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 300)
    logits = 0.5 * np.eye(2)[labels] + 0.05 * rng.standard_normal((300, 2))
    found = knowledge.far_confidence(_given(logits, labels))
    assert found.status == "FAIL"
    assert "5 times as far" in found.reason
    assert found.figure > 2


def test_a_model_that_doubts_what_is_far_passes():
    import torch
    from torch import nn

    class Near(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.tensor(6.0))

        def forward(self, x):
            trust = torch.exp(-(((x**2).sum(1, keepdim=True) - 1) ** 2) * 8)  # the data lie on the unit circle
            return self.scale * x * trust

    angle = np.random.default_rng(0).uniform(0, 2 * np.pi, 300)
    x = np.stack([np.cos(angle), np.sin(angle)], 1).astype(np.float32)
    found = knowledge.far_confidence(subject(Near().eval(), x, x.argmax(1)))
    assert found.status == "PASS"
    assert found.figure < 0.9


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_tokens_go_far_by_random_words_and_shuffled_order(framework):
    case, _ = one_word(framework)
    found = knowledge.rows(case)
    assert [r.name for r in found] == ["the data", "random tokens", "shuffled order"]
    assert found[2].confidence == pytest.approx(found[0].confidence, abs=1e-5)  # a bag of words has no order


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_regression_states_the_range_of_its_answers(framework):
    case, _, _ = one_moment(framework, regression=True)
    part = knowledge.knowledge(case, ())
    assert part.tables[0].id == "far-outputs"
    assert "no confidence" in part.summary[0]
    rows = {row[0]: row for row in part.tables[0].rows}
    assert rows["5 times as far"][3] == pytest.approx(5 * rows["the data"][3], rel=0.1)


def test_new_outputs_are_read_as_the_data_were(cancer_torch, request):
    case = preparing.subject(**cancer_torch.told())
    outputs = outputs_at(case, case.inputs)
    np.testing.assert_allclose(probabilities(case, outputs), case.probabilities, atol=1e-6)
    assert (decided(case, outputs) == case.predicted).all()
    # Logits that happen to look like probabilities are logits still.
    low = np.array([[0.4, 0.6]])
    np.testing.assert_allclose(probabilities(case, low)[0, 1], 1 / (1 + np.exp(-0.2)), atol=1e-6)


def test_the_same_subject_gives_the_same_record(digits_torch):
    case = preparing.subject(**digits_torch.told())
    first, second = (knowledge.rows(replace(case, kept={})) for _ in range(2))
    assert first == second
