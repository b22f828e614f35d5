"""What the audit would have found: the small file that its own exam leaves, and how far it speaks for a subject."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from dlexplain.audit.profile import names

FILE = "exam.json"
# The rooms whose code decides what an audit answers.
_ROOMS = ("audit", "evaluation", "attribution", "frameworks")
# How a record looks, how data are read, and the measuring of what stands.
_APART = ("report", "reading", "command.py", "power.py", "calibration.py", "__pycache__")


@dataclass(frozen=True)
class Share:
    """`count` of `of`, with Wilson's 95 % interval; with nothing counted it is 0 to 1."""

    count: int
    of: int

    @property
    def share(self) -> float:
        return self.count / self.of if self.of else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.count, self.of)

    def __add__(self, other: Share) -> Share:
        return Share(self.count + other.count, self.of + other.of)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.count} of {self.of} (95 % interval {percent(low)} to {percent(high, up=True)})"


def wilson(count: int, of: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    if of == 0:
        return 0.0, 1.0
    p = count / of
    middle = p + z * z / (2 * of)
    half = z * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of))
    low, high = (middle - half) / (1 + z * z / of), (middle + half) / (1 + z * z / of)
    return (0.0 if count == 0 else max(0.0, low)), (1.0 if count == of else min(1.0, high))


def percent(share: float, *, up: bool = False) -> str:
    """To a tenth of a percent, rounded down (or `up`), so that no share looks better than it is."""
    if math.isnan(share):
        return "unknown"
    tenths = math.ceil(share * 1000 - 1e-9) if up else math.floor(share * 1000 + 1e-9)
    return f"{tenths / 10:g} %"


@dataclass(frozen=True)
class Row:
    """One fault, or one kind of sound model: how many were `hit` (caught, or accused) in each framework, and by what."""

    name: str
    what: str
    modalities: tuple[str, ...]
    hits: Mapping[str, Share]
    by: Mapping[str, int]
    caught_by: tuple[str, ...] = ()
    of: str = ""

    @property
    def total(self) -> Share:
        return sum(self.hits.values(), Share(0, 0))


@dataclass(frozen=True)
class Power:
    """The exam's result. `faults`, `clean`: a row each. `unplanted`: cells that could not be made, with the reason."""

    faults: tuple[Row, ...]
    clean: tuple[Row, ...]
    version: str
    code: str
    packages: Mapping[str, str]
    profiles: tuple[str, ...]
    unplanted: tuple[str, ...] = ()

    def caught(self, framework: str | None = None) -> Share:
        return _sum(self.faults, framework)

    def accused(self, framework: str | None = None) -> Share:
        return _sum(self.clean, framework)


def _sum(rows: tuple[Row, ...], framework: str | None) -> Share:
    shares = [s for row in rows for f, s in row.hits.items() if framework in (None, f)]
    return sum(shares, Share(0, 0))


@cache
def measured() -> Power | None:
    """The result that came with this package; None where the exam has never been run."""
    file = resources.files("dlexplain.audit") / FILE
    return read(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else None


def read(content: Mapping[str, Any]) -> Power:
    """The exam's result from its JSON."""

    def row(facts: Mapping[str, Any]) -> Row:
        hits = {f: Share(c["count"], c["of"]) for f, c in facts["hits"].items()}
        return Row(
            name=facts["name"],
            what=facts["what"],
            modalities=tuple(facts["modalities"]),
            hits=hits,
            by=facts["by"],
            caught_by=tuple(facts.get("caught_by", ())),
            of=facts.get("of", ""),
        )

    return Power(
        faults=tuple(map(row, content["faults"])),
        clean=tuple(map(row, content["clean"])),
        version=content["version"],
        code=content["code"],
        packages=content["packages"],
        profiles=tuple(content["profiles"]),
        unplanted=tuple(content["unplanted"]),
    )


def written(power: Power) -> dict[str, Any]:
    """The exam's result as JSON, intervals with it for readers of the file."""

    def share(s: Share) -> dict[str, Any]:
        return {"count": s.count, "of": s.of, "interval": [round(v, 4) for v in s.interval]}

    def row(r: Row) -> dict[str, Any]:
        facts = {"name": r.name, "what": r.what, "modalities": list(r.modalities)}
        if r.of:
            facts |= {"of": r.of, "caught_by": list(r.caught_by)}
        return facts | {"hits": {f: share(s) for f, s in r.hits.items()}, "by": dict(r.by)}

    frameworks = sorted({f for r in (*power.faults, *power.clean) for f in r.hits})
    return {
        "version": power.version,
        "code": power.code,
        "packages": dict(power.packages),
        "profiles": list(power.profiles),
        "caught": {"all": share(power.caught())} | {f: share(power.caught(f)) for f in frameworks},
        "accused": {"all": share(power.accused())} | {f: share(power.accused(f)) for f in frameworks},
        "faults": [row(r) for r in power.faults],
        "clean": [row(r) for r in power.clean],
        "unplanted": list(power.unplanted),
    }


def code_fingerprint() -> str:
    """SHA-256 over the code and the thresholds that decide what an audit answers."""
    digest, root = hashlib.sha256(), resources.files("dlexplain")
    for room in _ROOMS:
        for path, file in sorted(_files(root / room, room)):
            digest.update(path.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _files(folder: Any, path: str):
    for item in folder.iterdir():
        inside = f"{path}/{item.name}"
        if item.name in _APART:
            continue
        if item.is_dir():
            yield from _files(item, inside)
        elif item.name.endswith(".py") or (item.name.endswith(".json") and "/profiles/" in inside):
            yield inside, item


def gaps(power: Power, *, kind: str, framework: str, profile: str) -> list[str]:
    """Why the exam does not speak for such a subject: each reason a sentence; empty where it does."""
    found = []
    if profile not in power.profiles:
        own = "is not one of those that come with the package" if profile not in names() else "was not examined"
        found.append(f"The profile {profile!r} {own}: with other thresholds other faults are caught.")
    if framework not in power.packages:
        found.append(f"No model of {framework} was examined.")
    planted = sum((r.total for r in power.faults if kind in r.modalities), Share(0, 0))
    if not planted.of:
        found.append(f"No fault was planted in models of {kind} inputs: what the audit would catch there is not known.")
    if not sum(r.total.of for r in power.clean if kind in r.modalities):
        found.append(f"No sound model of {kind} inputs was examined: how often one is accused falsely is not known.")
    return found
