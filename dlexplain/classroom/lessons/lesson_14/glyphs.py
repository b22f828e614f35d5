"""Printed letters as small pictures: drawn in the fonts that Matplotlib ships, then slanted, thickened and warped.

The digits of scikit-learn were cut from 32 x 32 black-and-white bitmaps; so are these.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dlexplain.errors import InputError, MissingPackageError

# O, I, l and o are left out: they would be digits. So are small letters that look like their capitals.
LETTERS = tuple("ABCDEFGHJKLMNPQRSTUVWXYZabdefghkmnqrty")
FONTS = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSans-BoldOblique",
    "DejaVuSansMono", "DejaVuSansMono-Bold", "DejaVuSansMono-Oblique", "DejaVuSansMono-BoldOblique",
    "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic", "DejaVuSerif-BoldItalic",
    "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta",
    "cmb10", "cmmi10", "cmr10", "cmss10", "cmti10", "cmtt10",
)  # fmt: skip
_SIDE, _CELLS = 32, 4  # pixels of the bitmap; the warp moves the corners of 4 x 4 cells


@dataclass(frozen=True, eq=False)
class Glyphs:
    """`inputs` `(n, 8, 8, 1)` from 0, paper, to 1, ink; `labels` and `fonts` index `class_names` and `font_names`."""

    inputs: np.ndarray
    labels: np.ndarray
    fonts: np.ndarray
    class_names: tuple[str, ...]
    font_names: tuple[str, ...] = FONTS

    def __len__(self) -> int:
        return len(self.labels)


def glyphs(samples: int, characters: tuple[str, ...] = LETTERS, *, seed: int = 0) -> Glyphs:
    """As many of each character, each in a font and a hand of its own. InputError for too few; about 0.1 ms each."""
    if samples < len(characters) or not characters:
        raise InputError(f"glyphs: {samples} samples are fewer than one of each of {len(characters)} characters.")
    rng = np.random.default_rng(seed)
    labels, fonts = np.arange(samples) % len(characters), rng.integers(len(FONTS), size=samples)
    masters: dict[tuple[int, int], Any] = {}
    pictures = np.empty((samples, 8, 8, 1), np.float32)
    for i, key in enumerate(zip(fonts.tolist(), labels.tolist(), strict=True)):
        if key not in masters:
            masters[key] = _printed(FONTS[key[0]], characters[key[1]])
        pictures[i, :, :, 0] = _by_hand(masters[key], rng)
    return Glyphs(pictures, labels, fonts, tuple(characters))


def _printed(font: str, character: str) -> Any:
    """The character as a font draws it, large, without a margin."""
    try:
        import matplotlib
        from PIL import Image, ImageDraw, ImageFont
    except ImportError as fault:
        raise MissingPackageError(
            "Drawing letters needs Matplotlib, for its fonts, and Pillow: pip install matplotlib pillow."
        ) from fault
    file = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{font}.ttf"
    page = Image.new("L", (160, 160), 0)
    ImageDraw.Draw(page).text((80, 80), character, font=ImageFont.truetype(str(file), 90), fill=255, anchor="mm")
    return page.crop(page.getbbox())


def _by_hand(master: Any, rng: np.random.Generator) -> np.ndarray:
    """One picture `(8, 8)`: scaled, slanted, turned, shifted, its strokes warped and perhaps thickened."""
    from PIL import Image, ImageFilter

    wide, high = master.size
    new_high = rng.uniform(27, 32)
    new_wide = min(wide / high * new_high * rng.uniform(0.6, 1.0), 22)  # digits by hand are narrow
    slant, turn = rng.uniform(-0.35, 0.35), rng.uniform(-0.15, 0.15)
    shift = rng.uniform(-1.5, 1.5, 2)
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    back = np.diag([wide / new_wide, high / new_high]) @ np.array([[1, slant], [0, 1]]) @ turned
    corners = np.stack(np.meshgrid(*[np.linspace(0, _SIDE, _CELLS + 1)] * 2), -1)
    moved = corners + rng.normal(0, 1.3, corners.shape) - _SIDE / 2 - shift
    source = moved @ back.T + [wide / 2, high / 2]
    bitmap = master.transform((_SIDE, _SIDE), Image.Transform.MESH, _mesh(source), Image.Resampling.BILINEAR)
    if rng.random() < 2 / 3:
        bitmap = bitmap.filter(ImageFilter.MaxFilter(3))
    ink = np.asarray(bitmap) > 127
    return ink.reshape(8, _SIDE // 8, 8, _SIDE // 8).mean((1, 3))


def _mesh(source: np.ndarray) -> list[tuple[tuple[int, ...], tuple[float, ...]]]:
    """Pillow's cells: a square of the new picture, and the four corners it comes from, anticlockwise."""
    side, cells = _SIDE // _CELLS, []
    for i in range(_CELLS):
        for j in range(_CELLS):
            round_it = (source[i, j], source[i + 1, j], source[i + 1, j + 1], source[i, j + 1])
            square = (j * side, i * side, (j + 1) * side, (i + 1) * side)
            cells.append((square, tuple(float(v) for corner in round_it for v in corner)))
    return cells
