"""Lesson 14's checks: each names the misconception behind a wrong answer."""

from __future__ import annotations

import numpy as np

from dlexplain.classroom import Check, array, call, close, number, right, wrong


def check_draw(answer: object) -> Check:
    labels = np.random.default_rng(3).permutation(np.repeat(np.arange(10), 30))
    first = array(call(answer, labels.copy(), 4, 0), what="the result of `draw`")
    again, other = (array(call(answer, labels.copy(), 4, seed)) for seed in (0, 1))
    if first.ndim != 1 or np.any(first != first.astype(int)):
        return wrong("A plain list of places is wanted: whole numbers that index the pictures.")
    first = first.astype(int)
    if len(first) == 4:
        return wrong("You drew 4 pictures in all. Wanted are 4 **a class**: 40 for ten digits.")
    if first.min() < 0 or first.max() >= len(labels):
        return wrong("Some places do not exist. Give places in `labels`, not labels.")
    counts = np.bincount(labels[first], minlength=10)
    if set(counts) == {4} and len(np.unique(first)) < len(first):
        return wrong("Some pictures were drawn twice. Draw without putting back: `replace=False`.")
    if set(counts) != {4}:
        return wrong(
            f"The ten digits get {', '.join(map(str, counts))} pictures. Drawing from all at once leaves some digits "
            "short. Draw from each class on its own."
        )
    if not np.array_equal(first, again):
        return wrong("The same seed gave two different draws. Make the generator **from the seed**, inside.")
    if np.array_equal(first, other):
        return wrong("Another seed gave the same draw. Then five draws are one draw five times, without any spread.")
    return right("Four of each digit, none twice, and every seed another draw.")


def check_trained(answer: object, *, features: int, classes: int, whole: int) -> Check:
    value = number(answer)
    if close(value, features * classes + classes):
        return right(f"{value:.0f} of {whole:,} weights learn. All others stay as the letters made them.")
    if close(value, features * classes):
        return wrong("Nearly. Each class also has a number of its own, its **bias**.")
    if close(value, whole):
        return wrong("This is the whole network. **Frozen** means that only the new head learns.")
    if close(value, whole - features * classes - classes):
        return wrong("You counted the part that is frozen. Wanted is the part that **learns**.")
    if close(value, features + classes):
        return wrong("Every class is joined with **every** feature: multiply, do not add.")
    return wrong(
        "The head takes `features` numbers and gives `classes` scores: a weight for each pair, and a bias each."
    )


def check_difference(answer: object, *, frozen: np.ndarray, scratch: np.ndarray) -> Check:
    mean, error = array(answer, shape=(2,))
    apart = np.asarray(frozen, float) - np.asarray(scratch, float)
    n = len(apart)
    wanted = apart.std(ddof=1) / np.sqrt(n)
    if close(mean, -apart.mean()) and not close(mean, apart.mean()):
        return wrong("The sign is turned round: we ask what pre-training **adds**.")
    if close(mean, 100 * apart.mean()):
        return wrong("These are percentage points. The rows hold shares from 0 to 1: leave the difference as it is.")
    if not close(mean, apart.mean()):
        return wrong("First the mean of `frozen - scratch`, draw by draw.")
    if close(error, wanted):
        return right("The draws are paired: a bad draw is bad for both. So compare draw by draw.")
    if close(error, apart.std(ddof=1)) or close(error, apart.std()):
        return wrong(
            "This is how far single draws scatter. How sure are you of their **mean**? Divide by the root of "
            "how many there are."
        )
    if close(error, apart.std() / np.sqrt(n)):
        return wrong("Nearly. With few draws, divide by one less: `std(ddof=1)`.")
    both = np.sqrt(np.var(frozen, ddof=1) / n + np.var(scratch, ddof=1) / n)
    if close(error, both):
        return wrong(
            "You took the two rows as unrelated. They had the **same draws**. Take the spread of the differences."
        )
    return wrong("The standard error: the spread of the differences, `std(ddof=1)`, over the root of their number.")


def check_break_even(answer: object) -> Check:
    value = number(call(answer, 30.0, 8.0, 2.0), what="the result of `break_even`")
    where = "On a test (pre-training 30, a task from scratch 8, a task tuned 2)"
    if close(value, 5):
        return right("30 paid once, 6 saved each time: from the fifth task on it pays.")
    if close(value, 30 / 8):
        return wrong(f"{where} you said 3.75. Tuning is not free: each task saves 8 − 2, not 8.")
    if close(value, 30 / 2):
        return wrong(f"{where} you divided by the cost of a tuned task. Divide by what a task **saves**.")
    if close(value, 1):
        return wrong(f"{where} one task costs 32 with pre-training and 8 without. One task does not pay for it.")
    if close(value, 6):
        return wrong(f"{where} this is what one task saves. How many of these make up for 30?")
    return wrong(f"{where} each task saves 6. How many tasks make up for 30?")
