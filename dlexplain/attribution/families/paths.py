"""How the output's difference from a baseline is shared among the inputs, by summing gradients on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from dlexplain.attribution.case import Case, Found, to_tokens
from dlexplain.attribution.families.gradients import count
from dlexplain.attribution.method import method
from dlexplain.errors import InputError
from dlexplain.frameworks.questions import Inputs, Points, blocks

_FIRST = 16
_PIECES, _NODES, _ROUNDS, _LIMIT = 16, 2, 24, 4096


@method(
    family="path",
    answers="How is the change from the baseline shared among the inputs?",
    cost="32 to 4096 x (1 forward, 1 backward), by the gap",
    cannot="the answer is relative to the baseline",
    paper="arXiv:1703.01365",
    complete=True,
    baseline="zeros",
    at_embedding=True,
    tolerance=0.001,
)
def integrated_gradients(case: Case, *, steps: int | None = None, tolerance: float = 1e-3) -> Found:
    """(x - b) times the mean gradient on the straight line from b to x, by Gauss-Legendre quadrature.

    `steps=None`: as many as bring the relative gap of each sample under `tolerance`: 2 in each of 16 pieces of its line,
    then only the pieces that miss are halved, at most 24 times. Token ids: doubled from 16 to 1024 instead.
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

    # Between two token ids there is no id at which a piece of the line could begin.
    if steps is not None or any(vocabulary is not None for vocabulary in case.model.token_inputs(case.inputs)):
        return _adaptive(case, line, steps, "steps", tolerance, 1024)
    _check(tolerance)
    values, used = _refined(case, tolerance)
    return Found(tuple(values), {"steps": int(used.max()), "tolerance": tolerance})


@dataclass(eq=False)
class _Pieces:
    """Pieces of the samples' lines, a row each: whose, from where to where, and the output at both ends."""

    owner: np.ndarray
    start: np.ndarray
    end: np.ndarray
    first: np.ndarray
    last: np.ndarray

    def take(self, which: np.ndarray | slice) -> _Pieces:
        return _Pieces(*(getattr(self, f.name)[which] for f in fields(self)))

    def halved(self, case: Case) -> _Pieces:
        middle = (self.start + self.end) / 2
        output = _outputs_at(case, self.owner, middle)
        left = (self.owner, self.start, middle, self.first, output)
        right = (self.owner, middle, self.end, output, self.last)
        return _Pieces(*(np.concatenate(pair) for pair in zip(left, right, strict=True)))


def _refined(case: Case, tolerance: float) -> tuple[list[np.ndarray], np.ndarray]:
    """Every sample's line cut in pieces, each integrated with a few points; and how many points each sample took.

    A piece accounts for the output's change between its own ends, so each piece knows its own gap: while a sample's gap is
    over the tolerance, those of its pieces that miss more than their share are halved. A kink of a ReLU is then closed in
    on by bisection.
    """
    n = len(case)
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    size = np.maximum(np.abs(case.difference), 1e-3 * np.maximum(np.abs(case.output), np.abs(case.baseline_output)))
    total, used, pieces = [np.zeros(a.shape) for a in case.inputs], np.zeros(n, np.int64), _whole_lines(case)
    for turn in range(_ROUNDS):
        missing, missed = np.zeros(len(pieces.owner), bool), [np.zeros(a.shape) for a in case.inputs]
        for b in blocks(len(pieces.owner), case.rows):
            part = pieces.take(b)
            low, high = _places(case, part.owner, part.start), _places(case, part.owner, part.end)
            points = Points(weights / 2, (nodes + 1) / 2, low, contribution=True)
            sums, _ = case.model.many_gradients(high, case.target.take(part.owner), points, case.rows)
            gaps = np.abs(sum(s.reshape(len(s), -1).sum(1) for s in sums) - (part.last - part.first))
            over = gaps > tolerance / 2 * size[part.owner] * np.maximum(part.end - part.start, 1 / 64)
            missing[b] = over
            for good, bad, s in zip(total, missed, sums, strict=True):
                np.add.at(good, part.owner[~over], s[~over])
                np.add.at(bad, part.owner[over], s[over])
        used += np.bincount(pieces.owner, minlength=n) * _NODES
        ahead = np.bincount(pieces.owner[missing], minlength=n) * 2 * _NODES
        near = case.relative_gap(tuple(g + b for g, b in zip(total, missed, strict=True)))[1] <= tolerance
        done = near | (used + ahead > _LIMIT) | (turn == _ROUNDS - 1)
        for good, bad in zip(total, missed, strict=True):
            good[done] += bad[done]
        missing &= ~done[pieces.owner]
        if not missing.any():
            break
        pieces = pieces.take(missing).halved(case)
    return [t.astype(np.float32) for t in total], used


def _whole_lines(case: Case) -> _Pieces:
    n, edges = len(case), np.linspace(0, 1, _PIECES + 1)
    inner = _outputs_at(case, np.repeat(np.arange(n), _PIECES - 1), np.tile(edges[1:-1], n)).reshape(n, -1)
    outputs = np.concatenate([case.baseline_output[:, None], inner, case.output[:, None]], 1)
    owner = np.repeat(np.arange(n), _PIECES)
    return _Pieces(owner, np.tile(edges[:-1], n), np.tile(edges[1:], n), outputs[:, :-1].ravel(), outputs[:, 1:].ravel())


def _places(case: Case, owner: np.ndarray, alphas: np.ndarray) -> Inputs:
    """Points on the lines of some samples, a row each."""
    found = []
    for x, b in zip(case.inputs, case.baseline, strict=True):
        low = np.asarray(b[owner] if len(b) > 1 else b, np.float64)
        places = low + alphas.reshape(-1, *[1] * (x.ndim - 1)) * (x[owner] - low)
        found.append(places.astype(x.dtype if np.issubdtype(x.dtype, np.floating) else np.float32))
    return tuple(found)


def _outputs_at(case: Case, owner: np.ndarray, alphas: np.ndarray) -> np.ndarray:
    parts = [
        case.model.scores(_places(case, owner[b], alphas[b]), case.target.take(owner[b]), case.rows)
        for b in blocks(len(owner), case.rows)
    ]
    return np.concatenate(parts).astype(np.float64)


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
    _check(tolerance)
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


def _check(tolerance: float) -> None:
    if not np.isfinite(tolerance) or tolerance <= 0:
        raise InputError(f"tolerance={tolerance!r} must be a share above 0, such as 1e-3.")


def _contributions(case: Case, points: Points) -> Inputs:
    sums, _ = case.model.many_gradients(case.inputs, case.target, points, case.rows)
    return tuple(to_tokens(s, x).astype(np.float32) for s, x in zip(sums, case.inputs, strict=True))
