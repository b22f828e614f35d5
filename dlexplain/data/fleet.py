"""A fleet of pumps that wear out: what breaks, since when, and which sensor feels it first are known.

The model, a cycle (one hour of work) at a time:

* load follows a machine's duty and wanders round it;
* a fault begins once the load carried adds up to the machine's strength;
* from then on wear breeds wear: `dw = rate * load**2 * (0.15 + w)`; at `w = 1` the machine breaks down;
* a worn bearing shakes the machine, and its friction warms the casing, slowly; a clogged filter costs
  pressure; both cost some current;
* the weather warms the casing; humidity and mains voltage have no part in any of it.
"""

from __future__ import annotations

import numpy as np

from dlexplain.data.turbofan import EngineDataset
from dlexplain.errors import InputError

SENSORS = ("load", "vibration", "temperature", "pressure", "current", "outside", "humidity", "voltage")
UNITS = ("%", "mm/s", "°C", "bar", "A", "°C", "%", "V")
FAULTS = ("worn bearing", "clogged filter")
CAUSES = ("vibration", "pressure")  # the sensor that each fault reaches first and most strongly
IDLE = ("outside", "humidity", "voltage")  # no fault reaches these

_SEED_OF_WEAR = 0.15
_LONGEST = 2000


def fleet(
    *,
    machines: int = 160,
    noise: float = 1.0,
    faults: tuple[str, ...] = FAULTS,
    seed: int | np.random.Generator = 0,
) -> EngineDataset:
    """Machines run to breakdown, a row a cycle: `inputs` `(rows, 8)`, `labels` the cycles left.

    `noise` scales the sensors' measuring noise. Extras: `engine` and `cycle` (from 1), `wear` (0 to 1),
    `fault` (index into `truth["faults"]`), `onset` (the cycle in which the fault began). `truth` also holds
    `causes`, the sensor that each fault reaches first, and `idle`, the sensors that none reaches.
    """
    if isinstance(machines, bool) or not isinstance(machines, int | np.integer) or machines < 2:
        raise InputError(f"`machines` is a whole number, 2 or more, not {machines!r}.")
    if not 0 <= noise <= 10:
        raise InputError(f"`noise` scales the measuring noise, 0 to 10, not {noise!r}.")
    if not faults or any(name not in FAULTS for name in faults) or len(set(faults)) != len(faults):
        raise InputError(f"`faults` are some of {FAULTS}, each once, not {faults!r}.")
    rng = np.random.default_rng(seed)
    which = rng.permutation(np.arange(machines) % len(faults))
    lives = [_life(FAULTS.index(faults[fault]), noise, rng) for fault in which]
    lengths = [len(sensors) for sensors, _, _ in lives]
    cycle = np.concatenate([np.arange(1, n + 1) for n in lengths])
    return EngineDataset(
        "fleet",
        np.concatenate([sensors for sensors, _, _ in lives]).astype(np.float32),
        (np.repeat(lengths, lengths) - cycle).astype(np.float32),
        "series",
        SENSORS,
        None,
        "MIT (made by dlexplain)",
        "dlexplain.data.fleet",
        extras={
            "engine": np.repeat(np.arange(1, machines + 1), lengths),
            "cycle": cycle,
            "wear": np.concatenate([wear for _, wear, _ in lives]).astype(np.float32),
            "fault": np.repeat(which, lengths),
            "onset": np.repeat([onset for _, _, onset in lives], lengths),
        },
        truth={
            "faults": tuple(faults),
            "causes": tuple(CAUSES[FAULTS.index(name)] for name in faults),
            "idle": IDLE,
            "units": dict(zip(SENSORS, UNITS, strict=True)),
        },
        group="engine",
    )


def by_machine(data: EngineDataset, shares: tuple[float, ...], *, seed: int = 0) -> list[EngineDataset]:
    """The machines dealt out whole, a part a share; parts keep their machines' rows in order."""
    if not shares or min(shares) <= 0 or abs(sum(shares) - 1) > 1e-9:
        raise InputError(f"`shares` are positive and sum to 1, not {shares!r}.")
    order = np.random.default_rng(seed).permutation(data.engines)
    ends = np.round(np.cumsum(shares) * len(order)).astype(int)
    parts = np.split(order, ends[:-1])
    if not all(len(part) for part in parts):
        raise InputError(f"{len(order)} machines are too few for shares of {shares!r}.")
    return [data.take(np.isin(data.extras["engine"], part)) for part in parts]


def _life(fault: int, noise: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, int]:
    """One machine until it breaks down: sensors `(cycles, 8)`, wear `(cycles,)`, the cycle of onset."""
    load, wear, onset = _wear(rng)
    count = len(load)
    bearing, filter_ = (wear if fault == k else np.zeros(count) for k in range(2))
    season = rng.uniform(0, 2 * np.pi)
    outside = 15 + 8 * np.sin(season + np.arange(count) / 60) + _wander(rng, count, 2.0, 0.9)
    heat = outside + 15 + 25 * load + 18 * bearing
    sensors = np.stack(
        [
            100 * load,
            1.5 + 1.5 * load + 6 * bearing + rng.normal(0, 0.15) + noise * rng.normal(0, 0.3, count),
            _lagging(heat) + noise * rng.normal(0, 0.6, count),
            6 - 0.8 * load - 2.5 * filter_ + rng.normal(0, 0.08) + noise * rng.normal(0, 0.12, count),
            8 + 20 * load + 2 * bearing + 2 * filter_ + noise * rng.normal(0, 0.5, count),
            outside + noise * rng.normal(0, 0.2, count),
            60 + rng.normal(0, 6) + _wander(rng, count, 8.0, 0.95),
            400 + rng.normal(0, 3) + _wander(rng, count, 2.0, 0.9),
        ],
        axis=1,
    )
    return sensors, wear, onset


def _wear(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, int]:
    """Load and wear of every cycle up to the last before the breakdown, and the first cycle of the fault."""
    duty, rate = rng.uniform(0.5, 0.85), 0.11 * rng.lognormal(0, 0.15)
    strength = 45 * rng.lognormal(0, 0.25)
    load = (duty + _wander(rng, _LONGEST, 0.07, 0.8)).clip(0.25, 1)
    grows = np.flatnonzero(load.cumsum() > strength)[0]
    wear = np.zeros(_LONGEST)
    step = rate * load**2 * rng.lognormal(0, 0.3, _LONGEST)
    for cycle in range(grows + 1, _LONGEST):
        wear[cycle] = wear[cycle - 1] + step[cycle] * (_SEED_OF_WEAR + wear[cycle - 1])
        if wear[cycle] >= 1:
            return load[:cycle], wear[:cycle], int(grows) + 2
    raise RuntimeError("a machine outlived the simulation")


def _wander(rng: np.random.Generator, count: int, deviation: float, memory: float) -> np.ndarray:
    """Chance with a memory: each value keeps a share of the one before; the deviation stays the same."""
    from scipy.signal import lfilter

    kicks = rng.normal(0, deviation * np.sqrt(1 - memory**2), count)
    kicks[0] = rng.normal(0, deviation)
    return lfilter([1.0], [1.0, -memory], kicks)


def _lagging(target: np.ndarray, *, pace: float = 0.2) -> np.ndarray:
    """Something warm that goes a share of the way to its target in each cycle."""
    from scipy.signal import lfilter

    return lfilter([pace], [1.0, pace - 1.0], target, zi=[(1 - pace) * target[0]])[0]
