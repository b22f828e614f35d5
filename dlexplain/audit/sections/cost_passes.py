"""How often a method runs the network: asked of a copy of the model that counts."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dlexplain.frameworks.model import Model

if TYPE_CHECKING:
    from dlexplain.audit.subject import Subject

ROWS = 8
SHORT = 2.0  # seconds


@dataclass(frozen=True)
class Passes:
    """Passes of one row through the network: forward, and backward; a walk over the operation graph counts as both.
    `seconds`: what a row took, which differs from run to run."""

    forward: float
    backward: float
    seconds: float


class _Count:
    def __init__(self) -> None:
        self.forward = self.backward = 0

    def add(self, forward: int, backward: int = 0) -> None:
        self.forward += forward
        self.backward += backward


def counting(model: Model) -> tuple[Model, _Count]:
    """A shallow copy whose questions are counted; the network inside is the same."""
    count, view = _Count(), copy.copy(model)

    def plain(inputs, *args: Any) -> tuple[int, int]:
        return len(inputs[0]), 0

    def slope(inputs, *args: Any) -> tuple[int, int]:
        return len(inputs[0]), len(inputs[0])

    def slopes(inputs, target, points, *args: Any) -> tuple[int, int]:
        every = len(inputs[0]) * len(points.weights)
        return every, every

    def masked(inputs, target, masks, fills, *args: Any) -> tuple[int, int]:
        return len(inputs[0]) * masks.count * len(fills[0]), 0

    def walked(inputs, references, *args: Any, background: bool = False, **options: Any) -> tuple[int, int]:
        pairs = len(inputs[0]) * (len(references[0]) if background else 1)
        return len(inputs[0]) + len(references[0]), pairs

    def from_layer(layer, activations, *args: Any) -> tuple[int, int]:
        return len(activations), 0

    kinds = {
        "outputs": plain,
        "afresh": plain,
        "fed": plain,
        "inside": plain,
        "one_gradient": slope,
        "unit_gradient": slope,
        "modified_gradient": slope,
        "relevance": slope,
        "many_gradients": slopes,
        "many_masks": masked,
        "contributions": walked,
        "run_from": from_layer,
    }
    for name, sized in kinds.items():
        setattr(view, name, _counted(getattr(model, name), sized, count))
    return view, count


def _counted(question, sized, count: _Count):
    def ask(*args: Any, **options: Any):
        count.add(*sized(*args, **options))
        return question(*args, **options)

    return ask


def passes(subject: Subject, method: str) -> Passes:
    """Of one row, its output and its baseline's among them. Zero where a method of another library goes round us."""

    def make() -> Passes:
        part = subject.sample("cost", ROWS)
        view, count = counting(subject.model)
        took = _seconds(subject, view, method, part)
        found = count.forward / len(part), count.backward / len(part)
        if took < SHORT:  # a first run may have traced or allocated; a long one is not worth a second
            took = _seconds(subject, subject.model, method, part)
        return Passes(*found, took / len(part))

    return subject.once(f"passes {method}", make)


def _seconds(subject: Subject, model: Model, method: str, part: np.ndarray) -> float:
    start = time.perf_counter()
    explained(subject, model, method, part)
    return time.perf_counter() - start


def explained(subject: Subject, model: Model, method: str, part: np.ndarray) -> None:
    """An explanation that is only looked at for what it costs."""
    import warnings

    from dlexplain.attribution import explain, registry

    baseline = None
    if registry.get(method).baseline != "none":
        given = tuple(b[0] for b in subject.baseline)
        baseline = given if len(given) > 1 else given[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        explain(model, subject.given(part), method, baseline=baseline, seed=subject.seed)
