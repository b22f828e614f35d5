"""Samples drawn near each input, and how far the map, the input and the output move there: made once, read by all."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlexplain.attribution.families.gradients import count
from dlexplain.errors import InputError
from dlexplain.evaluation.places import moved, moved_back
from dlexplain.evaluation.trial import Trial
from dlexplain.frameworks.questions import Inputs, blocks

_BYTES = 32 << 20  # of perturbed inputs at a time
_STREAM = 911  # of random numbers, apart from those of other families


@dataclass(frozen=True, eq=False)
class Near:
    """`(n, draws)` each. `moved`: Euclidean length of the map's change; `moved_share`: of its relative change;
    `away`, `away_share`: the same of the input. `size`: `(n,)`, the length of the map itself."""

    moved: np.ndarray
    moved_share: np.ndarray
    away: np.ndarray
    away_share: np.ndarray
    size: np.ndarray


# The six metrics of the family look at the same points: a trial's explainer is asked about them once.
_KNOWN: weakref.WeakKeyDictionary[Trial, dict] = weakref.WeakKeyDictionary()


def near(trial: Trial, samples: int, noise: float, scale: Any, floor: float) -> Near:
    """The explainer's maps at points drawn near each sample, with the sample's own target, against the trial's maps."""
    key = (samples, noise, floor, _word(scale))
    known = _KNOWN.setdefault(trial, {})
    if key not in known:
        known[key] = _explained(trial, samples, noise, scale, floor)
    return known[key]


def points(trial: Trial, samples: int, noise: float, scale: Any) -> Iterator[tuple[slice, Inputs]]:
    """(draws, inputs `(n * draws, *shape)`): each feature moved by at most `noise` times its own scale, evenly drawn.

    Every sample gets the same draws, so that its score does not depend on its neighbours; token ids stay as they are.
    """
    count(samples, "samples")
    if not np.isfinite(noise) or noise <= 0:
        raise InputError(f"noise={noise!r} must be a share of each feature's scale above 0, such as 0.05.")
    widths = scales(trial, scale)
    row = sum(a[:1].nbytes for a in trial.inputs)
    for draws in blocks(samples, max(1, _BYTES // max(row * len(trial), 1))):
        arrays = []
        for i, (values, width) in enumerate(zip(trial.inputs, widths, strict=True)):
            if width is None:
                arrays.append(np.repeat(values, draws.stop - draws.start, 0))
                continue
            moves = np.stack([_even(trial, i, k) for k in range(draws.start, draws.stop)])
            beside = values[:, None] + (noise * moves * width).astype(values.dtype)
            arrays.append(beside.reshape(-1, *values.shape[1:]))
        yield draws, tuple(arrays)


def scales(trial: Trial, scale: Any = None) -> tuple[np.ndarray | None, ...]:
    """For each input how far its features vary: as given, else each feature's standard deviation over the samples.

    Fewer than eight samples say little of a feature: then it is the deviation of all the input's values. None: tokens.
    """
    given = scale if isinstance(scale, (tuple, list)) else (scale,) * len(trial.inputs)
    if len(given) != len(trial.inputs):
        raise InputError(f"scale: {len(given)} arrays for {len(trial.inputs)} inputs; give one an input.")
    found: list[np.ndarray | None] = []
    for values, kind, width in zip(trial.inputs, trial.kinds, given, strict=True):
        if kind == "tokens":
            found.append(None)
        elif width is not None:
            found.append(_checked(width, values.shape[1:]))
        else:
            whole = len(values) < 8
            found.append(np.asarray(values, np.float64).std(None if whole else 0))
    if all(width is None or not np.any(width) for width in found):
        raise InputError("noise: no feature varies over these samples (or all are tokens). Give scale=, one an input.")
    return tuple(found)


def relative(change: np.ndarray, values: np.ndarray, floor: float) -> np.ndarray:
    """`(n, draws)`: Euclidean length of the change `(n, draws, size)` in shares of the values `(n, size)`.

    A value under `floor` of the sample's largest counts as that much: near zero a share means nothing.
    """
    size = np.abs(values)
    least = np.maximum(floor * size.max(1, keepdims=True), np.finfo(np.float32).tiny)
    return np.linalg.norm(change / np.maximum(size, least)[:, None], axis=-1)


def flat(arrays: Inputs, n: int, kinds: tuple[str, ...]) -> np.ndarray:
    """`(n, draws, size)` float64 of everything that was moved."""
    parts = zip(arrays, kinds, strict=True)
    sized = [np.asarray(a, np.float64).reshape(n, -1, int(np.prod(a.shape[1:]))) for a, k in parts if k != "tokens"]
    return np.concatenate(sized, -1) if sized else np.zeros((n, 1, 0))


def _explained(trial: Trial, samples: int, noise: float, scale: Any, floor: float) -> Near:
    n = len(trial)
    own, place = trial.per_feature(), flat(trial.inputs, n, trial.kinds)
    parts = []
    for draws, inputs in points(trial, samples, noise, scale):
        wide = draws.stop - draws.start
        values = trial.explainer(trial.model, inputs, trial.target.take(np.repeat(np.arange(n), wide)), trial.seed)
        maps = trial.per_feature(tuple(np.asarray(v, np.float64) for v in values)).reshape(n, wide, -1)
        change, step = maps - own[:, None], flat(inputs, n, trial.kinds) - place
        lengths = (np.linalg.norm(change, axis=-1), relative(change, own, floor))
        parts.append((*lengths, np.linalg.norm(step, axis=-1), relative(step, place[:, 0], floor)))
    return Near(*(np.concatenate(p, 1) for p in zip(*parts, strict=True)), np.linalg.norm(own, axis=-1))


def _even(trial: Trial, i: int, draw: int) -> np.ndarray:
    """Numbers from -1 to 1 for one input, drawn in channels-last order, so that twins get the same."""
    values, kind, layout = trial.inputs[i][:1], trial.kinds[i], trial.model.layout
    shape = moved(values, kind, layout).shape
    drawn = np.random.default_rng([trial.seed, _STREAM, i, draw]).uniform(-1, 1, shape)
    return moved_back(drawn, kind, layout)[0]


def _checked(width: Any, shape: tuple[int, ...]) -> np.ndarray:
    width = np.asarray(width, np.float64)
    try:
        fits = np.broadcast_shapes(width.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits or not np.isfinite(width).all() or (width < 0).any():
        raise InputError(
            f"scale: an array of shape {width.shape} must be finite, not negative and fit a sample of shape {shape}."
        )
    return width


def _word(scale: Any) -> Any:
    if scale is None:
        return None
    arrays = scale if isinstance(scale, (tuple, list)) else (scale,)
    return tuple(None if a is None else (np.shape(a), np.asarray(a, np.float64).tobytes()) for a in arrays)
