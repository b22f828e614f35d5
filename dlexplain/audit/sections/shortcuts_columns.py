"""Leakage in a table: a column that alone tells the answer, and that leads the attributions too."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from dlexplain.audit.examined import maps
from dlexplain.audit.subject import Subject

ALONE = 0.99
_CLASSES, _EXPLAINED = 12, 128


@dataclass(frozen=True)
class Column:
    """`alone`: how well the column by itself tells the answer, 0.5 to 1. `share`: its part of all attribution."""

    name: str
    alone: float
    share: float


def columns(subject: Subject, method: str) -> list[Column]:
    """Every column, the one that the model leans on most first."""
    part = subject.sample("univariate leakage", _EXPLAINED)
    values = maps(subject, method, part)
    sizes = np.concatenate([np.abs(v).reshape(len(v), -1).mean(0) for v in values])
    shares = sizes / max(sizes.sum(), 1e-30)
    data = np.concatenate([a.reshape(len(a), -1) for a in subject.inputs], 1)
    names = subject.feature_names if len(subject.feature_names) == len(shares) else None
    rows = [
        Column(str(names[j]) if names else f"column {j}", alone(subject, data[:, j]), float(shares[j]))
        for j in range(len(shares))
    ]
    return sorted(rows, key=lambda c: -c.share)


def alone(subject: Subject, values: np.ndarray) -> float:
    """How well one column tells the answer: the smallest area under the ROC curve over pairs of classes, either way
    round; for a regression half of 1 plus the size of Spearman's correlation."""
    from scipy.stats import rankdata

    labels = subject.labels
    if subject.task == "regression":
        a, b = rankdata(values), rankdata(labels)
        size = abs(float(np.corrcoef(a, b)[0, 1])) if a.std() and b.std() else 0.0
        return 0.5 + size / 2
    classes, counts = np.unique(labels, return_counts=True)
    often = np.sort(classes[np.argsort(-counts, kind="stable")[:_CLASSES]])
    areas = []
    for first, second in combinations(often, 2):
        one, other = values[labels == first], values[labels == second]
        ranks = rankdata(np.concatenate([one, other]))[: len(one)]
        area = (ranks.sum() - len(one) * (len(one) + 1) / 2) / (len(one) * len(other))
        areas.append(max(area, 1 - area))
    return float(min(areas, default=0.5))
