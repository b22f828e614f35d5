"""Lesson 10's own pictures: pages with what was found on them, text with its doubt, a profile, steps, maps over print."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence

import numpy as np

from dlexplain.classroom.desk import Note
from dlexplain.classroom.lessons.lesson_10.reading import Line
from dlexplain.figures.theme import CATEGORIES, LIGHT, rgb

_BLANK = "·"
_DOUBT = 0.8  # below this chance a letter is marked


def picture(levels: np.ndarray) -> str:
    """Levels `(height, width)` or colours `(height, width, 3)`, 0 to 1, as the address of a PNG."""
    from PIL import Image

    kept = io.BytesIO()
    Image.fromarray((255 * np.clip(levels, 0, 1)).astype(np.uint8)).save(kept, format="PNG")
    return "data:image/png;base64," + base64.b64encode(kept.getvalue()).decode()


def sheet(ink: np.ndarray, bands: Sequence[tuple[int, int]] = (), *, wide: int = 400, alt: str = "") -> str:
    """A page as SVG, its found lines framed. `ink`: 1 is black."""
    high, across = ink.shape
    frames = "".join(
        f'<rect x="1" y="{top - 2}" width="{across - 2}" height="{bottom - top + 4}" fill="{CATEGORIES[0]}" '
        f'fill-opacity=".13" stroke="{CATEGORIES[0]}" stroke-width=".8"/>'
        for top, bottom in bands
    )
    said = f'role="img" aria-label="{html.escape(alt, quote=True)}"' if alt else 'aria-hidden="true"'
    return (
        f'<svg {said} viewBox="0 0 {across} {high}" style="width:{wide}px;max-width:100%;background:white;'
        f'border:1px solid #888;flex:0 1 auto"><image href="{picture(1 - ink)}" width="{across}" height="{high}"/>'
        f"{frames}</svg>"
    )


def sheets(pages: Mapping[str, np.ndarray], *, wide: int = 255) -> Note:
    """Pages beside each other under their names."""
    parts = [
        f'<div style="max-width:100%"><div style="font-weight:600;margin-bottom:3px;white-space:pre">{html.escape(name)}</div>'
        f"{sheet(ink, wide=wide, alt=f'A page: {name}')}</div>"
        for name, ink in pages.items()
    ]
    return Note(f'<div style="{_ROW}">{"".join(parts)}</div>', f"{len(pages)} pages: {', '.join(pages)}")


_ROW = "display:flex;flex-wrap:wrap;gap:14px;align-items:flex-start;line-height:1.5"


def written(line: Line) -> str:
    """A line as read; letters of little chance stand marked, their chance in the title."""
    parts = []
    for sign, chance in zip(line.text, line.chances, strict=True):
        shown = html.escape(sign)
        if chance < _DOUBT:
            shown = (
                f'<mark title="{chance:.0%}" style="background:{CATEGORIES[1]};color:#000;padding:0 1px">{shown}</mark>'
            )
        parts.append(shown)
    return f'<code style="font-size:14px;background:none;color:inherit;white-space:pre-wrap">{"".join(parts)}</code>'


def beside(ink: np.ndarray, page: Sequence[Line], *, wide: int = 400, words: str = "", right: str = "") -> Note:
    """A page with its lines framed and, beside it, the text with its doubt."""
    text = "; ".join(line.text for line in page)
    body = "".join(f"<div>{written(line)}</div>" for line in page) or "<div>No line was found.</div>"
    left = sheet(ink, [line.rows for line in page], wide=wide, alt=f"A page with {len(page)} lines found. Read: {text}")
    note = f'<div style="margin-top:.4em">{words}</div>' if words else ""
    return Note(
        f'<div style="{_ROW}">{left}<div style="flex:1 1 250px;min-width:0">'
        f'<div style="font-weight:600">Read (marked: chance below {_DOUBT:.0%})</div>{body}{right}</div></div>{note}',
        f"{len(page)} lines: {text}",
    )


def profiles(ink: np.ndarray, rows: np.ndarray, *, title: str, wide: int = 300) -> str:
    """A page and, beside it, the ink in each of its rows as bars that lie."""
    high, across = ink.shape
    reach, top = 110, max(float(rows.max()), 1e-9)
    bars = "".join(
        f'<rect x="0" y="{k}" width="{reach * value / top:.1f}" height="1.02" fill="{CATEGORIES[0]}"/>'
        for k, value in enumerate(rows)
    )
    tall = wide * high / across
    return (
        f'<div style="max-width:100%"><div style="font-weight:600;margin-bottom:3px">{html.escape(title)}</div>'
        f'<div style="display:flex;align-items:flex-start">{sheet(ink, wide=wide)}'
        f'<svg aria-hidden="true" viewBox="0 0 {reach} {high}" style="height:{tall:.0f}px;width:{reach}px;'
        f'flex:0 0 auto" preserveAspectRatio="none">{bars}</svg></div></div>'
    )


def two_profiles(tilted: np.ndarray, straight: np.ndarray, rows: tuple[np.ndarray, np.ndarray]) -> Note:
    """A tilted page and the straight one, with the ink in their rows."""
    parts = (
        profiles(tilted, rows[0], title="as scanned", wide=270),
        profiles(straight, rows[1], title="turned straight", wide=270),
    )
    said = "Two pages and the ink in each row. Tilted: one broad hill. Straight: a peak for each line."
    return Note(f'<div role="img" aria-label="{said}" style="{_ROW}">{"".join(parts)}</div>', said)


def steps(strip: np.ndarray, best: Sequence[str], line: Line, *, scale: int = 7) -> Note:
    """A strip of print, the best sign of each step below it (a dot for “nothing new”), and the text kept."""
    high, across = strip.shape
    wide = across * scale
    each = wide / len(best)
    signs = "".join(
        f'<text x="{(k + 0.5) * each:.1f}" y="{high * scale + 20}" text-anchor="middle" font-size="15" '
        f'font-family="monospace" fill="currentColor" fill-opacity="{0.35 if sign == _BLANK else 1}" '
        f'font-weight="{400 if sign == _BLANK else 700}">{"␣" if sign == " " else html.escape(sign)}</text>'
        for k, sign in enumerate(best)
    )
    ticks = "".join(
        f'<line x1="{k * each:.1f}" x2="{k * each:.1f}" y1="{high * scale}" y2="{high * scale + 5}" '
        'stroke="currentColor" stroke-opacity=".4"/>'
        for k in range(len(best) + 1)
    )
    alt = f"Print, and the best sign of each of {len(best)} steps: {''.join(best)}. Text kept: {line.text}"
    return Note(
        f'<svg role="img" aria-label="{html.escape(alt, quote=True)}" viewBox="0 0 {wide} {high * scale + 30}" '
        f'style="width:{wide}px;max-width:100%"><image href="{picture(1 - strip)}" width="{wide}" '
        f'height="{high * scale}" preserveAspectRatio="none" style="image-rendering:pixelated"/>{ticks}{signs}</svg>'
        f'<div style="margin:.2em 0">Kept: <code style="font-size:15px">{html.escape(line.text)}</code></div>',
        alt,
    )


def credit(strip: np.ndarray, maps: Mapping[str, np.ndarray], box: tuple[float, float], *, scale: int = 5) -> Note:
    """Signed maps `(height, width)` over faint print, one below the other; the asked letter between dotted lines."""
    high, across = strip.shape
    parts, said = [], []
    for name, values in maps.items():
        limit = max(float(np.quantile(np.abs(values), 0.995)), 1e-12)
        share = np.clip(np.abs(values) / limit, 0, 1)[..., None]
        paper = 1 - 0.3 * np.repeat(strip[..., None], 3, axis=2)
        tone = np.where(values[..., None] > 0, np.array(rgb(LIGHT.positive)), np.array(rgb(LIGHT.negative))) / 255
        sides = "".join(
            f'<line x1="{x * scale}" x2="{x * scale}" y1="0" y2="{high * scale}" stroke="#111" stroke-dasharray="3 3"/>'
            for x in box
        )
        parts.append(
            f'<div style="font-weight:600;margin:.5em 0 2px">{html.escape(name)}</div><svg aria-hidden="true" '
            f'viewBox="0 0 {across * scale} {high * scale}" style="width:{across * scale}px;max-width:100%;'
            f'border:1px solid #888;display:block"><image href="{picture((1 - share) * paper + share * tone)}" '
            f'width="{across * scale}" height="{high * scale}" preserveAspectRatio="none" '
            f'style="image-rendering:pixelated"/>{sides}</svg>'
        )
        said.append(f"{name}: {inside(values, box):.0%} of the credit between the dotted lines")
    alt = html.escape("; ".join(said), quote=True)
    return Note(
        f'<div role="img" aria-label="{alt}">{"".join(parts)}</div>'
        "<div><small>Orange: ink here speaks for the sign asked about. Blue: against it.</small></div>",
        "; ".join(said),
    )


def inside(values: np.ndarray, box: tuple[float, float]) -> float:
    """The share of all credit, by size, that lies between two columns."""
    size = np.abs(values)
    return float(size[:, int(box[0]) : int(np.ceil(box[1]))].sum() / max(size.sum(), 1e-12))
