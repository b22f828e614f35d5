"""Faults of an explainer: a sound model, and values that claim to be integrated gradients of its logit."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from dlexplain.audit.faults import material
from dlexplain.audit.faults.material import Material
from dlexplain.audit.faults.planted import Planted, fault
from dlexplain.evaluation.explainer import Examinee, of_method
from dlexplain.frameworks import training
from dlexplain.frameworks.model import Model
from dlexplain.frameworks.questions import Inputs, Target
from dlexplain.frameworks.training import Plan
from dlexplain.frameworks.wrap import wrap

# (integrated gradients against the background's mean, that mean) -> the explainer that is put in their place
Spoiled = Callable[[Examinee, Inputs], Callable[[Model, Inputs, Target, int], Inputs]]
NAME = "explainer under test"
_GATED = ("repeatability", "completeness", "faithfulness_correlation", "deletion_lift", "randomisation")


def _explainer(what: str, *, images: bool = False, caught_by: tuple[str, ...] = _GATED) -> Callable[[Spoiled], Spoiled]:
    """Enters a spoiled explainer, planted on sound models of every kind of input, or (`images`) of digits alone."""

    def enter(spoiled: Spoiled) -> Spoiled:
        def plant(framework: str, seed: int) -> Planted:
            return _on_a_sound_model(framework, seed, spoiled, images)

        plant.__name__ = spoiled.__name__
        fault(of="explainer", what=what, caught_by=caught_by, sections=(7,))(plant)
        return spoiled

    return enter


def _on_a_sound_model(framework: str, seed: int, spoiled: Spoiled, images: bool) -> Planted:
    data, plan, epochs = _sound(seed, images)
    model = data.fitted(framework, plan, seed=seed, epochs=epochs)
    arguments = data.arguments(framework)
    mean = arguments["background"].mean(0, keepdims=True).astype(np.float32)
    if plan.kind == "tokens":
        mean = np.zeros_like(arguments["background"][:1])  # a token that is removed becomes padding
    sound = of_method("integrated_gradients", baseline=mean[0])
    examinee = Examinee(name=NAME, function=spoiled(sound, (mean,)), complete=True, random=spoiled is random_map)
    return Planted(
        model=model,
        inputs=training.own_layout(framework, data.inputs),
        labels=data.labels,
        arguments={**arguments, "methods": {NAME: examinee}},
        truth={"sound": sound, "baseline": mean},
    )


def _sound(seed: int, images: bool) -> tuple[Material, Plan, int]:
    """Data, network and epochs: by the seed one kind of input after the other."""
    rng = np.random.default_rng([seed, 20])
    kind = seed % (2 if images else 5)
    if kind == 0:
        return material.digits(seed), Plan(kind="perceptron", width=int(rng.choice([48, 64]))), 25
    if kind == 1:
        return material.digits(seed), Plan(kind="convolution", width=int(rng.choice([24, 32]))), 20
    if kind == 2:
        plan = Plan(kind="perceptron", width=int(rng.choice([24, 32])), depth=int(rng.choice([1, 2])))
        return material.table("breast_cancer", seed), plan, 30
    if kind == 3:
        return material.series(seed), Plan(kind="series", width=int(rng.choice([24, 32]))), 30
    return material.tokens(seed), Plan(kind="tokens", vocabulary=40, channels=8), 30


@_explainer("Model-blind map: how far each input is from the mean, whatever the model")
def model_blind_map(sound: Examinee, mean: Inputs):
    return lambda model, inputs, target, seed: tuple(
        (x - m).astype(np.float64) for x, m in zip(inputs, mean, strict=True)
    )


@_explainer("Random map: numbers drawn from the normal distribution")
def random_map(sound: Examinee, mean: Inputs):
    def drawn(model: Model, inputs: Inputs, target: Target, seed: int) -> Inputs:
        rng = np.random.default_rng([seed, 5])
        return tuple(rng.standard_normal(x.shape) for x in inputs)

    return drawn


@_explainer("Wrong target: the class beside the one that is claimed is explained")
def wrong_target(sound: Examinee, mean: Inputs):
    def beside(model: Model, inputs: Inputs, target: Target, seed: int) -> Inputs:
        classes = model.all_outputs(tuple(x[:1] for x in inputs), 1)[target.head].shape[-1]
        return sound(model, inputs, Target((target.index + 1) % classes, target.head), seed)

    return beside


@_explainer("Softmax explained where the logit is claimed", caught_by=("completeness",))
def softmax_for_logit(sound: Examinee, mean: Inputs):
    ended: weakref.WeakKeyDictionary[Any, Model] = weakref.WeakKeyDictionary()

    def of_probability(model: Model, inputs: Inputs, target: Target, seed: int) -> Inputs:
        if model.raw not in ended:
            ended[model.raw] = wrap(training.with_softmax(model.raw))
        return sound(ended[model.raw], inputs, target, seed)

    return of_probability


@_explainer("Sign flipped")
def sign_flipped(sound: Examinee, mean: Inputs):
    return lambda model, inputs, target, seed: tuple(-v for v in sound(model, inputs, target, seed))


@_explainer("Map shifted by one pixel", images=True)
def shifted_map(sound: Examinee, mean: Inputs):
    def shifted(model: Model, inputs: Inputs, target: Target, seed: int) -> Inputs:
        axis = -1 if model.layout == "channels_first" else -2
        return tuple(np.roll(v, 1, axis) for v in sound(model, inputs, target, seed))

    return shifted
