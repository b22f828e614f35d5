"""What the layers learned: probes, similarity, concepts, patching."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dlexplain.errors import InputError
from dlexplain.figures import tables
from dlexplain.figures.canvas import Figure, Frame, Limit, canvas, colour_scale, drawn_height, robust_limit
from dlexplain.figures.grids import Scale, grid_panel, sequential_scale, side
from dlexplain.figures.pictures import map_panel
from dlexplain.figures.theme import CATEGORIES, ThemeName
from dlexplain.figures.wording import broken, listed, literal, number, share

if TYPE_CHECKING:
    from dlexplain.layers.concepts import ConceptSensitivity
    from dlexplain.layers.factorisation import DiscoveredConcepts
    from dlexplain.layers.patching import Patching
    from dlexplain.layers.probes import Probes
    from dlexplain.layers.similarity import Similarity

_ROW = 26  # pixels a line of a table


def probes(probes: Probes, *, title: str | None = None, theme: ThemeName = "auto") -> Figure:
    """A line a layer: the probe's score, its control on shuffled labels, and chance."""
    table, words = probes.table, "accuracy" if probes.task == "classification" else "R²"
    best = table.loc[table.selectivity.idxmax()]
    alt = (
        f"Linear probes of {len(table)} layers ({probes.framework}), {words} on samples never trained on. "
        + "; ".join(f"{r.layer} {number(r.score)}, control {number(r.control)}" for r in table.itertuples())
        + "."
    )
    facts = [
        f"{words[0].upper() + words[1:]} on folds that the probe was never trained on; the bars are its deviation over them.",
        f"The control learns shuffled labels. Most selective: {best.layer}, {number(best.selectivity)} over its control.",
    ]
    if (table.features != table.features.str.extract(r"(all \d+ values)")[0]).any():
        facts.append("Large layers are reduced first: see the table's column `features`.")
    figure = canvas(
        Frame(title or f"What a linear probe reads ({probes.framework})", alt, facts, theme=theme),
        row_height=len(table) * _ROW + 14,
        bottom=84,
    )
    for row in table.itertuples():
        figure.add_scatter(
            x=[row.control, row.score],
            y=[row.Index, row.Index],
            mode="lines",
            line={"width": 3, "color": "rgba(127,132,140,0.45)"},
            hoverinfo="skip",
            showlegend=False,
        )
    for name, values, symbol, colour in (
        ("control", table.control, "diamond-open", CATEGORIES[5]),
        (words, table.score, "circle", CATEGORIES[0]),
    ):
        figure.add_scatter(
            x=values,
            y=np.arange(len(table)),
            mode="markers",
            name=name,
            error_x={"array": table.deviation, "thickness": 1.2, "width": 3} if symbol == "circle" else None,
            marker={"size": 10, "symbol": symbol, "color": colour, "line": {"width": 2, "color": colour}},
            customdata=[literal(layer) for layer in table.layer],
            hovertemplate=f"%{{customdata}}<br>{name} %{{x:.3f}}<extra></extra>",
        )
    figure.add_vline(x=probes.chance, line={"width": 1.4, "dash": "dot", "color": "#8A8F98"})
    figure.add_scatter(
        x=[None],
        y=[None],
        mode="lines",
        name="commonest class" if probes.task == "classification" else "the mean",
        line={"dash": "dot", "width": 1.4, "color": "#8A8F98"},
    )
    low = min(0.0, float(table.control.min())) if probes.task == "classification" else float(table.control.min()) - 0.05
    figure.update_xaxes(range=[max(low, -1.0), 1.03], title={"text": words, "standoff": 4})
    _names_down(figure, list(table.layer))
    return _legend_below(figure)


def similarity(
    similarity: Similarity, *, names: tuple[str, str] = ("a", "b"), title: str | None = None, theme: ThemeName = "auto"
) -> Figure:
    """The square of similarities, layers of the first model down, of the second across."""
    values = similarity.values
    pairs = [
        f"{a} with {similarity.layers_b[int(np.nanargmax(row))]} ({number(np.nanmax(row), 2)})"
        for a, row in zip(similarity.layers_a, values, strict=True)
        if np.isfinite(row).any()
    ]
    kind = "unbiased" if similarity.unbiased else "biased"
    facts = [
        f"Linear CKA ({kind}) on {similarity.samples} samples: 1 is the same up to rotation and scale, 0 nothing shared.",
        f"Down: {names[0]} ({similarity.frameworks[0]}). Across: {names[1]} ({similarity.frameworks[1]}).",
    ]
    if not np.isfinite(values).all():
        facts.append("Empty cells: a layer that is the same for every sample.")
    cell = side(values.shape[0])
    figure = canvas(
        Frame(
            title or "How alike the layers see the samples",
            f"Linear CKA between layers. Most alike: {'; '.join(pairs[:20]) or 'none'}.",
            facts,
            theme=theme,
        ),
        row_height=cell * values.shape[0] + 8,
        right=92,
        bottom=40,
    )
    few = values.shape[1] <= 14 and cell >= 20
    written = [[number(v, 2) if np.isfinite(v) else "" for v in row] for row in values] if few else None
    scale = Scale(0.0, 1.0, "similarity")
    grid_panel(figure, 1, 1, values, similarity.layers_a, similarity.layers_b, text=written, scale=scale)
    sequential_scale(figure, scale)
    return figure


def concept_sensitivity(result: ConceptSensitivity, *, title: str | None = None, theme: ThemeName = "auto") -> Figure:
    """A line a concept: its score, random concepts' beside it, and whether they differ."""
    table = result.table
    null = float(result.random_scores.mean())
    said = [
        f"{r.concept} {number(r.score, 2)}, p {number(r.p_value, 2)}, {'' if r.significant else 'not '}significant"
        for r in table.itertuples()
    ]
    facts = [
        f"Share of {result.samples} samples whose target rises along the concept; random concepts: {number(null, 2)}.",
        f"Filled: unlike random concepts (p under {result.level:g}, {len(table)} concepts allowed for) and told from them.",
    ]
    figure = canvas(
        Frame(
            title or f"Which concepts move the target at {result.layer} ({result.framework})",
            f"Concept sensitivity at layer {result.layer}: {'; '.join(said)}. Random concepts {number(null, 2)}.",
            facts,
            theme=theme,
        ),
        row_height=len(table) * (_ROW + 10) + 14,
        right=216,
        bottom=84,
    )
    spread = float(result.random_scores.std(ddof=1))
    for name, chosen, symbol in (
        ("significant", table[table.significant], "circle"),
        ("not significant", table[~table.significant], "circle-open"),
    ):
        figure.add_scatter(
            x=chosen.score,
            y=list(chosen.index),
            mode="markers",
            name=name,
            error_x={"array": chosen.deviation, "thickness": 1.2, "width": 3},
            marker={"size": 11, "symbol": symbol, "color": CATEGORIES[0], "line": {"width": 2, "color": CATEGORIES[0]}},
            hovertemplate="%{x:.3f}<extra></extra>",
        )
    figure.add_scatter(
        x=[None],
        y=[None],
        mode="lines",
        name="random concepts and their deviation",
        line={"dash": "dot", "width": 1.4, "color": "#8A8F98"},
    )
    for row in table.itertuples():
        figure.add_annotation(
            x=1,
            xref="paper",
            xshift=10,
            y=row.Index,
            xanchor="left",
            showarrow=False,
            align="left",
            text=f"p {_small(row.p_value)}, told from random {share(row.accuracy)}".replace("%", "&#37;"),
            font={"size": 11},
        )
    figure.add_vrect(
        x0=max(0, null - spread),
        x1=min(1, null + spread),
        fillcolor="rgba(127,132,140,0.18)",
        line={"width": 0},
        layer="below",
    )
    figure.add_vline(x=null, line={"width": 1.4, "dash": "dot", "color": "#8A8F98"})
    figure.update_xaxes(range=[-0.03, 1.03], title={"text": "share of samples that rise", "standoff": 4})
    _names_down(figure, list(table.concept))
    return _legend_below(figure)


def discovered_concepts(
    result: DiscoveredConcepts,
    *,
    concepts: int = 5,
    samples: int = 4,
    title: str | None = None,
    theme: ThemeName = "auto",
) -> Figure:
    """A row a concept: the samples that hold most of it and where; of data that is no picture, importance as bars."""
    heading = title or f"Concepts found in {result.layer} ({result.framework})"
    table, shown = result.table, min(concepts, len(result))
    said = [f"concept {r.concept}, importance {number(r.importance)}" for r in table.head(shown).itertuples()]
    facts = [
        f"Importance: how far the target falls without the concept. The sum of all {len(result)} misses "
        f"{share(result.error)} of the activations."
    ]
    alt = f"{heading}: {'; '.join(said)}. {facts[0]}"
    pictures = _pictures(result)
    if pictures is None:
        names = [f"concept {r.concept} (samples {', '.join(map(str, r.samples))})" for r in table.itertuples()]
        return tables.bars(
            result.importance, names, title=heading, axis="importance", facts=facts, alt=alt, theme=theme
        )
    samples = min(samples, len(pictures))
    best = np.argsort(-result.maps.reshape(len(pictures), -1, len(result)).sum(1), axis=0, kind="stable")[:samples]
    titles = [
        [f"concept {k} · {number(result.importance[k], 2)}", f"sample {best[c, k]}"]
        if c == 0
        else ["", f"sample {best[c, k]}"]
        for k in range(shown)
        for c in range(samples)
    ]
    figure = canvas(
        Frame(heading, alt, [*facts, "Each concept's colours end at its own largest value."], theme=theme),
        rows=shown,
        columns=samples,
        row_height=max(84, min(150, 560 // samples)),
        titles=titles,
        gap_x=10,
        gap_y=12,
    )
    for k in range(shown):
        top = max(float(result.maps[..., k].max()), 1e-30)
        for c, sample in enumerate(best[:, k]):
            picture = pictures[sample]
            rows, columns = (
                np.arange(s) * m // s for s, m in zip(picture.shape[:2], result.maps.shape[1:3], strict=True)
            )
            held = result.maps[sample][..., k][np.ix_(rows, columns)] / top
            map_panel(figure, k + 1, c + 1, held, behind=picture, name="share of the largest")
    colour_scale(figure, Limit(1, 1), shown=False)
    return figure


def patching(
    result: Patching,
    *,
    sample: int | None = None,
    parts: Sequence[object] | None = None,
    title: str | None = None,
    theme: ThemeName = "auto",
) -> Figure:
    """Effects layer by layer, or as a grid of layers and positions (or units). `parts`: what those are called."""
    values = result.matrix(sample)
    away = (
        "clean activations put into the corrupted run"
        if result.direction == "restore"
        else "corrupted ones into the clean run"
    )
    of = f"pair {sample}" if sample is not None else f"mean of {len(result.clean_score)} pairs"
    facts = [f"{away[0].upper() + away[1:]}, {of}: 0 changes nothing, 1 carries the whole difference."]
    heading = title or f"What carries the answer ({result.framework})"
    flat = np.nan_to_num(values)
    order = np.argsort(-np.abs(flat).ravel(), kind="stable")[:3]
    where = [(result.layers[i // values.shape[1]], i % values.shape[1], flat.ravel()[i]) for i in order]
    said = listed(
        [f"{name}{'' if result.by == 'layer' else f', {result.by} {part}'} ({number(v)})" for name, part, v in where]
    )
    alt = f"{heading}, by {result.by}. {facts[0]} Largest: {said}."
    if result.by == "layer":
        figure = canvas(Frame(heading, alt, facts, theme=theme), row_height=len(values) * _ROW + 14, bottom=52)
        figure.add_bar(
            x=values[:, 0],
            y=np.arange(len(values)),
            orientation="h",
            width=0.66,
            marker={"color": CATEGORIES[0]},
            hovertemplate="%{x:.3f}<extra></extra>",
        )
        figure.add_vline(x=1, line={"width": 1.4, "dash": "dot", "color": "#8A8F98"})
        figure.update_xaxes(
            range=[min(0.0, float(flat.min()) * 1.05), max(1.05, float(flat.max()) * 1.05)],
            title={"text": "effect", "standoff": 4},
            zeroline=True,
        )
        return _names_down(figure, list(result.layers))
    names = [str(p) for p in parts] if parts is not None else [str(i) for i in range(values.shape[1])]
    if len(names) != values.shape[1]:
        raise InputError(f"patching: {len(names)} names for {values.shape[1]} {result.by}s.")
    limit = robust_limit([flat])
    figure = canvas(
        Frame(heading, alt, [*facts, *broken(limit.fact)], theme=theme),
        row_height=side(len(values)) * len(values) + 8,
        right=92,
        bottom=64,
    )
    few = values.shape[1] <= 12 and side(len(values)) >= 20
    written = [[number(v, 2) if np.isfinite(v) else "" for v in row] for row in values] if few else None
    grid_panel(figure, 1, 1, values, result.layers, names, text=written)
    colour_scale(figure, limit, name="effect", height=drawn_height(figure))
    figure.update_xaxes(title={"text": result.by, "standoff": 6})
    return figure


def _pictures(result: DiscoveredConcepts) -> list[np.ndarray] | None:
    """`(height, width, channels)` a sample where the input is a picture and the layer has its places, else None."""
    x = result.inputs
    if isinstance(x, tuple) or result.kind != "image" or result.maps.ndim != 4 or x.ndim not in (3, 4):
        return None
    x = x[..., None] if x.ndim == 3 else np.moveaxis(x, 1, -1) if result.layout == "channels_first" else x
    return list(x if x.shape[-1] in (1, 3) else x.mean(-1, keepdims=True))


def _names_down(figure: Figure, names: list[str]) -> Figure:
    """Names on the upright axis, the first above."""
    return figure.update_yaxes(
        tickvals=list(range(len(names))),
        ticktext=[literal(name, longest=34) for name in names],
        showgrid=False,
        range=[len(names) - 0.4, -0.6],
    )


def _legend_below(figure: Figure) -> Figure:
    return figure.update_layout(
        showlegend=True, legend={"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"}
    )


def _small(p: float) -> str:
    return "under 0.001" if p < 1e-3 else number(p, 2)
