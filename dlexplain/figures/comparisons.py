"""Methods or models side by side, with one colour scale, and how far they agree."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dlexplain.errors import InputError
from dlexplain.figures import pictures, tables
from dlexplain.figures.attributions import Part, chosen
from dlexplain.figures.canvas import (
    Figure,
    Frame,
    Limit,
    axes,
    canvas,
    colour_scale,
    drawn_height,
    robust_limit,
)
from dlexplain.figures.facts import gap_in_words, place_in_words
from dlexplain.figures.theme import ThemeName
from dlexplain.figures.wording import broken, literal, number

if TYPE_CHECKING:
    import pandas as pd

    from dlexplain.attribution.comparison import Comparison
    from dlexplain.attribution.result import Attribution


def comparison(
    comparison: Comparison,
    *,
    samples: int | Sequence[int] = 4,
    limit: float | None = None,
    title: str = "Explanations compared",
    names: Sequence[str] | None = None,
    tokens: Sequence | None = None,
    top: int = 8,
    theme: ThemeName = "auto",
) -> Figure:
    """A row a sample (the first `samples`, or those listed), a column a label; one colour scale for all.

    `names`: what to call each row; None: by the number of its sample.
    """
    labels = list(comparison.attributions)
    results = [comparison.attributions[name] for name in labels]
    rows = chosen(results[0], range(min(samples, len(results[0]))) if isinstance(samples, int) else samples)
    if names is not None and len(names) != len(rows):
        raise InputError(f"comparison: {len(names)} names for {len(rows)} rows; one each is needed.")
    called = [f"sample {s}" for s in rows] if names is None else [str(name) for name in names]
    parts = [Part(result, 0, "sum", tokens) for result in results]
    kind = parts[0].kind
    drawn = [part.values(s) for part in parts for s in rows]
    end = robust_limit(drawn, limit)
    lead = kind == "image"
    facts = [
        "One colour scale for all. " + end.fact if kind != "table" else "One axis for all.",
        *_pairs(comparison),
    ]
    if any(isinstance(result.values, tuple) for result in results):
        facts.append("Of several inputs, the first is drawn.")
    warnings = [
        f"{name}: {text}" for name, result in zip(labels, results, strict=True) for text in result.warnings
    ]
    frame = Frame(title, _said(title, labels, results, parts, rows, called, facts), facts, warnings, theme)
    columns = len(labels) + lead
    titles = [_heading(name, columns) for name in (["input"] if lead else []) + labels]
    height = max(76, min(220, 540 // columns)) if lead else parts[0].height(rows, top=top, narrow=True)
    figure = canvas(
        frame,
        rows=len(rows),
        columns=columns,
        row_height=height,
        left=90 if lead else 150 if kind == "table" else 16,
        titles=_titled(titles, rows, called, results[0], lead),
        right=16 if kind == "table" else 84,
        gap_x=90 if kind == "series" else 16,
        gap_y=10 if lead else 44,
        bottom=16 if kind in ("image", "tokens") else 48,
    )
    if kind != "table":
        colour_scale(figure, end, height=drawn_height(figure))
    extent = max(float(np.abs(np.nan_to_num(values)).max(initial=0)) for values in drawn) or 1.0
    for r, s in enumerate(rows, 1):
        if lead:
            pictures.picture_panel(figure, r, 1, parts[0].pictures[s])
            _row_name(figure, r, results[0].target_label(s), called[r - 1])
        if kind == "table":
            _bars(figure, r, parts, s, top, extent)
            continue
        for c, part in enumerate(parts, 1 + lead):
            part.draw(figure, r, c, s, top=top, narrow=True, picture=False)
    return figure


def _titled(
    heads: list[list[str]], rows: list[int], called: list[str], result: Attribution, lead: bool
) -> list[list[str]]:
    """Titles of all panels: the labels above, and beside bars and lines the sample of each row."""
    titles = heads + [[] for _ in range((len(rows) - 1) * len(heads))]
    if not lead:
        for r, s in enumerate(rows):
            place = r * len(heads)
            target, name = literal(result.target_label(s), longest=24), literal(called[r], longest=24)
            titles[place] = [*titles[place], f"{target} ({name})"]
    return titles


def _bars(figure: Figure, row: int, parts: list[Part], sample: int, top: int, extent: float) -> None:
    """One sample of a table: the same features in the same order in every column, named once."""
    size = np.max([np.abs(np.nan_to_num(part.values(sample))) for part in parts], 0)
    order = np.argsort(-size, kind="stable")
    for column, part in enumerate(parts, 1):
        tables.bar_panel(
            figure,
            row,
            column,
            part.values(sample),
            part.labels(sample),
            inputs=part.inputs[sample],
            top=top,
            extent=extent,
            order=order,
            narrow=True,
            named=column == 1,
        )


def _heading(name: str, columns: int) -> list[str]:
    """A column's label, broken to fit."""
    return [
        f"<b>{literal(line)}</b>"
        for line in textwrap.wrap(name.replace("_", " "), max(10, 72 // columns))[:3]
    ] or [""]


def agreement(
    table: pd.DataFrame,
    *,
    column: str = "rank_correlation",
    title: str = "Agreement of the maps",
    theme: ThemeName = "auto",
) -> Figure:
    """The table of a `Comparison` as a square of numbers from −1 to 1: label against label."""
    names = list(dict.fromkeys([*table["a"], *table["b"]]))
    square = np.full((len(names), len(names)), np.nan)
    np.fill_diagonal(square, 1)
    for a, b, value in zip(table["a"], table["b"], table[column], strict=True):
        i, j = names.index(a), names.index(b)
        square[i, j] = square[j, i] = value
    words = column.replace("_", " ")
    pairs = [
        f"{a} and {b} {number(v)}" for a, b, v in zip(table["a"], table["b"], table[column], strict=True)
    ]
    figure = canvas(
        Frame(
            title,
            f"{title}: {words}. {'; '.join(pairs)}.",
            [f"{words.capitalize()}, the median over samples: 1 is the same order, 0 none, −1 the opposite."],
            theme=theme,
        ),
        row_height=max(150, 46 * len(names)),
        right=84,
        bottom=56,
    )
    square_panel(figure, square, names, names)
    colour_scale(figure, Limit(1, 1), name=words.replace(" ", "<br>"), height=drawn_height(figure))
    return figure


def square_panel(
    figure: Figure,
    values: np.ndarray,
    down: Sequence[str],
    across: Sequence[str],
    *,
    text: Sequence[Sequence[str]] | None = None,
    coloraxis: str = "coloraxis",
) -> None:
    """A labelled square of numbers, each written in its cell; what is not a number stays empty."""
    known = [[None if np.isnan(v) else float(v) for v in row] for row in values]
    written = text or [["" if v is None else number(v, 2) for v in row] for row in known]
    figure.add_heatmap(
        z=known,
        text=written,
        texttemplate="%{text}",
        coloraxis=coloraxis,
        xgap=2,
        ygap=2,
        hoverongaps=False,
        hovertemplate="%{text}<extra></extra>",
    )
    for names, update, backwards in ((across, figure.update_xaxes, False), (down, figure.update_yaxes, True)):
        span = [-0.5, len(names) - 0.5]
        update(
            tickmode="array",
            tickvals=list(range(len(names))),
            showgrid=False,
            ticks="",
            ticktext=[literal(n, longest=26) for n in names],
            range=span[::-1] if backwards else span,
        )


def _row_name(figure: Figure, row: int, target: str, name: str) -> None:
    _, y = axes(figure, row, 1)
    figure.add_annotation(
        text="<br>".join([f"<b>{literal(target, longest=12)}</b>", *broken(name, 11)[:3]]),
        xref="paper",
        x=0,
        yref=f"{y} domain",
        y=1,
        xanchor="right",
        yanchor="top",
        xshift=-8,
        showarrow=False,
        align="right",
        name="row",
    )


def _pairs(comparison: Comparison, most: int = 6) -> list[str]:
    table = comparison.table
    if not len(table):
        return []
    pairs = [
        (f"{a} and {b}", float(v))
        for a, b, v in zip(table["a"], table["b"], table["rank_correlation"], strict=True)
    ]
    said = [f"{pair} {number(value, 2)}" for pair, value in pairs if not np.isnan(value)]
    none = [pair for pair, value in pairs if np.isnan(value)]
    facts = []
    if said:
        more = f"; and {len(said) - most} pairs more" if len(said) > most else ""
        facts.append(f"Rank correlation: {'; '.join(said[:most])}{more}.")
    if none:
        which = "; ".join(none[:most]) if said and len(none) <= most else f"{len(none)} of {len(pairs)} pairs"
        facts.append(f"No rank correlation for {which}: a constant map has no order.")
    return facts


def _said(
    title: str,
    labels: list[str],
    results: list,
    parts: list[Part],
    rows: list[int],
    called: list[str],
    facts: list[str],
) -> str:
    sentences = [f"{title}: {len(rows)} samples in rows; in columns {', '.join(labels)}."]
    for name, result, part in zip(labels, results, parts, strict=True):
        s = rows[0]
        sentences.append(
            f"{name}, {called[0]}, target {result.target_label(s)}: {place_in_words(part, s)} "
            f"{_capital(gap_in_words(result, s))}."
        )
    return " ".join([*sentences, *facts])


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
