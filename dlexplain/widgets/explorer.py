"""The explanation explorer: choose a sample, a class, a method, a layer, a framework; the map redraws."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import traitlets

from dlexplain.errors import GapWarning, InputError, suggest
from dlexplain.widgets import page
from dlexplain.widgets.colours import scales
from dlexplain.widgets.explaining import LAYERED, explanation_figure, result_of
from dlexplain.widgets.scene import (
    attribution_part,
    class_name,
    facts,
    method_label,
    picture_part,
    predictions_part,
    tiles_part,
)
from dlexplain.widgets.shell import Shell, front_end
from dlexplain.widgets.twins import Twin, choice_of, layer_choices, layer_menu, twins

METHODS = ("saliency", "input_x_gradient", "integrated_gradients", "gradcam", "occlusion", "activations")
SIDE_BY_SIDE = "side by side"
_KEPT = 2048
_RECORDED_SAMPLES = 12
_RECORDED_BYTES = 1_900_000


class ExplanationExplorer(Shell):
    """Explanations of `inputs` by one model, or by several of the same task: `{"Keras": a, "Torch": b}`.

    `labels`: the true class of each sample, shown beside it. `methods`: names of `dlx.methods()` and
    `"activations"`. `layer`: the first one shown. `layers`: see
    `layer_choices`; None: found. `options`: `{method: {option: value}}`. The
    controls are traits: `sample`, `target` (None: the predicted class), `method`, `layer`, `framework`.
    """

    _esm = front_end("paint.js", "panel.js", "explorer.js")

    sample = traitlets.Int(0).tag(sync=True)
    target = traitlets.Int(None, allow_none=True).tag(sync=True)
    method = traitlets.Unicode().tag(sync=True)
    layer = traitlets.Unicode("").tag(sync=True)
    framework = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        models: Any,
        inputs: Any,
        *,
        labels: Sequence[Any] | None = None,
        methods: Sequence[str] = METHODS,
        class_names: Sequence[str] | None = None,
        feature_names: Sequence[str] | None = None,
        layer: str | None = None,
        layers: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
        options: Mapping[str, Mapping[str, Any]] | None = None,
        seed: int = 0,
        title: str = "Which inputs decided?",
    ) -> None:
        if not methods:
            raise InputError("methods: the list is empty. Name at least one, such as 'integrated_gradients'.")
        self._twins: dict[str, Twin] = twins(models, inputs, class_names, feature_names)
        self._count = len(next(iter(self._twins.values())).inputs)
        if labels is not None and len(labels) != self._count:
            raise InputError(f"labels: {len(labels)} for {self._count} samples; one each is needed.")
        first = next(iter(self._twins.values()))
        self._class_names = (
            tuple(map(str, class_names)) if class_names is not None else first.model.class_names
        )
        self._scores = {label: _scores(twin) for label, twin in self._twins.items()}
        self._layers = layer_choices(
            {k: t.model for k, t in self._twins.items()},
            {k: t.inputs for k, t in self._twins.items()},
            layers,
        )
        self._pictorial = self._picture_layers()
        self._options = {name: dict(given) for name, given in (options or {}).items()}
        self._seed = seed
        self._labels = None if labels is None else [self._name_of(label) for label in labels]
        self._panels: OrderedDict[tuple[Any, ...], dict[str, Any]] = OrderedDict()
        frameworks = [*self._twins, *([SIDE_BY_SIDE] if len(self._twins) > 1 else [])]
        super().__init__(
            menu=self._menu(title, list(methods), frameworks),
            method=methods[0],
            framework=frameworks[-1],
            layer=self._first_layer() if layer is None else choice_of(layer, self._layers),
        )
        self.observe(self._redraw, names=["sample", "target", "method", "layer", "framework"])
        self._redraw()

    # ---- what can be chosen --------------------------------------------------------------------------------

    def _name_of(self, label: Any) -> str:
        return (
            class_name(self._class_names, int(label)) if isinstance(label, (int, np.integer)) else str(label)
        )

    def _picture_layers(self) -> list[str]:
        """The choices that hold pictures, the only ones that Grad-CAM can use."""
        twin = next(iter(self._twins.values()))
        inside = twin.model.activations(twin.inputs[:1])
        return [
            choice for choice, names in self._layers.items() if np.ndim(inside.get(names[twin.label])) == 4
        ]

    def _first_layer(self) -> str:
        """The last one with pictures: Grad-CAM's own choice, and the most telling to look into."""
        return self._pictorial[-1] if self._pictorial else next(iter(self._layers), "")

    def _usable_layers(self, method: str) -> list[str]:
        return self._pictorial if method == "gradcam" else list(self._layers)

    def _classes(self) -> int:
        return next(iter(self._scores.values())).shape[-1] if self._single_vector() else 0

    def _single_vector(self) -> bool:
        return all(scores.ndim == 2 for scores in self._scores.values())

    def _menu(self, title: str, methods: list[str], frameworks: list[str]) -> dict[str, Any]:
        targets = [{"value": "", "label": "predicted"}]
        targets += [
            {"value": str(i), "label": class_name(self._class_names, i)} for i in range(self._classes())
        ]
        return {
            "title": title,
            "samples": [self._caption(i) for i in range(self._count)],
            "targets": targets,
            "methods": [{"value": m, "label": method_label(m), "layered": m in LAYERED} for m in methods],
            "layers": layer_menu({k: t.model for k, t in self._twins.items()}, self._layers),
            "frameworks": [{"value": name, "label": name[0].upper() + name[1:]} for name in frameworks],
            "scales": scales(),
            "note": "",
        }

    def _caption(self, sample: int) -> str:
        label = "" if self._labels is None else f" · labelled {self._labels[sample]}"
        return f"{sample + 1} of {self._count}{label}"

    # ---- answering -----------------------------------------------------------------------------------------

    def _choice(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("sample", "target", "method", "layer", "framework")}

    def _shown(self, framework: str) -> list[str]:
        if framework == SIDE_BY_SIDE and len(self._twins) > 1:
            return list(self._twins)
        if framework not in self._twins:
            raise InputError(f"framework={framework!r} is none of {', '.join(self._twins)}.")
        return [framework]

    def _draw(self) -> dict[str, Any]:
        if not 0 <= self.sample < self._count:
            raise InputError(f"sample={self.sample} is outside 0 to {self._count - 1}.")
        panels = [
            self._panel(name, self.sample, self.target, self.method, self.layer)
            for name in self._shown(self.framework)
        ]
        return {
            "panels": panels,
            "picture": self._picture(self.sample),
            "summary": self._summary(self.sample),
        }

    def _summary(self, sample: int) -> str:
        if not self._single_vector() or self._classes() < 2:
            return f"Sample {self._caption(sample)}."
        said = {
            name: class_name(self._class_names, int(np.argmax(scores[sample])))
            for name, scores in self._scores.items()
        }
        if len(set(said.values())) == 1 and len(said) > 1:
            words = (
                f"all {len(said)} models say {next(iter(said.values()))}"
                if len(said) > 2
                else (f"both say {next(iter(said.values()))}")
            )
        else:
            words = ", ".join(f"{name} says {value}" for name, value in said.items())
        return f"Sample {self._caption(sample)}: {words}."

    def _picture(self, sample: int) -> dict[str, Any] | None:
        twin = next(iter(self._twins.values()))
        one = twin.inputs[sample]
        if twin.model.kinds((twin.inputs[:1],))[0] != "image" or one.ndim not in (2, 3):
            return None
        image = one[..., None] if one.ndim == 2 else one
        first = (
            twin.model.layout == "channels_first" if twin.model.layout else twin.model.framework == "torch"
        )
        image = np.moveaxis(image, 0, -1) if one.ndim == 3 and first else image
        return picture_part(
            image, f"The input: sample {self._caption(sample)}, {image.shape[1]} by {image.shape[0]} pixels."
        )

    def _panel(self, name: str, sample: int, target: int | None, method: str, layer: str) -> dict[str, Any]:
        """One framework's part of the scene, kept for the next time."""
        key = (name, sample, target, method, layer if method in LAYERED else "")
        if key in self._panels:
            self._panels.move_to_end(key)
            return self._panels[key]
        known = [entry["value"] for entry in self.menu["methods"]]
        if method not in known:
            raise InputError(
                f"method={method!r} is not in this widget. {suggest(method, known)}It has: "
                f"{', '.join(known)}."
            )
        twin = self._twins[name]
        inner = self._layers.get(layer, {}).get(name) if method in LAYERED else None
        result = result_of(
            twin.model,
            twin.inputs[sample : sample + 1],
            target,
            method,
            inner,
            self._seed,
            self._options.get(method, {}),
        )
        panel: dict[str, Any] = {"framework": name, "title": method_label(method), "warnings": []}
        explained = target
        if method == "activations":
            panel["tiles"] = tiles_part(result, inner or next(iter(result.layers)))
        else:
            panel |= attribution_part(result, name)
            panel |= {
                "facts": facts(result, target is None and self._classes() > 1),
                "warnings": list(result.warnings),
            }
            explained = int(np.atleast_1d(result.target[0])[0])
        if self._single_vector():
            panel["predictions"] = predictions_part(
                self._scores[name][sample], self._class_names, explained, self._class_names is not None
            )
        self._panels[key] = panel
        while len(self._panels) > _KEPT:
            self._panels.popitem(last=False)
        return panel

    # ---- without hands, without kernel ---------------------------------------------------------------------

    def figure(self):
        """The Plotly figure of the present choice, of the first framework shown."""
        name = self._shown(self.framework)[0]
        twin = self._twins[name]
        layer = self._layers.get(self.layer, {}).get(name) if self.method in LAYERED else None
        return explanation_figure(
            twin.model,
            twin.inputs,
            self.sample,
            self.target,
            self.method,
            layer,
            seed=self._seed,
            **self._options.get(self.method, {}),
        )

    def sweep(self) -> list[Callable[[], None]]:
        """Calls that work every control once: each method, framework, layer, some samples and classes."""
        settings: list[tuple[str, Any]] = []
        settings += [("sample", i) for i in dict.fromkeys((0, self._count // 2, self._count - 1))]
        settings += [("target", i) for i in (*range(min(self._classes(), 3)), None)]
        settings += [("framework", entry["value"]) for entry in self.menu["frameworks"]]
        for entry in self.menu["methods"]:
            settings.append(("method", entry["value"]))
            if entry["layered"]:
                settings += [("layer", layer) for layer in self._usable_layers(entry["value"])]
        return self._steps(*settings, *self._choice().items())

    def to_html(
        self,
        path: str | Path | None = None,
        *,
        samples: int = _RECORDED_SAMPLES,
        max_bytes: int = _RECORDED_BYTES,
        **options: Any,
    ) -> str:
        """A page with the first `samples` samples, every method and framework, the predicted class and the
        next likeliest, and each layer; fewer samples where the page would pass `max_bytes`. The page says
        what it holds."""
        if options:
            raise InputError(f"to_html: unknown option {next(iter(options))!r}. Known: samples, max_bytes.")
        count = min(samples, self._count)
        while True:
            text = self._page(range(count), list(self._layers), runners_up=True)
            if len(text) <= max_bytes or count == 1:
                return page.write(path, text)
            count = max(1, min(count - 1, int(count * max_bytes / len(text))))

    def _still(self, max_bytes: int) -> str:
        one = [self.sample] if 0 <= self.sample < self._count else [0]
        text = self._page(one, list(self._layers), runners_up=False)
        if len(text) <= max_bytes or self.layer not in self._layers:
            return text
        return self._page(one, [self.layer], runners_up=False)

    def _page(self, samples: Sequence[int], layers: Sequence[str], *, runners_up: bool) -> str:
        panels: dict[str, Any] = {}
        runners_up = runners_up and self._classes() > 1
        menu = {**self.menu, "samples": [self._caption(s) for s in samples]}
        menu["layers"] = [entry for entry in self.menu["layers"] if entry["value"] in layers]
        for place, sample in enumerate(samples):
            for target in (None, -1) if runners_up else (None,):
                goal = None if target is None else self._runner_up(sample)
                for entry in menu["methods"]:
                    usable = [layer for layer in self._usable_layers(entry["value"]) if layer in layers]
                    for layer in usable or [""] if entry["layered"] else [""]:
                        for name in self._twins:
                            key = page.key(name, place, target, entry["value"], layer)
                            with warnings.catch_warnings():
                                warnings.simplefilter("ignore", GapWarning)
                                panels[key] = self._recorded(name, sample, goal, entry["value"], layer)
        menu["targets"] = self.menu["targets"][:1]
        if runners_up:
            menu["targets"] = [*menu["targets"], {"value": "-1", "label": "next likeliest"}]
        menu["note"] = (
            f"Recorded: {len(samples)} of {self._count} samples, the predicted class"
            f"{' and the next likeliest one' if runners_up else ''}. Other choices need the notebook."
        )
        present = samples.index(self.sample) if self.sample in samples else len(samples) - 1
        state = {**self._choice(), "sample": present, "target": None, "menu": menu}
        record = {
            "state": state,
            "choices": ["sample", "target", "method", "layer", "framework"],
            "panels": panels,
            "frameworks": {entry["value"]: self._shown(entry["value"]) for entry in menu["frameworks"]},
            "pictures": [self._picture(i) for i in samples],
            "summaries": [self._summary(i) for i in samples],
        }
        words = "This page draws its maps with JavaScript. " + " ".join(record["summaries"])
        return page.page("explorer.js", menu["title"], record, words)

    def _runner_up(self, sample: int) -> int:
        """The class that the first model finds next likeliest."""
        return int(np.argsort(-next(iter(self._scores.values()))[sample], kind="stable")[1])

    def _recorded(
        self, name: str, sample: int, target: int | None, method: str, layer: str
    ) -> dict[str, Any]:
        """A panel, or the reason why there is none, which belongs on the page just as well."""
        try:
            return self._panel(name, sample, target, method, layer)
        except Exception as error:
            self.errors.append(error)
            return {"framework": name, "title": method_label(method), "warnings": [], "error": str(error)}


def _scores(twin: Twin) -> np.ndarray:
    """Every sample's first output."""
    scores = twin.model.predict(twin.inputs)
    scores = scores[0] if isinstance(scores, tuple) else scores
    return scores[:, None] if scores.ndim == 1 else scores
