"""Is a feature hidden from gradients? What the gradient foresees of a feature's change, beside what the change does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dlexplain.audit.sections.knowledge_answers import outputs_at
from dlexplain.audit.subject import Subject
from dlexplain.frameworks.questions import Target, blocks

_SAMPLES, _DRAWS, _CELLS, _MOST = 150, 3, 4, 64
# A feature counts from an even share on, or a tenth.
_COUNTS = 0.10


@dataclass(frozen=True)
class Hidden:
    """One feature. `gradient`, `permuted`: its share of what the gradient foresees, and of what happens."""

    name: str
    gradient: float
    permuted: float

    @property
    def lost(self) -> float:
        """The part of the feature's weight that the gradient does not see; negative where it sees too much."""
        return 1 - self.gradient / max(self.permuted, 1e-12)


def hidden(subject: Subject) -> tuple[list[Hidden], list[Hidden]]:
    """The features that count, the most hidden first, and all others."""
    part = subject.sample("gradient masking", _SAMPLES)
    inputs, target = tuple(a[part] for a in subject.inputs), subject.target(part)
    gradients = [
        subject.model.one_gradient(tuple(a[b] for a in inputs), target.take(b))[1]
        for b in blocks(len(part), subject.rows)
    ]
    slopes = [np.concatenate(g).astype(np.float64) for g in zip(*gradients, strict=True)]
    rng = subject.rng("gradient masking")
    own = _scores(target, outputs_at(subject, inputs))
    names, foreseen, real = [], [], []
    for i, name, where in _features(subject):
        said = did = 0.0
        for _ in range(_DRAWS):
            partners = rng.permutation(len(part))
            change = np.where(where, inputs[i][partners] - inputs[i], 0)
            changed = (inputs[i] + change).astype(inputs[i].dtype)
            after = _scores(target, outputs_at(subject, (*inputs[:i], changed, *inputs[i + 1 :])))
            said += float(np.abs((slopes[i] * change).reshape(len(part), -1).sum(1)).mean())
            did += float(np.abs(after - own).mean())
        names.append(name)
        foreseen.append(said)
        real.append(did)
    said, did = np.array(foreseen), np.array(real)
    said, did = said / max(said.sum(), 1e-30), did / max(did.sum(), 1e-30)
    rows = [Hidden(n, float(g), float(p)) for n, g, p in zip(names, said, did, strict=True)]
    least = min(_COUNTS, 1 / len(rows))
    count = sorted((r for r in rows if r.permuted >= least), key=lambda r: -r.lost)
    return count, [r for r in rows if r.permuted < least]


def _scores(target: Target, outputs: np.ndarray) -> np.ndarray:
    return target.of((outputs,))


def _features(subject: Subject) -> list[tuple[int, str, np.ndarray]]:
    """Input, name and place (bool, shaped like one sample) of each column, sensor, or cell of a 4 by 4 grid."""
    found = []
    for i, array in enumerate(subject.inputs):
        shape, first = array.shape[1:], subject.model.layout == "channels_first"
        kind = subject.kind if len(subject.inputs) == 1 else subject.model.kinds(subject.inputs)[i]
        if kind == "image":
            axes = (1, 2) if first and len(shape) == 3 else (0, 1)
            rows, columns = (np.arange(shape[a]) * _CELLS // shape[a] for a in axes)
            lead = [1] * len(shape)
            cell = rows.reshape([-1 if k == axes[0] else n for k, n in enumerate(lead)]) * _CELLS
            cell = cell + columns.reshape([-1 if k == axes[1] else n for k, n in enumerate(lead)])
            where = [
                (f"cell in row {c // _CELLS}, column {c % _CELLS} of {_CELLS} by {_CELLS}", cell == c)
                for c in np.unique(cell)
            ]
        else:
            axis = 0 if kind == "series" and first else len(shape) - 1
            names = subject.feature_names if len(subject.feature_names) == shape[axis] else ()
            word = "sensor" if kind == "series" else "column"
            numbers = np.arange(shape[axis]).reshape([-1 if k == axis else 1 for k in range(len(shape))])
            where = [(str(names[j]) if names else f"{word} {j}", numbers == j) for j in range(shape[axis])]
        found += [(i, name, np.broadcast_to(place, shape)) for name, place in where]
    return found


def too_many(subject: Subject) -> bool:
    """More features than one even share of which could be told from noise."""
    return len(_features(subject)) > _MOST * 4
