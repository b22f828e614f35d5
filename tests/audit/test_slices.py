"""Section 5: the slice that was made unfair is found, and only it; sound models are not accused."""

from __future__ import annotations

import numpy as np
import pytest

import dlexplain as dlx
from dlexplain.audit.sections import slices_search as searching
from dlexplain.audit.sections.slices_rates import rates


def one(record: dlx.AuditRecord, name: str):
    return next(check for check in record.checks if check.name == name)


def model_of_first(framework: str, columns: int):
    """The answer is the sign of the first column."""
    weights = np.zeros((columns, 2), np.float32)
    weights[0] = (-4, 4)
    if framework == "torch":
        import torch

        model = torch.nn.Linear(columns, 2, bias=False)
        with torch.no_grad():
            model.weight.copy_(torch.tensor(weights.T))
        return model
    import keras

    model = keras.Sequential([keras.Input((columns,)), keras.layers.Dense(2, use_bias=False)])
    model.set_weights([weights])
    return model


def people(seed: int, n: int = 600, unfair: bool = False):
    """One number that decides, three binary columns, two numbers that say nothing; 4 % of labels are wrong."""
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(n, 6)).astype(np.float32)
    inputs[:, 1:4] = rng.integers(0, 2, (n, 3))
    labels = (inputs[:, 0] > 0).astype(int)
    flipped = rng.random(n) < 0.04
    if unfair:
        flipped |= (inputs[:, 1] == 1) & (inputs[:, 2] == 1) & (rng.random(n) < 0.3)
    return inputs, np.where(flipped, 1 - labels, labels)


NAMES = ["score", "sex", "urban", "owner", "weight", "height"]


@pytest.mark.parametrize("framework", ["torch", "keras"])
@pytest.mark.parametrize("slices", [None, NAMES])
def test_the_unfair_slice_is_found_and_only_it(framework, slices):
    inputs, labels = people(0, unfair=True)
    record = dlx.audit(model_of_first(framework, 6), inputs, labels, feature_names=NAMES, slices=slices, sections=[5])
    check = one(record, "slices")
    assert check.status == "FAIL"
    assert check.figure == 1
    assert "sex = 1 and urban = 1" in check.reason
    named = [row[0] for table in record.part(5).tables if table.id == "slices" for row in table.rows if row[-1]]
    assert named == ["sex = 1 and urban = 1"]


def test_it_is_found_and_only_it_in_most_draws():
    right = 0
    for seed in range(30):
        inputs, labels = people(seed, unfair=True)
        wrong = (inputs[:, 0] > 0) != labels
        _, found = searching.search(dict(zip(NAMES, inputs.T, strict=True)), wrong)
        right += [s.name for s in found] == ["sex = 1 and urban = 1"]
    assert right >= 28


def test_sound_models_are_not_accused():
    accused = 0
    for seed in range(60):
        inputs, labels = people(seed)
        wrong = (inputs[:, 0] > 0) != labels
        _, found = searching.search(dict(zip(NAMES, inputs.T, strict=True)), wrong)
        accused += bool(found)
    assert accused <= 1


def test_two_unfair_columns_are_both_named():
    rng = np.random.default_rng(0)
    n = 2000
    columns = {"a": rng.integers(0, 2, n), "b": rng.integers(0, 2, n), "c": rng.integers(0, 3, n)}
    wrong = rng.random(n) < 0.02 + 0.3 * (columns["a"] == 1) * (columns["b"] == 0) + 0.35 * (columns["c"] == 2) * (
        columns["a"] == 0
    )
    _, found = searching.search(columns, wrong)
    assert {s.name for s in found} == {"a = 1 and b = 0", "a = 0 and c = 2"}


def test_a_fault_of_one_column_is_named_by_it_alone():
    rng = np.random.default_rng(1)
    columns = {"a": rng.integers(0, 2, 1000), "b": rng.integers(0, 2, 1000)}
    wrong = rng.random(1000) < np.where(columns["a"] == 1, 0.3, 0.02)
    _, found = searching.search(columns, wrong)
    assert [s.name for s in found] == ["a = 1"]


def test_fishers_p_is_scipys():
    from scipy.stats import fisher_exact

    expected = fisher_exact([[9, 21], [4, 66]], alternative="greater").pvalue
    assert searching.higher(np.array([9]), np.array([30]), 100, 13)[0] == pytest.approx(expected)


def test_discoveries_are_those_of_benjamini_and_hochberg():
    # The 15 values of their paper (1995), section 4.1: four are discoveries.
    p = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.3240,
        0.4262,
        0.5719,
        0.6528,
        0.7590,
        1,
    ]
    assert searching.largest_discovery(p) == 0.0095
    assert searching.largest_discovery([0.5, 0.9]) == -1


def test_numbers_are_cut_at_their_quarters_and_gaps_are_a_group():
    found = searching.levels("age", np.r_[np.arange(40.0), np.nan, np.nan])
    assert [rows.sum() for _, rows in found] == [10, 10, 10, 10, 2]
    assert found[0][0].startswith("age <= 9.75")
    assert found[-1][0] == "age is missing"
    assert [name for name, _ in searching.levels("sex", np.array([0, 1, 1]))] == ["sex = 0", "sex = 1"]
    assert [name for name, _ in searching.levels("town", np.array(["x", "y", "y"]))] == ["town = y", "town = x"]


def test_pictures_are_grouped_by_columns_given_beside_them(digits_torch):
    told = digits_torch.told(sections=[5])
    rng = np.random.default_rng(0)
    camera = np.array(["old", "new"])[rng.integers(0, 2, len(told["labels"]))]
    spoilt = (camera == "old") & (rng.random(len(camera)) < 0.5)
    labels = np.where(spoilt, (told["labels"] + 1) % 10, told["labels"])
    record = dlx.audit(**{**told, "labels": labels, "columns": {"camera": camera}})
    check = one(record, "slices")
    assert check.status == "FAIL"
    assert "camera = old" in check.reason
    assert one(dlx.audit(**told, columns={"camera": camera}), "slices").status == "PASS"


def test_without_columns_it_is_not_run(cancer_torch):
    check = one(dlx.audit(**cancer_torch.told(sections=[5])), "slices")
    assert check.status == "NOT RUN"
    assert "different values" in check.reason
    assert "slices=" in check.advice


def test_few_rows_leave_it_open():
    inputs, labels = people(0, n=40)
    record = dlx.audit(model_of_first("torch", 6), inputs, labels, feature_names=NAMES, slices=["weight"], sections=[5])
    check = one(record, "slices")
    assert check.status == "INCONCLUSIVE"
    assert "30 rows" in check.reason


def test_columns_that_name_single_rows_are_left_out():
    inputs, labels = people(0)
    words = np.array([f"person {i}" for i in range(len(inputs))])
    record = dlx.audit(model_of_first("torch", 6), inputs, labels, columns={"name": words}, sections=[5])
    assert one(record, "slices").status == "NOT RUN"
    assert "Left out: name: 600 different words" in one(record, "slices").reason


def test_rates_are_those_of_counting():
    rng = np.random.default_rng(5)
    labels, predicted, group = (rng.integers(0, 2, 400) for _ in range(3))
    found = rates("g", [("zero", group == 0), ("one", group == 1)], labels, predicted)
    rows = group == 0
    name, (count, selection, true, false) = found.groups[0]
    assert (name, count) == ("zero", rows.sum())
    assert selection == pytest.approx(predicted[rows].mean())
    assert true == pytest.approx(predicted[rows & (labels == 1)].mean())
    assert false == pytest.approx(predicted[rows & (labels == 0)].mean())
    assert found.fairlearn
    assert found.selection == pytest.approx(abs(predicted[group == 0].mean() - predicted[group == 1].mean()))


def test_rates_without_fairlearn_are_the_same(monkeypatch):
    import sys

    rng = np.random.default_rng(5)
    labels, predicted, group = (rng.integers(0, 2, 400) for _ in range(3))
    groups = [("zero", group == 0), ("one", group == 1)]
    given = rates("g", groups, labels, predicted)
    monkeypatch.setitem(sys.modules, "fairlearn.metrics", None)
    plain = rates("g", groups, labels, predicted)
    assert not plain.fairlearn
    assert [f for _, f in plain.groups] == [pytest.approx(f) for _, f in given.groups]


def test_groups_that_are_treated_otherwise_are_told():
    inputs, _ = people(0)
    labels = (inputs[:, 0] + 1.2 * (inputs[:, 1] - 0.5) > 0).astype(int)
    record = dlx.audit(model_of_first("torch", 6), inputs, labels, feature_names=NAMES, slices=["sex"], sections=[5])
    check = one(record, "group_rates")
    assert check.status == "FAIL"
    assert not check.gate
    assert check.reason.startswith("By sex")


def test_large_errors_of_a_regression():
    import torch

    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(400, 2)).astype(np.float32)
    inputs[:, 1] = rng.integers(0, 2, 400)
    labels = inputs[:, 0] + rng.normal(size=400) * np.where(inputs[:, 1] == 1, 1.0, 0.2)
    model = torch.nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[1.0, 0.0]]))
    check = one(dlx.audit(model, inputs, labels, feature_names=["x", "old"], sections=[5]), "slices")
    assert check.status == "FAIL"
    assert "old = 1" in check.reason
    assert "large errors" in check.reason
