"""How the output's difference from a baseline is shared among the inputs, by summing gradients on the way."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dlexplain.attribution.case import Case, Found, to_tokens
from dlexplain.attribution.gradients import count
from dlexplain.errors import InputError
from dlexplain.frameworks.questions import Inputs, Points

_FIRST, _LIMIT = 16, 1024


def integrated_gradients(case: Case, *, steps: int | None = None, tolerance: float = 1e-3) -> Found:
    """(x - b) times the mean gradient on the straight line from b to x, by Gauss-Legendre quadrature.

    `steps=None`: doubled from 16 until the relative gap of a sample is under `tolerance`, up to 1024.
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

    return _adaptive(case, line, steps, "steps", tolerance, _LIMIT)


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
