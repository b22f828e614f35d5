"""Section 15: what the model and its explanations cost, and what they would cost on many rows."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import numpy as np

from dlexplain.attribution import Attribution, registry
from dlexplain.audit.check import check, section
from dlexplain.audit.examined import methods
from dlexplain.audit.record import Check, Part, Table
from dlexplain.audit.sections.cost_passes import Passes, passes
from dlexplain.errors import DlexplainError, MissingPackageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dlexplain.audit.subject import Subject
    from dlexplain.frameworks.flops import Flops

TITLE, QUESTION = "Cost", "What do the model and its explanations take, and what would they take on many rows?"
MANY = 1_000_000  # rows that times and energy are projected to
TIMED = 64  # rows of one run that is timed
MOST = 2 * 10**10  # operations of one run that is timed
LONG = 1.0  # seconds that energy is measured for
_COUNTRY = "FRA"  # codecarbon asks for one; only the energy is used, which does not depend on it


@check(section=15, title="Energy was measured")
def energy(subject: Subject) -> Check:
    """Whether the energy of predictions could be measured; the figure differs from run to run and stands in the stamps."""
    measured(subject)
    return Check(
        name="energy",
        section=15,
        title="Energy was measured",
        status="PASS",
        reason="Measured with codecarbon while the model answered for about a second; the figure stands below, under what differs from run to run.",
        gate=False,
    )


def measured(subject: Subject) -> dict[str, float]:
    """Watt-hours a thousand rows."""

    def make() -> dict[str, float]:
        return {"predictions": _watt_hours(lambda: _predict(subject)) / _timed(subject) * 1000}

    return subject.once("energy", make)


def _watt_hours(run: Callable[[], None]) -> float:
    """Of one run, the mean over about a second of them. Raises `MissingPackageError`."""
    logger = logging.getLogger("codecarbon")
    before = logger.disabled
    logger.disabled = True  # it speaks before it can be told not to
    try:
        try:
            from codecarbon import OfflineEmissionsTracker
        except ImportError as error:
            raise MissingPackageError(
                "Measuring energy needs codecarbon, which is not installed. Install it with: pip install 'dlexplain[energy]'."
            ) from error
        logger.disabled = True
        tracker = OfflineEmissionsTracker(
            country_iso_code=_COUNTRY,
            save_to_file=False,
            log_level="critical",
            measure_power_secs=1,
            tracking_mode="process",
        )
        tracker.start()
        start, runs = time.perf_counter(), 0
        try:
            while time.perf_counter() - start < LONG:
                run()
                runs += 1
        finally:
            tracker.stop()
        return float(tracker.final_emissions_data.energy_consumed) * 1000 / runs
    finally:
        logger.disabled = before


def _timed(subject: Subject) -> int:
    """Rows of one run that is timed: fewer of a large model."""
    flops = flops_of(subject)
    return TIMED if isinstance(flops, str) else int(np.clip(MOST // max(flops.total, 1), 1, TIMED))


def _predict(subject: Subject) -> None:
    """Few rows are taken several times over."""
    part = np.resize(subject.sample("cost time", TIMED), _timed(subject))
    subject.model.all_outputs(tuple(a[part] for a in subject.inputs), subject.rows)


@section(15, TITLE, QUESTION)
def cost(subject: Subject, checks: tuple[Check, ...]) -> Part:
    flops = flops_of(subject)
    costs = {method: _passes(subject, method) for method in methods(subject)}
    parameters = sum(layer.parameters for layer in _leaves(subject))
    summary = [f"The model has {parameters:,} weights."]
    if isinstance(flops, str):
        summary.append(f"The operations of a pass could not be counted: {flops}")
    else:
        summary.append(f"One row takes about {flops.total:,} floating-point operations.")
    return Part(
        number=15,
        title=TITLE,
        question=QUESTION,
        summary=(*summary, "Times, memory and energy differ from run to run; they stand at the end of this section."),
        facts=(
            ("Weights", parameters),
            ("Floating-point operations of one row", None if isinstance(flops, str) else flops.total),
            ("Bytes of activations of one row", subject.model.row_bytes(tuple(a[:1] for a in subject.inputs))),
            ("Rows explained by sections of this audit", _explained(subject)),
        ),
        checks=checks,
        tables=tuple(filter(None, (_passes_table(costs, flops), _counted_table(flops), _uncounted_table(flops)))),
        limits=(
            "Counted: matrix products and convolutions, a multiplication and an addition each; not counted: what the table "
            "of operations left out names, biases, and moving data. A recurrent layer of Keras runs its first step twice.",
            "Training is not in these figures.",
            "Times were taken on the machine of this audit, which may have had other work; the projection takes them to grow "
            "with the number of rows. Energy is codecarbon's estimate for this process, in places from the processor's "
            "nominal power.",
        ),
        stamps=_stamps(subject, costs),
    )


def flops_of(subject: Subject) -> Flops | str:
    """The count, or why there is none."""

    def make() -> Flops | str:
        try:
            return subject.model.flops(tuple(a[:1] for a in subject.inputs))
        except Exception as error:  # a module that cannot run one operation at a time
            return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"

    return subject.once("flops", make)


def _leaves(subject: Subject):
    """Layers without the containers round them, whose weights would count twice."""
    every = [layer for layer in subject.model.layers if layer.parameters]
    return [
        o for o in every if not any(n.name != o.name and n.name.startswith((f"{o.name}.", f"{o.name}/")) for n in every)
    ]


def _passes(subject: Subject, method: str) -> Passes | str:
    try:
        return passes(subject, method)
    except DlexplainError as error:
        return str(error)
    except Exception as error:  # of a framework; the explainers' own exam tells more of it
        return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def _explained(subject: Subject) -> int:
    made = (v for k, v in subject.kept.items() if k.startswith("explained ") and isinstance(v, Attribution))
    return sum(len(m.output) for m in made)


def _passes_table(costs: dict[str, Passes | str], flops: Flops | str) -> Table | None:
    rows = []
    for method, found in costs.items():
        stated = registry.get(method).cost
        if isinstance(found, str):
            rows.append((method, None, None, None, f"{stated} (not measured: {found})"))
        elif not found.forward:
            rows.append((method, None, None, None, f"{stated} (runs through another library, not counted)"))
        else:
            # A backward pass is two products for each of the forward pass.
            total = None if isinstance(flops, str) else flops.total * (found.forward + 2 * found.backward)
            rows.append((method, found.forward, found.backward, total, stated))
    if not rows:
        return None
    return Table(
        id="passes",
        title="What an explanation of one row takes",
        columns=("method", "forward passes", "backward passes", "operations", "stated cost"),
        rows=tuple(rows),
        note="Counted while rows of this audit were explained. A backward pass is taken as two forward ones.",
    )


def _counted_table(flops: Flops | str) -> Table | None:
    if isinstance(flops, str):
        return None
    rows = tuple((name, count, count / max(flops.total, 1)) for name, count in flops.counted.items())
    return Table(id="operations", title="Operations counted", columns=("operation", "count", "share"), rows=rows)


def _uncounted_table(flops: Flops | str) -> Table | None:
    if isinstance(flops, str) or not flops.uncounted:
        return None
    return Table(
        id="uncounted",
        title="Operations left out of the count",
        columns=("operation", "values that it makes for one row"),
        rows=tuple(flops.uncounted.items()),
        note="Each value takes an operation or a few: together they are small beside products and convolutions.",
    )


def _stamps(subject: Subject, costs: dict[str, Passes | str]) -> dict[str, str | float]:
    _predict(subject)  # once before the clock runs: a first call may trace or allocate
    start = time.perf_counter()
    for _ in range(3):
        _predict(subject)
    each = (time.perf_counter() - start) / 3 / _timed(subject)
    found: dict[str, str | float] = {
        "seconds for 1,000 predictions": float(f"{1000 * each:.3g}"),
        f"hours for {MANY:,} predictions": float(f"{MANY * each / 3600:.3g}"),
    }
    for method, given in costs.items():
        if isinstance(given, str):
            continue
        found[f"seconds for 1,000 explanations by {method}"] = float(f"{1000 * given.seconds:.3g}")
        found[f"hours for {MANY:,} explanations by {method}"] = float(f"{MANY * given.seconds / 3600:.3g}")
    found["largest memory of the process, MiB"] = _memory()
    used = subject.kept.get("energy")
    found["watt-hours for 1,000 predictions"] = "not measured" if used is None else float(f"{used['predictions']:.4g}")
    if used is not None:
        found[f"watt-hours for {MANY:,} predictions"] = float(f"{used['predictions'] * MANY / 1000:.4g}")
    return found


def _memory() -> str | float:
    try:
        import resource
    except ImportError:
        return "not known on this system"
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 2**20 if sys.platform == "darwin" else peak / 2**10, 1)
