"""The harness of the benchmarks: what is raw does the same work, and the table says what was measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import report
from benchmarks.timing import Row, fastest, interleaved
from benchmarks.work import Size, chunks, windows

SMALL = Size("small", 2, (8, 8, 1), (2, 2), (), 3)


def test_contenders_take_turns_and_every_ratio_is_ours_over_theirs():
    turns = []
    contenders = {name: (lambda name=name: turns.append(name)) for name in ("raw", "dlexplain", "peer")}
    measured = interleaved(Row("work", "torch", contenders, {"other": "not installed: pip install other"}), 3, 60)
    assert turns == ["raw", "dlexplain", "peer"] * 2 + ["peer", "dlexplain", "raw"] + ["raw", "dlexplain", "peer"]
    assert measured["rounds"] == 3
    assert set(measured["ratio"]) == {"raw", "peer"}
    assert "pip install other" in report.line({**measured, "ratio": {"raw": 2.0}, "processor_ratio": {"raw": 1.5}})


def test_chunks_cover_every_cell_once():
    for rows in (1, 3, 8, 100):
        seen = np.zeros((5, 7), int)
        for ns, ks in chunks(5, 7, rows):
            assert seen[ns, ks].size <= rows
            seen[ns, ks] += 1
        assert (seen == 1).all()


def test_fastest_is_the_one_that_takes_least():
    assert fastest({"slow": lambda: sum(range(3_000_000)), "quick": lambda: None})[0] == "quick"


@pytest.mark.filterwarnings("ignore::dlexplain.errors.GapWarning")  # eight steps are few; both take the same eight
@pytest.mark.parametrize("rows", [3, 64])
def test_the_raw_framework_does_the_same_work(rows):
    import dlexplain as dlx
    from benchmarks import torch_rows

    model, x, goal = torch_rows._ready(SMALL)
    for last in (False, True):
        path = torch_rows.raw_path(model, x, goal, last, 8, rows)
        ours = dlx.explain(model, x, "integrated_gradients", target=goal, baseline=0, steps=8, seed=0)
        np.testing.assert_allclose(path, ours.values, rtol=1e-4, atol=1e-6)
        scores = torch_rows.raw_windows(model, x, goal, last, rows)
        assert scores.shape == (2, len(windows(8)))
        covered = x.copy()
        covered[:, :, 2:6, 4:8] = 0
        expected = np.take_along_axis(dlx.wrap(model).predict(covered), goal[:, None], 1)[:, 0]
        np.testing.assert_allclose(scores[:, windows(8).index((2, 4))], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("times", [1, 2])
def test_an_audit_is_timed_to_its_saved_page(times):
    from benchmarks.audits import taken

    found = taken("torch", "wine", times)
    assert found["samples"] == times * taken("torch", "wine", 1)["samples"]
    assert found["seconds"] > 0 < found["processor"]
    assert set(found) == {"framework", "model", "samples", "seconds", "processor", "added"}  # what the table is made of


def test_a_report_without_machine_paths():
    result = {
        "setting": report.setting(), "rows": [],
        "memory": [{"framework": "torch", "work": "steps", "count": c, "before": 1.0, "peak": 3.0} for c in (32, 512)],
        "audits": [{"framework": "keras", "model": "tokens", "samples": 9, "seconds": 7.4, "processor": 8.6, "added": 20.2}],
        "startup": {"numpy, plotly": 0.1, "dlexplain": 0.2, "over": 0.1},
    }
    text = report.markdown(result)
    assert "| torch | 32 steps | 2 | 512 steps | 2 |" in text
    assert "| tokens | keras | 9 | 7 (9) | 20 |" in text
    assert "costs 0.10 s" in text
    assert str(Path.cwd()) not in text
