"""Section 15: passes are those that were run, operations those of the count, and times stay out of the record."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import dlexplain as dlx
from dlexplain.audit.preparing import subject
from dlexplain.audit.sections.cost_passes import counting, passes

SOUND = ["digits_torch", "digits_keras", "cancer_torch", "cancer_keras"]


def audited(trained, **changes) -> dlx.AuditRecord:
    return dlx.audit(**{**trained.told(sections=[15]), **changes})


@pytest.mark.parametrize("kind", SOUND)
def test_weights_operations_and_passes(kind, request):
    trained = request.getfixturevalue(kind)
    part = audited(trained).part(15)
    facts = dict(part.facts)
    model = dlx.wrap(trained.model)
    assert facts["Weights"] == sum(layer.parameters for layer in model.layers)
    assert facts["Floating-point operations of one row"] == model.flops(model.inputs(trained.inputs)).total
    tables = {table.id: table for table in part.tables}
    assert {"passes", "operations", "uncounted"} == set(tables)
    assert [row[0] for row in tables["passes"].rows][:2] == ["integrated_gradients", "deeplift"]
    assert all(row[1] >= 2 for row in tables["passes"].rows)


@pytest.mark.parametrize("kind", ["digits_torch", "digits_keras"])
def test_both_frameworks_cost_the_same(kind, request):
    """2 convolutions, 2 dense layers: by hand."""
    by_hand = 2 * (64 * 16 * 9 * 1 + 64 * 16 * 9 * 16 + 256 * 32 + 32 * 10)
    assert (
        dict(audited(request.getfixturevalue(kind)).part(15).facts)["Floating-point operations of one row"] == by_hand
    )


@pytest.mark.parametrize("kind", ["cancer_torch", "cancer_keras"])
def test_passes_by_hand(kind, request):
    """Ablation of 30 columns: 30 masked passes; an explanation's own look at its outputs is counted with them."""
    trained = request.getfixturevalue(kind)
    made = subject(trained.model, trained.inputs, trained.labels, methods=["feature_ablation", "saliency"])
    ablation, saliency = passes(made, "feature_ablation"), passes(made, "saliency")
    assert 30 <= ablation.forward <= 33
    assert ablation.backward == 0
    assert saliency.backward == 1
    assert 1 <= saliency.forward <= 3


@pytest.mark.filterwarnings("ignore::dlexplain.errors.GapWarning")
def test_the_counting_copy_answers_as_the_model_does(digits_torch):
    model = dlx.wrap(digits_torch.model)
    view, count = counting(model)
    part = digits_torch.inputs[:6]
    assert np.array_equal(view.predict(part), model.predict(part))
    assert (count.forward, count.backward) == (6, 0)
    first, second = (dlx.explain(m, part, "integrated_gradients", steps=8) for m in (view, model))
    assert np.array_equal(first.values, second.values)
    assert count.backward == 6 * 8
    assert "outputs" not in vars(model)


def test_times_memory_and_energy_stand_in_the_stamps_alone(cancer_torch):
    first, second = (audited(cancer_torch).part(15) for _ in range(2))
    assert (first.summary, first.facts, first.checks, first.tables) == (
        second.summary,
        second.facts,
        second.checks,
        second.tables,
    )
    for stamp in (
        "seconds for 1,000 predictions",
        "hours for 1,000,000 predictions",
        "seconds for 1,000 explanations by integrated_gradients",
        "largest memory of the process, MiB",
        "watt-hours for 1,000 predictions",
    ):
        assert float(first.stamps[stamp]) >= 0
    assert [check.status for check in first.checks] == ["PASS"]
    assert not first.checks[0].gate


def test_without_codecarbon_energy_is_not_run(cancer_torch, monkeypatch):
    monkeypatch.setitem(sys.modules, "codecarbon", None)
    part = audited(cancer_torch).part(15)
    assert part.checks[0].status == "NOT RUN"
    assert "pip install 'dlexplain[energy]'" in part.checks[0].reason
    assert part.stamps["watt-hours for 1,000 predictions"] == "not measured"


def test_nothing_is_written_beside_the_record(cancer_torch, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    audited(cancer_torch)
    assert not list(tmp_path.iterdir())
    assert "codecarbon" not in "".join(capfd.readouterr())


def test_a_method_of_another_library_is_said_not_to_be_counted(cancer_torch):
    part = audited(cancer_torch, methods=["captum:IntegratedGradients"]).part(15)
    (row,) = next(t for t in part.tables if t.id == "passes").rows
    assert row[0] == "captum:IntegratedGradients"
    assert row[1] is None or row[1] >= 1


def test_a_model_whose_operations_cannot_be_seen_says_so():
    import torch

    class Stubborn(torch.nn.Module):
        def forward(self, x):
            from torch.utils._python_dispatch import _get_current_dispatch_mode

            if _get_current_dispatch_mode() is not None:
                raise RuntimeError("not under observation")
            return torch.stack([-x[:, 0], x[:, 0]], 1)

    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(60, 3)).astype(np.float32)
    part = dlx.audit(Stubborn(), inputs, (inputs[:, 0] > 0).astype(int), sections=[15]).part(15)
    assert dict(part.facts)["Floating-point operations of one row"] is None
    assert "not under observation" in part.summary[1]
