"""One architecture with seeded weights, samples of it, and what it lends itself to."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Specimen:
    """`inputs`, `background`: one array an input, `(n, *shape)` and `(m, *shape)`, in the model's own layout."""

    name: str
    framework: str
    model: Any
    inputs: tuple[np.ndarray, ...]
    background: tuple[np.ndarray, ...]
    target: Any

    @property
    def tokens(self) -> bool:
        return any(a.dtype.kind == "i" for a in self.inputs)

    @property
    def features(self) -> int:
        """How many numbers one sample holds."""
        return sum(math.prod(a.shape[1:]) for a in self.inputs)


SAMPLES, BACKGROUND = 2, 3
ZOO: dict[str, dict[str, Callable[[], Specimen]]] = {"keras": {}, "torch": {}}


def architecture(
    framework: str,
    name: str,
    *shapes: tuple[int, ...],
    target: Any = 1,
    vocabulary: int | None = None,
    scale: float = 1.0,
    padded: int = 0,
    prepare: Callable[[Any, tuple[np.ndarray, ...]], None],
    seed: Callable[[int], Any],
) -> Callable[[Callable[[], Any]], Callable[[], Specimen]]:
    """Enters a function that makes a model; `prepare(model, samples)` gives it weights with which nothing is degenerate.

    `shapes`: of one sample, one an input, in the framework's own layout. `vocabulary`: inputs are token ids below it.
    `scale`: of the inputs' deviation. `padded`: how many places at the end of the first sample hold nothing (id 0).
    """

    def enter(make: Callable[[], Any]) -> Callable[[], Specimen]:
        def build() -> Specimen:
            seed(7)
            model = make()
            prepare(model, _draw(shapes, vocabulary, scale, 16, 3))
            return Specimen(
                name,
                framework,
                model,
                _padded(_draw(shapes, vocabulary, scale, SAMPLES, 1), padded),
                _draw(shapes, vocabulary, scale, BACKGROUND, 2),
                target,
            )

        if name in ZOO[framework]:
            raise ValueError(f"two {framework} architectures are named {name!r}")
        ZOO[framework][name] = build
        return build

    return enter


def _draw(shapes: Any, vocabulary: int | None, scale: float, n: int, seed: int) -> tuple[np.ndarray, ...]:
    generator = np.random.default_rng(seed)
    if vocabulary is not None:
        return tuple(generator.integers(1, vocabulary, (n, *shape)) for shape in shapes)
    return tuple((scale * generator.standard_normal((n, *shape))).astype(np.float32) for shape in shapes)


def _padded(inputs: tuple[np.ndarray, ...], places: int) -> tuple[np.ndarray, ...]:
    for array in inputs:
        array[0, array.shape[1] - places :] = 0 if places else array[0, array.shape[1] :]
    return inputs


def one_or_all(arrays: tuple[np.ndarray, ...]) -> Any:
    """As a user gives them: one array, or a tuple of several."""
    return arrays[0] if len(arrays) == 1 else arrays


def load(framework: str) -> dict[str, Callable[[], Specimen]]:
    """The zoo of one framework, which alone is imported."""
    import importlib

    for part in ("tables", "images", "networks", "sequences", "attention"):
        importlib.import_module(f"tests.zoo.{framework}_{part}")
    return ZOO[framework]
