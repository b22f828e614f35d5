"""How far can a change within the data's noise, which leaves the decision alone, move the map? (Ghorbani 2019)"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dlexplain.audit.sections.knowledge_answers import decided, outputs_at
from dlexplain.audit.subject import Subject
from dlexplain.evaluation.explainer import Examinee, of_method
from dlexplain.frameworks.questions import Inputs

NOISE = 0.1  # of each feature's deviation: no value moves further
_SAMPLES, _ROUNDS, _TOP = 10, 6, 0.1


@dataclass(frozen=True, eq=False)
class Moved:
    """`distance`: `(n,)`, 1 - Spearman's correlation of the map before and after the worst change found.
    `overlap`: `(n,)`, the share of the leading tenth of the features that still leads. `rounds`: changes tried."""

    distance: np.ndarray
    overlap: np.ndarray
    rounds: int
    top: int


def moved(subject: Subject, method: str) -> Moved:
    """A climb by random steps: each that moves the map further and leaves the decision is kept."""
    part = subject.sample("map fragility", _SAMPLES)
    inputs, target = tuple(a[part] for a in subject.inputs), subject.target(part)
    was = decided(subject, outputs_at(subject, inputs)) if subject.task == "classification" else None
    ask = _examinee(subject, method)
    scale = [NOISE * a.std(0, keepdims=True) for a in subject.inputs]
    before = _flat(ask(subject.model, inputs, target, subject.seed))
    rng = subject.rng("map fragility")
    shift = [np.zeros(a.shape) for a in inputs]
    distance, worst = np.zeros(len(part)), before
    for _ in range(_ROUNDS):
        step = [np.clip(s + rng.choice((-1.0, 1.0), s.shape) * e, -e, e) for s, e in zip(shift, scale, strict=True)]
        changed = tuple((a + s).astype(a.dtype) for a, s in zip(inputs, step, strict=True))
        after = _flat(ask(subject.model, changed, target, subject.seed))
        far = 1 - _spearman(before, after)
        better = far > distance
        if was is not None:
            better &= decided(subject, outputs_at(subject, changed)) == was
        distance, worst = np.where(better, far, distance), np.where(better[:, None], after, worst)
        shift = [np.where(better.reshape(-1, *[1] * (s.ndim - 1)), t, s) for s, t in zip(shift, step, strict=True)]
    top = max(1, round(_TOP * before.shape[1]))
    lead, still = (np.argsort(-np.abs(m), 1, kind="stable")[:, :top] for m in (before, worst))
    overlap = np.array([len(np.intersect1d(a, b)) / top for a, b in zip(lead, still, strict=True)])
    return Moved(distance, overlap, _ROUNDS, top)


def _examinee(subject: Subject, method: str) -> Examinee:
    from dlexplain.attribution import registry

    if method in subject.explainers:
        return subject.explainers[method]
    lower = tuple(b[0] for b in subject.baseline)
    given = None if registry.get(method).baseline == "none" else lower if len(lower) > 1 else lower[0]
    return of_method(method, given)


def _flat(values: Inputs) -> np.ndarray:
    return np.concatenate([np.asarray(v, np.float64).reshape(len(v), -1) for v in values], 1)


def _spearman(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """`(n,)`: rank correlation row by row; 1 where both maps are constant."""
    from scipy.stats import rankdata

    a, b = (rankdata(m, axis=1) - (m.shape[1] + 1) / 2 for m in (a, b))
    size = np.sqrt(np.square(a).sum(1) * np.square(b).sum(1))
    return np.divide((a * b).sum(1), size, out=np.ones(len(a)), where=size > 0)
