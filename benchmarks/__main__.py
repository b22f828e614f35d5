"""`python -m benchmarks`: the table of ratios, printed and written to `benchmarks/results.md` and `.json`."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

from benchmarks import audits, graph, masks, metrics, report, startup
from benchmarks.timing import interleaved

FRAMEWORKS = ("torch", "keras")
# A run of some rows replaces those rows alone.
_KEPT = Path(__file__).parent / "results.json"
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


def rows_of(framework: str, only: str, repeats: int, seconds: float) -> list[dict]:
    """Times the rows of one framework, in this process."""
    warnings.simplefilter("ignore")
    module = importlib.import_module(f"benchmarks.{framework}_rows")
    measured = []
    every = {**module.ROWS_HERE, **graph.rows_of(framework), **masks.rows_of(framework), **metrics.rows_of(framework)}
    for name, make in every.items():
        if only in name:
            measured.append({"name": name, **interleaved(make(), repeats, seconds)})
            print(report.line(measured[-1]), file=sys.stderr, flush=True)
    return measured


def _apart(*arguments: str, threads: int | None = None) -> object:
    """The answer of this command in a process of its own, so that one framework's threads never meet another's."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "answer.json")
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
        environment |= {name: str(threads) for name in _THREADS if threads}
        subprocess.run([sys.executable, "-m", *arguments, "--answer", str(answer)], check=True, env=environment)
        return json.loads(answer.read_text())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--framework", choices=FRAMEWORKS)
    parser.add_argument("--only", default="", help="rows whose name contains this; or audits, memory, startup")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=8, help="a row")
    parser.add_argument("--threads", type=int, help="of every contender; one where others use the machine: threads that "
                        "wait for a busy processor are what is timed else")
    parser.add_argument("--dry-run", action="store_true", help="a line a row as it is measured; nothing is written")
    parser.add_argument("--answer", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.answer:
        measured = rows_of(asked.framework, asked.only, asked.repeats, asked.seconds)
        asked.answer.write_text(json.dumps(measured))
        return
    fresh: dict[str, object] = {"rows": []}
    if asked.only not in ("audits", "memory", "startup"):
        for framework in [asked.framework] if asked.framework else FRAMEWORKS:
            measured = _apart("benchmarks", "--framework", framework, "--only", asked.only, "--repeats",
                              str(asked.repeats), "--seconds", str(asked.seconds), threads=asked.threads)
            fresh["rows"] += [{**row, "threads": asked.threads} for row in measured]
    if asked.only in ("", "memory"):
        fresh["memory"] = [_apart("benchmarks.memory", f, w, str(c)) for f in FRAMEWORKS
                           for w, counts in (("steps", (32, 512)), ("windows", (100, 4096))) for c in counts]
    if asked.only in ("", "audits"):
        fresh["audits"] = [_apart("benchmarks.audits", f, name, str(times), threads=asked.threads)
                           for f in FRAMEWORKS for name, times in (*audits.MODELS, audits.MANY)]
    if asked.only in ("", "startup"):
        fresh["startup"] = startup.measure()
    if asked.dry_run:
        return
    kept = json.loads(_KEPT.read_text()) if _KEPT.exists() else {}
    replaced = {(row["name"], row["framework"]) for row in fresh["rows"]}
    fresh["rows"] = [row for row in kept.get("rows", ()) if (row["name"], row["framework"]) not in replaced] + fresh["rows"]
    kept.update(fresh)
    result = {"setting": report.setting(), **{k: kept.get(k) for k in ("rows", "audits", "memory", "startup")}}
    text = report.markdown(result)
    if not asked.only:
        print(text)
    _KEPT.with_suffix(".md").write_text(text)
    _KEPT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
