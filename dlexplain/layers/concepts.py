"""Does the output move along a concept: directional derivatives along what tells examples of it from others (TCAV)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlexplain.errors import InputError
from dlexplain.frameworks import Model, wrap
from dlexplain.frameworks.questions import Inputs, blocks
from dlexplain.layers import linear
from dlexplain.layers.features import check_seed


@dataclass(frozen=True, eq=False)
class ConceptSensitivity:
    """TCAV scores: the share of samples whose target rises along the concept's direction in the layer.

    `scores[concept]`, `random_scores`: `(runs,)`, one a direction. `accuracy[concept]`: how well the directions tell
    held-out examples of the concept from random ones. `p_values`: two sides, Welch's t-test of the concept's scores against
    the random ones, times the number of concepts (Bonferroni). Significant: a p-value under `level` and an accuracy over
    `chance_accuracy`, for where the examples cannot be told apart there is no direction to test.
    """

    scores: Mapping[str, np.ndarray]
    random_scores: np.ndarray
    accuracy: Mapping[str, float]
    p_values: Mapping[str, float]
    layer: str
    chance_accuracy: float
    samples: int
    level: float
    seed: int
    framework: str
    fingerprint: str

    @property
    def concepts(self) -> tuple[str, ...]:
        return tuple(self.scores)

    def significant(self, concept: str) -> bool:
        """Whether the score differs from random concepts', and the direction is more than chance."""
        return self.p_values[concept] < self.level and self.accuracy[concept] > self.chance_accuracy

    @property
    def table(self):
        """A row a concept: score and its deviation, what random concepts score, accuracy, p-value, significance."""
        import pandas as pd

        rows = [
            {
                "concept": name,
                "score": float(self.scores[name].mean()),
                "deviation": float(self.scores[name].std(ddof=1)),
                "random": float(self.random_scores.mean()),
                "accuracy": self.accuracy[name],
                "p_value": self.p_values[name],
                "significant": self.significant(name),
            }
            for name in self.concepts
        ]
        return pd.DataFrame(rows)

    def plot(self, **options: Any):
        """A Plotly figure: each concept's score beside random concepts', and whether the difference is significant."""
        from dlexplain import figures

        return figures.concept_sensitivity(self, **options)

    def __repr__(self) -> str:
        said = [
            f"{r.concept} {r.score:.2f} ({'significant' if r.significant else 'not significant'}, p={r.p_value:.2g})"
            for r in self.table.itertuples()
        ]
        return (
            f"ConceptSensitivity at {self.layer!r} ({self.framework}), {self.samples} samples, random concepts "
            f"{self.random_scores.mean():.2f}: {'; '.join(said)}"
        )


def concept_sensitivity(
    model: Any,
    inputs: Any,
    concepts: Mapping[str, Any],
    layer: str,
    *,
    target: Any = None,
    random_concepts: Any = None,
    runs: int = 20,
    level: float = 0.05,
    batch_size: int | None = None,
    seed: int = 0,
) -> ConceptSensitivity:
    """Testing with concept activation vectors, each concept against `runs` random sets.

    `concepts`: `{name: examples}`, each an array of the model's inputs. `random_concepts`: a pool of other samples, from
    which random sets are drawn, to compare with and to stand for concepts that mean nothing; None: `inputs` themselves.
    A concept whose score lies as random ones' do is not significant, however high it is.
    Kim and others (2018), Interpretability Beyond Feature Attribution, arXiv:1711.11279.
    """
    asked = wrap(model)
    check_seed(seed)
    arrays = asked.inputs(inputs)
    asked.check_layer(layer)
    if not isinstance(concepts, Mapping) or not concepts:
        raise InputError("concepts: give {'name': examples, ...}, each an array of the model's inputs.")
    if isinstance(runs, bool) or not isinstance(runs, (int, np.integer)) or runs < 3:
        raise InputError(f"runs={runs!r} must be a whole number from 3 on; a t-test needs several.")
    pool = _values(asked, arrays if random_concepts is None else asked.inputs(random_concepts), layer, batch_size)
    examples = {
        str(name): _values(asked, asked.inputs(given, f"concepts[{name!r}]"), layer, batch_size)
        for name, given in concepts.items()
    }
    size = min(len(pool) // 2, min(map(len, examples.values())))
    if size < 6:
        raise InputError(
            f"concepts: {min(map(len, examples.values()))} examples of the smallest concept and a pool of {len(pool)} random "
            "samples; give at least 6 of each concept, and twice as many random samples with random_concepts=…."
        )
    vectors, accuracy = _directions(examples, pool, size, runs, seed)
    rising = _rising(asked, arrays, layer, target, np.concatenate(list(vectors.values())), batch_size)
    shares = dict(zip(vectors, rising.reshape(len(vectors), runs), strict=True))
    null = shares.pop("")
    return ConceptSensitivity(
        shares,
        null,
        accuracy,
        {name: min(1.0, len(shares) * welch(share, null)) for name, share in shares.items()},
        layer,
        # What guessing on so many held-out examples stays under, 19 times out of 20.
        0.5 + 0.5 * 1.645 / math.sqrt(2 * (size // 2)),
        len(arrays[0]),
        level,
        seed,
        asked.framework,
        asked.fingerprint,
    )


def _values(model: Model, inputs: Inputs, layer: str, batch_size: int | None) -> np.ndarray:
    """`(n, size)`: all activations of the layer, channels last, so that twins have them in one order."""
    parts = []
    for block in blocks(len(inputs[0]), model.rows(inputs, batch_size)):
        found = model.inside(tuple(a[block] for a in inputs), (layer,))
        if layer not in found:
            raise InputError(f"layer {layer!r} is not called by the model on these inputs.")
        parts.append(_flat(model, layer, found[layer]))
    return np.concatenate(parts)


def _flat(model: Model, layer: str, values: np.ndarray) -> np.ndarray:
    turned = np.moveaxis(values, 1, -1) if model.channels_first(layer, values.ndim) else values
    return turned.reshape(len(turned), -1)


def _directions(
    examples: Mapping[str, np.ndarray], pool: np.ndarray, size: int, runs: int, seed: int
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """`(runs, width)` unit vectors a concept, random concepts under the empty name; and held-out accuracies."""
    vectors: dict[str, list[np.ndarray]] = {name: [] for name in [*examples, ""]}
    right: dict[str, list[float]] = {name: [] for name in examples}
    for run in range(runs):
        order = np.random.default_rng([seed, run]).permutation(len(pool))
        others = pool[order[:size]]
        for i, (name, rows) in enumerate(examples.items()):
            generator = np.random.default_rng([seed, run, i])
            vector, share = _vector(rows[generator.permutation(len(rows))[:size]], others, generator)
            vectors[name].append(vector)
            right[name].append(share)
        # A random concept is told from the same others as the concepts are.
        vectors[""].append(_vector(pool[order[size : 2 * size]], others, np.random.default_rng([seed, run]))[0])
    return {k: np.stack(v) for k, v in vectors.items()}, {k: float(np.mean(v)) for k, v in right.items()}


def _vector(concept: np.ndarray, others: np.ndarray, generator: np.random.Generator) -> tuple[np.ndarray, float]:
    """The direction across the border that parts one half of the examples, and its accuracy on the other."""
    held = len(concept) // 2
    rows = [part[generator.permutation(len(part))] for part in (concept, others)]
    train = np.concatenate([part[held:] for part in rows]).astype(np.float64)
    test = np.concatenate([part[:held] for part in rows]).astype(np.float64)
    labels = np.repeat([1, 0], [len(concept) - held, len(others) - held])
    middle = train.mean(0)
    centred = train - middle
    scale = np.sqrt(np.square(centred).sum(1).mean()) or 1.0
    # One scale for all units: a scale a unit would bend the direction. The border lies in the span of the samples.
    basis, _ = linear.span(centred / scale)
    weights = linear.logistic(centred / scale @ basis, labels, 2, 1e-2, None)
    direction = basis @ (weights[:-1, 1] - weights[:-1, 0])
    border = weights[-1, 1] - weights[-1, 0]
    told = (test - middle) / scale @ direction + border > 0
    share = float(np.mean(told == np.repeat([True, False], held)))
    return direction / max(np.linalg.norm(direction), 1e-30), share


def _rising(
    model: Model, inputs: Inputs, layer: str, target: Any, vectors: np.ndarray, batch_size: int | None
) -> np.ndarray:
    """For each vector the share of samples whose target rises along it."""
    rows, count = model.rows(inputs, batch_size), np.zeros(len(vectors))
    for part, goal in model.targets(inputs, target, rows):
        for block in blocks(len(part), rows):
            _, (gradient,) = model.one_gradient(tuple(a[part[block]] for a in inputs), goal.take(block), layer)
            count += (_flat(model, layer, gradient).astype(np.float64) @ vectors.T > 0).sum(0)
    return count / len(inputs[0])


def welch(a: np.ndarray, b: np.ndarray) -> float:
    """The p-value, both sides, that two sets of scores have the same mean (Welch 1947).

    The scores of `a` come from halves of the same examples and are no independent draws: their variance counts for
    more (Nadeau, Bengio 2003, Inference for the Generalization Error), else a concept of no meaning would pass too often.
    """
    parts = np.array([a.var(ddof=1) * (1 / len(a) + 1), b.var(ddof=1) / len(b)])
    difference = abs(float(a.mean() - b.mean()))
    if parts.sum() <= 1e-24:
        return 1.0 if difference <= 1e-12 else 0.0
    freedom = parts.sum() ** 2 / (parts**2 / (np.array([len(a), len(b)]) - 1)).sum()
    return student(difference / math.sqrt(parts.sum()), float(freedom))


def student(t: float, freedom: float) -> float:
    """The chance that Student's t is at least this far from zero on either side.

    With `t = sqrt(freedom) tan(u)` its density is `cos(u) ** (freedom - 1)`, smooth on a finite interval.
    """
    start = math.atan2(abs(t), math.sqrt(freedom))
    nodes, weights = np.polynomial.legendre.leggauss(256)
    width = (math.pi / 2 - start) / 2
    places = start + width * (nodes + 1)
    log_whole = math.lgamma(freedom / 2) + math.lgamma(0.5) - math.lgamma(freedom / 2 + 0.5)
    tail = width * float(weights @ np.cos(places) ** (freedom - 1))
    return min(1.0, 2 * tail / math.exp(log_whole))
