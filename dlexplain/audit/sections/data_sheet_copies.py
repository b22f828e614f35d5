"""Of the data sheet: rows that stand there twice, and rows that stand in the training data too."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dlexplain.audit.check import check
from dlexplain.audit.record import Check
from dlexplain.audit.sections.data_sheet_columns import GIVE_TRAIN, columns

if TYPE_CHECKING:
    from dlexplain.audit.subject import Subject
    from dlexplain.frameworks.questions import Inputs

ALIKE = 0.999  # correlation of two pictures from which on one is a copy of the other
APART = 0.01  # deviations, root mean square over columns, under which two rows are one
LARGEST = 20_000  # rows on either side of the search for near copies
WIDEST = 64  # numbers a row is searched by; what is found is then looked at in full
ALPHA = 0.01


@dataclass(frozen=True, eq=False)
class Copies:
    """Pairs `(row, its copy)`, exact ones first. `searched`: on how many rows near copies were looked for."""

    exact: tuple[tuple[int, int], ...]
    near: tuple[tuple[int, int], ...]
    searched: int

    @property
    def rows(self) -> np.ndarray:
        return np.unique([row for row, _ in (*self.exact, *self.near)]).astype(int)


@check(section=3, title="Rows are not repeated")
def duplicates(subject: Subject) -> Check:
    """The share of rows that repeat an earlier one, exactly or nearly."""
    found = copies_within(subject)
    share = len(found.rows) / len(subject)
    reason = f"{len(found.exact)} of {len(subject)} rows repeat an earlier one exactly, {len(found.near)} nearly."
    against = contradictions(subject)
    if against:
        reason += f" {against} of the copies carry another label than the row that they repeat."
    return subject.judged(
        "duplicates",
        share,
        reason=reason,
        advice="Keep one row of each: a row that counts twice makes every figure look surer than it is.",
        evidence=("copies",) if len(found.rows) else (),
    )


@check(section=3, title="No audited row was trained on")
def split_leakage(subject: Subject) -> Check:
    """The share of rows that stand in the training data too, exactly or nearly, beyond what is usual in such data."""
    if subject.train is None:
        return subject.judged(
            "split_leakage",
            None,
            status="NOT RUN",
            reason="No training data were given to compare with.",
            advice=GIVE_TRAIN,
        )
    found, usual = copies_in_train(subject)
    hits, n = len(found.rows), len(subject)
    p = _beyond(hits, n, usual)
    figure = hits / n if hits and p < ALPHA else 0.0
    reason = f"{len(found.exact)} of {n} rows stand in the training data exactly, {len(found.near)} nearly."
    if hits and usual:
        reason += (
            f" Of the training rows themselves {usual:.1%} have a copy among the others, so that {usual * n:.3g} would be "
            f"expected here (p = {p:.2g})."
        )
    return subject.judged(
        "split_leakage",
        figure,
        reason=reason,
        advice="Take these rows out of the audit or out of training: on them the model may recite instead of judge.",
        evidence=("leaked",) if hits else (),
    )


def _beyond(hits: int, n: int, usual: float) -> float:
    """The probability of so many copies or more, were they as frequent as within the training data."""
    from scipy.stats import binom

    return float(binom.sf(hits - 1, n, usual)) if usual > 0 else float(hits == 0)


def copies_within(subject: Subject) -> Copies:
    return subject.once("copies within", lambda: search(subject, subject.inputs, None))


def copies_in_train(subject: Subject) -> tuple[Copies, float]:
    """Copies of audited rows among the training rows, and how usual copies are among the training rows."""

    def make() -> tuple[Copies, float]:
        found = search(subject, subject.train[0], subject.inputs)
        return found, _repeats(subject)

    return subject.once("copies in train", make)


def _repeats(subject: Subject) -> float:
    """The share of training rows that have a copy among the others."""
    pool = search(subject, subject.train[0], None)
    either = {row for pair in (*pool.exact, *pool.near) for row in pair}
    return len(either) / len(subject.train[0][0])


def contradictions(subject: Subject) -> int:
    """How many copies carry another label."""
    found = copies_within(subject)
    return sum(subject.labels[a] != subject.labels[b] for a, b in (*found.exact, *found.near))


def search(subject: Subject, pool: Inputs, asked: Inputs | None) -> Copies:
    """For each asked row a copy in the pool; without asked rows, for each row of the pool an earlier one."""
    keys, seen = _hashes(pool), {}
    exact = []
    if asked is None:
        for row, key in enumerate(keys):
            if key in seen:
                exact.append((row, seen[key]))
            else:
                seen[key] = row
    else:
        seen = {key: row for row, key in reversed(list(enumerate(keys)))}
        exact = [(row, seen[key]) for row, key in enumerate(_hashes(asked)) if key in seen]
    if subject.kind == "tokens":
        return Copies(tuple(exact), (), 0)
    known = {row for row, _ in exact}
    near, searched = _near(subject, pool, asked, known)
    return Copies(tuple(exact), tuple(near), searched)


def _hashes(inputs: Inputs) -> list[bytes]:
    plain = [np.ascontiguousarray(a + 0.0 if a.dtype.kind == "f" else a) for a in inputs]  # -0 and 0 are one
    return [
        hashlib.blake2b(b"".join(a[i].tobytes() for a in plain), digest_size=16).digest() for i in range(len(plain[0]))
    ]


def _near(subject: Subject, pool: Inputs, asked: Inputs | None, known: set[int]) -> tuple[list[tuple[int, int]], int]:
    """Pairs within the radius, found by a random projection and then measured in full."""
    rng = subject.rng("near copies")
    of, radius = _vectors(subject)
    first, some = _part(rng, len(pool[0])), None
    held = of(tuple(a[first] for a in pool))
    if asked is None:
        some, seek = first, held
    else:
        some = _part(rng, len(asked[0]))
        seek = of(tuple(a[some] for a in asked))
    wide, scale = held.shape[1], 1.0
    short_held, short_seek = held, seek
    if wide > WIDEST:
        turn = rng.standard_normal((wide, WIDEST)).astype(np.float32) / np.sqrt(WIDEST)
        short_held, short_seek, scale = held @ turn, seek @ turn, 3.0
    squares, pairs = np.square(short_held).sum(1), []
    for start in range(0, len(seek), 512):
        block = short_seek[start : start + 512]
        distance = np.square(block).sum(1)[:, None] + squares - 2 * block @ short_held.T
        if asked is None:  # each row against the earlier ones only
            distance[np.arange(len(held)) >= start + np.arange(len(block))[:, None]] = np.inf
        # Squares of single precision leave a remainder, so that what is measured next is asked a little more widely.
        for i, j in np.argwhere(distance <= scale * radius + 1e-5):
            gap = float(np.square(seek[start + i].astype(np.float64) - held[j]).sum())
            row = int(some[start + i])
            if gap <= radius and row not in known:
                known.add(row)
                pairs.append((row, int(first[j])))
    return pairs, len(some)


def _part(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.arange(n) if n <= LARGEST else np.sort(rng.choice(n, LARGEST, replace=False))


def _vectors(subject: Subject):
    """A function of inputs to `(n, d)` float32, and the squared distance within which two rows are copies."""
    if subject.kind == "image":

        def pictures(inputs: Inputs) -> np.ndarray:
            flat = inputs[0].reshape(len(inputs[0]), -1).astype(np.float32)
            flat = flat - flat.mean(1, keepdims=True)
            size = np.linalg.norm(flat, axis=1, keepdims=True)
            # A picture of one colour has no shape to compare; nothing is near to not-a-number.
            return np.where(size > 1e-6, flat / np.maximum(size, 1e-12), np.float32(np.nan))

        return pictures, 2 * (1 - ALIKE)
    given = subject.inputs if subject.train is None else subject.train[0]
    spread = columns(subject, given).std(0)
    spread = np.where(spread > 0, spread, 1.0)

    def rows(inputs: Inputs) -> np.ndarray:
        flat = columns(subject, inputs) / spread
        flat = flat.reshape(len(inputs[0]), -1)
        return (flat / np.sqrt(flat.shape[1])).astype(np.float32)

    return rows, APART**2
