"""Gradients whose way back through a ReLU is changed: deconvolutional networks, guided backpropagation, guided Grad-CAM."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from dlexplain.attribution.case import Case, Found, to_tokens
from dlexplain.attribution.families.cam import by_mean_gradient, drawn
from dlexplain.attribution.method import method
from dlexplain.frameworks.questions import Inputs, blocks

_SANITY = "hardly changes when the network's weights are made random (Adebayo and others 2018, arXiv:1810.03292)"


@method(
    family="modified gradient",
    answers="Which patterns in the input excite the units on the way to the target?",
    cost="1 forward, 1 backward",
    cannot=f"{_SANITY}: shows edges rather than reasons; needs ReLUs",
    paper="arXiv:1412.6806",
    at_embedding=True,
)
def guided_backprop(case: Case) -> Found:
    """The gradient that each ReLU lets through only where both it and the ReLU's input are positive.

    For token ids its norm at the embedding. Springenberg, Dosovitskiy, Brox, Riedmiller (2015), Striving for
    Simplicity, arXiv:1412.6806.
    """
    return _found(case, "guided")


@method(
    family="modified gradient",
    answers="Which patterns does the network rebuild when the target is projected back to the input?",
    cost="1 forward, 1 backward",
    cannot=f"{_SANITY}: shows edges rather than reasons; needs ReLUs",
    paper="arXiv:1311.2901",
    at_embedding=True,
)
def deconvnet(case: Case) -> Found:
    """The gradient that each ReLU lets through where it is positive, whatever the ReLU's input.

    For token ids its norm at the embedding. Zeiler, Fergus (2014), Visualizing and Understanding Convolutional Networks,
    arXiv:1311.2901.
    """
    return _found(case, "deconvnet")


@method(
    family="modified gradient",
    answers="Which fine patterns lie where the last convolution found what speaks for the target?",
    cost="2 forward, 2 backward",
    cannot="inherits guided backpropagation's edges: only its coarse map depends on the classifier; needs ReLUs",
    paper="arXiv:1610.02391",
    at_embedding=True,
)
def guided_gradcam(case: Case, *, layer: str | None = None) -> Found:
    """Guided backpropagation times the enlarged Grad-CAM map; `layer` as in `gradcam`.

    Selvaraju and others (2017), Grad-CAM, arXiv:1610.02391.
    """
    coarse = drawn(case, "guided_gradcam", layer, by_mean_gradient)
    fine = _found(case, "guided")
    # Values of a map are spread over the channels; here each channel is multiplied by the map itself.
    x = case.inputs[0]
    channels = x[0].size / prod(x.shape[1:][axis] for axis in case.spatial(0))
    return replace(fine, values=(fine.values[0] * coarse.values[0] * channels,), chosen=coarse.chosen)


def _found(case: Case, rule: str) -> Found:
    parts = [
        case.model.modified_gradient(tuple(a[b] for a in case.inputs), case.target.take(b), rule)
        for b in blocks(len(case), case.rows)
    ]
    gradients: Inputs = tuple(map(np.concatenate, zip(*parts, strict=True)))
    return Found(tuple(to_tokens(g, x, norm=True) for g, x in zip(gradients, case.inputs, strict=True)))
