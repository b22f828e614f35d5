"""What a linear reader can tell from each layer, and how much of that the reader alone could have learnt by heart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlexplain.errors import InputError
from dlexplain.frameworks import wrap
from dlexplain.layers import features, linear


@dataclass(frozen=True, eq=False)
class Probes:
    """Held-out scores of a linear probe of each layer: accuracy, or for real-numbered labels R².

    `scores`, `control`: `{layer: (folds,)}`; the control is the same probe on shuffled labels. `chance`: the share of the
    commonest class (0 for R²). `selectivity`: score less control, which a probe that learns by heart has not.
    """

    scores: Mapping[str, np.ndarray]
    control: Mapping[str, np.ndarray]
    chance: float
    task: str
    reductions: Mapping[str, str]
    strengths: Mapping[str, tuple[float, ...]]
    samples: int
    seed: int
    framework: str
    fingerprint: str

    @property
    def layers(self) -> tuple[str, ...]:
        return tuple(self.scores)

    @property
    def metric(self) -> str:
        return "accuracy" if self.task == "classification" else "R²"

    @property
    def table(self):
        """A row a layer: score and its deviation over the folds, control, selectivity, chance, features."""
        import pandas as pd

        rows = [
            {
                "layer": name,
                "score": float(np.mean(self.scores[name])),
                "deviation": float(np.std(self.scores[name])),
                "control": float(np.mean(self.control[name])),
                "selectivity": float(np.mean(self.scores[name]) - np.mean(self.control[name])),
                "chance": self.chance,
                "features": self.reductions[name],
            }
            for name in self.layers
        ]
        return pd.DataFrame(rows)

    def plot(self, **options: Any):
        """A Plotly figure: score, control and chance, layer by layer."""
        from dlexplain import figures

        return figures.probes(self, **options)

    def __repr__(self) -> str:
        table = self.table
        best = table.loc[table.selectivity.idxmax()]
        return (
            f"Probes of {len(self.layers)} layers ({self.framework}), {self.metric} on samples never trained on: best "
            f"{best.layer!r} {best.score:.3f}, control {best.control:.3f}, chance {self.chance:.3f}"
        )


def probe(
    model: Any,
    inputs: Any,
    labels: Any,
    layer: str | Sequence[str] | None = None,
    *,
    task: str | None = None,
    folds: int = 5,
    groups: Any = None,
    limit: int = 256,
    batch_size: int | None = None,
    seed: int = 0,
) -> Probes:
    """Linear probes of layers (None: all), cross-validated, each beside a control on shuffled labels.

    `labels`: `(n,)` classes (whole numbers or words: logistic regression) or real numbers (ridge regression), as `task`
    says or, when None, as they look; `(n, positions)` labels each position of layers that hold positions, and then no sample is in two folds. `groups`: `(n,)`,
    samples that must stay together (one patient, one machine). Larger activations are reduced to `limit` numbers, as the
    result says. The penalty is chosen inside each training fold.
    Alain, Bengio (2016), arXiv:1610.01644; controls: Hewitt, Liang (2019), arXiv:1909.03368.
    """
    asked = wrap(model)
    features.check_seed(seed)
    arrays = asked.inputs(inputs)
    wanted, classes, positions = _labels(labels, len(arrays[0]), task)
    together = _groups(groups, len(arrays[0]))
    if positions is not None:
        together = np.repeat(np.arange(len(arrays[0])) if together is None else together, positions)
    parts = _parts(wanted, classes, folds, together, seed)
    names = features.named(asked, arrays, layer)
    found = features.gather(asked, arrays, names, limit, seed=seed, batch_size=batch_size, positions=positions)
    shuffled = wanted[np.random.default_rng([seed, 1]).permutation(len(wanted))]
    scores, control, strengths = {}, {}, {}
    for name, read in found.items():
        scores[name], strengths[name] = _held_out(read.values, wanted, classes, parts, together, seed)
        control[name], _ = _held_out(read.values, shuffled, classes, parts, together, seed)
    return Probes(
        scores,
        control,
        0.0 if classes is None else float(np.bincount(wanted).max() / len(wanted)),
        "regression" if classes is None else "classification",
        {name: read.reduction for name, read in found.items()},
        strengths,
        len(wanted),
        seed,
        asked.framework,
        asked.fingerprint,
    )


def _held_out(
    x: np.ndarray, y: np.ndarray, classes: int | None, parts: np.ndarray, groups: np.ndarray | None, seed: int
) -> tuple[np.ndarray, tuple[float, ...]]:
    """`(folds,)` scores on the fold left out, and the strength each training fold chose for itself."""
    scores, strengths = [], []
    for part in range(parts.max() + 1):
        train, test = parts != part, parts == part
        inner = linear.dealt(
            y[train], 3, np.random.default_rng([seed, 2, part]), None if groups is None else groups[train]
        )
        reader = linear.fit(x[train], y[train], classes, inner)
        given = reader.scores(x[test])
        if classes is None:
            scores.append(
                1 - np.square(given[:, 0] - y[test]).sum() / max(np.square(y[test] - y[train].mean()).sum(), 1e-30)
            )
        else:
            scores.append(np.mean(given.argmax(1) == y[test]))
        strengths.append(reader.strength)
    return np.array(scores), tuple(strengths)


def _labels(labels: Any, n: int, task: str | None) -> tuple[np.ndarray, int | None, int | None]:
    """Class numbers or real numbers in one row, how many classes (None: real numbers), positions (None: one a sample)."""
    given = np.asarray(labels.detach().cpu() if hasattr(labels, "detach") else labels)
    if given.ndim == 2 and given.shape[1] == 1:
        given = given[:, 0]
    if given.ndim not in (1, 2) or len(given) != n:
        raise InputError(
            f"labels: shape {given.shape}; needs one label a sample ({n},), or one a position ({n}, positions)."
        )
    positions = given.shape[1] if given.ndim == 2 else None
    flat = given.reshape(-1)
    if flat.dtype.kind == "O":
        flat = flat.astype(str)
    if flat.dtype.kind == "f" and not np.isfinite(flat).all():
        raise InputError("labels: some are NaN or infinite. Leave those samples out.")
    if task not in (None, "classification", "regression"):
        raise InputError(f"task={task!r} must be 'classification', 'regression' or None.")
    if task == "regression" and flat.dtype.kind not in "iuf":
        raise InputError(f"labels: {flat.dtype} cannot be regressed on; give numbers.")
    if task == "regression" or (task is None and flat.dtype.kind == "f" and (flat != np.round(flat)).any()):
        return flat.astype(np.float64), None, positions
    known, numbers = np.unique(flat, return_inverse=True)
    if len(known) < 2:
        raise InputError(f"labels: all are {known[0]!r}; a probe needs at least two classes.")
    return numbers.reshape(-1).astype(np.int64), len(known), positions


def _groups(groups: Any, n: int) -> np.ndarray | None:
    if groups is None:
        return None
    given = np.asarray(groups)
    if given.shape != (n,):
        raise InputError(f"groups: shape {given.shape}; needs one group a sample ({n},).")
    return np.unique(given, return_inverse=True)[1].reshape(-1)


def _parts(y: np.ndarray, classes: int | None, folds: int, groups: np.ndarray | None, seed: int) -> np.ndarray:
    if isinstance(folds, bool) or not isinstance(folds, (int, np.integer)) or folds < 2:
        raise InputError(f"folds={folds!r} must be a whole number from 2 on.")
    if classes is not None and np.bincount(y).min() < 2:
        raise InputError(
            "labels: the rarest class has one sample, so it cannot be both trained on and tested on. Leave it out, or "
            "give task='regression' where the labels are real numbers."
        )
    held = len(y) if groups is None else len(np.unique(groups))
    if held < 4 or folds > held:
        raise InputError(f"folds={folds}: {held} samples or groups are too few to hold some out.")
    return linear.dealt(y, folds, np.random.default_rng([seed, 0]), groups)
