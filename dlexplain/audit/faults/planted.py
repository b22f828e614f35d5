"""A fault on purpose: what was planted, and which checks must find it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np


@dataclass(frozen=True, eq=False, kw_only=True)
class Planted:
    """What `dlx.audit` is given: a raw model, data, and further arguments. `truth`: what was planted, for tests.

    `named`: words of which one must stand in what the check that fails says: the column, layer or slice concerned.
    """

    model: Any
    inputs: np.ndarray
    labels: np.ndarray
    arguments: Mapping[str, Any] = field(default_factory=dict)
    truth: Mapping[str, Any] = field(default_factory=dict)
    named: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A row of the audit's own exam. `caught_by`: the checks of which one must fail. `sections`: those that hold them."""

    name: str
    function: Callable[[str, int], Planted]
    of: Literal["model", "explainer"]
    what: str
    caught_by: tuple[str, ...]
    sections: tuple[int, ...]


FAULTS: dict[str, Fault] = {}


def fault(**facts: Any):
    """Enters `function(framework, seed) -> Planted` under its own name; facts as in `Fault`."""

    def enter(function):
        FAULTS[function.__name__] = Fault(name=function.__name__, function=function, **facts)
        return function

    return enter
