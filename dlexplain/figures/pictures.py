"""Pictures, and maps over pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dlexplain.errors import InputError
from dlexplain.figures import png
from dlexplain.figures.canvas import Figure, Frame, axes, canvas
from dlexplain.figures.theme import ThemeName
from dlexplain.figures.wording import listed, literal

# A map with more cells a side is drawn in blocks: a screen would not show more, a notebook would carry it.
FINEST = 128
EDGE = "rgba(127,132,140,0.6)"


def images(
    pictures: np.ndarray | Sequence[np.ndarray],
    *,
    titles: Sequence[object] | None = None,
    columns: int | None = None,
    title: str = "Pictures",
    alt: str | None = None,
    theme: ThemeName = "auto",
) -> Figure:
    """A grid of pictures, each `(height, width)` or `(height, width, 1 or 3)`.

    `titles`: one each, which may have several lines.
    """
    pictures = [np.asarray(picture) for picture in pictures]
    wrong = next((p.shape for p in pictures if p.ndim not in (2, 3) or 0 in p.shape), None)
    if wrong is not None or not pictures:
        raise InputError(
            f"images: wants pictures of shape (height, width) or (height, width, channels), not {wrong}."
        )
    if titles is not None and len(titles) != len(pictures):
        raise InputError(f"images: {len(pictures)} pictures but {len(titles)} titles.")
    columns = min(len(pictures), columns or (8 if len(pictures) > 6 else 6))
    rows = -(-len(pictures) // columns)
    names = [str(t) for t in titles] if titles is not None else []
    told = listed([" ".join(name.split()) for name in names[:12]])
    sentence = f"{len(pictures)} pictures in a grid" + (f": {told}" if names else "")
    longest = max(8, 110 // columns)
    figure = canvas(
        Frame(title, alt or f"{title}. {sentence}{', …' if len(names) > 12 else ''}.", theme=theme),
        rows=rows,
        columns=columns,
        row_height=max(84, min(240, 600 // columns)),
        titles=[[literal(line, longest=longest) for line in n.split("\n")] for n in names] or None,
        gap_x=10,
        gap_y=10,
    )
    for index in range(rows * columns):
        row, column = index // columns + 1, index % columns + 1
        if index < len(pictures):
            picture_panel(figure, row, column, pictures[index])
        else:
            empty_panel(figure, row, column)
    return figure


def picture_panel(
    figure: Figure,
    row: int,
    column: int,
    picture: np.ndarray,
    *,
    grey: bool = False,
    opacity: float = 1.0,
    size: tuple[int, int] | None = None,
) -> None:
    """Draws a picture into a panel, its pixel (i, j) at x=j, y=i, as a heatmap's cells are.

    `size`: the height and width to draw it at, where they are not its own.
    """
    height, width = size or picture.shape[:2]
    x, y = axes(figure, row, column)
    figure.add_layout_image(
        source=png.address(picture, grey=grey),
        xref=x,
        yref=y,
        x=-0.5,
        y=-0.5,
        sizex=width,
        sizey=height,
        sizing="stretch",
        layer="below",
        opacity=opacity,
    )
    # White on white paper has no border of its own.
    figure.add_shape(
        type="rect",
        xref=x,
        yref=y,
        x0=-0.5,
        y0=-0.5,
        x1=width - 0.5,
        y1=height - 0.5,
        line={"width": 2, "color": EDGE},  # half of it is cut off with what leaves the panel
        name="edge",
    )
    square(figure, row, column, height, width)


def map_panel(
    figure: Figure,
    row: int,
    column: int,
    values: np.ndarray,
    *,
    behind: np.ndarray | None = None,
    name: str = "attribution",
) -> int:
    """Draws a signed map `(height, width)` over a faint picture; returns the side of its blocks in pixels."""
    block = max(1, -(-max(values.shape) // FINEST))
    cells = png.blocks(np.nan_to_num(np.asarray(values, np.float32)), block)
    if behind is not None:
        faint = png.blocks(behind, block)
        picture_panel(figure, row, column, faint, grey=True, opacity=0.18, size=values.shape)
    offset = (block - 1) / 2
    figure.add_heatmap(
        z=cells,
        x0=offset,
        dx=block,
        y0=offset,
        dy=block,
        coloraxis="coloraxis",
        row=row,
        col=column,
        hovertemplate=f"row %{{y}}, column %{{x}}<br>{literal(name)} %{{z:.4g}}<extra></extra>",
    )
    square(figure, row, column, *values.shape)
    return block


def empty_panel(figure: Figure, row: int, column: int) -> None:
    """Hides a panel that holds nothing."""
    figure.update_xaxes(visible=False, row=row, col=column)
    figure.update_yaxes(visible=False, row=row, col=column)


def square(figure: Figure, row: int, column: int, height: int, width: int) -> None:
    """Gives a panel of pixels square cells, row 0 above, and no axes."""
    x, _ = axes(figure, row, column)
    figure.update_xaxes(
        range=[-0.5, width - 0.5],
        visible=False,
        fixedrange=True,
        constrain="domain",
        constraintoward="left",
        row=row,
        col=column,
    )
    figure.update_yaxes(
        range=[height - 0.5, -0.5],
        visible=False,
        fixedrange=True,
        scaleanchor=x,
        constrain="domain",
        constraintoward="top",
        row=row,
        col=column,
    )
