"""A metric and its facts: what it asks of an explanation, which way is better, what it needs, what it cannot tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from dlexplain.attribution.method import Optioned

Need = Literal["explain", "truth", "twin"]
FAMILIES = ("faithfulness", "robustness", "randomisation", "localisation", "complexity", "axioms")


@dataclass(frozen=True, kw_only=True)
class Metric(Optioned):
    """One row of `dlx.metrics()`.

    `function(trial, *, options)` gives one score a sample, float64 `(n,)`, NaN where it is not defined. `needs`: what a
    trial must hold beyond maps and model ("explain": the explainer itself; "truth": where the evidence is; "twin": a
    second model of the same function). `kinds`: of inputs. `better`: None where neither way is.
    """

    name: str
    function: Callable[..., np.ndarray]
    family: str
    answers: str
    better: Literal["higher", "lower"] | None
    best: float | None
    cost: str
    cannot: str
    paper: str
    needs: tuple[Need, ...] = ()
    kinds: tuple[str, ...] = ("image", "table", "series", "tokens")
    default: bool = False


METRICS: dict[str, Metric] = {}


def metric(**facts: Any) -> Callable[[Callable[..., np.ndarray]], Callable[..., np.ndarray]]:
    """Enters a metric function in the registry under its own name; `facts` as in `Metric`."""

    def enter(function: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
        METRICS[function.__name__] = Metric(name=function.__name__, function=function, **facts)
        return function

    return enter
