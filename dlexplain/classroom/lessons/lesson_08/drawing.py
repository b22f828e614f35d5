"""Lesson 08's own pictures: the decision curve, the ends of machines, raw sensors, a life and its credit."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import numpy as np

from dlexplain.figures.canvas import Figure, Frame, canvas
from dlexplain.figures.theme import CATEGORIES
from dlexplain.figures.timeseries import busiest, sensors

WIDE, HIGH = 430, 300
LEFT, RIGHT, TOP, BOTTOM = 50, 24, 58, 42
_STYLES = ((CATEGORIES[5], "2 4"), (CATEGORIES[2], "9 4"))
_SMALL = 'font-size="11.5" fill="currentColor"'


def decision(
    thresholds: Sequence[float],
    costs: Sequence[float],
    references: Mapping[str, float],
    *,
    chosen: float,
    best: float,
    within: int,
) -> str:
    """Cost over threshold from zero, the references as level lines, a dot where we are, a star at the least."""
    high = 1.15 * max(*costs, min(references.values()))  # what lies above is said in the key

    def x(value: float) -> float:
        return LEFT + value * (WIDE - LEFT - RIGHT)

    def y(value: float) -> float:
        return TOP + (high - value) / high * (HIGH - TOP - BOTTOM)

    parts = [_axes(x, y, high, f"alarm above this chance (fails within {within} cycles)")]
    for index, (name, value) in enumerate(references.items()):
        colour, dash = _STYLES[index]
        above = " (above the picture)" if value > high else ""
        if not above:
            parts.append(_line([(x(0), y(value)), (x(1), y(value))], colour, dash, 2))
        parts.append(_key(index + 1, f"{name}: {value:.1f}{above}", colour, dash))
    curve = [(x(a), y(b)) for a, b in zip(thresholds, costs, strict=True)]
    parts += [_line(curve, CATEGORIES[0], "", 2.6), _key(0, "the network decides", CATEGORIES[0], "")]
    by_threshold = dict(zip(thresholds, costs, strict=True))
    a, b = x(best), y(by_threshold[best])
    label = b + 24 if b + 30 < HIGH - BOTTOM else b - 14  # below the curve where there is room
    parts.append(
        f'<path d="M{a:.1f} {b - 8:.1f}l6 8l-6 8l-6 -8z" fill="none" stroke="currentColor" stroke-width="2"/>'
        f'<text x="{max(a, LEFT + 26):.1f}" y="{label:.1f}" text-anchor="middle" {_SMALL}>cheapest</text>'
    )
    parts.append(f'<circle cx="{x(chosen):.1f}" cy="{y(by_threshold[chosen]):.1f}" r="6" fill="{CATEGORIES[0]}"/>')
    return _svg(WIDE, HIGH, parts)


def _axes(x, y, high: float, across: str) -> str:
    parts = [
        f'<text x="{(LEFT + WIDE - RIGHT) / 2}" y="{HIGH - 6}" text-anchor="middle" {_SMALL}>{html.escape(across)}</text>',
        f'<text transform="translate(13 {(TOP + HIGH - BOTTOM) / 2}) rotate(-90)" text-anchor="middle" {_SMALL}>'
        "cost of 100 cycles</text>",
    ]
    for value in (0, 0.25, 0.5, 0.75, 1):
        parts.append(f'<text x="{x(value):.1f}" y="{HIGH - BOTTOM + 15}" text-anchor="middle" {_SMALL}>{value:.0%}</text>')
    step = next(s for s in (0.5, 1, 2, 5, 10, 20, 50, 100, 1000) if high / s <= 6)
    for value in np.arange(0, high, step):
        parts.append(f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end" {_SMALL}>{value:g}</text>')
        parts.append(_line([(LEFT, y(value)), (WIDE - RIGHT, y(value))], "currentColor", "", 1, 0.15))
    return "".join(parts)


def _key(index: int, name: str, colour: str, dash: str) -> str:
    top = 10 + 16 * index
    return (
        _line([(LEFT, top), (LEFT + 26, top)], colour, dash, 2.4)
        + f'<text x="{LEFT + 33}" y="{top + 4}" font-size="12" fill="currentColor">{html.escape(name)}</text>'
    )


def _line(
    points: Sequence[tuple[float, float]], colour: str, dash: str, width: float, opacity: float = 1
) -> str:
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


def ends(machines: Sequence[tuple[int, int, bool]]) -> str:
    """A bar a machine: worked, then life given up; a cross where it broke down. `(life, used, broke)`."""
    longest, lane = max(life for life, _, _ in machines), max(6.0, min(13.0, 260 / len(machines)))
    wide, left = 360, 10

    def x(cycle: float) -> float:
        return left + cycle / longest * (wide - left - 20)

    keys = (
        f'<rect x="{left}" y="6" width="14" height="8" fill="{CATEGORIES[0]}"/>'
        f'<text x="{left + 19}" y="14" {_SMALL}>worked</text>'
        f'<rect x="{left + 76}" y="6" width="14" height="8" fill="{CATEGORIES[4]}"/>'
        f'<text x="{left + 95}" y="14" {_SMALL}>life given up</text>'
        f'<text x="{left + 182}" y="15" font-size="15" font-weight="700" fill="{CATEGORIES[5]}">✕</text>'
        f'<text x="{left + 199}" y="14" {_SMALL}>broke down</text>'
    )
    parts = [keys]
    for index, (life, used, broke) in enumerate(machines):
        top = 26 + index * lane
        parts.append(
            f'<rect x="{x(0):.1f}" y="{top}" width="{x(life) - x(0):.1f}" height="{0.7 * lane:.1f}" fill="{CATEGORIES[4]}"'
            f'/><rect x="{x(0):.1f}" y="{top}" width="{x(used) - x(0):.1f}" height="{0.7 * lane:.1f}" '
            f'fill="{CATEGORIES[0]}"/>'
        )
        if broke:
            parts.append(
                f'<text x="{x(life) + 3:.1f}" y="{top + 0.35 * lane + 4:.1f}" font-size="12" font-weight="700" '
                f'fill="{CATEGORIES[5]}">✕</text>'
            )
    bottom = 26 + len(machines) * lane
    for cycle in range(0, longest + 1, 50):
        parts.append(f'<text x="{x(cycle):.1f}" y="{bottom + 13}" text-anchor="middle" {_SMALL}>{cycle}</text>')
    parts.append(f'<text x="{wide / 2}" y="{bottom + 29}" text-anchor="middle" {_SMALL}>cycles worked, a bar a machine</text>')
    return _svg(wide, bottom + 34, parts)


def readings(
    machine: object, names: Sequence[str], units: Mapping[str, str], *, title: str, columns: int = 2
) -> Figure:
    """Raw sensors of one machine over its life, a panel each; a dotted line where its fault began."""
    cycle, rows = machine.extras["cycle"], -(-len(names) // columns)
    onset = int(machine.extras["onset"][0])
    place = [machine.feature_names.index(name) for name in names]
    said = "; ".join(
        f"{name} from {machine.inputs[0, k]:.3g} to {machine.inputs[-1, k]:.3g} {units[name]}"
        for name, k in zip(names, place, strict=True)
    )
    figure = canvas(
        Frame(title, f"{title}. {said}. The fault began in cycle {onset}.", ["Dotted: here its fault began."]),
        rows=rows, columns=columns, row_height=88, gap_x=60, gap_y=18, left=48, bottom=46,
        titles=[[f"{name}, {units[name]}"] for name in names],
    )  # fmt: skip
    for index, k in enumerate(place):
        at = {"row": index // columns + 1, "col": index % columns + 1}
        figure.add_scatter(
            x=cycle, y=machine.inputs[:, k], mode="lines", line={"width": 1.6, "color": CATEGORIES[0]},
            hovertemplate="cycle %{x}: %{y:.4g}<extra></extra>", **at,
        )  # fmt: skip
        figure.add_vline(x=onset, line={"dash": "dot", "width": 1.6, "color": CATEGORIES[5]}, **at)
    for column in range(1, columns + 1):
        figure.update_xaxes(title={"text": "cycle", "standoff": 4}, row=rows, col=column)
    return figure


def life(
    cycles: np.ndarray, credit: np.ndarray, readings: np.ndarray, names: Sequence[str], onset: int, *, title: str
) -> Figure:
    """Credit by sensor (colour) over the cycles of a life, the readings as lines, the fault's onset dotted."""
    start = int(cycles[0])
    figure = sensors(
        credit, readings, names, title=title,
        alt=f"{title}. {busiest(credit, names)} Steps count from cycle {start}; the fault began in cycle {onset}.",
        facts=["Colour: credit of the window that ends here. Dotted: here the fault began."],
    )  # fmt: skip
    shown = [cycle for cycle in range(start, int(cycles[-1]) + 1) if cycle % 20 == 0]
    figure.update_xaxes(
        tickmode="array", tickvals=[cycle - start for cycle in shown], ticktext=[str(cycle) for cycle in shown],
        title={"text": "cycle"},
    )  # fmt: skip
    figure.add_vline(x=onset - start, line={"dash": "dot", "width": 2, "color": CATEGORIES[5]})
    return figure
