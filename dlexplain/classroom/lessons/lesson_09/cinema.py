"""Lesson 09's cinema: eight films to click, what the clicks make the towers believe, and the reason for the first film."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import numpy as np

from dlexplain.classroom import drawing as draw
from dlexplain.classroom.lessons.lesson_09 import drawing as own
from dlexplain.classroom.lessons.lesson_09.bench import PLACES, Towers, Visitor, variety
from dlexplain.classroom.widgets import Card, ipywidgets
from dlexplain.figures.theme import CATEGORIES

# Text on a poster: the darker of the genres' colours bear white, the lighter ones black (contrast of 4.5 or more).
_ON = ("white", "black", "black", "black", "black", "black", "black")


class Cinema(Card):
    """A shelf of eight films. Each click moves the visitor's numbers by one step; shelf, belief and reason follow.

    `cinemas`: trained towers by name. `seed`: of the films that are drawn by lot.
    """

    def __init__(self, cinemas: Mapping[str, Towers], *, seed: int = 0) -> None:
        widgets = ipywidgets("cinemas")
        self._cinemas, self._seed = dict(cinemas), seed
        style, wide = {"description_width": "11em"}, {"width": "100%", "max_width": "30em"}
        self.posters = [widgets.Button(layout=widgets.Layout(width="auto", height="3.6em")) for _ in range(PLACES)]
        self.network = widgets.Dropdown(
            options=list(cinemas), description="network", style=style, layout=widgets.Layout(**wide)
        )
        self.explore = widgets.IntSlider(
            value=0, min=0, max=6, description="places drawn by lot", style=style, layout=widgets.Layout(**wide)
        )
        self.rate = widgets.FloatSlider(
            value=1.5, min=0, max=3, step=0.25, description="size of a step", style=style, layout=widgets.Layout(**wide)
        )
        self.fame = widgets.FloatSlider(
            value=1, min=0, max=1, step=0.25, description="fame counts", style=style, layout=widgets.Layout(**wide)
        )
        self.again = widgets.Button(description="Start again", icon="refresh")
        self.view = widgets.HTML()
        for place, poster in enumerate(self.posters):
            poster.on_click(lambda _, place=place: self.click(place))
        self.network.observe(self.restart, "value")
        self.again.on_click(self.restart)
        for control in (self.explore, self.fame):
            control.observe(self._restock, "value")
        self.restart()
        grid = widgets.Layout(
            grid_template_columns="repeat(auto-fill, minmax(17em, 1fr))", grid_gap="6px", width="100%"
        )
        shelf = widgets.GridBox(self.posters, layout=grid)
        super().__init__([shelf, self.view, self.explore, self.rate, self.fame, self.network, self.again])

    def restart(self, _: Any = None) -> None:
        """A newcomer comes in."""
        self.visitor = Visitor(self._cinemas[self.network.value])
        self._rng = np.random.default_rng(self._seed)
        self.on_shelf, self.believed = [], []
        self._fill()

    def click(self, place: int) -> None:
        """The visitor watches the film at this place of the shelf."""
        if place >= len(self.shown):
            return  # the films have run out
        self.visitor.watch(int(self.shown[place]), float(self.rate.value))
        self._fill()

    def _restock(self, _: Any = None) -> None:
        """The same visitor before another shelf: the last entry of the history is replaced."""
        del self.on_shelf[-1:], self.believed[-1:]
        self._fill()

    def _fill(self) -> None:
        towers = self.visitor.towers
        self.shown, self.best = self.visitor.shelf(int(self.explore.value), self._rng, fame=float(self.fame.value))
        kinds, belief = len(towers.genres), self.visitor.taste()
        self.on_shelf.append(variety(towers.genre[self.shown], kinds) if len(self.shown) else 1.0)
        self.believed.append(float(np.exp(-(belief * np.log(belief + 1e-12)).sum())))
        for place, poster in enumerate(self.posters):
            poster.disabled = place >= len(self.shown)
            poster.description, poster.tooltip = self._label(place)
            if not poster.disabled:
                genre = int(towers.genre[self.shown[place]])
                poster.style.button_color, poster.style.text_color = CATEGORIES[genre], _ON[genre]
        self.view.value = self._below()

    def _label(self, place: int) -> tuple[str, str]:
        if place >= len(self.shown):
            return "no film left", ""
        towers, film = self.visitor.towers, int(self.shown[place])
        lot = place >= self.best
        name = f"{towers.titles[film]} · {towers.genres[towers.genre[film]]}"
        return (f"? {name}" if lot else name), f"Watch {name}" + (" (drawn by lot)" if lot else "")

    def words(self) -> str:
        """What was clicked, how varied the shelf is, and why its first film stands there."""
        towers, seen = self.visitor.towers, self.visitor.watched
        told = [f"<b>{len(seen)}</b> {'click' if len(seen) == 1 else 'clicks'}."]
        if seen:
            names = [f"{towers.titles[film]} ({towers.genres[towers.genre[film]]})" for film in seen[-3:]]
            told.append(f"Last watched: {html.escape(', '.join(reversed(names)))}.")
        told.append(f"On the shelf: <b>{self.on_shelf[-1]:.1f}</b> genres (effective).")
        if self.best < len(self.shown):
            told.append("A question mark: drawn by lot.")
        if self.best and len(self.shown):
            film = int(self.shown[0])
            told.append("<br>" + own.why_words(self.visitor.why(film, float(self.fame.value)), towers.titles[film]))
        return " ".join(told)

    def _below(self) -> str:
        towers, belief = self.visitor.towers, self.visitor.taste()
        pictures = [
            own.taste_bars(belief, towers.genres),
            own.over_clicks(self.on_shelf, self.believed, len(towers.genres)),
        ]
        shares = "; ".join(f"{name} {share:.0%}" for name, share in zip(towers.genres, belief, strict=True))
        said = self.words()
        alt = f"The cinema believes that you love: {shares}. {draw.plain(said)}"
        return draw.row(pictures, f'<span role="status">{said}</span>', alt)

    def to_html(self) -> str:
        """The shelf as it stands, and what is below it."""
        chips = []
        for place, film in enumerate(self.shown):
            genre = int(self.visitor.towers.genre[film])
            chips.append(
                f'<span style="background:{CATEGORIES[genre]};color:{_ON[genre]};padding:.5em .8em;border-radius:3px">'
                f"{html.escape(self._label(place)[0])}</span>"
            )
        shelf = f'<div style="display:flex;flex-wrap:wrap;gap:6px;margin:.4em 0">{"".join(chips)}</div>'
        return shelf + self._below()
