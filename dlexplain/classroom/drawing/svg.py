"""Pictures in SVG for benches: the same live and without a kernel."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from dlexplain.figures.theme import CATEGORIES, LIGHT, rgb

Scale = Callable[[float], float]

SIDE = 190  # pixels of a picture
WIDE, HIGH = 400, 222
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 34, 40


@dataclass(frozen=True)
class Line:
    """One line of a chart. `dot`: a place on it; `slope`: its steepness there, a short straight line."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    colour: int
    dot: tuple[float, float] | None = None
    slope: float | None = None
    stepped: bool = False


def number(value: float, *, signed: bool = False) -> str:
    """Two places behind the point, with a true minus sign."""
    text = f"{value:+.2f}" if signed else f"{value:.2f}"
    return text.replace("-", "−")


def plain(text: str) -> str:
    """Words without their mark-up."""
    return html.unescape(re.sub(r"<[^>]+>", " ", text)).replace("  ", " ")


def grey(picture: np.ndarray, *, mark: tuple[int, int] | None = None) -> str:
    """A grey picture `(height, width)`; `mark` frames one pixel."""
    cells = [_cell(picture, i, j, f"rgb({v},{v},{v})") for i, j, v in _levels(picture)]
    if mark is not None:
        cell = SIDE / max(picture.shape)
        cells.append(
            f'<rect x="{mark[1] * cell:.1f}" y="{mark[0] * cell:.1f}" width="{cell:.1f}" height="{cell:.1f}" '
            f'fill="none" stroke="{CATEGORIES[5]}" stroke-width="3.5"/>'
        )
    return "".join(cells)


def signed(values: np.ndarray, limit: float, *, behind: np.ndarray) -> str:
    """A signed map over a faint picture: orange for, blue against, nothing at zero."""
    cells = [_cell(behind, i, j, f"rgba({v},{v},{v},.28)") for i, j, v in _levels(behind)]
    for (i, j), value in np.ndenumerate(values):
        colour = ",".join(map(str, rgb(LIGHT.positive if value > 0 else LIGHT.negative)))
        cells.append(_cell(values, i, j, f"rgba({colour},{min(1.0, abs(value) / limit):.3f})"))
    return "".join(cells)


def _levels(picture: np.ndarray) -> list[tuple[int, int, int]]:
    return [(i, j, int(255 * min(max(value, 0.0), 1.0))) for (i, j), value in np.ndenumerate(picture)]


def _cell(picture: np.ndarray, i: int, j: int, fill: str) -> str:
    cell = SIDE / max(picture.shape)
    size = f'width="{cell + 0.3:.1f}" height="{cell + 0.3:.1f}"'
    return f'<rect x="{j * cell:.1f}" y="{i * cell:.1f}" {size} fill="{fill}"/>'


def panel(body: str, title: str) -> str:
    """A picture under its title."""
    frame = f'<rect width="{SIDE}" height="{SIDE}" fill="none" stroke="currentColor" stroke-opacity=".35"/>'
    return (
        f'<svg aria-hidden="true" shape-rendering="crispEdges" viewBox="-2 -26 {SIDE + 4} {SIDE + 30}" '
        f'style="width:{SIDE}px;flex:0 0 auto"><text y="-9" font-size="13" font-weight="600" '
        f'fill="currentColor">{html.escape(title)}</text>{body}{frame}</svg>'
    )


def chart(lines: Sequence[Line], *, across: str, up: str, mark: float | None = None) -> str:
    """Lines over 0 to 1. `mark`: a dotted upright line."""
    values = np.concatenate([np.asarray(line.y, np.float64) for line in lines])
    low, high = float(values.min()), float(values.max())
    pad = 0.08 * (high - low) or 0.5
    low, high = low - pad, high + pad

    def x(value: float) -> float:
        return LEFT + value * (WIDE - LEFT - RIGHT)

    def y(value: float) -> float:
        return TOP + (high - value) / (high - low) * (HIGH - TOP - BOTTOM)

    parts = [_axes(x, y, low, high, across, up)]
    if mark is not None:
        parts.append(_stroke([(x(mark), TOP), (x(mark), HIGH - BOTTOM)], "currentColor", 1.2, "2 4"))
    place = LEFT
    for line in lines:
        colour, dash = CATEGORIES[(0, 5)[line.colour]], ("", "7 4")[line.colour]
        points = [(x(a), y(b)) for a, b in zip(line.x, line.y, strict=True)]
        parts.append(_stroke(points, colour, 2.4, dash))
        if line.stepped:
            parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3.6" fill="{colour}"/>' for a, b in points]
        if line.dot:
            parts += _dot(line, x, y, colour)
        parts.append(_stroke([(place, 12), (place + 22, 12)], colour, 2.4, dash))
        parts.append(
            f'<text x="{place + 27}" y="16" font-size="12" fill="currentColor">'
            f"{html.escape(line.name)}</text>"
        )
        place += 46 + 6.6 * len(line.name)
    return (
        f'<svg aria-hidden="true" viewBox="0 0 {WIDE} {HIGH}" '
        f'style="width:{WIDE}px;max-width:100%;flex:0 1 auto">' + "".join(parts) + "</svg>"
    )


def _dot(line: Line, x: Scale, y: Scale, colour: str) -> list[str]:
    at, value = line.dot
    parts = [f'<circle cx="{x(at):.1f}" cy="{y(value):.1f}" r="5.5" fill="{colour}"/>']
    if line.slope is not None:
        reach = 0.14
        sides = (max(-reach, -at), min(reach, 1 - at))
        ends = [(x(at + side), y(value + side * line.slope)) for side in sides]
        parts.append(_stroke(ends, colour, 5, "", opacity=0.35))
    return parts


def _axes(x: Scale, y: Scale, low: float, high: float, across: str, up: str) -> str:
    text = 'font-size="11.5" fill="currentColor"'
    parts = [
        _stroke(
            [(LEFT, TOP), (LEFT, HIGH - BOTTOM), (WIDE - RIGHT, HIGH - BOTTOM)],
            "currentColor",
            1,
            "",
            opacity=0.5,
        ),
        f'<text x="{(LEFT + WIDE - RIGHT) / 2}" y="{HIGH - 6}" text-anchor="middle" {text}>'
        f"{html.escape(across)}</text>",
        f'<text transform="translate(13 {(TOP + HIGH - BOTTOM) / 2}) rotate(-90)" '
        f'text-anchor="middle" {text}>{html.escape(up)}</text>',
    ]
    for value in (0, 0.25, 0.5, 0.75, 1):
        parts.append(
            f'<text x="{x(value):.1f}" y="{HIGH - BOTTOM + 15}" text-anchor="middle" {text}>{value:g}</text>'
        )
    span = high - low
    step = next(s for s in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 1000) if span / s <= 6)
    for value in np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step:
        shown = f"{value:z.2f}".rstrip("0").rstrip(".").replace("-", "−")
        parts.append(f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end" {text}>{shown}</text>')
        parts.append(
            _stroke([(LEFT, y(value)), (WIDE - RIGHT, y(value))], "currentColor", 1, "", opacity=0.13)
        )
    return "".join(parts)


def _stroke(
    points: Sequence[tuple[float, float]], colour: str, width: float, dash: str, *, opacity: float = 1
) -> str:
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}" '
        f'stroke-opacity="{opacity}"{dashed} stroke-linejoin="round"/>'
    )


def row(parts: Sequence[str], words: str, alt: str) -> str:
    """Pictures beside each other, the words below; `alt` is what a screen reader says."""
    return (
        f'<div role="img" aria-label="{html.escape(alt, quote=True)}" style="display:flex;'
        f'flex-wrap:wrap;gap:14px;align-items:flex-start;color:inherit">{"".join(parts)}</div>'
        f'<div style="margin:.2em 0 .5em;line-height:1.5;max-width:56em">{words}</div>'
    )
