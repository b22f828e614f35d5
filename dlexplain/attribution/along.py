"""What passes through a layer while the inputs move from a baseline: conductance, and influence from inside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dlexplain.errors import UnsupportedModelError
from dlexplain.frameworks.model import Model
from dlexplain.frameworks.questions import Inputs, Target, blocks

_FIRST, _NARROW = 16, 1 / 64

Evaluate = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Walk:
    """Lines from `begin` to `end`, arrays an input each; `fixed` inputs follow them unmoved. `layer` as `model` calls it."""

    model: Model
    layer: str
    begin: Inputs
    end: Inputs
    fixed: Inputs
    target: Target
    rows: int

    def evaluate(self, i: int) -> Evaluate:
        """For sample i: places on its line `(k,)` to the layer's activations and the target's gradient there."""
        goal = self.target.take(slice(i, i + 1))

        def at(alphas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            parts = []
            for block in blocks(len(alphas), self.rows):
                points, count = self.points(i, alphas[block]), block.stop - block.start
                repeated = Target(np.repeat(goal.index, count, 0), goal.head)
                parts.append(self.model.one_gradient(points, repeated, self.layer))
            return tuple(np.concatenate([part[side][0] for part in parts]).astype(np.float64) for side in (0, 1))

        return at

    def points(self, i: int, alphas: np.ndarray) -> Inputs:
        """`(k, *shape)` an input."""
        moved = []
        for b, x in zip(self.begin, self.end, strict=True):
            low = b[0 if len(b) == 1 else i].astype(np.float64)
            share = alphas.reshape(-1, *[1] * low.ndim)
            moved.append((low + share * (x[i] - low)).astype(np.float32))
        return (*moved, *(np.repeat(f[i : i + 1], len(alphas), 0) for f in self.fixed))


def walk(model: Model, layer: str, inputs: Inputs, baseline: Inputs, target: Target, rows: int) -> Walk:
    """The lines along which the inputs move; token ids move as their embeddings. Raises `UnsupportedModelError`."""
    ids = [v is not None for v in model.token_inputs(inputs)]
    if not any(ids):
        return Walk(model, layer, baseline, inputs, (), target, rows)
    embeddings = [known.name for known in model.layers if known.type == "Embedding"]
    if len(embeddings) > 1 or len(inputs) > 1:
        raise UnsupportedModelError(
            f"conductance: the model reads token ids through {len(embeddings)} embeddings ({', '.join(embeddings)}), and one "
            "line cannot run through several. Methods that work: integrated_gradients, deeplift."
        )
    (name,) = embeddings
    begin, end = model.entries(baseline), model.entries(inputs)
    return Walk(model.entering_at(name), model.within(layer), begin, end, inputs, target, rows)


def conductance(evaluate: Evaluate, tolerance: float, limit: int) -> tuple[np.ndarray, int]:
    """The integral of gradient times movement of the activations, and how many points it took.

    Trapezoids; a piece whose halves say something else than it did by more than its share of `tolerance` is halved.
    """
    alphas = np.linspace(0, 1, _FIRST + 1)
    values, slopes = evaluate(alphas)
    pieces = [alphas[:-1], alphas[1:], values[:-1], values[1:], slopes[:-1], slopes[1:]]
    total, used = np.zeros(values.shape[1:]), len(alphas)
    while True:
        a, b, y_a, y_b, g_a, g_b = pieces
        middle = (a + b) / 2
        y, g = evaluate(middle)
        used += len(middle)
        left, right = (g_a + g) / 2 * (y - y_a), (g + g_b) / 2 * (y_b - y)
        halves = left + right
        wrong = _sizes(halves - (g_a + g_b) / 2 * (y_b - y_a))
        whole = np.abs(total + halves.sum(0)).sum()
        good = wrong <= tolerance * whole * np.maximum(b - a, _NARROW)
        if used + 2 * (~good).sum() > limit:
            good[:] = True
        total += halves[good].sum(0)
        if good.all():
            return total, used
        bad = ~good
        pieces = [
            np.concatenate(pair)
            for pair in (
                (a[bad], middle[bad]),
                (middle[bad], b[bad]),
                (y_a[bad], y[bad]),
                (y[bad], y_b[bad]),
                (g_a[bad], g[bad]),
                (g[bad], g_b[bad]),
            )
        ]


def _sizes(pieces: np.ndarray) -> np.ndarray:
    return np.abs(pieces).reshape(len(pieces), -1).sum(1)


def influence(evaluate: Evaluate, steps: int) -> np.ndarray:
    """The mean gradient at the layer along the line, by Gauss-Legendre quadrature."""
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    _, slopes = evaluate((nodes + 1) / 2)
    return np.einsum("k,k...->...", weights / 2, slopes)
