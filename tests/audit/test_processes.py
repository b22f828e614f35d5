"""The same model, data and seed in two processes of their own: the same record byte for byte, stamps apart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = """
import sys
import dlexplain as dlx
from tests.audit import conftest
trained = conftest._cancer(sys.argv[1])
dlx.audit(**trained.told(seed=4)).save(sys.argv[2])
"""


@pytest.mark.slow
@pytest.mark.parametrize("framework", ["torch", "keras"])
def test_two_processes_make_one_record(framework, tmp_path):
    records = []
    for number, hashing in enumerate(("1", "2")):  # of strings: the order of sets must not matter
        path = tmp_path / f"{number}.json"
        environ = {**os.environ, "PYTHONHASHSEED": hashing, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", CODE, framework, str(path)]
        done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
        content = json.loads(path.read_text())
        assert content.pop("stamps")
        records.append(content)
    first, second = (json.dumps(content) for content in records)
    for old, new in zip(records[0]["parts"], records[1]["parts"], strict=True):
        assert old == new, old["number"]
    assert first == second
