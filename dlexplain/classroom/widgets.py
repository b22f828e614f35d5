"""What the classroom's own widgets have in common: a card with a static twin, whose keys are its own."""

from __future__ import annotations

import abc
import functools
from pathlib import Path
from typing import Any

from dlexplain.errors import MissingPackageError


def ipywidgets(purpose: str) -> Any:
    """The ipywidgets package, or a MissingPackageError that says what it would add."""
    try:
        import anywidget  # noqa: F401 the cards need both
        import ipywidgets as package
    except ImportError as fault:
        raise MissingPackageError(
            f"The {purpose} of a lesson need ipywidgets and anywidget: pip install dlexplain[lab]."
        ) from fault
    return package


@functools.cache
def _keys() -> type:
    import anywidget

    class Keys(anywidget.AnyWidget):
        """Unseen; has JupyterLab leave the keys to the controls of the card round it."""

        _esm = Path(__file__).with_name("keys.js").read_text(encoding="utf-8")

    return Keys


class Card(abc.ABC):
    """Some controls one below the other; shown live where there is a kernel, as a static page elsewhere."""

    def __init__(self, parts: list[Any]) -> None:
        self.widget = ipywidgets("widgets").VBox([*parts, _keys()()])
        self.widget.add_class("dlexplain-card")

    @abc.abstractmethod
    def to_html(self) -> str:
        """The same on a page without a kernel or a network."""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        live = self.widget._repr_mimebundle_()
        return {**live, "text/html": self.to_html(), "text/plain": f"<{type(self).__name__}>"}
