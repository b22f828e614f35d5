"""In the kernel of a lesson, after its last cell: use every control, report what broke."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

MOST_OPTIONS = 12
MOST_ACTIONS = 600
ROUNDS = 3  # controls that callbacks make are swept in the next round


@dataclass
class Sweep:
    """What a sweep did and found; `figure_widgets` are classes too heavy for a lesson."""

    controls: int = 0
    actions: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)
    figure_widgets: list[str] = field(default_factory=list)
    cut_short: bool = False


def sweep(report: str | Path, most_actions: int = MOST_ACTIONS) -> None:
    """Sweep all widgets of this process and write the report as JSON."""
    started = time.monotonic()
    found = Sweep()
    seen: set[str] = set()
    with _Errors() as errors:
        for _ in range(ROUNDS):
            fresh = [(key, widget) for key, widget in alive().items() if key not in seen]
            for key, widget in fresh:
                seen.add(key)
                _sweep_one(widget, found, errors, most_actions)
    found.seconds = time.monotonic() - started
    Path(report).write_text(json.dumps(asdict(found)), encoding="utf-8")


def alive() -> dict[str, Any]:
    """All open widgets of this process by their model id."""
    import ipywidgets

    module = ipywidgets.widgets.widget
    return dict(getattr(module, "_instances", None) or ipywidgets.Widget.widgets)


def _sweep_one(widget: Any, found: Sweep, errors: _Errors, most_actions: int) -> None:
    name = type(widget).__name__
    if name == "FigureWidget":
        found.figure_widgets.append(name)
    actions = list(actions_of(widget))
    if not actions or getattr(widget, "disabled", False):
        return
    found.controls += 1
    label = named(widget)
    for what, action in actions:
        if found.actions >= most_actions:
            found.cut_short = True
            return
        _act(f"{label}, {what}", action, found, errors)
    first, last = actions[0], actions[-1]
    grown = []
    for what, action in (first, last, first, last):
        before = len(alive())
        _act(f"{label}, {what} again", action, found, errors)
        grown.append(len(alive()) - before)
    if grown[-1] > 0 and grown[-2] > 0:
        found.faults.append(
            f"{label}: each use leaves {grown[-1]} widgets more in the kernel; close the old ones"
        )


def _act(label: str, action: Callable[[], None], found: Sweep, errors: _Errors) -> None:
    found.actions += 1
    try:
        action()
    except Exception as fault:
        errors.keep(type(fault), fault)
    for fault in errors.taken():
        line = f"{label}: {fault}"
        if line not in found.faults:
            found.faults.append(line)


def named(widget: Any) -> str:
    """A control as its user knows it."""
    words = getattr(widget, "description", "") or getattr(widget, "tooltip", "") or ""
    return f"{type(widget).__name__} {words!r}" if words else type(widget).__name__


def actions_of(widget: Any) -> Iterator[tuple[str, Callable[[], None]]]:
    """What a user could do to a control, each with its name. A widget of ours has `sweep()`."""
    import ipywidgets as kinds

    own = getattr(widget, "sweep", None)
    if callable(own):
        yield from ((f"step {index + 1}", step) for index, step in enumerate(own()))
    elif isinstance(widget, kinds.Button):
        yield "pressed", widget.click
    elif isinstance(widget, kinds.widgets.widget_selection._MultipleSelection):
        options = list(widget.options)
        indices = tuple(range(len(options)))
        yield from (_setting(widget, "index", choice) for choice in ((), indices[:1], indices, widget.index))
    elif isinstance(widget, kinds.widgets.widget_selection._Selection):
        count = len(widget.options)
        step = max(1, count // MOST_OPTIONS)
        start = widget.index
        yield from (_setting(widget, "index", index) for index in range(0, count, step))
        if start is not None:
            yield _setting(widget, "index", start)
    elif isinstance(widget, (kinds.Tab, kinds.Accordion, kinds.Stack)):
        yield from (_setting(widget, "selected_index", index) for index in range(len(widget.children)))
    else:
        yield from (_setting(widget, "value", value) for value in _values(widget, kinds))


def _values(widget: Any, kinds: Any) -> list[Any]:
    value = getattr(widget, "value", None)
    if (
        isinstance(widget, (kinds.Label, kinds.HTML, kinds.HTMLMath, kinds.Valid))
        or "Progress" in type(widget).__name__
    ):
        return []
    if isinstance(value, bool):
        return [not value, value]
    low, high = getattr(widget, "min", None), getattr(widget, "max", None)
    if isinstance(low, (int, float)) and isinstance(high, (int, float)) and not isinstance(low, bool):
        whole = isinstance(value, int) or (
            isinstance(value, tuple) and all(isinstance(each, int) for each in value)
        )
        middle = (low + high) // 2 if whole else (low + high) / 2
        if isinstance(widget, kinds.FloatLogSlider):
            low, middle, high = (widget.base**power for power in (low, middle, high))
        if isinstance(value, tuple):
            return [(low, high), (middle, middle), (low, low), value]
        return [low, middle, high, value]
    if isinstance(widget, (kinds.Text, kinds.Textarea)):
        return ["", "0", "three \u2260 drei", value]
    if isinstance(widget, (kinds.IntText, kinds.FloatText)):
        return [0, -1, 1000, value]
    return []


def _setting(widget: Any, trait: str, value: Any) -> tuple[str, Callable[[], None]]:
    shown = widget.options[value] if trait == "index" and isinstance(value, int) else value
    if isinstance(shown, tuple) and trait == "index" and shown:
        shown = shown[0]
    return f"at {shown!r}"[:80], lambda: setattr(widget, trait, value)


class _Errors:
    """Collects errors that Jupyter shows and does not raise: in callbacks, Output and threads."""

    def __init__(self) -> None:
        self._kept: list[str] = []

    def keep(self, sort: type[BaseException], fault: BaseException | None) -> None:
        self._kept.append(f"{sort.__name__}: {' '.join(str(fault).split())[:300]}")

    def taken(self) -> list[str]:
        kept, self._kept = self._kept, []
        return kept

    def __enter__(self) -> _Errors:
        from IPython import get_ipython

        self._shell = get_ipython()
        self._shown = self._shell.showtraceback if self._shell else None
        self._thread = threading.excepthook
        threading.excepthook = lambda told: self.keep(told.exc_type, told.exc_value)
        if self._shell:
            self._shell.showtraceback = self._show
        return self

    def _show(self, exc_tuple: Any = None, *args: Any, **named: Any) -> None:
        import sys

        sort, fault, _ = exc_tuple or sys.exc_info()
        self.keep(sort or Exception, fault)
        self._shown(exc_tuple, *args, **named)

    def __exit__(self, *_: object) -> None:
        threading.excepthook = self._thread
        if self._shell:
            self._shell.showtraceback = self._shown


def namespace(report: str | Path, variables: dict[str, Any], expressions: dict[str, str]) -> None:
    """Write the plain values and small arrays of a notebook, and of expressions over it, as JSON."""
    values = {}
    for name, value in variables.items():
        if not name.startswith("_") and name not in ("In", "Out"):
            _keep_plain(values, name, value)
    for name, expression in expressions.items():
        _keep_plain(values, name, eval(expression, variables))
    Path(report).write_text(json.dumps(values), encoding="utf-8")


def _keep_plain(values: dict[str, Any], name: str, value: Any) -> None:
    plain = _plain(value)
    if plain is not _plain:
        values[name] = plain


def _plain(value: Any, depth: int = 4) -> Any:
    """The value in JSON's own types; this very function where it has none (None is a value)."""
    import numpy as np

    if value is None or isinstance(value, (bool, int, float, str)):
        return value if not isinstance(value, str) or len(value) <= 20_000 else _plain
    if isinstance(value, np.generic):
        return value.item() if value.dtype.kind in "biufU" else _plain
    if isinstance(value, np.ndarray):
        return value.tolist() if value.size <= 10_000 and value.dtype.kind in "biufU" else _plain
    if depth and isinstance(value, (list, tuple)) and len(value) <= 10_000:
        parts = [_plain(each, depth - 1) for each in value]
        return _plain if any(part is _plain for part in parts) else parts
    if (
        depth
        and isinstance(value, dict)
        and len(value) <= 10_000
        and all(isinstance(key, str) for key in value)
    ):
        parts = {key: _plain(each, depth - 1) for key, each in value.items()}
        return _plain if any(part is _plain for part in parts.values()) else parts
    return _plain
