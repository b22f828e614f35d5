"""Records and subjects made by hand, whose every answer is known."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlexplain.audit import plain
from dlexplain.audit.record import Check, Exhibit, Part, Table
from dlexplain.audit.result import AuditRecord, verdict_of


def check(name: str = "dead_units", status: str = "PASS", **others: Any) -> Check:
    """A check of section 6, unless told otherwise."""
    facts = {"section": 6, "title": name.replace("_", " ").capitalize(), "reason": f"Said of {name}.", **others}
    return Check(name=name, status=status, **facts)


def record(*checks: Check, parts: tuple[Part, ...] = (), **others: Any) -> AuditRecord:
    """A record of these checks, each in the part of its section, and of the other parts given."""
    numbers = sorted({c.section for c in checks} - {p.number for p in parts})
    own = [
        Part(
            number=number,
            title=f"Section {number}",
            question="Is it so?",
            summary=(f"Told of {number}.",),
            checks=tuple(c for c in checks if c.section == number),
            stamps={"seconds": 0.25},
        )
        for number in numbers
    ]
    every = tuple(plain.part(part) for part in sorted((*own, *parts), key=lambda p: p.number))
    facts = {"fingerprint": "ab" * 32, "seed": 3, "profile": "images-1", "version": "0.1.0", **others}
    return AuditRecord(verdict=verdict_of(c for p in every for c in p.checks), parts=every, **facts)


def rich() -> AuditRecord:
    """One of everything that a record may hold."""
    figure = {
        "data": [
            {"type": "heatmap", "z": np.linspace(0, 1, 64).reshape(8, 8), "x": list("abcdefgh")},
            {"type": "scatter", "y": np.array([1.0, np.nan, 3.0]), "mode": "lines"},
        ],
        "layout": {"title": {"text": "A map"}, "height": np.int64(300)},
    }
    part = Part(
        number=7,
        title="The explainers' own exam",
        question="Are the maps true?",
        summary=("Two of three passed.",),
        facts=(("Draws", 100), ("Mean", 0.1234567891234), ("Blank", None), ("Names", "a, b")),
        checks=(
            check("completeness", section=7, figure=0.00123456789, threshold="at most 0.05", interval=(0.001, 0.002)),
            check("deletion_lift", "FAIL", section=7, figure=0.1, threshold="at least 0.25", advice="Do not use it."),
            check("wrong_target", "NOT RUN", section=7, reason="It asks of classification inputs."),
        ),
        tables=(
            Table(
                id="exam-scores",
                title="Scores",
                columns=("method", "score", "passed"),
                rows=(
                    ("occlusion", np.float32(0.1), np.bool_(True)),
                    ("saliency", float("nan"), False),
                    ("random", None, 3),
                ),
                note="Higher is better.",
            ),
        ),
        exhibits=(Exhibit(id="exam-map", title="A map", alt="A square that brightens.", figure=figure),),
        limits=("Nothing is said of other inputs.",),
        stamps={"seconds": 1.5, "device memory": 12},
    )
    return record(check(figure=0.1, threshold="at most 0.4"), parts=(part,))
