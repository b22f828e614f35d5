"""Gradients summed along a curve in the space of inputs, so finely that each piece accounts for its own change."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from dlexplain.attribution.case import Case
from dlexplain.frameworks.questions import Inputs, blocks

_NODES, _ROUNDS, _LIMIT = 4, 24, 4096


class Curve(Protocol):
    """A path a sample; `rows`: which samples, `t`: where on their paths, from 0 to 1; arrays `(len(rows), *shape)`."""

    def at(self, rows: np.ndarray, t: np.ndarray) -> Inputs:
        """The points."""

    def speed(self, rows: np.ndarray, t: np.ndarray) -> tuple[np.ndarray | None, ...]:
        """How they change with t; None for an input that stays."""


def fixed(case: Case, curve: Curve, steps: int) -> Inputs:
    """Gauss-Legendre points on the whole curve; float64 in the inputs' shapes."""
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    values = [np.zeros(x.shape) for x in case.inputs]
    rows, which = np.repeat(np.arange(len(case)), steps), np.tile(np.arange(steps), len(case))
    for b in blocks(len(rows), case.rows):
        for value, product in zip(values, _products(case, curve, rows[b], (nodes[which[b]] + 1) / 2), strict=True):
            np.add.at(value, rows[b], product * (weights[which[b]] / 2).reshape(-1, *[1] * (product.ndim - 1)))
    return tuple(values)


def halving(case: Case, curve: Curve, allowed: np.ndarray, first: int) -> tuple[Inputs, np.ndarray]:
    """Pieces of each curve, `first` of them to begin with; those that miss too much of their change are halved.

    `allowed`: `(n,)`, how far the values of a sample may be from summing to the output's change. Also gives how many
    points each sample took.
    """
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    rounding = 2 * np.finfo(np.float32).eps * np.abs(case.output)
    values, used = [np.zeros(x.shape) for x in case.inputs], np.zeros(len(case), np.int64)
    rows = np.repeat(np.arange(len(case)), first)
    starts, width = np.tile(np.arange(first) / first, len(case)), 1 / first
    for _ in range(_ROUNDS):
        doubtful, missed, missing = [np.zeros(x.shape) for x in case.inputs], np.zeros(len(case)), []
        for b in blocks(len(rows), max(1, case.rows // _NODES)):
            r, low = rows[b], starts[b]
            t = low[:, None] + (nodes + 1) / 2 * width
            products = _products(case, curve, np.repeat(r, _NODES), t.ravel())
            sums = [
                np.einsum("k,nk...->n...", weights / 2 * width, p.reshape(len(r), _NODES, *p.shape[1:]))
                for p in products
            ]
            rise = scores(case, curve, r, low + width) - scores(case, curve, r, low)
            gap = np.abs(sum(s.reshape(len(s), -1).sum(1) for s in sums) - rise)
            misses = gap > np.maximum(allowed[r] * max(width, 1 / 64), rounding[r])
            for value, doubt, s in zip(values, doubtful, sums, strict=True):
                np.add.at(value, r[~misses], s[~misses])
                np.add.at(doubt, r[misses], s[misses])
            np.add.at(missed, r[misses], gap[misses])
            missing.append((r[misses], low[misses]))
        used += np.bincount(rows, minlength=len(case)) * _NODES
        rows, starts = (np.concatenate(part) for part in zip(*missing, strict=True))
        # Enough is known of a sample whose pieces together miss less than it may; or it has taken all it may take.
        done = (missed <= allowed) | (used >= _LIMIT)
        for value, doubt in zip(values, doubtful, strict=True):
            value[done] += doubt[done]
        rows, starts, width = np.tile(rows[~done[rows]], 2), starts[~done[rows]], width / 2
        starts = np.concatenate([starts, starts + width])
        if not len(rows):
            return tuple(values), used
    for value, doubt in zip(values, doubtful, strict=True):
        value[~done] += doubt[~done]
    return tuple(values), used


def scores(case: Case, curve: Curve, rows: np.ndarray, t: np.ndarray) -> np.ndarray:
    """`(len(rows),)`: the target at points of the curves."""
    return case.model.scores(curve.at(rows, t), case.target.take(rows), case.rows).astype(np.float64)


def _products(case: Case, curve: Curve, rows: np.ndarray, t: np.ndarray) -> Inputs:
    """Gradient times the change of the point, `(len(rows), *shape)` an input; zeros for one that stays."""
    parts = []
    for b in blocks(len(rows), case.rows):
        points = curve.at(rows[b], t[b])
        _, gradients = case.model.one_gradient(points, case.target.take(rows[b]))
        both = zip(points, gradients, curve.speed(rows[b], t[b]), strict=True)
        parts.append([np.zeros(p.shape) if s is None else g * s for p, g, s in both])
    return tuple(map(np.concatenate, zip(*parts, strict=True)))
