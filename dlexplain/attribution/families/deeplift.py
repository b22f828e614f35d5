"""The output's difference from a reference handed back through every operation: DeepLIFT, and its mean, DeepSHAP."""

from __future__ import annotations

from dlexplain.attribution.case import Case, Found, to_tokens
from dlexplain.attribution.method import method


@method(
    family="operation graph",
    answers="How is the change from the baseline shared, operation by operation?",
    cost="2 forward, 1 backward",
    cannot="the answer is relative to the baseline; sorting and other operations without a rule are refused by name",
    paper="arXiv:1704.02685",
    complete=True,
    baseline="zeros",
    at_embedding=True,
    tolerance=1e-4,
)
def deeplift(case: Case) -> Found:
    """Each operation's inputs account for exactly its output's difference from the reference.

    Shrikumar, Greenside, Kundaje (2017), Learning Important Features Through Propagating Activation Differences,
    arXiv:1704.02685.
    """
    return _contributions(case)


@method(
    family="operation graph",
    answers="How is the change from typical samples shared, operation by operation?",
    cost="(n + m) forward, n m backward for m background samples",
    cannot="approximates Shapley values: exact where the operations act on one feature at a time",
    paper="arXiv:1705.07874",
    complete=True,
    baseline="zeros",
    background=True,
    at_embedding=True,
    tolerance=1e-4,
)
def deepshap(case: Case) -> Found:
    """DeepLIFT's mean over a background set. Lundberg, Lee (2017), A Unified Approach to Interpreting Model
    Predictions, arXiv:1705.07874."""
    return _contributions(case)


def _contributions(case: Case) -> Found:
    shared = case.model.contributions(
        case.inputs, case.baseline, case.target, case.rows, background=case.background
    )
    return Found(tuple(to_tokens(s, x) for s, x in zip(shared, case.inputs, strict=True)))
