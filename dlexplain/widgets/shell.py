"""What every widget of ours shares: its front end, the one place that catches errors, the static page."""

from __future__ import annotations

import re
import warnings
import weakref
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from dlexplain.errors import DlexplainError, GapWarning

_HERE = Path(__file__).parent
_LIVING: weakref.WeakSet[Shell] = weakref.WeakSet()


@cache
def front_end(*names: str) -> str:
    """One ES module out of several files: imports from beside are dropped, since all share one scope, and
    only the last file's default export stays."""
    parts = [(_HERE / name).read_text(encoding="utf-8") for name in names]
    joined = [
        re.sub(r'^import \{[^}]*\} from "\./[\w.]+";\n', "", part, flags=re.MULTILINE) for part in parts
    ]
    joined = [re.sub(r"^export (?!default)", "", part, flags=re.MULTILINE) for part in joined]
    return "\n".join(joined)


@cache
def look() -> str:
    """The style sheet of all widgets."""
    return (_HERE / "look.css").read_text(encoding="utf-8")


def living() -> list[Shell]:
    """Every widget of ours that is alive, for whoever must sweep them."""
    return list(_LIVING)


class Shell(anywidget.AnyWidget):
    """A widget whose `scene` follows its choices. A subclass gives `_draw`, which returns the scene.

    An error while drawing is shown in the widget (`error`), kept in `errors`, and never raised into the
    kernel, where it would be lost.
    """

    _esm = "export default { render() {} };"
    _css = look()

    menu = traitlets.Dict().tag(sync=True)
    scene = traitlets.Dict().tag(sync=True)
    error = traitlets.Unicode("").tag(sync=True)

    def __init__(self, **state: Any) -> None:
        self.errors: list[Exception] = []
        super().__init__(**state)
        _LIVING.add(self)

    def _steps(self, *settings: tuple[str, Any]) -> list[Callable[[], None]]:
        """Calls that each set a trait, and raise what the widget could only show."""

        def step(trait: str, value: Any) -> Callable[[], None]:
            def work() -> None:
                before = len(self.errors)
                setattr(self, trait, value)
                if len(self.errors) > before:
                    raise self.errors[-1]

            return work

        return [step(trait, value) for trait, value in settings]

    def _choice(self) -> dict[str, Any]:
        raise NotImplementedError

    def _draw(self) -> dict[str, Any]:
        raise NotImplementedError

    def _redraw(self, *_: Any) -> None:
        """Answers the present choices; the one place where a callback's error is caught."""
        choice = self._choice()
        message = ""
        try:
            with warnings.catch_warnings():
                # The scene itself states the gap and its warning.
                warnings.simplefilter("ignore", GapWarning)
                scene = self._draw()
        except Exception as error:
            self.errors.append(error)
            message = str(error) if isinstance(error, DlexplainError) else f"{type(error).__name__}: {error}"
            scene = {"panels": [], "picture": None, "summary": ""}
        with self.hold_sync():
            self.error = message
            # The number makes every answer a new one, for a front end that waits for it.
            self.scene = {
                **scene,
                "choice": choice,
                "error": message,
                "serial": self.scene.get("serial", 0) + 1,
            }

    def sweep(self) -> list[Callable[[], None]]:
        """Calls that work every control once, and raise where the widget shows an error."""
        raise NotImplementedError

    def to_html(self, path: str | Path | None = None, **options: Any) -> str:
        """A page that works without kernel or network. Returns it, and writes it to `path` where one is
        given."""
        raise NotImplementedError
