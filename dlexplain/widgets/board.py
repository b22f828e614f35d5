"""The drawing board: draw a digit; every model predicts, and its maps and activations follow the pen."""

from __future__ import annotations

import warnings
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import traitlets

from dlexplain.errors import GapWarning, InputError
from dlexplain.widgets import page
from dlexplain.widgets.colours import scales
from dlexplain.widgets.reading import (
    EXAMPLES,
    Reading,
    Stroke,
    as_batch,
    board_size,
    draw,
    pen_radius,
    read_drawing,
    to_input,
)
from dlexplain.widgets.scene import (
    attribution_part,
    class_name,
    facts,
    method_label,
    picture_part,
    predictions_part,
    shares,
    tiles_part,
)
from dlexplain.widgets.shell import Shell, front_end
from dlexplain.widgets.twins import choice_of, layer_choices, layer_menu, wrapped_twins

METHODS = ("input_x_gradient", "saliency", "integrated_gradients", "occlusion")
_LAYERED = ("gradcam",)
_STILL_DRAWINGS = 2


class DrawingBoard(Shell):
    """Models of digits, one or a dict of twins, that read a drawing of `size` while it is made.

    `examples`: prepared drawings by name, strokes or grey values `(height, width)`; None: some digits and a
    face. `layers`: see `layer_choices`. `prepare`, `options`: see `read_drawing`; `options` is `{method:
    {option: value}}`. The controls are traits: `drawing` (grey values 0 to 255, row by row, `pixels` as an
    array), `method`, `layer`, `target` (None: each model's own prediction). `draw` and `clear` are the pen
    from code.
    """

    _esm = front_end("paint.js", "panel.js", "drawing_board.js")

    # As text on the wire: front ends do not compare buffers alike.
    drawing = traitlets.Bytes(b"").tag(
        sync=True,
        to_json=lambda value, _: b64encode(value).decode(),
        from_json=lambda text, _: b64decode(text),
    )
    method = traitlets.Unicode().tag(sync=True)
    layer = traitlets.Unicode("").tag(sync=True)
    target = traitlets.Int(None, allow_none=True).tag(sync=True)

    def __init__(
        self,
        models: Any,
        *,
        size: tuple[int, int] = (8, 8),
        class_names: Sequence[str] | None = None,
        methods: Sequence[str] = METHODS,
        layer: str | None = None,
        layers: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
        examples: Mapping[str, Any] | None = None,
        options: Mapping[str, Mapping[str, Any]] | None = None,
        seed: int = 0,
        prepare: Callable[[np.ndarray], np.ndarray] | Mapping[str, Callable] | None = None,
        title: str = "Draw a digit",
    ) -> None:
        if not methods:
            raise InputError("methods: the list is empty. Name at least one, such as 'input_x_gradient'.")
        self._models = wrapped_twins(models, class_names)
        self._size, self._cells = tuple(size), board_size(tuple(size))
        self._options = {name: dict(given) for name, given in (options or {}).items()}
        self._seed, self._prepare = seed, prepare
        sample = {label: self._batch(label) for label in self._models}
        scores = [np.asarray(model.predict(sample[label])) for label, model in self._models.items()]
        self._classes = scores[0].shape[-1]
        first = next(iter(self._models.values()))
        names = tuple(map(str, class_names)) if class_names is not None else first.class_names
        self._class_names = names or tuple(str(i) for i in range(self._classes))
        self._models = wrapped_twins(self._models, self._class_names)
        self._layers = layer_choices(self._models, sample, layers)
        self._examples = {name: self._cells_of(given) for name, given in (examples or EXAMPLES).items()}
        self.reading: Reading | None = None
        super().__init__(
            menu=self._menu(title, methods),
            method=methods[0],
            layer=self._picture_layer(sample) if layer is None else choice_of(layer, self._layers),
            drawing=bytes(self._cells[0] * self._cells[1]),
        )
        # A framework's first answer is slow, since it traces: paid here and not under the pen.
        self._recorded(next(iter(self._examples.values())), self.method, self.layer)
        self.observe(self._redraw, names=["drawing", "method", "layer", "target"])
        self._redraw()

    def _batch(self, label: str) -> np.ndarray:
        """A drawing as one model's input, to ask how many classes and which layers there are."""
        picture = to_input(self._cells_of(EXAMPLES["a three"]), self._size)
        own = self._prepare.get(label) if isinstance(self._prepare, Mapping) else self._prepare
        return np.asarray(own(picture)) if own else as_batch(self._models[label], picture)

    def _cells_of(self, given: Any) -> np.ndarray:
        """An example, strokes or grey values, as the board's own cells."""
        if isinstance(given, np.ndarray) and given.ndim == 2:
            grey = given / (255.0 if given.max(initial=0) > 1 else 1.0)
            return np.kron(
                grey, np.ones([max(1, c // g) for c, g in zip(self._cells, grey.shape, strict=True)])
            )
        return draw(given, self._cells, pen_radius(self._size))

    def _picture_layer(self, sample: Mapping[str, np.ndarray]) -> str:
        label, model = next(iter(self._models.items()))
        inside = model.activations(sample[label])
        pictures = [c for c, names in self._layers.items() if np.ndim(inside.get(names[label])) == 4]
        return pictures[0] if pictures else next(iter(self._layers), "")

    def _menu(self, title: str, methods: Sequence[str]) -> dict[str, Any]:
        return {
            "title": title,
            "height": self._cells[0],
            "width": self._cells[1],
            "pen": pen_radius(self._size),
            "targets": [{"value": "", "label": "predicted"}]
            + [{"value": str(i), "label": class_name(self._class_names, i)} for i in range(self._classes)],
            "methods": [{"value": m, "label": method_label(m), "layered": m in _LAYERED} for m in methods],
            "layers": layer_menu(self._models, self._layers),
            "examples": [{"name": name, "drawing": _bytes(cells)} for name, cells in self._examples.items()],
            "scales": scales(),
            "recorded": False,
            "note": "Ink is cut out, scaled and centred as in the training data before the networks see it.",
        }

    # ---- the pen from code ---------------------------------------------------------------------------------

    @property
    def pixels(self) -> np.ndarray:
        """The drawing as `(height, width)` grey values, 0 to 1, in the board's cells."""
        return np.frombuffer(self.drawing, np.uint8).reshape(self._cells) / 255.0

    @pixels.setter
    def pixels(self, grey: np.ndarray) -> None:
        self.drawing = _bytes(self._cells_of(np.asarray(grey, np.float64)))

    def draw(self, strokes: Sequence[Stroke]) -> None:
        """Adds strokes, each a list of (x, y) from (0, 0) at the upper left to (1, 1) at the lower right."""
        self.drawing = _bytes(np.maximum(self.pixels, draw(strokes, self._cells, pen_radius(self._size))))

    def clear(self) -> None:
        """An empty board."""
        self.drawing = bytes(self._cells[0] * self._cells[1])

    # ---- answering -----------------------------------------------------------------------------------------

    def _choice(self) -> dict[str, Any]:
        return {"method": self.method, "layer": self.layer, "target": self.target}

    def _draw(self) -> dict[str, Any]:
        if len(self.drawing) != self._cells[0] * self._cells[1]:
            raise InputError(
                f"drawing: {len(self.drawing)} grey values, but the board has {self._cells[0]} by "
                f"{self._cells[1]}."
            )
        if not any(self.drawing):
            self.reading = None
            return {"panels": [], "picture": None, "summary": "The board is empty: draw a digit."}
        self.reading = self._read(self.pixels, self.method, self.layer)
        return self._scene_of(self.reading, self.method, self.layer)

    def _read(self, pixels: np.ndarray, method: str, layer: str) -> Reading:
        inner = self._layers.get(layer)
        options = dict(self._options.get(method, {}))
        return read_drawing(
            self._models,
            pixels,
            size=self._size,
            method=method,
            target=self.target,
            layer=inner,
            seed=self._seed,
            prepare=self._prepare,
            **options,
        )

    def _scene_of(self, reading: Reading, method: str, layer: str) -> dict[str, Any]:
        panels, said = [], {}
        for label in self._models:
            attribution = reading.attributions[label]
            values, _ = shares(reading.predictions[label])
            said[label] = (
                f"{class_name(self._class_names, int(np.argmax(values)))} ({100 * values.max():.0f} %)"
            )
            explained = int(np.atleast_1d(attribution.target[0])[0])
            panel = {
                "framework": label,
                "title": method_label(method),
                "warnings": list(attribution.warnings),
                "facts": facts(attribution, self.target is None),
                "predictions": predictions_part(
                    reading.predictions[label], self._class_names, explained, True
                ),
                **attribution_part(_as_picture(attribution, self._size), label),
            }
            if label in reading.activations:
                panel["tiles"] = tiles_part(reading.activations[label], self._layers[layer][label])
            panels.append(panel)
        alt = f"What the networks see: {self._size[1]} by {self._size[0]} pixels of grey."
        summary = "; ".join(f"{label} says {words}" for label, words in said.items()) + "."
        return {
            "panels": panels,
            "picture": picture_part(reading.picture[..., None], alt),
            "summary": summary,
        }

    # ---- without hands, without kernel ---------------------------------------------------------------------

    def sweep(self) -> list[Callable[[], None]]:
        """Calls that work every control once; the last ones put everything back."""
        example = self.menu["examples"][0]["drawing"]
        settings: list[tuple[str, Any]] = [("drawing", entry["drawing"]) for entry in self.menu["examples"]]
        settings += [("drawing", bytes(len(example))), ("drawing", example)]
        settings += [("method", entry["value"]) for entry in self.menu["methods"]]
        settings += [("layer", entry["value"]) for entry in self.menu["layers"]]
        settings += [("target", i) for i in (*range(min(self._classes, 3)), None)]
        return self._steps(*settings, ("drawing", self.drawing), *self._choice().items())

    def to_html(self, path: str | Path | None = None, **options: Any) -> str:
        """A page with the present drawing (where there is one) and the prepared examples, read beforehand:
        every method, and every layer for one method. It cannot read new drawings, and says so."""
        if options:
            raise InputError(f"to_html: unknown option {next(iter(options))!r}.")
        return page.write(path, self._page(self._boards()))

    def _still(self, max_bytes: int) -> str:
        boards = self._boards()
        text = self._page(dict(list(boards.items())[:_STILL_DRAWINGS]))
        return text if len(text) <= max_bytes else self._page(dict(list(boards.items())[:1]))

    def _boards(self) -> dict[str, np.ndarray]:
        own = {"your drawing": self.pixels} if any(self.drawing) else {}
        return {**own, **self._examples}

    def _page(self, boards: Mapping[str, np.ndarray]) -> str:
        panels, tiles, pictures, summaries = {}, {}, {}, {}
        for name, cells in boards.items():
            for method in (entry["value"] for entry in self.menu["methods"]):
                scene = self._recorded(cells, method, "")
                pictures[name], summaries[name] = scene["picture"], scene["summary"]
                for panel in scene["panels"]:
                    panels[page.key(panel["framework"], name, None, method, "")] = panel
            for layer in self._layers:
                for panel in self._recorded(cells, self.method, layer)["panels"]:
                    tiles[page.key(panel["framework"], name, None, "", layer)] = panel.get("tiles")
        examples = [{"name": name, "drawing": _bytes(cells)} for name, cells in boards.items()]
        note = (
            "Recorded: these drawings can be chosen, and explained in every way listed. "
            "To draw your own, open the notebook."
        )
        first = next(iter(boards))
        state = {
            **self._choice(),
            "target": None,
            "example": first,
            "drawing": b64encode(examples[0]["drawing"]).decode(),
            "menu": {
                **self.menu,
                "recorded": True,
                "examples": examples,
                "targets": self.menu["targets"][:1],
                "note": note,
            },
        }
        record = {
            "state": state,
            "choices": ["example", "method", "layer", "target"],
            "panels": panels,
            "pictures": pictures,
            "summaries": summaries,
            "frameworks": {"all": list(self._models)},
            "tiles": tiles,
        }
        words = "This page draws with JavaScript. " + " ".join(f"{k}: {v}" for k, v in summaries.items())
        return page.page("drawing_board.js", self.menu["title"], record, words)

    def _recorded(self, cells: np.ndarray, method: str, layer: str) -> dict[str, Any]:
        """A scene, or panels that hold the reason why there is none, which belongs on the page just as
        well."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", GapWarning)
                return self._scene_of(self._read(cells, method, layer), method, layer)
        except Exception as error:
            self.errors.append(error)
            failed = [
                {"framework": label, "title": method_label(method), "error": str(error)}
                for label in self._models
            ]
            return {"panels": failed, "picture": None, "summary": ""}


def _as_picture(attribution: Any, size: tuple[int, int]) -> Any:
    """A flat model's attribution laid out as the picture it was drawn as."""
    if attribution.kind[0] == "image" or np.prod(attribution.values.shape[1:]) != np.prod(size):
        return attribution
    shape = (len(attribution), *size)
    return attribution._replace(
        values=attribution.values.reshape(shape), inputs=attribution.inputs.reshape(shape), kind=("image",)
    )


def _bytes(grey: np.ndarray) -> bytes:
    return np.round(255 * np.clip(grey, 0, 1)).astype(np.uint8).tobytes()
