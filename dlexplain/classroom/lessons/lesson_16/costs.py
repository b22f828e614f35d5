"""Lesson 16's arithmetic of cost: passes, operations, seconds, watt-hours, money; and the law of errors over labels."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

BYTES = 4  # of a number in single precision
KEPT = 4  # numbers kept for each weight while Adam trains: the weight, its slope, two running means
BATCH = 32
MONTHS = 12
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Measured:
    """One of our networks. `operations`: of a forward pass of one example. `per_second`: operations, while training.

    `activations`: bytes of one example on its way through.
    """

    name: str
    weights: int
    operations: int
    per_second: float
    activations: int


@dataclass(frozen=True)
class Machine:
    """`per_second`: operations that it does; None: what was measured for the network on this computer."""

    name: str
    watts: float
    per_second: float | None = None


@dataclass(frozen=True)
class Plan:
    """`size`: how many times the measured network's weights. `explained`: extra operations for each answer, in forward
    passes. Prices: of one label, of a machine's hour without electricity, of a kilowatt-hour."""

    network: Measured
    machine: Machine
    size: float
    labels: int
    epochs: int
    answers_a_month: float
    explained: float
    label: float
    hour: float
    kwh: float


@dataclass(frozen=True)
class Line:
    """A line of a bill: money for people or machine hours, and for electricity; what it took."""

    money: float
    electricity: float = 0.0
    operations: float = 0.0
    hours: float = 0.0
    kwh: float = 0.0

    @property
    def total(self) -> float:
        return self.money + self.electricity


def bill(plan: Plan) -> dict[str, Line]:
    """The first year, line by line."""
    forward = plan.network.operations * plan.size
    answers = MONTHS * plan.answers_a_month * forward
    return {
        "labels": Line(plan.label * plan.labels),
        "training": _machine(plan, training_operations(forward, plan.labels, plan.epochs)),
        "answers": _machine(plan, answers),
        "explanations": _machine(plan, answers * plan.explained),
    }


def _machine(plan: Plan, operations: float) -> Line:
    hours = operations / (plan.machine.per_second or plan.network.per_second) / 3600
    kwh = hours * plan.machine.watts / 1000
    return Line(plan.hour * hours, plan.kwh * kwh, operations, hours, kwh)


def training_operations(forward: float, examples: float, epochs: float) -> float:
    """The way back costs two of the way there: one for the slopes of the weights, one for those of the inputs."""
    return 3 * forward * examples * epochs


def total(lines: dict[str, Line]) -> float:
    return sum(line.total for line in lines.values())


def dearest(lines: dict[str, Line]) -> str:
    return max(lines, key=lambda name: lines[name].total)


def memory(network: Measured, size: float, batch: int = BATCH) -> float:
    """Bytes while training. A network grows in width: weights with its square, activations with the width."""
    return BYTES * KEPT * network.weights * size + network.activations * math.sqrt(size) * batch


def most_labels(plan: Plan, budget: float) -> int:
    """How many labels the budget pays, each with its price and its share of the training."""
    lines = bill(plan)
    fixed = lines["answers"].total + lines["explanations"].total
    each = plan.label + lines["training"].total / plan.labels
    return max(0, math.floor((budget - fixed) / each)) if each > 0 else 0


@dataclass(frozen=True)
class Law:
    """Share of errors `factor * labels ** -power`; `seen`: fewest and most labels that it was measured on."""

    factor: float
    power: float
    seen: tuple[float, float]

    def errors(self, labels: float) -> float:
        return min(1.0, self.factor * labels**-self.power)


def fitted(labels: Sequence[float], errors: Sequence[float]) -> Law:
    """A straight line through logarithms."""
    slope, start = np.polyfit(np.log(labels), np.log(errors), 1)
    return Law(float(np.exp(start)), float(-slope), (float(min(labels)), float(max(labels))))


@dataclass(frozen=True)
class Passes:
    """Of one example, for one explanation."""

    forward: float
    backward: float

    @property
    def cost(self) -> float:
        """In forward passes: a backward one counts as two."""
        return self.forward + 2 * self.backward


def passes(model: Any, inputs: np.ndarray, method: str, **options: Any) -> Passes:
    """Explains, and counts how often the network ran. Its own answer and that for the start are among them."""
    import warnings

    from dlexplain.attribution import explain
    from dlexplain.audit.sections.cost_passes import counting
    from dlexplain.frameworks.wrap import wrap

    view, count = counting(wrap(model))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # only the passes count here
        explain(view, inputs, method, **options)
    return Passes(count.forward / len(inputs), count.backward / len(inputs))


def watts_by_codecarbon(run: Callable[[], object], seconds: float = 1.0) -> float | None:
    """Watts of this process while `run` is repeated, as codecarbon says; None without the package, or where it is silent.

    Where a computer has no meter, codecarbon estimates from the processor's nominal power.
    """
    logger = logging.getLogger("codecarbon")
    before = logger.disabled
    logger.disabled = True  # it speaks before it can be told not to
    try:
        try:
            from codecarbon import OfflineEmissionsTracker
        except ImportError:
            return None
        logger.disabled = True
        tracker = OfflineEmissionsTracker(
            country_iso_code="FRA",  # it asks for one; the energy does not depend on it
            save_to_file=False,
            log_level="critical",
            measure_power_secs=1,
            tracking_mode="process",
            allow_multiple_runs=True,
        )
        tracker.start()
        began = time.perf_counter()
        try:
            while time.perf_counter() - began < seconds:
                run()
        finally:
            tracker.stop()
        found = tracker.final_emissions_data
    finally:
        logger.disabled = before
    watts = 3.6e6 * found.energy_consumed / found.duration if found.duration else 0.0
    return float(watts) or None


def money(value: float) -> str:
    """Euros, exact where that matters."""
    if value == 0:
        return "€ 0"
    if value < 0.01:
        return f"€ {value:.1g}" if value >= 1e-4 else "under € 0.0001"
    return f"€ {value:,.2f}" if value < 100 else f"€ {value:,.0f}" if value < 1e7 else f"€ {quantity(value)}"


def quantity(value: float) -> str:
    """A large or small number that can be read aloud."""
    if value >= 1e12:
        power = math.floor(math.log10(value))
        return f"{value / 10**power:.3g} × 10{str(power).translate(_RAISED)}"
    for size, word in ((1e9, "billion"), (1e6, "million")):
        if value >= size:
            return f"{value / size:.3g} {word}"
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}" if value >= 0.001 or not value else "under 0.001"


def duration(hours: float) -> str:
    """Hours in the unit that fits."""
    seconds = 3600 * hours
    for length, word in ((31_557_600, "years"), (86_400, "days"), (3600, "hours"), (60, "minutes")):
        count = seconds / length
        if count >= 2:
            return f"{quantity(count) if count >= 100 else f'{count:.3g}'} {word}"
    return f"{seconds:.2g} seconds" if seconds >= 0.01 else "under 0.01 seconds"


def size_of(count: float) -> str:
    """Bytes."""
    for length, word in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= length:
            return f"{count / length:.3g} {word}"
    return f"{count:.0f} bytes"
