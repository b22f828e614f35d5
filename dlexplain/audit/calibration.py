"""`python -m dlexplain.audit.calibration`: each check's figure on sound models gives the clean ranges of the profiles.

The models are other than the exam's (their seeds begin elsewhere). A limit that sound models miss too often is moved,
or its gate taken off; the reason stands in the profile.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlexplain.audit import exam, power, profile
from dlexplain.audit.exam import CALIBRATION, FRAMEWORKS, Cell

# A gate that more than one sound model in forty misses is not where it should be.
MOST_MISSED = 1 / 40
# A moved limit lies beyond all sound models by half of the farthest figure: few were measured, others lie farther.
BEYOND = 0.5
# It counts what the other criteria decide, and has no limit of its own to move.
FOLLOWS = frozenset({"usable_explainers"})
# Figures that lie between 0 and 1: a limit that leaves less than a tenth of the range on its far side tells nothing.
SHARES = frozenset(
    {
        *("dead_units", "saturation", "sensitivity_axiom", "wrong_target", "faithfulness_correlation", "randomisation"),
        *("shortcut_flip", "manifold_gap", "gradient_masking", "far_confidence", "calibration", "duplicates"),
        *("label_noise", "missing_values", "split_leakage", "class_balance", "disagreement"),
    }
)


@dataclass(frozen=True)
class Seen:
    """A check's figures on sound models of one kind of input, by framework."""

    figures: Mapping[str, tuple[float, ...]]

    @property
    def every(self) -> tuple[float, ...]:
        return tuple(f for own in self.figures.values() for f in own)

    def missed(self, threshold: Mapping[str, Any]) -> int:
        return sum(not _met(f, threshold) for f in self.every)

    def __str__(self) -> str:
        counts = " and ".join(f"{len(own)} of {name}" for name, own in sorted(self.figures.items()) if own)
        return f"{len(self.every)} sound models ({counts})"


def seen(results: Mapping[Cell, Mapping[str, Any]]) -> dict[str, dict[str, Seen]]:
    """By kind of input and check: what the audits of sound models measured."""
    found: dict[str, dict[str, dict[str, list[float]]]] = {}
    for cell, result in results.items():
        if "checks" not in result:
            continue
        kind = profile.load(result["profile"]).kind
        for check in result["checks"]:
            figure = check["figure"]
            if figure is not None and math.isfinite(figure):
                own = found.setdefault(kind, {}).setdefault(check["name"], {f: [] for f in FRAMEWORKS})
                own[cell.framework].append(figure)
    return {
        kind: {name: Seen({f: tuple(v) for f, v in own.items()}) for name, own in checks.items()}
        for kind, checks in found.items()
    }


def adjusted(name: str, threshold: Mapping[str, Any], figures: Seen) -> dict[str, Any]:
    """The threshold with the measured clean range; limit or gate changed only where too many sound models miss it."""
    low, high = min(figures.every), max(figures.every)
    new = {**threshold, "clean": [_outward(low, up=False), _outward(high, up=True)]}
    missed, words = figures.missed(threshold), f"clean: {figures}, by make calibrate"
    source = threshold.get("source", "").partition("; clean: ")[0]
    if "not yet measured" in source:
        source = "limit taken over from audit.md" if "audit.md" in source else "limit set by judgement"
    new["source"] = f"{source}; {words}" if source else words
    if not threshold["gate"] or name in FOLLOWS or missed <= MOST_MISSED * len(figures.every):
        return new
    farthest = high if threshold["passes"] == "at most" else low
    limit = farthest + BEYOND * abs(farthest) * (1 if threshold["passes"] == "at most" else -1)
    reason = f"at {threshold['limit']:g} the audit accused {missed} of {figures}"
    if name in SHARES and not 0.1 <= limit <= 0.9:
        new["gate"] = False
        new["source"] = f"{reason}, and no limit beyond them all would tell anything: reported, not gated; {words}"
    else:
        new["limit"] = _outward(limit, up=threshold["passes"] == "at most")
        new["source"] = f"{reason}, so that it now lies beyond them all by half of the farthest; {words}"
    return new


def rewritten(content: Mapping[str, Any], figures: Mapping[str, Seen]) -> dict[str, Any]:
    """A profile's JSON after the measurement. Checks without a figure keep what they had."""
    thresholds = {
        name: adjusted(name, threshold, figures[name]) if name in figures else dict(threshold)
        for name, threshold in content["thresholds"].items()
    }
    most = max(figures.values(), key=lambda s: len(s.every))
    return {**content, "measured_on": f"{most}, small networks, by make calibrate", "thresholds": thresholds}


def _met(figure: float, threshold: Mapping[str, Any]) -> bool:
    limit = threshold["limit"]
    return figure <= limit if threshold["passes"] == "at most" else figure >= limit


def _outward(value: float, *, up: bool) -> float:
    """To three significant digits, away from the range."""
    if value == 0 or not math.isfinite(value):
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - 2)
    steps = math.ceil(value / unit - 1e-9) if up else math.floor(value / unit + 1e-9)
    return float(f"{steps * unit:.3g}")


def table(content: Mapping[str, Any], new: Mapping[str, Any], figures: Mapping[str, Seen]) -> list[str]:
    """A line a check: limit, clean range, how many sound models miss it, what changes."""
    lines = [f"{content['name']}"]
    for name, before in content["thresholds"].items():
        if name not in figures:
            lines.append(f"  {name:26s} no figure")
            continue
        after, own = new["thresholds"][name], figures[name]
        change = ""
        if after["gate"] != before["gate"]:
            change = "  -> no longer gated"
        elif after["limit"] != before["limit"]:
            change = f"  -> {after['limit']:g}"
        gate = "gated" if before["gate"] else "     "
        low, high = after["clean"]
        lines.append(
            f"  {name:26s} {gate} {before['passes']} {before['limit']:<8g} clean {low:g} to {high:g}, "
            f"{own.missed(before)} of {len(own.every)} beyond{change}"
        )
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 0 when the profiles are written."""
    parser = argparse.ArgumentParser(prog="python -m dlexplain.audit.calibration", description=__doc__.split("\n")[0])
    parser.add_argument("--sound", type=int, default=6, help="sound models of each kind, in each framework")
    parser.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 2) - 1), help="processes")
    parser.add_argument("--minutes", type=float, help="begin no new model after so many minutes")
    parser.add_argument("--only", nargs="*", default=(), help="kinds of sound models whose name contains one of these")
    parser.add_argument(
        "--cells", type=Path, help="folder of the cells; default build/calibration and the code's fingerprint"
    )
    parser.add_argument("--profiles", type=Path, default=Path(__file__).with_name("profiles"), help="folder to rewrite")
    parser.add_argument("--dry-run", action="store_true", help="show, and write nothing")
    asked = parser.parse_args(arguments)
    folder = asked.cells or Path("build") / "calibration" / power.code_fingerprint()
    wanted = exam.cells(seeds=0, sound=asked.sound, only=asked.only, start=CALIBRATION)
    figures = seen(exam.examined(wanted, folder, jobs=asked.jobs, minutes=asked.minutes))
    for file in sorted(asked.profiles.glob("*.json")):
        content = json.loads(file.read_text(encoding="utf-8"))
        own = figures.get(content["kind"], {})
        if not own:
            continue
        new = rewritten(content, own)
        print("\n".join(table(content, new, own)))
        if not asked.dry_run:
            file.write_text(json.dumps(new, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
