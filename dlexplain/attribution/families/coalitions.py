"""Which coalitions of players are asked, and with what weight each counts. NumPy only, no model."""

from __future__ import annotations

from itertools import combinations
from math import comb, factorial

import numpy as np


def members(numbers: np.ndarray, players: int) -> np.ndarray:
    """`(k, players)`: coalitions from their numbers, player i being bit i."""
    return (numbers[:, None] >> np.arange(players) & 1).astype(bool)


def shapley_weights(kept: np.ndarray) -> np.ndarray:
    """`(k, d)`: what a coalition's worth adds to each player's Shapley value, were all coalitions summed.

    A coalition of s that holds player i counts (s-1)! (d-s)! / d! for i, one that does not, -s! (d-s-1)! / d!.
    """
    d = kept.shape[1]
    size = kept.sum(1)
    among = np.array([0.0, *(factorial(s - 1) * factorial(d - s) / factorial(d) for s in range(1, d + 1))])
    without = np.array([*(factorial(s) * factorial(d - s - 1) / factorial(d) for s in range(d)), 0.0])
    return np.where(kept, among[size][:, None], -without[size][:, None])


def owen_cost(group: np.ndarray) -> float:
    """How many coalitions the exact Owen values look at; `group`: `(d,)`, the group of each player."""
    sizes = np.bincount(group)
    return float((2.0 ** (sizes + len(sizes) - 1)).sum())


def owen_weights(group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coalitions `(k, d)` and their weights `(k, d)`: all unions of whole groups, joined by any part of one more.

    Owen (1977), Values of Games with a Priori Unions: the weights are those of a game between the groups times
    those of a game within the group.
    """
    d, count = len(group), int(group.max()) + 1
    kept, weights = [], []
    for own in range(count):
        inside = np.flatnonzero(group == own)
        others = np.arange(count) != own
        unions = members(np.arange(2 ** (count - 1)), count - 1)
        parts = members(np.arange(2 ** len(inside)), len(inside))
        whole = np.zeros((len(unions), count), bool)
        whole[:, others] = unions
        h = unions.sum(1)
        between = np.array([factorial(s) * factorial(count - s - 1) / factorial(count) for s in range(count)])[h]
        coalitions = np.repeat(whole[:, group], len(parts), 0)
        coalitions[:, inside] = np.tile(parts, (len(unions), 1))
        weight = np.zeros((len(coalitions), d))
        weight[:, inside] = np.repeat(between, len(parts))[:, None] * np.tile(shapley_weights(parts), (len(unions), 1))
        kept.append(coalitions)
        weights.append(weight)
    unique, place = np.unique(np.concatenate(kept), axis=0, return_inverse=True)
    total = np.zeros((len(unique), d))
    np.add.at(total, place.ravel(), np.concatenate(weights))
    return unique, total


def kernel_coalitions(players: int, samples: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Coalitions `(k, d)` and their Shapley kernel weights `(k,)`, at most `samples` of them, without none and all.

    All of a size and of its complement where they fit the share of `samples` that their weight earns, the smallest
    sizes first (sizes 1 and d-1 always); of the other sizes a draw, each with its complement. Covert, Lee (2021),
    Improving KernelSHAP, arXiv:2012.01536.
    """
    if 2**players - 2 <= samples:
        kept = members(np.arange(1, 2**players - 1), players)
        size = kept.sum(1)
        each = np.array([0.0, *((players - 1) / (comb(players, s) * s * (players - s)) for s in range(1, players))])
        return kept, each[size]
    half = players // 2
    weight = np.array(
        [(players - 1) / (s * (players - s)) * (1 if 2 * s == players else 2) for s in range(1, half + 1)]
    )
    rows, weights, left, first = [], [], samples, 1
    while first <= half:
        number = comb(players, first) * (1 if 2 * first == players else 2)
        if first > 1 and left * weight[first - 1] / weight[first - 1 :].sum() < number:
            break
        whole = _of_size(players, first)
        rows.append(whole if 2 * first == players else np.concatenate([whole, ~whole]))
        weights.append(np.full(number, weight[first - 1] / number))
        left, first = left - number, first + 1
    if first <= half and left > 1:
        sizes = np.arange(first, half + 1)
        drawn = generator.choice(sizes, left // 2, p=weight[first - 1 :] / weight[first - 1 :].sum())
        order = np.argsort(generator.random((len(drawn), players)), 1)
        pairs = np.zeros((len(drawn), players), bool)
        np.put_along_axis(pairs, order, np.arange(players) < drawn[:, None], 1)
        unique, times = np.unique(np.concatenate([pairs, ~pairs]), axis=0, return_counts=True)
        rows.append(unique)
        weights.append(times / times.sum() * weight[first - 1 :].sum())
    return np.concatenate(rows), np.concatenate(weights)


def kernel_solution(kept: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The weighted least squares of kernel SHAP under the constraint that the values sum to the change, solved once.

    Gives `(k, d)` and `(d,)`: the values are the worths (over the empty coalition's) times the first, plus the change
    times the second. Lundberg, Lee (2017), arXiv:1705.07874, theorem 2.
    """
    design = kept.astype(np.float64)
    weighted = design * weights[:, None]
    inverse = np.linalg.inv(design.T @ weighted)
    ones = inverse.sum(1)
    constant = ones / ones.sum()
    return (weighted @ inverse) - np.outer((weighted @ ones), constant), constant


def orders_of(group: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """`(2 count, d)`: random orders of the players, groups together, each followed by its reverse (antithetic)."""
    drawn = np.empty((2 * count, len(group)), np.int64)
    groups = int(group.max()) + 1
    for k in range(count):
        place = generator.permutation(groups)[group] * len(group) + generator.permutation(len(group))
        drawn[2 * k] = np.argsort(place)
        drawn[2 * k + 1] = drawn[2 * k, ::-1]
    return drawn


def _of_size(players: int, size: int) -> np.ndarray:
    """All coalitions of a size, in lexical order."""
    chosen = np.array(list(combinations(range(players), size)), np.int64)
    rows = np.zeros((len(chosen), players), bool)
    np.put_along_axis(rows, chosen, True, 1)
    return rows
