"""Attribution to a layer: its units of most weight, and where they have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dlexplain.errors import InputError
from dlexplain.figures import tables
from dlexplain.figures.canvas import Figure, Frame, canvas, colour_scale, drawn_height, robust_limit
from dlexplain.figures.pictures import empty_panel, map_panel
from dlexplain.figures.theme import ThemeName
from dlexplain.figures.wording import method_title, number, share

if TYPE_CHECKING:
    from dlexplain.attribution.inside_result import LayerAttribution


def layer_attribution(
    result: LayerAttribution,
    *,
    sample: int = 0,
    units: int = 8,
    title: str | None = None,
    theme: ThemeName = "auto",
) -> Figure:
    """One sample: the maps of the units of most weight where the layer holds pictures, else the units as bars."""
    if not -len(result) <= sample < len(result):
        raise InputError(f"figures: sample={sample} is not one of the {len(result)} samples, 0 to {len(result) - 1}.")
    whole = result.units()[sample]
    heading = title or f"{method_title(result.method)} at {result.layer} ({result.framework})"
    facts = [f"Sample {sample}, target {_target(result, sample)}, output {number(result.output[sample])}."]
    if result.relative_gap is not None:
        lower = number(result.baseline_output[sample])
        facts.append(
            f"Output at the baseline {lower}; the values miss {share(result.relative_gap[sample])} of the change."
        )
    names = [f"unit {i}" for i in range(len(whole))]
    alt = f"{heading}. {' '.join(facts)} {tables.largest(whole, names)}"
    values = result.values[sample]
    if values.ndim != 3:
        return tables.bars(
            whole, names, title=heading, facts=facts, warnings=result.warnings, alt=alt, top=20, theme=theme
        )
    maps = values if result.channels_first else np.moveaxis(values, -1, 0)
    order = np.argsort(-np.abs(whole), kind="stable")[:units]
    columns = min(4, len(order))
    rows = -(-len(order) // columns)
    end = robust_limit([maps[i] for i in order])
    figure = canvas(
        Frame(
            heading,
            alt,
            [*facts, f"{len(order)} of {len(maps)} units, largest sums first. {end.fact}"],
            result.warnings,
            theme,
        ),
        rows=rows,
        columns=columns,
        row_height=max(90, 560 // columns),
        titles=[[f"unit {i}", f"sum {number(whole[i])}"] for i in order] + [[]] * (rows * columns - len(order)),
        gap_x=12,
        gap_y=12,
        right=84,
    )
    for index in range(rows * columns):
        row, column = index // columns + 1, index % columns + 1
        if index < len(order):
            unit = maps[order[index]]
            map_panel(figure, row, column, unit, behind=np.ones(unit.shape))  # for its frame
        else:
            empty_panel(figure, row, column)
    colour_scale(figure, end, height=drawn_height(figure))
    return figure


def _target(result: LayerAttribution, sample: int) -> str:
    target = result.target[sample]
    if np.ndim(target) == 0 and result.class_names is not None and int(target) < len(result.class_names):
        return result.class_names[int(target)]
    return str(int(target)) if np.ndim(target) == 0 else str(tuple(int(t) for t in target))
