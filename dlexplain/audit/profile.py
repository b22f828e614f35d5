"""Thresholds by modality, versioned: which figure passes, which gates, and the range seen on sound models."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

from dlexplain.audit.check import CHECKS
from dlexplain.audit.record import Check, Status
from dlexplain.errors import InputError, suggest


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """`limit`: the last figure that passes. `clean`: lowest and highest figure of sound models, where measured."""

    limit: float
    passes: Literal["at most", "at least"]
    gate: bool = True
    clean: tuple[float, float] | None = None
    source: str = ""

    def met(self, figure: float) -> bool:
        return figure <= self.limit if self.passes == "at most" else figure >= self.limit

    def __str__(self) -> str:
        return f"{self.passes} {self.limit:g}"


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A versioned set of thresholds for one kind of input."""

    name: str
    version: int
    kind: str
    thresholds: Mapping[str, Threshold]
    measured_on: str

    def judge(
        self,
        name: str,
        figure: float | None,
        *,
        reason: str,
        advice: str = "",
        interval: tuple[float, float] | None = None,
        evidence: tuple[str, ...] = (),
        status: Status | None = None,
    ) -> Check:
        """The check's answer: the figure against its threshold, unless `status` says otherwise."""
        facts, threshold = CHECKS[name], self.thresholds.get(name)
        usable = figure is not None and math.isfinite(figure)
        if status is None and (threshold is None or not usable):
            status = "INCONCLUSIVE"
        elif status is None:
            status = "PASS" if threshold.met(figure) else "FAIL"
        return Check(
            name=name,
            section=facts.section,
            title=facts.title,
            status=status,
            reason=reason,
            advice="" if status == "PASS" else advice,
            figure=float(figure) if usable else None,
            threshold="no threshold in this profile" if threshold is None else str(threshold),
            interval=interval,
            gate=facts.gate if threshold is None else threshold.gate,
            evidence=evidence,
        )


def load(name: str) -> Profile:
    """The profile of that name. Raises `InputError` that names the known ones."""
    known = names()
    if name not in known:
        raise InputError(f"profile {name!r} is unknown. {suggest(name, known)}Profiles: {', '.join(known)}.")
    text = (resources.files(__package__) / "profiles" / f"{name}.json").read_text(encoding="utf-8")
    return read(json.loads(text))


def names() -> list[str]:
    """Every profile that comes with the package."""
    folder = resources.files(__package__) / "profiles"
    return sorted(item.name.removesuffix(".json") for item in folder.iterdir() if item.name.endswith(".json"))


def read(content: Mapping[str, Any]) -> Profile:
    """A profile from its JSON."""
    thresholds = {
        name: Threshold(**{**facts, "clean": tuple(facts["clean"]) if facts.get("clean") else None})
        for name, facts in content["thresholds"].items()
    }
    return Profile(**{**content, "thresholds": thresholds})
