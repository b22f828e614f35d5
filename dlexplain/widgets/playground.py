"""The border playground: a small network learns two classes of points while one watches its border."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import traitlets

from dlexplain.errors import InputError
from dlexplain.widgets import page
from dlexplain.widgets.colours import scales
from dlexplain.widgets.playground_film import MOST_ROUNDS, Film, Learner, Points
from dlexplain.widgets.shell import Shell, front_end, look

Maker = Callable[..., Learner]
_STYLE = Path(__file__).with_suffix(".css").read_text(encoding="utf-8")
_FRAMES = (0, 10, 25, 50, 100, 200, 400)


def _samples() -> dict[str, Callable[[float], Any]]:
    from dlexplain.data import two_moons
    from dlexplain.data.generators import spirals

    return {
        "two moons": lambda noise: two_moons(samples=400, noise=noise, seed=0),
        "spirals": lambda noise: spirals(samples=400, noise=noise, seed=0),
    }


class Playground(Shell):
    """Points of two classes, a network to build from `layers` x `units`, and its border while it learns.

    `makers`: by the name that the reader sees, `make(layers=, units=, activation=, seed=)`, which returns a model of
    one score (over 0: the second class) and `train(points, labels, rate) -> loss`, one round of training on all points.
    `data`: by name, `noise -> Dataset` of two features and two classes; half of it is held back. The controls are
    traits; `advance(rounds)`, `reset()` are the buttons from code. `scene` holds what is drawn.
    """

    _esm = front_end("paint.js", "playground.js")
    _css = look() + _STYLE
    _still_height = 700

    data = traitlets.Unicode().tag(sync=True)
    framework = traitlets.Unicode().tag(sync=True)
    layers = traitlets.Int(1).tag(sync=True)
    units = traitlets.Int(4).tag(sync=True)
    activation = traitlets.Unicode().tag(sync=True)
    noise = traitlets.Float(0.1).tag(sync=True)
    rate = traitlets.Float(0.03).tag(sync=True)
    shuffled = traitlets.Bool(False).tag(sync=True)
    # The front end counts these up: a round is asked for, a fresh start is asked for.
    asked = traitlets.Int(0).tag(sync=True)
    restarts = traitlets.Int(0).tag(sync=True)
    pace = traitlets.Int(10).tag(sync=True)

    def __init__(
        self,
        makers: Mapping[str, Maker],
        *,
        data: Mapping[str, Callable[[float], Any]] | None = None,
        activations: Sequence[str] = ("tanh", "relu", "sigmoid", "none"),
        most_layers: int = 4,
        most_units: int = 8,
        layers: int = 1,
        units: int = 4,
        noise: float = 0.1,
        rate: float = 0.03,
        seed: int = 0,
        title: str = "Border playground",
    ) -> None:
        if not makers:
            raise InputError("makers: the dict is empty. Give a maker by name, such as {'Torch': make}.")
        if not 0 <= layers <= most_layers or not 1 <= units <= most_units:
            raise InputError(
                f"layers={layers}, units={units}: at most {most_layers} and {most_units}, at least 0 and 1."
            )
        self._makers, self._data = dict(makers), dict(data or _samples())
        self._most, self._seed = (most_layers, most_units), seed
        self._film: Film | None = None
        self._due = 0
        super().__init__(
            menu=self._menu(title, activations), data=next(iter(self._data)), framework=next(iter(self._makers)),
            layers=layers, units=units, activation=activations[0], noise=noise, rate=rate,
        )  # fmt: skip
        self.observe(self._fresh, names=["data", "framework", "layers", "units", "activation", "noise", "shuffled"])
        self.observe(self._fresh, names="restarts")
        self.observe(self._further, names="asked")
        self._fresh()

    def _menu(self, title: str, activations: Sequence[str]) -> dict[str, Any]:
        def options(names: Sequence[str]) -> list[dict[str, str]]:
            return [{"value": name, "label": name} for name in names]

        return {
            "title": title,
            "data": options(list(self._data)),
            "frameworks": options(list(self._makers)),
            "activations": options(activations),
            "most_layers": self._most[0],
            "most_units": self._most[1],
            "paces": [1, 10, 50],
            "most_rounds": MOST_ROUNDS,
            "scales": scales(),
            "recorded": False,
            "note": "A round is one step of training on all points. Half of the points are held back: hollow marks. "
            "Focus or point at a small picture to see it large.",
        }

    # ---- the buttons from code -----------------------------------------------------------------------------

    def advance(self, rounds: int = 1) -> None:
        """Trains on, and redraws."""
        self._due = int(rounds)
        self._redraw()

    def reset(self) -> None:
        """A fresh network with other first weights, as the button gives it."""
        self.restarts += 1

    # ---- learning ------------------------------------------------------------------------------------------

    def _choice(self) -> dict[str, Any]:
        names = ("data", "framework", "layers", "units", "activation", "noise", "shuffled", "asked", "restarts")
        return {name: getattr(self, name) for name in names}

    def _fresh(self, *_: Any) -> None:
        self._film, self._due = None, 0
        self._redraw()

    def _further(self, *_: Any) -> None:
        self._due = self.pace
        self._redraw()

    def _draw(self) -> dict[str, Any]:
        due, self._due = self._due, 0
        if self._film is None:
            self._film = Film(self._points(), self._made(self.layers))
        return self._film.train(due, self.rate).scene()

    def _made(self, layers: int) -> Learner:
        make = self._makers.get(self.framework)
        if make is None:
            raise InputError(f"framework={self.framework!r} is not here: {', '.join(self._makers)}.")
        most_layers, most_units = self._most
        if not 0 <= layers <= most_layers or not 1 <= self.units <= most_units:
            raise InputError(f"{layers} layers of {self.units} units: at most {most_layers} of {most_units}.")
        return make(layers=layers, units=self.units, activation=self.activation, seed=self._seed + self.restarts)

    def _points(self) -> Points:
        if self.data not in self._data:
            raise InputError(f"data={self.data!r} is not here: {', '.join(self._data)}.")
        return Points.of(self._data[self.data](self.noise), self.shuffled)

    @property
    def rounds(self) -> int:
        """Rounds of training so far."""
        return self._film.rounds if self._film else 0

    @property
    def model(self) -> Any:
        """The network that is learning: the maker's own."""
        return self._film.raw

    @property
    def accuracy(self) -> tuple[float, float]:
        """The share of points right: of those learned, of those held back."""
        return self._film.accuracy()

    # ---- without hands, without kernel ---------------------------------------------------------------------

    def sweep(self) -> list[Callable[[], None]]:
        """Calls that work every control once; the last ones put everything back."""
        kept = {
            n: getattr(self, n) for n in ("data", "framework", "layers", "units", "activation", "noise", "shuffled")
        }
        settings: list[tuple[str, Any]] = []
        for trait, entries in (("framework", "frameworks"), ("data", "data"), ("activation", "activations")):
            settings += [(trait, entry["value"]) for entry in self.menu[entries]] + [
                ("asked", self.asked + len(settings) + 1)
            ]
        settings += [("layers", 0), ("layers", self._most[0]), ("units", 1), ("units", self._most[1])]
        settings += [("noise", 0.4), ("rate", 1.0), ("asked", self.asked + 100), ("shuffled", True), ("pace", 50)]
        settings += [("asked", self.asked + 101), ("restarts", self.restarts + 1)]
        return self._steps(*settings, ("rate", self.rate), ("pace", self.pace), *kept.items())

    def to_html(self, path: str | Path | None = None, **options: Any) -> str:
        """A page with films of training, recorded beforehand: the present choice, and other numbers of layers."""
        if options:
            raise InputError(f"to_html: unknown option {next(iter(options))!r}.")
        return page.write(path, self._page(range(self._most[0] + 1), (*_FRAMES, 800)))

    def _still(self, max_bytes: int) -> str:
        text = self._page((0,), _FRAMES)
        return text if len(text) <= max_bytes else self._page((), _FRAMES[::2])

    def _page(self, layers: Sequence[int], rounds: Sequence[int]) -> str:
        counts = dict.fromkeys((self.layers, *layers))
        films = [self._recorded(count, rounds) for count in counts]
        note = f"Recorded: {self.data}, {self.framework}. To build networks of your own, open the notebook."
        state = {"menu": {**self.menu, "recorded": True, "films": films, "note": note}, "framework": ""}
        # No kernel is asked here; the front end goes through the films by itself.
        record = {"state": {**state, "menu": {**state["menu"], "methods": []}}, "choices": [], "panels": {}}
        record |= {"pictures": {}, "summaries": {}, "frameworks": {"": []}}
        words = "This page draws with JavaScript. " + " ".join(f["scenes"][-1]["summary"] for f in films)
        text = page.page("playground.js", self.menu["title"], record, words)
        return text.replace("</style>", f"{_STYLE}</style>", 1)

    def _recorded(self, layers: int, rounds: Sequence[int]) -> dict[str, Any]:
        film = Film(self._points(), self._made(layers))
        scenes = [film.train(until - film.rounds, self.rate).scene() for until in rounds]
        label = "no hidden layer" if layers == 0 else f"{layers} × {self.units} units, {self.activation}"
        return {"label": label, "scenes": scenes}
