"""Pixels filled in from their neighbours: removed without leaving a shape that tells what was removed."""

from __future__ import annotations

import numpy as np

# Of the eight neighbours, Rong et al. 2022: those beside count twice as much as those across the corner.
_NEIGHBOURS = (
    ((-1, -1), 1 / 12), ((-1, 0), 1 / 6), ((-1, 1), 1 / 12), ((0, -1), 1 / 6),
    ((0, 1), 1 / 6), ((1, -1), 1 / 12), ((1, 0), 1 / 6), ((1, 1), 1 / 12),
)  # fmt: skip


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

    def __call__(self, picture: np.ndarray, removed: np.ndarray) -> np.ndarray:
        """`picture` `(height, width, channels)` with the pixels of `removed` (bool, flat) filled in; float64."""
        from scipy.sparse import csc_array
        from scipy.sparse.linalg import splu

        flat = np.reshape(np.asarray(picture, np.float64), (-1, picture.shape[-1])).copy()
        gone = np.flatnonzero(removed)
        if len(gone) in (0, len(flat)):
            return flat.reshape(picture.shape)
        near, weights = self.near[gone], self.weights[gone]
        unknown = removed[near] & (weights > 0)
        number = np.cumsum(removed) - 1
        row, column = np.nonzero(unknown)
        entries = np.concatenate([weights.sum(1), -weights[row, column]])
        places = (np.r_[np.arange(len(gone)), row], np.r_[np.arange(len(gone)), number[near[row, column]]])
        system = csc_array((entries, places), shape=(len(gone), len(gone)))
        known = np.einsum("rk,rkc->rc", np.where(unknown, 0.0, weights), flat[near])
        flat[gone] = splu(system, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}).solve(known)
        return flat.reshape(picture.shape)
