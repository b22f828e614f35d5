"""Figures in the report: kept small, told in words, drawn by the page's own script when the reader comes near."""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dlexplain.audit.record import Exhibit, Part
from dlexplain.audit.report.html_tables import grid
from dlexplain.audit.report.html_text import Index, escaped, paragraphs
from dlexplain.audit.report.html_values import values

_BUDGET = 3_300_000  # bytes of all figures, packed; the drawing code takes two more millions, and a page at most six
_SIMPLE = re.compile(r"<(?!/?(?:b|br|i|em|sub|sup|extra)\s*/?>)")
# WebGL needs `eval`, which the page forbids.
_DRAWN_PLAIN = {"scattergl": "scatter", "heatmapgl": "heatmap", "scatterpolargl": "scatterpolar"}
_SHORT = 240  # characters of what a figure shows that stand open under it
_LINE = 17  # pixels of a line of a figure's facts


@dataclass(frozen=True)
class Drawing:
    """A figure ready for the page. `facts`, `warnings`: sentences that stood in the picture, now beside it."""

    data: list[dict[str, Any]]
    layout: dict[str, Any]
    facts: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def height(self) -> int:
        return int(self.layout.get("height") or 380)


def drawing(figure: Mapping[str, Any]) -> Drawing:
    """Takes title, facts and theme out of a figure: the page has them as text, which wraps and can be heard."""
    from plotly.utils import PlotlyJSONEncoder

    whole = _harmless(json.loads(json.dumps(dict(figure), cls=PlotlyJSONEncoder)))
    data = [
        {**trace, "type": _DRAWN_PLAIN.get(trace.get("type"), trace.get("type", "scatter"))}
        for trace in whole.get("data", [])
    ]
    layout = whole.get("layout", {})
    said = (layout.pop("meta", None) or {}).get("dlexplain", {})
    title = layout.pop("title", None)
    layout.pop("template", None)
    layout.pop("width", None)
    layout["images"] = [one for one in layout.get("images", []) if str(one.get("source", "")).startswith("data:image/")]
    _close_up(layout, title if isinstance(title, dict) else {"text": title}, of_the_house=bool(said))
    _coloured(data)
    return Drawing(
        data, layout, *(tuple(html.unescape(text) for text in said.get(kind, ())) for kind in ("facts", "warnings"))
    )


def _coloured(data: list[dict[str, Any]]) -> None:
    """Colours of the house where the figure names none: plotly.js paints such lines all alike, and such maps garishly."""
    from dlexplain.figures.theme import CATEGORIES, SEQUENTIAL

    bare = [t for t in data if t["type"] == "scatter" and t.get("name") and not (t.get("line") or {}).get("color")]
    for place, trace in enumerate(bare if len(bare) > 1 else ()):
        marker = (trace.get("marker") or {}).get("color")
        chosen = marker if isinstance(marker, str) else CATEGORIES[place % len(CATEGORIES)]
        trace["line"] = {**(trace.get("line") or {}), "color": chosen}
        trace["marker"] = {"color": chosen, **(trace.get("marker") or {})}
    for trace in data:
        if trace["type"] == "heatmap" and not trace.get("coloraxis") and not trace.get("colorscale"):
            trace["colorscale"] = SEQUENTIAL


def _close_up(layout: dict[str, Any], title: Mapping[str, Any], *, of_the_house: bool) -> None:
    """Gives back the room over the plot that title, facts and warnings took."""
    margin, notes = layout.setdefault("margin", {}), layout.get("annotations", [])
    top = margin.get("t", 100 if title.get("text") else 30)
    if of_the_house:
        facts = (title.get("subtitle") or {}).get("text") or ""
        warned = [note["text"] for note in notes if note.get("name") == "warning"]
        less = 46 - 14 + (_LINE * (facts.count("<br>") + 1) + 8 if facts else 0)
        less += _LINE * (warned[0].count("<br>") + 1) + 14 if warned else 0
        layout["annotations"] = [note for note in notes if note.get("name") != "warning"]
    else:
        less = max(0, top - 40) if title.get("text") else 0
    margin["t"] = max(14, top - less)
    if layout.get("height"):
        layout["height"] = max(120, layout["height"] - (top - margin["t"]))


def _harmless(value: Any) -> Any:
    """Leaves plotly.js its plain bold, italic and line breaks; any other tag becomes text."""
    if isinstance(value, str):
        return _SIMPLE.sub("&lt;", value)
    if isinstance(value, list):
        return [_harmless(item) for item in value]
    if isinstance(value, dict):
        return {name: _harmless(item) for name, item in value.items()}
    return value


@dataclass
class Gallery:
    """All figures of a page."""

    drawings: dict[str, Drawing] = field(default_factory=dict)  # by the exhibit's place on the page
    left_out: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, parts: Sequence[Part], index: Index) -> Gallery:
        """Of a record; where all are too much for one page, the largest are left out, which the page says."""
        made = cls({index.at(e)[0]: drawing(e.figure) for part in parts for e in part.exhibits})
        sizes = {spot: len(_packed(json.dumps(one.data)[:50_000_000])) for spot, one in made.drawings.items()}
        while sizes and sum(sizes.values()) > _BUDGET:
            largest = max(sizes, key=sizes.get)
            made.left_out.add(largest)
            del sizes[largest]
        return made

    def packed(self) -> str:
        """Figures and both themes as JSON, compressed, in base64: no sign of it can end a script."""
        from dlexplain.figures.theme import theme

        shown = {
            spot: {"data": d.data, "layout": d.layout} for spot, d in self.drawings.items() if spot not in self.left_out
        }
        themes = {name: theme(name).to_plotly_json() for name in ("light", "dark")}
        return _packed(json.dumps({"themes": themes, "figures": shown}, separators=(",", ":")))

    @property
    def empty(self) -> bool:
        return len(self.left_out) == len(self.drawings)

    def exhibit(self, piece: Exhibit, index: Index) -> str:
        """A figure with its label, what it shows in words, its note, and its values where they are few."""
        spot, label = index.at(piece)
        one = self.drawings[spot]
        room = (
            f'<div class="plot" data-figure="{spot}" role="img" aria-label="{escaped(piece.alt)}" '
            f'style="height:{one.height}px"></div><p class="undrawn">The figure needs scripts, which are off here or '
            "failed. The words below say what it shows.</p>"
            if spot not in self.left_out
            else '<p class="none">The figure is left out: the page would grow over six megabytes. The record in JSON has it.</p>'
        )
        listed = values(one.data)
        said = [fact for fact in one.facts if fact not in piece.alt and fact not in piece.note]
        told = (
            f'<details class="values"><summary id="{spot}-values">Values of {label.lower()}</summary>'
            f"{grid(listed.columns, listed.rows, named=f'{spot}-values')}{paragraphs([listed.note], 'note')}</details>"
            if listed
            else ""
        )
        return (
            f'<figure class="piece" id="{spot}" aria-labelledby="{spot}-title"><h3 id="{spot}-title">'
            f'<span class="label">{label}</span> {escaped(piece.title)}</h3>{paragraphs(one.warnings, "warning")}{room}'
            f"<figcaption>{_in_words(piece, spot)}{paragraphs([piece.note])}{paragraphs(said, 'quiet')}</figcaption>"
            f"{told}</figure>"
        )


def _in_words(piece: Exhibit, spot: str) -> str:
    """What the figure shows; folded where it is long."""
    words = paragraphs([piece.alt])
    if len(piece.alt) <= _SHORT:
        return words
    return f'<details class="values"><summary id="{spot}-words">In words</summary>{words}</details>'


def _packed(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()
