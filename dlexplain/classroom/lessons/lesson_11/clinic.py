"""Lesson 11's patients: small tiles of a real eye and a real piece of tissue, lesions planted at known places, a
scanner's mark. The pictures come inside scikit-image; nothing is downloaded.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

SIDE = 24  # pixels of a tile
MATERIALS = ("eye", "tissue")
GREY = 0.5  # the mean of every tile: "nothing special"
# Which part of each picture, as shares of its width, a tile is cut from: no two parts share a pixel.
PARTS = {"train": (0.0, 0.5), "house": (0.5, 0.72), "field": (0.72, 1.0)}
_MARK = np.array([[1, 0, 0], [1, 0, 0], [1, 0, 0], [1, 1, 1]], bool)
_CORNERS = {"upper left": (1, 1), "lower right": (SIDE - 5, SIDE - 4)}


@dataclass(frozen=True, eq=False)
class Tiles:
    """`pictures` `(n, 24, 24, 1)` in 0..1; `sick` `(n,)` 1 or 0; `lesions` `(n, 24, 24)` true where one was planted;
    `marked` `(n,)` bool; `material` `(n,)`, numbers of `MATERIALS`; `bare`: the pictures without any mark."""

    pictures: np.ndarray
    sick: np.ndarray
    lesions: np.ndarray
    marked: np.ndarray
    material: np.ndarray
    bare: np.ndarray

    def __len__(self) -> int:
        return len(self.sick)

    def take(self, chosen: np.ndarray) -> Tiles:
        """The tiles of these indices, or where this is true."""
        parts = (self.pictures, self.sick, self.lesions, self.marked, self.material, self.bare)
        return Tiles(*(part[chosen] for part in parts))


@functools.cache
def pictures() -> dict[str, np.ndarray]:
    """The two real pictures, grey, in 0..1: the green light of a retina at half size, and stained tissue."""
    from skimage import data
    from skimage.transform import downscale_local_mean

    eye = downscale_local_mean(data.retina()[..., 1] / 255.0, (2, 2))
    tissue = data.immunohistochemistry().mean(-1) / 255.0
    return {"eye": eye.astype(np.float32), "tissue": tissue.astype(np.float32)}


def tiles(count: int, part: str, *, marks: tuple[float, float], seed: int) -> Tiles:
    """Half eye, half tissue, about half sick. `marks`: the share of the sick and of the healthy that bear a mark."""
    rng = np.random.default_rng(seed)
    material = np.arange(count) % len(MATERIALS)
    bare = np.stack([_background(MATERIALS[m], PARTS[part], rng) for m in material])
    sick = rng.integers(0, 2, count)
    lesions = np.zeros(bare.shape, bool)
    for i in np.flatnonzero(sick):
        at, size, dark = rng.uniform(5, SIDE - 6, 2), rng.uniform(2.5, 3.5), rng.uniform(0.27, 0.45)
        bare[i], lesions[i] = with_lesion(bare[i], at, size, dark)
    marked = rng.random(count) < np.where(sick == 1, *marks)
    bare = bare[..., None].astype(np.float32)
    shown = np.where(marked[:, None, None, None], mark(bare), bare)
    return Tiles(shown, sick.astype(np.int64), lesions, marked, material, bare)


def with_lesion(tile: np.ndarray, at: tuple[float, float], size: float, dark: float) -> tuple[np.ndarray, np.ndarray]:
    """A tile `(24, 24)` with a soft dark spot of this radius (pixels) and depth, and where it is."""
    rows, columns = np.mgrid[: tile.shape[0], : tile.shape[1]]
    soft = 1 / (1 + np.exp((np.hypot(rows - at[0], columns - at[1]) - size) / 0.5))
    return np.clip(tile - dark * soft, 0, 1).astype(np.float32), soft > 0.5


def mark(pictures: np.ndarray, corner: str = "upper left") -> np.ndarray:
    """A copy of `(n, 24, 24, 1)` with the scanner's mark burnt into a corner: "upper left" or "lower right"."""
    marked = np.array(pictures, np.float32)
    marked[:, where_mark(corner)] = 1.0
    return marked


def where_mark(corner: str = "upper left") -> np.ndarray:
    """`(24, 24)`: true on the pixels of the mark."""
    row, column = _CORNERS[corner]
    found = np.zeros((SIDE, SIDE), bool)
    found[row : row + _MARK.shape[0], column : column + _MARK.shape[1]] = _MARK
    return found


def _background(material: str, part: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    """A tile of mean `GREY` and the same contrast everywhere, from one part of a picture; never its black frame."""
    whole = pictures()[material]
    left, right = (int(share * whole.shape[1]) for share in part)
    while True:
        row, column = rng.integers(0, whole.shape[0] - SIDE), rng.integers(left, right - SIDE)
        tile = whole[row : row + SIDE, column : column + SIDE]
        if tile.min() > 0.08:
            break
    tile = tile - tile.mean()
    return np.clip(0.12 * tile / max(tile.std(), 0.02) + GREY, 0, 1)
