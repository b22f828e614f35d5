"""Lesson 07's own pictures: bars of scores for its bench, clouds of falls, a table of verdicts."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import numpy as np

from dlexplain.classroom.drawing import SIDE, number
from dlexplain.figures.theme import CATEGORIES, LIGHT, rgb

_NAMES, _LONG, _ROW = 158, 170, 25
_METHOD, _CONTROL = CATEGORIES[0], CATEGORIES[-1]


def signed(values: np.ndarray, *, behind: np.ndarray) -> str:
    """A signed map over a faint picture, its own largest size in full colour: orange for, blue against.

    Cells are opaque: half-transparent ones would show their overlap as lines.
    """
    cell, limit = SIDE / max(values.shape), float(np.abs(values).max()) or 1.0
    ends = {1: np.array(rgb(LIGHT.positive), float), -1: np.array(rgb(LIGHT.negative), float)}
    parts = []
    for (i, j), value in np.ndenumerate(values):
        share = min(1.0, abs(value) / limit)
        paper = 255 - 45 * (1 - min(max(float(behind[i, j]), 0.0), 1.0))
        red, green, blue = (share * ends[1 if value > 0 else -1] + (1 - share) * paper).round().astype(int)
        parts.append(
            f'<rect x="{j * cell:.1f}" y="{i * cell:.1f}" width="{cell + 0.3:.1f}" height="{cell + 0.3:.1f}" '
            f'fill="rgb({red},{green},{blue})"/>'
        )
    return "".join(parts)


def score_bars(
    rows: Mapping[str, float],
    ends: tuple[float, float],
    *,
    chosen: str,
    controls: Sequence[str] = (),
    title: str = "",
) -> str:
    """A bar a row from zero, cut off at `ends`; the chosen row is bold, controls are grey, NaN is said in words."""
    low, high = ends
    start = _NAMES + (0 - low) / (high - low) * _LONG
    parts, top = [], 24 if title else 12
    if title:
        parts.append(f'<text x="{_NAMES}" y="12" font-size="12.5" fill="currentColor">{html.escape(title)}</text>')
    for i, (name, value) in enumerate(rows.items()):
        y = top + i * _ROW
        bold = ' font-weight="700"' if name == chosen else ""
        parts.append(
            f'<text x="{_NAMES - 8}" y="{y + 14}" text-anchor="end" font-size="12.5"{bold} fill="currentColor">'
            f"{html.escape(name)}</text>"
        )
        if np.isnan(value):
            parts.append(_text(_NAMES + 4, y, "no score", bold))
            continue
        end = _NAMES + (min(max(value, low), high) - low) / (high - low) * _LONG
        parts.append(
            f'<rect x="{min(start, end):.1f}" y="{y + 3}" width="{max(abs(end - start), 1.5):.1f}" height="14" '
            f'fill="{_CONTROL if name in controls else _METHOD}" fill-opacity="{1 if name == chosen else 0.6}"/>'
        )
        parts.append(_text(_NAMES + _LONG + 6, y, number(value), bold))
    high_svg = top + len(rows) * _ROW + 6
    parts.append(
        f'<line x1="{start:.1f}" x2="{start:.1f}" y1="{top - 4}" y2="{high_svg - 4}" stroke="currentColor" stroke-opacity=".5"/>'
    )
    wide = _NAMES + _LONG + 52
    return (
        f'<svg aria-hidden="true" viewBox="0 0 {wide} {high_svg}" style="width:{wide}px;max-width:100%;flex:0 1 auto">'
        + "".join(parts)
        + "</svg>"
    )


def _text(x: float, y: float, text: str, bold: str) -> str:
    return f'<text x="{x:.0f}" y="{y + 14}" font-size="12.5"{bold} fill="currentColor">{text}</text>'
