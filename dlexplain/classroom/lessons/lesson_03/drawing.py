"""Lesson 03's own pictures: a histogram of gradients over its picture, a contest's curves, the table of winners."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dlexplain.classroom import drawing as draw
from dlexplain.classroom import pages
from dlexplain.classroom.desk import Note
from dlexplain.figures.theme import CATEGORIES, LIGHT, rgb

SIDES = ("by hand", "network")
COLOURS = {"by hand": CATEGORIES[0], "network": CATEGORIES[1]}
WIDE, HIGH, LEFT, RIGHT, TOP, BOTTOM = 520, 270, 58, 20, 36, 42


def hog_pictures(pictures: Sequence[np.ndarray], histograms: Sequence[np.ndarray], titles: Sequence[str]) -> Note:
    """Each picture `(height, width)` beside its histograms `(rows, columns, bins)`, drawn as edges."""
    panels = []
    for picture, found, title in zip(pictures, histograms, titles, strict=True):
        panels += [draw.panel(draw.grey(picture), title), draw.panel(_edges(found), "its edges, cell by cell")]
    words = "Left: the pixels. Right: a short line for each direction of edge, longer where it is stronger."
    return Note(draw.row(panels, words, f"{', '.join(titles)}. {words}"), words)


def _edges(found: np.ndarray) -> str:
    rows, columns, bins = found.shape
    cell, most = draw.SIDE / max(rows, columns), float(found.max()) or 1.0
    parts = [f'<rect width="{draw.SIDE}" height="{draw.SIDE}" fill="#15181d"/>']
    for (row, column, which), value in np.ndenumerate(found):
        reach = 0.5 * cell * value / most
        angle = 2 * np.pi * (which + 0.5) / bins + np.pi / 2  # an edge runs across its gradient
        x, y = (column + 0.5) * cell, (row + 0.5) * cell
        dx, dy = reach * np.cos(angle), reach * np.sin(angle)
        if reach > 0.5:
            parts.append(
                f'<line x1="{x - dx:.1f}" y1="{y - dy:.1f}" x2="{x + dx:.1f}" y2="{y + dy:.1f}" stroke="#f4d58d" '
                f'stroke-width="1.6" stroke-opacity="{0.25 + 0.75 * value / most:.2f}" shape-rendering="auto"/>'
            )
    return "".join(parts)


def covered(pictures: Mapping[str, np.ndarray], behind: np.ndarray, title: str) -> Note:
    """Maps `(height, width)` over a faint picture, each on its own scale: orange spoke for the answer."""
    bodies = {title: draw.grey(behind), **{name: _tinted(each, behind) for name, each in pictures.items()}}
    panels = [draw.panel(body, name).replace(f"width:{draw.SIDE}px", "width:150px") for name, body in bodies.items()]
    words = (
        "Orange: covering this place lowers the score. Blue: covering it raises the score. Each map has its own scale."
    )
    return Note(draw.row(panels, words, f"{title}; {', '.join(pictures)}. {words}"), words)


def _tinted(values: np.ndarray, behind: np.ndarray) -> str:
    """A signed map mixed with a faint picture: opaque cells, so that no grid shows where they meet."""
    strong = np.abs(values) / (float(np.abs(values).max()) or 1.0)
    paper = 255 - 0.35 * (255 - 255 * behind.clip(0, 1))
    cell, parts = draw.SIDE / max(values.shape), []
    for (row, column), share in np.ndenumerate(strong):
        tint = np.array(rgb(LIGHT.positive if values[row, column] > 0 else LIGHT.negative))
        colour = ",".join(str(int(v)) for v in share * tint + (1 - share) * paper[row, column])
        parts.append(
            f'<rect x="{column * cell:.1f}" y="{row * cell:.1f}" width="{cell + 0.4:.1f}" height="{cell + 0.4:.1f}" '
            f'fill="rgb({colour})"/>'
        )
    return "".join(parts)


def contest_chart(results: Any, size: int, now: Mapping[str, float]) -> str:
    """Measured curves with error bars over the sizes, and the newest result of both sides at its size."""
    every = [np.asarray(results.means[s]) - results.spread[s] for s in SIDES] + [np.array(list(now.values()))]
    low = max(0.0, float(np.floor(10 * min(each.min() for each in every)) / 10))
    count = len(results.sizes)

    def x(index: float) -> float:
        return LEFT + (index + 0.5) / count * (WIDE - LEFT - RIGHT)

    def y(value: float) -> float:
        return TOP + (1 - min(value, 1)) / (1 - low + 1e-9) * (HIGH - TOP - BOTTOM)

    parts = _frame(x, y, low, results.sizes)
    for side, mark in zip(SIDES, ("circle", "square"), strict=True):
        colour, shift = COLOURS[side], -5 if side == "by hand" else 5
        middle, spread = results.means[side], results.spread[side]
        dash = "" if side == "by hand" else ' stroke-dasharray="7 4"'
        path = " ".join(f"{x(k) + shift:.1f},{y(v):.1f}" for k, v in enumerate(middle))
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.2"{dash}/>')
        for k, (value, error) in enumerate(zip(middle, spread, strict=True)):
            at = x(k) + shift
            parts.append(_upright(at, y(value - error), y(value + error), colour))
            parts.append(_mark(mark, at, y(value), 3.5, colour))
        parts.append(_mark(mark, x(results.sizes.index(size)) + shift, y(now[side]), 8, colour, ring=True))
        place = LEFT + (0 if side == "by hand" else 130)
        parts += [
            _mark(mark, place + 6, 14, 5, colour),
            f'<text x="{place + 18}" y="18" font-size="12.5" fill="currentColor">{side}</text>',
        ]
    return (
        f'<svg aria-hidden="true" viewBox="0 0 {WIDE} {HIGH}" style="width:{WIDE}px;max-width:100%">'
        + "".join(parts)
        + "</svg>"
    )


def _frame(x: Any, y: Any, low: float, sizes: Sequence[int]) -> list[str]:
    text = 'font-size="12" fill="currentColor"'
    step = 0.1 if low >= 0.3 else 0.2
    parts = []
    for value in np.arange(1, low - 1e-6, -step):
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDE - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="currentColor" '
            f'stroke-opacity=".16"/><text x="{LEFT - 7}" y="{y(value) + 4:.1f}" text-anchor="end" {text}>{value:.0%}</text>'
        )
    for k, size in enumerate(sizes):
        parts.append(f'<text x="{x(k):.1f}" y="{HIGH - BOTTOM + 18}" text-anchor="middle" {text}>{size}</text>')
    parts.append(
        f'<text x="{(LEFT + WIDE - RIGHT) / 2}" y="{HIGH - 5}" text-anchor="middle" {text}>examples to learn from</text>'
    )
    parts.append(
        f'<text transform="translate(13 {(TOP + HIGH - BOTTOM) / 2}) rotate(-90)" text-anchor="middle" {text}>right</text>'
    )
    return parts


def _upright(at: float, bottom: float, top: float, colour: str) -> str:
    return f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{bottom:.1f}" y2="{top:.1f}" stroke="{colour}" stroke-width="1.6"/>'


def _mark(kind: str, x: float, y: float, size: float, colour: str, *, ring: bool = False) -> str:
    look = f'fill="{colour}"' + (' stroke="currentColor" stroke-width="2"' if ring else "")
    if kind == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size}" {look}/>'
    return f'<rect x="{x - size:.1f}" y="{y - size:.1f}" width="{2 * size}" height="{2 * size}" {look}/>'


def winners(results: Sequence[Any]) -> Note:
    """A row a kind of data, a cell a size: who won, by how many points, and the error of that number."""
    most, rows, said = max(len(each.sizes) for each in results), [], []
    for each in results:
        cells = [html.escape(each.name)]
        for size, winner, (lead, error) in zip(each.sizes, each.winners, each.lead, strict=True):
            tint = {"open": "transparent", "by hand": _tint(LIGHT.negative), "network": _tint(LIGHT.positive)}[winner]
            amount = f"{100 * abs(lead):.1f} ± {100 * error:.1f} points" if winner != "open" else "no clear winner"
            cells.append(
                f'<div style="background:{tint};padding:.25em .5em;border-radius:4px"><b>{winner}</b> '
                f"<small>at {size}<br/>{amount}</small></div>"
            )
            said.append(f"{each.name}, {size} examples: {winner}, {amount}")
        rows.append(cells + [""] * (most - len(each.sizes)))
    heads = ["", "few examples", "more →", *[""] * (most - 2)]
    return Note(pages.table(heads, rows, ""), "\n".join(said))


def _tint(colour: str) -> str:
    return f"rgba({','.join(map(str, rgb(colour)))},.28)"
