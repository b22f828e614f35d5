"""Section 16: why these metrics, by which thresholds, and what was not tested."""

from __future__ import annotations

from dlexplain.audit.check import CHECKS, section
from dlexplain.audit.record import Check, Part, Table
from dlexplain.audit.subject import Subject

# What each check sees that its neighbours do not: measured on sound and on planted models while the audit was made.
WHY = {
    "dead_units": "A network can answer well with most of a layer dead; accuracy does not show it.",
    "saturation": "Where gradients are zero, gradient explanations are zero too and look merely clean.",
    "untrained_layer": "A layer that was reset and covered by a refitted head costs no accuracy; its weights give it away.",
    "repeatability": "Noise left on (a dropout in training mode) makes every other figure of an explanation a draw.",
    "completeness": "Only this sees that softmax was explained where the logit was claimed.",
    "faithfulness_correlation": "Infidelity near zero goes with gradient maps worse than random on tables; this does not.",
    "deletion_lift": "Asked against a random order, so that a model that falls for any removal earns nothing.",
    "randomisation": "With signed values: the absolute ones let integrated gradients fail (0.91 against -0.02, same maps).",
    "sensitivity": "Never alone: a map that ignores the model is the most robust of all.",
    "sensitivity_axiom": "A feature that moves the output and gets nothing was missed; averages hide it.",
    "wrong_target": "A faithful map of another class than the claimed one misleads while it looks right.",
    "usable_explainers": "Without a method that passed, every map below would be decoration.",
    "disagreement": "Reported and never averaged: the mean of two maps that disagree is a map nobody computed.",
    "shortcut_flip": "By intervention: a mark that carries a class into other images decides, whatever accuracy says.",
    "manifold_gap": "An explainer that asks off the data can be shown an innocent model (Slack 2020).",
    "gradient_masking": "A feature can decide without a gradient; only permutation sees it then.",
    "map_fragility": "A small change of the input that leaves the answer should leave the reasons.",
    "far_confidence": "Certainty far from all data is a claim without ground.",
    "abstention": "Handing doubtful cases to people helps only if doubt points at errors.",
    "univariate_leakage": "A column that alone tells the label is more often a leak than a law.",
    "schema": "A model fed with other columns or ranges than it learned answers anyway.",
    "missing_values": "What is missing is seldom missing at random.",
    "constant_columns": "A column that never varies here was never put to the test here.",
    "class_balance": "A class with few rows can be wrong throughout and hardly move the mean.",
    "duplicates": "The same sample twice counts twice in every figure.",
    "split_leakage": "A test sample that was trained on measures memory.",
    "label_noise": "Every figure is measured against the labels; where they are wrong, so is it.",
    "drift": "A figure holds for data like those it was measured on.",
    "accuracy": "With an interval: the figure alone does not say how many samples stand behind it.",
    "calibration": "A probability that is not one misleads whoever decides by it.",
    "slices": "A mean over all hides a group that is served badly; with false discoveries kept in check.",
    "group_rates": "Equal accuracy can hide that one group is refused far more often.",
    "energy": "What a model costs to run is part of whether it should.",
}
_REPORTED = (
    "Reported and counted for nothing, since each alone ranks some faulty explainer above a sound one: infidelity, sensitivity-n, "
    "pixel flipping, ROAD, efficient randomisation, sparseness and complexity (section 7). Localisation asks where the "
    "evidence lies, which an audit is not told."
)


@section(16, "Why these metrics, limits, what was not tested", "What can this record not tell?")
def limits(subject: Subject, checks: tuple[Check, ...]) -> Part:
    """`checks`: of the whole record."""
    profile = subject.profile
    idle = [check for check in checks if check.status == "NOT RUN"]
    open_ = [check for check in checks if check.status == "INCONCLUSIVE"]
    silent = [part for part in subject.told.values() if not (part.checks or part.tables or part.exhibits or part.facts)]
    summary = [
        f"Thresholds are those of the profile {profile.name}, {profile.measured_on}.",
        _told("not run", idle, "Every check was run."),
        _told("left open", open_, "No check was left open."),
        _REPORTED,
    ]
    if silent:
        names = ", ".join(f"{part.number} ({part.title.lower()})" for part in silent)
        summary.append(f"Sections without anything measured: {names}.")
    return Part(
        number=16,
        title="Why these metrics, limits, what was not tested",
        question="What can this record not tell?",
        summary=tuple(summary),
        facts=(
            ("Profile", profile.name),
            ("Version of the profile", profile.version),
            ("Measured on", profile.measured_on),
        ),
        tables=tuple(filter(None, (_untested(idle + open_), _thresholds(subject), _reasons(checks)))),
        limits=(
            "A check that passes says that this kind of fault was not detected, never that it is absent.",
            "No human subjects: whether an explanation helps the person who reads it was not measured.",
            "No privacy: whether the model gives away its training data was not tested.",
            "No causes: an attribution says what the model used, not what makes it so in the world.",
            "No cybersecurity beyond what sections 10 and 11 name.",
        ),
    )


def _told(what: str, checks: list[Check], none: str) -> str:
    if not checks:
        return none
    noun = "check was" if len(checks) == 1 else "checks were"
    return f"{len(checks)} {noun} {what}: {'; '.join(f'“{check.title}”' for check in checks)}."


def _untested(checks: list[Check]) -> Table | None:
    if not checks:
        return None
    rows = tuple((c.section, c.title, c.status, c.reason, c.advice) for c in sorted(checks, key=lambda c: c.section))
    columns = ("section", "check", "status", "reason", "what to do")
    return Table(id="limits-untested", title="What was not tested, or stayed open", columns=columns, rows=rows)


def _thresholds(subject: Subject) -> Table:
    rows = tuple(
        (
            name,
            CHECKS[name].title if name in CHECKS else "",
            str(found),
            "yes" if found.gate else "no",
            "" if found.clean is None else f"{found.clean[0]:g} to {found.clean[1]:g}",
            found.source,
        )
        for name, found in subject.profile.thresholds.items()
    )
    columns = ("check", "title", "passes", "gates", "range on sound models", "source")
    return Table(id="limits-thresholds", title="Thresholds", columns=columns, rows=rows)


def _reasons(checks: tuple[Check, ...]) -> Table | None:
    rows = tuple((c.name, c.title, WHY[c.name]) for c in checks if c.name in WHY)
    if not rows:
        return None
    return Table(id="limits-why", title="What each check sees", columns=("check", "title", "why"), rows=rows)
