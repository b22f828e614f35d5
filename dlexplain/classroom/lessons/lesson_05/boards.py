"""Lesson 05's two boards: a game whose numbers the learner changes, and a patient compared with others."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dlexplain.classroom.lessons.lesson_05 import game
from dlexplain.classroom.pages import folded
from dlexplain.classroom.widgets import Card, ipywidgets
from dlexplain.figures.theme import LIGHT

MOST, STEP = 300, 10


class GameBoard(Card):
    """Three players, what each line-up earns, and what each player adds in every order. All numbers move."""

    def __init__(self, games: Mapping[str, game.Game], players: Sequence[str], *, unit: str = "") -> None:
        widgets = ipywidgets("boards")
        self._games, self._players, self._unit = dict(games), tuple(players), unit
        self._loading = False
        self.game = widgets.Dropdown(options=list(games), description="start from", layout=_wide(widgets, "26em"))
        self.earns = {
            some: widgets.IntSlider(
                min=0,
                max=MOST,
                step=STEP,
                description=" + ".join(sorted(some, key=self._players.index)),
                style={"description_width": "9.5em"},
                layout=_wide(widgets, "27em"),
            )
            for some in game.line_ups(players)
            if some
        }
        self.view = widgets.HTML()
        self.game.observe(self._load, "value")
        self._load()
        for slider in self.earns.values():
            slider.observe(self._show, "value")
        across = widgets.Layout(display="flex", flex_flow="row wrap")
        super().__init__([self.game, widgets.Box(list(self.earns.values()), layout=across), self.view])

    @property
    def worth(self) -> dict[frozenset[str], float]:
        """What each line-up earns now."""
        return {frozenset(): 0.0, **{some: float(slider.value) for some, slider in self.earns.items()}}

    @property
    def shares(self) -> dict[str, float]:
        """Each player's Shapley value now."""
        return game.shares(self.worth, self._players)

    def _load(self, _: Any = None) -> None:
        self._loading = True
        for some, slider in self.earns.items():
            slider.value = int(self._games[self.game.value][some])
        self._loading = False
        self._show()

    def _show(self, _: Any = None) -> None:
        if not self._loading:
            self.view.value = self._rises()

    def _rises(self) -> str:
        """The rises of every order, and which rules can be seen at work."""
        worth = self.worth
        picture = game.orders_picture(worth, self._players, unit=self._unit).html
        facts = "".join(
            f'<div><span aria-hidden="true">✓</span> {html.escape(line)}</div>'
            for line in game.what_holds(worth, self._players, unit=self._unit)
        )
        return f'<div style="line-height:1.5">{picture}{facts}</div>'

    def to_html(self) -> str:
        """The same, and the numbers of the game above it."""
        earns = " · ".join(
            f"{html.escape(slider.description)}: <b>{slider.value}</b>" for slider in self.earns.values()
        )
        return f'<div style="margin:.3em 0;max-width:60em"><small>{earns}</small></div>{self._rises()}'


class BackgroundBoard(Card):
    """One patient's score, shared among the columns, compared with patients of the learner's choice.

    `explained`: `{network: {background: Attribution}}`, of the same patients everywhere. `people`: their names.
    """

    def __init__(self, explained: Mapping[str, Mapping[str, Any]], names: Sequence[str], people: Sequence[str]) -> None:
        widgets = ipywidgets("boards")
        self._explained, self._names = {k: dict(v) for k, v in explained.items()}, tuple(names)
        self._people = tuple(people)
        style, wide = {"description_width": "8em"}, _wide(widgets, "30em")
        first = next(iter(self._explained.values()))
        self.person = widgets.Dropdown(
            options=list(zip(people, range(len(people)), strict=True)), description="patient", style=style, layout=wide
        )
        self.background = widgets.Dropdown(options=list(first), description="compared with", style=style, layout=wide)
        self.network = widgets.Dropdown(options=list(self._explained), description="network", style=style, layout=wide)
        self.view = widgets.HTML()
        for control in (self.background, self.person, self.network):
            control.observe(self._show, "value")
        self._show()
        super().__init__([self.background, self.person, self.network, self.view])

    def _show(self, _: Any = None) -> None:
        self.view.value = self._drawn(self.background.value, self.person.value)

    def to_html(self) -> str:
        """The staircase as it stands; folded below it, the other backgrounds and the other patients."""
        background, who = self.background.value, self.person.value
        others = [each for each in self._explained[self.network.value] if each != background]
        people = [each for each in range(len(self._people)) if each != who]
        below = {
            "Compared with others": [self._drawn(each, who) for each in others],
            "Other patients": [self._drawn(background, each) for each in people],
        }
        more = "".join(folded(title, "".join(drawn)) for title, drawn in below.items() if drawn)
        return self._drawn(background, who) + more

    def _drawn(self, background: str, who: int) -> str:
        """Where the comparison starts, what each column adds, and where the patient's score ends."""
        every = self._explained[self.network.value]
        found = every[background]
        ends = [np.cumsum([each.baseline_output[who], *_in_order(each.values[who])]) for each in every.values()]
        low, high = min(e.min() for e in ends), max(e.max() for e in ends)
        picture = waterfall(
            found.values[who],
            self._names,
            start=float(found.baseline_output[who]),
            start_name=f"mean score of: {background}",
            limits=(float(low), float(high)),
        )
        end = float(found.output[who])
        words = (
            f"<b>{html.escape(self._people[who])}</b>, {html.escape(self.network.value)}: the score is "
            f"{game.number(end, 1)}, {'above' if end > 0 else 'below'} zero: "
            f"<b>{'malignant' if end > 0 else 'benign'}</b>."
        )
        return f'<div style="line-height:1.5">{picture}<div>{words}</div></div>'


def _wide(widgets: Any, most: str) -> Any:
    return widgets.Layout(width="100%", max_width=most)


def _in_order(values: np.ndarray) -> np.ndarray:
    return np.asarray(values)[np.argsort(-np.abs(values), kind="stable")]


LEFT, RIGHT, WIDE, ROW, TOP = 245, 50, 760, 24, 30


def waterfall(
    values: np.ndarray,
    names: Sequence[str],
    *,
    start: float,
    start_name: str,
    limits: tuple[float, float],
) -> str:
    """From the mean score of the others down to the patient's: a step a column, the largest first, as SVG."""
    order = np.argsort(-np.abs(values), kind="stable")
    low, high = min(0.0, limits[0]), max(0.0, limits[1])
    pad = 0.07 * (high - low)
    low, high = low - pad, high + pad

    def x(value: float) -> float:
        return LEFT + (value - low) / (high - low) * (WIDE - LEFT - RIGHT)

    bottom = TOP + ROW * (len(order) + 2)
    parts = [
        _upright(x(0), TOP - 8, bottom, "2 4"),
        f'<text x="{x(0):.1f}" y="{TOP - 13}" font-size="11.5" text-anchor="middle" fill="currentColor">0</text>',
        _label(TOP, start_name, strong=True),
        _mark(x(start), TOP, start),
    ]
    here, said = start, [f"{start_name} {game.number(start, 1)}"]
    for row, i in enumerate(order, start=1):
        top, then = TOP + ROW * row, here + float(values[i])
        left, long = min(x(here), x(then)), abs(x(then) - x(here))
        colour = LIGHT.positive if values[i] >= 0 else LIGHT.negative
        at, anchor = (left + long + 5, "start") if values[i] >= 0 else (left - 5, "end")
        sign = "+" if values[i] >= 0 else ""
        parts += [
            _label(top, names[i]),
            _upright(x(here), top - ROW + 19, top + 18, "", 0.4),
            f'<rect x="{left:.1f}" y="{top + 4}" width="{max(long, 0.8):.1f}" height="{ROW - 10}" fill="{colour}"/>',
            f'<text x="{at:.1f}" y="{top + 16}" font-size="12" text-anchor="{anchor}" fill="currentColor">'
            f"{sign}{game.number(values[i], 1)}</text>",
        ]
        said.append(f"{names[i]} {sign}{game.number(values[i], 1)}")
        here = then
    top = TOP + ROW * (len(order) + 1)
    parts += [_label(top, "score of this patient", strong=True), _mark(x(here), top, here)]
    said.append(f"score of this patient {game.number(here, 1)}")
    return (
        f'<svg role="img" aria-label="{html.escape("; ".join(said), quote=True)}" viewBox="0 0 {WIDE} {bottom + 4}" '
        f'style="width:{WIDE}px;max-width:100%">{"".join(parts)}</svg>'
    )


def _label(top: float, text: str, *, strong: bool = False) -> str:
    weight = ' font-weight="700"' if strong else ""
    return f'<text x="0" y="{top + 16}" font-size="12.5"{weight} fill="currentColor">{html.escape(text)}</text>'


def _mark(at: float, top: float, value: float) -> str:
    return (
        f'<circle cx="{at:.1f}" cy="{top + 12}" r="5" fill="currentColor"/><text x="{at + 10:.1f}" y="{top + 16}" '
        f'font-size="12.5" font-weight="700" fill="currentColor">{game.number(value, 1)}</text>'
    )


def _upright(at: float, top: float, bottom: float, dash: str, opacity: float = 0.6) -> str:
    return (
        f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{top}" y2="{bottom}" stroke="currentColor" '
        f'stroke-opacity="{opacity}" stroke-dasharray="{dash}"/>'
    )
