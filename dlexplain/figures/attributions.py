"""An `Attribution` as the figure that suits its kind of data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from dlexplain.errors import InputError
from dlexplain.figures import pictures, tables, timeseries, tokenised
from dlexplain.figures.canvas import Figure, Frame, canvas, colour_scale, robust_limit
from dlexplain.figures.facts import common_facts, panel_lines, said
from dlexplain.figures.theme import ThemeName
from dlexplain.figures.wording import literal, method_title

if TYPE_CHECKING:
    from dlexplain.attribution.result import Attribution

MOST = 6  # samples drawn where none is asked for


def attribution(
    attribution: Attribution,
    *,
    sample: int | Sequence[int] | None = None,
    channels: Literal["sum", "abs_max", "l2"] = "sum",
    limit: float | None = None,
    title: str | None = None,
    tokens: Sequence[Any] | None = None,
    top: int | None = None,
    theme: ThemeName = "auto",
) -> Figure:
    """The samples asked for, or the first six, each with its target, output and gap.

    `limit`: where the colours end; None: the 99th percentile of the sizes drawn. `tokens`: the texts of the tokens, one
    sequence a sample or one for all. `top`: how many features or sensors a panel shows.
    """
    samples = chosen(attribution, sample)
    count = len(attribution.values) if isinstance(attribution.values, tuple) else 1
    single = len(samples) == 1
    parts = [Part(attribution, i, channels, tokens) for i in range(count)]
    heading = title or f"{method_title(attribution.method)}: what decided"
    coloured = [values for part in parts if part.kind != "table" for values in map(part.values, samples)]
    end = robust_limit(coloured, limit)
    facts = common_facts(attribution, samples, total=len(attribution))
    facts += [end.fact] if coloured else []
    facts += [f"Maps are drawn in blocks of {b} × {b} pixels (mean)." for b in sorted({p.block for p in parts}) if b > 1]
    frame = Frame(heading, said(attribution, samples, parts, heading), facts, attribution.warnings, theme)
    figure, cells = _grid(frame, parts, samples, attribution, top, single)
    colour_scale(figure, end, shown=bool(coloured), height=260)
    if not coloured:
        tables.two_colours(figure)
    for part, s, row, column in cells:
        part.draw(figure, row, column, s, top=top or (20 if single else 8))
    return figure


def chosen(attribution: Attribution, sample: int | Sequence[int] | None) -> list[int]:
    """The rows to draw; raises `InputError` for one that is not there."""
    total = len(attribution)
    if total == 0:
        raise InputError("figures: this attribution holds no sample, so there is nothing to draw.")
    rows = list(range(min(total, MOST))) if sample is None else np.atleast_1d(sample).tolist()
    for row in rows:
        if not isinstance(row, int) or not -total <= row < total:
            raise InputError(f"figures: sample={row!r} is not one of the {total} samples, 0 to {total - 1}.")
    if not rows:
        raise InputError("figures: sample names no sample. Give a number, a list of numbers or None.")
    return [row % total for row in rows]


class Part:
    """One input of an attribution, and how its kind is drawn."""

    def __init__(self, attribution: Attribution, index: int, channels: str = "sum", tokens: Any = None) -> None:
        several = isinstance(attribution.values, tuple)
        self.kind = attribution.kind[index]
        self.index = index
        self.raw = attribution.values[index] if several else attribution.values
        self.inputs = attribution.inputs[index] if several else attribution.inputs
        self.block = 1
        self.tokens = tokens
        if self.kind == "image":
            self.maps, self.pictures = attribution.heatmap(channels, input=index), attribution.image(input=index)
            self.block = max(1, -(-max(self.maps.shape[1:]) // pictures.FINEST))
        elif self.kind == "series":
            self.maps, self.series = (_lanes(a, attribution.layout) for a in (self.raw, self.inputs))
        names, self.names = attribution.feature_names, None
        width = self.maps.shape[-1] if self.kind == "series" else int(np.prod(self.raw.shape[1:]))
        if names is not None and len(names) == width:
            self.names = [str(name) for name in names]

    @property
    def panels(self) -> int:
        """How many panels one sample takes."""
        return 2 if self.kind == "image" else 1

    def values(self, sample: int) -> np.ndarray:
        """What is drawn of one sample, before anything is cut away."""
        return self.maps[sample] if self.kind in ("image", "series") else np.ravel(self.raw[sample])

    def labels(self, sample: int) -> list[str]:
        """A name for each value of a table or a text."""
        if self.kind == "tokens":
            return [str(t) for t in self._texts(sample)]
        return self.names or [f"feature {i}" for i in range(int(np.prod(self.raw.shape[1:])))]

    def height(self, samples: Sequence[int], *, top: int, single: bool) -> float:
        """Pixels that a panel of these samples needs."""
        if self.kind == "image":
            return 300 if single else 168
        if self.kind == "series":
            return min(self.maps.shape[-1], top) * (timeseries.LANE if single else 30) + 30
        if self.kind == "tokens":
            return max(self._lines(s, single) for s in samples) * tokenised.LINE + 6
        count = int(np.prod(self.raw.shape[1:]))
        return (min(count, top) + (count > top)) * tables.BAR + 40

    def draw(self, figure: Figure, row: int, column: int, sample: int, *, top: int, extent: float | None = None,
             picture: bool = True) -> None:
        """Draws one sample into its panel; a picture stands left of its map."""
        if self.kind == "image":
            if picture:
                pictures.picture_panel(figure, row, column, self.pictures[sample])
            pictures.map_panel(figure, row, column + picture, self.maps[sample], behind=self.pictures[sample])
        elif self.kind == "series":
            names = timeseries.sensor_names(self.names, self.maps.shape[-1])
            timeseries.sensor_panel(figure, row, column, self.maps[sample], self.series[sample], names, top=top)
        elif self.kind == "tokens":
            single = figure.get_subplot(1, 2) is None if _has_columns(figure) else True
            wide = tokenised.WIDE if single else tokenised.WIDE // 2
            lines = max(1, self._lines(sample, single))
            tokenised.token_panel(figure, row, column, self.values(sample), self._texts(sample), wide=wide, lines=lines)
        else:
            tables.bar_panel(figure, row, column, self.values(sample), self.labels(sample), top=top, extent=extent,
                             inputs=self.inputs[sample], longest=34 if top > 8 else 22)

    def _texts(self, sample: int) -> list[Any]:
        ids = np.ravel(self.inputs[sample])
        texts = self.tokens
        if texts is not None and len(texts) and not isinstance(texts[0], (str, bytes)):
            texts = texts[sample]
        if texts is None:
            return [str(int(i)) for i in ids]
        if len(texts) != len(ids):
            raise InputError(f"figures: sample {sample} has {len(ids)} tokens, but tokens= gives {len(texts)} texts.")
        return list(texts)

    def _lines(self, sample: int, single: bool) -> int:
        wide = tokenised.WIDE if single else tokenised.WIDE // 2
        return max(1, len(tokenised.lay_out(self._texts(sample), wide)[1]))


def _lanes(array: np.ndarray, layout: str | None) -> np.ndarray:
    """`(n, time, sensors)`, whichever the layout."""
    if array.ndim == 2:
        return array[..., None]
    array = array.reshape(*array.shape[:2], -1)
    return np.moveaxis(array, 1, 2) if layout == "channels_first" else array


def _has_columns(figure: Figure) -> bool:
    return len(figure._grid_ref[0]) > 1


def _grid(frame: Frame, parts: list[Part], samples: list[int], attribution: Attribution, top: int | None, single: bool):
    """The empty figure, and for each panel its part, sample, row and column."""
    most = top or (20 if single else 8)
    if len(parts) > 1:
        across = sum(p.panels for p in parts)
        starts = np.cumsum([1] + [p.panels for p in parts])
        cells = [(p, s, r + 1, int(starts[i])) for r, s in enumerate(samples) for i, p in enumerate(parts)]
        rows, single = len(samples), False
    else:
        pairs = 1 if single or parts[0].kind == "series" else 2
        across = pairs * parts[0].panels
        cells = [(parts[0], s, i // pairs + 1, i % pairs * parts[0].panels + 1) for i, s in enumerate(samples)]
        rows = -(-len(samples) // pairs)
    titles: list[list[str]] = [[] for _ in range(rows * across)]
    for part, s, row, column in cells:
        lines = panel_lines(attribution, s) if part.index == 0 else [f"input {part.index}"]
        if len(samples) == 1 and len(parts) == 1:
            lines = ["input"] if part.kind == "image" else []
            if part.kind == "image":
                titles[column] = [literal("attribution over the input, in grey")]
        elif len(parts) > 1 and part.index == 0 and len(samples) == 1:
            lines = ["input 0"]
        titles[(row - 1) * across + column - 1] = lines
    height = max(p.height(samples, top=most, single=single) for p in parts)
    kinds = {p.kind for p in parts}
    figure = canvas(
        frame, rows=rows, columns=across, row_height=height, titles=titles,
        right=16 if kinds == {"table"} else 84, bottom=16 if kinds <= {"image", "tokens"} else 48,
        gap_x=24 if kinds <= {"image", "tokens"} else 190 if "table" in kinds else 90,
        gap_y=16 if kinds <= {"image", "tokens"} else 56,
    )
    used = {(row, column + k) for part, _, row, column in cells for k in range(part.panels)}
    for row in range(1, rows + 1):
        for column in range(1, across + 1):
            if (row, column) not in used:
                pictures.empty_panel(figure, row, column)
    return figure, cells
