"""Section 4: figures that can be worked out by hand, intervals that cover, models that guess are found."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

import dlexplain as dlx
from dlexplain.audit.sections import performance_numbers as numbers


def one(record: dlx.AuditRecord, name: str):
    return next(check for check in record.checks if check.name == name)


def classified(n: int = 300, classes: int = 4, right: float = 0.8, seed: int = 0):
    """Labels, answers and probabilities of a model that is right so often and says so."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(classes, size=n)
    predicted = np.where(rng.random(n) < right, labels, (labels + rng.integers(1, classes, n)) % classes)
    probabilities = np.full((n, classes), (1 - right) / (classes - 1))
    probabilities[np.arange(n), predicted] = right
    return labels, predicted, probabilities


def test_figures_are_those_of_scikit_learn():
    labels, predicted, _ = classified()
    probabilities = np.random.default_rng(1).dirichlet(np.ones(4), 300)
    found = {k: f(np.ones(300)) for k, f in numbers.of_classes(labels, predicted, probabilities).items()}
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(labels, predicted))
    assert found["balanced accuracy"] == pytest.approx(metrics.balanced_accuracy_score(labels, predicted))
    assert found["log loss"] == pytest.approx(metrics.log_loss(labels, probabilities))
    assert found["AUC"] == pytest.approx(metrics.roc_auc_score(labels, probabilities, multi_class="ovr"))
    assert found["Brier score"] == pytest.approx(np.mean(((probabilities - np.eye(4)[labels]) ** 2).sum(1)))


def test_figures_of_values_are_those_of_scikit_learn():
    rng = np.random.default_rng(2)
    labels = rng.normal(size=200)
    predicted = labels + rng.normal(size=200) / 2
    found = {k: f(np.ones(200)) for k, f in numbers.of_values(labels, predicted).items()}
    assert found["R2"] == pytest.approx(metrics.r2_score(labels, predicted))
    assert found["mean absolute error"] == pytest.approx(metrics.mean_absolute_error(labels, predicted))
    assert found["root mean squared error"] == pytest.approx(metrics.root_mean_squared_error(labels, predicted))


def test_ties_count_half():
    area = numbers.area(np.array([0.1, 0.5, 0.5, 0.9]), np.array([False, True, False, True]))
    assert area(np.ones(4)) == pytest.approx(3.5 / 4)
    assert area(np.array([1.0, 1, 2, 1])) == pytest.approx((1 + 2 / 2 + 3) / 6)


def test_wilson_is_the_textbooks():
    found = numbers.wilson(8, 10)  # Brown, Cai and DasGupta (2001)
    assert (found.low, found.high) == pytest.approx((0.4901, 0.9433), abs=1e-3)
    assert numbers.wilson(0, 20).low == 0
    assert numbers.wilson(20, 20).high == 1


@pytest.mark.parametrize("share", [0.6, 0.9])
def test_intervals_cover_the_truth_about_as_often_as_they_say(share):
    hits = {"accuracy": 0, "wilson": 0}
    for seed in range(60):
        labels, predicted, probabilities = classified(120, right=share, seed=seed)
        figures = {"accuracy": numbers.of_classes(labels, predicted, probabilities)["accuracy"]}
        drawn = numbers.bootstrap(figures, 120, np.random.default_rng(seed))["accuracy"]
        plain = numbers.wilson(float((labels == predicted).sum()), 120)
        hits["accuracy"] += drawn.low <= share <= drawn.high
        hits["wilson"] += plain.low <= share <= plain.high
    assert min(hits.values()) >= 51  # of 60; 57 are expected, and fewer than 51 once in 3,000 tries


def test_a_calibrated_model_has_no_error_of_its_own():
    labels, predicted, probabilities = classified(2000, right=0.7)
    found = numbers.calibration(labels, predicted, probabilities, np.random.default_rng(0))
    assert found.excess < 0.02
    assert found.temperature == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("true", [0.5, 3.0])
def test_the_temperature_that_was_put_in_is_found(true):
    rng = np.random.default_rng(3)
    logits = rng.normal(size=(4000, 5)) * 2
    sound = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = (sound.cumsum(1) > rng.random((4000, 1))).argmax(1)
    said = np.exp(logits * true) / np.exp(logits * true).sum(1, keepdims=True)
    found = numbers.calibration(labels, said.argmax(1), said, np.random.default_rng(0))
    assert found.temperature == pytest.approx(true, rel=0.1)
    assert found.log_loss[1] < found.log_loss[0]
    assert found.excess > 0.05


@pytest.mark.parametrize("kind", ["digits_torch", "digits_keras", "cancer_torch", "cancer_keras"])
def test_a_sound_model_passes(kind, request):
    record = dlx.audit(**request.getfixturevalue(kind).told(sections=[4]))
    assert one(record, "accuracy").status == "PASS"
    assert one(record, "calibration").status == "PASS"
    part = record.part(4)
    assert {t.id for t in part.tables} == {"performance", "performance_by_class"}
    assert {e.id for e in part.exhibits} == {"confusion", "reliability"}
    assert all(e.alt for e in part.exhibits)


@pytest.mark.parametrize("kind", ["digits_torch", "cancer_keras"])
def test_a_model_that_guesses_fails(kind, request):
    told = request.getfixturevalue(kind).told(sections=[4])
    told["labels"] = np.random.default_rng(0).permutation(told["labels"])
    check = one(dlx.audit(**told), "accuracy")
    assert check.status == "FAIL"
    assert check.interval[0] < 0.01
    assert "naming one class for every row" in check.reason


def test_one_answer_for_every_row_fails(cancer_torch):
    import torch

    class Always(torch.nn.Module):
        def forward(self, x):
            return torch.stack([x.sum(1) * 0, x.sum(1) * 0 + 1], 1)

    record = dlx.audit(Always(), cancer_torch.inputs, cancer_torch.labels, sections=[4])
    assert one(record, "accuracy").status == "FAIL"


def test_logits_far_too_large_are_found_overconfident(digits_torch):
    import torch

    told = digits_torch.told(sections=[4])
    rng = np.random.default_rng(0)
    told["inputs"] = (told["inputs"] + rng.normal(size=told["inputs"].shape) * 0.35).astype(np.float32)

    class Loud(torch.nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, x):
            return 50 * self.inner(x)

    told["model"] = Loud(told["model"])
    check = one(dlx.audit(**told), "calibration")
    assert check.status == "FAIL"
    assert "overconfident" in check.reason
    assert not check.gate


def test_one_class_alone_leaves_the_question_open(cancer_torch):
    told = cancer_torch.told(sections=[4])
    kept = told["labels"] == 1
    told.update(inputs=told["inputs"][kept], labels=told["labels"][kept])
    check = one(dlx.audit(**told), "accuracy")
    assert check.status == "INCONCLUSIVE"
    assert "one class" in check.reason


def test_few_rows_accuse_nobody():
    import torch

    rng = np.random.default_rng(6)
    inputs = rng.normal(size=(16, 3)).astype(np.float32)
    labels = (inputs[:, 0] + rng.normal(size=16) * 1.5 > 0).astype(int)

    class First(torch.nn.Module):
        def forward(self, x):
            return torch.stack([-x[:, 0], x[:, 0]], 1)

    check = one(dlx.audit(First(), inputs, labels, sections=[4]), "accuracy")
    assert check.status == "INCONCLUSIVE"
    assert "too wide" in check.reason


def regression(framework: str, slope: float):
    """A model of `slope * x0`, in either framework."""
    if framework == "torch":
        import torch

        model = torch.nn.Linear(2, 1)
        with torch.no_grad():
            model.weight.copy_(torch.tensor([[slope, 0.0]]))
            model.bias.zero_()
        return model
    import keras

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.set_weights([np.array([[slope], [0.0]], np.float32), np.zeros(1, np.float32)])
    return model


@pytest.mark.parametrize("framework", ["torch", "keras"])
def test_values_sound_and_wrong(framework):
    rng = np.random.default_rng(4)
    inputs = rng.normal(size=(200, 2)).astype(np.float32)
    labels = inputs[:, 0] * 2 + rng.normal(size=200) * 0.3
    sound = dlx.audit(regression(framework, 2.0), inputs, labels, sections=[4])
    assert one(sound, "accuracy").status == "PASS"
    assert one(sound, "calibration").status == "NOT RUN"
    assert {e.id for e in sound.part(4).exhibits} == {"predicted_against_known"}
    wrong = dlx.audit(regression(framework, -2.0), inputs, labels, sections=[4])
    assert one(wrong, "accuracy").status == "FAIL"
