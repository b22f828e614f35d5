"""What every widget of ours shares: its front end, the one place that catches errors, the static page."""

from __future__ import annotations

import html
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
_STILL_BYTES = 240_000  # a static twin in a notebook's output; escaping adds a little
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


# A twin tells the page around it how tall it is, and that page gives it room: a sandboxed page cannot be measured from
# outside. The room grows only, and not beyond 4000 pixels.
_TELLS_HEIGHT = """<script>
new ResizeObserver(() => {
  const low = document.body.getBoundingClientRect().bottom + parseFloat(getComputedStyle(document.body).marginBottom);
  parent.postMessage({dlexplainHeight: Math.ceil(low + scrollY)}, "*");
}).observe(document.body);
</script>"""
_HEARS_HEIGHT = """<script>
window.dlexplainTwins || (window.dlexplainTwins = true, addEventListener("message", (event) => {
  const height = event.data && event.data.dlexplainHeight;
  if (typeof height !== "number") return;
  for (const frame of document.querySelectorAll("iframe.dlexplain-twin"))
    if (frame.contentWindow === event.source && height > frame.clientHeight)
      frame.style.height = Math.min(height, 4000) + "px";
}));
</script>"""


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
    _still_height = 720  # pixels of page that the static twin shows where no script may tell how tall it is

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

    def _still(self, max_bytes: int) -> str:
        """A small page of the present choice, like `to_html`, in about `max_bytes`."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """The live view, and a static twin for wherever there is no kernel, such as an exported page."""
        bundle = super()._repr_mimebundle_(**options)
        if bundle is None:
            return None
        data, metadata = bundle
        title = str(self.menu.get("title", ""))
        plain = f"<{type(self).__name__}: {title}>"
        return {**data, "text/html": self._twin(title), "text/plain": plain}, metadata

    def _twin(self, title: str) -> str:
        try:
            text = self._still(_STILL_BYTES)
        except Exception as error:  # The live view must show even where its twin cannot be made.
            self.errors.append(error)
            return f"<p>{html.escape(title)}: no static page could be made ({html.escape(str(error))}).</p>"
        # Sandboxed, so that a page's scripts and styles stay its own. Single quotes outside: the page is full
        # of double ones, and each would take six bytes.
        page = (text + _TELLS_HEIGHT).replace("&", "&amp;").replace("'", "&#39;")
        style = f"width:100%;height:{self._still_height}px;border:0;resize:vertical;overflow:auto"
        return (
            f'<iframe class="dlexplain-twin" title="{html.escape(title)}" sandbox="allow-scripts" loading="lazy" '
            f"style=\"{style}\" srcdoc='{page}'></iframe>{_HEARS_HEIGHT}"
        )

    def to_html(self, path: str | Path | None = None, **options: Any) -> str:
        """A page that works without kernel or network. Returns it, and writes it to `path` where one is
        given."""
        raise NotImplementedError
