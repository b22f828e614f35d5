"""Results as what the front ends draw: plain values and bytes, with every picture also told in words."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlexplain.attribution.result import Attribution
from dlexplain.figures.png import to_bytes
from dlexplain.layers.results import Activations

Part = dict[str, Any]
_STEPS = 32767
_MOST_BARS = 12
_MOST_TILES = 36
_NAMES = {
    "gradcam": "Grad-CAM",
    "input_x_gradient": "Input × gradient",
    "smoothgrad": "SmoothGrad",
    "vargrad": "VarGrad",
    "activations": "Activations of a layer",
}


def method_label(method: str) -> str:
    """A method's name for people."""
    library, colon, rest = method.partition(":")
    if colon:
        return f"{ {'shap': 'SHAP', 'captum': 'Captum'}.get(library, library) }: {rest}"
    return _NAMES.get(method, method.replace("_", " ").capitalize())


def packed(values: np.ndarray) -> Part:
    """Values as 16-bit whole numbers and their step: a relative error of at most 1 / 32767 of the largest."""
    values = np.nan_to_num(np.asarray(values, np.float64))
    step = float(np.max(np.abs(values), initial=0.0)) / _STEPS or 1.0
    return {"data": np.round(values / step).astype("<i2").tobytes(), "step": step}


def numbers_of(part: Part) -> np.ndarray:
    """What `packed` made, flat, as the front end reads it."""
    return np.frombuffer(part["data"], "<i2") * part["step"]


def picture_part(image: np.ndarray, alt: str) -> Part:
    """`image` `(height, width, channels)`, in grey or colour."""
    pixels = to_bytes(image)
    channels = 3 if pixels.ndim == 3 else 1
    return {
        "height": pixels.shape[0],
        "width": pixels.shape[1],
        "channels": channels,
        "pixels": pixels.tobytes(),
        "alt": alt,
    }


def map_part(values: np.ndarray) -> Part:
    """`values` `(height, width)`, signed."""
    return {
        "height": values.shape[0],
        "width": values.shape[1],
        "limit": float(np.max(np.abs(values), initial=0.0)),
        **packed(values),
    }


def map_words(values: np.ndarray) -> str:
    """Where a map is strongest, for and against."""
    place = [np.unravel_index(at, values.shape) for at in (np.argmax(values), np.argmin(values))]
    words = [
        f"strongest {side} at row {row + 1}, column {column + 1} ({values[row, column]:+.2g})"
        for side, sign, (row, column) in zip(("for", "against"), (1, -1), place, strict=True)
        if sign * values[row, column] > 0
    ]
    return "; ".join(words) or "zero everywhere"


def attribution_part(attribution: Attribution, label: str) -> Part:
    """The map or the bars of the first sample of `attribution` by the model `label`, with its alternative
    text."""
    what = f"{method_label(attribution.method)} of {attribution.target_label(0)} by {label}"
    kind = attribution.kind[0]
    values = attribution.values[0] if isinstance(attribution.values, tuple) else attribution.values
    if kind == "image":
        heat = attribution.heatmap()[0]
        return {"map": map_part(heat), "alt": f"{what}: {map_words(heat)}."}
    if kind == "series" and values.ndim == 3:
        heat = values[0].T
        return {"map": map_part(heat), "alt": f"{what}, a row a feature, a column a step: {map_words(heat)}."}
    flat = values[0].reshape(-1)
    inputs = attribution.inputs[0] if isinstance(attribution.inputs, tuple) else attribution.inputs
    names = _bar_names(attribution, kind, np.asarray(inputs[0]).reshape(-1))
    order = np.arange(len(flat)) if kind == "tokens" else np.argsort(-np.abs(flat), kind="stable")
    rows = [
        {"name": names[i], "value": float(flat[i])} for i in order[: None if kind == "tokens" else _MOST_BARS]
    ]
    told = ", ".join(f"{row['name']} {row['value']:+.2g}" for row in rows[:3])
    return {
        "bars": {"rows": rows, "limit": float(np.max(np.abs(flat), initial=0.0))},
        "alt": f"{what}: {told}{', and smaller ones' if len(flat) > 3 else ''}.",
    }


def _bar_names(attribution: Attribution, kind: str, inputs: np.ndarray) -> list[str]:
    if kind == "tokens":
        return [f"{i + 1}: token {int(token)}" for i, token in enumerate(inputs)]
    names = attribution.feature_names
    if names is None or len(names) != len(inputs):
        names = tuple(f"feature {i}" for i in range(len(inputs)))
    return [f"{name} = {value:.3g}" for name, value in zip(names, inputs, strict=True)]


def facts(attribution: Attribution, predicted: bool) -> list[list[str]]:
    """What a map cannot be judged without: target, output, baseline, gap."""
    rows = [["Target", attribution.target_label(0) + (" (predicted)" if predicted else "")]]
    output = f"{float(attribution.output[0]):.3g}"
    if attribution.baseline_output is not None:
        output += f", {float(attribution.baseline_output[0]):.3g} at the baseline"
    rows += [["Output", output], ["Baseline", attribution.baseline_label()]]
    if attribution.options.get("layer"):
        rows.append(["Layer", str(attribution.options["layer"])])
    if attribution.relative_gap is None:
        rows.append(["Gap", "none claimed: the values need not sum to the output"])
    else:
        rows.append(["Gap", f"{100 * float(attribution.relative_gap[0]):.2g} % of the output's change"])
    return rows


def tiles_part(activations: Activations, layer: str) -> Part:
    """The channels of a layer as a grid of small pictures, or its units as one strip; first sample."""
    values = activations[layer][0]
    if values.ndim == 3:
        maps = activations.maps(layer)[0]
    else:
        units = values.reshape(-1) if values.ndim != 2 else values
        maps = units[None] if units.ndim == 2 else _block(units)[None]
    shown = np.asarray(maps[:_MOST_TILES], np.float32)
    signed = bool(shown.min(initial=0.0) < 0)
    dead = int(np.all(maps == 0, axis=(1, 2)).sum()) if len(maps) > 1 else int(np.sum(maps == 0))
    units = len(maps) if len(maps) > 1 else int(values.size)
    unit = "channels" if len(maps) > 1 else "units"
    more = f"the first {len(shown)} of {units} {unit}" if len(shown) < len(maps) else f"{units} {unit}"
    note = f"{more[0].upper()}{more[1:]}; {dead} silent (all zero) for this input."
    strongest = int(np.argmax(np.abs(shown).reshape(len(shown), -1).max(1)))
    alt = f"Activations of layer {layer}: {note}" + (
        f" Strongest in channel {strongest}." if len(maps) > 1 else ""
    )
    return {
        "count": len(shown),
        "height": shown.shape[1],
        "width": shown.shape[2],
        "signed": signed,
        "limit": float(np.max(np.abs(shown), initial=0.0)),
        "note": note,
        "alt": alt,
        "title": f"Inside: layer {layer}",
        **packed(shown),
    }


def _block(units: np.ndarray) -> np.ndarray:
    """A vector of units laid out as rows of about twice their number, the rest zero."""
    width = max(1, int(np.ceil(np.sqrt(2 * len(units)))))
    rows = -(-len(units) // width)
    return np.pad(units, (0, rows * width - len(units))).reshape(rows, width)


def shares(scores: np.ndarray) -> tuple[np.ndarray, bool]:
    """Probabilities of classes, and whether a softmax was needed to make them."""
    scores = np.asarray(scores, np.float64).reshape(-1)
    if np.all(scores >= -1e-6) and abs(scores.sum() - 1) < 1e-3:
        return scores, False
    powers = np.exp(scores - scores.max())
    return powers / powers.sum(), True


def predictions_part(
    scores: np.ndarray, names: tuple[str, ...] | None, target: int | None, as_classes: bool
) -> Part:
    """Bars for one sample's outputs `(k,)`: shares of classes where they are classes, else the raw
    numbers."""
    scores = np.asarray(scores, np.float64).reshape(-1)
    values, softmax = shares(scores) if as_classes and len(scores) > 1 else (scores, False)
    share = bool(len(scores) > 1 and (as_classes or (np.all(values >= 0) and abs(values.sum() - 1) < 1e-3)))
    top = int(np.argmax(values))
    order = list(range(len(values)))
    if len(order) > 10:
        kept = set(np.argsort(-values, kind="stable")[:8].tolist()) | (
            {target} if target is not None else set()
        )
        order = sorted(kept, key=lambda i: -values[i])
    rows = [
        {
            "name": class_name(names, i),
            "value": float(values[i]),
            "top": share and i == top,
            "target": i == target,
        }
        for i in order
    ]
    heading = "Outputs" if not share else "Softmax of the outputs" if softmax else "Probability of each class"
    return {
        "rows": rows,
        "share": share,
        "limit": float(np.max(np.abs(values), initial=0.0)),
        "heading": heading,
    }


def class_name(names: tuple[str, ...] | None, index: int) -> str:
    """A class in words."""
    return str(names[index]) if names is not None and index < len(names) else f"output {index}"
