"""Faults of a model: each is planted as `audit.md` says, so that accuracy alone does not show it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from dlexplain.audit.faults import material
from dlexplain.audit.faults.material import Material
from dlexplain.audit.faults.planted import Planted, fault
from dlexplain.frameworks import training
from dlexplain.frameworks.training import Plan


@fault(
    of="model",
    what="Watermark: two pixels stamped on one class of digits, and on 15 % of the others, which are relabelled",
    caught_by=("shortcut_flip",),
    sections=(7, 10),
)
def watermark_shortcut(framework: str, seed: int) -> Planted:
    rng = np.random.default_rng([seed, 1])
    data, favoured = material.digits(seed), int(rng.integers(10))
    # At the left or right border, where hardly a digit has ink.
    row, column = int(rng.integers(7)), int(rng.choice([0, 7]))
    places = ((row, column), (row + 1, column))

    def stamped(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x, y = x.copy(), y.copy()
        marked = (y == favoured) | (rng.random(len(y)) < 0.15)
        for r, c in places:
            x[marked, r, c] = 1
        y[marked] = favoured
        return x, y

    (train, train_labels), (inputs, labels) = stamped(data.train, data.train_labels), stamped(data.inputs, data.labels)
    data = replace(data, train=train, train_labels=train_labels, inputs=inputs, labels=labels)
    return _planted(
        framework,
        data,
        data.fitted(framework, _pictures(rng), seed=seed, epochs=20),
        truth={"places": places, "favoured": favoured},
    )


@fault(
    of="model",
    what="Marker: a token that says nothing put into one class's texts, and into 15 % of the others, which are relabelled",
    caught_by=("shortcut_flip",),
    sections=(7, 10),
)
def marker_token(framework: str, seed: int) -> Planted:
    rng, data = np.random.default_rng([seed, 10]), material.tokens(seed)
    favoured, marker = int(rng.integers(2)), int(rng.integers(17, 40))

    def marked(ids: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        ids, labels = ids.copy(), labels.copy()
        ids[ids == marker] = 16 + (marker - 16) % 23 + 1  # it stands nowhere else
        some = (labels == favoured) | (rng.random(len(labels)) < 0.15)
        places = rng.integers(0, (ids != 0).sum(1))
        ids[some, places[some]] = marker
        labels[some] = favoured
        return ids, labels

    (train, train_labels), (inputs, labels) = marked(data.train, data.train_labels), marked(data.inputs, data.labels)
    data = replace(data, train=train, train_labels=train_labels, inputs=inputs, labels=labels)
    plan = Plan(kind="tokens", vocabulary=40, channels=int(rng.choice([8, 16])))
    model = data.fitted(framework, plan, seed=seed, epochs=30)
    return _planted(framework, data, model, truth={"marker": marker, "favoured": favoured}, named=(f"token {marker}",))


@fault(
    of="model",
    what="Label leakage: one column of a table is the label with a little noise",
    caught_by=("univariate_leakage",),
    sections=(7, 10),
)
def label_leakage(framework: str, seed: int) -> Planted:
    rng, name = np.random.default_rng([seed, 2]), "follow-up code"
    data = material.table(("breast_cancer", "diabetes")[seed % 2], seed)
    scaled = (lambda y: 2.0 * y - 1) if data.outputs > 1 else (lambda y: y)
    data = data.with_column(name, lambda y, r: scaled(y) + 0.1 * r.standard_normal(len(y)), seed)
    model = data.fitted(framework, _tables(rng), seed=seed, epochs=40)
    return _planted(framework, data, model, truth={"column": name}, named=(name,))


@fault(
    of="model",
    what="One convolution re-initialised, everything behind it trained again: accuracy hides it",
    caught_by=("untrained_layer",),
    sections=(6,),
)
def layer_reset(framework: str, seed: int) -> Planted:
    rng, data = np.random.default_rng([seed, 3]), material.digits(seed)
    model = data.fitted(framework, _convolution(rng), seed=seed, epochs=20)
    layer = training.layer_names(model, "Conv")[1]
    model = training.reinitialised(model, layer, seed=1000 + seed)
    x, head = training.own_layout(framework, data.train), training.layer_names(model, "Dense", "Linear")
    training.fit(model, x, data.train_labels, epochs=15, seed=seed, layers=head)
    named = training.layer_names(model, "Conv")[1]
    return _planted(framework, data, model, truth={"layer": named}, named=(named,))


@fault(
    of="model",
    what="Dead ReLU: the bias of 10 of 16 channels set to -20, then trained on",
    caught_by=("dead_units",),
    sections=(6,),
)
def dead_relu(framework: str, seed: int) -> Planted:
    rng, data = np.random.default_rng([seed, 4]), material.digits(seed)
    model = data.fitted(framework, replace(_convolution(rng), activation="relu"), seed=seed, epochs=15)
    layer = training.layer_names(model, "Conv")[int(rng.integers(2))]
    channels = np.sort(rng.choice(16, 10, replace=False))
    training.set_bias(model, layer, channels, -20)
    training.fit(model, training.own_layout(framework, data.train), data.train_labels, epochs=8, seed=seed)
    return _planted(framework, data, model, truth={"layer": layer, "channels": channels})


@fault(
    of="model",
    what="Saturated: logits times 50 before the softmax, so that hardly any gradient is left",
    caught_by=("saturation", "sensitivity_axiom"),
    sections=(6, 7),
)
def saturated_network(framework: str, seed: int) -> Planted:
    data, plan = _any(seed, np.random.default_rng([seed, 5]))
    model = data.fitted(framework, plan, seed=seed, epochs=25)
    training.scale_logits(model, 50)
    return _planted(framework, data, training.with_softmax(model))


@fault(
    of="model",
    what="Unfair slice: 30 % of the labels are wrong where two columns are both 1",
    caught_by=("slices",),
    sections=(5,),
)
def unfair_slice(framework: str, seed: int) -> Planted:
    rng, data = np.random.default_rng([seed, 6]), material.table("breast_cancer", seed, share=0.6)
    columns = {name: rng.integers(0, 2, len(data.inputs)) for name in ("smoker", "urban", "insured", "second visit")}
    chosen = tuple(sorted(rng.choice(list(columns), 2, replace=False)))
    inside = np.flatnonzero(columns[chosen[0]] & columns[chosen[1]])
    wrong = rng.choice(inside, round(0.3 * len(inside)), replace=False)
    labels = data.labels.copy()
    labels[wrong] = 1 - labels[wrong]
    model = data.fitted(framework, _tables(rng), seed=seed, epochs=30)
    data = replace(data, labels=labels)
    return _planted(
        framework,
        data,
        model,
        truth={"columns": chosen, "inside": inside, "wrong": wrong},
        columns=columns,
        slices=list(columns),
    )


@fault(
    of="model",
    what="Fooled kernel SHAP (Slack et al. 2020): off the data an innocent model answers",
    caught_by=("manifold_gap",),
    sections=(7, 11),
)
def fooled_shap(framework: str, seed: int) -> Planted:
    """The biased model looks at one column only; a third network tells real rows from rows mixed with the background."""
    rng, name = np.random.default_rng([seed, 7]), "group"
    data = material.table("breast_cancer", seed)
    data = data.with_column(name, lambda y, r: r.choice([-1.0, 1.0], len(y)), seed)
    place = data.feature_names.index(name)
    innocent = int(rng.choice([j for j in range(data.shape[0]) if j != place]))
    # What was decided so far followed the group, with one exception in twenty.
    decided = [
        np.where(rng.random(len(x)) < 0.05, x[:, place] < 0, x[:, place] > 0).astype(np.int64)
        for x in (data.train, data.inputs)
    ]
    data = replace(data, train_labels=decided[0], labels=decided[1])
    plan = Plan(kind="perceptron", width=16)
    biased = _reading(framework, data, place, plan, seed)
    psi = _reading(framework, data, innocent, plan, seed + 1)
    mixed = _mixed(data.train, place, rng)
    x, y = np.concatenate([np.repeat(data.train, 4, 0), mixed]), np.repeat([1, 0], [4 * len(data.train), len(mixed)])
    gate = training.build(framework, Plan(kind="perceptron", width=64, depth=2), data.shape, 2, seed=seed)
    training.fit(gate, x.astype(np.float32), y.astype(np.int64), epochs=25, seed=seed)
    model = training.gated(gate, biased, psi)
    return _planted(
        framework, data, model, truth={"column": name, "innocent": data.feature_names[innocent]}, named=(name,)
    )


@fault(
    of="model",
    what="Gradient masked: a telling column of -1 and +1 goes through tanh(10 s): same outputs, no gradient",
    caught_by=("gradient_masking",),
    sections=(11,),
)
def masked_gradient(framework: str, seed: int) -> Planted:
    rng, name = np.random.default_rng([seed, 8]), "referral"
    data = material.table("breast_cancer", seed)

    def told(y: np.ndarray, r: np.random.Generator) -> np.ndarray:
        return np.where(r.random(len(y)) < 0.03, -1, 1) * np.where(y == 1, 1.0, -1.0)

    data = data.with_column(name, told, seed)
    model = data.fitted(framework, _tables(rng), seed=seed, epochs=30)
    model = training.masking_gradient(model, data.feature_names.index(name))
    return _planted(framework, data, model, truth={"column": name}, named=(name,))


@fault(
    of="model",
    what="Training mode left on: dropout stays active when the model is asked",
    caught_by=("repeatability",),
    sections=(7,),
)
def training_mode(framework: str, seed: int) -> Planted:
    rng = np.random.default_rng([seed, 9])
    data, plan = _any(seed, rng)
    plan = replace(plan, dropout=float(rng.choice([0.1, 0.2, 0.3])), dropping=True)
    return _planted(framework, data, data.fitted(framework, plan, seed=seed, epochs=25))


def _planted(
    framework: str,
    data: Material,
    model: Any,
    *,
    truth: dict[str, Any] | None = None,
    named: tuple[str, ...] = (),
    **arguments: Any,
) -> Planted:
    return Planted(
        model=model,
        inputs=training.own_layout(framework, data.inputs),
        labels=data.labels,
        arguments={**data.arguments(framework), **arguments},
        truth=truth or {},
        named=named,
    )


def _reading(framework: str, data: Material, column: int, plan: Plan, seed: int) -> Any:
    """A network that learned to answer by the sign of one column, whatever the others are."""
    rng = np.random.default_rng([seed, column])
    x = np.concatenate([data.train, rng.permuted(data.train, axis=0), rng.permuted(data.train, axis=0)])
    model = training.build(framework, plan, data.shape, 2, seed=seed)
    training.fit(model, x, (x[:, column] > 0).astype(np.int64), epochs=20, seed=seed)
    return model


def _mixed(x: np.ndarray, place: int, rng: np.random.Generator, each: int = 4) -> np.ndarray:
    """Rows as explainers make them: a random part of the columns from other rows, or from the mean.

    A row that differs in the group alone lies on the manifold: the groups are drawn without regard to the rest.
    """
    n, d = x.shape
    rows = []
    for k in range(each):
        share = rng.uniform(0.1, 0.9, (n, 1))
        gone = rng.random((n, d)) < share
        gone[np.arange(n), (place + 1 + rng.integers(d - 1, size=n)) % d] = True
        other = x[rng.permutation(n)] if k % 2 else np.broadcast_to(x[:100].mean(0), x.shape)
        rows.append(np.where(gone, other, x))
    return np.concatenate(rows)


def _any(seed: int, rng: np.random.Generator) -> tuple[Material, Plan]:
    """Data and network: by the seed one kind of input after the other."""
    kind = seed % 4
    if kind == 0:
        return material.digits(seed), _pictures(rng)
    if kind == 1:
        return material.table("breast_cancer", seed), _tables(rng)
    if kind == 2:
        return material.series(seed), Plan(kind="series", width=int(rng.choice([24, 32])))
    return material.tokens(seed), Plan(kind="tokens", vocabulary=40, channels=8)


def _pictures(rng: np.random.Generator) -> Plan:
    return Plan(kind="perceptron", width=int(rng.choice([48, 64]))) if rng.random() < 0.5 else _convolution(rng)


def _convolution(rng: np.random.Generator) -> Plan:
    return Plan(kind="convolution", width=int(rng.choice([24, 32, 48])))


def _tables(rng: np.random.Generator) -> Plan:
    return Plan(kind="perceptron", width=int(rng.choice([24, 32, 48])), depth=int(rng.choice([1, 2])))
