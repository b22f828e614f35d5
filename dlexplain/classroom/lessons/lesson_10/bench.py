"""Lesson 10's desk: a page that the learner spoils, what is read of it, and where it is sent."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import numpy as np

from dlexplain.classroom import drawing as draw
from dlexplain.classroom.lessons.lesson_10 import drawing as own
from dlexplain.classroom.lessons.lesson_10 import paper, reading
from dlexplain.classroom.widgets import Card, ipywidgets
from dlexplain.figures.theme import CATEGORIES


class DocumentDesk(Card):
    """Blur, noise, tilt and a changed digit: the page, its text, its fields, and to whom it goes."""

    def __init__(self, reader: reading.Reader, documents: Sequence[paper.Document], *, threshold: float = 0.8) -> None:
        widgets = ipywidgets("desks")
        self._reader, self._documents = reader, list(documents)
        wide = {"layout": widgets.Layout(width="100%", max_width="32em"), "style": {"description_width": "9.5em"}}
        names = [f"invoice {k + 1}: {each.rows[0][1]}" for k, each in enumerate(self._documents)]
        self.page = widgets.Dropdown(options=[(n, k) for k, n in enumerate(names)], description="page", **wide)
        self.blur = widgets.FloatSlider(value=0.4, min=0, max=2, step=0.1, description="blur (pixels)", **wide)
        self.noise = widgets.FloatSlider(value=0.03, min=0, max=0.3, step=0.01, description="noise", **wide)
        self.tilt = widgets.FloatSlider(value=2, min=-6, max=6, step=0.5, description="tilt (degrees)", **wide)
        self.digit = widgets.Dropdown(
            options=[("as it is", "")] + [(f"{k}", f"{k}") for k in range(10)],
            description="total's first digit", **wide,
        )  # fmt: skip
        self.threshold = widgets.FloatSlider(
            value=threshold, min=0, max=1, step=0.01, description="sure from", readout_format=".0%", **wide
        )
        self.view = widgets.HTML()
        self.controls = (self.page, self.blur, self.noise, self.tilt, self.digit, self.threshold)
        for control in self.controls:
            if hasattr(control, "continuous_update"):
                control.continuous_update = False
            control.observe(self._show, "value")
        self._show()
        super().__init__([*self.controls, self.view])

    @property
    def document(self) -> paper.Document:
        """What is printed now."""
        chosen = self._documents[self.page.value]
        if not self.digit.value:
            return chosen
        return chosen.with_total(self.digit.value + chosen.fields["total"][1:])

    def read(self) -> tuple[np.ndarray, list[reading.Line]]:
        """The straightened scan and its lines."""
        wear = {"blur": self.blur.value, "noise": self.noise.value, "tilt": self.tilt.value}
        page = reading.straighten(paper.scanned(self.document, **wear))
        return page, reading.read_page(self._reader, page, straight=False)

    def _show(self, _: Any = None) -> None:
        self.view.value = self.to_html()

    def to_html(self) -> str:
        """The page, its text, its fields with their chances, and the verdict in words."""
        page, lines = self.read()
        found = reading.fields(lines)
        verdict, reasons = route(found, self.threshold.value)
        truth = self.document.fields
        rows = {
            name: {"read": each.text, "least sure sign": f"{each.least:.0%}", "truth": truth.get(name, "—")}
            for name, each in found.items()
        }
        wrong = sum(found[name].text != value if name in found else True for name, value in truth.items())
        colour = CATEGORIES[2] if verdict == "booked by the machine" else CATEGORIES[5]
        words = (
            f'<div style="border-left:6px solid {colour};padding:.2em .7em;margin:.5em 0"><b>This page: {verdict}.</b> '
            f"{html.escape('; '.join(reasons)).capitalize() or 'Every sign of the fields is sure enough, and every rule holds'}. "
            f"In truth, {wrong} of {len(truth)} fields are misread.</div>"
        )
        table = draw.table(rows).html if rows else "<div>No field was found.</div>"
        return own.beside(page, lines, wide=330, words=words, right=table).html


def route(found: dict[str, reading.Field], threshold: float) -> tuple[str, list[str]]:
    """To whom an invoice goes, and why: to a person when a sign is doubtful or a rule is broken."""
    reasons = [
        f"{name} is doubtful ({each.least:.0%})" for name, each in found.items() if each.least < threshold
    ] + reading.complaints(found)
    return ("to a person" if reasons else "booked by the machine"), reasons
