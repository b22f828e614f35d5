"""A folder of pictures: one folder a class, all of the size that the model takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dlexplain.audit.reading.data import PIXELS, AuditData
from dlexplain.errors import InputError, MissingPackageError, suggest

if TYPE_CHECKING:
    from dlexplain.frameworks.model import Model

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
_CHANNELS = {"L": 1, "RGB": 3, "RGBA": 4}


def folder(path: Path, model: Model | None, pixels: str | None, names: list[str] | None) -> AuditData:
    """Every picture of every class; classes are numbered in the order of the alphabet."""
    if pixels is not None and pixels not in PIXELS:
        raise InputError(f"--pixels {pixels}: {suggest(pixels, PIXELS)}Known: {', '.join(PIXELS)}.")
    classes = names or class_names(path)
    files = [(file, classes.index(name)) for name in class_names(path) for file in _pictures(path / name)]
    first = model is not None and model.layout == "channels_first"
    wanted = None if model is None or model.input_shapes is None else model.input_shapes[0]
    size, channels = _wanted(wanted, first, path)
    arrays = []
    for file, _ in files:
        array = _picture(file, path)
        size, channels = size or array.shape[:2], channels or array.shape[2]
        _check_fit(array, size, channels, file.relative_to(path), wanted)
        arrays.append(array)
    scale, said = _scale(model, pixels)
    inputs = np.stack(arrays).astype(np.float32)
    inputs = {"unit": inputs / 255, "byte": inputs, "signed": inputs / 127.5 - 1}[scale]
    notes = (
        f"{len(files)} pictures of {len({k for _, k in files})} classes, {size[1]} pixels wide and {size[0]} high.",
        f"Classes are numbered in the order of the alphabet: {', '.join(classes[:12])}.",
        said,
    )
    return AuditData(
        inputs=np.ascontiguousarray(np.moveaxis(inputs, -1, 1)) if first else inputs,
        labels=np.array([label for _, label in files], np.int64),
        class_names=tuple(classes),
        source=path.name,
        notes=notes,
    )


def class_names(path: Path) -> list[str]:
    """The folders' names in the order of the alphabet. Raises `InputError` where there are none."""
    if not path.is_dir():
        return []
    names = sorted(item.name for item in path.iterdir() if item.is_dir() and not item.name.startswith("."))
    if not names:
        raise InputError(f"{path.name} holds no folders. Give a folder with one folder of pictures for each class.")
    return names


def _pictures(place: Path) -> list[Path]:
    found = sorted(f for f in place.iterdir() if f.is_file() and not f.name.startswith("."))
    wrong = next((f for f in found if f.suffix.lower() not in SUFFIXES), None)
    if wrong is not None:
        raise InputError(
            f"{place.name}/{wrong.name} is no picture of a known kind ({', '.join(SUFFIXES)}). Take it out of the folder."
        )
    if not found:
        raise InputError(f"{place.name} holds no pictures. Take out the empty folder, or put its pictures there.")
    return found


def _picture(file: Path, root: Path) -> np.ndarray:
    """`(height, width, channels)`, uint8."""
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingPackageError(
            "Reading pictures needs Pillow, which is not installed. Install it with: pip install 'dlexplain[audit]'."
        ) from error
    name = file.relative_to(root)
    try:
        with Image.open(file) as picture:
            picture.load()
            mode = picture.mode
            array = np.asarray(picture)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{name} is a broken picture ({error}). Replace it or take it out.") from error
    if mode not in _CHANNELS:
        raise InputError(
            f"{name} has the mode {mode!r}; grey (L), RGB and RGBA with 8 bits are read. Convert it as the model's "
            "training data were converted, for example with Pillow: picture.convert('RGB')."
        )
    return array[..., None] if array.ndim == 2 else array


def _wanted(shape, first: bool, path: Path) -> tuple[tuple[int, int] | None, int | None]:
    if shape is None:
        return None, None
    if len(shape) != 3:
        raise InputError(
            f"{path.name} is a folder of pictures; the model takes samples of shape {tuple(shape)}, not height, width "
            "and channels. Give its data as .npz."
        )
    channels, *size = (shape[0], shape[1], shape[2]) if first else (shape[2], shape[0], shape[1])
    return (None if None in size else (size[0], size[1])), channels


def _check_fit(array: np.ndarray, size: tuple[int, int], channels: int, name: Path, wanted) -> None:
    said = "the model takes" if wanted is not None else "the first picture has"
    if array.shape[:2] != size:
        raise InputError(
            f"{name} is {array.shape[1]} by {array.shape[0]} pixels; {said} {size[1]} by {size[0]}. Resize it as the "
            "model's training data were resized."
        )
    if array.shape[2] != channels:
        raise InputError(
            f"{name} has {array.shape[2]} channels; {said} {channels}. Convert it as the model's training data were "
            "converted, for example with Pillow: picture.convert('L') or picture.convert('RGB')."
        )


def _scale(model: Model | None, pixels: str | None) -> tuple[str, str]:
    words = {"unit": "0 to 1", "byte": "0 to 255", "signed": "-1 to 1"}
    if pixels is not None:
        return pixels, f"Pixels scaled to {words[pixels]}, as asked."
    begin = [layer.type for layer in model.layers][:3] if model is not None else []
    if "Rescaling" in begin or "Normalization" in begin:
        return "byte", "Pixels left at 0 to 255: the model's own first layer scales them."
    return "unit", "Pixels scaled to 0 to 1. If the model was trained on another scale, say so: --pixels."
