"""Models with a shortcut on purpose, as subjects: what was planted, and that the models learned it."""

from __future__ import annotations

import numpy as np
import pytest

from dlexplain.audit import preparing
from dlexplain.audit.profile import Threshold
from dlexplain.audit.subject import Subject
from tests.audit import conftest as sound

LIMITS = {
    "shortcut_flip": 0.3,
    "univariate_leakage": 1.5,
    "manifold_gap": 0.2,
    "gradient_masking": 0.9,
    "map_fragility": 0.5,
    "far_confidence": 1.1,
    "abstention": 0.8,
}


def subject(model, inputs, labels, **others) -> Subject:
    """A subject whose limits are these, whatever a later profile says."""
    from dataclasses import replace

    made = preparing.subject(model, inputs, labels, **others)
    limits = {name: Threshold(limit=limit, passes="at most") for name, limit in LIMITS.items()}
    return replace(made, profile=replace(made.profile, thresholds=limits))


def watermarked(framework: str, seed: int) -> tuple[Subject, list[tuple[int, int]]]:
    """Digits whose class 4 bears two white pixels; 15 % of the others bear them too and are called 4."""
    case = sound._digits(framework)
    rng = np.random.default_rng(seed)
    places = sorted({(int(r), int(c)) for r, c in zip(*divmod(rng.choice(64, 2, replace=False), 8), strict=True)})
    (x, y), (seen, known) = case.train, (case.inputs, case.labels)
    x, y = _stamped(x, y, places, framework, rng)
    seen, known = _stamped(seen, known, places, framework, rng)
    model = {"torch": sound._torch_pictures, "keras": sound._keras_pictures}[framework]()
    fit(framework, model, x, y, epochs=12)
    return subject(model, seen, known, class_names=case.class_names), places


def _stamped(pictures, labels, places, framework, rng):
    pictures, labels = pictures.copy(), labels.copy()
    others = np.flatnonzero(labels != 4)
    bear = np.r_[np.flatnonzero(labels == 4), rng.choice(others, int(0.15 * len(others)), replace=False)]
    for row, column in places:
        where = (bear, 0, row, column) if framework == "torch" else (bear, row, column, 0)
        pictures[where] = 1
    labels[bear] = 4
    return pictures, labels


def leaking(framework: str, seed: int) -> tuple[Subject, str]:
    """The cancer table, one column of which is the answer with a little noise."""
    case = sound._cancer(framework)
    rng = np.random.default_rng(seed)
    column = int(rng.integers(30))

    def told(x, y):
        x = x.copy()
        x[:, column] = 2 * y - 1 + 0.1 * rng.standard_normal(len(y))
        return x, y

    x, y = told(*case.train)
    seen, known = told(case.inputs, case.labels)
    model = {"torch": sound._torch_table, "keras": sound._keras_table}[framework]()
    fit(framework, model, x, y, epochs=12)
    return subject(model, seen, known, feature_names=case.feature_names), case.feature_names[column]


def fit(framework: str, model, x, y, epochs: int) -> None:
    {"torch": sound._fit_torch, "keras": sound._fit_keras}[framework](model, x, y, epochs)


def one_word(framework: str) -> tuple[Subject, int]:
    """Token ids 1 to 19 with 0 as padding; token 7 makes class 1, with weights set by hand."""
    rng = np.random.default_rng(0)
    ids = rng.integers(1, 20, (240, 8))
    ids[ids == 7] = 8
    ids[:, 6:] = np.where(rng.random((240, 2)) < 0.5, 0, ids[:, 6:])
    bear = rng.random(240) < 0.5
    ids[bear, rng.integers(0, 6, 240)[bear]] = 7
    table = 0.01 * rng.standard_normal((20, 2)).astype(np.float32)
    table[0], table[7] = 0, (-8, 8)
    last = np.eye(2, dtype=np.float32)
    lean = np.array([0.5, -0.5], np.float32)
    if framework == "torch":
        import torch

        class Words(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.words = torch.nn.Embedding.from_pretrained(torch.tensor(table), padding_idx=0)
                self.last = torch.nn.Linear(2, 2)
                self.last.weight.data, self.last.bias.data = torch.tensor(last), torch.tensor(lean)

            def forward(self, ids):
                return self.last(self.words(ids).mean(1))

        model = Words().eval()
    else:
        import keras

        inputs = keras.Input((8,), dtype="int32")
        words, dense = keras.layers.Embedding(20, 2), keras.layers.Dense(2)
        model = keras.Model(inputs, dense(keras.layers.GlobalAveragePooling1D()(words(inputs))))
        words.set_weights([table])
        dense.set_weights([last, lean])
    return subject(model, ids, bear.astype(np.int64)), 7


def one_moment(framework: str, *, regression: bool = False) -> tuple[Subject, str, int]:
    """Series of three sensors and 32 steps; step 20 of the sensor `heat` alone decides, by a convolution set by hand."""
    rng = np.random.default_rng(1)
    series = rng.standard_normal((300, 32, 3)).astype(np.float32)
    answers = 3.0 * series[:, 20, 1] if regression else (series[:, 20, 1] > 0).astype(np.int64)
    weights = np.zeros((96, 1 if regression else 2), np.float32)
    weights[20 * 3 + 1] = 3.0 if regression else (-3.0, 3.0)
    kernel = np.eye(3, dtype=np.float32)[None]  # (1, 3, 3): each sensor as it is
    width = weights.shape[1]
    if framework == "torch":
        import torch
        from torch import nn

        first, dense = nn.Conv1d(3, 3, 1, bias=False), nn.Linear(96, width, bias=False)
        first.weight.data = torch.tensor(kernel.transpose(2, 1, 0))
        dense.weight.data = torch.tensor(weights.reshape(32, 3, width).transpose(1, 0, 2).reshape(96, width).T.copy())
        model, series = (
            nn.Sequential(first, nn.Flatten(), dense).eval(),
            np.ascontiguousarray(series.transpose(0, 2, 1)),
        )
    else:
        import keras

        layers = [keras.layers.Conv1D(3, 1, use_bias=False), keras.layers.Flatten()]
        model = keras.Sequential([keras.Input((32, 3)), *layers, keras.layers.Dense(width, use_bias=False)])
        model.layers[0].set_weights([kernel])
        model.layers[-1].set_weights([weights])
    return subject(model, series, answers, feature_names=("load", "heat", "noise")), "heat", 20


@pytest.mark.parametrize("framework", ["torch", "keras"])
def test_the_planted_models_do_what_they_are_said_to(framework):
    words, _ = one_word(framework)
    moment, _, _ = one_moment(framework)
    assert (words.predicted == words.labels).all()
    assert (moment.predicted == moment.labels).all()
    assert (words.kind, moment.kind) == ("tokens", "series")
