"""Rates of the positive answer by group, with Fairlearn where it is installed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dlexplain.audit.sections.slices_search import LEAST


@dataclass(frozen=True)
class Rates:
    """`groups`: name and (rows, selection rate, true positive rate, false positive rate). The others: the largest
    difference between two groups."""

    column: str
    groups: tuple[tuple[str, tuple[int, float, float, float]], ...]
    selection: float
    true_positive: float
    false_positive: float
    fairlearn: bool

    @property
    def odds(self) -> float:
        return max(self.true_positive, self.false_positive)


def rates(
    column: str, groups: Sequence[tuple[str, np.ndarray]], labels: np.ndarray, predicted: np.ndarray
) -> Rates | None:
    """The rates of the groups that have enough rows and both classes; None for fewer than two of them."""
    usable = [(name, rows) for name, rows in groups if rows.sum() >= LEAST and len(np.unique(labels[rows])) == 2]
    if len(usable) < 2:
        return None
    names = np.full(len(labels), "", object)
    for name, rows in usable:
        names[rows] = name
    inside = names != ""
    by_fairlearn = _with_fairlearn(labels[inside], predicted[inside], names[inside])
    figures = by_fairlearn or {name: _plain(labels[rows], predicted[rows]) for name, rows in usable}
    found = tuple((name, (int(rows.sum()), *figures[name])) for name, rows in usable)
    spread = np.ptp(np.array([f[1:] for _, f in found]), axis=0)
    return Rates(column, found, *map(float, spread), by_fairlearn is not None)


def _with_fairlearn(
    labels: np.ndarray, predicted: np.ndarray, groups: np.ndarray
) -> dict[str, tuple[float, float, float]] | None:
    try:
        from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate, true_positive_rate
    except ImportError:
        return None
    metrics = {"selection": selection_rate, "true": true_positive_rate, "false": false_positive_rate}
    frame = MetricFrame(metrics=metrics, y_true=labels, y_pred=predicted, sensitive_features=groups.astype(str))
    return {str(name): tuple(float(row[m]) for m in metrics) for name, row in frame.by_group.iterrows()}


def _plain(labels: np.ndarray, predicted: np.ndarray) -> tuple[float, float, float]:
    positive = predicted == 1
    return float(positive.mean()), float(positive[labels == 1].mean()), float(positive[labels == 0].mean())
