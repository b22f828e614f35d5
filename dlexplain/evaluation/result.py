"""What an evaluation returns: a score for every row, metric and sample, and what they were made with."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dlexplain.errors import InputError
from dlexplain.evaluation.metric import Metric

ARROWS = {"higher": "↑", "lower": "↓", None: ""}


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Scores of explanations beside those of two controls.

    `scores[(row, metric)]`: float64 `(n,)`, NaN where a score is not defined. `rows`: labels of the explanations;
    `controls`: of the control rows. `metrics`: the facts of each metric, by name. `left_out`: why a metric of the default
    ones was not asked, or not of every row. `target`: as in an `Attribution`.
    """

    rows: tuple[str, ...]
    controls: tuple[str, ...]
    scores: Mapping[tuple[str, str], np.ndarray]
    metrics: Mapping[str, Metric]
    options: Mapping[str, Mapping[str, Any]]
    left_out: Mapping[str, str]
    seed: int
    target: np.ndarray
    kind: tuple[str, ...] = ("table",)
    framework: str = ""
    fingerprint: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        for values in self.scores.values():
            values.flags.writeable = False

    def __len__(self) -> int:
        return len(self.target)

    @property
    def table(self):
        """The mean over samples, a row an explanation and then the controls, a column a metric."""
        import pandas as pd

        return self._frame(pd, lambda values: float(values.mean()) if len(values) else np.nan)

    def intervals(self, level: float = 0.95, *, draws: int = 2000):
        """The bootstrap interval of each mean: the same rows, under each metric the columns `low` and `high`."""
        import pandas as pd

        if not 0 < level < 1:
            raise InputError(f"intervals: level={level!r} must be a share between 0 and 1.")
        tails = ((1 - level) / 2, (1 + level) / 2)
        low, high = (self._frame(pd, lambda v, q=q: self._quantile(v, q, draws)) for q in tails)
        return pd.concat({"low": low, "high": high}, axis=1).swaplevel(axis=1)[
            [(name, end) for name in self.metrics for end in ("low", "high")]
        ]

    def ahead(self, control: str = "random", level: float = 0.95, *, draws: int = 2000):
        """Whether each explanation is surely better than a control (True), surely not (False), or neither (None): the
        bootstrap interval of the mean difference, sample by sample, lies on one side of zero."""
        import pandas as pd

        if control not in self.controls:
            raise InputError(f"ahead: {control!r} is not a control row here. Control rows: {', '.join(self.controls)}.")
        columns = {}
        for name, metric in self.metrics.items():
            judged = []
            for row in self.rows:
                gain = self.scores[row, name] - self.scores[control, name]
                gain = gain[np.isfinite(gain)] * (-1 if metric.better == "lower" else 1)
                low, high = (self._quantile(gain, q, draws) for q in ((1 - level) / 2, (1 + level) / 2))
                judged.append(True if low > 0 else False if high < 0 else None)
            columns[name] = judged if metric.better else [None] * len(judged)
        return pd.DataFrame(columns, index=pd.Index(self.rows, name="row"), dtype=object)

    def _quantile(self, values: np.ndarray, quantile: float, draws: int) -> float:
        """Of the means of as many values drawn again; the same draws for every row of as many."""
        if len(values) < 2:
            return float("nan")
        generator = np.random.default_rng([self.seed, zlib.crc32(b"bootstrap")])
        drawn = generator.integers(0, len(values), (draws, len(values)))
        return float(np.quantile(values[drawn].mean(1), quantile))

    def _frame(self, pd, of):
        index = pd.Index((*self.rows, *self.controls), name="row")
        columns = {}
        for name in self.metrics:
            scores = (self.scores[row, name] for row in index)
            columns[name] = [of(values[np.isfinite(values)]) for values in scores]
        return pd.DataFrame(columns, index=index)

    def plot(self, **options: Any):
        """A Plotly figure: a panel a metric, each explanation beside the control rows."""
        from dlexplain import figures

        return figures.evaluation(self, **options)

    def __repr__(self) -> str:
        table = self.table
        table.columns = [f"{name} {ARROWS[self.metrics[name].better]}".strip() for name in table.columns]
        lines = [
            f"Evaluation of {len(self.rows)} explanations on {len(self)} samples, {self.framework} (↑ higher is better, "
            "↓ lower is better)",
            table.to_string(float_format=lambda v: f"{v:.3g}"),
        ]
        lines += [f"  {name} left out: {reason}" for name, reason in self.left_out.items()]
        return "\n".join(lines)
