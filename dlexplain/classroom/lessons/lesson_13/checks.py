"""Lesson 13's checks: each names the misconception behind a wrong answer."""

from __future__ import annotations

import numpy as np

from dlexplain.classroom import Check, array, call, close, number, right, wrong


def check_surprise(answer: object, *, chances: np.ndarray) -> Check:
    value, bits = number(answer), -np.log2(chances)
    if close(value, bits.mean()):
        return right(f"{bits.mean():.2f} bits a word. As if it chose among {2 ** bits.mean():.1f} words each time.")
    if close(value, -bits.mean()):
        return wrong("The logarithm of a chance is negative. Surprise has a **minus** in front.")
    if close(value, bits.sum()):
        return wrong("This is the sum. Long texts would look worse than short ones: take the **mean** a word.")
    if close(value, -np.log2(chances.mean())):
        return wrong(
            "You took the mean first. Then one sure word hides a bad one: first the logarithms, **then** the mean."
        )
    if close(value, -np.log(chances).mean()):
        return wrong("This is the natural logarithm. For bits, take base 2: `np.log2`.")
    if close(value, chances.mean()):
        return wrong("This is the mean chance. Surprise is minus its base-2 logarithm, word by word.")
    return wrong("Word by word: minus the base-2 logarithm of the chance. Then the mean of the four.")


def check_with_temperature(answer: object) -> Check:
    scores = np.array([2.0, 1.0, 0.0, -1.0])
    given = {heat: array(call(answer, scores.copy(), heat), shape=(4,), what="the result") for heat in (1.0, 2.0)}
    plain = np.exp(scores) / np.exp(scores).sum()

    def chances(heat: float) -> np.ndarray:
        return np.exp(scores / heat) / np.exp(scores / heat).sum()

    if np.allclose(given[1.0], chances(1)) and np.allclose(given[2.0], chances(2)):
        return right(
            "At temperature 2 the outsiders have gained. The order stays: heat never makes an outsider the favourite."
        )
    if np.allclose(given[2.0], np.exp(scores / 2)):
        return wrong("Chances must sum to 1: divide by the sum of all the powers.")
    if np.allclose(given[2.0], plain):
        return wrong("Temperature 1 and 2 give the same here. Divide the **scores** by the temperature.")
    if np.allclose(given[2.0], plain / 2):
        return wrong("You divided the chances, so they no longer sum to 1. Divide the **scores**, before `exp`.")
    if np.allclose(given[2.0], chances(0.5)):
        return wrong("You multiplied by the temperature: heat now makes the draw *less* daring. Divide.")
    return wrong("First `scores / temperature`, then `np.exp`, then divide by the sum.")


def check_look_at(answer: object) -> Check:
    words, here = ["do", "mi", "so", "la", "do", "mi", "so", "la"], 5
    place = number(call(answer, list(words), here), what="the result of `look_at`")
    where = "On a test (do mi so la do mi so la, here = 5, the second “mi”)"
    if place == 2:
        again = number(call(answer, ["ti", "re", "fa", "ti", "re"], 3), what="the result of `look_at`")
        if again == 1:
            return right("The note after the last time. What stands there is what comes next.")
        return wrong("Right for one song, wrong for another. Look the note up: `words[:here].index(words[here])`.")
    if place == 1:
        return wrong(
            f"{where} this is the place of the **same** note. The head must see what came **after** it: one further."
        )
    if place == 5:
        return wrong(f"{where} this is the place itself. Search only **before** it: `words[:here]`.")
    if place == 6:
        return wrong(f"{where} this place is in the **future**. A causal head cannot look there.")
    if place == 0:
        return wrong(f"{where} this is the place *before* the twin. One goes forward, not back.")
    return wrong(f"{where} 2 is wanted: “mi” stood at 1, and the place after it is 2.")


def check_chip_hours(answer: object) -> Check:
    n, read, peak, used = 2e9, 3e10, 1e15, 0.5
    value, wanted = number(call(answer, n, read, peak, used), what="the result of `chip_hours`"), 200.0
    where = "On a test (2e9 weights, 3e10 words, peak 1e15, used 0.5)"
    if close(value, wanted):
        return right("200 hours. With 200 chips it is one hour, at the same cost.")
    if close(value, wanted * 3600):
        return wrong(f"{where} these are seconds. An hour has 3600.")
    if close(value, wanted / 6):
        return wrong(f"{where} the 6 is missing: each word costs 6 operations **a weight**.")
    if close(value, wanted / 3):
        return wrong(f"{where} 2 operations a weight are for reading. Learning takes twice as much again: 6.")
    if close(value, wanted / 2):
        return wrong(f"{where} you believed the data sheet. Only the share `used` of the peak is reached.")
    if close(value, wanted / 4):
        return wrong(
            f"{where} you multiplied by `used`: a worse use would save time. Divide by the speed that is reached."
        )
    return wrong(f"{where}: `6 * weights * words` operations, at `peak * used` a second, in hours.")
