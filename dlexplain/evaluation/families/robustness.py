"""Does the map hold still when the input hardly moves? A map that ignores the model is stillest of all: never alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlexplain.evaluation.families.robustness_nearby import near, points, relative
from dlexplain.evaluation.metric import metric
from dlexplain.evaluation.trial import Trial
from dlexplain.frameworks.questions import blocks

_FACTS = {
    "family": "robustness",
    "better": "lower",
    "best": 0.0,
    "needs": ("explain",),
    "kinds": ("image", "table", "series"),
}
_COST = "samples x 1 explanation, shared by the family"
_BLIND = "a map that ignores the model is perfectly still; a model that jumps should have maps that jump"


@metric(
    answers="How far can the map turn when the input hardly moves?",
    cost=_COST,
    cannot=_BLIND,
    paper="arXiv:1901.09392",
    default=True,
    **_FACTS,
)
def max_sensitivity(trial: Trial, *, samples: int = 10, noise: float = 0.05, scale: Any = None) -> np.ndarray:
    """Largest length of the map's change, in lengths of the map, over points drawn evenly near each sample.

    Each feature moves by at most `noise` times its scale: its standard deviation over the samples, or what `scale`
    gives, an array an input that fits one sample. Yeh, Hsieh, Suggala, Inouye, Ravikumar (2019), On the (In)fidelity
    and Sensitivity of Explanations, arXiv:1901.09392; relative to the map, so that its unit does not count.
    """
    return _share(trial, samples, noise, scale).max(1)


@metric(
    answers="How far does the map turn, on average, when the input hardly moves?",
    cost=_COST,
    cannot=_BLIND,
    paper="arXiv:1901.09392",
    **_FACTS,
)
def avg_sensitivity(trial: Trial, *, samples: int = 10, noise: float = 0.05, scale: Any = None) -> np.ndarray:
    """As `max_sensitivity`, the mean over the points instead of the largest.

    Yeh, Hsieh, Suggala, Inouye, Ravikumar (2019), On the (In)fidelity and Sensitivity of Explanations,
    arXiv:1901.09392.
    """
    return _share(trial, samples, noise, scale).mean(1)


@metric(
    answers="How steeply does the map change with the input hereabouts?",
    cost=_COST,
    cannot=_BLIND + "; depends on the units of inputs and outputs",
    paper="arXiv:1806.08049",
    **_FACTS,
)
def local_lipschitz(trial: Trial, *, samples: int = 10, noise: float = 0.05, scale: Any = None) -> np.ndarray:
    """Largest length of the map's change by the length of the input's change, over points drawn as in `max_sensitivity`.

    Alvarez-Melis, Jaakkola (2018), On the Robustness of Interpretability Methods, arXiv:1806.08049.
    """
    found = near(trial, samples, noise, scale, _FLOOR)
    return (found.moved / _not_zero(found.away)).max(1)


@metric(
    answers="How much does the map change, in shares, for a change of the input in shares?",
    cost=_COST,
    cannot=_BLIND + "; values near zero have no share: `floor` decides how they count",
    paper="arXiv:2203.06877",
    **_FACTS,
)
def relative_input_stability(
    trial: Trial, *, samples: int = 10, noise: float = 0.05, scale: Any = None, floor: float = 1e-3
) -> np.ndarray:
    """Largest length of the map's relative change by that of the input's, over near points of the same class.

    Change is relative value by value; one under `floor` of the sample's largest counts as that much. NaN where every
    point changes the class. Agarwal, Johnson, Pawelczyk, Krishna, Saxena, Zitnik, Lakkaraju (2022), Rethinking
    Stability for Attribution-based Explanations, arXiv:2203.06877.
    """
    found = near(trial, samples, noise, scale, floor)
    return _largest(found.moved_share / _not_zero(found.away_share), _kept(trial, samples, noise, scale)[0])


@metric(
    answers="How much does the map change, in shares, for a change of the model's outputs?",
    cost=_COST + ", samples x 1 forward",
    cannot=_BLIND + "; depends on the outputs' unit: logits and probabilities differ",
    paper="arXiv:2203.06877",
    **_FACTS,
)
def relative_output_stability(
    trial: Trial, *, samples: int = 10, noise: float = 0.05, scale: Any = None, floor: float = 1e-3
) -> np.ndarray:
    """Largest length of the map's relative change by the length of the outputs' change, over near points of the same
    class; the outputs are what the model gives (the paper: logits). NaN where every point changes the class.

    Agarwal, Johnson, Pawelczyk, Krishna, Saxena, Zitnik, Lakkaraju (2022), arXiv:2203.06877.
    """
    found = near(trial, samples, noise, scale, floor)
    same, outputs = _kept(trial, samples, noise, scale)
    return _largest(found.moved_share / _not_zero(outputs), same)


@metric(
    answers="How much does the map change, in shares, for a change of what the last layer sees?",
    cost=_COST + ", samples x 2 forward",
    cannot=_BLIND + "; values near zero have no share: `floor` decides how they count",
    paper="arXiv:2203.06877",
    **_FACTS,
)
def relative_representation_stability(
    trial: Trial,
    *,
    samples: int = 10,
    noise: float = 0.05,
    scale: Any = None,
    floor: float = 1e-3,
    layer: str | None = None,
) -> np.ndarray:
    """Largest length of the map's relative change by that of a layer's activations, over near points of the same class.

    `layer`: None is the one called just before the last layer with weights; the inputs where there is none.
    Agarwal, Johnson, Pawelczyk, Krishna, Saxena, Zitnik, Lakkaraju (2022), arXiv:2203.06877.
    """
    found = near(trial, samples, noise, scale, floor)
    if layer is not None:
        trial.model.check_layer(layer)
    name = representation(trial) if layer is None else layer
    if name is None:
        moved = found.away_share
    else:
        own, n = _inside(trial, trial.inputs, name), len(trial)
        parts = []
        for draws, inputs in points(trial, samples, noise, scale):
            there = _inside(trial, inputs, name).reshape(n, draws.stop - draws.start, -1)
            parts.append(relative(there - own[:, None], own, floor))
        moved = np.concatenate(parts, 1)
    return _largest(found.moved_share / _not_zero(moved), _kept(trial, samples, noise, scale)[0])


_FLOOR = 1e-3


def representation(trial: Trial) -> str | None:
    """The layer whose activations the last layer with weights is given, by the order of the calls."""
    called = list(trial.model.shapes(trial.inputs))
    last = next(reversed(trial.model.weighted(trial.inputs)), "")
    if not last:
        return None
    before = [name for name in called[: called.index(last)] if not last.startswith((f"{name}.", f"{name}/"))]
    return before[-1] if before else None


def _share(trial: Trial, samples: int, noise: float, scale: Any) -> np.ndarray:
    """`(n, samples)`; an empty map that stays empty has not moved, one that does not has no share."""
    found = near(trial, samples, noise, scale, _FLOOR)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = found.moved / found.size[:, None]
    return np.where(found.moved == 0, 0.0, np.where(found.size[:, None] == 0, np.nan, share))


def _kept(trial: Trial, samples: int, noise: float, scale: Any) -> tuple[np.ndarray, np.ndarray]:
    """`(n, samples)` each: whether a point keeps the sample's class, and how far the outputs of the head move."""
    n, head = len(trial), trial.target.head
    own = _outputs(trial, trial.inputs, head)[:, None]
    same, moved = [], []
    for draws, inputs in points(trial, samples, noise, scale):
        there = _outputs(trial, inputs, head).reshape(n, draws.stop - draws.start, *own.shape[2:])
        # A head of one number has no classes.
        same.append((there.argmax(-1) == own.argmax(-1)).reshape(*there.shape[:2], -1).all(-1))
        moved.append(np.linalg.norm((there - own).reshape(*there.shape[:2], -1), axis=-1))
    return np.concatenate(same, 1), np.concatenate(moved, 1)


def _outputs(trial: Trial, inputs: tuple, head: int) -> np.ndarray:
    values = np.asarray(trial.model.all_outputs(inputs, trial.rows)[head], np.float64)
    return values.reshape(len(values), -1) if values.ndim == 1 else values


def _inside(trial: Trial, inputs: tuple, layer: str) -> np.ndarray:
    parts = [
        trial.model.inside(tuple(a[b] for a in inputs), [layer])[layer] for b in blocks(len(inputs[0]), trial.rows)
    ]
    values = np.concatenate(parts)
    return np.asarray(values, np.float64).reshape(len(values), -1)


def _not_zero(lengths: np.ndarray) -> np.ndarray:
    return np.maximum(lengths, np.finfo(np.float32).tiny)


def _largest(values: np.ndarray, of: np.ndarray) -> np.ndarray:
    """The largest of each row among those chosen; NaN where none is."""
    kept = np.where(of, values, -np.inf).max(1)
    return np.where(of.any(1), kept, np.nan)
