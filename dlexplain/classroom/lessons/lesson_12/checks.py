"""Lesson 12's checks: each names the misconception behind a wrong answer."""

from __future__ import annotations

import numpy as np

from dlexplain.classroom import Check, array, call, close, number, right, wrong

SENTENCE = "today the old ship follows a dog"
TRANSLATES = (1, 3, 2, 5, 6, 4, 0)


def check_alignment(answer: object) -> Check:
    given, truth = array(answer, shape=(7,)), np.array(TRANSLATES)
    if close(given, truth):
        return right("The lines cross: **order alone does not align two languages.**")
    if close(given, np.arange(7)):
        return wrong("You went place by place. Ask of each Melo word: which English word **does it translate**?")
    if close(given, truth + 1):
        return wrong("Right words, but count places from **0**, as Python does.")
    if close(given, np.argsort(truth)):
        return wrong("You went the other way: for each English word its Melo place. Start from the **Melo** words.")
    if given[1] == 2 and given[2] == 3:
        return wrong("In Melo the adjective stands **behind** its noun: `veda` is the ship, `veta` is old.")
    if given[0] == 3 or given[3] == 6:
        return wrong("That noun decides the **ending** of the article. But which word does the article translate?")
    if given[6] != 0 or given[5] != 4:
        return wrong("Look at the end: in Melo the verb comes late, and the word of time last of all.")
    return wrong("Go through the Melo words one by one: `la`, `veda`, `veta`, `uno`, `kano`, `sega`, `hodi`.")


def _attended(query: np.ndarray, keys: np.ndarray, values: np.ndarray) -> np.ndarray:
    fit = np.exp(keys @ query)
    return (fit / fit.sum()) @ values


def check_attend(answer: object) -> Check:
    rng = np.random.default_rng(0)
    query, keys, values = rng.normal(size=3), rng.normal(size=(5, 3)), rng.normal(size=(5, 4))
    given = array(call(answer, query.copy(), keys.copy(), values.copy()), what="the result of `attend`")
    fit = keys @ query
    weights = np.exp(fit) / np.exp(fit).sum()
    if given.shape == (4,) and close(given, weights @ values):
        return right("That is attention, all of it: **fit, weigh, mix.**")
    if given.shape == (5,) and close(given, weights):
        return wrong("These are the weights: right so far. What the network **finds** is the mix: `weights @ values`.")
    if given.shape == (5,):
        return wrong("One number a place came out: a fit or a weight. Now mix the **values** with the weights.")
    if given.shape == (5, 4):
        return wrong("You weighed the values, but did not add them up: one mix of 4 numbers is wanted.")
    if given.shape != (4,):
        return wrong(f"One mix of 4 numbers is wanted; you gave shape {given.shape}.")
    if close(given, fit @ values):
        return wrong(
            "The fits can be negative, and do not sum to 1. Turn them into **weights** first, as written above."
        )
    if close(given, np.exp(fit) @ values):
        return wrong("All weights are positive now, but do not sum to 1. **Divide by their sum.**")
    if close(given, np.exp(fit / 3**0.5) / np.exp(fit / 3**0.5).sum() @ values):
        return wrong("You divided the fits by the root of the width, as large networks do. Here leave that out.")
    if close(given, values[fit.argmax()]):
        return wrong("You took the best place alone. Attention takes **a little of every place**.")
    if close(given, values.mean(0)):
        return wrong("You weighed all places alike. The **query** decides which count more.")
    return wrong("Three steps: fit each key to the query, turn the fits into weights, mix the values with them.")


def check_hits(answer: object) -> Check:
    rng = np.random.default_rng(3)
    weights = rng.dirichlet(np.ones(6), size=(8, 7))
    truth = rng.integers(0, 6, size=(8, 7))
    weights[np.arange(8)[:, None], np.arange(7), truth] += 0.3 * (rng.random((8, 7)) < 0.6)
    truth[:4, 5:] = truth[4:, 6:] = -1
    written = truth >= 0
    value = number(call(answer, weights.copy(), truth.copy()))
    hit = weights.argmax(-1) == truth
    wanted = hit[written].mean()
    if close(value, wanted):
        return right(f"{wanted:.0%} of the words written. Places where nothing is written do not count.")
    if close(value, hit.mean()):
        return wrong("You counted the places where **nothing is written** (truth −1), too: they can never be hit.")
    if close(value, hit[truth > 0].mean()):
        return wrong("Place **0** is a place, too. Count where `truth >= 0`.")
    if close(value, hit.sum()) or close(value, 100 * wanted):
        return wrong("Give a **share** from 0 to 1, not a count or per cents.")
    if close(value, weights.max(-1)[written].mean()) or close(value, weights.max(-1).mean()):
        return wrong("That is how **large** the strongest look is. The question is **where** it lies: `argmax`.")
    if close(value, 1 - wanted):
        return wrong("That is the share of misses.")
    return wrong("Where is the strongest look of each row? Compare with the truth, where the truth is 0 or more.")
