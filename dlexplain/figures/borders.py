"""What small networks draw in the plane: borders, single units, the folded plane, credit place by place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dlexplain.errors import InputError
from dlexplain.figures.canvas import Figure, Frame, axes, canvas, colour_scale, robust_limit
from dlexplain.figures.pictures import EDGE, empty_panel
from dlexplain.figures.theme import CATEGORIES, LIGHT, ThemeName
from dlexplain.figures.wording import literal, number, share

_BORDER = "#6b727c"
_COLOURS = (LIGHT.negative, LIGHT.positive)  # as the ground: the second class above zero
_MARKS = ("circle", "square")


@dataclass(frozen=True)
class Window:
    """A square part of the plane: `x` and `y`, both `(side,)` and rising."""

    x: np.ndarray
    y: np.ndarray

    @classmethod
    def round(cls, points: np.ndarray, *, side: int = 60, margin: float = 0.1) -> Window:
        """The square round `points` `(n, 2)`, wider by `margin` of its half side."""
        points = np.asarray(points, np.float64)
        middle = (points.max(0) + points.min(0)) / 2
        half = np.ptp(points, axis=0).max() / 2 * (1 + margin)
        x, y = (np.linspace(m - half, m + half, side, dtype=np.float32) for m in middle)
        return cls(x, y)

    @property
    def points(self) -> np.ndarray:
        """All its places `(side * side, 2)`, row by row from below, for a model to answer."""
        return np.stack(np.meshgrid(self.x, self.y), -1).reshape(-1, 2)

    def lines(self, count: int = 13) -> np.ndarray:
        """Lines of a grid `(2 * count, side, 2)`, level ones first."""
        level = [np.stack([self.x, np.full_like(self.x, y)], 1) for y in np.linspace(self.y[0], self.y[-1], count)]
        upright = [np.stack([np.full_like(self.y, x), self.y], 1) for x in np.linspace(self.x[0], self.x[-1], count)]
        return np.stack([*level, *upright]).astype(np.float32)

    def square(self, values: np.ndarray) -> np.ndarray:
        """Answers to `points`, `(side * side, ...)`, as `(side, side, ...)`; a last axis of one is dropped."""
        values = np.asarray(values)
        if len(values) != len(self.x) * len(self.y):
            raise InputError(f"{len(values)} values for {len(self.y)} x {len(self.x)} places of the window.")
        squared = values.reshape(len(self.y), len(self.x), *values.shape[1:])
        return squared[..., 0] if squared.ndim == 3 and squared.shape[-1] == 1 else squared


def plane_borders(
    scores: Mapping[str, np.ndarray],
    window: Window | Sequence[Window],
    points: np.ndarray | Sequence[np.ndarray] | None = None,
    labels: np.ndarray | Sequence[np.ndarray] | None = None,
    *,
    columns: int = 4,
    title: str = "Borders",
    facts: Sequence[str] = (),
    height: int | None = None,
    theme: ThemeName = "auto",
) -> Figure:
    """A panel a name (further lines of it stand below): where a score is over 0, and the line where it is 0.

    `scores`: `(side * side,)`, `(side * side, 1)` or `(side, side)` of each panel. `window`, `points`, `labels`: of
    all panels, or one each. Blue circles are class 0, orange squares class 1.
    """
    count = len(scores)
    windows = _each(window, count)
    clouds = _each(points, count)
    marks = _each(labels, count)
    drawn = [_flat(w, s) for w, s in zip(windows, scores.values(), strict=True)]
    said = [
        f"{' '.join(name.split())}: orange on {share(np.mean(s > 0))}" for name, s in zip(scores, drawn, strict=True)
    ]
    figure, places = _panels(
        Frame(title, f"{title}. Part of the plane on the orange side: {'; '.join(said)}.", facts, theme=theme),
        list(scores), columns, height,
    )  # fmt: skip
    for (row, column), w, score, cloud, of in zip(places, windows, drawn, clouds, marks, strict=True):
        _ground(figure, row, column, w, np.tanh(score / 2), 0.5)
        _zero(figure, row, column, w, score)
        if cloud is not None:
            _cloud(figure, row, column, np.asarray(cloud), of)
        _view(figure, row, column, w.x[[0, -1]], w.y[[0, -1]])
    return figure


def unit_pictures(
    rows: Mapping[str, np.ndarray],
    window: Window,
    *,
    title: str = "What each unit draws",
    facts: Sequence[str] = (),
    theme: ThemeName = "auto",
) -> Figure:
    """A row a name, a panel a unit: its answer over the window, on a scale of its own; the line is its 0.

    `rows`: `(side * side, units)` of each layer.
    """
    every = {name: window.square(values) for name, values in rows.items()}
    every = {name: values[..., None] if values.ndim == 2 else values for name, values in every.items()}
    columns = max(values.shape[-1] for values in every.values())
    said = "; ".join(
        f"{name}: {values.shape[-1]} units, {int(np.sum(np.ptp(values, axis=(0, 1)) < 1e-6))} of them even"
        for name, values in every.items()
    )
    figure = canvas(
        Frame(title, f"{title}. {said}.", facts, theme=theme), rows=len(every), columns=columns,
        row_height=max(58, min(110, 620 // columns)), gap_x=8, gap_y=8, left=104,
    )  # fmt: skip
    for row, (name, values) in enumerate(every.items(), 1):
        for column in range(1, columns + 1):
            if column > values.shape[-1]:
                empty_panel(figure, row, column)
                continue
            unit = values[..., column - 1].astype(np.float64)
            most = np.abs(unit).max()
            _ground(figure, row, column, window, unit / (most if most > 0 else 1), 0.9)
            _zero(figure, row, column, window, unit, 1.2)
            _view(figure, row, column, window.x[[0, -1]], window.y[[0, -1]])
        _row_name(figure, row, name)
    return figure


def planes(
    steps: Mapping[str, tuple[np.ndarray, np.ndarray]],
    labels: np.ndarray,
    *,
    cut: tuple[np.ndarray, float] | None = None,
    columns: int = 4,
    title: str = "What each layer does to the plane",
    facts: Sequence[str] = (),
    theme: ThemeName = "auto",
) -> Figure:
    """A panel a step: the lines of a grid `(lines, m, 2)` and points `(n, 2)`, where the step has put them.

    `cut`: weights `(2,)` and bias of the neuron that draws its straight line through the last panel.
    """
    labels = np.asarray(labels)
    said = []
    for name, (_, points) in steps.items():
        apart = np.linalg.norm(points[labels == 1].mean(0) - points[labels == 0].mean(0))
        said.append(f"{' '.join(name.split())}: the middles of the classes are {number(apart, 2)} apart")
    figure, places = _panels(
        Frame(title, f"{title}. {'; '.join(said)}.", facts, theme=theme), list(steps), columns, None
    )
    for (row, column), (lines, points) in zip(places, steps.values(), strict=True):
        if lines.shape[-1] != 2 or points.shape[-1] != 2:
            raise InputError(f"planes: wants places of 2 numbers, not {lines.shape[-1]} and {points.shape[-1]}.")
        gap = np.full((len(lines), 1, 2), np.nan, np.float32)
        path = np.concatenate([lines, gap], 1).reshape(-1, 2)
        figure.add_scatter(
            x=path[:, 0], y=path[:, 1], mode="lines", line={"width": 1, "color": EDGE}, row=row, col=column,
            hoverinfo="skip", connectgaps=False,
        )  # fmt: skip
        _cloud(figure, row, column, points, labels, size=4.5)
        every = np.concatenate([lines.reshape(-1, 2), points])
        low, high = every.min(0), every.max(0)
        pad = 0.05 * max(float((high - low).max()), 1e-6)
        if cut is not None and (row, column) == places[-1]:
            _cut(figure, row, column, *cut, middle=points.mean(0), reach=2 * float(np.ptp(every, axis=0).max()))
        _view(figure, row, column, (low[0] - pad, high[0] + pad), (low[1] - pad, high[1] + pad), equal=False)
    return figure


def credit_maps(
    rows: Mapping[str, np.ndarray],
    window: Window,
    scores: Mapping[str, np.ndarray] | None = None,
    *,
    names: Sequence[str] = ("x1", "x2"),
    title: str = "Which input decided, and where",
    facts: Sequence[str] = (),
    theme: ThemeName = "auto",
) -> Figure:
    """A row a name, a column an input: its credit at each place, one colour scale; `scores` draw the borders.

    `rows`: attributions of the window's points, `(side * side, inputs)`.
    """
    every = {name: window.square(values) for name, values in rows.items()}
    limit = robust_limit(list(every.values()))
    said = "; ".join(
        f"{name}: " + ", ".join(
            f"{label} carries {share(part)} of all credit" for label, part in zip(names, _parts(values), strict=True)
        )
        for name, values in every.items()
    )  # fmt: skip
    figure = canvas(
        Frame(title, f"{title}. {said}.", [*facts, limit.fact], theme=theme), rows=len(every), columns=len(names),
        row_height=210, gap_x=14, gap_y=12, left=104, right=96,
        titles=[[literal(n)] for n in names] + [[] for _ in range(len(names) * (len(every) - 1))],
    )  # fmt: skip
    for row, (name, values) in enumerate(every.items(), 1):
        for column in range(1, len(names) + 1):
            figure.add_heatmap(
                x=window.x, y=window.y, z=values[..., column - 1].astype(np.float32), coloraxis="coloraxis",
                row=row, col=column, hovertemplate="%{x:.2f}, %{y:.2f}: %{z:.3g}<extra></extra>",
            )  # fmt: skip
            if scores is not None and name in scores:
                _zero(figure, row, column, window, _flat(window, scores[name]))
            _view(figure, row, column, window.x[[0, -1]], window.y[[0, -1]])
        _row_name(figure, row, name)
    colour_scale(figure, limit, name="credit", height=180)
    return figure


def depth_curve(
    lines: Mapping[str, Mapping[int, Sequence[float]]],
    *,
    title: str,
    facts: Sequence[str] = (),
    theme: ThemeName = "auto",
) -> Figure:
    """Shares right, by number of layers: small marks are single networks, the line joins their means."""
    said = [
        f"{name}: " + ", ".join(f"{depth} layers {share(np.mean(runs))}" for depth, runs in depths.items())
        for name, depths in lines.items()
    ]
    figure = canvas(Frame(title, f"{title}. {'; '.join(said)}.", facts, theme=theme), row_height=300, bottom=84)
    places = [str(depth) for depth in next(iter(lines.values()))]
    for index, (name, depths) in enumerate(lines.items()):
        colour, symbol = CATEGORIES[(0, 5)[index % 2]], _MARKS[index % 2]
        figure.add_scatter(
            x=[str(d) for d, runs in depths.items() for _ in runs],
            y=[100 * run for runs in depths.values() for run in runs],
            mode="markers", marker={"size": 7, "color": colour, "symbol": symbol, "opacity": 0.45},
            name=literal(name), showlegend=False, hovertemplate="%{x} layers: %{y:.1f} per cent<extra></extra>",
        )  # fmt: skip
        figure.add_scatter(
            x=[str(d) for d in depths], y=[100 * float(np.mean(runs)) for runs in depths.values()],
            mode="lines+markers", name=literal(name), line={"color": colour, "width": 2.6, "dash": ("solid", "dash")[index % 2]},
            marker={"size": 10, "symbol": symbol}, hovertemplate="mean of %{x} layers: %{y:.1f} per cent<extra></extra>",
        )  # fmt: skip
    below = {"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"}
    figure.update_layout(showlegend=True, legend=below)
    figure.update_xaxes(type="category", categoryorder="array", categoryarray=places, title={"text": "hidden layers"})
    figure.update_yaxes(title={"text": "right, per cent"}, range=[40, 103])
    return figure


# ---- panels of the plane -------------------------------------------------------------------------------------


def _each(given: object, count: int) -> list:
    """One for each panel: a list or tuple of that length, or the same for all."""
    if isinstance(given, (list, tuple)):
        if len(given) != count:
            raise InputError(f"{len(given)} windows, points or labels for {count} panels.")
        return list(given)
    return [given] * count


def _flat(window: Window, score: np.ndarray) -> np.ndarray:
    score = np.asarray(score, np.float64)
    side = (len(window.y), len(window.x))
    return np.nan_to_num(score if score.shape == side else window.square(score))


def _panels(frame: Frame, names: list[str], columns: int, height: int | None) -> tuple[Figure, list[tuple[int, int]]]:
    columns = min(columns, len(names))
    rows = -(-len(names) // columns)
    titles = [[literal(line) for line in name.split("\n")] for name in names]
    figure = canvas(
        frame, rows=rows, columns=columns, row_height=height or min(300, 860 // columns), gap_x=12, gap_y=12,
        titles=titles + [[] for _ in range(rows * columns - len(names))],
    )  # fmt: skip
    places = [(i // columns + 1, i % columns + 1) for i in range(rows * columns)]
    for row, column in places[len(names) :]:
        empty_panel(figure, row, column)
    return figure, places[: len(names)]


def _ground(figure: Figure, row: int, column: int, window: Window, values: np.ndarray, strength: float) -> None:
    """Values of -1 to 1 as colours; whole numbers of one byte, which weigh a quarter in a notebook."""
    figure.add_heatmap(
        x=window.x, y=window.y, z=np.round(127 * np.clip(values, -1, 1)).astype(np.int8), coloraxis="coloraxis",
        opacity=strength, zsmooth="best", row=row, col=column, hoverinfo="skip",
    )  # fmt: skip
    figure.update_layout(coloraxis={"cmin": -127, "cmax": 127, "cmid": 0, "showscale": False})


def _zero(figure: Figure, row: int, column: int, window: Window, score: np.ndarray, width: float = 2.0) -> None:
    if not (score > 0).any() or not (score < 0).any():
        return
    most = float(np.abs(score).max())
    figure.add_contour(
        x=window.x, y=window.y, z=(score / most).astype(np.float32), showscale=False, hoverinfo="skip", row=row,
        col=column, contours={"start": 0, "end": 0, "size": 1, "coloring": "none"},
        line={"width": width, "color": _BORDER},
    )  # fmt: skip


def _cloud(
    figure: Figure, row: int, column: int, points: np.ndarray, labels: np.ndarray | None, size: float = 5
) -> None:
    labels = np.zeros(len(points), int) if labels is None else np.asarray(labels)
    for k in (0, 1):
        of = points[labels == k].astype(np.float32)
        figure.add_scatter(
            x=of[:, 0], y=of[:, 1], mode="markers", row=row, col=column, hoverinfo="skip",
            marker={
                "size": size, "symbol": _MARKS[k], "color": _COLOURS[k], "line": {"width": 0.6, "color": "#ffffff"}
            },
        )  # fmt: skip


def _cut(
    figure: Figure, row: int, column: int, weights: np.ndarray, bias: float, *, middle: np.ndarray, reach: float
) -> None:
    """The straight line where `weights` times place plus `bias` is 0, from its point nearest to `middle`."""
    weights = np.asarray(weights, np.float64)
    foot = middle - (middle @ weights + bias) / (weights @ weights) * weights
    along = np.array([-weights[1], weights[0]]) / np.linalg.norm(weights)
    ends = np.stack([foot - reach * along, foot + reach * along])
    figure.add_scatter(
        x=ends[:, 0], y=ends[:, 1], mode="lines", line={"width": 2.4, "color": _BORDER, "dash": "dash"}, row=row,
        col=column, hoverinfo="skip", name="cut",
    )  # fmt: skip


def _view(figure: Figure, row: int, column: int, x: Sequence[float], y: Sequence[float], equal: bool = True) -> None:
    name, other = axes(figure, row, column)
    shared = {"visible": False, "fixedrange": True, "constrain": "domain", "row": row, "col": column}
    figure.update_xaxes(range=[float(x[0]), float(x[1])], **shared)
    figure.update_yaxes(range=[float(y[0]), float(y[1])], **({"scaleanchor": name} if equal else {}), **shared)
    figure.add_shape(
        type="rect", xref=f"{name} domain", yref=f"{other} domain", x0=0, x1=1, y0=0, y1=1,
        line={"width": 1, "color": EDGE}, name="edge",
    )  # fmt: skip


def _row_name(figure: Figure, row: int, name: str) -> None:
    _, y = axes(figure, row, 1)
    figure.add_annotation(
        text=f"<b>{literal(name, longest=18)}</b>", xref="paper", x=0, xanchor="right", xshift=-10,
        yref=f"{y} domain", y=0.5, yanchor="middle", showarrow=False, align="right", name="row",
    )  # fmt: skip


def _parts(values: np.ndarray) -> np.ndarray:
    """Each input's part of the sizes of all credits."""
    sizes = np.abs(values).mean(axis=(0, 1))
    return sizes / max(float(sizes.sum()), 1e-12)
