"""Lesson 07's checks: each names the misconception behind a wrong answer."""

from __future__ import annotations

import numpy as np

from dlexplain.classroom import Check, array, close, number, option, right, wrong

THREE = 3


def check_flipped(answer: object, *, now: np.ndarray, truly: np.ndarray) -> Check:
    if np.ndim(answer) == 1 and np.shape(answer) == np.shape(now):
        return wrong("This is one true or false for each digit. A share is their mean.")
    value, called = number(answer), np.asarray(now) == THREE
    if close(value, called.mean()):
        return right("A stamp turns nearly everything into a three. The stamp decides, not the digit.")
    if close(value, called.sum()):
        return wrong("This is how many. A share is that number divided by how many there are: take the mean.")
    if close(value, 100 * called.mean()):
        return wrong("This is in per cent. A share lies between 0 and 1: leave out the factor 100.")
    if close(value, 1 - called.mean()):
        return wrong("This is the share that is **not** called a three. Compare with `==`.")
    if close(value, (np.asarray(truly) == THREE).mean()):
        return wrong("You counted threes among the true labels. None of them is a three. Ask what Hans reads: `now`.")
    if close(value, (np.asarray(now) == np.asarray(truly)).mean()):
        return wrong("This is the share that Hans reads right. The question is which share he calls a three.")
    return wrong("`now == 3` says of each digit whether Hans calls it a three. The mean of that is the share.")


def check_faithfulness(answer: object, *, named: np.ndarray, before: float, after: np.ndarray) -> Check:
    fall = float(before) - np.asarray(after, np.float64)
    if np.shape(answer) == (2, 2):
        return wrong("`np.corrcoef` gives a table of four. Wanted is `named` against the fall: row 0, column 1.")
    value, wanted = number(answer), np.corrcoef(named, fall)[0, 1]
    if close(value, wanted):
        return right("Well above the cloud of chance, and below 1: pixels do not act one by one in a network.")
    if close(value, -wanted):
        return wrong("The sign is turned round. A **fall** is the score before, minus the score after.")
    if close(value, 1):
        return wrong("1 is what each list has with itself. You want row 0, column 1 of the table.")
    if close(value, abs(wanted) ** 2):
        return wrong("This is the square of it. Leave the correlation as it is: its sign matters.")
    if close(value, np.polyfit(named, fall, 1)[0]):
        return wrong("This is how steep the line is. Correlation says how near to a line the dots lie.")
    if close(value, np.corrcoef(np.abs(named), fall)[0, 1]):
        return wrong("You took sizes of the sums. A sum below zero says that the score should rise: keep the sign.")
    if abs(value - wanted) < 0.006:
        return wrong("Very near: was it rounded? Hand over the number as NumPy gives it.")
    return wrong("Correlate `named` with `before - after`, and take row 0, column 1 of the table.")


def check_likeness(answer: object, *, own: np.ndarray, fresh: np.ndarray) -> Check:
    values = array(answer, shape=(2,))
    signs, sizes = _mean(own, fresh), _mean(np.abs(own), np.abs(fresh))
    if close(values, (signs, sizes)):
        return right("With signs hardly anything is left, as it should be. Without them the map seems not to care.")
    if close(values, (sizes, signs)):
        return wrong("Both numbers are right, in the wrong order: first with signs, then sizes only.")
    if close(values, (signs, signs)):
        return wrong("Both are with signs. For the second, take `np.abs` of **both** maps before you compare.")
    if close(values, (signs, np.abs(_each(own, fresh)).mean())):
        return wrong("You took the size of the **result**. Take `np.abs` of the two maps, then compare them.")
    if close(values, (signs, _mean(np.abs(own), fresh))) or close(values, (signs, _mean(own, np.abs(fresh)))):
        return wrong("Only one of the two maps lost its signs. Take `np.abs` of `own` and of `fresh`.")
    if close(values[0], 1) or close(values[1], 1):
        return wrong("A likeness of 1: a map was compared with itself. Compare `own` with `fresh`.")
    return wrong("Twice the mean of `bench.rank_correlation(…, …)`: of `own` and `fresh`, then of their `np.abs`.")


def _each(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    from dlexplain.classroom.lessons.lesson_07.bench import rank_correlation

    return rank_correlation(a, b)


def _mean(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.mean(_each(a, b)))


def check_moved(answer: object) -> Check:
    letter = option(answer, ["P", "Q", "R", "S", "T"])
    said = {
        "P": "P names the right pixels: look at its faithfulness. Only its bill is out, since all values were halved.",
        "Q": "Q has deletion and faithfulness just the wrong way round: what it names **holds the score down**. Its signs "
        "were turned.",
        "R": "R's bill adds up, well seen. But it names the right pixels, too: look at its faithfulness. R is honest.",
        "T": "T is the one that random weights do not change: without signs the ink is left. Its signs were dropped.",
    }
    if letter == "S":
        return right(
            "The same values, so the bill adds up, and random weights change it. It only stands on the wrong pixels: "
            "faithfulness alone sees that."
        )
    return wrong(said[letter])
