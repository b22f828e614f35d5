"""Pictures as PNG data addresses: a hundred times lighter in a figure than numbers in text."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np

CRISP = 224
FINEST = 448  # pixels a side: more than a panel has


def encode(pixels: np.ndarray) -> bytes:
    """A PNG of `(height, width)` grey or `(height, width, 3)` colour, uint8 (PNG specification, W3C 2003)."""
    height, width = pixels.shape[:2]
    colour_type = 0 if pixels.ndim == 2 else 2
    rows = np.ascontiguousarray(pixels, dtype=np.uint8).reshape(height, -1)
    filtered = np.concatenate([np.zeros((height, 1), np.uint8), rows], 1).tobytes()
    head = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(filtered, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def to_bytes(picture: np.ndarray, *, low: float | None = None, high: float | None = None) -> np.ndarray:
    """`(height, width, channels)` of any range as uint8, grey for other than three channels (their mean).

    The range is 0..255 or 0..1 where the values say so, else the picture's own; NaN is black. A range without
    extent, of one tone only, says nothing, and counts as none.
    """
    picture = np.nan_to_num(np.asarray(picture, dtype=np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    picture = picture[..., None] if picture.ndim == 2 else picture
    picture = picture if picture.shape[-1] == 3 else picture.mean(-1)
    least, most = (float(picture.min()), float(picture.max())) if picture.size else (0.0, 0.0)
    if low is None or high is None or low >= high:
        natural = (0.0, 1.0) if most <= 1 else (0.0, 255.0)
        low, high = natural if least >= 0 and most <= 255 else (least, most)
    # One tone outside the natural ranges: neither dark nor bright can be told, so the middle.
    low, span = (low, high - low) if high > low else (low - 0.5, 1.0)
    return np.clip(np.rint((picture - low) / span * 255), 0, 255).astype(np.uint8)


def blocks(values: np.ndarray, side: int) -> np.ndarray:
    """The mean over blocks of `side` by `side` of the first two axes; the last blocks may be smaller."""
    if side == 1:
        return values
    for axis in (0, 1):
        starts = np.arange(0, values.shape[axis], side)
        counts = np.diff(np.append(starts, values.shape[axis]))
        shape = [-1 if i == axis else 1 for i in range(values.ndim)]
        values = np.add.reduceat(values, starts, axis) / counts.reshape(shape)
    return values.astype(np.float32)


def address(picture: np.ndarray, *, grey: bool = False) -> str:
    """The picture as a `data:` address; `grey`: its brightness only."""
    pixels = to_bytes(picture)
    side = -(-max(pixels.shape[:2]) // FINEST)
    pixels = np.rint(blocks(pixels.astype(np.float32), side)).astype(np.uint8) if side > 1 else pixels
    # Small pictures are enlarged here, pixel by pixel: a browser would blur them.
    times = max(1, CRISP // max(pixels.shape[:2]))
    pixels = pixels.repeat(times, 0).repeat(times, 1)
    if grey and pixels.ndim == 3:
        pixels = np.rint(pixels @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
    return "data:image/png;base64," + base64.b64encode(encode(pixels)).decode()
