"""What stands behind one panel of the explorer: a result, and its figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dlexplain.widgets.twins import one_input

LAYERED = ("gradcam", "activations")


def explanation_figure(
    model: Any,
    inputs: Any,
    sample: int = 0,
    target: int | None = None,
    method: str = "integrated_gradients",
    layer: str | None = None,
    *,
    class_names: Sequence[str] | None = None,
    seed: int = 0,
    **options: Any,
):
    """The Plotly figure of one choice: a map, or with `method="activations"` what is inside `layer`.

    `target` None: the predicted class. `options` go to the method. Raises what the method raises.
    """
    from dlexplain import figures
    from dlexplain.frameworks import wrap

    wrapped = wrap(model, **({} if class_names is None else {"class_names": tuple(map(str, class_names))}))
    one = one_input(wrapped, inputs)[sample : sample + 1]
    result = result_of(wrapped, one, target, method, layer, seed, options)
    if method == "activations":
        return figures.activations(result, layer=layer)
    return figures.attribution(result, sample=0)


def result_of(
    model: Any,
    one: np.ndarray,
    target: int | None,
    method: str,
    layer: str | None,
    seed: int,
    options: Mapping[str, Any],
) -> Any:
    """The Attribution, or the Activations, behind one panel."""
    if method == "activations":
        from dlexplain.layers import activations

        return activations(model, one, layers=None if layer is None else [layer])
    from dlexplain.attribution import explain

    extra = {"layer": layer} if layer is not None and method in LAYERED else {}
    return explain(model, one, method, target=target, seed=seed, **extra, **options)
