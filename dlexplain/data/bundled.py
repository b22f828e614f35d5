"""Data sets that come inside scikit-learn and scikit-image: no network, no files of ours."""

from __future__ import annotations

import numpy as np

from dlexplain.data.dataset import Dataset
from dlexplain.data.entries import BUNDLED_SKLEARN, Entry
from dlexplain.errors import InputError, MissingPackageError


def _sklearn(entry_name: str):
    try:
        from sklearn import datasets
    except ImportError as error:
        raise _missing(entry_name, "scikit-learn") from error
    return datasets


def _skimage(entry_name: str):
    try:
        from skimage import data
    except ImportError as error:
        raise _missing(entry_name, "scikit-image") from error
    return data


def _missing(entry_name: str, package: str) -> MissingPackageError:
    return MissingPackageError(
        f"The data set {entry_name!r} comes with {package}, which is not installed. "
        "pip install dlexplain[data]"
    )


def digits(entry: Entry, *, split: str | None = None) -> Dataset:
    """`(1797, 8, 8, 1)` in 0..1 (the source counts 0 to 16)."""
    bunch = _sklearn(entry.name).load_digits()
    inputs = (bunch.images[..., None] / 16).astype(np.float32)
    return _part(Dataset.of(entry, inputs, bunch.target.astype(np.int64), layout="channels_last"), split)


def table(entry: Entry, *, split: str | None = None) -> Dataset:
    """Features in their own units; labels are classes, or numbers where the entry names no classes."""
    options = {} if entry.class_names else {"scaled": False}
    bunch = getattr(_sklearn(entry.name), entry.options["loader"])(**options)
    labels = bunch.target.astype(np.int64 if entry.class_names else np.float32)
    names = tuple(str(name) for name in bunch.feature_names)
    return _part(Dataset.of(entry, bunch.data.astype(np.float32), labels, feature_names=names), split)


def picture(entry: Entry, *, split: str | None = None) -> Dataset:
    """One photograph or scan: `(1, height, width, channels)` in 0..1, without a label."""
    return Dataset.of(entry, _pixels(entry)[None], None, split=split, layout="channels_last")


def _pixels(entry: Entry) -> np.ndarray:
    function = entry.options["function"]
    if entry.how == BUNDLED_SKLEARN:
        image = _sklearn(entry.name).load_sample_image(function)
    else:
        image = getattr(_skimage(entry.name), function)()
    image = np.asarray(image, np.float32) / 255
    return image if image.ndim == 3 else image[..., None]


def photos(entry: Entry, *, split: str | None = None, size: int = 224) -> Dataset:
    """`(6, size, size, 3)`: the middle square of each photograph, scaled with smoothing."""
    from dlexplain.data.listing import find

    if not 8 <= size <= 1024:
        raise InputError(f"`size` is in pixels, between 8 and 1024, not {size!r}.")
    _skimage(entry.name)
    from skimage.transform import resize

    squares = [_middle_square(_pixels(find(name))) for name in entry.class_names]
    inputs = np.stack([resize(square, (size, size), anti_aliasing=True) for square in squares]).astype(
        np.float32
    )
    labels = np.arange(len(inputs), dtype=np.int64)
    return Dataset.of(entry, inputs.clip(0, 1), labels, split=split, layout="channels_last")


def _middle_square(image: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return image[top : top + side, left : left + side]


def faces(entry: Entry, *, split: str | None = None) -> Dataset:
    """`(200, 25, 25, 1)`: in the source the first hundred are faces."""
    inputs = _skimage(entry.name).lfw_subset()[..., None].astype(np.float32)
    labels = np.repeat(np.array([1, 0], np.int64), 100)
    return _part(Dataset.of(entry, inputs, labels, layout="channels_last"), split)


def textures(entry: Entry, *, split: str | None = None) -> Dataset:
    """`(192, 64, 64, 1)`: each picture of 512 x 512 pixels cut into 64 patches that do not overlap."""
    source = _skimage(entry.name)
    pictures = np.stack([getattr(source, name)() for name in entry.class_names]).astype(np.float32) / 255
    patches = pictures.reshape(3, 8, 64, 8, 64).swapaxes(2, 3).reshape(-1, 64, 64, 1)
    labels = np.repeat(np.arange(3, dtype=np.int64), 64)
    return _part(Dataset.of(entry, patches, labels, layout="channels_last"), split)


def _part(whole: Dataset, split: str | None) -> Dataset:
    """Where the publisher names no split: a quarter is held back, class by class, with seed 0."""
    if split is None:
        return whole
    train, test = whole.split(0.25, seed=0)
    return train if split == "train" else test
