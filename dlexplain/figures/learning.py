"""Learning as it goes: training curves, decision borders, confusion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dlexplain.errors import InputError
from dlexplain.figures.canvas import Figure, Frame, Limit, canvas, colour_scale
from dlexplain.figures.comparisons import square_panel
from dlexplain.figures.theme import CATEGORIES, ThemeName, rgb
from dlexplain.figures.wording import listed, literal, number, share

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "star", "cross")
DASHES = ("solid", "dash", "dot", "dashdot")


def training_curves(
    histories: Mapping[str, Mapping[str, Sequence[float]]],
    *,
    metric: str | None = None,
    title: str = "Training",
    theme: ThemeName = "auto",
) -> Figure:
    """A panel a metric, a line a model; `val_…` is dashed.

    `histories`: `{"Keras": {"loss": [...], "val_loss": [...]}, "Torch": {...}}`.
    """
    if not histories:
        raise InputError("training_curves: no histories. Give {'name': {'loss': [...]}}.")
    known = list(dict.fromkeys(key.removeprefix("val_") for h in histories.values() for key in h))
    metrics = [metric.removeprefix("val_")] if metric else known
    if metric and metrics[0] not in known:
        raise InputError(f"training_curves: no metric {metric!r} here. Metrics: {', '.join(known)}.")
    said: list[str] = []
    named: set[str] = set()
    drawn = {key for h in histories.values() for key, values in h.items() if len(values)}
    kinds = ["Whole line: training data."] * any(m in drawn for m in metrics)
    kinds += ["Dashed: validation data."] * any(f"val_{m}" in drawn for m in metrics)
    figure = canvas(
        Frame(title, "", [" ".join(kinds)] if kinds else [], theme=theme),
        columns=len(metrics),
        row_height=280,
        gap_x=70,
        bottom=92,
        titles=[[literal(m.replace("_", " "))] for m in metrics],
    )
    for column, name in enumerate(metrics, 1):
        for i, (model, history) in enumerate(histories.items()):
            for key, dash in ((name, "solid"), (f"val_{name}", "dash")):
                if key not in history or not len(history[key]):
                    continue
                values = np.asarray(history[key], np.float64)
                label = model + (", validation" if key != name else ", training")
                figure.add_scatter(
                    x=np.arange(1, len(values) + 1),
                    y=values,
                    mode="lines+markers" if len(values) < 25 else "lines",
                    line={"dash": dash, "width": 2.2, "color": CATEGORIES[i % len(CATEGORIES)]},
                    marker={"size": 6, "symbol": SYMBOLS[i % len(SYMBOLS)]},
                    name=literal(label),
                    legendgroup=label,
                    showlegend=label not in named,
                    row=1,
                    col=column,
                    hovertemplate="epoch %{x}: %{y:.4g}",
                    connectgaps=False,
                )
                named.add(label)
                said.append(
                    f"{label} {name.replace('_', ' ')} from {number(values[0])} to {number(values[-1])} in "
                    f"{len(values)} epochs"
                )
        figure.update_xaxes(title={"text": "epoch", "standoff": 4}, showgrid=False, row=1, col=column)
    figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"},
        hovermode="x unified",
    )
    return figure.update_layout(meta={**figure.layout.meta, "alt": f"{title} curves: {'; '.join(said)}."})


def decision_border(
    x: np.ndarray,
    y: np.ndarray,
    scores: np.ndarray,
    points: np.ndarray | None = None,
    labels: np.ndarray | None = None,
    class_names: Sequence[object] | None = None,
    *,
    names: tuple[str, str] = ("x", "y"),
    title: str = "Where the decision changes",
    theme: ThemeName = "auto",
) -> Figure:
    """Which class wins over the plane.

    `x`: `(columns,)`, `y`: `(rows,)`, `scores`: `(rows, columns, classes)`, or `(rows, columns)` of the
    second class's probability; `points`: `(n, 2)` with integer `labels`.
    """
    x, y, scores = np.asarray(x, np.float32), np.asarray(y, np.float32), np.asarray(scores, np.float32)
    scores = np.stack([1 - scores, scores], -1) if scores.ndim == 2 else scores
    if scores.shape[:2] != (len(y), len(x)):
        raise InputError(
            f"decision_border: scores has shape {scores.shape}, but y and x give ({len(y)}, {len(x)}, …)."
        )
    winner, classes = scores.argmax(-1), scores.shape[-1]
    shown = (
        [str(n) for n in class_names] if class_names is not None else [f"class {k}" for k in range(classes)]
    )
    parts = [f"{shown[k]} wins on {share(np.mean(winner == k))}" for k in range(min(classes, 8))]
    figure = canvas(
        Frame(
            title,
            f"{title}. Of the area, {listed(parts)}."
            + (f" {len(points)} points are drawn." if points is not None else ""),
            ["Background: the class of the highest score. Lines: where it changes."],
            theme=theme,
        ),
        row_height=400,
        bottom=92,
    )
    steps = []
    for k in range(classes):
        colour = "rgba({},{},{},0.36)".format(*rgb(CATEGORIES[k % len(CATEGORIES)]))
        steps += [[k / classes, colour], [(k + 1) / classes, colour]]
    figure.add_heatmap(
        x=x,
        y=y,
        z=winner.astype(np.int16),
        zmin=-0.5,
        zmax=classes - 0.5,
        colorscale=steps,
        showscale=False,
        hoverinfo="skip",
    )
    for k in range(classes if classes > 2 else 1):
        rest = np.delete(scores, k, -1).max(-1)
        figure.add_contour(
            x=x,
            y=y,
            z=scores[..., k] - rest,
            showscale=False,
            hoverinfo="skip",
            showlegend=False,
            contours={"start": 0, "end": 0, "size": 1, "coloring": "none"},
            line={"width": 1.8, "color": "#7d848e"},
        )
    if points is not None:
        points, labels = (
            np.asarray(points),
            np.zeros(len(points), int) if labels is None else np.asarray(labels),
        )
        for k in np.unique(labels):
            of = points[labels == k]
            name = shown[int(k)] if int(k) < len(shown) else f"class {k}"
            figure.add_scatter(
                x=of[:, 0],
                y=of[:, 1],
                mode="markers",
                name=literal(name),
                hovertemplate="%{x:.3g}, %{y:.3g}",
                marker={
                    "size": 8,
                    "symbol": SYMBOLS[int(k) % len(SYMBOLS)],
                    "color": CATEGORIES[int(k) % len(CATEGORIES)],
                    "line": {"width": 1, "color": "#ffffff"},
                },
            )
    figure.update_layout(
        showlegend=points is not None,
        legend={"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"},
    )
    figure.update_xaxes(
        title={"text": literal(names[0]), "standoff": 4},
        showgrid=False,
        range=[float(x.min()), float(x.max())],
    )
    figure.update_yaxes(
        title={"text": literal(names[1])}, showgrid=False, range=[float(y.min()), float(y.max())]
    )
    return figure


def confusion(
    matrix: np.ndarray,
    class_names: Sequence[object] | None = None,
    *,
    title: str = "Confusion",
    theme: ThemeName = "auto",
) -> Figure:
    """Counts `(true, predicted)`, coloured by the share of each true class."""
    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or (matrix < 0).any():
        raise InputError(f"confusion: wants a square matrix of counts, not shape {matrix.shape}.")
    names = [str(n) for n in class_names] if class_names is not None else [str(k) for k in range(len(matrix))]
    if len(names) != len(matrix):
        raise InputError(f"confusion: {len(matrix)} classes but {len(names)} names.")
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    right = float(np.trace(matrix) / max(matrix.sum(), 1))
    wrong = matrix - np.diag(np.diag(matrix))
    i, j = np.unravel_index(np.argmax(wrong), wrong.shape)
    worst = (
        f"Most often mistaken: {names[i]} for {names[j]} ({wrong[i, j]})." if wrong.any() else "No mistake."
    )
    figure = canvas(
        Frame(
            title,
            f"{title} matrix of {len(matrix)} classes. {share(right)} are right. {worst}",
            [f"{share(right)} right. {worst}"],
            theme=theme,
        ),
        row_height=max(180, 36 * len(matrix)),
        bottom=56,
    )
    square_panel(figure, shares, names, names, text=[[f"{v:g}" if v else "" for v in row] for row in matrix])
    colour_scale(figure, Limit(1, 1), shown=False)
    figure.update_xaxes(title={"text": "predicted", "standoff": 6})
    figure.update_yaxes(title={"text": "true", "standoff": 6})
    return figure
