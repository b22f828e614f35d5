"""Lesson 13's writing desk: how a text begins, how daring the draw is, and the chances behind every word of it."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dlexplain.classroom import drawing as draw
from dlexplain.classroom.lessons.lesson_13 import land, reading
from dlexplain.classroom.widgets import Card, ipywidgets
from dlexplain.figures.theme import CATEGORIES

DRAWN, BARS = 14, 8
TOP_K = (("all words", len(land.WORDS)), ("1: always the favourite", 1), ("3", 3), ("10", 10))
_WIDE, _ROW, _LEFT = 400, 24, 96


class WritingDesk(Card):
    """Writes with one of `models` (`{name: wrapped network}`) from one of `starts`; seeded, so that a text comes back."""

    def __init__(self, models: Mapping[str, Any], starts: Sequence[str]) -> None:
        widgets = ipywidgets("desks")
        self._models, self._kept = dict(models), {}
        wide = {"layout": widgets.Layout(width="100%", max_width="34em"), "style": {"description_width": "7em"}}
        self.start = widgets.Dropdown(options=list(starts), description="begin with", **wide)
        self.model = widgets.Dropdown(options=list(self._models), description="network", **wide)
        self.temperature = widgets.SelectionSlider(
            options=[0.25, 0.5, 1.0, 1.5, 2.0, 3.0], value=1.0, description="temperature", **wide
        )
        self.top_k = widgets.Dropdown(options=list(TOP_K), description="top-k", **wide)
        self.again = widgets.Button(
            description="Write again", layout=widgets.Layout(width="11em", margin="4px 0 4px 7.5em")
        )
        self.place = widgets.IntSlider(value=1, min=1, max=DRAWN, description="look at word", **wide)
        self.seed = 0
        self.view = widgets.HTML()
        for control in (self.start, self.model, self.temperature, self.top_k):
            control.observe(self._redraw, "value")
        self.place.observe(self._show, "value")
        self.again.on_click(self._draw_again)
        self._redraw()
        controls = (self.start, self.model, self.temperature, self.top_k, self.again, self.place)
        super().__init__([*controls, self.view])

    @property
    def written(self) -> reading.Written:
        """The text as the controls stand now."""
        key = (self.start.value, self.model.value, self.temperature.value, self.top_k.value, self.seed)
        if key not in self._kept:
            start, name, temperature, top_k, seed = key
            self._kept[key] = reading.write(
                self._models[name], start, words=DRAWN, temperature=temperature, top_k=top_k, seed=seed
            )
        return self._kept[key]

    def _draw_again(self, _: Any = None) -> None:
        self.seed += 1
        self._redraw()

    def _redraw(self, _: Any = None) -> None:
        self.place.max = len(self.written.chances)
        self._show()

    def _show(self, _: Any = None) -> None:
        self.view.value = self.to_html()

    def to_html(self) -> str:
        """The text, each drawn word on the colour of its chance, and the chances at the chosen word."""
        text, place = self.written, min(self.place.value, len(self.written.chances)) - 1
        row, drawn = text.chances[place], text.ids[text.start + place]
        order = [int(word) for word in np.argsort(-row, kind="stable")[:BARS]]
        shown = order if drawn in order else [*order[:-1], drawn]
        said = "; ".join(f"{land.WORDS[word]} {row[word]:.0%}" for word in shown)
        words = (
            f"<b>Word {place + 1}: “{html.escape(land.WORDS[drawn])}”</b>, drawn at {row[drawn]:.0%}. "
            f"{int((row >= 0.01).sum())} words had a chance of at least 1 %."
        )
        alt = f"{land.text(text.ids)} Chances at word {place + 1}: {said}."
        return _page(text, place) + draw.row([_bars(row, shown, drawn)], words, alt)


def _page(text: reading.Written, place: int) -> str:
    """The beginning in bold; a drawn word has a frame in blue, the fainter the less likely it was."""
    red, green, blue = (int(CATEGORIES[0][k : k + 2], 16) for k in (1, 3, 5))
    parts = []
    for k, number in enumerate(text.ids):
        word = html.escape(land.WORDS[number])
        if k < text.start:
            parts.append(f"<b>{word}</b>")
            continue
        chance = float(text.chances[k - text.start, number])
        frame = "outline:2px solid currentColor;" if k - text.start == place else ""
        parts.append(
            f'<span style="background:rgba({red},{green},{blue},{0.06 + 0.4 * chance:.2f});{frame}'
            f'border-radius:3px;padding:1px 4px">{word}</span>'
        )
    return (
        f'<div style="line-height:2.1;font-size:15px;max-width:44em;margin:.4em 0">{" ".join(parts)}</div>'
        "<div><small>Bold: given. Blue: drawn; the fainter, the less likely it was. Framed: the word looked at.</small></div>"
    )


def _bars(row: np.ndarray, shown: Sequence[int], drawn: int) -> str:
    """A bar a word; the drawn one is striped and marked."""
    stripes = (
        '<pattern id="dlx13" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        f'<rect width="6" height="6" fill="{CATEGORIES[5]}"/><rect width="2" height="6" fill="#fff" fill-opacity=".45"/>'
        "</pattern>"
    )
    parts = [f"<defs>{stripes}</defs>"]
    for k, word in enumerate(shown):
        top, long = 6 + _ROW * k, max(1.0, float(row[word]) * (_WIDE - _LEFT - 60))
        mark = " ◂ drawn" if word == drawn else ""
        fill = "url(#dlx13)" if word == drawn else CATEGORIES[0]
        parts.append(
            f'<text x="{_LEFT - 8}" y="{top + 14}" text-anchor="end" font-size="13" fill="currentColor">'
            f'{html.escape(land.WORDS[word])}</text><rect x="{_LEFT}" y="{top}" width="{long:.1f}" height="18" fill="{fill}"/>'
            f'<text x="{_LEFT + long + 6:.1f}" y="{top + 14}" font-size="12" fill="currentColor">{row[word]:.0%}{mark}</text>'
        )
    high = 12 + _ROW * len(shown)
    return (
        f'<svg aria-hidden="true" viewBox="0 0 {_WIDE + 60} {high}" style="width:{_WIDE + 60}px;max-width:100%">'
        f"{''.join(parts)}</svg>"
    )
