"""How far explanations agree: a square of methods for each measure, one scale, values written in."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from dlexplain.figures.canvas import Figure, Frame, Limit, canvas, colour_scale, drawn_height
from dlexplain.figures.theme import ThemeName
from dlexplain.figures.wording import literal, number

if TYPE_CHECKING:
    from dlexplain.evaluation.agreement import Agreement

_SAID = {
    "feature_agreement": "same features",
    "rank_agreement": "same feature at the same rank",
    "sign_agreement": "same features, same signs",
    "signed_rank_agreement": "same feature, rank and sign",
    "rank_correlation": "order of the sizes",
    "pairwise_rank_agreement": "of two features, the stronger one",
}


def agreements(
    agreement: Agreement, *, title: str = "Do the methods agree?", columns: int = 2, theme: ThemeName = "auto"
) -> Figure:
    """A panel a measure: 1 where two methods agree wholly; above the panel, what is held against what."""
    means, names = agreement.means, list(agreement.names)
    shown = ["<br>".join(map(literal, textwrap.wrap(name.replace("_", " "), 14)[:2])) for name in names]
    across = max(1, min(columns, len(means)))
    rows = -(-len(means) // across)
    side = max(110, 34 * len(names))
    heads = [[literal(m.replace("_", " ").capitalize()), literal(_SAID.get(m, ""))] for m in means]
    facts = [
        f"Means over {len(agreement)} samples. The first four measures look at the {agreement.k} strongest features, the "
        f"last two at {agreement.features}.",
        f"Chance gives {number(agreement.k / agreement.count, 2)} in feature agreement, 0 in rank correlation and 0.5 in "
        "pairwise rank agreement.",
    ]
    figure = canvas(
        Frame(title, _said(title, agreement, means), facts, theme=theme),
        rows=rows,
        columns=across,
        row_height=side,
        titles=heads,
        gap_x=28,
        gap_y=18,
        left=116,
        right=84,
        bottom=60,
    )
    for i, values in enumerate(means.values()):
        row, column = i // across + 1, i % across + 1
        with_panel(figure, values, shown, row, column, named=column == 1, under=row == rows)
    colour_scale(figure, Limit(1, 1), name="agreement", height=drawn_height(figure))
    return figure


def with_panel(
    figure: Figure, values: np.ndarray, names: list[str], row: int, column: int, *, named: bool, under: bool
) -> None:
    """A square of numbers in one panel; names at the outer edges alone."""
    known = [[None if np.isnan(v) else float(v) for v in line] for line in values]
    figure.add_heatmap(
        z=known,
        text=[["" if v is None else f"{v:.2f}".replace("-", "−") for v in line] for line in known],
        texttemplate="%{text}",
        coloraxis="coloraxis",
        xgap=2,
        ygap=2,
        hoverongaps=False,
        hovertemplate="%{text}<extra></extra>",
        row=row,
        col=column,
    )
    span = [-0.5, len(names) - 0.5]
    shared = {"tickmode": "array", "tickvals": list(range(len(names))), "showgrid": False, "ticks": ""}
    figure.update_xaxes(**shared, ticktext=names, showticklabels=under, range=span, row=row, col=column)
    figure.update_yaxes(**shared, ticktext=names, showticklabels=named, range=span[::-1], row=row, col=column)


def _said(title: str, agreement: Agreement, means: dict[str, np.ndarray]) -> str:
    names, parts = agreement.names, []
    for measure, values in means.items():
        pairs = [
            f"{names[i]} and {names[j]} {number(values[i, j], 2)}"
            for i in range(len(names))
            for j in range(i + 1, len(names))
        ]
        parts.append(f"{measure.replace('_', ' ')}: {', '.join(pairs[:15])}{' and more' if len(pairs) > 15 else ''}")
    return f"{title} {len(names)} methods on {len(agreement)} samples. {'; '.join(parts)}."
