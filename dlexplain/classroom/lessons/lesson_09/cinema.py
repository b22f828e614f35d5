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


class Screening:
    """A visitor before a shelf, and what both have been so far: on the shelf, and in the towers' belief."""

    def __init__(self, towers: Towers, seed: int) -> None:
        self.visitor, self._rng = Visitor(towers), np.random.default_rng(seed)
        self.on_shelf: list[float] = []
        self.believed: list[float] = []

    def fill(self, explore: int, fame: float) -> None:
        """Puts eight films on the shelf, `explore` of them drawn by lot, and writes the variety down."""
        towers, belief = self.visitor.towers, self.visitor.taste()
        self.fame = fame
        self.shown, self.best = self.visitor.shelf(explore, self._rng, fame=fame)
        self.on_shelf.append(variety(towers.genre[self.shown], len(towers.genres)) if len(self.shown) else 1.0)
        self.believed.append(float(np.exp(-(belief * np.log(belief + 1e-12)).sum())))

    def forget(self) -> None:
        """The last shelf does not count: another one takes its place."""
        del self.on_shelf[-1:], self.believed[-1:]

    def poster(self, place: int) -> tuple[str, int]:
        """The words on the poster at this place, and its genre."""
        towers, film = self.visitor.towers, int(self.shown[place])
        genre = int(towers.genre[film])
        return ("? " if place >= self.best else "") + f"{towers.titles[film]} · {towers.genres[genre]}", genre

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
            told.append("<br>" + own.why_words(self.visitor.why(film, self.fame), towers.titles[film]))
        return " ".join(told)

    def below(self, role: str = "") -> str:
        """Belief, variety over the clicks, and the words; `role`: of the words, for a screen reader."""
        towers, belief = self.visitor.towers, self.visitor.taste()
        pictures = [
            own.taste_bars(belief, towers.genres),
            own.over_clicks(self.on_shelf, self.believed, len(towers.genres)),
        ]
        shares = "; ".join(f"{name} {share:.0%}" for name, share in zip(towers.genres, belief, strict=True))
        said = self.words()
        alt = f"The cinema believes that you love: {shares}. {draw.plain(said)}"
        return draw.row(pictures, f'<span role="{role}">{said}</span>' if role else said, alt)

    def shelf(self) -> str:
        """The posters as a row of coloured names."""
        chips = []
        for place in range(len(self.shown)):
            name, genre = self.poster(place)
            chips.append(
                f'<span style="background:{CATEGORIES[genre]};color:{_ON[genre]};padding:.5em .8em;border-radius:3px">'
                f"{html.escape(name)}</span>"
            )
        return f'<div style="display:flex;flex-wrap:wrap;gap:6px;margin:.4em 0">{"".join(chips)}</div>'


def two_in_turn(towers: Towers, *, seed: int, rate: float, clicks: int = 12) -> Screening:
    """Somebody who clicks films of the first and the last genre in turn, as far as the shelf has them."""
    played, last = Screening(towers, seed), len(towers.genres) - 1
    played.fill(0, 1.0)
    for number in range(clicks):
        wanted = [(0, last), (last, 0)][number % 2]
        genre = towers.genre[played.shown]
        found = [int(film) for each in wanted for film in played.shown[genre == each]] or [int(played.shown[0])]
        played.visitor.watch(found[0], rate)
        played.fill(0, 1.0)
    return played


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

    @property
    def visitor(self) -> Visitor:
        """Who sits in the cinema now."""
        return self.screening.visitor

    def restart(self, _: Any = None) -> None:
        """A newcomer comes in."""
        self.screening = Screening(self._cinemas[self.network.value], self._seed)
        self._fill()

    def click(self, place: int) -> None:
        """The visitor watches the film at this place of the shelf."""
        if place >= len(self.screening.shown):
            return  # the films have run out
        self.visitor.watch(int(self.screening.shown[place]), float(self.rate.value))
        self._fill()

    def _restock(self, _: Any = None) -> None:
        self.screening.forget()
        self._fill()

    def _fill(self) -> None:
        now = self.screening
        now.fill(int(self.explore.value), float(self.fame.value))
        for place, poster in enumerate(self.posters):
            poster.disabled = place >= len(now.shown)
            if poster.disabled:
                poster.description, poster.tooltip = "no film left", ""
                continue
            name, genre = now.poster(place)
            poster.description = name
            lot = name.startswith("? ")
            poster.tooltip = f"Watch {name.removeprefix('? ')}" + (" (drawn by lot)" if lot else "")
            poster.style.button_color, poster.style.text_color = CATEGORIES[genre], _ON[genre]
        self.view.value = now.below("status")

    def to_html(self) -> str:
        """The shelf as it stands and what is below it; before the first click, also what twelve clicks would do."""
        page = self.screening.shelf() + self.screening.below()
        if self.visitor.watched:
            return page
        towers = self.visitor.towers
        played = two_in_turn(towers, seed=self._seed, rate=float(self.rate.value))
        first, last = html.escape(towers.genres[0]), html.escape(towers.genres[-1])
        told = f"<div><b>Twelve clicks later</b>, on {first} and {last} in turn as long as both are there:</div>"
        return page + told + played.shelf() + played.below()
