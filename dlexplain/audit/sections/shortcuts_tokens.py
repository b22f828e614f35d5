"""Shortcuts in token ids: one token whose insertion into samples of other classes takes them over."""

from __future__ import annotations

import numpy as np

from dlexplain.audit.sections.shortcuts_transplant import Found, Group, attributions, flips, groups, partners
from dlexplain.audit.subject import Subject
from dlexplain.frameworks.questions import Inputs

_TRIED, _OFTEN = 4, 3
_FLOOR = 0.05


def inserted(subject: Subject, method: str) -> list[Found]:
    """For every group the token that flips most, of those its attributions name."""
    chosen = groups(subject)
    which = next((i for i, v in enumerate(subject.model.token_inputs(subject.inputs)) if v is not None), None)
    if not chosen or which is None:
        return []
    found = []
    for group, values in zip(chosen, attributions(subject, method, chosen), strict=True):
        ids = subject.inputs[which][group.explained]
        rng = np.random.default_rng([subject.seed, 11, group.number + 1, int(group.sign > 0)])
        seeds = rng.integers(2**63, size=64)
        tried = [
            _with(subject, group, which, token, np.random.default_rng(seeds[k]))
            for k, token in enumerate(leading(ids, values[which], subject.model.padding(which)))
        ]
        if tried:
            found.append(max(tried, key=lambda f: f.figure))
    return found


def leading(ids: np.ndarray, values: np.ndarray, padding: int | None) -> list[int]:
    """The tokens that speak for the group most, and most steadily, of those in at least three of its samples."""
    ids, values = ids.reshape(len(ids), -1), values.reshape(len(ids), -1)
    rows: list[tuple[int, float, float]] = []
    for token in np.unique(ids):
        here = ids == token
        if token != padding and here.any(1).sum() >= _OFTEN:
            rows.append((int(token), float(values[here].mean()), float(values[here].std())))
    rows = [row for row in rows if row[1] > 0]
    if not rows:
        return []
    floor = _FLOOR * max(row[1] for row in rows)
    by_mean = sorted(rows, key=lambda row: -row[1])[:_TRIED]
    by_steadiness = sorted(rows, key=lambda row: -row[1] / (row[2] + floor))[:_TRIED]
    return list(dict.fromkeys(row[0] for row in (*by_mean, *by_steadiness)))


def insert(ids: np.ndarray, token: int, padding: int | None, rng: np.random.Generator) -> np.ndarray:
    """A copy with the token in the place of one that is not padding, drawn at random in each row."""
    changed = ids.copy()
    flat = changed.reshape(len(ids), -1)
    free = np.ones(flat.shape, bool) if padding is None else flat != padding
    places = np.where(free, rng.random(flat.shape), -1).argmax(1)
    flat[np.arange(len(flat)), places] = token
    return changed


def _with(subject: Subject, group: Group, which: int, token: int, rng: np.random.Generator) -> Found:
    receivers, donors = partners(subject, group, rng)
    padding = subject.model.padding(which)
    common = subject.inputs[which]
    other = int(rng.choice(common[common != padding] if padding is not None else common.ravel()))

    def changed(word: int, seed: int) -> np.ndarray:
        inputs: Inputs = tuple(a[receivers] for a in subject.inputs)
        moved = insert(inputs[which], word, padding, np.random.default_rng(seed))
        return flips(subject, group, receivers, donors, (*inputs[:which], moved, *inputs[which + 1 :]))

    seed = int(rng.integers(2**63))
    return Found(group, f"token {token}", changed(token, seed), float(changed(other, seed).mean()), receivers, donors)
