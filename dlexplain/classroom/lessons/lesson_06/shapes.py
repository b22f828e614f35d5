"""Marks, rings and scribbles to teach concepts with."""

from __future__ import annotations

import numpy as np

_ROWS, _COLUMNS = np.mgrid[0:8, 0:8]


def marked(pictures: np.ndarray, corner: str = "upper left") -> np.ndarray:
    """The pictures with a white square of 3 by 3 pixels in a corner, `"upper left"` or `"lower right"`."""
    changed = np.array(pictures)
    part = slice(0, 3) if corner == "upper left" else slice(-3, None)
    changed[:, part, part] = 1.0
    return changed


def rings(count: int, seed: int) -> np.ndarray:
    """Closed loops of ink `(count, 8, 8, 1)`, as wide and thick as people write them."""
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(count):
        row, column = rng.uniform(2.5, 4.5, 2)
        drawn.append(_ring(row, column, rng.uniform(1.5, 2.7), rng.uniform(1.3, 2.2)))
    return np.array(drawn, np.float32)[..., None]


def two_rings(count: int, seed: int) -> np.ndarray:
    """Two small loops of ink, one on the other, `(count, 8, 8, 1)`."""
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(count):
        row, column = rng.uniform(3.3, 3.8), rng.uniform(3.2, 4.0)
        loops = [_ring(row + side, column, rng.uniform(1.3, 1.8), rng.uniform(1.1, 1.7)) for side in (-1.8, 1.8)]
        drawn.append(np.maximum(*loops))
    return np.array(drawn, np.float32)[..., None]


def _ring(row: float, column: float, high: float, wide: float) -> np.ndarray:
    """Ink `(8, 8)` near an ellipse of these half axes, in pixels."""
    distance = np.hypot((_ROWS - row) / high, (_COLUMNS - column) / wide)
    return np.clip(1.4 - 1.83 * abs(distance - 1) * min(high, wide), 0, 1)


def scribbles(count: int, seed: int) -> np.ndarray:
    """Three short strokes by chance in each of `count` pictures `(count, 8, 8, 1)`."""
    rng = np.random.default_rng(seed)
    drawn = np.zeros((count, 8, 8), np.float32)
    for picture in drawn:
        for _ in range(3):
            row, column = rng.uniform(1, 6, 2)
            angle, half = rng.uniform(0, np.pi), rng.uniform(1, 2.5)
            for step in np.linspace(-half, half, 12):
                distance = np.hypot(_ROWS - row - step * np.sin(angle), _COLUMNS - column - step * np.cos(angle))
                np.maximum(picture, np.clip(1.4 - 1.2 * distance, 0, 1), out=picture)
    return drawn[..., None]
