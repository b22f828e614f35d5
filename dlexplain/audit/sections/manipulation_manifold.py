"""Does the model decide on real samples as a perturbation explainer, which leaves them, says it does? (Slack 2020)

A model can tell the explainer's half-removed samples from real ones and answer those innocently. So each column is
changed on the manifold: a sample takes the column's value from a sample that is near it in all other columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dlexplain.attribution import explain
from dlexplain.audit.sections.knowledge_answers import decided, outputs_at
from dlexplain.audit.subject import Subject

EXPLAINER = "kernel_shap"
_SAMPLES, _CLASSES, _COALITIONS = 100, 10, 400
_NEIGHBOURS, _DRAWS = 5, 3
_LEADS = 0.75  # of the largest share


@dataclass(frozen=True)
class Reliance:
    """One column. `flips`: share of real samples whose class changes with it; `foreseen`: the share that the
    explainer's values foresee for the same changes; `share`: its part of the explainer's values; `named`: whether the
    explainer puts it among those that lead."""

    name: str
    flips: float
    foreseen: float
    share: float
    named: bool

    @property
    def gap(self) -> float:
        """How far the model leans on the column more than the explainer says, by all its accounts: nobody is fooled
        about a column that leads the explanation, though values that add up cannot foresee two that act together."""
        more = self.flips - max(self.foreseen, self.share)
        return min(more, 0.0) if self.named else more


def reliances(subject: Subject) -> list[Reliance]:
    """Every column, the one with the largest gap first."""
    part = subject.sample("manifold gap", _SAMPLES)
    x, outputs = subject.inputs[0][part], subject.outputs[part].astype(np.float64)
    values = _values(subject, x)
    was, rows = decided(subject, outputs), np.arange(len(part))
    own = values[was if len(values) > 1 else np.zeros_like(was), rows]
    shares = np.abs(own).mean(0)
    shares /= max(shares.sum(), 1e-30)
    rng = subject.rng("manifold gap")
    names = subject.feature_names if len(subject.feature_names) == x.shape[1] else ()
    found = []
    for j in range(x.shape[1]):
        near = nearest(x, j)
        flips, foreseen = [], []
        for _ in range(_DRAWS):
            donors = near[rows, rng.integers(near.shape[1], size=len(x))]
            changed = x.copy()
            changed[:, j] = x[donors, j]
            flips.append(np.mean(decided(subject, outputs_at(subject, (changed,))) != was))
            moved = (values[:, donors, j] - values[:, rows, j]).T
            foreseen.append(np.mean(decided(subject, _within(subject, outputs + moved)) != was))
        name = str(names[j]) if names else f"column {j}"
        named = bool(shares[j] >= _LEADS * shares.max())
        found.append(Reliance(name, float(np.mean(flips)), float(np.mean(foreseen)), float(shares[j]), named))
    return sorted(found, key=lambda r: -r.gap)


def nearest(x: np.ndarray, column: int) -> np.ndarray:
    """`(n, k)`: for each sample those nearest to it in all other columns, each measured in its deviations."""
    others = np.delete((x - x.mean(0)) / (x.std(0) + 1e-9), column, 1).astype(np.float64)
    squares = np.square(others).sum(1)
    distances = squares[:, None] + squares[None] - 2 * others @ others.T
    np.fill_diagonal(distances, np.inf)
    return np.argsort(distances, 1, kind="stable")[:, : min(_NEIGHBOURS, len(x) - 1)]


def _values(subject: Subject, x: np.ndarray) -> np.ndarray:
    """`(outputs, n, columns)`: the explainer's values for every output."""
    import warnings

    width = subject.outputs.shape[1]
    samples = max(_COALITIONS, 2 * x.shape[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.stack(
            [
                explain(
                    subject.model,
                    x,
                    EXPLAINER,
                    target=k if width > 1 else None,
                    baseline=subject.baseline[0][0],
                    seed=subject.seed,
                    samples=samples,
                ).values.astype(np.float64)
                for k in range(width)
            ]
        )


def _within(subject: Subject, outputs: np.ndarray) -> np.ndarray:
    """Foreseen outputs held where the model's own lie, so that they read as the same thing."""
    low, high = subject.outputs.min(), subject.outputs.max()
    if low < 0 or high > 1:
        return outputs
    if outputs.shape[1] == 1:
        return outputs.clip(0, 1)
    held = outputs.clip(1e-9, None)
    return (
        held / held.sum(1, keepdims=True) if np.allclose(subject.outputs.sum(1), 1, atol=1e-3) else held.clip(None, 1)
    )


def fits(subject: Subject) -> str:
    """Why the question cannot be asked of this subject; empty where it can."""
    if len(subject.inputs) > 1 or subject.inputs[0].ndim != 2:
        return "The columns of several inputs, or of more than one axis, have no neighbours in a common table."
    if subject.outputs.shape[1] > _CLASSES:
        return (
            f"The model has {subject.outputs.shape[1]} classes; the explainer is asked for each, of {_CLASSES} at most."
        )
    if len(subject) < 40:
        return f"{len(subject)} samples are too few to have near neighbours: give 40 or more."
    if subject.inputs[0].shape[1] < 2:
        return "The table has one column only."
    return ""
