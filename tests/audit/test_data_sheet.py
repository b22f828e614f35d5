"""Section 3: each fault of the data is planted and found; sound data are not accused."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import dlexplain as dlx

SOUND = ["digits_torch", "digits_keras", "cancer_torch", "cancer_keras"]
GATES = ("schema", "split_leakage")


def one(record: dlx.AuditRecord, name: str):
    return next(check for check in record.checks if check.name == name)


def audited(trained, **changes) -> dlx.AuditRecord:
    return dlx.audit(**{**trained.told(sections=[3]), **changes})


@pytest.mark.parametrize("kind", SOUND)
def test_sound_data_pass(kind, request):
    record = audited(request.getfixturevalue(kind))
    for name in ("schema", "missing_values", "duplicates", "split_leakage", "label_noise", "drift", "class_balance"):
        assert one(record, name).status == "PASS", one(record, name)
    assert record.verdict == "PASS"
    part = record.part(3)
    assert {"columns", "drift"} <= {table.id for table in part.tables}
    assert {exhibit.id for exhibit in part.exhibits} == {"classes", "drift_figure"}


def test_without_training_data_nothing_is_accused(cancer_torch):
    record = audited(cancer_torch, train=None)
    for name in ("schema", "split_leakage", "drift"):
        assert one(record, name).status == "NOT RUN"
        assert "--train" in one(record, name).advice
    assert record.verdict == "INCONCLUSIVE"  # nothing that gates was asked


@pytest.mark.parametrize("kind", SOUND)
def test_rows_that_were_trained_on_are_found(kind, request):
    trained = request.getfixturevalue(kind)
    inputs, labels = trained.inputs.copy(), trained.labels.copy()
    inputs[7:10], labels[7:10] = trained.train[0][20:23], trained.train[1][20:23]
    record = audited(trained, inputs=inputs, labels=labels)
    check = one(record, "split_leakage")
    assert check.status == "FAIL"
    assert check.figure == pytest.approx(3 / len(inputs), rel=1e-5)
    assert "3 of" in check.reason
    rows = next(t for t in record.part(3).tables if t.id == "leaked").rows
    assert [row[:2] for row in rows] == [(7, 20), (8, 21), (9, 22)]


def test_pictures_that_were_made_lighter_are_found(digits_torch):
    rng = np.random.default_rng(0)
    inputs = digits_torch.inputs.copy()
    inputs[3] = digits_torch.train[0][5] * 0.8 + 0.1 + rng.normal(size=inputs[3].shape) * 0.003
    record = audited(digits_torch, inputs=inputs.astype(np.float32))
    assert "0 of 400 rows stand in the training data exactly, 1 nearly." in one(record, "split_leakage").reason
    assert one(record, "split_leakage").status == "FAIL"


def test_rows_that_were_rounded_are_found(cancer_keras):
    inputs = cancer_keras.inputs.copy()
    inputs[11] = np.round(cancer_keras.train[0][40], 2)
    check = one(audited(cancer_keras, inputs=inputs), "split_leakage")
    assert check.status == "FAIL"
    assert "1 nearly" in check.reason


def test_tables_in_which_copies_are_usual_leak_nothing_by_them():
    """Five binary columns: most rows have a copy somewhere, by chance."""
    import torch

    rng = np.random.default_rng(0)
    rows = rng.integers(0, 2, (600, 5)).astype(np.float32)
    labels = (rows[:, 0] + rng.random(600) > 1).astype(int)
    record = dlx.audit(torch.nn.Linear(5, 2), rows[:200], labels[:200], train=(rows[200:], labels[200:]), sections=[3])
    check = one(record, "split_leakage")
    assert check.status == "PASS"
    assert "would be expected" in check.reason


def test_doubled_rows_and_their_other_labels(cancer_torch):
    inputs, labels = cancer_torch.inputs.copy(), cancer_torch.labels.copy()
    inputs[100:120], labels[100:120] = inputs[:20], 1 - labels[:20]
    record = audited(cancer_torch, inputs=inputs, labels=labels)
    check = one(record, "duplicates")
    assert check.status == "FAIL"
    assert not check.gate
    assert check.figure == pytest.approx(20 / 180, rel=1e-5)
    assert "20 of the copies carry another label" in check.reason


def test_labels_that_were_exchanged_are_found(digits_keras):
    rng = np.random.default_rng(1)
    wrong = rng.choice(400, 60, replace=False)
    labels = digits_keras.labels.copy()
    labels[wrong] = (labels[wrong] + rng.integers(1, 10, 60)) % 10
    record = audited(digits_keras, labels=labels)
    check = one(record, "label_noise")
    assert check.status == "FAIL"
    assert "own probabilities" in check.reason
    named = {row[0] for row in next(t for t in record.part(3).tables if t.id == "suspects").rows}
    assert len(named & set(wrong.tolist())) >= 38  # of the 40 shown


def test_few_rows_of_a_class_leave_labels_open(digits_torch):
    kept = np.flatnonzero((digits_torch.labels != 3) | (np.cumsum(digits_torch.labels == 3) <= 2))
    record = audited(digits_torch, inputs=digits_torch.inputs[kept], labels=digits_torch.labels[kept])
    assert one(record, "label_noise").status == "INCONCLUSIVE"
    assert "digit 3" in one(record, "label_noise").reason
    assert one(record, "class_balance").status == "FAIL"
    assert "digit 3, has 2 rows" in one(record, "class_balance").reason


def test_a_column_in_other_units_is_named(cancer_torch):
    inputs = cancer_torch.inputs.copy()
    inputs[:, 3] *= 1000
    check = one(audited(cancer_torch, inputs=inputs), "schema")
    assert check.status == "FAIL"
    assert check.figure == 1
    assert check.reason.startswith("Column 'mean area' holds ")


def test_a_single_odd_row_is_no_other_scale(cancer_torch):
    inputs = cancer_torch.inputs.copy()
    inputs[7, 3] *= 1000
    assert one(audited(cancer_torch, inputs=inputs), "schema").status == "PASS"
    inputs[:7, 3] *= 1000
    assert one(audited(cancer_torch, inputs=inputs), "schema").status == "FAIL"


def test_pictures_on_another_scale_are_named(digits_keras):
    check = one(audited(digits_keras, inputs=digits_keras.inputs * 255), "schema")
    assert check.status == "FAIL"
    assert "brightness" in check.reason
    assert "where training has 0 to 1" in check.reason


def test_a_third_value_in_a_column_of_two_is_named():
    import torch

    rng = np.random.default_rng(0)
    train = rng.normal(size=(200, 3)).astype(np.float32)
    train[:, 1] = rng.integers(0, 2, 200)
    inputs = train[:100] + rng.normal(size=(100, 3)).astype(np.float32) * [[0.3, 0, 0.3]]
    inputs[4, 1] = 2
    labels = (train[:, 0] > 0).astype(int)
    record = dlx.audit(
        torch.nn.Linear(3, 2),
        inputs.astype(np.float32),
        labels[:100],
        train=(train, labels),
        feature_names=["a", "sex", "c"],
        sections=[3],
    )
    assert one(record, "schema").status == "FAIL"
    assert one(record, "schema").reason == "Column 'sex' holds 1 value such as 2, where training has only 0 and 1."


def test_without_pandera_the_schema_is_not_run(cancer_torch, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandera.pandas", None)
    check = one(audited(cancer_torch), "schema")
    assert check.status == "NOT RUN"
    assert "pip install 'dlexplain[audit]'" in check.reason


def test_without_cleanlab_labels_are_not_judged(cancer_torch, monkeypatch):
    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    record = audited(cancer_torch)
    assert one(record, "label_noise").status == "NOT RUN"
    assert "pip install 'dlexplain[audit]'" in one(record, "label_noise").reason
    assert record.part(3).tables


def test_a_code_for_missing_is_suspected(cancer_keras):
    inputs = cancer_keras.inputs.copy()
    inputs[5:12, 2] = -99
    check = one(audited(cancer_keras, inputs=inputs), "missing_values")
    assert check.status == "FAIL"
    assert "mean perimeter is -99 in 7 rows" in check.reason


def test_a_constant_column_is_named(cancer_torch):
    inputs = cancer_torch.inputs.copy()
    inputs[:, 4] = 0.25
    check = one(audited(cancer_torch, inputs=inputs), "constant_columns")
    assert check.status == "FAIL"
    assert check.reason == "One value in every row: mean smoothness."


def test_drift_of_one_column_is_named(cancer_keras):
    inputs = cancer_keras.inputs.copy()
    inputs[:, 9] += 1.5
    check = one(audited(cancer_keras, inputs=inputs), "drift")
    assert check.status == "FAIL"
    assert "mean fractal dimension" in check.reason


def test_darker_pictures_are_drift(digits_torch):
    check = one(audited(digits_torch, inputs=digits_torch.inputs * 0.6), "drift")
    assert check.status == "FAIL"
    assert "brightness" in check.reason


def test_a_change_that_spares_each_column_is_seen_by_the_classifier():
    """The same two normal columns, but here they go together."""
    import torch

    rng = np.random.default_rng(0)
    train = rng.normal(size=(600, 2)).astype(np.float32)
    inputs = np.stack([train[:300, 0], np.abs(train[:300, 1]) * np.sign(train[:300, 0])], 1)
    inputs[:, 0] += rng.normal(size=300) * 0.01
    labels = rng.integers(0, 2, 600)
    record = dlx.audit(
        torch.nn.Linear(2, 2), inputs.astype(np.float32), labels[:300], train=(train, labels), sections=[3]
    )
    check = one(record, "drift")
    assert check.status == "FAIL"
    assert check.reason.startswith("A simple classifier tells training from audited rows with an AUC of 0.")
    assert not any(row[-1] for table in record.part(3).tables if table.id == "drift" for row in table.rows)


def test_drift_is_seldom_seen_where_there_is_none(cancer_torch):
    from dlexplain.audit.preparing import subject
    from dlexplain.audit.sections.data_sheet_drift import measured

    rng, accused = np.random.default_rng(0), 0
    inputs = np.concatenate([cancer_torch.inputs, cancer_torch.train[0]])
    labels = np.concatenate([cancer_torch.labels, cancer_torch.train[1]])
    for _ in range(20):
        order = rng.permutation(len(inputs))
        here, old = order[:180], order[180:]
        found = measured(subject(cancer_torch.model, inputs[here], labels[here], train=(inputs[old], labels[old])))
        accused += bool(found.drifted) or found.told_apart
    assert accused <= 2


@pytest.mark.parametrize("kind", ["cancer_torch"])
def test_the_same_data_give_the_same_sheet(kind, request):
    first, second = (audited(request.getfixturevalue(kind)).part(3) for _ in range(2))
    assert first.checks == second.checks
    assert first.tables == second.tables
    assert first.exhibits == second.exhibits


def test_what_the_reader_set_aside_is_counted(tmp_path, cancer_torch):
    from dlexplain.audit.audit import record_of
    from dlexplain.audit.preparing import subject
    from dlexplain.audit.reading import read

    inputs = cancer_torch.inputs.copy()
    inputs[3:12, 6] = np.nan
    path = tmp_path / "data.npz"
    np.savez(path, inputs=inputs, labels=cancer_torch.labels, feature_names=np.array(cancer_torch.feature_names))
    data = read(path)
    made = subject(cancer_torch.model, data.inputs, data.labels, feature_names=data.feature_names)
    made.once("read", lambda: data)
    record = record_of(made, (0, 3))
    check = one(record, "missing_values")
    assert check.status == "FAIL"
    assert check.figure == pytest.approx(9 / 180)
    assert "mean concavity: 9" in check.reason
    assert dict(record.part(3).facts)["Rows set aside for empty cells"] == 9
