"""The peak memory of one explanation, in a process of its own: `python -m benchmarks.memory torch steps 512`."""

from __future__ import annotations

import argparse
import importlib
import json
import resource
import sys
import warnings
from pathlib import Path

import dlexplain as dlx
from benchmarks.work import Size

LARGE = Size("65x65x3, four convolutions, 4 images", 4, (65, 65, 3), (16, 32, 32, 64), (), 10)
# Windows along 65 pixels: 10 of 11 by 6, or 64 of 2 by 1.
_WINDOWS = {100: {"window": 11, "stride": 6}, 4096: {"window": 2, "stride": 1}}


def peak(framework: str, work: str, count: int, size: Size = LARGE) -> dict:
    """MiB: what the process held at most before the explanation (after a first, small one) and by its end."""
    warnings.simplefilter("ignore")
    module = importlib.import_module(f"benchmarks.{framework}_rows")
    model, x = module.network(size), module.inputs(size)
    method = "integrated_gradients" if work == "steps" else "occlusion"
    options = {"steps": count} if work == "steps" else _WINDOWS[count]
    dlx.explain(model, x[:1], "saliency", target=0)
    before = held()
    dlx.explain(model, x, method, target=0, baseline=0, **options)
    return {"framework": framework, "work": work, "count": count, "before": before, "peak": held()}


def held() -> float:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("framework", choices=("torch", "keras"))
    parser.add_argument("work", choices=("steps", "windows"))
    parser.add_argument("count", type=int)
    parser.add_argument("--answer", type=Path)
    asked = parser.parse_args()
    text = json.dumps(peak(asked.framework, asked.work, asked.count))
    asked.answer.write_text(text) if asked.answer else print(text)


if __name__ == "__main__":
    main()
