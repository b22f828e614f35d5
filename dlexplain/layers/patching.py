"""What carries the answer: activations of one run put into another, and how far the answer follows."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlexplain.errors import InputError
from dlexplain.frameworks import Model, targets, wrap
from dlexplain.frameworks.questions import Inputs, Target, grid
from dlexplain.layers.features import channels_last, named


@dataclass(frozen=True, eq=False)
class Patching:
    """`effects[layer]`: `(n, parts)`, the share of the way from the corrupted to the clean score (or back, for
    `direction="break"`) that the part's activations carry: 0 nothing, 1 all of it; over 1 and under 0 are possible.

    One part for `by="layer"`, else one a position or unit. NaN where clean and corrupted scores are the same.
    """

    effects: Mapping[str, np.ndarray]
    clean_score: np.ndarray
    corrupted_score: np.ndarray
    by: str
    direction: str
    target: np.ndarray
    framework: str
    fingerprint: str

    @property
    def layers(self) -> tuple[str, ...]:
        return tuple(self.effects)

    def matrix(self, sample: int | None = None) -> np.ndarray:
        """`(layers, parts)`: one sample's effects or the mean over samples; NaN where a layer has fewer parts."""
        found = np.full((len(self.effects), max(e.shape[1] for e in self.effects.values())), np.nan)
        for row, effect in zip(found, self.effects.values(), strict=True):
            known = effect if sample is None else effect[[sample]]
            known = known[np.isfinite(known).all(1)]
            if len(known):
                row[: effect.shape[1]] = known.mean(0)
        return found

    @property
    def table(self):
        """A row a layer and part: mean effect over the samples and its deviation."""
        import pandas as pd

        rows = []
        for name, effect in self.effects.items():
            known = effect[np.isfinite(effect).all(1)]
            for part in range(effect.shape[1]):
                place = {} if self.by == "layer" else {self.by: part}
                mean = float(known[:, part].mean()) if len(known) else np.nan
                deviation = float(known[:, part].std()) if len(known) else np.nan
                rows.append({"layer": name, **place, "effect": mean, "deviation": deviation})
        return pd.DataFrame(rows)

    def plot(self, **options: Any):
        """A Plotly figure: effects layer by layer, or by layer and position; see `figures.patching`."""
        from dlexplain import figures

        return figures.patching(self, **options)

    def __repr__(self) -> str:
        table = self.table
        if not table.effect.notna().any():
            return f"Patching ({self.framework}): clean and corrupted scores are the same"
        best = table.loc[table.effect.abs().idxmax()]
        where = "" if self.by == "layer" else f", {self.by} {int(best[self.by])}"
        return (
            f"Patching of {len(self.effects)} layers by {self.by} ({self.framework}, {self.direction}), "
            f"{len(self.clean_score)} pairs: largest effect {best.effect:.3g} at {best.layer!r}{where}"
        )


def patch(
    model: Any,
    clean: Any,
    corrupted: Any,
    layers: str | Sequence[str] | None = None,
    *,
    target: Any = None,
    by: str = "layer",
    direction: str = "restore",
    batch_size: int | None = None,
) -> Patching:
    """Activation patching of pairs of samples, one layer (and position, or unit) at a time.

    `direction="restore"` puts clean activations into the corrupted run, `"break"` corrupted ones into the clean run.
    `layers` None: all that are called. `target` as in `explain`; None: the class predicted for the clean sample.
    Meng and others (2022), arXiv:2202.05262; Zhang, Nanda (2023), arXiv:2309.16042.
    """
    asked = wrap(model)
    both = asked.inputs(clean, "clean"), asked.inputs(corrupted, "corrupted")
    if any(a.shape != b.shape for a, b in zip(*both, strict=True)):
        raise InputError(
            f"corrupted: shapes {[b.shape for b in both[1]]} are not those of clean {[a.shape for a in both[0]]}; each "
            "sample needs its partner."
        )
    for name, value, known in (
        ("by", by, ("layer", "position", "unit")),
        ("direction", direction, ("restore", "break")),
    ):
        if value not in known:
            raise InputError(f"{name}={value!r} must be one of {', '.join(map(repr, known))}.")
    rows = asked.rows(both[0], batch_size)
    outputs = [asked.all_outputs(arrays, rows) for arrays in both]
    groups = targets.resolve(target, outputs[0], asked.class_names)
    score = [np.zeros(len(both[0][0])) for _ in both]
    names = named(asked, both[0], layers)
    effects: dict[str, np.ndarray] = {}
    for part, goal in groups:
        for own, output in zip(score, outputs, strict=True):
            own[part] = goal.of(tuple(o[part] for o in output))
        sample = [tuple(a[part] for a in arrays) for arrays in both]
        giver, taker = sample if direction == "restore" else sample[::-1]
        for name in names:
            changed = _patched(asked, giver, taker, name, goal, by, rows)
            if changed is not None:
                effects.setdefault(name, np.zeros((len(both[0][0]), changed.shape[1])))[part] = changed
    if not effects:
        raise InputError(f"by={by!r}: none of the layers is called on these inputs and has such parts.")
    start, end = score[::-1] if direction == "restore" else score
    way = end - start
    moved = np.abs(way) > 1e-6 * np.maximum(np.abs(start), np.abs(end))
    if not moved.all():
        warnings.warn(
            f"patch: clean and corrupted scores are the same for samples {np.flatnonzero(~moved).tolist()[:8]}; their effects "
            "are no numbers.",
            UserWarning,
            stacklevel=2,
        )
    way = np.where(moved, way, np.nan)
    return Patching(
        {name: ((changed - start[:, None]) / way[:, None]).astype(np.float32) for name, changed in effects.items()},
        score[0].astype(np.float32),
        score[1].astype(np.float32),
        by,
        direction,
        targets.merged(groups, len(score[0]), len(outputs[0])),
        asked.framework,
        asked.fingerprint,
    )


def _patched(
    model: Model, giver: Inputs, taker: Inputs, layer: str, target: Target, by: str, rows: int
) -> np.ndarray | None:
    """`(n, parts)`: the taker's score with one part of the layer from the giver; None where the layer has no such parts."""
    few = tuple(a[:1] for a in giver)
    shape = model.inside(few, (layer,)).get(layer)
    if shape is None or shape.dtype.kind != "f" or shape.ndim < 2 or (by == "position" and shape.ndim < 3):
        return None
    places = channels_last(model, layer, shape).shape[1:]
    count = {"layer": 1, "position": int(np.prod(places[:-1])), "unit": places[-1]}[by]
    scores = np.zeros((len(giver[0]), count))
    known: slice | None = None
    for ns, ks in grid(len(giver[0]), count, rows):
        wide, k = [tuple(a[ns] for a in arrays) for arrays in (giver, taker)], ks.stop - ks.start
        if ns != known:  # the blocks of one group of samples follow each other
            known = ns
            new, old = (channels_last(model, layer, model.inside(arrays, (layer,))[layer]) for arrays in wide)
            new = new.reshape(len(old), -1, places[-1])
        mixed = np.repeat(old[:, None], k, 1)
        flat = mixed.reshape(len(old), k, -1, places[-1])
        for i, part in enumerate(range(ks.start, ks.stop)):
            where = {"layer": np.s_[:, :], "position": np.s_[part, :], "unit": np.s_[:, part]}[by]
            flat[(slice(None), i, *where)] = new[(slice(None), *where)]
        whole = flat.reshape(-1, *places)
        whole = np.moveaxis(whole, -1, 1) if model.channels_first(layer, whole.ndim) else whole
        inputs = tuple(np.repeat(a, k, 0) for a in wide[1])
        outputs = model.run_from(layer, np.ascontiguousarray(whole), inputs if len(inputs) > 1 else inputs[0])
        goal = Target(np.repeat(target.index[ns], k, 0), target.head)
        scores[ns, ks] = goal.of(outputs if isinstance(outputs, tuple) else (outputs,)).reshape(len(old), k)
    return scores
