"""The audit's own exam: `python -m dlexplain.audit.exam` plants faults, trains sound models, audits all, counts.

Each model is a cell, kept in a folder by the code that made it, so that an exam that was broken off goes on.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from dlexplain.audit import power
from dlexplain.audit.power import Power, Row, Share
from dlexplain.frameworks.quiet import hush_tensorflow

FRAMEWORKS = ("keras", "torch")
# The first seeds: of the exam, of the models by which thresholds are calibrated. Checks were written with those below
# FIRST at hand, so that neither their authors nor the thresholds have seen a model of the exam.
FIRST, CALIBRATION = 100, 1000
_PACKAGES = {"keras": ("keras", "tensorflow"), "torch": ("torch",)}


@dataclass(frozen=True, order=True)
class Cell:
    """One model of the exam. `name`: of the planted fault, or of the kind of sound model."""

    seed: int
    sound: bool
    name: str
    framework: str

    @property
    def file(self) -> str:
        kept = "".join(c if c.isalnum() else "-" for c in self.name)
        return f"{'sound' if self.sound else 'fault'}-{kept}-{self.framework}-{self.seed}.json"


def cells(
    *, seeds: int, sound: int, frameworks: Sequence[str] = FRAMEWORKS, only: Iterable[str] = (), start: int = FIRST
) -> list[Cell]:
    """`seeds` models of every fault, `sound` of every kind of sound model, in each framework; the first seeds first."""
    from dlexplain.audit import faults

    wanted = tuple(only)
    chosen = [
        Cell(start + seed, is_sound, name, framework)
        for names, is_sound, count in ((faults.FAULTS, False, seeds), (faults.CLEAN, True, sound))
        for name in names
        for framework in frameworks
        for seed in range(count)
        if not wanted or any(word in name for word in wanted)
    ]
    return sorted(chosen)


def sat(cell: Cell) -> dict[str, Any]:
    """One model made and audited: `{"checks": [...], "named": [...], "kind": ..., "profile": ...}`."""
    from dlexplain.audit import faults, registry
    from dlexplain.audit.audit import audit

    start = time.perf_counter()
    if cell.framework == "keras":
        hush_tensorflow()
    try:
        if cell.sound:
            planted, sections = (
                faults.sound(cell.name, cell.framework, cell.seed),
                accusing(faults.CLEAN[cell.name].modality),
            )
        else:
            fault = faults.FAULTS[cell.name]
            planted = fault.function(cell.framework, cell.seed)
            sections = tuple(n for n in fault.sections if n in registry.SECTIONS)
    except Exception as error:  # whatever stops one model from being made must not lose the exam
        return {"unplanted": f"{type(error).__name__}: {error}"}
    made = time.perf_counter()
    record = audit(
        planted.model, planted.inputs, planted.labels, seed=cell.seed, sections=sections, **planted.arguments
    )
    checks = [
        {"name": c.name, "status": c.status, "figure": c.figure, "gate": c.gate, "reason": c.reason}
        for part in record.parts
        for c in part.checks
        if c.section in sections
    ]
    kind = record.profile.rpartition("-")[0].removesuffix("s")
    seconds = [round(made - start, 1), round(time.perf_counter() - made, 1)]
    return {"checks": checks, "named": list(planted.named), "kind": kind, "profile": record.profile, "seconds": seconds}


def accusing(modality: str) -> tuple[int, ...]:
    """The sections that hold a check that may fail the whole: the only ones that can accuse a sound model."""
    from dlexplain.audit import profile, registry

    thresholds = next(p for p in map(profile.load, profile.names()) if p.kind == modality).thresholds
    gated = (f for f in registry.CHECKS.values() if f.name not in thresholds or thresholds[f.name].gate)
    return tuple(sorted({facts.section for facts in gated if facts.section in registry.SECTIONS}))


def caught(result: Mapping[str, Any], caught_by: Sequence[str]) -> list[str]:
    """The checks that caught the fault: they should, they failed, and they name what is concerned."""
    named = result["named"]
    return [
        c["name"]
        for c in result["checks"]
        if c["name"] in caught_by and c["status"] == "FAIL" and (not named or any(w in c["reason"] for w in named))
    ]


def accused(result: Mapping[str, Any]) -> list[str]:
    """The checks that fail the whole."""
    return [c["name"] for c in result["checks"] if c["gate"] and c["status"] == "FAIL"]


def counted(results: Mapping[Cell, Mapping[str, Any]]) -> Power:
    """The exam's result from its cells. A model that could not be made is not counted, but named."""
    import dlexplain
    from dlexplain.audit import faults

    made = {cell: result for cell, result in results.items() if "checks" in result}
    rows: dict[bool, list[Row]] = {False: [], True: []}
    for sound, names in ((False, faults.FAULTS), (True, faults.CLEAN)):
        for name, facts in names.items():
            own = {cell: r for cell, r in made.items() if cell.name == name and cell.sound == sound}
            if not own:
                continue
            hits = {cell: accused(r) if sound else caught(r, facts.caught_by) for cell, r in own.items()}
            shares = {
                f: Share(sum(bool(h) for c, h in hits.items() if c.framework == f), n)
                for f in FRAMEWORKS
                if (n := sum(c.framework == f for c in hits))
            }
            rows[sound].append(
                Row(
                    name=name,
                    what=facts.kind if sound else facts.what,
                    modalities=tuple(sorted({_modality(r) for r in own.values()})),
                    hits=shares,
                    by=dict(sorted(Counter(check for h in hits.values() for check in h).items())),
                    caught_by=() if sound else facts.caught_by,
                    of="" if sound else facts.of,
                )
            )
    used = {cell.framework for cell in made}
    return Power(
        faults=tuple(rows[False]),
        clean=tuple(rows[True]),
        version=dlexplain.__version__,
        code=power.code_fingerprint(),
        packages={p: v for f in FRAMEWORKS if f in used for p in _PACKAGES[f] if (v := _version(p))},
        profiles=tuple(sorted({r["profile"] for r in made.values()})),
        unplanted=tuple(f"{c.name} ({c.framework}, seed {c.seed})" for c, r in results.items() if "checks" not in r),
    )


def _modality(result: Mapping[str, Any]) -> str:
    from dlexplain.audit import profile

    return profile.load(result["profile"]).kind


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def examined(asked: Sequence[Cell], folder: Path, *, jobs: int = 1, minutes: float | None = None) -> dict[Cell, Any]:
    """The cells' results, those in the folder taken as they are; after `minutes` no new one is begun."""
    folder.mkdir(parents=True, exist_ok=True)
    results = {cell: found for cell in asked if (found := _kept(folder / cell.file)) is not None}
    left, end = (
        [cell for cell in asked if cell not in results],
        None if minutes is None else time.monotonic() + 60 * minutes,
    )
    if not left:
        return results
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # before the workers load their frameworks
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    context = multiprocessing.get_context("spawn")
    running: dict[Future, Cell] = {}
    # A worker is replaced now and then: frameworks do not give all memory back.
    with ProcessPoolExecutor(jobs, mp_context=context, max_tasks_per_child=25) as pool:
        while left or running:
            while left and len(running) < jobs and (end is None or time.monotonic() < end):
                cell = left.pop(0)
                running[pool.submit(sat, cell)] = cell
            if not running:
                break
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                cell = running.pop(future)
                results[cell] = future.result()
                _keep(folder / cell.file, results[cell])
                print(f"{len(results)} of {len(asked)}  {_line(cell, results[cell])}", flush=True)
    return results


def _line(cell: Cell, result: Mapping[str, Any]) -> str:
    from dlexplain.audit import faults

    if "checks" not in result:
        return f"{cell.name}, {cell.framework}, seed {cell.seed}: not made ({result['unplanted']})"
    hits = accused(result) if cell.sound else caught(result, faults.FAULTS[cell.name].caught_by)
    word = ("accused by " if cell.sound else "caught by ") + ", ".join(hits) if hits else "no alarm"
    if not cell.sound and not hits:
        word = f"NOT DETECTED (failed: {', '.join(accused(result)) or 'nothing'})"
    return f"{cell.name}, {cell.framework}, seed {cell.seed}, {sum(result['seconds']):.0f} s: {word}"


def _kept(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _keep(path: Path, result: Mapping[str, Any]) -> None:
    """Whole or not at all, so that an exam broken off leaves no half cell."""
    half = path.with_suffix(".half")
    half.write_text(json.dumps(result, indent=1), encoding="utf-8")
    half.replace(path)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 0 when the file is written."""
    parser = argparse.ArgumentParser(prog="python -m dlexplain.audit.exam", description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=10, help="models of each fault, in each framework")
    parser.add_argument("--sound", type=int, default=7, help="sound models of each kind, in each framework")
    parser.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 2) - 1), help="processes")
    parser.add_argument("--minutes", type=float, help="begin no new model after so many minutes")
    parser.add_argument("--only", nargs="*", default=(), help="faults and kinds whose name contains one of these")
    parser.add_argument("--frameworks", nargs="*", default=FRAMEWORKS, choices=FRAMEWORKS)
    parser.add_argument("--cells", type=Path, help="folder of the cells; default build/exam and the code's fingerprint")
    parser.add_argument("--out", type=Path, help=f"where the result goes; default {power.FILE} of the package")
    asked = parser.parse_args(arguments)
    folder = asked.cells or Path("build") / "exam" / power.code_fingerprint()
    wanted = cells(seeds=asked.seeds, sound=asked.sound, frameworks=asked.frameworks, only=asked.only)
    results = examined(wanted, folder, jobs=asked.jobs, minutes=asked.minutes)
    found = counted(results)
    print(f"faults caught: {found.caught()}\nsound models accused: {found.accused()}")
    for row in found.faults:
        print(f"  {row.name}: {row.total}")
    out = asked.out or Path(__file__).with_name(power.FILE)
    if asked.only and not asked.out:
        print("A part of the exam is not written; name a file with --out.")
        return 0
    out.write_text(json.dumps(power.written(found), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"written: {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
