"""What is timed: three sizes of network and input, the same in both frameworks. Arrays only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Size:
    """`shape` is one sample, channels last; `convolutions` their widths (a pooling after the second), `dense` the
    widths of the hidden dense layers."""

    name: str
    samples: int
    shape: tuple[int, ...]
    convolutions: tuple[int, ...]
    dense: tuple[int, ...]
    classes: int

    def inputs(self) -> np.ndarray:
        return np.random.default_rng(0).random((self.samples, *self.shape), np.float32)


IMAGES = Size("32x32x3, four convolutions, 16 images", 16, (32, 32, 3), (16, 32, 32, 64), (), 10)
DIGITS = Size("8x8 digits, two convolutions, 16 images", 16, (8, 8, 1), (16, 32), (64,), 10)
TABLE = Size("table of 20 columns, two dense layers, 256 rows", 256, (20,), (), (64, 64), 2)

STEPS = 32
ROWS = (32, 128, 512)


def line(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of the Gauss-Legendre rule on the line from 0 to 1, as explanations use them."""
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    return ((nodes + 1) / 2).astype(np.float32), (weights / 2).astype(np.float32)


def windows(size: int, window: int = 4, stride: int = 2) -> list[tuple[int, int]]:
    """Upper left corners of the windows that occlusion covers."""
    places = range(0, size - window + 1, stride)
    return [(top, left) for top in places for left in places]


def chunks(samples: int, points: int, rows: int):
    """Pairs of slices that cover samples x points with at most `rows` at once."""
    wide = min(points, rows)
    tall = max(1, rows // wide)
    for first in range(0, samples, tall):
        for start in range(0, points, wide):
            yield slice(first, min(first + tall, samples)), slice(start, min(start + wide, points))
