"""A method and its facts: what it answers, what it costs, what it cannot do."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from dlexplain.attribution.case import Found
from dlexplain.errors import InputError, suggest


class Optioned:
    """What a method and a metric share: their function's keyword-only arguments are their options."""

    name: str
    function: Callable[..., Any]

    @property
    def options(self) -> Mapping[str, Any]:
        """Options and their defaults, by name."""
        parameters = inspect.signature(self.function).parameters.values()
        return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Raises `InputError` that names the known ones."""
        for name in options:
            if name not in self.options:
                known = ", ".join(self.options) or "none"
                raise InputError(
                    f"{self.name}: unknown option {name!r}. {suggest(name, self.options)}Its options: {known}."
                )


@dataclass(frozen=True, kw_only=True)
class Method(Optioned):
    """One row of `dlx.methods()`. `complete`: claims that the values sum to the output's change from the baseline."""

    name: str
    function: Callable[..., Found]
    family: str
    answers: str
    cost: str
    cannot: str
    paper: str
    complete: bool = False
    baseline: Literal["zeros", "none"] = "none"
    background: bool = False
    # Token ids run through the network with the padding of the sample (gradients at the embedding) or of the baseline.
    at_embedding: bool = False
    tolerance: float | None = None


METHODS: dict[str, Method] = {}


def method(**facts: Any) -> Callable[[Callable[..., Found]], Callable[..., Found]]:
    """Enters a method function in the registry under its own name; `facts` as in `Method`."""

    def enter(function: Callable[..., Found]) -> Callable[..., Found]:
        METHODS[function.__name__] = Method(name=function.__name__, function=function, **facts)
        return function

    return enter
