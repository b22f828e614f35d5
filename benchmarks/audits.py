"""What one audit takes, in a process of its own: `python -m benchmarks.audits torch "breast cancer"`."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

import dlexplain as dlx
from benchmarks.memory import held
from dlexplain.audit.faults.clean import sound

# One small network of each kind of input; the pictures eight times over as well, for the memory.
MODELS = (("digits, convolution", 1), ("breast cancer", 1), ("series, recurrent", 1), ("tokens", 1))
MANY = ("digits, convolution", 8)


def taken(framework: str, name: str, times: int) -> dict:
    """Seconds of the clock and of the processor, and MiB added to the process's peak, from the call to the saved report.

    `times`: so often the audited samples are repeated, each with noise of its own of a hundredth of their deviation.
    """
    warnings.simplefilter("ignore")
    model = sound(name, framework, 0)
    inputs, labels = np.concatenate([model.inputs] * times), np.concatenate([model.labels] * times)
    if times > 1:
        noise = np.random.default_rng(0).standard_normal(inputs.shape) * inputs.std() / 100
        inputs = (inputs + noise).astype(inputs.dtype)
    arguments = {**model.arguments, "columns": {k: np.tile(v, times) for k, v in model.arguments["columns"].items()}}
    dlx.explain(model.model, inputs[:1], "saliency", target=0)
    before, clock, processor = held(), time.perf_counter(), time.process_time()
    record = dlx.audit(model.model, inputs, labels, **arguments)
    with tempfile.TemporaryDirectory() as folder:
        record.save(Path(folder, "audit.html"))
    return {
        "framework": framework,
        "model": name,
        "samples": len(inputs),
        "seconds": time.perf_counter() - clock,
        "processor": time.process_time() - processor,
        "added": held() - before,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.audits", description=__doc__)
    parser.add_argument("framework", choices=("torch", "keras"))
    parser.add_argument("model")
    parser.add_argument("times", type=int, nargs="?", default=1)
    parser.add_argument("--answer", type=Path)
    asked = parser.parse_args()
    text = json.dumps(taken(asked.framework, asked.model, asked.times))
    asked.answer.write_text(text) if asked.answer else print(text)


if __name__ == "__main__":
    main()
