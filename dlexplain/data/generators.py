"""Data whose truth is known because it was planted: borders, shapes with masks, tables with weights.

`seed` is a whole number or a `numpy.random.Generator`; the same number gives the same data.
"""

from __future__ import annotations

import numpy as np

from dlexplain.data.dataset import Dataset
from dlexplain.errors import InputError, suggest

_LICENCE = {"licence": "MIT (made by dlexplain)", "source": "dlexplain.data.generators"}
SHAPES = ("circle", "square", "triangle", "cross")


def two_moons(*, samples: int = 400, noise: float = 0.1, seed: int | np.random.Generator = 0) -> Dataset:
    """Two half circles of radius 1; `noise` is the deviation of the points from them. Extras: `angle`."""
    _check(samples=samples, noise=noise)
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(samples) % 2)
    angle = rng.uniform(0, np.pi, samples)
    upper = np.stack([np.cos(angle), np.sin(angle)], 1)
    lower = np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], 1)
    points = np.where(labels[:, None] == 0, upper, lower) + rng.normal(0, noise, (samples, 2))
    return _plane("two_moons", points, labels, ("upper", "lower"), {"angle": angle}, {"noise": noise})


def spirals(
    *,
    samples: int = 400,
    arms: int = 2,
    turns: float = 1.5,
    noise: float = 0.05,
    seed: int | np.random.Generator = 0,
) -> Dataset:
    """Points on `arms` spirals of radius 0.1 to 1 that wind `turns` times. Extras: `radius`."""
    _check(samples=samples, noise=noise)
    if not 1 <= arms <= 12:
        raise InputError(f"`arms` must lie between 1 and 12, not {arms!r}.")
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(samples) % arms)
    radius = np.sqrt(rng.uniform(0.01, 1, samples))  # even over the disc's area
    angle = 2 * np.pi * (turns * radius + labels / arms)
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1) + rng.normal(
        0, noise, (samples, 2)
    )
    names = tuple(f"arm {number}" for number in range(1, arms + 1))
    return _plane("spirals", points, labels, names, {"radius": radius}, {"noise": noise, "turns": turns})


def shapes(
    *,
    samples: int = 400,
    size: int = 32,
    classes: tuple[str, ...] = SHAPES,
    noise: float = 0.1,
    shortcut: float = 0.0,
    seed: int | np.random.Generator = 0,
) -> Dataset:
    """Grey images `(n, size, size, 1)` with one shape each, its place, size and brightness by chance.

    Extras: `mask` `(n, size, size)`, true on the shape, and `shortcut_mask`, true on a bright mark of 3 x 3
    pixels in the corner that belongs to the class; a share `shortcut` of the images carries it. A model that
    looks at the corner instead of the shape is caught by the masks.
    """
    _check(samples=samples, noise=noise)
    unknown = [name for name in classes if name not in SHAPES]
    if unknown or not classes or len(set(classes)) != len(classes):
        hint = suggest(unknown[0], SHAPES) if unknown else ""
        raise InputError(f"`classes` are some of {SHAPES}, each once, not {classes!r}. {hint}".strip())
    if size < 16 or not 0 <= shortcut <= 1:
        raise InputError(
            f"`size` must be 16 or more and `shortcut` a share from 0 to 1, not {size!r} and {shortcut!r}."
        )
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(samples) % len(classes))
    radius = rng.uniform(0.16, 0.26, samples) * size
    centre = rng.uniform(radius + 3, size - 4 - radius, (2, samples))  # clear of the corner marks
    masks = np.stack([_mask(classes[label], size, centre[:, k], radius[k]) for k, label in enumerate(labels)])
    marks = np.zeros_like(masks)
    for k in np.flatnonzero(rng.random(samples) < shortcut):
        row, column = divmod(SHAPES.index(classes[labels[k]]), 2)
        marks[k, -3 if row else 0 : None if row else 3, -3 if column else 0 : None if column else 3] = True
    brightness = rng.uniform(0.5, 0.9, (samples, 1, 1))
    images = np.where(marks, 1.0, np.where(masks, brightness, 0.1)) + rng.normal(0, noise, masks.shape)
    return Dataset(
        "shapes", images.clip(0, 1)[..., None].astype(np.float32), labels.astype(np.int64), "image",
        class_names=tuple(classes), layout="channels_last", extras={"mask": masks, "shortcut_mask": marks},
        truth={"shortcut": shortcut, "noise": noise}, **_LICENCE,
    )  # fmt: skip


def _mask(shape: str, size: int, centre: np.ndarray, radius: float) -> np.ndarray:
    down, across = (np.mgrid[:size, :size] - centre[:, None, None]) / radius
    if shape == "circle":
        return down**2 + across**2 <= 1
    if shape == "square":
        return np.maximum(np.abs(down), np.abs(across)) <= 0.85
    if shape == "triangle":
        return (np.abs(across) <= (down + 1) / 2) & (down <= 1)
    arms = np.minimum(np.abs(down), np.abs(across)) <= 0.3
    return arms & (np.maximum(np.abs(down), np.abs(across)) <= 1)


def planted_table(
    *,
    samples: int = 1000,
    features: int = 10,
    relevant: int = 3,
    noise: float = 0.1,
    correlation: float = 0.0,
    regression: bool = False,
    seed: int | np.random.Generator = 0,
) -> Dataset:
    """A table `(n, features)` of standard normal columns in which only `relevant` ones decide.

    The score is `inputs @ truth["weights"]` plus normal noise of deviation `noise`; the label is the score
    (`regression`) or whether it is positive. `truth["relevant"]` lists the deciding columns. `correlation`:
    that of each deciding column with an idle one beside it (`truth["proxies"]`), for telling credit from
    company.
    """
    _check(samples=samples, noise=noise)
    idle = features - relevant
    if relevant < 1 or idle < 0 or not -1 < correlation < 1 or (correlation and idle < relevant):
        raise InputError(
            f"`relevant` must lie between 1 and `features`, `correlation` between -1 and 1, and with it "
            f"each deciding column needs an idle one; got features={features!r}, relevant={relevant!r}, "
            f"correlation={correlation!r}."
        )
    rng = np.random.default_rng(seed)
    order = rng.permutation(features)
    deciding, proxies = order[:relevant], order[relevant : 2 * relevant] if correlation else order[:0]
    weights = np.zeros(features)
    weights[deciding] = rng.choice([-1.0, 1.0], relevant) * np.linspace(2, 1, relevant)
    table = rng.normal(size=(samples, features))
    if correlation:
        table[:, proxies] = correlation * table[:, deciding] + np.sqrt(1 - correlation**2) * table[:, proxies]
    score = table @ weights + rng.normal(0, noise, samples)
    labels = score.astype(np.float32) if regression else (score > 0).astype(np.int64)
    return Dataset(
        "planted_table", table.astype(np.float32), labels, "table",
        tuple(f"x{k}" for k in range(features)), None if regression else ("no", "yes"),
        truth={"weights": weights, "relevant": tuple(int(k) for k in deciding),
               "proxies": tuple(int(k) for k in proxies), "noise": noise}, **_LICENCE,
    )  # fmt: skip


def _plane(
    name: str, points: np.ndarray, labels: np.ndarray, classes: tuple[str, ...], extras: dict, truth: dict
) -> Dataset:
    return Dataset(
        name, points.astype(np.float32), labels.astype(np.int64), "table", ("x", "y"), classes,
        extras={key: value.astype(np.float32) for key, value in extras.items()}, truth=truth, **_LICENCE,
    )  # fmt: skip


def _check(*, samples: int, noise: float) -> None:
    if isinstance(samples, bool) or not isinstance(samples, int | np.integer) or samples < 2:
        raise InputError(f"`samples` is a whole number, 2 or more, not {samples!r}.")
    if not 0 <= noise < 10:
        raise InputError(f"`noise` is a deviation, 0 or more, not {noise!r}.")
