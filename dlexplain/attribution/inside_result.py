"""What attribution to a layer returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlexplain.errors import InputError


@dataclass(frozen=True, eq=False)
class LayerAttribution:
    """Signed attributions of one output to a layer's activations: `values`, `activations`, `(n, ...)` in its own order.

    `gap`, `relative_gap`: `(n,)`, how far the values are from summing to `output - baseline_output`; None where the method
    does not claim it. `whole`: False where part of the change flows past the layer, so that the gap is no fault.
    """

    values: np.ndarray
    activations: np.ndarray
    baseline_activations: np.ndarray | None
    layer: str
    method: str
    target: np.ndarray
    options: Mapping[str, Any]
    seed: int
    inputs: np.ndarray | tuple[np.ndarray, ...]
    output: np.ndarray
    framework: str
    fingerprint: str
    channels_first: bool
    class_names: tuple[str, ...] | None = None
    baseline_output: np.ndarray | None = None
    gap: np.ndarray | None = None
    relative_gap: np.ndarray | None = None
    tolerance: float | None = None
    whole: bool = True
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    def _last(self, values: np.ndarray) -> np.ndarray:
        return np.moveaxis(values, 1, -1) if self.channels_first else values

    def units(self) -> np.ndarray:
        """`(n, units)`: the sum over each unit's places."""
        values = self._last(self.values)
        return values.reshape(len(values), -1, values.shape[-1]).sum(1)

    def heatmap(self) -> np.ndarray:
        """`(n, *places)`: the sum over units at each place."""
        values = self._last(self.values)
        if values.ndim < 3:
            raise InputError(
                f"heatmap: layer {self.layer!r} has no places, only {values.shape[-1]} units. Use .units()."
            )
        return values.sum(-1)

    @property
    def table(self):
        """A row a unit, over the samples: mean value, mean size, mean activation; the largest size first."""
        import pandas as pd

        units = self.units()
        at = self._last(self.activations)
        rows = {
            "unit": np.arange(units.shape[1]),
            "attribution": units.mean(0),
            "size": np.abs(units).mean(0),
            "activation": at.reshape(len(at), -1, at.shape[-1]).mean((0, 1)),
        }
        return pd.DataFrame(rows).sort_values("size", ascending=False, kind="stable", ignore_index=True)

    def plot(self, **options: Any):
        """A Plotly figure: the units of most weight for one sample; see `figures.layer_attribution`."""
        from dlexplain import figures

        return figures.layer_attribution(self, **options)

    def __repr__(self) -> str:
        gap = "" if self.relative_gap is None else f", relative gap at most {float(self.relative_gap.max()):.2g}"
        notes = "".join(f"\n  {text}" for text in self.warnings)
        return f"LayerAttribution ({self.method}) at {self.layer!r} {self.values.shape} ({self.framework}){gap}{notes}"
