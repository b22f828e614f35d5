"""Lesson 09's own pictures: films on a map, and what the cinema board shows under its shelf."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import numpy as np

from dlexplain.classroom import drawing as draw
from dlexplain.classroom.desk import Note
from dlexplain.figures.canvas import Figure, Frame, canvas
from dlexplain.figures.learning import SYMBOLS
from dlexplain.figures.theme import CATEGORIES

_SMALL = 'font-size="11.5" fill="currentColor"'
WIDE, HIGH, LEFT, RIGHT, TOP, BOTTOM = 400, 236, 46, 14, 40, 40


def two_towers() -> Note:
    """One score worked out with numbers: a person's three, a film's three, their products, the sum and the fame."""
    person, film, fame = (1.0, -0.5, 2.0), (0.5, 0.2, 1.5), 0.6
    products = [a * b for a, b in zip(person, film, strict=True)]
    rows = (("person's tower", person), ("film's tower", film), ("number by number", products))
    parts = []
    for k, (name, values) in enumerate(rows):
        y = 24 + 44 * k
        parts.append(f'<text x="0" y="{y + 5}" font-size="14" fill="currentColor">{name}</text>')
        for column, value in enumerate(values):
            x = 146 + 66 * column
            parts.append(
                f'<rect x="{x}" y="{y - 16}" width="58" height="32" fill="{CATEGORIES[k]}" fill-opacity=".22" '
                f'stroke="{CATEGORIES[k]}"/><text x="{x + 29}" y="{y + 5}" text-anchor="middle" font-size="15" '
                f'fill="currentColor">{_short(value)}</text>'
            )
    total = sum(products)
    ends = f"sum {_short(total)} + fame {_short(fame)} = score {_short(total + fame)}"
    parts.append(f'<text x="146" y="162" font-size="15" font-weight="700" fill="currentColor">{ends}</text>')
    worked = "; ".join(f"{name}: {', '.join(map(_short, values))}" for name, values in rows)
    said = f"One score. {worked}; {ends}."
    picture = (
        f'<svg role="img" aria-label="{html.escape(said, quote=True)}" viewBox="0 0 440 172" '
        f'style="width:484px;max-width:100%">{"".join(parts)}</svg>'
    )
    return Note(picture, said)


def _short(value: float) -> str:
    return f"{value:.1f}".replace("-", "−")


def shelf_curves(
    evening: Sequence[float],
    series: Mapping[str, Sequence[float]],
    spread: Mapping[str, Sequence[float]],
    *,
    title: str,
) -> Figure:
    """Genres on the shelf over the evenings, always from 1 to 6, so that two pictures can be compared."""
    figure = draw.curves(
        evening, series, spread=spread, title=title, across_title="evening", up_title="genres on the shelf (effective)",
        facts=["Mean of 40 people; error bars: its standard error."],
    )  # fmt: skip
    figure.update_yaxes(range=(0.8, 6.2), dtick=1)
    return figure


def film_maps(maps: Mapping[str, np.ndarray], genre: np.ndarray, genres: Sequence[str], *, title: str) -> Figure:
    """A panel a network: each film a dot `(films, 2)`, its genre a colour and a symbol."""
    alt = f"{title}. A panel each for {', '.join(maps)}; {len(genre)} dots, coloured by genre: {', '.join(genres)}."
    figure = canvas(
        Frame(title, alt, ["Only who lies near whom counts: the axes and the far distances mean nothing."]),
        columns=len(maps), row_height=300, titles=[[f"<b>{html.escape(name)}</b>"] for name in maps],
        left=12, bottom=56,
    )  # fmt: skip
    for column, places in enumerate(maps.values(), 1):
        for k, name in enumerate(genres):
            mine = places[genre == k]
            figure.add_scatter(
                x=np.round(mine[:, 0], 3), y=np.round(mine[:, 1], 3), mode="markers", name=name, legendgroup=name,
                showlegend=column == 1, row=1, col=column, hovertemplate="%{fullData.name}<extra></extra>",
                marker={"color": CATEGORIES[k], "symbol": SYMBOLS[k], "size": 8, "opacity": 0.8},
            )  # fmt: skip
    below = {"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"}
    figure.update_layout(showlegend=True, legend=below)
    figure.update_xaxes(showticklabels=False, showgrid=False)
    figure.update_yaxes(showticklabels=False, showgrid=False)
    return figure


def taste_bars(belief: np.ndarray, genres: Sequence[str]) -> str:
    """What the cinema believes of the visitor: a bar a genre, as SVG."""
    row, left, wide = 27, 76, 330
    bottom = TOP + row * len(genres)
    parts = ['<text x="0" y="16" font-size="13" font-weight="600" fill="currentColor">what it believes you love</text>']
    for k, (name, share) in enumerate(zip(genres, belief, strict=True)):
        top, long = TOP - 8 + row * k, float(share) * (wide - left - 46)
        parts.append(
            f'<text x="{left - 8}" y="{top + 14}" text-anchor="end" font-size="12.5" fill="currentColor">'
            f'{html.escape(name)}</text><rect x="{left}" y="{top + 1}" width="{max(long, 1):.1f}" height="17" '
            f'fill="{CATEGORIES[k]}"/><text x="{left + long + 6:.1f}" y="{top + 14}" {_SMALL}>{share:.0%}</text>'
        )
    return _svg(wide, bottom, parts)


def over_clicks(shelf: Sequence[float], belief: Sequence[float], kinds: int) -> str:
    """The effective number of genres on the shelf and in the belief, after each click, as SVG."""
    last = max(len(shelf) - 1, 10)

    def x(click: float) -> float:
        return LEFT + click / last * (WIDE - LEFT - RIGHT)

    def y(value: float) -> float:
        return TOP + (kinds - value) / (kinds - 1) * (HIGH - TOP - BOTTOM)

    parts = []
    for value in range(1, kinds + 1):
        parts.append(f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end" {_SMALL}>{value}</text>')
        parts.append(_line([(LEFT, y(value)), (WIDE - RIGHT, y(value))], "currentColor", "", 1, 0.15))
    for click in range(0, last + 1, max(1, -(-last // 10))):
        parts.append(f'<text x="{x(click):.1f}" y="{HIGH - BOTTOM + 16}" text-anchor="middle" {_SMALL}>{click}</text>')
    parts.append(
        f'<text x="{(LEFT + WIDE - RIGHT) / 2}" y="{HIGH - 6}" text-anchor="middle" {_SMALL}>clicks</text>'
        f'<text transform="translate(12 {(TOP + HIGH - BOTTOM) / 2}) rotate(-90)" text-anchor="middle" {_SMALL}>'
        "genres (effective)</text>"
    )
    place = LEFT
    for name, values, colour, dash in (
        ("on the shelf", shelf, CATEGORIES[0], ""),
        ("in its belief", belief, CATEGORIES[5], "6 4"),
    ):
        points = [(x(k), y(value)) for k, value in enumerate(values)]
        parts.append(_line(points, colour, dash, 2.4))
        parts.append(f'<circle cx="{points[-1][0]:.1f}" cy="{points[-1][1]:.1f}" r="4.5" fill="{colour}"/>')
        parts.append(_line([(place, 14), (place + 24, 14)], colour, dash, 2.4))
        parts.append(f'<text x="{place + 30}" y="18" font-size="12" fill="currentColor">{name}</text>')
        place += 150
    return _svg(WIDE, HIGH, parts)


def why_words(parts_of_score: Mapping[str, float], title: str, most: int = 5) -> str:
    """The parts of one film's score, those of clicks below the rest, the largest few by size; in words too."""
    clicks = sorted(((n, v) for n, v in parts_of_score.items() if n != "its fame"), key=lambda item: -abs(item[1]))
    rest = sum(value for _, value in clicks[most:])
    told = [
        ("its fame", parts_of_score["its fame"]),
        *((f"you clicked {name}", value) for name, value in clicks[:most]),
    ]
    if clicks[most:]:
        told.append((f"{len(clicks) - most} more", rest))
    said = "; ".join(f"{html.escape(name)} {draw.number(value, signed=True)}" for name, value in told)
    return f"Why <b>{html.escape(title)}</b> stands first: {said}. Sum: {draw.number(sum(parts_of_score.values()))}."


def _line(points: Sequence[tuple[float, float]], colour: str, dash: str, width: float, opacity: float = 1) -> str:
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}" '
        f'stroke-opacity="{opacity}"{dashed} stroke-linejoin="round"/>'
    )


def _svg(width: float, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg aria-hidden="true" viewBox="0 0 {width} {height}" '
        f'style="width:{width:.0f}px;max-width:100%;flex:0 1 auto">{"".join(parts)}</svg>'
    )
