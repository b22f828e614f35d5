"""Which metrics are asked, with which options, and why others are left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dlexplain.errors import InputError, suggest
from dlexplain.evaluation import registry
from dlexplain.evaluation.metric import METRICS, Metric

_MISSING = {
    "truth": ("where the evidence is", "give truth=, true or false in the inputs' shapes"),
    "twin": ("a second model of the same function", "give twin=, such as dlx.convert(model, to=...)"),
    "explain": (
        "the explainer itself",
        "give the name of a method, an Attribution or a function instead of a bare map",
    ),
}


@dataclass(frozen=True)
class Asked:
    """`options`: by metric, all of them. `left_out`: by metric, or by metric and row, the reason."""

    metrics: tuple[Metric, ...]
    options: Mapping[str, Mapping[str, Any]]
    left_out: Mapping[str, str]


def chosen(
    metrics: str | Sequence[str] | None,
    options: Mapping[str, Mapping[str, Any]] | None,
    kinds: tuple[str, ...],
    held: frozenset[str],
    bare: Sequence[str],
) -> Asked:
    """`held`: of truth and twin, what was given. `bare`: labels of rows that are maps alone. Raises `InputError` for a
    metric asked by name that cannot be answered."""
    named = metrics is not None
    if named:
        names = [metrics] if isinstance(metrics, str) else list(metrics)
        if not names:
            raise InputError("evaluate: metrics=[] asks nothing. Leave it out, or give names of dlx.metrics().")
        wanted = [registry.get(name) for name in dict.fromkeys(names)]
    else:
        wanted = [m for m in METRICS.values() if m.default]
    kept, left_out = [], {}
    for metric in wanted:
        reason = _reason(metric, kinds, held, bare)
        if reason is None:
            kept.append(metric)
        elif named:
            raise InputError(f"{metric.name}: {reason}.")
        else:
            left_out[metric.name] = reason
            if "explain" in metric.needs and not _reason(metric, kinds, held, ()):
                kept.append(metric)  # the rows that can be asked again have their score
    return Asked(tuple(kept), _options(options or {}, kept, left_out), left_out)


def _reason(metric: Metric, kinds: tuple[str, ...], held: frozenset[str], bare: Sequence[str]) -> str | None:
    other = [kind for kind in kinds if kind not in metric.kinds]
    if other:
        return f"is defined for {', '.join(metric.kinds)}, and an input here is read as {other[0]}"
    for need in metric.needs:
        what, advice = _MISSING[need]
        if need == "explain" and bare:
            return f"needs {what}, which the row {', '.join(map(repr, bare))} does not have; {advice}"
        if need != "explain" and need not in held:
            return f"needs {what}; {advice}"
    return None


def _options(
    given: Mapping[str, Mapping[str, Any]], kept: Sequence[Metric], left_out: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    known = {m.name: m for m in kept}
    for name in given:
        if name in left_out and name not in known:
            raise InputError(f"options: {name} was not asked: it {left_out[name]}.")
        if name not in known:
            raise InputError(
                f"options: {name!r} is not among the metrics asked. {suggest(name, known)}Asked: {', '.join(known)}."
            )
        known[name].check_options(given[name])
    return {m.name: {**m.options, **given.get(m.name, {})} for m in kept}
