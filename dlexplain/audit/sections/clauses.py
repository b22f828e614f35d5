"""Clauses of laws and frameworks, in our own short words, and what of an audit can serve them as evidence.

Sources: Regulation (EU) 2024/1689 (Articles 13 and 15, Annex IV); NISTIR 8312, Four Principles of Explainable
Artificial Intelligence (2021); NIST AI 100-1, Artificial Intelligence Risk Management Framework 1.0 (2023).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Clause:
    """`checks`, `sections`, `card` (its fields): what can serve; a clause that names none asks what an audit cannot give."""

    source: str
    clause: str
    asks: str
    checks: tuple[str, ...] = ()
    sections: tuple[int, ...] = ()
    card: tuple[str, ...] = ()


_ANNEX, _ACT = "EU AI Act, Annex IV", "EU AI Act"
_NISTIR, _RMF = "NISTIR 8312", "NIST AI RMF, MEASURE"
_DATA = ("schema", "missing_values", "duplicates", "split_leakage", "label_noise", "drift", "univariate_leakage")
_EXAM = (
    "repeatability",
    "completeness",
    "faithfulness_correlation",
    "deletion_lift",
    "randomisation",
    "sensitivity",
    "sensitivity_axiom",
    "wrong_target",
)
_ATTACKED = ("shortcut_flip", "manifold_gap", "gradient_masking", "map_fragility")

CLAUSES = (
    Clause(_ANNEX, "1(a)", "Intended purpose, provider, version", sections=(1,), card=("use", "owner", "name")),
    Clause(_ANNEX, "2(b)", "Design: general logic, key choices, what was optimised"),
    Clause(_ANNEX, "2(c)", "Architecture; computing resources", sections=(1, 15)),
    Clause(_ANNEX, "2(d)", "Data: provenance, selection, labelling, cleaning", _DATA, (3,), ("training_data",)),
    Clause(_ANNEX, "2(e)", "Human oversight; means to interpret the outputs", _EXAM, (7, 9), ("oversight",)),
    Clause(
        _ANNEX,
        "2(g)",
        "Testing: data, metrics of accuracy and robustness, discriminatory impact; dated, signed logs",
        ("accuracy", "calibration", "slices", *_ATTACKED),
        (4, 5, 11),
        ("auditor",),
    ),
    Clause(_ANNEX, "2(h)", "Cybersecurity measures"),
    Clause(
        _ANNEX,
        "3",
        "Capabilities and limits, accuracy for groups, foreseeable unintended outcomes, input specification",
        ("accuracy", "slices", "schema", "far_confidence"),
        (4, 5, 13),
        ("misuse", "out_of_scope", "oversight"),
    ),
    Clause(_ANNEX, "4", "Why these performance metrics fit", sections=(16,)),
    Clause(_ANNEX, "5", "Risk management system (Article 9)"),
    Clause(_ANNEX, "6", "Changes through the life of the system"),
    Clause(_ANNEX, "7", "Harmonised standards applied"),
    Clause(_ANNEX, "8", "EU declaration of conformity"),
    Clause(_ANNEX, "9", "Monitoring after it is on the market"),
    Clause(_ACT, "Article 13(3)(a)", "Identity and contact of the provider", card=("owner", "contact")),
    Clause(_ACT, "Article 13(3)(b)(i)", "Intended purpose", card=("use",)),
    Clause(
        _ACT,
        "Article 13(3)(b)(ii)",
        "Accuracy, robustness and cybersecurity against which it was tested, and what may change them",
        ("accuracy", "calibration", "drift", *_ATTACKED),
        (4, 11),
    ),
    Clause(
        _ACT, "Article 13(3)(b)(iii)", "Foreseeable circumstances and misuse that lead to risk", (), (), ("misuse",)
    ),
    Clause(_ACT, "Article 13(3)(b)(iv)", "What the system can do to explain its output", _EXAM, (7, 8, 9, 12)),
    Clause(_ACT, "Article 13(3)(b)(v)", "Performance for specific persons or groups", ("slices",), (5,), ("affected",)),
    Clause(_ACT, "Article 13(3)(b)(vi)", "Input data: specifications, training and test sets", _DATA, (3,)),
    Clause(_ACT, "Article 13(3)(b)(vii)", "What lets a deployer interpret the output", _EXAM, (7, 9), ("users",)),
    Clause(_ACT, "Article 13(3)(c)", "Changes determined beforehand"),
    Clause(_ACT, "Article 13(3)(d)", "Human oversight measures", card=("oversight",)),
    Clause(_ACT, "Article 13(3)(e)", "Computing resources, lifetime, maintenance", sections=(15,)),
    Clause(_ACT, "Article 13(3)(f)", "How logs are collected and kept"),
    Clause(_ACT, "Article 15(1)", "An appropriate level of accuracy and robustness", ("accuracy", "calibration"), (4,)),
    Clause(_ACT, "Article 15(3)", "Levels and metrics of accuracy declared", ("accuracy",), (4, 16)),
    Clause(
        _ACT,
        "Article 15(4)",
        "Resilience to errors, faults and inconsistencies",
        ("repeatability", "dead_units", "saturation", "untrained_layer", "sensitivity", "far_confidence"),
        (6, 13),
    ),
    Clause(
        _ACT,
        "Article 15(5)",
        "Resilience to attack: poisoned data, adversarial examples, flaws of the model",
        ("label_noise", *_ATTACKED),
        (10, 11),
    ),
    Clause(_NISTIR, "Explanation", "Evidence or reasons accompany the output", sections=(7, 8, 9)),
    Clause(_NISTIR, "Meaningful", "Those addressed can understand the explanation", sections=(9,), card=("users",)),
    Clause(
        _NISTIR,
        "Explanation accuracy",
        "The explanation reflects how the output came about",
        (*_EXAM, "disagreement"),
        (7, 12),
    ),
    Clause(
        _NISTIR,
        "Knowledge limits",
        "It works only where it was made to, and knows when",
        ("far_confidence", "abstention"),
        (13,),
        ("out_of_scope",),
    ),
    Clause(_RMF, "1.1", "Metrics chosen for the gravest risks; what is not measured is documented", sections=(16,)),
    Clause(_RMF, "2.1", "Test sets, metrics and tools are documented", sections=(1, 3, 16)),
    Clause(_RMF, "2.2", "Evaluations with human subjects"),
    Clause(
        _RMF,
        "2.3",
        "Performance shown for conditions like those of its use",
        ("accuracy", "drift"),
        (4,),
        ("evaluation_data",),
    ),
    Clause(_RMF, "2.4", "Behaviour monitored in production"),
    Clause(
        _RMF,
        "2.5",
        "Valid and reliable; limits of generalisation documented",
        ("accuracy", "calibration", "drift", "shortcut_flip", "split_leakage", "univariate_leakage"),
        (4, 10, 13),
    ),
    Clause(_RMF, "2.6", "Safety risks evaluated", ("far_confidence",), (13,), ("harm",)),
    Clause(_RMF, "2.7", "Security and resilience evaluated", _ATTACKED, (11,)),
    Clause(_RMF, "2.8", "Transparency and accountability", sections=(1, 2, 14), card=("owner", "contact")),
    Clause(
        _RMF,
        "2.9",
        "The model is explained, validated and documented; outputs interpreted in context",
        (*_EXAM, "disagreement"),
        (6, 7, 8, 9, 12),
    ),
    Clause(_RMF, "2.10", "Privacy risk examined"),
    Clause(_RMF, "2.11", "Fairness and bias evaluated", ("slices",), (5,), ("affected",)),
    Clause(_RMF, "2.12", "Environmental impact of training and use", sections=(15,)),
    Clause(_RMF, "2.13", "The measurements themselves are evaluated", sections=(14,)),
    Clause(_RMF, "3 and 4", "Risks tracked over time; feedback on the measurements gathered"),
)
