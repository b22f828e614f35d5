"""Every metric by name. A family enters its metrics when it is imported here; their order is the table's."""

from __future__ import annotations

from importlib import import_module

from dlexplain.errors import InputError, suggest
from dlexplain.evaluation.metric import METRICS, Metric

_FAMILIES = (
    "faithfulness",
    "faithfulness_subsets",
    "faithfulness_classes",
    "complexity",
    "robustness",
    "randomisation",
    "localisation",
    "axioms",
)
for _family in _FAMILIES:
    import_module(f"dlexplain.evaluation.families.{_family}")


def get(name: str) -> Metric:
    """The metric of that name. Raises `InputError` with the near name."""
    if name in METRICS:
        return METRICS[name]
    raise InputError(f"metric {name!r} is unknown. {suggest(name, METRICS)}Metrics: {', '.join(METRICS)}.")


def metrics():
    """A table of the metrics: name, family, what it answers, which way is better, the best value, what it needs, whether
    it is asked by default, its options, cost, limits, paper."""
    import pandas as pd

    columns = ("name", "family", "answers", "better", "best", "needs", "default", "cost", "cannot", "paper")
    rows = [{c: getattr(m, c) for c in columns} | {"options": ", ".join(m.options)} for m in METRICS.values()]
    return pd.DataFrame(rows).set_index("name")
