"""Single cases of an audit: the figure of an attribution, with the rows of the data in the place of its samples."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dlexplain.figures import attributions
from dlexplain.figures.canvas import Figure
from dlexplain.figures.theme import ThemeName

if TYPE_CHECKING:
    from dlexplain.attribution.result import Attribution

_SAMPLE = re.compile(r"\b([Ss])ample (\d+)\b")


def cases(attribution: Attribution, rows: Sequence[int], title: str, *, theme: ThemeName = "auto") -> Figure:
    """Every sample of `attribution`, called by its row in the data."""
    figure = attributions.attribution(
        attribution, sample=list(range(len(attribution))), title=title, top=8, theme=theme
    )

    def called(match: re.Match) -> str:
        number = int(match[2])
        return f"{'R' if match[1] == 'S' else 'r'}ow {rows[number]}" if number < len(rows) else match[0]

    figure.for_each_annotation(lambda a: a.update(text=_SAMPLE.sub(called, a.text or "")))
    figure.update_layout(meta={**(figure.layout.meta or {}), "alt": _SAMPLE.sub(called, figure.alt)})
    return figure
