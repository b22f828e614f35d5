"""MNIST's own file format (IDX, packed with gzip) and the two data sets that come in it.

Format: two zero bytes, a type byte, the number of axes, each axis as a big-endian uint32, then the values.
Source: the MNIST page of Y. LeCun, C. Cortes and C. Burges.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from dlexplain.data.dataset import Dataset
from dlexplain.data.entries import Entry
from dlexplain.data.fetch import obtain
from dlexplain.errors import DataError

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_LIMIT = 1 << 30  # bytes: no file of this kind comes near; a lying header must not fill the memory
_STEMS = {"train": "train", "test": "t10k"}


def read_idx(path: Path | str) -> np.ndarray:
    """The array in a gzip-packed IDX file.

    Raises DataError where the file is cut, damaged or of another kind.
    """
    try:
        with gzip.open(path, "rb") as stream:
            head = stream.read(4)
            if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in _TYPES or head[3] > 8:
                raise DataError(f"{path} is not an IDX file: it begins with the bytes {head.hex(' ')!r}.")
            kind, axes = np.dtype(_TYPES[head[2]]), head[3]
            sizes = stream.read(4 * axes)
            if len(sizes) < 4 * axes:
                raise DataError(f"{path} is cut short within its header. Fetch it again.")
            shape = struct.unpack(f">{axes}I", sizes)
            wanted = math.prod(shape) * kind.itemsize
            if wanted > _LIMIT:
                raise DataError(f"{path} claims {wanted:,} bytes of values, more than any such file holds.")
            body = stream.read(wanted + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be unpacked: {error}. Fetch it again.") from error
    if len(body) != wanted:
        amount = "more" if len(body) > wanted else f"only {len(body):,}"
        raise DataError(f"{path} should hold {wanted:,} bytes of values, shape {shape}, and holds {amount}.")
    return np.frombuffer(body, kind).reshape(shape).astype(kind.newbyteorder("="))


def images(entry: Entry, *, split: str | None = None, progress: bool = True) -> Dataset:
    """MNIST and Fashion-MNIST: `(n, 28, 28, 1)` float32 in 0..1; `split` None is train, then test."""
    pictures, labels = zip(*(_one_split(entry, part, progress) for part in _parts(split)), strict=True)
    inputs = np.concatenate(pictures)[..., None].astype(np.float32)
    inputs /= 255
    return Dataset.of(
        entry, inputs, np.concatenate(labels).astype(np.int64), split=split, layout="channels_last"
    )


def _parts(split: str | None) -> list[str]:
    return [split] if split else list(_STEMS)


def _one_split(entry: Entry, split: str, progress: bool) -> tuple[np.ndarray, np.ndarray]:
    names = [f"{_STEMS[split]}-{kind}-ubyte.gz" for kind in ("images-idx3", "labels-idx1")]
    paths = obtain(entry, names, progress=progress)
    pictures, labels = (read_idx(paths[name]) for name in names)
    if pictures.ndim != 3 or labels.shape != pictures.shape[:1]:
        raise DataError(
            f"{names[0]} has shape {pictures.shape} and {names[1]} {labels.shape}: "
            "they do not belong together."
        )
    return pictures, labels
