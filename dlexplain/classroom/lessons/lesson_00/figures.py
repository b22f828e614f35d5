"""What lesson 00 shows and does not teach: numbers as a picture, mystery maps, the record, the way on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dlexplain.classroom.desk import Note
from dlexplain.classroom.pages import prose, table

if TYPE_CHECKING:
    from dlexplain.figures import Figure

QUARTERS = ("upper left", "upper right", "lower left", "lower right")


def as_numbers(picture: np.ndarray) -> Note:
    """An `(8, 8)` picture of 0 to 1 as the numbers a network gets, each on its own shade of grey."""
    lines = np.round(16 * np.asarray(picture)).astype(int).tolist()
    cell = "width:2.1em;height:2.1em;padding:0;text-align:center;border:0"
    rows = []
    for line in lines:
        cells = "".join(
            f'<td style="{cell};background:rgb{(15 * v,) * 3};color:{"#111" if v > 7 else "#eee"}">{v}</td>'
            for v in line
        )
        rows.append(f'<tr style="background:none">{cells}</tr>')
    label = "The picture as 8 rows of 8 numbers, from 0 for blank paper to 16 for full ink."
    style = "border-collapse:collapse;margin:.4em 0;font-variant-numeric:tabular-nums;font-size:13px"
    body = f'<table aria-label="{label}" style="{style}">{"".join(rows)}</table>'
    return Note(body, "\n".join(" ".join(f"{v:2d}" for v in line) for line in lines))


def mystery(pictures: np.ndarray, own: np.ndarray, nonsense: np.ndarray) -> dict[str, np.ndarray]:
    """Three sets of maps under letters; `check_mystery` knows which is the network's own."""
    return {"A": pictures, "B": own, "C": nonsense}


def mystery_figure(pictures: np.ndarray, maps: Mapping[str, np.ndarray]) -> Figure:
    """A row a picture: the picture, then what speaks for it in each map, as bright as the map goes."""
    from dlexplain.figures import images

    shown, titles = [], []
    for i, picture in enumerate(pictures):
        found = {letter: np.maximum(values[i], 0) for letter, values in maps.items()}
        shown += [picture, *(values / max(float(values.max()), 1e-9) for values in found.values())]
        titles += ["the picture", *found]
    title = "Which map is from Torch?"
    return images(shown, titles=titles, columns=1 + len(maps), title=title)


def record(rows: Sequence[tuple[str, str, str, bool]]) -> Note:
    """Rows of question, what would have condemned, what was found, whether it held."""
    signs = {True: "\u2713 held", False: "\u2717 failed"}
    cells = [[prose(part) for part in (*texts, signs[bool(held)])] for *texts, held in rows]
    page = table(["question", "it fails if", "found", ""], cells, "The record of the Keras maps")
    text = "\n".join(f"{question} {found}: {signs[bool(held)]}" for question, _, found, held in rows)
    return Note(page, text)


def course_map(folder: Path | None = None) -> Note:
    """The other lessons, each with a link to its notebook in `folder` (None: beside this one)."""
    from dlexplain.classroom.lessons import declared, numbers

    folder = folder or Path.cwd()
    rows, lines = [], []
    for lesson in (declared(number) for number in numbers() if number != 0):
        book = next(iter(sorted(folder.glob(f"{lesson.number:02d}_*.ipynb"))), None)
        title = prose(lesson.title)
        linked = f'<a href="{book.name}">{title}</a>' if book else title
        rows.append([f"{lesson.number:02d}", linked, prose(lesson.question), f"{lesson.minutes[0]} min"])
        lines.append(f"{lesson.number:02d}  {lesson.title}: {lesson.question}")
    if not rows:
        return Note(prose("No further lesson is here yet."), "No further lesson is here yet.")
    return Note(
        table(["no.", "lesson", "question", "to read"], rows, "Where to go from here"), "\n".join(lines)
    )
