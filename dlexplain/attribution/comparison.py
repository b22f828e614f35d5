"""Several attributions of the same inputs side by side: methods, or models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dlexplain.attribution.result import Attribution


@dataclass(frozen=True, eq=False)
class Comparison:
    """Attributions with a label each, `attributions[label]`, of the same inputs (up to the layout of pictures)."""

    attributions: dict[str, Attribution]

    @property
    def table(self):
        """Agreement of each pair of maps, a row a pair: median over samples of the rank and linear correlation of
        the signed values, and of the overlap of the tenth with the largest magnitude."""
        import pandas as pd

        labels = list(self.attributions)
        maps = {label: comparable(self.attributions[label]) for label in labels}
        rows = []
        for i, a in enumerate(labels):
            for b in labels[i + 1 :]:
                pairs = list(zip(maps[a], maps[b], strict=True))
                rows.append(
                    {
                        "a": a,
                        "b": b,
                        "rank_correlation": float(np.median([_correlation(_ranks(p), _ranks(q)) for p, q in pairs])),
                        "correlation": float(np.median([_correlation(p, q) for p, q in pairs])),
                        "top_tenth_overlap": float(np.median([_overlap(p, q) for p, q in pairs])),
                    }
                )
        return pd.DataFrame(rows, columns=["a", "b", "rank_correlation", "correlation", "top_tenth_overlap"])

    def plot(self, **options: Any):
        """A Plotly figure: a grid, a row a sample, a column a label, with one colour scale."""
        from dlexplain import figures

        return figures.comparison(self, **options)

    def __repr__(self) -> str:
        return f"Comparison of {', '.join(self.attributions)}\n{self.table.to_string(index=False)}"


def comparable(attribution: Attribution) -> np.ndarray:
    """`(n, values)`: one flat signed map a sample; pictures summed over channels so that layouts agree."""
    if isinstance(attribution.values, tuple):
        return np.concatenate([np.reshape(v, (len(v), -1)) for v in attribution.values], 1)
    if attribution.kind[0] == "image":
        return attribution.heatmap().reshape(len(attribution), -1)
    return attribution.values.reshape(len(attribution), -1)


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks with ties averaged."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts - 1) / 2)[inverse]


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's correlation; not a number where one map is constant."""
    a, b = a - a.mean(), b - b.mean()
    norm = np.sqrt(np.square(a).sum() * np.square(b).sum())
    return float((a * b).sum() / norm) if norm > 0 else float("nan")


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    count = max(1, round(len(a) / 10))
    top = [set(np.argsort(-np.abs(values), kind="stable")[:count].tolist()) for values in (a, b)]
    return len(top[0] & top[1]) / count
