"""Lesson 05's checks: each names the misconception behind a wrong answer."""

from __future__ import annotations

import numpy as np

from dlexplain.classroom import Check, array, close, number, option, right, wrong
from dlexplain.classroom.checks import Refused, kind
from dlexplain.classroom.lessons.lesson_05 import game

RULES = ("efficiency", "symmetry", "dummy", "additivity")


def check_cleo(answer: object, *, earns: game.Game) -> Check:
    value = number(answer)
    band = ("Ana", "Ben", "Cleo")
    whole, alone = earns[frozenset(band)], earns[frozenset({"Cleo"})]
    last = whole - earns[frozenset({"Ana", "Ben"})]
    lifts = [row["Cleo"] for row in game.rises(earns, band).values()]
    each = [earns[some | {"Cleo"}] - earns[some] for some in game.line_ups(band) if "Cleo" not in some]
    if close(value, np.mean(lifts)):
        return right("90 twice, 30 twice, 0 twice: the mean of six lifts. Ana gets 100, so 70 are left for Ben.")
    if close(value, last):
        return wrong(
            "This is what is lost without her: her lift only when she comes last. Two of the six orders are so."
        )
    if close(value, alone):
        return wrong("This is what she earns alone: her lift only when she comes first. What of the other orders?")
    if close(value, whole / 3):
        return wrong("These are equal shares. But the three do not lift the sum equally.")
    if close(value, np.sum(lifts)):
        return wrong("This is the sum of her six lifts. For the mean, divide by the number of orders.")
    if close(value, np.mean(each)):
        return wrong(
            "You averaged her four different lifts. But two of them come up in two orders each: average the six orders."
        )
    if close(value, (alone + last) / 2):
        return wrong("You averaged first and last only. She may also come second: after Ana, or after Ben.")
    return wrong("For each of the six orders: the sum with Cleo, minus the sum just before. Then the mean of the six.")


def check_rules(answer: object) -> Check:
    if isinstance(answer, dict) and set(answer) == set("ABC"):
        answer = [answer[way] for way in "ABC"]
    if isinstance(answer, np.ndarray):
        answer = answer.tolist()
    if not isinstance(answer, (list, tuple)) or len(answer) != 3:
        raise Refused(f"A list of three rules is wanted, for A, B and C; you gave {kind(answer)}.")
    a, b, c = (option(each, RULES, what=f"the rule for {way}") for each, way in zip(answer, "ABC", strict=True))
    said = {
        "A": {
            "efficiency": "A pays out the whole sum on both evenings, so the bill adds up. Look at Cleo on evening 1.",
            "symmetry": "A gives everybody the same, so twins too. Look at Cleo on evening 1.",
        },
        "B": {
            "dummy": "B pays Cleo nothing on evening 1, as it should. Add up what it pays on evening 2.",
            "symmetry": "B pays twins the same. Add up what it pays on evening 2.",
        },
        "C": {
            "efficiency": "C pays out the whole sum on both evenings. Compare the three players on evening 2.",
            "dummy": "C pays Cleo nothing on evening 1, as it should. Compare the three players on evening 2.",
        },
    }
    for way, rule, broken in (("A", a, "dummy"), ("B", b, "efficiency"), ("C", c, "symmetry")):
        if rule == "additivity":
            return wrong(
                f"For {way}: additivity takes two evenings added up. One of the first three rules breaks already."
            )
        if rule != broken:
            return wrong(said[way][rule])
    return right(
        "A pays a passenger. B leaves money on the table. C pays by arrival. Each is simple, and each is unfair once."
    )


def check_reading(answer: object) -> Check:
    letter = option(answer, ["A", "B", "C", "D"])
    said = {
        "A": "It pulled hard, downwards: negative is not unimportant. Unimportant would be a share near zero.",
        "B": "That would be the effect of removing it, the lift in one case only: when it comes last. A share is the "
        "mean over all orders. (The next cell computes both.)",
        "D": "That is about the tumour. The share is about the network's score: it is credit, not a cause. Nobody was "
        "treated; a row of numbers was filled in.",
    }
    if letter == "C":
        return right("Measured against the background, a fair share of the whole change, with its sign.")
    return wrong(said[letter])


def check_straight(answer: object) -> Check:
    values = array(answer, shape=(2,))
    if close(values, (6, 3)):
        return right(
            "The background's score is −4, the patient's 5: they share 9. And `b` earns a plus though its slope is "
            "negative: the patient has less of it than the others."
        )
    if close(values, (8, -3)):
        return wrong("This is slope times value. You forgot the background: a share is about the difference from it.")
    if close(values, (2, -3)):
        return wrong("These are the slopes themselves. Multiply each by how far the patient is from the background.")
    if close(values, (3, -1)):
        return wrong("These are the differences from the background. Multiply each by its slope: 2 and −3.")
    if close(values, (6, -3)):
        return wrong("`b` is smaller than in the background, and its slope is negative: minus times minus.")
    if close(values.sum(), 9):
        return wrong("The sum is right: 9. Yet each wants its own share: slope times its own difference.")
    return wrong("For each: slope times (patient minus background). The slopes are 2 and −3.")
