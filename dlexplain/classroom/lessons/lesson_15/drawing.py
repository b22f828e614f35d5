"""Lesson 15's pictures: what the camera sees, what decided, and the ways that cars took."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import numpy as np

from dlexplain.classroom.desk import Note
from dlexplain.data.road import HALF_ROAD, Road
from dlexplain.figures import png
from dlexplain.figures.theme import CATEGORIES, LIGHT, rgb

LEFT_HAND, RIGHT_HAND = np.array(rgb(LIGHT.positive)) / 255, np.array(rgb(LIGHT.negative)) / 255
DASHES = ("", "7 4", "2 4", "10 3 2 3")
WAY_COLOURS = ("#000000", CATEGORIES[5], CATEGORIES[0], "#7a2f6b")


def tinted(grey: np.ndarray, values: np.ndarray, limit: float) -> np.ndarray:
    """A map `(24, 40)` over its faint picture, `(24, 40, 3)`: orange steers to the left, blue to the right."""
    strength = np.clip(np.abs(values) / limit, 0, 1)[..., None]
    colour = np.where((values > 0)[..., None], LEFT_HAND, RIGHT_HAND)
    faint = 0.70 + 0.30 * np.asarray(grey).reshape(*values.shape, 1)
    return (1 - strength) * faint + strength * colour


def limit_of(maps: np.ndarray) -> float:
    """The strength that is drawn in full colour: hardly a pixel in a hundred is stronger."""
    return float(np.quantile(np.abs(maps), 0.995)) or 1.0


def picture(pixels: np.ndarray, *, wide: int, words: str = "") -> str:
    """One camera picture as an image; `words` for a screen reader, else it is passed over."""
    told = f'alt="{html.escape(words, quote=True)}"' if words else 'alt="" aria-hidden="true"'
    return (
        f'<img {told} src="{png.address(pixels)}" style="width:{wide}px;max-width:100%;display:block;'
        f'image-rendering:pixelated;border:1px solid rgba(128,128,128,.5);margin:0"/>'
    )


def strip(rows: Mapping[str, Sequence[np.ndarray]], captions: Sequence[str], *, words: str, wide: int = 190) -> Note:
    """Pictures in rows, a name over each row, a caption under each column: a film on a page."""
    count = len(captions)
    cells = []
    for name, pictures in rows.items():
        if name:
            cells.append(f'<div style="grid-column:1/-1;font-size:.9em;line-height:1.3">{html.escape(name)}</div>')
        cells += [f"<div>{picture(each, wide=wide)}</div>" for each in pictures]
    cells += [f'<div style="font-size:.85em;text-align:center">{html.escape(each)}</div>' for each in captions]
    page = (
        f'<div role="img" aria-label="{html.escape(words, quote=True)}" style="display:grid;gap:6px 8px;'
        f'grid-template-columns:repeat({count},minmax(0,{wide}px));margin:.4em 0">{"".join(cells)}</div>'
    )
    return Note(page, words)


def way(
    road: Road,
    ways: Mapping[str, np.ndarray],
    metres: int,
    *,
    side: int = 300,
    dot: np.ndarray | None = None,
    crash: Mapping[str, bool] | None = None,
    colours: Sequence[str] = WAY_COLOURS,
) -> str:
    """A road from above, and the ways `(m, 2)` that cars took on it; `dot`: a car; `crash`: who ended in the grass."""
    shown = road.xy[: metres + 8]
    low, high = shown.min(0) - 9, shown.max(0) + 9
    scale = side / max(high - low)

    def points(xy: np.ndarray) -> str:
        return " ".join(f"{(x - low[0]) * scale:.1f},{(high[1] - y) * scale:.1f}" for x, y in xy)

    middle = points(shown)
    parts = [
        '<rect width="100%" height="100%" fill="#7fa86b" fill-opacity=".55"/>',
        f'<polyline points="{middle}" fill="none" stroke="#8b8d92" stroke-width="{2 * HALF_ROAD * scale:.1f}" '
        f'stroke-linecap="round" stroke-linejoin="round"/>',
        f'<polyline points="{middle}" fill="none" stroke="#f7cc29" stroke-width="1"/>',
    ]
    for index, (name, xy) in enumerate(ways.items()):
        colour = colours[index % len(colours)]
        parts.append(
            f'<polyline points="{points(xy[: len(shown)])}" fill="none" stroke="{colour}" stroke-width="2.6" '
            f'stroke-dasharray="{DASHES[index % len(DASHES)]}"/>'
        )
        if crash and crash.get(name) and len(xy) <= len(shown):
            x, y = (float(each) for each in points(xy[-1:]).split(","))
            parts.append(
                f'<path d="M{x - 6:.1f},{y - 6:.1f}l12,12m0,-12l-12,12" stroke="{colour}" stroke-width="3.4"/>'
            )
    if dot is not None:
        x, y = points(dot[None]).split(",")
        parts.append(f'<circle cx="{x}" cy="{y}" r="6" fill="#fff" stroke="#000" stroke-width="2.5"/>')
    size = (high - low) * scale
    return (
        f'<svg aria-hidden="true" viewBox="0 0 {size[0]:.0f} {size[1]:.0f}" '
        f'style="width:{size[0]:.0f}px;max-width:100%">{"".join(parts)}</svg>'
    )


def ways_note(road: Road, ways: Mapping[str, np.ndarray], metres: int, crash: Mapping[str, bool], words: str) -> Note:
    """The ways from above with their legend, in the colours of the course's curves."""
    lines = "".join(
        f'<div><svg aria-hidden="true" width="44" height="12"><rect width="44" height="12" fill="#b9bbc0"/><line x1="2" '
        f'x2="42" y1="6" y2="6" stroke="{CATEGORIES[k]}" stroke-width="3" stroke-dasharray="{DASHES[k]}"/></svg> '
        f"{html.escape(name)}{' ✕ leaves the road' if crash.get(name) else ''}</div>"
        for k, name in enumerate(ways)
    )
    drawn = way(road, ways, metres, side=430, crash=crash, colours=CATEGORIES)
    page = (
        f'<div role="img" aria-label="{html.escape(words, quote=True)}" style="display:flex;flex-wrap:wrap;gap:18px;'
        f'align-items:center">{drawn}<div style="line-height:1.8">{lines}</div></div>'
    )
    return Note(page, words)
