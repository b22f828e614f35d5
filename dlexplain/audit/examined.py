"""The exam that every explainer sits before its maps are shown, and who passed it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dlexplain.attribution import registry
from dlexplain.audit.criteria import CRITERIA, Answers
from dlexplain.audit.setting import Setting, setting
from dlexplain.errors import DlexplainError
from dlexplain.evaluation import controls as evaluation_controls
from dlexplain.evaluation.explainer import Examinee, of_method

if TYPE_CHECKING:
    from dlexplain.audit.subject import Subject
    from dlexplain.frameworks.questions import Inputs

# What the audit asks on its own: they rest on different ideas, and a sound network passes them all.
DEFAULTS: dict[str, tuple[str, ...]] = {
    "image": ("integrated_gradients", "deeplift", "occlusion"),
    "table": ("integrated_gradients", "deeplift", "feature_ablation"),
    "series": ("integrated_gradients", "deeplift", "feature_ablation"),
    "tokens": ("integrated_gradients", "deeplift", "feature_ablation"),
}
_RECURRENT = ("LSTM", "GRU", "RNN", "SimpleRNN", "ConvLSTM", "Bidirectional")
ROUGH = 0.01  # a gap that is enough where many maps are looked at together


@dataclass(frozen=True)
class Exam:
    """One examinee's result. `figures`: by criterion, NaN where it does not apply. `failed`: criteria missed.

    `refused`: why the method could not explain this model at all, else empty.
    """

    method: str
    figures: Mapping[str, float]
    failed: tuple[str, ...]
    refused: str = ""

    @property
    def passed(self) -> bool:
        return not self.failed and not self.refused


def methods(subject: Subject) -> tuple[str, ...]:
    """The names examined: those asked for, or the audit's own choice for this kind of input.

    DeepLIFT takes a recurrent layer apart step by step, which is slow for long series; only who asks for it gets it.
    """
    if not own_choice(subject):
        return subject.methods
    steps = any(layer.type.startswith(_RECURRENT) for layer in subject.model.layers)
    return tuple(name for name in DEFAULTS[subject.kind] if not (steps and name == "deeplift"))


def own_choice(subject: Subject) -> bool:
    """Whether nobody asked for these methods by name, so that one that fails is put aside without blame."""
    return not subject.methods or subject.methods == DEFAULTS[subject.kind]


def relied_on(subject: Subject) -> tuple[str, ...]:
    """The explainers that the audit was asked to rely on: one of them that fails, fails the audit."""
    return (*(() if own_choice(subject) else subject.methods), *subject.explainers)


def examined(subject: Subject) -> dict[str, Exam]:
    """Every examinee's exam by name, in the order asked; made once."""

    def make() -> dict[str, Exam]:
        asked = setting(subject)
        return {e.name: examine(subject, asked, e) for e in examinees(subject)}

    return subject.once("examined", make)


def controls(subject: Subject) -> dict[str, Exam]:
    """The rows that show what each figure is worth: a random map, and one that never looked at the model."""

    def make() -> dict[str, Exam]:
        asked = setting(subject)
        rows = evaluation_controls.controls(subject.model, asked.trial.inputs, asked.trial.baseline)
        # They claim everything here, so that every criterion has its row.
        claiming = (replace(e, complete=True, contribution=True) for e in rows.values())
        return {e.name: examine(subject, asked, e) for e in claiming}

    return subject.once("examined controls", make)


def trusted(subject: Subject) -> tuple[str, ...]:
    """Names of the registry's methods that passed, in the order asked: only these are evidence in later sections."""
    exams = examined(subject)
    return tuple(name for name in methods(subject) if exams[name].passed)


def trusted_explainers(subject: Subject) -> tuple[str, ...]:
    """Names of the explainers given as functions that passed."""
    exams = examined(subject)
    return tuple(name for name in subject.explainers if exams[name].passed)


def maps(subject: Subject, name: str, part: np.ndarray) -> Inputs:
    """An examinee's values for the predicted class of some rows, an array an input, to a hundredth; asked once."""
    if name not in subject.explainers:
        rough = {"tolerance": ROUGH} if "tolerance" in registry.get(name).options else {}
        values = subject.explained(name, part, **rough).values
        return values if isinstance(values, tuple) else (values,)
    inputs, target = tuple(a[part] for a in subject.inputs), subject.target(part)
    key = f"maps {name} {part.tobytes().hex()}"
    return subject.once(key, lambda: subject.explainers[name](subject.model, inputs, target, subject.seed))


def examinees(subject: Subject) -> tuple[Examinee, ...]:
    """The methods by name, then the explainers given as functions."""
    return (*(of_method(name, _baseline(subject)) for name in methods(subject)), *subject.explainers.values())


def examine(subject: Subject, asked: Setting, examinee: Examinee) -> Exam:
    """All criteria of one examinee, against the profile's gates."""
    answers = Answers(examinee, _rough(subject, examinee), asked, subject.seed)
    figures: dict[str, float] = {}
    try:
        for name, criterion in CRITERIA.items():
            figures[name] = criterion(answers)
    except DlexplainError as error:
        return Exam(examinee.name, {**dict.fromkeys(CRITERIA, math.nan), **figures}, (), str(error))
    return Exam(examinee.name, figures, tuple(n for n, f in figures.items() if misses(subject, n, f)))


def _rough(subject: Subject, examinee: Examinee) -> Examinee:
    """The method with its steps adapted to a gap of a hundredth, where it adapts them."""
    if examinee.name in subject.explainers or examinee.name not in methods(subject):
        return examinee
    if "tolerance" not in registry.get(examinee.name).options:
        return examinee
    return of_method(examinee.name, _baseline(subject), tolerance=ROUGH)


def _baseline(subject: Subject) -> Any:
    lower = tuple(b[0] for b in subject.baseline)
    return lower[0] if len(lower) == 1 else lower


def misses(subject: Subject, criterion: str, figure: float) -> bool:
    """Whether a figure is beyond the profile's gate."""
    threshold = subject.profile.thresholds.get(criterion)
    return bool(threshold and threshold.gate and math.isfinite(figure) and not threshold.met(figure))
