"""How the output's difference from a baseline is shared among the inputs, by summing gradients on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from dlexplain.attribution.case import Case, Found, to_tokens
from dlexplain.attribution.families.gradients import count
from dlexplain.attribution.method import method
from dlexplain.errors import InputError
from dlexplain.frameworks.questions import Inputs, Points

_FIRST, _DOUBLED, _NODES, _ROUNDS = 16, 64, 4, 24


@method(
    family="path",
    answers="How is the change from the baseline shared among the inputs?",
    cost="16 to 4096 x (1 forward, 1 backward), by the gap",
    cannot="the answer is relative to the baseline",
    paper="arXiv:1703.01365",
    complete=True,
    baseline="zeros",
    at_embedding=True,
    tolerance=0.001,
)
def integrated_gradients(case: Case, *, steps: int | None = None, tolerance: float = 1e-3) -> Found:
    """(x - b) times the mean gradient on the straight line from b to x, by Gauss-Legendre quadrature.

    `steps=None`: as many as bring the relative gap of each sample under `tolerance`: doubled from 16 to 64, then only
    the pieces of the line that still miss are halved, at most 24 times.
    Sundararajan, Taly, Yan (2017), Axiomatic Attribution for Deep Networks, arXiv:1703.01365.
    """
    if case.background and len(case.baseline[0]) > 1:
        raise InputError(
            f"baseline: integrated_gradients takes one baseline, and a background set of {len(case.baseline[0])} was given. "
            "Use method='expected_gradients' to average over a background set."
        )

    def line(steps: int) -> Points:
        nodes, weights = np.polynomial.legendre.leggauss(steps)
        return Points(weights / 2, (nodes + 1) / 2, case.baseline, contribution=True)

    found = _adaptive(case, line, steps, "steps", tolerance, _DOUBLED)
    still = np.flatnonzero(case.relative_gap(found.values)[1] > tolerance)
    on_ids = any(vocabulary is not None for vocabulary in case.model.token_inputs(case.inputs))
    if steps is not None or not len(still):
        return found
    if on_ids:  # between two ids there is no id at which a piece of the line could begin
        return _adaptive(case, line, None, "steps", tolerance, 1024)
    used = 0
    for i in still:
        pieces, evaluated = _halved(case.take(np.array([i])), tolerance)
        used = max(used, evaluated)
        for value, piece in zip(found.values, pieces, strict=True):
            value[i] = piece
    return Found(found.values, {**found.chosen, "steps": max(used, found.chosen["steps"])})


def _halved(case: Case, tolerance: float) -> tuple[list[np.ndarray], int]:
    """One sample's line cut in pieces, each integrated with a few points; and how many points that took.

    A piece accounts for the output's change between its own ends, so each piece knows its own gap: only pieces
    that miss more than their share are halved. A kink of a ReLU is then closed in on by bisection.
    """
    x, b = ([a[0].astype(np.float64) for a in arrays] for arrays in (case.inputs, case.baseline))
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    size = max(abs(case.difference[0]), 1e-3 * max(abs(case.output[0]), abs(case.baseline_output[0])))
    total, waiting, used = [np.zeros(a.shape) for a in x], np.linspace(0, 1, 9), 0
    starts, ends = waiting[:-1], waiting[1:]
    allowed = tolerance * size / 2
    for turn in range(_ROUNDS):
        low, high = (
            tuple(
                (c + t.reshape(-1, *[1] * c.ndim) * (a - c)).astype(k.dtype)
                for a, c, k in zip(x, b, case.inputs, strict=True)
            )
            for t in (starts, ends)
        )
        goal = replace(case.target, index=np.repeat(case.target.index, len(starts), 0))
        points = Points(weights / 2, (nodes + 1) / 2, low, contribution=True)
        sums, _ = case.model.many_gradients(high, goal, points, case.rows)
        rise = case.model.scores(high, goal, case.rows).astype(np.float64) - case.model.scores(low, goal, case.rows)
        used += len(starts) * _NODES
        gaps = np.abs(sum(s.reshape(len(s), -1).sum(1) for s in sums) - rise)
        missing = gaps > allowed * np.maximum(ends - starts, 1 / 64)
        if missing.sum() * 2 * _NODES + used > 4096 or turn == _ROUNDS - 1 or gaps.sum() <= allowed:
            missing[:] = False
        for whole, piece in zip(total, sums, strict=True):
            whole += piece[~missing].sum(0)
        if not missing.any():
            break
        middle = (starts[missing] + ends[missing]) / 2
        starts, ends = np.concatenate([starts[missing], middle]), np.concatenate([middle, ends[missing]])
    return [t.astype(np.float32) for t in total], used


@method(
    family="path",
    answers="How is the change from typical samples shared among the inputs?",
    cost="64 to 2048 x (1 forward, 1 backward), by the gap",
    cannot="the answer is relative to the background; its sum is a sample mean",
    paper="doi:10.1038/s42256-021-00343-9",
    complete=True,
    baseline="zeros",
    background=True,
    at_embedding=True,
    tolerance=0.01,
)
def expected_gradients(case: Case, *, samples: int | None = None, tolerance: float = 1e-2) -> Found:
    """Integrated gradients averaged over a background set, a random point of each line at a time.

    The points are stratified along the lines, spread evenly over the background set and the same for every sample.
    `samples=None`: doubled until the relative gap of a sample is under `tolerance`, up to 2048.
    Erion, Janizek, Sturmfels, Lundberg, Lee (2021), Nature Machine Intelligence 3, 620-631.
    """
    m = len(case.baseline[0])
    rounds = 1 if samples is not None else -(-max(m, 64) // m)  # every background sample equally often

    def lines(size: int) -> Points:
        generator = np.random.default_rng([case.seed, size])
        whole = np.concatenate([generator.permutation(m) for _ in range(-(-size // m))])[:size]
        # One point in each of `size` equal parts of the line, and each background sample's points spread over it.
        order = np.argsort(whole, kind="stable")
        places = np.empty(size)
        places[order] = np.concatenate(
            [generator.permutation(c) / c + generator.random(c) / c for c in np.bincount(whole, minlength=m) if c]
        )
        draws, baseline = (None, case.baseline) if m == 1 or not case.background else (whole, case.baseline)
        return Points(np.full(size, 1 / size), places, baseline, draws, contribution=True)

    return _adaptive(case, lines, samples, "samples", tolerance, m * -(-2048 // m), first=rounds * m)


def _adaptive(
    case: Case,
    points: Callable[[int], Points],
    size: int | None,
    name: str,
    tolerance: float,
    limit: int,
    first: int = _FIRST,
) -> Found:
    """Sums with `size` points, or with ever twice as many for the samples whose gap is still over the tolerance."""
    if not np.isfinite(tolerance) or tolerance <= 0:
        raise InputError(f"tolerance={tolerance!r} must be a share above 0, such as 1e-3.")
    current = count(size, name) if size is not None else first
    values: list[np.ndarray] = [np.zeros(a.shape, np.float32) for a in case.inputs]
    waiting, used = np.arange(len(case)), np.zeros(len(case), np.int64)
    while len(waiting):
        part = case.take(waiting)
        sums = _contributions(part, points(current).take(waiting) if len(waiting) < len(case) else points(current))
        for value, new in zip(values, sums, strict=True):
            value[waiting] = new
        used[waiting] = current
        if size is not None or current >= limit:
            break
        waiting = waiting[part.relative_gap(sums)[1] > tolerance]
        current = min(2 * current, limit)
    return Found(tuple(values), {name: int(used.max()), "tolerance": tolerance})


def _contributions(case: Case, points: Points) -> Inputs:
    sums, _ = case.model.many_gradients(case.inputs, case.target, points, case.rows)
    return tuple(to_tokens(s, x).astype(np.float32) for s, x in zip(sums, case.inputs, strict=True))
