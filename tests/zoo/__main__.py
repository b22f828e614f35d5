"""`python -m tests.zoo`: the matrix architecture by method by framework, printed and written to `benchmarks/zoo.md`.

A run of some cells replaces those cells alone; the others stay as the last run left them, in `build/zoo.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import warnings
from fnmatch import fnmatch
from pathlib import Path

FRAMEWORKS = ("torch", "keras")
_ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.zoo", description=__doc__)
    parser.add_argument("--framework", choices=FRAMEWORKS)
    parser.add_argument("--methods", default="", help="names by comma, patterns with *; ours, or captum:… and shap:…")
    parser.add_argument("--part", choices=("ours", "others"), help="our methods, or the other libraries'")
    parser.add_argument("--only", default="", help="architectures whose name contains this")
    parser.add_argument("--without", default="", help="no architectures whose names contain one of these, by comma")
    parser.add_argument("--seconds", type=float, default=300, help="at most this long a cell")
    parser.add_argument("--fresh", action="store_true", help="forget the cells of earlier runs")
    parser.add_argument("--answer", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.answer:
        _fill(asked)
        return 0
    from tests.zoo import report

    kept = _ROOT / "build" / "zoo.json"
    kept.parent.mkdir(exist_ok=True)
    frameworks = [asked.framework] if asked.framework else FRAMEWORKS
    parts = [asked.part] if asked.part else ("ours", "others")
    commit = report.commit()  # before the run, which may take an hour
    fresh = [c for name in frameworks for part in parts for c in _apart(name, asked, part)]
    cells = {} if asked.fresh or not kept.exists() else {_key(c): c for c in json.loads(kept.read_text())["cells"]}
    setting = report.setting()
    cells |= {_key(c): c | {"commit": commit} for c in fresh}
    kept.write_text(report.as_json(setting, list(cells.values())))
    text = report.markdown(setting, list(cells.values()))
    (_ROOT / "benchmarks" / "zoo.md").write_text(text)
    print(text)
    faults = [c for c in fresh if c["kind"] in ("WRONG", "ERROR") and ":" not in c["method"]]
    print(f"{len(faults)} faults in {len(fresh)} cells of this run.", file=sys.stderr)
    return 1 if faults else 0


def _apart(framework: str, asked: argparse.Namespace, part: str) -> list[dict]:
    """The cells of one framework from a process of its own; other libraries, which leave things behind, have theirs."""
    given = vars(asked) | {"framework": framework, "part": part}
    options = [f"--{name}={given[name]}" for name in ("framework", "methods", "only", "without", "seconds", "part")]
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "answer.json")
        command = [sys.executable, "-m", "tests.zoo", *options, f"--answer={answer}"]
        threads = dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1")
        environment = {**threads, "TF_CPP_MIN_LOG_LEVEL": "3", **os.environ, "KERAS_BACKEND": "tensorflow"}
        ended = subprocess.run(command, env=environment, cwd=_ROOT)
        if ended.returncode:
            print(f"{framework}: stopped with status {ended.returncode}; what it had found is kept.", file=sys.stderr)
        return json.loads(answer.read_text()) if answer.exists() else []


def _fill(asked: argparse.Namespace) -> None:
    """Judges cell after cell in this process, and writes the answer after each architecture."""
    from tests.zoo import matrix, specimen

    warnings.simplefilter("ignore")
    peers = [p for p in matrix.PEERS if asked.framework == "torch" or p.startswith("shap:")]
    every = matrix.methods() if asked.part == "ours" else peers
    patterns = [p for p in asked.methods.split(",") if p]
    chosen = [m for m in every if not patterns or any(fnmatch(m, p) for p in patterns)]
    avoided = [word for word in asked.without.split(",") if word]
    zoo = {
        name: make
        for name, make in specimen.load(asked.framework).items()
        if asked.only in name and not any(word in name for word in avoided)
    }
    if not chosen:
        return
    cells = []
    for number, (name, make) in enumerate(zoo.items(), start=1):
        animal = make()
        row = [matrix.cell(animal, method, seconds=asked.seconds) for method in chosen]
        cells += [found.record() for found in row]
        faults = ", ".join(f"{c.method} {c.text()}" for c in row if c.fault and ":" not in c.method)
        asked.answer.write_text(json.dumps(cells))
        spent = sum(c.seconds for c in row)
        print(f"{asked.framework} {number}/{len(zoo)} {name}: {spent:.1f} s {faults}", file=sys.stderr, flush=True)


def _key(cell: dict) -> tuple[str, str, str]:
    return cell["framework"], cell["architecture"], cell["method"]


if __name__ == "__main__":
    sys.exit(main())
