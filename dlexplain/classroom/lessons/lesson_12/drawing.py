"""Lesson 12's own pictures: words tied to words, and grids of words that look at words."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import numpy as np

from dlexplain.classroom import drawing as draw
from dlexplain.classroom.desk import Note
from dlexplain.figures.theme import CATEGORIES

Links = Sequence[tuple[int, int]]

CELL, HEAD, SIDE = 34, 80, 72
_TEXT = 'fill="currentColor"'
_TRUE, _WEIGHT = CATEGORIES[5], CATEGORIES[0]


def ties(source: Sequence[str], target: Sequence[str], links: Links) -> Note:
    """The source above, its translation below; a line to the word translated, a dotted one to the word agreed with."""
    wide = 84
    across = wide * max(len(source), len(target))
    above = [across / len(source) * (k + 0.5) for k in range(len(source))]
    below = [across / len(target) * (k + 0.5) for k in range(len(target))]
    lines = []
    for place, (main, agrees) in enumerate(links):
        if agrees != main:
            lines.append(_tie(above[agrees], below[place], f'stroke="{_TRUE}" stroke-width="2" stroke-dasharray="2 5"'))
        lines.append(_tie(above[main], below[place], f'stroke="{_WEIGHT}" stroke-width="2.6"'))
    words = [_word(x, 20, word) for x, word in zip(above, source, strict=True)]
    words += [_word(x, 172, word) for x, word in zip(below, target, strict=True)]
    keys = (
        f'<line x1="8" x2="34" y1="205" y2="205" stroke="{_WEIGHT}" stroke-width="2.6"/>'
        f'<text x="40" y="209" font-size="12.5" {_TEXT}>translates it</text>'
        f'<line x1="142" x2="168" y1="205" y2="205" stroke="{_TRUE}" stroke-width="2" stroke-dasharray="2 5"/>'
        f'<text x="174" y="209" font-size="12.5" {_TEXT}>decides its ending</text>'
    )
    said = "; ".join(
        f"{word} translates {source[main]}" + (f" and agrees with {source[agrees]}" if agrees != main else "")
        for word, (main, agrees) in zip(target, links, strict=True)
    )
    picture = (
        f'<svg role="img" aria-label="{html.escape(said, quote=True)}" viewBox="0 0 {across} 216" '
        f'style="width:{across}px;max-width:100%">{"".join(lines + words)}{keys}</svg>'
    )
    return Note(picture, said)


def _tie(x1: float, x2: float, style: str) -> str:
    return f'<path d="M{x1:.0f} 30C{x1:.0f} 90 {x2:.0f} 96 {x2:.0f} 152" fill="none" {style}/>'


def _word(x: float, y: float, word: str) -> str:
    return f'<text x="{x:.0f}" y="{y}" font-size="17" text-anchor="middle" {_TEXT}>{html.escape(word)}</text>'


def grid(
    values: np.ndarray, source: Sequence[str], target: Sequence[str], title: str, links: Links | None = None
) -> str:
    """A row a word written, a column a source word, as SVG. Cells are empty at 0 and full at 1.

    A frame is the word translated, a dotted one the word agreed with. What lies below zero stays empty.
    """
    rows, columns = len(target), len(source)
    parts = [f'<text x="0" y="14" font-size="14" font-weight="600" {_TEXT}>{html.escape(title)}</text>']
    for k, word in enumerate(source):
        x = SIDE + (k + 0.5) * CELL + 4
        parts.append(
            f'<text transform="translate({x:.0f} {HEAD - 6}) rotate(-52)" font-size="14" {_TEXT}>'
            f"{html.escape(_seen(word))}</text>"
        )
    for t, word in enumerate(target):
        y = HEAD + t * CELL
        parts.append(
            f'<text x="{SIDE - 8}" y="{y + 22}" font-size="14" text-anchor="end" {_TEXT}>{html.escape(_seen(word))}</text>'
        )
        for s in range(columns):
            strength = min(1.0, max(0.0, float(values[t, s])))
            parts.append(
                f'<rect x="{SIDE + s * CELL}" y="{y}" width="{CELL - 1.5}" height="{CELL - 1.5}" fill="{_WEIGHT}" '
                f'fill-opacity="{strength:.2f}" stroke="currentColor" stroke-opacity=".18"/>'
            )
    for t, (main, agrees) in enumerate(links or ()):
        parts += [_frame(t, agrees, ' stroke-dasharray="2 4"'), _frame(t, main, "")]
    width, height = SIDE + columns * CELL + 26, HEAD + rows * CELL + 2
    return (
        f'<svg aria-hidden="true" viewBox="0 0 {width} {height}" style="flex:1 1 280px;min-width:0;'
        f'max-width:{width}px">{"".join(parts)}</svg>'
    )


def _frame(t: int, s: int, dash: str) -> str:
    return (
        f'<rect x="{SIDE + s * CELL + 1}" y="{HEAD + t * CELL + 1}" width="{CELL - 3.5}" height="{CELL - 3.5}" '
        f'fill="none" stroke="{_TRUE}" stroke-width="2.4"{dash}/>'
    )


def _seen(word: str) -> str:
    return "␣" if word == " " else word


def grids(
    maps: Mapping[str, np.ndarray],
    source: Sequence[str],
    target: Sequence[str],
    links: Links | None = None,
    *,
    legend: bool = True,
) -> Note:
    """Some grids of one sentence beside each other, `{title: (written, source places)}`; more places are cut off."""
    cut = {title: np.asarray(values)[: len(target), : len(source)] for title, values in maps.items()}
    pictures = [grid(values, source, target, title, links) for title, values in cut.items()]
    said = ". ".join(f"{title}: {strongest(values, source, target)}" for title, values in cut.items())
    key = ""
    if legend:
        key = "A row: a word written. Blue: weight."
    if legend and links is not None:
        key += " Frame: what it translates. Dotted: what decides its ending."
    return Note(draw.row(pictures, f'<span style="font-size:14px">{key}</span>' if key else "", said), said)


def strongest(values: np.ndarray, source: Sequence[str], target: Sequence[str]) -> str:
    """In words: the source word of largest value for each word written."""
    return ", ".join(f"{word} at {source[int(np.argmax(row))]}" for word, row in zip(target, values, strict=True))
