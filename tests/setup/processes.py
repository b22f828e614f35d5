"""Python in a process of its own: for imports, absence and aborts, which must not touch the tests' own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 300  # seconds; a hang is a fault, slowness is not

ABSENT = """
import importlib.abc, importlib.metadata, sys
absent = set({names!r})
class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
_distribution = importlib.metadata.Distribution.from_name
def from_name(name):
    if name in absent:
        raise importlib.metadata.PackageNotFoundError(name)
    return _distribution(name)
importlib.metadata.Distribution.from_name = from_name
"""


def python(
    code: str,
    *arguments: str,
    without: Iterable[str] = (),
    interpreter: str | Path = sys.executable,
    **environ: str,
) -> subprocess.CompletedProcess[str]:
    """Run `code`, as if the packages `without` were not installed; the process's end, output as text."""
    preamble = ABSENT.format(names=sorted(without)) if without else ""
    return subprocess.run(
        [str(interpreter), "-c", preamble + code, *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1", **environ},
    )


def succeeded(done: subprocess.CompletedProcess[str]) -> str:
    """The output, if the process ended well."""
    assert done.returncode == 0, f"ended with {done.returncode}\n{done.stdout}\n{done.stderr[-3000:]}"
    return done.stdout
