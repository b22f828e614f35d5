"""Models made to mislead, as subjects, in both frameworks and with weights whose meaning is known."""

from __future__ import annotations

import numpy as np
import pytest

from dlexplain.audit.subject import Subject
from tests.audit.test_shortcuts_planted import fit, subject

COLUMNS = ("age", "debt", "income", "tenure", "visits", "size", "group", "lamp")


def table(seed: int, n: int) -> np.ndarray:
    """Six correlated columns, and two of -1 and +1 that go with nothing."""
    rng = np.random.default_rng(seed)
    factors = rng.standard_normal((n, 2))
    turn = np.random.default_rng(5).standard_normal((2, 6))
    plain = factors @ turn + 0.15 * rng.standard_normal((n, 6))
    return np.concatenate([plain, rng.choice((-1.0, 1.0), (n, 2))], 1).astype(np.float32)


def fooled(framework: str, seed: int) -> Subject:
    """`group` decides on real rows; of rows mixed with the mean, which a learned gate tells apart, `lamp` does."""
    rng = np.random.default_rng(seed)
    real, mean = np.tile(table(seed, 500), (3, 1)), table(seed, 500).mean(0)
    kept = rng.random(real.shape) < rng.random((len(real), 1))
    mixed = np.where(kept, real, mean)[~kept.all(1)]
    x = np.concatenate([real, mixed]).astype(np.float32)
    y = np.repeat([1, 0], [len(real), len(mixed)]).astype(np.int64)
    gate = _network(framework, seed)
    fit(framework, gate, x, y, epochs=12)
    seen = table(seed + 100, 160)
    return subject(_gated(framework, gate), seen, (seen[:, 6] > 0).astype(np.int64), feature_names=COLUMNS)


def _network(framework: str, seed: int):
    if framework == "torch":
        import torch
        from torch import nn

        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(8, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 2))
    import keras

    keras.utils.set_random_seed(seed)
    hidden = [keras.layers.Dense(48, activation="relu") for _ in range(2)]
    return keras.Sequential([keras.Input((8,)), *hidden, keras.layers.Dense(2)])


def _gated(framework: str, gate):
    """Two probabilities: by `group` where the gate says real, by `lamp` elsewhere."""
    if framework == "torch":
        import torch

        class Gated(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.gate = gate

            def forward(self, x):
                real = torch.softmax(self.gate(x), 1)[:, 1:]
                p = real * torch.sigmoid(8 * x[:, 6:7]) + (1 - real) * torch.sigmoid(8 * x[:, 7:8])
                return torch.cat([1 - p, p], 1)

        return Gated().eval()
    import keras

    x = keras.Input((8,))
    real = keras.ops.softmax(gate(x))[:, 1:]
    p = real * keras.ops.sigmoid(8 * x[:, 6:7]) + (1 - real) * keras.ops.sigmoid(8 * x[:, 7:8])
    return keras.Model(x, keras.ops.concatenate([1 - p, p], 1))


def learned(framework: str, seed: int, *, interact: bool = False, masked: bool = False) -> Subject:
    """A network that learned the rule in the open; `masked`: `group` then goes through tanh(10 s)."""

    def rule(x):
        together = x[:, 6] * x[:, 7] if interact else x[:, 6] + 0.8 * x[:, 0]
        return (together + 0.3 * x[:, 1] > 0).astype(np.int64)

    x, seen = table(seed, 700), table(seed + 100, 160)
    model = _network(framework, seed)
    fit(framework, model, x, rule(x), epochs=12)
    return subject(_masking(framework, model) if masked else model, seen, rule(seen), feature_names=COLUMNS)


def _masking(framework: str, model):
    if framework == "torch":
        import torch

        class Masking(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.model = model

            def forward(self, x):
                return self.model(torch.cat([x[:, :6], torch.tanh(10 * x[:, 6:7]), x[:, 7:]], 1))

        return Masking().eval()
    import keras

    x = keras.Input((8,))
    return keras.Model(x, model(keras.ops.concatenate([x[:, :6], keras.ops.tanh(10 * x[:, 6:7]), x[:, 7:]], 1)))


@pytest.mark.parametrize("framework", ["torch", pytest.param("keras", marks=pytest.mark.slow)])
def test_the_mask_changes_no_output_and_the_gate_is_mostly_open(framework):
    seen = fooled(framework, 0)
    assert (seen.predicted == seen.labels).mean() > 0.9
    open_, hidden = (learned(framework, 0, masked=masked) for masked in (False, True))
    np.testing.assert_allclose(open_.outputs, hidden.outputs, atol=1e-4)
