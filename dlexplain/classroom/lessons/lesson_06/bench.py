"""Lesson 06's workbench: a unit, what excites it, its feature picture, and the answers when it is switched off."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlexplain.classroom.pages import folded, table
from dlexplain.classroom.widgets import Card, ipywidgets
from dlexplain.figures import png
from dlexplain.figures.theme import CATEGORIES

STRONGEST = 8
_BEFORE, _AFTER = CATEGORIES[6], CATEGORIES[5]
_BAR = 120


@dataclass(frozen=True)
class _Layer:
    """A layer of a network: its values, each unit's largest `(n, units)`, and a feature picture a unit."""

    values: np.ndarray
    axis: int
    activity: np.ndarray
    features: np.ndarray


class UnitBench(Card):
    """Choose a network, a layer and a unit; switch units off and watch the answers.

    `pictures`: `(n, height, width, 1)`, as shown; `inputs`: the same for each network, in its own layout.
    Units of one layer at a time can be off.
    """

    def __init__(
        self,
        networks: Mapping[str, Any],
        inputs: Mapping[str, np.ndarray],
        pictures: np.ndarray,
        labels: np.ndarray,
        layers: Sequence[str],
        *,
        names: Sequence[str],
    ) -> None:
        from dlexplain.frameworks import wrap

        self._models = {name: wrap(network) for name, network in networks.items()}
        self._inputs, self._pictures = dict(inputs), np.asarray(pictures)
        self._labels, self._names = np.asarray(labels), [str(name) for name in names]
        self._known = {
            (name, layer): _read(model, self._inputs[name], layer)
            for name, model in self._models.items()
            for layer in layers
        }
        self._before = {name: model.predict(self._inputs[name]) for name, model in self._models.items()}
        self._off: dict[tuple[str, str], set[int]] = {key: set() for key in self._known}
        self._busy = False
        self._build(list(layers))
        self._show()
        rows = [[self.network, self.layer, self.unit], [self.off, self.all_on], [self.picture]]
        flow = ipywidgets("workbenches").Layout(flex_flow="row wrap")
        boxes = [ipywidgets("workbenches").HBox(row, layout=flow) for row in rows]
        super().__init__([*boxes, self.view])

    def _build(self, layers: list[str]) -> None:
        widgets = ipywidgets("workbenches")
        wide = {"layout": widgets.Layout(width="20em"), "style": {"description_width": "5em"}}
        self.network = widgets.Dropdown(options=list(self._models), description="network", **wide)
        self.layer = widgets.Dropdown(options=layers, value=layers[-1], description="layer", **wide)
        self.unit = widgets.IntSlider(0, 0, self.units - 1, description="unit", **wide)
        self.off = widgets.Checkbox(description="switch this unit off", indent=False)
        self.off.layout.width = "14em"
        self.all_on = widgets.Button(description="all units on again")
        self.picture = widgets.IntSlider(0, 0, len(self._pictures) - 1, description="picture", **wide)
        self.view = widgets.HTML()
        for control in (self.network, self.layer):
            control.observe(self._another_layer, "value")
        self.unit.observe(self._another_unit, "value")
        self.off.observe(self._switch, "value")
        self.all_on.on_click(self._all_on)
        self.picture.observe(self._show, "value")

    @property
    def _key(self) -> tuple[str, str]:
        return self.network.value, self.layer.value

    @property
    def units(self) -> int:
        """How many units the chosen layer has."""
        return self._known[self._key].activity.shape[1]

    def dead(self, network: str, layer: str) -> list[int]:
        """Units that are zero for every picture."""
        return np.flatnonzero(self._known[network, layer].activity.max(0) == 0).tolist()

    def answers(self, network: str, layer: str, off: Sequence[int] = ()) -> np.ndarray:
        """Scores `(n, classes)` of all pictures with these units of the layer set to zero."""
        if not len(off):
            return self._before[network]
        known = self._known[network, layer]
        values = np.moveaxis(known.values.copy(), known.axis, -1)
        values[..., list(off)] = 0
        return self._models[network].run_from(
            layer, np.ascontiguousarray(np.moveaxis(values, -1, known.axis)), self._inputs[network]
        )

    def changed(self, network: str, layer: str) -> np.ndarray:
        """`(units,)`: how many answers change when each unit alone is off."""
        before = self._before[network].argmax(1)
        count = self._known[network, layer].activity.shape[1]
        return np.array([(self.answers(network, layer, [u]).argmax(1) != before).sum() for u in range(count)])

    def _another_layer(self, _: Any = None) -> None:
        self._busy = True
        self.unit.value = min(self.unit.value, self.units - 1)
        self.unit.max = self.units - 1
        self._busy = False
        self._another_unit()

    def _another_unit(self, _: Any = None) -> None:
        if self._busy:
            return
        self._busy = True
        self.off.value = self.unit.value in self._off[self._key]
        self._busy = False
        self._show()

    def _switch(self, change: Mapping[str, Any]) -> None:
        if self._busy:
            return
        (self._off[self._key].add if change["new"] else self._off[self._key].discard)(self.unit.value)
        self._show()

    def _all_on(self, _: Any = None) -> None:
        self._off[self._key].clear()
        self._another_unit()

    def _show(self, _: Any = None) -> None:
        if not self._busy:
            self.view.value = self._page()

    def to_html(self) -> str:
        """The present unit, and how many answers hang on each single unit of every layer, folded."""
        rows = [
            [html.escape(f"{network}, {layer}"), str(len(count)), str(int((count == 0).sum())), str(count.max())]
            for network, layer in self._known
            for count in [self.changed(network, layer)]
        ]
        head = ["layer", "units", "no answer changes", "most answers changed by one unit"]
        network, layer = self._key
        off = self._told(network, layer, self._off[self._key] | {self.unit.value})
        return (
            self._page()
            + folded(f"Unit {self.unit.value} switched off", off)
            + folded("Each unit switched off alone", table(head, rows, ""))
        )

    def _page(self) -> str:
        network, layer = self._key
        known, unit = self._known[self._key], self.unit.value
        activity = known.activity[:, unit]
        title = f"Unit {unit} of {layer}, {network}"
        if activity.max() == 0:
            strongest = "<p>It is zero for every one of these pictures: a <strong>dead</strong> unit.</p>"
        else:
            best = np.argsort(-activity, kind="stable")[:STRONGEST]
            shown = "".join(
                _picture(self._pictures[i], f"{self._names[self._labels[i]]}: {activity[i]:.1f}") for i in best
            )
            strongest = _line(shown)
        feature = _picture(known.features[unit], "feature", side=76)
        means = [activity[self._labels == k].mean() for k in range(len(self._names))]
        columns = _line(
            _block("Its feature picture", feature)
            + _block("Its mean answer, by class", _bars([(self._names, means, _BEFORE)]))
        )
        return (
            f'<div style="color:inherit">{_block(f"{title}: its strongest pictures", strongest)}{columns}'
            f"{self._told(network, layer, self._off[self._key])}</div>"
        )

    def _told(self, network: str, layer: str, units_off: set[int]) -> str:
        off = sorted(units_off)
        before, after = self._before[network], self.answers(network, layer, off)
        was, now = before.argmax(1), after.argmax(1)
        rights = [(says == self._labels) for says in (was, now)]
        units = f"Off in {layer}: " + (", ".join(map(str, off)) if off else "no unit")
        words = (
            f"<strong>{units}.</strong> Right: {rights[0].sum()} → <strong>{rights[1].sum()}</strong> of "
            f"{len(was)} pictures. Answers changed: <strong>{(was != now).sum()}</strong>."
        )
        fallen = [(rights[0] & ~rights[1] & (self._labels == k)).sum() for k in range(len(self._names))]
        if max(fallen):
            worst = int(np.argmax(fallen))
            words += f" Most newly wrong: {max(fallen)} pictures of “{html.escape(self._names[worst])}”."
        i = self.picture.value
        answer = f"{self._names[was[i]]} → {self._names[now[i]]}" if off else self._names[was[i]]
        scores = _bars([(self._names, before[i], _BEFORE), (self._names, after[i], _AFTER)])
        watched = _line(
            _picture(self._pictures[i], f"answer: {answer}", side=96)
            + _block("Scores of this picture: grey before, orange now", scores)
        )
        return f'<div role="status" aria-live="polite" style="line-height:1.5">{words}</div>{watched}'


def _read(model: Any, inputs: np.ndarray, layer: str) -> _Layer:
    from dlexplain.layers import activations, visualise_feature

    found = activations(model, inputs, layer)
    values = found[layer]
    axis = 1 if model.channels_first(layer, values.ndim) else values.ndim - 1
    activity = found.units(layer).max(axis=1)
    features = visualise_feature(
        model, layer, range(activity.shape[1]), input_shape=inputs.shape[1:], decay=0.1,
        place="middle" if values.ndim == 4 else "mean",
    )  # fmt: skip
    return _Layer(values, axis, activity, features.pictures())


def _picture(picture: np.ndarray, caption: str, *, side: int = 64) -> str:
    words = html.escape(caption)
    return (
        f'<figure style="margin:0;text-align:center;font-size:12px"><img src="{png.address(picture)}" alt="{words}" '
        f'style="width:{side}px;height:{side}px;image-rendering:pixelated;border:1px solid {_BEFORE}">'
        f"<figcaption>{words}</figcaption></figure>"
    )


def _line(parts: str) -> str:
    return f'<div style="display:flex;flex-wrap:wrap;gap:.8em;align-items:flex-start;margin:.2em 0">{parts}</div>'


def _block(title: str, body: str) -> str:
    return f'<div><div style="font-weight:600;margin:.3em 0">{html.escape(title)}</div>{body}</div>'


def _bars(series: Sequence[tuple[Sequence[str], Sequence[float], str]]) -> str:
    """Upright bars from a common zero, one colour a series, the names below."""
    names = series[0][0]
    values = np.concatenate([np.asarray(each[1], float) for each in series])
    low, high = min(values.min(), 0.0), max(values.max(), 1e-9)
    slot, height = 34, _BAR
    thick = 26 / len(series)
    zero = height * high / (high - low)
    parts = []
    for index, (_, column, colour) in enumerate(series):
        for k, value in enumerate(column):
            size = height * abs(value) / (high - low)
            top = zero - size if value > 0 else zero
            x = k * slot + 4 + index * thick
            parts.append(f'<rect x="{x:.1f}" y="{top:.1f}" width="{thick:.1f}" height="{size:.1f}" fill="{colour}"/>')
    for k, name in enumerate(names):
        parts.append(
            f'<text x="{k * slot + 17}" y="{height + 15}" text-anchor="middle" font-size="12" fill="currentColor">'
            f"{html.escape(name)}</text>"
        )
    wide = slot * len(names)
    parts.append(f'<path d="M0 {zero:.1f}H{wide}" stroke="currentColor" stroke-opacity=".5"/>')
    said = "; ".join(
        ", ".join(f"{name} {value:.1f}" for name, value in zip(names, column, strict=True)) for _, column, _ in series
    )
    return (
        f'<svg role="img" aria-label="{html.escape(said, quote=True)}" width="{wide}" height="{height + 20}" '
        f'viewBox="0 0 {wide} {height + 20}" style="max-width:100%">{"".join(parts)}</svg>'
    )
