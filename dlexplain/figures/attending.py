"""Where attention looks, and what the network would answer after each block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dlexplain.errors import InputError
from dlexplain.figures.canvas import Figure, Frame, canvas
from dlexplain.figures.grids import Scale, grid_panel, sequential_scale, side
from dlexplain.figures.pictures import empty_panel
from dlexplain.figures.theme import ThemeName
from dlexplain.figures.wording import literal, number, share

if TYPE_CHECKING:
    from dlexplain.layers.attention import Attention
    from dlexplain.layers.lens import LogitLens

_HEADS = 12


def attention(
    attention: Attention,
    kind: str = "maps",
    *,
    sample: int = 0,
    layer: str | None = None,
    tokens: Sequence[object] | None = None,
    title: str | None = None,
    theme: ThemeName = "auto",
) -> Figure:
    """`maps`: the heads of one layer (None: the last) as panels; `rollout`, `relevance`: one grid of tokens.

    Each row is a token that looks, each column one that is looked at. `tokens`: their names for this sample.
    """
    if kind not in ("maps", "rollout", "relevance"):
        raise InputError(f"attention: {kind!r} is not one of 'maps', 'rollout', 'relevance'.")
    first = next(iter(attention.maps.values()))
    if not -len(first) <= sample < len(first):
        raise InputError(f"figures: sample={sample} is not one of the {len(first)} samples, 0 to {len(first) - 1}.")
    if kind == "maps":
        layer = layer or attention.layers[-1]
        panels = attention[layer][sample]
        heading = title or f"Where {layer} looks ({attention.framework})"
        names = [f"head {h}" for h in range(len(panels))]
    else:
        panels = (attention.rollout() if kind == "rollout" else attention.relevance())[sample][None]
        names = [""]
        heading = title or {"rollout": "Attention rolled out", "relevance": "Attention for the target"}[kind]
        heading = heading if title else f"{heading} ({attention.framework})"
    rows_named, columns_named = _names(attention, sample, tokens, panels.shape[1:])
    panels, hidden = panels[:_HEADS], len(panels) - _HEADS
    facts = [
        {
            "maps": f"Sample {sample}. Down: the token that looks; across: the one it looks at. Each row sums to 1.",
            "rollout": f"Sample {sample}. Down: a token at the end; across: the inputs' tokens. Each row sums to 1.",
            "relevance": f"Sample {sample}. Attention times gradient, the part for the target, added up through the layers.",
        }[kind]
    ]
    if hidden > 0:
        facts.append(f"{len(panels)} of {len(panels) + hidden} heads are drawn.")
    columns = min(len(panels), 4 if panels.shape[2] <= 16 else 2)
    rows = -(-len(panels) // columns)
    top = float(panels.max()) or 1.0
    height = side(panels.shape[1]) * panels.shape[1] + 8 if rows * columns == 1 else max(150, 620 // columns)
    figure = canvas(
        Frame(heading, _said(heading, panels, names, rows_named, columns_named, sample), facts, theme=theme),
        rows=rows,
        columns=columns,
        row_height=height,
        titles=[[name] if name else [] for name in names[: len(panels)]] + [[]] * (rows * columns - len(panels))
        if kind == "maps"
        else None,
        gap_x=16,
        gap_y=44,
        right=92,
        bottom=40,
    )
    scale = Scale(0.0, top, "weight" if kind != "relevance" else "relevance")
    for index in range(rows * columns):
        row, column = index // columns + 1, index % columns + 1
        if index >= len(panels):
            empty_panel(figure, row, column)
            continue
        grid_panel(figure, row, column, panels[index], rows_named, columns_named, scale=scale, longest=10)
        if column > 1:
            figure.update_yaxes(showticklabels=False, row=row, col=column)
        if index + columns < len(panels):
            figure.update_xaxes(showticklabels=False, row=row, col=column)
    sequential_scale(figure, scale)
    return figure


def _names(
    attention: Attention, sample: int, tokens: Sequence[object] | None, shape: tuple[int, int]
) -> tuple[list[str], list[str]]:
    """What the rows and columns are called: the tokens given, else token ids with their place, else places."""
    if tokens is not None:
        if len(tokens) != shape[1]:
            raise InputError(f"attention: {len(tokens)} tokens, but {shape[1]} are looked at.")
        called = [f"{i} {token}" for i, token in enumerate(tokens)]
    else:
        x = attention.inputs
        ids = x[sample] if isinstance(x, np.ndarray) and x.dtype.kind in "iu" and x.shape[1:] == (shape[1],) else None
        called = [str(i) if ids is None else f"{i}: {ids[i]}" for i in range(shape[1])]
    return (called if shape[0] == shape[1] else [str(i) for i in range(shape[0])]), called


def _said(heading: str, panels: np.ndarray, names: list[str], down: list[str], across: list[str], sample: int) -> str:
    sentences = []
    for name, panel in zip(names, panels, strict=False):
        i, j = np.unravel_index(int(np.argmax(panel)), panel.shape)
        sentences.append(f"{name or 'strongest'}: {down[i]} at {across[j]} ({number(panel[i, j], 2)})".strip())
    return f"{heading}, sample {sample}. Strongest link a panel: {'; '.join(sentences)}."


def logit_lens(
    lens: LogitLens,
    *,
    sample: int = 0,
    tokens: Sequence[object] | None = None,
    title: str | None = None,
    theme: ThemeName = "auto",
) -> Figure:
    """Each layer's best token at each position, coloured by its probability. `tokens`: names of the sample's positions."""
    count, n, positions, _ = lens.top.shape
    if not -n <= sample < n:
        raise InputError(f"figures: sample={sample} is not one of the {n} samples, 0 to {n - 1}.")
    best, sure = lens.top[:, sample, :, 0], lens.probabilities[:, sample, :, 0]
    settled = lens.final_rank[:, sample] == 0
    x = lens.inputs
    ids = x[sample] if isinstance(x, np.ndarray) and x.dtype.kind in "iu" and x.shape[1:] == (positions,) else None
    if tokens is not None and len(tokens) != positions:
        raise InputError(f"logit_lens: {len(tokens)} tokens for {positions} positions.")
    called = [f"{i} {t}" for i, t in enumerate(tokens)] if tokens is not None else None
    called = called or [
        ("answer" if positions == 1 else str(i)) if ids is None else f"{i}: {lens.name(int(ids[i]))}"
        for i in range(positions)
    ]
    facts = [
        f"Sample {sample}. In each cell the best answer were the network to end after that layer; ✓ is its final answer.",
        "Already the final answer: "
        + ", ".join(f"{name} {share(float(row.mean()))}" for name, row in zip(lens.layers, settled, strict=True))
        + ".",
    ]
    heading = title or f"What the network would answer after each layer ({lens.framework})"
    last = "; ".join(f"{c}: {lens.name(int(b))}" for c, b in zip(called[:12], best[-1], strict=False))
    figure = canvas(
        Frame(heading, f"{heading}. {' '.join(facts)} Final answers: {last}.", facts, theme=theme),
        row_height=side(count) * count + 8,
        right=92,
        bottom=40,
    )
    few = positions <= 24 and side(count) >= 14
    room = max(3, 66 // positions)
    words = [
        [
            literal(lens.name(int(best[i, p])), longest=room) + (" ✓" if settled[i, p] and room > 3 else "")
            for p in range(positions)
        ]
        for i in range(count)
    ]
    scale = Scale(0.0, 1.0, "probability")
    grid_panel(figure, 1, 1, sure, lens.layers, called, text=words if few else None, scale=scale, longest=14)
    sequential_scale(figure, scale)
    return figure
