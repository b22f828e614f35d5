"""What an attribution's figure says in words: on the figure, and in its alternative text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dlexplain.figures.tables import largest
from dlexplain.figures.timeseries import busiest, sensor_names
from dlexplain.figures.wording import literal, method_title, number, share

if TYPE_CHECKING:
    from dlexplain.attribution.result import Attribution

NO_CLAIM = "this method does not claim that its values sum to the output's change"


def gap_in_words(attribution: Attribution, sample: int) -> str:
    """How far one sample's values are from summing to the change of the output."""
    if attribution.gap is None and attribution.relative_gap is None:
        return NO_CLAIM
    if attribution.relative_gap is not None and np.isfinite(attribution.relative_gap[sample]):
        return f"gap {share(attribution.relative_gap[sample])} of the output's change"
    if attribution.gap is not None:
        return f"gap {number(attribution.gap[sample])}, where the output hardly changes"
    return "gap unknown: the output does not change"


def common_facts(attribution: Attribution, samples: Sequence[int], *, total: int) -> list[str]:
    """The sentences under the title, in plain text."""
    first = f"Target {', '.join(dict.fromkeys(attribution.target_label(s) for s in samples))}"
    if len(samples) == 1:
        first += f", output {number(attribution.output[samples[0]])}"
    facts = [f"{first} · baseline {attribution.baseline_label()} · {attribution.framework}"]
    if attribution.gap is None and attribution.relative_gap is None:
        facts.append(NO_CLAIM[0].upper() + NO_CLAIM[1:] + ".")
    elif len(samples) == 1:
        words = gap_in_words(attribution, samples[0])
        facts.append(f"{words[0].upper() + words[1:]}: the closer to 0, the better the values sum to it.")
    if len(samples) < total and len(samples) > 1:
        facts.append(f"{len(samples)} of {total} samples.")
    return facts


def panel_lines(attribution: Attribution, sample: int) -> list[str]:
    """The title of one sample's panel, as literal text."""
    second = f"output {number(attribution.output[sample])}"
    if attribution.relative_gap is not None and np.isfinite(attribution.relative_gap[sample]):
        second += f", gap {share(attribution.relative_gap[sample])}"
    elif attribution.gap is not None:
        second += f", gap {number(attribution.gap[sample])} (absolute)"
    return [literal(attribution.target_label(sample), longest=30) + f" (sample {sample})", literal(second)]


def said(attribution: Attribution, samples: Sequence[int], parts: Sequence, heading: str) -> str:
    """The alternative text: what is shown, for which target, where the largest values are, the gap."""
    sentences = [
        f"{heading}. Attributions by {method_title(attribution.method)}, baseline "
        f"{attribution.baseline_label()}, {attribution.framework}."
    ]
    for s in samples:
        sentences.append(
            f"Sample {s}: target {attribution.target_label(s)}, output {number(attribution.output[s])}."
        )
        for part in parts:
            where = place_in_words(part, s)
            sentences.append(where if len(parts) == 1 else f"Input {part.index}: {where}")
        words = gap_in_words(attribution, s)
        if attribution.gap is not None or attribution.relative_gap is not None:
            sentences.append(words[0].upper() + words[1:] + ".")
    if attribution.gap is None and attribution.relative_gap is None:
        sentences.append(NO_CLAIM[0].upper() + NO_CLAIM[1:] + ".")
    return " ".join([*sentences, *(f"Warning: {text}" for text in attribution.warnings)])


def place_in_words(part, sample: int) -> str:
    """Where the largest values of one sample are."""
    values = part.values(sample)
    if part.kind == "series":
        return busiest(values, sensor_names(part.names, values.shape[-1]))
    if part.kind != "image":
        return largest(values, part.labels(sample))
    return _corner(values)


def _corner(values: np.ndarray) -> str:
    sizes = np.abs(np.nan_to_num(values))
    total = float(sizes.sum())
    if total == 0:
        return "The map is zero everywhere."
    row, column = np.unravel_index(np.argmax(sizes), sizes.shape)
    thirds = [
        ("upper", "middle", "lower")[min(2, 3 * row // sizes.shape[0])],
        ("left", "centre", "right")[min(2, 3 * column // sizes.shape[1])],
    ]
    positive = float(np.nan_to_num(values).clip(min=0).sum()) / total
    return (
        f"The largest value, {number(values[row, column])}, is in the {thirds[0]} {thirds[1]}, at row {row}, "
        f"column {column}; {share(positive)} of the total size speaks for the target."
    )
