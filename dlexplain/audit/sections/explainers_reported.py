"""Metrics of the explainers that are shown and never gate: each alone ranks some faulty explainer above a sound one."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING

from dlexplain.attribution import Attribution
from dlexplain.audit.examined import ROUGH, examined, methods
from dlexplain.audit.record import Table
from dlexplain.errors import DlexplainError
from dlexplain.evaluation import evaluate
from dlexplain.evaluation.metric import METRICS

if TYPE_CHECKING:
    from dlexplain.attribution.result import Arrays
    from dlexplain.audit.subject import Subject

METRICS_SHOWN = (
    "infidelity",
    "sensitivity_n",
    "pixel_flipping",
    "road",
    "efficient_parameter_randomisation",
    "sparseness",
    "complexity",
)
_SAMPLES = 8


def reported(subject: Subject) -> Table | None:
    """A row a method of the registry that explained this model, and the controls; None where there is none."""
    from dlexplain.attribution import registry

    part = subject.sample("reported metrics", _SAMPLES)
    asked: dict[str, Attribution] = {}
    for name, exam in examined(subject).items():
        if name in methods(subject) and not exam.refused:
            rough = {"tolerance": ROUGH} if "tolerance" in registry.get(name).options else {}
            asked[name] = subject.explained(name, part, **rough)
    shown = [name for name in METRICS_SHOWN if subject.kind in METRICS[name].kinds]
    columns, rows = [], {name: [] for name in (*asked, "random", "model-blind")}
    for name in shown if asked else ():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what could not be scored is left empty
                table = evaluate(subject.model, subject.given(part), asked, [name], baseline=_lower(subject)).table
        except DlexplainError:
            continue
        columns.append(name)
        for row, values in rows.items():
            score = float(table.loc[row, name])
            values.append(float(f"{score:.3g}") if math.isfinite(score) else None)
    if not columns:
        return None
    better = {"higher": "higher is better", "lower": "lower is better", None: "neither way is better"}
    labels = [f"{row} (control)" if row in ("random", "model-blind") else row for row in rows]
    return Table(
        id="reported",
        title="Reported, and counted for nothing",
        columns=("method", *(name.replace("_", " ") for name in columns)),
        rows=(
            *((label, *values) for label, values in zip(labels, rows.values(), strict=True)),
            ("which way is better", *(better[METRICS[name].better] for name in columns)),
        ),
        note=f"Means over {len(part)} samples. No single one of these tells a sound explainer from a faulty one.",
    )


def _lower(subject: Subject) -> Arrays:
    lower = tuple(b[0] for b in subject.baseline)
    return lower[0] if len(lower) == 1 else lower
