"""What stands inside a network: channels, distributions, dead units, pictures that excite units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dlexplain.errors import InputError
from dlexplain.figures import png
from dlexplain.figures.canvas import Figure, Frame, axes, canvas, drawn_height
from dlexplain.figures.pictures import FINEST, empty_panel, images, square
from dlexplain.figures.tables import BAR
from dlexplain.figures.theme import CATEGORIES, SEQUENTIAL, ThemeName
from dlexplain.figures.wording import listed, literal, number, share

if TYPE_CHECKING:
    from dlexplain.layers.results import Activations, FeatureVisualisation

_BAR = 110  # the shortest colour bar, in pixels with its title: where panels are lower, room is made below


def activations(
    activations: Activations,
    layer: str | None = None,
    *,
    sample: int = 0,
    channels: int = 16,
    title: str | None = None,
    theme: ThemeName = "auto",
) -> Figure:
    """The channels of one sample in a layer of pictures, else its units as bars.

    `layer` None: the first with pictures, else the first.
    """
    names = [name for name, values in activations.values.items() if values.ndim == 4]
    layer = layer or (names or list(activations.layers))[0]
    count = len(activations[layer])
    if not -count <= sample < count:
        raise InputError(f"figures: sample={sample} is not one of the {count} samples, 0 to {count - 1}.")
    dead = np.all(activations.units(layer) == 0, axis=(0, 1))
    if activations[layer].ndim == 4:
        heading = title or f"Layer {layer} ({activations.framework}): what its channels answer"
        return _channels(activations, layer, sample % count, channels, dead, heading, theme)
    heading = title or f"Layer {layer} ({activations.framework}): what its units answer"
    return _units(activations, layer, sample % count, dead, heading, theme)


def _zero(samples: int) -> tuple[str, str]:
    """The word for a unit that is zero throughout, and where: one sample's silence proves no death."""
    return ("silent", "for this sample") if samples == 1 else ("dead", f"for all {samples} samples")


def _channels(
    activations: Activations,
    layer: str,
    sample: int,
    channels: int,
    dead: np.ndarray,
    heading: str,
    theme: ThemeName,
) -> Figure:
    maps = np.nan_to_num(activations.maps(layer)[sample])
    total, shown = len(maps), min(len(maps), channels)
    top = float(maps[:shown].max(initial=0))
    low = min(0.0, float(maps[:shown].min(initial=0)))
    columns = min(8, shown)
    rows = -(-shown // columns)
    strongest = int(np.argmax(maps.reshape(total, -1).max(1)))
    none = [str(i) for i in np.flatnonzero(dead)]
    word, throughout = _zero(len(activations[layer]))
    alt = (
        f"Activations of layer {layer} ({activations.framework}), sample {sample}: {shown} of "
        f"{total} channels as pictures, {number(low)} to {number(top)}. "
        f"The strongest value is in channel {strongest}. "
        + (
            f"{word.capitalize()} channels, zero at every place {throughout}: {listed(none[:12])}."
            if none
            else f"No channel is {word}."
        )
    )
    facts = [
        f"{shown} of {total} channels, {' × '.join(map(str, maps.shape[1:]))} each, one colour scale.",
        f"{len(none)} of {total} channels are {word}: zero at every place {throughout}.",
    ]
    height = max(78, min(200, 580 // columns))
    figure = canvas(
        Frame(heading, alt, facts, theme=theme),
        rows=rows,
        columns=columns,
        row_height=height,
        bottom=max(16, 12 + _BAR - height * rows),
        gap_x=8,
        gap_y=8,
        right=84,
        titles=[[f"{i} · {word}" if dead[i] else str(i)] for i in range(shown)]
        + [[]] * (rows * columns - shown),
    )
    for index in range(rows * columns):
        row, column = index // columns + 1, index % columns + 1
        if index >= shown:
            empty_panel(figure, row, column)
            continue
        block = max(1, -(-max(maps.shape[1:]) // FINEST))
        figure.add_heatmap(
            z=png.blocks(maps[index].astype(np.float32), block),
            x0=(block - 1) / 2,
            dx=block,
            y0=(block - 1) / 2,
            dy=block,
            coloraxis="coloraxis",
            row=row,
            col=column,
            hovertemplate=f"channel {index}, row %{{y}}, column %{{x}}: %{{z:.4g}}<extra></extra>",
        )
        square(figure, row, column, *maps.shape[1:])
        if dead[index]:
            _cross(figure, row, column)
    figure.update_layout(
        coloraxis={
            "colorscale": SEQUENTIAL,
            "cmin": low,
            "cmax": top if top > low else low + 1,
            "colorbar": {
                "title": {"text": "activation", "side": "top"},
                "lenmode": "pixels",
                "len": max(_BAR, min(150, drawn_height(figure))),
                "y": 1,
                "x": 1.01,
                "yanchor": "top",
                "xanchor": "left",
                "ypad": 0,
                "nticks": 5,
            },
        }
    )
    return figure


def _cross(figure: Figure, row: int, column: int) -> None:
    """A dead channel is told by its shape too, not by colour alone."""
    x, y = axes(figure, row, column)
    for start, end in ((0, 1), (1, 0)):
        figure.add_shape(
            type="line",
            xref=f"{x} domain",
            yref=f"{y} domain",
            x0=0,
            x1=1,
            y0=start,
            y1=end,
            line={"width": 1.5, "color": "#8A8F98", "dash": "dot"},
        )


def _units(
    activations: Activations, layer: str, sample: int, dead: np.ndarray, heading: str, theme: ThemeName
) -> Figure:
    word, throughout = _zero(len(activations[layer]))
    values = np.nan_to_num(activations.units(layer)[sample].mean(0)).astype(np.float32)
    order = np.argsort(-np.abs(values), kind="stable")[:3]
    places = activations.units(layer).shape[1]
    facts = [
        f"{len(values)} units" + (f", each the mean over {places} places." if places > 1 else "."),
        f"{int(dead.sum())} of them are {word}: zero {throughout}, marked ×.",
    ]
    alt = (
        f"Activations of layer {layer} ({activations.framework}), sample {sample}: {len(values)} units as "
        f"bars. Largest: {listed([f'unit {i} ({number(values[i])})' for i in order])}. {facts[1]}"
    )
    figure = canvas(Frame(heading, alt, facts, theme=theme), row_height=240, bottom=48)
    figure.add_bar(
        x=np.arange(len(values)),
        y=values,
        marker={"color": CATEGORIES[0]},
        hovertemplate="unit %{x}: %{y:.4g}<extra></extra>",
    )
    gone = np.flatnonzero(dead)
    figure.add_scatter(
        x=gone,
        y=np.zeros(len(gone)),
        mode="markers",
        hovertemplate=f"unit %{{x}}: {word}<extra></extra>",
        marker={"symbol": "x-thin-open", "size": 8, "color": CATEGORIES[5]},
    )
    figure.update_xaxes(title={"text": "unit"}, showgrid=False)
    figure.update_yaxes(title={"text": "activation"}, zeroline=True)
    return figure


def activation_histograms(activations: Activations, *, bins: int = 40, theme: ThemeName = "auto") -> Figure:
    """The distribution of every layer's values: small multiples, each with its share of zeros."""
    layers = list(activations.layers)
    columns = min(3, len(layers))
    rows = -(-len(layers) // columns)
    zeros = {name: float(np.mean(activations[name] == 0)) for name in layers}
    alt = (
        f"Distribution of the activations of {len(layers)} layers ({activations.framework}). Share of zeros: "
        + "; ".join(f"{name} {share(zeros[name])}" for name in layers)
        + "."
    )
    figure = canvas(
        Frame(
            "How each layer's activations are spread",
            alt,
            ["Zeros are counted in the titles and left out of the bars."],
            theme=theme,
        ),
        rows=rows,
        columns=columns,
        row_height=130,
        gap_x=56,
        gap_y=40,
        bottom=40,
        titles=[
            [literal(name, longest=26), f"{share(zeros[name])} zeros".replace("%", "&#37;")]
            for name in layers
        ]
        + [[]] * (rows * columns - len(layers)),
    )
    for index in range(rows * columns):
        row, column = index // columns + 1, index % columns + 1
        if index >= len(layers):
            empty_panel(figure, row, column)
            continue
        values = np.asarray(activations[layers[index]], np.float64).ravel()
        values = values[np.isfinite(values) & (values != 0)]
        counts, edges = (
            np.histogram(values, bins=bins) if values.size else (np.zeros(1), np.array([0.0, 1.0]))
        )
        figure.add_bar(
            x=((edges[:-1] + edges[1:]) / 2).astype(np.float32),
            y=counts,
            width=np.diff(edges).astype(np.float32),
            marker={"color": CATEGORIES[0]},
            row=row,
            col=column,
            hovertemplate="about %{x:.3g}: %{y} values<extra></extra>",
        )
        figure.update_xaxes(nticks=4, showgrid=False, row=row, col=column)
        figure.update_yaxes(nticks=4, rangemode="tozero", row=row, col=column)
    return figure


def dead_units(activations: Activations, *, theme: ThemeName = "auto") -> Figure:
    """The share of units of each layer that are zero for every sample and place."""
    table = activations.dead_units()
    words = [f"{d} of {u}" for d, u in zip(table["dead"], table["units"], strict=True)]
    alt = (
        "Dead units by layer, zero for every sample and place: "
        + "; ".join(f"{name} {w}" for name, w in zip(table["layer"], words, strict=True))
        + "."
    )
    figure = canvas(
        Frame(
            "Dead units by layer",
            alt,
            [
                f"Zero at every place {_zero(len(activations[activations.layers[0]]))[1]}. "
                "Another sample may wake them."
            ],
            theme=theme,
        ),
        row_height=len(table) * (BAR + 8) + 12,
        bottom=48,
    )
    places = np.arange(len(table))
    figure.add_bar(
        x=100 * table["share"].to_numpy(float),
        y=places,
        orientation="h",
        text=words,
        cliponaxis=False,
        textposition="outside",
        marker={"color": CATEGORIES[5]},
        width=0.7,
        hovertemplate="%{text}<extra></extra>",
    )
    figure.update_xaxes(range=[0, 116], tickvals=[0, 25, 50, 75, 100], title={"text": "dead units, per cent"})
    figure.update_yaxes(
        tickvals=places,
        ticktext=[literal(n, longest=34) for n in table["layer"]],
        showgrid=False,
        range=[len(table) - 0.4, -0.6],
    )
    return figure


def feature_visualisation(
    result: FeatureVisualisation,
    *,
    columns: int | None = None,
    title: str | None = None,
    theme: ThemeName = "auto",
) -> Figure:
    """The pictures found, each over its own range of grey or colour, with how far its unit rose."""
    found = result.pictures() if result.images.ndim in (3, 4) else None
    if found is None:
        raise InputError(
            f"figures: {result.layer!r} was visualised on inputs of shape {result.images.shape[1:]}, which "
            "are not pictures. Use .images."
        )
    rise = [
        f"{number(a, 2)} → {number(b, 2)}"
        for a, b in zip(result.start_activation, result.activation, strict=True)
    ]
    columns = columns or min(4, len(found))
    narrow = columns > 4
    stretched = [png.to_bytes(p, low=float(np.nanmin(p)), high=float(np.nanmax(p))) for p in found]
    alt = (
        f"Pictures that excite units of layer {result.layer} ({result.framework}), found by gradient ascent. "
        "Mean activation from noise to picture: "
        + "; ".join(f"unit {u} {r}" for u, r in zip(result.units, rise, strict=True))
        + "."
    )
    return images(
        stretched,
        titles=[
            f"unit {u}\n{r.replace(' →', chr(10) + '→') if narrow else r}"
            for u, r in zip(result.units, rise, strict=True)
        ],
        alt=alt,
        columns=columns,
        title=title or f"What excites layer {result.layer} ({result.framework})",
        theme=theme,
    )
