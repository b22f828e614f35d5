"""Section 11 on models made to mislead, and on sound ones."""

from __future__ import annotations

import numpy as np
import pytest

from dlexplain.audit import preparing
from dlexplain.audit.sections import manipulation
from dlexplain.audit.sections.manipulation_fragile import NOISE
from dlexplain.audit.sections.manipulation_gradient import hidden
from dlexplain.audit.sections.manipulation_manifold import Reliance, fits, nearest, reliances
from tests.audit.test_manipulation_planted import fooled, learned
from tests.audit.test_shortcuts_planted import subject

FRAMEWORKS = ("torch", "keras")


@pytest.fixture
def trusting(monkeypatch):
    """The exam of section 7 has its own tests: here the method is taken as having passed."""
    monkeypatch.setattr(manipulation, "relied_on", lambda subject: "integrated_gradients")


@pytest.mark.parametrize("framework", ["torch", pytest.param("keras", marks=pytest.mark.slow)])
def test_a_model_that_fools_kernel_shap_is_found(framework):
    case = fooled(framework, seed=1)
    found = manipulation.manifold_gap(case)
    assert found.status == "FAIL"
    assert "'group'" in found.reason
    assert found.figure >= 0.2
    worst = manipulation.leaned(case)[0]
    assert (worst.name, worst.foreseen < 0.2) == ("group", True)
    shown = manipulation.manipulation(case, (found,))
    assert {"manifold-columns"} == {t.id for t in shown.tables} == set(found.evidence)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("interact", [False, True])
def test_a_model_that_leans_on_the_group_openly_is_not_accused(framework, interact):
    found = manipulation.manifold_gap(learned(framework, seed=2, interact=interact))
    assert found.status == "PASS"
    assert found.figure <= 0.1
    assert found.advice == ""


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_masked_feature_is_found_and_an_open_one_is_not(framework):
    masked, open_ = (learned(framework, seed=3, masked=masked) for masked in (True, False))
    found = manipulation.gradient_masking(masked)
    assert (found.status, found.figure) == ("FAIL", pytest.approx(1, abs=1e-3))
    assert found.reason.startswith("Feature 'group' has")
    assert manipulation.gradient_masking(open_).status == "PASS"
    shown = manipulation.manipulation(masked, (found,))
    assert set(found.evidence) <= {t.id for t in shown.tables} | {e.id for e in shown.exhibits}


@pytest.mark.parametrize("name", ["digits_torch", "digits_keras", "cancer_torch", "cancer_keras"])
def test_sound_models_are_not_accused(name, trusting, request):
    case = preparing.subject(**request.getfixturevalue(name).told())
    for check in (manipulation.gradient_masking, manipulation.map_fragility):
        found = check(case)
        assert found.status == "PASS", found.reason
    assert 0 < manipulation.map_fragility(case).figure < 0.3
    if case.kind == "table":
        assert abs(manipulation.manifold_gap(case).figure) < 0.05


def test_a_linear_model_hides_nothing_and_its_map_moves_with_its_inputs_only(trusting):
    import torch
    from torch import nn

    model = nn.Linear(4, 2, bias=False)
    model.weight.data = torch.tensor([[1.0, 2, 0, 0], [0, 0, 1, 0]])
    x = np.random.default_rng(0).standard_normal((120, 4)).astype(np.float32)
    case = subject(model, x, (x @ model.weight.detach().numpy().T).argmax(1), feature_names=tuple("abcd"))
    count, others = hidden(case)
    assert all(abs(h.lost) < 1e-4 for h in count)
    assert [h.name for h in others] == ["d"]
    for row in reliances(case):  # kernel SHAP foresees a linear model exactly
        assert row.flips == pytest.approx(row.foreseen, abs=0.01)
    with_noise = manipulation.climbed(case)
    assert 0 <= with_noise.distance.min() <= with_noise.distance.max() <= 1.2
    assert f"{NOISE:g} deviations" in manipulation.map_fragility(case).reason


def test_a_sensor_behind_a_step_is_hidden():
    import torch
    from torch import nn

    class Step(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv1d(3, 3, 1)  # so that the inputs are read as series
            self.conv.weight.data, self.conv.bias.data = torch.eye(3)[..., None], torch.zeros(3)

        def forward(self, x):
            x = self.conv(x).mean(2)
            return torch.stack([torch.sign(x[:, 0]) + 0.5 * x[:, 1], 0.5 * x[:, 2]], 1)

    x = np.random.default_rng(0).standard_normal((200, 3, 10)).astype(np.float32)
    case = subject(Step().eval(), x, np.zeros(200, np.int64), feature_names=("vane", "flow", "heat"))
    found = manipulation.gradient_masking(case)
    assert (found.status, found.figure) == ("FAIL", 1.0)
    assert found.reason.startswith("Feature 'vane' has")


def test_the_gap_takes_the_explainers_larger_account():
    assert Reliance("a", 0.5, 0.1, 0.3, False).gap == pytest.approx(0.2)
    assert Reliance("a", 0.5, 0.45, 0.3, False).gap == pytest.approx(0.05)
    assert Reliance("a", 0.5, 0.1, 0.3, True).gap == 0  # nobody is fooled about what leads
    assert Reliance("a", 0.1, 0.1, 0.3, True).gap == pytest.approx(-0.2)


def test_near_is_in_the_other_columns():
    x = np.array([[0, 0, 9.0], [0, 0.1, -9], [5, 5, 9], [5, 5.1, -9]])
    assert nearest(x, 2)[:, 0].tolist() == [1, 0, 3, 2]


def test_what_has_no_neighbours_is_not_run(digits_torch):
    case = preparing.subject(**digits_torch.told())
    assert "no neighbours" in fits(case)
    small = subject(fooled("torch", 0).model.raw, np.eye(8, dtype=np.float32), np.zeros(8, int))
    found = manipulation.manifold_gap(small)
    assert (found.status, found.figure) == ("NOT RUN", None)
    assert "too few" in found.reason


def test_without_a_trusted_method_there_is_no_map_to_move(monkeypatch, cancer_torch):
    monkeypatch.setattr(manipulation, "relied_on", lambda subject: None)
    found = manipulation.map_fragility(preparing.subject(**cancer_torch.told()))
    assert (found.status, found.figure) == ("INCONCLUSIVE", None)


def test_an_output_that_nothing_moves_is_inconclusive():
    import torch
    from torch import nn

    model = nn.Linear(4, 2)
    model.weight.data, model.bias.data = torch.zeros(2, 4), torch.tensor([1.0, 0])
    x = np.random.default_rng(0).standard_normal((60, 4)).astype(np.float32)
    found = manipulation.gradient_masking(subject(model, x, np.zeros(60, int)))
    assert found.status == "INCONCLUSIVE"
    assert "changes nothing" in found.reason
