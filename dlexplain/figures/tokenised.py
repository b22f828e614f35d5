"""Text as tokens, each on the colour of its attribution."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dlexplain.errors import InputError
from dlexplain.figures.canvas import Figure, Frame, canvas, colour_scale, robust_limit
from dlexplain.figures.tables import largest
from dlexplain.figures.theme import ThemeName
from dlexplain.figures.wording import literal, number

LINE = 38  # pixels a line of tokens
WIDE = 72  # characters a line


def tokens(
    values: np.ndarray | Sequence[float],
    tokens: Sequence[object],
    *,
    limit: float | None = None,
    title: str = "Attribution by token",
    facts: Sequence[str] = (),
    warnings: Sequence[str] = (),
    alt: str | None = None,
    theme: ThemeName = "auto",
) -> Figure:
    """`values`: one number a token. The tokens run as text does, line below line."""
    values = np.asarray(values, np.float32).ravel()
    if len(tokens) != len(values):
        raise InputError(f"tokens: {len(values)} values but {len(tokens)} tokens.")
    end = robust_limit([values], limit)
    lines = len(lay_out(tokens, WIDE)[1]) or 1
    sentence = (
        alt or f"{title}. {len(values)} tokens in reading order. {largest(values, [str(t) for t in tokens])}"
    )
    figure = canvas(
        Frame(title, sentence, [*facts, end.fact], warnings, theme),
        row_height=max(150, lines * LINE),
        right=84,
    )
    colour_scale(figure, end, height=max(150, lines * LINE))
    token_panel(figure, 1, 1, values, tokens, wide=WIDE, lines=max(lines, 150 / LINE))
    return figure


def lay_out(tokens: Sequence[object], wide: int) -> tuple[list[tuple[int, float, float]], list[float]]:
    """For each token its line, left edge and width in characters; and the width of each line."""
    places, ends, x, line = [], [], 0.0, 0
    for token in tokens:
        width = min(len(shown(token)), wide) + 1.6
        if x and x + width > wide:
            ends.append(x)
            x, line = 0.0, line + 1
        places.append((line, x, width))
        x += width + 0.5
    return places, [*ends, x] if places else []


def shown(token: object) -> str:
    """A token in visible characters."""
    text = str(token).replace("\n", "⏎").replace("\t", "⇥")
    return text.strip() or "␣"


def token_panel(
    figure: Figure,
    row: int,
    column: int,
    values: np.ndarray,
    tokens: Sequence[object],
    *,
    wide: int = WIDE,
    lines: float = 1,
) -> None:
    """Draws tokens into a panel: a bar behind each word carries its colour."""
    values = np.nan_to_num(np.asarray(values, np.float32).ravel())
    places, _ = lay_out(tokens, wide)
    line = np.array([p[0] for p in places], np.float32)
    left = np.array([p[1] for p in places], np.float32)
    width = np.array([p[2] for p in places], np.float32)
    words = [literal(shown(t), longest=wide) for t in tokens]
    figure.add_bar(
        x=left + width / 2,
        y=np.full(len(values), 0.78, np.float32),
        base=np.round(line.astype(np.float64) - 0.39, 2),
        width=width,
        marker={
            "color": values,
            "coloraxis": "coloraxis",
            "line": {"width": 1, "color": "rgba(128,134,142,0.45)"},
        },
        customdata=[[w, number(v, 4), i] for i, (w, v) in enumerate(zip(words, values, strict=True))],
        hovertemplate="%{customdata[0]} (place %{customdata[2]}): %{customdata[1]}<extra></extra>",
        row=row,
        col=column,
    )
    figure.add_scatter(
        x=left + width / 2,
        y=line,
        mode="text",
        text=words,
        textfont={"size": 13},
        hoverinfo="skip",
        row=row,
        col=column,
    )
    figure.update_layout(barmode="overlay")
    figure.update_xaxes(range=[-0.5, wide + 1], visible=False, row=row, col=column)
    figure.update_yaxes(range=[max(lines, 1) - 0.5, -0.5], visible=False, row=row, col=column)
