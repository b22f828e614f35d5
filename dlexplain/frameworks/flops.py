"""What a forward pass costs, counted operation by operation: the same words for both frameworks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod


@dataclass(frozen=True)
class Flops:
    """Of one sample on its way through. `counted`: floating-point operations of matrix products and convolutions, a
    multiplication and an addition each counted, biases not. `uncounted`: operations that compute but were not counted,
    with how many values they make."""

    counted: Mapping[str, int]
    uncounted: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.counted.values())


class Tally:
    """Adds up while a pass runs."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()
        self.uncounted: Counter[str] = Counter()

    def flops(self) -> Flops:
        left = {name: made for name, made in sorted(self.uncounted.items()) if made}
        return Flops(dict(sorted(self.counted.items())), left)


def size(shape) -> int:
    """How many values a shape holds."""
    return int(prod(int(s) for s in shape))
