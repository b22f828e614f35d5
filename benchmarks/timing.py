"""Contenders timed in turn, A B C A B C, so that whatever else the machine does falls on all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True)
class Row:
    """One piece of work. `contenders`: how to do it, by name; `absent`: why another library is not among them."""

    work: str
    framework: str
    contenders: Mapping[str, Callable[[], object]]
    absent: Mapping[str, str] = field(default_factory=dict)
    notes: str = ""


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock and of processor time (all threads)."""
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - cpu


def fastest(choices: Mapping[str, Callable[[], object]], repeats: int = 3) -> tuple[str, Callable[[], object]]:
    """The choice (of batch size, of layout) with the smallest time, each warmed up first."""
    if len(choices) == 1:
        return next(iter(choices.items()))
    for run in choices.values():
        run()
    best = {name: [] for name in choices}
    for _ in range(repeats):
        for name, run in choices.items():
            best[name].append(timed(run)[0])
    name = min(best, key=lambda n: min(best[n]))
    return name, choices[name]


def interleaved(row: Row, repeats: int, seconds: float) -> dict:
    """Medians over the rounds: seconds, processor seconds, and the ratio ours / theirs within each round.

    Rounds end after `repeats`, or when `seconds` have passed and three rounds are in.
    """
    for run in row.contenders.values():
        run()
    rounds: dict[str, list[tuple[float, float]]] = {name: [] for name in row.contenders}
    began = time.perf_counter()
    names = list(row.contenders)
    for number in range(repeats):
        for name in names if number % 2 == 0 else names[::-1]:
            rounds[name].append(timed(row.contenders[name]))
        if number >= 2 and time.perf_counter() - began > seconds:
            break
    ours = rounds["dlexplain"]
    return {
        "work": row.work,
        "framework": row.framework,
        "rounds": len(ours),
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "seconds": {name: _middle(times, 0) for name, times in rounds.items()},
        "processor_seconds": {name: _middle(times, 1) for name, times in rounds.items()},
        "ratio": {name: _ratio(ours, times, 0) for name, times in rounds.items() if name != "dlexplain"},
        "processor_ratio": {name: _ratio(ours, times, 1) for name, times in rounds.items() if name != "dlexplain"},
        "absent": dict(row.absent),
        "notes": row.notes,
    }


def _middle(times: Sequence[tuple[float, float]], clock: int) -> float:
    return median(t[clock] for t in times)


def _ratio(ours: Sequence[tuple[float, float]], theirs: Sequence[tuple[float, float]], clock: int) -> float:
    return median(a[clock] / max(b[clock], 1e-9) for a, b in zip(ours, theirs, strict=True))
