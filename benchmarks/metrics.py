"""The metrics of explanations beside the bare masked forward passes and beside Quantus, with the same settings."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

import dlexplain as dlx
from benchmarks.masks import raw_keras, raw_torch
from benchmarks.timing import Row, fastest, timed
from benchmarks.work import DIGITS, ROWS, Size

SIZES = {
    "small": DIGITS,
    "large": Size("28x28 digits, two convolutions, 16 images", 16, (28, 28, 1), (16, 32), (64,), 10),
}
FIVE = 5  # three methods and the two control rows
_QUIET = {"disable_warnings": True, "normalise": False}
_ZERO = {**_QUIET, "perturb_baseline": 0.0}


def settings(metric: str, features: int, window: int) -> tuple[int, dict[str, Any], str, dict[str, Any], str]:
    """Passes a sample, our options, Quantus's class and its options, and in what the two differ."""
    together = next(n for n in range(1, features + 1) if features % n == 0 and features // n <= 64)  # Quantus: no rest
    steps = -(-features // together)
    regions = (int(features**0.5) // window) ** 2
    percentages = (10, 20, 30, 40, 50, 70, 90)
    return {
        "faithfulness_correlation": (
            100, {"samples": 100, "share": 0.25},
            "FaithfulnessCorrelation", {**_ZERO, "abs": False, "nr_runs": 100, "subset_size": features // 4}, "",
        ),
        "faithfulness_estimate": (
            steps, {"together": together},
            "FaithfulnessEstimate", {**_ZERO, "abs": False, "features_in_step": together}, "",
        ),
        "pixel_flipping": (
            steps, {"steps": steps},
            "PixelFlipping", {**_ZERO, "abs": False, "features_in_step": together}, "",
        ),
        "region_perturbation": (
            regions, {"window": window},
            "RegionPerturbation", {**_ZERO, "abs": False, "patch_size": window}, "",
        ),
        "monotonicity": (
            steps, {"together": together},
            "MonotonicityCorrelation",
            {**_ZERO, "abs": True, "nr_samples": 1, "features_in_step": together}, "",
        ),
        "infidelity": (
            regions, {"samples": regions},
            "Infidelity", {**_ZERO, "abs": False, "perturb_patch_sizes": [window], "n_perturb_samples": 1},
            "as many disturbances: Quantus's are patches, ours random sets",
        ),
        "sensitivity_n": (
            steps, {"sizes": tuple(range(1, 9)), "samples": steps // 8},
            "SensitivityN", {**_ZERO, "abs": False, "features_in_step": together},
            "as many passes: Quantus does not compute the paper's measure",
        ),
        "road": (
            len(percentages), {"shares": tuple(p / 100 for p in percentages)},
            "ROAD", {**_QUIET, "abs": False, "percentages": list(percentages)}, "",
        ),
    }[metric]  # fmt: skip


METRICS = (
    "faithfulness_correlation",
    "faithfulness_estimate",
    "pixel_flipping",
    "region_perturbation",
    "monotonicity",
    "infidelity",
    "sensitivity_n",
    "road",
)


def row(framework: str, metric: str, size: str, maps: int) -> Row:
    """One metric of some maps a sample: all of `dlx.evaluate`, beside the passes alone, map by map, and Quantus."""
    work = SIZES[size]
    module = importlib.import_module(f"benchmarks.{framework}_rows")
    model, x = module.network(work), module.inputs(work)
    goal = dlx.wrap(model).predict(x).argmax(1)
    values = list(np.random.default_rng(0).standard_normal((maps, *x.shape)).astype(np.float32))
    passes, options, name, theirs, notes = settings(metric, int(np.prod(work.shape[:2])), 2 if size == "small" else 4)
    masks = np.random.default_rng(1).random((passes, *x.shape[1:])) < 0.75
    raw = raw_torch if framework == "torch" else raw_keras
    best, bare = fastest(raw(model, x, goal, masks, np.zeros_like(x[:1]), (*ROWS, 2048)))
    asked = {"target": list(goal), "controls": False, "options": {metric: options}}
    contenders: dict[str, Callable[[], object]] = {
        "raw": lambda: [bare() for _ in values],
        "dlexplain": partial(dlx.evaluate, model, x, {str(i): v for i, v in enumerate(values)}, metric, **asked),
    }
    said = f"raw: {best}" + (f"; {notes}" if notes else "")
    label = f"{metric} of {maps} map{'s' if maps > 1 else ''}, {passes} passes each; {work.name}"
    try:
        contenders["Quantus"] = _quantus(name, theirs, framework, model, x, goal, values)
    except ImportError as error:
        return Row(label, framework, contenders, {"Quantus": f"not installed: {error.name}"}, said)
    if framework == "torch":
        limit = _share(contenders["raw"], contenders["Quantus"])
        said += f"; the passes alone, asked for every map, are {limit:.2f} of Quantus's processor time"
    else:
        said += "; Quantus calls Keras's `predict` at every step"
    return Row(label, framework, contenders, {}, said)


def _share(bare: Callable[[], object], theirs: Callable[[], object]) -> float:
    """How much of Quantus's processor time its passes would take at their best: who makes as many is no faster."""
    theirs()
    return min(timed(bare)[1] for _ in range(5)) / timed(theirs)[1]


def _quantus(name: str, options: Mapping[str, Any], framework: str, model, x, goal, values) -> Callable[[], object]:
    import quantus

    first = framework == "torch"

    def one(map: np.ndarray) -> object:
        metric = getattr(quantus, name)(**options)
        map = map if first else np.moveaxis(map, -1, 1)  # Quantus wants maps channels first, whatever the inputs
        return metric(
            model=model, x_batch=x, y_batch=goal, a_batch=map.copy(), channel_first=first, softmax=False,
            batch_size=len(x), device="cpu" if first else None,
        )  # fmt: skip

    def run() -> object:
        return [one(map) for map in values]

    return run


def rows_of(framework: str) -> Mapping[str, Callable[[], Row]]:
    """Rows by name, as the modules of rows hold them."""
    # Quantus asks Keras through `predict`, step by step: seconds a map, and every map as long as the first.
    asked = (("small", 1), ("small", FIVE), ("large", FIVE)) if framework == "torch" else (("small", 1), ("large", 1))
    return {f"metric-{m}-{s}-{n}": partial(row, framework, m, s, n) for s, n in asked for m in METRICS}
