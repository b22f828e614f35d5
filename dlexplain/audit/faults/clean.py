"""Sound models of several kinds and shapes: whoever accuses one accuses falsely."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dlexplain.audit.faults import material
from dlexplain.audit.faults.material import Material
from dlexplain.audit.faults.planted import Planted
from dlexplain.frameworks import training
from dlexplain.frameworks.training import Plan


@dataclass(frozen=True, kw_only=True)
class Sound:
    """A kind of sound model. `modality`: of its inputs, as the profiles have it."""

    name: str
    modality: str
    data: Callable[[int], Material]
    kind: str
    epochs: int


CLEAN: dict[str, Sound] = {
    s.name: s
    for s in (
        Sound(name="digits, perceptron", modality="image", data=material.digits, kind="perceptron", epochs=25),
        Sound(name="digits, convolution", modality="image", data=material.digits, kind="convolution", epochs=20),
        Sound(
            name="breast cancer",
            modality="table",
            data=lambda seed: material.table("breast_cancer", seed),
            kind="perceptron",
            epochs=30,
        ),
        Sound(
            name="wine", modality="table", data=lambda seed: material.table("wine", seed), kind="perceptron", epochs=40
        ),
        Sound(
            name="diabetes (a number)",
            modality="table",
            data=lambda seed: material.table("diabetes", seed),
            kind="perceptron",
            epochs=12,
        ),
        Sound(name="series, convolution", modality="series", data=material.series, kind="series", epochs=30),
        Sound(name="series, recurrent", modality="series", data=material.series, kind="recurrent", epochs=40),
        Sound(name="tokens", modality="tokens", data=material.tokens, kind="tokens", epochs=30),
    )
}


def sound(name: str, framework: str, seed: int) -> Planted:
    """A model of that kind, nothing planted; its architecture varies with the seed."""
    facts = CLEAN[name]
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    data, plan = facts.data(seed), _plan(facts, rng)
    model = data.fitted(framework, plan, seed=seed, epochs=facts.epochs)
    softmax = data.outputs > 1 and rng.random() < 0.25
    columns = {name: rng.integers(0, 2, len(data.inputs)) for name in ("north", "second shift")}
    return Planted(
        model=training.with_softmax(model) if softmax else model,
        inputs=training.own_layout(framework, data.inputs),
        labels=data.labels,
        arguments={**data.arguments(framework), "columns": columns, "slices": list(columns)},
        truth={"plan": plan, "softmax": softmax},
    )


def _plan(facts: Sound, rng: np.random.Generator) -> Plan:
    return Plan(
        kind=facts.kind,
        width=int(rng.choice([24, 32, 64])),
        depth=int(rng.choice([1, 2])),
        channels=int(rng.choice([8, 16])) if facts.kind != "recurrent" else 16,
        activation=str(rng.choice(["relu", "relu", "tanh", "gelu"])),
        dropout=float(rng.choice([0, 0, 0.2])),
        norm=bool(rng.random() < 0.2),
        vocabulary=40 if facts.kind == "tokens" else None,
    )
