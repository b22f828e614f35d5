"""Groups of features that say the same: their attributions are told together, since each alone is a matter of chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dlexplain.evaluation.correlation import ranks

if TYPE_CHECKING:
    from dlexplain.audit.subject import Subject

CLOSE, MOST = 0.8, 2000


def collinear(columns: np.ndarray) -> list[list[int]]:
    """Numbers of columns `(n, d)` in groups in which every two have a Spearman correlation of over 0.8 in size.

    Each column is in one group; the largest group first.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    d = columns.shape[1]
    if d < 2:
        return [[i] for i in range(d)]
    standard = ranks(columns.T.astype(np.float64))
    standard -= standard.mean(1, keepdims=True)
    size = np.linalg.norm(standard, axis=1)
    standard /= np.where(size > 0, size, 1)[:, None]
    distance = 1 - np.clip(np.abs(standard @ standard.T), 0, 1)
    np.fill_diagonal(distance, 0)
    labels = fcluster(linkage(squareform(distance, checks=False), "complete"), 1 - CLOSE, "distance")
    found = [np.flatnonzero(labels == label).tolist() for label in np.unique(labels)]
    return sorted(found, key=lambda group: (-len(group), group))


def columns(subject: Subject) -> np.ndarray | None:
    """`(n, features)` of a table, `(n, sensors)` means over time of a series; None for other inputs."""
    if len(subject.inputs) > 1 or subject.kind not in ("table", "series"):
        return None
    array = subject.inputs[0][subject.sample("groups", MOST)].astype(np.float64)
    if subject.kind == "table":
        return array.reshape(len(array), -1)
    if array.ndim == 2:
        return None
    return array.mean(2 if subject.model.layout == "channels_first" else 1)
