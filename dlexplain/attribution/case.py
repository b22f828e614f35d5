"""What a method function is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dlexplain.frameworks.model import Model
from dlexplain.frameworks.questions import Inputs, Target


@dataclass(frozen=True, eq=False)
class Case:
    """Samples of one model with one output head: everything that a method may use.

    `baseline`: one array an input, `(1, *shape)`, `(n, *shape)` (token ids with their padding kept) or, when
    `background`, `(m, *shape)`. `output`, `baseline_output`: `(n,)`. `rows`: samples to run at once.
    """

    model: Model
    inputs: Inputs
    target: Target
    baseline: Inputs | None
    background: bool
    output: np.ndarray
    baseline_output: np.ndarray | None
    kinds: tuple[str, ...]
    rows: int
    seed: int

    def __len__(self) -> int:
        return len(self.output)

    @property
    def difference(self) -> np.ndarray:
        return self.output - self.baseline_output

    def take(self, part: np.ndarray) -> Case:
        """The same case for some of the samples."""
        baseline = self.baseline
        if baseline is not None and not self.background:
            baseline = tuple(b if len(b) == 1 else b[part] for b in baseline)
        lower = None if self.baseline_output is None else self.baseline_output[part]
        return Case(
            self.model,
            tuple(a[part] for a in self.inputs),
            self.target.take(part),
            baseline,
            self.background,
            self.output[part],
            lower,
            self.kinds,
            self.rows,
            self.seed,
        )

    def spatial(self, i: int) -> tuple[int, ...]:
        """The axes of one sample of input `i` along which neighbours are near: height and width, or time."""
        rank, kind = self.inputs[i].ndim - 1, self.kinds[i]
        first = self.model.layout == "channels_first"
        if kind == "image":
            return (1, 2) if rank == 3 and first else (0, 1)
        if kind == "series":
            return (1,) if first else (0,)
        return tuple(range(rank))

    def places(self, i: int) -> tuple[int, ...]:
        """As `spatial`, and of a volume or a film all axes but the channels; empty where neighbours are not near."""
        if self.kinds[i] == "table" and self.inputs[i].ndim == 5:
            return (1, 2, 3) if self.model.layout == "channels_first" else (0, 1, 2)
        return self.spatial(i) if self.kinds[i] in ("image", "series") else ()

    def relative_gap(self, values: Inputs) -> tuple[np.ndarray, np.ndarray]:
        """`(n,)` each: how far the values are from summing to the outputs' difference, and that as its share.

        The share leaves out what the two outputs' own rounding explains: two of the last places of each.
        """
        total = sum(v.reshape(len(v), -1).sum(1, dtype=np.float64) for v in values)
        gap = np.abs(total - self.difference)
        size = np.maximum(np.abs(self.output), np.abs(self.baseline_output))
        # Below a thousandth of the outputs' own size a difference is rounding, not something to explain.
        floor = np.maximum(np.maximum(np.abs(self.difference), 1e-3 * size), np.finfo(np.float32).tiny)
        rounding = 4 * np.finfo(np.float32).eps * size
        return gap, np.maximum(gap - rounding, 0) / floor


@dataclass(frozen=True, eq=False)
class Found:
    """A method's answer: values in the inputs' shapes (or their entries'), and what it chose on its own.

    `baseline_output`: `(n,)`, of a method that leads to a baseline of its own making.
    """

    values: Inputs
    chosen: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    baseline_output: np.ndarray | None = None


def to_tokens(values: np.ndarray, inputs: np.ndarray, *, norm: bool = False) -> np.ndarray:
    """One value a token from values on embeddings: their sum, or their Euclidean norm; other inputs as they are."""
    if values.ndim == inputs.ndim:
        return values
    return np.sqrt(np.square(values).sum(-1)) if norm else values.sum(-1)
