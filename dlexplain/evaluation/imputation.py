"""Pixels filled in from their neighbours: removed without leaving a shape that tells what was removed."""

from __future__ import annotations

import numpy as np

# Of the eight neighbours, Rong et al. 2022: those beside count twice as much as those across the corner.
_NEIGHBOURS = (
    ((-1, -1), 1 / 12), ((-1, 0), 1 / 6), ((-1, 1), 1 / 12), ((0, -1), 1 / 6),
    ((0, 1), 1 / 6), ((1, -1), 1 / 12), ((1, 0), 1 / 6), ((1, 1), 1 / 12),
)  # fmt: skip

_TOGETHER = 16384  # pixels of one system: more gains nothing, and takes memory


class Imputer:
    """For pictures of one size: every removed pixel becomes the weighted mean of its neighbours, removed ones alike."""

    def __init__(self, height: int, width: int) -> None:
        rows, columns = np.divmod(np.arange(height * width), width)
        near, weights = [], []
        for (down, across), weight in _NEIGHBOURS:
            r, c = rows + down, columns + across
            inside = (r >= 0) & (r < height) & (c >= 0) & (c < width)
            near.append(np.where(inside, r * width + c, 0))
            weights.append(np.where(inside, weight, 0.0))
        self.near, self.weights = np.stack(near, 1), np.stack(weights, 1)

    def __call__(self, pictures: np.ndarray, removed: np.ndarray) -> np.ndarray:
        """`pictures` `(k, height, width, channels)` with the pixels of `removed` `(k, height * width)` filled in; float64.

        One banded system for as many pictures as have some ten thousand removed pixels. A picture of which nothing is
        left stays as it is.
        """
        filled = np.asarray(pictures, np.float64).reshape(*removed.shape, -1).copy()
        some = removed & ~removed.all(1, keepdims=True)
        each = max(1, _TOGETHER // removed.shape[1])
        for start in range(0, len(filled), each):
            self._fill(filled[start : start + each], some[start : start + each])
        return filled.reshape(pictures.shape)

    def _fill(self, pictures: np.ndarray, removed: np.ndarray) -> None:
        """In place, `(k, pixels, channels)`: the weighted mean of its neighbours' unknowns less its own is what the known
        neighbours give. Weights are mutual, so the system is symmetric, and positive definite where something is left;
        in the order of the pixels no unknown is further from its neighbours than a row: a narrow band."""
        from scipy.linalg import solveh_banded

        flat, gone = pictures.reshape(-1, pictures.shape[-1]), np.flatnonzero(removed)
        if not len(gone):
            return
        picture, pixel = np.divmod(gone, removed.shape[1])
        near, weights = self.near[pixel] + (picture * removed.shape[1])[:, None], self.weights[pixel]
        unknown = removed.ravel()[near] & (weights > 0)
        row, column = np.nonzero(unknown & (near < gone[:, None]))
        earlier = (np.cumsum(removed) - 1)[near[row, column]]
        reach = int((row - earlier).max(initial=0))
        band = np.zeros((reach + 1, len(gone)), order="F")
        band[0], band[row - earlier, earlier] = weights.sum(1), -weights[row, column]
        known = np.einsum("rk,rkc->rc", np.where(unknown, 0.0, weights), flat[near])
        flat[gone] = solveh_banded(band, known, overwrite_ab=True, overwrite_b=True, lower=True, check_finite=False)
