"""What section 6 measures: how often units fire, where the output has no slope, where the weights came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dlexplain.frameworks.kernels import Initial, Kernel
from dlexplain.frameworks.questions import blocks

if TYPE_CHECKING:
    from dlexplain.audit.subject import Subject

MOST = 512
SMALL = 900  # weights, from which on the two distributions are told apart
SURE, NOTHING = 1e-7, 1e-6


@dataclass(frozen=True)
class Origin:
    """Where one weight's numbers came from. `p`: that they are the initialiser's; `beyond`: share out of its bounds."""

    layer: str
    role: str
    count: int
    begins: str
    distance: float | None
    p: float | None
    beyond: float | None

    @property
    def decided(self) -> bool:
        return self.p is not None and (self.count >= SMALL or bool(self.beyond))

    @property
    def said(self) -> str:
        if not self.decided:
            return "too few weights to tell" if self.p is not None else "initialiser not known"
        return "trained" if self.beyond or self.p <= 1e-4 else "as random as before training"


@dataclass(frozen=True, eq=False)
class Saturated:
    """`(n,)` each: a probability of 1 to within `nothing`; a gradient of nearly nothing."""

    flat: np.ndarray
    still: np.ndarray
    nothing: float


def alive(subject: Subject) -> dict[str, np.ndarray]:
    """`{layer: (units,)}`: the share of samples for which each ReLU unit is above zero somewhere."""

    def make() -> dict[str, np.ndarray]:
        part, found = subject.sample("inside", MOST), {}
        for block in blocks(len(part), subject.rows):
            inputs = tuple(a[part[block]] for a in subject.inputs)
            for name, highest in subject.model.rectified(inputs).items():
                found.setdefault(name, []).append(highest > 0)
        return {name: np.concatenate(rows).mean(0) for name, rows in found.items()}

    return subject.once("inside alive", make)


def with_places(subject: Subject) -> tuple[str, ...]:
    """The ReLU layers whose units look at several places: channels of a convolution."""
    shapes = subject.model.shapes(tuple(a[:1] for a in subject.inputs))
    return tuple(name for name in alive(subject) if len(shapes.get(name.partition(":")[0], ())) > 1)


def saturated(subject: Subject) -> Saturated:
    """The samples whose output does not answer to its input any more."""
    part = subject.sample("inside", MOST)
    flat = np.zeros(len(part), bool)
    if subject.task == "classification":
        flat = _doubt(subject, part) < SURE
    inputs = tuple(a[part] for a in subject.inputs)
    target, model = subject.target(part), subject.model
    slope, moved = np.zeros(len(part)), np.zeros(len(part))
    lower = model.entries(subject.baseline)
    for block in blocks(len(part), subject.rows):
        where, gradients = model.one_gradient(tuple(a[block] for a in inputs), target.take(block))
        for x, g, b in zip(where, gradients, lower, strict=True):
            slope[block] += np.square(g.reshape(len(g), -1).astype(np.float64)).sum(1)
            moved[block] += np.square((x - b).reshape(len(x), -1).astype(np.float64)).sum(1)
    output = model.scores(inputs, target, subject.rows).astype(np.float64)
    change = np.abs(output - model.outputs_at(subject.baseline, target, subject.rows))
    # The steepest way over the distance to the baseline, beside the way that the output really went.
    still = np.sqrt(slope * moved) <= NOTHING * change
    return Saturated(flat, still, SURE)


def _doubt(subject: Subject, part: np.ndarray) -> np.ndarray:
    """`(n,)`: 1 - the probability of the likeliest class, from the outputs themselves, so that it is not rounded away."""
    o = subject.outputs[part].astype(np.float64)
    low, high = float(subject.outputs.min()), float(subject.outputs.max())
    if low >= -1e-6 and high <= 1 + 1e-6:
        return np.minimum(o[:, 0], 1 - o[:, 0]) if o.shape[1] == 1 else 1 - o.max(1)
    if o.shape[1] == 1:
        return 1 / (1 + np.exp(np.abs(o[:, 0])))
    shifted = np.sort(o - o.max(1, keepdims=True), 1)
    rest = np.exp(shifted[:, :-1]).sum(1)
    return rest / (1 + rest)


def origins(subject: Subject) -> tuple[Origin, ...]:
    """Every weight beside its initialiser, in the order of the layers."""
    return subject.once("inside origins", lambda: tuple(_origin(kernel) for kernel in subject.model.kernels()))


def _origin(kernel: Kernel) -> Origin:
    values, initial = np.asarray(kernel.values, np.float64).ravel(), kernel.initial
    told = kernel.layer, kernel.role, values.size
    if initial is None or not values.size or initial.high <= 0:
        return Origin(*told, "not known", None, None, None)
    from scipy import stats

    if initial.shape == "uniform":
        drawn = stats.uniform(initial.low, initial.high - initial.low)
        low, high = initial.low, initial.high
    elif initial.shape == "normal":
        drawn, low, high = stats.norm(initial.low, initial.high), -np.inf, np.inf
    else:
        drawn = stats.truncnorm(-2, 2, initial.low, initial.high)
        low, high = initial.low - 2 * initial.high, initial.low + 2 * initial.high
    slack = 1e-5 * initial.high
    beyond = float(((values < low - slack) | (values > high + slack)).mean())
    found = stats.kstest(values, drawn.cdf, method="asymp")
    return Origin(*told, _words(initial), float(found.statistic), 0.0 if beyond else float(found.pvalue), beyond)


def _words(initial: Initial) -> str:
    if initial.shape == "uniform":
        return f"uniform from {initial.low:.3g} to {initial.high:.3g}"
    return f"{initial.shape}, mean {initial.low:.3g}, deviation {initial.high:.3g}"


def statistics(subject: Subject) -> Iterator[tuple]:
    """A row a layer that is called: type, mean, deviation, lowest, highest, share of zeros."""
    part = subject.sample("inside statistics", min(64, subject.rows))
    types = {layer.name: layer.type for layer in subject.model.layers}
    given = tuple(a[part] for a in subject.inputs)
    for name, values in subject.model.inside(given, list(subject.model.shapes(given))).items():
        values = values.astype(np.float64)
        if values.size:
            spread = float(values.mean()), float(values.std()), float(values.min()), float(values.max())
            yield (name, types.get(name.partition(":")[0], ""), *spread, float((values == 0).mean()))
