"""The words in which a network is asked: which output, along which points, under which masks. NumPy only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

Inputs = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Layer:
    """One layer as it is called: `calls` counts how often a forward pass runs it (`name:2` is the second time)."""

    name: str
    type: str
    output_shape: tuple[int | None, ...] | None
    parameters: int
    calls: int = 1


@dataclass(frozen=True, eq=False)
class Target:
    """The scalar asked of each sample: one value of output `head`; `index`, `(n, rank)`, is its place within one
    sample's output."""

    index: np.ndarray
    head: int = 0

    def take(self, rows: np.ndarray | slice) -> Target:
        return Target(self.index[rows], self.head)

    def of(self, outputs: Inputs) -> np.ndarray:
        """`(n,)`: the value of each sample."""
        output = outputs[self.head]
        output = output.reshape(len(output), 1) if output.ndim == 1 else output
        return output[(np.arange(len(output)), *self.index.T)]


@dataclass(frozen=True, eq=False)
class Points:
    """Points round each input, `b + alpha (x - b) + scale * noise`, whose gradients are summed with `weights`.

    `weights`, `alphas`: `(K,)`. `baseline`: arrays `(1 or n, *shape)`, or with `draws` `(K,)` a background set
    `(m, *shape)` of which draws[k] belongs to point k. `noise(start, stop)`: arrays `(stop - start, *shape)`, the
    same for every sample, times `scale` `(n,)` of each input. `contribution`: gradients times `x - b`.
    """

    weights: np.ndarray
    alphas: np.ndarray
    baseline: Inputs | None = None
    draws: np.ndarray | None = None
    noise: Callable[[int, int], Inputs] | None = None
    scale: tuple[np.ndarray, ...] | None = None
    contribution: bool = False
    squares: bool = False

    def take(self, rows: np.ndarray | slice) -> Points:
        """The same points for some of the samples."""
        baseline, scale = self.baseline, self.scale
        if baseline is not None and self.draws is None:
            baseline = tuple(b if len(b) == 1 else b[rows] for b in baseline)
        if scale is not None:
            scale = tuple(s[rows] for s in scale)
        return Points(
            self.weights, self.alphas, baseline, self.draws, self.noise, scale, self.contribution, self.squares
        )


@dataclass(frozen=True, eq=False)
class Masks:
    """A stream of `count` masks: `block(samples, start, stop)` gives, an input each, arrays
    `(1 or samples, stop - start, *shape)` that broadcast over the input; True (or 1) keeps, False (or 0) fills.
    `shared`: the same for every sample, so that each block is made once."""

    count: int
    block: Callable[[slice, int, int], Inputs]
    shared: bool = False


def in_order(names: Sequence[str], called: Sequence[str], separator: str) -> tuple[str, ...]:
    """The layers by their first call; one that only its parent calls from inside (a recurrent cell in a fused kernel)
    goes by the parent's. A layer that is not called at all decides nothing and is left out."""
    places = {}
    for name in dict.fromkeys(names):
        parts = name.split(separator)
        known = (separator.join(parts[:i]) for i in range(len(parts), 0, -1))
        place = next((called.index(n) for n in known if n in called), None)
        if place is not None:
            places[name] = place
    return tuple(sorted(places, key=places.__getitem__))


def blocks(n: int, size: int):
    """Slices of at most `size` that cover `range(n)`."""
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


def laid(masks: Masks, n: int, rows: int, made: Callable[[Inputs], list]):
    """Triples (samples, masks, what `made` makes of their block) that cover n samples with at most `rows` cells each."""
    wide = max(1, min(masks.count, rows))
    for ks in blocks(masks.count, wide):
        kept = made(masks.block(slice(0, n), ks.start, ks.stop)) if masks.shared else None
        for ns in blocks(n, max(1, rows // wide)):
            yield ns, ks, kept if masks.shared else made(masks.block(ns, ks.start, ks.stop))


def grid(n: int, k: int, rows: int):
    """Pairs of slices (samples, points) that cover an n x k grid with at most `rows` cells each, all samples of some
    points one after the other: what the points share is made once."""
    wide = max(1, min(k, rows))
    for points in blocks(k, wide):
        for samples in blocks(n, max(1, rows // wide)):
            yield samples, points
