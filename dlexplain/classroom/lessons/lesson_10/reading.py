"""Lesson 10's way from a page to fields: straightening, lines, characters with confidence, fields, rules.

Nothing here knows a framework: a reader is any function from lines `(n, HIGH, width)` to chances
`(n, steps, 1 + len(SIGNS))`, sign 0 being the blank.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from dlexplain.classroom.lessons.lesson_10.paper import HIGH, SIGNS

Reader = Callable[[np.ndarray], np.ndarray]
_CENTRE = 9  # the row of a strip in which the ink of a line is centred


@dataclass(frozen=True)
class Line:
    """A line as read: its text, the chance of each sign, the step of each sign, and its rows on the page.

    `every`: the chances of all signs at all steps, `(steps, 1 + len(SIGNS))`.
    """

    text: str
    chances: tuple[float, ...]
    steps: tuple[int, ...]
    rows: tuple[int, int] = (0, HIGH)
    every: np.ndarray | None = field(default=None, repr=False, compare=False)


def codes(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Texts as numbers `(n, longest)`, from 1 on and 0 behind the end, and their lengths."""
    lengths = np.array([len(text) for text in texts])
    numbers = np.zeros((len(texts), lengths.max()), np.int64)
    for row, text in zip(numbers, texts, strict=True):
        row[: len(text)] = [1 + SIGNS.index(sign) for sign in text]
    return numbers, lengths


def best_path(chances: np.ndarray, rows: tuple[int, int] = (0, HIGH)) -> Line:
    """Greedy reading of one line: the best sign of each step, repeats merged, blanks dropped."""
    best = chances.argmax(-1)
    starts = np.flatnonzero(np.diff(best, prepend=-1) != 0)
    ends = np.append(starts[1:], len(best))
    kept = []
    for start, end in zip(starts, ends, strict=True):
        if best[start]:
            step = start + int(chances[start:end, best[start]].argmax())
            kept.append((SIGNS[best[start] - 1], float(chances[step, best[start]]), int(step)))
    kept = [each for k, each in enumerate(kept) if each[0] != " " or (k and kept[k - 1][0] != " ")]  # one space
    while kept and kept[-1][0] == " ":
        kept.pop()
    return Line("".join(k[0] for k in kept), tuple(k[1] for k in kept), tuple(k[2] for k in kept), rows, chances)


def read(reader: Reader, strips: np.ndarray) -> list[Line]:
    """Lines of print `(n, HIGH, width)` as text."""
    return [best_path(chances) for chances in reader(np.asarray(strips, np.float32))]


def letters_wrong(said: str, truth: str) -> int:
    """The fewest letters to insert, remove or change to make one text of the other (Levenshtein)."""
    before = list(range(len(truth) + 1))
    for i, sign in enumerate(said, 1):
        row = [i]
        for j, other in enumerate(truth, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (sign != other)))
        before = row
    return before[-1]


def error_rate(said: Sequence[str], truth: Sequence[str]) -> float:
    """Letters wrong, of all letters that stand there."""
    wrong = sum(letters_wrong(a, b) for a, b in zip(said, truth, strict=True))
    return wrong / sum(map(len, truth))


# ---- lines ----


def profile(ink: np.ndarray, tilt: float = 0.0) -> np.ndarray:
    """Ink in each row, summed along lines that are tilted by so many degrees."""
    y, x = np.nonzero(ink > 0.3)
    rows = np.round(y + (x - ink.shape[1] / 2) * np.tan(np.radians(tilt))).astype(int)
    inside = (rows >= 0) & (rows < len(ink))
    return np.bincount(rows[inside], ink[y[inside], x[inside]], minlength=len(ink))


def tilt_of(ink: np.ndarray, *, most: int = 8) -> float:
    """The angle along which rows are fullest and emptiest: whole degrees first, then quarters round the best."""

    def sharpest(angles: np.ndarray) -> float:
        return float(angles[int(np.argmax([np.square(profile(ink, angle)).sum() for angle in angles]))])

    whole = sharpest(np.arange(-most, most + 1, 1.0))
    return sharpest(whole + np.arange(-0.75, 0.76, 0.25))


def straighten(ink: np.ndarray, tilt: float | None = None) -> np.ndarray:
    """The page turned back by its own tilt."""
    from scipy.ndimage import rotate

    tilt = tilt_of(ink) if tilt is None else tilt
    return ink if tilt == 0 else np.clip(rotate(ink, -tilt, reshape=False, order=1), 0, 1)


def bands(rows: np.ndarray, share: float = 0.08, least: int = 4) -> list[tuple[int, int]]:
    """Runs of rows with ink above a share of the fullest, `least` rows high or more; neighbours are joined."""
    busy = np.concatenate([[False], rows > share * np.sort(rows)[-5:].mean(), [False]])
    edges = np.flatnonzero(np.diff(busy.astype(int)))
    joined: list[tuple[int, int]] = []
    for top, bottom in edges.reshape(-1, 2):
        if joined and top - joined[-1][1] <= 1:
            joined[-1] = (joined[-1][0], int(bottom))
        else:
            joined.append((int(top), int(bottom)))
    return [band for band in joined if band[1] - band[0] >= least]


def cut(ink: np.ndarray, band: tuple[int, int]) -> np.ndarray:
    """A band as a strip `(HIGH, width)`: where its ink has its centre, the strip has its."""
    rows = ink[band[0] : band[1]].sum(1)
    middle = band[0] + round(float((rows * np.arange(len(rows))).sum() / max(rows.sum(), 1e-9)))
    padded = np.pad(ink, ((HIGH, HIGH), (0, 0)))
    return padded[middle + HIGH - _CENTRE : middle + 2 * HIGH - _CENTRE]


def lines(ink: np.ndarray) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """All lines of a straight page: strips `(n, HIGH, width)` and their bands."""
    found = bands(profile(ink))
    return np.stack([cut(ink, band) for band in found]) if found else np.zeros((0, HIGH, ink.shape[1])), found


def read_pages(reader: Reader, inks: Sequence[np.ndarray], *, straight: bool = True) -> list[list[Line]]:
    """Every line of every page, from the top; pages of one size, whose lines are read together."""
    cut_out = [lines(straighten(ink) if straight else ink) for ink in inks]
    strips = np.concatenate([strips for strips, _ in cut_out]).astype(np.float32)
    every = iter(np.concatenate([reader(strips[k : k + 96]) for k in range(0, len(strips), 96)] or [strips]))
    return [[best_path(next(every), band) for band in found] for _, found in cut_out]


def read_page(reader: Reader, ink: np.ndarray, *, straight: bool = True) -> list[Line]:
    """Every line of a page, from the top."""
    return read_pages(reader, [ink], straight=straight)[0]


# ---- fields ----


@dataclass(frozen=True)
class Field:
    """A field as read, and the chances of its signs."""

    text: str
    chances: tuple[float, ...]

    @property
    def least(self) -> float:
        """The chance of its most doubtful sign; 0 where nothing was read."""
        return min(self.chances, default=0.0)

    @property
    def mean(self) -> float:
        """The mean chance of its signs."""
        return float(np.mean(self.chances)) if self.chances else 0.0


_DIGITS = np.array([k == 0 or sign in ".0123456789" for k, sign in enumerate(" " + SIGNS)])


def digits_only(line: Line) -> Field:
    """The last word of a line, read again with all signs but digits and the point struck out."""
    last = line.text.rsplit(" ", 1)[-1]
    if line.every is None or not last:
        return Field(last, line.chances[len(line.chances) - len(last) :])
    first = line.steps[len(line.steps) - len(last)]
    begin = max(line.steps[len(line.steps) - len(last) - 1] + 1, first - 2) if len(last) < len(line.text) else 0
    kept = line.every[begin:] * _DIGITS
    again = best_path(kept / np.maximum(kept.sum(-1, keepdims=True), 1e-12))
    return Field(again.text, again.chances)


MONEY = re.compile(r"\d+\.\d\d")


def fields(page: Sequence[Line]) -> dict[str, Field]:
    """An invoice's number, date, items and total: the digits that stand last in the line that begins with the word.

    A word may have one letter wrong. What stands between the date and the total is an item.
    """
    found, items = {}, []
    for line in page:
        words = line.text.split(" ")
        if len(words) < 2:
            continue
        head, value = words[0].lower(), digits_only(line)
        name = next((each for each in ("number", "date", "total") if letters_wrong(head, each) <= 1), None)
        if name and name not in found:
            found[name] = value
        elif "date" in found and "total" not in found:
            items.append(value)
    return {**found, **{f"item {k + 1}": value for k, value in enumerate(items)}}


def possible(text: str) -> bool:
    """Whether this is a day of the calendar, written 31.12.2026."""
    try:
        return bool(datetime.datetime.strptime(text, "%d.%m.%Y")) and len(text) == 10
    except ValueError:
        return False


def complaints(found: dict[str, Field]) -> list[str]:
    """Which rules an invoice breaks: fields are there, money looks like money, the day exists, the sum adds up."""
    broken = [f"no {name} found" for name in ("number", "date", "total") if name not in found]
    if "number" in found and not found["number"].text.isdigit():
        broken.append("the number is no number")
    if "date" in found and not possible(found["date"].text):
        broken.append("no such day")
    money = {name: value.text for name, value in found.items() if name == "total" or name.startswith("item")}
    odd = [name for name, text in money.items() if not MONEY.fullmatch(text)]
    if odd:
        broken.append(f"no money: {', '.join(odd)}")
    elif "total" in money:
        cents = {name: int(text.replace(".", "")) for name, text in money.items()}
        total = cents.pop("total")
        if sum(cents.values()) != total:
            broken.append("the sum does not add up")
    return broken


# ---- the real page ----

PRINTED = (  # what stands in lines 2 to 6 of it, read by us
    "Let us first determine markers of the coins and the",
    "background. These markers are pixels that we can label",
    "unambiguously as either object or background. Here,",
    "the markers are found at the two extreme parts of the",
    "histogram of grey values:",
)


def ink_of(grey: np.ndarray, *, around: float = 12.0) -> np.ndarray:
    """Ink of a photograph (0 black, 1 white): darker than its surroundings, so that a shadow is no ink."""
    from scipy.ndimage import gaussian_filter

    darker = gaussian_filter(grey, around) - grey
    return np.clip(darker / np.quantile(darker, 0.985), 0, 1)


def follow(ink: np.ndarray, band: tuple[int, int], degree: int = 3) -> np.ndarray:
    """A strip that follows a bent line: in every column its centre is fitted to the ink by a smooth curve."""
    from scipy.ndimage import map_coordinates

    top, bottom = max(band[0] - 3, 0), min(band[1] + 3, len(ink))
    y, x = np.nonzero(ink[top:bottom] > 0.3)
    weight = ink[top:bottom][y, x]
    curve = np.polynomial.Polynomial.fit(x, y + top, degree, w=np.sqrt(weight))
    across = np.arange(ink.shape[1])
    rows = curve(across)[None] + np.arange(HIGH)[:, None] - _CENTRE
    return map_coordinates(ink, [rows, np.broadcast_to(across, rows.shape)], order=1)
