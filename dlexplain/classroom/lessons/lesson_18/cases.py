"""Lesson 18's networks: the page's own patients, and the sealed cases whose faults only the desk knows.

The tables are the breast cancer data of scikit-learn. Columns that are not measurements (visits, origin of a sample)
are invented here, so that the truth is known.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from dlexplain.audit.faults import material, models
from dlexplain.audit.faults.material import Material
from dlexplain.audit.faults.planted import Planted
from dlexplain.frameworks.training import Plan

VISITS = "clinic visits"
WARD = "days on the ward"
ORIGINS = ("posted", "summer", "night", "second sample")
SECTIONS = (3, 4, 5, 6, 7, 8, 10)

FAULTS = {
    "none": "no fault",
    "leak": "leak: a column knows the answer",
    "mark": "shortcut: a mark in the picture",
    "group": "much worse for one group",
    "dead": "dead units: a part does no work",
    "chance": "chance: two answers to one question",
    "swapped": "explained with another class",
}


def patients(seed: int = 0, *, measured: str = "mean") -> Material:
    """Ten measurements of a sample of cells, standardised. `measured`: their mean, or their error (a rougher figure)."""
    every = material.table("breast_cancer", seed)
    kept = [i for i, name in enumerate(every.feature_names) if measured in name.split()]
    names = tuple(every.feature_names[i].replace("mean ", "") for i in kept)
    return replace(
        every,
        train=every.train[:, kept],
        inputs=every.inputs[:, kept],
        feature_names=names,
        class_names=("sick", "healthy"),
    )


def patient_files() -> Material:
    """The patients as the hospital's file has them: ten measurements, and one more column."""
    return with_leak(patients(), noise=0.1)


def without(data: Material, column: str) -> Material:
    """The same table without a column."""
    kept = [i for i, name in enumerate(data.feature_names) if name != column]
    names = tuple(data.feature_names[i] for i in kept)
    return replace(data, train=data.train[:, kept], inputs=data.inputs[:, kept], feature_names=names)


def with_leak(data: Material, name: str = VISITS, *, noise: float, seed: int = 0) -> Material:
    """One column more: high for the sick, low for the healthy, blurred by `noise`; it is filled in afterwards."""
    return data.with_column(name, lambda y, rng: (1 - 2.0 * y) + noise * rng.standard_normal(len(y)), seed)


def in_use(data: Material, name: str = VISITS) -> np.ndarray:
    """The audit's rows as the model meets them in use: nobody has been to the clinic yet, so the column is low for all."""
    column = data.feature_names.index(name)
    rows = data.inputs.copy()
    rows[:, column] = data.train[data.train_labels == 1, column].mean()
    return rows


def found(model: Any, rows: np.ndarray, labels: np.ndarray) -> float:
    """The share of the sick (class 0) that the model finds."""
    from dlexplain.frameworks.wrap import wrap

    read = wrap(model).predict(rows).argmax(1)
    return float((read[labels == 0] == 0).mean())


def origins(rows: int, seed: int) -> dict[str, np.ndarray]:
    """Four invented yes-or-no columns that say where a sample comes from."""
    rng = np.random.default_rng([seed, 18])
    return {name: rng.integers(0, 2, rows) for name in ORIGINS}


def spoiled(data: Material, columns: Mapping[str, np.ndarray], *, share: float = 0.8, seed: int = 0) -> Material:
    """Samples posted in summer are spoiled: a share of them carries another such sample's measurements."""
    rng = np.random.default_rng([seed, 19])
    inside = np.flatnonzero(columns["posted"] & columns["summer"])
    gone = rng.choice(inside, round(share * len(inside)), replace=False)
    inputs = data.inputs.copy()
    inputs[gone] = inputs[rng.permutation(gone)]
    return replace(data, inputs=inputs)


# What a textbook on cell samples calls telling, for the ten measurements in their order.
TEXTBOOK = {"radius": 1.0, "texture": 0.3, "perimeter": 1.0, "area": 0.9, "concavity": 0.8, "concave points": 1.0}


def four_maps(data: Material) -> dict[str, Any]:
    """Four explainers under letters: another class's map, the textbook's, integrated gradients, dice."""
    baseline = data.train[:100].mean(0)
    weights = np.array([TEXTBOOK.get(name, 0.1) for name in data.feature_names])

    def gradients(model: Any, inputs: Any, target: Any, *, other: bool) -> Any:
        from dlexplain.attribution import explain

        index = target.index[:, 0]
        return explain(
            model, inputs[0], "integrated_gradients", target=(1 - index if other else index).tolist(), baseline=baseline
        ).values

    def dice(model: Any, inputs: Any, target: Any, seed: int) -> Any:
        drawn = zlib.crc32(np.ascontiguousarray(model.predict(inputs[0])).tobytes())  # other weights, another throw
        return np.random.default_rng(drawn).normal(size=inputs[0].shape)

    def textbook(model: Any, inputs: Any, target: Any, seed: int) -> Any:
        return np.broadcast_to(weights, inputs[0].shape)

    return {
        "A": lambda model, inputs, target, seed: gradients(model, inputs, target, other=True),
        "B": textbook,
        "C": lambda model, inputs, target, seed: gradients(model, inputs, target, other=False),
        "D": dice,
    }


def draw_maps(maps: Mapping[str, Any], net: Any, data: Material, *, patient: int) -> Any:
    """One patient's four maps for “sick”, each in shares of its own total strength."""
    from dlexplain.classroom.lessons.lesson_18.drawing import panels
    from dlexplain.frameworks.questions import Target
    from dlexplain.frameworks.wrap import wrap

    model, row = wrap(net), data.inputs[patient : patient + 1]
    values = {
        letter: np.asarray(make(model, (row,), Target(np.zeros((1, 1), np.int64)), 0))[0]
        for letter, make in maps.items()
    }
    return panels({letter: v / np.abs(v).sum() for letter, v in values.items()}, data.feature_names)


@dataclass(frozen=True, eq=False)
class Case:
    """A sealed case. `record`: the audit's. `fault`: a key of `FAULTS`. `truth`: what was planted, said afterwards."""

    name: str
    story: str
    record: Any = field(repr=False)
    fault: str = field(repr=False)
    truth: str = field(repr=False)
    accuracy: float

    @property
    def sound(self) -> bool:
        return self.fault == "none"


@dataclass(frozen=True)
class _Plan:
    story: str
    fault: str
    make: Callable[[], tuple[Planted, str]]


def sealed(progress: Callable[[str], None] = lambda words: None) -> list[Case]:
    """Eight networks, trained here and now, each audited with the sections that can be asked for."""
    return list(_sealed(progress))


def _sealed(progress: Callable[[str], None]) -> Iterator[Case]:
    from dlexplain.audit.audit import audit

    for name, plan in zip("ABCDEFGH", _PLANS, strict=True):
        progress(f"Case {name} is trained and audited …")
        planted, truth = plan.make()
        record = audit(planted.model, planted.inputs, planted.labels, sections=SECTIONS, **planted.arguments)
        accuracy = next(float(r[1]) for r in record.part(4).tables[0].rows if r[0] == "accuracy")
        yield Case(name, plan.story, record, plan.fault, truth, accuracy)
    progress("Eight networks are trained and audited. They wait, sealed.")


def _table(
    framework: str, data: Material, *, seed: int, columns: Mapping[str, Any] | None = None, **options: Any
) -> Any:
    plan = Plan(kind="perceptron", width=16, **options)
    model = data.fitted(framework, plan, seed=seed, epochs=40)
    columns = columns or origins(len(data.inputs), seed)
    return Planted(
        model=model,
        inputs=data.inputs,
        labels=data.labels,
        arguments={**data.arguments(framework), "columns": columns, "slices": list(columns)},
    )


def _group() -> tuple[Planted, str]:
    data = patients(3)
    columns = origins(len(data.inputs), 3)
    planted = _table("torch", spoiled(data, columns, seed=3), seed=3, columns=columns)
    return planted, (
        "Samples posted in summer spoil on the way. For them the network guesses; one column alone shows little of "
        "it. **Slices** names the group: posted, and summer."
    )


def _mark() -> tuple[Planted, str]:
    planted = models.watermark_shortcut("torch", 3)
    (row, column), _ = planted.truth["places"]
    digit = planted.truth["favoured"]
    return planted, (
        f"In training, nearly every {digit} bore a mark near row {row}, column {column}, where no digit has ink. "
        f"The network reads the mark. **Shortcuts** puts the mark into other digits: they turn into a {digit}."
    )


def _sound_keras() -> tuple[Planted, str]:
    return _table("keras", patients(4), seed=4), "Nothing was planted. An ordinary sound network."


def _chance() -> tuple[Planted, str]:
    planted = _table("keras", patients(5), seed=5, dropout=0.2, dropping=True)
    return planted, (
        "A switch from training was left on: at each question one unit in five is left out at random. Ask twice and you "
        "get two answers. Only **the exam of the explainers** asks twice."
    )


def _rare() -> tuple[Planted, str]:
    data = patients(6)
    sick = np.flatnonzero(data.labels == 0)
    kept = np.sort(np.concatenate([sick[:13], np.flatnonzero(data.labels == 1)]))
    planted = _table("torch", replace(data, inputs=data.inputs[kept], labels=data.labels[kept]), seed=6)
    return planted, (
        "Nothing was planted. In these rows few are sick, as in life. So the data sheet shows red marks, and groups "
        "seem to differ, by a handful of patients. These are warnings: they **do not gate**. They ask for more rows."
    )


def _ward() -> tuple[Planted, str]:
    honest = patients(0)
    data = with_leak(honest, WARD, noise=1.0)
    planted = _table("torch", data, seed=0)
    tested = found(planted.model, data.inputs, data.labels)
    used = found(planted.model, in_use(data, WARD), data.labels)
    return planted, (
        f"`{WARD}` is filled in when the diagnosis is known. It leaks the answer, but blurred, so no threshold is "
        f"crossed: **every check passes**. In use the column is still empty, and of 100 sick the network finds "
        f"{100 * used:.0f}, not {100 * tested:.0f}. **What it looks at** names the column first. No check can know "
        "when a column is filled in. You can."
    )


def _dead() -> tuple[Planted, str]:
    return models.dead_relu("keras", 1), (
        "In one layer 10 of 16 channels never answer, whatever the picture. The rest made up for it, so the "
        "accuracy hides it. **Inside** counts them."
    )


def _modest() -> tuple[Planted, str]:
    planted = _table("torch", patients(7, measured="error"), seed=7)
    return planted, (
        "Nothing was planted. It has rougher measurements, so it is right less often, **and its record says so**. "
        "Whether that is good enough is a question of the use, not a hidden fault."
    )


_CELLS = "Sick or healthy, from ten measurements of a sample of cells."
_MORE = "Sick or healthy, from the patient's file: ten measurements and one more column."
_DIGITS = "Reads handwritten digits."
_PLANS = (
    _Plan(_CELLS, "none", _sound_keras),
    _Plan(_DIGITS, "mark", _mark),
    _Plan(_MORE, "leak", _ward),
    _Plan(_CELLS, "none", _rare),
    _Plan(_CELLS, "chance", _chance),
    _Plan(_CELLS, "group", _group),
    _Plan(_CELLS + " Of each, only how much it varies.", "none", _modest),
    _Plan(_DIGITS, "dead", _dead),
)
