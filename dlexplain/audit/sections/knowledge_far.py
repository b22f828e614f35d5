"""Inputs far from the data, and how sure the model is of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dlexplain.audit.sections.knowledge_answers import outputs_at, probabilities
from dlexplain.audit.subject import Subject
from dlexplain.frameworks.questions import Inputs

_MOST, _TIMES = 400, 5


@dataclass(frozen=True)
class Far:
    """One way of leaving the data. `confidence`: mean of the largest probability; `told`: how often a sample of the data
    has more of it than a far one (area under the ROC curve: 0.5 is chance). For a regression `low`, `high`: the
    outputs' 5th and 95th percentile."""

    name: str
    what: str
    confidence: float | None
    told: float | None
    low: float
    high: float


def far(subject: Subject) -> list[Far]:
    """The data itself first, then every way that its kind of input has."""
    part = subject.sample("far from the data", _MOST)
    inputs = tuple(a[part] for a in subject.inputs)
    rng = subject.rng("far from the data")
    own = _confidence(subject, subject.outputs[part].astype(np.float64))
    found = [_row("the data", "the audit's samples", subject, subject.outputs[part], own, own)]
    for name, what, made in _ways(subject):
        outputs = outputs_at(subject, made(subject, inputs, rng))
        if not np.isfinite(outputs).all():
            continue
        found.append(_row(name, what, subject, outputs, _confidence(subject, outputs), own))
    return found


def certainty(subject: Subject, row: Far, data: Far) -> float:
    """How sure the model is of far inputs, where 1 is as sure as of its data and 0 is chance."""
    chance = 1 / subject.probabilities.shape[1]
    return (row.confidence - chance) / max(data.confidence - chance, 1e-9)


def _row(
    name: str, what: str, subject: Subject, outputs: np.ndarray, sure: np.ndarray | None, own: np.ndarray | None
) -> Far:
    low, high = np.quantile(outputs, (0.05, 0.95))
    if sure is None:
        return Far(name, what, None, None, float(low), float(high))
    told = (own[:, None] > sure[None]).mean() + 0.5 * (own[:, None] == sure[None]).mean()
    return Far(name, what, float(sure.mean()), float(told), float(low), float(high))


def _confidence(subject: Subject, outputs: np.ndarray) -> np.ndarray | None:
    return probabilities(subject, outputs).max(1) if subject.task == "classification" else None


Way = Callable[[Subject, Inputs, np.random.Generator], Inputs]


def _ways(subject: Subject) -> list[tuple[str, str, Way]]:
    if any(v is not None for v in subject.model.token_inputs(subject.inputs)):
        return [
            ("random tokens", "every token but padding drawn from the vocabulary", _random_tokens),
            ("shuffled order", "the tokens of each sample in a random order", _shuffled_order),
        ]
    ways = [
        ("noise", "every value drawn evenly between its feature's lowest and highest", _noise),
        ("shuffled features", "every feature from another sample, so that none belong together", _shuffled),
        (f"{_TIMES} times as far", f"every sample {_TIMES} times as far from the mean sample", _scaled),
    ]
    if subject.kind in ("image", "series"):
        ways.append(("turned over", "bright for dark: the highest value less the value", _inverted))
    return ways


def _noise(subject: Subject, inputs: Inputs, rng: np.random.Generator) -> Inputs:
    return tuple(
        rng.uniform(whole.min(0), whole.max(0), a.shape).astype(a.dtype)
        for a, whole in zip(inputs, subject.inputs, strict=True)
    )


def _shuffled(subject: Subject, inputs: Inputs, rng: np.random.Generator) -> Inputs:
    return tuple(rng.permuted(a, axis=0) for a in inputs)


def _scaled(subject: Subject, inputs: Inputs, rng: np.random.Generator) -> Inputs:
    middles = [whole.mean(0) for whole in subject.inputs]
    return tuple((m + _TIMES * (a - m)).astype(a.dtype) for a, m in zip(inputs, middles, strict=True))


def _inverted(subject: Subject, inputs: Inputs, rng: np.random.Generator) -> Inputs:
    return tuple(
        (whole.max() + whole.min() - a).astype(a.dtype) for a, whole in zip(inputs, subject.inputs, strict=True)
    )


def _random_tokens(subject: Subject, inputs: Inputs, rng: np.random.Generator) -> Inputs:
    changed = []
    for i, (a, size) in enumerate(zip(inputs, subject.model.token_inputs(inputs), strict=True)):
        if size is None:
            changed.append(a)
            continue
        padding = subject.model.padding(i)
        drawn = rng.integers(0, size, a.shape).astype(a.dtype)
        kept = np.zeros(a.shape, bool) if padding is None else a == padding
        changed.append(np.where(kept, a, drawn))
    return tuple(changed)


def _shuffled_order(subject: Subject, inputs: Inputs, rng: np.random.Generator) -> Inputs:
    changed = []
    for i, (a, size) in enumerate(zip(inputs, subject.model.token_inputs(inputs), strict=True)):
        padding, out = subject.model.padding(i), a.copy()
        for row in out if size is not None and a.ndim == 2 else ():
            real = np.flatnonzero(row != padding) if padding is not None else np.arange(len(row))
            row[real] = row[rng.permutation(real)]
        changed.append(out)
    return tuple(changed)
