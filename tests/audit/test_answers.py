"""Labels and outputs read as answers: what is taken, what is refused and in which words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from dlexplain.audit import answers
from dlexplain.errors import InputError, UnsupportedModelError

LOGITS = np.array([[2.0, -1.0, 0.0], [0.0, 3.0, -2.0], [-1.0, 0.0, 4.0], [5.0, 1.0, 1.0]], np.float32)
NAMES = ("cat", "dog", "owl")


def softmax(o: np.ndarray) -> np.ndarray:
    return np.exp(o) / np.exp(o).sum(1, keepdims=True)


def test_logits_probabilities_and_log_probabilities_say_the_same():
    expected = softmax(LOGITS.astype(np.float64))
    for outputs, said in ((LOGITS, "logits"), (softmax(LOGITS), "sums to 1"), (np.log(softmax(LOGITS)), "logits")):
        found = answers.read((outputs,), [0, 1, 2, 0], None)
        assert np.allclose(found.probabilities, expected, atol=1e-6)
        assert said in found.assumed[1]
        assert list(found.predicted) == [0, 1, 2, 0]
        assert found.class_names == ("class 0", "class 1", "class 2")


def test_one_score_is_a_logit_or_a_probability():
    logit = np.array([[-3.0], [0.5], [2.0]])
    for outputs in (logit, logit[:, 0], 1 / (1 + np.exp(-logit))):
        found = answers.read((outputs,), [0, 1, 1], ("no", "yes"))
        assert found.task == "classification"
        assert found.outputs.shape == (3, 1)
        assert np.allclose(found.probabilities[:, 1], 1 / (1 + np.exp(-logit[:, 0])))
        assert list(found.predicted) == [0, 1, 1]
    assert "between 0 and 1" in found.assumed[1]


def test_scores_of_their_own_are_told_apart_from_softmax():
    found = answers.read((np.array([[0.9, 0.9, 0.1], [0.2, 0.9, 0.1]]),), [0, 1], None)
    assert "do not sum" in found.assumed[1]
    assert np.allclose(found.probabilities.sum(1), 1)


def test_large_logits_overflow_nothing():
    found = answers.read((np.array([[1e4, -1e4], [-1e4, 1e4]]),), [0, 1], None)
    assert np.array_equal(found.probabilities, np.eye(2))
    assert np.isfinite(answers.as_probabilities(np.array([[-1e4], [1e4]]))[0]).all()


def test_the_predicted_class_is_that_of_the_scores_where_probabilities_meet():
    outputs = np.array([[200.0, 200.00002, 0.0]], np.float32)
    assert answers.read((outputs,), [0], None).predicted[0] == outputs.argmax()


@pytest.mark.parametrize(
    "labels",
    [
        [0, 1, 2, 0],
        np.array([0, 1, 2, 0], np.uint8),
        [0.0, 1.0, 2.0, 0.0],
        torch.tensor([0, 1, 2, 0]),
        np.array([[0], [1], [2], [0]]),
        np.eye(3)[[0, 1, 2, 0]],
        ["cat", "dog", "owl", "cat"],
        np.array([b"cat", b"dog", b"owl", b"cat"]),
        pd.Series(["cat", "dog", "owl", "cat"], dtype="category"),
        pd.Series([0, 1, 2, 0], index=[9, 8, 7, 6]),
        np.array([0, 1, 2, 0], object),
    ],
    ids=lambda labels: type(labels).__name__,
)
def test_classes_come_in_every_form(labels):
    found = answers.read((LOGITS,), labels, NAMES)
    assert found.labels.dtype == np.int64
    assert list(found.labels) == [0, 1, 2, 0]


@pytest.mark.parametrize(
    ("labels", "names", "words"),
    [
        (None, NAMES, "labels is None"),
        ([0, 1, 2], NAMES, "labels: 3 were given for 4 samples"),
        ([0, 1, 2, 3], NAMES, "labels: 3 in row 3 is no class: the model has the classes 0 to 2"),
        ([0, -1, 2, 0], NAMES, "labels: -1 in row 1"),
        ([0, 0.5, 2, 0], NAMES, "labels: 0.5 in row 1 is no class"),
        ([0, np.nan, 2, 0], NAMES, "labels: 1 are NaN or infinite, the first in row 1"),
        ([0, np.inf, 2, 0], NAMES, "the first in row 1"),
        (np.array(["cat", None, "owl", "cat"], object), NAMES, "labels: 1 are missing, the first in row 1"),
        (["cat", "dogs", "owl", "cat"], NAMES, r"labels: 'dogs' in row 1 is no class\. Did you mean 'dog'"),
        (["cat", "dog", "owl", "cat"], None, "give class_names too"),
        (["cat", "dog", "owl", "cat"], NAMES[:2], "class_names: 2 were given for 3 classes"),
        (["cat", "dog", "owl", "cat"], ("cat", "dog", "cat"), "class_names: 'cat' stands there twice"),
        (np.ones((4, 2)), NAMES, r"labels: shape \(4, 2\) is not one label a sample"),
        ([[0], [1, 2], [0], [1]], NAMES, "labels: the rows have different lengths"),
        (np.array(["2020-01-01"] * 4, "datetime64[D]"), NAMES, "neither numbers nor class names"),
        (np.array([{}, {}, {}, {}], object), NAMES, "neither numbers nor class names"),
    ],
)
def test_labels_that_cannot_be_taken_are_refused_by_row(labels, names, words):
    with pytest.raises(InputError, match=words):
        answers.read((LOGITS,), labels, names)


def test_one_value_and_other_labels_than_0_and_1_is_a_regression():
    outputs = np.array([1.5, 20.0, 7.0])
    for labels in ([2, 21, 7], [0.5, 1, 0]):
        found = answers.read((outputs,), labels, None)
        assert found.task == "regression"
        assert found.labels.dtype == np.float64
        assert np.array_equal(found.predicted, outputs)
        assert found.probabilities is None
        assert found.class_names == ()
        assert "regression" in found.assumed[0]
    with pytest.raises(InputError, match="labels: 2 in row 0 is no class: the model has one score and class_names"):
        answers.read((outputs,), [2, 21, 7], ("no", "yes"))


def test_several_outputs_and_more_axes_are_refused_with_what_to_do():
    with pytest.raises(UnsupportedModelError, match=r"has 2 outputs.*returns only that one"):
        answers.read((LOGITS, LOGITS), [0, 1, 2, 0], None)
    with pytest.raises(UnsupportedModelError, match=r"shape \(2, 2\).*returns one place of it"):
        answers.read((np.zeros((4, 2, 2)),), [0, 1, 2, 0], None)
