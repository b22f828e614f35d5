"""Correlation of rows with rows; not a number where one of them is constant."""

from __future__ import annotations

import numpy as np


def pearson(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """`(n,)`: Pearson's correlation of each row of `a` with that row of `b`, both `(n, k)`."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    # What is left of a constant row after its mean is rounding, not variation.
    still = (np.ptp(a, 1) <= 1e-12 * np.abs(a).max(1)) | (np.ptp(b, 1) <= 1e-12 * np.abs(b).max(1))
    a, b = a - a.mean(1, keepdims=True), b - b.mean(1, keepdims=True)
    size = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    together = np.einsum("nk,nk->n", a, b)
    found = np.full(len(a), np.nan)
    np.divide(together, size, out=found, where=~still & (size > 0))
    return np.clip(found, -1, 1)


def spearman(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """`(n,)`: the correlation of the ranks, ties averaged."""
    return pearson(ranks(a), ranks(b))


def ranks(values: np.ndarray) -> np.ndarray:
    """`(n, k)`: ranks within each row from 1 on, ties averaged."""
    order = np.argsort(values, 1, kind="stable")
    ordered = np.take_along_axis(values, order, 1)
    k = values.shape[1]
    first = np.concatenate([np.ones((len(values), 1), bool), ordered[:, 1:] != ordered[:, :-1]], 1)
    last = np.concatenate([first[:, 1:], np.ones((len(values), 1), bool)], 1)
    start = np.maximum.accumulate(np.where(first, np.arange(k), 0), 1)
    end = np.minimum.accumulate(np.where(last, np.arange(k), k)[:, ::-1], 1)[:, ::-1]
    found = np.empty(values.shape)
    np.put_along_axis(found, order, (start + end) / 2 + 1, 1)
    return found
