"""Each criterion of the explainers' exam on a linear model, where the right figure is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from dlexplain.audit import criteria
from dlexplain.audit.criteria import CRITERIA, Answers
from dlexplain.audit.preparing import subject
from dlexplain.audit.setting import setting
from dlexplain.evaluation.explainer import Examinee
from dlexplain.frameworks.questions import Target

FEATURES, CLASSES = 24, 3


@pytest.fixture(scope="module")
def asked():
    """A linear model of three classes on normal inputs: the exact contribution of a feature is its weight times its
    distance from the mean."""
    rng = np.random.default_rng(0)
    model = nn.Linear(FEATURES, CLASSES)
    with torch.no_grad():
        model.weight.copy_(torch.tensor(rng.standard_normal((CLASSES, FEATURES))))
    inputs = rng.standard_normal((120, FEATURES)).astype(np.float32)
    scores = model(torch.tensor(inputs)).detach().numpy()
    return subject(model, inputs, scores.argmax(1))


def exact(asked, model, inputs, target):
    """The contributions, from the weights of whichever model is given."""
    weights = model.raw.weight.detach().numpy().astype(np.float64)
    return (inputs[0] - asked.baseline[0]) * weights[target.index[:, 0]]


def answers(asked, function, **claims) -> Answers:
    examinee = Examinee(name="planted", function=function, **{"complete": True, **claims})
    return Answers(examinee, examinee, setting(asked), asked.seed)


def test_exact_contributions_get_the_best_figures(asked):
    right = answers(asked, lambda m, x, t, s: (exact(asked, m, x, t),))
    assert criteria.repeatability(right) == 0
    assert criteria.completeness(right) < 1e-5
    assert criteria.faithfulness_correlation(right) == pytest.approx(1, abs=1e-6)
    assert criteria.wrong_target(right) == 0
    assert criteria.sensitivity_axiom(right) == 0
    assert criteria.deletion_lift(right) > 0.5
    assert criteria.randomisation(right) < 0.3
    # A twentieth of the deviation, beside values of deviation one: the largest of three draws.
    assert 0.03 < criteria.sensitivity(right) < 0.1


def test_the_opposite_sign_gets_the_worst(asked):
    wrong = answers(asked, lambda m, x, t, s: (-exact(asked, m, x, t),))
    assert criteria.completeness(wrong) == pytest.approx(2, abs=1e-4)
    assert criteria.faithfulness_correlation(wrong) == pytest.approx(-1, abs=1e-6)
    assert criteria.deletion_lift(wrong) < -0.5
    assert criteria.wrong_target(wrong) == 1


def test_another_class_is_told(asked):
    def other(m, x, t, s):
        return (exact(asked, m, x, Target((t.index + 1) % CLASSES)),)

    wrong = answers(asked, other)
    assert criteria.wrong_target(wrong) == 1
    assert criteria.faithfulness_correlation(wrong) < 0.5


def test_a_map_that_never_asks_the_model_is_the_same_for_random_weights(asked):
    blind = answers(asked, lambda m, x, t, s: (np.abs(x[0]).astype(np.float64),))
    assert criteria.randomisation(blind) == pytest.approx(1)


def test_a_map_of_chance_is_not_repeatable(asked):
    rng = np.random.default_rng(1)
    chance = answers(asked, lambda m, x, t, s: (rng.standard_normal(x[0].shape),))
    assert criteria.repeatability(chance) > 0.5
    declared = answers(asked, lambda m, x, t, s: (np.random.default_rng(s).standard_normal(x[0].shape),), random=True)
    assert criteria.repeatability(declared) == 0  # chance that was declared and seeded


def test_features_without_a_value_that_move_the_output_are_counted(asked):
    def half_blind(m, x, t, s):
        values = exact(asked, m, x, t)
        values[:, : FEATURES // 2] = 0
        return (values,)

    figure = criteria.sensitivity_axiom(answers(asked, half_blind))
    moved = np.abs(setting(asked).moves[:, : FEATURES // 2]) > criteria.MOVED
    assert figure == pytest.approx(moved.mean() / 2)


def test_what_a_method_does_not_claim_is_not_asked(asked):
    modest = answers(asked, lambda m, x, t, s: (exact(asked, m, x, t),), complete=False, contribution=False)
    silent = {name for name, criterion in CRITERIA.items() if np.isnan(criterion(modest))}
    assert silent == {"completeness", "faithfulness_correlation", "wrong_target", "sensitivity_axiom"}


def test_the_right_share_of_features_is_removed(asked):
    removed = setting(asked).removed
    assert removed.shape == (100, FEATURES)
    assert (removed.sum(1) == FEATURES // 4).all()
    assert removed.sum(0).min() > 10  # every feature has its turn


def test_falls_are_those_of_the_linear_model(asked):
    shared = setting(asked)
    weights = asked.model.raw.weight.detach().numpy().astype(np.float64)
    distance = shared.trial.inputs[0] - asked.baseline[0]
    expected = np.einsum("kf,nf,cf->nkc", shared.removed.astype(float), distance, weights)
    np.testing.assert_allclose(shared.falls, expected, atol=1e-4)
