"""Of the data sheet: do the audited data come from where the training data came from?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dlexplain.audit.check import check
from dlexplain.audit.record import Check
from dlexplain.audit.sections.data_sheet_columns import GIVE_TRAIN
from dlexplain.audit.sections.slices_search import largest_discovery

if TYPE_CHECKING:
    from dlexplain.audit.subject import Subject
    from dlexplain.frameworks.questions import Inputs

MOST = 4_000  # rows of either side
FALSE = 0.05
EFFECT = 0.10  # of a Kolmogorov-Smirnov distance, below which a difference is real but small
TOLD_APART = 0.55  # the lower end of the classifier's AUC from which on the two sets are different
_PARTS = 20  # principal components a classifier sees


@dataclass(frozen=True)
class Shift:
    """One property in the training data and here: the largest distance of their distributions, and its probability."""

    name: str
    distance: float
    p: float
    train: float
    here: float
    drifted: bool


@dataclass(frozen=True)
class Drift:
    """`auc`: how well a simple classifier tells training from audited rows; .5 is not at all."""

    shifts: tuple[Shift, ...]
    auc: float
    low: float
    rows: tuple[int, int]

    @property
    def drifted(self) -> tuple[Shift, ...]:
        """The farthest first."""
        return tuple(sorted((s for s in self.shifts if s.drifted), key=lambda s: (-s.distance, s.name)))

    @property
    def told_apart(self) -> bool:
        return self.low > TOLD_APART


@check(section=3, title="No drift from training to audited data")
def drift(subject: Subject) -> Check:
    """How many properties are distributed otherwise than in training, and whether a classifier tells the two apart."""
    if subject.train is None:
        return subject.judged("drift", None, status="NOT RUN", reason="No training data were given.", advice=GIVE_TRAIN)
    found = measured(subject)
    if min(found.rows) < 30:
        return subject.judged(
            "drift",
            None,
            status="INCONCLUSIVE",
            reason=f"{found.rows[0]} training rows and {found.rows[1]} audited rows are too few to compare.",
            advice="Give at least 30 of each.",
        )
    said = [
        f"{s.name}: {s.train:.4g} on average in training, {s.here:.4g} here (distance {s.distance:.2f})"
        for s in found.drifted
    ]
    parts = (
        ["Drifted: " + "; ".join(said[:4]) + (f"; and {len(said) - 4} more" if len(said) > 4 else "") + "."]
        if said
        else []
    )
    apart = f"a simple classifier tells training from audited rows with an AUC of {found.auc:.3g}"
    parts.append(f"{apart[0].upper()}{apart[1:]}." if found.told_apart else "")
    reason = " ".join(filter(None, parts)) or (
        f"Not detected: none of {len(found.shifts)} properties is distributed otherwise by {EFFECT:g} or more, and {apart}."
    )
    return subject.judged(
        "drift",
        len(found.drifted) + found.told_apart,
        reason=reason,
        advice="Ask why they differ. If these data are what the model will meet, performance here is what counts, and training "
        "on older data has a cost.",
        evidence=("drift",),
    )


def measured(subject: Subject) -> Drift:
    return subject.once("drift", lambda: _measured(subject))


def _measured(subject: Subject) -> Drift:
    rng = subject.rng("drift")
    old = _some(rng, len(subject.train[0][0]))
    new = _some(rng, len(subject))
    train, here = tuple(a[old] for a in subject.train[0]), tuple(a[new] for a in subject.inputs)
    first, second = properties(subject, train), properties(subject, here)
    pairs = [(name, first[name], second[name]) for name in first]
    pairs.append(("the known answer", subject.train[1][old].astype(float), subject.labels[new].astype(float)))
    shifts = _shifts(pairs)
    auc = _classifier(_flat(subject, train), _flat(subject, here), rng)
    return Drift(tuple(shifts), auc, auc - 1.645 * _deviation(auc, len(old), len(new)), (len(old), len(new)))


def properties(subject: Subject, inputs: Inputs) -> dict[str, np.ndarray]:
    """`{name: (n,)}`: of a table its columns, of pictures how bright, contrasted and sharp, of series each channel's mean
    and spread, of tokens the length and the mean id."""
    array = inputs[0]
    first = subject.model.layout == "channels_first"
    if subject.kind == "table":
        flat = np.concatenate([a.reshape(len(a), -1) for a in inputs], 1)
        return dict(zip(subject.feature_names, flat.T.astype(float), strict=True))
    if subject.kind == "image":
        rows = array.reshape(len(array), -1).astype(float)
        axes = (-2, -1) if first or array.ndim == 3 else (1, 2)
        steps = [np.abs(np.diff(array, axis=a)).reshape(len(array), -1).mean(1) for a in axes if array.shape[a] > 1]
        return {
            "brightness": rows.mean(1),
            "contrast": rows.std(1),
            "sharpness": np.mean(steps, 0) if steps else rows[:, 0],
        }
    if subject.kind == "series":
        series = array[..., None] if array.ndim == 2 else np.moveaxis(array, 1, -1) if first else array
        found = {}
        for i, name in enumerate(subject.feature_names):
            found[f"mean of {name}"] = series[..., i].mean(1).astype(float)
            found[f"spread of {name}"] = series[..., i].std(1).astype(float)
        return found
    pad = subject.model.padding(0) or 0
    held = array != pad
    return {"length": held.sum(1).astype(float), "mean token id": (array * held).sum(1) / np.maximum(held.sum(1), 1)}


def _shifts(pairs: list[tuple[str, np.ndarray, np.ndarray]]) -> list[Shift]:
    from scipy.stats import ks_2samp

    found = [(name, a, b, ks_2samp(a, b, method="asymp")) for name, a, b in pairs]
    limit = largest_discovery([float(t.pvalue) for *_, t in found], FALSE)
    return [
        Shift(
            name,
            float(t.statistic),
            float(t.pvalue),
            float(a.mean()),
            float(b.mean()),
            bool(t.pvalue <= limit and t.statistic >= EFFECT),
        )
        for name, a, b, t in found
    ]


def _flat(subject: Subject, inputs: Inputs) -> np.ndarray:
    """`(n, d)`: what the classifier sees; of token ids how often each of the first 200 occurs."""
    if subject.kind == "tokens":
        array = inputs[0]
        return np.stack([(array == token).mean(1) for token in range(200)], 1)
    return np.concatenate([a.reshape(len(a), -1) for a in inputs], 1).astype(np.float64)


def _classifier(train: np.ndarray, here: np.ndarray, rng: np.random.Generator) -> float:
    """The AUC, out of sample, of a logistic regression on values, or principal components, with all their products."""
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    rows = np.concatenate([train, here])
    of = np.r_[np.zeros(len(train), int), np.ones(len(here), int)]
    spread = rows.std(0)
    rows = (rows - rows.mean(0)) / np.where(spread > 0, spread, 1)
    wide = int(np.clip(len(rows) // 40, 2, _PARTS))
    if rows.shape[1] > wide:
        seed = int(rng.integers(2**31))
        rows = PCA(wide, svd_solver="randomized", random_state=seed).fit_transform(rows)
    rows = StandardScaler().fit_transform(PolynomialFeatures(2, include_bias=False).fit_transform(rows))
    half = rng.permutation(len(rows)) % 2 == 0
    areas = []
    for fit in (half, ~half):
        if len(np.unique(of[fit])) < 2 or len(np.unique(of[~fit])) < 2:
            return 0.5
        model = LogisticRegression(C=0.1, max_iter=300, class_weight="balanced").fit(rows[fit], of[fit])
        areas.append(roc_auc_score(of[~fit], model.decision_function(rows[~fit])))
    return float(np.mean(areas))


def _deviation(auc: float, m: int, n: int) -> float:
    """The standard error of an AUC of m against n rows (Hanley and McNeil 1982)."""
    auc = min(max(auc, 1e-6), 1 - 1e-6)
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    return float(np.sqrt((auc * (1 - auc) + (n - 1) * (q1 - auc**2) + (m - 1) * (q2 - auc**2)) / (m * n)))


def _some(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.arange(n) if n <= MOST else np.sort(rng.choice(n, MOST, replace=False))
