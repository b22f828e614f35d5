"""The screens of lesson 17's control room, in SVG: monitors and the bill over the year."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np

from dlexplain.figures.theme import CATEGORIES

WIDE, HIGH = 276, 118
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 6, 24, 22
_STEPS = tuple(s * 10.0**k for k in range(-3, 8) for s in (1, 2, 5))
_SMALL = 'font-size="11" fill="currentColor"'
_RINGS = CATEGORIES[5]


def monitor(
    name: str, values: Sequence[float], limit: float, *, weeks: int, quiet: int, acts: Sequence[int] = ()
) -> str:
    """One monitor over the year so far; dashed: its limit; red diamonds: over it; grey: the quiet weeks."""
    known = np.asarray(values, float)
    high = 1.15 * max(float(np.nanmax(known, initial=0.0)), limit)
    parts = _ground(name, high, weeks, acts, quiet=quiet)
    parts.append(_line([(0.5, limit), (weeks + 0.5, limit)], weeks, high, _RINGS, dash="6 4"))
    points = [(k + 1, v) for k, v in enumerate(known) if np.isfinite(v)]
    if points:
        parts.append(_line(points, weeks, high, CATEGORIES[0]))
    for week, value in points:
        if value > limit:
            a, b = _x(week, weeks), _y(value, high)
            parts.append(f'<path d="M{a:.1f} {b - 5:.1f}l5 5l-5 5l-5 -5z" fill="{_RINGS}"/>')
    return _svg(parts)


def bill(mine: np.ndarray, others: np.ndarray, *, weeks: int, acts: Sequence[int] = ()) -> str:
    """The bill so far, and dotted that of who never lifts a hand."""
    high = 1.1 * max([1.0, *mine[-1:], *others[-1:]])
    parts = _ground("the bill so far; dotted: hands off", high, weeks, acts)
    for values, colour, dash in ((others, CATEGORIES[6], "2 4"), (mine, CATEGORIES[0], "")):
        if len(values):
            parts.append(_line([(k + 1, v) for k, v in enumerate(values)], weeks, high, colour, dash=dash))
    return _svg(parts)


def _x(week: float, weeks: int) -> float:
    return _LEFT + (week - 0.5) / weeks * (WIDE - _LEFT - _RIGHT)


def _y(value: float, high: float) -> float:
    return _TOP + (1 - value / high) * (HIGH - _TOP - _BOTTOM)


def _ground(name: str, high: float, weeks: int, acts: Sequence[int], quiet: int = 0) -> list[str]:
    parts = [f'<text x="4" y="13" font-size="12" font-weight="600" fill="currentColor">{html.escape(name)}</text>']
    if quiet:
        wide = _x(quiet + 0.5, weeks) - _x(0.5, weeks)
        parts.append(
            f'<rect x="{_x(0.5, weeks):.1f}" y="{_TOP}" width="{wide:.1f}" height="{HIGH - _TOP - _BOTTOM}" '
            f'fill="{CATEGORIES[6]}" fill-opacity=".16"/>'
        )
    step = next(s for s in _STEPS if high / s < 4)
    for value in np.arange(0, high, step):
        shown = f"{value:,.0f}" if step >= 1 else f"{value:.2g}"
        parts.append(f'<text x="{_LEFT - 4}" y="{_y(value, high) + 4:.1f}" text-anchor="end" {_SMALL}>{shown}</text>')
        parts.append(_line([(0.5, value), (weeks + 0.5, value)], weeks, high, "currentColor", opacity=0.15, width=1))
    for week in range(10, weeks + 1, 10):
        parts.append(f'<text x="{_x(week, weeks):.1f}" y="{HIGH - 8}" text-anchor="middle" {_SMALL}>{week}</text>')
    for week in acts:  # something was done at the end of this week
        parts.append(_line([(week + 0.5, 0), (week + 0.5, high)], weeks, high, CATEGORIES[2], width=1.6))
    return parts


def _line(
    points: Sequence[tuple[float, float]], weeks: int, high: float, colour: str, *, dash: str = "", width: float = 2,
    opacity: float = 1,
) -> str:  # fmt: skip
    path = " ".join(f"{_x(a, weeks):.1f},{_y(b, high):.1f}" for a, b in points)
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-opacity="{opacity}"'
        f'{dashed} stroke-linejoin="round"/>'
    )


def _svg(parts: Sequence[str]) -> str:
    return (
        f'<svg aria-hidden="true" viewBox="0 0 {WIDE} {HIGH}" style="width:{WIDE}px;max-width:100%;flex:0 1 auto">'
        f"{''.join(parts)}</svg>"
    )
