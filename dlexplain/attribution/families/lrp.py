"""The output handed back from each operation to its inputs in the shares they had in it: layer-wise relevance."""

from __future__ import annotations

import numpy as np

from dlexplain.attribution.case import Case, Found, to_tokens
from dlexplain.attribution.method import method
from dlexplain.errors import InputError, suggest
from dlexplain.frameworks.questions import blocks

# Composites use a rule for the first weighted layer, one for convolutions and one for dense layers.
RULES = (
    "epsilon",
    "gamma",
    "alpha_beta",
    "z_plus",
    "flat",
    "epsilon_plus_flat",
    "epsilon_alpha2_beta1_flat",
    "epsilon_gamma",
)


@method(
    family="operation graph",
    answers="How much of the output does each input account for, handed back layer by layer?",
    cost="1 forward, 2 to 8 backward, by the rule",
    cannot="depends on the rule, and on how a recurrent layer is written; biases keep their share of the output",
    paper="doi:10.1371/journal.pone.0130140",
    at_embedding=True,
)
def lrp(
    case: Case,
    *,
    rule: str = "epsilon_plus_flat",
    epsilon: float = 1e-6,
    gamma: float = 0.25,
    alpha: float = 2.0,
    beta: float = 1.0,
) -> Found:
    """The target's value handed back to the inputs by `rule`; for token ids summed over the embedding.

    `"epsilon"`: in shares of each sum, steadied by `epsilon`. `"gamma"`: positive parts weigh 1 + `gamma`.
    `"alpha_beta"`: `alpha` of the positive less `beta` of the negative shares, `alpha - beta = 1`. `"z_plus"`: positive
    shares alone. `"flat"`: evenly. Composites: `"epsilon_plus_flat"` (first layer flat, convolutions z_plus, dense
    epsilon), `"epsilon_alpha2_beta1_flat"`, `"epsilon_gamma"`. Bach and others (2015), PLoS ONE 10(7), e0130140;
    Montavon and others (2019), Layer-Wise Relevance Propagation: An Overview, doi:10.1007/978-3-030-28954-6_10.
    """
    if rule not in RULES:
        raise InputError(f"rule={rule!r} is unknown. {suggest(rule, RULES)}Rules: {', '.join(RULES)}.")
    for name, value in {"epsilon": epsilon, "gamma": gamma, "alpha": alpha, "beta": beta}.items():
        if isinstance(value, (bool, str)) or value is None or not np.isfinite(value) or value < 0:
            raise InputError(f"{name}={value!r} must be a number from 0 on.")
    if abs(alpha - beta - 1) > 1e-6:
        raise InputError(
            f"alpha={alpha!r}, beta={beta!r}: alpha less beta must be 1, or relevance is made or lost on the way."
        )
    options = {"epsilon": float(epsilon), "gamma": float(gamma), "alpha": float(alpha), "beta": float(beta)}
    parts = [
        case.model.relevance(tuple(a[b] for a in case.inputs), case.target.take(b), rule, options)
        for b in blocks(len(case), case.rows)
    ]
    shared = map(np.concatenate, zip(*parts, strict=True))
    return Found(tuple(to_tokens(s, x) for s, x in zip(shared, case.inputs, strict=True)))
