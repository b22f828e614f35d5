"""An `Attribution` as the figure that suits its kind of data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from dlexplain.errors import InputError
from dlexplain.figures import pictures, tables, timeseries, tokenised
from dlexplain.figures.canvas import Figure, Frame, canvas, colour_scale, drawn_height, robust_limit
from dlexplain.figures.facts import common_facts, panel_lines, said
from dlexplain.figures.theme import ThemeName
from dlexplain.figures.wording import method_title

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

    `limit`: where the colours end; None: the 99th percentile of the sizes drawn. `tokens`: the texts of the
    tokens, one sequence a sample or one for all. `top`: how many features or sensors a panel shows.
    """
    samples = chosen(attribution, sample)
    count = len(attribution.values) if isinstance(attribution.values, tuple) else 1
    parts = [Part(attribution, i, channels, tokens) for i in range(count)]
    heading = title or f"{method_title(attribution.method)}: what decided"
    coloured = [values for part in parts if part.kind != "table" for values in map(part.values, samples)]
    end = robust_limit(coloured, limit)
    facts = common_facts(attribution, samples, total=len(attribution))
    facts += [end.fact] if coloured else []
    facts += [
        f"Maps are drawn in blocks of {b} × {b} pixels (mean)."
        for b in sorted({p.block for p in parts})
        if b > 1
    ]
    frame = Frame(heading, said(attribution, samples, parts, heading), facts, attribution.warnings, theme)
    cells, rows, columns = _grid(parts, samples, attribution)
    narrow = len(cells) > 1
    top = top or (8 if narrow else 20)
    figure = _frame(frame, cells, rows, columns, samples, top)
    if coloured:
        colour_scale(figure, end, height=drawn_height(figure))
    for cell in cells:
        cell.part.draw(figure, cell.row, cell.column, cell.sample, top=top, narrow=narrow)
    taken = {(cell.row, cell.column + k) for cell in cells for k in range(max(part.panels for part in parts))}
    for row, column in product(range(1, rows + 1), range(1, columns + 1)):
        if (row, column) not in taken:
            pictures.empty_panel(figure, row, column)
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

    def __init__(
        self, attribution: Attribution, index: int, channels: str = "sum", tokens: Any = None
    ) -> None:
        several = isinstance(attribution.values, tuple)
        self.kind = attribution.kind[index]
        self.index = index
        self.raw = attribution.values[index] if several else attribution.values
        self.inputs = attribution.inputs[index] if several else attribution.inputs
        self.block = 1
        self.tokens = tokens
        if self.kind == "image":
            self.maps, self.pictures = (
                attribution.heatmap(channels, input=index),
                attribution.image(input=index),
            )
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

    def height(self, samples: Sequence[int], *, top: int, narrow: bool) -> float:
        """Pixels that a panel of these samples needs."""
        if self.kind == "image":
            return 150 if narrow else 290
        if self.kind == "series":
            return min(self.maps.shape[-1], top) * (32 if narrow else timeseries.LANE)
        if self.kind == "tokens":
            return max(max(self.lines(s, narrow) for s in samples) * tokenised.LINE, 40 if narrow else 150)
        count = int(np.prod(self.raw.shape[1:]))
        return (min(count, top) + (count > top)) * tables.BAR + 10

    def draw(
        self,
        figure: Figure,
        row: int,
        column: int,
        sample: int,
        *,
        top: int,
        narrow: bool,
        picture: bool = True,
    ) -> None:
        """Draws one sample into its panel; a picture stands left of its map."""
        if self.kind == "image":
            if picture:
                pictures.picture_panel(figure, row, column, self.pictures[sample])
            pictures.map_panel(figure, row, column + picture, self.maps[sample], behind=self.pictures[sample])
        elif self.kind == "series":
            names = timeseries.sensor_names(self.names, self.maps.shape[-1])
            timeseries.sensor_panel(
                figure, row, column, self.maps[sample], self.series[sample], names, top=top
            )
        elif self.kind == "tokens":
            lines = max(self.lines(sample, narrow), 1 if narrow else 150 / tokenised.LINE)
            tokenised.token_panel(
                figure,
                row,
                column,
                self.values(sample),
                self._texts(sample),
                lines=lines,
                wide=tokenised.WIDE // 2 if narrow else tokenised.WIDE,
            )
        else:
            tables.bar_panel(
                figure,
                row,
                column,
                self.values(sample),
                self.labels(sample),
                top=top,
                narrow=narrow,
                inputs=self.inputs[sample],
            )

    def _texts(self, sample: int) -> list[Any]:
        ids = np.ravel(self.inputs[sample])
        texts = self.tokens
        if texts is not None and len(texts) and not isinstance(texts[0], (str, bytes)):
            texts = texts[sample]
        if texts is None:
            return [str(int(i)) for i in ids]
        if len(texts) != len(ids):
            raise InputError(
                f"figures: sample {sample} has {len(ids)} tokens, but tokens= gives {len(texts)} texts."
            )
        return list(texts)

    def lines(self, sample: int, narrow: bool) -> int:
        """How many lines the tokens of one sample take."""
        wide = tokenised.WIDE // 2 if narrow else tokenised.WIDE
        return max(1, len(tokenised.lay_out(self._texts(sample), wide)[1]))


def _lanes(array: np.ndarray, layout: str | None) -> np.ndarray:
    """`(n, time, sensors)`, whichever the layout."""
    if array.ndim == 2:
        return array[..., None]
    array = array.reshape(*array.shape[:2], -1)
    return np.moveaxis(array, 1, 2) if layout == "channels_first" else array


@dataclass(frozen=True)
class Cell:
    """One panel of a grid (for a picture with its map: the left one of two), and its title."""

    part: Part
    sample: int
    row: int
    column: int
    title: list[str]


def _grid(parts: list[Part], samples: list[int], attribution: Attribution) -> tuple[list[Cell], int, int]:
    """The panels, and their rows and columns: samples two abreast, several inputs below each other."""
    wide = max(part.panels for part in parts)
    if len(parts) > 1:
        cells = []
        for s in samples:
            for part in parts:
                head = panel_lines(attribution, s)[0]
                cells.append(Cell(part, s, len(cells) + 1, 1, [f"{head}, input {part.index}"]))
        return cells, len(cells), wide
    part = parts[0]
    if len(samples) == 1:
        return [Cell(part, samples[0], 1, 1, ["input"] if part.kind == "image" else [])], 1, wide
    abreast = 1 if part.kind == "series" else 2
    cells = [
        Cell(part, s, i // abreast + 1, i % abreast * wide + 1, panel_lines(attribution, s))
        for i, s in enumerate(samples)
    ]
    return cells, cells[-1].row, abreast * wide


def _frame(frame: Frame, cells: list[Cell], rows: int, columns: int, samples: list[int], top: int) -> Figure:
    """The empty figure for these panels."""
    parts = list({cell.part.index: cell.part for cell in cells}.values())
    stacked, narrow = len(parts) > 1, len(cells) > 1
    kinds = {part.kind for part in parts}
    heights = [parts[row % len(parts)].height(samples, top=top, narrow=narrow) for row in range(rows)]
    titles: list[list[str]] = [[] for _ in range(rows * columns)]
    specs: list[list[dict | None]] = [[{} for _ in range(columns)] for _ in range(rows)]
    for cell in cells:
        titles[(cell.row - 1) * columns + cell.column - 1] = cell.title
        if stacked and columns > cell.part.panels:
            specs[cell.row - 1] = [{"colspan": columns}] + [None] * (columns - 1)
    if not narrow and kinds == {"image"}:
        titles[1] = ["attribution, over the input in grey"]
    with_axes = kinds - {"image", "tokens"}
    side_by_side = "table" in kinds and columns > 1 and not stacked
    return canvas(
        frame,
        rows=rows,
        columns=columns,
        row_height=heights,
        titles=titles,
        specs=specs,
        left=150 if side_by_side else 16,
        right=16 if kinds == {"table"} else 84,
        bottom=48 if with_axes else 16,
        gap_x=150 if side_by_side else 24,
        gap_y=50 if with_axes else 14,
    )
