"""How alike two networks see the same samples: linear centred kernel alignment between their layers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlexplain.errors import InputError
from dlexplain.frameworks import Model, wrap
from dlexplain.frameworks.inputs import matches
from dlexplain.frameworks.questions import Inputs, blocks
from dlexplain.layers import features

_WHOLE = 256  # samples whose similarities to each other are held at once


@dataclass(frozen=True, eq=False)
class Similarity:
    """Linear CKA of each layer of a with each of b: `values`, `(len(layers_a), len(layers_b))`; 1 is the same up to a
    rotation and a scale, 0 is nothing shared. NaN where a layer is the same for every sample."""

    values: np.ndarray
    layers_a: tuple[str, ...]
    layers_b: tuple[str, ...]
    unbiased: bool
    samples: int
    reductions: tuple[dict[str, str], dict[str, str]]
    frameworks: tuple[str, str]
    fingerprints: tuple[str, str]

    @property
    def table(self):
        """A row a pair of layers."""
        import pandas as pd

        pairs = [(a, b, self.values[i, j]) for i, a in enumerate(self.layers_a) for j, b in enumerate(self.layers_b)]
        return pd.DataFrame(pairs, columns=["a", "b", "similarity"])

    def plot(self, **options: Any):
        """A Plotly figure: the square of similarities, layer against layer."""
        from dlexplain import figures

        return figures.similarity(self, **options)

    def __repr__(self) -> str:
        kind = "unbiased" if self.unbiased else "biased"
        known = self.values[np.isfinite(self.values)]
        span = f"{known.min():.3f} to {known.max():.3f}" if known.size else "no layer differs between samples"
        return (
            f"Similarity (linear CKA, {kind}) of {len(self.layers_a)} layers ({self.frameworks[0]}) with "
            f"{len(self.layers_b)} ({self.frameworks[1]}) on {self.samples} samples: {span}"
        )


def similarity(
    model_a: Any,
    model_b: Any,
    inputs: Any,
    *,
    layers_a: str | Sequence[str] | None = None,
    layers_b: str | Sequence[str] | None = None,
    inputs_b: Any = None,
    unbiased: bool = True,
    limit: int = 4096,
    batch_size: int | None = None,
    seed: int = 0,
) -> Similarity:
    """Linear CKA between the layers of two models (of either framework) on the same samples.

    `inputs` in the layout of `model_a`; pictures are turned where `model_b` has the other one, or `inputs_b` gives its own.
    `unbiased`: the estimate that does not grow with the layers' width when samples are few; over 256 samples it is the
    ratio of means over parts of the samples, so that memory stays bounded.
    Kornblith, Norouzi, Lee, Hinton (2019), arXiv:1905.00414; unbiased: Song and others (2012), JMLR 13, 1393-1434;
    parts: Nguyen, Raghu, Kornblith (2021), arXiv:2010.15327.
    """
    first, second = wrap(model_a), wrap(model_b)
    features.check_seed(seed)
    given = first.inputs(inputs)
    other = second.inputs(inputs_b) if inputs_b is not None else second.inputs(_turned(given, first, second))
    n = len(given[0])
    if len(other[0]) != n:
        raise InputError(f"inputs_b: {len(other[0])} samples for {n}; similarity compares the same samples.")
    if n < 4:
        raise InputError(f"similarity: {n} samples are too few; 4 at the least, and some hundreds to be believed.")
    if not unbiased and n > 4 * _WHOLE:
        raise InputError(f"unbiased=False: at most {4 * _WHOLE} samples, for all are compared at once; got {n}.")
    size = -(-n // -(-n // _WHOLE)) if unbiased else n
    parts = [part for part in blocks(n, size) if part.stop - part.start >= 4]
    sides = [
        (model, arrays, features.named(model, arrays, names))
        for model, arrays, names in ((first, given, layers_a), (second, other, layers_b))
    ]
    words: list[dict[str, str]] = [{}, {}]

    def read(part: slice) -> list[list[np.ndarray]]:
        """Both models' features on some of the samples; kept no longer than these are compared."""
        found = []
        for (model, arrays, names), said in zip(sides, words, strict=True):
            rows = tuple(a[part] for a in arrays)
            of = features.gather(model, rows, names, limit, seed=seed, batch_size=batch_size)
            said.update({name: one.reduction for name, one in of.items()})
            found.append([one.values for one in of.values()])
        return found

    return Similarity(
        _aligned(map(read, parts), unbiased),
        *(tuple(said) for said in words),
        unbiased,
        n,
        (words[0], words[1]),
        (first.framework, second.framework),
        (first.fingerprint, second.fingerprint),
    )


def _aligned(parts: Iterable[Sequence[Sequence[np.ndarray]]], unbiased: bool) -> np.ndarray:
    """What layers a and b share over the geometric mean of what each shares with itself, sums over parts of the samples.

    `parts`: for each, the features `(samples, width)` of the layers of a and those of b.
    """
    both = own_a = own_b = 0
    for a, b in parts:
        left, right = ([_gram(x, unbiased) for x in side] for side in (a, b))
        both = both + np.array([[_shared(k, m, unbiased) for m in right] for k in left])
        own_a = own_a + np.array([_shared(k, k, unbiased) for k in left])
        own_b = own_b + np.array([_shared(m, m, unbiased) for m in right])
    size = np.sqrt(np.outer(np.maximum(own_a, 0), np.maximum(own_b, 0)))
    # A layer that is the same for every sample shares nothing with anything, not even with itself.
    return np.divide(both, size, out=np.full(both.shape, np.nan), where=size > 0)


def _gram(x: np.ndarray, unbiased: bool) -> np.ndarray:
    """Similarities of the samples `(n, n)`: centred, or with nothing on the diagonal as the unbiased estimate needs."""
    largest = np.abs(x).max(initial=0)
    x = x - x.mean(0, dtype=np.float64)  # changes no estimate, and keeps digits where the mean is large
    if np.abs(x).max(initial=0) <= 1e-6 * largest:
        return np.zeros((len(x), len(x)))
    kernel = x @ x.T  # on the layer's own scale, which all parts of the samples share
    if unbiased:
        np.fill_diagonal(kernel, 0)
    return kernel


def _shared(k: np.ndarray, m: np.ndarray, unbiased: bool) -> float:
    """The Hilbert-Schmidt independence criterion of two sets of similarities."""
    n = len(k)
    whole = float(np.vdot(k, m))
    if not unbiased:
        return whole / (n - 1) ** 2
    sums = float(k.sum() * m.sum()) / ((n - 1) * (n - 2))
    return (whole + sums - 2 / (n - 2) * float(k.sum(0) @ m.sum(0))) / (n * (n - 3))


def _turned(inputs: Inputs, first: Model, second: Model) -> Any:
    """Pictures and series of one layout in the other, where the second model takes them only so."""
    turned = list(inputs)
    if {first.layout, second.layout} == {"channels_first", "channels_last"}:
        axes = (-1, 1) if first.layout == "channels_last" else (1, -1)
        for i, array in enumerate(inputs):
            other = np.moveaxis(array, *axes) if array.ndim > 2 else array
            known = second.input_shapes[i] if second.input_shapes else None
            if (
                array.ndim == 4
                if known is None
                else not matches(array.shape[1:], known) and matches(other.shape[1:], known)
            ):
                turned[i] = np.ascontiguousarray(other)
    return tuple(turned) if len(turned) > 1 else turned[0]
