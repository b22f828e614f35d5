"""Lesson 10's paper: printed words, whole documents with their truth, and what a scanner does to them.

Ink is 1 and paper 0 in everything that a network sees; a page to look at is the other way round. Fonts: the DejaVu
family, which comes with Matplotlib.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

SIGNS = " .,:-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
HIGH = 18  # rows of a line of text, as the recogniser wants it
BASE = 13  # the row on which letters stand
WIDE, TALL, PITCH = 280, 260, 24  # a page and the distance of its lines, in pixels
FONTS = ("DejaVuSansMono", "DejaVuSans")
KINDS = ("invoice", "contract", "letter")

_GOODS = ("Paper", "Ink", "Stamps", "Lamp", "Chair", "Cable", "Folder", "Clock", "Phone", "Shelf")
_PEOPLE = ("Anna Stone", "Otto Baker", "Mina Wood", "Paul Reed", "Vera Hill", "Karl Young", "Jane Fox", "Leo Quick")
_FIRMS = ("Bright Ltd", "Harbour Inc", "Maple Works", "North and Sons", "Quartz Ltd", "Velvet Inc")
_SAYS = (
    "thank you for your visit.", "we will be glad to come.", "the garden is in bloom.", "please give us a call.",
    "your parcel has arrived.", "the weather is kind here.", "we have moved to town.", "see you in the summer.",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Document:
    """What stands on a page: rows of `(left text, right text)`, and the fields by name as they were printed."""

    kind: str
    rows: tuple[tuple[str, str], ...]
    fields: dict[str, str] = field(default_factory=dict)
    font: str = FONTS[0]

    def lines(self) -> list[str]:
        """The text of each line, one space between left and right."""
        return [f"{left} {right}".strip() for left, right in self.rows]

    def with_total(self, total: str) -> Document:
        """The same with another total, as a careless or dishonest sender might write it."""
        rows = tuple(("Total", total) if left == "Total" else (left, right) for left, right in self.rows)
        return replace(self, rows=rows, fields={**self.fields, "total": total})


@functools.cache
def _font(name: str, size: int):
    import matplotlib
    from PIL import ImageFont

    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"), size)


def strip(
    text: str, *, font: str = FONTS[0], size: int = 13, left: int = 4, drop: int = 0, wide: int | None = None
) -> np.ndarray:
    """One line of print `(HIGH, width)`, ink from 0 to 1. `drop`: rows below the usual base; `wide`: its width."""
    from PIL import Image, ImageDraw

    face = _font(font, size)
    picture = Image.new("L", (wide or int(face.getlength(text)) + 2 * left, HIGH), 0)
    ImageDraw.Draw(picture).text((left, BASE + drop), text, fill=255, font=face, anchor="ls")
    return np.asarray(picture, np.float32) / 255


def width(text: str, *, font: str = FONTS[0], size: int = 13) -> float:
    """How many pixels a text is wide in print."""
    return float(_font(font, size).getlength(text))


def worn(ink: np.ndarray, rng: np.random.Generator, *, blur: float, noise: float, faint: float = 0.0) -> np.ndarray:
    """Ink after a copying machine: spread by `blur` pixels, paler by `faint`, with `noise`."""
    from scipy.ndimage import gaussian_filter

    spread = gaussian_filter(ink, blur) if blur > 0 else ink
    return np.clip((1 - faint) * spread + rng.normal(0, noise, ink.shape), 0, 1).astype(np.float32)


def scraps(count: int, *, seed: int = 0, wide: int = 80) -> tuple[np.ndarray, list[str]]:
    """Nonsense on worn scraps of paper `(count, HIGH, wide)`, and what stands there: letters, digits, signs."""
    rng = np.random.default_rng(seed)
    chance = np.ones(len(SIGNS))
    chance[0], chance[5:15] = 2, 2  # digits are what invoices are made of
    pictures, texts = np.zeros((count, HIGH, wide), np.float32), []
    while len(texts) < count:
        text = " ".join("".join(rng.choice(list(SIGNS), rng.integers(5, 10), p=chance / chance.sum())).split())
        font, size, left = FONTS[rng.integers(len(FONTS))], int(rng.integers(12, 15)), int(rng.integers(1, 8))
        spaced = text.replace(" ", " " * int(rng.integers(1, 5)))  # a gap of any width is one space
        while text and left + _font(font, size).getlength(spaced) > wide:
            text = spaced = text[:-1].strip()
        if not text:
            continue
        ink = strip(spaced, font=font, size=size, left=left, drop=int(rng.integers(-1, 2)), wide=wide)
        wear = {"blur": rng.uniform(0, 1.0), "noise": rng.uniform(0, 0.08), "faint": rng.uniform(0, 0.4)}
        pictures[len(texts)] = worn(ink, rng, **wear)
        texts.append(text)
    return pictures, texts


def documents(count: int, *, seed: int = 0, kinds: tuple[str, ...] = KINDS) -> list[Document]:
    """Invented documents, the kinds in turn."""
    rng = np.random.default_rng(seed)
    makers = {"invoice": _invoice, "contract": _contract, "letter": _letter}
    return [makers[kinds[k % len(kinds)]](rng, FONTS[rng.integers(len(FONTS))]) for k in range(count)]


def _date(rng: np.random.Generator) -> str:
    return f"{rng.integers(1, 29):02d}.{rng.integers(1, 13):02d}.{rng.integers(2024, 2027)}"


def _invoice(rng: np.random.Generator, font: str) -> Document:
    cents = rng.integers(150, 30000, rng.integers(3, 5))
    goods = rng.choice(_GOODS, len(cents), replace=False)
    money = [f"{each // 100}.{each % 100:02d}" for each in cents]
    total, number, date = f"{cents.sum() // 100}.{cents.sum() % 100:02d}", f"{rng.integers(10000, 99999)}", _date(rng)
    rows = (
        ("Invoice", str(rng.choice(_FIRMS))), ("Number", number), ("Date", date),
        *zip(map(str, goods), money, strict=True), ("Total", total), ("Please pay within 30 days", ""),
    )  # fmt: skip
    fields = {"number": number, "date": date, **{f"item {k + 1}": each for k, each in enumerate(money)}, "total": total}
    return Document("invoice", rows, fields, font)


def _contract(rng: np.random.Generator, font: str) -> Document:
    date, rent = _date(rng), f"{rng.integers(400, 1500)}.00"
    tenant, owner = rng.choice(_PEOPLE, 2, replace=False)
    rows = (
        ("Contract", ""), (f"between {owner}", ""), (f"and {tenant}", ""), (f"The rent is {rent}", ""),
        (f"from {date} on", ""), ("Both parties agree.", ""), (f"Signed {owner}", ""), (f"Signed {tenant}", ""),
    )  # fmt: skip
    return Document("contract", rows, {"date": date, "rent": rent}, font)


def _letter(rng: np.random.Generator, font: str) -> Document:
    date = _date(rng)
    to, writer = rng.choice(_PEOPLE, 2, replace=False)
    says = rng.choice(_SAYS, 3, replace=False)
    rows = (("", date), (f"Dear {to},", ""), *((str(each), "") for each in says), ("Yours", ""), (str(writer), ""))
    return Document("letter", rows, {"date": date}, font)


def printed(document: Document, *, size: int = 13) -> np.ndarray:
    """The page `(TALL, WIDE)` fresh from the printer, ink 1."""
    from PIL import Image, ImageDraw

    face, picture = _font(document.font, size), Image.new("L", (WIDE, TALL), 0)
    pen = ImageDraw.Draw(picture)
    for k, (left, right) in enumerate(document.rows):
        pen.text((16, 36 + k * PITCH), left, fill=255, font=face, anchor="ls")
        pen.text((WIDE - 16, 36 + k * PITCH), right, fill=255, font=face, anchor="rs")
    return np.asarray(picture, np.float32) / 255


def scanned(
    document: Document, *, blur: float = 0.5, noise: float = 0.05, tilt: float = 0.0, faint: float = 0.15, seed: int = 0
) -> np.ndarray:
    """The page as a scanner hands it over, ink 1. `blur` in pixels, `tilt` in degrees."""
    from scipy.ndimage import rotate

    page = printed(document)
    if tilt:
        page = np.clip(rotate(page, tilt, reshape=False, order=1), 0, 1)
    return worn(page, np.random.default_rng(seed), blur=blur, noise=noise, faint=faint)
