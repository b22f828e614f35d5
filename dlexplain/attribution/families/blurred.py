"""How the output's change from the blurred to the sharp input is shared, along the path of Gaussian blurs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np

from dlexplain.attribution.case import Case, Found
from dlexplain.attribution.families import curves
from dlexplain.attribution.families.gradients import count
from dlexplain.attribution.method import method
from dlexplain.errors import InputError, UnsupportedModelError
from dlexplain.frameworks.questions import Inputs, blocks

_DOUBLED, _PIECES = (16, 32, 64), 16


@method(
    family="path",
    answers="Which details, coarse ones and fine ones, make the change from the blurred input?",
    cost="16 to 4208 x (1 forward, 1 backward), by the gap",
    cannot="pictures, volumes and series only; takes no baseline: the input blurred to the utmost is its own",
    paper="arXiv:2004.03383",
    complete=True,
    tolerance=0.001,
)
def blur_integrated_gradients(
    case: Case, *, sigma: float | None = None, steps: int | None = None, tolerance: float = 1e-3
) -> Found:
    """The sum of gradients times the change of the blurred input, as the blur goes from `sigma` to nothing.

    `sigma`: deviation of the widest Gaussian in pixels or steps; None: the longest axis, where hardly more than each
    channel's mean is left. `steps=None`: doubled from 16 to 64 and, where the relative gap is still over `tolerance`,
    pieces of the path that are halved until each accounts for its share. Xu, Venugopalan, Sundararajan (2020),
    Attribution in Scale and Space, arXiv:2004.03383.
    """
    _check(case, sigma, tolerance)
    axes = [tuple(a + 1 for a in case.places(i)) for i in range(len(case.inputs))]
    longest = max(x.shape[a] for x, some in zip(case.inputs, axes, strict=True) for a in some)
    widest = float(longest if sigma is None else sigma)
    curve = _Blurs(tuple(_Blur(x, some, widest) for x, some in zip(case.inputs, axes, strict=True)))
    everyone = [np.arange(b.start, b.stop) for b in blocks(len(case), case.rows)]
    lower = np.concatenate([curves.scores(case, curve, some, np.zeros(len(some))) for some in everyone])
    case = replace(case, baseline_output=lower)
    values: list[np.ndarray] = [np.zeros(x.shape) for x in case.inputs]
    missing = np.arange(len(case))
    for used in _DOUBLED if steps is None else (count(steps, "steps"),):
        for value, new in zip(values, curves.fixed(case.take(missing), curve.take(missing), used), strict=True):
            value[missing] = new
        missing = np.flatnonzero(case.relative_gap(values)[1] > tolerance)
        if not len(missing):
            break
    if steps is None and len(missing):
        size = np.maximum(np.abs(case.output), np.abs(lower))
        allowed = tolerance * np.maximum(np.abs(case.difference), 1e-3 * size) / 2
        finer, taken = curves.halving(case.take(missing), curve.take(missing), allowed[missing], _PIECES)
        used = int(taken.max())
        for value, new in zip(values, finer, strict=True):
            value[missing] = new
    return Found(tuple(values), {"sigma": widest, "steps": used}, baseline_output=lower)


@dataclass(frozen=True, eq=False)
class _Blur:
    """Samples under Gaussian blurs, at places `t` of the path: 0 the widest, 1 none, evenly in the scale between.

    Edges are mirrors. A cosine wave of frequency w then only fades, by exp(-sigma² w² / 2): no kernel is cut off.
    """

    x: np.ndarray
    axes: tuple[int, ...]
    widest: float

    def at(self, rows: np.ndarray, t: np.ndarray) -> np.ndarray:
        """`(len(rows), *shape)`."""
        sigma = ((1 + self.widest) ** (1 - t) - 1).reshape(-1, *[1] * (self.x.ndim - 1))
        return self._back(np.exp(-(sigma**2) * self._squares / 2) * self._waves[rows]).astype(self.dtype)

    def speed(self, rows: np.ndarray, t: np.ndarray) -> np.ndarray:
        """The change of `at` with `t`."""
        power = ((1 + self.widest) ** (1 - t)).reshape(-1, *[1] * (self.x.ndim - 1))
        sigma, change = power - 1, power * np.log1p(self.widest)
        return self._back(sigma * change * self._squares * np.exp(-(sigma**2) * self._squares / 2) * self._waves[rows])

    @property
    def dtype(self) -> np.dtype:
        return self.x.dtype if self.x.dtype == np.float64 else np.dtype(np.float32)

    @cached_property
    def _waves(self) -> np.ndarray:
        waves = self.x.astype(np.float64)
        for axis in self.axes:
            waves = np.moveaxis(np.moveaxis(waves, axis, -1) @ _cosines(self.x.shape[axis]).T, -1, axis)
        return waves

    @cached_property
    def _squares(self) -> np.ndarray:
        total = np.zeros([1] * self.x.ndim)
        for axis in self.axes:
            size = self.x.shape[axis]
            total = (
                total
                + (np.pi * np.arange(size).reshape([-1 if a == axis else 1 for a in range(self.x.ndim)]) / size) ** 2
            )
        return total

    def _back(self, waves: np.ndarray) -> np.ndarray:
        for axis in self.axes:
            waves = np.moveaxis(np.moveaxis(waves, axis, -1) @ _cosines(self.x.shape[axis]), -1, axis)
        return waves


@dataclass(frozen=True, eq=False)
class _Blurs:
    """Every input under its blurs: the curve."""

    blurs: tuple[_Blur, ...]

    def take(self, rows: np.ndarray) -> _Blurs:
        return _Blurs(tuple(_Blur(blur.x[rows], blur.axes, blur.widest) for blur in self.blurs))

    def at(self, rows: np.ndarray, t: np.ndarray) -> Inputs:
        return tuple(blur.at(rows, t) for blur in self.blurs)

    def speed(self, rows: np.ndarray, t: np.ndarray) -> Inputs:
        return tuple(blur.speed(rows, t) for blur in self.blurs)


@lru_cache(maxsize=16)
def _cosines(size: int) -> np.ndarray:
    """`(waves, places)`: the orthonormal cosine transform (DCT-II), whose waves have no slope at the edges."""
    waves = np.cos(np.pi * np.arange(size)[:, None] * (np.arange(size) + 0.5) / size) * np.sqrt(2 / size)
    waves[0] /= np.sqrt(2)
    return waves


def _check(case: Case, sigma: float | None, tolerance: float) -> None:
    for i, kind in enumerate(case.kinds):
        if not case.places(i):
            raise UnsupportedModelError(
                f"blur_integrated_gradients: neighbours in {kind} are not near each other, so there is nothing to blur. "
                "Methods that work: integrated_gradients, expected_gradients, occlusion."
            )
    if sigma is not None and (isinstance(sigma, bool) or not np.isfinite(sigma) or sigma <= 0):
        raise InputError(f"sigma={sigma!r} must be a deviation in pixels or steps above 0, or None.")
    if not np.isfinite(tolerance) or tolerance <= 0:
        raise InputError(f"tolerance={tolerance!r} must be a share above 0, such as 1e-3.")
