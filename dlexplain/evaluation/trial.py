"""What a metric is given: one explainer's maps of some samples, the model they speak of, and the explainer itself."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from dlexplain.frameworks.model import Model
from dlexplain.frameworks.questions import Inputs, Masks, Target, grid

# (model, inputs, target, seed) -> values in the inputs' shapes; the model may be a changed copy of the trial's.
Explainer = Callable[[Model, Inputs, Target, int], Inputs]


@dataclass(frozen=True, eq=False)
class Trial:
    """One explainer under examination, on samples that share one output head.

    `values`: float64, the shapes of `inputs`. `baseline`: what a removed feature becomes, arrays `(1, *shape)`, or
    `(m, *shape)` over which scores are averaged. `output`, `baseline_output`: `(n,)`. `complete`, `contribution`,
    `signed`: what the explainer claims, see `Examinee`. `reference`: `(n,)`, the output from which complete values say
    they lead (it is not `baseline_output` where a method keeps a sample's padding, or makes its own baseline).
    `explainer`: None where only maps were given. `truth`: bool arrays in the inputs' shapes. `twin`: a model of the same function, with
    `twin_values`, its own maps. `features[i]`: the number of the feature that each value of input `i` belongs to, shaped
    like one sample with 1 along the axes whose values go together (the channels of a picture).
    """

    model: Model
    inputs: Inputs
    target: Target
    values: Inputs
    baseline: Inputs
    output: np.ndarray
    baseline_output: np.ndarray
    kinds: tuple[str, ...]
    features: Inputs
    rows: int
    seed: int
    complete: bool = False
    contribution: bool = True
    signed: bool = True
    reference: np.ndarray | None = None
    explainer: Explainer | None = None
    truth: Inputs | None = None
    twin: Model | None = None
    twin_values: Inputs | None = None
    kept: dict[Hashable, Any] = field(default_factory=dict)  # what does not depend on the map, for every row

    def __len__(self) -> int:
        return len(self.output)

    @property
    def count(self) -> int:
        """How many features a sample has, through all inputs."""
        return sum(int(n.max()) + 1 for n in self.features)

    def per_feature(self, values: Inputs | None = None) -> np.ndarray:
        """`(n, count)`: values summed over what belongs to each feature."""
        values = self.values if values is None else values
        columns = []
        for given, numbers in zip(values, self.features, strict=True):
            size = int(numbers.max()) + 1
            together = tuple(a + 1 for a, s in enumerate(numbers.shape) if s == 1)
            summed = given.sum(together, dtype=np.float64).reshape(len(given), -1)
            column = np.zeros((size, len(given)))
            np.add.at(column, numbers.ravel(), summed.T)
            columns.append(column.T)
        return np.concatenate(columns, 1)

    def scores(self, masks: Callable[[slice, int, int], np.ndarray], count: int, *, shared: bool = False) -> np.ndarray:
        """`(n, count)`: the target under each mask of features, the rest at the baseline.

        `masks(samples, start, stop)`: bool `(1 or samples, stop - start, count of features)`, True keeps.
        """

        def block(samples: slice, start: int, stop: int) -> Inputs:
            kept, first, arrays = masks(samples, start, stop), 0, []
            for numbers in self.features:
                size = int(numbers.max()) + 1
                arrays.append(np.take(kept[..., first : first + size], numbers, axis=-1))
                first += size
            return tuple(arrays)

        return self.model.many_masks(
            self.inputs, self.target, Masks(count, block, shared=shared), self.baseline, self.rows
        )

    def scores_near(
        self,
        changed: Callable[[slice, int, int], Inputs],
        count: int,
        read: Callable[[Inputs, Target], np.ndarray] | None = None,
    ) -> np.ndarray:
        """`(n, count)`: the target at inputs of the metric's own making, in bounded batches.

        `changed(samples, start, stop)`: an input each, arrays `(samples, stop - start, *shape)`. `read`: what to take of a
        batch's outputs instead of the target, `(rows,)`.
        """
        found = np.zeros((len(self), count))
        for samples, points in grid(len(self), count, self.rows):
            wide = points.stop - points.start
            made = tuple(
                np.reshape(a, (-1, *x.shape[1:])).astype(x.dtype, copy=False)
                for a, x in zip(changed(samples, points.start, points.stop), self.inputs, strict=True)
            )
            goal = Target(np.repeat(self.target.index[samples], wide, 0), self.target.head)
            outputs = self.model.outputs(made)
            found[samples, points] = (goal.of(outputs) if read is None else read(outputs, goal)).reshape(-1, wide)
        return found

    def scores_at(self, inputs: Inputs, model: Model | None = None) -> np.ndarray:
        """`(n,)`: the target of each sample at other inputs, or of another model."""
        return (model or self.model).scores(inputs, self.target, self.rows).astype(np.float64)

    def explain(self, inputs: Inputs | None = None, *, model: Model | None = None, seed: int | None = None) -> Inputs:
        """The explainer's values for the same target at other inputs, or of another model; float64."""
        values = self.explainer(
            model or self.model, inputs or self.inputs, self.target, self.seed if seed is None else seed
        )
        return tuple(np.asarray(v, np.float64) for v in values)

    def rng(self, metric: str) -> np.random.Generator:
        """Random numbers of one metric, whichever others are asked for, the same for every explainer."""
        return np.random.default_rng([self.seed, zlib.crc32(metric.encode())])

    def once(self, key: Hashable, make: Callable[[], np.ndarray]) -> np.ndarray:
        """What the model says whatever the map: asked for the first row, kept for the others. `key`: the metric's name and
        all that the answer depends on beyond the samples, the target and the baseline."""
        if key not in self.kept:
            self.kept[key] = make()
        return self.kept[key]

    def with_values(self, values: Inputs) -> Trial:
        return replace(self, values=values)
