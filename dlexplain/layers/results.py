"""What the questions about a network's inside return."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlexplain.errors import InputError, suggest


@dataclass(frozen=True, eq=False)
class Activations:
    """Outputs of named layers, `values[layer]` of shape `(n, ...)` in the model's own layout, float32."""

    values: Mapping[str, np.ndarray]
    types: Mapping[str, str]
    inputs: np.ndarray | tuple[np.ndarray, ...]
    framework: str
    fingerprint: str
    layout: str | None = None

    @property
    def layers(self) -> tuple[str, ...]:
        return tuple(self.values)

    def __getitem__(self, layer: str) -> np.ndarray:
        if layer not in self.values:
            raise InputError(
                f"activations: no layer {layer!r} here. {suggest(layer, self.values)}Layers: {', '.join(self.values)}."
            )
        return self.values[layer]

    def maps(self, layer: str) -> np.ndarray:
        """`(n, channels, height, width)` of a layer with pictures inside, whichever the layout."""
        values = self[layer]
        if values.ndim != 4:
            raise InputError(
                f"maps: layer {layer!r} holds {values.shape[1:]} a sample, not channels of pictures. "
                f"Layers with pictures: {', '.join(k for k, v in self.values.items() if v.ndim == 4) or 'none'}."
            )
        return values if self.layout == "channels_first" else np.moveaxis(values, -1, 1)

    def units(self, layer: str) -> np.ndarray:
        """`(n, places, units)`: every value of each unit (a channel, or one neuron of a dense layer)."""
        values = self[layer]
        if values.ndim == 2:
            return values[:, None, :]
        if values.ndim == 4:
            values = np.moveaxis(self.maps(layer), 1, -1)
        elif values.ndim == 3 and self.layout == "channels_first" and "Conv" in self.types.get(layer, ""):
            values = np.moveaxis(values, 1, -1)
        return values.reshape(len(values), -1, values.shape[-1])

    def dead_units(self):
        """A table, a row a layer: units, units that are zero for every sample and place, and their share."""
        import pandas as pd

        rows = []
        for layer in self.layers:
            units = self.units(layer)
            dead = int(np.all(units == 0, axis=(0, 1)).sum())
            rows.append(
                {
                    "layer": layer,
                    "type": self.types.get(layer, ""),
                    "units": units.shape[-1],
                    "dead": dead,
                    "share": dead / max(units.shape[-1], 1),
                }
            )
        return pd.DataFrame(rows)

    def plot(self, layer: str | None = None, **options: Any):
        """A Plotly figure: the channel grid of a layer of pictures, else its units; see `figures.activations`."""
        from dlexplain import figures

        return figures.activations(self, layer=layer, **options)

    def histograms(self, **options: Any):
        """A Plotly figure: the distribution of every layer's activations, with its share of zeros."""
        from dlexplain import figures

        return figures.activation_histograms(self, **options)

    def __repr__(self) -> str:
        rows = [f"  {name}: {tuple(values.shape)}" for name, values in self.values.items()]
        return "\n".join([f"Activations of {len(self.layers)} layers ({self.framework})", *rows])


@dataclass(frozen=True, eq=False)
class FeatureVisualisation:
    """Inputs that excite units of a layer, found by gradient ascent: `images` is `(units, *input_shape)`.

    `activation`, `start_activation`: `(units,)`, the unit's mean activation at the end and at the starting noise.
    """

    images: np.ndarray
    layer: str
    units: tuple[int, ...]
    activation: np.ndarray
    start_activation: np.ndarray
    options: Mapping[str, Any]
    seed: int
    framework: str
    fingerprint: str
    layout: str | None = None

    def pictures(self) -> np.ndarray:
        """`(units, height, width, channels)`, whichever the layout."""
        images = self.images[..., None] if self.images.ndim == 3 else self.images
        if self.images.ndim == 4 and self.layout == "channels_first":
            images = np.moveaxis(images, 1, -1)
        return images

    def plot(self, **options: Any):
        """A Plotly figure: a grid of the pictures found, each with its unit and activation."""
        from dlexplain import figures

        return figures.feature_visualisation(self, **options)

    def __repr__(self) -> str:
        return (
            f"FeatureVisualisation of {self.layer!r}, units {', '.join(map(str, self.units))}: mean activation "
            f"{self.start_activation.mean():.3g} -> {self.activation.mean():.3g} ({self.framework})"
        )
