"""The matrix as narrow markdown: a table a framework and family, then totals, then what refused and why."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from dlexplain.attribution.method import METHODS

_ROOT = Path(__file__).resolve().parents[2]
_MARKS = {
    "exact": "=",
    "converged": "≈",
    "ok": "·",
    "refused": "R",
    "not applicable": "–",
    "warned": "W",
    "unfinished": "…",
}
_ORDER = ("exact", "converged", "ok", "warned", "refused", "not applicable", "unfinished", "WRONG", "ERROR")
_WIDE = 8
_LEGEND = """\
| mark | meaning |
| --- | --- |
| = | exact: the values sum to the output's change, relative gap at most 1e-4 |
| ≈ 3e-4 | converged: the gap is within the method's own tolerance |
| · | ok: the method claims no sum; its values are finite |
| W 2e-2 | the gap is over the tolerance, and the result says so (`GapWarning`) |
| R | refused: `UnsupportedModelError`, with what works instead; reasons below |
| – | not applicable, see below |
| … | not done within the time of a cell (`--seconds`) |
| WRONG | over the tolerance and silent, or not finite, or of another shape |
| ERROR | an exception that is none of ours |

Captum and SHAP are asked through `"captum:…"` and `"shap:…"`, under tolerances of 1e-2 (`shap:Gradient` 1e-1). Where
they miss, it is our bridge that warns (W): by themselves they say nothing. `shap:Deep` runs without its own check.

A run of some cells replaces those alone; the command and date above are the last run's, which may be of a part. The
commits above are those of the cells.

Gaps are measured from the model's outputs, not taken from the result (token ids apart); the worst sample counts.
Baselines are the methods' own (zeros), and a background of three samples where a method averages over one.

*Not applicable* are refusals of what a method does not claim, and they do not count among the refusals: class
activation maps where no layer holds maps over one picture or series; region and mask methods of pictures on tables;
exact Shapley values over more than 16 features; guided backpropagation and deconvolution without a ReLU; Captum on
Keras models. Where such a method answers all the same, its answer is judged like any other."""


def setting() -> dict:
    """When and with what. No path of the machine."""
    packages = ("torch", "tensorflow", "keras", "captum", "shap")
    versions = {}
    for name in packages:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "not installed"
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return {"date": now, "command": " ".join(["python -m tests.zoo", *sys.argv[1:]]), "versions": versions}


def commit() -> str:
    """The commit that is judged, marked where the package or the zoo differ from it."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=_ROOT, capture_output=True, text=True, check=True).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--", "dlexplain", "tests/zoo")
        return git("rev-parse", "--short=10", "HEAD") + (" and changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def commits(cells: list[dict]) -> str:
    """Which commit the cells are of; how many of each, where they are of several."""
    counts = Counter(c.get("commit", "unknown") for c in cells)
    if len(counts) == 1:
        return f"all cells of commit {next(iter(counts))}"
    return "cells of commit " + ", ".join(f"{name} ({n})" for name, n in counts.most_common())


def as_json(setting: dict, cells: list[dict]) -> str:
    """One cell a line, so that changes can be read."""
    lines = ",\n".join(json.dumps(cell, ensure_ascii=False) for cell in cells)
    return '{"setting": ' + json.dumps(setting) + ',\n"cells": [\n' + lines + "\n]}\n"


def markdown(setting: dict, cells: list[dict]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in setting["versions"].items())
    parts = ["# The zoo: which methods are exact on which architectures", ""]
    parts += [f"`{setting['command']}`, {setting['date']}; {versions}; {commits(cells)}.", ""]
    parts += [_LEGEND, "", "## Totals", ""]
    ours = [c for c in cells if ":" not in c["method"]]
    for framework in _frameworks(cells):
        parts += [f"### {framework}", "", *totals([c for c in cells if c["framework"] == framework]), ""]
    parts += [sentence(ours), ""]
    for framework in _frameworks(cells):
        here = [c for c in cells if c["framework"] == framework]
        parts += [f"## {framework.capitalize()}", ""]
        for title, methods in _groups(here):
            parts += [f"### {title}", "", *table([c for c in here if c["method"] in methods], methods), ""]
    parts += ["## Why refused, and faults", "", *reasons(cells), ""]
    return "\n".join(parts)


def totals(cells: list[dict]) -> list[str]:
    """Counts a method; the share of refusals among the cells in which the method could apply."""
    lines = ["| method | = | ≈ | · | W | R | – | … | WRONG | ERROR | refused |", "| --- |" + " ---: |" * 10]
    for method in _methods(cells):
        counts = Counter(c["kind"] for c in cells if c["method"] == method)
        applied = sum(counts.values()) - counts["not applicable"]
        share = f"{counts['refused'] / applied:.0%}" if applied else ""
        lines.append(f"| {method} | " + " | ".join(str(counts[k] or "") for k in _ORDER) + f" | {share} |")
    return lines


def sentence(cells: list[dict]) -> str:
    """The verdict over our own methods in words."""
    counts = Counter(c["kind"] for c in cells)
    applied = len(cells) - counts["not applicable"]
    share = counts["refused"] / applied if applied else 0
    return (
        f"Our own methods together, {len(cells)} cells: {counts['WRONG']} silently wrong, {counts['ERROR']} unexpected "
        f"errors, {counts['warned']} over their tolerance and said so; refused {counts['refused']} of {applied} "
        f"({share:.1%}) where the method could apply; not applicable {counts['not applicable']}."
    )


def table(cells: list[dict], methods: list[str]) -> list[str]:
    found = {(c["architecture"], c["method"]): c for c in cells}
    lines = ["| architecture | " + " | ".join(map(_label, methods)) + " |", "| --- |" + " --- |" * len(methods)]
    for name in dict.fromkeys(c["architecture"] for c in cells):
        row = [mark(found[name, m]) if (name, m) in found else "" for m in methods]
        lines.append(f"| {name} | " + " | ".join(row) + " |")
    return lines


def mark(cell: dict) -> str:
    """A cell of a table: a sign, and the gap where it is worth a look."""
    kind, gap = cell["kind"], cell["gap"]
    sign = _MARKS.get(kind, kind)
    if gap is None or kind == "exact":
        return sign
    mantissa, _, exponent = f"{gap:.0e}".partition("e")
    return f"{sign} {mantissa}e{int(exponent)}"


def reasons(cells: list[dict]) -> list[str]:
    """Each reason once, with how often and where first."""
    groups: dict[tuple[str, str, str], list[dict]] = {}
    for cell in cells:
        if cell["kind"] in ("refused", "WRONG", "ERROR"):
            groups.setdefault((cell["method"], cell["kind"], cell["reason"]), []).append(cell)
    lines = []
    for (method, kind, reason), members in groups.items():
        places = ", ".join(f"{c['framework']} {c['architecture']}" for c in members[:3])
        more = f" and {len(members) - 3} more" if len(members) > 3 else ""
        lines.append(f"- {method}, {kind}: {reason or 'no reason given'} ({places}{more})")
    return lines or ["Nothing was refused, and no fault was found."]


def _groups(cells: list[dict]) -> list[tuple[str, list[str]]]:
    """Methods by family, at most eight a table; the other libraries last."""
    families: dict[str, list[str]] = {}
    for method in _methods(cells):
        family = "other libraries" if ":" in method else METHODS[method].family if method in METHODS else "other"
        families.setdefault(family, []).append(method)
    blocks = []
    for family, methods in families.items():
        blocks += [(family, methods[i : i + _WIDE]) for i in range(0, len(methods), _WIDE)]
    return blocks


def _label(method: str) -> str:
    return method.replace("_", " ").replace(":", " ")


def _methods(cells: list[dict]) -> list[str]:
    known = {name: i for i, name in enumerate(METHODS)}
    return sorted(dict.fromkeys(c["method"] for c in cells), key=lambda m: (":" in m, known.get(m, len(known)), m))


def _frameworks(cells: list[dict]) -> list[str]:
    return [f for f in ("torch", "keras") if any(c["framework"] == f for c in cells)]
