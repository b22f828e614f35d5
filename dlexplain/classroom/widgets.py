"""What the classroom's own widgets have in common: a card with a static twin."""

from __future__ import annotations

import abc
from typing import Any

from dlexplain.errors import MissingPackageError


def ipywidgets(purpose: str) -> Any:
    """The ipywidgets package, or a MissingPackageError that says what it would add."""
    try:
        import ipywidgets as package
    except ImportError as fault:
        raise MissingPackageError(
            f"The {purpose} of a lesson need ipywidgets: pip install dlexplain[lab]."
        ) from fault
    return package


class Card(abc.ABC):
    """Some controls one below the other; shown live where there is a kernel, as a static page elsewhere."""

    def __init__(self, parts: list[Any]) -> None:
        self.widget = ipywidgets("widgets").VBox(parts)

    @abc.abstractmethod
    def to_html(self) -> str:
        """The same on a page without a kernel or a network."""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        live = self.widget._repr_mimebundle_()
        return {**live, "text/html": self.to_html(), "text/plain": f"<{type(self).__name__}>"}
